/*
 * sim_crash: copies of a simulated machine, as it is and as a loss of power
 * leaves it.
 */
#include "gsl_sim.h"

static const struct {
  const char *name;
  gs_crash_model model;
} models[] = {
    {"synced", GS_CRASH_SYNCED},   {"all", GS_CRASH_KILL},
    {"prefix", GS_CRASH_PREFIX},   {"random", GS_CRASH_RANDOM},
    {"torn", GS_CRASH_TORN},       {"object", GS_CRASH_OBJECT},
    {"missing", GS_CRASH_MISSING}, {"alone", GS_CRASH_ALONE},
    {"subset", GS_CRASH_SUBSET},   {"hostile", GS_CRASH_HOSTILE},
    {"M0", GS_CRASH_SYNCED},       {"M1", GS_CRASH_KILL},
    {"M2", GS_CRASH_PREFIX},       {"M3", GS_CRASH_OBJECT},
    {"M4", GS_CRASH_RANDOM},       {"M4t", GS_CRASH_TORN},
    {"M5", GS_CRASH_HOSTILE},
};

enum { MODELS = sizeof models / sizeof models[0] };

static gs_crash_model
model_of(lua_State *L, int arg, const char *name)
{
  luaL_Buffer text;
  for (int i = 0; i < MODELS; i++) {
    if (name != NULL && strcmp(models[i].name, name) == 0) {
      return models[i].model;
    }
  }
  luaL_buffinit(L, &text);
  luaL_addstring(&text, "a crash keeps ");
  for (int i = 0; i < MODELS; i++) {
    luaL_addstring(&text, i == 0 ? "\"" : ", \"");
    luaL_addstring(&text, models[i].name);
    luaL_addstring(&text, "\"");
  }
  luaL_addstring(&text, "; got ");
  lua_pushstring(L, name == NULL ? "something else" : name);
  luaL_addvalue(&text);
  luaL_pushresult(&text);
  luaL_argerror(L, arg, lua_tostring(L, -1));
  return GS_CRASH_SYNCED;
}

/* keep, or its other name model, and choice of the table at 2. */
static gs_crash_model
read_choice(lua_State *L, uint64_t *choice, bool *has_tasks)
{
  static const char *const names[] = {"keep", "model", "choice", "tasks", NULL};
  *choice = 0;
  *has_tasks = false;
  if (!gsl_check_options(L, 2, names)) {
    return GS_CRASH_SYNCED;
  }
  *choice = gsl_option_count(L, 2, "choice", 0, NULL);
  *has_tasks = gsl_option_boolean(L, 2, "tasks", false);
  gsl_field(L, 2, "keep");
  gsl_field(L, 2, "model");
  luaL_argcheck(L, lua_isnil(L, -1) || lua_isnil(L, -2), 2,
                "keep and model are two names of one option");
  int at = lua_isnil(L, -1) ? -2 : -1;
  if (lua_isnil(L, at)) {
    return GS_CRASH_SYNCED;
  }
  return model_of(L, 2,
                  lua_type(L, at) == LUA_TSTRING ? lua_tostring(L, at) : NULL);
}

/* env:pending() -> parts of work not yet durable */
static int
pending(lua_State *L)
{
  uint64_t parts = gs_sim_pending(gsl_check_env(L)->sim);
  lua_pushinteger(L, (lua_Integer)parts);
  return 1;
}

/* env:choices(model) -> how many crashes of that model there are;
 * math.maxinteger for those without end */
static int
choices(lua_State *L)
{
  gsl_env *e = gsl_check_env(L);
  gs_crash_model model = model_of(L, 2, luaL_checkstring(L, 2));
  uint64_t count = gs_sim_choices(e->sim, model);
  lua_pushinteger(L,
                  count > LUA_MAXINTEGER ? LUA_MAXINTEGER : (lua_Integer)count);
  return 1;
}

/* env:crash([{keep="synced", choice=0, tasks=false}]) -> env */
static int
crash(lua_State *L)
{
  uint64_t choice;
  bool has_tasks;
  gsl_env *e = gsl_check_env(L);
  gs_crash_model model = read_choice(L, &choice, &has_tasks);
  gsl_env *made = gsl_push_env(L);
  gsl_check_env(L); /* a finaliser may have closed it */
  gsl_env_take(made, gs_sim_crash(e->sim, model, choice), has_tasks);
  return 1;
}

/* env:explain{keep=, choice=} -> the same in words, a line for each part */
static int
explain(lua_State *L)
{
  uint64_t choice;
  bool has_tasks;
  gsl_env *e = gsl_check_env(L);
  gs_crash_model model = read_choice(L, &choice, &has_tasks);
  gs_sim_explain(e->sim, model, choice, gsl_scratch(e));
  gsl_push_scratch(L, e);
  return 1;
}

/* env:copy([{tasks=false}]) -> env: with all that is pending, without faults
 * and tasks */
static int
copy(lua_State *L)
{
  static const char *const names[] = {"tasks", NULL};
  gsl_env *e = gsl_check_env(L);
  bool has_tasks = gsl_check_options(L, 2, names) &&
                   gsl_option_boolean(L, 2, "tasks", false);
  gsl_env *made = gsl_push_env(L);
  gsl_check_env(L);
  gsl_env_take(made, gs_sim_copy(e->sim), has_tasks);
  return 1;
}

const luaL_Reg gsl_env_crashes[] = {
    {"pending", pending}, {"choices", choices}, {"crash", crash},
    {"explain", explain}, {"copy", copy},       {NULL, NULL},
};
