/*
 * crew: the tasks of a simulated machine. Only env/sim includes it.
 *
 * Model: a task is a thread of the process that waits on its own semaphore, the
 * baton, unless it is the one that runs. Whoever runs gives the baton to the
 * next and waits for its own, so that all that tasks do is one after the other
 * and needs no locks. Task 0 is the caller; it has no thread of its own.
 *   1. items[running] runs; all others wait for their batons or have ended.
 *   2. Whether a waiting task could run is asked of what it waits for, never
 *      remembered: a free mutex, a broadcast, an ended task, a moment.
 *   3. A machine without tasks has none, not even the caller; is_open is false
 *      and running 0.
 *
 * Threads: that of the running task.
 */
#ifndef GS_ENV_SIM_CREW_H
#define GS_ENV_SIM_CREW_H

#include <pthread.h>
#include <semaphore.h>

#include "env/env.h"
#include "env/sim.h"

typedef struct sim_mutex {
  gs_mutex base;
  bool is_locked;
  uint32_t owner; /* the task that holds it */
} sim_mutex;

/* What a task waits for. */
typedef enum sim_wait {
  SIM_WAIT_NONE = 0,
  SIM_WAIT_MUTEX, /* until it is free */
  SIM_WAIT_COND,  /* until a broadcast or the deadline, and a free mutex */
  SIM_WAIT_TASK,  /* until another one ended */
  SIM_WAIT_QUIET, /* until no other task could run */
  SIM_WAIT_HOLD,  /* until the point is released */
  SIM_WAIT_END,   /* for nothing any more */
} sim_wait;

typedef struct sim_task {
  uint32_t id;
  uint32_t slot;
  char *name;        /* owned */
  const char *place; /* static or interned */
  void (*run)(void *arg);
  void *arg;
  gs_sim *sim;
  pthread_t thread;
  bool has_thread; /* not joined yet */
  sem_t baton;
  sim_wait wait;
  const sim_mutex *mutex; /* of MUTEX and COND */
  const gs_cond *cond;
  uint32_t other; /* of TASK */
  uint64_t deadline_us;
  bool is_signalled;
} sim_task;

typedef struct sim_crew {
  bool is_open;
  uint32_t running;
  sim_task **items;
  size_t count;
  size_t capacity;
  uint32_t *ready; /* scratch with room for all */
  size_t ready_capacity;
  char **holds; /* points where tasks stay; owned */
  size_t hold_count;
  size_t hold_capacity;
  uint32_t stepped; /* while steps_left > 0 only this one runs */
  uint64_t steps_left;
  uint32_t stepper; /* and then this one */
  gs_sim_chooser chooser;
  void *chooser_context;
} sim_crew;

/* task.c */

void gs_sim_crew_deinit(gs_sim *sim);

/* 0 or an errno value. The name is copied. */
int gs_sim_task_start(gs_sim *sim, const char *name, void (*run)(void *arg),
                      void *arg, uint32_t *id);

void gs_sim_take_baton(sim_task *task);

static inline sim_task *
gs_sim_running(sim_crew *crew)
{
  return crew->items[crew->running];
}

/* schedule.c */

/* The running task comes to a point or an operation. */
void gs_sim_turn(gs_sim *sim, const char *place);

/* The running task waits as its record says; returns when it runs again. One
 * whose wait is END does not wait for that. */
void gs_sim_wait(gs_sim *sim);

/* Another one goes on, and the running one when it is given the baton. */
void gs_sim_hand_over(gs_sim *sim, uint32_t to);

bool gs_sim_task_is_ready(const gs_sim *sim, const sim_task *task);

#endif
