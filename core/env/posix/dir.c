/*
 * dir: names and directories of the real file system.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "env/posix/posix.h"

enum { DIR_MODE = 0777 };

static int
result(int returned)
{
  return returned == 0 ? 0 : errno;
}

static bool
is_dots(const char *name)
{
  return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int
visit_entries(DIR *stream, gs_name_visitor visit, void *context)
{
  for (;;) {
    errno = 0; /* the only way to tell the end from an error */
    const struct dirent *entry = readdir(stream);
    if (entry == NULL) {
      return errno;
    }
    if (!is_dots(entry->d_name)) {
      visit(context, entry->d_name);
    }
  }
}

int
gs_posix_list(gs_env *env, const char *dir, gs_name_visitor visit,
              void *context)
{
  (void)env;
  int fd = -1;
  int os_errno = gs_posix_open_fd(dir, O_RDONLY | O_DIRECTORY, &fd);
  if (os_errno != 0) {
    return os_errno;
  }
  DIR *stream = fdopendir(fd);
  if (stream == NULL) {
    os_errno = errno;
    close(fd);
    return os_errno;
  }
  os_errno = visit_entries(stream, visit, context);
  closedir(stream);
  return os_errno;
}

int
gs_posix_stat(gs_env *env, const char *path, gs_file_info *out)
{
  (void)env;
  struct stat info;
  if (stat(path, &info) != 0) {
    return errno;
  }
  *out = (gs_file_info){
      .is_directory = S_ISDIR(info.st_mode),
      .size_bytes = (uint64_t)info.st_size,
      .device = (uint64_t)info.st_dev,
      .inode = (uint64_t)info.st_ino,
  };
  return 0;
}

int
gs_posix_make_dir(gs_env *env, const char *path)
{
  (void)env;
  return result(mkdir(path, DIR_MODE));
}

int
gs_posix_remove(gs_env *env, const char *path)
{
  (void)env;
  return result(unlink(path));
}

int
gs_posix_remove_dir(gs_env *env, const char *path)
{
  (void)env;
  return result(rmdir(path));
}

int
gs_posix_link(gs_env *env, const char *from, const char *to)
{
  (void)env;
  return result(link(from, to));
}

int
gs_posix_sync_dir(gs_env *env, const char *dir)
{
  (void)env;
  int fd = -1;
  int os_errno = gs_posix_open_fd(dir, O_RDONLY | O_DIRECTORY, &fd);
  if (os_errno != 0) {
    return os_errno;
  }
  os_errno = result(fsync(fd));
  close(fd);
  return os_errno;
}

int
gs_posix_working_dir(gs_env *env, char *out, size_t out_size)
{
  (void)env;
  return getcwd(out, out_size) != NULL ? 0 : errno;
}

int
gs_posix_space(gs_env *env, const char *dir, gs_disk_space *out)
{
  (void)env;
  struct statvfs info;
  if (statvfs(dir, &info) != 0) {
    return errno;
  }
  *out = (gs_disk_space){
      .free_bytes = (uint64_t)info.f_bavail * info.f_frsize,
      .total_bytes = (uint64_t)info.f_blocks * info.f_frsize,
  };
  return 0;
}
