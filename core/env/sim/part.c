/*
 * part: pending work counted in parts. A write consists of the sectors it
 * touches, everything else is one part; parts are numbered through all files
 * and directories in program order.
 */
#include <stdlib.h>

#include "env/sim/crash.h"

enum { SUBSET_PARTS = 20 }; /* subsets of more cannot be visited */

uint64_t
gs_sim_unit_parts(const gs_sim *sim, const sim_unit *unit)
{
  if (unit->kind != SIM_UNIT_WRITE) {
    return 1;
  }
  uint64_t first = unit->offset / sim->sector;
  uint64_t last = (unit->offset + unit->size - 1) / sim->sector;
  return last - first + 1;
}

sim_unit
gs_sim_unit_cut(const gs_sim *sim, const sim_unit *unit, uint64_t from,
                uint64_t to)
{
  sim_unit part = *unit;
  if (unit->kind != SIM_UNIT_WRITE) {
    return part;
  }
  uint64_t first = unit->offset / sim->sector;
  uint64_t start = (first + from) * sim->sector;
  uint64_t end = (first + to) * sim->sector;
  start = start > unit->offset ? start : unit->offset;
  end = end < unit->offset + unit->size ? end : unit->offset + unit->size;
  part.bytes += start - unit->offset;
  part.offset = start;
  part.size = end - start;
  return part;
}

/* The units of one node that were not listed yet; they are in order. */
typedef struct queue {
  const sim_node *node;
  size_t next;
} queue;

static const sim_unit *
front(const queue *from)
{
  return &from->node->units[from->next];
}

/* The queue with the oldest unit. Few nodes have pending units at a time, so
 * that looking at all their fronts beats sorting. */
static size_t
find_oldest(const queue *queues, size_t count)
{
  size_t oldest = 0;
  for (size_t i = 1; i < count; i++) {
    if (front(&queues[i])->order < front(&queues[oldest])->order) {
      oldest = i;
    }
  }
  return oldest;
}

/* Gives: free. */
static queue *
list_queues(const gs_sim *sim, size_t *count, size_t *unit_count)
{
  queue *queues = gs_sim_grab(sim->node_count * sizeof *queues);
  *count = 0;
  *unit_count = 0;
  for (size_t i = 0; i < sim->node_count; i++) {
    if (sim->nodes[i]->unit_count > 0) {
      queues[(*count)++] = (queue){.node = sim->nodes[i]};
      *unit_count += sim->nodes[i]->unit_count;
    }
  }
  return queues;
}

sim_step *
gs_sim_history(const gs_sim *sim, size_t *count)
{
  size_t queue_count;
  queue *queues = list_queues(sim, &queue_count, count);
  sim_step *all = gs_sim_grab(*count * sizeof *all);
  uint64_t number = 0;
  for (size_t i = 0; i < *count; i++) {
    size_t at = find_oldest(queues, queue_count);
    all[i] = (sim_step){
        .unit = front(&queues[at]),
        .node = queues[at].node,
        .first = number,
    };
    number += gs_sim_unit_parts(sim, all[i].unit);
    if (++queues[at].next == queues[at].node->unit_count) {
      queues[at] = queues[--queue_count];
    }
  }
  free(queues);
  return all;
}

uint64_t
gs_sim_pending(const gs_sim *sim)
{
  uint64_t parts = 0;
  for (size_t i = 0; i < sim->node_count; i++) {
    const sim_node *node = sim->nodes[i];
    for (size_t u = 0; u < node->unit_count; u++) {
      parts += gs_sim_unit_parts(sim, &node->units[u]);
    }
  }
  return parts;
}

uint64_t
gs_sim_choices(const gs_sim *sim, gs_crash_model model)
{
  uint64_t parts = gs_sim_pending(sim);
  switch (model) {
  case GS_CRASH_SYNCED:
  case GS_CRASH_KILL:
    return 1;
  case GS_CRASH_PREFIX:
    return parts + 1;
  case GS_CRASH_MISSING:
  case GS_CRASH_ALONE:
    return parts;
  case GS_CRASH_SUBSET:
    return parts <= SUBSET_PARTS ? UINT64_C(1) << parts : 0;
  case GS_CRASH_RANDOM:
  case GS_CRASH_TORN:
  case GS_CRASH_OBJECT:
  case GS_CRASH_HOSTILE:
    break;
  }
  return UINT64_MAX;
}
