/*
 * block: a search walks the heads without branches, then compares whole keys
 * only among rows with equal heads. A row is read through one function that
 * checks it against the end of the block, so no other check is needed.
 */
#include "sst/block.h"

#include <inttypes.h>

#include "code/hash.h"

static gs_status
check_size(gs_slice bytes, gs_error *err)
{
  uint64_t smallest =
      gs_block_rows_at(1, 0) + GS_ROW_FIXED_BYTES + GS_TABLE_CHECKSUM_BYTES;
  return bytes.size >= smallest && bytes.size <= UINT32_MAX
             ? GS_OK
             : GS_FAIL(err, GS_CORRUPT, "a block of %zu bytes cannot be",
                       bytes.size);
}

gs_status
gs_block_open(gs_slice bytes, uint64_t seed, gs_block *out, gs_error *err)
{
  gs_status status = check_size(bytes, err);
  if (status != GS_OK) {
    return status;
  }
  size_t end = bytes.size - GS_TABLE_CHECKSUM_BYTES;
  if (gs_checksum(bytes.data, end, seed) != gs_get_u64(bytes.data + end)) {
    return GS_FAIL(err, GS_CORRUPT, "a block's checksum is wrong");
  }
  if (bytes.data[GS_BLOCK_CODEC_AT] != 0) {
    return GS_FAIL(err, GS_VERSION, "a block uses codec %d, unknown here",
                   bytes.data[GS_BLOCK_CODEC_AT]);
  }
  return gs_block_view(bytes, out, err);
}

gs_status
gs_block_view(gs_slice bytes, gs_block *out, gs_error *err)
{
  gs_status status = check_size(bytes, err);
  if (status != GS_OK) {
    return status;
  }
  uint32_t size = (uint32_t)bytes.size;
  uint32_t end = size - GS_TABLE_CHECKSUM_BYTES;
  gs_block block = gs_block_of(bytes.data, size);
  uint64_t rows_at = gs_block_rows_at(block.row_count, block.prefix_size);
  if (gs_get_u32(bytes.data) != size || block.row_count == 0 ||
      size % GS_BLOCK_UNIT_BYTES != 0 || rows_at > end ||
      block.base_seq > GS_SEQ_MAX) {
    return GS_FAIL(err, GS_CORRUPT, "a block's header does not fit it");
  }
  *out = block;
  return GS_OK;
}

uint32_t
gs_block_long_row(const gs_block *block, uint32_t at, gs_entry *out)
{
  const uint8_t *row = block->data + at;
  uint32_t flags = row[0];
  uint64_t value_size = row[1];
  uint64_t key_size = gs_get_u16(row + 2);
  bool is_long = value_size == GS_ROW_LONG_VALUE;
  bool is_wide = (flags & GS_ROW_WIDE) != 0;
  bool expires = (flags & GS_ROW_EXPIRES) != 0;
  uint32_t kind = flags & GS_ROW_KIND;
  uint32_t fixed = GS_ROW_FIXED_BYTES + (is_long ? 4U : 0U) +
                   (is_wide ? 4U : 0U) + (expires ? 8U : 0U);
  if ((flags & 0x80) != 0 || block->end - at < fixed ||
      (kind != GS_KIND_PUT && kind != GS_KIND_DELETE)) {
    return 0;
  }
  const uint8_t *field = row + GS_ROW_FIXED_BYTES;
  if (is_long) {
    value_size = gs_get_u32(field);
    field += 4;
  }
  out->seq = block->base_seq + (uint64_t)(int32_t)gs_get_u32(row + 4);
  if (is_wide) {
    out->seq = (uint64_t)gs_get_u32(field) << 32 | gs_get_u32(row + 4);
    field += 4;
  }
  out->expires_at_ms = expires ? gs_get_u64(field) : 0;
  uint64_t next =
      gs_block_round_up((uint64_t)at + fixed + key_size + value_size);
  if (next > block->end) {
    return 0;
  }
  out->key = gs_slice_of(row + fixed, key_size);
  out->value = gs_slice_of(row + fixed + key_size, value_size);
  out->kind = (gs_kind)kind;
  return (uint32_t)next;
}

gs_status
gs_block_row_fail(const gs_block *block, uint32_t at, gs_error *err)
{
  if (at < block->end) {
    int kind = block->data[at] & GS_ROW_KIND;
    if (kind > GS_KIND_DELETE && kind < 8) {
      return GS_FAIL(err, GS_VERSION,
                     "a row is of kind %d, which this library does not know",
                     kind);
    }
  }
  return GS_FAIL(err, GS_CORRUPT,
                 "there is no sound row at byte %" PRIu32 " of a block", at);
}

/* An unsound row has the empty key; whoever reads it next will notice. */
static gs_slice
key_of(const gs_block *block, uint32_t index)
{
  gs_entry entry;
  if (gs_block_row(block, gs_block_row_at(block, index), &entry) == 0) {
    return gs_slice_of(NULL, 0);
  }
  return entry.key;
}

/* Four bytes of the key after the prefix, as a number. */
static uint32_t
head_of(gs_slice key, uint32_t prefix_size)
{
  if (key.size == prefix_size) {
    return 0;
  }
  gs_slice rest = gs_slice_of(key.data + prefix_size, key.size - prefix_size);
  return (uint32_t)(gs_slice_head(rest) >> 32);
}

static uint32_t
head_at(const gs_block *block, uint32_t index)
{
  return gs_get_u32(block->data + GS_BLOCK_HEADER_BYTES +
                    (size_t)index * GS_BLOCK_HEAD_BYTES);
}

/* Number of the first row whose head is >= head. */
static uint32_t
first_head(const gs_block *block, uint32_t head)
{
  uint32_t first = 0;
  uint32_t left = block->row_count;
  while (left > 1) {
    uint32_t half = left / 2;
    first += head_at(block, first + half - 1) < head ? half : 0;
    left -= half;
  }
  return first + (head_at(block, first) < head ? 1 : 0);
}

static gs_slice
prefix_of(const gs_block *block)
{
  return gs_slice_of(block->data + gs_block_prefix_at(block->row_count),
                     block->prefix_size);
}

/* Number of the first row from index on whose key is >= key, where all rows
 * that have the key's head are in a row from index on. */
static uint32_t
seek_among_equals(const gs_block *block, uint32_t index, uint32_t head,
                  gs_slice key)
{
  uint32_t behind =
      head == UINT32_MAX ? block->row_count : first_head(block, head + 1);
  while (index < behind) {
    uint32_t middle = index + (behind - index) / 2;
    if (gs_slice_compare(key_of(block, middle), key) < 0) {
      index = middle + 1;
    } else {
      behind = middle;
    }
  }
  return index;
}

uint32_t
gs_block_seek(const gs_block *block, gs_slice key)
{
  gs_slice prefix = prefix_of(block);
  if (!gs_slice_has_prefix(key, prefix)) {
    return gs_slice_compare(key, prefix) < 0 ? 0 : block->row_count;
  }
  uint32_t head = head_of(key, block->prefix_size);
  uint32_t index = first_head(block, head);
  if (index < block->row_count && head_at(block, index) == head) {
    return seek_among_equals(block, index, head, key);
  }
  return index;
}

/* ---- verification ------------------------------------------------------- */

/* What a walk over the rows has seen. */
typedef struct walk {
  const gs_block *block;
  gs_entry before; /* the row before; of no meaning at the first row */
  uint32_t index;
} walk;

static bool
is_zero(const uint8_t *data, uint64_t from, uint64_t to)
{
  for (uint64_t i = from; i < to; i++) {
    if (data[i] != 0) {
      return false;
    }
  }
  return true;
}

/* Whether the row uses its optional fields when it must, and only then. */
static bool
is_row_canonical(const walk *seen, uint32_t at, uint32_t next,
                 const gs_entry *entry)
{
  const uint8_t *row = seen->block->data + at;
  bool is_wide = gs_row_is_wide(entry->seq, seen->block->base_seq);
  bool is_long = row[1] == GS_ROW_LONG_VALUE;
  const uint8_t *end = entry->value.data + entry->value.size;
  return is_wide == ((row[0] & GS_ROW_WIDE) != 0) &&
         is_long == (entry->value.size >= GS_ROW_LONG_VALUE) &&
         (entry->expires_at_ms != 0) == ((row[0] & GS_ROW_EXPIRES) != 0) &&
         is_zero(seen->block->data, (uint64_t)(end - seen->block->data), next);
}

static bool
is_row_in_order(const walk *seen, const gs_entry *entry, bool is_older)
{
  if (seen->index == 0) {
    return entry->seq == seen->block->base_seq;
  }
  int order = gs_slice_compare(seen->before.key, entry->key);
  return is_older ? order == 0 && seen->before.seq > entry->seq : order < 0;
}

static const char *
row_fault(const walk *seen, uint32_t at, uint32_t next, const gs_entry *entry)
{
  const gs_block *block = seen->block;
  if (gs_block_row_at(block, seen->index) != at) {
    return "its offset is wrong";
  }
  if (!gs_slice_has_prefix(entry->key, prefix_of(block)) ||
      head_of(entry->key, block->prefix_size) != head_at(block, seen->index)) {
    return "its head is wrong";
  }
  if (!is_row_canonical(seen, at, next, entry)) {
    return "it is not written as the format wants";
  }
  if (!is_row_in_order(seen, entry, gs_block_is_older(block, at))) {
    return "it is out of order";
  }
  if (entry->seq > GS_SEQ_MAX || entry->value.size > GS_VALUE_MAX_BYTES ||
      (entry->kind == GS_KIND_DELETE &&
       (entry->value.size > 0 || entry->expires_at_ms != 0))) {
    return "it holds what no entry can";
  }
  return NULL;
}

static gs_status
verify_rows(walk *seen, gs_error *err)
{
  const gs_block *block = seen->block;
  uint32_t at =
      (uint32_t)gs_block_rows_at(block->row_count, block->prefix_size);
  for (; seen->index < block->row_count; seen->index++) {
    gs_entry entry;
    uint32_t next = gs_block_row(block, at, &entry);
    if (next == 0) {
      return gs_block_row_fail(block, at, err);
    }
    const char *fault = row_fault(seen, at, next, &entry);
    if (fault != NULL) {
      return GS_FAIL(err, GS_CORRUPT, "row %" PRIu32 " of a block: %s",
                     seen->index, fault);
    }
    seen->before = entry;
    at = next;
  }
  if (at != block->end) {
    return GS_FAIL(err, GS_CORRUPT, "a block holds bytes behind its rows");
  }
  return GS_OK;
}

gs_status
gs_block_verify(const gs_block *block, bool first_is_older, gs_error *err)
{
  walk seen = {.block = block};
  gs_status status = verify_rows(&seen, err);
  if (status != GS_OK) {
    return status;
  }
  uint64_t prefix_at = gs_block_prefix_at(block->row_count);
  uint64_t rows_at = gs_block_rows_at(block->row_count, block->prefix_size);
  gs_slice first = key_of(block, 0);
  gs_slice prefix = prefix_of(block);
  uint32_t shared = block->row_count == 1
                        ? 0
                        : (uint32_t)gs_slice_shared(first, seen.before.key);
  if (!is_zero(block->data, 17, GS_BLOCK_HEADER_BYTES) ||
      !is_zero(block->data, prefix_at + prefix.size, rows_at) ||
      shared != prefix.size) {
    return GS_FAIL(err, GS_CORRUPT, "a block's header does not fit its rows");
  }
  if (gs_block_is_older(block, (uint32_t)rows_at) != first_is_older) {
    return GS_FAIL(err, GS_CORRUPT, "a block does not continue the one before");
  }
  return GS_OK;
}
