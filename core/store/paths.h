/*
 * paths: the names of a store's files, and what a name means.
 *
 *   LOCK             held while a process has the store open for writing
 *   MANIFEST-NNNNNN  see tree/manifest.h
 *   NNNNNN.wal       a segment of the write-ahead log
 *   NNNNNN.sst       a table
 *   BALLAST          zeros, see ballast.h
 *   JOURNAL-NNNNNN   events, see journal.h
 * Numbers are decimal, at least six digits, never used twice.
 */
#ifndef GS_STORE_PATHS_H
#define GS_STORE_PATHS_H

#include "base/buffer.h"

typedef enum gs_file_kind {
  GS_FILE_FOREIGN = 0, /* not ours: ignored, never deleted */
  GS_FILE_LOCK = 1,
  GS_FILE_MANIFEST = 2,
  GS_FILE_SEGMENT = 3,
  GS_FILE_TABLE = 4,
  GS_FILE_BALLAST = 5,
  GS_FILE_JOURNAL = 6,
} gs_file_kind;

gs_file_kind gs_path_kind(const char *name, uint64_t *number);

/* Each replaces the buffer's content with dir/name and a terminating NUL, and
 * returns it; NULL when out of memory. */
const char *gs_path_table(gs_buffer *out, const char *dir, uint64_t number);
const char *gs_path_segment(gs_buffer *out, const char *dir, uint64_t number);
const char *gs_path_lock(gs_buffer *out, const char *dir);
const char *gs_path_ballast(gs_buffer *out, const char *dir);
const char *gs_path_journal(gs_buffer *out, const char *dir, uint64_t number);
const char *gs_path_join(gs_buffer *out, const char *dir, const char *name);

/* The directory that holds dir ("." for a bare name). */
const char *gs_path_parent(gs_buffer *out, const char *dir);

#endif
