/*
 * schedule: who runs next.
 *
 * Whoever runs asks here at each point, operation and wait. In order:
 *   1. a task that is stepped goes on until it made its steps or cannot go on;
 *      then the one that stepped it;
 *   2. of the tasks that could run, the one the chooser names; without a
 *      chooser the running one, else the next by id;
 *   3. where none could run, the one that waits for just that;
 *   4. else the clock moves to the nearest deadline;
 *   5. else nothing will ever happen, and the process ends with a report.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "env/sim/state.h"

enum { US_PER_MS = 1000 };

static bool
is_free(const sim_task *task)
{
  return !task->mutex->is_locked;
}

bool
gs_sim_task_is_ready(const gs_sim *sim, const sim_task *task)
{
  switch (task->wait) {
  case SIM_WAIT_NONE:
    return true;
  case SIM_WAIT_MUTEX:
    return is_free(task);
  case SIM_WAIT_COND:
    return (task->is_signalled || task->deadline_us <= sim->mono_us) &&
           is_free(task);
  case SIM_WAIT_TASK:
    return sim->crew.items[task->other]->wait == SIM_WAIT_END;
  case SIM_WAIT_QUIET:
  case SIM_WAIT_HOLD:
  case SIM_WAIT_END:
    break;
  }
  return false;
}

void
gs_sim_hand_over(gs_sim *sim, uint32_t to)
{
  sim_crew *crew = &sim->crew;
  sim_task *from = gs_sim_running(crew);
  if (to == from->id) {
    return;
  }
  /* One that ended touches nothing after the baton is given. */
  bool ends = from->wait == SIM_WAIT_END;
  crew->running = to;
  sem_post(&crew->items[to]->baton);
  if (!ends) {
    gs_sim_take_baton(from);
  }
}

/* ---- those that could run --------------------------------------------------- */

/* Fills crew->ready; *running is the place of the running task in it. */
static size_t
list_ready(gs_sim *sim, size_t *running)
{
  sim_crew *crew = &sim->crew;
  while (crew->ready_capacity < crew->count) {
    crew->ready = gs_sim_grow(crew->ready, crew->ready_capacity,
                              &crew->ready_capacity, sizeof *crew->ready);
  }
  size_t count = 0;
  *running = SIZE_MAX;
  for (uint32_t i = 0; i < crew->count; i++) {
    if (gs_sim_task_is_ready(sim, crew->items[i])) {
      *running = i == crew->running ? count : *running;
      crew->ready[count++] = i;
    }
  }
  *running = *running == SIZE_MAX ? count : *running;
  return count;
}

/* The running one, or the next by id. */
static uint32_t
choose_plainly(const sim_crew *crew, size_t count, size_t running)
{
  if (running < count) {
    return crew->running;
  }
  for (size_t i = 0; i < count; i++) {
    if (crew->ready[i] > crew->running) {
      return crew->ready[i];
    }
  }
  return crew->ready[0];
}

static uint32_t
choose(sim_crew *crew, size_t count, size_t running)
{
  if (count == 1 || crew->chooser == NULL) {
    return choose_plainly(crew, count, running);
  }
  size_t chosen =
      crew->chooser(crew->chooser_context, crew->ready, count, running);
  if (chosen >= count) {
    gs_check_failed("a chooser names one that is ready", __FILE__, __LINE__);
  }
  return crew->ready[chosen];
}

/* ---- when none could -------------------------------------------------------- */

/* Moves the clock to the nearest deadline; false where there is none. */
static bool
pass_time(gs_sim *sim)
{
  uint64_t nearest = UINT64_MAX;
  for (size_t i = 0; i < sim->crew.count; i++) {
    const sim_task *task = sim->crew.items[i];
    if (task->wait == SIM_WAIT_COND && is_free(task) &&
        task->deadline_us < nearest) {
      nearest = task->deadline_us;
    }
  }
  if (nearest == UINT64_MAX) {
    return false;
  }
  sim->wall_ms += nearest / US_PER_MS - sim->mono_us / US_PER_MS;
  sim->mono_us = nearest;
  return true;
}

static void
describe(const gs_sim *sim, const sim_task *task, gs_buffer *out)
{
  gs_buffer_printf(out, "; %u %s", task->id, task->name);
  if (task->place[0] != '\0') {
    gs_buffer_printf(out, " after %s", task->place);
  }
  switch (task->wait) {
  case SIM_WAIT_MUTEX:
    gs_buffer_printf(out, " waits for a mutex of %u", task->mutex->owner);
    break;
  case SIM_WAIT_COND:
    gs_buffer_printf(out, " waits for a broadcast");
    break;
  case SIM_WAIT_TASK:
    gs_buffer_printf(out, " waits for the end of %u", task->other);
    break;
  case SIM_WAIT_HOLD:
    gs_buffer_printf(out, " is held");
    break;
  case SIM_WAIT_QUIET:
  case SIM_WAIT_NONE:
  case SIM_WAIT_END:
    break;
  }
  if (task->wait == SIM_WAIT_COND && task->mutex->is_locked) {
    gs_buffer_printf(out, " and a mutex of %u", task->mutex->owner);
  }
  (void)sim;
}

static void
report_deadlock(const gs_sim *sim)
{
  gs_buffer text;
  gs_buffer_init(&text, gs_sim_books_alloc());
  gs_buffer_printf(&text, "all tasks wait for ever");
  for (size_t i = 0; i < sim->crew.count; i++) {
    if (sim->crew.items[i]->wait != SIM_WAIT_END) {
      describe(sim, sim->crew.items[i], &text);
    }
  }
  gs_buffer_append(&text, "", 1);
  gs_check_failed((const char *)text.data, __FILE__, __LINE__);
}

/* One that waits for quiet, or the crew's size. */
static uint32_t
find_quiet(const sim_crew *crew)
{
  uint32_t i = 0;
  while (i < crew->count && crew->items[i]->wait != SIM_WAIT_QUIET) {
    i++;
  }
  return i;
}

static uint32_t
next_task(gs_sim *sim)
{
  for (;;) {
    size_t running;
    size_t count = list_ready(sim, &running);
    if (count > 0) {
      return choose(&sim->crew, count, running);
    }
    uint32_t quiet = find_quiet(&sim->crew);
    if (quiet < sim->crew.count) {
      return quiet;
    }
    if (!pass_time(sim)) {
      report_deadlock(sim);
    }
  }
}

/* ---- where tasks change ------------------------------------------------------ */

static bool
is_held(const sim_crew *crew, const char *place)
{
  for (size_t i = 0; i < crew->hold_count; i++) {
    if (strcmp(crew->holds[i], place) == 0) {
      return true;
    }
  }
  return false;
}

/* Whether the running task is the one that makes steps. */
static bool
is_stepped(const sim_crew *crew)
{
  return crew->steps_left > 0 && crew->stepped == crew->running;
}

void
gs_sim_wait(gs_sim *sim)
{
  sim_crew *crew = &sim->crew;
  sim_task *task = gs_sim_running(crew);
  gs_sim_hand_over(sim, is_stepped(crew) ? crew->stepper : next_task(sim));
  if (task->wait != SIM_WAIT_END) {
    task->wait = SIM_WAIT_NONE;
  }
}

void
gs_sim_turn(gs_sim *sim, const char *place)
{
  sim_crew *crew = &sim->crew;
  if (!crew->is_open) {
    return;
  }
  sim_task *task = gs_sim_running(crew);
  task->place = place;
  if (task->id != 0 && is_held(crew, place)) {
    task->wait = SIM_WAIT_HOLD;
    gs_sim_wait(sim);
  } else if (is_stepped(crew)) {
    if (--crew->steps_left == 0) {
      gs_sim_hand_over(sim, crew->stepper);
    }
  } else if (crew->chooser != NULL) {
    gs_sim_hand_over(sim, next_task(sim));
  }
}
