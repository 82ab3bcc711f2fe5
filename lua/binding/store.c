/*
 * store: point operations on a store handle, and its end.
 *
 * Stack on entry of every method: 1 the store's userdata, then the arguments.
 */
#include <math.h>

#include "gsl.h"

/* store:put(key, value [, options]) -> seq */
static int
put(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  uint8_t key_bytes[4];
  uint8_t value_bytes[4];
  gs_slice key = gsl_check_key(L, s, 2, key_bytes);
  gs_slice value = gsl_check_value(L, s, 3, value_bytes);
  uint64_t seq = 0;
  gs_error err;
  gs_status status;
  if (lua_isnoneornil(L, 4)) {
    status = gs_put(s->store, key, value, NULL, &seq, &err);
  } else {
    gs_write_options options = gsl_write_options(L, 4);
    gsl_still_open(L, s);
    status = gs_put(s->store, key, value, &options, &seq, &err);
  }
  gsl_safe_point(L, s, 1);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  lua_pushinteger(L, (lua_Integer)seq);
  return 1;
}

/* store:delete(key [, options]) -> seq */
static int
delete_key(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  uint8_t bytes[4];
  gs_slice key = gsl_check_key(L, s, 2, bytes);
  gs_write_options options = gsl_write_options(L, 3);
  uint64_t seq = 0;
  gs_error err;
  gsl_still_open(L, s);
  gs_status status = gs_delete(s->store, key, &options, &seq, &err);
  gsl_safe_point(L, s, 1);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  lua_pushinteger(L, (lua_Integer)seq);
  return 1;
}

/* seq, and the expiry where there is one; one in the remotest future is cut to
 * the largest integer. */
static void
push_meta(lua_State *L, const gs_value *value)
{
  uint64_t at_ms = value->expires_at_ms;
  lua_createtable(L, 0, 2);
  lua_pushinteger(L, (lua_Integer)value->seq);
  lua_setfield(L, -2, "seq");
  if (at_ms != 0) {
    lua_pushinteger(L, at_ms > LUA_MAXINTEGER ? LUA_MAXINTEGER
                                              : (lua_Integer)at_ms);
    lua_setfield(L, -2, "expires_at_ms");
  }
}

/* Options at 3: whether the meta table is wanted, and another snapshot. */
static bool
get_options(lua_State *L, gsl_store *s, const gs_snapshot **snapshot)
{
  static const char *const names[] = {"snapshot", "meta", NULL};
  gsl_check_options(L, 3, names);
  bool wants_meta = gsl_option_boolean(L, 3, "meta", false);
  const gs_snapshot *given = gsl_option_snapshot(L, s, 3);
  *snapshot = given != NULL ? given : *snapshot;
  gsl_still_open(L, s);
  return wants_meta;
}

int
gsl_get_at(lua_State *L, gsl_store *s, const gs_snapshot *snapshot)
{
  uint8_t bytes[4];
  gs_slice key = gsl_check_key(L, s, 2, bytes);
  bool wants_meta = !lua_isnoneornil(L, 3) && get_options(L, s, &snapshot);
  gs_error err;
  gs_status status = gs_get(s->store, snapshot, key, &s->value, &err);
  if (status == GS_ABSENT) {
    lua_pushnil(L);
    return 1;
  }
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  gsl_push_value(L, s, gs_buffer_slice(&s->value.bytes));
  if (!wants_meta) {
    return 1;
  }
  push_meta(L, &s->value);
  return 2;
}

/* store:get(key [, {snapshot=, meta=}]) -> value | nil [, meta] */
static int
get(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  int results = gsl_get_at(L, s, NULL);
  gsl_safe_point(L, s, 1);
  return results;
}

int
gsl_contains_at(lua_State *L, gsl_store *s, const gs_snapshot *snapshot)
{
  uint8_t bytes[4];
  gs_slice key = gsl_check_key(L, s, 2, bytes);
  gs_error err;
  gs_status status = gs_contains(s->store, snapshot, key, NULL, &err);
  if (status != GS_OK && status != GS_ABSENT) {
    return gsl_fail(L, status, &err);
  }
  lua_pushboolean(L, status == GS_OK);
  return 1;
}

/* store:contains(key) -> boolean */
static int
contains(lua_State *L)
{
  return gsl_contains_at(L, gsl_check_store(L), NULL);
}

static int
fail_at_safe_point(lua_State *L, gsl_store *s, gs_status status,
                   const gs_error *err)
{
  gsl_safe_point(L, s, 1);
  return gsl_fail(L, status, err);
}

/* store:take(key [, options]) -> value | nil */
static int
take(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  uint8_t bytes[4];
  gs_slice key = gsl_check_key(L, s, 2, bytes);
  gs_write_options options = gsl_write_options(L, 3);
  gs_error err;
  gsl_still_open(L, s);
  gs_status status = gs_take(s->store, key, &options, &s->value, &err);
  if (status == GS_ABSENT) {
    lua_pushnil(L);
  } else if (status == GS_OK) {
    gsl_push_value(L, s, gs_buffer_slice(&s->value.bytes));
  } else {
    return fail_at_safe_point(L, s, status, &err);
  }
  gsl_safe_point(L, s, 1); /* the scratch value is another's from here on */
  return 1;
}

/* store:put_if(key, expected, value [, options]) -> true | false, current */
static int
put_if(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  uint8_t bytes[3][4];
  gs_slice expected;
  gs_slice value;
  gs_slice key = gsl_check_key(L, s, 2, bytes[0]);
  luaL_argcheck(L, lua_gettop(L) >= 4, 4, "value expected; nil deletes");
  bool has_expected = !lua_isnoneornil(L, 3);
  bool has_value = !lua_isnoneornil(L, 4);
  if (has_expected) {
    expected = gsl_check_value(L, s, 3, bytes[1]);
  }
  if (has_value) {
    value = gsl_check_value(L, s, 4, bytes[2]);
  }
  gs_write_options options = gsl_write_options(L, 5);
  gs_put_if_result result;
  gs_error err;
  gs_exchange exchange = {has_expected ? &expected : NULL,
                          has_value ? &value : NULL};
  gsl_still_open(L, s);
  gs_status status =
      gs_put_if(s->store, key, &exchange, &options, &s->value, &result, &err);
  if (status != GS_OK) {
    return fail_at_safe_point(L, s, status, &err);
  }
  lua_pushboolean(L, result.is_done);
  int results = 1;
  if (!result.is_done && result.is_present) {
    gsl_push_value(L, s, gs_buffer_slice(&s->value.bytes));
    results = 2;
  } else if (!result.is_done) {
    lua_pushnil(L);
    results = 2;
  }
  gsl_safe_point(L, s, 1);
  return results;
}

int
gsl_ttl_at(lua_State *L, gsl_store *s, const gs_snapshot *snapshot)
{
  uint8_t bytes[4];
  gs_slice key = gsl_check_key(L, s, 2, bytes);
  gs_error err;
  gs_status status = gs_contains(s->store, snapshot, key, &s->value, &err);
  if (status == GS_ABSENT) {
    lua_pushnil(L);
    return 1;
  }
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  if (s->value.expires_at_ms == 0) {
    lua_pushnumber(L, (lua_Number)HUGE_VAL);
    return 1;
  }
  uint64_t now_ms =
      snapshot != NULL ? gs_snapshot_clock_ms(snapshot) : gs_now_ms(s->store);
  uint64_t at_ms = s->value.expires_at_ms;
  lua_pushinteger(L, at_ms > now_ms ? (lua_Integer)(at_ms - now_ms) : 0);
  return 1;
}

/* store:ttl(key) -> milliseconds left | math.huge | nil */
static int
ttl(lua_State *L)
{
  return gsl_ttl_at(L, gsl_check_store(L), NULL);
}

static int
set_expiry(lua_State *L, gsl_store *s, gs_slice key, uint64_t expires_at_ms)
{
  gs_error err;
  gs_status status = gs_expire_at(s->store, key, expires_at_ms, &err);
  gsl_safe_point(L, s, 1);
  if (status != GS_OK && status != GS_ABSENT) {
    return gsl_fail(L, status, &err);
  }
  lua_pushboolean(L, status == GS_OK);
  return 1;
}

/* store:expire(key, ttl_ms) -> boolean */
static int
expire(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  uint8_t bytes[4];
  gs_slice key = gsl_check_key(L, s, 2, bytes);
  lua_Integer ttl_ms = luaL_checkinteger(L, 3);
  luaL_argcheck(L, ttl_ms >= 0, 3, "a ttl is not negative");
  uint64_t now_ms = gs_now_ms(s->store);
  return set_expiry(L, s, key, now_ms + (uint64_t)ttl_ms);
}

/* store:persist(key) -> boolean */
static int
persist(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  uint8_t bytes[4];
  return set_expiry(L, s, gsl_check_key(L, s, 2, bytes), 0);
}

/* store:meta() -> note of the last batch that had one | nil */
static int
meta(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  gs_error err;
  gs_status status = gs_get_note(s->store, &s->value, &err);
  if (status == GS_ABSENT) {
    lua_pushnil(L);
    return 1;
  }
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  lua_pushlstring(L, (const char *)s->value.bytes.data, s->value.bytes.size);
  return 1;
}

/* store:is_open() -> boolean; raises for no handle */
static int
is_open(lua_State *L)
{
  const gsl_store *s = gsl_check_kind(L, 1, GSL_STORE_MT, "grainstore.store");
  lua_pushboolean(L, s->store != NULL);
  return 1;
}

/* Others that have the store open do not wait for a policy that has gone. */
static void
leave_charge(gsl_store *s, gs_store *store)
{
  bool is_in_charge = s->has_driver && gs_is_in_charge(store, s->charge);
  s->has_driver = false;
  if (is_in_charge && gs_get_opens(store) > 1) {
    GS_IGNORE(gs_set_policy_driven(store, false, NULL),
              "fails in a forked child, which has no store");
  }
}

/* Ends children first, then the store; the handle is closed whatever happens.
 * Used by close, __close and __gc. */
static gs_status
end_store(gsl_store *s, gs_error *err)
{
  if (s->store == NULL || !gsl_finish_jobs(s)) {
    return GS_OK; /* under a call that never ends it stays open for ever */
  }
  while (s->children != NULL) {
    gsl_close_child(s->children);
  }
  gs_store *store = s->store;
  s->store = NULL;
  s->has_watch = false;
  leave_charge(s, store);
  gs_value_deinit(&s->value);
  gsl_many_deinit(&s->many);
  gs_status status = gs_close(store, err);
  gsl_machine_leave(s->machine);
  s->machine = NULL;
  return status;
}

static bool
is_at_work(const gsl_store *s)
{
  return s->is_driving || s->is_asking || s->is_watching;
}

/* A policy may not end the store in the middle of the call that asked it, nor
 * anyone while calls are under way on tasks. */
static gsl_store *
check_idle(lua_State *L)
{
  gsl_store *s = gsl_check_kind(L, 1, GSL_STORE_MT, "grainstore.store");
  if (is_at_work(s)) {
    luaL_error(L, "a policy cannot close its store");
  }
  if (s->store != NULL && gsl_has_jobs(s)) {
    luaL_error(L, "jobs of the store are under way: env:drain() first");
  }
  return s;
}

/* store:close() -> true. Idempotent. */
static int
close_store(lua_State *L)
{
  gsl_store *s = check_idle(L);
  gs_error err;
  gs_status status = end_store(s, &err);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  lua_pushboolean(L, 1);
  return 1;
}

static int
collect_store(lua_State *L)
{
  gsl_store *s = gsl_check_kind(L, 1, GSL_STORE_MT, "grainstore.store");
  if (is_at_work(s)) {
    return 0; /* called by hand: what is at work is not collected */
  }
  gs_error err;
  GS_IGNORE(end_store(s, &err), "a collected handle has nobody to tell; what "
                                "was not flushed is in the log");
  return 0;
}

/* __close raises: a scope that ends has nowhere else to say it. One that is
 * left by an error has other things to tell. */
static int
leave_store(lua_State *L)
{
  gsl_store *s = gsl_check_kind(L, 1, GSL_STORE_MT, "grainstore.store");
  if (lua_isnoneornil(L, 2) || is_at_work(s)) {
    check_idle(L);
  }
  gs_error err;
  gs_status status = end_store(s, &err);
  return status == GS_OK ? 0 : gsl_raise(L, status, &err);
}

static int
store_tostring(lua_State *L)
{
  gsl_store *s = gsl_check_kind(L, 1, GSL_STORE_MT, "grainstore.store");
  if (s->store == NULL) {
    lua_pushliteral(L, "grainstore.store (closed)");
  } else {
    lua_pushfstring(L, "grainstore.store (%s, %s)",
                    s->kind == GS_STORE_U32 ? "u32" : "bytes",
                    gs_get_path(s->store));
  }
  return 1;
}

/* store:kind() -> "bytes" or "u32" */
static int
kind(lua_State *L)
{
  bool is_u32 = gsl_check_store(L)->kind == GS_STORE_U32;
  lua_pushstring(L, is_u32 ? "u32" : "bytes");
  return 1;
}

const luaL_Reg gsl_store_methods[] = {
    {"put", put},
    {"delete", delete_key},
    {"get", get},
    {"contains", contains},
    {"take", take},
    {"put_if", put_if},
    {"ttl", ttl},
    {"expire", expire},
    {"persist", persist},
    {"meta", meta},
    {"is_open", is_open},
    {"kind", kind},
    {"close", close_store},
    {"__gc", collect_store},
    {"__close", leave_store},
    {"__tostring", store_tostring},
    {NULL, NULL},
};
