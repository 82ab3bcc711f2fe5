/*
 * watch: telling a Lua function of ended jobs, at safe points. What a shadow
 * (lua/grainstore/shadow.lua) is made from.
 */
#include "gsl.h"

void
gsl_tell_watch(lua_State *L, gsl_store *s, int store_arg)
{
  if (s->store == NULL || s->is_watching || s->is_driving || s->is_asking) {
    return;
  }
  uint64_t noted = gs_jobs_noted(s->store);
  if (noted == s->watched) {
    return;
  }
  s->watched = noted;
  luaL_checkstack(L, 4, "too little room for whoever watches");
  lua_getiuservalue(L, store_arg, GSL_STORE_WATCH);
  lua_pushvalue(L, store_arg);
  s->is_watching = true;
  int outcome = lua_pcall(L, 1, 1, 0);
  s->is_watching = false;
  if (outcome == LUA_OK && lua_toboolean(L, -1)) {
    s->watched = ~noted; /* never what is noted next */
  }
  lua_pop(L, 1); /* of an error too: it keeps account of its failures itself */
}

/* store:_watch(function | nil): from now on it is called at safe points where
 * jobs have ended since the last time, or where it answered true then */
static int
watch(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  if (!lua_isnoneornil(L, 2)) {
    luaL_checktype(L, 2, LUA_TFUNCTION);
  }
  lua_settop(L, 2);
  s->has_watch = lua_isfunction(L, 2);
  s->watched = gs_jobs_noted(s->store);
  lua_setiuservalue(L, 1, GSL_STORE_WATCH);
  return 0;
}

/* store:_noted() -> jobs that ended since it was opened */
static int
noted(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  lua_pushinteger(L, (lua_Integer)gs_jobs_noted(s->store));
  return 1;
}

/* store:_bar(function, ...) -> its results; the store cannot be used meanwhile */
static int
bar(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  s->is_asking = true;
  int outcome = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0);
  s->is_asking = false;
  return outcome == LUA_OK ? lua_gettop(L) - 1 : lua_error(L);
}

const luaL_Reg gsl_store_watch[] = {
    {"_watch", watch},
    {"_noted", noted},
    {"_bar", bar},
    {NULL, NULL},
};
