/*
 * edit_format: decoding. Every length is compared before a byte behind it is
 * looked at, and a record is either taken whole or refused.
 */
#include "tree/edit_format.h"

#include <inttypes.h>

#include "code/fixed.h"
#include "tree/plan_types.h"

/* Sizes of the bodies; 0 where they vary. */
static const size_t body_bytes[] = {
    [GS_EDIT_FACTS] = GS_EDIT_FACTS_BYTES,
    [GS_EDIT_ADD_RUN] = 24,
    [GS_EDIT_SET_LEVEL] = 12,
    [GS_EDIT_ADD_TABLE] = 0,
    [GS_EDIT_REMOVE_TABLE] = 16,
    [GS_EDIT_ADD_SEGMENT] = 24,
    [GS_EDIT_REMOVE_SEGMENT] = 8,
    [GS_EDIT_NOTE] = 0,
};

static gs_status
fail_size(const gs_edit_record *record, gs_error *err)
{
  return GS_FAIL(err, GS_CORRUPT,
                 "record %" PRIu32 " of a manifest edit takes %zu bytes",
                 record->tag, record->body.size);
}

static gs_status
check_tag(const gs_edit_record *record, gs_error *err)
{
  uint32_t tag = record->tag;
  size_t known = sizeof body_bytes / sizeof body_bytes[0];
  if (tag == 0 || (tag >= known && tag < GS_EDIT_MAY_BE_SKIPPED)) {
    return GS_FAIL(err, GS_VERSION,
                   "record %" PRIu32 " of a manifest edit is not known here",
                   tag);
  }
  if (tag < known && body_bytes[tag] != 0 &&
      body_bytes[tag] != record->body.size) {
    return fail_size(record, err);
  }
  return GS_OK;
}

static gs_status
decode_facts(gs_edit_record *record, gs_error *err)
{
  const uint8_t *at = record->body.data;
  gs_store_facts *facts = &record->facts;
  memcpy(facts->store_id.bytes, at, sizeof facts->store_id.bytes);
  facts->store_kind = gs_get_u32(at + 16);
  uint32_t is_clean = gs_get_u32(at + 20);
  facts->salt = gs_get_u64(at + 24);
  facts->feature_bits = gs_get_u64(at + 32);
  facts->incarnation = gs_get_u64(at + 40);
  facts->flushed_seq = gs_get_u64(at + 48);
  facts->last_seq = gs_get_u64(at + 56);
  facts->next_id = gs_get_u64(at + 64);
  facts->clock_floor_ms = gs_get_u64(at + 72);
  facts->safe_clock_ms = gs_get_u64(at + 80);
  facts->is_clean = is_clean == 1;
  if (is_clean > 1) {
    return GS_FAIL(err, GS_CORRUPT, "the clean mark in a manifest is %" PRIu32,
                   is_clean);
  }
  if (facts->feature_bits != 0) {
    return GS_FAIL(err, GS_VERSION,
                   "the store uses features %#" PRIx64 " not known here",
                   facts->feature_bits);
  }
  return GS_OK;
}

static gs_status
decode_level(gs_edit_record *record, size_t at, gs_error *err)
{
  record->level = gs_get_u32(record->body.data + at);
  if (record->level > GS_PLAN_MAX_LEVEL) {
    return GS_FAIL(err, GS_CORRUPT,
                   "run %" PRIu64 " is on level %" PRIu32 ", above %d",
                   record->id, record->level, GS_PLAN_MAX_LEVEL);
  }
  return GS_OK;
}

static gs_status
decode_run(gs_edit_record *record, gs_error *err)
{
  const uint8_t *at = record->body.data;
  record->id = gs_get_u64(at);
  record->other = gs_get_u64(at + 8);
  uint32_t place = gs_get_u32(at + 20);
  if (place < GS_PLACE_TOP || place > GS_PLACE_BOTTOM) {
    return GS_FAIL(err, GS_CORRUPT,
                   "run %" PRIu64 " is added at unknown place %" PRIu32,
                   record->id, place);
  }
  record->place = (gs_run_place)place;
  return decode_level(record, 16, err);
}

static gs_status
decode_table(gs_edit_record *record, gs_error *err)
{
  if (record->body.size < sizeof(uint64_t)) {
    return fail_size(record, err);
  }
  record->id = gs_get_u64(record->body.data);
  gs_slice encoding = gs_slice_of(record->body.data + sizeof(uint64_t),
                                  record->body.size - sizeof(uint64_t));
  size_t used;
  gs_status status = gs_table_meta_decode(encoding, &record->meta, &used, err);
  if (status == GS_OK && used != encoding.size) {
    return fail_size(record, err);
  }
  return status;
}

static gs_status
decode_note(gs_edit_record *record, gs_error *err)
{
  if (record->body.size < sizeof(uint64_t)) {
    return fail_size(record, err);
  }
  record->id = gs_get_u64(record->body.data);
  record->note = gs_slice_of(record->body.data + sizeof(uint64_t),
                             record->body.size - sizeof(uint64_t));
  return GS_OK;
}

static gs_status
decode_body(gs_edit_record *record, gs_error *err)
{
  const uint8_t *at = record->body.data;
  switch (record->tag) {
  case GS_EDIT_FACTS:
    return decode_facts(record, err);
  case GS_EDIT_ADD_RUN:
    return decode_run(record, err);
  case GS_EDIT_SET_LEVEL:
    record->id = gs_get_u64(at);
    return decode_level(record, 8, err);
  case GS_EDIT_ADD_TABLE:
    return decode_table(record, err);
  case GS_EDIT_REMOVE_TABLE:
    record->id = gs_get_u64(at);
    record->other = gs_get_u64(at + 8);
    return GS_OK;
  case GS_EDIT_ADD_SEGMENT:
    record->id = gs_get_u64(at);
    record->other = gs_get_u64(at + 8);
    record->salt = gs_get_u64(at + 16);
    return GS_OK;
  case GS_EDIT_REMOVE_SEGMENT:
    record->id = gs_get_u64(at);
    return GS_OK;
  case GS_EDIT_NOTE:
    return decode_note(record, err);
  default:
    return GS_OK;
  }
}

gs_status
gs_edit_next(gs_slice *rest, gs_edit_record *record, gs_error *err)
{
  if (rest->size == 0) {
    return GS_ABSENT;
  }
  if (rest->size < GS_EDIT_RECORD_BYTES) {
    return GS_FAIL(err, GS_CORRUPT, "a manifest edit ends early");
  }
  size_t size = gs_get_u32(rest->data + 2);
  size_t left = rest->size - GS_EDIT_RECORD_BYTES;
  if (size > left) {
    return GS_FAIL(err, GS_CORRUPT, "a manifest edit ends early");
  }
  *record = (gs_edit_record){
      .tag = gs_get_u16(rest->data),
      .body = gs_slice_of(rest->data + GS_EDIT_RECORD_BYTES, size),
  };
  *rest = gs_slice_of(record->body.data + size, left - size);
  gs_status status = check_tag(record, err);
  return status == GS_OK ? decode_body(record, err) : status;
}
