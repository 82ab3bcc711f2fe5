/*
 * Tests of the table cursor: the battery of random moves over all shapes of
 * tables, in both manners of reading, and what it does when reads fail.
 */
#include <errno.h>

#include "sst/forge.h"
#include "support/cursor_battery.h"

static gs_cursor *
start(gs_table *table, bool fills_cache)
{
  gs_cursor *cursor = NULL;
  gs_error err;
  KIT_OK(gs_table_cursor_new(table, fills_cache, &cursor, &err), &err);
  return cursor;
}

static size_t taken; /* entries that came in groups */

static void
check_table(const gs_table_writer_options *options, const kit_entries *entries,
            uint64_t cache_bytes)
{
  kit_table kit;
  kit_table_make(&kit, sim_machine_env, options, entries);
  gs_cache_set_capacity(kit.cache, cache_bytes);
  cursor_battery battery = {.entries = entries->list,
                            .entry_count = entries->count,
                            .random = 1 + entries->count};
  for (int fills = 0; fills < 2; fills++) {
    gs_cursor *cursor = start(kit.table, fills == 1);
    cursor_battery_sweep(&battery, cursor);
    cursor_battery_run(&battery, cursor, 1500);
    gs_table_cursor_free(cursor);
  }
  kit_table_end(&kit);
  gs_error err;
  KIT_OK(gs_env_remove(sim_machine_env, options->path, &err), &err);
  taken += battery.taken;
}

static void
check_taste(const kit_taste *taste)
{
  kit_entries entries = kit_entries_random(taste);
  static const uint32_t sizes[] = {256, 4096};
  for (size_t i = 0; i < 2; i++) {
    gs_table_writer_options options = kit_options("/t");
    options.block_bytes = sizes[i];
    options.has_point_index = i == 0;
    check_table(&options, &entries, KIT_CACHE_BYTES);
    check_table(&options, &entries, 0);
  }
  kit_entries_free(&entries);
}

static void
test_moves_over_random_tables_show_what_an_array_shows(void **state)
{
  (void)state;
  for (uint64_t seed = 1; seed <= 10; seed++) {
    kit_taste taste = {.seed = seed,
                       .key_count = 1 + (size_t)(seed * 13 % 100),
                       .max_versions = 1 + (uint32_t)(seed % 4),
                       .max_value = seed % 3 == 0 ? 700 : 40,
                       .max_seq_jump = 5};
    check_taste(&taste);
  }
  assert_true(taken > 1000);
}

static void
test_moves_over_versions_in_many_blocks_show_what_an_array_shows(void **state)
{
  (void)state;
  kit_taste taste = {.seed = 31,
                     .key_count = 5,
                     .max_versions = 80,
                     .max_value = 60,
                     .max_seq_jump = 5};
  check_taste(&taste);
}

/* Larger than the window of a cursor that leaves the cache alone. */
static void
test_moves_over_a_large_table_show_what_an_array_shows(void **state)
{
  (void)state;
  kit_taste taste = {.seed = 32,
                     .key_count = 120,
                     .max_versions = 2,
                     .max_value = 8000,
                     .max_seq_jump = 5};
  check_taste(&taste);
}

static void
test_moves_over_huge_values_show_what_an_array_shows(void **state)
{
  (void)state;
  kit_taste taste = {.seed = 33,
                     .key_count = 8,
                     .max_versions = 2,
                     .max_value = 300000,
                     .max_seq_jump = 5};
  check_taste(&taste);
}

/* ---- one table for the rest ---------------------------------------------- */

static kit_entries entries;
static kit_table kit;

static int
make(void **state)
{
  sim_machine_set_up(state);
  kit_taste taste = {.seed = 34,
                     .key_count = 60,
                     .max_versions = 3,
                     .max_value = 60,
                     .max_seq_jump = 3};
  entries = kit_entries_random(&taste);
  gs_table_writer_options options = kit_options("/t");
  kit_table_make(&kit, sim_machine_env, &options, &entries);
  return 0;
}

static int
end(void **state)
{
  kit_table_end(&kit);
  kit_entries_free(&entries);
  return sim_machine_tear_down(state);
}

static void
test_the_block_stood_on_stays_while_the_cache_gives_up_all_others(void **state)
{
  (void)state;
  gs_cursor *cursor = start(kit.table, true);
  gs_cursor_first(cursor);
  gs_cache_set_capacity(kit.cache, 0);
  for (size_t i = 0; i < entries.count; i++) {
    gs_entry found;
    gs_error err;
    KIT_OK(kit_get(&kit, entries.list[i].key, GS_SEQ_MAX, &found, &err), &err);
  }
  gs_epoch_collect(kit.epoch);
  kit_assert_same(&cursor->entry, &entries.list[0]);
  gs_table_cursor_free(cursor);
}

static void
test_a_cursor_that_fills_no_cache_loads_nothing(void **state)
{
  (void)state;
  gs_cursor *cursor = start(kit.table, false);
  cursor_battery battery = {
      .entries = entries.list, .entry_count = entries.count, .random = 1};
  cursor_battery_sweep(&battery, cursor);
  gs_table_cursor_free(cursor);
  gs_cache_stats stats;
  gs_cache_get_stats(kit.cache, &stats);
  assert_int_equal(stats.loads, 0);
}

static size_t
walk(gs_cursor *cursor, bool is_back)
{
  size_t keys = 0;
  if (is_back) {
    gs_cursor_last(cursor);
  } else {
    gs_cursor_first(cursor);
  }
  for (; cursor->valid; keys++) {
    if (is_back) {
      gs_cursor_prev(cursor);
    } else {
      gs_cursor_next(cursor);
    }
  }
  assert_int_equal(cursor->status, GS_OK);
  return keys;
}

/* Blocks that the walk brings into the cache. */
static uint64_t
loads_of_a_walk(bool is_back)
{
  gs_cache_stats before;
  gs_cache_stats after;
  gs_cursor *cursor = start(kit.table, true);
  gs_cache_get_stats(kit.cache, &before);
  assert_int_equal(walk(cursor, is_back),
                   gs_table_get_meta(kit.table)->key_count);
  gs_cache_get_stats(kit.cache, &after);
  gs_table_cursor_free(cursor);
  return after.loads - before.loads;
}

static void
test_a_long_walk_fills_the_cache_as_far_as_it_has_room(void **state)
{
  (void)state;
  assert_in_range(loads_of_a_walk(false), 20, UINT32_MAX);
  assert_int_equal(loads_of_a_walk(false), 0);
  assert_int_equal(loads_of_a_walk(true), 0);
}

static void
test_a_long_walk_pushes_little_out_of_a_full_cache(void **state)
{
  (void)state;
  gs_cache_set_capacity(kit.cache, 0);
  assert_in_range(loads_of_a_walk(false), 1, 10);
}

static void
test_a_long_walk_back_pushes_little_out_of_a_full_cache(void **state)
{
  (void)state;
  gs_cache_set_capacity(kit.cache, 0);
  assert_in_range(loads_of_a_walk(true), 1, 10);
}

static void
test_a_cursor_keeps_its_table_open(void **state)
{
  (void)state;
  gs_cursor *cursor = start(kit.table, true);
  gs_table_unref(kit.table);
  kit.table = NULL;
  gs_cursor_first(cursor);
  assert_true(cursor->valid);
  kit_assert_same(&cursor->entry, &entries.list[0]);
  gs_table_cursor_free(cursor);
}

static void
test_a_cursor_may_be_ended_twice_before_it_is_freed(void **state)
{
  (void)state;
  gs_cursor *cursor = start(kit.table, true);
  gs_cursor_last(cursor);
  gs_cursor_end(cursor);
  assert_false(cursor->valid);
  gs_cursor_end(cursor);
  gs_table_cursor_free(cursor);
  gs_table_cursor_free(NULL);
}

/* Walks until the failure, which must come as the status wanted. */
static void
assert_walk_fails(gs_cursor *cursor, gs_status wanted)
{
  static gs_error err;
  err.status = GS_OK;
  cursor->error = &err;
  for (gs_cursor_first(cursor); cursor->valid; gs_cursor_next(cursor)) {
    while (gs_cursor_older(cursor)) {
    }
    if (!cursor->valid) {
      break;
    }
  }
  assert_int_equal(cursor->status, wanted);
  assert_int_equal(err.status, wanted);
  cursor->error = NULL;
}

/* The nth read and the next one, with which a window tries the block alone. */
static void
fail_reads(uint64_t nth)
{
  gs_error err;
  gs_sim_fault fault = {
      .op = GS_SIM_READ, .nth = nth, .times = 2, .os_errno = EIO};
  KIT_OK(gs_sim_fail(sim_machine, &fault, &err), &err);
}

static void
test_a_failed_move_leaves_the_cursor_nowhere_until_a_seek(void **state)
{
  (void)state;
  cursor_battery battery = {
      .entries = entries.list, .entry_count = entries.count, .random = 1};
  gs_cache_set_capacity(kit.cache, 0);
  for (int fills = 0; fills < 2; fills++) {
    for (uint64_t nth = 1; nth < 10; nth++) {
      if (fills == 0 && nth > 1) {
        break; /* the whole table fits one window */
      }
      gs_cursor *cursor = start(kit.table, fills == 1);
      fail_reads(nth);
      assert_walk_fails(cursor, GS_IO);
      gs_sim_heal(sim_machine);
      cursor_battery_sweep(&battery, cursor);
      gs_table_cursor_free(cursor);
    }
  }
}

static void
test_a_move_without_memory_fails_alike(void **state)
{
  (void)state;
  gs_cache_set_capacity(kit.cache, 0);
  for (int fills = 0; fills < 2; fills++) {
    gs_cursor *cursor = start(kit.table, fills == 1);
    gs_sim_fail_alloc(sim_machine, 1, 1);
    assert_walk_fails(cursor, GS_NOMEM);
    gs_cursor_last(cursor);
    assert_true(cursor->valid);
    gs_table_cursor_free(cursor);
  }
  gs_cursor *cursor = NULL;
  gs_sim_fail_alloc(sim_machine, 1, 1);
  assert_int_equal(gs_table_cursor_new(kit.table, true, &cursor, NULL),
                   GS_NOMEM);
  assert_null(cursor);
}

static void
test_a_damaged_block_stops_the_walk_with_its_place(void **state)
{
  (void)state;
  gs_error err;
  KIT_OK(gs_env_remove(sim_machine_env, "/t", &err), &err);
  forge made;
  forge_start(&made, "/t", &entries, true);
  uint32_t broken = made.fences.count / 2;
  uint64_t offset = made.fences.list[broken].offset;
  made.bytes.data[offset + 30] ^= 1;
  forge_replace(&made, "/t");
  kit_table other;
  kit_table_start(&other, sim_machine_env, KIT_CACHE_BYTES);
  other.meta = made.meta;
  KIT_OK(kit_table_open(&other, "/t", &err), &err);
  for (int fills = 0; fills < 2; fills++) {
    gs_cursor *cursor = start(other.table, fills == 1);
    err.offset = 0;
    cursor->error = &err;
    size_t count = 0;
    for (gs_cursor_first(cursor); cursor->valid; gs_cursor_next(cursor)) {
      count++;
    }
    assert_int_equal(cursor->status, GS_CORRUPT);
    assert_int_equal(err.offset, offset);
    assert_string_equal(err.path, "/t");
    assert_in_range(count, 5, made.meta.key_count - 5);
    for (gs_cursor_last(cursor); cursor->valid; gs_cursor_prev(cursor)) {
      count++;
    }
    assert_int_equal(cursor->status, GS_CORRUPT);
    assert_in_range(count, made.meta.key_count / 2, made.meta.key_count - 1);
    gs_table_cursor_free(cursor);
  }
  kit_table_end(&other);
  forge_end(&made);
}

#define ON_SIM(test)                                        \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)
#define WITH_TABLE(test) cmocka_unit_test_setup_teardown(test, make, end)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ON_SIM(test_moves_over_random_tables_show_what_an_array_shows),
      ON_SIM(test_moves_over_versions_in_many_blocks_show_what_an_array_shows),
      ON_SIM(test_moves_over_a_large_table_show_what_an_array_shows),
      ON_SIM(test_moves_over_huge_values_show_what_an_array_shows),
      WITH_TABLE(
          test_the_block_stood_on_stays_while_the_cache_gives_up_all_others),
      WITH_TABLE(test_a_cursor_that_fills_no_cache_loads_nothing),
      WITH_TABLE(test_a_long_walk_fills_the_cache_as_far_as_it_has_room),
      WITH_TABLE(test_a_long_walk_pushes_little_out_of_a_full_cache),
      WITH_TABLE(test_a_long_walk_back_pushes_little_out_of_a_full_cache),
      WITH_TABLE(test_a_cursor_keeps_its_table_open),
      WITH_TABLE(test_a_cursor_may_be_ended_twice_before_it_is_freed),
      WITH_TABLE(test_a_failed_move_leaves_the_cursor_nowhere_until_a_seek),
      WITH_TABLE(test_a_move_without_memory_fails_alike),
      WITH_TABLE(test_a_damaged_block_stops_the_walk_with_its_place),
  };
  int failed = 0;
  for (int codec = 0; codec < GS_CODECS; codec++) {
    kit_codec = (gs_codec)codec;
    failed += cmocka_run_group_tests(tests, NULL, NULL);
  }
  return failed;
}
