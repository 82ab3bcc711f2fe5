/*
 * Writers that must wait: for flushes, for merges, for room on the disk.
 */
#include "store_kit.h"

#include <errno.h>

#include "store/store.h"

static gs_status
try_put(gs_store *store, int number)
{
  char key[16];
  static char value[400];
  memset(value, 'x', sizeof value);
  snprintf(key, sizeof key, "k%05d", number);
  return gs_put(store, gs_slice_str(key), gs_slice_of(value, sizeof value),
                NULL, NULL, &kit_err);
}

static void
fail_tables(int os_errno)
{
  gs_sim_fault fault = {
      .op = GS_SIM_WRITE, .path = "*.sst", .nth = 1, .os_errno = os_errno};
  KIT_OK(gs_sim_fail(sim_machine, &fault, &kit_err));
}

static void
test_without_threads_a_writer_flushes_and_never_waits(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  for (int i = 0; i < 1000; i++) {
    KIT_OK(try_put(store, i));
  }
  assert_true(kit_stats(store).flushes > 0);
  assert_int_equal(kit_stats(store).stall_count, 0);
  kit_close(store);
}

static void
test_a_writer_learns_why_memory_cannot_be_flushed_and_goes_on_after(
    void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  fail_tables(ENOSPC);
  gs_status status = GS_OK;
  int acked = 0;
  while (status == GS_OK) {
    status = try_put(store, acked);
    acked += status == GS_OK;
  }
  assert_int_equal(status, GS_FULL);
  assert_true(acked > 50);
  assert_int_equal(try_put(store, acked), GS_FULL);
  uint64_t count = 0;
  KIT_OK(gs_count(store, NULL, NULL, &count, &kit_err));
  assert_int_equal(count, acked);
  gs_sim_heal(sim_machine);
  KIT_OK(try_put(store, acked));
  KIT_OK(gs_flush(store, &kit_err));
  KIT_OK(gs_count(store, NULL, NULL, &count, &kit_err));
  assert_int_equal(count, acked + 1);
  kit_close(store);
}

static void
test_a_full_disk_refuses_writes_serves_reads_and_recovers(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  sim_machine_make_durable("/ballast", "x");
  gs_sim_set_capacity(sim_machine, 400000);
  gs_status status = GS_OK;
  int acked = 0;
  while (status == GS_OK) {
    status = try_put(store, acked);
    acked += status == GS_OK;
  }
  assert_int_equal(status, GS_FULL);
  assert_true(kit_stats(store).puts == (uint64_t)acked);
  uint64_t count = 0;
  KIT_OK(gs_count(store, NULL, NULL, &count, &kit_err));
  assert_int_equal(count, acked);
  gs_sim_set_capacity(sim_machine, 0);
  for (int i = 0; i < 50; i++) {
    KIT_OK(try_put(store, acked + i));
  }
  KIT_OK(gs_verify(store, &kit_err));
  kit_close(store);
  store = kit_open(&options);
  KIT_OK(gs_count(store, NULL, NULL, &count, &kit_err));
  assert_int_equal(count, acked + 50);
  kit_close(store);
}

static void
test_every_size_of_disk_leaves_a_store_that_opens_with_all_it_took(void **state)
{
  (void)state;
  for (uint64_t capacity = 4096; capacity < 200000; capacity += 1536) {
    sim_machine_become(gs_sim_new(capacity));
    gs_options options = kit_options();
    options.memtable_bytes = 4096;
    options.max_wal_bytes = 65536;
    options.env = sim_machine_env;
    gs_store *store = NULL;
    int acked = 0;
    gs_sim_set_capacity(sim_machine, capacity);
    gs_status status = gs_open("/db", &options, &store, &kit_err);
    for (int i = 0; i < 300 && status == GS_OK; i++) {
      status = try_put(store, i);
      acked += status == GS_OK;
    }
    assert_true(status == GS_OK || status == GS_FULL);
    GS_IGNORE(gs_close(store, NULL), "the log holds what cannot be flushed");
    gs_sim_set_capacity(sim_machine, 0);
    uint64_t count = 0;
    store = kit_open(&options);
    KIT_OK(gs_count(store, NULL, NULL, &count, &kit_err));
    assert_int_equal(count, acked);
    kit_close(store);
    assert_int_equal(gs_sim_allocated_bytes(sim_machine), 0);
  }
}

static void
test_below_the_reserve_values_are_refused_and_deletes_pass(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.disk_reserve_bytes = 100000;
  gs_store *store = kit_open(&options);
  KIT_OK(try_put(store, 1));
  gs_sim_set_capacity(sim_machine, 150000);
  kit_close(store);
  options.disk_reserve_bytes = 149999;
  store = kit_open(&options);
  assert_int_equal(try_put(store, 2), GS_FULL);
  assert_non_null(strstr(kit_err.hint, "disk_reserve_bytes"));
  KIT_OK(gs_delete(store, gs_slice_str("k00001"), NULL, NULL, &kit_err));
  gs_sim_set_capacity(sim_machine, 0);
  KIT_OK(try_put(store, 2));
  kit_close(store);
}

static void
test_too_many_runs_are_merged_although_the_policy_sleeps(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.has_policy = true;
  gs_store *store = kit_open(&options);
  for (int i = 0; i < 80; i++) {
    KIT_OK(try_put(store, i));
    KIT_OK(gs_flush(store, &kit_err));
  }
  KIT_OK(try_put(store, 80));
  assert_true(kit_stats(store).run_count <= 32);
  assert_true(kit_stats(store).merges > 0);
  kit_close(store);
}

/* ---- the brake ------------------------------------------------------------- */

static gs_options
options_of_a_brake(void)
{
  gs_options options = kit_options();
  options.threads = 1;
  options.memory_bytes = 64 << 20;
  options.memtable_bytes = 8 << 20;
  gs_sim_allow_tasks(sim_machine);
  return options;
}

/* Milliseconds that one write takes while there are so many runs, which nobody
 * merges. */
static uint64_t
pause_ms(gs_store *store, uint64_t runs, size_t bytes)
{
  static const uint8_t value[1 << 21];
  uint64_t began_us = gs_env_mono_us(sim_machine_env);
  atomic_store(&store->run_count, runs);
  KIT_OK(gs_put(store, gs_slice_str("k"), gs_slice_of(value, bytes), NULL, NULL,
                &kit_err));
  return (gs_env_mono_us(sim_machine_env) - began_us) / 1000;
}

static void
test_writers_pause_the_longer_the_more_runs_there_are(void **state)
{
  (void)state;
  gs_options options = options_of_a_brake();
  gs_store *store = kit_open(&options);
  uint64_t few = pause_ms(store, 26, 1000);
  uint64_t none = pause_ms(store, 24, 1 << 20);
  uint64_t most = pause_ms(store, 32, 1);
  gs_stats stats = kit_stats(store);
  kit_close(store);
  assert_int_equal(none, 0);
  assert_int_equal(few, 10);
  assert_int_equal(most, 40);
  assert_int_equal(stats.stall_count, 2);
  assert_string_equal(stats.stall_reason, "runs");
}

static void
test_there_is_one_pause_for_a_megabyte(void **state)
{
  (void)state;
  gs_options options = options_of_a_brake();
  gs_store *store = kit_open(&options);
  assert_int_equal(pause_ms(store, 26, 1000), 10);
  for (size_t written = 1001; written < 1 << 20; written += 60001) {
    assert_int_equal(pause_ms(store, 26, 60000), 0);
  }
  assert_int_equal(pause_ms(store, 26, 1), 10);
  kit_close(store);
}

static void
test_a_large_write_pauses_for_all_its_bytes(void **state)
{
  (void)state;
  gs_options options = options_of_a_brake();
  options.max_stall_ms = 10000;
  gs_store *store = kit_open(&options);
  assert_int_equal(pause_ms(store, 32, (1 << 20) - 200), 16 * 40);
  assert_int_equal(pause_ms(store, 32, 1 << 21), 1000);
  kit_close(store);
}

static void
test_before_the_wall_there_are_more_pauses(void **state)
{
  (void)state;
  gs_options options = options_of_a_brake();
  gs_store *store = kit_open(&options);
  assert_int_equal(pause_ms(store, 32, 60000), 40);
  assert_int_equal(pause_ms(store, 32, 10000), 0);
  assert_int_equal(pause_ms(store, 32, 1), 40);
  kit_close(store);
}

/* ---- what happens during a pause ------------------------------------------- */

typedef struct event {
  gs_store *store;
  void (*happen)(gs_store *store);
} event;

static void
happen(void *context)
{
  event *e = context;
  e->happen(e->store);
}

static void
ease(gs_store *store)
{
  gs_mutex_lock(store->state);
  atomic_store(&store->run_count, 0);
  gs_cond_broadcast(store->progress);
  gs_mutex_unlock(store->state);
}

static void
fail_store(gs_store *store)
{
  gs_error why = {0};
  gs_mutex_lock(store->commit);
  gs_store_fail(store, GS_FAIL(&why, GS_IO, "a device is gone"), &why);
  gs_mutex_unlock(store->commit);
  gs_mutex_lock(store->state);
  gs_cond_broadcast(store->progress);
  gs_mutex_unlock(store->state);
}

/* Another writer, who writes a megabyte as soon as it may. */
static void
write_much(gs_store *store)
{
  static const uint8_t value[1 << 16];
  for (int i = 0; i < 16; i++) {
    KIT_OK(gs_put(store, gs_slice_str("other"),
                  gs_slice_of(value, sizeof value), NULL, NULL, &kit_err));
  }
}

/* How long a small write takes while it happens; what the write says. */
static uint64_t
pause_beside(gs_store *store, void (*what)(gs_store *store), gs_status *status)
{
  event e = {store, what};
  gs_thread *thread;
  uint64_t began_us = gs_env_mono_us(sim_machine_env);
  atomic_store(&store->run_count, 32);
  KIT_OK(gs_thread_start(sim_machine_env, happen, &e, &thread, &kit_err));
  *status =
      gs_put(store, gs_slice_str("k"), gs_slice_str("v"), NULL, NULL, &kit_err);
  uint64_t ms = (gs_env_mono_us(sim_machine_env) - began_us) / 1000;
  gs_thread_join(thread);
  return ms;
}

static void
test_a_pause_ends_when_the_runs_are_merged(void **state)
{
  (void)state;
  gs_options options = options_of_a_brake();
  gs_store *store = kit_open(&options);
  gs_status status;
  uint64_t ms = pause_beside(store, ease, &status);
  kit_close(store);
  assert_int_equal(status, GS_OK);
  assert_int_equal(ms, 0);
}

static void
test_a_pause_ends_when_the_store_fails(void **state)
{
  (void)state;
  gs_options options = options_of_a_brake();
  gs_store *store = kit_open(&options);
  gs_status status;
  uint64_t ms = pause_beside(store, fail_store, &status);
  GS_IGNORE(gs_close(store, NULL), "it failed");
  assert_int_equal(status, GS_IO);
  assert_int_equal(ms, 0);
}

static void
test_a_write_pauses_once_whatever_others_write(void **state)
{
  (void)state;
  gs_options options = options_of_a_brake();
  gs_store *store = kit_open(&options);
  gs_status status;
  uint64_t ms = pause_beside(store, write_much, &status);
  kit_close(store);
  assert_int_equal(status, GS_OK);
  assert_in_range(ms, 1, 40);
}

static void
test_a_pause_leaves_half_of_the_patience(void **state)
{
  (void)state;
  gs_options options = options_of_a_brake();
  options.max_stall_ms = 4;
  gs_store *store = kit_open(&options);
  uint64_t began_us = gs_env_mono_us(sim_machine_env);
  atomic_store(&store->run_count, 40);
  assert_int_equal(
      gs_put(store, gs_slice_str("k"), gs_slice_str("v"), NULL, NULL, &kit_err),
      GS_BUSY);
  uint64_t ms = (gs_env_mono_us(sim_machine_env) - began_us) / 1000;
  gs_stats stats = kit_stats(store);
  kit_close(store);
  assert_int_equal(ms, 4);
  assert_int_equal(stats.stall_count, 2);
  assert_int_equal(stats.stall_max_us, 2000);
}

static void
test_no_write_fails_for_a_pause(void **state)
{
  (void)state;
  gs_options options = options_of_a_brake();
  options.max_stall_ms = 6;
  gs_store *store = kit_open(&options);
  uint64_t bounded = pause_ms(store, 30, 1);
  kit_close(store);
  options.fail_on_stall = true;
  store = kit_open(&options);
  uint64_t impatient = pause_ms(store, 30, 1);
  kit_close(store);
  options.threads = 0;
  store = kit_open(&options);
  uint64_t alone = pause_ms(store, 30, 1);
  kit_close(store);
  assert_int_equal(bounded, 3);
  assert_int_equal(impatient, 0);
  assert_int_equal(alone, 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_without_threads_a_writer_flushes_and_never_waits),
      KIT_TEST(
          test_a_writer_learns_why_memory_cannot_be_flushed_and_goes_on_after),
      KIT_TEST(test_a_full_disk_refuses_writes_serves_reads_and_recovers),
      KIT_TEST(
          test_every_size_of_disk_leaves_a_store_that_opens_with_all_it_took),
      KIT_TEST(test_below_the_reserve_values_are_refused_and_deletes_pass),
      KIT_TEST(test_too_many_runs_are_merged_although_the_policy_sleeps),
      KIT_TEST(test_writers_pause_the_longer_the_more_runs_there_are),
      KIT_TEST(test_there_is_one_pause_for_a_megabyte),
      KIT_TEST(test_a_large_write_pauses_for_all_its_bytes),
      KIT_TEST(test_a_pause_ends_when_the_runs_are_merged),
      KIT_TEST(test_a_pause_ends_when_the_store_fails),
      KIT_TEST(test_a_write_pauses_once_whatever_others_write),
      KIT_TEST(test_a_pause_leaves_half_of_the_patience),
      KIT_TEST(test_before_the_wall_there_are_more_pauses),
      KIT_TEST(test_no_write_fails_for_a_pause),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
