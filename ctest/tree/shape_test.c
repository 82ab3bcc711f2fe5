/*
 * Tests of shapes: figures of runs, tables one by one, and the questions a
 * policy may ask.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/test_alloc.h"
#include "tree/layout.h"
#include "tree/shape.h"

static const char tree[] = "run 4 L0: 40[a..f] 41[m..r]\n"
                           "run 3 L0: 30[d..h] 31[t..v]\n"
                           "run 2 L1: 20[a..c] 21[e..g] 22[i..k] 23[x..z]\n";

typedef struct bench {
  test_alloc alloc;
  gs_version *version;
  gs_claim *claim; /* NULL: nothing is claimed */
  gs_shape *shape;
} bench;

static void
look(bench *b)
{
  gs_error err;
  const gs_claim *claims[1] = {b->claim};
  gs_shape_free(b->shape);
  assert_int_equal(gs_shape_new_of(&b->alloc.base, b->version, claims,
                                   b->claim != NULL, &b->shape, &err),
                   GS_OK);
}

static void
begin(bench *b, const char *text)
{
  memset(b, 0, sizeof *b);
  test_alloc_init(&b->alloc);
  b->version = layout_version(&b->alloc.base, text);
  look(b);
}

static void
claim(bench *b, const uint64_t *inputs, size_t count)
{
  gs_error err;
  gs_plan plan = {.op = GS_PLAN_MERGE,
                  .target = GS_TARGET_BOTTOM,
                  .level = -1,
                  .inputs = inputs,
                  .input_count = count};
  assert_int_equal(
      gs_claim_new(&b->alloc.base, 1, b->version, &plan, &b->claim, &err),
      GS_OK);
  look(b);
}

static void
end(bench *b)
{
  gs_version_unref(b->version);
  gs_shape_free(b->shape);
  gs_shape_free(NULL);
  gs_claim_free(&b->alloc.base, b->claim);
  assert_int_equal(b->alloc.live_bytes, 0);
}

static gs_shape_table
table_at(const bench *b, size_t run, size_t index)
{
  gs_shape_table table;
  gs_shape_table_at(b->shape, run, index, &table);
  return table;
}

static void
test_runs_come_newest_first_with_their_sums(void **state)
{
  (void)state;
  bench b;
  begin(&b, tree);
  assert_int_equal(b.shape->version, b.version->number);
  assert_int_equal(b.shape->run_count, 3);
  const gs_shape_run *run = &b.shape->runs[2];
  assert_int_equal(run->id, 2);
  assert_int_equal(run->level, 1);
  assert_int_equal(run->table_count, 4);
  assert_int_equal(run->bytes, 400);
  assert_int_equal(run->data_bytes, 4);
  assert_int_equal(run->entry_count, 4);
  assert_int_equal(run->largest_bytes, 100);
  assert_int_equal(run->busy_count, 0);
  assert_int_equal(run->oldest_tombstone_ms, 0);
  assert_int_equal(run->dead_at_ms, 0);
  assert_int_equal(gs_shape_find_run(b.shape, 3), 1);
  assert_int_equal(gs_shape_find_run(b.shape, 9), SIZE_MAX);
  end(&b);
}

static void
test_a_table_is_told_and_found_by_its_id(void **state)
{
  (void)state;
  bench b;
  begin(&b, tree);
  gs_shape_table t = table_at(&b, 1, 0);
  assert_int_equal(t.id, 30);
  assert_int_equal(t.bytes, 100);
  assert_true(gs_slice_equal(t.min_key, gs_slice_str("d")));
  assert_true(gs_slice_equal(t.max_key, gs_slice_str("h")));
  size_t run = 0;
  size_t index = 0;
  assert_true(gs_shape_find_table(b.shape, 22, &run, &index));
  assert_int_equal(run, 2);
  assert_int_equal(index, 2);
  assert_false(gs_shape_find_table(b.shape, 99, &run, &index));
  end(&b);
}

static void
test_inputs_of_jobs_are_busy_while_they_are_in_the_tree(void **state)
{
  (void)state;
  bench b;
  begin(&b, tree);
  const uint64_t inputs[] = {41, 22, 20};
  claim(&b, inputs, 3);
  assert_int_equal(b.shape->runs[0].busy_count, 1);
  assert_int_equal(b.shape->runs[1].busy_count, 0);
  assert_int_equal(b.shape->runs[2].busy_count, 2);
  assert_true(table_at(&b, 0, 1).is_busy);
  assert_false(table_at(&b, 0, 0).is_busy);
  assert_true(gs_shape_is_busy(b.shape, 20));
  assert_false(gs_shape_is_busy(b.shape, 21));
  gs_version_unref(b.version);
  b.version = layout_version(&b.alloc.base, "run 4 L0: 40[a..f] 41[m..r]\n");
  look(&b);
  assert_true(gs_shape_is_busy(b.shape, 41));
  assert_false(gs_shape_is_busy(b.shape, 22));
  end(&b);
}

static void
expect_overlap(const bench *b, const char *from, const char *to, size_t first,
               size_t end)
{
  gs_slice low = gs_slice_str(from == NULL ? "" : from);
  gs_slice high = gs_slice_str(to == NULL ? "" : to);
  size_t behind = 99;
  size_t at = gs_shape_overlap(b->shape, 2, from == NULL ? NULL : &low,
                               to == NULL ? NULL : &high, &behind);
  assert_int_equal(behind - at, end - first);
  assert_true(first == end || at == first);
}

static void
test_a_range_meets_the_tables_that_can_hold_its_keys(void **state)
{
  (void)state;
  bench b;
  begin(&b, tree);
  expect_overlap(&b, NULL, NULL, 0, 4);
  expect_overlap(&b, "c", "e", 0, 2);
  expect_overlap(&b, "d", "d", 0, 0);
  expect_overlap(&b, "d", "e", 1, 2);
  expect_overlap(&b, "j", NULL, 2, 4);
  expect_overlap(&b, NULL, "h", 0, 2);
  expect_overlap(&b, "zz", NULL, 4, 4);
  expect_overlap(&b, NULL, "A", 0, 0);
  expect_overlap(&b, "k", "b", 0, 0);
  end(&b);
}

static void
expect_cheapest(const bench *b, size_t below, uint64_t taken, uint64_t id)
{
  size_t index = 99;
  bool found =
      gs_shape_cheapest(b->shape, 0, below, &taken, taken != 0, &index);
  assert_int_equal(found, id != 0);
  assert_true(!found || table_at(b, 0, index).id == id);
}

static void
test_the_cheapest_table_meets_least_below_for_its_size(void **state)
{
  (void)state;
  bench b;
  begin(&b, tree);
  expect_cheapest(&b, 2, 0, 41);
  expect_cheapest(&b, 2, 41, 40);
  expect_cheapest(&b, 1, 0, 41);
  expect_cheapest(&b, SIZE_MAX, 0, 40);
  b.version->runs[0]->tables[0]->meta.file_bytes = 100000;
  b.version->runs[2]->tables[3]->meta.min_key = gs_slice_str("n");
  expect_cheapest(&b, 2, 0, 40);
  expect_cheapest(&b, 2, 20, 41);
  const uint64_t inputs[] = {41};
  claim(&b, inputs, 1);
  expect_cheapest(&b, 2, 0, 40);
  expect_cheapest(&b, 2, 21, 0);
  end(&b);
}

static void
test_a_range_grows_over_all_that_meets_it(void **state)
{
  (void)state;
  bench b;
  begin(&b, tree);
  gs_slice min = gs_slice_str("g");
  gs_slice max = gs_slice_str("g");
  gs_shape_close_range(b.shape, 2, 2, &min, &max);
  assert_true(gs_slice_equal(min, gs_slice_str("e")));
  gs_shape_close_range(b.shape, 0, 2, &min, &max);
  assert_true(gs_slice_equal(min, gs_slice_str("a")));
  assert_true(gs_slice_equal(max, gs_slice_str("h")));
  min = max = gs_slice_str("w");
  gs_shape_close_range(b.shape, 0, 2, &min, &max);
  assert_true(gs_slice_equal(max, gs_slice_str("w")));
  end(&b);
}

static void
test_want_of_memory_leaves_nothing_behind(void **state)
{
  (void)state;
  bench b;
  begin(&b, tree);
  gs_error err;
  gs_shape *shape = NULL;
  b.alloc.allocations_left = 0;
  assert_int_equal(
      gs_shape_new_of(&b.alloc.base, b.version, NULL, 0, &shape, &err),
      GS_NOMEM);
  b.alloc.allocations_left = UINT64_MAX;
  assert_null(shape);
  end(&b);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_runs_come_newest_first_with_their_sums),
      cmocka_unit_test(test_a_table_is_told_and_found_by_its_id),
      cmocka_unit_test(test_inputs_of_jobs_are_busy_while_they_are_in_the_tree),
      cmocka_unit_test(test_a_range_meets_the_tables_that_can_hold_its_keys),
      cmocka_unit_test(test_the_cheapest_table_meets_least_below_for_its_size),
      cmocka_unit_test(test_a_range_grows_over_all_that_meets_it),
      cmocka_unit_test(test_want_of_memory_leaves_nothing_behind),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
