/*
 * Tests of a machine without threads: nobody is kept out, nobody is woken, and
 * mistakes with mutexes do not pass.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "env/env.h"
#include "env/sim.h"
#include "support/child.h"
#include "support/sim_machine.h"

static void
test_there_is_one_thread(void **state)
{
  (void)state;
  assert_int_equal(sim_machine_env->ops->thread_slot(sim_machine_env), 0);
}

static void
test_a_wait_ends_at_once_unsignalled(void **state)
{
  (void)state;
  gs_mutex *mutex = NULL;
  gs_cond *cond = NULL;
  assert_int_equal(gs_mutex_new(sim_machine_env, &mutex, NULL), GS_OK);
  assert_int_equal(gs_cond_new(sim_machine_env, &cond, NULL), GS_OK);
  gs_mutex_lock(mutex);
  gs_cond_broadcast(cond);
  assert_false(gs_cond_wait(cond, mutex, 0));
  assert_false(gs_cond_wait(cond, mutex, 1000000));
  gs_mutex_unlock(mutex);
  gs_cond_free(cond);
  gs_mutex_free(mutex);
}

typedef enum mistake {
  LOCK_TWICE,
  UNLOCK_UNLOCKED,
  WAIT_UNLOCKED,
  FREE_LOCKED,
} mistake;

static int
make_mistake(void *arg)
{
  gs_mutex *mutex = NULL;
  gs_cond *cond = NULL;
  if (gs_mutex_new(sim_machine_env, &mutex, NULL) != GS_OK ||
      gs_cond_new(sim_machine_env, &cond, NULL) != GS_OK) {
    return 1;
  }
  switch (*(mistake *)arg) {
  case LOCK_TWICE:
    gs_mutex_lock(mutex);
    gs_mutex_lock(mutex);
    break;
  case UNLOCK_UNLOCKED:
    gs_mutex_unlock(mutex);
    break;
  case WAIT_UNLOCKED:
    gs_cond_wait(cond, mutex, 1);
    break;
  case FREE_LOCKED:
    gs_mutex_lock(mutex);
    gs_mutex_free(mutex);
    break;
  }
  return 0;
}

static void
assert_mistake(mistake made, const char *rule)
{
  child_end end = child_run(make_mistake, &made);
  assert_true(end.has_aborted);
  assert_non_null(strstr(end.said, rule));
}

static void
test_mistakes_with_mutexes_end_the_process(void **state)
{
  (void)state;
  assert_mistake(LOCK_TWICE, "a mutex is locked once");
  assert_mistake(UNLOCK_UNLOCKED, "an unlocked mutex was locked");
  assert_mistake(WAIT_UNLOCKED, "a waiter holds the mutex");
  assert_mistake(FREE_LOCKED, "a freed mutex is unlocked");
}

#define ONE_TEST(test)                                      \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_there_is_one_thread),
      ONE_TEST(test_a_wait_ends_at_once_unsignalled),
      ONE_TEST(test_mistakes_with_mutexes_end_the_process),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
