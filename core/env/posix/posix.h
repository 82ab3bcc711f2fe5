/*
 * posix: what the parts of the real machine share. Only env/posix includes it.
 *
 * Model: one static machine whose table of operations is put together in
 * machine.c; each other file holds the operations of one noun.
 */
#ifndef GS_ENV_POSIX_POSIX_H
#define GS_ENV_POSIX_POSIX_H

#include "env/env.h"

/* file.c */

/* Opens path and moves the descriptor out of the range of the standard
 * streams, so that no stray message ever lands in a file. 0 or errno. */
int gs_posix_open_fd(const char *path, int flags, int *fd);

int gs_posix_open(gs_env *env, const char *path, gs_open_mode mode,
                  gs_file **out);
int gs_posix_close(gs_file *file);
int64_t gs_posix_read(gs_file *file, uint64_t offset, void *data, size_t size);
int64_t gs_posix_write(gs_file *file, uint64_t offset, const void *data,
                       size_t size);
int gs_posix_allocate(gs_file *file, uint64_t size);
int gs_posix_reserve(gs_file *file, uint64_t size);
int gs_posix_map(gs_file *file, uint64_t size);
/* Whether the file system with that magic number writes an allocated block where
 * it stands. */
bool gs_posix_keeps_blocks(uint32_t magic);
int gs_posix_truncate(gs_file *file, uint64_t size);
int gs_posix_sync_data(gs_file *file);
int gs_posix_size(gs_file *file, uint64_t *out);
/* A lease for writing, which is given only to who has the one open handle. Where
 * somebody comes to the file while it lasts, as those do who watch what is
 * opened, there is a signal that ends a process which does not expect it: this
 * thread gets it. The engine's own threads take no signals. */
int gs_posix_lease(int fd);
bool gs_posix_is_alone(gs_file *file);
uint64_t gs_posix_part_bytes(gs_env *env, const char *path);
void gs_posix_advise(gs_file *file, uint64_t offset, uint64_t size,
                     gs_advice advice);

/* dir.c */

int gs_posix_list(gs_env *env, const char *dir, gs_name_visitor visit,
                  void *context);
int gs_posix_stat(gs_env *env, const char *path, gs_file_info *out);
int gs_posix_make_dir(gs_env *env, const char *path);
int gs_posix_remove(gs_env *env, const char *path);
int gs_posix_remove_dir(gs_env *env, const char *path);
int gs_posix_link(gs_env *env, const char *from, const char *to);
int gs_posix_sync_dir(gs_env *env, const char *dir);
int gs_posix_working_dir(gs_env *env, char *out, size_t out_size);
int gs_posix_space(gs_env *env, const char *dir, gs_disk_space *out);

/* lock.c */

int gs_posix_lock(gs_env *env, const char *path, gs_lock **out, char *owner,
                  size_t owner_size);
int gs_posix_guard(gs_env *env, const char *path, gs_lock **out, char *owner,
                   size_t owner_size);
void gs_posix_unlock(gs_lock *lock);
int gs_posix_probe(gs_env *env, const char *path, char *owner,
                   size_t owner_size);

/* Around a fork: between the first and the others no lock is taken or given
 * back. In the child its descriptors of all locks are closed. */
void gs_posix_lock_fork_begins(void);
void gs_posix_lock_fork_ended(void);
void gs_posix_lock_forked(void);

/* thread.c */

int gs_posix_mutex_new(gs_env *env, gs_mutex **out);
void gs_posix_mutex_free(gs_mutex *mutex);
void gs_posix_mutex_lock(gs_mutex *mutex);
void gs_posix_mutex_unlock(gs_mutex *mutex);
int gs_posix_cond_new(gs_env *env, gs_cond **out);
void gs_posix_cond_free(gs_cond *cond);
bool gs_posix_cond_wait(gs_cond *cond, gs_mutex *mutex, uint64_t timeout_us);
void gs_posix_cond_broadcast(gs_cond *cond);
int gs_posix_thread_start(gs_env *env, void (*run)(void *), void *arg,
                          gs_thread **out);
void gs_posix_thread_join(gs_thread *thread);

/* slot.c */

enum { GS_POSIX_SLOTS = 4096 }; /* threads that can have a slot at once */

/* UINT32_MAX when all slots are taken. */
uint32_t gs_posix_thread_slot(gs_env *env);

/* How many threads have a slot. */
uint32_t gs_posix_slot_count(void);

/* Once, before the first slot is asked for. */
void gs_posix_slot_start(void);

/* In a forked child: only the calling thread is left. */
void gs_posix_slot_forked(void);

/* clock.c */

uint64_t gs_posix_mono_us(gs_env *env);
uint64_t gs_posix_wall_ms(gs_env *env);

/* random.c */

uint64_t gs_posix_random64(gs_env *env);

/* A new state, from the kernel: at the start, and in a forked child, which
 * must not repeat its parent's numbers. */
void gs_posix_random_seed(void);

/* memory.c */

extern gs_alloc gs_posix_alloc;

#endif
