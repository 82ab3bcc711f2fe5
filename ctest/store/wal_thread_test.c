/*
 * What the log does in time: it marks what the device holds when nothing comes,
 * and its thread syncs and prepares beside writers.
 */
#include "log_kit.h"

#include <errno.h>

#include "store/store.h"

static void
step(gs_store *store)
{
  bool more;
  KIT_OK(gs_step(store, UINT64_MAX, &more, &kit_err));
}

static void
test_after_a_while_a_mark_tells_damage_of_the_last_write_from_a_torn_one(
    void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_SYNC;
  gs_store *store = kit_open(&options);
  kit_put(store, "first", "1");
  kit_put(store, "last", "2");
  uint64_t ops = gs_sim_ops(sim_machine);
  step(store);
  gs_sim_advance_ms(sim_machine, 99);
  step(store);
  assert_int_equal(gs_sim_ops(sim_machine), ops);
  assert_int_equal(log_open_damaged(&options), GS_OK);
  gs_sim_advance_ms(sim_machine, 1);
  step(store);
  assert_int_equal(gs_sim_ops(sim_machine), ops + 1);
  assert_int_equal(log_open_damaged(&options), GS_CORRUPT);
  /* One is enough. */
  gs_sim_advance_ms(sim_machine, 1000);
  step(store);
  gs_sim_advance_ms(sim_machine, 1000);
  step(store);
  assert_int_equal(gs_sim_ops(sim_machine), ops + 1);
  kit_close(store);
}

static void
test_writes_that_go_on_carry_the_mark_themselves(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_SYNC;
  gs_store *store = kit_open(&options);
  for (int i = 0; i < 20; i++) {
    kit_put(store, "a", "1");
    uint64_t ops = gs_sim_ops(sim_machine);
    gs_sim_advance_ms(sim_machine, 90);
    step(store);
    assert_int_equal(gs_sim_ops(sim_machine), ops);
  }
  kit_close(store);
}

static void
test_what_is_not_on_the_device_is_not_marked(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_OS;
  gs_store *store = kit_open(&options);
  kit_put(store, "last", "1");
  for (int i = 0; i < 3; i++) {
    gs_sim_advance_ms(sim_machine, 200);
    step(store);
  }
  assert_int_equal(log_open_damaged(&options), GS_OK);
  kit_close(store);
}

/* What every started segment holds, by its writer. */
static uint64_t
frames_in_segments(const gs_store *store)
{
  uint64_t bytes = 0;
  for (gs_store_segment *s = store->wal.oldest; s != NULL; s = s->next) {
    bytes += gs_log_written_bytes(s->writer) - GS_LOG_HEADER_BYTES;
  }
  return bytes;
}

static bool
is_marked(const gs_store *store)
{
  const gs_log_writer *writer = store->wal.active->writer;
  return gs_log_attested_bytes(writer) == gs_log_durable_bytes(writer);
}

static void
test_marks_count_as_bytes_of_the_log(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_SYNC;
  options.max_wal_bytes = 65536;
  gs_store *store = kit_open(&options);
  uint64_t marks = 0;
  kit_put(store, "a", "1");
  while (store->wal.oldest == store->wal.active) {
    kit_put(store, "a", "1");
    gs_sim_advance_ms(sim_machine, 100);
    step(store);
    assert_int_equal(kit_stats(store).wal_bytes, frames_in_segments(store));
    marks += is_marked(store) ? 1 : 0;
  }
  assert_in_range(marks, 10, UINT64_MAX);
  KIT_OK(gs_flush(store, &kit_err));
  assert_ptr_equal(store->wal.oldest, store->wal.active);
  assert_int_equal(kit_stats(store).wal_bytes, frames_in_segments(store));
  kit_close(store);
}

/* Everything that runs has run, and so much later again. */
static void
pass_ms(uint64_t ms)
{
  gs_sim_drain(sim_machine);
  gs_sim_advance_ms(sim_machine, ms);
  gs_sim_drain(sim_machine);
}

static gs_store *
open_with_threads(gs_durability durability)
{
  gs_options options = kit_options();
  options.threads = 1;
  options.durability = durability;
  options.wal_batch_ms = 60000;
  options.max_wal_bytes = 64 << 20;
  gs_sim_allow_tasks(sim_machine);
  return kit_open(&options);
}

/* The thread sleeps for the window of the write when the sync comes. */
static void
test_a_long_window_delays_no_mark(void **state)
{
  (void)state;
  gs_store *store = open_with_threads(GS_DURABILITY_BATCH);
  kit_put(store, "a", "1");
  pass_ms(20);
  KIT_OK(gs_sync(store, &kit_err));
  pass_ms(99);
  bool was_marked = is_marked(store);
  pass_ms(1);
  bool is_now = is_marked(store);
  kit_close(store);
  assert_false(was_marked);
  assert_true(is_now);
}

static void
test_the_thread_marks_a_while_after_the_last_durable_write(void **state)
{
  (void)state;
  gs_store *store = open_with_threads(GS_DURABILITY_SYNC);
  bool was_marked = false;
  for (int i = 0; i < 5; i++) {
    kit_put(store, "a", "1");
    pass_ms(60);
    was_marked = was_marked || is_marked(store);
  }
  pass_ms(39);
  was_marked = was_marked || is_marked(store);
  pass_ms(1);
  bool is_now = is_marked(store);
  kit_close(store);
  assert_false(was_marked);
  assert_true(is_now);
}

static gs_sim_task
log_task(void)
{
  enum { LOG_THREAD = 2 };
  gs_sim_task tasks[8];
  assert_true(gs_sim_tasks(sim_machine, tasks, 8) > LOG_THREAD);
  return tasks[LOG_THREAD];
}

static void
test_a_durable_write_does_not_wake_the_thread(void **state)
{
  (void)state;
  gs_store *store = open_with_threads(GS_DURABILITY_SYNC);
  kit_put(store, "a", "1");
  gs_sim_drain(sim_machine);
  gs_sim_task before = log_task();
  kit_put(store, "b", "2");
  gs_sim_task after = log_task();
  kit_close(store);
  assert_int_equal(before.state, GS_TASK_WAITING);
  assert_int_equal(after.state, GS_TASK_WAITING);
}

/* Lets the log thread do what it wants to; whether a next segment is there. */
static bool
has_next(gs_store *store)
{
  gs_sim_drain(sim_machine);
  return store->wal.prepared != NULL;
}

static void
put_bytes(gs_store *store, size_t size)
{
  static const uint8_t bytes[1 << 16];
  KIT_OK(gs_put(store, gs_slice_str("k"), gs_slice_of(bytes, size), NULL, NULL,
                &kit_err));
}

static void
test_the_next_durable_segment_is_made_at_half_and_twice_as_large(void **state)
{
  (void)state;
  gs_store *store = open_with_threads(GS_DURABILITY_SYNC);
  put_bytes(store, 1);
  uint64_t bytes = store->wal.active->allocated_bytes;
  bool came_early = false;
  while (gs_log_written_bytes(store->wal.active->writer) + 2000 < bytes / 2) {
    came_early = came_early || has_next(store);
    put_bytes(store, 1000);
  }
  came_early = came_early || has_next(store);
  put_bytes(store, 1000);
  put_bytes(store, 1000);
  bool came = has_next(store);
  uint64_t next_bytes = came ? store->wal.prepared->allocated_bytes : 0;
  kit_close(store);
  assert_false(came_early);
  assert_true(came);
  assert_int_equal(next_bytes, 2 * bytes);
}

static void
test_it_is_made_sooner_where_few_more_such_frames_fit(void **state)
{
  (void)state;
  gs_store *store = open_with_threads(GS_DURABILITY_SYNC);
  put_bytes(store, 1);
  bool came_early = has_next(store);
  put_bytes(store, 1 << 15);
  bool came = has_next(store);
  kit_close(store);
  assert_false(came_early);
  assert_true(came);
}

/* Lets the task come to the operation. */
static void
step_to(uint32_t id, const char *place)
{
  gs_sim_task tasks[8];
  for (int i = 0; i < 200; i++) {
    assert_true(gs_sim_tasks(sim_machine, tasks, 8) > id);
    if (strcmp(tasks[id].place, place) == 0) {
      return;
    }
    gs_sim_step(sim_machine, id, 1);
  }
  fail_msg("task %u does not come to %s", id, place);
}

/* The write comes while the thread is at the next segment, which fails. */
static void
test_a_segment_that_cannot_be_made_delays_no_sync(void **state)
{
  (void)state;
  enum { LOG_THREAD = 2 };
  gs_options options = kit_options();
  options.threads = 1;
  options.durability = GS_DURABILITY_BATCH;
  gs_sim_allow_tasks(sim_machine);
  gs_store *store = kit_open(&options);
  gs_sim_fault full = {
      .op = GS_SIM_ALLOCATE, .path = "*.wal", .nth = 2, .os_errno = ENOSPC};
  KIT_OK(gs_sim_fail(sim_machine, &full, &kit_err));
  KIT_OK(gs_put(store, gs_slice_str("a"), gs_slice_str("1"),
                &(gs_write_options){.sync = true}, NULL, &kit_err));
  step_to(LOG_THREAD, "allocate");
  kit_put(store, "b", "2");
  for (int i = 0; i < 4; i++) {
    gs_sim_drain(sim_machine);
    gs_sim_advance_ms(sim_machine, 1000);
  }
  gs_sim_drain(sim_machine);
  assert_int_equal(gs_durable_seq(store), gs_last_seq(store));
  gs_sim_heal(sim_machine);
  kit_close(store);
}

static void
put_large(gs_store *store, const char *key)
{
  static const uint8_t bytes[4200];
  KIT_OK(gs_put(store, gs_slice_str(key), gs_slice_of(bytes, sizeof bytes),
                NULL, NULL, &kit_err));
}

/* Each write is more than the window: whenever a sync ends the next is due. */
static void
test_syncs_under_load_do_not_keep_the_next_segment_back(void **state)
{
  (void)state;
  enum { LOG_THREAD = 2 };
  gs_options options = kit_options();
  options.threads = 1;
  options.durability = GS_DURABILITY_BATCH;
  options.wal_batch_bytes = 4096;
  options.max_wal_bytes = 1 << 20;
  gs_sim_allow_tasks(sim_machine);
  gs_store *store = kit_open(&options);
  put_large(store, "a");
  step_to(LOG_THREAD, "wal.sync");
  put_large(store, "b");
  assert_null(store->wal.prepared);
  step_to(LOG_THREAD, "allocate");
  assert_true(store->wal.is_preparing);
  assert_int_equal(gs_durable_seq(store), 1);
  put_large(store, "c");
  step_to(LOG_THREAD, "wal.sync");
  assert_non_null(store->wal.prepared);
  gs_sim_drain(sim_machine);
  assert_int_equal(gs_durable_seq(store), gs_last_seq(store));
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_marks_count_as_bytes_of_the_log),
      KIT_TEST(test_a_long_window_delays_no_mark),
      KIT_TEST(test_the_thread_marks_a_while_after_the_last_durable_write),
      KIT_TEST(test_a_durable_write_does_not_wake_the_thread),
      KIT_TEST(
          test_the_next_durable_segment_is_made_at_half_and_twice_as_large),
      KIT_TEST(test_it_is_made_sooner_where_few_more_such_frames_fit),
      KIT_TEST(
          test_after_a_while_a_mark_tells_damage_of_the_last_write_from_a_torn_one),
      KIT_TEST(test_writes_that_go_on_carry_the_mark_themselves),
      KIT_TEST(test_what_is_not_on_the_device_is_not_marked),
      KIT_TEST(test_a_segment_that_cannot_be_made_delays_no_sync),
      KIT_TEST(test_syncs_under_load_do_not_keep_the_next_segment_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
