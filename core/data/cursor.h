/*
 * cursor: the contract of everything that can be walked in key order:
 * memtable, table, run, merge, store.
 *
 * Model: a cursor stands on a user key, on one version of it, or nowhere
 * (valid == false). Arriving at a key it stands on the newest version;
 * `older` steps down through that key's versions. While valid, `entry` holds
 * the version it stands on.
 *   1. Keys visited by next strictly rise, by prev strictly fall.
 *   2. Versions visited by older have strictly falling sequence numbers.
 *   3. entry's slices stay valid until the cursor moves or ends.
 *   4. After an error valid is false and status holds it; a seek starts anew.
 *   5. next and prev leave the key whatever version the cursor stands on.
 *   6. Between aim and the seek it aims for there is no other move.
 *
 * Life: the implementation is initialised by its own function and ended with
 * gs_cursor_end. Where it lives in the caller's memory the end may come twice;
 * where it was given as a pointer the end frees it.
 * Threads: one at a time per cursor; what it walks may be shared.
 */
#ifndef GS_DATA_CURSOR_H
#define GS_DATA_CURSOR_H

#include "base/error.h"
#include "base/slice.h"
#include "data/entry.h"

typedef struct gs_cursor gs_cursor;

typedef struct gs_cursor_ops {
  /* Takes one step towards the key and asks the memory for what the next step
   * will touch, so that several cursors can wait at once. True while there is
   * another step; seek or seek_before to the same key must follow, and go on
   * from there. Fails in silence: the seek tells. May be NULL. */
  bool (*aim)(gs_cursor *cursor, gs_slice key);
  /* To the first key >= key; nowhere when there is none. */
  void (*seek)(gs_cursor *cursor, gs_slice key);
  /* To the last key < key; nowhere when there is none. */
  void (*seek_before)(gs_cursor *cursor, gs_slice key);
  void (*first)(gs_cursor *cursor);
  void (*last)(gs_cursor *cursor);
  /* Requires: valid. */
  void (*next)(gs_cursor *cursor);
  void (*prev)(gs_cursor *cursor);
  /* To the next older version of this key: true. False when there is none:
   * the cursor stays where it is. A failure makes it invalid and is false. */
  bool (*older)(gs_cursor *cursor);
  /* Takes at most room entries that next would come to, one after the other,
   * and stands on the last of them. Each is the only version of its key, and
   * its key is < *below, unless that is NULL; all stay valid until the cursor
   * moves again. 0: there are none here, nothing has moved, and next goes on
   * or tells what fails. Requires: valid, room > 0. May be NULL. */
  size_t (*ahead)(gs_cursor *cursor, const gs_slice *below, gs_entry *into,
                  size_t room);
  void (*end)(gs_cursor *cursor);
} gs_cursor_ops;

struct gs_cursor {
  const gs_cursor_ops *ops; /* NULL once ended */
  gs_status status;         /* GS_OK unless the last move failed */
  bool valid;
  gs_entry entry;  /* meaningful while valid */
  gs_error *error; /* filled when a move fails; may be NULL */
};

static inline bool
gs_cursor_aim(gs_cursor *cursor, gs_slice key)
{
  return cursor->ops->aim != NULL && cursor->ops->aim(cursor, key);
}

static inline void
gs_cursor_seek(gs_cursor *cursor, gs_slice key)
{
  cursor->ops->seek(cursor, key);
}

static inline void
gs_cursor_seek_before(gs_cursor *cursor, gs_slice key)
{
  cursor->ops->seek_before(cursor, key);
}

static inline void
gs_cursor_first(gs_cursor *cursor)
{
  cursor->ops->first(cursor);
}

static inline void
gs_cursor_last(gs_cursor *cursor)
{
  cursor->ops->last(cursor);
}

static inline void
gs_cursor_next(gs_cursor *cursor)
{
  cursor->ops->next(cursor);
}

static inline void
gs_cursor_prev(gs_cursor *cursor)
{
  cursor->ops->prev(cursor);
}

static inline bool
gs_cursor_older(gs_cursor *cursor)
{
  return cursor->ops->older(cursor);
}

static inline size_t
gs_cursor_ahead(gs_cursor *cursor, const gs_slice *below, gs_entry *into,
                size_t room)
{
  return cursor->ops->ahead == NULL
             ? 0
             : cursor->ops->ahead(cursor, below, into, room);
}

static inline void
gs_cursor_end(gs_cursor *cursor)
{
  const gs_cursor_ops *ops = cursor->ops;
  if (ops != NULL) {
    cursor->ops = NULL;
    cursor->valid = false;
    ops->end(cursor);
  }
}

#endif
