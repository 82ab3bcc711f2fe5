/*
 * Tests of the arena: what its ordinals address, and where it ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mem/arena.h"
#include "support/test_alloc.h"

static void
test_a_fresh_arena_is_empty_and_holds_its_whole_capacity(void **state)
{
  (void)state;
  test_alloc heap;
  test_alloc_init(&heap);
  gs_arena arena;
  assert_int_equal(gs_arena_init(&arena, &heap.base, NULL, 1000, NULL), GS_OK);
  assert_int_equal(gs_arena_used(&arena), GS_ARENA_FIRST);
  assert_int_equal(gs_arena_free_bytes(&arena), 1000);
  assert_int_equal(gs_arena_bytes(&arena), heap.live_bytes);
  gs_arena_deinit(&arena);
  assert_int_equal(heap.live_bytes, 0);
}

static void
test_published_units_are_used_and_the_rest_is_free(void **state)
{
  (void)state;
  test_alloc heap;
  test_alloc_init(&heap);
  gs_arena arena;
  assert_int_equal(gs_arena_init(&arena, &heap.base, NULL, 64, NULL), GS_OK);
  uint32_t first = gs_arena_top(&arena);
  *gs_arena_at(&arena, first) = 11;
  gs_arena_publish(&arena, first + 1);
  *gs_arena_at(&arena, gs_arena_top(&arena)) = 22;
  assert_int_equal(gs_arena_used(&arena), first + 1);
  assert_int_equal(gs_arena_free_bytes(&arena), 56);
  assert_int_equal(*gs_arena_at(&arena, first), 11);
  gs_arena_publish(&arena, arena.end);
  assert_int_equal(gs_arena_free_bytes(&arena), 0);
  gs_arena_deinit(&arena);
}

static void
test_bytes_are_counted_in_whole_units(void **state)
{
  (void)state;
  assert_int_equal(gs_arena_units(0), 0);
  assert_int_equal(gs_arena_units(1), 1);
  assert_int_equal(gs_arena_units(8), 1);
  assert_int_equal(gs_arena_units(9), 2);
}

static void
test_a_capacity_beyond_the_ordinals_is_refused(void **state)
{
  (void)state;
  test_alloc heap;
  test_alloc_init(&heap);
  heap.allocations_left = 0;
  gs_arena arena;
  gs_error err;
  size_t most = ((size_t)UINT32_MAX - GS_ARENA_FIRST) * GS_ARENA_UNIT_BYTES;
  assert_int_equal(gs_arena_init(&arena, &heap.base, NULL, most, &err),
                   GS_LIMIT);
  assert_int_equal(gs_arena_init(&arena, &heap.base, NULL, SIZE_MAX, &err),
                   GS_LIMIT);
  assert_int_equal(gs_arena_init(&arena, &heap.base, NULL, most - 8, &err),
                   GS_NOMEM);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(
          test_a_fresh_arena_is_empty_and_holds_its_whole_capacity),
      cmocka_unit_test(test_published_units_are_used_and_the_rest_is_free),
      cmocka_unit_test(test_bytes_are_counted_in_whole_units),
      cmocka_unit_test(test_a_capacity_beyond_the_ordinals_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
