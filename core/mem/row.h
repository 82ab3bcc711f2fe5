/*
 * row: how keys and their versions lie in the arena.
 *
 * Model: the arena is a sequence of items. A key has one node, followed at
 * once by its first version, so that a get of a short key touches neighbours.
 * A later version is a row alone; rows of a key are chained newest to oldest.
 *
 *   node := newest:u32 key_size:u16 0:u16 key            padded to 8
 *   row  := seq:u56 kind:u8 older:u32 value_size:u32
 *           [jump:u32 depth:u32]   where older is not 0
 *           [expires_at_ms:u64]    where kind has the expiry mark
 *           value                                        padded to 8
 *
 * The eighth byte of an item tells what it is: 0 in a node, the kind in a row.
 *
 *   1. A row's `older` has a smaller sequence number and a lower unit.
 *   2. depth counts the older rows of the key. jump is an older row of the
 *      key, chosen by depth alone so that from any row any older one is at
 *      most logarithmically many steps away.
 *      [E. Myers, applicative random-access stack, 1983]
 *
 * With rows by depth, jumps are:  0 <- 1   0 <- 3   0 <- 7
 *                                 1 <- 2   3 <- 4 <- 5   3 <- 6
 *
 * Threads: one writer; readers follow units they loaded with acquire from a
 * hash slot, from `newest`, or found below the arena's `used`.
 */
#ifndef GS_MEM_ROW_H
#define GS_MEM_ROW_H

#include "data/entry.h"
#include "mem/arena.h"

typedef struct gs_node {
  _Atomic uint32_t newest; /* the newest row */
  uint16_t key_size;
  uint16_t zero;
  uint8_t key[];
} gs_node;

typedef struct gs_row {
  uint64_t stamp;      /* sequence number, kind and expiry mark */
  uint32_t older;      /* the next older row; 0 for the first */
  uint32_t value_size; /* bytes */
} gs_row;

/* Follows the row of every version but the first. */
typedef struct gs_skip {
  uint32_t jump;
  uint32_t depth;
} gs_skip;

#define GS_ROW_EXPIRY_MARK (UINT64_C(1) << 63)
enum { GS_ROW_KIND_SHIFT = 56, GS_ROW_KIND_MASK = 7 };

static inline gs_node *
gs_node_at(const gs_arena *arena, uint32_t unit)
{
  return (gs_node *)gs_arena_at(arena, unit);
}

static inline const gs_row *
gs_row_at(const gs_arena *arena, uint32_t unit)
{
  return (const gs_row *)gs_arena_at(arena, unit);
}

static inline gs_slice
gs_node_key(const gs_node *node)
{
  return gs_slice_of(node->key, node->key_size);
}

static inline uint32_t
gs_node_newest(const gs_node *node)
{
  return atomic_load_explicit(&node->newest, memory_order_acquire);
}

static inline uint64_t
gs_row_seq(const gs_row *row)
{
  return row->stamp & GS_SEQ_MAX;
}

/* Whether the item is a node; else it is a row. */
static inline bool
gs_item_is_node(const gs_arena *arena, uint32_t unit)
{
  return ((const uint8_t *)gs_arena_at(arena, unit))[7] == 0;
}

/* Units of the item; the next one begins behind it. */
size_t gs_item_units(const gs_arena *arena, uint32_t unit);

/* Bytes that one more version takes at most, with or without a new key. */
size_t gs_row_bytes_max(size_t key_size, size_t value_size);

/* Both write above the arena's top and return the top beyond, which the caller
 * publishes. Require: room for gs_row_bytes_max. */

/* A node and its first version, linked to nothing yet. */
uint32_t gs_row_add_first(gs_arena *arena, const gs_entry *entry);

/* A further version, linked to its node. */
uint32_t gs_row_add_newer(gs_arena *arena, gs_node *node,
                          const gs_entry *entry);

/* The newest row with sequence <= seq; 0 when there is none. */
uint32_t gs_row_find(const gs_arena *arena, const gs_node *node, uint64_t seq);

/* The entry a row holds; valid as long as the arena. */
void gs_row_read(const gs_arena *arena, const gs_node *node, uint32_t unit,
                 gs_entry *out);

/* jump and depth of a row that has them; 0 and 0 for a first version. */
gs_skip gs_row_skip(const gs_arena *arena, uint32_t unit);

/* What a row has whose next older one is this. */
gs_skip gs_row_skip_above(const gs_arena *arena, uint32_t older);

#endif
