/*
 * Tests of the lock within the simulated machine.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "env/env.h"
#include "env/sim.h"
#include "support/sim_machine.h"

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
  gs_sim_fail_alloc(sim_machine, 1, 1);
  assert_int_equal(gs_env_lock(sim_machine_env, "/L", &lock, NULL), GS_NOMEM);
}

static void
test_the_next_holder_writes_over_the_name_of_the_last(void **state)
{
  (void)state;
  gs_lock *lock = NULL;
  gs_slice longer = gs_slice_str("12345678 a longer name\n");
  assert_int_equal(gs_sim_replace(sim_machine, "/L", longer, NULL), GS_OK);
  assert_int_equal(gs_env_lock(sim_machine_env, "/L", &lock, NULL), GS_OK);
  assert_string_equal(sim_machine_text(sim_machine, "/L"), "1 sim\n");
  gs_env_unlock(lock);
}

static void
test_a_lock_file_removed_while_held_stays_locked_to_its_holder(void **state)
{
  (void)state;
  gs_lock *lock = NULL;
  gs_lock *other = NULL;
  assert_int_equal(gs_env_lock(sim_machine_env, "/L", &lock, NULL), GS_OK);
  assert_int_equal(gs_env_remove(sim_machine_env, "/L", NULL), GS_OK);
  sim_machine_sync_dir("/"); /* nothing but the lock refers to it now */
  assert_int_equal(gs_env_lock(sim_machine_env, "/L", &other, NULL), GS_OK);
  gs_env_unlock(other);
  gs_env_unlock(lock);
}

static void
test_an_owner_as_long_as_the_room_is_cut(void **state)
{
  (void)state;
  char owner[7] = "zzzzzz";
  gs_lock *lock = NULL;
  gs_lock *second = NULL;
  assert_int_equal(gs_env_lock(sim_machine_env, "/L", &lock, NULL), GS_OK);
  gs_slice text = gs_slice_str("123456");
  assert_int_equal(gs_sim_replace(sim_machine, "/L", text, NULL), GS_OK);
  owner[6] = 'z';
  assert_int_equal(
      sim_machine_env->ops->lock(sim_machine_env, "/L", &second, owner, 6),
      EWOULDBLOCK);
  assert_memory_equal(owner, "12345\0z", 7);
  gs_env_unlock(lock);
}

#define ONE_TEST(test)                                      \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_a_lock_is_held_once_and_not_beyond_a_crash),
      ONE_TEST(test_a_lock_that_cannot_be_taken_leaves_nothing),
      ONE_TEST(test_the_next_holder_writes_over_the_name_of_the_last),
      ONE_TEST(test_a_lock_file_removed_while_held_stays_locked_to_its_holder),
      ONE_TEST(test_an_owner_as_long_as_the_room_is_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
