/*
 * copy: a second machine with the nodes of the first. Bytes, tables of pages
 * and names are shared and counted, so a copy costs by the number of files and
 * names, not by what is in them.
 */
#include <string.h>

#include "env/sim/crash.h"

sim_node *
gs_sim_twin(const gs_sim *copy, const sim_node *node)
{
  return node == NULL ? NULL : copy->nodes[node->index];
}

static void
copy_entries(const gs_sim *copy, sim_entries *to, const sim_entries *from)
{
  if (from->count == 0) {
    return;
  }
  to->items = gs_sim_grab(from->count * sizeof *to->items);
  to->count = from->count;
  to->capacity = from->count;
  for (size_t i = 0; i < from->count; i++) {
    to->items[i] = (sim_entry){
        .name = gs_sim_share_again(from->items[i].name),
        .node = gs_sim_twin(copy, from->items[i].node),
    };
  }
}

/* Requires: `to` is empty. */
static void
copy_state(const gs_sim *copy, sim_state *to, const sim_state *from)
{
  gs_sim_content_copy(&to->content, &from->content);
  copy_entries(copy, &to->entries, &from->entries);
}

static void
copy_units(const gs_sim *copy, sim_node *to, const sim_node *from)
{
  if (from->unit_count == 0) {
    return;
  }
  to->units = gs_sim_grab(from->unit_count * sizeof *to->units);
  to->unit_count = from->unit_count;
  to->unit_capacity = from->unit_count;
  memcpy(to->units, from->units, from->unit_count * sizeof *to->units);
  for (size_t i = 0; i < from->unit_count; i++) {
    sim_unit *unit = &to->units[i];
    unit->bytes = gs_sim_share_again(unit->bytes);
    unit->name = gs_sim_share_again(unit->name);
    unit->node = gs_sim_twin(copy, unit->node);
  }
}

gs_sim *
gs_sim_copy_durable(const gs_sim *sim, uint64_t seed)
{
  gs_sim *copy = gs_sim_bare(seed);
  copy->process = sim->process + 1;
  copy->wall_ms = sim->wall_ms;
  copy->capacity = sim->capacity;
  copy->open_limit = sim->open_limit;
  copy->sector = sim->sector;
  for (size_t i = 0; i < sim->node_count; i++) {
    sim_node *twin = gs_sim_node_add(copy, sim->nodes[i]->is_directory);
    twin->inode = sim->nodes[i]->inode;
  }
  for (size_t i = 0; i < sim->node_count; i++) {
    copy_state(copy, &copy->nodes[i]->durable, &sim->nodes[i]->durable);
  }
  copy->next_order = sim->next_order;
  copy->next_inode = sim->next_inode;
  return copy;
}

void
gs_sim_keep_running(gs_sim *copy, const gs_sim *sim)
{
  for (size_t i = 0; i < sim->node_count; i++) {
    const sim_node *from = sim->nodes[i];
    sim_node *to = copy->nodes[i];
    copy_state(copy, &to->current, &from->current);
    copy_entries(copy, &to->ghosts, &from->ghosts);
    copy_units(copy, to, from);
    to->late_count = from->late_count;
    to->late_errno = from->late_errno;
  }
  copy->mono_us = sim->mono_us;
}

void
gs_sim_start_again(gs_sim *copy)
{
  for (size_t i = 0; i < copy->node_count; i++) {
    copy_state(copy, &copy->nodes[i]->current, &copy->nodes[i]->durable);
  }
}

gs_sim *
gs_sim_copy(const gs_sim *sim)
{
  gs_sim *copy = gs_sim_copy_durable(sim, sim->seed);
  gs_sim_keep_running(copy, sim);
  copy->random = sim->random;
  copy->chance = sim->chance;
  copy->ops = sim->ops;
  gs_sim_collect(copy);
  return copy;
}
