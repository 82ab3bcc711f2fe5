/*
 * node: the life of files and directories: units are added, become durable or
 * are lost, and nodes nobody refers to go.
 */
#include <stdlib.h>
#include <string.h>

#include "env/sim/state.h"

sim_node *
gs_sim_node_add(gs_sim *sim, bool is_directory)
{
  sim->nodes = gs_sim_grow(sim->nodes, sim->node_count, &sim->node_capacity,
                           sizeof(sim_node *));
  sim_node *node = gs_sim_grab(sizeof *node);
  node->index = sim->node_count;
  node->inode = sim->next_inode++;
  node->is_directory = is_directory;
  sim->nodes[sim->node_count++] = node;
  return node;
}

static void
forget_units(sim_node *node)
{
  for (size_t i = 0; i < node->unit_count; i++) {
    gs_sim_share_no_more(node->units[i].bytes);
    gs_sim_share_no_more(node->units[i].name);
  }
  node->unit_count = 0;
  node->late_count = 0;
  node->late_errno = 0;
}

static void
free_entries(sim_entries *entries)
{
  sim_state state = {.entries = *entries};
  gs_sim_state_free(&state);
  *entries = (sim_entries){0};
}

void
gs_sim_node_free(sim_node *node)
{
  forget_units(node);
  free(node->units);
  free_entries(&node->ghosts);
  gs_sim_state_free(&node->durable);
  gs_sim_state_free(&node->current);
  free(node);
}

/* Takes what the unit owns. */
static void
add_unit(gs_sim *sim, sim_node *node, sim_unit unit)
{
  node->units = gs_sim_grow(node->units, node->unit_count, &node->unit_capacity,
                            sizeof *node->units);
  unit.order = sim->next_order++;
  node->units[node->unit_count++] = unit;
  gs_sim_state_apply(&node->current, &unit, unit.node);
}

void
gs_sim_node_write(gs_sim *sim, sim_node *node, uint64_t offset,
                  const void *data, size_t size)
{
  add_unit(sim, node,
           (sim_unit){
               .kind = SIM_UNIT_WRITE,
               .offset = offset,
               .size = size,
               .bytes = gs_sim_share(data, size),
           });
}

void
gs_sim_node_resize(gs_sim *sim, sim_node *node, uint64_t size)
{
  add_unit(sim, node, (sim_unit){.kind = SIM_UNIT_RESIZE, .size = size});
}

void
gs_sim_node_enter(gs_sim *sim, sim_node *dir, const char *name, sim_node *node)
{
  add_unit(sim, dir,
           (sim_unit){
               .kind = SIM_UNIT_ENTRY,
               .name = gs_sim_share(name, strlen(name)),
               .node = node,
           });
}

/* A directory keeps the last names that went for good. */
static void
remember_ghost(sim_node *dir, const sim_unit *unit)
{
  sim_node *gone = gs_sim_entries_find(&dir->durable.entries, unit->name);
  if (unit->node != NULL || gone == NULL || gone->is_directory) {
    return;
  }
  if (dir->ghosts.count == SIM_GHOSTS) {
    gs_sim_entries_set(&dir->ghosts, dir->ghosts.items[0].name, NULL);
  }
  gs_sim_entries_set(&dir->ghosts, unit->name, gone);
}

void
gs_sim_node_sync(sim_node *node)
{
  for (size_t i = 0; node->is_directory && i < node->unit_count; i++) {
    remember_ghost(node, &node->units[i]);
  }
  for (size_t i = 0; i < node->unit_count; i++) {
    gs_sim_state_apply(&node->durable, &node->units[i], node->units[i].node);
  }
  forget_units(node);
}

void
gs_sim_node_fail_sync(sim_node *node, gs_sync_failure failure)
{
  switch (failure) {
  case GS_SYNC_CLEAN:
    forget_units(node);
    break;
  case GS_SYNC_REVERT:
    forget_units(node);
    gs_sim_content_copy(&node->current.content, &node->durable.content);
    break;
  case GS_SYNC_PENDING:
  case GS_SYNC_LATE:
    break;
  }
}

void
gs_sim_node_sync_late(sim_node *node, int os_errno)
{
  node->late_errno = os_errno;
  node->late_count = node->unit_count;
}

int
gs_sim_node_settle_late(sim_node *node)
{
  int os_errno = node->late_errno;
  for (size_t i = 0; i < node->late_count; i++) {
    gs_sim_share_no_more(node->units[i].bytes);
  }
  node->unit_count -= node->late_count;
  memmove(node->units, node->units + node->late_count,
          node->unit_count * sizeof *node->units);
  node->late_count = 0;
  node->late_errno = 0;
  return os_errno;
}

void
gs_sim_node_settle(sim_node *dir, const char *name, sim_node *node)
{
  size_t kept = 0;
  for (size_t i = 0; i < dir->unit_count; i++) {
    if (strcmp(dir->units[i].name, name) == 0) {
      gs_sim_share_no_more(dir->units[i].name);
    } else {
      dir->units[kept++] = dir->units[i];
    }
  }
  dir->unit_count = kept;
  gs_sim_entries_set(&dir->durable.entries, name, node);
  gs_sim_entries_set(&dir->current.entries, name, node);
}

static void mark(sim_node *node, bool is_current_only);

static void
mark_entries(const sim_entries *entries, bool is_current_only)
{
  for (size_t i = 0; i < entries->count; i++) {
    mark(entries->items[i].node, is_current_only);
  }
}

/* Marks what is reached from the node: by the names that hold now, or also by
 * those that a crash could bring back. */
static void
mark(sim_node *node, bool is_current_only)
{
  if (node == NULL || node->is_marked) {
    return;
  }
  node->is_marked = true;
  mark_entries(&node->current.entries, is_current_only);
  if (is_current_only) {
    return;
  }
  mark_entries(&node->durable.entries, false);
  mark_entries(&node->ghosts, false);
  for (size_t i = 0; i < node->unit_count; i++) {
    mark(node->units[i].node, false);
  }
}

static void
mark_all(const gs_sim *sim, bool is_current_only)
{
  for (size_t i = 0; i < sim->node_count; i++) {
    sim->nodes[i]->is_marked = false;
  }
  mark(sim->nodes[0], is_current_only);
  for (size_t i = 0; i < sim->node_count; i++) {
    if (sim->nodes[i]->handles > 0 || sim->nodes[i]->is_locked) {
      mark(sim->nodes[i], is_current_only);
    }
  }
}

void
gs_sim_collect(gs_sim *sim)
{
  mark_all(sim, false);
  size_t kept = 0;
  for (size_t i = 0; i < sim->node_count; i++) {
    sim_node *node = sim->nodes[i];
    if (!node->is_marked) {
      gs_sim_node_free(node);
      continue;
    }
    node->index = kept;
    sim->nodes[kept++] = node;
  }
  sim->node_count = kept;
}

uint64_t
gs_sim_used_bytes(const gs_sim *sim)
{
  mark_all(sim, true);
  uint64_t used = 0;
  for (size_t i = 0; i < sim->node_count; i++) {
    if (sim->nodes[i]->is_marked) {
      used += sim->nodes[i]->current.content.size;
    }
  }
  return used;
}
