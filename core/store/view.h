/*
 * view: what a reader reads: the memtables and the version of one moment.
 *
 * Model: an immutable list, newest place first: the active memtable, the sealed
 * ones newest first, the runs of the version. The store publishes one pointer
 * to the current view; a change makes a new view and retires the old one.
 *   1. Everything committed up to the moment of publication stands in exactly
 *      one place of the view, or was dropped under the rules of merge/drop.h.
 *   2. Only the active memtable still grows.
 *
 * Life: counted; holds a reference on each memtable and on the version.
 * Threads: readers load the pointer inside an epoch and may take a reference
 * there; making and publishing views happens under the store's state lock.
 */
#ifndef GS_STORE_VIEW_H
#define GS_STORE_VIEW_H

#include <stdatomic.h>

#include "env/epoch.h"
#include "mem/memtable.h"
#include "tree/version.h"

typedef struct gs_view {
  gs_retired retired; /* used once replaced */
  atomic_uint refs;
  gs_alloc *alloc;
  gs_version *version;
  size_t memtable_count;    /* active and sealed */
  gs_memtable *memtables[]; /* newest first; [0] is the active one */
} gs_view;

/* References are taken on what is given. NULL when out of memory. */
gs_view *gs_view_new(gs_alloc *alloc, gs_memtable *const *memtables,
                     size_t memtable_count, gs_version *version);
void gs_view_ref(gs_view *view);
void gs_view_unref(gs_view *view); /* NULL is accepted */

/* Drops the publisher's reference once no reader can be about to take one. */
void gs_view_retire(gs_epoch *epoch, gs_view *view);

#endif
