/*
 * Tests of what a get looks at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab_kit.h"

static void
test_one_run_is_one_look(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  gs_lab *lab = kit_lab(&alloc, &options);
  ASSERT_NEAR(gs_lab_read_amp(lab), 0, 0);
  kit_run_until(lab, 1);
  ASSERT_NEAR(gs_lab_read_amp(lab), 1, 1e-9);
  kit_end(lab, &alloc);
}

/* Two runs over all keys with the chances p and r of a version: a get of a key
 * that is there finds it in the first with p, and looks twice otherwise. */
static void
test_keys_that_the_newer_run_lacks_take_two_looks(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  gs_lab *lab = kit_lab(&alloc, &options);
  kit_run_until(lab, 2);
  double p = (double)lab->version->runs[0]->entry_count / options.keys;
  double r = (double)lab->version->runs[1]->entry_count / options.keys;
  double there = p + (1 - p) * r;
  ASSERT_NEAR(gs_lab_read_amp(lab), (p + 2 * (1 - p) * r) / there, 0.02);
  kit_end(lab, &alloc);
}

static void
test_runs_of_other_keys_are_not_looked_at(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  options.kind = GS_LAB_SEQUENCE;
  options.keys = options.writes;
  gs_lab *lab = kit_lab(&alloc, &options);
  kit_run_until(lab, 5);
  ASSERT_NEAR(gs_lab_read_amp(lab), 1, 1e-9);
  kit_end(lab, &alloc);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_one_run_is_one_look),
      cmocka_unit_test(test_keys_that_the_newer_run_lacks_take_two_looks),
      cmocka_unit_test(test_runs_of_other_keys_are_not_looked_at),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
