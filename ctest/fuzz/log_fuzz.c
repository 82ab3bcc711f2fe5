/*
 * Fuzz target of the log reader and the replay, over a simulated machine. The
 * input is a file, with or without its header page, or a recipe for two
 * segments and for damage to them.
 * Checked: no access outside (by the sanitizers), no leak, frames in order and
 * within the file, and that what a replay hands out follows on without a gap
 * and is what was written.
 *
 * Needs core/wal, core/env, core/code and core/base.
 *
 * Recipe: bytes, each a step; some take operands from the bytes behind.
 *   0..3  append a batch      4  a mark     5  a seal     6  a sync
 *   7     go on in the second segment
 *   8     flip a bit of a file: file, offset (2)
 *   9     zero a run of a file: file, offset (2), length
 *   10    cut a file: file, length (2)
 */
#include "env/env.h"
#include "env/sim.h"
#include "fuzz/target.h"
#include "wal/frame.h"
#include "wal/reader.h"
#include "wal/replay.h"
#include "wal/writer.h"

enum {
  IS_FILE = 1,  /* bit of the first byte: the rest is a file */
  HAS_PAGE = 2, /* and this one: but for its header page */
  SEGMENTS = 2,
  SEGMENT_BYTES = 8192,
  PAYLOAD_MAX = 64,
  SALT = 77, /* of the first segment */
};

typedef struct recipe {
  const uint8_t *at;
  const uint8_t *end;
} recipe;

typedef struct stage {
  gs_sim *sim;
  gs_env *env;
  gs_log_writer *writer;
  size_t segment; /* the writer's, from 0 */
  uint64_t next_seq;
  uint64_t first_seen; /* of the replay */
  uint64_t next_seen;
} stage;

static const char *const names[SEGMENTS] = {"/000001.wal", "/000002.wal"};

static size_t
take(recipe *r, int bytes)
{
  size_t value = 0;
  for (; bytes > 0; bytes--) {
    value = value << 8 | (r->at < r->end ? *r->at++ : 0);
  }
  return value;
}

/* ---- writing ------------------------------------------------------------- */

static gs_slice
payload_of(uint64_t seq, uint8_t storage[PAYLOAD_MAX])
{
  size_t size = (size_t)(seq * 13 % PAYLOAD_MAX);
  memset(storage, (int)(seq & 0xff), size);
  return gs_slice_of(storage, size);
}

static void
start(stage *s, size_t segment)
{
  gs_log_header header = {.kind = GS_LOG_WAL,
                          .number = segment + 1,
                          .salt = SALT + segment,
                          .first_seq = s->next_seq};
  if (s->writer != NULL) {
    header.prev_number = segment;
    header.prev_bytes = gs_log_written_bytes(s->writer);
    header.prev_link = gs_log_link(s->writer);
    header.is_prev_synced =
        gs_log_durable_bytes(s->writer) == header.prev_bytes;
    gs_log_close(s->writer);
  }
  s->segment = segment;
  REQUIRE(gs_log_prepare(s->env, names[segment], SEGMENT_BYTES, &s->writer,
                         NULL) == GS_OK);
  REQUIRE(gs_log_start(s->writer, &header, NULL) == GS_OK);
}

static void
append(stage *s, size_t step)
{
  uint8_t storage[PAYLOAD_MAX];
  gs_slice payload = gs_slice_of(NULL, 0);
  gs_frame_type type = GS_FRAME_BATCH;
  uint32_t count = (uint32_t)step;
  if (step >= 4) {
    type = step == 4 ? GS_FRAME_MARK : GS_FRAME_SEAL;
    count = 0;
  } else {
    payload = payload_of(s->next_seq, storage);
  }
  gs_status status =
      gs_log_append(s->writer, type, type == GS_FRAME_BATCH ? s->next_seq : 0,
                    count, payload, NULL);
  REQUIRE(status == GS_OK || status == GS_LIMIT || status == GS_MISUSE);
  s->next_seq += status == GS_OK ? count : 0;
}

static void
damage(stage *s, recipe *r, size_t step)
{
  const char *name = names[take(r, 1) % SEGMENTS];
  size_t offset = take(r, 2) % SEGMENT_BYTES;
  gs_file *file = NULL;
  gs_buffer bytes;
  gs_buffer_init(&bytes, s->env->alloc);
  if (gs_file_open(s->env, name, GS_OPEN_READ, &file, NULL) == GS_OK) {
    REQUIRE(gs_file_read_all(file, &bytes, NULL) == GS_OK);
    GS_IGNORE(gs_file_close(file, NULL), "nothing was written");
  }
  if (offset < bytes.size && step == 8) {
    bytes.data[offset] ^= (uint8_t)(1 << offset % 8);
  } else if (offset < bytes.size && step == 9) {
    size_t size = take(r, 1);
    memset(bytes.data + offset, 0,
           size < bytes.size - offset ? size : bytes.size - offset);
  } else if (offset < bytes.size) {
    bytes.size = offset;
  }
  REQUIRE(gs_sim_replace(s->sim, name, gs_buffer_slice(&bytes), NULL) == GS_OK);
  gs_buffer_deinit(&bytes);
}

static bool
cook(stage *s, recipe r)
{
  bool is_damaged = false;
  start(s, 0);
  while (r.at < r.end) {
    size_t step = take(&r, 1) % 11;
    if (step <= 5 && !is_damaged) {
      append(s, step);
    } else if (step == 6 && !is_damaged) {
      uint64_t bytes = gs_log_written_bytes(s->writer);
      REQUIRE(gs_log_sync(s->writer, NULL) == GS_OK);
      gs_log_mark_durable(s->writer, bytes);
    } else if (step == 7 && s->segment == 0 && !is_damaged) {
      start(s, 1);
    } else if (step >= 8) {
      is_damaged = true;
      damage(s, &r, step);
    }
  }
  gs_log_close(s->writer);
  s->writer = NULL;
  return is_damaged;
}

/* The input as the first segment. */
static void
put_file(stage *s, bool has_page, gs_slice content)
{
  gs_log_header header = {.kind = GS_LOG_WAL, .number = 1, .salt = SALT};
  gs_buffer file;
  gs_buffer_init(&file, s->env->alloc);
  if (has_page) {
    gs_log_header_encode(&header, gs_buffer_extend(&file, GS_LOG_HEADER_BYTES));
  }
  gs_buffer_append_slice(&file, content);
  REQUIRE(gs_sim_replace(s->sim, names[0], gs_buffer_slice(&file), NULL) ==
          GS_OK);
  gs_buffer_deinit(&file);
}

/* ---- reading ------------------------------------------------------------- */

static void
walk(gs_log_reader *reader)
{
  gs_frame_info info;
  gs_slice payload;
  uint64_t at = 0;
  uint64_t end = gs_log_reader_offset(reader);
  while (gs_log_next(reader, &info, &payload)) {
    REQUIRE(info.offset == end && info.end_offset > end);
    REQUIRE(info.durable_to <= info.offset);
    end = info.end_offset;
  }
  REQUIRE(end <= gs_log_reader_file_bytes(reader));
  REQUIRE(gs_log_reader_offset(reader) == end);
  REQUIRE(gs_log_reader_end(reader) != 0);
  if (gs_log_find_evidence(reader, &at)) {
    REQUIRE(gs_log_reader_end(reader) == GS_LOG_TORN);
  }
}

static void
read_file(stage *s, const char *name)
{
  gs_log_reader *reader = NULL;
  gs_buffer text;
  gs_buffer_init(&text, s->env->alloc);
  if (gs_log_open(s->env, name, NULL, &reader, NULL) == GS_OK) {
    walk(reader);
    REQUIRE(gs_log_dump(reader, &text, NULL) == GS_OK);
    gs_log_reader_close(reader);
  }
  if (gs_log_open_headless(s->env, name, 1, &reader, NULL) == GS_OK) {
    walk(reader);
    gs_log_reader_close(reader);
  }
  gs_buffer_deinit(&text);
}

static gs_status
see(void *context, const gs_frame_info *info, gs_slice payload, gs_error *err)
{
  stage *s = context;
  (void)err;
  REQUIRE(s->next_seen == 0 || info->first_seq == s->next_seen);
  s->next_seen = info->first_seq + info->entry_count;
  if (s->next_seq > 0) { /* a recipe: the batch is known */
    uint8_t storage[PAYLOAD_MAX];
    REQUIRE(gs_slice_equal(payload, payload_of(info->first_seq, storage)));
    REQUIRE(s->next_seen <= s->next_seq);
  }
  return GS_OK;
}

static void
replay(stage *s, size_t count, uint64_t flushed_seq, bool is_whole)
{
  gs_segment list[SEGMENTS] = {{1, SEGMENT_BYTES, SALT},
                               {2, SEGMENT_BYTES, SALT + 1}};
  gs_replay_request request = {.dir = "",
                               .segments = list,
                               .segment_count = count,
                               .flushed_seq = flushed_seq,
                               .batch = see,
                               .context = s};
  gs_replay_result result;
  s->next_seen = 0;
  gs_status status = gs_wal_replay(s->env, &request, &result, NULL);
  REQUIRE(!result.is_torn || status == GS_OK);
  REQUIRE(s->next_seen == 0 || result.last_seq + 1 == s->next_seen);
  if (is_whole) {
    REQUIRE(status == GS_OK && !result.is_torn);
    REQUIRE(result.last_seq ==
            (flushed_seq >= s->next_seq ? flushed_seq : s->next_seq - 1));
  }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size == 0) {
    return 0;
  }
  stage s = {.sim = gs_sim_new(1), .next_seq = 1};
  REQUIRE(s.sim != NULL);
  s.env = gs_sim_env(s.sim);
  bool is_damaged = true;
  if ((data[0] & IS_FILE) != 0) {
    s.next_seq = 0;
    put_file(&s, (data[0] & HAS_PAGE) != 0, gs_slice_of(data + 1, size - 1));
  } else {
    is_damaged = cook(&s, (recipe){data + 1, data + size});
  }
  for (size_t i = 0; i < SEGMENTS; i++) {
    read_file(&s, names[i]);
  }
  replay(&s, s.segment + 1, 0, !is_damaged);
  replay(&s, s.segment + 1, data[0], !is_damaged);
  REQUIRE(gs_sim_allocated_bytes(s.sim) == 0);
  gs_sim_free(s.sim);
  return 0;
}
