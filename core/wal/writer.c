/*
 * writer: a frame is put together in one staging buffer and handed to the file
 * in one write, so that what can be torn is one frame, the last.
 *
 * Only the refusal is shared between the appending and the syncing thread: it
 * is raised by whichever meets the failure and never lowered. What a failed
 * write left in the file stays there; readers stop at it.
 */
#include "wal/writer.h"

#include <stdatomic.h>

#include "base/check.h"
#include "wal/frame.h"

/* Staging memory kept between appends; a larger frame gives back its own. */
enum { STAGING_KEPT_BYTES = 1 << 20 };

/* A multiple of every machine's page. */
enum { SHED_ALIGNMENT = 1 << 16 };

struct gs_log_writer {
  gs_env *env;
  gs_file *file;
  uint64_t allocated_bytes; /* 0: the file grows */
  gs_log_kind kind;
  gs_log_identity identity;
  uint64_t written_bytes; /* 0 before start, then the end of the last frame */
  uint64_t durable_bytes;
  uint64_t attested_bytes; /* durable_to of the last frame */
  uint64_t shed_bytes;     /* of the thread that syncs */
  uint32_t link;           /* for the next frame */
  bool is_sealed;
  atomic_bool is_poisoned; /* set by either thread */
  gs_buffer staging;
};

/* ---- life ---------------------------------------------------------------- */

typedef gs_status (*file_filler)(gs_file *file, uint64_t size, gs_error *err);

static gs_status
fill_with_zeros(gs_log_writer *writer, file_filler fill, gs_error *err)
{
  if (writer->allocated_bytes == 0) {
    return GS_OK;
  }
  gs_status status = fill(writer->file, writer->allocated_bytes, err);
  return status == GS_OK ? gs_file_sync(writer->file, err) : status;
}

/* A file that could not be completed does not stay. */
static gs_status
create_file(gs_log_writer *writer, const char *path, file_filler fill,
            gs_error *err)
{
  gs_env *env = writer->env;
  gs_status status =
      gs_file_open(env, path, GS_OPEN_CREATE, &writer->file, err);
  if (status != GS_OK) {
    return status;
  }
  status = fill_with_zeros(writer, fill, err);
  if (status != GS_OK) {
    GS_IGNORE(gs_env_remove(env, path, NULL),
              "the first failure is the one to report");
  }
  return status;
}

static gs_status
make(gs_env *env, const char *path, uint64_t allocated_bytes, file_filler fill,
     gs_log_writer **out, gs_error *err)
{
  *out = NULL;
  if (allocated_bytes != 0 &&
      allocated_bytes < GS_LOG_HEADER_BYTES + GS_FRAME_HEADER_BYTES) {
    return GS_FAIL(err, GS_MISUSE, "%llu bytes are too few for the log '%s'",
                   (unsigned long long)allocated_bytes, path);
  }
  gs_log_writer *writer = GS_NEW(env->alloc, gs_log_writer);
  if (writer == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  writer->env = env;
  writer->allocated_bytes = allocated_bytes;
  gs_buffer_init(&writer->staging, env->alloc);
  gs_status status = create_file(writer, path, fill, err);
  if (status != GS_OK) {
    gs_log_close(writer);
    return status;
  }
  *out = writer;
  return GS_OK;
}

gs_status
gs_log_prepare(gs_env *env, const char *path, uint64_t allocated_bytes,
               gs_log_writer **out, gs_error *err)
{
  return make(env, path, allocated_bytes, gs_file_allocate, out, err);
}

gs_status
gs_log_reserve(gs_env *env, const char *path, uint64_t allocated_bytes,
               gs_log_writer **out, gs_error *err)
{
  gs_status status =
      make(env, path, allocated_bytes, gs_file_reserve, out, err);
  if (status == GS_OK && allocated_bytes != 0) {
    gs_file_map((*out)->file, allocated_bytes);
  }
  return status;
}

void
gs_log_close(gs_log_writer *writer)
{
  if (writer == NULL) {
    return;
  }
  GS_IGNORE(gs_file_close(writer->file, NULL),
            "what had to last was synced; a close proves nothing");
  gs_buffer_deinit(&writer->staging);
  GS_DELETE(writer->env->alloc, writer);
}

/* ---- refusal ------------------------------------------------------------- */

void
gs_log_poison(gs_log_writer *writer)
{
  atomic_store_explicit(&writer->is_poisoned, true, memory_order_release);
}

bool
gs_log_is_poisoned(const gs_log_writer *writer)
{
  return atomic_load_explicit(&writer->is_poisoned, memory_order_acquire);
}

static gs_status
refuse_poisoned(const gs_log_writer *writer, gs_error *err)
{
  if (!gs_log_is_poisoned(writer)) {
    return GS_OK;
  }
  const char *path = writer->file->path;
  gs_status status =
      GS_FAIL(err, GS_READONLY,
              "'%s' takes nothing after a failed write or sync", path);
  return gs_error_at(err, status, path);
}

/* ---- writing ------------------------------------------------------------- */

/* Hands the staged bytes to the file at its end. */
static gs_status
write_staged(gs_log_writer *writer, gs_error *err)
{
  gs_status status =
      gs_file_write(writer->file, writer->written_bytes, writer->staging.data,
                    writer->staging.size, err);
  if (status != GS_OK) {
    gs_log_poison(writer);
  }
  return status;
}

gs_status
gs_log_start(gs_log_writer *writer, const gs_log_header *header, gs_error *err)
{
  gs_status status = refuse_poisoned(writer, err);
  if (status != GS_OK) {
    return status;
  }
  if (writer->written_bytes != 0) {
    return GS_FAIL(err, GS_MISUSE, "'%s' was started before",
                   writer->file->path);
  }
  gs_buffer_clear(&writer->staging);
  uint8_t *page = gs_buffer_extend(&writer->staging, GS_LOG_HEADER_BYTES);
  if (page == NULL) {
    return gs_buffer_status(&writer->staging, err);
  }
  gs_log_header filled = *header;
  filled.allocated_bytes = writer->allocated_bytes;
  uint32_t link = gs_log_header_encode(&filled, page);
  status = write_staged(writer, err);
  if (status != GS_OK) {
    return status;
  }
  writer->kind = filled.kind;
  writer->identity =
      (gs_log_identity){.salt = filled.salt, .number = filled.number};
  writer->link = link;
  writer->written_bytes = GS_LOG_HEADER_BYTES;
  return GS_OK;
}

bool
gs_log_has_room(const gs_log_writer *writer, uint64_t payload_bytes)
{
  if (payload_bytes > UINT32_MAX) {
    return false;
  }
  uint64_t end =
      writer->written_bytes == 0 ? GS_LOG_HEADER_BYTES : writer->written_bytes;
  return writer->allocated_bytes == 0 ||
         gs_frame_bytes(payload_bytes) <= writer->allocated_bytes - end;
}

/* Refusals that leave the writer as it was. */
static gs_status
check_append(const gs_log_writer *writer, const gs_frame_info *info,
             size_t payload_bytes, gs_error *err)
{
  const char *path = writer->file->path;
  if (writer->written_bytes == 0 || writer->is_sealed) {
    return GS_FAIL(err, GS_MISUSE, "'%s' is %s", path,
                   writer->is_sealed ? "sealed" : "not started");
  }
  if (payload_bytes > UINT32_MAX) {
    return GS_FAIL(err, GS_TOOLARGE, "%zu bytes are too many for one frame",
                   payload_bytes);
  }
  if (!gs_frame_is_allowed(writer->kind, info, payload_bytes)) {
    return GS_FAIL(err, GS_MISUSE, "no frame of type %d and this shape in '%s'",
                   (int)info->type, path);
  }
  if (!gs_log_has_room(writer, payload_bytes)) {
    return GS_FAIL(err, GS_LIMIT, "'%s' has no room for %zu bytes more", path,
                   payload_bytes);
  }
  return GS_OK;
}

/* On success info is complete. */
static gs_status
write_frame(gs_log_writer *writer, gs_slice payload, gs_frame_info *info,
            gs_error *err)
{
  gs_buffer *staging = &writer->staging;
  gs_buffer_clear(staging);
  uint8_t *to = gs_buffer_extend(staging, (size_t)gs_frame_bytes(payload.size));
  if (to == NULL) {
    return gs_buffer_status(staging, err);
  }
  gs_frame_encode(writer->identity, writer->link, payload, info, to);
  gs_status status = write_staged(writer, err);
  if (staging->capacity > STAGING_KEPT_BYTES) {
    gs_buffer_deinit(staging);
  }
  return status;
}

gs_status
gs_log_append(gs_log_writer *writer, gs_frame_type type, uint64_t first_seq,
              uint32_t entry_count, gs_slice payload, gs_error *err)
{
  gs_frame_info info = {
      .type = type,
      .entry_count = entry_count,
      .first_seq = first_seq,
      .durable_to = writer->durable_bytes,
      .offset = writer->written_bytes,
  };
  gs_status status = refuse_poisoned(writer, err);
  if (status == GS_OK) {
    status = check_append(writer, &info, payload.size, err);
  }
  if (status == GS_OK) {
    status = write_frame(writer, payload, &info, err);
  }
  if (status == GS_OK) {
    writer->written_bytes = info.end_offset;
    writer->attested_bytes = info.durable_to;
    writer->link = info.link;
    writer->is_sealed = type == GS_FRAME_SEAL;
  }
  return status;
}

gs_status
gs_log_sync(gs_log_writer *writer, gs_error *err)
{
  gs_status status = refuse_poisoned(writer, err);
  if (status != GS_OK) {
    return status;
  }
  status = gs_file_sync(writer->file, err);
  if (status != GS_OK) {
    gs_log_poison(writer);
  }
  return status;
}

void
gs_log_shed(gs_log_writer *writer, uint64_t bytes)
{
  if (bytes > writer->shed_bytes) {
    gs_file_advise(writer->file, writer->shed_bytes, bytes - writer->shed_bytes,
                   GS_ADVICE_WRITTEN);
    writer->shed_bytes = bytes / SHED_ALIGNMENT * SHED_ALIGNMENT;
  }
}

void
gs_log_rest(gs_log_writer *writer)
{
  gs_file_unmap(writer->file);
}

/* ---- positions ----------------------------------------------------------- */

uint64_t
gs_log_written_bytes(const gs_log_writer *writer)
{
  return writer->written_bytes;
}

uint32_t
gs_log_link(const gs_log_writer *writer)
{
  return writer->link;
}

uint64_t
gs_log_durable_bytes(const gs_log_writer *writer)
{
  return writer->durable_bytes;
}

uint64_t
gs_log_attested_bytes(const gs_log_writer *writer)
{
  return writer->attested_bytes;
}

void
gs_log_mark_durable(gs_log_writer *writer, uint64_t bytes)
{
  GS_ASSERT(bytes <= writer->written_bytes);
  if (bytes > writer->durable_bytes) {
    writer->durable_bytes = bytes;
  }
}
