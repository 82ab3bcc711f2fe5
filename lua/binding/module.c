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
    NUMBER(disk_reserve_bytes), NUMBER(journal_bytes),
};

static const char *const open_names[] = {
    "create",
    "must_create",
    "readonly",
    "degraded",
    "salvage",
    "durability",
    "wal_batch_ms",
    "wal_batch_bytes",
    "memory_bytes",
    "memtable_bytes",
    "max_wal_bytes",
    "table_bytes",
    "block_bytes",
    "compression",
    "threads",
    "default_ttl_ms",
    "max_stall_ms",
    "on_stall",
    "seed",
    "disk_reserve_bytes",
    "policy",
    "env",
    "clock",
    "track_leaks",
    "lossy",
    "journal_bytes",
    NULL,
};

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
  static const char *const salvages[] = {"none", "prefix", NULL};
  static const char *const compressions[] = {"none", "lz4", "zstd", NULL};
  if (!gsl_check_options(L, arg, open_names)) {
    return;
  }
  options->create = gsl_option_boolean(L, arg, "create", true);
  options->must_create = gsl_option_boolean(L, arg, "must_create", false);
  options->readonly = gsl_option_boolean(L, arg, "readonly", false);
  options->degraded = gsl_option_boolean(L, arg, "degraded", false);
  options->may_lose = gsl_option_boolean(L, arg, "lossy", false);
  options->salvage =
      (gs_salvage)gsl_option_choice(L, arg, "salvage", salvages, 0);
  options->durability =
      (gs_durability)(1 +
                      gsl_option_choice(L, arg, "durability", durabilities, 1));
  options->compression =
      (gs_compression)(1 + gsl_option_choice(L, arg, "compression",
                                             compressions, 0));
  options->fail_on_stall =
      gsl_option_choice(L, arg, "on_stall", stalls, 0) == 1;
  read_numbers(L, arg, options);
}

/* core.open(path, options, kind, has_policy) -> store | nil, message, code,
 * detail. kind: "any", "bytes", "u32". */
int
gsl_open(lua_State *L)
{
  static const char *const kinds[] = {"any", "bytes", "u32", NULL};
  const char *path = gsl_check_path(L, 1);
  gs_options options;
  gs_options_init(&options);
  options.kind = (gs_store_kind)luaL_checkoption(L, 3, "any", kinds);
  read_options(L, 2, &options);
  options.has_policy = lua_toboolean(L, 4) != 0;
  gsl_store *s = lua_newuserdatauv(L, sizeof *s, GSL_STORE_VALUES);
  memset(s, 0, sizeof *s);
  s->tag = &gsl_tags[GSL_STORE_MT];
  lua_pushvalue(L, lua_upvalueindex(GSL_STORE_MT));
  lua_setmetatable(L, -2);
  s->tracks =
      lua_istable(L, 2) && gsl_option_boolean(L, 2, "track_leaks", false);
  gsl_machine *machine = gsl_option_machine(L, 2);
  lua_setiuservalue(L, -2, GSL_STORE_MACHINE);
  options.env = gsl_machine_env(machine);
  options.threads = gsl_machine_threads(machine, options.threads);
  gs_error err;
  gs_status status = gs_open(path, &options, &s->store, &err);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  s->machine = machine;
  gsl_machine_enter(machine);
  s->kind = gs_get_kind(s->store);
  gs_value_init(&s->value, s->store);
  gsl_many_init(&s->many, gs_get_alloc(s->store));
  return 1;
}

/* ---- directories ------------------------------------------------------------------ */

/* The machine that the option table at 2 names, where there may be no other
 * option. */
static struct gs_env *
check_env_only(lua_State *L)
{
  static const char *const names[] = {"env", NULL};
  return gsl_check_options(L, 2, names)
             ? gsl_machine_env(gsl_option_machine(L, 2))
             : NULL;
}

/* core.destroy(path [, {env=}]) -> true */
static int
destroy(lua_State *L)
{
  const char *path = gsl_check_path(L, 1);
  gs_error err;
  gs_status status = gs_destroy(check_env_only(L), path, &err);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* ---- the module -------------------------------------------------------------------- */

const luaL_Reg gsl_module_functions[] = {
    {"open", gsl_open},           {"info", gsl_info},
    {"destroy", destroy},         {"env", gsl_new_env},
    {"clock", gsl_new_clock},     {"verify", gsl_verify},
    {"repair", gsl_repair},       {"journal", gsl_read_journal},
    {"lab", gsl_new_lab},         {"fit", gsl_fit},
    {"private", gsl_new_private}, {NULL, NULL},
};

/* Functions with the metatables as upvalues, into the table on top. The
 * metatables stand at the bottom of the stack. */
static void
set_functions(lua_State *L, const luaL_Reg *functions)
{
  luaL_checkstack(L, GSL_UPVALUES + 4, "too little room for a module");
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

/* Methods in a table of their own: who has the handle cannot reach what the
 * collector calls. */
static void
hide_metamethods(lua_State *L, int at, const luaL_Reg *functions)
{
  lua_pushvalue(L, at);
  lua_newtable(L);
  for (const luaL_Reg *f = functions; f->name != NULL; f++) {
    if (strncmp(f->name, "__", 2) != 0) {
      lua_getfield(L, -2, f->name);
      lua_setfield(L, -2, f->name);
    }
  }
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

/* The names of open's options, as a list, into the table on top. */
static void
set_open_options(lua_State *L)
{
  lua_newtable(L);
  for (int i = 0; open_names[i] != NULL; i++) {
    lua_pushstring(L, open_names[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "open_options");
}

/* The upvalues have to stand at the bottom of the stack. */
static int
make_borrowed(lua_State *L)
{
  static const luaL_Reg *const store_lists[] = {gsl_store_tree, gsl_store_drive,
                                                gsl_store_shape, NULL};
  static const luaL_Reg *const shape_lists[] = {gsl_shape_methods, NULL};
  static const luaL_Reg *const tables_lists[] = {gsl_tables_methods, NULL};
  lua_settop(L, 0);
  for (int i = 0; i < GSL_UPVALUES; i++) {
    lua_newtable(L);
  }
  fill_metatable(L, GSL_STORE_MT, "grainstore.store", store_lists);
  fill_metatable(L, GSL_SHAPE_MT, "grainstore.shape", shape_lists);
  hide_metamethods(L, GSL_SHAPE_MT, gsl_shape_methods);
  fill_metatable(L, GSL_TABLES_MT, "grainstore.tables", tables_lists);
  gsl_store *s = lua_newuserdatauv(L, sizeof *s, GSL_STORE_VALUES);
  memset(s, 0, sizeof *s);
  s->tag = &gsl_tags[GSL_STORE_MT];
  lua_pushvalue(L, GSL_STORE_MT);
  lua_setmetatable(L, -2);
  return 1;
}

gsl_store *
gsl_push_borrowed(lua_State *L)
{
  lua_pushcfunction(L, make_borrowed);
  lua_call(L, 0, 1);
  return lua_touserdata(L, -1);
}

EXPORT int luaopen_grainstore_core(lua_State *L);

EXPORT int
luaopen_grainstore_core(lua_State *L)
{
  static const luaL_Reg *const store_lists[] = {
      gsl_store_methods,  gsl_store_many,
      gsl_store_work,     gsl_store_tree,
      gsl_store_drive,    gsl_store_watch,
      gsl_store_start,    gsl_store_shape,
      gsl_store_stats,    gsl_store_care,
      gsl_store_journal,  gsl_store_handles,
      gsl_store_children, NULL};
  static const luaL_Reg *const snapshot_lists[] = {gsl_snapshot_methods, NULL};
  static const luaL_Reg *const cursor_lists[] = {gsl_cursor_methods, NULL};
  static const luaL_Reg *const batch_lists[] = {gsl_batch_methods, NULL};
  static const luaL_Reg *const env_lists[] = {
      gsl_env_methods, gsl_env_faults, gsl_env_files, gsl_env_crashes,
      gsl_env_tasks,   gsl_env_watch,  NULL};
  static const luaL_Reg *const clock_lists[] = {gsl_clock_methods, NULL};
  static const luaL_Reg *const job_lists[] = {gsl_job_methods, NULL};
  static const luaL_Reg *const shape_lists[] = {gsl_shape_methods, NULL};
  static const luaL_Reg *const tables_lists[] = {gsl_tables_methods, NULL};
  static const luaL_Reg *const lab_lists[] = {gsl_lab_methods, gsl_lab_feed,
                                              NULL};
  static const luaL_Reg *const private_lists[] = {gsl_private_methods, NULL};
  lua_settop(L, 0);
  for (int i = 0; i < GSL_UPVALUES; i++) {
    lua_newtable(L);
  }
  fill_metatable(L, GSL_STORE_MT, "grainstore.store", store_lists);
  fill_metatable(L, GSL_SNAPSHOT_MT, "grainstore.snapshot", snapshot_lists);
  fill_metatable(L, GSL_CURSOR_MT, "grainstore.cursor", cursor_lists);
  fill_metatable(L, GSL_BATCH_MT, "grainstore.batch", batch_lists);
  fill_metatable(L, GSL_ENV_MT, "grainstore.env", env_lists);
  fill_metatable(L, GSL_CLOCK_MT, "grainstore.clock", clock_lists);
  fill_metatable(L, GSL_JOB_MT, "grainstore.job", job_lists);
  fill_metatable(L, GSL_SHAPE_MT, "grainstore.shape", shape_lists);
  hide_metamethods(L, GSL_SHAPE_MT, gsl_shape_methods);
  fill_metatable(L, GSL_TABLES_MT, "grainstore.tables", tables_lists);
  fill_metatable(L, GSL_LAB_MT, "grainstore.virtual", lab_lists);
  fill_metatable(L, GSL_PRIVATE_MT, "grainstore.private", private_lists);
  lua_newtable(L);
  set_functions(L, gsl_module_functions);
  lua_pushliteral(L, GS_VERSION_TEXT);
  lua_setfield(L, -2, "version");
  lua_pushinteger(L, GS_FORMAT_NUMBER);
  lua_setfield(L, -2, "format");
  lua_pushvalue(L, GSL_STORE_MT);
  lua_setfield(L, -2, "store_methods");
  lua_pushvalue(L, GSL_ENV_MT);
  lua_setfield(L, -2, "env_methods");
  set_open_options(L);
  return 1;
}
