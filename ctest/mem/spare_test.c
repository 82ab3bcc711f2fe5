/*
 * Tests of the spare: who gets a block that waits, and where it goes otherwise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mem/arena.h"
#include "mem/spare.h"
#include "support/test_alloc.h"

typedef struct stage {
  test_alloc heap;
  gs_spare spare;
} stage;

static void
set_stage(stage *s)
{
  test_alloc_init(&s->heap);
  gs_spare_init(&s->spare, &s->heap.base);
}

static uint64_t *
new_block(stage *s, size_t word_count)
{
  return gs_alloc_array(&s->heap.base, word_count, sizeof(uint64_t));
}

static void
test_an_empty_spare_has_nothing_to_give(void **state)
{
  (void)state;
  stage s;
  set_stage(&s);
  assert_null(gs_spare_take(&s.spare, 16));
  gs_spare_deinit(&s.spare);
}

static void
test_a_block_is_given_out_once_to_who_asks_for_its_size(void **state)
{
  (void)state;
  stage s;
  set_stage(&s);
  uint64_t *block = new_block(&s, 16);
  gs_spare_give(&s.spare, block, 16);
  assert_ptr_equal(gs_spare_take(&s.spare, 16), block);
  assert_null(gs_spare_take(&s.spare, 16));
  for (size_t i = 0; i < 16; i++) {
    block[i] = i; /* all of it may be used again */
  }
  assert_int_equal(s.heap.live_bytes, 16 * sizeof *block);
  gs_alloc_free(&s.heap.base, block, 16 * sizeof *block);
}

static void
test_a_block_of_another_size_goes_back_to_the_allocator(void **state)
{
  (void)state;
  stage s;
  set_stage(&s);
  uint64_t *block = new_block(&s, 16);
  gs_spare_give(&s.spare, block, 16);
  assert_null(gs_spare_take(&s.spare, 15));
  assert_int_equal(s.heap.live_bytes, 0);
}

static void
test_of_two_blocks_the_later_one_is_kept(void **state)
{
  (void)state;
  stage s;
  set_stage(&s);
  gs_spare_give(&s.spare, new_block(&s, 16), 16);
  uint64_t *later = new_block(&s, 32);
  gs_spare_give(&s.spare, later, 32);
  assert_int_equal(s.heap.live_bytes, 32 * sizeof *later);
  gs_spare_deinit(&s.spare);
  assert_int_equal(s.heap.live_bytes, 0);
}

static void
test_the_smallest_block_has_room_for_its_size(void **state)
{
  (void)state;
  stage s;
  set_stage(&s);
  uint64_t *block = new_block(&s, 1);
  gs_spare_give(&s.spare, block, 1);
  assert_ptr_equal(gs_spare_take(&s.spare, 1), block);
  gs_spare_give(&s.spare, block, 1);
  gs_spare_deinit(&s.spare);
  assert_int_equal(s.heap.live_bytes, 0);
}

static void
test_an_arena_takes_the_block_of_the_one_before(void **state)
{
  (void)state;
  stage s;
  gs_arena arena;
  set_stage(&s);
  assert_int_equal(gs_arena_init(&arena, &s.heap.base, &s.spare, 1000, NULL),
                   GS_OK);
  gs_arena_publish(&arena, arena.end);
  uint64_t *words = arena.words;
  gs_arena_deinit(&arena);
  s.heap.allocations_left = 0;
  assert_int_equal(gs_arena_init(&arena, &s.heap.base, &s.spare, 1000, NULL),
                   GS_OK);
  assert_ptr_equal(arena.words, words);
  assert_int_equal(gs_arena_used(&arena), GS_ARENA_FIRST);
  assert_int_equal(gs_arena_free_bytes(&arena), 1000);
  gs_arena_deinit(&arena);
  gs_spare_deinit(&s.spare);
  assert_int_equal(s.heap.live_bytes, 0);
}

/* Its pages were never touched; to keep it would touch the first. */
static void
test_the_block_of_an_empty_arena_goes_back(void **state)
{
  (void)state;
  stage s;
  gs_arena arena;
  set_stage(&s);
  assert_int_equal(gs_arena_init(&arena, &s.heap.base, &s.spare, 1000, NULL),
                   GS_OK);
  gs_arena_deinit(&arena);
  assert_int_equal(s.heap.live_bytes, 0);
  assert_null(gs_spare_take(&s.spare, 126));
}

static void
test_an_arena_that_could_not_be_made_leaves_the_spare_empty(void **state)
{
  (void)state;
  stage s;
  gs_arena arena;
  set_stage(&s);
  gs_spare_give(&s.spare, new_block(&s, 16), 16);
  s.heap.allocations_left = 0;
  assert_int_equal(gs_arena_init(&arena, &s.heap.base, &s.spare, 1000, NULL),
                   GS_NOMEM);
  assert_int_equal(s.heap.live_bytes, 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_an_empty_spare_has_nothing_to_give),
      cmocka_unit_test(test_a_block_is_given_out_once_to_who_asks_for_its_size),
      cmocka_unit_test(test_a_block_of_another_size_goes_back_to_the_allocator),
      cmocka_unit_test(test_of_two_blocks_the_later_one_is_kept),
      cmocka_unit_test(test_the_smallest_block_has_room_for_its_size),
      cmocka_unit_test(test_an_arena_takes_the_block_of_the_one_before),
      cmocka_unit_test(test_the_block_of_an_empty_arena_goes_back),
      cmocka_unit_test(
          test_an_arena_that_could_not_be_made_leaves_the_spare_empty),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
