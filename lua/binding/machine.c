/*
 * machine: which machine a store is opened on, and who is open on it.
 */
#include "gsl_sim.h"

/* The env in field "env", pushed with its machine; nil and NULL. */
static gsl_machine *
push_env(lua_State *L, int arg)
{
  if (gsl_field(L, arg, "env") == LUA_TNIL) {
    return NULL;
  }
  gsl_env *e = gsl_test_kind(L, -1, GSL_ENV_MT);
  luaL_argcheck(L, e != NULL, arg, "option 'env' takes a testing env");
  luaL_argcheck(L, e->sim != NULL, arg, "the env is closed");
  return &e->machine;
}

/* The same for field "clock", where "system" is no machine either. */
static gsl_machine *
push_clock(lua_State *L, int arg)
{
  int type = gsl_field(L, arg, "clock");
  bool is_system =
      type == LUA_TSTRING && strcmp(lua_tostring(L, -1), "system") == 0;
  if (type == LUA_TNIL || is_system) {
    lua_pop(L, 1);
    lua_pushnil(L);
    return NULL;
  }
  luaL_argcheck(L, gsl_test_kind(L, -1, GSL_CLOCK_MT) != NULL, arg,
                "option 'clock' takes \"system\" or a testing clock");
  gsl_machine *machine = gsl_clock_machine(L, -1);
  luaL_argcheck(L, machine->env != NULL, arg, "the clock is closed");
  return machine;
}

gsl_machine *
gsl_option_machine(lua_State *L, int arg)
{
  if (lua_isnoneornil(L, arg)) {
    lua_pushnil(L);
    return NULL;
  }
  gsl_machine *clock = push_clock(L, arg);
  gsl_machine *env = push_env(L, arg);
  if (clock != NULL && env != NULL && clock != env) {
    luaL_argerror(L, arg, "an env has a clock of its own: env.clock");
  }
  lua_remove(L, env != NULL ? -2 : -1);
  return env != NULL ? env : clock;
}

struct gs_env *
gsl_machine_env(const gsl_machine *machine)
{
  return machine == NULL ? NULL : machine->env;
}

uint32_t
gsl_machine_threads(const gsl_machine *machine, uint32_t wanted)
{
  return machine == NULL || machine->has_threads ? wanted : 0;
}

void
gsl_machine_enter(gsl_machine *machine)
{
  if (machine != NULL) {
    machine->stores++;
  }
}

void
gsl_machine_leave(gsl_machine *machine)
{
  if (machine == NULL) {
    return;
  }
  machine->stores--;
  if (machine->stores == 0 && machine->is_collected) {
    machine->release(machine);
  }
}
