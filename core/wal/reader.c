/*
 * reader: walks a log in memory.
 *
 * The walk believes nothing: it stops at the first position that holds no
 * valid frame with the right link, and what it gave out before stays right
 * whatever stands behind. How the log ends is worked out once, there.
 */
#include "wal/reader.h"

#include "code/fixed.h"
#include "wal/frame.h"

struct gs_log_reader {
  gs_env *env;
  gs_buffer bytes; /* the whole file */
  uint64_t used_bytes;
  gs_log_header header;
  gs_log_identity identity;
  bool is_headless;
  uint32_t header_link;
  uint32_t link;   /* the frame at offset must have it */
  uint64_t offset; /* where the walk is */
  uint64_t repaired_bits;
  gs_log_end end; /* 0 until the walk is over */
};

/* ---- opening ------------------------------------------------------------- */

/* Behind the last byte that is not zero; eight bytes at a time. */
static uint64_t
find_used_bytes(gs_slice log)
{
  size_t size = log.size;
  while (size % sizeof(uint64_t) != 0 && log.data[size - 1] == 0) {
    size--;
  }
  while (size >= sizeof(uint64_t) &&
         gs_get_u64(log.data + size - sizeof(uint64_t)) == 0) {
    size -= sizeof(uint64_t);
  }
  while (size > 0 && log.data[size - 1] == 0) {
    size--;
  }
  return size;
}

static gs_status
read_whole(gs_env *env, const char *path, gs_buffer *bytes, gs_error *err)
{
  gs_file *file = NULL;
  gs_status status = gs_file_open(env, path, GS_OPEN_READ, &file, err);
  if (status != GS_OK) {
    return status;
  }
  gs_file_advise(file, 0, 0, GS_ADVICE_SEQUENTIAL);
  status = gs_file_read_all(file, bytes, err);
  GS_IGNORE(gs_file_close(file, NULL), "nothing was written");
  return status;
}

/* A reader of the file's bytes that knows nothing of them yet. */
static gs_status
load(gs_env *env, const char *path, gs_log_reader **out, gs_error *err)
{
  *out = NULL;
  gs_log_reader *reader = GS_NEW(env->alloc, gs_log_reader);
  if (reader == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  reader->env = env;
  gs_buffer_init(&reader->bytes, env->alloc);
  gs_status status = read_whole(env, path, &reader->bytes, err);
  if (status != GS_OK) {
    gs_log_reader_close(reader);
    return status;
  }
  reader->used_bytes = find_used_bytes(gs_buffer_slice(&reader->bytes));
  *out = reader;
  return GS_OK;
}

static gs_status
decode_page(gs_log_reader *reader, const char *path, gs_error *err)
{
  return gs_log_header_decode(gs_buffer_slice(&reader->bytes), path,
                              &reader->header, &reader->header_link, err);
}

static gs_status
read_header(gs_log_reader *reader, const char *path,
            const gs_store_id *expected_id, gs_error *err)
{
  gs_status status = decode_page(reader, path, err);
  if (status == GS_CORRUPT && reader->used_bytes > 0 &&
      gs_log_header_repair(reader->bytes.data, reader->bytes.size)) {
    reader->repaired_bits++;
    status = decode_page(reader, path, err);
  }
  if (status == GS_OK && expected_id != NULL &&
      memcmp(expected_id, &reader->header.store_id, sizeof *expected_id) != 0) {
    status = GS_FAIL(err, GS_MISMATCH, "'%s' belongs to another store", path);
  }
  return status == GS_OK ? GS_OK : gs_error_at(err, status, path);
}

gs_status
gs_log_open(gs_env *env, const char *path, const gs_store_id *expected_id,
            gs_log_reader **out, gs_error *err)
{
  gs_log_reader *reader = NULL;
  *out = NULL;
  gs_status status = load(env, path, &reader, err);
  if (status == GS_OK) {
    status = read_header(reader, path, expected_id, err);
  }
  if (status != GS_OK) {
    gs_log_reader_close(reader);
    return status;
  }
  reader->identity = (gs_log_identity){.salt = reader->header.salt,
                                       .number = reader->header.number};
  reader->link = reader->header_link;
  reader->offset = GS_LOG_HEADER_BYTES;
  *out = reader;
  return GS_OK;
}

static gs_status
check_identity(const gs_log_reader *reader, const char *path,
               const gs_log_identity *identity, gs_error *err)
{
  const gs_log_header *header = &reader->header;
  if (header->number == identity->number && header->salt == identity->salt) {
    return GS_OK;
  }
  gs_status status =
      GS_FAIL(err, GS_CORRUPT, "'%s' holds another log: number %llu", path,
              (unsigned long long)header->number);
  status = gs_error_at(err, status, path);
  return gs_error_offset(err, status, 0);
}

gs_status
gs_log_open_listed(gs_env *env, const char *path,
                   const gs_store_id *expected_id,
                   const gs_log_identity *identity, gs_log_reader **out,
                   gs_error *err)
{
  gs_log_reader *reader = NULL;
  *out = NULL;
  gs_status status = load(env, path, &reader, err);
  if (status != GS_OK) {
    return status;
  }
  gs_error failure;
  status = read_header(reader, path, expected_id, &failure);
  if (status == GS_OK) {
    status = check_identity(reader, path, identity, &failure);
  } else if (status == GS_CORRUPT) {
    reader->is_headless = true;
    reader->header = (gs_log_header){.kind = GS_LOG_WAL};
    status = GS_OK;
  }
  if (status != GS_OK) {
    gs_log_reader_close(reader);
    if (err != NULL) {
      *err = failure;
    }
    return status;
  }
  reader->identity = *identity;
  reader->header_link = gs_log_first_link(*identity);
  reader->link = reader->header_link;
  reader->offset = GS_LOG_HEADER_BYTES;
  *out = reader;
  return GS_OK;
}

gs_status
gs_log_open_headless(gs_env *env, const char *path, uint64_t number,
                     gs_log_reader **out, gs_error *err)
{
  gs_status status = load(env, path, out, err);
  if (status != GS_OK) {
    return status;
  }
  gs_log_reader *reader = *out;
  reader->is_headless = true;
  reader->end = reader->used_bytes == 0 ? GS_LOG_CLEAN : GS_LOG_TORN;
  reader->identity.number = number;
  reader->identity.salt =
      gs_log_guess_salt(gs_buffer_slice(&reader->bytes), number);
  return GS_OK;
}

void
gs_log_reader_close(gs_log_reader *reader)
{
  if (reader != NULL) {
    gs_buffer_deinit(&reader->bytes);
    GS_DELETE(reader->env->alloc, reader);
  }
}

/* ---- walking ------------------------------------------------------------- */

static bool
is_short(const gs_log_reader *reader)
{
  return reader->bytes.size < reader->header.allocated_bytes;
}

static gs_log_end
judge_end(const gs_log_reader *reader, bool is_sealed)
{
  if (reader->used_bytes > reader->offset || is_short(reader)) {
    return GS_LOG_TORN;
  }
  return is_sealed ? GS_LOG_SEALED : GS_LOG_CLEAN;
}

static bool
decode_here(const gs_log_reader *reader, gs_frame_info *info, gs_slice *payload)
{
  return gs_frame_decode(gs_buffer_slice(&reader->bytes), reader->identity,
                         reader->offset, reader->link, info, payload);
}

static bool
repair_here(gs_log_reader *reader)
{
  if (reader->used_bytes <= reader->offset ||
      !gs_frame_repair(reader->bytes.data, reader->bytes.size, reader->identity,
                       reader->offset, reader->link)) {
    return false;
  }
  reader->repaired_bits++;
  return true;
}

bool
gs_log_next(gs_log_reader *reader, gs_frame_info *info, gs_slice *payload)
{
  if (reader->end != 0) {
    return false;
  }
  bool is_frame = decode_here(reader, info, payload) ||
                  (repair_here(reader) && decode_here(reader, info, payload));
  if (!is_frame ||
      !gs_frame_is_allowed(reader->header.kind, info, payload->size)) {
    reader->end = judge_end(reader, false);
    return false;
  }
  reader->offset = info->end_offset;
  reader->link = info->link;
  if (info->type == GS_FRAME_SEAL) {
    reader->end = judge_end(reader, true);
  }
  return true;
}

/* ---- what is known ------------------------------------------------------- */

const gs_log_header *
gs_log_reader_header(const gs_log_reader *reader)
{
  return reader->is_headless ? NULL : &reader->header;
}

uint32_t
gs_log_reader_header_link(const gs_log_reader *reader)
{
  return reader->header_link;
}

uint64_t
gs_log_reader_repaired_bits(const gs_log_reader *reader)
{
  return reader->repaired_bits;
}

uint64_t
gs_log_reader_file_bytes(const gs_log_reader *reader)
{
  return reader->bytes.size;
}

uint64_t
gs_log_reader_used_bytes(const gs_log_reader *reader)
{
  return reader->used_bytes;
}

gs_log_end
gs_log_reader_end(const gs_log_reader *reader)
{
  return reader->end;
}

uint64_t
gs_log_reader_offset(const gs_log_reader *reader)
{
  return reader->offset;
}

uint32_t
gs_log_reader_link(const gs_log_reader *reader)
{
  return reader->link;
}

bool
gs_log_find_durable(const gs_log_reader *reader, uint64_t beyond, uint64_t *at)
{
  return gs_frame_find_durable(gs_buffer_slice(&reader->bytes),
                               reader->identity, beyond, at);
}

bool
gs_log_find_evidence(const gs_log_reader *reader, uint64_t *at)
{
  if (is_short(reader)) {
    *at = reader->bytes.size;
    return true;
  }
  return gs_log_find_durable(reader, reader->offset, at);
}

/* ---- dump ---------------------------------------------------------------- */

static const char *
type_name(gs_frame_type type)
{
  switch (type) {
  case GS_FRAME_BATCH:
    return "batch";
  case GS_FRAME_MARK:
    return "mark";
  case GS_FRAME_SEAL:
    return "seal";
  case GS_FRAME_EDIT:
    return "edit";
  }
  return "unknown";
}

static const char *
end_name(gs_log_end end)
{
  switch (end) {
  case GS_LOG_SEALED:
    return "sealed";
  case GS_LOG_CLEAN:
    return "clean";
  case GS_LOG_TORN:
    return "torn";
  }
  return "unknown";
}

gs_status
gs_log_dump(gs_log_reader *reader, gs_buffer *out, gs_error *err)
{
  gs_frame_info info;
  gs_slice payload;
  while (gs_log_next(reader, &info, &payload)) {
    gs_buffer_printf(out, "%llu %s %llu %u %zu\n",
                     (unsigned long long)info.offset, type_name(info.type),
                     (unsigned long long)info.first_seq, info.entry_count,
                     payload.size);
  }
  gs_buffer_printf(out, "%llu %s\n", (unsigned long long)reader->offset,
                   end_name(reader->end));
  return gs_buffer_status(out, err);
}
