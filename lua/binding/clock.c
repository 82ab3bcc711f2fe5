/*
 * clock: clocks that tests move. A simulated machine has one; a testing clock
 * makes one for the real machine, on which only the time of day is its own.
 */
#include "env/clocked.h"
#include "gsl_sim.h"

/* Counted in microseconds too, it does not overflow. */
#define LATEST_MS (UINT64_MAX / 2 / 1000)

/* A clock of its own is a machine: stores can be opened on it. */
typedef struct gsl_clock {
  gsl_machine machine; /* closed in the clock of an env */
  gs_clocked *clocked; /* NULL: the clock of an env, or released */
  gsl_env *owner;      /* that env, kept alive by the user value, or NULL */
} gsl_clock;

static void
release(gsl_machine *machine)
{
  gsl_clock *c = (gsl_clock *)machine;
  gs_clocked *clocked = c->clocked;
  c->clocked = NULL;
  c->machine.env = NULL;
  gs_clocked_free(clocked);
}

static gsl_clock *
push_clock(lua_State *L)
{
  gsl_clock *c = lua_newuserdatauv(L, sizeof *c, 1);
  memset(c, 0, sizeof *c);
  c->machine.release = release;
  lua_pushvalue(L, lua_upvalueindex(GSL_CLOCK_MT));
  lua_setmetatable(L, -2);
  return c;
}

/* core.clock(wall_ms) -> clock for the real machine */
int
gsl_new_clock(lua_State *L)
{
  lua_Integer wall_ms = luaL_checkinteger(L, 1);
  luaL_argcheck(L, wall_ms >= 0, 1, "a time is not negative");
  gsl_clock *c = push_clock(L);
  gs_error err;
  gs_status status = gs_clocked_new((uint64_t)wall_ms, &c->clocked, &err);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  c->machine.env = gs_clocked_env(c->clocked);
  c->machine.has_threads = true;
  return 1;
}

void
gsl_push_env_clock(lua_State *L, int env_arg)
{
  gsl_env *e = lua_touserdata(L, env_arg);
  if (lua_getiuservalue(L, env_arg, GSL_ENV_CLOCK) != LUA_TNIL) {
    return;
  }
  lua_pop(L, 1);
  gsl_clock *c = push_clock(L);
  c->owner = e;
  lua_pushvalue(L, env_arg);
  lua_setiuservalue(L, -2, 1);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, env_arg, GSL_ENV_CLOCK);
}

gsl_machine *
gsl_clock_machine(lua_State *L, int at)
{
  gsl_clock *c = gsl_check_kind(L, at, GSL_CLOCK_MT, "grainstore.clock");
  return c->owner != NULL ? &c->owner->machine : &c->machine;
}

static gsl_clock *
check(lua_State *L)
{
  gsl_clock *c = gsl_check_kind(L, 1, GSL_CLOCK_MT, "grainstore.clock");
  if (gsl_clock_machine(L, 1)->env == NULL) {
    luaL_argerror(L, 1,
                  c->owner != NULL ? "the clock's env is closed"
                                   : "the clock is closed");
  }
  return c;
}

static uint64_t
check_ms(lua_State *L)
{
  lua_Integer ms = luaL_checkinteger(L, 2);
  luaL_argcheck(L, ms >= 0, 2, "an integer from 0 expected");
  luaL_argcheck(L, (uint64_t)ms <= LATEST_MS, 2, "too far in the future");
  return (uint64_t)ms;
}

static uint64_t
now_of(const gsl_clock *c)
{
  return c->owner != NULL ? gs_sim_wall_ms(c->owner->sim)
                          : gs_clocked_wall_ms(c->clocked);
}

static int
push_now(lua_State *L, const gsl_clock *c)
{
  lua_pushinteger(L, (lua_Integer)now_of(c));
  return 1;
}

/* clock:now() -> milliseconds since 1970 */
static int
now(lua_State *L)
{
  return push_now(L, check(L));
}

/* clock:advance(ms) -> now */
static int
advance(lua_State *L)
{
  gsl_clock *c = check(L);
  uint64_t ms = check_ms(L);
  uint64_t now_ms = now_of(c);
  luaL_argcheck(L, now_ms <= LATEST_MS && ms <= LATEST_MS - now_ms, 2,
                "too far in the future");
  if (c->owner != NULL) {
    gs_sim_advance_ms(c->owner->sim, ms);
  } else {
    gs_clocked_set_wall_ms(c->clocked, now_ms + ms);
  }
  return push_now(L, c);
}

/* clock:set(wall_ms) -> now; it may go back */
static int
set(lua_State *L)
{
  gsl_clock *c = check(L);
  uint64_t ms = check_ms(L);
  if (c->owner != NULL) {
    gs_sim_set_wall_ms(c->owner->sim, ms);
  } else {
    gs_clocked_set_wall_ms(c->clocked, ms);
  }
  return push_now(L, c);
}

static int
collect_clock(lua_State *L)
{
  gsl_clock *c = gsl_check_kind(L, 1, GSL_CLOCK_MT, "grainstore.clock");
  c->machine.is_collected = c->machine.stores > 0;
  if (!c->machine.is_collected && c->clocked != NULL) {
    release(&c->machine);
  }
  return 0;
}

/* clock:close() -> true: raises while stores are open on it. The clock of an
 * env ends with its env. */
static int
close_clock(lua_State *L)
{
  gsl_clock *c = gsl_check_kind(L, 1, GSL_CLOCK_MT, "grainstore.clock");
  if (c->machine.stores > 0) {
    return luaL_error(L, "stores are open with the clock: close them first");
  }
  collect_clock(L);
  lua_pushboolean(L, 1);
  return 1;
}

static int
clock_tostring(lua_State *L)
{
  gsl_clock *c = gsl_check_kind(L, 1, GSL_CLOCK_MT, "grainstore.clock");
  if (gsl_clock_machine(L, 1)->env == NULL) {
    lua_pushliteral(L, "grainstore.clock (closed)");
  } else {
    lua_pushfstring(L, "grainstore.clock (%I ms)", (LUAI_UACINT)now_of(c));
  }
  return 1;
}

const luaL_Reg gsl_clock_methods[] = {
    {"now", now},
    {"advance", advance},
    {"set", set},
    {"close", close_clock},
    {"__close", close_clock},
    {"__gc", collect_clock},
    {"__tostring", clock_tostring},
    {NULL, NULL},
};
