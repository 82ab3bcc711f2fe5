/*
 * lab_feed: what a virtual store is told of a real one: its tree, its flushes,
 * and what its entries are like.
 */
#include "gsl.h"
#include "lab/lab.h"

size_t
gsl_take_classes(lua_State *L, gs_mix_class *classes)
{
  size_t count = (size_t)lua_rawlen(L, -1);
  if (count > GS_MIX_CLASSES) {
    luaL_error(L, "a mix has %d classes of keys at most", GS_MIX_CLASSES);
  }
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, -1, (lua_Integer)i + 1);
    if (!lua_istable(L, -1)) {
      luaL_error(L, "a class of keys is a table");
    }
    lua_getfield(L, -1, "keys");
    lua_getfield(L, -2, "rate");
    classes[i] = (gs_mix_class){lua_tonumber(L, -2), lua_tonumber(L, -1)};
    lua_pop(L, 3);
  }
  return count;
}

/* A number of the table at the index; 0 where it has none. */
static double
fact(lua_State *L, int index, const char *name)
{
  lua_getfield(L, index, name);
  double number = lua_tonumber(L, -1);
  lua_pop(L, 1);
  return number;
}

static uint64_t
count_of(lua_State *L, int index, const char *name)
{
  double number = fact(L, index, name);
  return number >= 0 && number < 9e18 ? (uint64_t)number : 0;
}

static int
done(lua_State *L, gs_status status, const gs_error *err)
{
  if (status != GS_OK) {
    return gsl_fail(L, status, err);
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* v:feed{writes=, to_ms=, gone=, lasting=, distinct=} -> true */
static int
feed(lua_State *L)
{
  gs_lab *lab = gsl_check_lab(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  const gs_lab_batch batch = {
      .writes = fact(L, 2, "writes"),
      .to_ms = fact(L, 2, "to_ms"),
      .gone = fact(L, 2, "gone"),
      .lasting = fact(L, 2, "lasting"),
      .distinct = fact(L, 2, "distinct"),
  };
  gs_error err;
  gs_status status = gs_lab_feed(lab, &batch, &err);
  return done(L, status, &err);
}

/* v:mix{{keys=, rate=}, ...} -> true: other keys from now on */
static int
set_mix(lua_State *L)
{
  gs_lab *lab = gsl_check_lab(L);
  gs_mix_class classes[GS_MIX_CLASSES];
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  size_t count = gsl_take_classes(L, classes);
  gs_error err;
  gs_status status = gs_lab_set_mix(lab, classes, count, &err);
  return done(L, status, &err);
}

/* v:sizes{key_bytes=, value_bytes=, ttl_ms=} -> true: other entries */
static int
set_sizes(lua_State *L)
{
  gs_lab *lab = gsl_check_lab(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  gs_error err;
  gs_status status = gs_lab_set_sizes(
      lab, (uint32_t)count_of(L, 2, "key_bytes"),
      (uint32_t)count_of(L, 2, "value_bytes"), count_of(L, 2, "ttl_ms"), &err);
  return done(L, status, &err);
}

/* v:speed(bytes a second that jobs read or write; 0: as fast as may be) */
static int
set_speed(lua_State *L)
{
  gs_lab *lab = gsl_check_lab(L);
  double speed = luaL_checknumber(L, 2);
  luaL_argcheck(L, speed >= 0, 2, "a number from 0 expected");
  gs_lab_set_speed(lab, speed, speed);
  return 0;
}

/* The table on top. */
static gs_lab_planted
take_table(lua_State *L)
{
  int at = lua_gettop(L);
  luaL_argcheck(L, lua_istable(L, at), 3, "an array of tables expected");
  return (gs_lab_planted){
      .run = (size_t)count_of(L, at, "run"),
      .level = (uint32_t)count_of(L, at, "level"),
      .lo = fact(L, at, "lo"),
      .hi = fact(L, at, "hi"),
      .kept = fact(L, at, "kept"),
      .meta =
          {
              .file_bytes = count_of(L, at, "bytes"),
              .data_bytes = count_of(L, at, "data_bytes"),
              .entry_count = count_of(L, at, "entries"),
              .key_count = count_of(L, at, "entries"),
              .tombstone_count = count_of(L, at, "tombstones"),
              .expiring_count = count_of(L, at, "expiring"),
              .min_seq = count_of(L, at, "min_seq"),
              .max_seq = count_of(L, at, "max_seq"),
              .created_ms = count_of(L, at, "created_ms"),
              .min_expiry_ms = count_of(L, at, "min_expiry_ms"),
              .max_expiry_ms = count_of(L, at, "max_expiry_ms"),
              .oldest_tombstone_ms = count_of(L, at, "oldest_tombstone_ms"),
          },
  };
}

/* v:plant(keys, {{run=, level=, lo=, hi=, kept=, and numbers as of a tree's
 * table}, ...}) -> true: it begins with these; see lab/plant.h */
static int
plant(lua_State *L)
{
  gs_lab *lab = gsl_check_lab(L);
  double keys = luaL_checknumber(L, 2);
  luaL_checktype(L, 3, LUA_TTABLE);
  lua_settop(L, 3);
  size_t count = (size_t)lua_rawlen(L, 3);
  luaL_argcheck(L, count <= GSL_LIST_MAX, 3, "too many tables");
  gs_lab_planted *tables = lua_newuserdatauv(L, count * sizeof *tables + 1, 0);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 3, (lua_Integer)i + 1);
    tables[i] = take_table(L);
    lua_pop(L, 1);
  }
  gs_error err;
  gs_status status = gs_lab_plant(lab, tables, count, keys, &err);
  return done(L, status, &err);
}

const luaL_Reg gsl_lab_feed[] = {
    {"feed", feed},       {"mix", set_mix}, {"sizes", set_sizes},
    {"speed", set_speed}, {"plant", plant}, {NULL, NULL},
};
