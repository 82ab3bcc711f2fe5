/*
 * path: from names to nodes. Empty names between slashes are skipped, and so is
 * the name ".", which is the directory itself; nothing else has a meaning of
 * its own. Who runs on the machine stands in its root.
 */
#include <errno.h>
#include <string.h>

#include "env/sim/state.h"

static const char *
skip_slashes(const char *at)
{
  return at + strspn(at, "/");
}

/* The node of the first `size` bytes of `name` in the directory. */
static int
step_down(sim_node *dir, const char *name, size_t size, sim_node **out)
{
  char text[SIM_NAME_BYTES + 1];
  if (!dir->is_directory) {
    return ENOTDIR;
  }
  if (size > SIM_NAME_BYTES) {
    return ENAMETOOLONG;
  }
  if (size == 1 && name[0] == '.') {
    *out = dir;
    return 0;
  }
  memcpy(text, name, size);
  text[size] = '\0';
  *out = gs_sim_entries_find(&dir->current.entries, text);
  return *out == NULL ? ENOENT : 0;
}

/* Walks from the root up to, not including, the byte at `end`. */
static int
walk(const gs_sim *sim, const char *path, const char *end, sim_node **out)
{
  sim_node *node = sim->nodes[0];
  const char *at = skip_slashes(path);
  while (at < end) {
    size_t size = strcspn(at, "/");
    int os_errno = step_down(node, at, size, &node);
    if (os_errno != 0) {
      return os_errno;
    }
    at = skip_slashes(at + size);
  }
  *out = node;
  return 0;
}

int
gs_sim_find(const gs_sim *sim, const char *path, sim_node **out)
{
  return walk(sim, path, path + strlen(path), out);
}

int
gs_sim_find_place(const gs_sim *sim, const char *path, sim_place *out)
{
  size_t end = strlen(path);
  while (end > 0 && path[end - 1] == '/') {
    end--;
  }
  size_t start = end;
  while (start > 0 && path[start - 1] != '/') {
    start--;
  }
  if (start == end) {
    return EEXIST;
  }
  int os_errno = walk(sim, path, path + start, &out->dir);
  if (os_errno != 0) {
    return os_errno;
  }
  if (!out->dir->is_directory) {
    return ENOTDIR;
  }
  if (end - start > SIM_NAME_BYTES) {
    return ENAMETOOLONG;
  }
  memcpy(out->name, path + start, end - start);
  out->name[end - start] = '\0';
  return 0;
}

int
gs_sim_make(gs_sim *sim, const char *path, bool is_directory, sim_node **out)
{
  sim_place place;
  int os_errno = gs_sim_find_place(sim, path, &place);
  if (os_errno != 0) {
    return os_errno;
  }
  if (gs_sim_entries_find(&place.dir->current.entries, place.name) != NULL) {
    return EEXIST;
  }
  *out = gs_sim_node_add(sim, is_directory);
  gs_sim_node_enter(sim, place.dir, place.name, *out);
  return 0;
}
