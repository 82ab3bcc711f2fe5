/*
 * Tests of sorting and finding numbers: all small arrays of few values, against
 * the naive answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tree/sort.h"

enum { LENGTH = 7, VALUES = 4 };

static unsigned
count_of(const uint64_t *numbers, size_t count, uint64_t wanted)
{
  unsigned found = 0;
  for (size_t i = 0; i < count; i++) {
    found += numbers[i] == wanted;
  }
  return found;
}

static void
check_sort(const uint64_t *numbers, size_t count)
{
  uint64_t sorted[LENGTH];
  for (size_t i = 0; i < count; i++) {
    sorted[i] = numbers[i];
  }
  gs_sort_u64(sorted, count);
  for (size_t i = 1; i < count; i++) {
    assert_true(sorted[i - 1] <= sorted[i]);
  }
  for (uint64_t value = 0; value < VALUES; value++) {
    assert_int_equal(count_of(numbers, count, value),
                     count_of(sorted, count, value));
  }
}

static void
test_every_small_array_is_sorted(void **state)
{
  (void)state;
  for (size_t count = 0; count <= LENGTH; count++) {
    for (unsigned code = 0; code < 1u << (2 * count); code++) {
      uint64_t numbers[LENGTH] = {0};
      for (size_t i = 0; i < count; i++) {
        numbers[i] = code >> (2 * i) & 3;
      }
      check_sort(numbers, count);
    }
  }
}

static void
test_a_long_falling_array_is_sorted(void **state)
{
  (void)state;
  static uint64_t numbers[10000];
  for (uint64_t i = 0; i < 10000; i++) {
    numbers[i] = 10000 - i;
  }
  gs_sort_u64(numbers, 10000);
  for (uint64_t i = 0; i < 10000; i++) {
    assert_int_equal(numbers[i], i + 1);
  }
}

static void
test_the_first_number_not_below_is_found(void **state)
{
  (void)state;
  static const uint64_t numbers[] = {2, 4, 4, 9};
  assert_int_equal(gs_find_u64(numbers, 4, 0), 0);
  assert_int_equal(gs_find_u64(numbers, 4, 2), 0);
  assert_int_equal(gs_find_u64(numbers, 4, 3), 1);
  assert_int_equal(gs_find_u64(numbers, 4, 4), 1);
  assert_int_equal(gs_find_u64(numbers, 4, 5), 3);
  assert_int_equal(gs_find_u64(numbers, 4, 10), 4);
  assert_int_equal(gs_find_u64(numbers, 0, 1), 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_small_array_is_sorted),
      cmocka_unit_test(test_a_long_falling_array_is_sorted),
      cmocka_unit_test(test_the_first_number_not_below_is_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
