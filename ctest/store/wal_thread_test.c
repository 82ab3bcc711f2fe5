/*
 * What the log does in time: it marks what the device holds when nothing comes,
 * and its thread syncs beside writers.
 */
#include "log_kit.h"

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

/* It looks while somebody waits for the device, as it mostly does beside one that
 * writes durably all the time: it wakes by itself for the mark. */
static void
test_a_durable_put_need_not_call_a_thread_that_saw_one_coming(void **state)
{
  (void)state;
  gs_store *store = log_open_with_threads(GS_DURABILITY_SYNC);
  kit_put(store, "a", "1");
  pass_ms(100);
  gs_mutex_lock(store->commit);
  store->waiting_count++;
  gs_wal_call_thread(store);
  gs_mutex_unlock(store->commit);
  gs_sim_drain(sim_machine);
  gs_mutex_lock(store->commit);
  store->waiting_count--;
  gs_mutex_unlock(store->commit);
  uint64_t calls = store->log_calls;
  kit_put(store, "b", "2");
  uint64_t calls_later = store->log_calls;
  bool was_marked = is_marked(store);
  pass_ms(100);
  bool is_marked_now = is_marked(store);
  kit_close(store);
  assert_int_equal(calls_later, calls);
  assert_false(was_marked);
  assert_true(is_marked_now);
}

/* The thread sleeps for the window of the write when the sync comes. */
static void
test_a_long_window_delays_no_mark(void **state)
{
  (void)state;
  gs_store *store = log_open_with_threads(GS_DURABILITY_BATCH);
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
  gs_store *store = log_open_with_threads(GS_DURABILITY_SYNC);
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
  gs_store *store = log_open_with_threads(GS_DURABILITY_SYNC);
  kit_put(store, "a", "1");
  gs_sim_drain(sim_machine);
  gs_sim_task before = log_task();
  kit_put(store, "b", "2");
  gs_sim_task after = log_task();
  kit_close(store);
  assert_int_equal(before.state, GS_TASK_WAITING);
  assert_int_equal(after.state, GS_TASK_WAITING);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_marks_count_as_bytes_of_the_log),
      KIT_TEST(test_a_durable_put_need_not_call_a_thread_that_saw_one_coming),
      KIT_TEST(test_a_long_window_delays_no_mark),
      KIT_TEST(test_the_thread_marks_a_while_after_the_last_durable_write),
      KIT_TEST(test_a_durable_write_does_not_wake_the_thread),
      KIT_TEST(
          test_after_a_while_a_mark_tells_damage_of_the_last_write_from_a_torn_one),
      KIT_TEST(test_writes_that_go_on_carry_the_mark_themselves),
      KIT_TEST(test_what_is_not_on_the_device_is_not_marked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
