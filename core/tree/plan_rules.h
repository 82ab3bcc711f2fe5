/*
 * plan_rules: the rules of plan.h that take more than a comparison, one
 * function each. All but the last assume what the rules before them found.
 *
 * Each returns true when its rule holds; false fills *refusal.
 * Threads: pure.
 */
#ifndef GS_TREE_PLAN_RULES_H
#define GS_TREE_PLAN_RULES_H

#include "tree/plan_inputs.h"

/* C4, for a target at the position. Requires: C3. */
bool gs_plan_check_path(const gs_plan_inputs *inputs, const gs_plan *plan,
                        size_t position, gs_refusal *refusal);

/* C9: the inputs can stand in one run as they are. Requires: C4. */
bool gs_plan_check_move(const gs_plan_inputs *inputs, gs_refusal *refusal);

/* C10. */
bool gs_plan_check_drop(const gs_plan_inputs *inputs,
                        const gs_plan_limits *limits, gs_refusal *refusal);

/* The half of C5 that keeps tables to one job. */
bool gs_plan_check_unclaimed(const gs_plan_inputs *inputs,
                             const gs_claim *const *claims, size_t claim_count,
                             gs_refusal *refusal);

/* The half of C5 that keeps jobs on the same keys apart. */
bool gs_plan_check_apart(const gs_plan_inputs *inputs, size_t position,
                         const gs_claim *const *claims, size_t claim_count,
                         gs_refusal *refusal);

#endif
