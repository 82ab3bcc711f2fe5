/*
 * merge: one cursor over many, newest place to oldest.
 *
 * Model: sources[0] is the newest place (memtable), the last one the oldest
 * run. For one key every version in a newer source has a larger sequence
 * number than every version in an older one, so the versions of a key are the
 * sources' versions one source after the other.
 *   1. The merge stands on the least (going down: greatest) key among the
 *      sources; the sources that hold this key are its members.
 *   2. older steps the newest member that still has versions, then the next.
 *   3. A change of direction repositions every source around the current key.
 *   4. The first source that fails ends the walk; status is its status.
 *
 * Life: borrows the sources and the array; the caller ends them after it.
 * Threads: one.
 * Errors: new gives GS_LIMIT for too many sources, and GS_NOMEM. Where the
 * caller sets `error` after new, a failing source's error is copied there.
 */
#ifndef GS_MERGE_MERGE_H
#define GS_MERGE_MERGE_H

#include "base/alloc.h"
#include "data/cursor.h"

enum { GS_MERGE_MAX_SOURCES = 8192 };

typedef struct gs_merge_cursor gs_merge_cursor;

/* Gives a cursor that stands nowhere; gs_cursor_end frees it. */
GS_MUST_CHECK gs_status gs_merge_cursor_new(gs_alloc *alloc,
                                            gs_cursor **sources,
                                            size_t source_count,
                                            gs_cursor **out, gs_error *err);

/* Checks that the order and the members are what the model says. Requires: a
 * cursor made here; sources not moved by others. GS_CORRUPT names the break. */
GS_MUST_CHECK gs_status gs_merge_cursor_verify(const gs_cursor *cursor,
                                               gs_error *err);

#endif
