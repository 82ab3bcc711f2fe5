/*
 * failure: statuses into Lua. The world's failures are returned, misuse and
 * want of memory are raised, and a failing loop raises an object, because a
 * loop has nowhere to return an error to.
 */
#include <string.h>

#include "gsl.h"

static void
set_text(lua_State *L, const char *name, const char *text)
{
  if (text[0] != '\0') {
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
  }
}

/* Whether the sentence names the file already, by its path or its last part. */
static bool
names_path(const gs_error *err)
{
  const char *slash = strrchr(err->path, '/');
  const char *name = slash == NULL ? err->path : slash + 1;
  return err->path[0] == '\0' || strstr(err->message, name) != NULL;
}

/* Place and hint belong to the sentence: most people never look at the
 * detail. */
static void
push_message(lua_State *L, const gs_error *err)
{
  luaL_Buffer text;
  luaL_buffinit(L, &text);
  if (!names_path(err)) {
    luaL_addstring(&text, err->path);
    luaL_addstring(&text, ": ");
  }
  luaL_addstring(&text, err->message);
  if (!names_path(err) && err->has_offset) {
    lua_pushfstring(L, " (at byte %I)", (LUAI_UACINT)err->offset);
    luaL_addvalue(&text);
  }
  if (err->hint[0] != '\0') {
    luaL_addstring(&text, "; ");
    luaL_addstring(&text, err->hint);
  }
  luaL_pushresult(&text);
}

static void
push_detail(lua_State *L, const gs_error *err)
{
  lua_createtable(L, 0, 4);
  set_text(L, "path", err->path);
  set_text(L, "hint", err->hint);
  if (err->has_offset) {
    lua_pushinteger(L, (lua_Integer)err->offset);
    lua_setfield(L, -2, "offset");
  }
  if (err->os_errno != 0) {
    lua_pushinteger(L, err->os_errno);
    lua_setfield(L, -2, "errno");
  }
  if (err->is_doubtful) {
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, "doubtful");
  }
}

int
gsl_fail(lua_State *L, gs_status status, const gs_error *err)
{
  if (status == GS_NOMEM) {
    return luaL_error(L, "not enough memory");
  }
  if (status == GS_MISUSE || status == GS_CLOSED) {
    return luaL_error(L, "%s", err->message);
  }
  lua_pushnil(L);
  push_message(L, err);
  lua_pushstring(L, gs_status_code(status));
  push_detail(L, err);
  return 4;
}

int
gsl_raise(lua_State *L, gs_status status, const gs_error *err)
{
  if (status == GS_NOMEM || status == GS_MISUSE) {
    return gsl_fail(L, status, err);
  }
  lua_createtable(L, 0, 3);
  push_message(L, err);
  lua_setfield(L, -2, "message");
  lua_pushstring(L, gs_status_code(status));
  lua_setfield(L, -2, "code");
  push_detail(L, err);
  lua_setfield(L, -2, "detail");
  gsl_push_error_metatable(L);
  lua_setmetatable(L, -2);
  return lua_error(L);
}

/* error object -> "message (code)" */
static int
error_tostring(lua_State *L)
{
  lua_getfield(L, 1, "message");
  lua_getfield(L, 1, "code");
  lua_pushfstring(L, "%s (%s)", lua_tostring(L, -2), lua_tostring(L, -1));
  return 1;
}

void
gsl_push_error_metatable(lua_State *L)
{
  if (luaL_newmetatable(L, "grainstore.error")) {
    lua_pushcfunction(L, error_tostring);
    lua_setfield(L, -2, "__tostring");
  }
}
