/*
 * block_builder: makes one block of a table, see format.h.
 *
 * Model: rows are encoded as they come; what depends on all of them (prefix,
 * heads, offsets) is made at the end. bytes() is exact at any time.
 *
 * Life: init/deinit in the caller's memory; clear starts the next block.
 * Threads: one.
 * Errors: adding is sticky; the failure shows in gs_block_builder_status.
 */
#ifndef GS_SST_BLOCK_BUILDER_H
#define GS_SST_BLOCK_BUILDER_H

#include "base/buffer.h"
#include "data/entry.h"

typedef struct gs_block_builder {
  gs_buffer rows;  /* encoded */
  gs_buffer notes; /* per row, where it and its key begin in rows */
  uint32_t row_count;
  uint32_t prefix_size; /* bytes that all keys begin with */
  uint64_t base_seq;    /* of the first row */
} gs_block_builder;

void gs_block_builder_init(gs_block_builder *builder, gs_alloc *alloc);
void gs_block_builder_deinit(gs_block_builder *builder);

/* Forgets rows and failure, keeps the memory. */
void gs_block_builder_clear(gs_block_builder *builder);

/* Bytes of the entry's row at the start of a block. */
uint64_t gs_block_builder_row_bytes(const gs_entry *entry);

/* Size of the block if it ended now; at least one row. */
uint64_t gs_block_builder_bytes(const gs_block_builder *builder);

/* Size of the block if it ended after this row. */
uint64_t gs_block_builder_bytes_with(const gs_block_builder *builder,
                                     const gs_entry *entry);

/* Copies the entry in. Requires: after the row before in internal order;
 * is_older if its key is the same; the limits of data/entry.h hold. */
void gs_block_builder_add(gs_block_builder *builder, const gs_entry *entry,
                          bool is_older);

GS_MUST_CHECK gs_status gs_block_builder_status(const gs_block_builder *builder,
                                                gs_error *err);

/* Appends the block to out (sticky). Requires: at least one row. */
void gs_block_builder_finish(const gs_block_builder *builder, uint64_t seed,
                             gs_buffer *out);

/* The key of the first row. Valid until the builder changes. Requires: at least
 * one row. */
gs_slice gs_block_builder_first_key(const gs_block_builder *builder);

/* Where a row begins in the finished block, and whether it is an older version
 * of the row before. Requires: index < row_count. */
uint32_t gs_block_builder_row_at(const gs_block_builder *builder,
                                 uint32_t index);
bool gs_block_builder_is_older(const gs_block_builder *builder, uint32_t index);

#endif
