/*
 * sim_task: which task of a simulated machine runs.
 *
 * A schedule decides at each place where more than one could: by chance from a
 * seed, or by a list of choices, beyond whose end who runs goes on. It keeps a
 * record of what there was to choose from, so that a caller can try the others.
 * The engine's calls are on the C stack where it is asked; so it is C and not a
 * Lua function that answers.
 */
#include "gsl_sim.h"

typedef struct decision {
  uint32_t count;
  uint32_t running; /* == count: none of them */
  uint32_t chosen;
} decision;

struct gsl_schedule {
  bool is_random;
  uint64_t random;   /* state of the generator */
  gs_buffer choices; /* uint32_t, for a list */
  gs_buffer record;  /* decision */
};

static uint32_t
choice_at(const gsl_schedule *s, size_t at)
{
  uint32_t choice;
  memcpy(&choice, s->choices.data + at * sizeof choice, sizeof choice);
  return choice;
}

/* Splitmix64. */
static uint64_t
draw(uint64_t *state)
{
  *state += UINT64_C(0x9E3779B97F4A7C15);
  uint64_t x = *state;
  x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
  return x ^ (x >> 31);
}

static size_t
choose(void *context, const uint32_t *ready, size_t count, size_t running)
{
  (void)ready;
  gsl_schedule *s = context;
  size_t at = s->record.size / sizeof(decision);
  size_t chosen = running < count ? running : 0;
  if (s->is_random) {
    chosen = (size_t)(draw(&s->random) % count);
  } else if (at < s->choices.size / sizeof(uint32_t)) {
    chosen = choice_at(s, at) % count;
  }
  decision made = {(uint32_t)count, (uint32_t)running, (uint32_t)chosen};
  gs_buffer_append(&s->record, &made, sizeof made);
  return chosen;
}

/* ---- schedules ------------------------------------------------------------------- */

void
gsl_end_schedule(gsl_env *e)
{
  gsl_schedule *s = e->schedule;
  if (s == NULL) {
    return;
  }
  e->schedule = NULL;
  if (e->sim != NULL) {
    gs_sim_set_chooser(e->sim, NULL, NULL);
  }
  gs_buffer_deinit(&s->choices);
  gs_buffer_deinit(&s->record);
  gs_alloc_free(&e->memory.base, s, sizeof *s);
}

/* The array at 2 in the scratch buffer; raises for what is no choice. */
static void
read_choices(lua_State *L, gsl_env *e)
{
  gs_buffer *out = gsl_scratch(e);
  lua_Integer count = (lua_Integer)lua_rawlen(L, 2);
  for (lua_Integer i = 1; i <= count; i++) {
    int is_integer = 0;
    lua_rawgeti(L, 2, i);
    lua_Integer given = lua_tointegerx(L, -1, &is_integer);
    lua_pop(L, 1);
    luaL_argcheck(L, is_integer && given >= 0 && given <= INT32_MAX, 2,
                  "choices are integers from 0");
    uint32_t choice = (uint32_t)given;
    gs_buffer_append(out, &choice, sizeof choice);
  }
}

static gsl_schedule *
new_schedule(lua_State *L, gsl_env *e)
{
  gsl_schedule *s = gs_alloc_zeroed(&e->memory.base, sizeof *s);
  if (s == NULL) {
    luaL_error(L, "not enough memory");
  }
  gs_buffer_init(&s->choices, &e->memory.base);
  gs_buffer_init(&s->record, &e->memory.base);
  e->schedule = s;
  return s;
}

/* env:schedule(nil | seed | {choices}) */
static int
schedule(lua_State *L)
{
  gsl_env *e = gsl_check_env(L);
  int type = lua_type(L, 2);
  lua_Integer seed = type == LUA_TNUMBER ? luaL_checkinteger(L, 2) : 0;
  luaL_argcheck(L,
                type <= LUA_TNIL || type == LUA_TNUMBER || type == LUA_TTABLE,
                2, "a seed, an array of choices or nil expected");
  if (type == LUA_TTABLE) {
    read_choices(L, e);
  }
  gsl_end_schedule(e);
  if (type <= LUA_TNIL) {
    return 0;
  }
  gsl_schedule *s = new_schedule(L, e);
  s->is_random = type == LUA_TNUMBER;
  s->random = (uint64_t)seed;
  if (!s->is_random) {
    gs_buffer_append_slice(&s->choices, gs_buffer_slice(&e->scratch));
  }
  if (s->choices.failed || e->scratch.failed) {
    gsl_end_schedule(e);
    return luaL_error(L, "not enough memory");
  }
  gs_sim_set_chooser(e->sim, choose, s);
  return 0;
}

/* env:choices_made() -> {{count=, running=, chosen=}} since the schedule was set:
 * among how many it chose, which of them ran before (nil: none), which it took;
 * counted from 0 */
static int
choices_made(lua_State *L)
{
  gsl_env *e = gsl_check_env(L);
  lua_newtable(L);
  const gsl_schedule *s = e->schedule;
  size_t count = s == NULL ? 0 : s->record.size / sizeof(decision);
  if (s != NULL && s->record.failed) {
    return luaL_error(L, "not enough memory for the choices made");
  }
  for (size_t i = 0; i < count && e->schedule == s; i++) {
    decision made;
    memcpy(&made, s->record.data + i * sizeof made, sizeof made);
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, made.count);
    lua_setfield(L, -2, "count");
    lua_pushinteger(L, made.chosen);
    lua_setfield(L, -2, "chosen");
    if (made.running < made.count) {
      lua_pushinteger(L, made.running);
      lua_setfield(L, -2, "running");
    }
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* ---- tasks ----------------------------------------------------------------------- */

static const char *
state_name(gs_sim_task_state state)
{
  switch (state) {
  case GS_TASK_READY:
    return "ready";
  case GS_TASK_WAITING:
    return "waiting";
  case GS_TASK_HELD:
    return "held";
  case GS_TASK_ENDED:
    return "ended";
  }
  return "unknown";
}

static void
push_task(lua_State *L, const gs_sim_task *task)
{
  lua_createtable(L, 0, 4);
  lua_pushinteger(L, task->id);
  lua_setfield(L, -2, "id");
  lua_pushstring(L, task->name);
  lua_setfield(L, -2, "name");
  lua_pushstring(L, state_name(task->state));
  lua_setfield(L, -2, "state");
  lua_pushstring(L, task->place);
  lua_setfield(L, -2, "place");
}

/* env:jobs() -> {{id=, name=, state=, place=}}, all tasks but the caller */
static int
jobs(lua_State *L)
{
  gsl_env *e = gsl_check_env(L);
  size_t capacity = gs_sim_tasks(e->sim, NULL, 0);
  gs_sim_task *tasks = lua_newuserdatauv(L, (capacity + 1) * sizeof *tasks, 0);
  lua_newtable(L);
  gsl_check_env(L);
  size_t count = gs_sim_tasks(e->sim, tasks, capacity);
  lua_Integer filled = 0;
  for (size_t i = 0; i < count && i < capacity; i++) {
    if (tasks[i].id != 0) {
      push_task(L, &tasks[i]);
      lua_rawseti(L, -2, ++filled);
    }
  }
  return 1;
}

/* env:step(id | job [, count=1]) -> whether it came so far */
static int
step(lua_State *L)
{
  gsl_env *e = gsl_check_env(L);
  lua_Integer id = lua_type(L, 2) == LUA_TUSERDATA
                       ? (lua_Integer)gsl_check_job_id(L, e, 2)
                       : luaL_checkinteger(L, 2);
  lua_Integer count = luaL_optinteger(L, 3, 1);
  luaL_argcheck(L, id > 0 && id <= UINT32_MAX, 2,
                "a job or the number of one expected");
  luaL_argcheck(L, (size_t)id < gs_sim_tasks(e->sim, NULL, 0), 2,
                "there is no such job");
  luaL_argcheck(L, count > 0, 3, "an integer from 1 expected");
  lua_pushboolean(L, gs_sim_step(e->sim, (uint32_t)id, (uint64_t)count));
  return 1;
}

/* env:drain(): lets them run until none can */
static int
drain(lua_State *L)
{
  gs_sim_drain(gsl_check_env(L)->sim);
  return 0;
}

/* env:hold(point): who comes there stays there */
static int
hold(lua_State *L)
{
  gsl_env *e = gsl_check_env(L);
  gs_sim_hold(e->sim, luaL_checkstring(L, 2));
  return 0;
}

/* env:release(point) */
static int
release(lua_State *L)
{
  gsl_env *e = gsl_check_env(L);
  gs_sim_release(e->sim, luaL_checkstring(L, 2));
  return 0;
}

const luaL_Reg gsl_env_tasks[] = {
    {"begin", gsl_begin_job},
    {"jobs", jobs},
    {"step", step},
    {"drain", drain},
    {"hold", hold},
    {"release", release},
    {"schedule", schedule},
    {"choices_made", choices_made},
    {NULL, NULL},
};
