/*
 * trace: what the machine was asked and what it answered, a line each:
 *
 *   17 write /db/000001.wal 4096+512 = 512
 *   18 sync /db/000001.wal = 0
 *   2: 19 open /db/000003.sst = -2      by task 2; -2 is the errno value
 *   2: point flush.begin
 */
#include "env/sim/call.h"

typedef unsigned long long ull;

const char *
gs_sim_op_name(gs_sim_op op)
{
  static const char *const names[] = {
      [GS_SIM_OPEN] = "open",         [GS_SIM_READ] = "read",
      [GS_SIM_WRITE] = "write",       [GS_SIM_ALLOCATE] = "allocate",
      [GS_SIM_SYNC] = "sync",         [GS_SIM_LIST] = "list",
      [GS_SIM_STAT] = "stat",         [GS_SIM_MAKE_DIR] = "make_dir",
      [GS_SIM_REMOVE] = "remove",     [GS_SIM_LINK] = "link",
      [GS_SIM_SYNC_DIR] = "sync_dir", [GS_SIM_TRUNCATE] = "truncate",
      [GS_SIM_ANY] = "any",
  };
  return names[op];
}

static void
begin_line(gs_sim *sim)
{
  if (sim->crew.is_open) {
    gs_buffer_printf(&sim->trace, "%u: ", sim->crew.running);
  }
}

int64_t
gs_sim_end_transfer(gs_sim *sim, const sim_call *call, int64_t result)
{
  if (!sim->is_tracing) {
    return result;
  }
  begin_line(sim);
  gs_buffer_printf(&sim->trace, "%llu %s %s", (ull)call->number,
                   gs_sim_op_name(call->op), call->path);
  if (call->has_range) {
    gs_buffer_printf(&sim->trace, " %llu+%llu", (ull)call->offset,
                     (ull)call->size);
  }
  gs_buffer_printf(&sim->trace, " = %lld\n", (long long)result);
  return result;
}

int
gs_sim_end(gs_sim *sim, const sim_call *call, int os_errno)
{
  gs_sim_end_transfer(sim, call, -(int64_t)os_errno);
  return os_errno;
}

void
gs_sim_point(gs_env *env, const char *name)
{
  gs_sim *sim = gs_sim_of(env);
  if (sim->is_tracing) {
    begin_line(sim);
    gs_buffer_printf(&sim->trace, "point %s\n", name);
  }
  gs_sim_turn(sim, name);
}

void
gs_sim_set_tracing(gs_sim *sim, bool is_on)
{
  sim->is_tracing = is_on;
}

gs_slice
gs_sim_trace(const gs_sim *sim)
{
  return gs_buffer_slice(&sim->trace);
}
