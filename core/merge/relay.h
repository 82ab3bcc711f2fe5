/*
 * relay: how a cursor over cursors passes on a source's failure and entry.
 *
 * Errors: the source's error value moves up as it is; where the source keeps
 * none, one is made that says at least the status.
 */
#ifndef GS_MERGE_RELAY_H
#define GS_MERGE_RELAY_H

#include "data/cursor.h"

static inline void
gs_relay_nowhere(gs_cursor *cursor)
{
  cursor->valid = false;
  cursor->status = GS_OK;
}

/* Requires: the source's last move failed. */
static inline void
gs_relay_failure(gs_cursor *cursor, const gs_cursor *source)
{
  cursor->valid = false;
  cursor->status = source->status;
  if (cursor->error == NULL || cursor->error == source->error) {
    return;
  }
  if (source->error != NULL) {
    *cursor->error = *source->error;
  } else {
    GS_IGNORE(GS_FAIL(cursor->error, source->status, "a source failed: %s",
                      gs_status_text(source->status)),
              "status is set already");
  }
}

#endif
