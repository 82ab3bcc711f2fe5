/*
 * log_remains: a walk over the places where frames can stand. Where one frame
 * follows another its link is known, and a single wrong bit can be put right;
 * behind a gap frames are taken as they are.
 */
#include "store/log_remains.h"

#include "code/fixed.h"
#include "data/batch.h"
#include "store/mend.h"
#include "tree/edit_format.h"
#include "tree/sort.h"

enum { LINK_AT = 36 }; /* in a frame header */

/* What is done with a frame; failures end the walk. */
typedef gs_status (*visitor)(void *context, const gs_frame_info *info,
                             gs_slice payload, gs_error *err);

typedef struct frames {
  gs_buffer bytes;
  gs_log_identity identity;
  gs_log_kind kind;
  visitor visit;
  void *context;
  uint64_t bits_fixed;
  gs_log_outcome outcome;
} frames;

/* ---- frames ------------------------------------------------------------------ */

static uint64_t
used_bytes(const gs_buffer *bytes)
{
  uint64_t size = bytes->size;
  while (size > 0 && bytes->data[size - 1] == 0) {
    size--;
  }
  return size;
}

/* The salt of the header page, after one wrong bit was put right. */
static void
learn_salt(frames *f)
{
  gs_slice log = gs_buffer_slice(&f->bytes);
  gs_log_header header;
  uint32_t link;
  if (gs_log_header_decode(log, "", &header, &link, NULL) != GS_OK &&
      gs_log_header_repair(f->bytes.data, f->bytes.size)) {
    f->bits_fixed++;
  }
  f->identity.salt = gs_log_guess_salt(log, f->identity.number);
}

/* A frame with whatever link. */
static bool
decode(const frames *f, uint64_t at, gs_frame_info *info, gs_slice *payload)
{
  gs_slice log = gs_buffer_slice(&f->bytes);
  if (at > log.size || log.size - at < GS_FRAME_HEADER_BYTES) {
    return false;
  }
  uint32_t link = gs_get_u32(log.data + at + LINK_AT);
  return gs_frame_decode(log, f->identity, at, link, info, payload) &&
         gs_frame_is_allowed(f->kind, info, payload->size);
}

static bool
decode_fixed(frames *f, uint64_t at, uint32_t link, gs_frame_info *info,
             gs_slice *payload)
{
  if (at >= f->outcome.used ||
      !gs_frame_repair(f->bytes.data, f->bytes.size, f->identity, at, link) ||
      !decode(f, at, info, payload)) {
    return false;
  }
  f->bits_fixed++;
  return true;
}

static gs_status
walk(frames *f, gs_error *err)
{
  uint64_t at = GS_LOG_HEADER_BYTES;
  uint32_t link = gs_log_first_link(f->identity);
  bool is_link_known = true;
  gs_status status = GS_OK;
  gs_frame_info info;
  gs_slice payload;
  f->outcome.used = used_bytes(&f->bytes);
  f->outcome.bytes = f->bytes.size;
  f->outcome.end = at;
  bool has_gap = false; /* since the last numbers that were met */
  while (status == GS_OK && at < f->outcome.used) {
    if (decode(f, at, &info, &payload) ||
        (is_link_known && decode_fixed(f, at, link, &info, &payload))) {
      status = f->visit(f->context, &info, payload, err);
      has_gap = (has_gap || !is_link_known) && info.entry_count == 0;
      f->outcome.frames++;
      at = info.end_offset;
      f->outcome.end = at;
      link = info.link;
      is_link_known = true;
    } else {
      at += GS_FRAME_ALIGN;
      is_link_known = false;
    }
  }
  uint64_t attested;
  f->outcome.lost_more =
      f->outcome.used > f->outcome.end || has_gap ||
      gs_frame_find_durable(gs_buffer_slice(&f->bytes), f->identity,
                            f->outcome.end, &attested);
  return status;
}

static gs_status
read_frames(frames *f, gs_env *env, const char *path, bool is_salt_known,
            gs_error *err)
{
  gs_status status = gs_mend_read(env, path, &f->bytes, err);
  if (status == GS_OK && !is_salt_known) {
    learn_salt(f);
  }
  return status == GS_OK ? walk(f, err) : status;
}

/* ---- batches ----------------------------------------------------------------- */

void
gs_log_remains_init(gs_log_remains *s, gs_env *env)
{
  *s = (gs_log_remains){.env = env};
  gs_buffer_init(&s->files, env->alloc);
  gs_buffer_init(&s->entries, env->alloc);
  gs_buffer_init(&s->spans, env->alloc);
  gs_buffer_init(&s->note, env->alloc);
}

void
gs_log_remains_deinit(gs_log_remains *s)
{
  for (size_t at = 0; at < s->files.size; at += sizeof(gs_buffer)) {
    gs_buffer bytes;
    memcpy(&bytes, s->files.data + at, sizeof bytes);
    gs_buffer_deinit(&bytes);
  }
  gs_buffer_deinit(&s->files);
  gs_buffer_deinit(&s->entries);
  gs_buffer_deinit(&s->spans);
  gs_buffer_deinit(&s->note);
}

gs_entry *
gs_log_remains_entries(const gs_log_remains *s)
{
  void *entries = s->entries.data;
  return entries;
}

const gs_log_span *
gs_log_remains_spans(const gs_log_remains *s)
{
  const void *spans = s->spans.data;
  return spans;
}

static bool
is_readable(const gs_frame_info *info, gs_slice payload)
{
  gs_batch_reader reader;
  gs_batch_item item = GS_BATCH_META;
  gs_entry entry;
  if (gs_batch_read_begin(&reader, payload, info->first_seq, NULL) != GS_OK) {
    return false;
  }
  while (item != GS_BATCH_END) {
    if (gs_batch_read(&reader, &item, &entry, NULL) != GS_OK) {
      return false;
    }
  }
  return reader.seq == info->first_seq + info->entry_count;
}

static void
take_item(gs_log_remains *s, gs_batch_item item, const gs_entry *entry,
          uint64_t seq)
{
  if (item == GS_BATCH_META && seq >= s->note_seq) {
    gs_buffer_clear(&s->note);
    gs_buffer_append_slice(&s->note, entry->value);
    s->note_seq = seq;
  }
  if (item == GS_BATCH_ENTRY) {
    bool is_u32 = entry->key.size == 4 &&
                  (entry->kind == GS_KIND_DELETE || entry->value.size == 4);
    s->has_other_shapes = s->has_other_shapes || !is_u32;
    gs_buffer_append(&s->entries, entry, sizeof *entry);
    s->entry_count++;
  }
}

static gs_status
take_batch(void *context, const gs_frame_info *info, gs_slice payload,
           gs_error *err)
{
  gs_log_remains *s = context;
  if (info->type != GS_FRAME_BATCH || !is_readable(info, payload)) {
    return GS_OK;
  }
  gs_batch_reader reader;
  gs_batch_item item = GS_BATCH_META;
  gs_status status =
      gs_batch_read_begin(&reader, payload, info->first_seq, err);
  s->now_ms = reader.now_ms > s->now_ms ? reader.now_ms : s->now_ms;
  while (status == GS_OK && item != GS_BATCH_END) {
    gs_entry entry = {.seq = 0};
    status = gs_batch_read(&reader, &item, &entry, err);
    take_item(s, item, &entry, reader.seq - 1);
  }
  gs_log_span span = {info->first_seq, reader.seq - 1};
  s->batch_count++;
  if (info->entry_count > 0) {
    gs_buffer_append(&s->spans, &span, sizeof span);
    s->span_count++;
    s->max_seq = span.last > s->max_seq ? span.last : s->max_seq;
  }
  bool has_failed = s->entries.failed || s->spans.failed || s->note.failed;
  return status == GS_OK && has_failed ? GS_FAIL_NOMEM(err) : status;
}

gs_status
gs_log_remains_file(gs_log_remains *s, const char *path,
                    gs_log_identity identity, bool is_salt_known,
                    gs_log_outcome *out, gs_error *err)
{
  frames f = {
      .identity = identity,
      .kind = GS_LOG_WAL,
      .visit = take_batch,
      .context = s,
  };
  gs_buffer_init(&f.bytes, s->env->alloc);
  gs_status status = read_frames(&f, s->env, path, is_salt_known, err);
  *out = f.outcome;
  s->bits_fixed += f.bits_fixed;
  if (gs_buffer_reserve(&s->files, sizeof f.bytes)) {
    gs_buffer_append(&s->files, &f.bytes, sizeof f.bytes);
  } else {
    gs_buffer_deinit(&f.bytes);
    s->entry_count = 0; /* what they viewed is gone */
    s->entries.size = 0;
    status = status == GS_OK ? GS_FAIL_NOMEM(err) : status;
  }
  return status;
}

/* ---- order ------------------------------------------------------------------- */

static bool
is_less_entry(const void *items, size_t a, size_t b)
{
  const gs_entry *entries = items;
  int order = gs_slice_compare(entries[a].key, entries[b].key);
  return order < 0 || (order == 0 && entries[a].seq > entries[b].seq);
}

static void
swap_entries(void *items, size_t a, size_t b)
{
  gs_entry *entries = items;
  gs_entry held = entries[a];
  entries[a] = entries[b];
  entries[b] = held;
}

static bool
is_less_span(const void *items, size_t a, size_t b)
{
  const gs_log_span *spans = items;
  return spans[a].first < spans[b].first;
}

static void
swap_spans(void *items, size_t a, size_t b)
{
  gs_log_span *spans = items;
  gs_log_span held = spans[a];
  spans[a] = spans[b];
  spans[b] = held;
}

/* From the log's order of bytes to the tables', in the memory they view. */
static void
turn_keys(gs_log_remains *s)
{
  gs_entry *entries = gs_log_remains_entries(s);
  size_t kept = 0;
  for (size_t i = 0; i < s->entry_count; i++) {
    if (entries[i].key.size == 4) {
      uint8_t *key = (uint8_t *)(uintptr_t)entries[i].key.data;
      uint32_t number = gs_get_u32(key);
      gs_put_u32(key, __builtin_bswap32(number));
      entries[kept++] = entries[i];
    }
  }
  s->entry_count = kept;
}

void
gs_log_remains_finish(gs_log_remains *s, bool is_u32)
{
  if (is_u32) {
    turn_keys(s);
  }
  const gs_sortable entries = {s->entries.data, is_less_entry, swap_entries};
  const gs_sortable spans = {s->spans.data, is_less_span, swap_spans};
  gs_sort(&entries, s->entry_count);
  gs_sort(&spans, s->span_count);
}

/* ---- facts of a manifest ------------------------------------------------------ */

typedef struct facts_intake {
  gs_store_facts *facts;
  gs_buffer *note;
  uint64_t *note_seq;
} facts_intake;

static gs_status
take_edit(void *context, const gs_frame_info *info, gs_slice payload,
          gs_error *err)
{
  facts_intake *in = context;
  gs_edit_record record;
  if (info->type != GS_FRAME_EDIT) {
    return GS_OK;
  }
  while (gs_edit_next(&payload, &record, NULL) == GS_OK) {
    bool is_newer = record.facts.last_seq >= in->facts->last_seq &&
                    record.facts.incarnation >= in->facts->incarnation;
    if (record.tag == GS_EDIT_FACTS && is_newer) {
      *in->facts = record.facts;
    }
    if (record.tag == GS_EDIT_NOTE && record.id >= *in->note_seq) {
      gs_buffer_clear(in->note);
      gs_buffer_append_slice(in->note, record.note);
      *in->note_seq = record.id;
    }
  }
  return gs_buffer_status(in->note, err);
}

gs_status
gs_log_remains_facts(gs_env *env, const char *path, uint64_t number,
                     gs_store_facts *facts, gs_buffer *note, uint64_t *note_seq,
                     gs_error *err)
{
  facts_intake in = {facts, note, note_seq};
  frames f = {
      .identity = {.number = number},
      .kind = GS_LOG_MANIFEST,
      .visit = take_edit,
      .context = &in,
  };
  gs_buffer_init(&f.bytes, env->alloc);
  gs_status status = read_frames(&f, env, path, false, err);
  gs_buffer_deinit(&f.bytes);
  return status;
}
