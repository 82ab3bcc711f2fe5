/*
 * snapshot: a moment of a store as a userdata.
 */
#include "gsl.h"

static void
release(gsl_child *child)
{
  gsl_snapshot *box = (gsl_snapshot *)child;
  gs_snapshot_free(box->snapshot);
  box->snapshot = NULL;
}

/* store:snapshot() -> snapshot */
int
gsl_new_snapshot(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  gsl_snapshot *box =
      gsl_new_child(L, sizeof *box, GSL_SNAPSHOT_MT, 1, release);
  gs_error err;
  gsl_still_open(L, s);
  gs_status status = gs_snapshot_new(s->store, &box->snapshot, &err);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  gsl_adopt(s, &box->child);
  return 1;
}

static gsl_snapshot *
check(lua_State *L)
{
  return (gsl_snapshot *)gsl_check_child(L, GSL_SNAPSHOT_MT,
                                         "grainstore.snapshot");
}

/* Pushes the store's userdata and returns where it stands. */
static int
push_store(lua_State *L)
{
  lua_settop(L, 4);
  lua_getiuservalue(L, 1, 1);
  return lua_gettop(L);
}

static int
get(lua_State *L)
{
  gsl_snapshot *box = check(L);
  return gsl_get_at(L, box->child.owner, box->snapshot);
}

static int
get_many(lua_State *L)
{
  gsl_snapshot *box = check(L);
  lua_settop(L, 3);
  lua_getiuservalue(L, 1, 1);
  lua_replace(L, 1); /* the store stands where a store's own call has it */
  return gsl_get_many_at(L, box->child.owner, box->snapshot, 1);
}

static int
contains(lua_State *L)
{
  gsl_snapshot *box = check(L);
  return gsl_contains_at(L, box->child.owner, box->snapshot);
}

static int
ttl(lua_State *L)
{
  gsl_snapshot *box = check(L);
  return gsl_ttl_at(L, box->child.owner, box->snapshot);
}

static int
count_entries(lua_State *L)
{
  gsl_snapshot *box = check(L);
  return gsl_count_at(L, box->child.owner, box->snapshot);
}

static int
new_cursor(lua_State *L)
{
  gsl_snapshot *box = check(L);
  return gsl_new_cursor(L, box->child.owner, box->snapshot, push_store(L));
}

static int
new_scan(lua_State *L)
{
  gsl_snapshot *box = check(L);
  return gsl_new_scan(L, box->child.owner, box->snapshot, push_store(L));
}

/* snapshot:close(), __close, __gc */
static int
close_snapshot(lua_State *L)
{
  gsl_close_child(gsl_check_kind(L, 1, GSL_SNAPSHOT_MT, "grainstore.snapshot"));
  return 0;
}

/* snapshot.seq, snapshot.age_ms, and the methods. Upvalue of this closure: the
 * common ones; methods stand in the metatable itself. */
static int
snapshot_index(lua_State *L)
{
  const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (strcmp(name, "seq") == 0) {
    lua_pushinteger(L, (lua_Integer)gs_snapshot_seq(check(L)->snapshot));
    return 1;
  }
  if (strcmp(name, "age_ms") == 0) {
    gsl_snapshot *box = check(L);
    uint64_t now_ms = gs_now_ms(box->child.owner->store);
    uint64_t at_ms = gs_snapshot_clock_ms(box->snapshot);
    lua_pushinteger(L, now_ms > at_ms ? (lua_Integer)(now_ms - at_ms) : 0);
    return 1;
  }
  lua_pushvalue(L, 2);
  lua_rawget(L, lua_upvalueindex(GSL_SNAPSHOT_MT));
  return 1;
}

static int
snapshot_tostring(lua_State *L)
{
  gsl_snapshot *box =
      gsl_check_kind(L, 1, GSL_SNAPSHOT_MT, "grainstore.snapshot");
  if (box->snapshot == NULL) {
    lua_pushliteral(L, "grainstore.snapshot (closed)");
  } else {
    lua_pushfstring(L, "grainstore.snapshot (seq %I)",
                    (LUAI_UACINT)gs_snapshot_seq(box->snapshot));
  }
  return 1;
}

const luaL_Reg gsl_snapshot_methods[] = {
    {"get", get},
    {"get_many", get_many},
    {"contains", contains},
    {"ttl", ttl},
    {"count", count_entries},
    {"cursor", new_cursor},
    {"scan", new_scan},
    {"close", close_snapshot},
    {"__gc", close_snapshot},
    {"__close", close_snapshot},
    {"__index", snapshot_index},
    {"__tostring", snapshot_tostring},
    {NULL, NULL},
};
