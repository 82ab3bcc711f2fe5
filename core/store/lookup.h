/*
 * lookup: a key on its way through what a reader stands on: memtables, then the
 * tables of the runs, newest first.
 *
 * Model: where a key is found depends on memory that is rarely in a cache: a
 * slot or a bucket, then what it names, then the row. A single lookup waits for
 * each in turn. Several may take the steps together, all of them the first, then
 * all the second: what they would have waited for one after another comes at
 * once.
 *
 *   begin, ask_memory ─▶ ask_nodes ─▶ look_in_memory      several, and those
 *     ─▶ ask_tables ─▶ ask_homes ─▶ ask_rows ─▶ find        not found there
 *   begin ─▶ find                                         one
 *
 * Life: on the stack of a read; the key stays the caller's. Threads: the one that
 * reads, inside an epoch from begin to find and until the entry was used.
 */
#ifndef GS_STORE_LOOKUP_H
#define GS_STORE_LOOKUP_H

#include "store/store.h"

/* Runs that are looked at together. */
enum { GS_LOOKUP_RUNS = 16 };

typedef struct gs_lookup {
  gs_slice key;
  uint64_t hash;
  bool has_looked; /* in memory, */
  bool is_found;   /* and there it was: entry */
  gs_entry entry;
  size_t run_count;                      /* whose tables were chosen */
  size_t table_count;                    /* of those that may have the key, */
  gs_tree_table *tables[GS_LOOKUP_RUNS]; /* newest first */
  gs_table_hint hint;                    /* of the first that seems to */
} gs_lookup;

void gs_lookup_begin(gs_lookup *lookup, gs_slice key);

/* Ask for the slots of memtables, and for the nodes those name. */
void gs_lookup_ask_memory(const gs_lookup *lookup, const gs_read_point *point);
void gs_lookup_ask_nodes(const gs_lookup *lookup, const gs_read_point *point);

/* Whether a memtable answers; find then gives that answer. */
bool gs_lookup_look_in_memory(gs_lookup *lookup, const gs_read_point *point);

/* Ask for the buckets of tables, the homes of the blocks that those name, and
 * the rows in them. */
void gs_lookup_ask_tables(gs_lookup *lookup, const gs_read_point *point);
void gs_lookup_ask_homes(gs_lookup *lookup);
void gs_lookup_ask_rows(const gs_lookup *lookup);

/* Newest version <= the point's sequence, dead or alive; GS_ABSENT: none. *out
 * is valid until the epoch is left. */
GS_MUST_CHECK gs_status gs_lookup_find(gs_lookup *lookup, gs_store *store,
                                       const gs_read_point *point,
                                       gs_entry *out, gs_error *err);

#endif
