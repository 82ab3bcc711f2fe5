/*
 * file: operations on open files. An open file refers to its node, so it works
 * on after its name is gone.
 */
#include <errno.h>
#include <string.h>

#include "env/sim/state.h"

typedef struct sim_file {
  gs_file base;
  sim_node *node;
  bool is_writable;
} sim_file;

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

static int
find_or_create(gs_sim *sim, const char *path, gs_open_mode mode, sim_node **out)
{
  if (mode == GS_OPEN_CREATE) {
    return gs_sim_make(sim, path, false, out);
  }
  int os_errno = gs_sim_find(sim, path, out);
  return os_errno == 0 && (*out)->is_directory ? EISDIR : os_errno;
}

int
gs_sim_file_open(gs_env *env, const char *path, gs_open_mode mode,
                 gs_file **out)
{
  gs_sim *sim = gs_sim_of(env);
  sim_verdict verdict = gs_sim_begin(sim, GS_SIM_OPEN, path);
  if (verdict.os_errno != 0) {
    return verdict.os_errno;
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
  *out = &file->base;
  return 0;
}

int
gs_sim_file_close(gs_file *file)
{
  gs_env *env = file->env;
  sim_file *own = sim_file_of(file);
  own->node->handles--;
  gs_alloc_free(env->alloc, file->path, strlen(file->path) + 1);
  GS_DELETE(env->alloc, own);
  gs_sim_collect(gs_sim_of(env));
  return 0;
}

static size_t
least(size_t a, size_t b)
{
  return a < b ? a : b;
}

int64_t
gs_sim_file_read(gs_file *file, uint64_t offset, void *data, size_t size)
{
  sim_verdict verdict =
      gs_sim_begin(gs_sim_of(file->env), GS_SIM_READ, file->path);
  if (verdict.os_errno != 0) {
    return -(int64_t)verdict.os_errno;
  }
  const sim_content *content = &node_of(file)->current.content;
  if (offset > INT64_MAX) {
    return -EINVAL;
  }
  if (offset >= content->size) {
    return 0;
  }
  size_t got = least(least(size, verdict.limit), content->size - offset);
  gs_sim_content_read(content, offset, data, got);
  return (int64_t)got;
}

/* How far the file may grow now, up to the wanted size. */
static uint64_t
grown_size(gs_file *file, uint64_t wanted)
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

int64_t
gs_sim_file_write(gs_file *file, uint64_t offset, const void *data, size_t size)
{
  gs_sim *sim = gs_sim_of(file->env);
  sim_verdict verdict = gs_sim_begin(sim, GS_SIM_WRITE, file->path);
  if (verdict.os_errno != 0) {
    return -(int64_t)verdict.os_errno;
  }
  if (!sim_file_of(file)->is_writable) {
    return -EBADF;
  }
  if (offset > SIM_FILE_BYTES || size > SIM_FILE_BYTES - offset) {
    return offset > INT64_MAX ? -EINVAL : -EFBIG;
  }
  size_t put = least(size, verdict.limit);
  uint64_t end = grown_size(file, offset + put);
  if (end < offset + put) {
    put = end > offset ? (size_t)(end - offset) : 0;
    if (put == 0) {
      return -ENOSPC;
    }
  }
  if (put > 0) {
    gs_sim_node_write(sim, node_of(file), offset, data, put);
  }
  return (int64_t)put;
}

int
gs_sim_file_allocate(gs_file *file, uint64_t size)
{
  gs_sim *sim = gs_sim_of(file->env);
  sim_verdict verdict = gs_sim_begin(sim, GS_SIM_ALLOCATE, file->path);
  if (verdict.os_errno != 0) {
    return verdict.os_errno;
  }
  if (size <= node_of(file)->current.content.size) {
    return 0;
  }
  if (!sim_file_of(file)->is_writable) {
    return EBADF;
  }
  if (size > SIM_FILE_BYTES) {
    return EFBIG;
  }
  if (grown_size(file, size) < size) {
    return ENOSPC;
  }
  gs_sim_node_resize(sim, node_of(file), size);
  return 0;
}

/* What is written through a mapping is pending like any other write. */
int
gs_sim_file_map(gs_file *file, uint64_t size)
{
  if (size == 0 || size > node_of(file)->current.content.size) {
    return EINVAL;
  }
  return sim_file_of(file)->is_writable ? 0 : EACCES;
}

int
gs_sim_file_truncate(gs_file *file, uint64_t size)
{
  gs_sim *sim = gs_sim_of(file->env);
  sim_verdict verdict = gs_sim_begin(sim, GS_SIM_TRUNCATE, file->path);
  if (verdict.os_errno != 0) {
    return verdict.os_errno;
  }
  if (!sim_file_of(file)->is_writable || size > INT64_MAX) {
    return EINVAL;
  }
  if (size > SIM_FILE_BYTES) {
    return EFBIG;
  }
  if (grown_size(file, size) < size) {
    return ENOSPC;
  }
  gs_sim_node_resize(sim, node_of(file), size);
  return 0;
}

int
gs_sim_file_sync(gs_file *file)
{
  sim_verdict verdict =
      gs_sim_begin(gs_sim_of(file->env), GS_SIM_SYNC, file->path);
  if (verdict.os_errno == 0) {
    gs_sim_node_sync(node_of(file));
  } else if (verdict.os_errno != EINTR) { /* which decides nothing yet */
    gs_sim_node_fail_sync(node_of(file), verdict.sync_failure);
  }
  return verdict.os_errno;
}

int
gs_sim_file_size(gs_file *file, uint64_t *out)
{
  sim_verdict verdict =
      gs_sim_begin(gs_sim_of(file->env), GS_SIM_STAT, file->path);
  if (verdict.os_errno == 0) {
    *out = node_of(file)->current.content.size;
  }
  return verdict.os_errno;
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
