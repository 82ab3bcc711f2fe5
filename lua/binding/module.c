/*
 * module: grainstore.core, what lua/grainstore/init.lua is made from: opening,
 * and the metatables.
 */
#include <string.h>

#include "gsl.h"

#define EXPORT __attribute__((visibility("default")))

/* ---- options of open ------------------------------------------------------------- */

/* A number of gs_options that is an option of the same name. */
typedef struct number {
  const char *name;
  size_t offset;
} number;

#define NUMBER(field)                   \
  {                                     \
#field, offsetof(gs_options, field) \
  }

static const number numbers[] = {
    NUMBER(wal_batch_ms),       NUMBER(wal_batch_bytes), NUMBER(memory_bytes),
    NUMBER(memtable_bytes),     NUMBER(max_wal_bytes),   NUMBER(table_bytes),
    NUMBER(default_ttl_ms),     NUMBER(max_stall_ms),    NUMBER(seed),
    NUMBER(disk_reserve_bytes),
};

static const char *const open_names[] = {
    "create",
    "must_create",
    "readonly",
    "durability",
    "wal_batch_ms",
    "wal_batch_bytes",
    "memory_bytes",
    "memtable_bytes",
    "max_wal_bytes",
    "table_bytes",
    "block_bytes",
    "threads",
    "default_ttl_ms",
    "max_stall_ms",
    "on_stall",
    "seed",
    "disk_reserve_bytes",
    "policy",
    NULL,
};

/* The value that is none of the choices is on top. */
static void
refuse_choice(lua_State *L, int arg, const char *name,
              const char *const *choices)
{
  const char *given = luaL_tolstring(L, -1, NULL);
  luaL_Buffer text;
  luaL_buffinit(L, &text);
  for (int i = 0; choices[i] != NULL; i++) {
    luaL_addstring(&text, i == 0 ? "\"" : ", \"");
    luaL_addstring(&text, choices[i]);
    luaL_addstring(&text, "\"");
  }
  luaL_pushresult(&text);
  const char *list = lua_tostring(L, -1);
  luaL_argerror(
      L, arg,
      lua_pushfstring(L, "option '%s' takes %s, got %s", name, list, given));
}

/* The index of the string in field name among choices; otherwise when absent. */
static int
choice(lua_State *L, int arg, const char *name, const char *const *choices,
       int otherwise)
{
  int type = gsl_field(L, arg, name);
  int found = type == LUA_TNIL ? otherwise : -1;
  const char *given = type == LUA_TSTRING ? lua_tostring(L, -1) : "";
  for (int i = 0; found < 0 && choices[i] != NULL; i++) {
    if (strcmp(choices[i], given) == 0) {
      found = i;
    }
  }
  if (found < 0) {
    refuse_choice(L, arg, name, choices);
  }
  lua_pop(L, 1);
  return found;
}

/* A number too large for the field is as wrong as the largest that fits. */
static uint32_t
small_count(lua_State *L, int arg, const char *name, uint32_t otherwise)
{
  uint64_t count = gsl_option_count(L, arg, name, otherwise, NULL);
  return count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

static void
read_numbers(lua_State *L, int arg, gs_options *options)
{
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    char *at = (char *)options + numbers[i].offset;
    uint64_t value;
    memcpy(&value, at, sizeof value);
    value = gsl_option_count(L, arg, numbers[i].name, value, NULL);
    memcpy(at, &value, sizeof value);
  }
  options->threads = small_count(L, arg, "threads", options->threads);
  options->block_bytes =
      small_count(L, arg, "block_bytes", options->block_bytes);
}

static void
read_options(lua_State *L, int arg, gs_options *options)
{
  static const char *const durabilities[] = {"sync", "batch", "os", "memory",
                                             NULL};
  static const char *const stalls[] = {"wait", "fail", NULL};
  if (!gsl_check_options(L, arg, open_names)) {
    return;
  }
  options->create = gsl_option_boolean(L, arg, "create", true);
  options->must_create = gsl_option_boolean(L, arg, "must_create", false);
  options->readonly = gsl_option_boolean(L, arg, "readonly", false);
  options->durability =
      (gs_durability)(1 + choice(L, arg, "durability", durabilities, 1));
  options->fail_on_stall = choice(L, arg, "on_stall", stalls, 0) == 1;
  read_numbers(L, arg, options);
}

/* core.open(path, options, kind, has_policy) -> store | nil, message, code,
 * detail. kind: "any", "bytes", "u32". */
int
gsl_open(lua_State *L)
{
  static const char *const kinds[] = {"any", "bytes", "u32", NULL};
  size_t size = 0;
  const char *path = luaL_checklstring(L, 1, &size);
  luaL_argcheck(L, strlen(path) == size, 1, "a path has no zero byte");
  luaL_argcheck(L, size > 0, 1, "the path is empty");
  gs_options options;
  gs_options_init(&options);
  options.kind = (gs_store_kind)luaL_checkoption(L, 3, "any", kinds);
  read_options(L, 2, &options);
  options.has_policy = lua_toboolean(L, 4) != 0;
  gsl_store *s = lua_newuserdatauv(L, sizeof *s, GSL_STORE_VALUES);
  memset(s, 0, sizeof *s);
  lua_pushvalue(L, lua_upvalueindex(GSL_STORE_MT));
  lua_setmetatable(L, -2);
  gs_error err;
  gs_status status = gs_open(path, &options, &s->store, &err);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  s->kind = gs_get_kind(s->store);
  gs_value_init(&s->value, s->store);
  return 1;
}

/* ---- directories ------------------------------------------------------------------ */

static void
set_count(lua_State *L, const char *name, uint64_t value)
{
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, name);
}

/* core.info(path) -> {kind=, format=, tables=, runs=, bytes=, entries=, seq=,
 * clean=} */
static int
info(lua_State *L)
{
  const char *path = luaL_checkstring(L, 1);
  gs_info found;
  gs_error err;
  gs_status status = gs_inspect(NULL, path, &found, &err);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  lua_createtable(L, 0, 8);
  lua_pushstring(L, found.kind == GS_STORE_U32 ? "u32" : "bytes");
  lua_setfield(L, -2, "kind");
  set_count(L, "format", found.format);
  set_count(L, "tables", found.table_count);
  set_count(L, "runs", found.run_count);
  set_count(L, "bytes", found.table_bytes);
  set_count(L, "entries", found.entry_count);
  set_count(L, "seq", found.flushed_seq);
  lua_pushboolean(L, found.is_clean);
  lua_setfield(L, -2, "clean");
  return 1;
}

/* core.destroy(path) -> true */
static int
destroy(lua_State *L)
{
  const char *path = luaL_checkstring(L, 1);
  gs_error err;
  gs_status status = gs_destroy(NULL, path, &err);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* ---- the module -------------------------------------------------------------------- */

const luaL_Reg gsl_module_functions[] = {
    {"open", gsl_open},
    {"info", info},
    {"destroy", destroy},
    {NULL, NULL},
};

/* Functions with the four metatables as upvalues, into the table on top. The
 * metatables stand at 1 to 4. */
static void
set_functions(lua_State *L, const luaL_Reg *functions)
{
  for (int i = 1; i <= GSL_UPVALUES; i++) {
    lua_pushvalue(L, i);
  }
  luaL_setfuncs(L, functions, GSL_UPVALUES);
}

/* Methods and metamethods share the table; a script cannot change it. */
static void
fill_metatable(lua_State *L, int at, const char *name,
               const luaL_Reg *const *lists)
{
  lua_pushvalue(L, at);
  lua_pushvalue(L, at);
  lua_setfield(L, -2, "__index");
  for (size_t i = 0; lists[i] != NULL; i++) {
    set_functions(L, lists[i]);
  }
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}

EXPORT int luaopen_grainstore_core(lua_State *L);

EXPORT int
luaopen_grainstore_core(lua_State *L)
{
  static const luaL_Reg *const store_lists[] = {gsl_store_methods,
                                                gsl_store_many,
                                                gsl_store_work,
                                                gsl_store_tree,
                                                gsl_store_stats,
                                                gsl_store_children,
                                                NULL};
  static const luaL_Reg *const snapshot_lists[] = {gsl_snapshot_methods, NULL};
  static const luaL_Reg *const cursor_lists[] = {gsl_cursor_methods, NULL};
  static const luaL_Reg *const batch_lists[] = {gsl_batch_methods, NULL};
  lua_settop(L, 0);
  for (int i = 0; i < GSL_UPVALUES; i++) {
    lua_newtable(L);
  }
  fill_metatable(L, GSL_STORE_MT, "grainstore.store", store_lists);
  fill_metatable(L, GSL_SNAPSHOT_MT, "grainstore.snapshot", snapshot_lists);
  fill_metatable(L, GSL_CURSOR_MT, "grainstore.cursor", cursor_lists);
  fill_metatable(L, GSL_BATCH_MT, "grainstore.batch", batch_lists);
  lua_newtable(L);
  set_functions(L, gsl_module_functions);
  lua_pushliteral(L, GS_VERSION_TEXT);
  lua_setfield(L, -2, "version");
  lua_pushinteger(L, GS_FORMAT_NUMBER);
  lua_setfield(L, -2, "format");
  lua_pushvalue(L, GSL_STORE_MT);
  lua_setfield(L, -2, "store_methods");
  return 1;
}
