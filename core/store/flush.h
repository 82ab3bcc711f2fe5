/*
 * flush: the oldest sealed memtable becomes the newest run.
 *
 * Model: one flush at a time, oldest memtable first, so that runs stand in
 * order of age. It starts when everything in the memtable is published, so no
 * snapshot that comes later can need what it leaves out (E1).
 */
#ifndef GS_STORE_FLUSH_H
#define GS_STORE_FLUSH_H

#include "store/job.h"

/* A job that flushes the oldest sealed memtable; the caller queues it. Takes a
 * reference on the memtable. Requires: state held. */
GS_MUST_CHECK gs_status gs_flush_new(gs_store *store, gs_memtable *memtable,
                                     gs_job **out, gs_error *err);

/* Keeps the present note for the memtable that is about to be sealed. Requires:
 * commit held. */
GS_MUST_CHECK gs_status gs_flush_keep_note(gs_store *store,
                                           const gs_memtable *memtable,
                                           gs_error *err);

/* Takes the flush off the list, when its step has ended. Requires: is_resuming.
 * Takes state, then commit. */
void gs_flush_give_up(gs_store *store);

/* Waits for the end of one flush, where one is left, working if there are no
 * threads; one that is paused after a failure is tried at once. Takes state. */
GS_MUST_CHECK gs_status gs_flush_wait(gs_store *store, gs_error *err);

/* Seals what is in memory and waits until all of it is in tables. Takes
 * commit. */
GS_MUST_CHECK gs_status gs_flush_all(gs_store *store, gs_error *err);

#endif
