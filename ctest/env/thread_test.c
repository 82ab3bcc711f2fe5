/*
 * Tests of what is said when a machine cannot make what threads need.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "env/env.h"
#include "support/sim_machine.h"

static gs_error err;

static void
run_nothing(void *arg)
{
  (void)arg;
}

static int
start_badly(gs_env *env, void (*run)(void *), void *arg, gs_thread **out)
{
  (void)env;
  (void)run;
  (void)arg;
  (void)out;
  return EAGAIN;
}

static void
test_no_memory_makes_no_mutex(void **state)
{
  (void)state;
  gs_mutex *mutex = (gs_mutex *)&err;
  gs_sim_fail_alloc(sim_machine, 1, 1);
  assert_int_equal(gs_mutex_new(sim_machine_env, &mutex, &err), GS_NOMEM);
  assert_string_equal(err.message, "cannot make a mutex");
  assert_null(mutex);
  gs_mutex_free(mutex);
}

static void
test_no_memory_makes_no_condition(void **state)
{
  (void)state;
  gs_cond *cond = (gs_cond *)&err;
  gs_sim_fail_alloc(sim_machine, 1, 1);
  assert_int_equal(gs_cond_new(sim_machine_env, &cond, &err), GS_NOMEM);
  assert_string_equal(err.message, "cannot make a condition");
  assert_null(cond);
  gs_cond_free(cond);
}

static void
test_a_machine_without_threads_says_so(void **state)
{
  (void)state;
  gs_thread *thread = (gs_thread *)&err;
  assert_false(sim_machine_env->has_threads);
  assert_int_equal(
      gs_thread_start(sim_machine_env, run_nothing, NULL, &thread, &err),
      GS_UNSUPPORTED);
  assert_null(thread);
  gs_thread_join(thread);
}

static void
test_too_many_threads_are_a_limit(void **state)
{
  (void)state;
  gs_thread *thread = (gs_thread *)&err;
  gs_env_ops ops = *sim_machine_env->ops;
  gs_env full = *sim_machine_env;
  ops.thread_start = start_badly;
  full.ops = &ops;
  assert_int_equal(gs_thread_start(&full, run_nothing, NULL, &thread, &err),
                   GS_LIMIT);
  assert_int_equal(err.os_errno, EAGAIN);
  assert_null(thread);
}

static void
test_a_registry_is_made_at_first_use(void **state)
{
  (void)state;
  gs_env fresh = *sim_machine_env;
  gs_mutex *registry = NULL;
  atomic_init(&fresh.registry, NULL);
  gs_sim_fail_alloc(sim_machine, 1, 1);
  assert_int_equal(gs_env_registry(&fresh, &registry, &err), GS_NOMEM);
  assert_null(registry);
  assert_int_equal(gs_env_registry(&fresh, &registry, &err), GS_OK);
  assert_ptr_equal(atomic_load(&fresh.registry), registry);
  gs_mutex_free(registry);
}

#define ONE_TEST(test)                                      \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_no_memory_makes_no_mutex),
      ONE_TEST(test_no_memory_makes_no_condition),
      ONE_TEST(test_a_machine_without_threads_says_so),
      ONE_TEST(test_too_many_threads_are_a_limit),
      ONE_TEST(test_a_registry_is_made_at_first_use),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
