/*
 * drive: what the driver of policies (lua/grainstore/driver.lua) is made from:
 * being called, calling the policy, and telling the engine what it wants.
 */
#include "gsl.h"

static int
done(lua_State *L, gs_status status, const gs_error *err)
{
  if (status != GS_OK) {
    return gsl_fail(L, status, err);
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* store:_drive(function, name): from now on it runs at safe points when a
 * decision is wanted, until somebody else takes charge of the store */
static int
drive(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  const char *name = luaL_checkstring(L, 3);
  gs_error err;
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, 1, GSL_STORE_DRIVER);
  gs_status status = gs_take_charge(s->store, &s->charge, &err);
  s->has_driver = status == GS_OK;
  if (status == GS_OK) {
    gs_policy_begin(s->store, name, false);
  }
  return done(L, status, &err);
}

/* store:_ask(function, ...) -> true, its result | false, what was wrong. Within
 * the budget of a policy; the store cannot be touched meanwhile. */
static int
ask(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  luaL_checkstack(L, 8, "too little room for the policy");
  uint64_t began_us = gs_mono_us(s->store);
  const char *spent;
  s->is_asking = true;
  bool went_well = gsl_call_within_budget(L, lua_gettop(L) - 2, &spent);
  s->is_asking = false;
  s->spent_us += gs_mono_us(s->store) - began_us;
  if (!went_well) {
    gsl_settle_problem(L, spent);
  }
  lua_pushboolean(L, went_well);
  lua_insert(L, -2);
  return 2;
}

/* store:_decide(): a safe point */
static int
decide(lua_State *L)
{
  gsl_safe_point(L, gsl_check_store(L), 1);
  return 0;
}

/* store:_decided(text | nil, is_aside): a decision was made, and what was wrong
 * with it; is_aside: the policy is not asked any more */
static int
decided(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  uint64_t spent_us = s->spent_us;
  s->spent_us = 0;
  gs_policy_note(s->store, spent_us, luaL_optstring(L, 2, NULL),
                 lua_toboolean(L, 3) != 0);
  return 0;
}

/* store:_policy() -> {name=, threaded=, aside=, decisions=, errors=, time_us=,
 * error= (a text, or absent)} */
static int
policy(lua_State *L)
{
  gs_policy_state state;
  gs_policy_get(gsl_check_store(L)->store, &state);
  lua_createtable(L, 0, 7);
  lua_pushstring(L, state.name);
  lua_setfield(L, -2, "name");
  lua_pushboolean(L, state.is_threaded);
  lua_setfield(L, -2, "threaded");
  lua_pushboolean(L, state.is_aside);
  lua_setfield(L, -2, "aside");
  lua_pushinteger(L, (lua_Integer)state.decisions);
  lua_setfield(L, -2, "decisions");
  lua_pushinteger(L, (lua_Integer)state.errors);
  lua_setfield(L, -2, "errors");
  lua_pushinteger(L, (lua_Integer)state.spent_us);
  lua_setfield(L, -2, "time_us");
  if (state.error[0] != '\0') {
    lua_pushstring(L, state.error);
    lua_setfield(L, -2, "error");
  }
  return 1;
}

/* ---- wishes --------------------------------------------------------------------- */

static uint64_t
check_count(lua_State *L, int arg)
{
  lua_Integer count = luaL_checkinteger(L, arg);
  luaL_argcheck(L, count >= 0, arg, "an integer from 0 expected");
  return (uint64_t)count;
}

/* store:_throttle(bytes a second; 0: none) -> true */
static int
throttle(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  gs_error err;
  gs_status status = gs_set_throttle(s->store, check_count(L, 2), &err);
  return done(L, status, &err);
}

/* store:_layout(level, table_bytes, block_bytes, compression) -> true; 0 or nil:
 * the store's own */
static int
layout(lua_State *L)
{
  static const char *const names[] = {"", "none", "lz4", "zstd", NULL};
  gsl_store *s = gsl_check_store(L);
  uint64_t level = check_count(L, 2);
  gs_layout wanted = {.table_bytes = check_count(L, 3)};
  uint64_t block_bytes = check_count(L, 4);
  gs_error err;
  wanted.block_bytes =
      block_bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)block_bytes;
  wanted.compression = (gs_compression)luaL_checkoption(L, 5, "", names);
  gs_status status =
      gs_set_layout(s->store, level > UINT32_MAX ? UINT32_MAX : (uint32_t)level,
                    &wanted, &err);
  return done(L, status, &err);
}

/* store:_flush_ask(bytes; 0: never) -> true */
static int
flush_ask(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  gs_error err;
  gs_status status = gs_set_flush_ask(s->store, check_count(L, 2), &err);
  return done(L, status, &err);
}

/* store:_wake(milliseconds; 0: never) -> true */
static int
wake(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  gs_error err;
  gs_status status = gs_set_wake(s->store, check_count(L, 2), &err);
  return done(L, status, &err);
}

/* store:_seal(): begins a flush without waiting for it */
static int
seal(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  gs_error err;
  gs_status status = gs_seal(s->store, &err);
  return done(L, status, &err);
}

const luaL_Reg gsl_store_drive[] = {
    {"_drive", drive},     {"_ask", ask},
    {"_decided", decided}, {"_decide", decide},
    {"_policy", policy},   {"_throttle", throttle},
    {"_layout", layout},   {"_flush_ask", flush_ask},
    {"_wake", wake},       {"_seal", seal},
    {NULL, NULL},
};
