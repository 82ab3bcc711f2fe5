/*
 * Tests of key classes: sums, and the distinct keys of many writes beside a sum\n * over every single key.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab_kit.h"

static double
sum_of_chances(const gs_mix *mix)
{
  double sum = 0;
  for (size_t c = 0; c < mix->class_count; c++) {
    sum += mix->classes[c].keys * mix->classes[c].rate;
  }
  return sum;
}

static double
sum_of_keys(const gs_mix *mix)
{
  double sum = 0;
  for (size_t c = 0; c < mix->class_count; c++) {
    sum += mix->classes[c].keys;
  }
  return sum;
}

static void
test_classes_hold_all_keys_and_all_chances(void **state)
{
  (void)state;
  const double keys[] = {1, 2, 15, 16, 17, 1000, 1e6, 1e10, 1e15};
  const double skews[] = {0, 0.5, 0.99, 1, 1.5};
  gs_mix mix;
  for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
    for (size_t s = 0; s < sizeof skews / sizeof skews[0]; s++) {
      gs_mix_init(&mix, GS_LAB_RANDOM, keys[k], skews[s]);
      assert_true(mix.class_count <= GS_MIX_CLASSES);
      ASSERT_NEAR(sum_of_keys(&mix), keys[k], 1e-9);
      ASSERT_NEAR(sum_of_chances(&mix), 1.0, 1e-9);
    }
  }
}

static void
test_distinct_keys_are_as_a_sum_over_every_key_has_them(void **state)
{
  (void)state;
  enum { KEYS = 5000 };
  for (double skew = 0; skew < 1.3; skew += 0.4) {
    double sum = 0;
    gs_mix mix;
    gs_mix_init(&mix, GS_LAB_RANDOM, KEYS, skew);
    for (int i = 1; i <= KEYS; i++) {
      sum += pow(i, -skew);
    }
    for (double writes = 10; writes < 1e6; writes *= 7) {
      double distinct = 0;
      for (int i = 1; i <= KEYS; i++) {
        distinct += 1 - exp(-writes * pow(i, -skew) / sum);
      }
      ASSERT_NEAR(gs_mix_distinct(&mix, writes), distinct, 0.003);
    }
  }
}

static void
test_keys_in_order_are_distinct_until_they_begin_anew(void **state)
{
  (void)state;
  gs_mix mix;
  gs_mix_init(&mix, GS_LAB_SEQUENCE, 100, 0);
  ASSERT_NEAR(gs_mix_distinct(&mix, 60), 60, 0);
  ASSERT_NEAR(gs_mix_distinct(&mix, 160), 100, 0);
  ASSERT_NEAR(gs_mix_growth(&mix, 60), 1, 0);
  ASSERT_NEAR(gs_mix_growth(&mix, 160), 0, 0);
  ASSERT_NEAR(gs_mix_spread(&mix, 60), 0, 0);
}

/* Draws as a store would see them. */
static void
test_the_spread_is_that_of_real_draws(void **state)
{
  (void)state;
  enum { KEYS = 1000, WRITES = 700, TRIALS = 1500 };
  static int seen[KEYS];
  uint64_t seed = 88172645463325252u;
  double sum = 0;
  double squares = 0;
  gs_mix mix;
  gs_mix_init(&mix, GS_LAB_RANDOM, KEYS, 0);
  for (int t = 1; t <= TRIALS; t++) {
    double distinct = 0;
    for (int i = 0; i < WRITES; i++) {
      size_t key = kit_random(&seed) % KEYS;
      distinct += seen[key] != t;
      seen[key] = t;
    }
    sum += distinct;
    squares += distinct * distinct;
  }
  double mean = sum / TRIALS;
  double deviation = sqrt(squares / TRIALS - mean * mean);
  ASSERT_NEAR(gs_mix_distinct(&mix, WRITES), mean, 0.003);
  ASSERT_NEAR(gs_mix_spread(&mix, WRITES), deviation, 0.08);
  double more =
      gs_mix_distinct(&mix, WRITES + 1) - gs_mix_distinct(&mix, WRITES);
  ASSERT_NEAR(gs_mix_growth(&mix, WRITES), more, 0.01);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_classes_hold_all_keys_and_all_chances),
      cmocka_unit_test(test_distinct_keys_are_as_a_sum_over_every_key_has_them),
      cmocka_unit_test(test_keys_in_order_are_distinct_until_they_begin_anew),
      cmocka_unit_test(test_the_spread_is_that_of_real_draws),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
