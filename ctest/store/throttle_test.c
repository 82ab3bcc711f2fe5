/*
 * Writers that are held back by a rate: in proportion, within bounds, and with
 * a reason.
 */
#include "store_kit.h"

#include "store/stall.h"
#include "store/throttle.h"

enum { RATE = 100 * 1000, VALUE_BYTES = 10 * 1000, OVERHEAD = 100 };

static gs_store *
open_with_tasks(uint64_t max_stall_ms, bool fails)
{
  gs_sim_allow_tasks(sim_machine);
  gs_options options = kit_options();
  options.memory_bytes = 64 << 20;
  options.memtable_bytes = 8 << 20;
  options.max_stall_ms = max_stall_ms;
  options.fail_on_stall = fails;
  return kit_open(&options);
}

/* Puts one value and says how long that took. */
static uint64_t
put_us(gs_store *store, gs_status expected)
{
  static char value[VALUE_BYTES];
  uint64_t began_us = gs_env_mono_us(sim_machine_env);
  gs_status status =
      gs_put(store, gs_slice_str("k"), gs_slice_of(value, sizeof value), NULL,
             NULL, &kit_err);
  assert_int_equal(status, expected);
  return gs_env_mono_us(sim_machine_env) - began_us;
}

/* What so many bytes take at the rate, give or take what the log adds and the
 * millisecond that nobody waits for. */
static void
assert_took_bytes(uint64_t took_us, uint64_t bytes)
{
  assert_in_range(took_us, bytes * 1000000 / RATE - 1000,
                  (bytes + OVERHEAD) * 1000000 / RATE);
}

static void
test_a_write_waits_for_the_bytes_before_it(void **state)
{
  (void)state;
  gs_store *store = open_with_tasks(1000, false);
  assert_int_equal(put_us(store, GS_OK), 0);
  assert_int_equal(put_us(store, GS_OK), 0);
  KIT_OK(gs_set_throttle(store, RATE, &kit_err));
  assert_int_equal(put_us(store, GS_OK), 0);
  for (int i = 0; i < 5; i++) {
    assert_took_bytes(put_us(store, GS_OK), VALUE_BYTES);
  }
  gs_stats stats = kit_stats(store);
  assert_int_equal(stats.stalls[GS_STALL_THROTTLE].count, 5);
  assert_took_bytes(stats.stalls[GS_STALL_THROTTLE].total_us / 5, VALUE_BYTES);
  assert_took_bytes(stats.stalls[GS_STALL_THROTTLE].max_us, VALUE_BYTES);
  assert_int_equal(stats.stall_count, 5);
  assert_int_equal(stats.stalls[GS_STALL_RUNS].count, 0);
  assert_string_equal(stats.stall_reason, "throttle");
  kit_close(store);
}

static void
test_nothing_is_saved_up_in_a_pause(void **state)
{
  (void)state;
  gs_store *store = open_with_tasks(1000, false);
  KIT_OK(gs_set_throttle(store, RATE, &kit_err));
  assert_int_equal(put_us(store, GS_OK), 0);
  gs_sim_advance_ms(sim_machine, 60000);
  assert_int_equal(put_us(store, GS_OK), 0);
  assert_took_bytes(put_us(store, GS_OK), VALUE_BYTES);
  kit_close(store);
}

static void
test_small_writes_go_by_in_milliseconds_worth(void **state)
{
  (void)state;
  gs_store *store = open_with_tasks(1000, false);
  KIT_OK(gs_set_throttle(store, RATE * 100, &kit_err));
  uint64_t began_us = gs_env_mono_us(sim_machine_env);
  for (int i = 0; i < 2000; i++) {
    kit_put(store, "k", "0123456789");
  }
  uint64_t took_us = gs_env_mono_us(sim_machine_env) - began_us;
  assert_in_range(took_us, 2000, 20000);
  assert_true(kit_stats(store).stall_count < took_us);
  kit_close(store);
}

static void
test_a_batch_is_held_back_as_a_whole(void **state)
{
  (void)state;
  gs_store *store = open_with_tasks(60000, false);
  KIT_OK(gs_set_throttle(store, RATE, &kit_err));
  static char value[VALUE_BYTES];
  gs_write_batch *batch = NULL;
  KIT_OK(gs_write_batch_new(store, &batch, &kit_err));
  for (int i = 0; i < 10; i++) {
    KIT_OK(gs_write_batch_put(batch, gs_slice_str("k"),
                              gs_slice_of(value, sizeof value), NULL,
                              &kit_err));
  }
  KIT_OK(gs_write_batch_commit(batch, NULL, NULL, NULL, &kit_err));
  gs_write_batch_free(batch);
  uint64_t took_us = put_us(store, GS_OK);
  assert_in_range(took_us, 990000, 1020000);
  kit_close(store);
}

static void
test_nobody_waits_longer_than_allowed(void **state)
{
  (void)state;
  gs_store *store = open_with_tasks(50, false);
  KIT_OK(gs_set_throttle(store, RATE, &kit_err));
  assert_int_equal(put_us(store, GS_OK), 0);
  assert_int_equal(put_us(store, GS_BUSY), 50000);
  assert_non_null(strstr(kit_err.message, "throttle"));
  assert_non_null(strstr(kit_err.hint, "policy"));
  assert_int_equal(kit_stats(store).stalls[GS_STALL_THROTTLE].max_us, 50000);
  /* What was not written costs nothing. */
  gs_sim_advance_ms(sim_machine, 52);
  assert_int_equal(put_us(store, GS_OK), 0);
  kit_close(store);
}

static void
test_with_fail_on_stall_nobody_waits_at_all(void **state)
{
  (void)state;
  gs_store *store = open_with_tasks(1000, true);
  KIT_OK(gs_set_throttle(store, RATE, &kit_err));
  assert_int_equal(put_us(store, GS_OK), 0);
  assert_int_equal(put_us(store, GS_BUSY), 0);
  gs_sim_advance_ms(sim_machine, 101);
  assert_int_equal(put_us(store, GS_OK), 0);
  kit_close(store);
}

static void
put_from_a_task(void *arg)
{
  kit_put(arg, "from", "a task");
}

static void
test_who_waits_goes_on_when_the_rate_is_taken_away(void **state)
{
  (void)state;
  gs_store *store = open_with_tasks(60000, false);
  KIT_OK(gs_set_throttle(store, 10, &kit_err));
  assert_int_equal(put_us(store, GS_OK), 0);
  uint32_t id;
  KIT_OK(gs_sim_spawn(sim_machine, "writer", put_from_a_task, store, &id,
                      &kit_err));
  gs_sim_drain(sim_machine);
  assert_string_equal(kit_get(store, "from"), "(absent)");
  KIT_OK(gs_set_throttle(store, 0, &kit_err));
  gs_sim_drain(sim_machine);
  assert_string_equal(kit_get(store, "from"), "a task");
  assert_int_equal(put_us(store, GS_OK), 0);
  kit_close(store);
}

static void
test_without_threads_a_write_works_instead_of_waiting(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.memory_bytes = 64 << 20;
  options.memtable_bytes = 8 << 20;
  gs_store *store = kit_open(&options);
  KIT_OK(gs_set_throttle(store, 10, &kit_err));
  kit_put(store, "a", "1");
  KIT_OK(gs_seal(store, &kit_err));
  assert_int_equal(kit_stats(store).flushes, 0);
  for (int i = 0; i < 4; i++) {
    kit_put(store, "b", "2");
  }
  assert_int_equal(kit_stats(store).flushes, 1);
  assert_int_equal(kit_stats(store).stall_count, 0);
  kit_close(store);
}

static void
test_all_waits_of_a_write_share_one_patience(void **state)
{
  (void)state;
  gs_store *store = open_with_tasks(50, false);
  gs_room room = {.payload_bytes = 1};
  assert_int_equal(gs_stall_patience_us(store, &room), 50000);
  gs_sim_advance_ms(sim_machine, 20);
  assert_int_equal(gs_stall_patience_us(store, &room), 30000);
  gs_sim_advance_ms(sim_machine, 100);
  assert_int_equal(gs_stall_patience_us(store, &room), 0);
  kit_close(store);
}

static void
test_hopeless_and_endless_rates_do_no_harm(void **state)
{
  (void)state;
  gs_store *store = open_with_tasks(1, false);
  KIT_OK(gs_set_throttle(store, 1, &kit_err));
  assert_int_equal(put_us(store, GS_OK), 0);
  assert_int_equal(put_us(store, GS_BUSY), 1000);
  KIT_OK(gs_set_throttle(store, UINT64_MAX, &kit_err));
  assert_int_equal(put_us(store, GS_OK), 0);
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_write_waits_for_the_bytes_before_it),
      KIT_TEST(test_nothing_is_saved_up_in_a_pause),
      KIT_TEST(test_small_writes_go_by_in_milliseconds_worth),
      KIT_TEST(test_a_batch_is_held_back_as_a_whole),
      KIT_TEST(test_nobody_waits_longer_than_allowed),
      KIT_TEST(test_with_fail_on_stall_nobody_waits_at_all),
      KIT_TEST(test_who_waits_goes_on_when_the_rate_is_taken_away),
      KIT_TEST(test_without_threads_a_write_works_instead_of_waiting),
      KIT_TEST(test_all_waits_of_a_write_share_one_patience),
      KIT_TEST(test_hopeless_and_endless_rates_do_no_harm),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
