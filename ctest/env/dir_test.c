/*
 * Tests of what failures about names and locks say, over the simulated
 * machine.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "env/env.h"
#include "support/sim_machine.h"

static gs_error err;

static void
ignore_name(void *context, const char *name)
{
  (void)context;
  (void)name;
}

static void
deny_everything(void)
{
  gs_sim_fault fault = {.op = GS_SIM_ANY, .os_errno = EROFS};
  assert_int_equal(gs_sim_fail(sim_machine, &fault, NULL), GS_OK);
}

static void
assert_says(gs_status status, const char *message)
{
  assert_int_equal(status, GS_READONLY);
  assert_string_equal(err.message, message);
  assert_int_equal(err.os_errno, EROFS);
  assert_true(err.hint[0] != '\0');
}

static void
test_each_failure_says_what_was_tried(void **state)
{
  (void)state;
  gs_env *env = sim_machine_env;
  gs_file_info info;
  gs_lock *lock;
  deny_everything();
  assert_says(gs_env_list(env, "/d", ignore_name, NULL, &err),
              "cannot list '/d': Read-only file system");
  assert_says(gs_env_stat(env, "/d", &info, &err),
              "cannot look at '/d': Read-only file system");
  assert_says(gs_env_make_dir(env, "/d", &err),
              "cannot make the directory '/d': Read-only file system");
  assert_says(gs_env_remove(env, "/d", &err),
              "cannot remove '/d': Read-only file system");
  assert_says(gs_env_remove_dir(env, "/d", &err),
              "cannot remove the directory '/d': Read-only file system");
  assert_says(gs_env_link(env, "/d", "/e", &err),
              "cannot make the link '/e': Read-only file system");
  assert_says(gs_env_sync_dir(env, "/d", &err),
              "cannot sync the directory '/d': Read-only file system");
  assert_says(gs_env_lock(env, "/d", &lock, &err),
              "cannot lock '/d': Read-only file system");
  assert_null(lock);
}

static void
test_a_directory_that_is_not_there_has_no_space(void **state)
{
  (void)state;
  gs_disk_space space;
  assert_int_equal(gs_env_space(sim_machine_env, "/none", &space, &err),
                   GS_MISSING);
  assert_string_equal(err.path, "/none");
}

static void
test_a_taken_lock_names_its_owner(void **state)
{
  (void)state;
  gs_lock *lock;
  gs_lock *second;
  assert_int_equal(gs_env_lock(sim_machine_env, "/LOCK", &lock, &err), GS_OK);
  assert_int_equal(gs_env_lock(sim_machine_env, "/LOCK", &second, &err),
                   GS_LOCKED);
  assert_string_equal(err.message, "'/LOCK' is locked by process 1 sim");
  assert_string_equal(err.path, "/LOCK");
  assert_int_equal(err.os_errno, EWOULDBLOCK);
  assert_null(second);
  gs_env_unlock(lock);
}

static void
test_an_owner_who_wrote_nothing_stays_unnamed(void **state)
{
  (void)state;
  gs_lock *lock;
  gs_lock *second;
  assert_int_equal(gs_env_lock(sim_machine_env, "/LOCK", &lock, &err), GS_OK);
  assert_int_equal(gs_sim_replace(sim_machine, "/LOCK", gs_slice_str(""), NULL),
                   GS_OK);
  assert_int_equal(gs_env_lock(sim_machine_env, "/LOCK", &second, &err),
                   GS_LOCKED);
  assert_string_equal(err.message, "'/LOCK' is locked by another process");
  gs_env_unlock(lock);
}

static void
test_unlocking_nothing_is_fine(void **state)
{
  (void)state;
  gs_env_unlock(NULL);
}

#define ONE_TEST(test)                                      \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_each_failure_says_what_was_tried),
      ONE_TEST(test_a_directory_that_is_not_there_has_no_space),
      ONE_TEST(test_a_taken_lock_names_its_owner),
      ONE_TEST(test_an_owner_who_wrote_nothing_stays_unnamed),
      ONE_TEST(test_unlocking_nothing_is_fine),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
