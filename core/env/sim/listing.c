/*
 * listing: the files of the whole machine, and where a node is to be found.
 */
#include <stdlib.h>
#include <string.h>

#include "env/sim/crash.h"

typedef struct listed {
  char *path; /* owned */
  const sim_node *node;
} listed;

typedef struct listing {
  listed *items;
  size_t count;
  size_t capacity;
} listing;

/* "/" joins the two; the path of the root is empty. Gives: free. */
static char *
join(const char *path, const char *name)
{
  size_t size = strlen(path);
  char *joined = gs_sim_grab(size + 1 + strlen(name) + 1);
  memcpy(joined, path, size + 1);
  joined[size] = '/';
  memcpy(joined + size + 1, name, strlen(name) + 1);
  return joined;
}

/* Adds what is below items[at], itself left to the caller. */
static void
add_below(listing *all, size_t at)
{
  const sim_entries *entries = &all->items[at].node->current.entries;
  for (size_t i = 0; i < entries->count; i++) {
    all->items =
        gs_sim_grow(all->items, all->count, &all->capacity, sizeof *all->items);
    all->items[all->count++] = (listed){
        .path = join(all->items[at].path, entries->items[i].name),
        .node = entries->items[i].node,
    };
  }
}

static int
compare_paths(const void *a, const void *b)
{
  return strcmp(((const listed *)a)->path, ((const listed *)b)->path);
}

/* All that has a name now, the root first. Gives: free_listing. */
static listing
list_all(const gs_sim *sim)
{
  listing all = {0};
  all.items =
      gs_sim_grow(all.items, all.count, &all.capacity, sizeof *all.items);
  all.items[all.count++] = (listed){
      .path = gs_sim_grab_text("", 0),
      .node = sim->nodes[0],
  };
  for (size_t i = 0; i < all.count; i++) {
    add_below(&all, i);
  }
  return all;
}

static void
free_listing(listing *all)
{
  for (size_t i = 0; i < all->count; i++) {
    free(all->items[i].path);
  }
  free(all->items);
}

void
gs_sim_files(const gs_sim *sim, gs_sim_visitor visit, void *context)
{
  listing all = list_all(sim);
  qsort(all.items, all.count, sizeof *all.items, compare_paths);
  for (size_t i = 0; i < all.count; i++) {
    if (!all.items[i].node->is_directory) {
      visit(context, all.items[i].path,
            all.items[i].node->current.content.size);
    }
  }
  free_listing(&all);
}

/* Whether the node is found below the directory; its path goes behind `out`.
 * Names of the last sync count where they lead to what has none now. */
static bool
search(const sim_node *dir, const sim_node *node, bool is_durable,
       gs_buffer *out)
{
  const sim_entries *entries =
      is_durable ? &dir->durable.entries : &dir->current.entries;
  size_t size = out->size;
  for (size_t i = 0; i < entries->count; i++) {
    const sim_entry *entry = &entries->items[i];
    gs_buffer_printf(out, "/%s", entry->name);
    if (entry->node == node || (entry->node->is_directory &&
                                search(entry->node, node, is_durable, out))) {
      return true;
    }
    out->size = size;
  }
  return false;
}

void
gs_sim_path_of(const gs_sim *sim, const sim_node *node, gs_buffer *out)
{
  if (node == sim->nodes[0]) {
    gs_buffer_printf(out, "/");
  } else if (!search(sim->nodes[0], node, false, out) &&
             !search(sim->nodes[0], node, true, out)) {
    gs_buffer_printf(out, "(inode %llu)", (unsigned long long)node->inode);
  }
}
