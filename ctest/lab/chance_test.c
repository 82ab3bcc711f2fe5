/*
 * Tests of the lab's random numbers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab_kit.h"

#include "lab/chance.h"

static void
test_numbers_have_mean_zero_and_deviation_one(void **state)
{
  (void)state;
  enum { COUNT = 20000 };
  uint64_t seed = 7;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < COUNT; i++) {
    double x = gs_lab_deviation(&seed);
    sum += x;
    squares += x * x;
  }
  assert_true(fabs(sum / COUNT) < 0.03);
  ASSERT_NEAR(squares / COUNT, 1.0, 0.03);
}

static void
test_the_same_seed_gives_the_same_numbers(void **state)
{
  (void)state;
  uint64_t a = 1;
  uint64_t b = 1;
  uint64_t c = 2;
  double first = gs_lab_deviation(&a);
  assert_true(first == gs_lab_deviation(&b));
  assert_true(first != gs_lab_deviation(&c));
  assert_true(first != gs_lab_deviation(&a));
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_numbers_have_mean_zero_and_deviation_one),
      cmocka_unit_test(test_the_same_seed_gives_the_same_numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
