/*
 * Fuzz target of what Lua hands to the module: option tables, and arguments of
 * any method. The input is made into a table of options for open, then into
 * calls of methods of the store and of what they return: a method, how many
 * arguments, the arguments.
 * Checked: no crash and no access outside (by the sanitizers); a call raises,
 * or refuses with message and code, or returns; and when all handles are
 * closed, all memory of the machine is back.
 */
#include "fuzz/lua_value.h"

enum {
  CALLS = 12,
  ARGUMENTS = 4,
  METHODS_MAX = 128,
  AT_CORE = 1, /* places of the stack */
  AT_ENV = 2,
  AT_STORE = 3,
  AT_CHILD = 4, /* what a method returned last, if it was a handle */
  LARGE_BYTES = 1 << 24,
};

static int
compare_names(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Pushes a method of the object, metamethods among them: the number counts them
 * in order of their names. Left out is what would change how much memory the
 * engine takes. */
static void
push_method(lua_State *L, int object, uint64_t number)
{
  const char *names[METHODS_MAX];
  size_t count = 0;
  REQUIRE(lua_getmetatable(L, object) != 0);
  for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
    const char *name =
        lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "set";
    if (lua_isfunction(L, -1) && strcmp(name, "set") != 0) {
      REQUIRE(count < METHODS_MAX);
      names[count++] = name;
    }
  }
  REQUIRE(count > 0);
  qsort(names, count, sizeof names[0], compare_names);
  lua_getfield(L, -1, names[number % count]);
  lua_remove(L, -2);
}

/* Memory that the machine can give without swapping. */
static void
keep_small(lua_State *L, const char *name)
{
  lua_getfield(L, -1, name);
  if (lua_isinteger(L, -1) && lua_tointeger(L, -1) > LARGE_BYTES) {
    lua_pushinteger(L, LARGE_BYTES);
    lua_setfield(L, -3, name);
  }
  lua_pop(L, 1);
}

/* A table of options with the machine in it; metatables may be there too. */
static void
push_options(lua_State *L, fuzz_input *in)
{
  fuzz_push_table(L, in, FUZZ_DEPTH);
  lua_getfield(L, -1, "memory_bytes");
  if (lua_isnil(L, -1)) {
    lua_pushinteger(L, 1 << 20);
    lua_setfield(L, -3, "memory_bytes");
  }
  lua_pop(L, 1);
  keep_small(L, "memory_bytes");
  keep_small(L, "memtable_bytes");
  lua_pushvalue(L, AT_ENV);
  lua_setfield(L, -2, "env");
}

static bool
open_store(lua_State *L, fuzz_input *in)
{
  static const char *const kinds[] = {"bytes", "u32", "any"};
  lua_getfield(L, AT_CORE, "open");
  lua_pushliteral(L, "/db");
  push_options(L, in);
  lua_pushstring(L, kinds[fuzz_below(in, 3)]);
  lua_pushboolean(L, fuzz_take(in, 1) % 2 == 0);
  return fuzz_call(L, 4);
}

static void
call_method(lua_State *L, fuzz_input *in)
{
  int object = lua_isuserdata(L, AT_CHILD) && fuzz_take(in, 1) % 3 > 0
                   ? AT_CHILD
                   : AT_STORE;
  push_method(L, object, fuzz_take(in, 1));
  lua_pushvalue(L, fuzz_take(in, 1) == 0xFF ? AT_CORE : object);
  int count = (int)fuzz_below(in, ARGUMENTS);
  for (int i = 0; i < count; i++) {
    fuzz_push_value(L, in, FUZZ_DEPTH);
  }
  if (fuzz_call(L, count + 1) && lua_gettop(L) > AT_CHILD &&
      lua_isuserdata(L, AT_CHILD + 1)) {
    lua_pushvalue(L, AT_CHILD + 1);
    lua_replace(L, AT_CHILD);
  }
  lua_settop(L, AT_CHILD);
}

static void
live(lua_State *L, fuzz_input *in)
{
  fuzz_push_env(L);
  if (open_store(L, in)) {
    REQUIRE(lua_isuserdata(L, AT_STORE));
    lua_settop(L, AT_STORE);
    lua_pushnil(L);
    for (int calls = 0; calls < CALLS && !fuzz_is_over(in); calls++) {
      call_method(L, in);
    }
    fuzz_push_method(L, AT_STORE, "close");
    GS_IGNORE(fuzz_call(L, 1), "a store that failed says so again");
  }
  lua_settop(L, AT_ENV);
  fuzz_require_no_leak(L, AT_ENV);
  fuzz_must(L, AT_ENV, "close");
  lua_settop(L, AT_CORE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  fuzz_input in = fuzz_input_of(data, size);
  live(fuzz_lua(), &in);
  return 0;
}
