/*
 * Tests of the spare: who gets a block that waits, and where it goes otherwise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "env/env.h"
#include "mem/arena.h"
#include "mem/spare.h"
#include "support/test_alloc.h"

enum { WORDS = 16, MOST = 3 };

static test_alloc heap;
static gs_spare spare;

static int
set_up(void **state)
{
  (void)state;
  test_alloc_init(&heap);
  gs_spare_init(&spare, &heap.base, MOST);
  return 0;
}

static int
tear_down(void **state)
{
  (void)state;
  gs_spare_deinit(&spare);
  assert_int_equal(heap.live_bytes, 0);
  return 0;
}

static uint64_t *
take(size_t word_count, bool expect_used)
{
  bool is_used = !expect_used;
  uint64_t *block = gs_spare_take(&spare, word_count, &is_used);
  assert_non_null(block);
  assert_int_equal(is_used, expect_used);
  for (size_t i = 0; i < word_count; i++) {
    block[i] = i; /* all of it may be used */
  }
  return block;
}

static void
give(uint64_t *block, size_t word_count)
{
  gs_spare_give(&spare, block, word_count, word_count, true);
}

static size_t
blocks_held(void)
{
  return heap.live_bytes / (WORDS * sizeof(uint64_t));
}

static void
test_a_block_serves_the_next_who_asks_for_its_size(void **state)
{
  (void)state;
  uint64_t *block = take(WORDS, false);
  give(block, WORDS);
  assert_int_equal(blocks_held(), 1);
  assert_ptr_equal(take(WORDS, true), block);
  uint64_t *other = take(WORDS, false);
  assert_ptr_not_equal(other, block);
  give(block, WORDS);
  give(other, WORDS);
}

static void
test_the_smallest_block_has_room_for_its_size(void **state)
{
  (void)state;
  uint64_t *block = take(1, false);
  give(block, 1);
  assert_ptr_equal(take(1, true), block);
  give(block, 1);
}

static void
test_of_two_blocks_one_waits(void **state)
{
  (void)state;
  uint64_t *first = take(WORDS, false);
  uint64_t *second = take(WORDS, false);
  give(first, WORDS);
  give(second, WORDS);
  assert_int_equal(blocks_held(), 1);
}

static void
test_a_block_waits_for_its_own_size_only(void **state)
{
  (void)state;
  give(take(WORDS, false), WORDS);
  uint64_t *larger = take(2 * WORDS, false);
  assert_int_equal(blocks_held(), 2); /* those of the larger one */
  uint64_t *usual = take(WORDS, false);
  give(larger, 2 * WORDS);
  assert_int_equal(blocks_held(), 1);
  give(usual, WORDS);
  assert_int_equal(blocks_held(), 1);
}

static void
test_blocks_are_no_more_than_there_is_memory_for(void **state)
{
  (void)state;
  uint64_t *blocks[MOST + 1];
  for (size_t i = 0; i <= MOST; i++) {
    blocks[i] = take(WORDS, false);
  }
  give(blocks[0], WORDS);
  assert_int_equal(blocks_held(), MOST);
  give(blocks[1], WORDS);
  assert_int_equal(blocks_held(), MOST); /* one of them waits */
  for (size_t i = 2; i <= MOST; i++) {
    give(blocks[i], WORDS);
  }
  assert_int_equal(blocks_held(), 1);
}

static void
test_at_rest_nothing_waits_until_a_block_is_asked_for(void **state)
{
  (void)state;
  uint64_t *late = take(WORDS, false);
  give(take(WORDS, false), WORDS);
  gs_spare_rest(&spare);
  assert_int_equal(blocks_held(), 1);
  give(late, WORDS);
  assert_int_equal(blocks_held(), 0);
  give(take(WORDS, false), WORDS);
  assert_int_equal(blocks_held(), 1);
}

static void
test_a_block_without_pages_is_not_kept(void **state)
{
  (void)state;
  gs_spare_give(&spare, take(WORDS, false), WORDS, WORDS, false);
  assert_int_equal(blocks_held(), 0);
}

static void
test_without_memory_there_is_no_block(void **state)
{
  (void)state;
  bool is_used;
  give(take(WORDS, false), WORDS);
  heap.allocations_left = 0;
  assert_null(gs_spare_take(&spare, 2 * WORDS, &is_used));
  assert_int_equal(heap.live_bytes, 0);
  assert_null(gs_spare_take(&spare, WORDS, &is_used));
}

#ifdef GS_DEBUG
/* Who reads on in a memtable that ended finds nothing that looks like it. */
static void
test_what_a_waiting_block_held_is_gone(void **state)
{
  (void)state;
  bool is_used;
  uint64_t *block = take(WORDS, false);
  give(block, WORDS);
  assert_ptr_equal(gs_spare_take(&spare, WORDS, &is_used), block);
  for (uint64_t i = 1; i < WORDS; i++) {
    assert_int_equal(block[i], UINT64_C(0x5a5a5a5a5a5a5a5a));
  }
  give(block, WORDS);
}

/* To fill more would touch pages that nobody has asked for. */
static void
test_of_a_waiting_block_only_what_was_used_is_written(void **state)
{
  (void)state;
  gs_arena arena;
  enum { USED = 5 };
  assert_int_equal(gs_arena_init(&arena, &heap.base, &spare, 1000, NULL),
                   GS_OK);
  uint32_t end = arena.end;
  uint64_t *words = arena.words;
  for (uint32_t i = 1; i < end; i++) {
    words[i] = i;
  }
  gs_arena_publish(&arena, USED);
  gs_arena_deinit(&arena);
  bool is_used;
  assert_ptr_equal(gs_spare_take(&spare, end, &is_used), words);
  for (uint32_t i = 1; i < end; i++) {
    assert_int_equal(words[i], i < USED ? UINT64_C(0x5a5a5a5a5a5a5a5a) : i);
  }
  give(words, end);
}
#endif

#ifdef __SANITIZE_ADDRESS__
int __asan_address_is_poisoned(void const volatile *address);

static void
test_a_waiting_block_must_not_be_touched(void **state)
{
  (void)state;
  uint64_t *block = take(WORDS, false);
  give(block, WORDS);
  for (size_t i = 1; i < WORDS; i++) {
    assert_true(__asan_address_is_poisoned(&block[i]));
  }
  give(take(WORDS, true), WORDS);
}
#endif

/* ---- arenas ----------------------------------------------------------------- */

static void
make_arena(gs_arena *arena)
{
  assert_int_equal(gs_arena_init(arena, &heap.base, &spare, 1000, NULL), GS_OK);
  assert_int_equal(gs_arena_used(arena), GS_ARENA_FIRST);
  assert_int_equal(gs_arena_free_bytes(arena), 1000);
}

static void
test_an_arena_takes_the_block_of_the_one_before(void **state)
{
  (void)state;
  gs_arena arena;
  make_arena(&arena);
  gs_arena_publish(&arena, arena.end);
  uint64_t *words = arena.words;
  gs_arena_deinit(&arena);
  heap.allocations_left = 0;
  make_arena(&arena);
  assert_ptr_equal(arena.words, words);
  gs_arena_deinit(&arena); /* nothing was published, and its pages are there */
  make_arena(&arena);
  assert_ptr_equal(arena.words, words);
  gs_arena_deinit(&arena);
}

/* To keep it would touch the first of its pages. */
static void
test_the_block_of_an_arena_that_stayed_empty_goes_back(void **state)
{
  (void)state;
  gs_arena arena;
  make_arena(&arena);
  gs_arena_deinit(&arena);
  assert_int_equal(heap.live_bytes, 0);
}

static void
test_an_arena_that_cannot_be_made_is_none(void **state)
{
  (void)state;
  gs_arena arena;
  heap.allocations_left = 0;
  assert_int_equal(gs_arena_init(&arena, &heap.base, &spare, 1000, NULL),
                   GS_NOMEM);
}

/* ---- threads ---------------------------------------------------------------- */

enum { ROUNDS = 20000 };

static void
take_and_give(void *arg)
{
  gs_spare *shared = arg;
  for (uint64_t i = 0; i < ROUNDS; i++) {
    bool is_used;
    uint64_t *block = gs_spare_take(shared, WORDS, &is_used);
    block[0] = block[WORDS - 1] = i;
    gs_spare_give(shared, block, WORDS, WORDS, true);
    if (i % 64 == 0) {
      gs_spare_rest(shared);
    }
  }
}

static void
test_threads_never_have_one_block_together(void **state)
{
  (void)state;
  gs_env *env = gs_env_posix();
  gs_thread *threads[2];
  gs_spare shared;
  gs_spare_init(&shared, env->alloc, MOST);
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(
        gs_thread_start(env, take_and_give, &shared, &threads[i], NULL), GS_OK);
  }
  for (size_t i = 0; i < 2; i++) {
    gs_thread_join(threads[i]);
  }
  assert_int_equal(atomic_load(&shared.in_use), 0);
  gs_spare_deinit(&shared);
}

#define WITH_SPARE(test) \
  cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      WITH_SPARE(test_a_block_serves_the_next_who_asks_for_its_size),
      WITH_SPARE(test_the_smallest_block_has_room_for_its_size),
      WITH_SPARE(test_of_two_blocks_one_waits),
      WITH_SPARE(test_a_block_waits_for_its_own_size_only),
      WITH_SPARE(test_blocks_are_no_more_than_there_is_memory_for),
      WITH_SPARE(test_at_rest_nothing_waits_until_a_block_is_asked_for),
      WITH_SPARE(test_a_block_without_pages_is_not_kept),
      WITH_SPARE(test_without_memory_there_is_no_block),
#ifdef GS_DEBUG
      WITH_SPARE(test_what_a_waiting_block_held_is_gone),
      WITH_SPARE(test_of_a_waiting_block_only_what_was_used_is_written),
#endif
#ifdef __SANITIZE_ADDRESS__
      WITH_SPARE(test_a_waiting_block_must_not_be_touched),
#endif
      WITH_SPARE(test_an_arena_takes_the_block_of_the_one_before),
      WITH_SPARE(test_the_block_of_an_arena_that_stayed_empty_goes_back),
      WITH_SPARE(test_an_arena_that_cannot_be_made_is_none),
      cmocka_unit_test(test_threads_never_have_one_block_together),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
