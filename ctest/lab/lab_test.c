/*
 * Tests of the lab as a whole: options, figures, sameness, want of memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab_kit.h"

static void
refuse(gs_lab_options options)
{
  test_alloc alloc;
  gs_lab *lab = NULL;
  test_alloc_init(&alloc);
  assert_int_equal(gs_lab_new(&alloc.base, &options, &lab, NULL), GS_MISUSE);
  assert_int_equal(alloc.live_bytes, 0);
}

static void
test_options_out_of_bounds_are_refused(void **state)
{
  (void)state;
  gs_lab_options o = kit_options();
  o.keys = 0;
  refuse(o);
  o = kit_options();
  o.writes = NAN;
  refuse(o);
  o = kit_options();
  o.skew = -1;
  refuse(o);
  o = kit_options();
  o.delete_share = 1.5;
  refuse(o);
  o = kit_options();
  o.key_bytes = 0;
  refuse(o);
  o = kit_options();
  o.block_bytes = 100;
  refuse(o);
  o = kit_options();
  o.memtable_bytes = 100;
  refuse(o);
  o = kit_options();
  o.memtable_bytes = 5000;
  o.value_bytes = 5000;
  refuse(o);
  o = kit_options();
  o.ratio = -0.5;
  refuse(o);
  o = kit_options();
  o.ratio = 1.01;
  refuse(o);
  o = kit_options();
  o.read_bytes_per_s = -1;
  refuse(o);
  o = kit_options();
  o.ttl_ms = 10; /* and no time passes */
  refuse(o);
}

static void
test_what_is_not_given_is_as_in_the_engine(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  options.memtable_bytes = 0;
  options.table_bytes = 0;
  options.workers = 0;
  gs_lab *lab = kit_lab(&alloc, &options);
  assert_int_equal(lab->options.memtable_bytes, 32 << 20);
  assert_int_equal(lab->options.table_bytes, 64 << 20);
  assert_int_equal(lab->options.block_bytes, 4096);
  assert_int_equal(lab->options.workers, 1);
  kit_end(lab, &alloc);
}

/* Every tree on the way is one that the engine's own check accepts. */
static void
test_every_tree_keeps_the_order(void **state)
{
  (void)state;
  for (gs_lab_kind kind = GS_LAB_RANDOM; kind <= GS_LAB_QUEUE; kind++) {
    test_alloc alloc;
    gs_lab_options options = kit_options();
    options.kind = kind;
    options.rate = 1000;
    options.ttl_ms = kind == GS_LAB_QUEUE ? 0 : 20000;
    options.delete_share = kind == GS_LAB_QUEUE ? 0 : 0.2;
    options.table_bytes = 60000;
    gs_lab *lab = kit_lab(&alloc, &options);
    gs_lab_event event = GS_LAB_DECIDE;
    while (event == GS_LAB_DECIDE) {
      assert_int_equal(gs_lab_advance(lab, 1e5, &event, NULL), GS_OK);
      for (size_t r = 0; r < lab->version->run_count; r++) {
        assert_int_equal(gs_run_verify(lab->version->runs[r], NULL), GS_OK);
      }
    }
    kit_end(lab, &alloc);
  }
}

static void
test_the_figures_add_up(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  options.rate = 1000;
  options.ttl_ms = 15000;
  gs_lab *lab = kit_lab(&alloc, &options);
  gs_lab_sample seen;
  kit_run(lab, 50000);
  gs_lab_look(lab, &seen);
  ASSERT_NEAR(seen.user_bytes, 50000 * 116.0, 1e-9);
  ASSERT_NEAR(seen.flushed_data, lab->active_from * 116.0, 1e-9);
  ASSERT_NEAR(seen.live_bytes, gs_mix_distinct(&lab->mix, 15000) * 116.0, 0.01);
  double bytes = 0;
  uint64_t tables = 0;
  uint64_t runs = 0;
  for (size_t i = 0; i < seen.level_count; i++) {
    bytes += (double)seen.levels[i].bytes;
    tables += seen.levels[i].tables;
    runs += seen.levels[i].runs;
  }
  ASSERT_NEAR(bytes, seen.disk_bytes, 1e-9);
  assert_int_equal(tables, seen.tables);
  assert_int_equal(runs, seen.runs);
  assert_true(seen.expired > 0);
  gs_shape *shape;
  assert_int_equal(gs_lab_shape(lab, &shape, NULL), GS_OK);
  ASSERT_NEAR(shape->write_amp,
              (seen.flushed_bytes + seen.merged_bytes) / seen.flushed_data,
              1e-9);
  assert_int_equal(shape->now_ms, 1000000 + 50000);
  assert_int_equal(shape->memtable.budget_bytes, options.memtable_bytes);
  ASSERT_NEAR((double)shape->memtable.entry_count,
              lab->writes - lab->active_from, 0.01);
  gs_shape_free(shape);
  kit_end(lab, &alloc);
}

static double
disk_after(uint64_t seed)
{
  test_alloc alloc;
  gs_lab_options options = kit_options();
  options.seed = seed;
  options.table_bytes = 50000;
  gs_lab *lab = kit_lab(&alloc, &options);
  gs_lab_sample seen;
  kit_run(lab, 60000);
  gs_lab_look(lab, &seen);
  kit_end(lab, &alloc);
  return seen.disk_bytes + seen.merged_bytes;
}

static void
test_the_same_seed_gives_the_same_figures(void **state)
{
  (void)state;
  assert_true(disk_after(1) == disk_after(1));
  assert_true(disk_after(1) != disk_after(2));
}

/* Fails every allocation in turn, until the run comes to its end. */
static void
test_want_of_memory_is_told_and_leaves_nothing(void **state)
{
  (void)state;
  bool is_done = false;
  for (uint64_t left = 0; !is_done; left++) {
    test_alloc alloc;
    gs_lab *lab = NULL;
    gs_lab_options options = kit_options();
    options.table_bytes = 100000;
    options.writes = 25000;
    test_alloc_init(&alloc);
    alloc.allocations_left = left;
    gs_status status = gs_lab_new(&alloc.base, &options, &lab, NULL);
    while (status == GS_OK && !is_done) {
      gs_lab_event event;
      status = gs_lab_advance(lab, options.writes, &event, NULL);
      is_done = status == GS_OK && event == GS_LAB_REACHED;
    }
    assert_true(status == GS_OK || status == GS_NOMEM);
    gs_lab_free(lab);
    assert_int_equal(alloc.live_bytes, 0);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_options_out_of_bounds_are_refused),
      cmocka_unit_test(test_what_is_not_given_is_as_in_the_engine),
      cmocka_unit_test(test_every_tree_keeps_the_order),
      cmocka_unit_test(test_the_figures_add_up),
      cmocka_unit_test(test_the_same_seed_gives_the_same_figures),
      cmocka_unit_test(test_want_of_memory_is_told_and_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
