/*
 * Tests of threads, mutexes and conditions of the real machine. Run them under
 * the thread sanitizer too.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "env/env.h"
#include "support/child.h"

enum { THREADS = 4, ROUNDS = 5000 };

/* Its microseconds carry into the next second. */
#define HOUR_US (UINT64_C(3600) * 1000000 + 999999)

static gs_env *env;
static gs_mutex *mutex;
static gs_cond *cond;
static gs_thread *threads[THREADS];
static uint64_t counter; /* guarded by the mutex */

static int
set_up(void **state)
{
  (void)state;
  env = gs_env_posix();
  counter = 0;
  return gs_mutex_new(env, &mutex, NULL) == GS_OK &&
                 gs_cond_new(env, &cond, NULL) == GS_OK
             ? 0
             : -1;
}

static int
tear_down(void **state)
{
  (void)state;
  gs_cond_free(cond);
  gs_mutex_free(mutex);
  return 0;
}

static void
start(size_t i, void (*run)(void *), void *arg)
{
  assert_int_equal(gs_thread_start(env, run, arg, &threads[i], NULL), GS_OK);
}

static void
join_all(void)
{
  for (size_t i = 0; i < THREADS; i++) {
    gs_thread_join(threads[i]);
  }
}

static void
count_up(void *arg)
{
  (void)arg;
  for (int i = 0; i < ROUNDS; i++) {
    gs_mutex_lock(mutex);
    counter++;
    gs_mutex_unlock(mutex);
  }
}

static void
test_a_mutex_lets_one_in_at_a_time(void **state)
{
  (void)state;
  for (size_t i = 0; i < THREADS; i++) {
    start(i, count_up, NULL);
  }
  join_all();
  assert_int_equal(counter, THREADS * ROUNDS);
}

/* Takes its turn when the counter, modulo the number of threads, is its own. */
static void
take_turns(void *arg)
{
  size_t turn = (size_t)((gs_thread **)arg - threads);
  gs_mutex_lock(mutex);
  for (int i = 0; i < ROUNDS / 10; i++) {
    while (counter % THREADS != turn) {
      gs_cond_wait(cond, mutex, 0);
    }
    counter++;
    gs_cond_broadcast(cond);
  }
  gs_mutex_unlock(mutex);
}

static void
test_a_broadcast_wakes_all_who_wait(void **state)
{
  (void)state;
  for (size_t i = 0; i < THREADS; i++) {
    start(i, take_turns, &threads[i]);
  }
  join_all();
  assert_int_equal(counter, THREADS * (ROUNDS / 10));
}

static void
test_a_wait_ends_when_its_time_is_up(void **state)
{
  (void)state;
  uint64_t before = gs_env_mono_us(env);
  gs_mutex_lock(mutex);
  while (gs_cond_wait(cond, mutex, 1000)) {
  }
  gs_mutex_unlock(mutex);
  assert_true(gs_env_mono_us(env) - before >= 1000);
}

static void
ask_for_registry(void *arg)
{
  GS_IGNORE(gs_env_registry(env, arg, NULL) != GS_OK, "NULL shows it");
}

static void
test_threads_that_meet_for_the_first_time_find_one_registry(void **state)
{
  (void)state;
  gs_mutex *found[THREADS] = {NULL};
  for (size_t i = 0; i < THREADS; i++) {
    start(i, ask_for_registry, &found[i]);
  }
  join_all();
  assert_non_null(found[0]);
  for (size_t i = 1; i < THREADS; i++) {
    assert_ptr_equal(found[i], found[0]);
  }
}

static void
set_counter(void *arg)
{
  (void)arg;
  gs_mutex_lock(mutex);
  counter = 1;
  gs_cond_broadcast(cond);
  gs_mutex_unlock(mutex);
}

static void
test_a_wait_with_a_limit_is_woken_before_it(void **state)
{
  (void)state;
  bool is_woken = true;
  gs_mutex_lock(mutex);
  start(0, set_counter, NULL);
  while (counter == 0) {
    is_woken = gs_cond_wait(cond, mutex, HOUR_US);
  }
  gs_mutex_unlock(mutex);
  assert_true(is_woken);
  gs_thread_join(threads[0]);
}

static void
note_signals(void *arg)
{
  pthread_sigmask(SIG_BLOCK, NULL, arg);
}

static void
test_threads_hear_no_signals_and_their_starter_still_does(void **state)
{
  (void)state;
  sigset_t before;
  sigset_t after;
  sigset_t within;
  sigemptyset(&within);
  pthread_sigmask(SIG_BLOCK, NULL, &before);
  start(0, note_signals, &within);
  gs_thread_join(threads[0]);
  pthread_sigmask(SIG_BLOCK, NULL, &after);
  static const int signals[] = {SIGINT,  SIGTERM, SIGHUP,
                                SIGALRM, SIGUSR1, SIGCHLD};
  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
    assert_int_equal(sigismember(&within, signals[i]), 1);
    assert_int_equal(sigismember(&before, signals[i]),
                     sigismember(&after, signals[i]));
  }
}

#ifdef GS_DEBUG
static int
lock_twice(void *arg)
{
  (void)arg;
  gs_mutex_lock(mutex);
  gs_mutex_lock(mutex);
  return 0;
}

static int
unlock_unlocked(void *arg)
{
  (void)arg;
  gs_mutex_unlock(mutex);
  return 0;
}

static void
test_a_debug_build_notices_a_mutex_locked_twice(void **state)
{
  (void)state;
  assert_true(child_run(lock_twice, NULL).has_aborted);
}

static void
test_a_debug_build_notices_a_mutex_unlocked_twice(void **state)
{
  (void)state;
  assert_true(child_run(unlock_unlocked, NULL).has_aborted);
}
#endif

#define ONE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_a_mutex_lets_one_in_at_a_time),
      ONE_TEST(test_a_broadcast_wakes_all_who_wait),
      ONE_TEST(test_a_wait_ends_when_its_time_is_up),
      ONE_TEST(test_threads_that_meet_for_the_first_time_find_one_registry),
      ONE_TEST(test_a_wait_with_a_limit_is_woken_before_it),
      ONE_TEST(test_threads_hear_no_signals_and_their_starter_still_does),
#ifdef GS_DEBUG
      ONE_TEST(test_a_debug_build_notices_a_mutex_locked_twice),
      ONE_TEST(test_a_debug_build_notices_a_mutex_unlocked_twice),
#endif
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
