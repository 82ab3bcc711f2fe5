/*
 * sim: simulated machines as userdata: their making, their end, and what can be
 * asked of them or set in one word.
 */
#include "gsl_sim.h"

#define FIRST_WALL_MS UINT64_C(1767225600000) /* 2026-01-01 00:00 UTC */

/* ---- memory of the Lua state ----------------------------------------------------- */

static void *
resize(gs_alloc *self, void *block, size_t old_size, size_t new_size)
{
  gsl_alloc *memory = (gsl_alloc *)self;
  return memory->resize(memory->context, block, old_size, new_size);
}

void
gsl_alloc_init(lua_State *L, gsl_alloc *memory)
{
  memory->base.resize = resize;
  memory->resize = gsl_base_allocator(L, &memory->context);
}

gs_buffer *
gsl_scratch(gsl_env *e)
{
  gs_buffer_clear(&e->scratch);
  return &e->scratch;
}

void
gsl_push_scratch(lua_State *L, const gsl_env *e)
{
  if (e->scratch.failed) {
    luaL_error(L, "not enough memory");
  }
  lua_pushlstring(L,
                  e->scratch.data == NULL ? "" : (const char *)e->scratch.data,
                  e->scratch.size);
}

/* ---- life ------------------------------------------------------------------------ */

static void
release(gsl_machine *machine)
{
  gsl_env *e = (gsl_env *)machine;
  gs_sim *sim = e->sim;
  e->sim = NULL;
  e->machine.env = NULL;
  gs_sim_free(sim);
  gsl_end_schedule(e);
  gs_buffer_deinit(&e->scratch);
}

gsl_env *
gsl_push_env(lua_State *L)
{
  gsl_env *e = lua_newuserdatauv(L, sizeof *e, GSL_ENV_VALUES);
  memset(e, 0, sizeof *e);
  lua_pushvalue(L, lua_upvalueindex(GSL_ENV_MT));
  lua_setmetatable(L, -2);
  e->machine.release = release;
  gsl_alloc_init(L, &e->memory);
  gs_buffer_init(&e->scratch, &e->memory.base);
  return e;
}

void
gsl_env_take(gsl_env *e, gs_sim *sim, bool has_tasks)
{
  e->sim = sim;
  e->machine.env = gs_sim_env(sim);
  e->machine.has_threads = has_tasks;
  if (has_tasks) {
    gs_sim_allow_tasks(sim);
  }
}

gsl_env *
gsl_check_env(lua_State *L)
{
  gsl_env *e = gsl_check_kind(L, 1, GSL_ENV_MT, "grainstore.env");
  if (e->sim == NULL) {
    luaL_argerror(L, 1, "the env is closed");
  }
  return e;
}

/* Sizes of a sector are powers of two that a disk could have. */
static uint32_t
check_sector(lua_State *L, int arg, uint64_t bytes)
{
  bool is_power = bytes != 0 && (bytes & (bytes - 1)) == 0;
  luaL_argcheck(L, is_power && bytes <= 4096, arg,
                "a sector is a power of two from 1 to 4096");
  return (uint32_t)bytes;
}

/* core.env([{seed=, wall_ms=, tasks=, sector=}]) -> env */
int
gsl_new_env(lua_State *L)
{
  static const char *const names[] = {"seed", "wall_ms", "tasks", "sector",
                                      NULL};
  uint64_t seed = 1;
  uint64_t wall_ms = FIRST_WALL_MS;
  uint64_t sector = 512;
  bool has_tasks = false;
  if (gsl_check_options(L, 1, names)) {
    seed = gsl_option_count(L, 1, "seed", seed, NULL);
    wall_ms = gsl_option_count(L, 1, "wall_ms", wall_ms, NULL);
    sector = gsl_option_count(L, 1, "sector", sector, NULL);
    has_tasks = gsl_option_boolean(L, 1, "tasks", false);
  }
  uint32_t sector_bytes = check_sector(L, 1, sector);
  gsl_env *e = gsl_push_env(L);
  gsl_env_take(e, gs_sim_new(seed), has_tasks);
  gs_sim_set_wall_ms(e->sim, wall_ms);
  gs_sim_set_sector(e->sim, sector_bytes);
  return 1;
}

/* Ends the machine, unless something is open on it. */
static bool
end_env(gsl_env *e)
{
  if (e->sim == NULL) {
    return true;
  }
  if (e->machine.stores > 0) {
    return false;
  }
  release(&e->machine);
  return true;
}

static void
describe_open(lua_State *L, const gsl_env *e)
{
  luaL_error(L,
             "the env has %d open store%s: close what was opened on it first",
             (int)e->machine.stores, e->machine.stores == 1 ? "" : "s");
}

/* env:close() -> true. Idempotent; raises while stores are open on it. */
static int
close_env(lua_State *L)
{
  gsl_env *e = gsl_check_kind(L, 1, GSL_ENV_MT, "grainstore.env");
  if (!end_env(e)) {
    describe_open(L, e);
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* A scope that is left by an error has other things to tell than that its
 * stores are open still: the collector will see to them. */
static int
leave_env(lua_State *L)
{
  gsl_env *e = gsl_check_kind(L, 1, GSL_ENV_MT, "grainstore.env");
  if (!end_env(e) && lua_isnil(L, 2)) {
    describe_open(L, e);
  }
  return 0;
}

static int
collect_env(lua_State *L)
{
  gsl_env *e = gsl_check_kind(L, 1, GSL_ENV_MT, "grainstore.env");
  e->machine.is_collected = !end_env(e);
  return 0;
}

static int
env_tostring(lua_State *L)
{
  gsl_env *e = gsl_check_kind(L, 1, GSL_ENV_MT, "grainstore.env");
  if (e->sim == NULL) {
    lua_pushliteral(L, "grainstore.env (closed)");
  } else {
    lua_pushfstring(L, "grainstore.env (%I operations, %d open)",
                    (LUAI_UACINT)gs_sim_ops(e->sim), (int)e->machine.stores);
  }
  return 1;
}

/* env.clock, and the methods. */
static int
env_index(lua_State *L)
{
  gsl_check_kind(L, 1, GSL_ENV_MT, "grainstore.env");
  if (lua_type(L, 2) == LUA_TSTRING &&
      strcmp(lua_tostring(L, 2), "clock") == 0) {
    gsl_push_env_clock(L, 1);
    return 1;
  }
  lua_pushvalue(L, 2);
  lua_rawget(L, lua_upvalueindex(GSL_ENV_MT));
  return 1;
}

/* ---- numbers --------------------------------------------------------------------- */

static int
push_count(lua_State *L, uint64_t count)
{
  lua_pushinteger(L,
                  count > LUA_MAXINTEGER ? LUA_MAXINTEGER : (lua_Integer)count);
  return 1;
}

/* A number from `least`; nil is 0. */
static uint64_t
opt_count(lua_State *L, int arg, lua_Integer least)
{
  if (lua_isnoneornil(L, arg)) {
    return 0;
  }
  lua_Integer count = luaL_checkinteger(L, arg);
  luaL_argcheck(L, count >= least, arg,
                least == 0 ? "an integer from 0 expected"
                           : "an integer from 1 expected; nil lifts it");
  return (uint64_t)count;
}

/* env:ops() -> operations so far */
static int
ops(lua_State *L)
{
  return push_count(L, gs_sim_ops(gsl_check_env(L)->sim));
}

/* env:stop_at(count | nil): the power goes after so many operations in all */
static int
stop_at(lua_State *L)
{
  gs_sim_stop_at(gsl_check_env(L)->sim, opt_count(L, 2, 1));
  return 0;
}

/* env:capacity(bytes | nil) */
static int
capacity(lua_State *L)
{
  gs_sim_set_capacity(gsl_check_env(L)->sim, opt_count(L, 2, 1));
  return 0;
}

/* env:used() -> bytes in files */
static int
used(lua_State *L)
{
  return push_count(L, gs_sim_used_bytes(gsl_check_env(L)->sim));
}

/* env:open_files(count | nil) */
static int
open_files(lua_State *L)
{
  gs_sim_set_open_files(gsl_check_env(L)->sim, opt_count(L, 2, 1));
  return 0;
}

/* env:sector(bytes) */
static int
sector(lua_State *L)
{
  gsl_env *e = gsl_check_env(L);
  gs_sim_set_sector(e->sim, check_sector(L, 2, opt_count(L, 2, 0)));
  return 0;
}

/* env:fail_alloc(nth [, times]): nth 0 or nil: none fails; times 0: for ever */
static int
fail_alloc(lua_State *L)
{
  gsl_env *e = gsl_check_env(L);
  uint64_t nth = opt_count(L, 2, 0);
  uint64_t times = lua_isnoneornil(L, 3) ? 1 : opt_count(L, 3, 0);
  gs_sim_fail_alloc(e->sim, nth, times);
  return 0;
}

/* env:allocs() -> allocations asked for so far */
static int
allocs(lua_State *L)
{
  return push_count(L, gs_sim_allocs(gsl_check_env(L)->sim));
}

/* env:allocated() -> bytes allocated now */
static int
allocated(lua_State *L)
{
  return push_count(L, gs_sim_allocated_bytes(gsl_check_env(L)->sim));
}

/* ---- traces ---------------------------------------------------------------------- */

/* env:tracing(boolean) */
static int
tracing(lua_State *L)
{
  gsl_env *e = gsl_check_env(L);
  luaL_checktype(L, 2, LUA_TBOOLEAN);
  gs_sim_set_tracing(e->sim, lua_toboolean(L, 2) != 0);
  return 0;
}

/* env:trace() -> a line for each operation */
static int
trace(lua_State *L)
{
  gs_slice text = gs_sim_trace(gsl_check_env(L)->sim);
  lua_pushlstring(L, text.data == NULL ? "" : (const char *)text.data,
                  text.size);
  return 1;
}

/* env:dump() -> a line for each file and directory */
static int
dump(lua_State *L)
{
  gsl_env *e = gsl_check_env(L);
  gs_sim_dump(e->sim, gsl_scratch(e));
  gsl_push_scratch(L, e);
  return 1;
}

const luaL_Reg gsl_env_methods[] = {
    {"ops", ops},
    {"stop_at", stop_at},
    {"capacity", capacity},
    {"used", used},
    {"open_files", open_files},
    {"sector", sector},
    {"fail_alloc", fail_alloc},
    {"allocs", allocs},
    {"allocated", allocated},
    {"tracing", tracing},
    {"trace", trace},
    {"dump", dump},
    {"close", close_env},
    {"__gc", collect_env},
    {"__close", leave_env},
    {"__index", env_index},
    {"__tostring", env_tostring},
    {NULL, NULL},
};
