/*
 * cells: memory for blocks, by their size.
 *
 * Model: blocks of some sizes lie in cells of slabs, one kind of slab for each
 * size; all others have memory of their own, and so do the first few of each
 * size. The C library's allocator gives pages back to the system and takes new
 * ones all the time where blocks push one another out.
 *   1. A size has cells only where there is room for several slabs.
 *   2. No slab is begun while more than a sixteenth of the bytes allowed and two
 *      slabs lie idle in others. A slab goes back when its last cell does, so
 *      where blocks of one size give way to another, each that stays keeps a
 *      whole slab.
 *
 * Life: init / deinit in the caller's memory. Blocks may outlive that; each
 * says where its memory goes.
 * Threads: take from any thread; allow under the owner's mutex.
 * Errors: GS_NOMEM from init.
 */
#ifndef GS_SST_CELLS_H
#define GS_SST_CELLS_H

#include <stdatomic.h>

#include "env/env.h"
#include "sst/slab.h"

/* Blocks of the usual size, and what one large entry makes of them. */
enum { GS_CELL_SIZES = 6, GS_CELL_USUAL_BYTES = 4096 };

typedef struct gs_cells {
  gs_env *env;
  size_t header_bytes;
  atomic_uint sizes;          /* the smallest so many have cells */
  _Atomic uint64_t most_idle; /* bytes, where a slab is begun */
  gs_slabs *slabs[GS_CELL_SIZES];
  atomic_uint early[GS_CELL_SIZES]; /* taken so far, while they are early */
} gs_cells;

/* header_bytes: what a block's memory begins with. No size has cells yet. */
GS_MUST_CHECK gs_status gs_cells_init(gs_cells *cells, gs_env *env,
                                      size_t header_bytes, gs_error *err);
void gs_cells_deinit(gs_cells *cells); /* also after a failed init */

/* So many bytes of blocks may there be. */
void gs_cells_allow(gs_cells *cells, uint64_t capacity_bytes);

/* Bytes of slabs that no block takes. */
uint64_t gs_cells_idle_bytes(const gs_cells *cells);

/* Whether that is more than may be where a slab is begun. */
bool gs_cells_are_scattered(const gs_cells *cells);

/* Memory for header and block, or NULL when out of memory; *slab is where the
 * cell goes, NULL for memory of its own, to be freed with its size. */
void *gs_cells_take(gs_cells *cells, uint32_t block_bytes, gs_slab **slab);

#endif
