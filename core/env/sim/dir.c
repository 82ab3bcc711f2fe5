/*
 * dir: names and directories of the simulated machine.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "env/sim/call.h"

/* A listing is of one moment: the visitor may remove what it is shown. */
static void
visit_entries(const sim_entries *entries, gs_name_visitor visit, void *context)
{
  size_t count = entries->count;
  char **names = gs_sim_grab(count * sizeof *names);
  for (size_t i = 0; i < count; i++) {
    const char *name = entries->items[i].name;
    names[i] = gs_sim_grab_text(name, strlen(name));
  }
  for (size_t i = 0; i < count; i++) {
    visit(context, names[i]);
    free(names[i]);
  }
  free(names);
}

static int
find_dir(const gs_sim *sim, const char *path, sim_node **out)
{
  int os_errno = gs_sim_find(sim, path, out);
  return os_errno == 0 && !(*out)->is_directory ? ENOTDIR : os_errno;
}

int
gs_sim_dir_list(gs_env *env, const char *dir, gs_name_visitor visit,
                void *context)
{
  gs_sim *sim = gs_sim_of(env);
  sim_call call = gs_sim_begin(sim, GS_SIM_LIST, dir);
  int os_errno = call.verdict.os_errno;
  sim_node *node;
  if (os_errno == 0) {
    os_errno = find_dir(sim, dir, &node);
  }
  gs_sim_end(sim, &call, os_errno); /* before what the visitor asks for */
  if (os_errno == 0) {
    visit_entries(&node->current.entries, visit, context);
  }
  return os_errno;
}

int
gs_sim_dir_stat(gs_env *env, const char *path, gs_file_info *out)
{
  gs_sim *sim = gs_sim_of(env);
  sim_call call = gs_sim_begin(sim, GS_SIM_STAT, path);
  int os_errno = call.verdict.os_errno;
  sim_node *node;
  if (os_errno == 0) {
    os_errno = gs_sim_find(sim, path, &node);
  }
  if (os_errno == 0) {
    *out = (gs_file_info){
        .is_directory = node->is_directory,
        .size_bytes = node->current.content.size,
        .device = 1,
        .inode = node->inode,
    };
  }
  return gs_sim_end(sim, &call, os_errno);
}

int
gs_sim_dir_make(gs_env *env, const char *path)
{
  gs_sim *sim = gs_sim_of(env);
  sim_node *node;
  sim_call call = gs_sim_begin(sim, GS_SIM_MAKE_DIR, path);
  int os_errno = call.verdict.os_errno;
  if (os_errno == 0) {
    os_errno = gs_sim_make(sim, path, true, &node);
  }
  return gs_sim_end(sim, &call, os_errno);
}

int
gs_sim_dir_remove(gs_env *env, const char *path)
{
  gs_sim *sim = gs_sim_of(env);
  sim_node *node;
  sim_place place;
  sim_call call = gs_sim_begin(sim, GS_SIM_REMOVE, path);
  int os_errno = call.verdict.os_errno;
  if (os_errno == 0) {
    os_errno = gs_sim_find(sim, path, &node);
  }
  if (os_errno == 0 && node->is_directory) {
    os_errno = EISDIR;
  }
  if (os_errno == 0) {
    os_errno = gs_sim_find_place(sim, path, &place);
  }
  if (os_errno == 0) {
    gs_sim_node_enter(sim, place.dir, place.name, NULL);
  }
  return gs_sim_end(sim, &call, os_errno);
}

static int
check_removable(const gs_sim *sim, const sim_node *node)
{
  if (!node->is_directory) {
    return ENOTDIR;
  }
  if (node == sim->nodes[0]) {
    return EBUSY;
  }
  return node->current.entries.count > 0 ? ENOTEMPTY : 0;
}

int
gs_sim_dir_remove_dir(gs_env *env, const char *path)
{
  gs_sim *sim = gs_sim_of(env);
  sim_node *node;
  sim_place place;
  sim_call call = gs_sim_begin(sim, GS_SIM_REMOVE, path);
  int os_errno = call.verdict.os_errno;
  if (os_errno == 0) {
    os_errno = gs_sim_find(sim, path, &node);
  }
  if (os_errno == 0) {
    os_errno = check_removable(sim, node);
  }
  if (os_errno == 0) {
    os_errno = gs_sim_find_place(sim, path, &place);
  }
  if (os_errno == 0) {
    gs_sim_node_enter(sim, place.dir, place.name, NULL);
  }
  return gs_sim_end(sim, &call, os_errno);
}

static int
enter_link(gs_sim *sim, sim_node *node, const char *to)
{
  sim_place place;
  int os_errno = gs_sim_find_place(sim, to, &place);
  if (os_errno != 0) {
    return os_errno;
  }
  if (gs_sim_entries_find(&place.dir->current.entries, place.name) != NULL) {
    return EEXIST;
  }
  if (node->is_directory) {
    return EPERM;
  }
  gs_sim_node_enter(sim, place.dir, place.name, node);
  return 0;
}

int
gs_sim_dir_link(gs_env *env, const char *from, const char *to)
{
  gs_sim *sim = gs_sim_of(env);
  sim_node *node;
  sim_call call = gs_sim_begin(sim, GS_SIM_LINK, to);
  int os_errno = call.verdict.os_errno;
  if (os_errno == 0) {
    os_errno = gs_sim_find(sim, from, &node);
  }
  if (os_errno == 0) {
    os_errno = enter_link(sim, node, to);
  }
  return gs_sim_end(sim, &call, os_errno);
}

int
gs_sim_dir_sync(gs_env *env, const char *dir)
{
  gs_sim *sim = gs_sim_of(env);
  sim_call call = gs_sim_begin(sim, GS_SIM_SYNC_DIR, dir);
  int os_errno = call.verdict.os_errno;
  sim_node *node;
  if (os_errno == 0) {
    os_errno = find_dir(sim, dir, &node);
  }
  if (os_errno == 0) {
    gs_sim_node_sync(node);
    gs_sim_collect(sim);
  }
  return gs_sim_end(sim, &call, os_errno);
}

int
gs_sim_dir_space(gs_env *env, const char *dir, gs_disk_space *out)
{
  gs_sim *sim = gs_sim_of(env);
  sim_node *node;
  int os_errno = gs_sim_find(sim, dir, &node);
  if (os_errno != 0) {
    return os_errno;
  }
  uint64_t total = sim->capacity != 0 ? sim->capacity : SIM_FILE_BYTES;
  uint64_t used = gs_sim_used_bytes(sim);
  *out = (gs_disk_space){
      .free_bytes = total > used ? total - used : 0,
      .total_bytes = total,
  };
  return 0;
}
