/*
 * array_cursor: the cursor contract over an array of entries, the simplest
 * thing that can be walked.
 *
 * Model: the entries stand in internal order (key up, sequence down).
 *   - It lends: what entry shows is a copy of its own that is freed at the
 *     next move, so that a view kept too long is found by the sanitizers.
 *   - ahead takes one to three entries, or all that fit where it is told to be
 *     generous, and none where the next move would fail.
 *   - next, prev and older of a cursor that stands nowhere end the program.
 *   - An aim takes two steps; any move after it but the seek to its key ends the
 *     program.
 *   - Every operation counts as a move. With moves_left set, the move that
 *     finds 0 there fails with `failure`; several cursors may share a counter.
 *
 * Life: init on the caller's memory, ended with gs_cursor_end; borrows the
 * entries.
 * Threads: one.
 */
#ifndef GS_CTEST_SUPPORT_ARRAY_CURSOR_H
#define GS_CTEST_SUPPORT_ARRAY_CURSOR_H

#include "data/cursor.h"

typedef struct array_cursor {
  gs_cursor base;
  const gs_entry *entries;
  size_t entry_count;
  size_t at;         /* index of the entry stood on, while valid */
  uint8_t *lent;     /* bytes of the entry shown, NULL when none */
  int aims;          /* steps towards the key below; 0: none */
  uint8_t *aimed_at; /* its bytes, in memory of their own */
  size_t aimed_size;
  uint64_t *moves_left; /* NULL after init: moves do not fail */
  gs_status failure;    /* GS_IO after init */
  uint64_t move_count;
  bool is_generous; /* false after init */
} array_cursor;

void array_cursor_init(array_cursor *cursor, const gs_entry *entries,
                       size_t entry_count);

/* qsort's order for entries: key up, sequence down. */
int array_cursor_order(const void *a, const void *b);

#endif
