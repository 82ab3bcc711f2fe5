/*
 * crash: what power loss leaves. A copy begins with the durable states; then
 * the model lets pending work through: part by part (select), or sector by
 * sector and name by name (scatter).
 *
 * After a kill the machine runs on: all is readable, and what was pending is
 * pending still, so that a second, harder crash can take what the next process
 * has seen.
 */
#include <stdlib.h>

#include "env/sim/crash.h"

/* Applies parts [from, to) of a unit to the durable state of its twin. */
static void
keep_parts(const gs_sim *copy, const sim_step *step, uint64_t from, uint64_t to)
{
  if (from < to) {
    sim_unit part = gs_sim_unit_cut(copy, step->unit, from, to);
    gs_sim_state_apply(&gs_sim_twin(copy, step->node)->durable, &part,
                       gs_sim_twin(copy, part.node));
  }
}

/* Runs of parts that survive are applied as one. */
static void
keep_selected(const gs_sim *copy, const sim_step *step,
              sim_selection *selection)
{
  uint64_t parts = gs_sim_unit_parts(copy, step->unit);
  uint64_t from = 0;
  for (uint64_t i = 0; i < parts; i++) {
    if (!gs_sim_selection_keeps(selection, step->node, step->first + i)) {
      keep_parts(copy, step, from, i);
      from = i + 1;
    }
  }
  keep_parts(copy, step, from, parts);
}

static void
select_parts(const gs_sim *copy, const gs_sim *sim, gs_crash_model model,
             uint64_t choice)
{
  size_t count = 0;
  sim_selection selection = gs_sim_selection_make(sim, model, choice);
  sim_step *all = gs_sim_history(sim, &count);
  for (size_t i = 0; i < count; i++) {
    keep_selected(copy, &all[i], &selection);
  }
  free(all);
  gs_sim_selection_free(&selection);
}

static void
let_through(gs_sim *copy, const gs_sim *sim, gs_crash_model model,
            uint64_t choice)
{
  switch (model) {
  case GS_CRASH_SYNCED:
  case GS_CRASH_KILL:
    break;
  case GS_CRASH_PREFIX:
  case GS_CRASH_OBJECT:
  case GS_CRASH_MISSING:
  case GS_CRASH_ALONE:
  case GS_CRASH_SUBSET:
    select_parts(copy, sim, model, choice);
    break;
  case GS_CRASH_RANDOM:
  case GS_CRASH_TORN:
  case GS_CRASH_HOSTILE:
    gs_sim_scatter(copy, sim, model, gs_sim_mix(sim->seed, choice), NULL);
    break;
  }
}

gs_sim *
gs_sim_crash(const gs_sim *sim, gs_crash_model model, uint64_t choice)
{
  gs_sim *copy = gs_sim_copy_durable(sim, gs_sim_mix(sim->seed, choice));
  let_through(copy, sim, model, choice);
  if (model == GS_CRASH_KILL) {
    gs_sim_keep_running(copy, sim);
  } else {
    gs_sim_start_again(copy);
  }
  gs_sim_collect(copy);
  return copy;
}
