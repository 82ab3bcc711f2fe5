/*
 * machine: the real machine as a table of operations, and what a fork does to
 * it: the child has another identity, one thread and numbers of its own.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "env/posix/posix.h"

/* getpid is a system call; every call of a store asks. */
static _Atomic uint64_t process;

static const gs_env_ops operations = {
    .open = gs_posix_open,
    .close = gs_posix_close,
    .read = gs_posix_read,
    .write = gs_posix_write,
    .allocate = gs_posix_allocate,
    .reserve = gs_posix_reserve,
    .map = gs_posix_map,
    .truncate = gs_posix_truncate,
    .sync_data = gs_posix_sync_data,
    .size = gs_posix_size,
    .advise = gs_posix_advise,
    .is_alone = gs_posix_is_alone,
    .part_bytes = gs_posix_part_bytes,
    .list = gs_posix_list,
    .stat = gs_posix_stat,
    .make_dir = gs_posix_make_dir,
    .remove = gs_posix_remove,
    .remove_dir = gs_posix_remove_dir,
    .link = gs_posix_link,
    .sync_dir = gs_posix_sync_dir,
    .space = gs_posix_space,
    .working_dir = gs_posix_working_dir,
    .lock = gs_posix_lock,
    .unlock = gs_posix_unlock,
    .probe = gs_posix_probe,
    .guard = gs_posix_guard,
    .mono_us = gs_posix_mono_us,
    .wall_ms = gs_posix_wall_ms,
    .random64 = gs_posix_random64,
    .mutex_new = gs_posix_mutex_new,
    .mutex_free = gs_posix_mutex_free,
    .mutex_lock = gs_posix_mutex_lock,
    .mutex_unlock = gs_posix_mutex_unlock,
    .cond_new = gs_posix_cond_new,
    .cond_free = gs_posix_cond_free,
    .cond_wait = gs_posix_cond_wait,
    .cond_broadcast = gs_posix_cond_broadcast,
    .thread_start = gs_posix_thread_start,
    .thread_join = gs_posix_thread_join,
    .thread_slot = gs_posix_thread_slot,
};

static gs_env machine = {
    .ops = &operations,
    .process = &process,
    .alloc = &gs_posix_alloc,
    .has_threads = true,
};

/* Another thread may have been at work on the list of what is open: neither the
 * list nor its mutex is of use to the child, which begins with none. */
static void
become_child(void)
{
  atomic_store_explicit(&process, (uint64_t)getpid(), memory_order_relaxed);
  atomic_store(&machine.registry, NULL);
  machine.opened = NULL;
  gs_posix_lock_forked();
  gs_posix_slot_forked();
  gs_posix_random_seed();
}

static void
start_machine(void)
{
  atomic_store_explicit(&process, (uint64_t)getpid(), memory_order_relaxed);
  gs_posix_slot_start();
  gs_posix_random_seed();
  /* Without memory for the handler a child would only be taken for its
   * parent, as on any system without such handlers. */
  GS_IGNORE(pthread_atfork(gs_posix_lock_fork_begins, gs_posix_lock_fork_ended,
                           become_child) != 0,
            "the program can run without forking");
}

gs_env *
gs_env_posix(void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, start_machine);
  return &machine;
}
