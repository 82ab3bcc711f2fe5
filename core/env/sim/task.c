/*
 * task: tasks from their beginning to their end.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "env/sim/call.h"

enum { NAME_BYTES = 64, STACK_BYTES = 1 << 20 };

typedef struct sim_thread {
  gs_thread base;
  uint32_t task;
} sim_thread;

static void
require(bool holds, const char *rule, int line)
{
  if (!holds) {
    gs_check_failed(rule, __FILE__, line);
  }
}

/* The smallest that no living task has. */
static uint32_t
free_slot(const sim_crew *crew)
{
  uint32_t slot = 0;
  size_t i = 0;
  while (i < crew->count) {
    bool is_taken =
        crew->items[i]->wait != SIM_WAIT_END && crew->items[i]->slot == slot;
    slot += is_taken;
    i = is_taken ? 0 : i + 1;
  }
  return slot;
}

static sim_task *
add_task(gs_sim *sim, const char *name)
{
  sim_crew *crew = &sim->crew;
  sim_task *task = gs_sim_grab(sizeof *task);
  task->id = (uint32_t)crew->count;
  task->slot = free_slot(crew);
  task->name = gs_sim_grab_text(name, strnlen(name, NAME_BYTES));
  task->place = "";
  task->sim = sim;
  require(sem_init(&task->baton, 0, 0) == 0, "a baton", __LINE__);
  crew->items = gs_sim_grow(crew->items, crew->count, &crew->capacity,
                            sizeof *crew->items);
  crew->items[crew->count++] = task;
  return task;
}

static void
free_task(sim_task *task)
{
  require(task->id == 0 || task->wait == SIM_WAIT_END,
          "all tasks ended before their machine is freed", __LINE__);
  if (task->has_thread) {
    pthread_join(task->thread, NULL);
  }
  sem_destroy(&task->baton);
  free(task->name);
  free(task);
}

void
gs_sim_crew_deinit(gs_sim *sim)
{
  sim_crew *crew = &sim->crew;
  for (size_t i = 0; i < crew->count; i++) {
    free_task(crew->items[i]);
  }
  for (size_t i = 0; i < crew->hold_count; i++) {
    free(crew->holds[i]);
  }
  free(crew->items);
  free(crew->holds);
  free(crew->ready);
}

void
gs_sim_take_baton(sim_task *task)
{
  while (sem_wait(&task->baton) != 0) {
  }
}

static void *
live(void *arg)
{
  sim_task *task = arg;
  gs_sim_take_baton(task);
  task->run(task->arg);
  task->wait = SIM_WAIT_END;
  gs_sim_wait(task->sim);
  return NULL;
}

/* One task runs at a time, and to hand the baton on within a processor takes a
 * third of waking another. Where that may not be chosen they run anywhere. */
static void
keep_here(pthread_t thread)
{
  int here = sched_getcpu();
  if (here >= 0 && here < CPU_SETSIZE) {
    cpu_set_t processors;
    CPU_ZERO(&processors);
    CPU_SET((size_t)here, &processors);
    (void)pthread_setaffinity_np(thread, sizeof processors, &processors);
  }
}

/* Stacks of this size are kept by the C library for the next thread, those of
 * the usual size are not. */
static int
start_thread(sim_task *task)
{
  pthread_attr_t attributes;
  int os_errno = pthread_attr_init(&attributes);
  if (os_errno != 0) {
    return os_errno;
  }
  os_errno = pthread_attr_setstacksize(&attributes, STACK_BYTES);
  if (os_errno == 0) {
    os_errno = pthread_create(&task->thread, &attributes, live, task);
  }
  if (os_errno == 0) {
    keep_here(task->thread);
  }
  pthread_attr_destroy(&attributes);
  return os_errno;
}

int
gs_sim_task_start(gs_sim *sim, const char *name, void (*run)(void *arg),
                  void *arg, uint32_t *id)
{
  sim_task *task = add_task(sim, name);
  task->run = run;
  task->arg = arg;
  int os_errno = start_thread(task);
  task->has_thread = os_errno == 0;
  if (os_errno != 0) {
    task->wait = SIM_WAIT_END;
  }
  *id = task->id;
  return os_errno;
}

/* ---- as threads of the engine --------------------------------------------- */

int
gs_sim_thread_start(gs_env *env, void (*run)(void *), void *arg,
                    gs_thread **out)
{
  gs_sim *sim = gs_sim_of(env);
  if (!sim->crew.is_open) {
    return ENOTSUP;
  }
  sim_thread *made = GS_NEW(env->alloc, sim_thread);
  if (made == NULL) {
    return ENOMEM;
  }
  int os_errno = gs_sim_task_start(sim, "thread", run, arg, &made->task);
  if (os_errno != 0) {
    GS_DELETE(env->alloc, made);
    return os_errno;
  }
  made->base.env = env;
  *out = &made->base;
  return 0;
}

void
gs_sim_thread_join(gs_thread *thread)
{
  gs_env *env = thread->env;
  gs_sim *sim = gs_sim_of(env);
  sim_thread *made = (sim_thread *)thread;
  sim_task *task = sim->crew.items[made->task];
  if (task->wait != SIM_WAIT_END) {
    sim_task *own = gs_sim_running(&sim->crew);
    own->wait = SIM_WAIT_TASK;
    own->other = task->id;
    gs_sim_wait(sim);
  }
  pthread_join(task->thread, NULL);
  task->has_thread = false;
  GS_DELETE(env->alloc, made);
}

uint32_t
gs_sim_thread_slot(gs_env *env)
{
  sim_crew *crew = &gs_sim_of(env)->crew;
  return crew->is_open ? gs_sim_running(crew)->slot : 0;
}

/* ---- as the tester sees them ------------------------------------------------ */

void
gs_sim_allow_tasks(gs_sim *sim)
{
  if (!sim->crew.is_open) {
    add_task(sim, "caller");
  }
  sim->crew.is_open = true;
  sim->env.has_threads = true;
}

gs_status
gs_sim_spawn(gs_sim *sim, const char *name, void (*run)(void *arg), void *arg,
             uint32_t *id, gs_error *err)
{
  if (!sim->crew.is_open) {
    return GS_FAIL(err, GS_MISUSE, "the machine has no tasks yet");
  }
  int os_errno = gs_sim_task_start(sim, name, run, arg, id);
  if (os_errno != 0) {
    return gs_error_errno(
        err, GS_FAIL(err, GS_LIMIT, "cannot start another thread"), os_errno);
  }
  return GS_OK;
}

static gs_sim_task_state
state_of(const gs_sim *sim, const sim_task *task)
{
  if (task->wait == SIM_WAIT_END) {
    return GS_TASK_ENDED;
  }
  if (task->wait == SIM_WAIT_HOLD) {
    return GS_TASK_HELD;
  }
  return gs_sim_task_is_ready(sim, task) ? GS_TASK_READY : GS_TASK_WAITING;
}

size_t
gs_sim_tasks(const gs_sim *sim, gs_sim_task *out, size_t capacity)
{
  const sim_crew *crew = &sim->crew;
  for (size_t i = 0; i < crew->count && i < capacity; i++) {
    const sim_task *task = crew->items[i];
    out[i] = (gs_sim_task){
        .id = task->id,
        .name = task->name,
        .state = state_of(sim, task),
        .place = task->place,
    };
  }
  return crew->count;
}
