/*
 * One cursor over the tables of a run.
 */
#include "store_kit.h"

#include "store/run_cursor.h"

typedef struct bench {
  gs_options options;
  gs_store *store;
  const gs_run *run;
} bench;

/* A run of several tables with the keys k0001 to k0120. */
static void
open_bench(bench *b)
{
  *b = (bench){.options = kit_options()};
  b->options.table_bytes = 4096;
  b->options.memtable_bytes = 65536;
  b->store = kit_open(&b->options);
  kit_fill(b->store, "k", 1, 120);
  KIT_OK(gs_compact(b->store, NULL, &kit_err));
  b->run = atomic_load(&b->store->view)->version->runs[0];
  assert_true(b->run->table_count >= 3);
}

static gs_cursor *
cursor_of(bench *b, bool fills_cache)
{
  gs_cursor *cursor = NULL;
  KIT_OK(gs_run_cursor_new(b->store, b->run->tables, b->run->table_count,
                           fills_cache, &cursor, &kit_err));
  return cursor;
}

static void
test_a_walk_crosses_from_table_to_table_both_ways(void **state)
{
  (void)state;
  bench b;
  open_bench(&b);
  gs_cursor *cursor = cursor_of(&b, true);
  size_t count = 0;
  for (gs_cursor_first(cursor); cursor->valid; gs_cursor_next(cursor)) {
    count++;
  }
  assert_int_equal(cursor->status, GS_OK);
  for (gs_cursor_last(cursor); cursor->valid; gs_cursor_prev(cursor)) {
    count++;
  }
  assert_int_equal(cursor->status, GS_OK);
  assert_int_equal(count, 240);
  gs_cursor_end(cursor);
  kit_close(b.store);
}

static void
test_seeks_between_two_tables_reach_their_neighbours(void **state)
{
  (void)state;
  bench b;
  open_bench(&b);
  gs_cursor *cursor = cursor_of(&b, false);
  for (size_t t = 1; t < b.run->table_count; t++) {
    char between[16];
    gs_slice low = b.run->tables[t - 1]->meta.max_key;
    gs_slice high = b.run->tables[t]->meta.min_key;
    int size = snprintf(between, sizeof between, "%.*s!", (int)low.size,
                        (const char *)low.data);
    gs_slice key = gs_slice_of(between, (size_t)size);
    gs_cursor_seek(cursor, key);
    assert_true(cursor->valid && gs_slice_equal(cursor->entry.key, high));
    gs_cursor_prev(cursor);
    assert_true(cursor->valid && gs_slice_equal(cursor->entry.key, low));
    gs_cursor_seek_before(cursor, key);
    assert_true(cursor->valid && gs_slice_equal(cursor->entry.key, low));
    gs_cursor_next(cursor);
    assert_true(cursor->valid && gs_slice_equal(cursor->entry.key, high));
    gs_cursor_seek_before(cursor, high);
    assert_true(cursor->valid && gs_slice_equal(cursor->entry.key, low));
  }
  gs_cursor_seek(cursor, gs_slice_str("z"));
  assert_false(cursor->valid);
  gs_cursor_seek_before(cursor, gs_slice_str("a"));
  assert_false(cursor->valid);
  gs_cursor_seek_before(cursor, gs_slice_str("z"));
  assert_true(cursor->valid);
  gs_cursor_end(cursor);
  kit_close(b.store);
}

static void
test_a_table_that_cannot_be_read_ends_the_walk_with_its_error(void **state)
{
  (void)state;
  bench b;
  open_bench(&b);
  kit_close(b.store);
  b.store = kit_open(&b.options);
  b.run = atomic_load(&b.store->view)->version->runs[0];
  gs_cursor *cursor = cursor_of(&b, true);
  gs_cursor_first(cursor);
  assert_true(cursor->valid);
  sim_machine_fail(GS_SIM_OPEN, 1, 5);
  while (cursor->valid) {
    gs_cursor_next(cursor);
  }
  assert_int_equal(cursor->status, GS_IO);
  gs_cursor_first(cursor);
  assert_true(cursor->valid);
  assert_int_equal(cursor->status, GS_OK);
  gs_cursor_end(cursor);
  kit_close(b.store);
}

static void
test_a_cursor_gives_back_all_it_took(void **state)
{
  (void)state;
  bench b;
  open_bench(&b);
  kit_get(b.store, "k0001");
  for (int i = 0; i < 2; i++) {
    gs_cursor *cursor = cursor_of(&b, false);
    for (gs_cursor_first(cursor); cursor->valid; gs_cursor_next(cursor)) {
    }
    gs_cursor_end(cursor);
  }
  uint64_t before = gs_sim_allocated_bytes(sim_machine);
  gs_cursor *cursor = cursor_of(&b, false);
  gs_cursor_seek(cursor, gs_slice_str("k0060"));
  gs_cursor_end(cursor);
  assert_int_equal(gs_sim_allocated_bytes(sim_machine), before);
  kit_close(b.store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_walk_crosses_from_table_to_table_both_ways),
      KIT_TEST(test_seeks_between_two_tables_reach_their_neighbours),
      KIT_TEST(test_a_table_that_cannot_be_read_ends_the_walk_with_its_error),
      KIT_TEST(test_a_cursor_gives_back_all_it_took),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
