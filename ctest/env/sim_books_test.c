/*
 * Tests of the machine's own books: memory that is zero, arrays that grow, and
 * chance that is the same everywhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "env/sim/state.h"

enum { COUNT = 1000 };

static void
test_grabbed_memory_is_zero(void **state)
{
  (void)state;
  uint8_t *block = gs_sim_grab(COUNT);
  for (size_t i = 0; i < COUNT; i++) {
    assert_int_equal(block[i], 0);
  }
  free(block);
  block = gs_sim_grab(0);
  assert_non_null(block);
  free(block);
}

static void
test_a_grabbed_text_ends(void **state)
{
  (void)state;
  char *text = gs_sim_grab_text("abcdef", 3);
  assert_string_equal(text, "abc");
  free(text);
}

static void
test_a_growing_array_keeps_its_items(void **state)
{
  (void)state;
  uint32_t *items = NULL;
  size_t capacity = 0;
  size_t growths = 0;
  for (uint32_t i = 0; i < COUNT; i++) {
    size_t before = capacity;
    items = gs_sim_grow(items, i, &capacity, sizeof *items);
    assert_true(capacity > i);
    growths += capacity != before;
    items[i] = i;
  }
  for (uint32_t i = 0; i < COUNT; i++) {
    assert_int_equal(items[i], i);
  }
  assert_in_range(growths, 1, 12);
  free(items);
}

static void
test_chance_is_the_same_on_every_machine(void **state)
{
  (void)state;
  uint64_t chance = 1;
  assert_true(gs_sim_mix(0, 0) == UINT64_C(0x28abf1fbeaed7c7b));
  assert_true(gs_sim_mix(1, 2) == UINT64_C(0x59dde60be76a45f1));
  assert_true(gs_sim_draw(&chance) == UINT64_C(0x14d1a3edf55917be));
}

static void
test_both_numbers_of_a_mix_count(void **state)
{
  (void)state;
  assert_true(gs_sim_mix(1, 0) != gs_sim_mix(0, 0));
  assert_true(gs_sim_mix(0, 1) != gs_sim_mix(0, 0));
  assert_true(gs_sim_mix(0, 1) != gs_sim_mix(1, 0));
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_grabbed_memory_is_zero),
      cmocka_unit_test(test_a_grabbed_text_ends),
      cmocka_unit_test(test_a_growing_array_keeps_its_items),
      cmocka_unit_test(test_chance_is_the_same_on_every_machine),
      cmocka_unit_test(test_both_numbers_of_a_mix_count),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
