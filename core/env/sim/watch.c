/*
 * watch: copies of the machine as it is before its operations, taken while it
 * runs on. A copy is taken only where something may have reached the disk since
 * the last one: units were added, or some became durable. Both are told by the
 * order of the next unit together with the number of pending ones.
 */
#include <stdlib.h>

#include "env/sim/state.h"

static uint64_t
pending_units(const gs_sim *sim)
{
  uint64_t count = 0;
  for (size_t i = 0; i < sim->node_count; i++) {
    count += sim->nodes[i]->unit_count;
  }
  return count;
}

static void
forget_copies(sim_watch *watch)
{
  for (size_t i = watch->taken; i < watch->count; i++) {
    gs_sim_free(watch->copies[i]);
  }
  free(watch->copies);
  *watch = (sim_watch){0};
}

void
gs_sim_watch_look(gs_sim *sim)
{
  sim_watch *watch = &sim->watch;
  if (sim->ops < watch->from || sim->ops >= watch->to) {
    return;
  }
  uint64_t units = pending_units(sim);
  if (watch->order == sim->next_order && watch->units == units &&
      watch->has_looked) {
    return;
  }
  watch->has_looked = true;
  watch->order = sim->next_order;
  watch->units = units;
  watch->copies = gs_sim_grow(watch->copies, watch->count, &watch->capacity,
                              sizeof(gs_sim *));
  watch->copies[watch->count++] = gs_sim_copy(sim);
}

void
gs_sim_watch_end(gs_sim *sim)
{
  forget_copies(&sim->watch);
}

void
gs_sim_watch(gs_sim *sim, uint64_t from, uint64_t to)
{
  forget_copies(&sim->watch);
  sim->watch.from = from;
  sim->watch.to = to;
}

gs_sim *
gs_sim_take_copy(gs_sim *sim)
{
  sim_watch *watch = &sim->watch;
  return watch->taken < watch->count ? watch->copies[watch->taken++] : NULL;
}
