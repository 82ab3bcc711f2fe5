/*
 * sink: a new file that is written from front to back.
 *
 * Model: bytes are appended to a buffer whose start belongs at `written` in the
 * file, and go to the file in pieces of about GS_SINK_PIECE_BYTES.
 *
 * Life: open creates the file; finish makes it durable and closes it, abandon
 * closes and removes it; either frees everything. After a failure only abandon
 * is allowed.
 * Threads: one.
 * Errors: those of the environment; growth of the buffer is sticky and told by
 * the next flush.
 */
#ifndef GS_SST_SINK_H
#define GS_SST_SINK_H

#include "env/env.h"

enum { GS_SINK_PIECE_BYTES = 1 << 18 };

typedef struct gs_sink {
  gs_env *env;
  gs_file *file; /* NULL once closed */
  char *path;
  size_t path_size; /* with the terminator */
  gs_buffer bytes;  /* appended to by the owner; not yet in the file */
  uint64_t written; /* bytes of the file before them */
} gs_sink;

/* On failure nothing is left to free. */
GS_MUST_CHECK gs_status gs_sink_open(gs_sink *sink, gs_env *env,
                                     const char *path, gs_error *err);

/* Where the next byte will stand in the file. */
static inline uint64_t
gs_sink_end(const gs_sink *sink)
{
  return sink->written + sink->bytes.size;
}

/* Writes what waits, unless it is less than a piece and may go on waiting. */
GS_MUST_CHECK gs_status gs_sink_flush(gs_sink *sink, bool may_wait,
                                      gs_error *err);

/* Writes the rest, syncs and closes. The name is the caller's to sync. */
GS_MUST_CHECK gs_status gs_sink_finish(gs_sink *sink, gs_error *err);

void gs_sink_abandon(gs_sink *sink);

#endif
