/*
 * Tests of the sort: any keys, against the C library's sort by whole keys.
 */
#include <stdio.h>

#include "mem/mem_kit.h"
#include "mem/sort.h"

enum { MAX_KEYS = 3000, LONG_KEY_BYTES = 400, ROUNDS = 60 };

typedef struct crowd {
  gs_arena arena;
  size_t count;
  gs_sort_item items[MAX_KEYS];
  gs_sort_item scratch[MAX_KEYS];
  gs_slice keys[MAX_KEYS]; /* in the arena */
} crowd;

static crowd *
crowd_new(void **state)
{
  crowd *made = calloc(1, sizeof *made);
  assert_non_null(made);
  gs_alloc *alloc = gs_sim_env(*state)->alloc;
  assert_int_equal(
      gs_arena_init(&made->arena, alloc, NULL, 2 * KIT_CAPACITY, NULL), GS_OK);
  return made;
}

static void
crowd_free(crowd *all)
{
  gs_arena_deinit(&all->arena);
  free(all);
}

static void
join(crowd *all, gs_slice key)
{
  for (size_t i = 0; i < all->count; i++) {
    if (gs_slice_equal(all->keys[i], key)) {
      return;
    }
  }
  gs_entry entry = {.key = key, .seq = 1, .kind = GS_KIND_DELETE};
  uint32_t node = gs_arena_top(&all->arena);
  gs_arena_publish(&all->arena, gs_row_add_first(&all->arena, &entry));
  all->keys[all->count] = gs_node_key(gs_node_at(&all->arena, node));
  all->items[all->count].node = node;
  all->count++;
}

static int
compare_keys(const void *a, const void *b)
{
  return gs_slice_compare(*(const gs_slice *)a, *(const gs_slice *)b);
}

static void
expect_sorted(crowd *all, size_t depth)
{
  gs_sort_keys(&all->arena, all->items, all->scratch, all->count, depth);
  qsort(all->keys, all->count, sizeof *all->keys, compare_keys);
  for (size_t i = 0; i < all->count; i++) {
    gs_slice key = all->keys[i];
    gs_node *node = gs_node_at(&all->arena, all->items[i].node);
    assert_true(gs_slice_equal(gs_node_key(node), key));
    gs_slice rest = gs_slice_of(key.data + depth, key.size - depth);
    assert_int_equal(all->items[i].head, gs_slice_head(rest));
  }
}

static void
test_random_keys_of_all_shapes_are_sorted(void **state)
{
  uint64_t random = 11;
  for (int round = 0; round < ROUNDS; round++) {
    crowd *all = crowd_new(state);
    size_t tries = battery_random_below(&random, 1200);
    for (size_t i = 0; i < tries; i++) {
      uint8_t bytes[KIT_KEY_BYTES];
      join(all, kit_random_key(&random, bytes));
    }
    expect_sorted(all, 0);
    crowd_free(all);
  }
}

/* In order but for one pair, at each place. */
static void
test_keys_in_order_but_for_one_are_sorted(void **state)
{
  enum { KEYS = 100 };
  for (int odd = 0; odd < KEYS; odd++) {
    crowd *all = crowd_new(state);
    for (int i = 0; i < KEYS; i++) {
      char name[24];
      int number = i == odd ? i + 1 : i == odd + 1 ? odd : i;
      int size = snprintf(name, sizeof name, "a common head %03d", number);
      join(all, gs_slice_of(name, (size_t)size));
    }
    expect_sorted(all, 0);
    crowd_free(all);
  }
}

static void
test_keys_that_differ_only_in_zeros_at_the_end_are_sorted(void **state)
{
  crowd *all = crowd_new(state);
  static const uint8_t zeros[60];
  uint8_t key[61] = {'k'};
  for (size_t size = 60; size > 0; size--) {
    join(all, gs_slice_of(zeros, size));
    join(all, gs_slice_of(key, size));
  }
  join(all, gs_slice_of(zeros, 0));
  expect_sorted(all, 0);
  crowd_free(all);
}

static void
test_heads_begin_at_the_depth_given(void **state)
{
  crowd *all = crowd_new(state);
  uint64_t random = 5;
  for (size_t i = 0; i < 500; i++) {
    uint8_t bytes[KIT_KEY_BYTES + 3] = "abc";
    gs_slice tail = kit_random_key(&random, bytes + 3);
    join(all, gs_slice_of(bytes, tail.size + 3));
  }
  expect_sorted(all, 3);
  crowd_free(all);
}

static void
test_keys_alike_for_hundreds_of_bytes_are_sorted(void **state)
{
  crowd *all = crowd_new(state);
  uint64_t random = 6;
  uint8_t bytes[LONG_KEY_BYTES] = {0};
  for (size_t i = 0; i < 300; i++) {
    size_t size = LONG_KEY_BYTES - battery_random_below(&random, 20);
    bytes[LONG_KEY_BYTES - 30] = (uint8_t)battery_random_below(&random, 256);
    join(all, gs_slice_of(bytes, size));
  }
  assert_true(all->count > 100);
  expect_sorted(all, 0);
  crowd_free(all);
}

static void
test_every_prefix_of_one_long_key_is_sorted(void **state)
{
  crowd *all = crowd_new(state);
  uint8_t bytes[LONG_KEY_BYTES];
  memset(bytes, 'a', sizeof bytes);
  for (size_t size = LONG_KEY_BYTES; size > 0; size--) {
    join(all, gs_slice_of(bytes, size));
  }
  expect_sorted(all, 0);
  crowd_free(all);
}

static void
test_rising_and_falling_numbers_are_sorted(void **state)
{
  for (uint32_t falling = 0; falling < 2; falling++) {
    crowd *all = crowd_new(state);
    for (uint32_t i = 0; i < 2000; i++) {
      uint32_t number = __builtin_bswap32(falling != 0 ? 2000 - i : i);
      join(all, gs_slice_of(&number, sizeof number));
    }
    expect_sorted(all, 0);
    crowd_free(all);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_random_keys_of_all_shapes_are_sorted),
      KIT_TEST(test_keys_in_order_but_for_one_are_sorted),
      KIT_TEST(test_keys_that_differ_only_in_zeros_at_the_end_are_sorted),
      KIT_TEST(test_heads_begin_at_the_depth_given),
      KIT_TEST(test_keys_alike_for_hundreds_of_bytes_are_sorted),
      KIT_TEST(test_every_prefix_of_one_long_key_is_sorted),
      KIT_TEST(test_rising_and_falling_numbers_are_sorted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
