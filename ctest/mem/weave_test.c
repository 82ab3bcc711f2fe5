/*
 * Tests of the weave: the size of chunks, and the room for fences, whatever
 * the newcomers look like.
 */
#include "mem/order_kit.h"
#include "mem/weave.h"

enum { ROUNDS = 40 };

static void
expect_pieces(const gs_order *order, size_t least)
{
  assert_true(order->chunk_count <= order->chunk_capacity);
  for (size_t c = 0; c < order->chunk_count; c++) {
    assert_in_range(order->fences[c].chunk->count, least, GS_CHUNK_MAX_KEYS);
  }
}

static void
test_keys_woven_at_once_fill_chunks_evenly(void **state)
{
  static const size_t counts[] = {1, 255, 256, 257, 512, 513, 1000};
  static const size_t chunks[] = {1, 1, 1, 2, 2, 3, 4};
  for (size_t i = 0; i < 7; i++) {
    order_kit kit;
    order_kit_init(&kit, state);
    for (size_t key = 0; key < counts[i]; key++) {
      order_kit_add_number(&kit, (uint32_t)key);
    }
    gs_order *order = order_kit_take(&kit);
    assert_int_equal(order->chunk_count, chunks[i]);
    expect_pieces(order, counts[i] / chunks[i]);
    gs_order_release(order);
    order_kit_deinit(&kit);
  }
}

static void
test_a_full_chunk_with_one_key_more_becomes_two_halves(void **state)
{
  order_kit kit;
  order_kit_init(&kit, state);
  for (uint32_t key = 0; key < GS_CHUNK_MAX_KEYS; key++) {
    order_kit_add_number(&kit, 2 * key);
  }
  gs_order_release(order_kit_take(&kit));
  order_kit_add_number(&kit, 31);
  gs_order *order = order_kit_take(&kit);
  assert_int_equal(order->chunk_count, 2);
  assert_int_equal(order->fences[0].chunk->count, 129);
  assert_int_equal(order->fences[1].chunk->count, 128);
  gs_order_release(order);
  order_kit_deinit(&kit);
}

static void
test_newcomers_below_within_and_above_find_their_chunks(void **state)
{
  order_kit kit;
  order_kit_init(&kit, state);
  for (uint32_t key = 0; key < 1024; key++) {
    order_kit_add_number(&kit, 1000 + 2 * key);
  }
  gs_order_release(order_kit_take(&kit));
  static const uint32_t newcomers[] = {0, 999, 1001, 1511, 1513, 3047, 9999};
  for (size_t i = 0; i < 7; i++) {
    order_kit_add_number(&kit, newcomers[i]);
  }
  gs_order *order = order_kit_take(&kit);
  for (size_t i = 0; i < 7; i++) {
    uint32_t bytes = __builtin_bswap32(newcomers[i]);
    gs_slice key = gs_slice_of(&bytes, sizeof bytes);
    gs_place at = gs_order_seek(order, &kit.arena, key);
    assert_true(gs_slice_equal(order_kit_key(&kit, order, at), key));
  }
  gs_order_release(order);
  order_kit_deinit(&kit);
}

static void
test_fences_suffice_for_any_mixture_of_increments(void **state)
{
  uint64_t random = 21;
  for (int round = 0; round < ROUNDS; round++) {
    order_kit kit;
    order_kit_init(&kit, state);
    uint32_t serial = 0;
    for (int makings = 0; makings < 12; makings++) {
      size_t most = battery_random_below(&random, 2) == 0 ? 4 : 900;
      uint32_t base = (uint32_t)battery_random_below(&random, 1 << 18);
      bool is_dense = battery_random_below(&random, 2) == 0;
      for (size_t i = battery_random_below(&random, most); i > 0; i--) {
        size_t spread = battery_random_below(&random, is_dense ? 16 : 1 << 18);
        uint32_t high = (base + (uint32_t)spread) & ((1 << 18) - 1);
        order_kit_add_number(&kit, high << 14 | serial++);
      }
      gs_order *order = order_kit_take(&kit);
      expect_pieces(order, 1);
      gs_order_release(order);
    }
    order_kit_deinit(&kit);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_keys_woven_at_once_fill_chunks_evenly),
      KIT_TEST(test_a_full_chunk_with_one_key_more_becomes_two_halves),
      KIT_TEST(test_newcomers_below_within_and_above_find_their_chunks),
      KIT_TEST(test_fences_suffice_for_any_mixture_of_increments),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
