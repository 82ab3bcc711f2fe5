/*
 * replay: one walk along all segments, then at most one judgement.
 *
 * The front moves with each frame that belongs. It breaks where a walk ends
 * torn, where a header page is bad, or where the next header does not say that
 * its predecessor ended at the front. A broken front is no verdict yet: what
 * was lost there may have held no entries, or what stands there may be a write
 * that failed before the writer went on in the next segment. So the walk goes
 * on, and the next batch decides: it continues the sequence, and the front is
 * whole again behind it; or it does not, and the front is judged. A page that
 * says the segment before it was synced to another end needs no further word:
 * what is missing is damage. Marks and seals say nothing about the sequence, so
 * they move only a whole front.
 *
 *   segment 1  [page][1..3][4..4]xxxx      broken: torn at x
 *   segment 2  [page][5..6]                continues: the front is behind 6
 *   segment 3  [page][9..9]                does not: judged at the end of 2
 */
#include "wal/replay.h"

#include "wal/reader.h"

typedef struct replay {
  gs_env *env;
  const gs_replay_request *request;
  gs_replay_result *result;
  gs_buffer path;        /* of the segment last opened */
  uint64_t expected_seq; /* the next batch must hold it */
  size_t front_index;    /* the front's segment in the list */
  uint64_t front_offset;
  uint32_t front_link;
  bool is_broken;       /* the front, see above */
  bool is_over;         /* a gap was met: nothing behind it counts */
  gs_log_reader **held; /* one for each segment; NULL: opened when needed */
} replay;

void
gs_segment_path(gs_buffer *out, const char *dir, uint64_t number)
{
  gs_buffer_printf(out, "%s/%06llu.wal", dir, (unsigned long long)number);
  gs_buffer_append(out, "", 1);
}

/* ---- errors -------------------------------------------------------------- */

static gs_status
corrupt_at(const replay *r, uint64_t offset, gs_status status, gs_error *err)
{
  status = gs_error_at(err, status, (const char *)r->path.data);
  status = gs_error_offset(err, status, offset);
  return gs_error_hint(err, status,
                       "rebuild the store with repair, which also saves what "
                       "stands behind the damage, or open it with salvage");
}

static gs_status
set_path(replay *r, size_t index, gs_error *err)
{
  gs_buffer_clear(&r->path);
  gs_segment_path(&r->path, r->request->dir,
                  r->request->segments[index].number);
  return gs_buffer_status(&r->path, err);
}

/* ---- opening a segment --------------------------------------------------- */

/* The file is what the list says. */
static gs_status
check_listed(const replay *r, size_t index, const gs_log_reader *reader,
             gs_error *err)
{
  const gs_segment *segment = &r->request->segments[index];
  const gs_log_header *header = gs_log_reader_header(reader);
  const char *path = (const char *)r->path.data;
  uint64_t recorded = segment->allocated_bytes;
  if (header != NULL && header->allocated_bytes > recorded) {
    recorded = header->allocated_bytes;
  }
  uint64_t found = gs_log_reader_file_bytes(reader);
  if (found < recorded) {
    gs_status status =
        GS_FAIL(err, GS_CORRUPT, "'%s' has %llu of its %llu bytes", path,
                (unsigned long long)found, (unsigned long long)recorded);
    return corrupt_at(r, found, status, err);
  }
  if (header != NULL && header->kind != GS_LOG_WAL) {
    gs_status status = GS_FAIL(err, GS_CORRUPT,
                               "'%s' is no segment of a write-ahead log", path);
    return corrupt_at(r, 0, status, err);
  }
  return GS_OK;
}

/* Headless where the header page is bad; its frames are there nevertheless. */
static gs_status
read_segment(replay *r, size_t index, gs_log_reader **out, gs_error *err)
{
  gs_status status = set_path(r, index, err);
  if (status != GS_OK) {
    return status;
  }
  const char *path = (const char *)r->path.data;
  const gs_segment *segment = &r->request->segments[index];
  gs_log_identity identity = {.salt = segment->salt, .number = segment->number};
  gs_log_reader *reader = NULL;
  status = gs_log_open_listed(r->env, path, &r->request->store_id, &identity,
                              &reader, err);
  if (status == GS_MISSING) {
    status = GS_FAIL(err, GS_CORRUPT, "the log '%s' is missing", path);
    status = gs_error_at(err, status, path);
  }
  if (status == GS_OK) {
    status = check_listed(r, index, reader, err);
  }
  if (status != GS_OK) {
    gs_log_reader_close(reader);
    return status;
  }
  *out = reader;
  return GS_OK;
}

static gs_status
open_segment(replay *r, size_t index, gs_log_reader **out, gs_error *err)
{
  *out = NULL;
  if (r->held == NULL) {
    return read_segment(r, index, out, err);
  }
  gs_status status = set_path(r, index, err);
  if (status == GS_OK && r->held[index] == NULL) {
    status = read_segment(r, index, &r->held[index], err);
  }
  *out = status == GS_OK ? r->held[index] : NULL;
  return status;
}

static void
close_segment(const replay *r, gs_log_reader *reader)
{
  if (r->held == NULL) {
    gs_log_reader_close(reader);
  }
}

/* As far as they are sound: what is wrong with one is told when the walk comes to
 * it, which has then taken what stands before. */
static gs_status
hold_all(replay *r, gs_error *err)
{
  size_t count = r->request->segment_count;
  gs_status status = GS_OK;
  r->held = gs_alloc_zeroed(r->env->alloc, count * sizeof(*r->held));
  if (r->held == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  for (size_t i = 0; i < count && status == GS_OK; i++) {
    status = read_segment(r, i, &r->held[i], err);
  }
  return status == GS_CORRUPT ? GS_OK : status;
}

static void
let_go(replay *r)
{
  size_t count = r->request->segment_count;
  for (size_t i = 0; r->held != NULL && i < count; i++) {
    gs_log_reader_close(r->held[i]);
  }
  gs_alloc_free(r->env->alloc, r->held, count * sizeof(*r->held));
}

/* ---- the walk ------------------------------------------------------------ */

static void
move_front(replay *r, size_t index, uint64_t offset, uint32_t link)
{
  r->front_index = index;
  r->front_offset = offset;
  r->front_link = link;
  r->is_broken = false;
}

/* Whether this segment's header says that the segment before it ended at the
 * front. */
static bool
is_joined(const replay *r, size_t index, const gs_log_header *header)
{
  if (index == 0) {
    return true;
  }
  return header->prev_number == r->request->segments[r->front_index].number &&
         header->prev_bytes == r->front_offset &&
         header->prev_link == r->front_link;
}

/* What is missing had been synced, says the segment behind it. It may be a
 * batch without entries, which nothing that follows would miss. */
static gs_status
fail_unjoined(replay *r, size_t index, gs_error *err)
{
  gs_status status = set_path(r, r->front_index, err);
  if (status != GS_OK) {
    return status;
  }
  status = GS_FAIL(
      err, GS_CORRUPT,
      "'%s' is damaged at offset %llu: what stood there had been synced, says "
      "segment %llu",
      (const char *)r->path.data, (unsigned long long)r->front_offset,
      (unsigned long long)r->request->segments[index].number);
  return corrupt_at(r, r->front_offset, status, err);
}

static gs_status
enter_segment(replay *r, size_t index, const gs_log_reader *reader,
              gs_error *err)
{
  const gs_log_header *header = gs_log_reader_header(reader);
  if (header != NULL && is_joined(r, index, header)) {
    move_front(r, index, GS_LOG_HEADER_BYTES,
               gs_log_reader_header_link(reader));
  } else if (header != NULL && header->is_prev_synced != 0) {
    return fail_unjoined(r, index, err);
  } else if (header != NULL) {
    r->is_broken = true;
  } else if (gs_log_reader_used_bytes(reader) > 0 && !r->is_broken) {
    move_front(r, index, 0, 0);
    r->is_broken = true;
  }
  return GS_OK;
}

static gs_status
fail_jump(const replay *r, const gs_frame_info *info, gs_error *err)
{
  gs_status status =
      GS_FAIL(err, GS_CORRUPT, "'%s' holds sequence %llu where %llu has to be",
              (const char *)r->path.data, (unsigned long long)info->first_seq,
              (unsigned long long)r->expected_seq);
  return corrupt_at(r, info->offset, status, err);
}

static gs_status
hand_out(replay *r, const gs_frame_info *info, gs_slice payload, gs_error *err)
{
  gs_status status = r->request->batch(r->request->context, info, payload, err);
  if (status == GS_OK) {
    r->expected_seq = info->first_seq + info->entry_count;
    r->result->last_seq = r->expected_seq - 1;
    r->result->batch_count++;
  } else if (status == GS_CORRUPT || status == GS_VERSION) {
    /* Who reads a batch knows nothing of files. */
    status = corrupt_at(r, info->offset, status, err);
  }
  return status;
}

/*
 * A batch of sequences [first, next) meets the expected sequence e:
 *   next <= e, nothing handed out yet   flushed, passed over
 *   first <= e, nothing handed out yet  part of it is flushed: handed out whole
 *   first == e                          handed out
 *   else                                a gap, or a contradiction
 */
static gs_status
take_batch(replay *r, size_t index, const gs_frame_info *info, gs_slice payload,
           gs_error *err)
{
  uint64_t next_seq = info->first_seq + info->entry_count;
  bool is_first = r->result->batch_count == 0;
  bool is_flushed = is_first && info->first_seq < r->expected_seq &&
                    next_seq <= r->expected_seq;
  bool continues = info->first_seq == r->expected_seq ||
                   (is_first && info->first_seq < r->expected_seq);
  if (!continues) {
    if (info->first_seq < r->expected_seq || !r->is_broken) {
      return fail_jump(r, info, err);
    }
    r->is_over = true;
    return GS_OK;
  }
  gs_status status = is_flushed ? GS_OK : hand_out(r, info, payload, err);
  if (status == GS_OK) {
    move_front(r, index, info->end_offset, info->link);
  }
  return status;
}

static gs_status
walk_segment(replay *r, size_t index, gs_log_reader *reader, gs_error *err)
{
  gs_frame_info info;
  gs_slice payload;
  while (!r->is_over && gs_log_next(reader, &info, &payload)) {
    if (info.type == GS_FRAME_BATCH) {
      gs_status status = take_batch(r, index, &info, payload, err);
      if (status != GS_OK) {
        return status;
      }
    } else if (!r->is_broken) {
      move_front(r, index, info.end_offset, info.link);
    }
  }
  if (!r->is_over && gs_log_reader_end(reader) == GS_LOG_TORN) {
    r->is_broken = true;
  }
  return GS_OK;
}

static gs_status
walk_all(replay *r, gs_error *err)
{
  for (size_t i = 0; i < r->request->segment_count && !r->is_over; i++) {
    gs_log_reader *reader = NULL;
    gs_status status = open_segment(r, i, &reader, err);
    if (status != GS_OK) {
      return status;
    }
    status = enter_segment(r, i, reader, err);
    if (status == GS_OK) {
      status = walk_segment(r, i, reader, err);
    }
    r->result->repaired_bits += gs_log_reader_repaired_bits(reader);
    close_segment(r, reader);
    if (status != GS_OK) {
      return status;
    }
  }
  return GS_OK;
}

/* ---- the judgement ------------------------------------------------------- */

static gs_status
fail_lost(replay *r, const char *evidence, uint64_t number, gs_error *err)
{
  if (r->request->segment_count == 0) {
    return GS_FAIL(err, GS_CORRUPT, "no log is listed, and %s %llu", evidence,
                   (unsigned long long)number);
  }
  gs_status status = set_path(r, r->front_index, err);
  if (status != GS_OK) {
    return status;
  }
  status = GS_FAIL(
      err, GS_CORRUPT,
      "'%s' is damaged at offset %llu: sequences from %llu on are lost, and %s "
      "%llu",
      (const char *)r->path.data, (unsigned long long)r->front_offset,
      (unsigned long long)r->expected_seq, evidence,
      (unsigned long long)number);
  return corrupt_at(r, r->front_offset, status, err);
}

/* Evidence that the segment at the index holds against the front. */
static gs_status
judge_by_segment(replay *r, size_t index, const gs_log_reader *reader,
                 gs_error *err)
{
  uint64_t number = r->request->segments[index].number;
  uint64_t at = 0;
  if (index == r->front_index) {
    uint64_t used = gs_log_reader_used_bytes(reader);
    if (used > r->front_offset) {
      r->result->torn_bytes = used - r->front_offset;
    }
    return gs_log_find_durable(reader, r->front_offset, &at)
               ? fail_lost(r, "they had been synced, says the frame at", at,
                           err)
               : GS_OK;
  }
  const gs_log_header *header = gs_log_reader_header(reader);
  if ((header != NULL && header->is_prev_synced != 0) ||
      gs_log_find_durable(reader, 0, &at)) {
    return fail_lost(r, "they had been synced, says segment", number, err);
  }
  return GS_OK;
}

static gs_status
judge_by_segments(replay *r, gs_error *err)
{
  for (size_t i = r->front_index; i < r->request->segment_count; i++) {
    gs_log_reader *reader = NULL;
    gs_status status = open_segment(r, i, &reader, err);
    if (status == GS_OK) {
      status = judge_by_segment(r, i, reader, err);
    }
    close_segment(r, reader);
    if (status != GS_OK) {
      return status;
    }
  }
  return GS_OK;
}

static gs_status
judge(replay *r, gs_error *err)
{
  if (r->request->known_seq >= r->expected_seq) {
    return fail_lost(r, "there had been sequence", r->request->known_seq, err);
  }
  if (!r->is_broken) {
    return GS_OK;
  }
  if (r->request->was_clean) {
    return fail_lost(r, "the store was closed cleanly with sequence",
                     r->request->known_seq, err);
  }
  gs_status status = judge_by_segments(r, err);
  if (status == GS_OK) {
    r->result->is_torn = true;
    r->result->torn_segment = r->request->segments[r->front_index].number;
    r->result->torn_offset = r->front_offset;
  }
  return status;
}

gs_status
gs_wal_replay(gs_env *env, const gs_replay_request *request,
              gs_replay_result *result, gs_error *err)
{
  replay r = {
      .env = env,
      .request = request,
      .result = result,
      .expected_seq = request->flushed_seq + 1,
  };
  *result = (gs_replay_result){.last_seq = request->flushed_seq};
  gs_buffer_init(&r.path, env->alloc);
  bool holds_all = request->holds_all && request->segment_count > 0;
  gs_status status = holds_all ? hold_all(&r, err) : GS_OK;
  if (status == GS_OK) {
    status = walk_all(&r, err);
  }
  if (status == GS_OK) {
    status = judge(&r, err);
  }
  let_go(&r);
  gs_buffer_deinit(&r.path);
  if (status == GS_CORRUPT && request->takes_prefix) {
    result->is_salvaged = true;
    return GS_OK;
  }
  return status;
}
