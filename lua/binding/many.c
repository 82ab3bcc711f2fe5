/*
 * many: one call for many keys: get_many, count, approx.
 */
#include "gsl.h"

/* Of a call that left more behind than this, nothing is kept. */
enum { KEPT_BYTES = 1 << 20 };

/* ---- memory ---------------------------------------------------------------- */

void
gsl_many_init(gsl_many *many, gs_alloc *alloc)
{
  *many = (gsl_many){0};
  gs_buffer_init(&many->keys, alloc);
  gs_buffer_init(&many->room, alloc);
  gs_buffer_init(&many->found, alloc);
  gs_buffer_init(&many->bytes, alloc);
}

/* May be used again afterwards, or called again. */
void
gsl_many_deinit(gsl_many *many)
{
  if (many->keys.alloc == NULL) {
    return;
  }
  gs_buffer_deinit(&many->keys);
  gs_buffer_deinit(&many->room);
  gs_buffer_deinit(&many->found);
  gs_buffer_deinit(&many->bytes);
}

static int
free_own(lua_State *L)
{
  gsl_many_deinit(lua_touserdata(L, 1));
  return 0;
}

/* Memory that a raise cannot leak: userdata on the stack, closed with the call,
 * since what it holds is the machine's, which may go before a collection. */
static gsl_many *
push_own(lua_State *L, const gsl_store *s)
{
  gsl_many *own = lua_newuserdatauv(L, sizeof *own, 0);
  *own = (gsl_many){0};
  if (luaL_newmetatable(L, "grainstore.many")) {
    lua_pushcfunction(L, free_own);
    lua_setfield(L, -2, "__close");
  }
  lua_setmetatable(L, -2);
  lua_toclose(L, -1);
  gsl_still_open(L, s);
  gsl_many_init(own, gs_get_alloc(s->store));
  return own;
}

static void *
rows(lua_State *L, gs_buffer *buffer, size_t count, size_t size)
{
  gs_buffer_clear(buffer);
  uint8_t *first = gs_buffer_extend(buffer, count * size);
  if (first == NULL) {
    gs_error err;
    gsl_fail(L, GS_FAIL_NOMEM(&err), &err); /* raises */
  }
  return first;
}

/* ---- get_many -------------------------------------------------------------- */

/* Keys of the array at 2 into slices. The strings stay in the array, which
 * nobody changes meanwhile. */
static const gs_slice *
collect_keys(lua_State *L, const gsl_store *s, gsl_many *many, size_t count)
{
  bool is_u32 = s->kind == GS_STORE_U32;
  gs_slice *keys = rows(L, &many->keys, count, sizeof *keys);
  uint8_t(*room)[4] = rows(L, &many->room, is_u32 ? count : 1, sizeof *room);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 2, (lua_Integer)i + 1);
    if (!gsl_to_key(L, s, -1, room[is_u32 ? i : 0], &keys[i])) {
      luaL_argerror(L, 2,
                    lua_pushfstring(L, "key %I must be %s, got %s",
                                    (LUAI_UACINT)i + 1,
                                    is_u32 ? "u32" : "a string",
                                    luaL_tolstring(L, -1, NULL)));
    }
    lua_pop(L, 1);
  }
  return keys;
}

/* Into the array at 3. Making a string may run a finaliser that closes the
 * store. */
static void
push_values(lua_State *L, const gsl_store *s, const gsl_many *many,
            size_t count)
{
  for (size_t i = 0; i < count; i++) {
    gsl_still_open(L, s);
    const void *rows_found = many->found.data;
    const gs_found *found = (const gs_found *)rows_found + i;
    if (found->is_present) {
      gsl_push_value(
          L, s, gs_slice_of(many->bytes.data + found->offset, found->size));
    } else {
      lua_pushboolean(L, 0);
    }
    lua_rawseti(L, 3, (lua_Integer)i + 1);
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
  luaL_argcheck(L, count <= GSL_LIST_MAX, 2, "too long a list of keys");
  if (lua_isnil(L, 3)) {
    lua_createtable(L, (int)count, 0);
    lua_replace(L, 3);
    gsl_still_open(L, s);
  }
  gsl_many *many = s->many.is_lent ? push_own(L, s) : &s->many;
  const gs_slice *keys = count > 0 ? collect_keys(L, s, many, count) : NULL;
  gs_found *found =
      count > 0 ? rows(L, &many->found, count, sizeof *found) : NULL;
  gs_error err;
  gs_status status =
      gs_get_many(s->store, snapshot, keys, count, &many->bytes, found, &err);
  if (status == GS_OK) {
    many->is_lent = true;
    push_values(L, s, many, count);
    many->is_lent = false;
  }
  if (many->bytes.capacity + many->found.capacity > KEPT_BYTES) {
    gsl_many_deinit(many);
  }
  gsl_safe_point(L, s, store_arg);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  lua_settop(L, 3);
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
