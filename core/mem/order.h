/*
 * order: the keys of a memtable in byte order, as of one moment.
 *
 * Model: fences, each a chunk and the head of its first key; a chunk is a
 * sorted array of nodes with their heads. A head is eight key bytes as a
 * number, so that a search meets keys only where heads are equal.
 *   1. Keys strictly rise through the chunks of an order; no chunk is empty
 *      and none holds more than GS_CHUNK_MAX_KEYS.
 *   2. All keys of an order begin with its prefix; heads are taken behind it.
 *   3. Once made, an order and its chunks do not change. (Links and counts that
 *      say who needs them belong to the ordering.)
 *
 * Life: made, counted and freed by an ordering; see ordering.h.
 * Threads: any number of readers at once.
 */
#ifndef GS_MEM_ORDER_H
#define GS_MEM_ORDER_H

#include "mem/row.h"

enum { GS_CHUNK_MAX_KEYS = 256 };

typedef struct gs_chunk gs_chunk;
struct gs_chunk {
  uint64_t birth;      /* number of the first order that has it */
  gs_chunk *next_dead; /* in the list of an order's dead */
  size_t count;
  uint64_t heads[]; /* count heads; then count nodes of 4 bytes */
};

typedef struct gs_fence {
  uint64_t head; /* of the chunk's first key */
  gs_chunk *chunk;
} gs_fence;

typedef struct gs_order gs_order;
struct gs_order {
  _Atomic uint64_t users; /* takes without release */
  uint64_t number;        /* counts the orders made */
  gs_order *older;        /* neighbours among the orders that exist */
  gs_order *newer;
  gs_chunk *dead;  /* its chunks that the next newer order lacks */
  gs_slice prefix; /* of all keys; in the arena */
  size_t key_count;
  size_t chunk_count;
  size_t chunk_capacity;
  gs_fence fences[];
};

/* A place in an order; chunk == chunk_count means behind the last key. */
typedef struct gs_place {
  size_t chunk;
  size_t slot;
} gs_place;

/* The place of the first key >= key. */
gs_place gs_order_seek(const gs_order *order, const gs_arena *arena,
                       gs_slice key);

/* The last chunk whose first key is <= key, or the first one. head is the
 * key's, behind the prefix. Requires: the order has keys. */
size_t gs_order_chunk_of(const gs_order *order, const gs_arena *arena,
                         gs_slice key, uint64_t head);

/* Checks invariants 1 and 2; GS_CORRUPT names the first break. */
GS_MUST_CHECK gs_status gs_order_verify(const gs_order *order,
                                        const gs_arena *arena, gs_error *err);

static inline const uint32_t *
gs_chunk_nodes(const gs_chunk *chunk)
{
  return (const uint32_t *)(const void *)(chunk->heads + chunk->count);
}

/* Requires: the place is not behind the last key. */
static inline uint32_t
gs_order_node(const gs_order *order, gs_place place)
{
  return gs_chunk_nodes(order->fences[place.chunk].chunk)[place.slot];
}

#endif
