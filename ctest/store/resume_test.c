/*
 * Resuming: what a store keeps, and what it gives up for good, when its log or
 * manifest failed and it goes on in new files.
 */
#include "store_kit.h"

#include <errno.h>
#include <stdlib.h>

static gs_options
sync_options(void)
{
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_SYNC;
  return options;
}

static void
fail_log(gs_sim_op op)
{
  gs_sim_fault fault = {
      .op = op, .path = "*.wal", .nth = 1, .times = 1, .os_errno = EIO};
  KIT_OK(gs_sim_fail(sim_machine, &fault, &kit_err));
}

static gs_status
try_put(gs_store *store, const char *key, const char *value)
{
  return gs_put(store, gs_slice_str(key), gs_slice_str(value), NULL, NULL,
                &kit_err);
}

/* The store takes no more writes; "doubt" is the one that nobody knows of. */
static void
break_store(gs_store *store, gs_sim_op op)
{
  fail_log(op);
  assert_int_equal(try_put(store, "doubt", "?"), GS_IO);
  assert_true(kit_err.is_doubtful);
  assert_int_equal(try_put(store, "refused", "?"), GS_IO);
  assert_false(kit_err.is_doubtful);
}

static void
check_sound(gs_store *store, int last)
{
  for (int i = 1; i <= last; i++) {
    assert_true(kit_has(store, "k", i));
  }
  assert_string_equal(kit_get(store, "doubt"), "(absent)");
  assert_string_equal(kit_get(store, "refused"), "(absent)");
  KIT_OK(gs_verify(store, &kit_err));
}

/* The same after a crash now, and after an orderly close. */
static void
check_after_all(gs_store *store, gs_options *options, int last)
{
  static const gs_crash_model models[] = {GS_CRASH_SYNCED, GS_CRASH_KILL};
  for (size_t i = 0; i < 2; i++) {
    gs_sim *copy = gs_sim_crash(sim_machine, models[i], 0);
    gs_options there = *options;
    gs_store *again = NULL;
    there.env = gs_sim_env(copy);
    KIT_OK(gs_open("/db", &there, &again, &kit_err));
    check_sound(again, last);
    kit_close(again);
    gs_sim_free(copy);
  }
  kit_close(store);
  store = kit_open(options);
  check_sound(store, last);
  kit_close(store);
}

static void
test_a_doubtful_write_is_gone_after_a_resume_and_all_others_stay(void **state)
{
  (void)state;
  static const gs_sim_op ops[] = {GS_SIM_SYNC, GS_SIM_WRITE};
  for (size_t i = 0; i < 2; i++) {
    gs_options options = sync_options();
    gs_store *store = kit_open(&options);
    kit_fill(store, "k", 1, 20);
    break_store(store, ops[i]);
    check_sound(store, 20);
    KIT_OK(gs_resume(store, &kit_err));
    check_sound(store, 20);
    kit_fill(store, "k", 21, 30);
    check_sound(store, 30);
    assert_int_equal(kit_stats(store).resumes, 1);
    check_after_all(store, &options, 30);
    KIT_OK(gs_destroy(sim_machine_env, "/db", &kit_err));
  }
}

/* In a mode that acknowledges before the device, what was acknowledged stays,
 * although the log that holds it failed. */
static void
test_what_was_acknowledged_and_not_yet_synced_stays(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_OS;
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 300);
  fail_log(GS_SIM_SYNC);
  assert_int_equal(gs_sync(store, &kit_err), GS_IO);
  KIT_OK(gs_resume(store, &kit_err));
  assert_int_equal(gs_durable_seq(store), gs_last_seq(store));
  check_after_all(store, &options, 300);
}

static void
test_memtables_that_waited_for_their_flush_are_saved_in_their_order(
    void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_OS;
  gs_store *store = kit_open(&options);
  gs_sim_fault no_tables = {
      .op = GS_SIM_WRITE, .path = "*.sst", .nth = 1, .os_errno = EIO};
  KIT_OK(gs_sim_fail(sim_machine, &no_tables, &kit_err));
  kit_put(store, "a", "old");
  kit_fill(store, "k", 1, 80);
  KIT_OK(gs_seal(store, &kit_err));
  kit_put(store, "a", "new");
  kit_fill(store, "k", 81, 100);
  KIT_OK(gs_seal(store, &kit_err));
  kit_put(store, "b", "1");
  gs_sim_heal(sim_machine);
  break_store(store, GS_SIM_WRITE);
  KIT_OK(gs_resume(store, &kit_err));
  assert_string_equal(kit_get(store, "a"), "new");
  assert_string_equal(kit_get(store, "b"), "1");
  assert_int_equal(kit_stats(store).entry_count, 103);
  KIT_OK(gs_compact(store, NULL, &kit_err));
  assert_string_equal(kit_get(store, "a"), "new");
  check_after_all(store, &options, 100);
}

static void
test_numbers_are_not_given_out_again(void **state)
{
  (void)state;
  gs_options options = sync_options();
  gs_store *store = kit_open(&options);
  uint64_t seq = kit_put(store, "a", "1");
  for (int i = 0; i < 3; i++) {
    break_store(store, i % 2 == 0 ? GS_SIM_SYNC : GS_SIM_WRITE);
    KIT_OK(gs_resume(store, &kit_err));
    assert_true(gs_last_seq(store) > seq);
    uint64_t next = kit_put(store, "a", "2");
    assert_true(next > seq + 1);
    seq = next;
  }
  kit_close(store);
}

static void
test_readers_keep_their_moment_over_a_resume(void **state)
{
  (void)state;
  gs_options options = sync_options();
  gs_store *store = kit_open(&options);
  gs_snapshot *snapshot = NULL;
  gs_scan *scan = NULL;
  kit_put(store, "a", "1");
  KIT_OK(gs_snapshot_new(store, &snapshot, &kit_err));
  kit_put(store, "a", "2");
  break_store(store, GS_SIM_SYNC);
  KIT_OK(gs_scan_new(store, NULL, NULL, &scan, &kit_err));
  KIT_OK(gs_resume(store, &kit_err));
  kit_put(store, "a", "3");
  assert_string_equal(kit_get_at(store, snapshot, "a"), "1");
  KIT_OK(gs_scan_first(scan, &kit_err));
  assert_true(gs_slice_equal(gs_scan_value(scan), gs_slice_str("2")));
  assert_int_equal(gs_scan_next(scan, &kit_err), GS_ABSENT);
  gs_scan_free(scan);
  gs_snapshot_free(snapshot);
  assert_string_equal(kit_get(store, "a"), "3");
  kit_close(store);
}

/* key: NULL for a note alone. */
static gs_status
commit_note(gs_store *store, const char *key, const char *note)
{
  gs_write_batch *batch = NULL;
  gs_commit_options options = {.note = gs_slice_str(note), .has_note = true};
  KIT_OK(gs_write_batch_new(store, &batch, &kit_err));
  if (key != NULL) {
    KIT_OK(gs_write_batch_put(batch, gs_slice_str(key), gs_slice_str("1"), NULL,
                              &kit_err));
  }
  gs_status status =
      gs_write_batch_commit(batch, &options, NULL, NULL, &kit_err);
  gs_write_batch_free(batch);
  return status;
}

static void
expect_note(gs_store *store, const char *text)
{
  gs_value value;
  gs_value_init(&value, store);
  KIT_OK(gs_get_note(store, &value, &kit_err));
  assert_true(
      gs_slice_equal(gs_buffer_slice(&value.bytes), gs_slice_str(text)));
  gs_value_deinit(&value);
}

static void
test_the_note_of_a_doubtful_write_gives_way_to_the_one_before(void **state)
{
  (void)state;
  gs_options options = sync_options();
  gs_store *store = kit_open(&options);
  KIT_OK(commit_note(store, "a", "first"));
  KIT_OK(commit_note(store, "b", "second"));
  fail_log(GS_SIM_SYNC);
  assert_int_equal(commit_note(store, "c", "third"), GS_IO);
  KIT_OK(gs_resume(store, &kit_err));
  expect_note(store, "second");
  kit_close(store);
  store = kit_open(&options);
  expect_note(store, "second");
  assert_string_equal(kit_get(store, "c"), "(absent)");
  kit_close(store);
}

static void
test_a_doubtful_note_alone_gives_way_to_the_one_before(void **state)
{
  (void)state;
  gs_options options = sync_options();
  gs_store *store = kit_open(&options);
  KIT_OK(commit_note(store, "a", "first"));
  KIT_OK(commit_note(store, NULL, "second"));
  expect_note(store, "second");
  fail_log(GS_SIM_SYNC);
  assert_int_equal(commit_note(store, NULL, "third"), GS_IO);
  expect_note(store, "second");
  KIT_OK(gs_resume(store, &kit_err));
  expect_note(store, "second");
  kit_close(store);
  store = kit_open(&options);
  expect_note(store, "second");
  KIT_OK(commit_note(store, NULL, "fourth"));
  expect_note(store, "fourth");
  kit_close(store);
}

/* Nothing of the frame had been written: nobody needs to doubt. */
static void
test_a_write_that_fails_before_its_first_byte_is_definite(void **state)
{
  (void)state;
  enum { SIZE = 3 << 20 };
  gs_options options = sync_options();
  options.memory_bytes = 64 << 20;
  options.memtable_bytes = 16 << 20;
  gs_store *store = kit_open(&options);
  char *value = calloc(1, SIZE);
  assert_non_null(value);
  gs_status status = GS_NOMEM;
  int failures = 0;
  for (uint64_t nth = 1; status == GS_NOMEM; nth++) {
    gs_sim_fail_alloc(sim_machine, nth, 1);
    status = gs_put(store, gs_slice_str("big"), gs_slice_of(value, SIZE), NULL,
                    NULL, &kit_err);
    gs_sim_fail_alloc(sim_machine, 0, 1);
    if (status == GS_NOMEM) {
      failures++;
      assert_false(kit_err.is_doubtful);
      assert_string_equal(kit_get(store, "big"), "(absent)");
      kit_put(store, "small", "1");
    }
  }
  KIT_OK(status);
  assert_true(failures >= 3);
  free(value);
  kit_close(store);
}

static void
test_a_sound_store_has_nothing_to_resume_and_a_reader_no_right(void **state)
{
  (void)state;
  gs_options options = sync_options();
  gs_store *store = kit_open(&options);
  KIT_OK(gs_resume(store, &kit_err));
  kit_put(store, "a", "1");
  assert_int_equal(kit_stats(store).resumes, 0);
  kit_close(store);
  options.readonly = true;
  store = kit_open(&options);
  assert_int_equal(gs_resume(store, &kit_err), GS_READONLY);
  kit_close(store);
}

/* ---- sweeps ---------------------------------------------------------------- */

static gs_store *
open_broken(gs_options *options)
{
  sim_machine_become(gs_sim_new(1));
  *options = sync_options();
  gs_store *store = kit_open(options);
  kit_fill(store, "k", 1, 60);
  KIT_OK(gs_flush(store, &kit_err));
  kit_fill(store, "k", 61, 100);
  break_store(store, GS_SIM_SYNC);
  return store;
}

static void
test_a_resume_that_fails_anywhere_can_be_tried_again(void **state)
{
  (void)state;
  bool was_met = true;
  int failures = 0;
  for (uint64_t nth = 1; was_met; nth++) {
    gs_options options;
    gs_store *store = open_broken(&options);
    uint64_t before = gs_sim_ops(sim_machine);
    gs_sim_fault fault = {
        .op = GS_SIM_ANY, .nth = nth, .times = 1, .os_errno = EIO};
    KIT_OK(gs_sim_fail(sim_machine, &fault, &kit_err));
    gs_status status = gs_resume(store, &kit_err);
    was_met = gs_sim_ops(sim_machine) - before >= nth;
    gs_sim_heal(sim_machine);
    if (status != GS_OK) {
      failures++;
      check_sound(store, 100);
      assert_int_equal(try_put(store, "refused", "?"), GS_IO);
      KIT_OK(gs_resume(store, &kit_err));
    }
    check_sound(store, 100);
    kit_fill(store, "k", 101, 110);
    check_after_all(store, &options, 110);
  }
  assert_true(failures >= 5);
}

static void
test_a_resume_without_memory_can_be_tried_again(void **state)
{
  (void)state;
  bool was_met = true;
  for (uint64_t nth = 1; was_met; nth++) {
    gs_options options;
    gs_store *store = open_broken(&options);
    uint64_t before = gs_sim_allocs(sim_machine);
    gs_sim_fail_alloc(sim_machine, nth, 1);
    gs_status status = gs_resume(store, &kit_err);
    was_met = gs_sim_allocs(sim_machine) - before >= nth;
    gs_sim_fail_alloc(sim_machine, 0, 1);
    if (status != GS_OK) {
      assert_int_equal(status, GS_NOMEM);
      KIT_OK(gs_resume(store, &kit_err));
    }
    check_sound(store, 100);
    check_after_all(store, &options, 100);
  }
}

/* Until the resume has answered, the doubtful write may be there or not. */
static void
test_a_crash_anywhere_in_a_resume_loses_nothing(void **state)
{
  (void)state;
  bool was_met = true;
  for (uint64_t ops = 1; was_met; ops++) {
    gs_options options;
    gs_store *store = open_broken(&options);
    uint64_t before = gs_sim_ops(sim_machine);
    gs_sim_stop_at(sim_machine, before + ops);
    gs_status status = gs_resume(store, &kit_err);
    was_met = gs_sim_ops(sim_machine) - before >= ops;
    for (uint64_t choice = 0; choice < 4; choice++) {
      gs_sim *copy = gs_sim_crash(
          sim_machine, choice == 0 ? GS_CRASH_SYNCED : GS_CRASH_RANDOM, choice);
      gs_options there = options;
      gs_store *again = NULL;
      there.env = gs_sim_env(copy);
      KIT_OK(gs_open("/db", &there, &again, &kit_err));
      assert_true(kit_has(again, "k", 1));
      assert_true(kit_has(again, "k", 100));
      if (status == GS_OK) {
        check_sound(again, 100);
      }
      kit_close(again);
      gs_sim_free(copy);
    }
    gs_sim_stop_at(sim_machine, 0);
    GS_IGNORE(gs_close(store, NULL), "it may still be broken");
  }
}

/* A note that comes with no entry has no number to wait for, and is in doubt
 * like any other write. */
static void
test_a_note_alone_that_was_not_synced_is_doubtful(void **state)
{
  (void)state;
  gs_options options = sync_options();
  gs_store *store = kit_open(&options);
  gs_write_batch *batch = NULL;
  gs_commit_options note = {.has_note = true, .note = gs_slice_str("n")};
  kit_fill(store, "k", 1, 1);
  KIT_OK(gs_write_batch_new(store, &batch, &kit_err));
  fail_log(GS_SIM_SYNC);
  assert_int_equal(gs_write_batch_commit(batch, &note, NULL, NULL, &kit_err),
                   GS_IO);
  assert_true(kit_err.is_doubtful);
  gs_write_batch_free(batch);
  KIT_OK(gs_resume(store, &kit_err));
  kit_close(store);
}

static void
test_a_resume_on_a_full_disk_takes_the_ballast(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_OS;
  options.disk_reserve_bytes = 1 << 20;
  gs_sim_set_capacity(sim_machine, 16 << 20);
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 60);
  assert_true(kit_stats(store).ballast_bytes > 0);
  fail_log(GS_SIM_SYNC);
  assert_int_equal(gs_sync(store, &kit_err), GS_IO);
  gs_sim_set_capacity(sim_machine, gs_sim_used_bytes(sim_machine));
  KIT_OK(gs_resume(store, &kit_err));
  assert_int_equal(kit_stats(store).ballast_bytes, 0);
  gs_sim_set_capacity(sim_machine, 0);
  check_after_all(store, &options, 60);
}

/* ---- several tasks ----------------------------------------------------------- */

typedef struct sync_call {
  gs_store *store;
  gs_status status;
} sync_call;

static void
call_sync(void *context)
{
  sync_call *call = context;
  call->status = gs_sync(call->store, NULL);
}

static gs_sim_task
task_at(uint32_t id)
{
  gs_sim_task tasks[16];
  size_t count = gs_sim_tasks(sim_machine, tasks, 16);
  assert_true(id < count);
  return tasks[id];
}

/* The log belongs to the resume from then on. */
static void
test_a_sync_that_waited_for_one_that_failed_does_not_touch_the_log(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_OS;
  options.threads = 0;
  gs_sim_allow_tasks(sim_machine);
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 5);
  sync_call calls[2] = {{store, GS_OK}, {store, GS_OK}};
  uint32_t ids[2];
  fail_log(GS_SIM_SYNC);
  for (size_t i = 0; i < 2; i++) {
    KIT_OK(gs_sim_spawn(sim_machine, "sync", call_sync, &calls[i], &ids[i],
                        &kit_err));
  }
  while (strcmp(task_at(ids[0]).place, "wal.sync") != 0) {
    gs_sim_step(sim_machine, ids[0], 1);
  }
  gs_sim_step(sim_machine, ids[1], 100);
  assert_int_equal(task_at(ids[1]).state, GS_TASK_WAITING);
  gs_sim_step(sim_machine, ids[0], 100);
  gs_sim_step(sim_machine, ids[1], 1);
  bool has_ended = task_at(ids[1]).state == GS_TASK_ENDED;
  gs_sim_drain(sim_machine);
  assert_true(has_ended);
  assert_int_equal(calls[0].status, GS_IO);
  assert_int_equal(calls[1].status, GS_IO);
  KIT_OK(gs_resume(store, &kit_err));
  check_sound(store, 5);
  kit_close(store);
}

static void
call_put(void *context)
{
  sync_call *call = context;
  gs_write_options synced = {.sync = true};
  call->status = gs_put(call->store, gs_slice_str("doubt"), gs_slice_str("?"),
                        &synced, NULL, NULL);
}

static void
test_an_update_does_not_answer_with_what_is_then_given_up(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_OS;
  options.threads = 0;
  gs_sim_allow_tasks(sim_machine);
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 5);
  sync_call call = {store, GS_OK};
  uint32_t id;
  KIT_OK(gs_sim_spawn(sim_machine, "put", call_put, &call, &id, &kit_err));
  while (strcmp(task_at(id).place, "wal.sync") != 0) {
    gs_sim_step(sim_machine, id, 1);
  }
  fail_log(GS_SIM_SYNC);
  gs_value present;
  gs_put_if_result result;
  gs_slice value = gs_slice_str("!");
  gs_exchange exchange = {.expected = NULL, .value = &value};
  gs_value_init(&present, store);
  gs_status status = gs_put_if(store, gs_slice_str("doubt"), &exchange, NULL,
                               &present, &result, &kit_err);
  gs_value_deinit(&present);
  gs_sim_drain(sim_machine);
  assert_int_equal(call.status, GS_IO);
  assert_int_equal(status, GS_IO);
  assert_false(kit_err.is_doubtful);
  KIT_OK(gs_resume(store, &kit_err));
  check_sound(store, 5);
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(
          test_a_doubtful_write_is_gone_after_a_resume_and_all_others_stay),
      KIT_TEST(test_what_was_acknowledged_and_not_yet_synced_stays),
      KIT_TEST(
          test_memtables_that_waited_for_their_flush_are_saved_in_their_order),
      KIT_TEST(test_numbers_are_not_given_out_again),
      KIT_TEST(test_readers_keep_their_moment_over_a_resume),
      KIT_TEST(test_the_note_of_a_doubtful_write_gives_way_to_the_one_before),
      KIT_TEST(test_a_doubtful_note_alone_gives_way_to_the_one_before),
      KIT_TEST(test_a_write_that_fails_before_its_first_byte_is_definite),
      KIT_TEST(test_a_sound_store_has_nothing_to_resume_and_a_reader_no_right),
      KIT_TEST(test_a_resume_that_fails_anywhere_can_be_tried_again),
      KIT_TEST(test_a_resume_without_memory_can_be_tried_again),
      KIT_TEST(test_a_crash_anywhere_in_a_resume_loses_nothing),
      KIT_TEST(test_a_note_alone_that_was_not_synced_is_doubtful),
      KIT_TEST(test_a_resume_on_a_full_disk_takes_the_ballast),
      KIT_TEST(
          test_a_sync_that_waited_for_one_that_failed_does_not_touch_the_log),
      KIT_TEST(test_an_update_does_not_answer_with_what_is_then_given_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
