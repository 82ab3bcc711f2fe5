/*
 * Tests of the simulated machine at rest: its clock, chance and identity, the
 * discipline of its mutexes, and that the same calls give the same answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "env/sim.h"
#include "support/child.h"
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
  uint64_t process = sim_machine_env->ops->process_id(sim_machine_env);
  gs_sim *first = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  gs_sim *second = gs_sim_crash(sim_machine, GS_CRASH_KILL, 1);
  uint64_t drawn = gs_env_random64(gs_sim_env(first));
  assert_true(drawn != gs_env_random64(gs_sim_env(second)));
  assert_true(drawn != gs_env_random64(sim_machine_env));
  assert_true(gs_sim_env(first)->ops->process_id(gs_sim_env(first)) != process);
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

static void
test_a_lock_is_held_once_and_not_beyond_a_crash(void **state)
{
  (void)state;
  gs_lock *lock = NULL;
  gs_lock *second = NULL;
  assert_int_equal(gs_env_lock(sim_machine_env, "/L", &lock, NULL), GS_OK);
  assert_int_equal(gs_env_lock(sim_machine_env, "/L", &second, NULL),
                   GS_LOCKED);
  gs_sim *crashed = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  assert_int_equal(gs_env_lock(gs_sim_env(crashed), "/L", &second, NULL),
                   GS_OK);
  gs_env_unlock(second);
  gs_sim_free(crashed);
  gs_env_unlock(lock);
  assert_int_equal(gs_env_lock(sim_machine_env, "/L", &lock, NULL), GS_OK);
  gs_env_unlock(lock);
  assert_string_equal(sim_machine_text(sim_machine, "/L"), "1 sim\n");
}

static void
test_a_lock_that_cannot_be_taken_leaves_nothing(void **state)
{
  (void)state;
  gs_lock *lock = NULL;
  assert_int_equal(gs_env_make_dir(sim_machine_env, "/d", NULL), GS_OK);
  assert_int_equal(gs_env_lock(sim_machine_env, "/d", &lock, NULL), GS_IO);
  assert_int_equal(gs_env_lock(sim_machine_env, "/no/L", &lock, NULL),
                   GS_MISSING);
  gs_sim_fail_alloc(sim_machine, 1);
  assert_int_equal(gs_env_lock(sim_machine_env, "/L", &lock, NULL), GS_NOMEM);
}

static void
test_an_open_file_works_on_without_its_name(void **state)
{
  (void)state;
  char text[4] = "";
  gs_file *file = sim_machine_open("/f", GS_OPEN_CREATE);
  sim_machine_write(file, 0, "abc");
  assert_int_equal(gs_env_remove(sim_machine_env, "/f", NULL), GS_OK);
  sim_machine_sync_dir("/");
  assert_string_equal(sim_machine_text(sim_machine, "/f"), "(none)");
  assert_int_equal(gs_file_read(file, 0, text, 3, NULL), GS_OK);
  assert_string_equal(text, "abc");
  sim_machine_close(file);
}

static void
test_a_dump_tells_what_is_durable(void **state)
{
  (void)state;
  gs_buffer out;
  gs_buffer_init(&out, sim_machine_env->alloc);
  sim_machine_make_durable("/a", "abc");
  gs_file *file = sim_machine_open("/a", GS_OPEN_WRITE);
  sim_machine_write(file, 3, "d");
  sim_machine_make("/b", "");
  gs_sim_dump(sim_machine, &out);
  gs_buffer_append_zeros(&out, 1);
  assert_string_equal((char *)out.data,
                      "1 names a=2 b=3 durable a=2 pending 1\n"
                      "2 size 4 durable 3 pending 1\n"
                      "3 size 0 durable 0 pending 0\n");
  gs_buffer_deinit(&out);
  sim_machine_close(file);
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
      ONE_TEST(test_there_is_one_thread),
      ONE_TEST(test_a_wait_ends_at_once_unsignalled),
      ONE_TEST(test_mistakes_with_mutexes_end_the_process),
      ONE_TEST(test_a_lock_is_held_once_and_not_beyond_a_crash),
      ONE_TEST(test_a_lock_that_cannot_be_taken_leaves_nothing),
      ONE_TEST(test_an_open_file_works_on_without_its_name),
      ONE_TEST(test_a_dump_tells_what_is_durable),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
