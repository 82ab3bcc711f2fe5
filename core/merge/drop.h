/*
 * drop: which versions of a key a merge may leave out.
 *
 * Model: Q = the snapshots live when the job started, plus "latest". The
 * versions e1, e2, ... of one key in the inputs come newest first.
 *   E2 covered   e_i goes iff a newer input version e_j exists and no snapshot
 *                s has seq(e_i) <= s < seq(e_j).
 *   E6 expired   an entry with expiry t becomes a tombstone of the same
 *                sequence iff t <= the safe clock and every member of Q that
 *                sees it has a clock >= t.
 *   E4 doubled   a kept tombstone goes if the next older kept version is a
 *                tombstone too.
 *   E3 bottom    after these, if the oldest kept version is a tombstone and no
 *                table outside the inputs below the target can hold the key,
 *                it goes.
 *   E8           sequence numbers and values never change.
 * Nothing here looks at a filter: bounds alone prove absence.
 *
 * A key is given as: begin, offer for each version newest first, finish. At
 * most one version is held back (a tombstone that E3 or E4 may still remove),
 * so memory does not grow with history.
 *
 * Life: a value in the caller's memory; the snapshot array must outlive it.
 * Threads: one.
 */
#ifndef GS_MERGE_DROP_H
#define GS_MERGE_DROP_H

#include "data/entry.h"

/* A moment somebody still looks at. */
typedef struct gs_snapshot_point {
  uint64_t seq;
  uint64_t clock_ms;
} gs_snapshot_point;

typedef struct gs_drop_counts {
  uint64_t offered;
  uint64_t written;
  uint64_t covered; /* left out by E2 */
  uint64_t doubled; /* left out by E4 */
  uint64_t bottom;  /* tombstones left out by E3 */
  uint64_t expired; /* turned into tombstones by E6, then counted by
                                what became of them as well */
} gs_drop_counts;

typedef struct gs_drop {
  const gs_snapshot_point *snapshots; /* sequence numbers rise */
  size_t snapshot_count;
  uint64_t safe_clock_ms;
  gs_drop_counts counts; /* offered = written + covered + doubled + bottom */
  uint64_t newer_seq;    /* sequence of the version before, 0 at a key's start*/
  bool has_pending;      /* a tombstone is held back */
  gs_entry pending;      /* its key slice views the offered entry's key */
} gs_drop;

/* snapshots: sequence numbers strictly rising, "latest" not included. */
void gs_drop_init(gs_drop *drop, const gs_snapshot_point *snapshots,
                  size_t snapshot_count, uint64_t safe_clock_ms);

void gs_drop_begin(gs_drop *drop);

/* Offers the next older version. At most two versions are to be written now;
 * returns how many of out[0], out[1] were filled, in internal order. Requires:
 * the key slice stays valid until finish. */
int gs_drop_offer(gs_drop *drop, const gs_entry *entry, gs_entry out[2]);

/* Ends the key; is_bottom says that nothing below the target can hold it. True
 * when *out is to be written. */
bool gs_drop_finish(gs_drop *drop, bool is_bottom, gs_entry *out);

#endif
