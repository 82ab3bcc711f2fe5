/*
 * table_meta: one table of members drives encoding, decoding and comparison,
 * so that none of them can forget one. Tags are places in that table.
 */
#include "data/table_meta.h"

#include <inttypes.h>
#include <stddef.h>

#include "code/fixed.h"

enum {
  TAG_BYTES = 2,
  FIELD_BYTES = 6, /* tag and size */
  NUMBER_BYTES = 8,
  TAG_MAY_BE_SKIPPED = 0x8000,
};

static const size_t number_members[] = {
    offsetof(gs_table_meta, id),
    offsetof(gs_table_meta, file_bytes),
    offsetof(gs_table_meta, footer_checksum),
    offsetof(gs_table_meta, entry_count),
    offsetof(gs_table_meta, key_count),
    offsetof(gs_table_meta, tombstone_count),
    offsetof(gs_table_meta, expiring_count),
    offsetof(gs_table_meta, data_bytes),
    offsetof(gs_table_meta, min_seq),
    offsetof(gs_table_meta, max_seq),
    offsetof(gs_table_meta, created_ms),
    offsetof(gs_table_meta, min_expiry_ms),
    offsetof(gs_table_meta, max_expiry_ms),
    offsetof(gs_table_meta, oldest_tombstone_ms),
    offsetof(gs_table_meta, seq_override),
};

enum {
  NUMBER_COUNT = sizeof number_members / sizeof number_members[0],
  TAG_MIN_KEY = NUMBER_COUNT + 1,
  TAG_MAX_KEY = NUMBER_COUNT + 2,
};

static const uint64_t *
number_at(const gs_table_meta *meta, size_t index)
{
  const void *member = (const char *)meta + number_members[index];
  return (const uint64_t *)member;
}

static void
append_field(gs_buffer *out, uint32_t tag, gs_slice bytes)
{
  uint8_t head[FIELD_BYTES];
  gs_put_u16(head, (uint16_t)tag);
  gs_put_u32(head + TAG_BYTES, (uint32_t)bytes.size);
  gs_buffer_append(out, head, sizeof head);
  gs_buffer_append_slice(out, bytes);
}

void
gs_table_meta_encode(const gs_table_meta *meta, gs_buffer *out)
{
  for (uint32_t i = 0; i < NUMBER_COUNT; i++) {
    uint8_t number[NUMBER_BYTES];
    gs_put_u64(number, *number_at(meta, i));
    append_field(out, i + 1, gs_slice_of(number, sizeof number));
  }
  append_field(out, TAG_MIN_KEY, meta->min_key);
  append_field(out, TAG_MAX_KEY, meta->max_key);
  gs_buffer_append_zeros(out, TAG_BYTES);
}

size_t
gs_table_meta_encoded_bytes(const gs_table_meta *meta)
{
  return NUMBER_COUNT * (FIELD_BYTES + NUMBER_BYTES) + 2 * FIELD_BYTES +
         meta->min_key.size + meta->max_key.size + TAG_BYTES;
}

/* One field whose tag is in the table above. */
static gs_status
take_known(gs_table_meta *meta, uint32_t tag, gs_slice bytes, gs_error *err)
{
  if (tag == TAG_MIN_KEY || tag == TAG_MAX_KEY) {
    if (bytes.size > UINT16_MAX) {
      return GS_FAIL(err, GS_CORRUPT, "table metadata holds a key of %zu bytes",
                     bytes.size);
    }
    *(tag == TAG_MIN_KEY ? &meta->min_key : &meta->max_key) = bytes;
    return GS_OK;
  }
  if (bytes.size != NUMBER_BYTES) {
    return GS_FAIL(err, GS_CORRUPT,
                   "field %" PRIu32 " of table metadata takes %zu bytes", tag,
                   bytes.size);
  }
  void *member = (char *)meta + number_members[tag - 1];
  *(uint64_t *)member = gs_get_u64(bytes.data);
  return GS_OK;
}

static gs_status
check_bounds(const gs_table_meta *meta, gs_error *err)
{
  if (gs_slice_compare(meta->min_key, meta->max_key) > 0 ||
      meta->min_seq > meta->max_seq ||
      meta->min_expiry_ms > meta->max_expiry_ms) {
    return GS_FAIL(err, GS_CORRUPT,
                   "the bounds in the metadata of table %" PRIu64
                   " are in the wrong order",
                   meta->id);
  }
  return GS_OK;
}

/* The tag at the position; 0 ends the list. The known ones come first and leave
 * none out. */
static gs_status
read_tag(gs_slice bytes, size_t at, uint32_t before, uint32_t *tag,
         gs_error *err)
{
  if (bytes.size - at < TAG_BYTES) {
    return GS_FAIL(err, GS_CORRUPT, "table metadata ends early");
  }
  *tag = gs_get_u16(bytes.data + at);
  if (before < TAG_MAX_KEY && *tag != before + 1) {
    return GS_FAIL(err, GS_CORRUPT, "table metadata lacks field %" PRIu32,
                   before + 1);
  }
  if (*tag != 0 && *tag <= before) {
    return GS_FAIL(err, GS_CORRUPT,
                   "field %" PRIu32 " of table metadata follows field %" PRIu32,
                   *tag, before);
  }
  return GS_OK;
}

static gs_status
take_field(gs_table_meta *meta, uint32_t tag, gs_slice bytes, gs_error *err)
{
  if (tag <= TAG_MAX_KEY) {
    return take_known(meta, tag, bytes, err);
  }
  if (tag < TAG_MAY_BE_SKIPPED) {
    return GS_FAIL(err, GS_VERSION,
                   "field %" PRIu32 " of table metadata is not known here",
                   tag);
  }
  return GS_OK;
}

gs_status
gs_table_meta_decode(gs_slice bytes, gs_table_meta *out, size_t *used,
                     gs_error *err)
{
  gs_table_meta meta = {0};
  size_t at = 0;
  uint32_t tag = 0;
  for (;;) {
    gs_status status = read_tag(bytes, at, tag, &tag, err);
    if (status != GS_OK) {
      return status;
    }
    if (tag == 0) {
      break;
    }
    size_t left = bytes.size - at;
    size_t size =
        left < FIELD_BYTES ? SIZE_MAX : gs_get_u32(bytes.data + at + TAG_BYTES);
    if (left < FIELD_BYTES || left - FIELD_BYTES < size) {
      return GS_FAIL(err, GS_CORRUPT, "table metadata ends early");
    }
    gs_slice body = gs_slice_of(bytes.data + at + FIELD_BYTES, size);
    status = take_field(&meta, tag, body, err);
    if (status != GS_OK) {
      return status;
    }
    at += FIELD_BYTES + size;
  }
  gs_status status = check_bounds(&meta, err);
  if (status == GS_OK) {
    *out = meta;
    *used = at + TAG_BYTES;
  }
  return status;
}

bool
gs_table_meta_equal(const gs_table_meta *a, const gs_table_meta *b)
{
  for (size_t i = 0; i < NUMBER_COUNT; i++) {
    if (*number_at(a, i) != *number_at(b, i)) {
      return false;
    }
  }
  return gs_slice_equal(a->min_key, b->min_key) &&
         gs_slice_equal(a->max_key, b->max_key);
}

bool
gs_table_meta_covers(const gs_table_meta *meta, gs_slice key)
{
  return gs_slice_compare(meta->min_key, key) <= 0 &&
         gs_slice_compare(key, meta->max_key) <= 0;
}
