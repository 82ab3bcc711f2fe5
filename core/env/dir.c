/*
 * dir: names, directories and the lock between processes, with errors that
 * name the path.
 */
#include <errno.h>

#include "env/env.h"
#include "env/os_error.h"

enum { OWNER_BYTES = 128, WORKING_DIR_BYTES = 4096 };

static gs_status
outcome(int os_errno, const char *verb, const char *path, gs_error *err)
{
  return os_errno == 0 ? GS_OK : gs_os_error_fail(err, os_errno, verb, path);
}

gs_status
gs_env_list(gs_env *env, const char *dir, gs_name_visitor visit, void *context,
            gs_error *err)
{
  return outcome(env->ops->list(env, dir, visit, context), "list", dir, err);
}

gs_status
gs_env_stat(gs_env *env, const char *path, gs_file_info *out, gs_error *err)
{
  return outcome(env->ops->stat(env, path, out), "look at", path, err);
}

gs_status
gs_env_make_dir(gs_env *env, const char *path, gs_error *err)
{
  return outcome(env->ops->make_dir(env, path), "make the directory", path,
                 err);
}

gs_status
gs_env_remove(gs_env *env, const char *path, gs_error *err)
{
  return outcome(env->ops->remove(env, path), "remove", path, err);
}

/* Cuts the file from its end, if it has lost its name. What is not cut comes back when it is closed. */
static void
give_back(gs_file *file, uint64_t part_bytes)
{
  const gs_env_ops *ops = file->env->ops;
  uint64_t size = 0;
  int os_errno = ops->is_alone(file) ? ops->size(file, &size) : EBUSY;
  while (os_errno == 0 && size > part_bytes) {
    size -= part_bytes;
    os_errno = ops->truncate(file, size);
  }
}

gs_status
gs_env_remove_in_parts(gs_env *env, const char *path, gs_error *err)
{
  gs_file *file = NULL;
  gs_status opened = GS_UNSUPPORTED;
  const gs_env_ops *ops = env->ops;
  uint64_t part_bytes =
      ops->part_bytes == NULL ? 0 : ops->part_bytes(env, path);
  if (part_bytes > 0) {
    opened = gs_file_open(env, path, GS_OPEN_WRITE, &file, NULL);
  }
  gs_status status = gs_env_remove(env, path, err);
  if (opened == GS_OK) {
    give_back(file, part_bytes);
    GS_IGNORE(gs_file_close(file, NULL), "nothing of it was to last");
  }
  return status;
}

gs_status
gs_env_remove_dir(gs_env *env, const char *path, gs_error *err)
{
  return outcome(env->ops->remove_dir(env, path), "remove the directory", path,
                 err);
}

gs_status
gs_env_link(gs_env *env, const char *from, const char *to, gs_error *err)
{
  return outcome(env->ops->link(env, from, to), "make the link", to, err);
}

gs_status
gs_env_sync_dir(gs_env *env, const char *dir, gs_error *err)
{
  int os_errno;
  do {
    os_errno = env->ops->sync_dir(env, dir);
  } while (os_errno == EINTR);
  return outcome(os_errno, "sync the directory", dir, err);
}

gs_status
gs_env_space(gs_env *env, const char *dir, gs_disk_space *out, gs_error *err)
{
  int os_errno;
  do {
    os_errno = env->ops->space(env, dir, out);
  } while (os_errno == EINTR);
  return outcome(os_errno, "ask for the free space of", dir, err);
}

gs_status
gs_env_absolute(gs_env *env, const char *path, gs_buffer *out, gs_error *err)
{
  char dir[WORKING_DIR_BYTES];
  size_t size = strlen(path);
  gs_buffer_clear(out);
  if (path[0] != '/' && env->ops->working_dir != NULL) {
    int os_errno = env->ops->working_dir(env, dir, sizeof dir);
    if (os_errno != 0) {
      return gs_os_error_fail(err, os_errno, "find the working directory for",
                              path);
    }
    gs_buffer_append(out, dir, strlen(dir));
    gs_buffer_append(out, "/", strcmp(dir, "/") == 0 ? 0 : 1);
  }
  while (size > 1 && path[size - 1] == '/') {
    size--;
  }
  gs_buffer_append(out, path, size);
  gs_buffer_append_zeros(out, 1);
  return gs_buffer_status(out, err);
}

static gs_status
fail_locked(const char *path, const char *owner, gs_error *err)
{
  gs_status status =
      owner[0] != '\0'
          ? GS_FAIL(err, GS_LOCKED, "'%s' is locked by process %s", path, owner)
          : GS_FAIL(err, GS_LOCKED, "'%s' is locked by another process", path);
  status = gs_error_at(err, status, path);
  status = gs_error_errno(err, status, EWOULDBLOCK);
  return gs_error_hint(err, status, "close the store in that process first");
}

gs_status
gs_env_lock(gs_env *env, const char *path, gs_lock **out, gs_error *err)
{
  char owner[OWNER_BYTES] = "";
  int os_errno;
  do {
    os_errno = env->ops->lock(env, path, out, owner, sizeof owner);
  } while (os_errno == EINTR);
  if (os_errno == 0) {
    return GS_OK;
  }
  *out = NULL;
  return os_errno == EWOULDBLOCK
             ? fail_locked(path, owner, err)
             : gs_os_error_fail(err, os_errno, "lock", path);
}

gs_status
gs_env_guard(gs_env *env, const char *path, gs_lock **out, gs_error *err)
{
  char owner[OWNER_BYTES] = "";
  int os_errno = ENOENT;
  *out = NULL;
  if (env->ops->guard != NULL) {
    os_errno = env->ops->guard(env, path, out, owner, sizeof owner);
  }
  if (os_errno == 0 || os_errno == ENOENT) {
    return GS_OK;
  }
  *out = NULL;
  return os_errno == EWOULDBLOCK
             ? fail_locked(path, owner, err)
             : gs_os_error_fail(err, os_errno, "guard", path);
}

gs_status
gs_env_probe(gs_env *env, const char *path, char *owner, size_t owner_size,
             gs_error *err)
{
  owner[0] = '\0';
  int os_errno = env->ops->probe == NULL
                     ? 0
                     : env->ops->probe(env, path, owner, owner_size);
  if (os_errno == EWOULDBLOCK) {
    return fail_locked(path, owner, err);
  }
  return os_errno == 0 || os_errno == ENOENT
             ? GS_OK
             : gs_os_error_fail(err, os_errno, "look for the owner of", path);
}

void
gs_env_unlock(gs_lock *lock)
{
  if (lock != NULL) {
    lock->env->ops->unlock(lock);
  }
}
