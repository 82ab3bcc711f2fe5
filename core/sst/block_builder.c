/*
 * block_builder: sequence numbers are kept relative to the first row, so a row
 * is final when it is added. Keys rise, so the prefix that the first and the
 * newest key share is the prefix of all.
 */
#include "sst/block_builder.h"

#include "base/check.h"
#include "code/fixed.h"
#include "code/hash.h"
#include "sst/format.h"

/* Both from the start of the rows. */
typedef struct row_note {
  uint32_t at;
  uint32_t key_at;
} row_note;

void
gs_block_builder_init(gs_block_builder *builder, gs_alloc *alloc)
{
  *builder = (gs_block_builder){.row_count = 0};
  gs_buffer_init(&builder->rows, alloc);
  gs_buffer_init(&builder->notes, alloc);
}

void
gs_block_builder_deinit(gs_block_builder *builder)
{
  gs_buffer_deinit(&builder->rows);
  gs_buffer_deinit(&builder->notes);
}

void
gs_block_builder_clear(gs_block_builder *builder)
{
  gs_buffer_clear(&builder->rows);
  gs_buffer_clear(&builder->notes);
  builder->row_count = 0;
  builder->prefix_size = 0;
}

gs_status
gs_block_builder_status(const gs_block_builder *builder, gs_error *err)
{
  gs_status status = gs_buffer_status(&builder->rows, err);
  return status != GS_OK ? status : gs_buffer_status(&builder->notes, err);
}

static row_note
note_at(const gs_block_builder *builder, uint32_t index)
{
  row_note note;
  memcpy(&note, builder->notes.data + (size_t)index * sizeof note, sizeof note);
  return note;
}

static gs_slice
key_at(const gs_block_builder *builder, uint32_t index)
{
  row_note note = note_at(builder, index);
  const uint8_t *row = builder->rows.data + note.at;
  return gs_slice_of(builder->rows.data + note.key_at, gs_get_u16(row + 2));
}

static uint32_t
shared_size(gs_slice a, gs_slice b, uint32_t limit)
{
  size_t size = a.size < b.size ? a.size : b.size;
  size = size < limit ? size : limit;
  if (size > 0 && memcmp(a.data, b.data, size) == 0) {
    return (uint32_t)size;
  }
  return (uint32_t)gs_slice_shared(gs_slice_of(a.data, size), b);
}

/* The prefix of the rows there are and one more. */
static uint32_t
prefix_with(const gs_block_builder *builder, gs_slice key)
{
  if (builder->row_count == 0) {
    return 0;
  }
  gs_slice first = key_at(builder, 0);
  uint32_t limit =
      builder->row_count == 1 ? (uint32_t)first.size : builder->prefix_size;
  return shared_size(first, key, limit);
}

static uint64_t
fixed_bytes(const gs_entry *entry, bool is_wide)
{
  return GS_ROW_FIXED_BYTES +
         (entry->value.size >= GS_ROW_LONG_VALUE ? 4U : 0U) +
         (is_wide ? 4U : 0U) + (entry->expires_at_ms != 0 ? 8U : 0U);
}

static uint64_t
row_bytes(const gs_entry *entry, bool is_wide)
{
  return gs_block_round_up(fixed_bytes(entry, is_wide) + entry->key.size +
                           entry->value.size);
}

uint64_t
gs_block_builder_row_bytes(const gs_entry *entry)
{
  return row_bytes(entry, false);
}

static bool
is_wide_here(const gs_block_builder *builder, const gs_entry *entry)
{
  return builder->row_count > 0 &&
         gs_row_is_wide(entry->seq, builder->base_seq);
}

uint64_t
gs_block_builder_bytes(const gs_block_builder *builder)
{
  return gs_block_rows_at(builder->row_count, builder->prefix_size) +
         builder->rows.size + GS_TABLE_CHECKSUM_BYTES;
}

uint64_t
gs_block_builder_bytes_with(const gs_block_builder *builder,
                            const gs_entry *entry)
{
  return gs_block_rows_at(builder->row_count + 1,
                          prefix_with(builder, entry->key)) +
         builder->rows.size + row_bytes(entry, is_wide_here(builder, entry)) +
         GS_TABLE_CHECKSUM_BYTES;
}

/* The fields before the key; returns where they end. */
static uint8_t *
put_fields(uint8_t *row, const gs_entry *entry, uint64_t delta, bool is_wide,
           bool is_older)
{
  bool is_long = entry->value.size >= GS_ROW_LONG_VALUE;
  row[0] = (uint8_t)((int)entry->kind | (is_wide ? GS_ROW_WIDE : 0) |
                     (entry->expires_at_ms != 0 ? GS_ROW_EXPIRES : 0) |
                     (is_older ? GS_ROW_OLDER : 0));
  row[1] = (uint8_t)(is_long ? GS_ROW_LONG_VALUE : entry->value.size);
  gs_put_u16(row + 2, (uint16_t)entry->key.size);
  gs_put_u32(row + 4, (uint32_t)(is_wide ? entry->seq : delta));
  row += GS_ROW_FIXED_BYTES;
  if (is_long) {
    gs_put_u32(row, (uint32_t)entry->value.size);
    row += 4;
  }
  if (is_wide) {
    gs_put_u32(row, (uint32_t)(entry->seq >> 32));
    row += 4;
  }
  if (entry->expires_at_ms != 0) {
    gs_put_u64(row, entry->expires_at_ms);
    row += 8;
  }
  return row;
}

static uint8_t *
put_bytes(uint8_t *to, gs_slice bytes)
{
  if (bytes.size > 0) {
    memcpy(to, bytes.data, bytes.size);
  }
  return to + bytes.size;
}

void
gs_block_builder_add(gs_block_builder *builder, const gs_entry *entry,
                     bool is_older)
{
  uint32_t prefix_size = prefix_with(builder, entry->key);
  bool is_wide = is_wide_here(builder, entry);
  size_t at = builder->rows.size;
  size_t size = (size_t)row_bytes(entry, is_wide);
  uint8_t *row = gs_buffer_extend(&builder->rows, size);
  uint8_t *note = gs_buffer_extend(&builder->notes, sizeof(row_note));
  if (row == NULL || note == NULL) {
    return;
  }
  if (builder->row_count == 0) {
    builder->base_seq = entry->seq;
  }
  uint8_t *key =
      put_fields(row, entry, entry->seq - builder->base_seq, is_wide, is_older);
  uint8_t *end = put_bytes(put_bytes(key, entry->key), entry->value);
  memset(end, 0, (size_t)(row + size - end));
  row_note made = {(uint32_t)at, (uint32_t)(at + (size_t)(key - row))};
  memcpy(note, &made, sizeof made);
  builder->prefix_size = prefix_size;
  builder->row_count++;
}

gs_slice
gs_block_builder_first_key(const gs_block_builder *builder)
{
  return key_at(builder, 0);
}

uint32_t
gs_block_builder_row_at(const gs_block_builder *builder, uint32_t index)
{
  return (uint32_t)gs_block_rows_at(builder->row_count, builder->prefix_size) +
         note_at(builder, index).at;
}

bool
gs_block_builder_is_older(const gs_block_builder *builder, uint32_t index)
{
  return (builder->rows.data[note_at(builder, index).at] & GS_ROW_OLDER) != 0;
}

static void
put_heads_and_offsets(const gs_block_builder *builder, uint8_t *heads)
{
  uint8_t *offsets = heads + (size_t)builder->row_count * GS_BLOCK_HEAD_BYTES;
  uint32_t skip = builder->prefix_size;
  for (uint32_t i = 0; i < builder->row_count; i++) {
    gs_slice key = key_at(builder, i);
    gs_slice rest = gs_slice_of(key.data + skip, key.size - skip);
    gs_put_u32(heads + (size_t)i * GS_BLOCK_HEAD_BYTES,
               (uint32_t)(gs_slice_head(rest) >> 32));
    if (builder->row_count > 1) {
      uint32_t units =
          gs_block_builder_row_at(builder, i) / GS_BLOCK_UNIT_BYTES;
      GS_ASSERT(units <= UINT16_MAX);
      gs_put_u16(offsets + (size_t)i * GS_BLOCK_OFFSET_BYTES, (uint16_t)units);
    }
  }
}

void
gs_block_builder_finish(const gs_block_builder *builder, uint64_t seed,
                        gs_buffer *out)
{
  uint64_t size = gs_block_builder_bytes(builder);
  uint8_t *block = gs_buffer_extend(out, (size_t)size);
  if (block == NULL) {
    return;
  }
  uint64_t rows_at = gs_block_rows_at(builder->row_count, builder->prefix_size);
  memset(block, 0, (size_t)rows_at);
  gs_put_u32(block, (uint32_t)size);
  gs_put_u16(block + 4, (uint16_t)builder->row_count);
  gs_put_u16(block + 6, (uint16_t)builder->prefix_size);
  gs_put_u64(block + 8, builder->base_seq);
  put_heads_and_offsets(builder, block + GS_BLOCK_HEADER_BYTES);
  gs_slice prefix = gs_slice_of(key_at(builder, 0).data, builder->prefix_size);
  put_bytes(block + gs_block_prefix_at(builder->row_count), prefix);
  put_bytes(block + rows_at, gs_buffer_slice(&builder->rows));
  size_t end = (size_t)size - GS_TABLE_CHECKSUM_BYTES;
  gs_put_u64(block + end, gs_checksum(block, end, seed));
}
