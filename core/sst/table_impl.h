/*
 * table_impl: an open table from inside, for the files table*.c only.
 *
 * Model: what a point read touches comes first.
 *   1. homes[i] is NULL or the frame that holds block i, verified.
 *   2. footer, meta and fences were verified when the table was opened, the
 *      index when it was read: by the gets that come after the first few.
 */
#ifndef GS_SST_TABLE_IMPL_H
#define GS_SST_TABLE_IMPL_H

#include <stdatomic.h>

#include "sst/block.h"
#include "sst/fences.h"
#include "sst/footer.h"
#include "sst/group.h"
#include "sst/point_index.h"
#include "sst/table.h"
#include "sst/unpacker.h"

struct gs_table {
  _Atomic(const gs_point_index *) index; /* NULL: not read, or there is none */
  _Atomic(gs_frame *) *homes;            /* one per block */
  gs_fences fences;
  gs_table_footer footer;
  gs_table_meta meta; /* its keys view properties */
  gs_env *env;
  gs_cache *cache;
  gs_epoch *epoch;
  gs_file *file;
  uint64_t salt;
  gs_buffer properties;
  gs_point_index read_index; /* what `index` points to */
  uint8_t *index_memory;     /* the buckets begin at its first whole line */
  atomic_size_t index_memory_bytes;
  atomic_uint early_gets;  /* that came before the index was read */
  atomic_bool reads_index; /* somebody does */
  bool is_held;            /* the cache knows of the memory taken here */
  atomic_size_t refs;
};

/* What its packed blocks use. */
static inline gs_codec
gs_table_codec(const gs_table *table)
{
  return gs_feature_codec(table->footer.features);
}

/* Where a part of the file is seeded. */
uint64_t gs_table_seed(const gs_table *table, uint64_t offset);

/* Adds path and offset to a filled error. */
gs_status gs_table_fail_at(const gs_table *table, gs_error *err,
                           gs_status status, uint64_t offset);

/* Reads a part of the file into room for its size, and verifies it. */
GS_MUST_CHECK gs_status gs_table_read_part(const gs_table *table,
                                           const gs_table_part *part,
                                           uint8_t *out, gs_error *err);

/* Reads and verifies the index if that was not done and there is one. */
GS_MUST_CHECK gs_status gs_table_need_index(gs_table *table, gs_error *err);

static inline const gs_point_index *
gs_table_index(const gs_table *table)
{
  return atomic_load_explicit(&table->index, memory_order_acquire);
}

/* Brings a block into the cache, from the file or, where stored is not NULL, from
 * its bytes there. Requires: block < fences.count; inside an epoch; the frame is
 * valid until it is left, or pinned. */
GS_MUST_CHECK gs_status gs_table_load(gs_table *table, uint32_t block,
                                      const uint8_t *stored, gs_frame **out,
                                      gs_error *err);

/* The block's frame, the one that is there or a new one. As gs_table_load. */
static inline gs_status
gs_table_frame(gs_table *table, uint32_t block, gs_frame **out, gs_error *err)
{
  gs_frame *frame =
      atomic_load_explicit(&table->homes[block], memory_order_acquire);
  if (frame == NULL) {
    return gs_group_load(table, block, out, err);
  }
  gs_frame_touch(frame);
  *out = frame;
  return GS_OK;
}

enum { GS_CACHE_LINE_BYTES = 64 };

/* Asks for what a search in the block will read first: the frame's own words,
 * the block's header, and about thirty heads with their offsets. */
static inline void
gs_frame_prefetch(const gs_frame *frame)
{
  const uint8_t *start = (const uint8_t *)frame;
  for (size_t line = 0; line < 6; line++) {
    __builtin_prefetch(start + line * GS_CACHE_LINE_BYTES);
  }
}

static inline gs_block
gs_frame_block(const gs_frame *frame)
{
  return gs_block_of(frame->data, frame->size);
}

#endif
