/*
 * cache: verified blocks in memory, under one ceiling.
 *
 * Model: a frame holds one block's bytes. The table that owns the block has an
 * atomic pointer to it; that pointer is the only index. Frames stand in queues
 * (a small first-in-first-out one for newcomers, a main one, and a ghost list
 * of hashes: S3-FIFO, Yang et al., SOSP 2023). A reader that hits sets the
 * frame's touched mark if it is clear, and nothing else.
 *   1. used bytes = sum of frames in the queues; at most the capacity less what
 *      tables hold, plus pinned and just-loaded frames. A quarter of the
 *      capacity is left to frames whatever tables hold.
 *   2. A frame leaves by: pointer cleared, taken from its queue, retired
 *      through the epoch, freed when no pin is left. The evictor passes over
 *      frames that are pinned.
 *
 * Life: new/free; free after every table that uses it. Readers use a frame
 * inside an epoch, or after pinning it inside an epoch until unpin.
 * Threads: any; one mutex, taken on load, eviction and table close only.
 */
#ifndef GS_SST_CACHE_H
#define GS_SST_CACHE_H

#include <stdatomic.h>

#include "env/env.h"
#include "env/epoch.h"
#include "sst/slab.h"
#include "sst/unpacker.h"

typedef struct gs_cache gs_cache;

/* One block in memory. What a hit reads stands next to the data. */
typedef struct gs_frame {
  gs_retired retired;    /* used once unlinked */
  struct gs_frame *prev; /* queue links; under the cache's mutex */
  struct gs_frame *next;
  _Atomic(struct gs_frame *) *home; /* the table's pointer to this frame */
  gs_alloc *alloc;            /* a frame may outlive the cache in the epoch */
  gs_slab *slab;              /* its memory is a cell of; NULL: its own */
  uint64_t ghost_key;         /* names the block in the ghost list */
  atomic_uint pins;           /* users outside epochs; the top bit: unlinked and
                             past its epoch, the last unpin frees it */
  uint32_t size;              /* bytes of data */
  uint32_t cell_bytes;        /* of its cell; 0: it has memory of its own */
  atomic_uchar touched;       /* hit since the evictor last looked */
  uint8_t queue;              /* which queue it stands in */
  _Alignas(8) uint8_t data[]; /* the verified block */
} gs_frame;

typedef struct gs_cache_stats {
  uint64_t used_bytes;
  uint64_t capacity_bytes;
  uint64_t held_bytes; /* of it, by open tables */
  uint64_t loads;      /* blocks brought in from files */
  uint64_t evictions;  /* frames given up */
} gs_cache_stats;

/* Borrows the epoch. */
GS_MUST_CHECK gs_status gs_cache_new(gs_env *env, gs_epoch *epoch,
                                     uint64_t capacity_bytes, gs_cache **out,
                                     gs_error *err);
void gs_cache_free(gs_cache *cache); /* NULL is accepted */

/* What it was made with. */
gs_env *gs_cache_env(const gs_cache *cache);
gs_epoch *gs_cache_epoch(const gs_cache *cache);

/* For those who fill its frames. */
gs_unpackers *gs_cache_unpackers(const gs_cache *cache);

/* Whether blocks push others out: true from an eviction on until a sixteenth of
 * the ceiling is free. Any thread; it may have changed when it returns. */
bool gs_cache_is_full(const gs_cache *cache);

/* What blocks may still take without pushing others out. */
uint64_t gs_cache_room(gs_cache *cache);

/* Whether a long walk came to the block before, some while ago and not too long;
 * it is noted from now on. Walks have a list of names of their own, so that they
 * make nobody forget what was pushed out, and one that follows another closely
 * finds nothing in it. */
bool gs_cache_recalls(gs_cache *cache, uint64_t ghost_key);

void gs_cache_set_capacity(gs_cache *cache, uint64_t capacity_bytes);
void gs_cache_get_stats(gs_cache *cache, gs_cache_stats *out);

/* Memory that open tables take beside the frames, and give back. */
void gs_cache_hold(gs_cache *cache, uint64_t bytes);
void gs_cache_let_go(gs_cache *cache, uint64_t bytes);

/* The same for memory that comes and goes with a reader, who leaves no room for
 * others to fill: it held so much and holds so much now. */
void gs_cache_hold_for_now(gs_cache *cache, uint64_t before, uint64_t bytes);

/* An unlinked frame for size bytes, to be filled and then inserted or freed. */
GS_MUST_CHECK gs_status gs_cache_frame_new(gs_cache *cache, uint32_t size,
                                           gs_frame **out, gs_error *err);
void gs_cache_frame_free(gs_frame *frame);

/* Publishes a filled frame at home; another thread may have been first. Takes
 * the frame; returns the frame now at home, which the caller may use inside
 * its epoch. Evicts until the ceiling holds. Requires: inside an epoch. */
gs_frame *gs_cache_insert(gs_cache *cache, gs_frame *frame,
                          _Atomic(gs_frame *) *home, uint64_t ghost_key);

/* Takes all frames of count pointers out (a table closes). Requires: no pins.*/
void gs_cache_forget(gs_cache *cache, _Atomic(gs_frame *) *homes, size_t count);

static inline void
gs_frame_touch(gs_frame *frame)
{
  if (atomic_load_explicit(&frame->touched, memory_order_relaxed) == 0) {
    atomic_store_explicit(&frame->touched, 1, memory_order_relaxed);
  }
}

/* Requires: inside an epoch in which the frame was reached. */
static inline void
gs_frame_pin(gs_frame *frame)
{
  atomic_fetch_add_explicit(&frame->pins, 1, memory_order_relaxed);
}

void gs_frame_unpin(gs_frame *frame); /* NULL is accepted */

#endif
