/*
 * thread: making and ending what threads need, with errors in words.
 */
#include <errno.h>

#include "env/env.h"
#include "env/os_error.h"

static gs_status
fail_thing(gs_error *err, int os_errno, const char *thing)
{
  gs_status status =
      GS_FAIL(err, gs_os_error_status(os_errno), "cannot make %s", thing);
  status = gs_error_hint(err, status, gs_os_error_hint(os_errno));
  return gs_error_errno(err, status, os_errno);
}

gs_status
gs_mutex_new(gs_env *env, gs_mutex **out, gs_error *err)
{
  int os_errno = env->ops->mutex_new(env, out);
  if (os_errno != 0) {
    *out = NULL;
    return fail_thing(err, os_errno, "a mutex");
  }
  return GS_OK;
}

void
gs_mutex_free(gs_mutex *mutex)
{
  if (mutex != NULL) {
    mutex->env->ops->mutex_free(mutex);
  }
}

gs_status
gs_cond_new(gs_env *env, gs_cond **out, gs_error *err)
{
  int os_errno = env->ops->cond_new(env, out);
  if (os_errno != 0) {
    *out = NULL;
    return fail_thing(err, os_errno, "a condition");
  }
  return GS_OK;
}

void
gs_cond_free(gs_cond *cond)
{
  if (cond != NULL) {
    cond->env->ops->cond_free(cond);
  }
}

gs_status
gs_thread_start(gs_env *env, void (*run)(void *), void *arg, gs_thread **out,
                gs_error *err)
{
  int os_errno = env->ops->thread_start(env, run, arg, out);
  if (os_errno == 0) {
    return GS_OK;
  }
  *out = NULL;
  if (os_errno == EAGAIN) {
    gs_status status = GS_FAIL(err, GS_LIMIT, "cannot start another thread");
    status = gs_error_errno(err, status, os_errno);
    return gs_error_hint(err, status, "raise the limit on threads (ulimit -u)");
  }
  return fail_thing(err, os_errno, "a thread");
}

void
gs_thread_join(gs_thread *thread)
{
  if (thread != NULL) {
    thread->env->ops->thread_join(thread);
  }
}

gs_status
gs_env_registry(gs_env *env, gs_mutex **out, gs_error *err)
{
  gs_mutex *made = atomic_load(&env->registry);
  if (made == NULL) {
    gs_mutex *fresh = NULL;
    gs_status status = gs_mutex_new(env, &fresh, err);
    if (status != GS_OK) {
      return status;
    }
    if (atomic_compare_exchange_strong(&env->registry, &made, fresh)) {
      made = fresh;
    } else {
      gs_mutex_free(fresh);
    }
  }
  *out = made;
  return GS_OK;
}
