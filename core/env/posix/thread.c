/*
 * thread: mutexes, conditions and threads of the system's library. In debug
 * builds a mutex notices a second lock by its holder.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "base/check.h"
#include "env/posix/posix.h"

enum { US_PER_S = 1000000, NS_PER_US = 1000, NS_PER_S = 1000000000 };

typedef struct posix_mutex {
  gs_mutex base;
  pthread_mutex_t mutex;
} posix_mutex;

typedef struct posix_cond {
  gs_cond base;
  pthread_cond_t cond;
} posix_cond;

typedef struct posix_thread {
  gs_thread base;
  pthread_t id;
  void (*run)(void *);
  void *arg;
} posix_thread;

static pthread_mutex_t *
mutex_of(gs_mutex *mutex)
{
  return &((posix_mutex *)mutex)->mutex;
}

static pthread_cond_t *
cond_of(gs_cond *cond)
{
  return &((posix_cond *)cond)->cond;
}

static int
init_mutex(pthread_mutex_t *mutex)
{
#ifdef GS_DEBUG
  pthread_mutexattr_t kind;
  int os_errno = pthread_mutexattr_init(&kind);
  if (os_errno != 0) {
    return os_errno;
  }
  pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
  os_errno = pthread_mutex_init(mutex, &kind);
  pthread_mutexattr_destroy(&kind);
  return os_errno;
#else
  return pthread_mutex_init(mutex, NULL);
#endif
}

int
gs_posix_mutex_new(gs_env *env, gs_mutex **out)
{
  posix_mutex *made = GS_NEW(env->alloc, posix_mutex);
  if (made == NULL) {
    return ENOMEM;
  }
  int os_errno = init_mutex(&made->mutex);
  if (os_errno != 0) {
    GS_DELETE(env->alloc, made);
    return os_errno;
  }
  made->base.env = env;
  *out = &made->base;
  return 0;
}

void
gs_posix_mutex_free(gs_mutex *mutex)
{
  posix_mutex *made = (posix_mutex *)mutex;
  pthread_mutex_destroy(&made->mutex);
  GS_DELETE(mutex->env->alloc, made);
}

void
gs_posix_mutex_lock(gs_mutex *mutex)
{
  int os_errno = pthread_mutex_lock(mutex_of(mutex));
  GS_ASSERT(os_errno == 0);
  (void)os_errno;
}

void
gs_posix_mutex_unlock(gs_mutex *mutex)
{
  int os_errno = pthread_mutex_unlock(mutex_of(mutex));
  GS_ASSERT(os_errno == 0);
  (void)os_errno;
}

/* Time-outs follow the clock that nobody sets. */
static int
init_cond(pthread_cond_t *cond)
{
  pthread_condattr_t kind;
  int os_errno = pthread_condattr_init(&kind);
  if (os_errno != 0) {
    return os_errno;
  }
  os_errno = pthread_condattr_setclock(&kind, CLOCK_MONOTONIC);
  if (os_errno == 0) {
    os_errno = pthread_cond_init(cond, &kind);
  }
  pthread_condattr_destroy(&kind);
  return os_errno;
}

int
gs_posix_cond_new(gs_env *env, gs_cond **out)
{
  posix_cond *made = GS_NEW(env->alloc, posix_cond);
  if (made == NULL) {
    return ENOMEM;
  }
  int os_errno = init_cond(&made->cond);
  if (os_errno != 0) {
    GS_DELETE(env->alloc, made);
    return os_errno;
  }
  made->base.env = env;
  *out = &made->base;
  return 0;
}

void
gs_posix_cond_free(gs_cond *cond)
{
  posix_cond *made = (posix_cond *)cond;
  pthread_cond_destroy(&made->cond);
  GS_DELETE(cond->env->alloc, made);
}

static struct timespec
deadline_after(uint64_t timeout_us)
{
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  at.tv_sec += (time_t)(timeout_us / US_PER_S);
  at.tv_nsec += (long)(timeout_us % US_PER_S) * NS_PER_US;
  if (at.tv_nsec >= NS_PER_S) {
    at.tv_nsec -= NS_PER_S;
    at.tv_sec += 1;
  }
  return at;
}

bool
gs_posix_cond_wait(gs_cond *cond, gs_mutex *mutex, uint64_t timeout_us)
{
  if (timeout_us == 0) {
    pthread_cond_wait(cond_of(cond), mutex_of(mutex));
    return true;
  }
  struct timespec deadline = deadline_after(timeout_us);
  return pthread_cond_timedwait(cond_of(cond), mutex_of(mutex), &deadline) !=
         ETIMEDOUT;
}

void
gs_posix_cond_broadcast(gs_cond *cond)
{
  pthread_cond_broadcast(cond_of(cond));
}

static void *
run_thread(void *arg)
{
  posix_thread *thread = arg;
  thread->run(thread->arg);
  return NULL;
}

/* The new thread takes no signals: they belong to the program around us. */
static int
create_deaf(posix_thread *thread)
{
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  int os_errno = pthread_sigmask(SIG_SETMASK, &all, &before);
  if (os_errno != 0) {
    return os_errno;
  }
  os_errno = pthread_create(&thread->id, NULL, run_thread, thread);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return os_errno;
}

int
gs_posix_thread_start(gs_env *env, void (*run)(void *), void *arg,
                      gs_thread **out)
{
  posix_thread *thread = GS_NEW(env->alloc, posix_thread);
  if (thread == NULL) {
    return ENOMEM;
  }
  thread->base.env = env;
  thread->run = run;
  thread->arg = arg;
  int os_errno = create_deaf(thread);
  if (os_errno != 0) {
    GS_DELETE(env->alloc, thread);
    return os_errno;
  }
  *out = &thread->base;
  return 0;
}

void
gs_posix_thread_join(gs_thread *thread)
{
  posix_thread *own = (posix_thread *)thread;
  pthread_join(own->id, NULL);
  GS_DELETE(thread->env->alloc, own);
}
