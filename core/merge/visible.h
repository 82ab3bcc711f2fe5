/*
 * visible: what a reader of one moment sees of a merge.
 *
 * Model: over a source with all versions it shows, per key, the newest version
 * with sequence <= seq, and only where that version is a put that is not
 * expired at now_ms. A tombstone or an expired entry hides the key. Keys
 * outside [from, to) are not shown.
 *   - older is always false: a reader sees one version.
 *
 * Life: borrows the source; the bounds are copied by the caller's choice: the
 * slices must stay valid as long as the cursor.
 * Threads: one.
 * Errors: `error` starts as the source's, so that one value serves both.
 */
#ifndef GS_MERGE_VISIBLE_H
#define GS_MERGE_VISIBLE_H

#include "data/cursor.h"

enum { GS_VISIBLE_TAKEN_MAX = 16 };

typedef struct gs_visible_view {
  uint64_t seq;    /* newest sequence number seen */
  uint64_t now_ms; /* the reader's clock */
  gs_slice from;   /* inclusive; empty: no lower bound */
  gs_slice to;     /* exclusive; see has_to */
  bool has_to;     /* false: no upper bound */
} gs_visible_view;

typedef struct gs_visible_cursor {
  gs_cursor base;
  gs_cursor *source;
  gs_visible_view view;
  uint64_t from_head; /* heads of the bounds: most keys need no more */
  uint64_t to_head;
  /* On a walk up the source takes several entries at once and stands on the
   * last of them; taken[shown..count) are to be shown yet. */
  gs_entry taken[GS_VISIBLE_TAKEN_MAX];
  uint32_t shown;
  uint32_t count; /* 0: the source stands on what is shown */
  uint32_t room;  /* how many to take next time */
  uint32_t rest;  /* steps before the next try */
} gs_visible_cursor;

/* first and last go to the ends of [from, to); seek below from goes to from. */
void gs_visible_cursor_init(gs_visible_cursor *cursor, gs_cursor *source,
                            const gs_visible_view *view);

#endif
