/*
 * plan: what a policy asks for, and the rules it must meet.
 *
 * Model: a plan names input tables and a place for the output. Run i (0 is the
 * newest of n) has position 2i+1; 2i is the gap just above it; 2n the gap
 * below all. The check is a pure function of version, plan and claims:
 *   C1 shape       known operation and target, 1..GS_PLAN_MAX_INPUTS distinct
 *                  inputs, sizes within limits, cuts strictly rising
 *   C2 live        every input is in the version, not quarantined
 *   C3 downward    the target stands no higher than just above the run of the
 *                  oldest input
 *   C4 clear path  no table that stays overlaps an input it would be overtaken
 *                  by, nor an input that lands in its run
 *   C5 claims      disjoint from the inputs of every running job; and where
 *                  key ranges meet, the position intervals do not
 *   C9 move        a move keeps its tables as they are
 *   C10 drop       every entry of every input is expired under the safe clock,
 *                  or loss by policy was allowed; every older table that
 *                  overlaps an input is an input too; no snapshot would lose
 *   C7 figures     free space and the number of runs stay within what the
 *                  caller allows; a tree with too many runs may still do what
 *                  leaves it with no more
 * C6 is the same check again, against the version of the moment of install,
 * without the job's own claim. C8 and C11 are the job's.
 *
 * Life: everything is borrowed; a claim owns its copies (new/free).
 * Threads: pure.
 */
#ifndef GS_TREE_PLAN_H
#define GS_TREE_PLAN_H

#include "tree/plan_types.h"
#include "tree/version.h"

/* The region a running job works in. Run ids stay right when runs are added.*/
typedef struct gs_claim {
  uint64_t job_id;
  uint64_t *inputs; /* table ids, rising */
  size_t input_count;
  uint64_t top_run_id; /* run of the newest input */
  uint64_t low_run_id; /* run of the oldest input */
  gs_plan_target target;
  uint64_t target_run_id;
  gs_buffer min_key; /* hull of the inputs */
  gs_buffer max_key;
} gs_claim;

typedef struct gs_plan_limits {
  size_t max_runs;        /* GS_REFUSAL_TOO_MANY when the result has more */
  uint64_t free_bytes;    /* GS_REFUSAL_NO_SPACE when inputs exceed it */
  uint64_t safe_clock_ms; /* for drop */
  bool may_lose;          /* loss by policy allowed */
  uint64_t oldest_snapshot_seq;      /* UINT64_MAX: no snapshot lives */
  uint64_t oldest_snapshot_clock_ms; /* least clock of the live snapshots;
                                        UINT64_MAX: none */
} gs_plan_limits;

/* True when the plan may run. False fills *refusal. */
bool gs_plan_check(const gs_version *version, const gs_plan *plan,
                   const gs_claim *const *claims, size_t claim_count,
                   const gs_plan_limits *limits, gs_refusal *refusal);

/* Position of the plan's target in the version. Requires: it checked. */
size_t gs_plan_position(const gs_version *version, const gs_plan *plan);

/* Whether no table outside the inputs at a position > target position holds
 * the key within its bounds (rule E3). Keys asked must not fall; `state` is an
 * array of run_count size_t zeros to start with. */
bool gs_plan_is_bottom(const gs_version *version, const gs_plan *plan,
                       size_t position, size_t *state, gs_slice key);

GS_MUST_CHECK gs_status gs_claim_new(gs_alloc *alloc, uint64_t job_id,
                                     const gs_version *version,
                                     const gs_plan *plan, gs_claim **out,
                                     gs_error *err);
void gs_claim_free(gs_alloc *alloc, gs_claim *claim); /* NULL is accepted */

#endif
