/*
 * call: one operation of the machine from its beginning to its end, and the
 * table of all operations.
 *
 * Model: an operation begins with gs_sim_begin, where other tasks may come
 * first, the watch looks, and the faults decide; it ends with gs_sim_end, which
 * leaves its line in the trace. Between the two nothing else happens on the
 * machine.
 */
#ifndef GS_ENV_SIM_CALL_H
#define GS_ENV_SIM_CALL_H

#include "env/sim/state.h"

/* What becomes of one operation. */
typedef struct sim_verdict {
  int os_errno;
  gs_sim_effect effect; /* ERROR with os_errno 0: none */
  uint64_t amount;
  gs_sync_failure sync_failure;
} sim_verdict;

/* One operation from its beginning to its end. */
typedef struct sim_call {
  gs_sim_op op;
  const char *path;
  uint64_t number; /* counted from 1 */
  bool has_range;
  uint64_t offset;
  uint64_t size;
  sim_verdict verdict;
} sim_call;

/* fault.c */

/* Counts the operation and asks the faults about it. Other tasks may come
 * first. */
sim_call gs_sim_begin(gs_sim *sim, gs_sim_op op, const char *path);

/* trace.c */

/* What an operation is called; text that stays. */
const char *gs_sim_op_name(gs_sim_op op);

/* Leaves a line about the operation; returns what it came to. */
int gs_sim_end(gs_sim *sim, const sim_call *call, int os_errno);
int64_t gs_sim_end_transfer(gs_sim *sim, const sim_call *call, int64_t result);
void gs_sim_point(gs_env *env, const char *name);

/* file.c, transfer.c, dir.c, lock.c, thread.c, task.c: the operations. */

typedef struct sim_file {
  gs_file base;
  sim_node *node;
  bool is_writable;
} sim_file;

/* How far the file may grow now, up to the wanted size. */
uint64_t gs_sim_file_room(gs_file *file, uint64_t wanted);

int gs_sim_file_open(gs_env *env, const char *path, gs_open_mode mode,
                     gs_file **out);
int gs_sim_file_close(gs_file *file);
int64_t gs_sim_file_read(gs_file *file, uint64_t offset, void *data,
                         size_t size);
int64_t gs_sim_file_write(gs_file *file, uint64_t offset, const void *data,
                          size_t size);
int gs_sim_file_allocate(gs_file *file, uint64_t size);
int gs_sim_file_map(gs_file *file, uint64_t size);
int gs_sim_file_truncate(gs_file *file, uint64_t size);
int gs_sim_file_sync(gs_file *file);
int gs_sim_file_size(gs_file *file, uint64_t *out);
bool gs_sim_file_is_alone(gs_file *file);
void gs_sim_file_advise(gs_file *file, uint64_t offset, uint64_t size,
                        gs_advice advice);

int gs_sim_dir_list(gs_env *env, const char *dir, gs_name_visitor visit,
                    void *context);
int gs_sim_dir_stat(gs_env *env, const char *path, gs_file_info *out);
int gs_sim_dir_make(gs_env *env, const char *path);
int gs_sim_dir_remove(gs_env *env, const char *path);
int gs_sim_dir_remove_dir(gs_env *env, const char *path);
int gs_sim_dir_link(gs_env *env, const char *from, const char *to);
int gs_sim_dir_sync(gs_env *env, const char *dir);
int gs_sim_dir_space(gs_env *env, const char *dir, gs_disk_space *out);

int gs_sim_lock_take(gs_env *env, const char *path, gs_lock **out, char *owner,
                     size_t owner_size);
int gs_sim_lock_guard(gs_env *env, const char *path, gs_lock **out, char *owner,
                      size_t owner_size);
int gs_sim_lock_probe(gs_env *env, const char *path, char *owner,
                      size_t owner_size);
void gs_sim_lock_drop(gs_lock *lock);

int gs_sim_mutex_new(gs_env *env, gs_mutex **out);
void gs_sim_mutex_free(gs_mutex *mutex);
void gs_sim_mutex_lock(gs_mutex *mutex);
void gs_sim_mutex_unlock(gs_mutex *mutex);
int gs_sim_cond_new(gs_env *env, gs_cond **out);
void gs_sim_cond_free(gs_cond *cond);
bool gs_sim_cond_wait(gs_cond *cond, gs_mutex *mutex, uint64_t timeout_us);
void gs_sim_cond_broadcast(gs_cond *cond);
int gs_sim_thread_start(gs_env *env, void (*run)(void *), void *arg,
                        gs_thread **out);
void gs_sim_thread_join(gs_thread *thread);
uint32_t gs_sim_thread_slot(gs_env *env);

#endif
