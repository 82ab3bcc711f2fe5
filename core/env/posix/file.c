/*
 * file: positioned reads and writes on descriptors, and a shared mapping for
 * files of fixed size that are written in small pieces.
 *
 * A mapped write is a copy into the page cache without a system call, but for one
 * in four pages that makes the next few writable. It is safe only on blocks that
 * are allocated (a store into a hole on a full disk is a fatal signal) and within
 * the file's size; allocate and the check in map see to both. A file system that
 * writes each block to a new place may find none for an allocated one: so only
 * those map that are known to keep theirs. Reads go through pread all the while:
 * on Linux a shared mapping and the page cache are the same memory, and fdatasync
 * covers both.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "env/posix/posix.h"

enum {
  FIRST_FD = 3, /* below are the standard streams */
  FILE_MODE = 0666,
  PAGE_BYTES = 4096,
  LARGE_BYTES = 16 * 1024, /* from here on a call costs less than faults */
  WRITABLE_BYTES = 4 * PAGE_BYTES, /* of a mapping, asked for at once */
  PART_BYTES = 2 * 1024 * 1024, /* to give back: a few flushes of a device that
                                   is told at once */
};

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14; elsewhere it fails */
#endif

/* Magic numbers of file systems, as statfs(2) lists them. */
static const uint32_t keepers[] = {
    0xef53,     /* ext2, ext3, ext4 */
    0x58465342, /* XFS */
    0x01021994, /* tmpfs */
};

typedef struct posix_file {
  gs_file base;
  int fd;
  uint8_t *mapped; /* NULL, or the first mapped_bytes of the file */
  size_t mapped_bytes;
  size_t writable_to;       /* pages before were asked for; of who writes */
  atomic_size_t written_to; /* what stands before is complete; set by them */
} posix_file;

static posix_file *
posix_of(gs_file *file)
{
  return (posix_file *)file;
}

/* Takes the numbers of standard streams that the program closed, before a file
 * gets one of them even for a moment: another thread may be writing to it. What
 * takes them can neither be read nor written, as if they were still closed. */
static void
fill_streams(void)
{
  for (int fd = 0; fd < FIRST_FD; fd++) {
    if (fcntl(fd, F_GETFD) < 0) {
      int filler = open("/", O_PATH | O_CLOEXEC);
      if (filler >= FIRST_FD) {
        close(filler); /* it was taken meanwhile */
      }
    }
  }
}

int
gs_posix_open_fd(const char *path, int flags, int *fd)
{
  fill_streams();
  int opened = open(path, flags | O_CLOEXEC, FILE_MODE);
  if (opened < 0) {
    return errno;
  }
  if (opened < FIRST_FD) {
    int moved = fcntl(opened, F_DUPFD_CLOEXEC, FIRST_FD);
    int os_errno = errno;
    close(opened);
    if (moved < 0) {
      return os_errno;
    }
    opened = moved;
  }
  *fd = opened;
  return 0;
}

static bool
is_on_keeper(int fd)
{
  struct statfs system;
  return fstatfs(fd, &system) == 0 &&
         gs_posix_keeps_blocks((uint32_t)system.f_type);
}

/* A directory can be opened for reading; it is refused here rather than at
 * its first read. A file that lost its name while it was opened is not there:
 * whoever took the name away may not have seen that it is open. */
static int
refuse(int fd)
{
  struct stat info;
  if (fstat(fd, &info) != 0) {
    return errno;
  }
  if (S_ISDIR(info.st_mode)) {
    return EISDIR;
  }
  return info.st_nlink == 0 && is_on_keeper(fd) ? ENOENT : 0;
}

static int
new_handle(gs_env *env, const char *path, int fd, gs_file **out)
{
  size_t path_size = strlen(path) + 1;
  posix_file *file = GS_NEW(env->alloc, posix_file);
  char *copy = gs_alloc_bytes(env->alloc, path_size);
  if (file == NULL || copy == NULL) {
    GS_DELETE(env->alloc, file);
    gs_alloc_free(env->alloc, copy, path_size);
    return ENOMEM;
  }
  memcpy(copy, path, path_size);
  file->base = (gs_file){.env = env, .path = copy};
  file->fd = fd;
  *out = &file->base;
  return 0;
}

int
gs_posix_open(gs_env *env, const char *path, gs_open_mode mode, gs_file **out)
{
  static const int flags[] = {
      [GS_OPEN_READ] = O_RDONLY,
      [GS_OPEN_WRITE] = O_RDWR,
      [GS_OPEN_CREATE] = O_RDWR | O_CREAT | O_EXCL,
  };
  int fd = -1;
  int os_errno = gs_posix_open_fd(path, flags[mode], &fd);
  if (os_errno != 0) {
    return os_errno;
  }
  os_errno = mode == GS_OPEN_CREATE ? 0 : refuse(fd);
  if (os_errno == 0) {
    os_errno = new_handle(env, path, fd, out);
  }
  if (os_errno != 0) {
    close(fd);
    if (mode == GS_OPEN_CREATE) {
      unlink(path); /* else a second try would find the name taken */
    }
  }
  return os_errno;
}

static void
unmap(posix_file *file)
{
  if (file->mapped != NULL) {
    munmap(file->mapped, file->mapped_bytes);
    file->mapped = NULL;
    file->mapped_bytes = 0;
    file->writable_to = 0;
    atomic_store_explicit(&file->written_to, 0, memory_order_relaxed);
  }
}

int
gs_posix_close(gs_file *file)
{
  posix_file *own = posix_of(file);
  gs_alloc *alloc = file->env->alloc;
  unmap(own);
  int os_errno = close(own->fd) == 0 ? 0 : errno;
  gs_alloc_free(alloc, file->path, strlen(file->path) + 1);
  GS_DELETE(alloc, own);
  /* The descriptor is gone after an interruption too, and another thread may
   * have it by now. */
  return os_errno == EINTR ? 0 : os_errno;
}

int64_t
gs_posix_read(gs_file *file, uint64_t offset, void *data, size_t size)
{
  ssize_t got = pread(posix_of(file)->fd, data, size, (off_t)offset);
  return got < 0 ? -(int64_t)errno : got;
}

static size_t
page_up(size_t at)
{
  return (at + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

/* The first store to a page of the mapping is a fault, which costs several times
 * what making the page writable does. So a few are made so in one call; not many,
 * since each is dirty from then on, and a sync writes it with nothing in it.
 * False where the store would be a fatal signal: the page has no place. */
static bool
make_writable(posix_file *file, size_t from, size_t end)
{
  size_t page = from / PAGE_BYTES * PAGE_BYTES;
  size_t first = page > file->writable_to ? page : file->writable_to;
  if (end <= file->writable_to) {
    return true;
  }
  size_t few = first + WRITABLE_BYTES;
  size_t last = end > few ? page_up(end) : few;
  last = last < file->mapped_bytes ? last : file->mapped_bytes;
  if (madvise(file->mapped + first, last - first, MADV_POPULATE_WRITE) != 0 &&
      errno == EFAULT) {
    return false;
  }
  file->writable_to = last; /* or else each store costs more */
  return true;
}

static int64_t
store_mapped(posix_file *file, size_t offset, const void *data, size_t size)
{
  memcpy(file->mapped + offset, data, size);
  atomic_store_explicit(&file->written_to, offset + size, memory_order_release);
  return (int64_t)size;
}

int64_t
gs_posix_write(gs_file *file, uint64_t offset, const void *data, size_t size)
{
  posix_file *own = posix_of(file);
  if (offset < own->mapped_bytes && size < LARGE_BYTES) {
    size_t at = (size_t)offset;
    size_t room = own->mapped_bytes - at;
    size_t stored = size < room ? size : room;
    if (make_writable(own, at, at + stored)) {
      return store_mapped(own, at, data, stored);
    }
  }
  ssize_t put = pwrite(own->fd, data, size, (off_t)offset);
  return put < 0 ? -(int64_t)errno : put;
}

/* Writes zeros up to the end of the page that the offset lies in. One page per
 * call: after larger ones the kernel keeps the file in larger pieces, and each
 * later write dirties and writes back a whole piece (measured: several times
 * slower appends, and stalls of milliseconds). */
static ssize_t
write_zeros(int fd, uint64_t offset, uint64_t size)
{
  static const uint8_t zeros[PAGE_BYTES];
  uint64_t room = PAGE_BYTES - offset % PAGE_BYTES;
  return pwrite(fd, zeros, size < room ? (size_t)size : (size_t)room,
                (off_t)offset);
}

/*
 * First the space in one piece, so that a full disk is found before anything
 * changed; then zeros, so that later writes convert no extents and a sync of
 * them carries no metadata. The size grows with the zeros only: an interrupted
 * call goes on where it stopped.
 */
int
gs_posix_allocate(gs_file *file, uint64_t size)
{
  int fd = posix_of(file)->fd;
  uint64_t at = 0;
  int os_errno = gs_posix_size(file, &at);
  if (os_errno != 0 || at >= size) {
    return os_errno;
  }
  if (fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)(size - at)) != 0 &&
      errno != EOPNOTSUPP && errno != ENOSYS) {
    return errno;
  }
  while (at < size) {
    ssize_t put = write_zeros(fd, at, size - at);
    if (put <= 0) {
      return put == 0 ? EIO : errno;
    }
    at += (uint64_t)put;
  }
  return 0;
}

/* One call where the file system can; its size grows at the end of it. */
int
gs_posix_reserve(gs_file *file, uint64_t size)
{
  uint64_t at = 0;
  int os_errno = gs_posix_size(file, &at);
  if (os_errno != 0 || at >= size) {
    return os_errno;
  }
  if (fallocate(posix_of(file)->fd, 0, (off_t)at, (off_t)(size - at)) == 0) {
    return 0;
  }
  return errno == EOPNOTSUPP || errno == ENOSYS ? gs_posix_allocate(file, size)
                                                : errno;
}

bool
gs_posix_keeps_blocks(uint32_t magic)
{
  for (size_t i = 0; i < sizeof keepers / sizeof keepers[0]; i++) {
    if (keepers[i] == magic) {
      return true;
    }
  }
  return false;
}

int
gs_posix_map(gs_file *file, uint64_t size)
{
  posix_file *own = posix_of(file);
  uint64_t allocated = 0;
  if (size == 0) {
    unmap(own);
    return 0;
  }
  int os_errno = gs_posix_size(file, &allocated);
  if (os_errno != 0) {
    return os_errno;
  }
  if (size > allocated || size > SIZE_MAX) {
    return EINVAL;
  }
  if (!is_on_keeper(own->fd)) {
    return ENOTSUP;
  }
  void *mapped =
      mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, own->fd, 0);
  if (mapped == MAP_FAILED) {
    return errno;
  }
  unmap(own);
  own->mapped = mapped;
  own->mapped_bytes = (size_t)size;
  return 0;
}

int
gs_posix_truncate(gs_file *file, uint64_t size)
{
  posix_file *own = posix_of(file);
  if (size < own->mapped_bytes) {
    unmap(own); /* a store beyond the end is a fatal signal */
  }
  return ftruncate(own->fd, (off_t)size) == 0 ? 0 : errno;
}

int
gs_posix_sync_data(gs_file *file)
{
  return fdatasync(posix_of(file)->fd) == 0 ? 0 : errno;
}

int
gs_posix_size(gs_file *file, uint64_t *out)
{
  struct stat info;
  if (fstat(posix_of(file)->fd, &info) != 0) {
    return errno;
  }
  *out = (uint64_t)info.st_size;
  return 0;
}

/* The file systems listed above count names and handles themselves; one that lies
 * over another would copy the file when it is opened to be cut. */
uint64_t
gs_posix_part_bytes(gs_env *env, const char *path)
{
  (void)env;
  struct statfs system;
  return statfs(path, &system) == 0 &&
                 gs_posix_keeps_blocks((uint32_t)system.f_type)
             ? PART_BYTES
             : 0;
}

int
gs_posix_lease(int fd)
{
  struct f_owner_ex owner = {.type = F_OWNER_TID, .pid = gettid()};
  bool is_given = fcntl(fd, F_SETOWN_EX, &owner) == 0 &&
                  fcntl(fd, F_SETLEASE, F_WRLCK) == 0;
  return is_given ? 0 : errno;
}

/* Nobody comes to the file by a name any more, so the lease is given back at
 * once. */
bool
gs_posix_is_alone(gs_file *file)
{
  int fd = posix_of(file)->fd;
  struct stat info;
  return fstat(fd, &info) == 0 && info.st_nlink == 0 &&
         gs_posix_lease(fd) == 0 && fcntl(fd, F_SETLEASE, F_UNLCK) == 0;
}

static void
leave(const posix_file *file, size_t first, size_t last)
{
  if (first < last) {
    GS_IGNORE(madvise(file->mapped + first, last - first, MADV_DONTNEED) != 0,
              "pages that stay in the mapping cost time alone");
  }
}

/* The whole pages of the part leave the mapping in one go. Otherwise the sync
 * takes the right to write from each by itself, and tells the other processors
 * of each: half of a processor's time where the log takes 150 MB a second. Then
 * so do those that were completed meanwhile. Never one that is being written to:
 * before Linux 6.2 a page that leaves could be written out by the system between
 * its leaving and the last store to it. */
static void
shed(posix_file *file, uint64_t offset, uint64_t size)
{
  uint64_t end = offset + size;
  end = end < file->mapped_bytes ? end : file->mapped_bytes;
  size_t last = (size_t)end / PAGE_BYTES * PAGE_BYTES;
  leave(file, page_up((size_t)offset), last);
  size_t written_to =
      atomic_load_explicit(&file->written_to, memory_order_acquire);
  leave(file, last, written_to / PAGE_BYTES * PAGE_BYTES);
}

void
gs_posix_advise(gs_file *file, uint64_t offset, uint64_t size, gs_advice advice)
{
  static const int kinds[] = {
      [GS_ADVICE_SEQUENTIAL] = POSIX_FADV_SEQUENTIAL,
      [GS_ADVICE_RANDOM] = POSIX_FADV_RANDOM,
      [GS_ADVICE_DONTNEED] = POSIX_FADV_DONTNEED,
  };
  if (advice == GS_ADVICE_WRITTEN) {
    shed(posix_of(file), offset, size);
    return;
  }
  GS_IGNORE(posix_fadvise(posix_of(file)->fd, (off_t)offset, (off_t)size,
                          kinds[advice]) != 0,
            "advice may be ignored, so its failure may be too");
}
