/*
 * state: applying units of work to one state of a node.
 */
#include "env/sim/state.h"

#include <stdlib.h>
#include <string.h>

static void
remove_entry(sim_entries *entries, size_t index)
{
  gs_sim_share_no_more(entries->items[index].name);
  entries->count--;
  memmove(&entries->items[index], &entries->items[index + 1],
          (entries->count - index) * sizeof entries->items[0]);
}

void
gs_sim_state_free(sim_state *state)
{
  gs_sim_content_free(&state->content);
  while (state->entries.count > 0) {
    remove_entry(&state->entries, state->entries.count - 1);
  }
  free(state->entries.items);
  state->entries = (sim_entries){0};
}

static size_t
index_of(const sim_entries *entries, const char *name)
{
  size_t i = 0;
  while (i < entries->count && strcmp(entries->items[i].name, name) != 0) {
    i++;
  }
  return i;
}

sim_node *
gs_sim_entries_find(const sim_entries *entries, const char *name)
{
  size_t i = index_of(entries, name);
  return i < entries->count ? entries->items[i].node : NULL;
}

void
gs_sim_entries_set(sim_entries *entries, const char *name, sim_node *node)
{
  size_t i = index_of(entries, name);
  if (i < entries->count) {
    remove_entry(entries, i);
  }
  if (node == NULL) {
    return;
  }
  entries->items = gs_sim_grow(entries->items, entries->count,
                               &entries->capacity, sizeof *entries->items);
  entries->items[entries->count++] = (sim_entry){
      .name = gs_sim_share(name, strlen(name)),
      .node = node,
  };
}

void
gs_sim_state_apply(sim_state *state, const sim_unit *unit, sim_node *node)
{
  switch (unit->kind) {
  case SIM_UNIT_WRITE:
    gs_sim_content_write(&state->content, unit->offset, unit->bytes,
                         (size_t)unit->size);
    break;
  case SIM_UNIT_RESIZE:
    gs_sim_content_resize(&state->content, unit->size);
    break;
  case SIM_UNIT_ENTRY:
    gs_sim_entries_set(&state->entries, unit->name, node);
    break;
  }
}
