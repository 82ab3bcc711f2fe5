/*
 * work: flushing, syncing, merging by hand, and options of an open store.
 */
#include "gsl.h"

static int
answer(lua_State *L, gsl_store *s, gs_status status, const gs_error *err)
{
  gsl_safe_point(L, s, 1);
  if (status != GS_OK) {
    return gsl_fail(L, status, err);
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* store:flush() -> true */
static int
flush(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  gs_error err;
  gs_status status = gs_flush(s->store, &err);
  return answer(L, s, status, &err);
}

/* store:sync() -> true */
static int
sync_store(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  gs_error err;
  gs_status status = gs_sync(s->store, &err);
  return answer(L, s, status, &err);
}

/* store:resume() -> true */
static int
resume(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  gs_error err;
  gs_status status = gs_resume(s->store, &err);
  return answer(L, s, status, &err);
}

/* store:trust_clock() -> true */
static int
trust_clock(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  gs_error err;
  gs_status status = gs_trust_clock(s->store, &err);
  return answer(L, s, status, &err);
}

/* store:compact([{from=, to=, prefix=}]) -> true */
static int
compact(lua_State *L)
{
  static const char *const names[] = {"from", "to", "prefix", NULL};
  gsl_store *s = gsl_check_store(L);
  gsl_range range;
  bool has_range = gsl_check_options(L, 2, names);
  gsl_check_range(L, s, 2, &range);
  gs_error err;
  gsl_still_open(L, s);
  gs_status status =
      gs_compact(s->store, has_range ? &range.range : NULL, &err);
  return answer(L, s, status, &err);
}

/* store:attach(path) -> entries taken in */
static int
attach(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  const char *path = gsl_check_path(L, 2);
  uint64_t entries = 0;
  gs_error err;
  gs_status status = gs_attach(s->store, path, &entries, &err);
  gsl_safe_point(L, s, 1);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  lua_pushinteger(L, (lua_Integer)entries);
  return 1;
}

/* store:verify() -> true */
static int
verify(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  gs_error err;
  gs_status status = gs_verify(s->store, &err);
  return answer(L, s, status, &err);
}

/* Milliseconds to microseconds; a negative or endless budget is none. */
static uint64_t
check_budget(lua_State *L, int arg)
{
  lua_Number budget_ms = luaL_optnumber(L, arg, -1);
  luaL_argcheck(L, budget_ms == budget_ms, arg, "a budget is a number");
  return budget_ms < 0 || budget_ms > 1e12 ? UINT64_MAX
                                           : (uint64_t)(budget_ms * 1000);
}

/* store:step([budget_ms]) -> whether more is due: work, or a decision, or work
 * that the decision at the end may have begun */
static int
step(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  uint64_t budget_us = check_budget(L, 2);
  bool more = false;
  gs_error err;
  gsl_safe_point(L, s, 1);
  gsl_still_open(L, s);
  gs_status status = gs_step(s->store, budget_us, &more, &err);
  more = more || gsl_is_asked(s);
  gsl_safe_point(L, s, 1);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  lua_pushboolean(L, more);
  return 1;
}

/* store:seq() -> last visible sequence number */
static int
seq(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)gs_last_seq(gsl_check_store(L)->store));
  return 1;
}

/* store:durable_seq() -> last sequence number on the device */
static int
durable_seq(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)gs_durable_seq(gsl_check_store(L)->store));
  return 1;
}

static uint64_t
number_of_option(lua_State *L, const char *name)
{
  int is_integer;
  lua_Integer value = lua_tointegerx(L, 3, &is_integer);
  if (!is_integer || value < 0) {
    const char *got = lua_type(L, 3) == LUA_TNUMBER ? luaL_tolstring(L, 3, NULL)
                                                    : luaL_typename(L, 3);
    luaL_argerror(L, 3,
                  lua_pushfstring(L,
                                  "option '%s' takes an integer from 0, got %s",
                                  name, got));
  }
  return (uint64_t)value;
}

/* store:set(name, value): options that may change while open */
static int
set(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  const char *name = luaL_checkstring(L, 2);
  bool can_change = gs_can_set_option(s->store, name);
  uint64_t value = can_change ? number_of_option(L, name) : 0;
  gs_error err;
  gs_status status = gs_set_option(s->store, name, value, &err);
  return answer(L, s, status, &err);
}

static const char *
durability_name(gs_durability durability)
{
  switch (durability) {
  case GS_DURABILITY_SYNC:
    return "sync";
  case GS_DURABILITY_BATCH:
    return "batch";
  case GS_DURABILITY_OS:
    return "os";
  case GS_DURABILITY_MEMORY:
    return "memory";
  }
  return "unknown";
}

static const char *
compression_name(gs_compression compression)
{
  switch (compression) {
  case GS_COMPRESSION_NONE:
    return "none";
  case GS_COMPRESSION_LZ4:
    return "lz4";
  case GS_COMPRESSION_ZSTD:
    return "zstd";
  }
  return "unknown";
}

static void
set_count(lua_State *L, const char *name, uint64_t value)
{
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, name);
}

static void
set_flag(lua_State *L, const char *name, bool value)
{
  lua_pushboolean(L, value);
  lua_setfield(L, -2, name);
}

static void
set_word(lua_State *L, const char *name, const char *value)
{
  lua_pushstring(L, value);
  lua_setfield(L, -2, name);
}

/* store:options() -> table of the values in force: all options of open but
 * those that are objects, policy, env and clock */
static int
options(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  gs_options o;
  gs_get_options(s->store, &o);
  lua_newtable(L);
  set_flag(L, "create", o.create);
  set_flag(L, "must_create", o.must_create);
  set_flag(L, "readonly", o.readonly);
  set_flag(L, "degraded", o.degraded);
  set_flag(L, "lossy", o.may_lose);
  set_flag(L, "track_leaks", s->tracks);
  set_word(L, "salvage", o.salvage == GS_SALVAGE_PREFIX ? "prefix" : "none");
  set_word(L, "durability", durability_name(o.durability));
  set_word(L, "compression", compression_name(o.compression));
  set_word(L, "on_stall", o.fail_on_stall ? "fail" : "wait");
  set_count(L, "seed", o.seed);
  set_count(L, "wal_batch_ms", o.wal_batch_ms);
  set_count(L, "wal_batch_bytes", o.wal_batch_bytes);
  set_count(L, "memory_bytes", o.memory_bytes);
  set_count(L, "memtable_bytes", o.memtable_bytes);
  set_count(L, "max_wal_bytes", o.max_wal_bytes);
  set_count(L, "table_bytes", o.table_bytes);
  set_count(L, "block_bytes", o.block_bytes);
  set_count(L, "threads", o.threads);
  set_count(L, "default_ttl_ms", o.default_ttl_ms);
  set_count(L, "max_stall_ms", o.max_stall_ms);
  set_count(L, "disk_reserve_bytes", o.disk_reserve_bytes);
  set_count(L, "journal_bytes", o.journal_bytes);
  return 1;
}

const luaL_Reg gsl_store_work[] = {
    {"flush", flush},     {"sync", sync_store},
    {"resume", resume},   {"trust_clock", trust_clock},
    {"compact", compact}, {"attach", attach},
    {"verify", verify},   {"step", step},
    {"seq", seq},         {"durable_seq", durable_seq},
    {"set", set},         {"options", options},
    {NULL, NULL},
};
