/*
 * machine: a simulated machine from its first moment to its last, with its
 * clock and its chance.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/check.h"
#include "env/sim/call.h"

#define FIRST_MONO_US UINT64_C(1000000)
#define FIRST_WALL_MS UINT64_C(1000000000000)

enum {
  US_PER_MS = 1000,
  PART_BYTES = 16 * 1024, /* little, so that small files go in parts too */
};

static uint64_t
mono_us(gs_env *env)
{
  return gs_sim_of(env)->mono_us;
}

static uint64_t
wall_ms(gs_env *env)
{
  return gs_sim_of(env)->wall_ms;
}

static uint64_t
random64(gs_env *env)
{
  return gs_sim_draw(&gs_sim_of(env)->random);
}

static uint64_t
part_bytes(gs_env *env, const char *path)
{
  (void)env;
  (void)path;
  return PART_BYTES;
}

static const gs_env_ops operations = {
    .open = gs_sim_file_open,
    .close = gs_sim_file_close,
    .read = gs_sim_file_read,
    .write = gs_sim_file_write,
    .allocate = gs_sim_file_allocate,
    .reserve = gs_sim_file_allocate, /* the medium knows no difference */
    .map = gs_sim_file_map,
    .truncate = gs_sim_file_truncate,
    .sync_data = gs_sim_file_sync,
    .size = gs_sim_file_size,
    .advise = gs_sim_file_advise,
    .is_alone = gs_sim_file_is_alone,
    .part_bytes = part_bytes,
    .list = gs_sim_dir_list,
    .stat = gs_sim_dir_stat,
    .make_dir = gs_sim_dir_make,
    .remove = gs_sim_dir_remove,
    .remove_dir = gs_sim_dir_remove_dir,
    .link = gs_sim_dir_link,
    .sync_dir = gs_sim_dir_sync,
    .space = gs_sim_dir_space,
    .lock = gs_sim_lock_take,
    .guard = gs_sim_lock_guard,
    .probe = gs_sim_lock_probe,
    .unlock = gs_sim_lock_drop,
    .mono_us = mono_us,
    .wall_ms = wall_ms,
    .random64 = random64,
    .mutex_new = gs_sim_mutex_new,
    .mutex_free = gs_sim_mutex_free,
    .mutex_lock = gs_sim_mutex_lock,
    .mutex_unlock = gs_sim_mutex_unlock,
    .cond_new = gs_sim_cond_new,
    .cond_free = gs_sim_cond_free,
    .cond_wait = gs_sim_cond_wait,
    .cond_broadcast = gs_sim_cond_broadcast,
    .thread_start = gs_sim_thread_start,
    .thread_join = gs_sim_thread_join,
    .thread_slot = gs_sim_thread_slot,
    .point = gs_sim_point,
};

/* The registry's mutex belongs to the machine and not to its guests: it is there
 * from the start and not in their account. */
static void
make_registry(gs_sim *sim)
{
  gs_mutex *mutex = NULL;
  if (gs_sim_mutex_new(&sim->env, &mutex) != 0) {
    gs_check_failed("memory for the simulator", __FILE__, __LINE__);
  }
  atomic_init(&sim->env.registry, mutex);
  sim->alloc.allocated_bytes = 0;
  sim->alloc.asked = 0;
}

gs_sim *
gs_sim_bare(uint64_t seed)
{
  gs_sim *sim = gs_sim_grab(sizeof *sim);
  sim->alloc.base.resize = gs_sim_alloc_resize;
  sim->env.ops = &operations;
  sim->env.alloc = &sim->alloc.base;
  sim->env.has_threads = false;
  sim->seed = seed;
  sim->random = gs_sim_mix(seed, 0);
  sim->chance = gs_sim_mix(seed, 1);
  sim->sector = SIM_SECTOR;
  atomic_init(&sim->process, 1);
  sim->env.process = &sim->process;
  sim->mono_us = FIRST_MONO_US;
  sim->wall_ms = FIRST_WALL_MS;
  sim->next_inode = 1;
  gs_buffer_init(&sim->trace, gs_sim_books_alloc());
  make_registry(sim);
  return sim;
}

gs_sim *
gs_sim_new(uint64_t seed)
{
  gs_sim *sim = gs_sim_bare(seed);
  gs_sim_node_add(sim, true);
  return sim;
}

void
gs_sim_free(gs_sim *sim)
{
  if (sim == NULL) {
    return;
  }
  gs_sim_heal(sim);
  gs_sim_watch_end(sim);
  gs_sim_crew_deinit(sim);
  gs_buffer_deinit(&sim->trace);
  gs_mutex_free(atomic_load(&sim->env.registry));
  free(sim->faults);
  for (size_t i = 0; i < sim->node_count; i++) {
    gs_sim_node_free(sim->nodes[i]);
  }
  free(sim->nodes);
  free(sim);
}

gs_env *
gs_sim_env(gs_sim *sim)
{
  return &sim->env;
}

void
gs_sim_advance_ms(gs_sim *sim, uint64_t ms)
{
  sim->mono_us += ms * US_PER_MS;
  sim->wall_ms += ms;
}

void
gs_sim_set_wall_ms(gs_sim *sim, uint64_t wall_ms_now)
{
  sim->wall_ms = wall_ms_now;
}

void
gs_sim_set_capacity(gs_sim *sim, uint64_t bytes)
{
  sim->capacity = bytes;
}

uint64_t
gs_sim_wall_ms(const gs_sim *sim)
{
  return sim->wall_ms;
}

void
gs_sim_set_open_files(gs_sim *sim, uint64_t count)
{
  sim->open_limit = count;
}

void
gs_sim_set_sector(gs_sim *sim, uint32_t bytes)
{
  if (bytes == 0 || bytes > SIM_SECTOR_MOST || (bytes & (bytes - 1)) != 0) {
    gs_check_failed("a sector is a power of two up to 4096", __FILE__,
                    __LINE__);
  }
  sim->sector = bytes;
}
