/*
 * Tests of the memory of blocks given up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sst/ghost.h"
#include "support/test_alloc.h"

enum { PLACES = 64 };

static test_alloc heap;

static int
make(void **state)
{
  static gs_ghost ghost;
  test_alloc_init(&heap);
  gs_ghost_init(&ghost, &heap.base);
  gs_ghost_resize(&ghost, PLACES);
  *state = &ghost;
  return 0;
}

static int
end(void **state)
{
  gs_ghost_deinit(*state);
  assert_int_equal(heap.live_bytes, 0);
  return 0;
}

/* Keys with places of their own and names of their own. */
static uint64_t
key(uint64_t number)
{
  return number % PLACES | (number + 1) << 34;
}

static void
test_a_block_given_up_is_remembered_once(void **state)
{
  gs_ghost *ghost = *state;
  assert_false(gs_ghost_take(ghost, key(1)));
  gs_ghost_add(ghost, key(1));
  assert_false(gs_ghost_take(ghost, key(2)));
  assert_true(gs_ghost_take(ghost, key(1)));
  assert_false(gs_ghost_take(ghost, key(1)));
}

static void
test_blocks_are_forgotten_after_as_many_others(void **state)
{
  gs_ghost *ghost = *state;
  for (uint64_t i = 0; i < PLACES; i++) {
    gs_ghost_add(ghost, key(i));
  }
  for (uint64_t i = 0; i < PLACES; i++) {
    assert_true(gs_ghost_take(ghost, key(i)));
  }
  gs_ghost_add(ghost, key(0));
  for (uint64_t i = 1; i <= PLACES; i++) {
    gs_ghost_add(ghost, key(1));
  }
  assert_false(gs_ghost_take(ghost, key(0)));
}

static void
test_a_later_block_takes_over_the_place(void **state)
{
  gs_ghost *ghost = *state;
  gs_ghost_add(ghost, key(3));
  gs_ghost_add(ghost, key(3 + PLACES));
  assert_false(gs_ghost_take(ghost, key(3)));
  assert_true(gs_ghost_take(ghost, key(3 + PLACES)));
}

static void
test_an_empty_memory_remembers_nothing(void **state)
{
  (void)state;
  gs_ghost ghost = {.alloc = NULL};
  gs_ghost_add(&ghost, key(1));
  assert_false(gs_ghost_take(&ghost, key(1)));
  gs_ghost_deinit(&ghost);
}

static void
test_nothing_is_allocated_before_the_first_name(void **state)
{
  gs_ghost *ghost = *state;
  assert_false(gs_ghost_has(ghost, key(1)));
  assert_false(gs_ghost_has_old(ghost, key(1), 4));
  assert_false(gs_ghost_take(ghost, key(1)));
  assert_int_equal(heap.live_bytes, 0);
  gs_ghost_add(ghost, key(1));
  assert_int_equal(heap.live_bytes, PLACES * sizeof(gs_ghost_place));
}

static void
test_another_size_forgets_and_the_same_does_not(void **state)
{
  gs_ghost *ghost = *state;
  gs_ghost_add(ghost, key(1));
  gs_ghost_resize(ghost, PLACES - 1);
  assert_true(gs_ghost_has(ghost, key(1)));
  gs_ghost_resize(ghost, 4 * PLACES);
  assert_false(gs_ghost_has(ghost, key(1)));
  assert_int_equal(heap.live_bytes, 0);
  assert_int_equal(ghost->place_count, 4 * PLACES);
  gs_ghost_add(ghost, key(1));
  assert_true(gs_ghost_take(ghost, key(1)));
}

static void
test_without_memory_it_remembers_nothing_and_tries_again(void **state)
{
  gs_ghost *ghost = *state;
  heap.allocations_left = 0;
  gs_ghost_add(ghost, key(1));
  assert_false(gs_ghost_has(ghost, key(1)));
  assert_false(gs_ghost_take(ghost, key(1)));
  heap.allocations_left = UINT64_MAX;
  for (uint64_t i = 1; i < PLACES; i++) {
    gs_ghost_add(ghost, key(2)); /* each try would hold up who evicts */
    assert_int_equal(heap.live_bytes, 0);
  }
  gs_ghost_add(ghost, key(2));
  assert_false(gs_ghost_has(ghost, key(1)));
  assert_true(gs_ghost_has(ghost, key(2)));
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_a_block_given_up_is_remembered_once,
                                      make, end),
      cmocka_unit_test_setup_teardown(
          test_blocks_are_forgotten_after_as_many_others, make, end),
      cmocka_unit_test_setup_teardown(test_a_later_block_takes_over_the_place,
                                      make, end),
      cmocka_unit_test(test_an_empty_memory_remembers_nothing),
      cmocka_unit_test_setup_teardown(
          test_nothing_is_allocated_before_the_first_name, make, end),
      cmocka_unit_test_setup_teardown(
          test_another_size_forgets_and_the_same_does_not, make, end),
      cmocka_unit_test_setup_teardown(
          test_without_memory_it_remembers_nothing_and_tries_again, make, end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
