/*
 * survivors: what memory holds, into new tables and one edit.
 *
 * Model: memtables come oldest first; each that holds something becomes a run
 * on top of those before it. The tables are durable when they are named in the
 * edit; the edit takes effect as a whole or not at all. What recovery replayed
 * and what a store held when its log failed are saved in the same way.
 *
 * Life: init, add for each memtable, install, deinit; deinit deletes the files
 * of tables that did not become the tree's.
 * Threads: one.
 */
#ifndef GS_STORE_SURVIVORS_H
#define GS_STORE_SURVIVORS_H

#include "store/output.h"

typedef struct gs_survivors {
  gs_store *store;
  gs_edit *edit;
  gs_snapshot_point *snapshots; /* that were live at the beginning */
  size_t snapshot_count;
  uint64_t safe_clock_ms;
  gs_output *outputs; /* one for each memtable added */
  size_t count;
  size_t capacity;
} gs_survivors;

/* capacity: memtables at most. On failure there is nothing to deinit. Takes
 * state. */
GS_MUST_CHECK gs_status gs_survivors_init(gs_survivors *s, gs_store *store,
                                          size_t capacity, gs_error *err);
void gs_survivors_deinit(gs_survivors *s);

GS_MUST_CHECK gs_status gs_survivors_add(gs_survivors *s, gs_memtable *memtable,
                                         gs_error *err);

/* The edit besides gives up every listed segment and carries the note.
 * change->edit is filled in. Takes install. */
GS_MUST_CHECK gs_status gs_survivors_install(gs_survivors *s,
                                             gs_install *change, gs_error *err);

#endif
