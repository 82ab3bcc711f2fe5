/*
 * sort: puts nodes of the arena into key order.
 *
 * Model: an item stands for a node and carries the eight key bytes that begin
 * at some depth, as a big-endian number, so that most comparisons need no key.
 *
 * Threads: the caller's own; nodes are only read.
 */
#ifndef GS_MEM_SORT_H
#define GS_MEM_SORT_H

#include "mem/row.h"

typedef struct gs_sort_item {
  uint64_t head; /* gs_slice_head of the key's bytes from the depth on */
  uint32_t node;
  uint32_t tail; /* bytes from the depth on, at most GS_SORT_TAIL_MAX */
} gs_sort_item;

/* Says: the key goes on beyond the head. */
enum { GS_SORT_TAIL_MAX = 9 };

/* Sorts by key and leaves heads of that depth. Only `node` need be set before.
 * scratch holds count items; its content is lost. Requires: keys differ, all
 * begin with the same depth bytes, count fits 32 bits. */
void gs_sort_keys(const gs_arena *arena, gs_sort_item *items,
                  gs_sort_item *scratch, size_t count, size_t depth);

#endif
