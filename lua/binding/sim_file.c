/*
 * sim_file: looking at the files of a simulated machine, and meddling with them
 * behind the engine's back.
 */
#include "gsl_sim.h"

static const char *
check_path(lua_State *L)
{
  size_t size = 0;
  const char *path = luaL_checklstring(L, 2, &size);
  luaL_argcheck(L, strlen(path) == size, 2, "a path has no zero byte");
  return path;
}

/* A size, then the path with its zero byte. */
static void
note_file(void *context, const char *path, uint64_t size)
{
  gs_buffer *notes = context;
  gs_buffer_append(notes, &size, sizeof size);
  gs_buffer_append(notes, path, strlen(path) + 1);
}

/* env:files() -> {path = size} */
static int
files(lua_State *L)
{
  gsl_env *e = gsl_check_env(L);
  gs_sim_files(e->sim, note_file, gsl_scratch(e));
  gsl_push_scratch(L, e);
  size_t left = 0;
  const char *at = lua_tolstring(L, -1, &left);
  lua_newtable(L);
  while (left > 0) {
    uint64_t size;
    memcpy(&size, at, sizeof size);
    size_t step = sizeof size + strlen(at + sizeof size) + 1;
    lua_pushinteger(L, (lua_Integer)size);
    lua_setfield(L, -2, at + sizeof size);
    at += step;
    left -= step;
  }
  return 1;
}

/* env:read(path) -> bytes | nil, message, code, detail */
static int
read_file(lua_State *L)
{
  gsl_env *e = gsl_check_env(L);
  const char *path = check_path(L);
  gs_error err;
  gs_status status = gs_sim_read(e->sim, path, gsl_scratch(e), &err);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  gsl_push_scratch(L, e);
  return 1;
}

static int
answer(lua_State *L, gs_status status, const gs_error *err)
{
  if (status != GS_OK) {
    return gsl_fail(L, status, err);
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* env:write(path, bytes) -> true: durable at once; makes the file if need be */
static int
write_file(lua_State *L)
{
  gsl_env *e = gsl_check_env(L);
  const char *path = check_path(L);
  size_t size = 0;
  const char *bytes = luaL_checklstring(L, 3, &size);
  gs_error err;
  gs_status status =
      gs_sim_replace(e->sim, path, gs_slice_of(bytes, size), &err);
  return answer(L, status, &err);
}

/* env:remove(path) -> true: durable at once */
static int
remove_file(lua_State *L)
{
  gsl_env *e = gsl_check_env(L);
  gs_error err;
  gs_status status = gs_sim_remove(e->sim, check_path(L), &err);
  return answer(L, status, &err);
}

/* env:flip(path, bit) -> true: counted from 0, durable at once */
static int
flip(lua_State *L)
{
  gsl_env *e = gsl_check_env(L);
  const char *path = check_path(L);
  lua_Integer bit = luaL_checkinteger(L, 3);
  luaL_argcheck(L, bit >= 0, 3, "bits count from 0");
  gs_error err;
  gs_status status = gs_sim_flip(e->sim, path, (uint64_t)bit, &err);
  return answer(L, status, &err);
}

const luaL_Reg gsl_env_files[] = {
    {"files", files},        {"read", read_file}, {"write", write_file},
    {"remove", remove_file}, {"flip", flip},      {NULL, NULL},
};
