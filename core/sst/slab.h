/*
 * slab: memory for blocks of one size, cut from large pieces.
 *
 * Model: slabs of GS_SLAB_BYTES, each cut into cells of one size. A slab is as
 * large as a large page of the processor, so that the machine may back it with
 * one: cached blocks are read at random, and then finding the page costs as
 * much as reading it.
 *   1. A slab stands in the list iff it has a free cell.
 *   2. At most one slab is empty, or none where none is kept: others go back
 *      when their last cell does.
 *
 * Life: new / drop. Cells may outlive the drop; the last one given back frees
 * everything.
 * Threads: any; one mutex.
 */
#ifndef GS_SST_SLAB_H
#define GS_SST_SLAB_H

#include <stdatomic.h>

#include "env/env.h"

enum { GS_SLAB_BYTES = 2 << 20, GS_CELL_ALIGN = 64 };

typedef struct gs_slabs gs_slabs;
typedef struct gs_slab gs_slab;

/* Cells hold at least cell_bytes. */
GS_MUST_CHECK gs_status gs_slabs_new(gs_env *env, size_t cell_bytes,
                                     gs_slabs **out, gs_error *err);
void gs_slabs_drop(gs_slabs *slabs); /* NULL is accepted */

/* Whether an empty slab waits for its next cell. It does at first. */
void gs_slabs_keep_empty(gs_slabs *slabs, bool keeps);

/* Bytes of slabs that no cell in use takes. It may have changed when it
 * returns. */
uint64_t gs_slabs_idle_bytes(const gs_slabs *slabs);

/* A cell aligned to GS_CELL_ALIGN, or NULL when out of memory, or where a slab
 * would have to be begun for it and must not; *slab goes to gs_slab_give. */
void *gs_slabs_take(gs_slabs *slabs, bool begins_none, gs_slab **slab);
void gs_slab_give(gs_slab *slab, void *cell);

/* Bytes that each of its cells takes. */
size_t gs_slab_cell_bytes(const gs_slab *slab);

#endif
