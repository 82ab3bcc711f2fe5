/*
 * select: the crash models that keep or lose each part as a whole.
 *
 *                time ->   write A (3 sectors)   create B   write C (1 sector)
 *   parts                  0      1      2       3          4
 *   SYNCED                 -      -      -       -          -
 *   PREFIX, choice 2       x      x      -       -          -
 *   OBJECT                 x      x      -       x          -
 *   MISSING, choice 1      x      -      x       x          x
 *   ALONE, choice 1        -      x      -       -          -
 *   SUBSET, choice 5       x      -      x       -          -
 */
#include <stdlib.h>

#include "env/sim/crash.h"

enum {
  CHOICE_BITS = 64,
  EXTREME = 4, /* of an object's prefixes, one in so many is empty, one full */
};

static uint64_t
parts_of(const gs_sim *sim, const sim_node *node)
{
  uint64_t parts = 0;
  for (size_t u = 0; u < node->unit_count; u++) {
    parts += gs_sim_unit_parts(sim, &node->units[u]);
  }
  return parts;
}

/* Fair draws alone would nearly never lose or keep all of a large file. */
static uint64_t
draw_prefix(uint64_t parts, uint64_t *random)
{
  switch (gs_sim_draw(random) % EXTREME) {
  case 0:
    return 0;
  case 1:
    return parts;
  default:
    return gs_sim_draw(random) % (parts + 1);
  }
}

sim_selection
gs_sim_selection_make(const gs_sim *sim, gs_crash_model model, uint64_t choice)
{
  uint64_t choices = gs_sim_choices(sim, model);
  sim_selection made = {
      .model = model,
      .choice = choices == 0 ? choice : choice % choices,
  };
  if (model == GS_CRASH_OBJECT) {
    uint64_t random = gs_sim_mix(sim->seed, choice);
    made.left = gs_sim_grab(sim->node_count * sizeof *made.left);
    for (size_t i = 0; i < sim->node_count; i++) {
      made.left[i] = draw_prefix(parts_of(sim, sim->nodes[i]), &random);
    }
  }
  return made;
}

void
gs_sim_selection_free(sim_selection *selection)
{
  free(selection->left);
}

bool
gs_sim_selection_keeps(sim_selection *selection, const sim_node *node,
                       uint64_t number)
{
  uint64_t choice = selection->choice;
  switch (selection->model) {
  case GS_CRASH_KILL:
    return true;
  case GS_CRASH_PREFIX:
    return number < choice;
  case GS_CRASH_MISSING:
    return number != choice;
  case GS_CRASH_ALONE:
    return number == choice;
  case GS_CRASH_SUBSET:
    return number < CHOICE_BITS && (choice >> number & 1) != 0;
  case GS_CRASH_OBJECT:
    if (selection->left[node->index] > 0) {
      selection->left[node->index]--;
      return true;
    }
    return false;
  case GS_CRASH_SYNCED:
  case GS_CRASH_RANDOM:
  case GS_CRASH_TORN:
  case GS_CRASH_HOSTILE:
    break;
  }
  return false;
}
