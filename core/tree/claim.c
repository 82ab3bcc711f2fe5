/*
 * claim: what a running job keeps others from.
 *
 * A claim names runs by id, because positions shift when a flush adds a run.
 * A job that runs keeps its inputs in the tree, and with them their runs; but
 * the run it aims at may vanish, if another job takes all of its tables. Then
 * nothing says where in the older part of the tree the output was to stand, and
 * the claim covers all of that part.
 */
#include <inttypes.h>

#include "tree/plan_rules.h"
#include "tree/refusal.h"
#include "tree/sort.h"

/* ---- claims --------------------------------------------------------------- */

/* Copies the inputs, and finds the runs and the hull on the way. */
static gs_status
fill(gs_claim *claim, const gs_version *version, const gs_plan *plan,
     gs_error *err)
{
  size_t top = SIZE_MAX;
  size_t low = 0;
  gs_slice min = {0};
  gs_slice max = {0};
  for (size_t i = 0; i < plan->input_count; i++) {
    size_t run;
    const gs_tree_table *table =
        gs_version_find_table(version, plan->inputs[i], &run);
    if (table == NULL) {
      return GS_FAIL(err, GS_MISUSE,
                     "table %" PRIu64 " is claimed and not in the tree",
                     plan->inputs[i]);
    }
    const gs_table_meta *meta = &table->meta;
    min = i == 0 || gs_slice_compare(meta->min_key, min) < 0 ? meta->min_key
                                                             : min;
    max = i == 0 || gs_slice_compare(meta->max_key, max) > 0 ? meta->max_key
                                                             : max;
    top = run < top ? run : top;
    low = run > low ? run : low;
    claim->inputs[i] = plan->inputs[i];
  }
  gs_sort_u64(claim->inputs, claim->input_count);
  claim->top_run_id = version->runs[top]->id;
  claim->low_run_id = version->runs[low]->id;
  gs_buffer_append_slice(&claim->min_key, min);
  gs_buffer_append_slice(&claim->max_key, max);
  gs_status status = gs_buffer_status(&claim->min_key, err);
  return status == GS_OK ? gs_buffer_status(&claim->max_key, err) : status;
}

gs_status
gs_claim_new(gs_alloc *alloc, uint64_t job_id, const gs_version *version,
             const gs_plan *plan, gs_claim **out, gs_error *err)
{
  gs_claim *claim = GS_NEW(alloc, gs_claim);
  if (claim == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  claim->job_id = job_id;
  claim->target = plan->target;
  claim->target_run_id = plan->run_id;
  gs_buffer_init(&claim->min_key, alloc);
  gs_buffer_init(&claim->max_key, alloc);
  claim->input_count = plan->input_count;
  claim->inputs = gs_alloc_array(alloc, plan->input_count, sizeof(uint64_t));
  gs_status status = claim->inputs == NULL ? GS_FAIL_NOMEM(err)
                                           : fill(claim, version, plan, err);
  if (status != GS_OK) {
    gs_claim_free(alloc, claim);
    return status;
  }
  *out = claim;
  return GS_OK;
}

void
gs_claim_free(gs_alloc *alloc, gs_claim *claim)
{
  if (claim == NULL) {
    return;
  }
  gs_alloc_free(alloc, claim->inputs, claim->input_count * sizeof(uint64_t));
  gs_buffer_deinit(&claim->min_key);
  gs_buffer_deinit(&claim->max_key);
  GS_DELETE(alloc, claim);
}

/* ---- C5 ------------------------------------------------------------------- */

static bool
has_input(const gs_claim *claim, uint64_t table_id)
{
  size_t at = gs_find_u64(claim->inputs, claim->input_count, table_id);
  return at < claim->input_count && claim->inputs[at] == table_id;
}

bool
gs_plan_check_unclaimed(const gs_plan_inputs *inputs,
                        const gs_claim *const *claims, size_t claim_count,
                        gs_refusal *refusal)
{
  for (size_t c = 0; c < claim_count; c++) {
    for (size_t at = 0; at < inputs->count; at++) {
      uint64_t id = gs_plan_inputs_at(inputs, at)->meta.id;
      if (has_input(claims[c], id)) {
        GS_REFUSE(refusal, GS_REFUSAL_BUSY_TABLE,
                  "table %" PRIu64 " is an input of job %" PRIu64
                  ", which is running; wait for its end",
                  id, claims[c]->job_id);
        gs_refusal_add_table(refusal, id);
        return false;
      }
    }
  }
  return true;
}

/* The closed interval of positions a job works in. */
typedef struct span {
  size_t top;
  size_t low;
} span;

static size_t
claimed_target(const gs_version *version, const gs_claim *claim)
{
  size_t bottom = 2 * version->run_count;
  size_t run = gs_version_find_run(version, claim->target_run_id);
  switch (claim->target) {
  case GS_TARGET_INTO:
    return run == SIZE_MAX ? bottom : 2 * run + 1;
  case GS_TARGET_ABOVE:
    return run == SIZE_MAX ? bottom : 2 * run;
  case GS_TARGET_BOTTOM:
    return bottom;
  case GS_TARGET_NONE:
    break;
  }
  return 0;
}

static span
claimed_span(const gs_version *version, const gs_claim *claim)
{
  size_t top = gs_version_find_run(version, claim->top_run_id);
  size_t low = gs_version_find_run(version, claim->low_run_id);
  size_t target = claimed_target(version, claim);
  size_t oldest = low == SIZE_MAX ? 2 * version->run_count : 2 * low + 1;
  return (span){top == SIZE_MAX ? 0 : 2 * top + 1,
                target > oldest ? target : oldest};
}

static bool
hulls_meet(const gs_plan_inputs *inputs, const gs_claim *claim)
{
  return gs_slice_compare(inputs->min_key, gs_buffer_slice(&claim->max_key)) <=
             0 &&
         gs_slice_compare(gs_buffer_slice(&claim->min_key), inputs->max_key) <=
             0;
}

static void
refuse_claimed(const gs_plan_inputs *inputs, const gs_claim *claim,
               gs_refusal *refusal)
{
  uint64_t input = gs_plan_inputs_at(inputs, 0)->meta.id;
  GS_REFUSE(refusal, GS_REFUSAL_CLAIMED,
            "job %" PRIu64 " is running on overlapping keys in the same part "
            "of the tree, from run %" PRIu64 " down: it has table %" PRIu64
            ", the plan table %" PRIu64 "; wait for its end, or choose other "
            "keys or runs",
            claim->job_id, claim->top_run_id, claim->inputs[0], input);
  gs_refusal_add_table(refusal, input);
  for (size_t i = 0; i < claim->input_count; i++) {
    gs_refusal_add_table(refusal, claim->inputs[i]);
  }
}

bool
gs_plan_check_apart(const gs_plan_inputs *inputs, size_t position,
                    const gs_claim *const *claims, size_t claim_count,
                    gs_refusal *refusal)
{
  size_t oldest = 2 * inputs->low + 1;
  span wanted = {2 * inputs->top + 1, position > oldest ? position : oldest};
  for (size_t c = 0; c < claim_count; c++) {
    span claimed = claimed_span(inputs->version, claims[c]);
    if (wanted.top <= claimed.low && claimed.top <= wanted.low &&
        hulls_meet(inputs, claims[c])) {
      refuse_claimed(inputs, claims[c], refusal);
      return false;
    }
  }
  return true;
}
