/*
 * clocked: a table of operations that is a copy of the real machine's in all
 * but one entry. The real operations take from the machine they are given only
 * what every machine has, so they do not notice that it is another.
 */
#include "env/clocked.h"

#include <stdatomic.h>

#include "env/env.h"

struct gs_clocked {
  gs_env env; /* first, so that a gs_env is its machine */
  gs_env_ops ops;
  _Atomic uint64_t wall_ms;
};

static uint64_t
wall_ms(gs_env *env)
{
  return gs_clocked_wall_ms((gs_clocked *)env);
}

gs_status
gs_clocked_new(uint64_t wall_ms_now, gs_clocked **out, gs_error *err)
{
  gs_env *real = gs_env_posix();
  gs_clocked *clocked = gs_alloc_zeroed(real->alloc, sizeof *clocked);
  if (clocked == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  clocked->ops = *real->ops;
  clocked->ops.wall_ms = wall_ms;
  clocked->env.ops = &clocked->ops;
  clocked->env.process = real->process;
  clocked->env.alloc = real->alloc;
  clocked->env.has_threads = real->has_threads;
  atomic_init(&clocked->env.registry, NULL);
  atomic_init(&clocked->wall_ms, wall_ms_now);
  *out = clocked;
  return GS_OK;
}

void
gs_clocked_free(gs_clocked *clocked)
{
  if (clocked == NULL) {
    return;
  }
  gs_mutex_free(atomic_load(&clocked->env.registry));
  gs_alloc_free(clocked->env.alloc, clocked, sizeof *clocked);
}

struct gs_env *
gs_clocked_env(gs_clocked *clocked)
{
  return &clocked->env;
}

void
gs_clocked_set_wall_ms(gs_clocked *clocked, uint64_t wall_ms_now)
{
  atomic_store(&clocked->wall_ms, wall_ms_now);
}

uint64_t
gs_clocked_wall_ms(const gs_clocked *clocked)
{
  return atomic_load(&clocked->wall_ms);
}
