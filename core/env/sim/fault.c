/*
 * fault: every operation of the machine passes here first. Each rule counts the
 * operations that match it; the first rule whose turn has come decides.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "env/sim/state.h"

static bool
ends_with(const char *path, const char *suffix)
{
  size_t path_size = strlen(path);
  size_t suffix_size = strlen(suffix);
  return path_size >= suffix_size &&
         strcmp(path + path_size - suffix_size, suffix) == 0;
}

static bool
matches(const gs_sim_fault *rule, gs_sim_op op, const char *path)
{
  return (rule->op == GS_SIM_ANY || rule->op == op) &&
         (rule->suffix == NULL || ends_with(path, rule->suffix));
}

/* Counts a match and says whether it is the rule's turn. */
static bool
fires(sim_fault *fault)
{
  uint64_t first = fault->rule.nth > 0 ? fault->rule.nth : 1;
  fault->seen++;
  return fault->seen >= first &&
         (fault->rule.times == 0 || fault->seen - first < fault->rule.times);
}

static sim_verdict
verdict_of(const gs_sim_fault *rule)
{
  bool is_short = rule->os_errno == 0 && rule->short_bytes < SIZE_MAX;
  return (sim_verdict){
      .os_errno = rule->os_errno,
      .limit = is_short ? (size_t)rule->short_bytes : SIZE_MAX,
      .sync_failure = rule->sync_failure,
  };
}

sim_verdict
gs_sim_begin(gs_sim *sim, gs_sim_op op, const char *path)
{
  sim_verdict verdict = {
      .limit = SIZE_MAX,
      .sync_failure = GS_SYNC_PENDING,
  };
  bool is_decided = false;
  for (size_t i = 0; i < sim->fault_count; i++) {
    sim_fault *fault = &sim->faults[i];
    if (matches(&fault->rule, op, path) && fires(fault) && !is_decided) {
      verdict = verdict_of(&fault->rule);
      is_decided = true;
    }
  }
  if (sim->stop_at != 0 && sim->ops >= sim->stop_at) {
    verdict.os_errno = EIO;
    verdict.sync_failure = GS_SYNC_PENDING;
  }
  sim->ops++;
  return verdict;
}

gs_status
gs_sim_fail(gs_sim *sim, const gs_sim_fault *fault, gs_error *err)
{
  if ((unsigned)fault->op > GS_SIM_ANY || fault->os_errno < 0) {
    return GS_FAIL(err, GS_MISUSE, "a fault without a known operation");
  }
  sim->faults = gs_sim_grow(sim->faults, sim->fault_count, &sim->fault_capacity,
                            sizeof *sim->faults);
  sim_fault *added = &sim->faults[sim->fault_count++];
  *added = (sim_fault){.rule = *fault};
  if (fault->suffix != NULL) {
    added->suffix = gs_sim_grab_text(fault->suffix, strlen(fault->suffix));
    added->rule.suffix = added->suffix;
  }
  return GS_OK;
}

void
gs_sim_heal(gs_sim *sim)
{
  for (size_t i = 0; i < sim->fault_count; i++) {
    free(sim->faults[i].suffix);
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
