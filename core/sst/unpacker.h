/*
 * unpacker: opens blocks as they are stored, plain or packed.
 *
 * Model: a decoder, and a buffer that the plain block, or whatever its owner
 * reads from a file, is put into; both are used again. A plain block is opened
 * where it lies.
 *
 * A pool lends unpackers to those that read a block now and then: there are as
 * many as readers were at it at once, and some of them are kept.
 *
 * Life: init/deinit in the caller's memory; the pool: new/free, with none lent.
 * Threads: an unpacker, one at a time; the pool, any: one mutex.
 * Errors: GS_NOMEM; those of packed.h and block.h.
 */
#ifndef GS_SST_UNPACKER_H
#define GS_SST_UNPACKER_H

#include "env/env.h"
#include "sst/packed.h"

typedef struct gs_unpacker {
  gs_decoder decoder;
  gs_buffer bytes;
  struct gs_unpacker *next; /* in the pool */
} gs_unpacker;

void gs_unpacker_init(gs_unpacker *unpacker, gs_alloc *alloc);
void gs_unpacker_deinit(gs_unpacker *unpacker);

/* Verifies a stored block of a table with that codec: *out views the bytes or
 * those of the unpacker, until it is used again. */
GS_MUST_CHECK gs_status gs_unpacker_open(gs_unpacker *unpacker, gs_slice bytes,
                                         uint64_t seed, gs_codec codec,
                                         gs_block *out, gs_error *err);

typedef struct gs_unpackers gs_unpackers;

GS_MUST_CHECK gs_status gs_unpackers_new(gs_env *env, gs_unpackers **out,
                                         gs_error *err);
void gs_unpackers_free(gs_unpackers *pool); /* NULL is accepted */

/* NULL when out of memory; give it back. */
gs_unpacker *gs_unpackers_take(gs_unpackers *pool);
void gs_unpackers_give(gs_unpackers *pool, gs_unpacker *unpacker);

#endif
