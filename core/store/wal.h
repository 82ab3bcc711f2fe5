/*
 * wal: the store's write-ahead log: a list of segments.
 *
 * Model: segments in order of number. The last started one takes frames; one or
 * two more may be prepared, ready to be started, in order. A segment may go when
 * every entry in it is flushed and it is not the last started one.
 *   1. Every segment on the list is in the manifest's list.
 *   2. Sequence numbers run through the segments without a gap.
 *   3. A sync covers the segments in order; a later one is never durable
 *      before an earlier one of the list.
 *
 * Life: part of a store; init/deinit with it.
 * Threads: everything under the store's commit lock, except that preparing a
 * segment and syncing release it meanwhile (is_preparing, is_syncing).
 */
#ifndef GS_STORE_WAL_H
#define GS_STORE_WAL_H

#include <stdatomic.h>

#include "env/env.h"
#include "tree/edit.h"
#include "wal/writer.h"

typedef struct gs_store_segment gs_store_segment;
struct gs_store_segment {
  gs_store_segment *next; /* newer */
  gs_log_writer *writer;
  uint64_t number;
  uint64_t first_seq; /* of its first entry, once started */
  uint64_t allocated_bytes;
  uint64_t salt;
  uint64_t note_place; /* sequence at which its last frame without entries
                          stands; 0: it has none */
  bool is_synced;      /* everything in it is durable and it takes no more */
  bool is_named;       /* an edit that removes it was made */
};

typedef struct gs_wal {
  gs_store_segment *oldest; /* started ones */
  gs_store_segment *active; /* the last of them; NULL before the first write */
  gs_store_segment *prepared; /* not started, the next one first */
  size_t prepared_count;
  size_t watchful_starts; /* segments to be started until one is enough again */
  bool is_preparing;      /* some thread makes the next one */
  uint64_t wanted_bytes;  /* room the next one must have */
  uint64_t next_size;     /* grows from segment to segment */
  uint64_t began_us;      /* when the active one was started, */
  uint64_t filled_us;     /* and when it was found full; 0: not yet */
  bool is_fast;           /* the one before it was filled so soon that the next
                             one may be larger than others */
  atomic_uint_fast64_t used_bytes; /* frames in all started segments; may be
                                      read anywhere */
  uint64_t frames;                 /* written so far, */
  uint64_t durable_frame;          /* and the last one that a sync covered */
  uint64_t unsynced_bytes;         /* frames since the last sync began */
  uint64_t batch_bytes;            /* of the last frame with a batch */
  uint64_t last_sync_us;           /* when it ended */
  uint64_t flush_us;               /* how long it took */
  size_t newcomers;         /* writers that wait for a sync not yet begun */
  size_t company;           /* writers that the last sync knew of */
  bool is_gathering;        /* some writer waits for them before it syncs */
  uint64_t thread_until_us; /* when the log thread wakes by itself; 0: it does
                               not sleep; UINT64_MAX: when it is woken */
} gs_wal;

struct gs_store;

enum { GS_WAL_MARK_IDLE_US = 100 * 1000 }; /* from a sync to its mark */

/* Makes sure the active segment has room for a frame with this payload.
 * Requires: commit held; may be released and taken again. */
GS_MUST_CHECK gs_status gs_wal_make_room(struct gs_store *store,
                                         uint64_t payload_bytes, gs_error *err);

/* Appends one frame of any kind. Requires: room; commit held. */
GS_MUST_CHECK gs_status gs_wal_add_frame(struct gs_store *store,
                                         gs_frame_type type, uint64_t first_seq,
                                         uint32_t entry_count, gs_slice payload,
                                         gs_error *err);

/* Appends one batch frame. Requires: room; commit held. */
GS_MUST_CHECK gs_status gs_wal_append(struct gs_store *store,
                                      uint64_t first_seq, uint32_t entry_count,
                                      gs_slice payload, gs_error *err);

/* Whether an append or sync failed: what it was about may or may not stand in
 * the active segment. Requires: commit held. */
bool gs_wal_is_broken(const struct gs_store *store);

/* Syncs everything appended so far; then durable_seq and visible_seq rise to
 * what that was. Requires: commit held, not is_syncing; released meanwhile. A
 * failure is the store's. */
GS_MUST_CHECK gs_status gs_wal_sync(struct gs_store *store, gs_error *err);

/* After a while without writes: a frame that says once more how much is
 * durable, so that damage to the last writes is told from a torn tail. It is
 * not synced. *wait_us is how long until it may be due; 0: nothing to wait for.
 * Requires: commit held. */
void gs_wal_mark_if_due(struct gs_store *store, uint64_t *wait_us);

/* Syncs everything and ends the active segment with a seal; what can be done
 * for a log that stays when its store is closed. Requires: commit held; may be
 * given up and taken again. */
GS_MUST_CHECK gs_status gs_wal_seal(struct gs_store *store, gs_error *err);

/* Without a log thread: syncs if the window of "batch" has passed. Requires:
 * commit held; may be given up and taken again. */
GS_MUST_CHECK gs_status gs_wal_sync_if_due(struct gs_store *store,
                                           gs_error *err);

/* Where every write waits for the device, the zeros of a segment are written
 * beforehand, so that a sync finds nothing to do but the write's own pages. */
bool gs_wal_writes_zeros(const struct gs_store *store);

/* The active segment has no room for a frame. Then another one is started behind
 * it, NULL before the first: how long the ended one took to be filled, without
 * what its writer waited afterwards, decides on the size of later ones. Require:
 * commit held. */
void gs_wal_note_full(struct gs_store *store);
void gs_wal_note_pace(struct gs_store *store, const gs_store_segment *ended);

/* A writer must wait for a segment with room for the payload: where it need not
 * have, two are kept ready for a while. Requires: commit held. */
void gs_wal_was_late(struct gs_store *store, uint64_t payload_bytes);

/* Whether the next segment is to be made while the active one fills. Requires:
 * commit held. */
bool gs_wal_wants_next(const struct gs_store *store);

/* Prepares one more segment now. Requires: commit held, not is_preparing;
 * released meanwhile. */
GS_MUST_CHECK gs_status gs_wal_prepare(struct gs_store *store, gs_error *err);

/* Names in the edit the segments whose entries are all <= flushed_seq, and marks
 * them: one more may come to be such before the edit takes effect, and must
 * stay. Takes commit. */
void gs_wal_name_flushed(struct gs_store *store, uint64_t flushed_seq,
                         gs_edit *edit);

/* After that edit took effect: closes the named segments and deletes their
 * files. Takes commit; waits for a running sync. */
void gs_wal_drop_named(struct gs_store *store);

/* Closes all segments and deletes their files; the next write begins a new
 * one. Requires: commit held, not is_syncing, not is_preparing; no manifest
 * lists them. */
void gs_wal_abandon(struct gs_store *store);

/* Closes everything, deletes nothing. */
void gs_wal_deinit(struct gs_store *store);

/* The log thread looks at what is due. Requires: commit held. */
void gs_wal_call_thread(struct gs_store *store);

/* Body of the log thread: syncs in time, prepares ahead. context: the store. */
void gs_wal_thread(void *context);

#endif
