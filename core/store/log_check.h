/*
 * log_check: one log file, a segment or a manifest, read to its end.
 *
 * Threads: nothing is shared.
 * Errors: what is wrong with the file goes to the report; want of memory and
 * the like are returned.
 */
#ifndef GS_STORE_LOG_CHECK_H
#define GS_STORE_LOG_CHECK_H

#include "env/env.h"
#include "store/care.h"
#include "wal/frame.h"

/* Which log it has to be. */
typedef struct gs_log_check {
  gs_env *env;
  const char *path;
  const gs_store_id *store_id;   /* NULL: of any store */
  const gs_log_identity *listed; /* NULL: what its page says */
} gs_log_check;

/* Counts entries and reports the first thing wrong. */
GS_MUST_CHECK gs_status gs_log_check_file(const gs_log_check *check,
                                          gs_verify_report *report,
                                          gs_file_report *file, gs_error *err);

#endif
