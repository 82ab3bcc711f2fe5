/*
 * version: the disk part of a store at one moment: sorted runs, newest first.
 *
 * Model: a version is an immutable list of runs; a run an immutable list of
 * tables with rising, disjoint key ranges; a table a counted object with its
 * metadata and whatever the store hangs on it.
 *   I1 for one user key an entry in a newer run has the larger sequence number
 *   I2 tables of a run are disjoint in user keys; all versions of a user key in
 *      a run lie in one table
 *   I3 tables are immutable; ids are never used again; each live table stands
 *      in exactly one run
 * A level is a label on a run; it orders nothing.
 *
 * Life: versions, runs and tables are counted; a version holds its runs, a run
 * its tables. A table's payload is released with its last reference.
 * Threads: reference counts are atomic; a version never changes. The marks and
 * counters of a table are atomic.
 */
#ifndef GS_TREE_VERSION_H
#define GS_TREE_VERSION_H

#include <stdatomic.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "data/table_meta.h"

/* A table of the tree. */
typedef struct gs_tree_table gs_tree_table;
struct gs_tree_table {
  gs_table_meta meta; /* key slices view key_bytes */
  gs_alloc *alloc;
  size_t key_bytes_size;
  uint8_t *key_bytes; /* min key then max key */
  atomic_uint refs;
  _Atomic(void *) payload; /* the store's: an open table, or NULL until used */
  void *owner;             /* the store's; for release */
  /* Called with the last reference, before the memory is freed; may be NULL. */
  void (*release)(gs_tree_table *table);
  atomic_bool is_obsolete;    /* no version that is to come holds it: the file
                                goes with the last reference */
  atomic_bool is_quarantined; /* found damaged: no job touches it */
  atomic_uint_fast64_t reads; /* point reads that reached a row, sampled */
  atomic_uint_fast64_t seeks; /* seeks that loaded a block, sampled */
};

/* One reference; copies the key bytes. NULL when out of memory. */
gs_tree_table *gs_tree_table_new(gs_alloc *alloc, const gs_table_meta *meta);
void gs_tree_table_ref(gs_tree_table *table);
void gs_tree_table_unref(gs_tree_table *table); /* NULL is accepted */

typedef struct gs_run {
  uint64_t id; /* unique in the store for ever */
  uint32_t level;
  atomic_uint refs;
  gs_alloc *alloc;
  size_t table_count;     /* at least 1 in a version */
  gs_tree_table **tables; /* key ranges rise */
  gs_tree_table **by_id;  /* the same tables, ids rising */
  gs_slice prefix;        /* what all max keys begin with; in the first one */
  uint64_t *max_heads;    /* gs_slice_head of what follows it in each */
  uint64_t bytes;         /* sums over the tables */
  uint64_t entry_count;
  uint64_t tombstone_count;
  uint64_t expiring_count;
  uint64_t data_bytes;
  uint64_t largest_bytes;       /* of one table */
  uint64_t begun_ms;            /* when its oldest table was made, */
  uint64_t written_ms;          /* and its newest */
  uint64_t oldest_tombstone_ms; /* least over the tables; 0: no tombstone */
  uint64_t dead_at_ms; /* when the first table whose entries all expire has
                          nothing left; 0: there is none */
} gs_run;

typedef struct gs_version {
  uint64_t number; /* counts versions of this process; rises */
  atomic_uint refs;
  gs_alloc *alloc;
  size_t run_count;
  gs_run **runs; /* newest first */
} gs_version;

/* One reference. The tables may come in any order and are referenced; ranges
 * that meet are for gs_run_verify to find. NULL when out of memory. */
gs_run *gs_run_new(gs_alloc *alloc, uint64_t id, uint32_t level,
                   gs_tree_table *const *tables, size_t table_count);
/* What becomes of a run. */
typedef struct gs_run_change {
  uint32_t level;
  const uint64_t *removed; /* ids, rising; those of other runs do no harm */
  size_t removed_count;
  gs_tree_table *const *added; /* by key */
  size_t added_count;
} gs_run_change;

/* The run as gs_run_new would make it from what is left and what is added, in
 * time that is linear in its tables. Requires: some table is left. NULL when
 * out of memory. */
gs_run *gs_run_changed(gs_alloc *alloc, const gs_run *old,
                       const gs_run_change *change);

/* How many of the ids, which rise, are tables of the run. */
size_t gs_run_count_removed(const gs_run *run, const uint64_t *removed,
                            size_t count);

void gs_run_ref(gs_run *run);
void gs_run_unref(gs_run *run); /* NULL is accepted */

/* One reference. The runs come newest first and are referenced. NULL when out
 * of memory. */
gs_version *gs_version_new(gs_alloc *alloc, uint64_t number,
                           gs_run *const *runs, size_t run_count);

/* The version without runs; one reference. NULL when out of memory. */
gs_version *gs_version_new_empty(gs_alloc *alloc);
void gs_version_ref(gs_version *version);
void gs_version_unref(gs_version *version); /* NULL is accepted */

/* The table of the run whose bounds hold the key, or NULL. */
gs_tree_table *gs_run_find(const gs_run *run, gs_slice key);

/* Index of the first table whose max key >= key; table_count if none. */
size_t gs_run_lower_bound(const gs_run *run, gs_slice key);

/* The tables of the run that have a key in common with [min, max]: the index of
 * the first of them; *end receives the index behind the last. */
size_t gs_run_overlap(const gs_run *run, gs_slice min, gs_slice max,
                      size_t *end);

/* Index in by_id of the first table whose id >= table_id; table_count if
 * none. */
size_t gs_run_id_bound(const gs_run *run, uint64_t table_id);

/* Index of the run, or SIZE_MAX. */
size_t gs_version_find_run(const gs_version *version, uint64_t run_id);

/* The table and the index of its run, or NULL. */
gs_tree_table *gs_version_find_table(const gs_version *version,
                                     uint64_t table_id, size_t *run_index);

/* I2 and the order of the tables. GS_CORRUPT names the tables. */
GS_MUST_CHECK gs_status gs_run_verify(const gs_run *run, gs_error *err);

/* I2, I3, and I1 as far as bounds show it: where a bound of one table is a
 * bound of another, both hold that key. GS_CORRUPT names the tables. */
GS_MUST_CHECK gs_status gs_version_verify(const gs_version *version,
                                          gs_error *err);

/*
 * Text, one line per run, newest first:
 *   run 7 L0: 12[a..f]#10-20 13[g..k]#12-19
 * that is: id, level, then per table id [min..max] #min_seq-max_seq. Key bytes
 * that are not printable ASCII, blanks and backslashes are written \xNN.
 */
GS_MUST_CHECK gs_status gs_version_dump(const gs_version *version,
                                        gs_buffer *out, gs_error *err);

#endif
