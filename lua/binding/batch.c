/*
 * batch: writes gathered in C and committed together.
 */
#include "gsl.h"

static void
release(gsl_child *child)
{
  gsl_batch *box = (gsl_batch *)child;
  gs_write_batch_free(box->batch);
  box->batch = NULL;
}

/* store:batch() -> batch */
int
gsl_new_batch(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  gsl_batch *box = gsl_new_child(L, sizeof *box, GSL_BATCH_MT, 1, release);
  gs_error err;
  gsl_still_open(L, s);
  gs_status status = gs_write_batch_new(s->store, &box->batch, &err);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  gsl_adopt(s, &box->child);
  return 1;
}

static gsl_batch *
check(lua_State *L)
{
  return (gsl_batch *)gsl_check_child(L, GSL_BATCH_MT, "grainstore.batch");
}

/* batch:put(key, value [, {ttl_ms=, expires_at_ms=}]) -> batch */
static int
put(lua_State *L)
{
  static const char *const names[] = {"ttl_ms", "expires_at_ms", NULL};
  gsl_batch *box = check(L);
  uint8_t key_bytes[4];
  uint8_t value_bytes[4];
  gs_slice key = gsl_check_key(L, box->child.owner, 2, key_bytes);
  gs_slice value = gsl_check_value(L, box->child.owner, 3, value_bytes);
  gs_write_options options = {0};
  if (gsl_check_options(L, 4, names)) {
    options.ttl_ms = gsl_option_count(L, 4, "ttl_ms", 0, &options.has_ttl);
    options.expires_at_ms = gsl_option_count(L, 4, "expires_at_ms", 0, NULL);
  }
  gs_error err;
  gsl_still_open(L, box->child.owner);
  gs_status status = gs_write_batch_put(box->batch, key, value, &options, &err);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  lua_settop(L, 1);
  return 1;
}

/* batch:delete(key) -> batch */
static int
delete_key(lua_State *L)
{
  gsl_batch *box = check(L);
  uint8_t bytes[4];
  gs_slice key = gsl_check_key(L, box->child.owner, 2, bytes);
  gs_error err;
  gs_status status = gs_write_batch_delete(box->batch, key, &err);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  lua_settop(L, 1);
  return 1;
}

static int
count_entries(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)gs_write_batch_count(check(L)->batch));
  return 1;
}

static int
bytes(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)gs_write_batch_bytes(check(L)->batch));
  return 1;
}

static int
clear(lua_State *L)
{
  gs_write_batch_clear(check(L)->batch);
  lua_settop(L, 1);
  return 1;
}

gs_commit_options
gsl_commit_options(lua_State *L, int arg)
{
  static const char *const names[] = {"sync", "now_ms", "meta", NULL};
  gs_commit_options options = {0};
  if (!gsl_check_options(L, arg, names)) {
    return options;
  }
  options.sync = gsl_option_boolean(L, arg, "sync", false);
  options.now_ms = gsl_option_count(L, arg, "now_ms", 0, NULL);
  int type = gsl_field(L, arg, "meta"); /* stays on the stack */
  if (type == LUA_TSTRING) {
    size_t size = 0;
    const char *note = lua_tolstring(L, -1, &size);
    options.note = gs_slice_of(note, size);
    options.has_note = true;
  } else if (type != LUA_TNIL) {
    luaL_argerror(L, arg, "option 'meta' takes a string");
  }
  return options;
}

/* batch:commit([{sync=, now_ms=, meta=}]) -> first seq, last seq */
static int
commit(lua_State *L)
{
  gsl_batch *box = check(L);
  gs_commit_options options = gsl_commit_options(L, 2);
  uint64_t first = 0;
  uint64_t last = 0;
  gs_error err;
  gsl_still_open(L, box->child.owner);
  gs_status status =
      gs_write_batch_commit(box->batch, &options, &first, &last, &err);
  lua_getiuservalue(L, 1, 1);
  gsl_safe_point(L, box->child.owner, lua_gettop(L));
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  lua_pushinteger(L, (lua_Integer)first);
  lua_pushinteger(L, (lua_Integer)last);
  return 2;
}

/* batch:close(), __close, __gc */
static int
close_batch(lua_State *L)
{
  gsl_close_child(gsl_check_kind(L, 1, GSL_BATCH_MT, "grainstore.batch"));
  return 0;
}

static int
batch_tostring(lua_State *L)
{
  gsl_batch *box = gsl_check_kind(L, 1, GSL_BATCH_MT, "grainstore.batch");
  if (box->batch == NULL) {
    lua_pushliteral(L, "grainstore.batch (closed)");
  } else {
    lua_pushfstring(L, "grainstore.batch (%I entries)",
                    (LUAI_UACINT)gs_write_batch_count(box->batch));
  }
  return 1;
}

const luaL_Reg gsl_batch_methods[] = {
    {"put", put},
    {"delete", delete_key},
    {"count", count_entries},
    {"bytes", bytes},
    {"clear", clear},
    {"commit", commit},
    {"close", close_batch},
    {"__gc", close_batch},
    {"__close", close_batch},
    {"__tostring", batch_tostring},
    {NULL, NULL},
};
