/*
 * Tests of the simulated machine at rest: its clock, chance and identity, and
 * whose memory is whose.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "env/env.h"
#include "env/sim.h"
#include "support/sim_machine.h"

enum { DRAWS = 1000 };

static void
test_time_stands_still_until_moved(void **state)
{
  (void)state;
  uint64_t mono_us = gs_env_mono_us(sim_machine_env);
  uint64_t wall_ms = gs_env_wall_ms(sim_machine_env);
  assert_true(gs_env_mono_us(sim_machine_env) == mono_us);
  gs_sim_advance_ms(sim_machine, 5);
  assert_true(gs_env_mono_us(sim_machine_env) == mono_us + 5000);
  assert_true(gs_env_wall_ms(sim_machine_env) == wall_ms + 5);
  gs_sim_set_wall_ms(sim_machine, 7);
  assert_true(gs_env_mono_us(sim_machine_env) == mono_us + 5000);
  assert_true(gs_env_wall_ms(sim_machine_env) == 7);
}

static void
test_one_seed_gives_one_row_of_numbers(void **state)
{
  (void)state;
  gs_sim *same = gs_sim_new(1);
  gs_sim *other = gs_sim_new(2);
  for (int i = 0; i < DRAWS; i++) {
    uint64_t drawn = gs_env_random64(sim_machine_env);
    assert_true(gs_env_random64(gs_sim_env(same)) == drawn);
    assert_true(gs_env_random64(gs_sim_env(other)) != drawn);
  }
  gs_sim_free(same);
  gs_sim_free(other);
}

static void
test_a_crashed_machine_draws_other_numbers_and_is_another_process(void **state)
{
  (void)state;
  uint64_t process = gs_env_process(sim_machine_env);
  gs_sim *first = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  gs_sim *second = gs_sim_crash(sim_machine, GS_CRASH_KILL, 1);
  uint64_t drawn = gs_env_random64(gs_sim_env(first));
  assert_true(drawn != gs_env_random64(gs_sim_env(second)));
  assert_true(drawn != gs_env_random64(sim_machine_env));
  assert_true(gs_env_process(gs_sim_env(first)) != process);
  gs_sim_free(first);
  gs_sim_free(second);
}

static void
test_power_loss_restarts_one_clock_and_a_kill_none(void **state)
{
  (void)state;
  uint64_t start_us = gs_env_mono_us(sim_machine_env);
  gs_sim_advance_ms(sim_machine, 1000);
  uint64_t wall_ms = gs_env_wall_ms(sim_machine_env);
  sim_machine_crash(GS_CRASH_KILL, 0);
  assert_true(gs_env_mono_us(sim_machine_env) == start_us + 1000000);
  sim_machine_crash(GS_CRASH_SYNCED, 0);
  assert_true(gs_env_mono_us(sim_machine_env) == start_us);
  assert_true(gs_env_wall_ms(sim_machine_env) == wall_ms);
}

static void
test_the_registry_is_not_in_the_account_of_the_guests(void **state)
{
  (void)state;
  gs_mutex *registry = NULL;
  gs_mutex *again = NULL;
  assert_int_equal(gs_env_registry(sim_machine_env, &registry, NULL), GS_OK);
  assert_int_equal(gs_env_registry(sim_machine_env, &again, NULL), GS_OK);
  assert_ptr_equal(registry, again);
  assert_int_equal(gs_sim_allocated_bytes(sim_machine), 0);
}

#define ONE_TEST(test)                                      \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_time_stands_still_until_moved),
      ONE_TEST(test_one_seed_gives_one_row_of_numbers),
      ONE_TEST(
          test_a_crashed_machine_draws_other_numbers_and_is_another_process),
      ONE_TEST(test_power_loss_restarts_one_clock_and_a_kill_none),
      ONE_TEST(test_the_registry_is_not_in_the_account_of_the_guests),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
