/*
 * toy_log: a toy store for the tests of the replay. It runs a script, one
 * letter a step:
 *   a  append a batch         e  append a batch without entries
 *   s  sync, oldest first     m  append a mark
 *   r  go on in a new segment
 *   R  the same after a sync, and the new header says so
 *   z  append a seal
 * A failed step ends the script: such a store takes no more.
 *
 * Life: toy_new or toy_of, then toy_free, which proves that nothing leaked.
 * Threads: one.
 */
#ifndef GS_CTEST_WAL_TOY_LOG_H
#define GS_CTEST_WAL_TOY_LOG_H

#include "log_kit.h"

#include "wal/replay.h"

enum {
  SEGMENTS = 4,
  TOY_BYTES = GS_LOG_HEADER_BYTES + 1024,
  SECTOR = 512,
};

typedef struct toy {
  gs_sim *sim;
  gs_env *env;
  gs_error err;
  gs_segment list[SEGMENTS]; /* what a manifest would list */
  gs_log_writer *writers[SEGMENTS];
  bool is_synced[SEGMENTS]; /* nothing written since the last good sync */
  size_t count;             /* of list and writers */
  uint64_t next_seq;
  uint64_t acked_seq;  /* last sequence of a batch that was written */
  uint64_t synced_seq; /* last sequence that a sync covers */
} toy;

/* What a replay handed out. */
typedef struct harvest {
  uint64_t next_seq;
  int batches;
  int empty_batches;
  gs_status refusal; /* what the callback answers */
} harvest;

/* ---- the toy store ------------------------------------------------------- */

static inline gs_status
toy_sync(toy *t)
{
  for (size_t i = 0; i < t->count; i++) {
    gs_status status =
        t->is_synced[i] ? GS_OK : kit_sync(t->writers[i], &t->err);
    if (status != GS_OK) {
      return status;
    }
    t->is_synced[i] = true;
  }
  t->synced_seq = t->acked_seq;
  return GS_OK;
}

static inline gs_log_header
toy_header(const toy *t, uint64_t number, bool is_prev_synced)
{
  gs_log_header header = kit_header(GS_LOG_WAL, number);
  header.first_seq = t->next_seq;
  if (t->count > 0) {
    const gs_log_writer *prev = t->writers[t->count - 1];
    header.prev_number = t->list[t->count - 1].number;
    header.prev_bytes = gs_log_written_bytes(prev);
    header.prev_link = gs_log_link(prev);
    header.is_prev_synced = is_prev_synced;
  }
  return header;
}

/* A new segment: prepared, named and listed, then started. */
static inline gs_status
toy_start(toy *t, const gs_log_header *header)
{
  gs_buffer path;
  gs_log_writer *writer = NULL;
  uint64_t number = t->count + 1;
  gs_buffer_init(&path, t->env->alloc);
  gs_segment_path(&path, "/db", number);
  gs_status status = gs_log_prepare(t->env, (const char *)path.data, TOY_BYTES,
                                    &writer, &t->err);
  gs_buffer_deinit(&path);
  if (status == GS_OK) {
    status = gs_env_sync_dir(t->env, "/db", &t->err);
  }
  if (status != GS_OK) {
    gs_log_close(writer);
    return status;
  }
  t->list[t->count] = (gs_segment){
      .number = number, .allocated_bytes = TOY_BYTES, .salt = header->salt};
  t->writers[t->count++] = writer;
  return gs_log_start(writer, header, &t->err);
}

static inline gs_status
toy_rotate(toy *t, bool is_prev_synced)
{
  gs_log_header header = toy_header(t, t->count + 1, is_prev_synced);
  return toy_start(t, &header);
}

static inline gs_status
toy_append(toy *t, char letter)
{
  gs_log_writer *writer = t->writers[t->count - 1];
  gs_slice empty = gs_slice_of(NULL, 0);
  gs_status status = GS_OK;
  t->is_synced[t->count - 1] = false;
  switch (letter) {
  case 'a':
    status = kit_append(writer, &t->next_seq, &t->err);
    t->acked_seq = t->next_seq - 1;
    return status;
  case 'e':
    return gs_log_append(writer, GS_FRAME_BATCH, t->next_seq, 0,
                         gs_slice_str("note"), &t->err);
  case 'm':
    return gs_log_append(writer, GS_FRAME_MARK, 0, 0, empty, &t->err);
  default:
    assert_int_equal(letter, 'z');
    return gs_log_append(writer, GS_FRAME_SEAL, 0, 0, empty, &t->err);
  }
}

static inline gs_status
toy_step(toy *t, char letter)
{
  gs_status status = GS_OK;
  switch (letter) {
  case 's':
    return toy_sync(t);
  case 'R':
    status = toy_sync(t);
    return status == GS_OK ? toy_rotate(t, true) : status;
  case 'r':
    return toy_rotate(t, false);
  default:
    return toy_append(t, letter);
  }
}

static inline toy
toy_new(void)
{
  toy t = {.sim = gs_sim_new(3), .next_seq = 1};
  assert_non_null(t.sim);
  t.env = gs_sim_env(t.sim);
  KIT_OK(gs_env_make_dir(t.env, "/db", &t.err), &t.err);
  KIT_OK(gs_env_sync_dir(t.env, "/", &t.err), &t.err);
  return t;
}

/* The first segment, then the script up to its end or the first failure. */
static inline gs_status
toy_run(toy *t, const char *script)
{
  gs_status status = t->count == 0 ? toy_rotate(t, false) : GS_OK;
  for (; *script != '\0' && status == GS_OK; script++) {
    status = toy_step(t, *script);
  }
  return status;
}

static inline void
toy_close_logs(toy *t)
{
  for (size_t i = 0; i < t->count; i++) {
    gs_log_close(t->writers[i]);
    t->writers[i] = NULL;
  }
}

static inline void
toy_free(toy *t)
{
  toy_close_logs(t);
  assert_int_equal(gs_sim_allocated_bytes(t->sim), 0);
  gs_sim_free(t->sim);
}

/* A toy whose script ran to its end; its logs are closed. */
static inline toy
toy_of(const char *script)
{
  toy t = toy_new();
  KIT_OK(toy_run(&t, script), &t.err);
  toy_close_logs(&t);
  return t;
}

/* ---- replaying ----------------------------------------------------------- */

static inline gs_status
harvest_batch(void *context, const gs_frame_info *info, gs_slice payload,
              gs_error *err)
{
  harvest *h = context;
  if (h->refusal != GS_OK) {
    return GS_FAIL(err, h->refusal, "not this one");
  }
  if (info->entry_count == 0) {
    assert_true(gs_slice_equal(payload, gs_slice_str("note")));
    h->empty_batches++;
    return GS_OK;
  }
  if (h->next_seq != 0) {
    assert_int_equal(info->first_seq, h->next_seq);
  }
  kit_assert_batch(info, payload);
  h->next_seq = info->first_seq + info->entry_count;
  h->batches++;
  return GS_OK;
}

static inline gs_replay_request
request_of(const toy *t, harvest *h)
{
  return (gs_replay_request){
      .dir = "/db",
      .store_id = kit_store,
      .segments = t->list,
      .segment_count = t->count,
      .batch = harvest_batch,
      .context = h,
  };
}

/* Replays from the beginning; what was handed out agrees with the result. */
static inline gs_status
replay_all(toy *t, gs_env *env, gs_replay_result *result)
{
  harvest h = {.next_seq = 1};
  gs_replay_request request = request_of(t, &h);
  gs_status status = gs_wal_replay(env, &request, result, &t->err);
  assert_int_equal(result->last_seq + 1, h.next_seq);
  assert_int_equal(result->batch_count, h.batches + h.empty_batches);
  return status;
}

static inline gs_status
replay_here(toy *t, gs_replay_result *result)
{
  return replay_all(t, t->env, result);
}

static inline const char *
name_of(size_t segment)
{
  static const char *const names[] = {"/db/000001.wal", "/db/000002.wal",
                                      "/db/000003.wal", "/db/000004.wal"};
  return names[segment - 1];
}

/* Overwrites bytes of a segment, durable and volatile. */
static inline void
overwrite(toy *t, size_t segment, size_t offset, uint8_t byte, size_t size)
{
  gs_buffer bytes = kit_read_file(t->env, name_of(segment));
  memset(bytes.data + offset, byte, size);
  kit_write_file(t->sim, name_of(segment), bytes.data, bytes.size);
  gs_buffer_deinit(&bytes);
}

/* Where frame nth of a segment (from 0) stands; behind the last: its end. */
static inline size_t
frame_at(toy *t, size_t segment, int nth)
{
  gs_frame_info info;
  gs_slice payload;
  gs_log_reader *reader = kit_open(t->env, name_of(segment));
  for (int i = 0; i < nth; i++) {
    assert_true(gs_log_next(reader, &info, &payload));
  }
  size_t at = (size_t)gs_log_reader_offset(reader);
  gs_log_reader_close(reader);
  return at;
}

/* Zeros from a frame to the end of the segment, as if never written. */
static inline void
lose_tail(toy *t, size_t segment, int nth)
{
  size_t at = frame_at(t, segment, nth);
  overwrite(t, segment, at, 0, TOY_BYTES - at);
}

static inline void
assert_whole(toy *t)
{
  gs_replay_result result;
  KIT_OK(replay_here(t, &result), &t->err);
  assert_int_equal(result.last_seq, t->acked_seq);
  assert_false(result.is_torn);
}

static inline void
assert_torn(toy *t, uint64_t last_seq, size_t segment, uint64_t offset)
{
  gs_replay_result result;
  KIT_OK(replay_here(t, &result), &t->err);
  assert_int_equal(result.last_seq, last_seq);
  assert_true(result.is_torn);
  assert_int_equal(result.torn_segment, segment);
  assert_int_equal(result.torn_offset, offset);
}

static inline void
assert_corrupt(toy *t, uint64_t last_seq, size_t segment, uint64_t offset)
{
  gs_replay_result result;
  assert_int_equal(replay_here(t, &result), GS_CORRUPT);
  assert_int_equal(result.last_seq, last_seq);
  assert_false(result.is_torn);
  assert_string_equal(t->err.path, name_of(segment));
  assert_true(t->err.has_offset);
  assert_int_equal(t->err.offset, offset);
}

#endif
