/*
 * tail: what a table holds behind its blocks: point index, fences, properties,
 * footer; see format.h.
 *
 * Threads: nothing is shared.
 * Errors: GS_NOMEM; GS_CORRUPT when the new point index does not give every
 * key its place.
 */
#ifndef GS_SST_TAIL_H
#define GS_SST_TAIL_H

#include "code/codec.h"
#include "data/table_meta.h"
#include "sst/fences.h"

typedef struct gs_table_tail {
  const gs_fence_list *fences;
  const uint64_t *hashes; /* per key, in key order; likewise the locators */
  const uint32_t *locators;
  uint64_t salt;
  uint64_t offset; /* where the blocks end */
  uint32_t block_bytes;
  gs_codec codec;
  bool has_point_index;
} gs_table_tail;

/* Size of the point index for that many keys. */
uint64_t gs_table_tail_index_bytes(bool has_point_index, uint64_t key_count);

/* Appends all parts to out, which must be empty; sets file_bytes and
 * footer_checksum of meta, which is complete otherwise. */
GS_MUST_CHECK gs_status gs_table_tail_append(const gs_table_tail *tail,
                                             gs_table_meta *meta,
                                             gs_buffer *out, gs_error *err);

#endif
