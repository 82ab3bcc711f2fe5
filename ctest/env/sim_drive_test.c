/*
 * Tasks led by hand: step by step, held and released.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "env/env.h"
#include "env/sim.h"
#include "support/sim_machine.h"

static gs_error err;
static int passed; /* points that the walker went through */
static gs_mutex *mutex;

static int
set_up_tasks(void **state)
{
  sim_machine_set_up(state);
  gs_sim_allow_tasks(sim_machine);
  passed = 0;
  return 0;
}

static uint32_t
spawn(void (*run)(void *))
{
  uint32_t id = 0;
  assert_int_equal(gs_sim_spawn(sim_machine, "task", run, NULL, &id, &err),
                   GS_OK);
  return id;
}

static gs_sim_task
task_of(uint32_t id)
{
  gs_sim_task tasks[8];
  assert_true(gs_sim_tasks(sim_machine, tasks, 8) > id);
  return tasks[id];
}

static void
walk(void *arg)
{
  (void)arg;
  static const char *const places[] = {"one", "two", "three"};
  for (int i = 0; i < 3; i++) {
    gs_env_point(sim_machine_env, places[i]);
    passed++;
  }
}

static void
make_file(void *arg)
{
  (void)arg;
  gs_file *file = NULL;
  if (gs_file_open(sim_machine_env, "/f", GS_OPEN_CREATE, &file, NULL) ==
      GS_OK) {
    GS_IGNORE(gs_file_sync(file, NULL), "the steps are looked at");
  }
  GS_IGNORE(gs_file_close(file, NULL), "it was not written");
}

static void
test_a_task_stops_at_the_last_of_its_steps(void **state)
{
  (void)state;
  uint32_t id = spawn(walk);
  assert_true(gs_sim_step(sim_machine, id, 1));
  assert_int_equal(passed, 0);
  assert_string_equal(task_of(id).place, "one");
  assert_true(gs_sim_step(sim_machine, id, 0));
  assert_true(gs_sim_step(sim_machine, id, 2));
  assert_int_equal(passed, 2);
  assert_string_equal(task_of(id).place, "three");
  assert_false(gs_sim_step(sim_machine, id, 1)); /* it ends before */
  assert_int_equal(passed, 3);
  assert_int_equal(task_of(id).state, GS_TASK_ENDED);
  assert_false(gs_sim_step(sim_machine, id, 1));
}

static void
test_operations_are_steps_too(void **state)
{
  (void)state;
  uint32_t id = spawn(make_file);
  assert_true(gs_sim_step(sim_machine, id, 1));
  assert_string_equal(task_of(id).place, "open");
  assert_string_equal(sim_machine_text(sim_machine, "/f"), "(none)");
  assert_true(gs_sim_step(sim_machine, id, 1));
  assert_string_equal(task_of(id).place, "sync");
  assert_string_equal(sim_machine_text(sim_machine, "/f"), "");
  gs_sim_drain(sim_machine);
}

static void
lock_and_walk(void *arg)
{
  gs_mutex_lock(mutex);
  walk(arg);
  gs_mutex_unlock(mutex);
}

static void
test_a_task_that_waits_makes_no_step(void **state)
{
  (void)state;
  assert_int_equal(gs_mutex_new(sim_machine_env, &mutex, NULL), GS_OK);
  uint32_t first = spawn(lock_and_walk);
  uint32_t second = spawn(lock_and_walk);
  assert_true(gs_sim_step(sim_machine, first, 1));
  assert_false(gs_sim_step(sim_machine, second, 1));
  assert_int_equal(task_of(second).state, GS_TASK_WAITING);
  assert_false(gs_sim_step(sim_machine, first, 9));
  assert_int_equal(task_of(second).state, GS_TASK_READY);
  assert_true(gs_sim_step(sim_machine, second, 3));
  gs_sim_drain(sim_machine);
  assert_int_equal(passed, 6);
  gs_mutex_free(mutex);
}

static void
test_a_held_point_stops_all_but_the_caller(void **state)
{
  (void)state;
  char two[] = "two";
  gs_sim_hold(sim_machine, two);
  two[0] = 'x'; /* the machine has a copy */
  uint32_t first = spawn(walk);
  uint32_t second = spawn(walk);
  gs_sim_drain(sim_machine);
  assert_int_equal(passed, 2);
  assert_int_equal(task_of(first).state, GS_TASK_HELD);
  assert_int_equal(task_of(second).state, GS_TASK_HELD);
  assert_false(gs_sim_step(sim_machine, first, 1));
  walk(NULL); /* the caller goes through */
  assert_int_equal(passed, 5);
  gs_sim_release(sim_machine, "two");
  assert_int_equal(task_of(first).state, GS_TASK_READY);
  gs_sim_drain(sim_machine);
  assert_int_equal(passed, 9);
}

static void
test_a_released_point_lets_through_what_comes_later(void **state)
{
  (void)state;
  gs_sim_hold(sim_machine, "one");
  gs_sim_hold(sim_machine, "one");
  gs_sim_release(sim_machine, "one");
  gs_sim_release(sim_machine, "never held");
  spawn(walk);
  gs_sim_drain(sim_machine);
  assert_int_equal(passed, 3);
}

static void
wait_shortly(void *arg)
{
  (void)arg;
  gs_cond *cond = NULL;
  gs_mutex *own = NULL;
  if (gs_cond_new(sim_machine_env, &cond, NULL) == GS_OK &&
      gs_mutex_new(sim_machine_env, &own, NULL) == GS_OK) {
    gs_mutex_lock(own);
    passed += gs_cond_wait(cond, own, 5000) ? 10 : 1;
    gs_mutex_unlock(own);
  }
  gs_mutex_free(own);
  gs_cond_free(cond);
}

static void
test_draining_leaves_the_clock_alone(void **state)
{
  (void)state;
  uint64_t began_us = gs_env_mono_us(sim_machine_env);
  spawn(wait_shortly);
  gs_sim_drain(sim_machine);
  assert_int_equal(passed, 0);
  assert_true(gs_env_mono_us(sim_machine_env) == began_us);
  gs_sim_advance_ms(sim_machine, 4);
  gs_sim_drain(sim_machine);
  assert_int_equal(passed, 0);
  gs_sim_advance_ms(sim_machine, 1);
  gs_sim_drain(sim_machine);
  assert_int_equal(passed, 1);
}

#define TASK_TEST(test) \
  cmocka_unit_test_setup_teardown(test, set_up_tasks, sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      TASK_TEST(test_a_task_stops_at_the_last_of_its_steps),
      TASK_TEST(test_operations_are_steps_too),
      TASK_TEST(test_a_task_that_waits_makes_no_step),
      TASK_TEST(test_a_held_point_stops_all_but_the_caller),
      TASK_TEST(test_a_released_point_lets_through_what_comes_later),
      TASK_TEST(test_draining_leaves_the_clock_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
