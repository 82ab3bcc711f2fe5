/*
 * ghost: remembers which blocks were given up of late.
 *
 * Model: a table of places; a block has one place, where its name stands with
 * the number of the eviction. A later block may take the place over: the
 * memory is approximate, which costs a little accuracy and no chains. A name
 * counts as remembered for as many evictions as there are places.
 *
 * The table is made with the first name: a store that never fills its cache has
 * none.
 *
 * Life: init/deinit in the caller's memory; all zero is one that remembers
 * nothing.
 * Threads: one at a time.
 * Errors: none; without memory it remembers nothing and tries again after as
 * many evictions as it has places.
 */
#ifndef GS_SST_GHOST_H
#define GS_SST_GHOST_H

#include "base/alloc.h"

#include <stdbool.h>

typedef struct gs_ghost_place {
  uint32_t name;   /* part of the block's key */
  uint32_t number; /* of the eviction */
} gs_ghost_place;

typedef struct gs_ghost {
  gs_alloc *alloc;
  gs_ghost_place *places; /* NULL before the first name */
  uint32_t place_count;   /* a power of two, or 0 */
  uint32_t evictions;     /* counted round */
} gs_ghost;

void gs_ghost_init(gs_ghost *ghost, gs_alloc *alloc);
void gs_ghost_deinit(gs_ghost *ghost);

/* Remembers about that many blocks from now on, forgetting all so far if that
 * makes another number of places. */
void gs_ghost_resize(gs_ghost *ghost, uint64_t block_count);

void gs_ghost_add(gs_ghost *ghost, uint64_t key);

bool gs_ghost_has(const gs_ghost *ghost, uint64_t key);

/* Whether it is, and was added before as many others as that part of the
 * places. */
bool gs_ghost_has_old(const gs_ghost *ghost, uint64_t key, uint32_t part);

/* Whether the block is remembered; forgets it. */
bool gs_ghost_take(gs_ghost *ghost, uint64_t key);

#endif
