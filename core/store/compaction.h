/*
 * compaction: jobs that carry out plans: merge, move, drop.
 *
 * Model: a job is made from a plan that was checked under the state lock, with
 * its claim on the list before the lock is given up. Its inputs are counted.
 *   merge   inputs through the dropping rules into new tables, then one edit:
 *           inputs out, outputs in
 *   move    one edit: the same tables, another run
 *   drop    one edit: tables out
 * Before an edit is installed the plan is checked again against the version of
 * that moment (C6).
 *
 * Threads: see job.h.
 */
#ifndef GS_STORE_COMPACTION_H
#define GS_STORE_COMPACTION_H

#include "store/job.h"

/* Copies the plan, makes its claim, queues the job. Requires: state held; the
 * plan checked against the current version. waiter may be NULL. */
GS_MUST_CHECK gs_status gs_compaction_queue(gs_store *store,
                                            const gs_plan *plan,
                                            gs_job_waiter *waiter,
                                            uint64_t *job_id, gs_error *err);

/* The limits a plan is checked against now. Requires: state held. */
void gs_compaction_limits(gs_store *store, gs_plan_limits *out);

/* gs_plan_check with the store's version, claims and limits. except (may be
 * NULL) is the job whose own claim does not count. Requires: state held. */
bool gs_compaction_check(gs_store *store, const gs_plan *plan,
                         const gs_job *except, gs_refusal *refusal);

#endif
