/*
 * merge_job: a compaction that rewrites its inputs. The struct is shared with
 * compaction.c, which moves and drops.
 */
#ifndef GS_STORE_MERGE_JOB_H
#define GS_STORE_MERGE_JOB_H

#include "store/job.h"

/* A plan being carried out; the base of every compaction. */
typedef struct gs_compaction {
  gs_job job;
  gs_plan plan; /* inputs and cuts are the copies below */
  uint64_t *inputs;
  gs_slice *cuts; /* views of cut_bytes */
  gs_buffer cut_bytes;
  gs_version *version; /* when the plan was accepted; keeps inputs alive */
  gs_tree_table *const *outputs; /* tables to install; NULL before the end */
  size_t output_count;
} gs_compaction;

/* A merge that only lacks its plan; NULL when out of memory. */
gs_compaction *gs_merge_job_new(gs_store *store);

/* Checks the plan again and installs inputs out, outputs in. is_kept: the
 * outputs' files must stay whatever is returned. */
GS_MUST_CHECK gs_status gs_compaction_install(gs_compaction *compaction,
                                              const char *reason, bool *is_kept,
                                              gs_error *err);

/* Frees what the plan's copy holds. */
void gs_compaction_free(gs_compaction *compaction);

/* The level of the run that takes the outputs: the plan's, or that of the target
 * run, or the deepest of the inputs'. */
uint32_t gs_compaction_level(const gs_compaction *c, const gs_version *version);

#endif
