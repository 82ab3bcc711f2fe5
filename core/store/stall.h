/*
 * stall: when a writer must wait, why, and for how long at most.
 *
 * Model: a write waits while
 *   "flush"  all memtables are full and wait for their flush
 *   "runs"   more than GS_RUNS_STALL runs wait for merges
 * and for no other reason. A wait is at most max_stall_ms in all, then GS_BUSY
 * names the reason; with fail_on_stall at once. Short of disk (less free than
 * disk_reserve_bytes) a write of values fails GS_FULL; deletes pass. With
 * threads = 0 the waiting call does the work itself and never waits.
 *
 * Threads: all with commit held; it is released while waiting.
 */
#ifndef GS_STORE_STALL_H
#define GS_STORE_STALL_H

#include "store/room.h"

/* Before a write: runs and disk. */
GS_MUST_CHECK gs_status gs_stall_check(gs_store *store, const gs_room *room,
                                       gs_error *err);

/* Until one more memtable may be sealed. */
GS_MUST_CHECK gs_status gs_stall_until_sealable(gs_store *store, gs_error *err);

/* Queues the flush of the oldest sealed memtable, if no flush is on the list.
 * Requires: state held. */
GS_MUST_CHECK gs_status gs_flush_queue(gs_store *store, gs_error *err);

#endif
