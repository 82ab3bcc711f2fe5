/*
 * lock: exclusion within the machine. The lock is in the running machine and
 * not in its files, so a crash leaves the file and takes the lock.
 */
#include <errno.h>
#include <string.h>

#include "env/sim/call.h"

typedef struct sim_lock {
  gs_lock base;
  sim_node *node;
} sim_lock;

static void
read_owner(const sim_node *node, char *owner, size_t owner_size)
{
  uint64_t size = node->current.content.size;
  size_t got = size < owner_size - 1 ? (size_t)size : owner_size - 1;
  gs_sim_content_read(&node->current.content, 0, owner, got);
  owner[got] = '\0';
  owner[strcspn(owner, "\n")] = '\0';
}

static void
write_owner(gs_sim *sim, sim_node *node)
{
  gs_buffer text;
  gs_buffer_init(&text, sim->env.alloc);
  gs_buffer_printf(&text, "%llu sim\n", (unsigned long long)sim->process);
  if (!text.failed) {
    gs_sim_node_write(sim, node, 0, text.data, text.size);
    gs_sim_node_resize(sim, node, text.size);
  }
  gs_buffer_deinit(&text);
}

static int
find_or_create(gs_sim *sim, const char *path, sim_node **out)
{
  int os_errno = gs_sim_find(sim, path, out);
  if (os_errno == ENOENT) {
    return gs_sim_make(sim, path, false, out);
  }
  return os_errno == 0 && (*out)->is_directory ? EISDIR : os_errno;
}

static int
take_lock(gs_sim *sim, const char *path, gs_lock **out, char *owner,
          size_t owner_size)
{
  gs_env *env = &sim->env;
  sim_lock *lock = GS_NEW(env->alloc, sim_lock);
  if (lock == NULL) {
    return ENOMEM;
  }
  int os_errno = find_or_create(sim, path, &lock->node);
  if (os_errno == 0 && lock->node->is_locked) {
    os_errno = EWOULDBLOCK;
    if (owner_size > 0) {
      read_owner(lock->node, owner, owner_size);
    }
  }
  if (os_errno != 0) {
    GS_DELETE(env->alloc, lock);
    return os_errno;
  }
  write_owner(sim, lock->node);
  lock->node->is_locked = true;
  lock->base.env = env;
  *out = &lock->base;
  return 0;
}

int
gs_sim_lock_take(gs_env *env, const char *path, gs_lock **out, char *owner,
                 size_t owner_size)
{
  gs_sim *sim = gs_sim_of(env);
  sim_call call = gs_sim_begin(sim, GS_SIM_OPEN, path);
  int os_errno = call.verdict.os_errno;
  if (os_errno == 0) {
    os_errno = take_lock(sim, path, out, owner, owner_size);
  }
  return gs_sim_end(sim, &call, os_errno);
}

static int
take_guard(gs_sim *sim, const char *path, gs_lock **out, char *owner,
           size_t owner_size)
{
  sim_node *node = NULL;
  int os_errno = gs_sim_find(sim, path, &node);
  if (os_errno == 0 && node->is_locked) {
    os_errno = EWOULDBLOCK;
    if (owner_size > 0) {
      read_owner(node, owner, owner_size);
    }
  }
  if (os_errno != 0) {
    return os_errno;
  }
  sim_lock *lock = GS_NEW(sim->env.alloc, sim_lock);
  if (lock == NULL) {
    return ENOMEM;
  }
  node->is_locked = true;
  lock->node = node;
  lock->base.env = &sim->env;
  *out = &lock->base;
  return 0;
}

int
gs_sim_lock_guard(gs_env *env, const char *path, gs_lock **out, char *owner,
                  size_t owner_size)
{
  gs_sim *sim = gs_sim_of(env);
  sim_call call = gs_sim_begin(sim, GS_SIM_OPEN, path);
  int os_errno = call.verdict.os_errno;
  if (os_errno == 0) {
    os_errno = take_guard(sim, path, out, owner, owner_size);
  }
  return gs_sim_end(sim, &call, os_errno);
}

int
gs_sim_lock_probe(gs_env *env, const char *path, char *owner, size_t owner_size)
{
  gs_sim *sim = gs_sim_of(env);
  sim_call call = gs_sim_begin(sim, GS_SIM_OPEN, path);
  sim_node *node = NULL;
  int os_errno = call.verdict.os_errno;
  if (os_errno == 0) {
    os_errno = gs_sim_find(sim, path, &node);
  }
  if (os_errno == 0 && node->is_locked) {
    os_errno = EWOULDBLOCK;
    if (owner_size > 0) {
      read_owner(node, owner, owner_size);
    }
  }
  return gs_sim_end(sim, &call, os_errno);
}

void
gs_sim_lock_drop(gs_lock *lock)
{
  gs_env *env = lock->env;
  sim_lock *own = (sim_lock *)lock;
  own->node->is_locked = false;
  GS_DELETE(env->alloc, own);
  gs_sim_collect(gs_sim_of(env));
}
