/*
 * Tests of simulated directories beyond what both machines share: the root, and
 * space.
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

static gs_error err;

static void
test_the_root_is_there_and_stays(void **state)
{
  (void)state;
  const gs_env_ops *ops = sim_machine_env->ops;
  gs_file_info info;
  sim_machine_make("/f", "");
  assert_int_equal(gs_env_stat(sim_machine_env, "/", &info, &err), GS_OK);
  assert_true(info.is_directory);
  assert_int_equal(ops->make_dir(sim_machine_env, "/"), EEXIST);
  assert_int_equal(ops->remove(sim_machine_env, "/"), EISDIR);
  assert_int_equal(ops->remove_dir(sim_machine_env, "/"), EBUSY);
  assert_int_equal(ops->link(sim_machine_env, "/f", "/"), EEXIST);
}

static void
test_a_directory_has_one_name(void **state)
{
  (void)state;
  assert_int_equal(gs_env_make_dir(sim_machine_env, "/d", &err), GS_OK);
  assert_int_equal(sim_machine_env->ops->link(sim_machine_env, "/d", "/e"),
                   EPERM);
}

static void
test_space_is_what_files_do_not_occupy(void **state)
{
  (void)state;
  gs_disk_space space;
  sim_machine_make("/f", "12345");
  assert_int_equal(gs_env_link(sim_machine_env, "/f", "/g", &err), GS_OK);
  assert_int_equal(gs_env_space(sim_machine_env, "/", &space, &err), GS_OK);
  assert_true(space.total_bytes - space.free_bytes == 5);
  gs_sim_set_capacity(sim_machine, 3);
  assert_int_equal(gs_env_space(sim_machine_env, "/", &space, &err), GS_OK);
  assert_true(space.total_bytes == 3 && space.free_bytes == 0);
}

static void
test_a_failed_sync_of_a_directory_leaves_its_names_pending(void **state)
{
  (void)state;
  sim_machine_make("/f", "");
  uint64_t pending = gs_sim_pending(sim_machine);
  sim_machine_fail(GS_SIM_SYNC_DIR, 1, EIO);
  assert_int_equal(gs_env_sync_dir(sim_machine_env, "/", &err), GS_IO);
  assert_int_equal(gs_sim_pending(sim_machine), pending);
  sim_machine_sync_dir("/");
  assert_int_equal(gs_sim_pending(sim_machine), 0);
}

#define ONE_TEST(test)                                      \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_the_root_is_there_and_stays),
      ONE_TEST(test_a_directory_has_one_name),
      ONE_TEST(test_space_is_what_files_do_not_occupy),
      ONE_TEST(test_a_failed_sync_of_a_directory_leaves_its_names_pending),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
