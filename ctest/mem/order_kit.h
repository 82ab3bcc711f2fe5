/*
 * order_kit: an arena with keys and an ordering over it, without a memtable.
 *
 * Life: init / deinit in the caller's memory; all orders taken are released
 * before deinit.
 */
#ifndef GS_CTEST_MEM_ORDER_KIT_H
#define GS_CTEST_MEM_ORDER_KIT_H

#include "mem/mem_kit.h"
#include "mem/ordering.h"

typedef struct order_kit {
  gs_arena arena;
  gs_ordering ordering;
  uint64_t key_count;
  uint64_t seq;
} order_kit;

static inline void
order_kit_init(order_kit *kit, void **state)
{
  gs_alloc *alloc = gs_sim_env(*state)->alloc;
  *kit = (order_kit){0};
  assert_int_equal(
      gs_arena_init(&kit->arena, alloc, NULL, 8 * KIT_CAPACITY, NULL), GS_OK);
  gs_ordering_init(&kit->ordering, alloc, &kit->arena);
}

static inline void
order_kit_deinit(order_kit *kit)
{
  gs_ordering_deinit(&kit->ordering);
  assert_int_equal(atomic_load(&kit->ordering.bytes), 0);
  gs_arena_deinit(&kit->arena);
}

/* Requires: the key is new. */
static inline gs_node *
order_kit_add(order_kit *kit, gs_slice key)
{
  gs_entry entry = {.key = key, .seq = ++kit->seq, .kind = GS_KIND_DELETE};
  gs_node *node = gs_node_at(&kit->arena, gs_arena_top(&kit->arena));
  gs_arena_publish(&kit->arena, gs_row_add_first(&kit->arena, &entry));
  kit->key_count++;
  return node;
}

/* Numbers as keys in numeric order. */
static inline void
order_kit_add_number(order_kit *kit, uint32_t number)
{
  uint32_t bytes = __builtin_bswap32(number);
  order_kit_add(kit, gs_slice_of(&bytes, sizeof bytes));
}

static inline gs_order *
order_kit_take(order_kit *kit)
{
  gs_order *order = NULL;
  assert_int_equal(gs_ordering_take(&kit->ordering, gs_arena_used(&kit->arena),
                                    kit->key_count, &order, NULL),
                   GS_OK);
  assert_int_equal(order->key_count, kit->key_count);
  gs_error err;
  if (gs_order_verify(order, &kit->arena, &err) != GS_OK) {
    fail_msg("%s", err.message);
  }
  return order;
}

static inline gs_slice
order_kit_key(const order_kit *kit, const gs_order *order, gs_place place)
{
  return gs_node_key(gs_node_at(&kit->arena, gs_order_node(order, place)));
}

#endif
