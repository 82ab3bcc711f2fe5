/*
 * file: whole transfers out of partial ones. Every loop over short and
 * interrupted operations of the engine is here, so no caller has one.
 */
#include <errno.h>
#include <string.h>

#include "env/env.h"
#include "env/os_error.h"

/* Where in the file an operation failed is part of the error. */
static gs_status
fail_at(gs_error *err, int os_errno, const char *verb, const gs_file *file,
        uint64_t offset)
{
  gs_status status = gs_os_error_fail(err, os_errno, verb, file->path);
  return gs_error_offset(err, status, offset);
}

gs_status
gs_file_open(gs_env *env, const char *path, gs_open_mode mode, gs_file **out,
             gs_error *err)
{
  int os_errno;
  do {
    os_errno = env->ops->open(env, path, mode, out);
  } while (os_errno == EINTR);
  if (os_errno != 0) {
    *out = NULL;
    const char *verb = mode == GS_OPEN_CREATE ? "create" : "open";
    return gs_os_error_fail(err, os_errno, verb, path);
  }
  return GS_OK;
}

gs_status
gs_file_close(gs_file *file, gs_error *err)
{
  if (file == NULL) {
    return GS_OK;
  }
  /* The handle and its path are gone when the error is made. */
  char path[GS_ERROR_PATH_BYTES] = "";
  memcpy(path, file->path, strnlen(file->path, sizeof path - 1));
  int os_errno = file->env->ops->close(file);
  if (os_errno != 0) {
    return gs_os_error_fail(err, os_errno, "close", path);
  }
  return GS_OK;
}

gs_status
gs_file_read_some(gs_file *file, uint64_t offset, void *data, size_t size,
                  size_t *got, gs_error *err)
{
  uint8_t *to = data;
  size_t done = 0;
  while (done < size) {
    int64_t n =
        file->env->ops->read(file, offset + done, to + done, size - done);
    if (n == -EINTR) {
      continue;
    }
    if (n < 0) {
      return fail_at(err, (int)-n, "read", file, offset + done);
    }
    if (n == 0) {
      break;
    }
    done += (size_t)n;
  }
  *got = done;
  return GS_OK;
}

gs_status
gs_file_read(gs_file *file, uint64_t offset, void *data, size_t size,
             gs_error *err)
{
  size_t got = 0;
  gs_status status = gs_file_read_some(file, offset, data, size, &got, err);
  if (status != GS_OK || got == size) {
    return status;
  }
  status = GS_FAIL(err, GS_CORRUPT,
                   "'%s' ends early: %zu of %zu bytes at offset %llu",
                   file->path, got, size, (unsigned long long)offset);
  status = gs_error_at(err, status, file->path);
  return gs_error_offset(err, status, offset);
}

gs_status
gs_file_read_all(gs_file *file, gs_buffer *out, gs_error *err)
{
  uint64_t size = 0;
  gs_status status = gs_file_size(file, &size, err);
  if (status != GS_OK || size == 0) {
    return status;
  }
  if (size > SIZE_MAX) {
    return fail_at(err, EFBIG, "read", file, 0);
  }
  size_t start = out->size;
  uint8_t *to = gs_buffer_extend(out, (size_t)size);
  if (to == NULL) {
    return gs_buffer_status(out, err);
  }
  size_t got = 0;
  status = gs_file_read_some(file, 0, to, (size_t)size, &got, err);
  out->size = start + (status == GS_OK ? got : 0);
  return status;
}

gs_status
gs_file_write(gs_file *file, uint64_t offset, const void *data, size_t size,
              gs_error *err)
{
  const uint8_t *from = data;
  size_t done = 0;
  while (done < size) {
    int64_t n =
        file->env->ops->write(file, offset + done, from + done, size - done);
    if (n == -EINTR) {
      continue;
    }
    if (n <= 0) {
      /* Nothing taken and no reason given: asking again could last for ever. */
      return fail_at(err, n == 0 ? EIO : (int)-n, "write", file, offset + done);
    }
    done += (size_t)n;
  }
  return GS_OK;
}

gs_status
gs_file_allocate(gs_file *file, uint64_t size, gs_error *err)
{
  int os_errno;
  do {
    os_errno = file->env->ops->allocate(file, size);
  } while (os_errno == EINTR);
  if (os_errno != 0) {
    return gs_os_error_fail(err, os_errno, "allocate space for", file->path);
  }
  return GS_OK;
}

gs_status
gs_file_reserve(gs_file *file, uint64_t size, gs_error *err)
{
  int os_errno;
  do {
    os_errno = file->env->ops->reserve(file, size);
  } while (os_errno == EINTR);
  if (os_errno != 0) {
    return gs_os_error_fail(err, os_errno, "reserve space for", file->path);
  }
  return GS_OK;
}

void
gs_file_map(gs_file *file, uint64_t size)
{
  GS_IGNORE(file->env->ops->map(file, size) != 0,
            "an unmapped file works, only slower");
}

void
gs_file_unmap(gs_file *file)
{
  GS_IGNORE(file->env->ops->map(file, 0) != 0, "there is nothing to fail");
}

/*
 * A failed sync is reported once and its pages count as clean from then on, so
 * it is never repeated here: success the second time would prove nothing. An
 * interruption says that nothing was reported yet.
 */
gs_status
gs_file_sync(gs_file *file, gs_error *err)
{
  int os_errno;
  do {
    os_errno = file->env->ops->sync_data(file);
  } while (os_errno == EINTR);
  if (os_errno != 0) {
    return gs_os_error_fail(err, os_errno, "sync", file->path);
  }
  return GS_OK;
}

gs_status
gs_file_size(gs_file *file, uint64_t *out, gs_error *err)
{
  int os_errno = file->env->ops->size(file, out);
  if (os_errno != 0) {
    return gs_os_error_fail(err, os_errno, "measure", file->path);
  }
  return GS_OK;
}

void
gs_file_advise(gs_file *file, uint64_t offset, uint64_t size, gs_advice advice)
{
  file->env->ops->advise(file, offset, size, advice);
}
