/*
 * The tree as a policy sees it.
 */
#include "store_kit.h"

static void
test_a_shape_tells_runs_tables_and_their_figures(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.has_policy = true;
  gs_store *store = kit_open(&options);
  gs_write_options soon = {.expires_at_ms = gs_now_ms(store) + 5000};
  kit_fill(store, "a", 1, 20);
  KIT_OK(gs_flush(store, &kit_err));
  kit_delete(store, "a0007");
  KIT_OK(gs_put(store, gs_slice_str("b"), gs_slice_str("1"), &soon, NULL,
                &kit_err));
  KIT_OK(gs_flush(store, &kit_err));
  kit_put(store, "m", "1");
  gs_shape *shape = NULL;
  KIT_OK(gs_shape_new(store, &shape, &kit_err));
  assert_int_equal(shape->run_count, 2);
  const gs_shape_run *newest = &shape->runs[0];
  gs_shape_table table = kit_table(shape, 0, 0);
  assert_int_equal(newest->entry_count, 2);
  assert_int_equal(newest->tombstone_count, 1);
  assert_int_equal(newest->expiring_count, 1);
  assert_true(gs_slice_equal(table.min_key, gs_slice_str("a0007")));
  assert_true(gs_slice_equal(table.max_key, gs_slice_str("b")));
  assert_int_equal(table.min_seq, 21);
  assert_int_equal(table.max_seq, 22);
  assert_int_equal(table.max_expiry_ms, soon.expires_at_ms);
  assert_true(table.oldest_tombstone_ms > 0);
  assert_int_equal(shape->runs[1].entry_count, 20);
  assert_int_equal(shape->memtable.entry_count, 1);
  assert_true(shape->write_amp > 0.9);
  assert_true(shape->space_amp >= 1.0);
  assert_string_equal(shape->reason, "flush");
  assert_int_equal(shape->disk_used_bytes,
                   newest->bytes + shape->runs[1].bytes + shape->wal_bytes);
  gs_shape_free(shape);
  gs_shape_free(NULL);
  kit_close(store);
}

static void
test_a_change_of_the_tree_asks_for_a_decision_until_it_is_looked_at(
    void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.has_policy = true;
  gs_store *store = kit_open(&options);
  gs_shape *shape = NULL;
  KIT_OK(gs_shape_new(store, &shape, &kit_err));
  uint64_t version = shape->version;
  gs_shape_free(shape);
  assert_false(gs_wants_decision(store));
  kit_put(store, "a", "1");
  assert_false(gs_wants_decision(store));
  KIT_OK(gs_flush(store, &kit_err));
  assert_true(gs_wants_decision(store));
  KIT_OK(gs_shape_new(store, &shape, &kit_err));
  assert_false(gs_wants_decision(store));
  assert_true(shape->version > version);
  gs_shape_free(shape);
  kit_close(store);
}

static void
test_the_oldest_snapshot_and_its_age_are_told(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_snapshot *snapshot = NULL;
  kit_put(store, "a", "1");
  KIT_OK(gs_snapshot_new(store, &snapshot, &kit_err));
  kit_put(store, "a", "2");
  gs_sim_advance_ms(sim_machine, 300);
  gs_shape *shape = NULL;
  KIT_OK(gs_shape_new(store, &shape, &kit_err));
  assert_int_equal(shape->oldest_view_seq, 1);
  assert_int_equal(shape->oldest_view_age_ms, 300);
  gs_shape_free(shape);
  gs_snapshot_free(snapshot);
  KIT_OK(gs_shape_new(store, &shape, &kit_err));
  assert_int_equal(shape->oldest_view_seq, 0);
  gs_shape_free(shape);
  kit_close(store);
}

static void
test_a_shape_keeps_its_key_bounds_when_the_tables_go(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "a", 1, 20);
  KIT_OK(gs_flush(store, &kit_err));
  gs_shape *shape = NULL;
  KIT_OK(gs_shape_new(store, &shape, &kit_err));
  kit_fill(store, "a", 1, 20);
  KIT_OK(gs_compact(store, NULL, &kit_err));
  assert_true(
      gs_slice_equal(kit_table(shape, 0, 0).min_key, gs_slice_str("a0001")));
  gs_shape_free(shape);
  kit_close(store);
}

static void
test_looking_leaves_the_question_and_decisions_measure_rates(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.has_policy = true;
  gs_store *store = kit_open(&options);
  gs_shape *shape = NULL;
  kit_fill(store, "a", 1, 20);
  KIT_OK(gs_flush(store, &kit_err));
  KIT_OK(gs_shape_look(store, &shape, &kit_err));
  gs_shape_free(shape);
  assert_true(gs_wants_decision(store));
  KIT_OK(gs_shape_new(store, &shape, &kit_err));
  assert_false(gs_wants_decision(store));
  assert_true(shape->user_rate == 0.0);
  assert_true(shape->read_amp == 1.0);
  gs_shape_free(shape);
  uint64_t before = kit_stats(store).user_bytes_written;
  kit_fill(store, "a", 1, 20);
  KIT_OK(gs_flush(store, &kit_err));
  uint64_t bytes = kit_stats(store).user_bytes_written - before;
  gs_sim_advance_ms(sim_machine, 2000);
  KIT_OK(gs_shape_new(store, &shape, &kit_err));
  assert_true(shape->user_rate > (double)bytes / 2.1 &&
              shape->user_rate < (double)bytes / 1.9);
  assert_true(shape->flush_rate > 0.0);
  assert_true(shape->merge_rate == 0.0);
  assert_true(shape->read_amp == 1.5);
  gs_shape_free(shape);
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_shape_tells_runs_tables_and_their_figures),
      KIT_TEST(
          test_a_change_of_the_tree_asks_for_a_decision_until_it_is_looked_at),
      KIT_TEST(test_looking_leaves_the_question_and_decisions_measure_rates),
      KIT_TEST(test_the_oldest_snapshot_and_its_age_are_told),
      KIT_TEST(test_a_shape_keeps_its_key_bounds_when_the_tables_go),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
