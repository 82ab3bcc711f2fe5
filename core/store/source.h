/*
 * source: a directory that is being repaired: what verifies in it, and what is
 * missing.
 *
 * Model: where the manifest can be read it says which tables and logs count,
 * and where in the tree each table stands. Where it cannot, all that are there
 * are taken: then sequence numbers alone say what is newer, and since tables
 * that were no longer in use may be among them, everything is in doubt.
 * What is missing goes to the report as losses, with the place that decides
 * what they put in doubt.
 *
 * Life: init, read, then gathered from; deinit.
 * Threads: one.
 * Errors: those of the machine and of the progress function; GS_KIND.
 */
#ifndef GS_STORE_SOURCE_H
#define GS_STORE_SOURCE_H

#include "store/doubt.h"
#include "store/log_remains.h"
#include "store/remains.h"
#include "tree/manifest.h"

typedef struct gs_source {
  gs_env *env;
  const char *dir;          /* borrowed, as is the report */
  gs_repair_report *report; /* its part `found` is complete */
  gs_manifest_state state;  /* its facts also where it could not be read */
  gs_doubt doubt;
  gs_buffer tables; /* pointers to gs_remains */
  size_t table_count;
  gs_log_remains log;
  uint64_t log_bytes;  /* of all logs that count */
  uint64_t created_ms; /* of the youngest table */
  uint64_t max_seq;    /* that was met */
  bool lost_log_end;   /* more was written than can be read */
  gs_buffer path;
  /* Called before each file; NULL: nobody asks. */
  gs_status (*tell)(void *context, const char *name, gs_error *err);
  void *context;
} gs_source;

GS_MUST_CHECK gs_status gs_source_init(gs_source *source, gs_env *env,
                                       const char *dir,
                                       gs_repair_report *report, gs_error *err);
void gs_source_deinit(gs_source *r);

/* Everything there is; kind: what the caller says, or 0. */
GS_MUST_CHECK gs_status gs_source_read(gs_source *source, uint32_t kind,
                                       gs_error *err);

gs_remains **gs_source_tables(const gs_source *r);

#endif
