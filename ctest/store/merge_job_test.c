/*
 * Merges: what they read, drop, cut and write.
 */
#include "store_kit.h"

/* Runs of keys that overlap, newest values everywhere. */
static void
fill_runs(gs_store *store, int runs)
{
  for (int i = 0; i < runs; i++) {
    kit_fill(store, "k", i * 10, i * 10 + 40);
    KIT_OK(gs_flush(store, &kit_err));
  }
}

static void
test_a_merge_leaves_one_version_of_each_key(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  fill_runs(store, 3);
  KIT_OK(gs_compact(store, NULL, &kit_err));
  gs_stats stats = kit_stats(store);
  assert_int_equal(stats.run_count, 1);
  assert_int_equal(stats.entry_count, 61);
  assert_int_equal(stats.dropped_covered, 62);
  assert_true(stats.merge_bytes_read > stats.merge_bytes_written);
  kit_close(store);
}

static void
test_tombstones_go_at_the_bottom_and_only_there(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.has_policy = true;
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  kit_put(store, "b", "1");
  KIT_OK(gs_flush(store, &kit_err));
  kit_delete(store, "a");
  KIT_OK(gs_flush(store, &kit_err));
  kit_delete(store, "a");
  kit_put(store, "c", "1");
  KIT_OK(gs_flush(store, &kit_err));
  gs_shape *shape = NULL;
  KIT_OK(gs_shape_new(store, &shape, &kit_err));
  uint64_t inputs[2] = {kit_table(shape, 0, 0).id, kit_table(shape, 1, 0).id};
  gs_plan plan = {
      .op = GS_PLAN_MERGE,
      .target = GS_TARGET_INTO,
      .run_id = shape->runs[1].id,
      .level = -1,
      .inputs = inputs,
      .input_count = 2,
  };
  gs_shape_free(shape);
  KIT_OK(gs_submit(store, &plan, false, NULL, NULL, &kit_err));
  kit_work(store);
  assert_int_equal(kit_stats(store).tombstone_count, 1);
  assert_string_equal(kit_get(store, "a"), "(absent)");
  KIT_OK(gs_compact(store, NULL, &kit_err));
  assert_int_equal(kit_stats(store).tombstone_count, 0);
  assert_int_equal(kit_stats(store).entry_count, 2);
  assert_string_equal(kit_get(store, "a"), "(absent)");
  kit_close(store);
}

static void
test_a_merge_of_nothing_but_deleted_keys_leaves_no_run(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  KIT_OK(gs_flush(store, &kit_err));
  kit_delete(store, "a");
  KIT_OK(gs_compact(store, NULL, &kit_err));
  assert_int_equal(kit_stats(store).run_count, 0);
  assert_int_equal(kit_stats(store).table_count, 0);
  kit_close(store);
  store = kit_open(&options);
  assert_string_equal(kit_get(store, "a"), "(absent)");
  kit_close(store);
}

static void
test_expired_entries_go_and_still_hide_older_ones(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.has_policy = true;
  gs_store *store = kit_open(&options);
  gs_write_options soon = {.ttl_ms = 10, .has_ttl = true};
  kit_put(store, "a", "old");
  KIT_OK(gs_flush(store, &kit_err));
  KIT_OK(gs_put(store, gs_slice_str("a"), gs_slice_str("new"), &soon, NULL,
                &kit_err));
  gs_sim_advance_ms(sim_machine, 20);
  KIT_OK(gs_flush(store, &kit_err));
  assert_string_equal(kit_get(store, "a"), "(absent)");
  assert_int_equal(kit_stats(store).dropped_expired, 1);
  assert_int_equal(kit_stats(store).entry_count, 2);
  KIT_OK(gs_compact(store, NULL, &kit_err));
  assert_string_equal(kit_get(store, "a"), "(absent)");
  assert_int_equal(kit_stats(store).entry_count, 0);
  kit_close(store);
}

static void
test_output_tables_begin_at_the_cuts(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.has_policy = true;
  options.memtable_bytes = 65536;
  options.table_bytes = 65536;
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 100);
  KIT_OK(gs_flush(store, &kit_err));
  gs_shape *shape = NULL;
  KIT_OK(gs_shape_new(store, &shape, &kit_err));
  assert_int_equal(shape->runs[0].table_count, 1);
  gs_slice cuts[4] = {gs_slice_str("a"), gs_slice_str("k0020"),
                      gs_slice_str("k0050x"), gs_slice_str("z")};
  gs_plan plan = {
      .op = GS_PLAN_MERGE,
      .target = GS_TARGET_INTO,
      .run_id = shape->runs[0].id,
      .level = 3,
      .inputs = &(uint64_t){kit_table(shape, 0, 0).id},
      .input_count = 1,
      .cuts = cuts,
      .cut_count = 4,
  };
  KIT_OK(gs_submit(store, &plan, false, NULL, NULL, &kit_err));
  gs_shape_free(shape);
  kit_work(store);
  KIT_OK(gs_shape_new(store, &shape, &kit_err));
  assert_int_equal(shape->runs[0].table_count, 3);
  assert_int_equal(shape->runs[0].level, 3);
  assert_true(
      gs_slice_equal(kit_table(shape, 0, 1).min_key, gs_slice_str("k0020")));
  assert_true(
      gs_slice_equal(kit_table(shape, 0, 2).min_key, gs_slice_str("k0051")));
  gs_shape_free(shape);
  kit_close(store);
}

static void
test_a_damaged_input_fails_the_merge_and_is_left_alone_from_then_on(
    void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  fill_runs(store, 2);
  gs_shape *shape = NULL;
  KIT_OK(gs_shape_new(store, &shape, &kit_err));
  char path[64];
  snprintf(path, sizeof path, "/db/%06llu.sst",
           (unsigned long long)kit_table(shape, 0, 0).id);
  gs_shape_free(shape);
  kit_close(store);
  KIT_OK(gs_sim_flip(sim_machine, path, 9000, &kit_err));
  store = kit_open(&options);
  assert_int_equal(gs_compact(store, NULL, &kit_err), GS_CORRUPT);
  gs_status status = gs_compact(store, NULL, &kit_err);
  assert_true(status != GS_OK);
  assert_true(kit_has(store, "k", 0));
  assert_int_equal(kit_stats(store).merges, 0);
  kit_put(store, "z", "still writes");
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_merge_leaves_one_version_of_each_key),
      KIT_TEST(test_tombstones_go_at_the_bottom_and_only_there),
      KIT_TEST(test_a_merge_of_nothing_but_deleted_keys_leaves_no_run),
      KIT_TEST(test_expired_entries_go_and_still_hide_older_ones),
      KIT_TEST(test_output_tables_begin_at_the_cuts),
      KIT_TEST(
          test_a_damaged_input_fails_the_merge_and_is_left_alone_from_then_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
