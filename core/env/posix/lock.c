/*
 * lock: exclusion by two locks that belong to open file descriptions: one on
 * the file, one on the directory that holds it. Unlike the older record locks
 * they also exclude a second opener in the same process, and closing an
 * unrelated descriptor of the file does not drop them.
 *
 * The file carries the owner's name. It may be removed by somebody who tidies
 * up, and then would lock nobody out: the directory still does. Either can be
 * replaced between its opening and its locking, so both are compared with what
 * the path leads to once they are locked.
 *
 * A forked child inherits the descriptors, and with them the locks, for as long
 * as it lives: so it closes them at once. The list of held locks is for that.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "env/posix/posix.h"

enum { TRIES = 64 }; /* each is lost to somebody who removed the file */

typedef struct posix_lock posix_lock;
struct posix_lock {
  gs_lock base;
  int file_fd; /* -1 in a forked child */
  int dir_fd;
  posix_lock *next;
  posix_lock **link; /* what points at this lock */
};

static pthread_mutex_t list = PTHREAD_MUTEX_INITIALIZER;
static posix_lock *held; /* under list */

/* ---- the two locks ---------------------------------------------------------- */

static int
lock_file(int fd, short kind)
{
  struct flock whole = {.l_type = kind, .l_whence = SEEK_SET};
  if (fcntl(fd, F_OFD_SETLK, &whole) == 0) {
    return 0;
  }
  /* Systems differ in what they answer when the lock is held elsewhere. */
  return errno == EACCES ? EWOULDBLOCK : errno;
}

/* Some file systems cannot lock a directory; there the file's lock is all. */
static int
lock_dir(int fd)
{
  return flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK ? EWOULDBLOCK
                                                                   : 0;
}

/* Whether the path still leads to what was opened. */
static bool
is_there(int fd, const char *path)
{
  struct stat opened;
  struct stat found;
  return fstat(fd, &opened) == 0 && stat(path, &found) == 0 &&
         opened.st_dev == found.st_dev && opened.st_ino == found.st_ino;
}

static void
close_both(posix_lock *lock)
{
  if (lock->file_fd >= 0) {
    close(lock->file_fd);
  }
  if (lock->dir_fd >= 0) {
    close(lock->dir_fd);
  }
  lock->file_fd = -1;
  lock->dir_fd = -1;
}

/* Not left to the close: a process that is just being started may have the
 * descriptors too, until it runs its program. */
static void
unlock_both(const posix_lock *lock)
{
  struct flock whole = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
  if (lock->file_fd >= 0) {
    GS_IGNORE(fcntl(lock->file_fd, F_OFD_SETLK, &whole) != 0,
              "the close unlocks as well");
  }
  if (lock->dir_fd >= 0) {
    GS_IGNORE(flock(lock->dir_fd, LOCK_UN) != 0, "the close unlocks as well");
  }
}

/* A reader's lock, which nothing is written for, keeps writers out as well; the
 * file need not be there for it. */
static int
take_file(posix_lock *lock, const char *path, bool may_write)
{
  int flags = may_write ? O_RDWR | O_CREAT : O_RDONLY;
  int os_errno = gs_posix_open_fd(path, flags, &lock->file_fd);
  if (os_errno == ENOENT && !may_write) {
    return 0;
  }
  if (os_errno == 0) {
    os_errno = lock_file(lock->file_fd, may_write ? F_WRLCK : F_RDLCK);
  }
  return os_errno == 0 && !is_there(lock->file_fd, path) ? ESTALE : os_errno;
}

/* ESTALE where it was lost to somebody who replaced what was opened. */
static int
take_both(posix_lock *lock, const char *path, const char *dir, bool may_write)
{
  int os_errno = gs_posix_open_fd(dir, O_RDONLY | O_DIRECTORY, &lock->dir_fd);
  if (os_errno == 0) {
    os_errno = lock_dir(lock->dir_fd);
  }
  if (os_errno == 0 && !is_there(lock->dir_fd, dir)) {
    os_errno = ESTALE;
  }
  return os_errno == 0 ? take_file(lock, path, may_write) : os_errno;
}

static int
take_at_last(posix_lock *lock, const char *path, const char *dir,
             bool may_write)
{
  int os_errno = ESTALE;
  lock->file_fd = -1;
  lock->dir_fd = -1;
  for (int i = 0; os_errno == ESTALE && i < TRIES; i++) {
    os_errno = take_both(lock, path, dir, may_write);
    if (os_errno != 0) {
      close_both(lock);
    }
  }
  return os_errno;
}

/* ---- who holds it ----------------------------------------------------------- */

/* "pid program", for whoever finds the lock taken. */
static void
write_owner(gs_env *env, int fd)
{
  gs_buffer text;
  gs_buffer_init(&text, env->alloc);
  gs_buffer_printf(&text, "%llu %s\n", (unsigned long long)gs_env_process(env),
                   program_invocation_short_name);
  GS_IGNORE(pwrite(fd, text.data, text.size, 0) < 0 ||
                ftruncate(fd, (off_t)text.size) != 0,
            "the text is a courtesy; the lock is held without it");
  gs_buffer_deinit(&text);
}

/* The first line of the file, or "". */
static void
read_owner(const char *path, char *owner, size_t owner_size)
{
  int fd = -1;
  ssize_t got = 0;
  if (owner_size == 0) {
    return;
  }
  if (gs_posix_open_fd(path, O_RDONLY, &fd) == 0) {
    got = pread(fd, owner, owner_size - 1, 0);
    close(fd);
  }
  owner[got > 0 ? got : 0] = '\0';
  owner[strcspn(owner, "\n")] = '\0';
}

/* ---- taking and giving back ------------------------------------------------- */

/* A fork waits meanwhile: its child must know of every descriptor. */
static int
take_and_enlist(posix_lock *lock, const char *path, const char *dir,
                bool may_write)
{
  pthread_mutex_lock(&list);
  int os_errno = take_at_last(lock, path, dir, may_write);
  if (os_errno == 0) {
    lock->link = &held;
    lock->next = held;
    if (held != NULL) {
      held->link = &lock->next;
    }
    held = lock;
  }
  pthread_mutex_unlock(&list);
  return os_errno;
}

static void
strike(posix_lock *lock)
{
  pthread_mutex_lock(&list);
  *lock->link = lock->next;
  if (lock->next != NULL) {
    lock->next->link = lock->link;
  }
  unlock_both(lock);
  close_both(lock);
  pthread_mutex_unlock(&list);
}

/* The directory part of the path, "." for a bare name. */
static int
dir_of(gs_buffer *out, const char *path)
{
  const char *slash = strrchr(path, '/');
  size_t size = slash == NULL ? 0 : (size_t)(slash - path);
  gs_buffer_append(out,
                   size > 0        ? path
                   : slash != NULL ? "/"
                                   : ".",
                   size > 0 ? size : 1);
  gs_buffer_append_zeros(out, 1);
  return out->failed ? ENOMEM : 0;
}

static int
new_lock(gs_env *env, const char *path, bool may_write, posix_lock **out)
{
  gs_buffer dir;
  gs_buffer_init(&dir, env->alloc);
  posix_lock *lock = GS_NEW(env->alloc, posix_lock);
  int os_errno = lock == NULL ? ENOMEM : dir_of(&dir, path);
  if (os_errno == 0) {
    lock->base.env = env;
    os_errno = take_and_enlist(lock, path, (const char *)dir.data, may_write);
  }
  gs_buffer_deinit(&dir);
  if (os_errno != 0) {
    GS_DELETE(env->alloc, lock);
    return os_errno;
  }
  *out = lock;
  return 0;
}

static int
take(gs_env *env, const char *path, bool may_write, gs_lock **out, char *owner,
     size_t owner_size)
{
  posix_lock *lock = NULL;
  int os_errno = new_lock(env, path, may_write, &lock);
  if (os_errno == EWOULDBLOCK) {
    read_owner(path, owner, owner_size);
  }
  if (os_errno != 0) {
    return os_errno;
  }
  if (may_write) {
    write_owner(env, lock->file_fd);
  }
  *out = &lock->base;
  return 0;
}

int
gs_posix_lock(gs_env *env, const char *path, gs_lock **out, char *owner,
              size_t owner_size)
{
  return take(env, path, true, out, owner, owner_size);
}

int
gs_posix_guard(gs_env *env, const char *path, gs_lock **out, char *owner,
               size_t owner_size)
{
  return take(env, path, false, out, owner, owner_size);
}

/* In a forked child there is nothing left to unlock. */
void
gs_posix_unlock(gs_lock *lock)
{
  strike((posix_lock *)lock);
  GS_DELETE(lock->env->alloc, (posix_lock *)lock);
}

/* Asks for no lock, so nobody who wants it is turned away meanwhile. */
int
gs_posix_probe(gs_env *env, const char *path, char *owner, size_t owner_size)
{
  (void)env;
  int fd = -1;
  int os_errno = gs_posix_open_fd(path, O_RDONLY, &fd);
  if (os_errno != 0) {
    return os_errno;
  }
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  os_errno = fcntl(fd, F_OFD_GETLK, &whole) == 0 ? 0 : errno;
  if (os_errno == 0 && whole.l_type != F_UNLCK) {
    os_errno = EWOULDBLOCK;
    read_owner(path, owner, owner_size);
  }
  close(fd);
  return os_errno;
}

/* ---- fork ------------------------------------------------------------------- */

void
gs_posix_lock_fork_begins(void)
{
  pthread_mutex_lock(&list);
}

void
gs_posix_lock_fork_ended(void)
{
  pthread_mutex_unlock(&list);
}

void
gs_posix_lock_forked(void)
{
  pthread_mutex_init(&list, NULL);
  for (posix_lock *lock = held; lock != NULL; lock = lock->next) {
    close_both(lock);
  }
}
