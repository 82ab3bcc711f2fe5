/*
 * thread: mutexes and conditions. On a machine without tasks they keep nobody
 * out, so all they do is to notice what would have stopped or broken a real
 * machine, and every wait ends at once as if its time had run out.
 */
#include <errno.h>

#include "base/check.h"
#include "env/sim/call.h"

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

static sim_crew *
crew_of(gs_env *env)
{
  return &gs_sim_of(env)->crew;
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

/* Requires: nobody holds it. */
static void
take(sim_mutex *mutex)
{
  mutex->is_locked = true;
  mutex->owner = crew_of(mutex->base.env)->running;
}

void
gs_sim_mutex_lock(gs_mutex *mutex)
{
  sim_mutex *own = mutex_of(mutex);
  sim_crew *crew = crew_of(mutex->env);
  require(!own->is_locked || own->owner != crew->running,
          "a mutex is locked once", __LINE__);
  if (own->is_locked) {
    sim_task *task = gs_sim_running(crew);
    task->wait = SIM_WAIT_MUTEX;
    task->mutex = own;
    gs_sim_wait(gs_sim_of(mutex->env));
  }
  take(own);
}

void
gs_sim_mutex_unlock(gs_mutex *mutex)
{
  sim_mutex *own = mutex_of(mutex);
  require(own->is_locked, "an unlocked mutex was locked", __LINE__);
  require(own->owner == crew_of(mutex->env)->running,
          "a mutex is unlocked by who locked it", __LINE__);
  own->is_locked = false;
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

bool
gs_sim_cond_wait(gs_cond *cond, gs_mutex *mutex, uint64_t timeout_us)
{
  gs_sim *sim = gs_sim_of(cond->env);
  sim_mutex *own = mutex_of(mutex);
  require(own->is_locked && own->owner == sim->crew.running,
          "a waiter holds the mutex", __LINE__);
  if (!sim->crew.is_open) {
    return false;
  }
  sim_task *task = gs_sim_running(&sim->crew);
  bool is_limited = timeout_us != 0 && timeout_us < UINT64_MAX - sim->mono_us;
  task->wait = SIM_WAIT_COND;
  task->mutex = own;
  task->cond = cond;
  task->is_signalled = false;
  task->deadline_us = is_limited ? sim->mono_us + timeout_us : UINT64_MAX;
  own->is_locked = false;
  gs_sim_wait(sim);
  take(own);
  return task->is_signalled;
}

void
gs_sim_cond_broadcast(gs_cond *cond)
{
  sim_crew *crew = crew_of(cond->env);
  for (size_t i = 0; i < crew->count; i++) {
    sim_task *task = crew->items[i];
    task->is_signalled |= task->wait == SIM_WAIT_COND && task->cond == cond;
  }
}
