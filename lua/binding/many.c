/*
 * many: one call for many keys: get_many, count, approx.
 */
#include "gsl.h"

/* Scratch that a raise cannot leak: userdata on the stack, closed with the
 * call, since its memory is the machine's, which may go before a collection. */
typedef struct scratch {
  gs_buffer bytes;
} scratch;

static int
free_scratch(lua_State *L)
{
  scratch *box = lua_touserdata(L, 1);
  if (box->bytes.alloc != NULL) {
    gs_buffer_deinit(&box->bytes);
  }
  return 0;
}

static gs_buffer *
push_scratch(lua_State *L, const gsl_store *s)
{
  scratch *box = lua_newuserdatauv(L, sizeof *box, 0);
  box->bytes = (gs_buffer){0};
  if (luaL_newmetatable(L, "grainstore.scratch")) {
    lua_pushcfunction(L, free_scratch);
    lua_setfield(L, -2, "__close");
  }
  lua_setmetatable(L, -2);
  lua_toclose(L, -1);
  gsl_still_open(L, s);
  gs_buffer_init(&box->bytes, gs_get_alloc(s->store));
  return &box->bytes;
}

/* Keys of the array at arg into slices; u32 keys are kept in room. The strings
 * stay in the array, which nobody changes meanwhile. */
static void
collect_keys(lua_State *L, const gsl_store *s, int arg, gs_slice *keys,
             uint8_t (*room)[4], size_t count)
{
  const char *wanted = s->kind == GS_STORE_U32 ? "u32" : "a string";
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, arg, (lua_Integer)i + 1);
    if (!gsl_to_key(L, s, -1, room[i], &keys[i])) {
      luaL_argerror(L, arg,
                    lua_pushfstring(L, "key %I must be %s, got %s",
                                    (LUAI_UACINT)i + 1, wanted,
                                    luaL_tolstring(L, -1, NULL)));
    }
    lua_pop(L, 1);
  }
}

/* get_many(keys [, out]) -> array with false for absent */
int
gsl_get_many_at(lua_State *L, gsl_store *s, const gs_snapshot *snapshot,
                int store_arg)
{
  luaL_checktype(L, 2, LUA_TTABLE);
  if (!lua_isnoneornil(L, 3)) {
    luaL_checktype(L, 3, LUA_TTABLE);
  }
  lua_settop(L, 3);
  size_t count = (size_t)lua_rawlen(L, 2);
  gs_buffer *bytes = push_scratch(L, s);
  gs_slice *keys = lua_newuserdatauv(L, (count + 1) * sizeof *keys, 0);
  uint8_t(*room)[4] = lua_newuserdatauv(L, (count + 1) * sizeof *room, 0);
  gs_found *found = lua_newuserdatauv(L, (count + 1) * sizeof *found, 0);
  collect_keys(L, s, 2, keys, room, count);
  gs_error err;
  gsl_still_open(L, s);
  gs_status status =
      gs_get_many(s->store, snapshot, keys, count, bytes, found, &err);
  gsl_safe_point(L, s, store_arg);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  if (lua_isnil(L, 3)) {
    lua_createtable(L, (int)count, 0);
    lua_replace(L, 3);
  }
  for (size_t i = 0; i < count; i++) {
    if (found[i].is_present) {
      gsl_push_value(L, s,
                     gs_slice_of(bytes->data + found[i].offset, found[i].size));
    } else {
      lua_pushboolean(L, 0);
    }
    lua_rawseti(L, 3, (lua_Integer)i + 1);
  }
  gs_buffer_deinit(bytes);
  lua_pushvalue(L, 3);
  return 1;
}

static int
get_many(lua_State *L)
{
  return gsl_get_many_at(L, gsl_check_store(L), NULL, 1);
}

static const char *const range_names[] = {"from", "to", "prefix", "snapshot",
                                          NULL};

int
gsl_count_at(lua_State *L, gsl_store *s, const gs_snapshot *snapshot)
{
  gsl_range range;
  if (gsl_check_options(L, 2, range_names)) {
    const gs_snapshot *given = gsl_option_snapshot(L, s, 2);
    snapshot = given != NULL ? given : snapshot;
  }
  gsl_check_range(L, s, 2, &range);
  uint64_t count = 0;
  gs_error err;
  gsl_still_open(L, s);
  gs_status status = gs_count(s->store, snapshot, &range.range, &count, &err);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  lua_pushinteger(L, (lua_Integer)count);
  return 1;
}

/* store:count([{from=, to=, prefix=, snapshot=}]) -> entries */
static int
count_entries(lua_State *L)
{
  return gsl_count_at(L, gsl_check_store(L), NULL);
}

/* store:approx([{from=, to=, prefix=}]) -> {entries=, bytes=} */
static int
approx(lua_State *L)
{
  static const char *const names[] = {"from", "to", "prefix", NULL};
  gsl_store *s = gsl_check_store(L);
  gsl_range range;
  gsl_check_options(L, 2, names);
  gsl_check_range(L, s, 2, &range);
  uint64_t entries = 0;
  uint64_t bytes = 0;
  gs_error err;
  gsl_still_open(L, s);
  gs_status status = gs_approx(s->store, &range.range, &entries, &bytes, &err);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  lua_createtable(L, 0, 2);
  lua_pushinteger(L, (lua_Integer)entries);
  lua_setfield(L, -2, "entries");
  lua_pushinteger(L, (lua_Integer)bytes);
  lua_setfield(L, -2, "bytes");
  return 1;
}

const luaL_Reg gsl_store_many[] = {
    {"get_many", get_many},
    {"count", count_entries},
    {"approx", approx},
    {NULL, NULL},
};
