/*
 * Tests of the ordering: which chunks live how long, whoever holds whichever
 * order for however long.
 */
#include "mem/order_kit.h"

enum { BULK = 3000, HOLDERS = 6, CHURN = 300, ROUNDS = 6, NEWCOMERS = 40 };

static size_t
bytes_of(const order_kit *kit)
{
  return atomic_load(&kit->ordering.bytes);
}

static void
add_bulk(order_kit *kit)
{
  for (uint32_t i = 0; i < BULK; i++) {
    order_kit_add_number(kit, 1000 * i);
  }
}

static size_t
shared_chunks(const gs_order *a, const gs_order *b)
{
  size_t count = 0;
  for (size_t i = 0; i < a->chunk_count; i++) {
    for (size_t j = 0; j < b->chunk_count; j++) {
      count += a->fences[i].chunk == b->fences[j].chunk;
    }
  }
  return count;
}

static void
test_an_order_is_made_once_as_long_as_no_key_is_added(void **state)
{
  order_kit kit;
  order_kit_init(&kit, state);
  add_bulk(&kit);
  gs_order *first = order_kit_take(&kit);
  gs_entry newer = {.seq = ++kit.seq, .kind = GS_KIND_DELETE};
  gs_node *node = gs_node_at(&kit.arena, GS_ARENA_FIRST);
  gs_arena_publish(&kit.arena, gs_row_add_newer(&kit.arena, node, &newer));
  gs_order *second = order_kit_take(&kit);
  assert_ptr_equal(first, second);
  gs_order_release(first);
  gs_order_release(second);
  order_kit_deinit(&kit);
}

static void
test_one_key_more_changes_one_chunk(void **state)
{
  order_kit kit;
  order_kit_init(&kit, state);
  add_bulk(&kit);
  gs_order *before = order_kit_take(&kit);
  order_kit_add_number(&kit, 1000 * 777 + 1);
  gs_order *after = order_kit_take(&kit);
  assert_int_equal(shared_chunks(before, after), before->chunk_count - 1);
  gs_order_release(before);
  gs_order_release(after);
  order_kit_deinit(&kit);
}

static void
test_a_held_order_stays_as_it_was(void **state)
{
  order_kit kit;
  order_kit_init(&kit, state);
  add_bulk(&kit);
  gs_order *held = order_kit_take(&kit);
  for (uint32_t i = 0; i < CHURN; i++) {
    order_kit_add_number(&kit, 1000 * i * 8 + 1);
    gs_order_release(order_kit_take(&kit));
  }
  assert_int_equal(held->key_count, BULK);
  assert_int_equal(gs_order_verify(held, &kit.arena, NULL), GS_OK);
  gs_order_release(held);
  order_kit_deinit(&kit);
}

static void
test_memory_is_bounded_however_many_orders_are_made(void **state)
{
  order_kit kit;
  order_kit_init(&kit, state);
  add_bulk(&kit);
  gs_order *held = order_kit_take(&kit);
  size_t once = bytes_of(&kit);
  for (uint32_t i = 0; i < CHURN; i++) {
    order_kit_add_number(&kit, 1000 * (i % 100) * 50 + 1 + i);
    gs_order_release(order_kit_take(&kit));
    assert_true(bytes_of(&kit) < 4 * once);
  }
  gs_order_release(held);
  order_kit_add_number(&kit, 999999999);
  gs_order_release(order_kit_take(&kit));
  assert_true(bytes_of(&kit) < 2 * once);
  order_kit_deinit(&kit);
}

/* Orders released in any order of time: a chunk freed too early shows in the
 * walk, one freed too late in the account that deinit looks at. */
static void
test_orders_may_be_released_in_any_sequence(void **state)
{
  uint64_t random = 99;
  for (int round = 0; round < ROUNDS; round++) {
    order_kit kit;
    order_kit_init(&kit, state);
    gs_order *held[HOLDERS] = {0};
    for (uint32_t i = 0; i < 300; i++) {
      for (size_t more = battery_random_below(&random, 40); more > 0; more--) {
        uint32_t key = (uint32_t)battery_random_below(&random, 1 << 20);
        order_kit_add_number(&kit, key << 12 | (uint32_t)(kit.seq & 0xfff));
      }
      gs_order **slot = &held[battery_random_below(&random, HOLDERS)];
      if (*slot != NULL) {
        assert_int_equal(gs_order_verify(*slot, &kit.arena, NULL), GS_OK);
        gs_order_release(*slot);
      }
      *slot = order_kit_take(&kit);
    }
    for (size_t i = 0; i < HOLDERS; i++) {
      if (held[i] != NULL) {
        gs_order_release(held[i]);
      }
    }
    order_kit_deinit(&kit);
  }
}

static void
test_a_key_with_another_beginning_shortens_the_prefix(void **state)
{
  order_kit kit;
  order_kit_init(&kit, state);
  static const char *const keys[] = {
      "abcdefghijkl", "abcdefghijkm", "abcdx", "abd", "abcdefghijkn", "b", ""};
  static const size_t sizes[] = {12, 11, 4, 2, 2, 0, 0};
  gs_order *held[7];
  for (size_t i = 0; i < 7; i++) {
    order_kit_add(&kit, gs_slice_str(keys[i]));
    held[i] = order_kit_take(&kit);
    assert_int_equal(held[i]->prefix.size, sizes[i]);
  }
  for (size_t i = 0; i < 7; i++) {
    assert_int_equal(gs_order_verify(held[i], &kit.arena, NULL), GS_OK);
    gs_order_release(held[i]);
  }
  order_kit_deinit(&kit);
}

/* Takes an order, for which some chunks are woven anew and some are not (or all
 * are, for a last key with another beginning), while the nth allocation fails.
 * False when none failed. */
static bool
take_despite_failure(void **state, uint64_t nth, const char *last_key)
{
  order_kit kit;
  order_kit_init(&kit, state);
  add_bulk(&kit);
  gs_order *before = order_kit_take(&kit);
  for (uint32_t i = 0; i < NEWCOMERS; i++) {
    order_kit_add_number(&kit, 500000 * (i % 6) + 1 + i);
  }
  order_kit_add(&kit, gs_slice_of(last_key, 7));
  size_t bytes = bytes_of(&kit);
  gs_sim_fail_alloc(*state, nth, 1);
  gs_order *after = NULL;
  gs_status status = gs_ordering_take(&kit.ordering, gs_arena_used(&kit.arena),
                                      kit.key_count, &after, NULL);
  gs_sim_fail_alloc(*state, 0, 1);
  if (status != GS_OK) {
    assert_int_equal(status, GS_NOMEM);
    assert_int_equal(bytes_of(&kit), bytes);
    after = order_kit_take(&kit);
  }
  assert_int_equal(after->key_count, BULK + NEWCOMERS + 1);
  assert_int_equal(gs_order_verify(after, &kit.arena, NULL), GS_OK);
  assert_int_equal(gs_order_verify(before, &kit.arena, NULL), GS_OK);
  gs_order_release(after);
  gs_order_release(before);
  order_kit_deinit(&kit);
  return status != GS_OK;
}

static void
test_an_order_that_cannot_be_made_leaves_the_one_before(void **state)
{
  static const char last_keys[2][8] = {"\0\0 same", "\xff other"};
  for (size_t i = 0; i < 2; i++) {
    uint64_t nth = 1;
    while (take_despite_failure(state, nth, last_keys[i])) {
      nth++;
    }
    assert_true(nth > 8);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_an_order_is_made_once_as_long_as_no_key_is_added),
      KIT_TEST(test_one_key_more_changes_one_chunk),
      KIT_TEST(test_a_held_order_stays_as_it_was),
      KIT_TEST(test_memory_is_bounded_however_many_orders_are_made),
      KIT_TEST(test_orders_may_be_released_in_any_sequence),
      KIT_TEST(test_a_key_with_another_beginning_shortens_the_prefix),
      KIT_TEST(test_an_order_that_cannot_be_made_leaves_the_one_before),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
