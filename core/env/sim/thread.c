/*
 * thread: there is one. Mutexes keep nobody out, so all they do is to notice
 * what would have stopped or broken a real machine.
 */
#include <errno.h>

#include "base/check.h"
#include "env/sim/state.h"

typedef struct sim_mutex {
  gs_mutex base;
  bool is_locked;
} sim_mutex;

static sim_mutex *
mutex_of(gs_mutex *mutex)
{
  return (sim_mutex *)mutex;
}

static void
require(bool holds, const char *rule, int line)
{
  if (!holds) {
    gs_check_failed(rule, __FILE__, line);
  }
}

int
gs_sim_mutex_new(gs_env *env, gs_mutex **out)
{
  sim_mutex *made = GS_NEW(env->alloc, sim_mutex);
  if (made == NULL) {
    return ENOMEM;
  }
  made->base.env = env;
  *out = &made->base;
  return 0;
}

void
gs_sim_mutex_free(gs_mutex *mutex)
{
  sim_mutex *made = mutex_of(mutex);
  require(!made->is_locked, "a freed mutex is unlocked", __LINE__);
  GS_DELETE(mutex->env->alloc, made);
}

void
gs_sim_mutex_lock(gs_mutex *mutex)
{
  require(!mutex_of(mutex)->is_locked, "a mutex is locked once", __LINE__);
  mutex_of(mutex)->is_locked = true;
}

void
gs_sim_mutex_unlock(gs_mutex *mutex)
{
  require(mutex_of(mutex)->is_locked, "an unlocked mutex was locked", __LINE__);
  mutex_of(mutex)->is_locked = false;
}

int
gs_sim_cond_new(gs_env *env, gs_cond **out)
{
  gs_cond *made = GS_NEW(env->alloc, gs_cond);
  if (made == NULL) {
    return ENOMEM;
  }
  made->env = env;
  *out = made;
  return 0;
}

void
gs_sim_cond_free(gs_cond *cond)
{
  GS_DELETE(cond->env->alloc, cond);
}

/* Nobody is there to signal: every wait ends as if its time had run out. */
bool
gs_sim_cond_wait(gs_cond *cond, gs_mutex *mutex, uint64_t timeout_us)
{
  (void)cond;
  (void)timeout_us;
  require(mutex_of(mutex)->is_locked, "a waiter holds the mutex", __LINE__);
  return false;
}

void
gs_sim_cond_broadcast(gs_cond *cond)
{
  (void)cond;
}

int
gs_sim_thread_start(gs_env *env, void (*run)(void *), void *arg,
                    gs_thread **out)
{
  (void)env;
  (void)run;
  (void)arg;
  (void)out;
  return ENOTSUP;
}

void
gs_sim_thread_join(gs_thread *thread)
{
  (void)thread;
}

uint32_t
gs_sim_thread_slot(gs_env *env)
{
  (void)env;
  return 0;
}
