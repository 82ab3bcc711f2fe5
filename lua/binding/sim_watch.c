/*
 * sim_watch: copies that a simulated machine takes of itself while it runs.
 */
#include "gsl_sim.h"

static uint64_t
check_ops(lua_State *L, int arg, lua_Integer otherwise)
{
  lua_Integer ops = luaL_optinteger(L, arg, otherwise);
  luaL_argcheck(L, ops >= 0, arg, "an integer from 0 expected");
  return (uint64_t)ops;
}

/* env:watch([from [, to]]): copies before the operations from `from` to
 * `to` - 1; from 0, without end */
static int
watch(lua_State *L)
{
  gsl_env *e = gsl_check_env(L);
  uint64_t from = check_ops(L, 2, 0);
  uint64_t to = check_ops(L, 3, LUA_MAXINTEGER);
  gs_sim_watch(e->sim, from, to);
  return 0;
}

/* env:next_copy() -> env, the oldest copy not yet taken | nil */
static int
next_copy(lua_State *L)
{
  gsl_env *e = gsl_check_env(L);
  gsl_env *made = gsl_push_env(L);
  gsl_check_env(L); /* a finaliser may have closed it */
  gs_sim *copy = gs_sim_take_copy(e->sim);
  if (copy == NULL) {
    lua_pushnil(L);
    return 1;
  }
  gsl_env_take(made, copy, false);
  return 1;
}

const luaL_Reg gsl_env_watch[] = {
    {"watch", watch},
    {"next_copy", next_copy},
    {NULL, NULL},
};
