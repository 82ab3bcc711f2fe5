/*
 * block: reading one block of a table, see format.h.
 *
 * Model: a gs_block is a view of a block's bytes whose checksum and header have
 * been verified. Row places ("at") are byte offsets from its start.
 *   1. end <= size of the bytes; heads and offsets lie before end.
 *   2. Rows are checked when they are read: no byte outside the block is ever
 *      touched, whatever the block contains.
 * What else a sound block fulfils (order, heads, zeros) gs_block_verify tells;
 * in a block that breaks it, searches find wrong rows but nothing worse.
 *
 * Life: a view; the bytes outlive it.
 * Threads: any; nothing is written.
 * Errors: GS_CORRUPT, and GS_VERSION for a kind this library does not know, or
 * a codec: packed blocks are unpacked first, see packed.h.
 */
#ifndef GS_SST_BLOCK_H
#define GS_SST_BLOCK_H

#include "base/error.h"
#include "base/slice.h"
#include "code/fixed.h"
#include "data/entry.h"
#include "sst/format.h"

typedef struct gs_block {
  const uint8_t *data;
  uint32_t end; /* where the rows end and the checksum begins */
  uint32_t row_count;
  uint32_t prefix_size;
  uint64_t base_seq;
} gs_block;

/* Verifies checksum and header of the bytes. */
GS_MUST_CHECK gs_status gs_block_open(gs_slice bytes, uint64_t seed,
                                      gs_block *out, gs_error *err);

/* As gs_block_open for bytes whose checksum was verified in another form
 * (packed.h), or stands for nothing. */
GS_MUST_CHECK gs_status gs_block_view(gs_slice bytes, gs_block *out,
                                      gs_error *err);

/* The same view once more. Requires: gs_block_open accepted these bytes. */
static inline gs_block
gs_block_of(const uint8_t *data, uint32_t size)
{
  return (gs_block){
      .data = data,
      .end = size - GS_TABLE_CHECKSUM_BYTES,
      .row_count = gs_get_u16(data + 4),
      .prefix_size = gs_get_u16(data + 6),
      .base_seq = gs_get_u64(data + 8),
  };
}

/* Where the row of that number begins. Requires: index < row_count. */
static inline uint32_t
gs_block_row_at(const gs_block *block, uint32_t index)
{
  if (block->row_count == 1) {
    return (uint32_t)gs_block_rows_at(1, block->prefix_size);
  }
  const uint8_t *offsets = block->data + GS_BLOCK_HEADER_BYTES +
                           (size_t)block->row_count * GS_BLOCK_HEAD_BYTES;
  return (uint32_t)gs_get_u16(offsets + (size_t)index * GS_BLOCK_OFFSET_BYTES) *
         GS_BLOCK_UNIT_BYTES;
}

/* gs_block_row for rows with more than the fixed fields. */
uint32_t gs_block_long_row(const gs_block *block, uint32_t at, gs_entry *out);

/* Reads the row at a place: *out views the block; returns where the next row
 * begins, or 0 when there is no sound row at the place. */
static inline uint32_t
gs_block_row(const gs_block *block, uint32_t at, gs_entry *out)
{
  /* The fixed fields may reach into the checksum; then next is too large. */
  if (at >= block->end) {
    return 0;
  }
  const uint8_t *row = block->data + at;
  uint32_t word = gs_get_u32(row);
  uint32_t value_size = word >> 8 & 0xff;
  uint32_t key_size = word >> 16;
  uint32_t kind = word & 0xff & ~(uint32_t)GS_ROW_OLDER;
  if ((kind != GS_KIND_PUT && kind != GS_KIND_DELETE) ||
      value_size == GS_ROW_LONG_VALUE) {
    return gs_block_long_row(block, at, out);
  }
  uint64_t next = gs_block_round_up((uint64_t)at + GS_ROW_FIXED_BYTES +
                                    key_size + value_size);
  if (next > block->end) {
    return 0;
  }
  out->key = gs_slice_of(row + GS_ROW_FIXED_BYTES, key_size);
  out->value = gs_slice_of(row + GS_ROW_FIXED_BYTES + key_size, value_size);
  out->seq = block->base_seq + (uint64_t)(int32_t)gs_get_u32(row + 4);
  out->expires_at_ms = 0;
  out->kind = (gs_kind)kind;
  return (uint32_t)next;
}

/* Whether the row before has the same key. Requires: at is where gs_block_row
 * said that a row begins; at the block's end the answer means nothing. */
static inline bool
gs_block_is_older(const gs_block *block, uint32_t at)
{
  return (block->data[at] & GS_ROW_OLDER) != 0;
}

/* The failure that gs_block_row reported with 0. */
gs_status gs_block_row_fail(const gs_block *block, uint32_t at, gs_error *err);

/* Number of the first row whose key is >= key; row_count when there is none. */
uint32_t gs_block_seek(const gs_block *block, gs_slice key);

/* Whether every rule of format.h holds within the block. first_is_older: what
 * the first row must say. */
GS_MUST_CHECK gs_status gs_block_verify(const gs_block *block,
                                        bool first_is_older, gs_error *err);

#endif
