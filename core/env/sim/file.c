/*
 * file: open files. An open file refers to its node, so it works on after its
 * name is gone.
 */
#include <errno.h>
#include <string.h>

#include "env/sim/call.h"

static sim_file *
sim_file_of(gs_file *file)
{
  return (sim_file *)file;
}

static sim_node *
node_of(gs_file *file)
{
  return sim_file_of(file)->node;
}

/* ---- opening and closing --------------------------------------------------- */

static int
find_or_create(gs_sim *sim, const char *path, gs_open_mode mode, sim_node **out)
{
  if (mode == GS_OPEN_CREATE) {
    return gs_sim_make(sim, path, false, out);
  }
  int os_errno = gs_sim_find(sim, path, out);
  return os_errno == 0 && (*out)->is_directory ? EISDIR : os_errno;
}

static int
open_file(gs_sim *sim, const char *path, gs_open_mode mode, gs_file **out)
{
  gs_env *env = &sim->env;
  if (sim->open_limit != 0 && sim->open_files >= sim->open_limit) {
    return EMFILE;
  }
  size_t path_size = strlen(path) + 1;
  sim_node *node = NULL;
  sim_file *file = GS_NEW(env->alloc, sim_file);
  char *copy = gs_alloc_bytes(env->alloc, path_size);
  int os_errno = file == NULL || copy == NULL
                     ? ENOMEM
                     : find_or_create(sim, path, mode, &node);
  if (os_errno != 0) {
    GS_DELETE(env->alloc, file);
    gs_alloc_free(env->alloc, copy, path_size);
    return os_errno;
  }
  memcpy(copy, path, path_size);
  *file = (sim_file){
      .base = {.env = env, .path = copy},
      .node = node,
      .is_writable = mode != GS_OPEN_READ,
  };
  node->handles++;
  sim->open_files++;
  *out = &file->base;
  return 0;
}

int
gs_sim_file_open(gs_env *env, const char *path, gs_open_mode mode,
                 gs_file **out)
{
  gs_sim *sim = gs_sim_of(env);
  sim_call call = gs_sim_begin(sim, GS_SIM_OPEN, path);
  int os_errno = call.verdict.os_errno;
  if (os_errno == 0) {
    os_errno = open_file(sim, path, mode, out);
  }
  return gs_sim_end(sim, &call, os_errno);
}

int
gs_sim_file_close(gs_file *file)
{
  gs_env *env = file->env;
  sim_file *own = sim_file_of(file);
  own->node->handles--;
  gs_sim_of(env)->open_files--;
  gs_alloc_free(env->alloc, file->path, strlen(file->path) + 1);
  GS_DELETE(env->alloc, own);
  gs_sim_collect(gs_sim_of(env));
  return 0;
}

/* ---- sizes ------------------------------------------------------------------ */

uint64_t
gs_sim_file_room(gs_file *file, uint64_t wanted)
{
  gs_sim *sim = gs_sim_of(file->env);
  uint64_t size = node_of(file)->current.content.size;
  if (wanted <= size || sim->capacity == 0) {
    return wanted;
  }
  uint64_t used = gs_sim_used_bytes(sim);
  uint64_t room = sim->capacity > used ? sim->capacity - used : 0;
  return wanted - size <= room ? wanted : size + room;
}

static int
set_size(gs_file *file, uint64_t size)
{
  if (size > SIM_FILE_BYTES) {
    return EFBIG;
  }
  if (gs_sim_file_room(file, size) < size) {
    return ENOSPC;
  }
  gs_sim_node_resize(gs_sim_of(file->env), node_of(file), size);
  return 0;
}

static sim_call
begin_at(gs_file *file, gs_sim_op op, uint64_t size)
{
  sim_call call = gs_sim_begin(gs_sim_of(file->env), op, file->path);
  call.has_range = true;
  call.size = size;
  return call;
}

int
gs_sim_file_allocate(gs_file *file, uint64_t size)
{
  sim_call call = begin_at(file, GS_SIM_ALLOCATE, size);
  int os_errno = call.verdict.os_errno;
  if (os_errno == 0 && size > node_of(file)->current.content.size) {
    os_errno = sim_file_of(file)->is_writable ? set_size(file, size) : EBADF;
  }
  return gs_sim_end(gs_sim_of(file->env), &call, os_errno);
}

int
gs_sim_file_truncate(gs_file *file, uint64_t size)
{
  sim_call call = begin_at(file, GS_SIM_TRUNCATE, size);
  int os_errno = call.verdict.os_errno;
  if (os_errno == 0) {
    bool is_valid = sim_file_of(file)->is_writable && size <= INT64_MAX;
    os_errno = is_valid ? set_size(file, size) : EINVAL;
  }
  return gs_sim_end(gs_sim_of(file->env), &call, os_errno);
}

int
gs_sim_file_size(gs_file *file, uint64_t *out)
{
  gs_sim *sim = gs_sim_of(file->env);
  sim_call call = gs_sim_begin(sim, GS_SIM_STAT, file->path);
  if (call.verdict.os_errno == 0) {
    *out = node_of(file)->current.content.size;
  }
  return gs_sim_end(sim, &call, call.verdict.os_errno);
}

/* The names that hold now; a crash may bring others back. */
bool
gs_sim_file_is_alone(gs_file *file)
{
  const gs_sim *sim = gs_sim_of(file->env);
  const sim_node *node = node_of(file);
  size_t names = 0;
  for (size_t i = 0; i < sim->node_count; i++) {
    const sim_entries *entries = &sim->nodes[i]->current.entries;
    for (size_t e = 0; e < entries->count; e++) {
      names += entries->items[e].node == node;
    }
  }
  return names == 0 && node->handles == 1;
}

/* What is written through a mapping is pending like any other write. */
int
gs_sim_file_map(gs_file *file, uint64_t size)
{
  if (size > node_of(file)->current.content.size) {
    return EINVAL;
  }
  return size == 0 || sim_file_of(file)->is_writable ? 0 : EACCES;
}

/* ---- durability -------------------------------------------------------------- */

/* What the faults say of a sync; the false success of an earlier one comes out
 * first. */
static int
sync_node(sim_node *node, const sim_verdict *verdict)
{
  if (node->late_errno != 0) {
    return gs_sim_node_settle_late(node);
  }
  if (verdict->os_errno == 0) {
    gs_sim_node_sync(node);
    return 0;
  }
  if (verdict->os_errno == EINTR) { /* which decides nothing yet */
    return EINTR;
  }
  if (verdict->sync_failure == GS_SYNC_LATE) {
    gs_sim_node_sync_late(node, verdict->os_errno);
    return 0;
  }
  gs_sim_node_fail_sync(node, verdict->sync_failure);
  return verdict->os_errno;
}

int
gs_sim_file_sync(gs_file *file)
{
  gs_sim *sim = gs_sim_of(file->env);
  sim_call call = gs_sim_begin(sim, GS_SIM_SYNC, file->path);
  return gs_sim_end(sim, &call, sync_node(node_of(file), &call.verdict));
}

void
gs_sim_file_advise(gs_file *file, uint64_t offset, uint64_t size,
                   gs_advice advice)
{
  (void)file;
  (void)offset;
  (void)size;
  (void)advice;
}
