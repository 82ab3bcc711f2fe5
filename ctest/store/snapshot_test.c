/*
 * Snapshots: what they hold back in flushes and merges, and what they do not.
 */
#include "store_kit.h"

#include "store/store.h"

static gs_snapshot *
take(gs_store *store)
{
  gs_snapshot *snapshot = NULL;
  KIT_OK(gs_snapshot_new(store, &snapshot, &kit_err));
  return snapshot;
}

static void
test_a_snapshot_sees_its_moment_through_flush_and_merge(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_snapshot *snapshots[4];
  snapshots[0] = take(store);
  kit_put(store, "a", "1");
  snapshots[1] = take(store);
  kit_put(store, "a", "2");
  KIT_OK(gs_flush(store, &kit_err));
  snapshots[2] = take(store);
  kit_delete(store, "a");
  snapshots[3] = take(store);
  kit_put(store, "a", "4");
  for (int i = 0; i < 2; i++) {
    assert_string_equal(kit_get_at(store, snapshots[0], "a"), "(absent)");
    assert_string_equal(kit_get_at(store, snapshots[1], "a"), "1");
    assert_string_equal(kit_get_at(store, snapshots[2], "a"), "2");
    assert_string_equal(kit_get_at(store, snapshots[3], "a"), "(absent)");
    assert_string_equal(kit_get(store, "a"), "4");
    KIT_OK(gs_compact(store, NULL, &kit_err));
  }
  for (size_t i = 0; i < 4; i++) {
    gs_snapshot_free(snapshots[i]);
  }
  KIT_OK(gs_compact(store, NULL, &kit_err));
  assert_int_equal(kit_stats(store).entry_count, 1);
  kit_close(store);
}

static void
test_versions_that_only_a_freed_snapshot_saw_are_left_out(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  gs_snapshot *first = take(store);
  kit_put(store, "a", "2");
  gs_snapshot *second = take(store);
  kit_put(store, "a", "3");
  KIT_OK(gs_compact(store, NULL, &kit_err));
  assert_int_equal(kit_stats(store).entry_count, 3);
  gs_snapshot_free(first);
  KIT_OK(gs_compact(store, NULL, &kit_err));
  assert_int_equal(kit_stats(store).entry_count, 2);
  assert_string_equal(kit_get_at(store, second, "a"), "2");
  gs_snapshot_free(second);
  kit_close(store);
}

static void
test_an_entry_stays_for_the_snapshot_that_saw_it_alive(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_write_options soon = {.ttl_ms = 100, .has_ttl = true};
  KIT_OK(gs_put(store, gs_slice_str("a"), gs_slice_str("1"), &soon, NULL,
                &kit_err));
  gs_snapshot *before = take(store);
  gs_sim_advance_ms(sim_machine, 200);
  gs_snapshot *after = take(store);
  KIT_OK(gs_compact(store, NULL, &kit_err));
  assert_string_equal(kit_get_at(store, before, "a"), "1");
  assert_string_equal(kit_get_at(store, after, "a"), "(absent)");
  assert_string_equal(kit_get(store, "a"), "(absent)");
  gs_snapshot_free(before);
  KIT_OK(gs_compact(store, NULL, &kit_err));
  assert_int_equal(kit_stats(store).entry_count, 0);
  gs_snapshot_free(after);
  kit_close(store);
}

static void
test_snapshots_of_one_sequence_are_one_point_with_the_earliest_clock(
    void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  gs_snapshot *snapshots[3];
  for (size_t i = 0; i < 3; i++) {
    snapshots[i] = take(store);
    gs_sim_advance_ms(sim_machine, 10);
  }
  gs_snapshot_point *points = NULL;
  size_t count = 0;
  KIT_OK(gs_store_list_snapshots(store, &points, &count, &kit_err));
  assert_int_equal(count, 1);
  assert_int_equal(points[0].seq, 1);
  assert_int_equal(points[0].clock_ms, gs_snapshot_clock_ms(snapshots[0]));
  gs_alloc_free(store->alloc, points, count * sizeof *points);
  gs_snapshot_free(snapshots[1]);
  gs_snapshot_free(snapshots[0]);
  gs_snapshot_free(snapshots[2]);
  assert_int_equal(kit_stats(store).snapshot_count, 0);
  kit_close(store);
}

/* ---- a snapshot between two looks of a job --------------------------------- */

/* The machine's clock, with something that happens at one of its readings. */
static const gs_env_ops *plain_ops;
static gs_store *hooked_store;
static gs_snapshot *hooked_snapshot;
static unsigned readings_left; /* 0: nothing happens any more */

static uint64_t
hooked_wall_ms(gs_env *env)
{
  if (readings_left > 0 && --readings_left == 0) {
    hooked_snapshot = take(hooked_store);
    gs_sim_advance_ms(sim_machine, 500);
  }
  return plain_ops->wall_ms(env);
}

/* One entry that expires in 100 ms; at the nth reading of the clock within its
 * flush or merge a snapshot is taken and half a second passes. */
static void
cross_a_job(gs_store *store, unsigned reading, bool is_merge)
{
  gs_write_options soon = {.ttl_ms = 100, .has_ttl = true};
  KIT_OK(gs_put(store, gs_slice_str("a"), gs_slice_str("1"), &soon, NULL,
                &kit_err));
  if (is_merge) {
    KIT_OK(gs_flush(store, &kit_err));
  }
  hooked_store = store;
  hooked_snapshot = NULL;
  readings_left = reading;
  KIT_OK(is_merge ? gs_compact(store, NULL, &kit_err)
                  : gs_flush(store, &kit_err));
  readings_left = 0;
  if (hooked_snapshot != NULL) {
    assert_string_equal(kit_get_at(store, hooked_snapshot, "a"), "1");
    gs_snapshot_free(hooked_snapshot);
  }
}

static void
test_a_snapshot_taken_while_a_job_begins_keeps_what_it_saw(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_env_ops ops = *sim_machine_env->ops;
  plain_ops = sim_machine_env->ops;
  ops.wall_ms = hooked_wall_ms;
  sim_machine_env->ops = &ops;
  gs_store *store = kit_open(&options);
  size_t met = 0;
  for (unsigned reading = 1; reading <= 12; reading++) {
    for (int is_merge = 0; is_merge < 2; is_merge++) {
      cross_a_job(store, reading, is_merge == 1);
      met += hooked_snapshot != NULL;
    }
  }
  assert_true(met >= 6);
  kit_close(store);
  sim_machine_env->ops = plain_ops;
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_snapshot_sees_its_moment_through_flush_and_merge),
      KIT_TEST(test_versions_that_only_a_freed_snapshot_saw_are_left_out),
      KIT_TEST(test_an_entry_stays_for_the_snapshot_that_saw_it_alive),
      KIT_TEST(
          test_snapshots_of_one_sequence_are_one_point_with_the_earliest_clock),
      KIT_TEST(test_a_snapshot_taken_while_a_job_begins_keeps_what_it_saw),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
