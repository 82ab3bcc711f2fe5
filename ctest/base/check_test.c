/*
 * Tests of assertions: they end a debug build with a line that says where, and
 * are not there in a release build.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "support/child.h"

static int
fail_check(void *arg)
{
  (void)arg;
  gs_check_failed("a < b", "some/file.c", 12);
}

static int
assert_sum_is_four(void *arg)
{
  int *sum = arg;
  GS_ASSERT(*sum == 4);
  return 0;
}

static void
test_a_broken_invariant_is_named_and_ends_the_process(void **state)
{
  (void)state;
  child_end end = child_run(fail_check, NULL);
  assert_true(end.has_aborted);
  assert_string_equal(end.said,
                      "grainstore: some/file.c:12: broken invariant: a < b\n");
}

static void
test_an_invariant_that_holds_costs_nothing(void **state)
{
  (void)state;
  int sum = 4;
  child_end end = child_run(assert_sum_is_four, &sum);
  assert_int_equal(end.exit_status, 0);
  assert_string_equal(end.said, "");
}

static void
test_only_a_debug_build_looks(void **state)
{
  (void)state;
  int sum = 5;
  child_end end = child_run(assert_sum_is_four, &sum);
#ifdef GS_DEBUG
  assert_true(end.has_aborted);
  assert_non_null(strstr(end.said, "*sum == 4"));
#else
  assert_int_equal(end.exit_status, 0);
#endif
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_broken_invariant_is_named_and_ends_the_process),
      cmocka_unit_test(test_an_invariant_that_holds_costs_nothing),
      cmocka_unit_test(test_only_a_debug_build_looks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
