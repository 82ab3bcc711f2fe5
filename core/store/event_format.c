/*
 * event_format: one switch writes fields, one reads them.
 */
#include "store/event_format.h"

#include "code/fixed.h"

enum {
  AT_TIME = 8,
  AT_COUNT = 16,
  AT_TOOK = 24,
  AT_LONGEST = 32,
  AT_JOB = 40,
  AT_KIND = 48,
  FIELD_BYTES = 8, /* tag, zeros, size */
  TAG_WHY = 1,
  TAG_CODE = 2,
  TAG_TEXT = 3,
  TAG_PLAN = 4,
  TAG_INPUTS = 5,
  TAG_OUTPUTS = 6,
  TAG_BYTES = 7,
  TAG_DROPPED = 8,
  TAG_RECOVERED = 9,
  TAG_RUNS = 10,
  PLAN_BYTES = 24,
  NUMBERS_MAX = 3,
  NUMBER_BYTES = 8,
};

/* ---- writing an event ------------------------------------------------------ */

static void
put_field(gs_buffer *out, uint16_t tag, gs_slice body)
{
  uint8_t head[FIELD_BYTES] = {0};
  if (body.size == 0) {
    return;
  }
  gs_put_u16(head, tag);
  gs_put_u32(head + 4, (uint32_t)body.size);
  gs_buffer_append(out, head, sizeof head);
  gs_buffer_append_slice(out, body);
}

static void
put_numbers(gs_buffer *out, uint16_t tag, const uint64_t *numbers, size_t count)
{
  uint8_t body[NUMBERS_MAX * NUMBER_BYTES];
  uint64_t any = 0;
  for (size_t i = 0; i < count; i++) {
    gs_put_u64(body + i * NUMBER_BYTES, numbers[i]);
    any |= numbers[i];
  }
  put_field(out, tag, gs_slice_of(body, any == 0 ? 0 : count * NUMBER_BYTES));
}

static void
put_head(const gs_event *e, gs_buffer *out)
{
  uint8_t head[GS_EVENT_HEAD_BYTES] = {0};
  gs_put_u64(head, e->number);
  gs_put_u64(head + AT_TIME, e->time_ms);
  gs_put_u64(head + AT_COUNT, e->count);
  gs_put_u64(head + AT_TOOK, e->took_us);
  gs_put_u64(head + AT_LONGEST, e->longest_us);
  gs_put_u64(head + AT_JOB, e->job);
  gs_put_u32(head + AT_KIND, (uint32_t)e->kind);
  gs_buffer_append(out, head, sizeof head);
}

static void
put_plan(const gs_event *e, gs_buffer *out)
{
  uint8_t body[PLAN_BYTES] = {0};
  gs_put_u32(body, (uint32_t)e->op);
  gs_put_u32(body + 4, (uint32_t)e->target);
  gs_put_u64(body + 8, e->run_id);
  gs_put_u32(body + 16, (uint32_t)e->level);
  put_field(out, TAG_PLAN, gs_slice_of(body, e->has_plan ? sizeof body : 0));
}

static void
put_outputs(const gs_event *e, gs_buffer *out)
{
  uint8_t head[FIELD_BYTES + GS_EVENT_COUNT_BYTES] = {0};
  if (e->output_count == 0) {
    return;
  }
  gs_put_u16(head, TAG_OUTPUTS);
  gs_put_u32(head + 4, (uint32_t)(GS_EVENT_COUNT_BYTES + e->outputs.size));
  gs_put_u64(head + FIELD_BYTES, e->output_count);
  gs_buffer_append(out, head, sizeof head);
  gs_buffer_append_slice(out, e->outputs);
}

void
gs_event_encode(const gs_event *e, gs_buffer *out)
{
  const uint64_t bytes[] = {e->read_bytes, e->written_bytes};
  const uint64_t dropped[] = {e->dropped_covered, e->dropped_tombstones,
                              e->dropped_expired};
  const uint64_t recovered[] = {e->recovered_batches, e->recovered_torn_bytes,
                                e->recovered_bits};
  put_head(e, out);
  put_field(out, TAG_WHY, e->why);
  put_field(out, TAG_CODE, e->code);
  put_field(out, TAG_TEXT, e->text);
  put_plan(e, out);
  put_field(out, TAG_INPUTS, e->inputs);
  put_outputs(e, out);
  put_numbers(out, TAG_BYTES, bytes, 2);
  put_numbers(out, TAG_DROPPED, dropped, 3);
  put_numbers(out, TAG_RECOVERED, recovered, 3);
  put_field(out, TAG_RUNS, e->runs);
}

void
gs_event_add_run(gs_buffer *runs, const gs_event_run *run)
{
  uint8_t bytes[GS_EVENT_RUN_BYTES];
  gs_put_u64(bytes, run->id);
  gs_put_u32(bytes + 8, run->level);
  gs_put_u32(bytes + 12, run->table_count);
  gs_put_u64(bytes + 16, run->bytes);
  gs_put_u64(bytes + 24, run->entry_count);
  gs_buffer_append(runs, bytes, sizeof bytes);
}

/* ---- reading an event ------------------------------------------------------ */

static gs_status
damaged(const gs_event *e, gs_error *err)
{
  return GS_FAIL(err, GS_CORRUPT, "event %llu of the journal is damaged",
                 (unsigned long long)e->number);
}

/* count numbers of which at least one is not 0. */
static bool
take_numbers(gs_slice body, uint64_t *const *out, size_t count)
{
  uint64_t any = 0;
  if (body.size != count * NUMBER_BYTES) {
    return false;
  }
  for (size_t i = 0; i < count; i++) {
    *out[i] = gs_get_u64(body.data + i * NUMBER_BYTES);
    any |= *out[i];
  }
  return any != 0;
}

static bool
take_plan(gs_slice body, gs_event *e)
{
  if (body.size != PLAN_BYTES || gs_get_u32(body.data + 20) != 0) {
    return false;
  }
  uint32_t op = gs_get_u32(body.data);
  uint32_t target = gs_get_u32(body.data + 4);
  e->has_plan = true;
  e->op = (gs_plan_op)op;
  e->target = (gs_plan_target)target;
  e->run_id = gs_get_u64(body.data + 8);
  e->level = (int32_t)gs_get_u32(body.data + 16);
  return true;
}

/* Every one of them can be decoded, and no more are listed than there were. */
static bool
take_outputs(gs_slice body, gs_event *e)
{
  if (body.size < GS_EVENT_COUNT_BYTES) {
    return false;
  }
  e->output_count = gs_get_u64(body.data);
  e->outputs = gs_slice_of(body.data + GS_EVENT_COUNT_BYTES,
                           body.size - GS_EVENT_COUNT_BYTES);
  size_t at = 0;
  uint64_t count = 0;
  gs_table_meta meta;
  while (gs_event_output(e, &at, &meta)) {
    count++;
  }
  return at == e->outputs.size && e->output_count > 0 &&
         count <= e->output_count;
}

static bool
take_list(gs_slice body, size_t item_bytes, gs_slice *out)
{
  *out = body;
  return body.size % item_bytes == 0;
}

static bool
take_field(uint16_t tag, gs_slice body, gs_event *e)
{
  uint64_t *bytes[] = {&e->read_bytes, &e->written_bytes};
  uint64_t *dropped[] = {&e->dropped_covered, &e->dropped_tombstones,
                         &e->dropped_expired};
  uint64_t *recovered[] = {&e->recovered_batches, &e->recovered_torn_bytes,
                           &e->recovered_bits};
  switch (tag) {
  case TAG_WHY:
    return take_list(body, 1, &e->why);
  case TAG_CODE:
    return take_list(body, 1, &e->code);
  case TAG_TEXT:
    return take_list(body, 1, &e->text);
  case TAG_PLAN:
    return take_plan(body, e);
  case TAG_INPUTS:
    return take_list(body, GS_EVENT_ID_BYTES, &e->inputs);
  case TAG_OUTPUTS:
    return take_outputs(body, e);
  case TAG_BYTES:
    return take_numbers(body, bytes, 2);
  case TAG_DROPPED:
    return take_numbers(body, dropped, 3);
  case TAG_RECOVERED:
    return take_numbers(body, recovered, 3);
  default:
    return take_list(body, GS_EVENT_RUN_BYTES, &e->runs);
  }
}

static gs_status
take_head(gs_slice bytes, gs_event *e, gs_error *err)
{
  if (bytes.size < GS_EVENT_HEAD_BYTES) {
    return damaged(e, err);
  }
  const uint8_t *at = bytes.data;
  uint32_t kind = gs_get_u32(at + AT_KIND);
  e->number = gs_get_u64(at);
  e->time_ms = gs_get_u64(at + AT_TIME);
  e->count = gs_get_u64(at + AT_COUNT);
  e->took_us = gs_get_u64(at + AT_TOOK);
  e->longest_us = gs_get_u64(at + AT_LONGEST);
  e->job = gs_get_u64(at + AT_JOB);
  e->kind = (gs_event_kind)kind;
  if (kind > GS_EVENT_KINDS || gs_get_u32(at + AT_KIND + 4) != 0) {
    return GS_FAIL(err, GS_VERSION, "event %llu is of a kind not known here",
                   (unsigned long long)e->number);
  }
  return kind == 0 || e->count == 0 ? damaged(e, err) : GS_OK;
}

/* Whether a field stands at the offset that may follow the tag before. */
static bool
find_field(gs_slice bytes, size_t at, uint16_t before, uint16_t *tag,
           gs_slice *body)
{
  size_t left = bytes.size - at;
  const uint8_t *field = bytes.data + at;
  if (left < FIELD_BYTES || gs_get_u16(field + 2) != 0) {
    return false;
  }
  *tag = gs_get_u16(field);
  *body = gs_slice_of(field + FIELD_BYTES, gs_get_u32(field + 4));
  return *tag > before && body->size > 0 && body->size <= left - FIELD_BYTES;
}

gs_status
gs_event_decode(gs_slice bytes, gs_event *out, gs_error *err)
{
  gs_event e = {0};
  gs_status status = take_head(bytes, &e, err);
  size_t at = GS_EVENT_HEAD_BYTES;
  uint16_t tag = 0;
  while (status == GS_OK && at < bytes.size) {
    gs_slice body;
    if (!find_field(bytes, at, tag, &tag, &body)) {
      return damaged(&e, err);
    }
    if (tag > TAG_RUNS) {
      return GS_FAIL(err, GS_VERSION, "field %u of event %llu is not known",
                     (unsigned)tag, (unsigned long long)e.number);
    }
    status = take_field(tag, body, &e) ? GS_OK : damaged(&e, err);
    at += FIELD_BYTES + body.size;
  }
  if (status == GS_OK) {
    *out = e;
  }
  return status;
}

/* ---- changing an encoded one ----------------------------------------------- */

uint64_t
gs_event_get_number(const uint8_t *bytes)
{
  return gs_get_u64(bytes);
}

void
gs_event_set_number(uint8_t *bytes, uint64_t number)
{
  gs_put_u64(bytes, number);
}

bool
gs_event_fold(uint8_t *into, size_t into_size, const uint8_t *from,
              size_t from_size)
{
  if (into_size != from_size ||
      memcmp(into + AT_KIND, from + AT_KIND, into_size - AT_KIND) != 0) {
    return false;
  }
  uint64_t longest_us = gs_get_u64(from + AT_LONGEST);
  gs_put_u64(into + AT_COUNT,
             gs_get_u64(into + AT_COUNT) + gs_get_u64(from + AT_COUNT));
  gs_put_u64(into + AT_TOOK,
             gs_get_u64(into + AT_TOOK) + gs_get_u64(from + AT_TOOK));
  if (longest_us > gs_get_u64(into + AT_LONGEST)) {
    gs_put_u64(into + AT_LONGEST, longest_us);
  }
  return true;
}
