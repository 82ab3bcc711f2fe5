/*
 * os_error: one table says what an errno value means to the engine and what a
 * person can do about it; values without a row are plain I/O errors.
 */
#include "env/os_error.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

typedef struct meaning {
  int os_errno;
  gs_status status;
  const char *hint;
} meaning;

static const meaning meanings[] = {
    {ENOSPC, GS_FULL, "free some space on this disk and try again"},
    {EDQUOT, GS_FULL, "free some space or raise the disk quota"},
    {EMFILE, GS_LIMIT, "raise the limit on open files (ulimit -n)"},
    {ENFILE, GS_LIMIT, "raise the system's limit on open files (fs.file-max)"},
    {EROFS, GS_READONLY,
     "mount the file system for writing or choose another place"},
    {ENOENT, GS_MISSING, "check the path"},
    {EEXIST, GS_EXISTS, "choose another name or remove what is there"},
    {ENOMEM, GS_NOMEM, "give the process more memory or use smaller caches"},
    {EOPNOTSUPP, GS_UNSUPPORTED, ""},
    {EACCES, GS_IO, "check owner and permissions, also of the directories"},
    {EPERM, GS_IO, "check owner and permissions, also of the directories"},
    {EIO, GS_IO, "look into the system log and check the device"},
    {EFBIG, GS_IO, "raise the limit on the size of files (ulimit -f)"},
    {ENOTDIR, GS_IO, "a part of the path is a file; choose another path"},
    {EISDIR, GS_IO, "a directory is in the way; choose another path"},
    {ENOTEMPTY, GS_IO, "remove what is in the directory first"},
    {ENAMETOOLONG, GS_IO, "use a shorter path"},
    {ELOOP, GS_IO, "the path has a ring of symbolic links; break it"},
    {EXDEV, GS_IO, "choose a place on the same file system"},
    {EMLINK, GS_IO, "the file has too many links; copy it instead"},
    {ESTALE, GS_IO, "use a local file system"},
};

static const meaning unknown = {0, GS_IO, ""};

static const meaning *
meaning_of(int os_errno)
{
  for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
    if (meanings[i].os_errno == os_errno) {
      return &meanings[i];
    }
  }
  return &unknown;
}

gs_status
gs_os_error_status(int os_errno)
{
  return meaning_of(os_errno)->status;
}

const char *
gs_os_error_hint(int os_errno)
{
  return meaning_of(os_errno)->hint;
}

gs_status
gs_os_error_fail(gs_error *err, int os_errno, const char *verb,
                 const char *path)
{
  const meaning *found = meaning_of(os_errno);
  gs_status status = GS_FAIL(err, found->status, "cannot %s '%s': %s", verb,
                             path, strerror(os_errno));
  status = gs_error_at(err, status, path);
  status = gs_error_hint(err, status, found->hint);
  return gs_error_errno(err, status, os_errno);
}
