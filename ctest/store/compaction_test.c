/*
 * Moves and drops, and plans that the tree outran.
 */
#include "store_kit.h"

#include "store/compaction.h"

/* Runs of keys that overlap, newest values everywhere. */
static void
fill_runs(gs_store *store, int runs)
{
  for (int i = 0; i < runs; i++) {
    kit_fill(store, "k", i * 10, i * 10 + 40);
    KIT_OK(gs_flush(store, &kit_err));
  }
}

static gs_shape *
shape_of(gs_store *store)
{
  gs_shape *shape = NULL;
  KIT_OK(gs_shape_new(store, &shape, &kit_err));
  return shape;
}

static void
test_a_move_changes_the_place_and_not_the_table(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.has_policy = true;
  gs_store *store = kit_open(&options);
  kit_fill(store, "a", 1, 10);
  KIT_OK(gs_flush(store, &kit_err));
  kit_fill(store, "m", 1, 10);
  KIT_OK(gs_flush(store, &kit_err));
  gs_shape *shape = shape_of(store);
  uint64_t table = kit_table(shape, 0, 0).id;
  gs_plan plan = {
      .op = GS_PLAN_MOVE,
      .target = GS_TARGET_INTO,
      .run_id = shape->runs[1].id,
      .level = 2,
      .inputs = &table,
      .input_count = 1,
  };
  KIT_OK(gs_submit(store, &plan, false, NULL, NULL, &kit_err));
  gs_shape_free(shape);
  kit_work(store);
  shape = shape_of(store);
  assert_int_equal(shape->run_count, 1);
  assert_int_equal(shape->runs[0].level, 2);
  assert_int_equal(kit_table(shape, 0, 1).id, table);
  gs_shape_free(shape);
  assert_int_equal(kit_stats(store).moves, 1);
  assert_int_equal(kit_stats(store).merge_bytes_written, 0);
  kit_close(store);
  store = kit_open(&options);
  assert_true(kit_has(store, "a", 10) && kit_has(store, "m", 10));
  KIT_OK(gs_verify(store, &kit_err));
  kit_close(store);
}

static gs_plan
drop_of(const uint64_t *table)
{
  return (gs_plan){
      .op = GS_PLAN_DROP,
      .target = GS_TARGET_NONE,
      .level = -1,
      .inputs = table,
      .input_count = 1,
  };
}

static void
test_a_table_of_expired_entries_can_be_dropped_unless_a_snapshot_sees_them(
    void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.has_policy = true;
  options.default_ttl_ms = 100;
  gs_store *store = kit_open(&options);
  kit_fill(store, "a", 1, 10);
  KIT_OK(gs_flush(store, &kit_err));
  gs_shape *shape = shape_of(store);
  gs_plan plan = drop_of(&(uint64_t){kit_table(shape, 0, 0).id});
  gs_snapshot *snapshot = NULL;
  KIT_OK(gs_snapshot_new(store, &snapshot, &kit_err));
  assert_int_equal(gs_submit(store, &plan, true, NULL, NULL, &kit_err),
                   GS_REFUSED);
  gs_sim_advance_ms(sim_machine, 200);
  assert_true(gs_now_ms(store) > 0);
  assert_int_equal(gs_submit(store, &plan, true, NULL, NULL, &kit_err),
                   GS_REFUSED);
  assert_true(strncmp(kit_get_at(store, snapshot, "a0001"), "a0001", 5) == 0);
  gs_snapshot_free(snapshot);
  KIT_OK(gs_submit(store, &plan, false, NULL, NULL, &kit_err));
  gs_shape_free(shape);
  kit_work(store);
  assert_int_equal(kit_stats(store).drops, 1);
  assert_int_equal(kit_stats(store).run_count, 0);
  assert_string_equal(kit_get(store, "a0001"), "(absent)");
  kit_close(store);
}

static void
test_where_loss_is_allowed_a_plan_may_drop_what_lives_but_not_hide_less(
    void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.has_policy = true;
  gs_store *store = kit_open(&options);
  fill_runs(store, 2);
  kit_fill(store, "z", 1, 10);
  KIT_OK(gs_flush(store, &kit_err));
  gs_shape *shape = shape_of(store);
  gs_plan newest = drop_of(&(uint64_t){kit_table(shape, 0, 0).id});
  assert_int_equal(gs_submit(store, &newest, true, NULL, NULL, &kit_err),
                   GS_REFUSED);
  gs_shape_free(shape);
  kit_close(store);
  options.may_lose = true;
  store = kit_open(&options);
  shape = shape_of(store);
  newest = drop_of(&(uint64_t){kit_table(shape, 0, 0).id});
  gs_plan covering = drop_of(&(uint64_t){kit_table(shape, 1, 0).id});
  gs_snapshot *snapshot = NULL;
  KIT_OK(gs_snapshot_new(store, &snapshot, &kit_err));
  assert_int_equal(gs_submit(store, &newest, true, NULL, NULL, &kit_err),
                   GS_REFUSED);
  gs_snapshot_free(snapshot);
  KIT_OK(gs_submit(store, &newest, false, NULL, NULL, &kit_err));
  gs_refusal refusal;
  assert_int_equal(gs_submit(store, &covering, true, NULL, &refusal, &kit_err),
                   GS_REFUSED);
  assert_int_equal(refusal.code, GS_REFUSAL_PATH_BLOCKED);
  gs_shape_free(shape);
  kit_work(store);
  assert_string_equal(kit_get(store, "z0001"), "(absent)");
  assert_true(kit_has(store, "k", 50));
  kit_close(store);
  options.may_lose = false; /* it is asked for at each opening */
  store = kit_open(&options);
  shape = shape_of(store);
  gs_plan oldest = drop_of(&(uint64_t){kit_table(shape, 1, 0).id});
  assert_int_equal(gs_submit(store, &oldest, true, NULL, NULL, &kit_err),
                   GS_REFUSED);
  gs_shape_free(shape);
  kit_close(store);
}

static void
test_a_dropped_tables_file_goes_when_nobody_reads_it(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  fill_runs(store, 2);
  gs_shape *shape = shape_of(store);
  char path[64];
  snprintf(path, sizeof path, "/db/%06llu.sst",
           (unsigned long long)kit_table(shape, 0, 0).id);
  gs_shape_free(shape);
  gs_scan *scan = NULL;
  KIT_OK(gs_scan_new(store, NULL, NULL, &scan, &kit_err));
  gs_file_info info;
  KIT_OK(gs_compact(store, NULL, &kit_err));
  KIT_OK(gs_env_stat(sim_machine_env, path, &info, &kit_err));
  KIT_OK(gs_scan_first(scan, &kit_err));
  gs_scan_free(scan);
  gs_epoch_collect(store->epoch);
  assert_int_equal(gs_env_stat(sim_machine_env, path, &info, NULL), GS_MISSING);
  kit_close(store);
}

static void
test_the_limits_follow_the_snapshots(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_plan_limits limits;
  gs_compaction_limits(store, &limits);
  assert_int_equal(limits.oldest_snapshot_seq, UINT64_MAX);
  kit_put(store, "a", "1");
  gs_snapshot *first = NULL;
  gs_snapshot *second = NULL;
  KIT_OK(gs_snapshot_new(store, &first, &kit_err));
  kit_put(store, "a", "2");
  KIT_OK(gs_snapshot_new(store, &second, &kit_err));
  gs_compaction_limits(store, &limits);
  assert_int_equal(limits.oldest_snapshot_seq, 1);
  gs_snapshot_free(first);
  gs_compaction_limits(store, &limits);
  assert_int_equal(limits.oldest_snapshot_seq, 2);
  gs_snapshot_free(second);
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_move_changes_the_place_and_not_the_table),
      KIT_TEST(
          test_a_table_of_expired_entries_can_be_dropped_unless_a_snapshot_sees_them),
      KIT_TEST(
          test_where_loss_is_allowed_a_plan_may_drop_what_lives_but_not_hide_less),
      KIT_TEST(test_a_dropped_tables_file_goes_when_nobody_reads_it),
      KIT_TEST(test_the_limits_follow_the_snapshots),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
