/*
 * Counters say what happened since the store was opened.
 */
#include "store_kit.h"

static void
test_every_kind_of_work_is_counted(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_SYNC;
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "123");
  kit_delete(store, "a");
  gs_write_batch *batch = NULL;
  KIT_OK(gs_write_batch_new(store, &batch, &kit_err));
  KIT_OK(gs_write_batch_put(batch, gs_slice_str("b"), gs_slice_str("1"), NULL,
                            &kit_err));
  KIT_OK(gs_write_batch_commit(batch, NULL, NULL, NULL, &kit_err));
  gs_write_batch_free(batch);
  gs_scan *scan = NULL;
  KIT_OK(gs_scan_new(store, NULL, NULL, &scan, &kit_err));
  gs_scan_free(scan);
  KIT_OK(gs_flush(store, &kit_err));
  KIT_OK(gs_compact(store, NULL, &kit_err));
  gs_stats stats = kit_stats(store);
  assert_int_equal(stats.puts, 2);
  assert_int_equal(stats.deletes, 1);
  assert_int_equal(stats.batches, 1);
  assert_int_equal(stats.commits, 3);
  assert_int_equal(stats.scans, 1);
  assert_int_equal(stats.user_bytes_written, 7);
  assert_int_equal(stats.flushes, 1);
  assert_int_equal(stats.wal_syncs, 3);
  assert_int_equal(stats.sync_waits, 3);
  assert_int_equal(stats.entry_count, 1);
  assert_int_equal(stats.run_count, 1);
  assert_string_equal(stats.stall_reason, "");
  kit_close(store);
}

static void
test_counters_begin_again_with_an_open_and_tell_what_was_recovered(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  for (int i = 0; i < 5; i++) {
    kit_put(store, "a", "1");
  }
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  kit_close(store);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  store = kit_open(&options);
  gs_stats stats = kit_stats(store);
  assert_int_equal(stats.puts, 0);
  assert_int_equal(stats.recovered_batches, 5);
  assert_int_equal(stats.recovered_torn_bytes, 0);
  assert_int_equal(stats.entry_count, 1);
  kit_close(store);
}

static void
test_memory_and_disk_are_told_as_they_are_now(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 50);
  gs_stats before = kit_stats(store);
  assert_true(before.memtable_bytes > 50 * 110);
  assert_true(before.wal_bytes > 50 * 110);
  KIT_OK(gs_flush(store, &kit_err));
  for (int i = 1; i <= 50; i++) {
    assert_true(kit_has(store, "k", i));
  }
  gs_stats after = kit_stats(store);
  assert_true(after.memtable_bytes < before.memtable_bytes);
  assert_int_equal(after.levels[0].bytes, after.table_bytes);
  assert_true(after.levels[0].data_bytes > 50 * 100);
  assert_int_equal(after.levels[1].bytes, 0);
  assert_true(after.cache_bytes > 0);
  assert_true(after.cache_bytes <= after.cache_capacity_bytes);
  assert_true(after.cache_loads > 0);
  assert_true(after.index_bytes > 0);
  assert_true(after.table_bytes > 50 * 110);
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_every_kind_of_work_is_counted),
      KIT_TEST(
          test_counters_begin_again_with_an_open_and_tell_what_was_recovered),
      KIT_TEST(test_memory_and_disk_are_told_as_they_are_now),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
