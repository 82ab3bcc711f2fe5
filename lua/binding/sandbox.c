/*
 * sandbox: the libraries of a state that only computes: no files, no processes,
 * no clock, no debugging, and nothing that runs when the state is closed.
 *
 * `require` finds Lua files on the path that is given, and nothing else.
 * setmetatable refuses finalisers: they run where no budget holds. load takes
 * text only: compiled chunks can break a state.
 */
#include <lualib.h>

#include "gsl.h"

static const luaL_Reg libraries[] = {
    {LUA_GNAME, luaopen_base},          {LUA_LOADLIBNAME, luaopen_package},
    {LUA_COLIBNAME, luaopen_coroutine}, {LUA_TABLIBNAME, luaopen_table},
    {LUA_STRLIBNAME, luaopen_string},   {LUA_MATHLIBNAME, luaopen_math},
    {LUA_UTF8LIBNAME, luaopen_utf8},    {NULL, NULL},
};

static const char *const forbidden[] = {
    "collectgarbage", "dofile", "loadfile", "print", "warn", NULL,
};

/* Calls the function it stands for, upvalue 1, with all its arguments. */
static int
pass_on(lua_State *L)
{
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

static int
set_metatable(lua_State *L)
{
  if (lua_istable(L, 2)) {
    lua_pushliteral(L, "__gc");
    lua_rawget(L, 2);
    if (!lua_isnil(L, -1)) {
      return luaL_error(L, "a policy has no finalisers");
    }
    lua_pop(L, 1);
  }
  return pass_on(L);
}

static int
load_text(lua_State *L)
{
  if (lua_gettop(L) < 3) {
    lua_settop(L, 3);
  }
  lua_pushliteral(L, "t");
  lua_replace(L, 3);
  return pass_on(L);
}

/* Puts a function before the global of that name. */
static void
guard(lua_State *L, const char *name, lua_CFunction function)
{
  lua_getglobal(L, name);
  lua_pushcclosure(L, function, 1);
  lua_setglobal(L, name);
}

/* Of the searchers those for preloaded modules and for Lua files stay; the table
 * itself is require's alone, so that nobody sends it elsewhere. */
static void
limit_package(lua_State *L, const char *path)
{
  lua_getglobal(L, LUA_LOADLIBNAME);
  lua_pushstring(L, path);
  lua_setfield(L, -2, "path");
  lua_pushliteral(L, "");
  lua_setfield(L, -2, "cpath");
  lua_pushnil(L);
  lua_setfield(L, -2, "loadlib");
  lua_pushnil(L);
  lua_setfield(L, -2, "searchpath");
  lua_getfield(L, -1, "searchers");
  for (lua_Integer i = (lua_Integer)lua_rawlen(L, -1); i > 2; i--) {
    lua_pushnil(L);
    lua_rawseti(L, -2, i);
  }
  lua_pop(L, 2);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushnil(L);
  lua_setfield(L, -2, LUA_LOADLIBNAME);
  lua_pop(L, 1);
  lua_pushnil(L);
  lua_setglobal(L, LUA_LOADLIBNAME);
}

void
gsl_open_pure(lua_State *L, const char *path)
{
  for (const luaL_Reg *library = libraries; library->func != NULL; library++) {
    luaL_requiref(L, library->name, library->func, 1);
    lua_pop(L, 1);
  }
  for (size_t i = 0; forbidden[i] != NULL; i++) {
    lua_pushnil(L);
    lua_setglobal(L, forbidden[i]);
  }
  guard(L, "setmetatable", set_metatable);
  guard(L, "load", load_text);
  limit_package(L, path);
}

/* ---- plain data ------------------------------------------------------------------ */

enum { DEPTH_MAX = 100 };

/* The tables on the way down to the one being copied. */
typedef struct way {
  const void *table;
  const struct way *up;
  int depth;
} way;

static void copy_value(lua_State *to, lua_State *from, int index,
                       const way *up);

static void
copy_table(lua_State *to, lua_State *from, int index, const way *up)
{
  way here = {lua_topointer(from, index), up, up == NULL ? 1 : up->depth + 1};
  for (const way *w = up; w != NULL; w = w->up) {
    if (w->table == here.table) {
      luaL_error(to, "args contain a cycle");
    }
  }
  if (here.depth > DEPTH_MAX || !lua_checkstack(from, 4)) {
    luaL_error(to, "args are nested too deeply");
  }
  if (lua_getmetatable(from, index)) {
    luaL_error(to, "args are plain data; a table in them has a metatable");
  }
  luaL_checkstack(to, 6, "args are nested too deeply");
  lua_newtable(to);
  lua_pushnil(from);
  while (lua_next(from, index) != 0) {
    int value = lua_gettop(from);
    copy_value(to, from, value - 1, &here);
    copy_value(to, from, value, &here);
    lua_rawset(to, -3);
    lua_settop(from, value - 1);
  }
}

static void
copy_value(lua_State *to, lua_State *from, int index, const way *up)
{
  size_t size;
  const char *text;
  switch (lua_type(from, index)) {
  case LUA_TNIL:
  case LUA_TNONE:
    lua_pushnil(to);
    break;
  case LUA_TBOOLEAN:
    lua_pushboolean(to, lua_toboolean(from, index));
    break;
  case LUA_TNUMBER:
    if (lua_isinteger(from, index)) {
      lua_pushinteger(to, lua_tointeger(from, index));
    } else {
      lua_pushnumber(to, lua_tonumber(from, index));
    }
    break;
  case LUA_TSTRING:
    text = lua_tolstring(from, index, &size);
    lua_pushlstring(to, text, size);
    break;
  case LUA_TTABLE:
    copy_table(to, from, index, up);
    break;
  default:
    luaL_error(to, "args are plain data, and a %s is none",
               lua_typename(from, lua_type(from, index)));
  }
}

void
gsl_copy_plain(lua_State *to, lua_State *from, int index)
{
  copy_value(to, from, index, NULL);
}
