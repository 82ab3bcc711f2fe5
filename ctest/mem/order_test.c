/*
 * Tests of a frozen order: that a search lands where a walk from the front
 * does, and that damage is seen.
 */
#include <stdio.h>

#include "mem/order_kit.h"

enum { ROUNDS = 10, PROBES = 400 };

/* The first place whose key is >= the key, the slow way. */
static gs_place
walk_to(const order_kit *kit, const gs_order *order, gs_slice key)
{
  gs_place at = {0, 0};
  for (; at.chunk < order->chunk_count; at.chunk++) {
    size_t count = order->fences[at.chunk].chunk->count;
    for (at.slot = 0; at.slot < count; at.slot++) {
      if (gs_slice_compare(order_kit_key(kit, order, at), key) >= 0) {
        return at;
      }
    }
  }
  return (gs_place){order->chunk_count, 0};
}

static void
expect_seek(const order_kit *kit, const gs_order *order, gs_slice key)
{
  gs_place wanted = walk_to(kit, order, key);
  gs_place got = gs_order_seek(order, &kit->arena, key);
  assert_int_equal(got.chunk, wanted.chunk);
  assert_int_equal(got.slot, wanted.slot);
}

static void
add_new_keys(order_kit *kit, uint64_t *random, size_t tries)
{
  gs_order *order = order_kit_take(kit);
  for (size_t i = 0; i < tries; i++) {
    uint8_t bytes[KIT_KEY_BYTES];
    gs_slice key = kit_random_key(random, bytes);
    gs_place at = walk_to(kit, order, key);
    bool is_there = at.chunk < order->chunk_count &&
                    gs_slice_equal(order_kit_key(kit, order, at), key);
    if (!is_there) {
      order_kit_add(kit, key);
    }
    gs_order_release(order);
    order = order_kit_take(kit);
  }
  gs_order_release(order);
}

static void
test_a_seek_lands_on_the_first_key_not_below(void **state)
{
  uint64_t random = 8;
  for (int round = 0; round < ROUNDS; round++) {
    order_kit kit;
    order_kit_init(&kit, state);
    add_new_keys(&kit, &random, battery_random_below(&random, 700));
    gs_order *order = order_kit_take(&kit);
    for (int probe = 0; probe < PROBES; probe++) {
      uint8_t bytes[KIT_KEY_BYTES];
      expect_seek(&kit, order, kit_random_key(&random, bytes));
    }
    gs_order_release(order);
    order_kit_deinit(&kit);
  }
}

static void
test_keys_around_a_common_beginning_are_placed_before_or_behind(void **state)
{
  order_kit kit;
  order_kit_init(&kit, state);
  for (uint32_t i = 0; i < 1000; i++) {
    char key[32];
    int size = snprintf(key, sizeof key, "common/beginning/%u", i);
    order_kit_add(&kit, gs_slice_of(key, (size_t)size));
  }
  gs_order *order = order_kit_take(&kit);
  assert_int_equal(order->prefix.size, strlen("common/beginning/"));
  static const char *const probes[] = {"",
                                       "a",
                                       "common",
                                       "common/beginning/",
                                       "common/beginning/5",
                                       "common/beginning/5000",
                                       "common/beginning0",
                                       "common/a",
                                       "d",
                                       "\xff"};
  for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++) {
    expect_seek(&kit, order, gs_slice_str(probes[i]));
  }
  expect_seek(&kit, order, (gs_slice){NULL, 0});
  gs_order_release(order);
  order_kit_deinit(&kit);
}

static void
test_an_order_of_nothing_has_only_an_end(void **state)
{
  order_kit kit;
  order_kit_init(&kit, state);
  gs_order *order = order_kit_take(&kit);
  assert_int_equal(order->chunk_count, 0);
  gs_place at = gs_order_seek(order, &kit.arena, gs_slice_str("x"));
  assert_int_equal(at.chunk, 0);
  gs_order_release(order);
  order_kit_deinit(&kit);
}

static void
expect_corrupt(const gs_order *order, const gs_arena *arena, const char *what)
{
  gs_error err;
  assert_int_equal(gs_order_verify(order, arena, &err), GS_CORRUPT);
  if (strstr(err.message, what) == NULL) {
    fail_msg("'%s' does not say '%s'", err.message, what);
  }
}

static void
test_verify_names_what_is_wrong_with_an_order(void **state)
{
  order_kit kit;
  order_kit_init(&kit, state);
  for (uint32_t i = 0; i < 600; i++) {
    order_kit_add_number(&kit, i);
  }
  gs_order *order = order_kit_take(&kit);
  gs_chunk *chunk = order->fences[1].chunk;
  uint32_t *nodes = (uint32_t *)(void *)(chunk->heads + chunk->count);

  chunk->heads[7]++;
  expect_corrupt(order, &kit.arena, "wrong head");
  chunk->heads[7]--;

  uint32_t node = nodes[7];
  nodes[7] = nodes[6];
  chunk->heads[7] = chunk->heads[6];
  expect_corrupt(order, &kit.arena, "not above its neighbour");
  nodes[7] = node;
  chunk->heads[7] = gs_slice_head((gs_slice){NULL, 0});
  expect_corrupt(order, &kit.arena, "wrong head");
  gs_slice key = gs_node_key(gs_node_at(&kit.arena, node));
  size_t skipped = order->prefix.size;
  chunk->heads[7] =
      gs_slice_head(gs_slice_of(key.data + skipped, key.size - skipped));

  order->fences[1].head++;
  expect_corrupt(order, &kit.arena, "wrong fence");
  order->fences[1].head--;

  order->key_count++;
  expect_corrupt(order, &kit.arena, "counts 601 keys");
  order->key_count--;

  gs_slice prefix = order->prefix;
  order->prefix = gs_slice_str("x");
  expect_corrupt(order, &kit.arena, "lacks the prefix");
  order->prefix = prefix;

  assert_int_equal(gs_order_verify(order, &kit.arena, NULL), GS_OK);
  gs_order_release(order);
  order_kit_deinit(&kit);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_seek_lands_on_the_first_key_not_below),
      KIT_TEST(test_keys_around_a_common_beginning_are_placed_before_or_behind),
      KIT_TEST(test_an_order_of_nothing_has_only_an_end),
      KIT_TEST(test_verify_names_what_is_wrong_with_an_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
