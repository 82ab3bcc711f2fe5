/*
 * gather: everything that was salvaged, in internal order.
 *
 * Model: tables are entered when the walk comes to their first key and left
 * behind their last, so only those are open whose ranges meet. Entries come by
 * key up, then sequence number down; one that stands in several places comes
 * several times, the newest place first.
 *
 * Life: init, next until GS_ABSENT, deinit. Tables and log outlive it.
 * Threads: one.
 * Errors: those of the machine; GS_CORRUPT where a file is no longer what was
 * salvaged from it.
 */
#ifndef GS_STORE_GATHER_H
#define GS_STORE_GATHER_H

#include "data/entry.h"
#include "store/remains.h"

typedef struct gs_gather_source gs_gather_source;

typedef struct gs_gather {
  gs_env *env;
  gs_remains **tables; /* by first key */
  size_t table_count;
  size_t next_table; /* not yet entered */
  const gs_entry *log;
  size_t log_count;
  size_t next_log;
  gs_buffer sources; /* pointers to those that are open */
  size_t source_count;
  gs_gather_source *last; /* gave the last entry; NULL: the log, or none did */
  bool was_log;
} gs_gather;

/* Sorts the tables, which each hold a block. */
void gs_gather_init(gs_gather *g, gs_env *env, gs_remains **tables,
                    size_t table_count, const gs_entry *log, size_t log_count);
void gs_gather_deinit(gs_gather *g);

/* The next entry, valid until the next call, and the place it came from (0 is
 * the log). GS_ABSENT at the end. */
GS_MUST_CHECK gs_status gs_gather_next(gs_gather *g, gs_entry *out,
                                       uint32_t *place, gs_error *err);

#endif
