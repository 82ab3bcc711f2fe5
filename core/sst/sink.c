/*
 * sink: few large writes; after the first failed one the file is only good
 * for removal.
 */
#include "sst/sink.h"

static void
free_memory(gs_sink *sink)
{
  gs_buffer_deinit(&sink->bytes);
  gs_alloc_free(sink->env->alloc, sink->path, sink->path_size);
  sink->path = NULL;
}

gs_status
gs_sink_open(gs_sink *sink, gs_env *env, const char *path, gs_error *err)
{
  *sink = (gs_sink){.env = env, .path_size = strlen(path) + 1};
  gs_buffer_init(&sink->bytes, env->alloc);
  sink->path = gs_alloc_bytes(env->alloc, sink->path_size);
  if (sink->path == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  memcpy(sink->path, path, sink->path_size);
  gs_status status = gs_file_open(env, path, GS_OPEN_CREATE, &sink->file, err);
  if (status != GS_OK) {
    free_memory(sink);
  }
  return status;
}

gs_status
gs_sink_flush(gs_sink *sink, bool may_wait, gs_error *err)
{
  gs_buffer *bytes = &sink->bytes;
  gs_status status = gs_buffer_status(bytes, err);
  if (status != GS_OK || (may_wait && bytes->size < GS_SINK_PIECE_BYTES)) {
    return status;
  }
  status =
      gs_file_write(sink->file, sink->written, bytes->data, bytes->size, err);
  if (status == GS_OK) {
    sink->written += bytes->size;
    gs_buffer_clear(bytes);
  }
  return status;
}

gs_status
gs_sink_finish(gs_sink *sink, gs_error *err)
{
  gs_status status = gs_sink_flush(sink, false, err);
  if (status == GS_OK) {
    status = gs_file_sync(sink->file, err);
  }
  if (status == GS_OK) {
    gs_file *file = sink->file;
    sink->file = NULL;
    status = gs_file_close(file, err);
  }
  if (status == GS_OK) {
    free_memory(sink);
  }
  return status;
}

void
gs_sink_abandon(gs_sink *sink)
{
  GS_IGNORE(gs_file_close(sink->file, NULL), "the file is thrown away");
  GS_IGNORE(gs_env_remove(sink->env, sink->path, NULL),
            "a file that stays is swept away as an orphan later");
  free_memory(sink);
}
