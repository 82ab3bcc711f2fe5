/*
 * drive: the tester's hands on the schedule.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "env/sim/state.h"

bool
gs_sim_step(gs_sim *sim, uint32_t id, uint64_t count)
{
  sim_crew *crew = &sim->crew;
  if (id >= crew->count || id == crew->running) {
    gs_check_failed("another task is stepped", __FILE__, __LINE__);
  }
  if (count == 0 || !gs_sim_task_is_ready(sim, crew->items[id])) {
    return count == 0;
  }
  crew->stepped = id;
  crew->stepper = crew->running;
  crew->steps_left = count;
  gs_sim_hand_over(sim, id);
  bool is_done = crew->steps_left == 0;
  crew->steps_left = 0;
  return is_done;
}

void
gs_sim_drain(gs_sim *sim)
{
  if (sim->crew.is_open) {
    gs_sim_running(&sim->crew)->wait = SIM_WAIT_QUIET;
    gs_sim_wait(sim);
  }
}

static size_t
find_hold(const sim_crew *crew, const char *point)
{
  size_t i = 0;
  while (i < crew->hold_count && strcmp(crew->holds[i], point) != 0) {
    i++;
  }
  return i;
}

void
gs_sim_hold(gs_sim *sim, const char *point)
{
  sim_crew *crew = &sim->crew;
  if (find_hold(crew, point) == crew->hold_count) {
    crew->holds = gs_sim_grow(crew->holds, crew->hold_count,
                              &crew->hold_capacity, sizeof *crew->holds);
    crew->holds[crew->hold_count++] = gs_sim_grab_text(point, strlen(point));
  }
}

void
gs_sim_release(gs_sim *sim, const char *point)
{
  sim_crew *crew = &sim->crew;
  size_t at = find_hold(crew, point);
  if (at == crew->hold_count) {
    return;
  }
  free(crew->holds[at]);
  crew->holds[at] = crew->holds[--crew->hold_count];
  for (size_t i = 0; i < crew->count; i++) {
    sim_task *task = crew->items[i];
    if (task->wait == SIM_WAIT_HOLD && strcmp(task->place, point) == 0) {
      task->wait = SIM_WAIT_NONE;
    }
  }
}

void
gs_sim_release_held(gs_sim *sim)
{
  for (size_t i = 0; i < sim->crew.count; i++) {
    const sim_task *task = sim->crew.items[i];
    if (task->wait == SIM_WAIT_HOLD) {
      gs_sim_release(sim, task->place);
    }
  }
}

void
gs_sim_set_chooser(gs_sim *sim, gs_sim_chooser chooser, void *context)
{
  sim->crew.chooser = chooser;
  sim->crew.chooser_context = context;
}
