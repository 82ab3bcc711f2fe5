/*
 * error: fills error values. Text that does not fit is cut, never overrun.
 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
gs_trap(gs_status status, const char *file, int line)
{
  (void)status;
  (void)file;
  (void)line;
}

static void
copy_text(char *to, size_t room, const char *from)
{
  size_t size = strlen(from);
  if (size >= room) {
    size = room - 1;
  }
  memcpy(to, from, size);
  to[size] = '\0';
}

gs_status
gs_error_make(gs_error *err, gs_status status, const char *file, int line,
              const char *format, ...)
{
  gs_trap(status, file, line);
  if (err == NULL) {
    return status;
  }
  err->status = status;
  err->os_errno = 0;
  err->offset = 0;
  err->has_offset = false;
  err->is_doubtful = false;
  err->file = file;
  err->line = line;
  err->path[0] = '\0';
  err->hint[0] = '\0';
  va_list args;
  va_start(args, format);
  if (vsnprintf(err->message, sizeof err->message, format, args) < 0) {
    copy_text(err->message, sizeof err->message, gs_status_text(status));
  }
  va_end(args);
  return status;
}

gs_status
gs_error_at(gs_error *err, gs_status status, const char *path)
{
  if (err != NULL) {
    copy_text(err->path, sizeof err->path, path);
  }
  return status;
}

gs_status
gs_error_offset(gs_error *err, gs_status status, uint64_t offset)
{
  if (err != NULL) {
    err->offset = offset;
    err->has_offset = true;
  }
  return status;
}

gs_status
gs_error_hint(gs_error *err, gs_status status, const char *hint)
{
  if (err != NULL) {
    copy_text(err->hint, sizeof err->hint, hint);
  }
  return status;
}

gs_status
gs_error_doubtful(gs_error *err, gs_status status)
{
  if (err != NULL) {
    err->is_doubtful = true;
  }
  return status;
}

gs_status
gs_error_errno(gs_error *err, gs_status status, int os_errno)
{
  if (err != NULL) {
    err->os_errno = os_errno;
  }
  return status;
}
