/*
 * spare: the memory of memtables of one store. The block of one that ended is
 * kept for the next.
 *
 * Model: at most one block waits. The system clears a new block page by page as
 * it fills, inside the puts that fill it; the pages of one that was used before
 * are there.
 *   1. What a block holds is nothing that anybody relies on: an arena is read
 *      below its `used` only.
 *   2. A block waits only for its own size, the one asked for last, and only
 *      while blocks in use and the waiting one are at most as many as the store
 *      has memory for.
 *
 * Life: init / deinit in the caller's memory, which outlives every memtable that
 * was made with it.
 * Threads: any, without locks.
 */
#ifndef GS_MEM_SPARE_H
#define GS_MEM_SPARE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/alloc.h"

typedef struct gs_spare {
  gs_alloc *alloc;
  uint32_t most;               /* blocks, in use and waiting */
  _Atomic uint32_t in_use;     /* taken and not given back */
  _Atomic size_t usual;        /* words asked for last; 0: keep none */
  _Atomic(uint64_t *) waiting; /* its first word is their number */
} gs_spare;

void gs_spare_init(gs_spare *spare, gs_alloc *alloc, uint32_t most);
void gs_spare_deinit(gs_spare *spare);

/* A block of so many words, at least one, or NULL when out of memory. *is_used:
 * it served before. */
uint64_t *gs_spare_take(gs_spare *spare, size_t word_count, bool *is_used);

/* Takes a block back of which the first `used_words` were written since it was
 * taken; one without pages of its own is not worth keeping. */
void gs_spare_give(gs_spare *spare, uint64_t *words, size_t word_count,
                   size_t used_words, bool has_pages);

/* What waits goes back to the allocator, and no block is kept until the next is
 * taken. */
void gs_spare_rest(gs_spare *spare);

#endif
