/*
 * explain: a crash in words, a line for each part:
 *
 *   lost /db/000007.wal 4096+512
 *   kept /db/000007.wal size 8192
 *   kept /db/ MANIFEST-000002
 *   lost /db/ -000001.sst
 *
 * where "-" before a name is its removal. Parts decided one by one come in
 * program order, scattered ones by file and place.
 */
#include <stdlib.h>

#include "env/sim/crash.h"

typedef unsigned long long ull;

void
gs_sim_explain_unit(const gs_sim *sim, const sim_node *node,
                    const sim_unit *unit, const char *fate, gs_buffer *out)
{
  gs_buffer_printf(out, "%s ", fate);
  gs_sim_path_of(sim, node, out);
  switch (unit->kind) {
  case SIM_UNIT_WRITE:
    gs_buffer_printf(out, " %llu+%llu\n", (ull)unit->offset, (ull)unit->size);
    break;
  case SIM_UNIT_RESIZE:
    gs_buffer_printf(out, " size %llu\n", (ull)unit->size);
    break;
  case SIM_UNIT_ENTRY:
    gs_buffer_printf(out, "%s %s%s\n", node->index == 0 ? "" : "/",
                     unit->node == NULL ? "-" : "", unit->name);
    break;
  }
}

static void
explain_step(const gs_sim *sim, const sim_step *step, sim_selection *selection,
             gs_buffer *out)
{
  uint64_t parts = gs_sim_unit_parts(sim, step->unit);
  for (uint64_t i = 0; i < parts; i++) {
    bool is_kept =
        gs_sim_selection_keeps(selection, step->node, step->first + i);
    sim_unit part = gs_sim_unit_cut(sim, step->unit, i, i + 1);
    gs_sim_explain_unit(sim, step->node, &part, is_kept ? "kept" : "lost", out);
  }
}

static void
explain_parts(const gs_sim *sim, gs_crash_model model, uint64_t choice,
              gs_buffer *out)
{
  size_t count = 0;
  sim_selection selection = gs_sim_selection_make(sim, model, choice);
  sim_step *all = gs_sim_history(sim, &count);
  for (size_t i = 0; i < count; i++) {
    explain_step(sim, &all[i], &selection, out);
  }
  free(all);
  gs_sim_selection_free(&selection);
}

void
gs_sim_explain(const gs_sim *sim, gs_crash_model model, uint64_t choice,
               gs_buffer *out)
{
  if (model != GS_CRASH_RANDOM && model != GS_CRASH_TORN &&
      model != GS_CRASH_HOSTILE) {
    explain_parts(sim, model, choice, out);
    return;
  }
  uint64_t random = gs_sim_mix(sim->seed, choice);
  gs_sim *copy = gs_sim_copy_durable(sim, random);
  gs_sim_scatter(copy, sim, model, random, out);
  gs_sim_free(copy);
}
