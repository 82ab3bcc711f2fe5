/*
 * fault: every operation of the machine passes here first. Each rule counts the
 * operations that match it; the first rule whose turn has come decides.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "env/sim/call.h"

static bool
matches(const gs_sim_fault *rule, gs_sim_op op, const char *path)
{
  return (rule->op == GS_SIM_ANY || rule->op == op) &&
         (rule->path == NULL || gs_sim_pattern_matches(rule->path, path));
}

/* Counts a match and says whether it is the rule's turn. */
static bool
fires(gs_sim *sim, sim_fault *fault)
{
  const gs_sim_fault *rule = &fault->rule;
  uint64_t first = rule->nth > 0 ? rule->nth : 1;
  fault->seen++;
  if (fault->seen < first ||
      (rule->times != 0 && fault->seen - first >= rule->times)) {
    return false;
  }
  return rule->one_in <= 1 || gs_sim_draw(&sim->chance) % rule->one_in == 0;
}

static sim_verdict
verdict_of(const gs_sim_fault *rule)
{
  return (sim_verdict){
      .os_errno = rule->effect == GS_SIM_ERROR ? rule->os_errno : 0,
      .effect = rule->effect,
      .amount = rule->amount,
      .sync_failure = rule->sync_failure,
  };
}

/* Every rule counts, the first one decides. */
static sim_verdict
judge(gs_sim *sim, gs_sim_op op, const char *path)
{
  sim_verdict verdict = {.sync_failure = GS_SYNC_PENDING};
  bool is_decided = false;
  for (size_t i = 0; i < sim->fault_count; i++) {
    sim_fault *fault = &sim->faults[i];
    if (matches(&fault->rule, op, path) && fires(sim, fault) && !is_decided) {
      verdict = verdict_of(&fault->rule);
      is_decided = true;
    }
  }
  if (sim->stop_at != 0 && sim->ops >= sim->stop_at) {
    verdict = (sim_verdict){
        .os_errno = EIO,
        .sync_failure = GS_SYNC_PENDING,
    };
  }
  return verdict;
}

sim_call
gs_sim_begin(gs_sim *sim, gs_sim_op op, const char *path)
{
  gs_sim_turn(sim, gs_sim_op_name(op));
  gs_sim_watch_look(sim);
  sim_verdict verdict = judge(sim, op, path);
  return (sim_call){
      .op = op,
      .path = path,
      .number = ++sim->ops,
      .verdict = verdict,
  };
}

gs_status
gs_sim_fail(gs_sim *sim, const gs_sim_fault *fault, gs_error *err)
{
  if ((unsigned)fault->op > GS_SIM_ANY ||
      (unsigned)fault->effect > GS_SIM_MISDIRECT ||
      (unsigned)fault->sync_failure > GS_SYNC_LATE || fault->os_errno < 0) {
    return GS_FAIL(err, GS_MISUSE, "a fault without a known operation");
  }
  sim->faults = gs_sim_grow(sim->faults, sim->fault_count, &sim->fault_capacity,
                            sizeof *sim->faults);
  sim_fault *added = &sim->faults[sim->fault_count++];
  *added = (sim_fault){.rule = *fault};
  if (fault->path != NULL) {
    added->path = gs_sim_grab_text(fault->path, strlen(fault->path));
    added->rule.path = added->path;
  }
  return GS_OK;
}

void
gs_sim_heal(gs_sim *sim)
{
  for (size_t i = 0; i < sim->fault_count; i++) {
    free(sim->faults[i].path);
  }
  sim->fault_count = 0;
}

uint64_t
gs_sim_ops(const gs_sim *sim)
{
  return sim->ops;
}

void
gs_sim_stop_at(gs_sim *sim, uint64_t ops)
{
  sim->stop_at = ops;
}
