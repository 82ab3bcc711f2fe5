/*
 * plan_path: no table that stays stands in the way of an input.
 *
 * The runs on the way are asked from the newest. So when run j is the first
 * with a table in the way, everything above it is clear, and a target just
 * above run j is a way out, provided no input is older than that.
 */
#include <inttypes.h>

#include "tree/plan_rules.h"
#include "tree/refusal.h"

static void
refuse_stay(const gs_plan_inputs *inputs, const gs_plan *plan, size_t at,
            const gs_tree_table *stay, size_t run, gs_refusal *refusal)
{
  const gs_tree_table *input = gs_plan_inputs_at(inputs, at);
  const gs_version *version = inputs->version;
  uint64_t from = version->runs[gs_place_run(inputs->places[at])]->id;
  uint64_t there = version->runs[run]->id;
  if (plan->target == GS_TARGET_INTO && plan->run_id == there) {
    GS_REFUSE(refusal, GS_REFUSAL_PATH_BLOCKED,
              "table %" PRIu64 " stays in the target, run %" PRIu64
              ", and overlaps input %" PRIu64 " of run %" PRIu64
              "; add it, or aim above run %" PRIu64,
              stay->meta.id, there, input->meta.id, from, there);
  } else if (inputs->low <= run) {
    GS_REFUSE(refusal, GS_REFUSAL_PATH_BLOCKED,
              "table %" PRIu64 " in run %" PRIu64
              " stays, overlaps input %" PRIu64 " of run %" PRIu64
              " and is older than it; add it, or aim above run %" PRIu64,
              stay->meta.id, there, input->meta.id, from, there);
  } else {
    GS_REFUSE(refusal, GS_REFUSAL_PATH_BLOCKED,
              "table %" PRIu64 " in run %" PRIu64
              " stays, overlaps input %" PRIu64 " of run %" PRIu64
              " and is older than it; add it, or leave the input out",
              stay->meta.id, there, input->meta.id, from);
  }
  gs_plan_inputs_name_stays(inputs, input, run, refusal);
}

bool
gs_plan_check_path(const gs_plan_inputs *inputs, const gs_plan *plan,
                   size_t position, gs_refusal *refusal)
{
  for (size_t run = inputs->top + 1;
       2 * run + 1 <= position && run < inputs->version->run_count; run++) {
    size_t at;
    const gs_tree_table *stay = gs_plan_inputs_find_stay(inputs, run, &at);
    if (stay != NULL) {
      refuse_stay(inputs, plan, at, stay, run, refusal);
      return false;
    }
  }
  return true;
}

/* The first input in the run that overlaps the input at `at`; NULL if none. */
static const gs_tree_table *
find_met_input(const gs_plan_inputs *inputs, size_t at, size_t run)
{
  const gs_table_meta *meta = &gs_plan_inputs_at(inputs, at)->meta;
  const gs_run *below = inputs->version->runs[run];
  size_t end;
  size_t begin = gs_run_overlap(below, meta->min_key, meta->max_key, &end);
  if (gs_plan_inputs_count(inputs, run, begin, end) == 0) {
    return NULL;
  }
  while (gs_plan_inputs_count(inputs, run, begin, begin + 1) == 0) {
    begin++;
  }
  return below->tables[begin];
}

bool
gs_plan_check_move(const gs_plan_inputs *inputs, gs_refusal *refusal)
{
  for (size_t at = 0; at < inputs->count; at++) {
    for (size_t run = gs_place_run(inputs->places[at]) + 1; run <= inputs->low;
         run++) {
      const gs_tree_table *met = find_met_input(inputs, at, run);
      if (met != NULL) {
        uint64_t id = gs_plan_inputs_at(inputs, at)->meta.id;
        GS_REFUSE(refusal, GS_REFUSAL_NEEDS_REWRITE,
                  "inputs %" PRIu64 " and %" PRIu64 " overlap and cannot stand "
                  "in one run as they are; merge them",
                  id, met->meta.id);
        gs_refusal_add_table(refusal, id);
        gs_refusal_add_table(refusal, met->meta.id);
        return false;
      }
    }
  }
  return true;
}
