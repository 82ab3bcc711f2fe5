/*
 * Tests of the real machine as a whole: there is one, and a forked child knows
 * that it is another process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "env/env.h"
#include "support/child.h"

static void
test_there_is_one_machine(void **state)
{
  (void)state;
  assert_ptr_equal(gs_env_posix(), gs_env_posix());
  assert_true(gs_env_posix()->has_threads);
}

static int
compare_process(void *arg)
{
  gs_env *env = gs_env_posix();
  uint64_t process = gs_env_process(env);
  return process == (uint64_t)getpid() && process != *(uint64_t *)arg ? 0 : 1;
}

static void
test_a_forked_child_is_another_process(void **state)
{
  (void)state;
  gs_env *env = gs_env_posix();
  uint64_t process = gs_env_process(env);
  assert_int_equal(process, getpid());
  assert_int_equal(child_run(compare_process, &process).exit_status, 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_there_is_one_machine),
      cmocka_unit_test(test_a_forked_child_is_another_process),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
