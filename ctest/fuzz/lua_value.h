/*
 * lua_value: Lua values out of a fuzz target's input, and protected calls that
 * may raise or refuse but do nothing else.
 *
 * A value is a kind byte and what the kind wants: numbers near the bounds that
 * options have, names of options, strings of the input, tables of all of these,
 * and functions that raise, return or collect.
 */
#ifndef GS_CTEST_FUZZ_LUA_VALUE_H
#define GS_CTEST_FUZZ_LUA_VALUE_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "base/status.h"
#include "fuzz/target.h"

int luaopen_grainstore_core(lua_State *L);

enum { FUZZ_DEPTH = 3, FUZZ_FIELDS = 8, FUZZ_TEXT = 24 };

static const char *const fuzz_words[] = {
    "create",
    "must_create",
    "readonly",
    "degraded",
    "salvage",
    "durability",
    "wal_batch_ms",
    "wal_batch_bytes",
    "max_wal_bytes",
    "table_bytes",
    "block_bytes",
    "compression",
    "lz4",
    "zstd",
    "threads",
    "default_ttl_ms",
    "max_stall_ms",
    "on_stall",
    "seed",
    "disk_reserve_bytes",
    "journal_bytes",
    "policy",
    "memory_bytes",
    "memtable_bytes",
    "sync",
    "batch",
    "os",
    "memory",
    "wait",
    "fail",
    "none",
    "prefix",
    "any",
    "bytes",
    "u32",
    "ttl_ms",
    "expires_at_ms",
    "from",
    "to",
    "snapshot",
    "reverse",
    "limit",
    "keys_only",
    "now_ms",
    "meta",
    "dry_run",
    "op",
    "merge",
    "move",
    "drop",
    "into",
    "above",
    "bottom",
    "level",
    "inputs",
    "cuts",
    "env",
    "clock",
    "key00",
    "key07",
    "",
};

static inline int
fuzz_lua_raise(lua_State *L)
{
  return luaL_error(L, "raised on purpose");
}

static inline int
fuzz_lua_collect(lua_State *L)
{
  lua_gc(L, LUA_GCCOLLECT, 0);
  return 0;
}

static inline void
fuzz_push_integer(lua_State *L, fuzz_input *in)
{
  uint64_t value = fuzz_take(in, 1);
  if (value >= 0xF0) {
    value = fuzz_take(in, 8);
  } else if (value >= 0x80) {
    value = (UINT64_C(1) << value % 64) + fuzz_take(in, 1) % 3 - 1;
  }
  lua_pushinteger(L, (lua_Integer)value);
}

static inline void
fuzz_push_word(lua_State *L, fuzz_input *in)
{
  lua_pushstring(
      L, fuzz_words[fuzz_below(in, sizeof fuzz_words / sizeof fuzz_words[0])]);
}

static inline void fuzz_push_value(lua_State *L, fuzz_input *in, int depth);

/* Fields of any names, and an array. */
static inline void
fuzz_push_table(lua_State *L, fuzz_input *in, int depth)
{
  lua_newtable(L);
  for (uint64_t left = fuzz_below(in, FUZZ_FIELDS); left > 0; left--) {
    if (fuzz_take(in, 1) % 8 == 0) {
      fuzz_push_value(L, in, depth - 1);
    } else {
      fuzz_push_word(L, in);
    }
    fuzz_push_value(L, in, depth - 1);
    if (lua_isnil(L, -2) || lua_type(L, -2) == LUA_TNUMBER) {
      lua_pop(L, 2); /* no key of a table, or not surely one */
    } else {
      lua_rawset(L, -3);
    }
  }
  uint64_t count = fuzz_below(in, FUZZ_FIELDS);
  for (uint64_t i = 1; i <= count; i++) {
    fuzz_push_value(L, in, depth - 1);
    lua_rawseti(L, -2, (lua_Integer)i);
  }
}

/* Pushes one value. Whatever stands in the first places of the stack may come
 * again. */
static inline void
fuzz_push_value(lua_State *L, fuzz_input *in, int depth)
{
  luaL_checkstack(L, 8, "fuzz");
  switch (fuzz_take(in, 1) % 12) {
  case 0:
    lua_pushnil(L);
    break;
  case 1:
    lua_pushboolean(L, (int)fuzz_take(in, 1) % 2);
    break;
  case 2:
    lua_pushnumber(L, (lua_Number)fuzz_take(in, 2) / 8 - 1000);
    break;
  case 3:
    lua_pushvalue(L, 1 + (int)fuzz_below(in, 4) % lua_gettop(L));
    break;
  case 4:
    lua_pushcfunction(L, fuzz_take(in, 1) % 2 == 0 ? fuzz_lua_raise
                                                   : fuzz_lua_collect);
    break;
  case 5: {
    gs_slice text = fuzz_slice(in, (size_t)fuzz_below(in, FUZZ_TEXT));
    lua_pushlstring(L, text.size == 0 ? "" : (const char *)text.data,
                    text.size);
    break;
  }
  case 6:
  case 7:
    fuzz_push_word(L, in);
    break;
  case 8:
  case 9:
    if (depth > 0) {
      fuzz_push_table(L, in, depth);
      break;
    }
    /* fall through */
  default:
    fuzz_push_integer(L, in);
  }
}

/* Calls the function beneath the arguments. What it raises is an error like
 * any other, and what it refuses has a message and a code. True when it
 * returned and did not refuse; its results stay on the stack, else nothing. */
static inline bool
fuzz_call(lua_State *L, int arguments)
{
  int base = lua_gettop(L) - arguments - 1;
  int status = lua_pcall(L, arguments, LUA_MULTRET, 0);
  if (status != LUA_OK) {
    REQUIRE(status == LUA_ERRRUN);
    lua_settop(L, base);
    return false;
  }
  int results = lua_gettop(L) - base;
  bool is_refusal = results >= 3 && lua_isnil(L, base + 1);
  if (is_refusal && lua_type(L, base + 2) == LUA_TSTRING) {
    REQUIRE(lua_rawlen(L, base + 2) > 0);
    REQUIRE(lua_type(L, base + 3) == LUA_TSTRING);
    REQUIRE(lua_rawlen(L, base + 3) > 0);
    lua_settop(L, base);
    return false;
  }
  return true;
}

/* A state with the module's table at 1, made once. */
static inline lua_State *
fuzz_lua(void)
{
  static lua_State *made;
  if (made == NULL) {
    made = luaL_newstate();
    REQUIRE(made != NULL);
    luaL_openlibs(made);
    luaL_requiref(made, "grainstore.core", luaopen_grainstore_core, 0);
  }
  lua_settop(made, 1);
  return made;
}

/* Pushes a method of the object at the index, and the object. */
static inline void
fuzz_push_method(lua_State *L, int object, const char *name)
{
  object = lua_absindex(L, object);
  lua_getfield(L, object, name);
  lua_pushvalue(L, object);
}

/* Calls a method without arguments that cannot fail. */
static inline void
fuzz_must(lua_State *L, int object, const char *name)
{
  fuzz_push_method(L, object, name);
  REQUIRE(lua_pcall(L, 1, 0, 0) == LUA_OK);
}

/* Pushes a machine: core.env{seed = 1}. */
static inline void
fuzz_push_env(lua_State *L)
{
  lua_getfield(L, 1, "env");
  lua_newtable(L);
  lua_pushinteger(L, 1);
  lua_setfield(L, -2, "seed");
  REQUIRE(lua_pcall(L, 1, 1, 0) == LUA_OK);
}

/* Nothing of the machine at the index is left in use. */
static inline void
fuzz_require_no_leak(lua_State *L, int env)
{
  fuzz_push_method(L, env, "allocated");
  REQUIRE(lua_pcall(L, 1, 1, 0) == LUA_OK);
  REQUIRE(lua_tointeger(L, -1) == 0);
  lua_pop(L, 1);
}

#endif
