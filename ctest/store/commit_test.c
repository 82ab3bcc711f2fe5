/*
 * The way of a write: log, memory, visibility, durability.
 */
#include "store_kit.h"

static void
test_sequences_rise_by_one_for_each_entry(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  for (uint64_t i = 1; i <= 300; i++) {
    assert_int_equal(kit_put(store, "k", "v"), i);
    assert_int_equal(gs_last_seq(store), i);
  }
  kit_close(store);
}

static void
test_a_sync_write_makes_everything_before_it_durable(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_OS;
  gs_store *store = kit_open(&options);
  gs_write_options sync = {.sync = true};
  kit_put(store, "a", "1");
  assert_int_equal(gs_durable_seq(store), 0);
  KIT_OK(gs_put(store, gs_slice_str("b"), gs_slice_str("2"), &sync, NULL,
                &kit_err));
  assert_int_equal(gs_durable_seq(store), 2);
  kit_put(store, "c", "3");
  assert_int_equal(gs_durable_seq(store), 2);
  KIT_OK(gs_sync(store, &kit_err));
  assert_int_equal(gs_durable_seq(store), 3);
  kit_put(store, "d", "4");
  KIT_OK(gs_flush(store, &kit_err));
  assert_int_equal(gs_durable_seq(store), 4);
  kit_close(store);
}

static void
test_without_a_log_a_sync_write_is_refused_before_anything_happens(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_MEMORY;
  gs_store *store = kit_open(&options);
  gs_write_options sync = {.sync = true};
  gs_commit_options commit = {
      .sync = true, .note = gs_slice_str("n"), .has_note = true};
  gs_slice key = gs_slice_str("a");
  gs_exchange exchange = {.value = &key};
  gs_put_if_result done;
  gs_value value;
  gs_write_batch *batch = NULL;
  gs_value_init(&value, store);
  assert_int_equal(gs_put(store, key, key, &sync, NULL, &kit_err),
                   GS_UNSUPPORTED);
  assert_non_null(strstr(kit_err.hint, "store:flush()"));
  assert_int_equal(gs_delete(store, key, &sync, NULL, &kit_err),
                   GS_UNSUPPORTED);
  assert_int_equal(gs_take(store, key, &sync, &value, &kit_err),
                   GS_UNSUPPORTED);
  assert_int_equal(
      gs_put_if(store, key, &exchange, &sync, &value, &done, &kit_err),
      GS_UNSUPPORTED);
  KIT_OK(gs_write_batch_new(store, &batch, &kit_err));
  KIT_OK(gs_write_batch_put(batch, key, key, NULL, &kit_err));
  assert_int_equal(gs_write_batch_commit(batch, &commit, NULL, NULL, &kit_err),
                   GS_UNSUPPORTED);
  assert_int_equal(gs_last_seq(store), 0);
  assert_int_equal(gs_get_note(store, &value, &kit_err), GS_ABSENT);
  commit.sync = false;
  KIT_OK(gs_write_batch_commit(batch, &commit, NULL, NULL, &kit_err));
  assert_int_equal(gs_last_seq(store), 1);
  gs_write_batch_free(batch);
  gs_value_deinit(&value);
  kit_close(store);
}

static void
test_a_write_that_cannot_be_synced_is_not_seen_and_ends_writing(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_SYNC;
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  sim_machine_fail(GS_SIM_SYNC, 1, 5);
  assert_int_equal(
      gs_put(store, gs_slice_str("a"), gs_slice_str("2"), NULL, NULL, &kit_err),
      GS_IO);
  assert_string_equal(kit_get(store, "a"), "1");
  assert_int_equal(
      gs_put(store, gs_slice_str("b"), gs_slice_str("3"), NULL, NULL, &kit_err),
      GS_IO);
  assert_int_equal(gs_sync(store, &kit_err), GS_IO);
  assert_int_equal(gs_flush(store, &kit_err), GS_IO);
  assert_string_equal(kit_get(store, "a"), "1");
  assert_int_equal(gs_durable_seq(store), 1);
  assert_int_equal(gs_close(store, &kit_err), GS_IO);
  store = kit_open(&options);
  assert_string_equal(kit_get(store, "b"), "(absent)");
  kit_put(store, "b", "4");
  kit_close(store);
}

static void
test_the_note_of_a_write_that_cannot_be_synced_is_not_seen_either(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_SYNC;
  gs_store *store = kit_open(&options);
  gs_write_batch *batch = NULL;
  gs_commit_options note = {.note = gs_slice_str("lost"), .has_note = true};
  gs_value value;
  kit_put(store, "a", "1");
  KIT_OK(gs_write_batch_new(store, &batch, &kit_err));
  KIT_OK(gs_write_batch_delete(batch, gs_slice_str("a"), &kit_err));
  sim_machine_fail(GS_SIM_SYNC, 1, 5);
  assert_int_equal(gs_write_batch_commit(batch, &note, NULL, NULL, &kit_err),
                   GS_IO);
  gs_value_init(&value, store);
  assert_int_equal(gs_get_note(store, &value, &kit_err), GS_ABSENT);
  assert_string_equal(kit_get(store, "a"), "1");
  gs_value_deinit(&value);
  gs_write_batch_free(batch);
  assert_int_equal(gs_close(store, &kit_err), GS_IO);
}

/* Without a thread of the log nobody else could keep the window. */
static void
test_in_batch_mode_a_write_beyond_the_window_syncs_those_before(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_BATCH;
  options.wal_batch_ms = 10;
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  uint64_t first = gs_durable_seq(store);
  kit_put(store, "b", "2");
  assert_true(gs_durable_seq(store) <= 1);
  gs_sim_advance_ms(sim_machine, 11);
  kit_put(store, "c", "3");
  assert_true(gs_durable_seq(store) >= 2);
  assert_true(first <= 1);
  kit_close(store);
}

static void
test_a_memtable_is_sealed_when_it_is_full(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_shape *shape = NULL;
  size_t sealed = 0;
  for (int i = 0; i < 400 && sealed == 0; i++) {
    kit_fill(store, "k", i, i);
    KIT_OK(gs_shape_new(store, &shape, &kit_err));
    sealed = shape->memtable.sealed_count;
    assert_true(shape->memtable.bytes <= 2 * options.memtable_bytes);
    gs_shape_free(shape);
  }
  assert_int_equal(sealed, 1);
  kit_close(store);
}

static void
test_a_store_without_a_log_keeps_what_was_flushed_or_closed(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_MEMORY;
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  KIT_OK(gs_sync(store, &kit_err));
  kit_put(store, "b", "2");
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  kit_close(store);
  store = kit_open(&options);
  assert_string_equal(kit_get(store, "b"), "2");
  assert_int_equal(kit_stats(store).wal_bytes_written, 0);
  kit_close(store);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  store = kit_open(&options);
  assert_string_equal(kit_get(store, "a"), "1");
  assert_string_equal(kit_get(store, "b"), "(absent)");
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_sequences_rise_by_one_for_each_entry),
      KIT_TEST(test_a_sync_write_makes_everything_before_it_durable),
      KIT_TEST(
          test_without_a_log_a_sync_write_is_refused_before_anything_happens),
      KIT_TEST(test_a_write_that_cannot_be_synced_is_not_seen_and_ends_writing),
      KIT_TEST(
          test_the_note_of_a_write_that_cannot_be_synced_is_not_seen_either),
      KIT_TEST(test_in_batch_mode_a_write_beyond_the_window_syncs_those_before),
      KIT_TEST(test_a_memtable_is_sealed_when_it_is_full),
      KIT_TEST(test_a_store_without_a_log_keeps_what_was_flushed_or_closed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
