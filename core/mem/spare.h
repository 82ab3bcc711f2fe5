/*
 * spare: the arena's block of a memtable that ended, kept for the next one.
 *
 * Model: at most one block, all of whose pages are there already. A new block
 * is cleared by the system page by page as it fills, inside the puts that fill
 * it; one that was used before is not.
 *   1. What a block holds is nothing that anybody relies on: an arena is read
 *      below its `used` only.
 *   2. A block goes to an arena of the same size, or back to the allocator.
 *
 * Life: init / deinit in the caller's memory, which outlives every memtable that
 * was made with it.
 * Threads: take and give from any thread, without locks.
 */
#ifndef GS_MEM_SPARE_H
#define GS_MEM_SPARE_H

#include <stdatomic.h>

#include "base/alloc.h"

typedef struct gs_spare {
  gs_alloc *alloc;
  _Atomic(uint64_t *) words; /* the first one is their number */
} gs_spare;

void gs_spare_init(gs_spare *spare, gs_alloc *alloc);
void gs_spare_deinit(gs_spare *spare);

/* A block of so many words that is the caller's from now on, or NULL. One of
 * another size goes back to the allocator: sizes have changed. */
uint64_t *gs_spare_take(gs_spare *spare, size_t word_count);

/* Takes a block of the spare's allocator; one that was there goes back to it.
 * Requires: word_count > 0. */
void gs_spare_give(gs_spare *spare, uint64_t *words, size_t word_count);

#endif
