/*
 * The lines that operations and points leave.
 */
#include <errno.h>
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

static void
assert_trace(const char *expected)
{
  gs_slice trace = gs_sim_trace(sim_machine);
  assert_int_equal(trace.size, strlen(expected));
  assert_memory_equal(trace.data, expected, trace.size);
}

static void
test_each_operation_leaves_a_line(void **state)
{
  (void)state;
  char bytes[8];
  size_t got;
  gs_file *lost;
  gs_file_info info;
  sim_machine_make("/quiet", "");
  gs_sim_set_tracing(sim_machine, true);
  gs_file *file = sim_machine_open("/f", GS_OPEN_CREATE);
  sim_machine_write(file, 10, "abc");
  sim_machine_sync(file);
  assert_int_equal(gs_file_read_some(file, 12, bytes, 8, &got, NULL), GS_OK);
  gs_env_point(sim_machine_env, "somewhere");
  assert_int_equal(
      gs_file_open(sim_machine_env, "/no", GS_OPEN_READ, &lost, NULL),
      GS_MISSING);
  assert_int_equal(gs_env_stat(sim_machine_env, "/f", &info, NULL), GS_OK);
  sim_machine_sync_dir("/");
  sim_machine_close(file);
  assert_trace("2 open /f = 0\n"
               "3 write /f 10+3 = 3\n"
               "4 sync /f = 0\n"
               "5 read /f 12+8 = 1\n"
               "6 read /f 13+7 = 0\n"
               "point somewhere\n"
               "7 open /no = -2\n"
               "8 stat /f = 0\n"
               "9 sync_dir / = 0\n");
}

static void
test_faults_show_in_the_outcome(void **state)
{
  (void)state;
  gs_file *file = sim_machine_open("/f", GS_OPEN_CREATE);
  gs_sim_set_tracing(sim_machine, true);
  sim_machine_fail(GS_SIM_WRITE, 1, ENOSPC);
  assert_int_equal(gs_file_write(file, 0, "abc", 3, NULL), GS_FULL);
  gs_sim_set_tracing(sim_machine, false);
  sim_machine_write(file, 0, "abc");
  sim_machine_close(file);
  assert_trace("2 write /f 0+3 = -28\n");
}

#define ONE_TEST(test)                                      \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_each_operation_leaves_a_line),
      ONE_TEST(test_faults_show_in_the_outcome),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
