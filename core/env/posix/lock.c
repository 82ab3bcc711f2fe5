/*
 * lock: exclusion by a lock on an open file description. Unlike the older
 * record locks it also excludes a second opener in the same process, and
 * closing an unrelated descriptor of the file does not drop it.
 *
 * The file stays when the lock goes: were it unlinked, two openers could hold
 * locks on two files of the same name.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "env/posix/posix.h"

typedef struct posix_lock {
  gs_lock base;
  int fd;
  uint64_t process; /* who took it; a forked child only shares it */
} posix_lock;

static int
set_lock(int fd, short kind)
{
  struct flock whole = {.l_type = kind, .l_whence = SEEK_SET};
  if (fcntl(fd, F_OFD_SETLK, &whole) == 0) {
    return 0;
  }
  /* Systems differ in what they answer when the lock is held elsewhere. */
  return errno == EACCES ? EWOULDBLOCK : errno;
}

/* "pid program", for whoever finds the lock taken. */
static void
write_owner(gs_env *env, int fd, uint64_t process)
{
  gs_buffer text;
  gs_buffer_init(&text, env->alloc);
  gs_buffer_printf(&text, "%llu %s\n", (unsigned long long)process,
                   program_invocation_short_name);
  GS_IGNORE(pwrite(fd, text.data, text.size, 0) < 0 ||
                ftruncate(fd, (off_t)text.size) != 0,
            "the text is a courtesy; the lock is held without it");
  gs_buffer_deinit(&text);
}

/* The first line of the file, or "". Requires: owner_size > 0. */
static void
read_owner(int fd, char *owner, size_t owner_size)
{
  ssize_t got = pread(fd, owner, owner_size - 1, 0);
  owner[got > 0 ? got : 0] = '\0';
  owner[strcspn(owner, "\n")] = '\0';
}

int
gs_posix_lock(gs_env *env, const char *path, gs_lock **out, char *owner,
              size_t owner_size)
{
  int fd = -1;
  posix_lock *lock = GS_NEW(env->alloc, posix_lock);
  int os_errno = lock == NULL ? ENOMEM : 0;
  if (os_errno == 0) {
    os_errno = gs_posix_open_fd(path, O_RDWR | O_CREAT, &fd);
  }
  if (os_errno == 0) {
    os_errno = set_lock(fd, F_WRLCK);
  }
  if (os_errno == 0) {
    uint64_t process = env->ops->process_id(env);
    *lock = (posix_lock){.base.env = env, .fd = fd, .process = process};
    write_owner(env, fd, process);
    *out = &lock->base;
    return 0;
  }
  if (os_errno == EWOULDBLOCK && owner_size > 0) {
    read_owner(fd, owner, owner_size);
  }
  if (fd >= 0) {
    close(fd);
  }
  GS_DELETE(env->alloc, lock);
  return os_errno;
}

/* In a forked child the lock is still the parent's: closing the child's
 * descriptor leaves it, unlocking would take it away. */
void
gs_posix_unlock(gs_lock *lock)
{
  posix_lock *own = (posix_lock *)lock;
  gs_env *env = lock->env;
  if (own->process == env->ops->process_id(env)) {
    GS_IGNORE(set_lock(own->fd, F_UNLCK) != 0, "the close unlocks as well");
  }
  close(own->fd);
  GS_DELETE(env->alloc, own);
}
