/*
 * batch: one pass writes a record whole or not at all, so the payload is a
 * valid one after every append, the failed ones included. The reader trusts
 * nothing: it takes each record's sizes, checks them against what is left, and
 * only then looks further. What it accepts is exactly what the writer writes,
 * so a payload read and written again gives the same bytes.
 */
#include "data/batch.h"

#include "base/check.h"
#include "code/fixed.h"

enum { EXPIRY_BYTES = 8 };

void
gs_batch_init(gs_batch *batch, gs_alloc *alloc)
{
  *batch = (gs_batch){.failure = GS_OK};
  gs_buffer_init(&batch->bytes, alloc);
  gs_batch_clear(batch);
}

void
gs_batch_deinit(gs_batch *batch)
{
  gs_buffer_deinit(&batch->bytes);
}

void
gs_batch_clear(gs_batch *batch)
{
  gs_buffer_clear(&batch->bytes);
  gs_buffer_append_zeros(&batch->bytes, GS_BATCH_HEADER_BYTES);
  batch->entry_count = 0;
  batch->tombstone_count = 0;
  batch->failure = batch->bytes.failed ? GS_NOMEM : GS_OK;
}

void
gs_batch_set_now(gs_batch *batch, uint64_t now_ms)
{
  if (batch->bytes.size >= GS_BATCH_HEADER_BYTES) {
    gs_put_u64(batch->bytes.data, now_ms);
  }
}

/* Writing --------------------------------------------------------------- */

/* A record before it has a place: the sizes are within their fields. */
typedef struct record {
  uint8_t kind;
  gs_slice key;
  gs_slice value;
  uint64_t expires_at_ms; /* 0: none */
} record;

static size_t
record_head_bytes(const record *rec)
{
  return GS_BATCH_RECORD_BYTES + (rec->expires_at_ms != 0 ? EXPIRY_BYTES : 0);
}

static bool
record_fits(const gs_batch *batch, const record *rec)
{
  if (rec->key.size > GS_KEY_MAX_BYTES ||
      rec->value.size > GS_VALUE_MAX_BYTES) {
    return false;
  }
  size_t size = record_head_bytes(rec) + rec->key.size + rec->value.size;
  return size <= GS_BATCH_MAX_BYTES - batch->bytes.size;
}

static void
copy_bytes(uint8_t *to, gs_slice from)
{
  if (from.size > 0) {
    memcpy(to, from.data, from.size);
  }
}

static void
record_write(uint8_t *at, const record *rec)
{
  at[0] = rec->kind;
  at[1] = rec->expires_at_ms != 0 ? GS_BATCH_FLAG_EXPIRY : 0;
  gs_put_u16(at + 2, (uint16_t)rec->key.size);
  gs_put_u32(at + 4, (uint32_t)rec->value.size);
  if (rec->expires_at_ms != 0) {
    gs_put_u64(at + GS_BATCH_RECORD_BYTES, rec->expires_at_ms);
  }
  at += record_head_bytes(rec);
  copy_bytes(at, rec->key);
  copy_bytes(at + rec->key.size, rec->value);
}

/* True when the record went in. */
static bool
append(gs_batch *batch, const record *rec)
{
  if (batch->failure != GS_OK) {
    return false;
  }
  if (!record_fits(batch, rec)) {
    batch->failure = GS_TOOLARGE;
    return false;
  }
  size_t size = record_head_bytes(rec) + rec->key.size + rec->value.size;
  uint8_t *at = gs_buffer_extend(&batch->bytes, size);
  if (at == NULL) {
    batch->failure = GS_NOMEM;
    return false;
  }
  record_write(at, rec);
  return true;
}

static void
append_entry(gs_batch *batch, const record *rec)
{
  if (batch->failure == GS_OK && batch->entry_count == GS_BATCH_MAX_ENTRIES) {
    batch->failure = GS_TOOLARGE;
  }
  if (append(batch, rec)) {
    batch->entry_count++;
    batch->tombstone_count += rec->kind == GS_KIND_DELETE;
  }
}

void
gs_batch_put(gs_batch *batch, gs_slice key, gs_slice value,
             uint64_t expires_at_ms)
{
  append_entry(batch, &(record){.kind = GS_KIND_PUT,
                                .key = key,
                                .value = value,
                                .expires_at_ms = expires_at_ms});
}

void
gs_batch_delete(gs_batch *batch, gs_slice key)
{
  append_entry(batch, &(record){.kind = GS_KIND_DELETE, .key = key});
}

void
gs_batch_meta(gs_batch *batch, gs_slice note)
{
  if (!append(batch, &(record){.kind = GS_BATCH_KIND_META, .value = note})) {
    GS_ASSERT(batch->failure != GS_OK);
  }
}

gs_status
gs_batch_status(const gs_batch *batch, gs_error *err)
{
  switch (batch->failure) {
  case GS_OK:
    return GS_OK;
  case GS_TOOLARGE:
    return GS_FAIL(err, GS_TOOLARGE,
                   "a batch holds keys of at most %d bytes, values of at most "
                   "%d, %d entries and %d bytes in all",
                   GS_KEY_MAX_BYTES, GS_VALUE_MAX_BYTES, GS_BATCH_MAX_ENTRIES,
                   GS_BATCH_MAX_BYTES);
  default:
    return GS_FAIL_NOMEM(err);
  }
}

/* Reading --------------------------------------------------------------- */

gs_status
gs_batch_read_begin(gs_batch_reader *reader, gs_slice payload,
                    uint64_t first_seq, gs_error *err)
{
  if (payload.size < GS_BATCH_HEADER_BYTES) {
    return GS_FAIL(err, GS_CORRUPT, "a batch of %zu bytes lacks its header",
                   payload.size);
  }
  reader->rest = gs_slice_of(payload.data + GS_BATCH_HEADER_BYTES,
                             payload.size - GS_BATCH_HEADER_BYTES);
  reader->seq = first_seq;
  reader->now_ms = gs_get_u64(payload.data);
  return GS_OK;
}

/* What a record of this shape breaks, or NULL. */
static const char *
shape_fault(uint8_t kind, uint8_t flags, size_t key_size, size_t value_size)
{
  if ((flags & ~GS_BATCH_FLAG_EXPIRY) != 0) {
    return "unknown flags";
  }
  switch (kind) {
  case GS_KIND_PUT:
    return value_size > GS_VALUE_MAX_BYTES ? "a value too large" : NULL;
  case GS_KIND_DELETE:
    return value_size != 0 || flags != 0 ? "a delete with a value or an expiry"
                                         : NULL;
  case GS_BATCH_KIND_META:
    return key_size != 0 || flags != 0 || value_size > GS_VALUE_MAX_BYTES
               ? "a note with a key or an expiry"
               : NULL;
  default:
    return "an unknown kind";
  }
}

/* Kinds from 3 on and flags are room for what may come. */
static bool
is_newer(gs_slice rest)
{
  return rest.size >= GS_BATCH_RECORD_BYTES &&
         ((rest.data[1] & ~GS_BATCH_FLAG_EXPIRY) != 0 ||
          (rest.data[0] > GS_KIND_DELETE &&
           rest.data[0] != GS_BATCH_KIND_META));
}

/* Splits the first record off rest. Its slices view rest. */
static const char *
record_read(gs_slice *rest, record *out)
{
  if (rest->size < GS_BATCH_RECORD_BYTES) {
    return "a record cut short";
  }
  const uint8_t *at = rest->data;
  uint8_t flags = at[1];
  size_t key_size = gs_get_u16(at + 2);
  size_t value_size = gs_get_u32(at + 4);
  const char *fault = shape_fault(at[0], flags, key_size, value_size);
  if (fault != NULL) {
    return fault;
  }
  size_t head = GS_BATCH_RECORD_BYTES + (flags != 0 ? EXPIRY_BYTES : 0);
  if (rest->size < head || rest->size - head < key_size ||
      rest->size - head - key_size < value_size) {
    return "a record cut short";
  }
  uint64_t expiry = flags != 0 ? gs_get_u64(at + GS_BATCH_RECORD_BYTES) : 0;
  if (flags != 0 && expiry == 0) {
    return "an expiry of zero";
  }
  *out = (record){.kind = at[0],
                  .key = gs_slice_of(at + head, key_size),
                  .value = gs_slice_of(at + head + key_size, value_size),
                  .expires_at_ms = expiry};
  size_t size = head + key_size + value_size;
  *rest = gs_slice_of(at + size, rest->size - size);
  return NULL;
}

gs_status
gs_batch_read(gs_batch_reader *reader, gs_batch_item *item, gs_entry *entry,
              gs_error *err)
{
  if (reader->rest.size == 0) {
    *item = GS_BATCH_END;
    return GS_OK;
  }
  gs_slice rest = reader->rest;
  record rec;
  const char *fault = record_read(&rest, &rec);
  bool is_meta = fault == NULL && rec.kind == GS_BATCH_KIND_META;
  if (fault == NULL && !is_meta && reader->seq > GS_SEQ_MAX) {
    fault = "a sequence number too large";
  }
  if (fault != NULL) {
    gs_status status = is_newer(reader->rest) ? GS_VERSION : GS_CORRUPT;
    return GS_FAIL(err, status, "the batch has %s, %zu bytes from its end",
                   fault, reader->rest.size);
  }
  reader->rest = rest;
  if (is_meta) {
    *item = GS_BATCH_META;
    *entry = (gs_entry){.value = rec.value};
    return GS_OK;
  }
  *item = GS_BATCH_ENTRY;
  *entry = (gs_entry){.key = rec.key,
                      .value = rec.value,
                      .seq = reader->seq++,
                      .expires_at_ms = rec.expires_at_ms,
                      .kind = (gs_kind)rec.kind};
  return GS_OK;
}
