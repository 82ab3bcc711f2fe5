/*
 * run_cursor: a cursor over some tables of one run, as if they were one.
 *
 * Model: the tables' key ranges rise and are disjoint; at most one table is
 * open for walking at a time, and a table is opened when the walk reaches it.
 * A table found damaged is marked, so that no job touches it again.
 *
 * Life: holds references on the tables; gs_cursor_end frees it.
 * Threads: one.
 */
#ifndef GS_STORE_RUN_CURSOR_H
#define GS_STORE_RUN_CURSOR_H

#include "data/cursor.h"
#include "store/store.h"

GS_MUST_CHECK gs_status gs_run_cursor_new(gs_store *store,
                                          gs_tree_table *const *tables,
                                          size_t table_count, bool fills_cache,
                                          gs_cursor **out, gs_error *err);

#endif
