/*
 * stall: when a writer must wait, why, and for how long at most.
 *
 * Model: a write waits while
 *   "flush"  all memtables are full and wait for their flush
 *   "runs"   more than GS_RUNS_STALL runs wait for merges; while there are
 *            more than GS_RUNS_BRAKE it pauses now and then, the longer and
 *            oftener the more, for half of its patience at most
 * and, before it takes commit, as the throttle of the policy says (throttle.h).
 * A write waits at most max_stall_ms for all of these together, then GS_BUSY
 * names the reason; with fail_on_stall at once. Short of disk (less free than
 * disk_reserve_bytes) a write of values fails GS_FULL; deletes pass. With
 * threads = 0 the waiting call does the work itself and never waits.
 *
 * Threads: as each function says; commit is released while waiting.
 */
#ifndef GS_STORE_STALL_H
#define GS_STORE_STALL_H

#include "store/room.h"
#include "store/store.h"

/* Before a write: runs and disk. Requires: commit held. */
GS_MUST_CHECK gs_status gs_stall_check(gs_store *store, gs_room *room,
                                       gs_error *err);

/* Until one more memtable may be sealed. Requires: commit held. */
GS_MUST_CHECK gs_status gs_stall_until_sealable(gs_store *store, gs_room *room,
                                                gs_error *err);

/* How much longer the write may wait; from the first time this is asked it is
 * max_stall_ms. Any thread. */
uint64_t gs_stall_patience_us(gs_store *store, gs_room *room);

/* GS_BUSY with the reason's words. */
GS_MUST_CHECK gs_status gs_stall_give_up(const gs_store *store, gs_stall reason,
                                         gs_error *err);

/* Counts a wait that ends now. Any thread. */
void gs_stall_count(gs_store *store, gs_stall reason, uint64_t began_us);

/* Queues the flush of the oldest sealed memtable, if no flush is on the list.
 * Requires: state held. */
GS_MUST_CHECK gs_status gs_flush_queue(gs_store *store, gs_error *err);

#endif
