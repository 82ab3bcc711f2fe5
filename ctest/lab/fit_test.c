/*
 * Tests of fitted mixtures: what known ones make is given as points, and the
 * fit has to foretell what they make of other numbers of writes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab/fit.h"
#include "lab_kit.h"

static size_t
fit(const gs_fit_point *points, size_t count, gs_mix_class *classes,
    double *off)
{
  test_alloc alloc;
  test_alloc_init(&alloc);
  void *scratch = gs_alloc_array(&alloc.base, 1, gs_fit_room_bytes());
  assert_non_null(scratch);
  size_t found = gs_fit(scratch, points, count, classes, off);
  gs_alloc_free(&alloc.base, scratch, gs_fit_room_bytes());
  return found;
}

/* Points from least to most writes, each twice the one before. */
static size_t
take_points(const gs_mix *mix, double least, double most, gs_fit_point *points)
{
  size_t count = 0;
  for (double n = least; n <= most; n *= 2) {
    points[count++] = (gs_fit_point){n, gs_mix_distinct(mix, n), 1};
  }
  return count;
}

static void
check(double keys, double skew, double within)
{
  gs_mix truth;
  gs_mix found;
  gs_mix_class classes[GS_MIX_CLASSES];
  gs_fit_point points[GS_FIT_POINTS_MAX];
  double off;
  gs_mix_init(&truth, GS_LAB_RANDOM, keys, skew);
  size_t count = take_points(&truth, keys / 50, keys * 4, points);
  size_t class_count = fit(points, count, classes, &off);
  assert_in_range(class_count, 1, GS_MIX_CLASSES);
  assert_true(off < within);
  gs_mix_init_classes(&found, classes, class_count);
  for (double n = keys / 70; n <= keys * 4; n *= 1.3) {
    ASSERT_NEAR(gs_mix_distinct(&found, n), gs_mix_distinct(&truth, n), within);
  }
}

static void
test_what_known_mixtures_make_is_foretold(void **state)
{
  (void)state;
  check(1000, 0, 0.02);
  check(1000000, 0, 0.02);
  check(1000, 0.99, 0.02);
  check(1000000, 0.99, 0.02);
  check(1e9, 0.7, 0.02);
}

static void
test_all_chances_are_about_one_and_no_class_is_empty(void **state)
{
  (void)state;
  const gs_fit_point points[] = {{1000, 900, 1}, {100000, 20000, 1}};
  gs_mix_class classes[GS_MIX_CLASSES];
  double off;
  double sum = 0;
  size_t count = fit(points, 2, classes, &off);
  for (size_t c = 0; c < count; c++) {
    assert_true(classes[c].keys > 0 && classes[c].rate > 0 &&
                classes[c].rate <= 1);
    sum += classes[c].keys * classes[c].rate;
  }
  ASSERT_NEAR(sum, 1, 0.02);
  assert_true(off < 0.02);
}

static void
test_points_that_contradict_each_other_are_told(void **state)
{
  (void)state;
  const gs_fit_point points[] = {{1000, 200, 1}, {1000, 800, 1}};
  gs_mix_class classes[GS_MIX_CLASSES];
  double off;
  fit(points, 2, classes, &off);
  assert_true(off > 0.1);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_known_mixtures_make_is_foretold),
      cmocka_unit_test(test_all_chances_are_about_one_and_no_class_is_empty),
      cmocka_unit_test(test_points_that_contradict_each_other_are_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
