/*
 * medium: hands on the medium itself, past the machine: rot, replaced files,
 * and a look at what is there.
 */
#include <string.h>

#include "env/sim/state.h"

static gs_status
find_file(const gs_sim *sim, const char *path, sim_node **out, gs_error *err)
{
  if (gs_sim_find(sim, path, out) == 0 && !(*out)->is_directory) {
    return GS_OK;
  }
  gs_status status =
      GS_FAIL(err, GS_MISSING, "the machine has no file '%s'", path);
  return gs_error_at(err, status, path);
}

static void
flip_bit(sim_content *content, uint64_t bit)
{
  uint8_t byte;
  if (bit / 8 >= content->size) {
    return;
  }
  gs_sim_content_read(content, bit / 8, &byte, 1);
  byte = (uint8_t)(byte ^ (1U << bit % 8));
  gs_sim_content_write(content, bit / 8, &byte, 1);
}

gs_status
gs_sim_flip(gs_sim *sim, const char *path, uint64_t bit, gs_error *err)
{
  sim_node *node;
  gs_status status = find_file(sim, path, &node, err);
  if (status != GS_OK) {
    return status;
  }
  if (bit / 8 >= node->current.content.size) {
    return GS_FAIL(err, GS_MISUSE, "'%s' has no bit %llu", path,
                   (unsigned long long)bit);
  }
  flip_bit(&node->durable.content, bit);
  flip_bit(&node->current.content, bit);
  return GS_OK;
}

/* The file's content and its name are durable, whatever was pending. */
static void
put_content(gs_sim *sim, sim_node *node, const sim_place *place,
            gs_slice content)
{
  gs_sim_node_fail_sync(node, GS_SYNC_CLEAN);
  gs_sim_content_resize(&node->durable.content, 0);
  if (content.size > 0) {
    gs_sim_content_write(&node->durable.content, 0, content.data, content.size);
  }
  gs_sim_content_copy(&node->current.content, &node->durable.content);
  gs_sim_node_settle(place->dir, place->name, node);
  gs_sim_collect(sim);
}

gs_status
gs_sim_replace(gs_sim *sim, const char *path, gs_slice content, gs_error *err)
{
  sim_node *node;
  sim_place place;
  bool is_there = gs_sim_find(sim, path, &node) == 0;
  if ((is_there && node->is_directory) ||
      gs_sim_find_place(sim, path, &place) != 0) {
    gs_status status = GS_FAIL(err, GS_MISSING, "no file can be at '%s'", path);
    return gs_error_at(err, status, path);
  }
  if (!is_there) {
    node = gs_sim_node_add(sim, false);
  }
  put_content(sim, node, &place, content);
  return GS_OK;
}

gs_status
gs_sim_remove(gs_sim *sim, const char *path, gs_error *err)
{
  sim_node *node;
  sim_place place;
  gs_status status = find_file(sim, path, &node, err);
  if (status != GS_OK) {
    return status;
  }
  if (gs_sim_find_place(sim, path, &place) == 0) {
    gs_sim_node_settle(place.dir, place.name, NULL);
  }
  gs_sim_collect(sim);
  return GS_OK;
}

gs_status
gs_sim_read(const gs_sim *sim, const char *path, gs_buffer *out, gs_error *err)
{
  sim_node *node;
  gs_status status = find_file(sim, path, &node, err);
  if (status != GS_OK || node->current.content.size == 0) {
    return status;
  }
  size_t size = (size_t)node->current.content.size;
  uint8_t *to = gs_buffer_extend(out, size);
  if (to == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  gs_sim_content_read(&node->current.content, 0, to, size);
  return GS_OK;
}

static void
dump_names(const sim_entries *entries, gs_buffer *out)
{
  for (size_t i = 0; i < entries->count; i++) {
    gs_buffer_printf(out, " %s=%llu", entries->items[i].name,
                     (unsigned long long)entries->items[i].node->inode);
  }
}

void
gs_sim_dump(const gs_sim *sim, gs_buffer *out)
{
  for (size_t i = 0; i < sim->node_count; i++) {
    const sim_node *node = sim->nodes[i];
    gs_buffer_printf(out, "%llu", (unsigned long long)node->inode);
    if (node->is_directory) {
      gs_buffer_printf(out, " names");
      dump_names(&node->current.entries, out);
      gs_buffer_printf(out, " durable");
      dump_names(&node->durable.entries, out);
      if (node->ghosts.count > 0) {
        gs_buffer_printf(out, " gone");
        dump_names(&node->ghosts, out);
      }
    } else {
      gs_buffer_printf(out, " size %llu durable %llu",
                       (unsigned long long)node->current.content.size,
                       (unsigned long long)node->durable.content.size);
    }
    gs_buffer_printf(out, " pending %zu", node->unit_count);
    if (node->late_errno != 0) {
      gs_buffer_printf(out, " late %zu", node->late_count);
    }
    gs_buffer_printf(out, "\n");
  }
}
