/*
 * lab: a virtual store as a handle: what a driver does to a store, it does to
 * this one by the same names. lua/grainstore/lab.lua is its user.
 */
#include "lab/lab.h"
#include "gsl_sim.h"

/* The memory is part of the handle: shapes, which hold tables of the lab, keep
 * it alive. */
typedef struct gsl_lab {
  gsl_alloc memory;
  gs_lab *lab; /* NULL: closed */
} gsl_lab;

gs_lab *
gsl_check_lab(lua_State *L)
{
  gsl_lab *box = gsl_check_kind(L, 1, GSL_LAB_MT, "grainstore.virtual");
  luaL_argcheck(L, box->lab != NULL, 1, "the virtual store is closed");
  return box->lab;
}

/* ---- options ------------------------------------------------------------------- */

static double
number_field(lua_State *L, const char *name)
{
  int type = gsl_field(L, 1, name);
  double number = lua_tonumber(L, -1);
  lua_pop(L, 1);
  if (type != LUA_TNIL && type != LUA_TNUMBER) {
    luaL_error(L, "option '%s' takes a number", name);
  }
  return number;
}

static uint64_t
count_field(lua_State *L, const char *name)
{
  double number = number_field(L, name);
  if (!(number >= 0 && number < 9e18)) {
    luaL_error(L, "option '%s' takes a number from 0", name);
  }
  return (uint64_t)number;
}

static uint32_t
small_field(lua_State *L, const char *name)
{
  uint64_t number = count_field(L, name);
  if (number > UINT32_MAX) {
    luaL_error(L, "option '%s' is too large", name);
  }
  return (uint32_t)number;
}

static void
read_workload(lua_State *L, gs_lab_options *o)
{
  static const char *const kinds[] = {"random", "sequence", "queue", NULL};
  o->kind = (gs_lab_kind)gsl_option_choice(L, 1, "kind", kinds, 0);
  o->keys = number_field(L, "keys");
  o->skew = number_field(L, "skew");
  o->writes = number_field(L, "writes");
  o->key_bytes = small_field(L, "key_bytes");
  o->value_bytes = small_field(L, "value_bytes");
  o->ttl_ms = count_field(L, "ttl_ms");
  o->delete_share = number_field(L, "delete_share");
  o->rate = number_field(L, "rate");
  o->is_fed = gsl_option_boolean(L, 1, "is_fed", false);
}

/* The classes of option "classes", into the caller's array. */
static void
read_mix(lua_State *L, gs_lab_options *o, gs_mix_class *classes)
{
  if (gsl_field(L, 1, "classes") == LUA_TTABLE) {
    o->classes = classes;
    o->class_count = gsl_take_classes(L, classes);
  }
  lua_pop(L, 1);
}

static void
read_options(lua_State *L, gs_lab_options *o)
{
  *o = (gs_lab_options){0};
  read_workload(L, o);
  o->memtable_bytes = count_field(L, "memtable_bytes");
  o->table_bytes = count_field(L, "table_bytes");
  o->block_bytes = small_field(L, "block_bytes");
  o->max_stall_ms = count_field(L, "max_stall_ms");
  o->ratio = number_field(L, "ratio");
  o->may_lose = gsl_option_boolean(L, 1, "may_lose", false);
  o->read_bytes_per_s = number_field(L, "read_bytes_per_s");
  o->write_bytes_per_s = number_field(L, "write_bytes_per_s");
  o->disk_bytes = count_field(L, "disk_bytes");
  o->workers = small_field(L, "workers");
  o->has_log = gsl_option_boolean(L, 1, "has_log", true);
  o->asks_at_once = gsl_option_boolean(L, 1, "asks_at_once", false);
  o->start_ms = count_field(L, "start_ms");
  o->seed = count_field(L, "seed");
}

/* core.lab(options) -> virtual store; grainstore.lab knows the names */
int
gsl_new_lab(lua_State *L)
{
  gs_lab_options options;
  gs_mix_class classes[GS_MIX_CLASSES];
  luaL_checktype(L, 1, LUA_TTABLE);
  read_options(L, &options);
  read_mix(L, &options, classes);
  gsl_lab *box = lua_newuserdatauv(L, sizeof *box, 0);
  memset(box, 0, sizeof *box);
  gsl_alloc_init(L, &box->memory);
  lua_pushvalue(L, lua_upvalueindex(GSL_LAB_MT));
  lua_setmetatable(L, -2);
  gs_error err;
  gs_status status = gs_lab_new(&box->memory.base, &options, &box->lab, &err);
  return status == GS_OK ? 1 : gsl_fail(L, status, &err);
}

/* v:close(), __close, __gc */
static int
close_lab(lua_State *L)
{
  gsl_lab *box = gsl_check_kind(L, 1, GSL_LAB_MT, "grainstore.virtual");
  gs_lab *lab = box->lab;
  box->lab = NULL;
  gs_lab_free(lab);
  return 0;
}

/* ---- running ---------------------------------------------------------------------- */

/* v:advance(writes) -> "reached" | "decide" */
static int
advance(lua_State *L)
{
  gs_lab *lab = gsl_check_lab(L);
  double writes = luaL_checknumber(L, 2);
  gs_lab_event event;
  gs_error err;
  gs_status status = gs_lab_advance(lab, writes, &event, &err);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  lua_pushstring(L, event == GS_LAB_DECIDE ? "decide" : "reached");
  return 1;
}

/* v:_shape() -> tree, as store:_shape() */
static int
shape(lua_State *L)
{
  gs_lab *lab = gsl_check_lab(L);
  gs_error err;
  lua_settop(L, 1);
  gsl_shape *box = gsl_new_shape(L, GS_STORE_BYTES, 1);
  gs_status status = gs_lab_shape(lab, &box->shape, &err);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  gsl_push_tree(L, 2);
  return 1;
}

/* v:_plan(plan [, {dry_run=}]) as store:_plan */
static int
submit(lua_State *L)
{
  static const char *const names[] = {"dry_run", NULL};
  gs_lab *lab = gsl_check_lab(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  bool dry_run = gsl_check_options(L, 3, names) &&
                 gsl_option_boolean(L, 3, "dry_run", false);
  luaL_checkstack(L, 12, "too little room for a plan");
  gs_plan plan = {0};
  const char *wrong = gsl_parse_plan(L, GS_STORE_BYTES, &plan);
  if (wrong != NULL) {
    return gsl_push_bad_plan(L, wrong);
  }
  uint64_t job_id = 0;
  gs_refusal refusal;
  gs_error err;
  gs_status status =
      gs_lab_submit(lab, &plan, dry_run, &job_id, &refusal, &err);
  return gsl_push_submitted(L, status, dry_run ? 0 : job_id, &refusal, &err);
}

/* v:_ask(function, ...) -> true, its result | false, what was wrong; within the
 * budget of a policy, as store:_ask */
static int
ask(lua_State *L)
{
  const char *spent;
  gsl_check_lab(L);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  luaL_checkstack(L, 8, "too little room for the policy");
  bool went_well = gsl_call_within_budget(L, lua_gettop(L) - 2, &spent);
  if (!went_well) {
    gsl_settle_problem(L, spent);
  }
  lua_pushboolean(L, went_well);
  lua_insert(L, -2);
  return 2;
}

/* v:_seal() -> true */
static int
seal(lua_State *L)
{
  gs_lab_seal(gsl_check_lab(L));
  lua_pushboolean(L, 1);
  return 1;
}

/* v:_aside(): the engine's own rule decides from now on */
static int
aside(lua_State *L)
{
  gs_lab_set_aside(gsl_check_lab(L));
  return 0;
}

static uint64_t
check_count(lua_State *L, int arg)
{
  lua_Integer count = luaL_optinteger(L, arg, 0);
  luaL_argcheck(L, count >= 0, arg, "an integer from 0 expected");
  return (uint64_t)count;
}

/* v:_throttle(bytes_per_s) */
static int
throttle(lua_State *L)
{
  gs_lab_set_throttle(gsl_check_lab(L), check_count(L, 2));
  return 0;
}

/* v:_flush_ask(more_bytes) */
static int
flush_ask(lua_State *L)
{
  gs_lab_set_flush_ask(gsl_check_lab(L), check_count(L, 2));
  return 0;
}

/* v:_wake(in_ms) */
static int
wake(lua_State *L)
{
  gs_lab_set_wake(gsl_check_lab(L), check_count(L, 2));
  return 0;
}

/* v:_layout(level, table_bytes, block_bytes, compression) */
static int
layout(lua_State *L)
{
  static const char *const names[] = {"none", "lz4", "zstd", NULL};
  gs_lab *lab = gsl_check_lab(L);
  const gs_lab_layout made = {
      .table_bytes = check_count(L, 3),
      .block_bytes = (uint32_t)check_count(L, 4),
      .is_packed = luaL_checkoption(L, 5, "none", names) > 0,
  };
  gs_lab_set_layout(lab, (uint32_t)check_count(L, 2), &made);
  return 0;
}

/* ---- looking ------------------------------------------------------------------------- */

static void
set_number(lua_State *L, const char *name, double value)
{
  lua_pushnumber(L, value);
  lua_setfield(L, -2, name);
}

static void
set_count(lua_State *L, const char *name, uint64_t value)
{
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, name);
}

static void
set_levels(lua_State *L, const gs_lab_sample *s)
{
  lua_createtable(L, (int)s->level_count, 0);
  lua_Integer found = 0;
  for (size_t i = 0; i < s->level_count; i++) {
    const gs_lab_level *level = &s->levels[i];
    if (level->runs == 0) {
      continue;
    }
    lua_createtable(L, 0, 4);
    set_count(L, "level", i);
    set_count(L, "runs", level->runs);
    set_count(L, "tables", level->tables);
    set_count(L, "bytes", level->bytes);
    lua_rawseti(L, -2, ++found);
  }
  lua_setfield(L, -2, "levels");
}

static void
set_state(lua_State *L, const gs_lab_sample *s)
{
  set_number(L, "writes", s->writes);
  set_number(L, "time_s", s->time_s);
  set_number(L, "user_bytes", s->user_bytes);
  set_number(L, "flushed_data", s->flushed_data);
  set_number(L, "flushed_bytes", s->flushed_bytes);
  set_number(L, "merged_bytes", s->merged_bytes);
  set_number(L, "read_bytes", s->read_bytes);
  set_number(L, "live_bytes", s->live_bytes);
  set_number(L, "disk_bytes", s->disk_bytes);
  set_number(L, "debt_bytes", s->debt_bytes);
  set_number(L, "tombstones", s->tombstones);
  set_number(L, "expired", s->expired);
  set_number(L, "read_amp", s->read_amp);
  set_count(L, "runs", s->runs);
  set_count(L, "tables", s->tables);
}

/* v:look() -> plain table of figures; counts and stalls are those so far */
static int
look(lua_State *L)
{
  gs_lab_sample s;
  gs_lab_look(gsl_check_lab(L), &s);
  lua_createtable(L, 0, 28);
  set_state(L, &s);
  set_levels(L, &s);
  set_count(L, "flushes", s.flushes);
  set_count(L, "merges", s.merges);
  set_count(L, "moves", s.moves);
  set_count(L, "drops", s.drops);
  set_count(L, "refused", s.refused);
  set_count(L, "lapsed", s.lapsed);
  set_count(L, "flush_stalls", s.flush_stalls);
  set_count(L, "run_stalls", s.run_stalls);
  set_number(L, "flush_stalled_s", s.flush_stalled_s);
  set_number(L, "run_stalled_s", s.run_stalled_s);
  set_number(L, "longest_stall_s", s.longest_stall_s);
  return 1;
}

const luaL_Reg gsl_lab_methods[] = {
    {"advance", advance},   {"look", look},          {"_shape", shape},
    {"_plan", submit},      {"_ask", ask},           {"_seal", seal},
    {"_aside", aside},      {"_throttle", throttle}, {"_flush_ask", flush_ask},
    {"_wake", wake},        {"_layout", layout},     {"close", close_lab},
    {"__close", close_lab}, {"__gc", close_lab},     {NULL, NULL},
};
