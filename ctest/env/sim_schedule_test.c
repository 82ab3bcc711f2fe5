/*
 * Who runs next: waits, the clock, deadlocks, and choosers that visit every
 * interleaving there is.
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
#include "support/child.h"
#include "support/sim_machine.h"

enum { TURNS_MAX = 64 };

static gs_error err;
static char did[64];
static gs_mutex *mutex;
static gs_mutex *other;
static gs_cond *cond;
static bool is_set;

static void
note(const char *text)
{
  strcat(did, text);
}

static void
begin(void)
{
  gs_sim_allow_tasks(sim_machine);
  did[0] = '\0';
  is_set = false;
  assert_int_equal(gs_mutex_new(sim_machine_env, &mutex, &err), GS_OK);
  assert_int_equal(gs_mutex_new(sim_machine_env, &other, &err), GS_OK);
  assert_int_equal(gs_cond_new(sim_machine_env, &cond, &err), GS_OK);
}

static int
set_up_tasks(void **state)
{
  sim_machine_set_up(state);
  begin();
  return 0;
}

static int
tear_down_tasks(void **state)
{
  gs_mutex_free(mutex);
  gs_mutex_free(other);
  gs_cond_free(cond);
  return sim_machine_tear_down(state);
}

static void
spawn(void (*run)(void *), const char *text)
{
  uint32_t id;
  char *arg = (char *)(uintptr_t)text;
  assert_int_equal(gs_sim_spawn(sim_machine, text, run, arg, &id, &err), GS_OK);
}

/* ---- waiting -------------------------------------------------------------------- */

static void
wait_until_set(void *arg)
{
  gs_mutex_lock(mutex);
  while (!is_set) {
    if (!gs_cond_wait(cond, mutex, 0)) {
      note("time-out ");
    }
  }
  note(arg);
  gs_mutex_unlock(mutex);
}

static void
test_a_broadcast_wakes_all_who_wait(void **state)
{
  (void)state;
  spawn(wait_until_set, "a");
  spawn(wait_until_set, "b");
  gs_sim_drain(sim_machine);
  assert_string_equal(did, "");
  gs_mutex_lock(mutex);
  is_set = true;
  gs_cond_broadcast(cond);
  gs_sim_drain(sim_machine); /* they still wait for the mutex */
  assert_string_equal(did, "");
  gs_mutex_unlock(mutex);
  gs_sim_drain(sim_machine);
  assert_string_equal(did, "ab");
}

static void
set_it(void *arg)
{
  (void)arg;
  gs_mutex_lock(mutex);
  is_set = true;
  gs_cond_broadcast(cond);
  gs_mutex_unlock(mutex);
}

static void
test_without_a_chooser_the_next_by_id_follows(void **state)
{
  (void)state;
  spawn(wait_until_set, "a");
  spawn(set_it, "setter");
  spawn(wait_until_set, "c");
  gs_sim_drain(sim_machine);
  assert_string_equal(did, "ca");
}

static void
wait_for_time(void *arg)
{
  uint64_t ms = strtoull(arg, NULL, 10);
  gs_mutex_lock(mutex);
  if (!gs_cond_wait(cond, mutex, ms * 1000)) {
    note(arg);
  }
  gs_mutex_unlock(mutex);
}

static void
wait_twice(void *arg)
{
  wait_until_set(arg);
  wait_for_time((char[]){"5"});
}

static void
test_a_broadcast_ends_one_wait_and_not_the_next(void **state)
{
  (void)state;
  spawn(wait_twice, "a");
  spawn(set_it, "setter");
  gs_sim_drain(sim_machine);
  assert_string_equal(did, "a");
  gs_sim_advance_ms(sim_machine, 5);
  gs_sim_drain(sim_machine);
  assert_string_equal(did, "a5");
}

static void
test_the_clock_moves_to_the_nearest_deadline_when_all_wait(void **state)
{
  (void)state;
  uint64_t mono_us = gs_env_mono_us(sim_machine_env);
  uint64_t wall_ms = gs_sim_wall_ms(sim_machine);
  spawn(wait_for_time, "9");
  spawn(wait_for_time, "3");
  wait_for_time((char[]){"6"});
  assert_string_equal(did, "36");
  assert_true(gs_env_mono_us(sim_machine_env) == mono_us + 6000);
  assert_true(gs_sim_wall_ms(sim_machine) == wall_ms + 6);
  wait_for_time((char[]){"7"});
  assert_string_equal(did, "3697");
}

static void
work_on(void *arg)
{
  for (int i = 0; i < 5; i++) {
    gs_env_point(sim_machine_env, "work");
  }
  note(arg);
}

static void
test_the_clock_stands_while_anybody_could_run(void **state)
{
  (void)state;
  uint64_t began_us = gs_env_mono_us(sim_machine_env);
  spawn(work_on, "w");
  wait_for_time((char[]){"1"});
  assert_string_equal(did, "w1");
  assert_true(gs_env_mono_us(sim_machine_env) == began_us + 1000);
}

/* ---- deadlocks ------------------------------------------------------------------- */

static void
lock_both(void *arg)
{
  bool is_first = *(const char *)arg == '1';
  gs_mutex_lock(is_first ? mutex : other);
  gs_env_point(sim_machine_env, "between");
  gs_mutex_lock(is_first ? other : mutex);
  gs_mutex_unlock(mutex);
  gs_mutex_unlock(other);
}

static int
meet_in_the_middle(void *arg)
{
  (void)arg;
  spawn(lock_both, "1");
  spawn(lock_both, "2");
  GS_IGNORE(gs_sim_step(sim_machine, 1, 1), "looked at by the parent");
  GS_IGNORE(gs_sim_step(sim_machine, 2, 1), "looked at by the parent");
  gs_mutex_lock(mutex);
  return 0;
}

static void
test_a_deadlock_ends_the_process_and_says_who_waits(void **state)
{
  (void)state;
  child_end end = child_run(meet_in_the_middle, NULL);
  assert_true(end.has_aborted);
  assert_non_null(strstr(end.said, "all tasks wait for ever"));
  assert_non_null(strstr(end.said, "0 caller waits for a mutex of 1"));
  assert_non_null(strstr(end.said, "1 1 after between waits for a mutex of 2"));
  assert_non_null(strstr(end.said, "2 2 after between waits for a mutex of 1"));
}

/* ---- all interleavings -------------------------------------------------------------- */

/* Visits a tree of choices depth first, a path for each run. */
typedef struct explorer {
  size_t taken[TURNS_MAX];
  size_t width[TURNS_MAX];
  size_t depth; /* of the last run */
  size_t at;    /* in this run */
} explorer;

static size_t
explore(void *context, const uint32_t *ready, size_t count, size_t running)
{
  explorer *e = context;
  assert_true(count > 1 && running <= count && e->at < TURNS_MAX);
  for (size_t i = 1; i < count; i++) {
    assert_true(ready[i] > ready[i - 1]);
  }
  e->width[e->at] = count;
  if (e->at >= e->depth) {
    e->taken[e->at] = 0;
  }
  return e->taken[e->at++];
}

/* The next path; false after the last. */
static bool
turn_page(explorer *e)
{
  e->depth = e->at;
  e->at = 0;
  while (e->depth > 0 && e->taken[e->depth - 1] + 1 == e->width[e->depth - 1]) {
    e->depth--;
  }
  if (e->depth == 0) {
    return false;
  }
  e->taken[e->depth - 1]++;
  return true;
}

static void
say_twice(void *arg)
{
  note(arg);
  gs_env_point(sim_machine_env, "between");
  note(arg);
}

static void
say_locked(void *arg)
{
  gs_mutex_lock(mutex);
  say_twice(arg);
  gs_mutex_unlock(mutex);
}

/* Runs the tasks under every schedule; returns how many different traces there
 * were, in how many runs. */
static size_t
count_traces(void (*run)(void *), const char *const *names, size_t count,
             size_t *runs)
{
  static char traces[256][64];
  size_t different = 0;
  explorer e = {.depth = 0};
  *runs = 0;
  do {
    did[0] = '\0';
    for (size_t i = 0; i < count; i++) {
      spawn(run, names[i]);
    }
    gs_sim_set_chooser(sim_machine, explore, &e);
    gs_sim_drain(sim_machine);
    gs_sim_set_chooser(sim_machine, NULL, NULL);
    size_t i = 0;
    while (i < different && strcmp(traces[i], did) != 0) {
      i++;
    }
    if (i == different) {
      strcpy(traces[different++], did);
    }
    (*runs)++;
  } while (turn_page(&e));
  return different;
}

static void
test_choosers_reach_every_interleaving_once(void **state)
{
  (void)state;
  static const char *const names[] = {"a", "b", "c"};
  size_t runs;
  assert_int_equal(count_traces(say_twice, names, 2, &runs), 6);
  assert_int_equal(runs, 6); /* 4! / (2! 2!) */
  assert_int_equal(count_traces(say_twice, names, 3, &runs), 90);
  assert_int_equal(runs, 90); /* 6! / (2! 2! 2!) */
}

static void
test_a_mutex_keeps_its_holder_alone(void **state)
{
  (void)state;
  static const char *const names[] = {"a", "b", "c"};
  size_t runs;
  assert_int_equal(count_traces(say_locked, names, 3, &runs), 6);
  assert_true(runs > 6);
}

static size_t
choose_badly(void *context, const uint32_t *ready, size_t count, size_t running)
{
  (void)context;
  (void)ready;
  (void)running;
  return count;
}

static int
run_a_bad_chooser(void *arg)
{
  (void)arg;
  spawn(say_twice, "a");
  spawn(say_twice, "b");
  gs_sim_set_chooser(sim_machine, choose_badly, NULL);
  gs_sim_drain(sim_machine);
  return 0;
}

static void
test_a_chooser_names_one_that_is_ready(void **state)
{
  (void)state;
  child_end end = child_run(run_a_bad_chooser, NULL);
  assert_true(end.has_aborted);
  assert_non_null(strstr(end.said, "a chooser names one that is ready"));
}

static void
unlock_it(void *arg)
{
  (void)arg;
  gs_mutex_unlock(mutex);
}

static int
unlock_what_another_locked(void *arg)
{
  (void)arg;
  gs_mutex_lock(mutex);
  spawn(unlock_it, "thief");
  gs_sim_drain(sim_machine);
  return 0;
}

static void
test_a_mutex_is_unlocked_by_who_locked_it(void **state)
{
  (void)state;
  child_end end = child_run(unlock_what_another_locked, NULL);
  assert_true(end.has_aborted);
  assert_non_null(strstr(end.said, "a mutex is unlocked by who locked it"));
}

#define TASK_TEST(test) \
  cmocka_unit_test_setup_teardown(test, set_up_tasks, tear_down_tasks)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      TASK_TEST(test_a_broadcast_wakes_all_who_wait),
      TASK_TEST(test_without_a_chooser_the_next_by_id_follows),
      TASK_TEST(test_a_broadcast_ends_one_wait_and_not_the_next),
      TASK_TEST(test_the_clock_moves_to_the_nearest_deadline_when_all_wait),
      TASK_TEST(test_the_clock_stands_while_anybody_could_run),
      TASK_TEST(test_a_deadlock_ends_the_process_and_says_who_waits),
      TASK_TEST(test_choosers_reach_every_interleaving_once),
      TASK_TEST(test_a_mutex_keeps_its_holder_alone),
      TASK_TEST(test_a_chooser_names_one_that_is_ready),
      TASK_TEST(test_a_mutex_is_unlocked_by_who_locked_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
