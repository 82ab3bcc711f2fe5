/*
 * crash: what power loss leaves.
 *
 * A copy begins with the durable states; then the model lets pending work
 * through. Pending work is counted in parts: a write consists of the sectors it
 * touches, everything else is one part.
 *
 *                time ->   write A (3 sectors)   create B   write C (1 sector)
 *   parts                  A1     A2     A3      B          C1
 *   SYNCED                 -      -      -       -          -
 *   PREFIX, choice 2       x      x      -       -          -
 *   RANDOM                 -      x      x       -          x
 *   TORN                   x      x/     -       x          -
 *
 * After a kill the machine runs on: all is readable, and what was pending is
 * pending still, so that a second, harder crash can take what the next process
 * has seen.
 */
#include <stdlib.h>
#include <string.h>

#include "env/sim/state.h"

sim_node *
gs_sim_twin(const gs_sim *copy, const sim_node *node)
{
  return node == NULL ? NULL : copy->nodes[node->index];
}

uint64_t
gs_sim_unit_parts(const sim_unit *unit)
{
  if (unit->kind != SIM_UNIT_WRITE) {
    return 1;
  }
  uint64_t first = unit->offset / SIM_SECTOR;
  uint64_t last = (unit->offset + unit->size - 1) / SIM_SECTOR;
  return last - first + 1;
}

static void
copy_state(const gs_sim *copy, sim_state *to, const sim_state *from)
{
  gs_sim_content_copy(&to->content, &from->content);
  for (size_t i = 0; i < from->entries.count; i++) {
    const sim_entry *entry = &from->entries.items[i];
    gs_sim_entries_set(&to->entries, entry->name,
                       gs_sim_twin(copy, entry->node));
  }
}

static void
copy_durable(gs_sim *copy, const gs_sim *sim)
{
  for (size_t i = 0; i < sim->node_count; i++) {
    sim_node *twin = gs_sim_node_add(copy, sim->nodes[i]->is_directory);
    twin->inode = sim->nodes[i]->inode;
  }
  for (size_t i = 0; i < sim->node_count; i++) {
    copy_state(copy, &copy->nodes[i]->durable, &sim->nodes[i]->durable);
  }
}

static void
copy_units(const gs_sim *copy, sim_node *to, const sim_node *from)
{
  for (size_t i = 0; i < from->unit_count; i++) {
    sim_unit unit = from->units[i];
    if (unit.bytes != NULL) {
      unit.bytes = gs_sim_grab((size_t)unit.size);
      memcpy(unit.bytes, from->units[i].bytes, (size_t)unit.size);
    }
    if (unit.name != NULL) {
      unit.name = gs_sim_grab_text(unit.name, strlen(unit.name));
    }
    unit.node = gs_sim_twin(copy, unit.node);
    to->units = gs_sim_grow(to->units, to->unit_count, &to->unit_capacity,
                            sizeof *to->units);
    to->units[to->unit_count++] = unit;
  }
}

static void
keep_running(gs_sim *copy, const gs_sim *sim)
{
  for (size_t i = 0; i < sim->node_count; i++) {
    copy_state(copy, &copy->nodes[i]->current, &sim->nodes[i]->current);
    copy_units(copy, copy->nodes[i], sim->nodes[i]);
  }
  copy->mono_us = sim->mono_us;
}

/* What reached the device is what there is. */
static void
start_again(gs_sim *copy)
{
  for (size_t i = 0; i < copy->node_count; i++) {
    copy_state(copy, &copy->nodes[i]->current, &copy->nodes[i]->durable);
  }
}

/* A unit and the node whose it is. */
typedef struct owned_unit {
  const sim_unit *unit;
  const sim_node *node;
} owned_unit;

static int
compare_orders(const void *a, const void *b)
{
  uint64_t left = ((const owned_unit *)a)->unit->order;
  uint64_t right = ((const owned_unit *)b)->unit->order;
  return (left > right) - (left < right);
}

/* All pending units in program order. Gives: free. */
static owned_unit *
history(const gs_sim *sim, size_t *count_out)
{
  size_t count = 0;
  for (size_t i = 0; i < sim->node_count; i++) {
    count += sim->nodes[i]->unit_count;
  }
  owned_unit *all = gs_sim_grab(count * sizeof *all);
  size_t filled = 0;
  for (size_t i = 0; i < sim->node_count; i++) {
    const sim_node *node = sim->nodes[i];
    for (size_t u = 0; u < node->unit_count; u++) {
      all[filled++] = (owned_unit){.unit = &node->units[u], .node = node};
    }
  }
  qsort(all, count, sizeof *all, compare_orders);
  *count_out = count;
  return all;
}

/* The first parts of a unit; of a write these are its first sectors. */
static void
apply_parts(const gs_sim *copy, const owned_unit *from, uint64_t parts)
{
  sim_unit unit = *from->unit;
  if (unit.kind == SIM_UNIT_WRITE) {
    uint64_t end = (unit.offset / SIM_SECTOR + parts) * SIM_SECTOR;
    uint64_t size = end - unit.offset;
    unit.size = size < unit.size ? size : unit.size;
  }
  gs_sim_state_apply(&gs_sim_twin(copy, from->node)->durable, &unit,
                     gs_sim_twin(copy, unit.node));
}

static void
keep_prefix(const gs_sim *copy, const gs_sim *sim, uint64_t parts)
{
  size_t count = 0;
  owned_unit *all = history(sim, &count);
  for (size_t i = 0; i < count && parts > 0; i++) {
    uint64_t whole = gs_sim_unit_parts(all[i].unit);
    uint64_t kept = parts < whole ? parts : whole;
    apply_parts(copy, &all[i], kept);
    parts -= kept;
  }
  free(all);
}

uint64_t
gs_sim_pending(const gs_sim *sim)
{
  uint64_t parts = 0;
  for (size_t i = 0; i < sim->node_count; i++) {
    const sim_node *node = sim->nodes[i];
    for (size_t u = 0; u < node->unit_count; u++) {
      parts += gs_sim_unit_parts(&node->units[u]);
    }
  }
  return parts;
}

gs_sim *
gs_sim_crash(const gs_sim *sim, gs_crash_model model, uint64_t choice)
{
  uint64_t random = gs_sim_mix(sim->seed, choice);
  gs_sim *copy = gs_sim_bare(random);
  copy->process = sim->process + 1;
  copy->wall_ms = sim->wall_ms;
  copy->capacity = sim->capacity;
  copy->next_order = sim->next_order;
  copy_durable(copy, sim);
  copy->next_inode = sim->next_inode;
  switch (model) {
  case GS_CRASH_SYNCED:
  case GS_CRASH_KILL:
    break;
  case GS_CRASH_PREFIX:
    keep_prefix(copy, sim, choice % (gs_sim_pending(sim) + 1));
    break;
  case GS_CRASH_RANDOM:
  case GS_CRASH_TORN:
    gs_sim_scatter(copy, sim, model == GS_CRASH_TORN, random);
    break;
  }
  if (model == GS_CRASH_KILL) {
    keep_running(copy, sim);
  } else {
    start_again(copy);
  }
  gs_sim_collect(copy);
  return copy;
}
