/*
 * output: the tables a job writes.
 *
 * Model: entries in internal order go into one table after another; a table is
 * cut at a new key once it is large enough, where the caller says so, or when
 * it can take no more. Every finished table becomes a table of the tree that
 * is not yet in it.
 *   1. A user key never spans two tables.
 *   2. Until kept, the files are the output's and are deleted by deinit.
 *
 * Life: init/deinit in the job's memory.
 * Threads: one at a time.
 */
#ifndef GS_STORE_OUTPUT_H
#define GS_STORE_OUTPUT_H

#include "sst/writer.h"
#include "store/store.h"

typedef struct gs_output {
  gs_store *store;
  gs_layout layout;             /* where to cut, and what blocks are like */
  uint64_t oldest_tombstone_ms; /* for tombstones among the entries; 0: now */
  gs_table_writer *writer;      /* the table being written, or NULL */
  uint64_t writer_id;
  gs_buffer last_key;     /* key of the last entry */
  gs_tree_table **tables; /* finished, by key */
  size_t table_count;
  size_t table_capacity;
  uint64_t bytes_written; /* of finished tables */
  uint64_t entry_count;
  bool is_kept;
} gs_output;

void gs_output_init(gs_output *output, gs_store *store, const gs_layout *layout,
                    uint64_t oldest_tombstone_ms);
void gs_output_deinit(gs_output *output);

/* is_cut: the entry's key must begin a table. */
GS_MUST_CHECK gs_status gs_output_add(gs_output *output, const gs_entry *entry,
                                      bool is_cut, gs_error *err);

/* Ends the last table and makes the names durable. */
GS_MUST_CHECK gs_status gs_output_finish(gs_output *output, gs_error *err);

/* Adds the tables to an edit under a run. */
void gs_output_name(const gs_output *output, gs_edit *edit, uint64_t run_id);

/* From now on the files are the tree's. */
void gs_output_keep(gs_output *output);

#endif
