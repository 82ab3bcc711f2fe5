/*
 * regain: what a table has lost and the log still holds.
 *
 * Model: a log outlives the flush of its writes, so what a table has lost may
 * stand in it. Such an entry is as good as the table's where the log is without
 * a gap from there to the end of what was flushed: then every later write of
 * the key is in the log as well, deletions that merges have dropped since
 * included. Before a gap it may be the newest or not, which is for the doubt to
 * say. Where no table has lost the key, tables tell, and a policy that may lose
 * data keeps its word.
 *
 * Life: one call, after tables and logs were read and the log was put in order.
 * Threads: one.
 */
#ifndef GS_STORE_REGAIN_H
#define GS_STORE_REGAIN_H

#include "store/care.h"
#include "store/log_remains.h"

/* Leaves of the entries up to flushed_seq only those that may make up for a
 * loss of the report, and notes from which number on they are whole. */
GS_MUST_CHECK gs_status gs_regain(gs_log_remains *log,
                                  const gs_repair_report *report,
                                  uint64_t flushed_seq, gs_error *err);

#endif
