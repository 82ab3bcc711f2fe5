/*
 * env: the engine's only door to the outside: files, clocks, randomness,
 * memory and threads.
 *
 * Model: a table of operations behind one pointer. `posix` is the real
 * machine; `sim` is a seeded machine in memory whose clock moves when told and
 * whose power can be cut. Paths are whole paths as the machine understands
 * them. Single operations may transfer fewer bytes than asked and may be
 * interrupted; the gs_file_* and gs_env_* functions below hide both and turn
 * failures into errors that name the path and the next step.
 *
 * Life: an environment outlives every store opened through it. A gs_file is
 * closed with gs_file_close, also after an error.
 *
 * Threads: every operation may be called from any thread; one file may be read
 * by many threads at once; writes to one file come from one thread at a time.
 *
 * Errors: GS_IO (os_errno says more), GS_FULL for ENOSPC and EDQUOT,
 * GS_LIMIT for EMFILE and ENFILE, GS_READONLY for EROFS, GS_MISSING for
 * ENOENT, GS_EXISTS for EEXIST, GS_LOCKED for a lock held elsewhere, GS_NOMEM.
 */
#ifndef GS_ENV_ENV_H
#define GS_ENV_ENV_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"

typedef struct gs_env gs_env;
typedef struct gs_file gs_file;     /* an open file */
typedef struct gs_lock gs_lock;     /* a held lock between processes */
typedef struct gs_mutex gs_mutex;   /* mutual exclusion between threads */
typedef struct gs_cond gs_cond;     /* a place to wait, used with a mutex */
typedef struct gs_thread gs_thread; /* a running thread */

typedef enum gs_open_mode {
  GS_OPEN_READ = 0,   /* an existing file, for reading */
  GS_OPEN_WRITE = 1,  /* an existing file, for reading and writing */
  GS_OPEN_CREATE = 2, /* a new file, for both; GS_EXISTS when present */
} gs_open_mode;

typedef enum gs_advice {
  GS_ADVICE_SEQUENTIAL = 0, /* will be read once from front to back */
  GS_ADVICE_RANDOM = 1,     /* will be read in no order: no read-ahead */
  GS_ADVICE_DONTNEED = 2,   /* the kernel may drop its copy */
  GS_ADVICE_WRITTEN = 3,    /* its whole pages will not be written again, and
                               a file that is written from front to back has
                               others behind it by now: no mapping need hold
                               what is complete */
} gs_advice;

/* What is known about a directory entry. */
typedef struct gs_file_info {
  bool is_directory;
  uint64_t size_bytes;
  uint64_t device; /* with inode: the identity of the file */
  uint64_t inode;
} gs_file_info;

/* One name for gs_env_list's visitor; the name is valid during the call. */
typedef void (*gs_name_visitor)(void *context, const char *name);

typedef struct gs_disk_space {
  uint64_t free_bytes; /* available to an ordinary user */
  uint64_t total_bytes;
} gs_disk_space;

/*
 * The operations. Each returns 0 or a positive errno value (so that both
 * machines speak one language), results through out-parameters. read and write
 * return the bytes transferred or a negative errno value.
 */
typedef struct gs_env_ops {
  /* Files. */
  int (*open)(gs_env *env, const char *path, gs_open_mode mode, gs_file **out);
  int (*close)(gs_file *file); /* frees the handle whatever it returns */
  int64_t (*read)(gs_file *file, uint64_t offset, void *data, size_t size);
  int64_t (*write)(gs_file *file, uint64_t offset, const void *data,
                   size_t size);
  int (*allocate)(gs_file *file, uint64_t size); /* grow, filled with zeros
                                                    that occupy disk space */
  int (*reserve)(gs_file *file, uint64_t size);  /* the same, but the zeros need
                                                   not be written out */
  int (*map)(gs_file *file, uint64_t size); /* from now on write copies into a
                 shared mapping of the first size bytes, which must be
                 allocated; ENOTSUP where the machine cannot: write as before.
                 0: no longer, no write may be under way */
  int (*truncate)(gs_file *file, uint64_t size);
  int (*sync_data)(gs_file *file); /* content and size on the device */
  int (*size)(gs_file *file, uint64_t *out);
  void (*advise)(gs_file *file, uint64_t offset, uint64_t size,
                 gs_advice advice);
  /* Whether nobody else can come to the file any more: it has no name, and this
   * is the only handle, of any process. Asked of files with part_bytes alone. */
  bool (*is_alone)(gs_file *file);
  /* How much of that file's space should be given back at once; 0: all of it,
   * since it is not worth the while or not known who has it open. NULL: 0. */
  uint64_t (*part_bytes)(gs_env *env, const char *path);
  /* Directories. */
  int (*list)(gs_env *env, const char *dir, gs_name_visitor visit,
              void *context); /* without "." and ".." */
  int (*stat)(gs_env *env, const char *path, gs_file_info *out);
  int (*make_dir)(gs_env *env, const char *path);
  int (*remove)(gs_env *env, const char *path);
  int (*remove_dir)(gs_env *env, const char *path); /* an empty directory */
  int (*link)(gs_env *env, const char *from, const char *to);
  int (*sync_dir)(gs_env *env, const char *dir); /* its entries durable */
  int (*space)(gs_env *env, const char *dir, gs_disk_space *out);
  /* Where relative paths begin now. NULL where that never changes. */
  int (*working_dir)(gs_env *env, char *out, size_t out_size);
  /* Exclusion between processes. owner receives what the holder wrote when
   * the lock is taken elsewhere (EWOULDBLOCK); may be empty. */
  int (*lock)(gs_env *env, const char *path, gs_lock **out, char *owner,
              size_t owner_size);
  void (*unlock)(gs_lock *lock);
  /* Keeps others from taking that lock, and writes nothing: the file need not
   * be there. Ended by unlock. NULL where the machine cannot. */
  int (*guard)(gs_env *env, const char *path, gs_lock **out, char *owner,
               size_t owner_size);
  /* Whether somebody holds that lock: EWOULDBLOCK, and who; nobody is kept from
   * anything by the question. NULL where the machine cannot tell. */
  int (*probe)(gs_env *env, const char *path, char *owner, size_t owner_size);
  /* Clocks and chance. */
  uint64_t (*mono_us)(gs_env *env); /* microseconds from some start */
  uint64_t (*wall_ms)(gs_env *env); /* milliseconds since 1970 UTC */
  uint64_t (*random64)(gs_env *env);
  /* Threads. */
  int (*mutex_new)(gs_env *env, gs_mutex **out);
  void (*mutex_free)(gs_mutex *mutex);
  void (*mutex_lock)(gs_mutex *mutex);
  void (*mutex_unlock)(gs_mutex *mutex);
  int (*cond_new)(gs_env *env, gs_cond **out);
  void (*cond_free)(gs_cond *cond);
  /* Waits until signalled or until timeout_us passed (0: no limit); false on
   * time-out. May wake without reason. */
  bool (*cond_wait)(gs_cond *cond, gs_mutex *mutex, uint64_t timeout_us);
  void (*cond_broadcast)(gs_cond *cond);
  int (*thread_start)(gs_env *env, void (*run)(void *), void *arg,
                      gs_thread **out);
  void (*thread_join)(gs_thread *thread); /* frees the handle */
  /* A small number that no other living thread of this process has, from 0;
   * reused after the thread ends. */
  uint32_t (*thread_slot)(gs_env *env);
  /* A named place where a schedule may turn; NULL where none ever does. */
  void (*point)(gs_env *env, const char *name);
} gs_env_ops;

struct gs_env {
  const gs_env_ops *ops;
  /* Which process this is; changes in a forked child. No operation, since every
   * call of a store asks. */
  const _Atomic uint64_t *process;
  gs_alloc *alloc;  /* memory of everything opened through this machine */
  bool has_threads; /* false: thread_start fails, mutexes and waits are no-ops
                       and a wait returns at once */
  /* For whoever keeps a list of what is open on this machine: exclusion, made
   * by gs_env_registry at first use, and the list. */
  _Atomic(gs_mutex *) registry;
  void *opened; /* under registry */
};

static inline uint64_t
gs_env_process(const gs_env *env)
{
  return atomic_load_explicit(env->process, memory_order_relaxed);
}

/* The base of every open file; implementations put it first. */
struct gs_file {
  gs_env *env;
  char *path; /* owned by the implementation; valid while open */
};

/* Likewise for the others: each knows its machine. */
struct gs_lock {
  gs_env *env;
};
struct gs_mutex {
  gs_env *env;
};
struct gs_cond {
  gs_env *env;
};
struct gs_thread {
  gs_env *env;
};

/* The real machine; one per process, never freed. */
gs_env *gs_env_posix(void);

/* ---- files -------------------------------------------------------------- */

GS_MUST_CHECK gs_status gs_file_open(gs_env *env, const char *path,
                                     gs_open_mode mode, gs_file **out,
                                     gs_error *err);

/* Takes the file; NULL is accepted. The error of the close, if any. */
gs_status gs_file_close(gs_file *file, gs_error *err);

/* Reads exactly size bytes; GS_CORRUPT ("ends early") at end of file. */
GS_MUST_CHECK gs_status gs_file_read(gs_file *file, uint64_t offset, void *data,
                                     size_t size, gs_error *err);

/* Reads up to size bytes; *got < size only at end of file. */
GS_MUST_CHECK gs_status gs_file_read_some(gs_file *file, uint64_t offset,
                                          void *data, size_t size, size_t *got,
                                          gs_error *err);

/* Appends a whole file to a buffer. */
GS_MUST_CHECK gs_status gs_file_read_all(gs_file *file, gs_buffer *out,
                                         gs_error *err);

/* Writes all of the bytes. After an error the file's content in the range is
 * unknown. */
GS_MUST_CHECK gs_status gs_file_write(gs_file *file, uint64_t offset,
                                      const void *data, size_t size,
                                      gs_error *err);

/* Both make the file as large as that, with zeros, and what lies there has its
 * place on the disk: writing it later cannot meet a full one. After allocate the
 * zeros are written as well, so that a sync of what is written over them has no
 * more to do than that. */
GS_MUST_CHECK gs_status gs_file_allocate(gs_file *file, uint64_t size,
                                         gs_error *err);
GS_MUST_CHECK gs_status gs_file_reserve(gs_file *file, uint64_t size,
                                        gs_error *err);

/* Lets later writes below size go through a shared mapping where the machine
 * can; a machine that cannot is no error. Requires: size bytes allocated. */
void gs_file_map(gs_file *file, uint64_t size);

/* Ends that and gives the memory back. Requires: nobody writes meanwhile. */
void gs_file_unmap(gs_file *file);

GS_MUST_CHECK gs_status gs_file_sync(gs_file *file, gs_error *err);
GS_MUST_CHECK gs_status gs_file_size(gs_file *file, uint64_t *out,
                                     gs_error *err);
void gs_file_advise(gs_file *file, uint64_t offset, uint64_t size,
                    gs_advice advice);

/* ---- directories -------------------------------------------------------- */

GS_MUST_CHECK gs_status gs_env_list(gs_env *env, const char *dir,
                                    gs_name_visitor visit, void *context,
                                    gs_error *err);
/* GS_MISSING when nothing is there. */
GS_MUST_CHECK gs_status gs_env_stat(gs_env *env, const char *path,
                                    gs_file_info *out, gs_error *err);
GS_MUST_CHECK gs_status gs_env_make_dir(gs_env *env, const char *path,
                                        gs_error *err);
GS_MUST_CHECK gs_status gs_env_remove(gs_env *env, const char *path,
                                      gs_error *err);
/* The same, for whoever has time: first the name goes, then the space, a part
 * after the other, so that what others want of the device comes between. A file
 * that has another name or is open elsewhere stays whole. */
GS_MUST_CHECK gs_status gs_env_remove_in_parts(gs_env *env, const char *path,
                                               gs_error *err);
GS_MUST_CHECK gs_status gs_env_remove_dir(gs_env *env, const char *path,
                                          gs_error *err);
GS_MUST_CHECK gs_status gs_env_link(gs_env *env, const char *from,
                                    const char *to, gs_error *err);
GS_MUST_CHECK gs_status gs_env_sync_dir(gs_env *env, const char *dir,
                                        gs_error *err);
GS_MUST_CHECK gs_status gs_env_space(gs_env *env, const char *dir,
                                     gs_disk_space *out, gs_error *err);
/* The path as it will be understood wherever the process goes, without slashes
 * at its end, and NUL. */
GS_MUST_CHECK gs_status gs_env_absolute(gs_env *env, const char *path,
                                        gs_buffer *out, gs_error *err);
/* GS_LOCKED names the owner in the message. */
GS_MUST_CHECK gs_status gs_env_lock(gs_env *env, const char *path,
                                    gs_lock **out, gs_error *err);
/* The same without writing: while it is held nobody takes the lock. *out is
 * NULL where the machine cannot do that, or the directory is not there. */
GS_MUST_CHECK gs_status gs_env_guard(gs_env *env, const char *path,
                                     gs_lock **out, gs_error *err);
void gs_env_unlock(gs_lock *lock);

/* Whether the lock is held just now: GS_LOCKED, and its owner's text, which is
 * cut to the room, or else GS_OK. */
GS_MUST_CHECK gs_status gs_env_probe(gs_env *env, const char *path, char *owner,
                                     size_t owner_size, gs_error *err);

/* ---- the rest ------------------------------------------------------------ */

static inline uint64_t
gs_env_mono_us(gs_env *env)
{
  return env->ops->mono_us(env);
}

static inline uint64_t
gs_env_wall_ms(gs_env *env)
{
  return env->ops->wall_ms(env);
}

static inline uint64_t
gs_env_random64(gs_env *env)
{
  return env->ops->random64(env);
}

/* The thread comes to a named place, where a simulated machine may let others
 * go first. The name stays valid. */
static inline void
gs_env_point(gs_env *env, const char *name)
{
  if (env->ops->point != NULL) {
    env->ops->point(env, name);
  }
}

GS_MUST_CHECK gs_status gs_mutex_new(gs_env *env, gs_mutex **out,
                                     gs_error *err);
void gs_mutex_free(gs_mutex *mutex); /* NULL is accepted */

/* The machine's registry mutex; the machine frees it. */
GS_MUST_CHECK gs_status gs_env_registry(gs_env *env, gs_mutex **out,
                                        gs_error *err);

static inline void
gs_mutex_lock(gs_mutex *mutex)
{
  mutex->env->ops->mutex_lock(mutex);
}

static inline void
gs_mutex_unlock(gs_mutex *mutex)
{
  mutex->env->ops->mutex_unlock(mutex);
}

GS_MUST_CHECK gs_status gs_cond_new(gs_env *env, gs_cond **out, gs_error *err);
void gs_cond_free(gs_cond *cond); /* NULL is accepted */

static inline bool
gs_cond_wait(gs_cond *cond, gs_mutex *mutex, uint64_t timeout_us)
{
  return cond->env->ops->cond_wait(cond, mutex, timeout_us);
}

static inline void
gs_cond_broadcast(gs_cond *cond)
{
  cond->env->ops->cond_broadcast(cond);
}

GS_MUST_CHECK gs_status gs_thread_start(gs_env *env, void (*run)(void *),
                                        void *arg, gs_thread **out,
                                        gs_error *err);
void gs_thread_join(gs_thread *thread);

#endif
