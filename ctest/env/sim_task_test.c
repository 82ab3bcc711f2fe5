/*
 * Tasks: they run one at a time, have places and slots of their own, and end.
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "env/sim/state.h"
#include "support/child.h"
#include "support/sim_machine.h"

static gs_error err;

/* What tasks did, in order; they run one at a time. */
static char did[256];

static void
note(const char *text)
{
  strcat(did, text);
}

static int
set_up_tasks(void **state)
{
  sim_machine_set_up(state);
  gs_sim_allow_tasks(sim_machine);
  did[0] = '\0';
  return 0;
}

static void
note_nothing(void *arg)
{
  (void)arg;
}

static void
say_name(void *arg)
{
  note(arg);
  gs_env_point(sim_machine_env, "said");
  note(arg);
}

static uint32_t
spawn(const char *name, void (*run)(void *), void *arg)
{
  uint32_t id = 0;
  assert_int_equal(gs_sim_spawn(sim_machine, name, run, arg, &id, &err), GS_OK);
  return id;
}

static void
test_tasks_begin_when_the_caller_waits(void **state)
{
  (void)state;
  char a[] = "a";
  char b[] = "b";
  assert_int_equal(spawn("first", say_name, a), 1);
  assert_int_equal(spawn("second", say_name, b), 2);
  assert_string_equal(did, "");
  gs_sim_drain(sim_machine);
  assert_string_equal(did, "aabb"); /* who runs goes on */
}

static void
count_processors(void *arg)
{
  int *count = arg;
  cpu_set_t processors;
  *count = sched_getaffinity(0, sizeof processors, &processors) == 0
               ? CPU_COUNT(&processors)
               : 0;
}

/* Only one runs at a time, and handing on is quicker within a processor. */
static void
test_a_task_stays_on_the_processor_where_it_was_begun(void **state)
{
  (void)state;
  int own_before;
  int own_after;
  int of_task = 0;
  count_processors(&own_before);
  spawn("task", count_processors, &of_task);
  gs_sim_drain(sim_machine);
  count_processors(&own_after);
  assert_int_equal(of_task, 1);
  assert_int_equal(own_after, own_before);
}

static void
test_the_list_tells_names_states_and_places(void **state)
{
  (void)state;
  char a[] = "a";
  char name[] = "first";
  gs_sim_task tasks[2];
  uint32_t id = spawn(name, say_name, a);
  name[0] = 'x'; /* the machine has a copy */
  assert_int_equal(gs_sim_tasks(sim_machine, tasks, 2), 2);
  assert_string_equal(tasks[0].name, "caller");
  assert_int_equal(tasks[1].id, id);
  assert_string_equal(tasks[1].name, "first");
  assert_string_equal(tasks[1].place, "");
  assert_int_equal(tasks[1].state, GS_TASK_READY);
  assert_true(gs_sim_step(sim_machine, id, 1));
  assert_int_equal(gs_sim_tasks(sim_machine, tasks, 2), 2);
  assert_string_equal(tasks[1].place, "said");
  gs_sim_drain(sim_machine);
  assert_int_equal(gs_sim_tasks(sim_machine, tasks, 1), 2);
  gs_sim_tasks(sim_machine, tasks, 2);
  assert_int_equal(tasks[1].state, GS_TASK_ENDED);
}

static void
test_a_machine_without_tasks_has_none_and_takes_none(void **state)
{
  (void)state;
  uint32_t id;
  gs_thread *thread;
  assert_false(sim_machine_env->has_threads);
  assert_int_equal(gs_sim_tasks(sim_machine, NULL, 0), 0);
  assert_int_equal(
      gs_sim_spawn(sim_machine, "x", note_nothing, NULL, &id, &err), GS_MISUSE);
  assert_int_not_equal(
      gs_thread_start(sim_machine_env, note_nothing, NULL, &thread, &err),
      GS_OK);
  gs_sim_drain(sim_machine);
}

static void
test_threads_of_the_engine_are_tasks_that_can_be_joined(void **state)
{
  (void)state;
  char a[] = "a";
  gs_sim_task tasks[2];
  gs_thread *thread = NULL;
  assert_true(sim_machine_env->has_threads);
  assert_int_equal(gs_thread_start(sim_machine_env, say_name, a, &thread, &err),
                   GS_OK);
  assert_int_equal(gs_sim_tasks(sim_machine, tasks, 2), 2);
  assert_string_equal(tasks[1].name, "thread");
  gs_thread_join(thread);
  assert_string_equal(did, "aa");
}

static void
note_slot(void *arg)
{
  *(uint32_t *)arg = sim_machine_env->ops->thread_slot(sim_machine_env);
}

static void
test_slots_differ_among_the_living_and_are_used_again(void **state)
{
  (void)state;
  uint32_t slots[3];
  spawn("a", note_slot, &slots[0]);
  spawn("b", note_slot, &slots[1]);
  gs_sim_drain(sim_machine);
  assert_int_equal(sim_machine_env->ops->thread_slot(sim_machine_env), 0);
  assert_int_equal(slots[0], 1);
  assert_int_equal(slots[1], 2);
  spawn("c", note_slot, &slots[2]);
  gs_sim_drain(sim_machine);
  assert_int_equal(slots[2], 1);
}

static void
test_a_crash_leaves_the_tasks_behind(void **state)
{
  (void)state;
  char a[] = "a";
  uint32_t id = spawn("a", say_name, a);
  assert_true(gs_sim_step(sim_machine, id, 1));
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  assert_false(gs_sim_env(copy)->has_threads);
  assert_int_equal(gs_sim_tasks(copy, NULL, 0), 0);
  gs_sim_free(copy);
  gs_sim_drain(sim_machine);
}

static int
free_too_early(void *arg)
{
  (void)arg;
  uint32_t id;
  char a[] = "a";
  if (gs_sim_spawn(sim_machine, "a", say_name, a, &id, NULL) == GS_OK) {
    gs_sim_free(sim_machine);
  }
  return 0;
}

static void
test_a_machine_with_living_tasks_is_not_freed(void **state)
{
  (void)state;
  child_end end = child_run(free_too_early, NULL);
  assert_true(end.has_aborted);
  assert_non_null(strstr(end.said, "all tasks ended"));
}

#define ONE_TEST(test)                                      \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

#define TASK_TEST(test) \
  cmocka_unit_test_setup_teardown(test, set_up_tasks, sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      TASK_TEST(test_tasks_begin_when_the_caller_waits),
      TASK_TEST(test_a_task_stays_on_the_processor_where_it_was_begun),
      TASK_TEST(test_the_list_tells_names_states_and_places),
      ONE_TEST(test_a_machine_without_tasks_has_none_and_takes_none),
      TASK_TEST(test_threads_of_the_engine_are_tasks_that_can_be_joined),
      TASK_TEST(test_slots_differ_among_the_living_and_are_used_again),
      TASK_TEST(test_a_crash_leaves_the_tasks_behind),
      TASK_TEST(test_a_machine_with_living_tasks_is_not_freed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
