/*
 * shape_types: the tree as a policy sees it, for the engine, the public header
 * and whoever decides.
 *
 * Model: a shape is one moment: figures of the store, an array of runs, and
 * questions about tables that are answered one by one from the version behind
 * it. So a shape costs what its runs cost, however many tables there are. Runs
 * stand newest first, tables of a run by key; both are counted from 0.
 *
 * Life: whoever made a shape frees it. It holds the version, and with it the
 * files of its tables. Key slices are valid until then.
 * Threads: a shape never changes; any number may read it.
 */
#ifndef GS_TREE_SHAPE_TYPES_H
#define GS_TREE_SHAPE_TYPES_H

#include "base/api.h"
#include "base/slice.h"

typedef struct gs_shape gs_shape;

typedef struct gs_shape_table {
  uint64_t id;
  uint64_t bytes;
  uint64_t entry_count;
  uint64_t tombstone_count;
  uint64_t expiring_count;
  uint64_t min_seq;
  uint64_t max_seq;
  uint64_t created_ms;
  uint64_t min_expiry_ms;       /* 0 when nothing expires */
  uint64_t max_expiry_ms;       /* 0 when nothing expires */
  uint64_t oldest_tombstone_ms; /* 0 without tombstones */
  gs_slice min_key;
  gs_slice max_key;
  bool is_busy; /* input of a running job */
} gs_shape_table;

typedef struct gs_shape_run {
  uint64_t id;
  uint32_t level;
  size_t table_count;
  size_t busy_count;   /* of the tables, inputs of running jobs */
  uint64_t bytes;      /* sums over the tables */
  uint64_t data_bytes; /* key and value bytes */
  uint64_t entry_count;
  uint64_t tombstone_count;
  uint64_t expiring_count;
  uint64_t largest_bytes;       /* of one table */
  uint64_t begun_ms;            /* when its oldest table was made, */
  uint64_t written_ms;          /* and its newest */
  uint64_t oldest_tombstone_ms; /* least over the tables; 0: none */
  uint64_t dead_at_ms; /* when the first table whose entries all expire has
                          nothing left; 0: there is none */
} gs_shape_run;

typedef struct gs_shape_memtable {
  uint64_t bytes;
  uint64_t entry_count;
  uint64_t tombstone_count;
  uint64_t age_ms;
  uint64_t budget_bytes;
  size_t sealed_count; /* memtables waiting for their flush */
} gs_shape_memtable;

struct gs_shape {
  uint64_t version; /* rises with each change of the tree */
  uint64_t now_ms;
  const char *reason; /* "flush", "merge", "move", "drop", "resume": the last
                         change; "memory", "timer", "debt" (writers wait for
                         merges), "manual" (a new policy) */
  size_t run_count;
  const gs_shape_run *runs; /* newest first */
  gs_shape_memtable memtable;
  uint64_t wal_bytes;
  uint64_t disk_free_bytes;
  uint64_t disk_used_bytes; /* tables and log */
  size_t running_count;     /* jobs at work or queued, flushes left out */
  double write_amp;         /* bytes written by flush and merge per byte of
                               user data flushed; 0 before the first flush */
  double space_amp;         /* table bytes per key and value byte of the
                               largest run; 0 without runs */
  double read_amp;          /* runs that a read of a key looks at, expected for
                               the entries there are if bounds keep it out of
                               none; 0 without runs */
  double user_rate;  /* bytes a second between the last two decisions: of */
  double flush_rate; /* keys and values written, and of tables by flushes */
  double merge_rate; /* and merges */
  uint64_t oldest_view_seq; /* of the oldest snapshot; 0: none */
  uint64_t oldest_view_age_ms;
};

GS_API void gs_shape_free(gs_shape *shape); /* NULL is accepted */

/* Requires: run < run_count, index < its table_count. */
GS_API void gs_shape_table_at(const gs_shape *shape, size_t run, size_t index,
                              gs_shape_table *out);

/* Index of the run, or SIZE_MAX. */
GS_API size_t gs_shape_find_run(const gs_shape *shape, uint64_t run_id);

/* Where the table stands; false where it is not in the tree. */
GS_API bool gs_shape_find_table(const gs_shape *shape, uint64_t table_id,
                                size_t *run, size_t *index);

/* Whether a running job has the table among its inputs. */
GS_API bool gs_shape_is_busy(const gs_shape *shape, uint64_t table_id);

/* The tables of the run that can hold a key of the range, both ends included;
 * NULL: no bound. The index of the first; *end receives the one behind the
 * last. */
GS_API size_t gs_shape_overlap(const gs_shape *shape, size_t run,
                               const gs_slice *from, const gs_slice *to,
                               size_t *end);

/* The idle table of the run that meets least of the run below (SIZE_MAX: of
 * none) for its own size, all it meets being idle; ids in taken, which rise,
 * count as at work. False where there is none. */
GS_API bool gs_shape_cheapest(const gs_shape *shape, size_t run, size_t below,
                              const uint64_t *taken, size_t taken_count,
                              size_t *index);

/* Widens [*min, *max] by every table of runs first to last that meets it, until
 * nothing widens it: what then meets the range stands in nobody's way. */
GS_API void gs_shape_close_range(const gs_shape *shape, size_t first,
                                 size_t last, gs_slice *min, gs_slice *max);

#endif
