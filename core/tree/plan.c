/*
 * plan: the rules in the order in which their answers help most: what is wrong
 * with the plan itself, then with its inputs, then with its way, then with the
 * moment.
 *
 * Why C3 and C4 are enough: an input t moves from position 2i+1 to P >= 2i and
 * passes, or joins, exactly the runs with a position between the two. Where it
 * passes a table u that stays, t's entries would come to lie below u's older
 * ones; where it joins one, a key could stand in two tables of a run. Either
 * can happen only if the ranges of t and u have a key in common.
 */
#include "tree/plan.h"

#include <inttypes.h>

#include "data/entry.h"
#include "tree/plan_rules.h"
#include "tree/refusal.h"

/* ---- C1: shape ------------------------------------------------------------ */

static bool
check_numbers(const gs_plan *plan, gs_refusal *refusal)
{
  if (plan->input_count == 0 || plan->input_count > GS_PLAN_MAX_INPUTS) {
    GS_REFUSE(refusal, GS_REFUSAL_BAD_PLAN,
              "the plan has %zu inputs; it takes 1 to %d", plan->input_count,
              GS_PLAN_MAX_INPUTS);
    return false;
  }
  if (plan->level < -1 || plan->level > GS_PLAN_MAX_LEVEL) {
    GS_REFUSE(refusal, GS_REFUSAL_BAD_PLAN,
              "level %d is not a number from 0 to %d", plan->level,
              GS_PLAN_MAX_LEVEL);
    return false;
  }
  if (plan->table_bytes != 0 && plan->table_bytes < GS_PLAN_MIN_TABLE_BYTES) {
    GS_REFUSE(refusal, GS_REFUSAL_BAD_PLAN,
              "tables of %" PRIu64 " bytes are too small; choose at least %d",
              plan->table_bytes, GS_PLAN_MIN_TABLE_BYTES);
    return false;
  }
  return true;
}

static bool
names_run(const gs_plan *plan)
{
  return plan->target == GS_TARGET_INTO || plan->target == GS_TARGET_ABOVE;
}

static bool
check_target(const gs_version *version, const gs_plan *plan,
             gs_refusal *refusal)
{
  if (plan->op != GS_PLAN_MERGE && plan->op != GS_PLAN_MOVE &&
      plan->op != GS_PLAN_DROP) {
    GS_REFUSE(refusal, GS_REFUSAL_BAD_PLAN,
              "operation %d is none of merge, move, drop", (int)plan->op);
    return false;
  }
  if (plan->op == GS_PLAN_DROP) {
    if (plan->target != GS_TARGET_NONE) {
      GS_REFUSE(refusal, GS_REFUSAL_BAD_PLAN,
                "a drop has no target; leave it out");
      return false;
    }
    return true;
  }
  if (!names_run(plan) && plan->target != GS_TARGET_BOTTOM) {
    GS_REFUSE(refusal, GS_REFUSAL_BAD_PLAN,
              "the plan has no target; say into a run, above a run, or bottom");
    return false;
  }
  if (names_run(plan) &&
      gs_version_find_run(version, plan->run_id) == SIZE_MAX) {
    GS_REFUSE(refusal, GS_REFUSAL_BAD_PLAN,
              "run %" PRIu64 " is not in the tree (any more); plan again from "
              "the present shape",
              plan->run_id);
    return false;
  }
  return true;
}

static bool
check_cuts(const gs_plan *plan, gs_refusal *refusal)
{
  if (plan->cut_count > 0 && plan->op != GS_PLAN_MERGE) {
    GS_REFUSE(refusal, GS_REFUSAL_BAD_CUT,
              "only a merge writes tables that can be cut; leave the cuts out");
    return false;
  }
  if (plan->cut_count > GS_PLAN_MAX_CUTS) {
    GS_REFUSE(refusal, GS_REFUSAL_BAD_CUT,
              "the plan has %zu cuts; it takes at most %d", plan->cut_count,
              GS_PLAN_MAX_CUTS);
    return false;
  }
  for (size_t i = 0; i < plan->cut_count; i++) {
    if (plan->cuts[i].size > GS_KEY_MAX_BYTES) {
      GS_REFUSE(refusal, GS_REFUSAL_BAD_CUT,
                "cut %zu is longer than a key may be", i + 1);
      return false;
    }
    if (i > 0 && gs_slice_compare(plan->cuts[i - 1], plan->cuts[i]) >= 0) {
      GS_REFUSE(refusal, GS_REFUSAL_BAD_CUT,
                "cut %zu does not come after the one before it; give the cuts "
                "in order, each once",
                i + 1);
      return false;
    }
  }
  return true;
}

/* ---- C3: downward --------------------------------------------------------- */

static size_t
target_position(const gs_version *version, const gs_plan *plan, size_t low)
{
  switch (plan->target) {
  case GS_TARGET_INTO:
    return 2 * gs_version_find_run(version, plan->run_id) + 1;
  case GS_TARGET_ABOVE:
    return 2 * gs_version_find_run(version, plan->run_id);
  case GS_TARGET_BOTTOM:
    return 2 * version->run_count;
  case GS_TARGET_NONE:
    break;
  }
  return 2 * low + 1;
}

static bool
check_downward(const gs_plan_inputs *inputs, size_t position,
               gs_refusal *refusal)
{
  if (position >= 2 * inputs->low) {
    return true;
  }
  uint64_t table = gs_plan_inputs_at(inputs, inputs->count - 1)->meta.id;
  uint64_t run = inputs->version->runs[inputs->low]->id;
  GS_REFUSE(refusal, GS_REFUSAL_UPWARD,
            "input %" PRIu64 " is in run %" PRIu64 ", which is older than the "
            "target, and data never moves up; choose run %" PRIu64
            " or above it as the target, or leave the input out",
            table, run, run);
  for (size_t i = inputs->count; i > 0; i--) {
    if (2 * gs_place_run(inputs->places[i - 1]) > position) {
      gs_refusal_add_table(refusal, gs_plan_inputs_at(inputs, i - 1)->meta.id);
    }
  }
  return false;
}

/* ---- C7: figures ---------------------------------------------------------- */

/* Runs all of whose tables are inputs. */
static size_t
count_emptied(const gs_plan_inputs *inputs)
{
  size_t emptied = 0;
  for (size_t run = inputs->top; run <= inputs->low; run++) {
    emptied += gs_plan_inputs_take_run(inputs, run);
  }
  return emptied;
}

/* A store that is over its limit already may do what leaves it no worse. */
static bool
check_run_count(const gs_plan_inputs *inputs, const gs_plan *plan,
                const gs_plan_limits *limits, gs_refusal *refusal)
{
  bool makes_run =
      plan->target == GS_TARGET_ABOVE || plan->target == GS_TARGET_BOTTOM;
  size_t before = inputs->version->run_count;
  if (!makes_run || before < limits->max_runs || count_emptied(inputs) > 0) {
    return true;
  }
  GS_REFUSE(refusal, GS_REFUSAL_TOO_MANY,
            "the tree has %zu runs, may have %zu, and the plan adds one; merge "
            "into a run or take all tables of one",
            before, limits->max_runs);
  return false;
}

static bool
check_space(const gs_plan_inputs *inputs, const gs_plan *plan,
            const gs_plan_limits *limits, gs_refusal *refusal)
{
  if (plan->op != GS_PLAN_MERGE || inputs->file_bytes <= limits->free_bytes) {
    return true;
  }
  GS_REFUSE(refusal, GS_REFUSAL_NO_SPACE,
            "the inputs take %" PRIu64 " bytes and %" PRIu64 " are free for "
            "the output; take fewer inputs",
            inputs->file_bytes, limits->free_bytes);
  return false;
}

/* ---- all together --------------------------------------------------------- */

bool
gs_plan_check(const gs_version *version, const gs_plan *plan,
              const gs_claim *const *claims, size_t claim_count,
              const gs_plan_limits *limits, gs_refusal *refusal)
{
  gs_plan_inputs inputs;
  if (!check_numbers(plan, refusal) || !check_target(version, plan, refusal) ||
      !check_cuts(plan, refusal) ||
      !gs_plan_inputs_init(&inputs, version, plan, refusal) ||
      !gs_plan_check_unclaimed(&inputs, claims, claim_count, refusal)) {
    return false;
  }
  size_t position = target_position(version, plan, inputs.low);
  if (plan->op == GS_PLAN_DROP) {
    return gs_plan_check_drop(&inputs, limits, refusal) &&
           gs_plan_check_apart(&inputs, position, claims, claim_count, refusal);
  }
  return check_downward(&inputs, position, refusal) &&
         gs_plan_check_path(&inputs, plan, position, refusal) &&
         (plan->op != GS_PLAN_MOVE || gs_plan_check_move(&inputs, refusal)) &&
         gs_plan_check_apart(&inputs, position, claims, claim_count, refusal) &&
         check_run_count(&inputs, plan, limits, refusal) &&
         check_space(&inputs, plan, limits, refusal);
}

size_t
gs_plan_position(const gs_version *version, const gs_plan *plan)
{
  size_t low = 0;
  for (size_t i = 0; i < plan->input_count; i++) {
    size_t run;
    if (gs_version_find_table(version, plan->inputs[i], &run) != NULL &&
        run > low) {
      low = run;
    }
  }
  return target_position(version, plan, low);
}
