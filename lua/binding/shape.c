/*
 * shape: the tree as a policy sees it, made as it is looked at.
 *
 * Model: a shape is a userdata; the tree is a plain table with its figures and
 * its runs. A run's `tables` is a userdata that looks like an array: its
 * elements are made when they are first asked for, and kept, so a policy that
 * asks questions instead of walking pays for what it was answered. Questions
 * are methods of `tables` and of the shape; lua/grainstore/tree.lua asks them.
 *
 * Life: closed after the decision, and with the store; elements that were made
 * stay. All else then raises.
 */
#include <string.h>

#include "gsl.h"

/* What stands in `tables` of a run. */
typedef struct tables_box {
  size_t run;
} tables_box;

/* User values of it. */
enum { TABLES_SHAPE = 1, TABLES_MADE = 2, TABLES_VALUES = 2 };

/* ---- the handle ----------------------------------------------------------------- */

static void
release(gsl_child *child)
{
  gsl_shape *box = (gsl_shape *)child;
  gs_shape_free(box->shape);
  box->shape = NULL;
}

gsl_shape *
gsl_new_shape(lua_State *L, gs_store_kind kind, int owner_arg)
{
  gsl_shape *box = lua_newuserdatauv(L, sizeof *box, 1);
  memset(box, 0, sizeof *box);
  box->child.release = release;
  box->child.tag = &gsl_tags[GSL_SHAPE_MT];
  box->kind = kind;
  lua_pushvalue(L, lua_upvalueindex(GSL_SHAPE_MT));
  lua_setmetatable(L, -2);
  lua_pushvalue(L, owner_arg);
  lua_setiuservalue(L, -2, 1);
  return box;
}

/* The open shape at index. */
static const gsl_shape *
to_shape(lua_State *L, int index)
{
  const gsl_shape *box = lua_touserdata(L, index);
  if (box == NULL || box->shape == NULL) {
    luaL_error(L, "this tree is of a decision that is over");
  }
  return box;
}

static const gsl_shape *
check_shape(lua_State *L)
{
  gsl_check_kind(L, 1, GSL_SHAPE_MT, "grainstore.shape");
  return to_shape(L, 1);
}

/* shape:close(), __close, __gc */
static int
close_shape(lua_State *L)
{
  gsl_shape *box = gsl_check_kind(L, 1, GSL_SHAPE_MT, "grainstore.shape");
  if (box->child.owner != NULL) {
    gsl_close_child(&box->child);
  } else {
    release(&box->child);
  }
  return 0;
}

/* ---- figures ---------------------------------------------------------------------- */

static void
set_count(lua_State *L, const char *name, uint64_t value)
{
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, name);
}

static void
set_number(lua_State *L, const char *name, double value)
{
  lua_pushnumber(L, value);
  lua_setfield(L, -2, name);
}

/* Times that are not there are absent, not 0. */
static void
set_time(lua_State *L, const char *name, uint64_t ms)
{
  if (ms != 0) {
    set_count(L, name, ms > LUA_MAXINTEGER ? LUA_MAXINTEGER : ms);
  }
}

/* The table with these figures, pushed. */
static void
push_element(lua_State *L, const gsl_shape *box, const gs_shape_run *run,
             const gs_shape_table *t)
{
  lua_createtable(L, 0, 17);
  set_count(L, "id", t->id);
  set_count(L, "run", run->id);
  set_count(L, "level", run->level);
  set_count(L, "bytes", t->bytes);
  set_count(L, "entries", t->entry_count);
  set_count(L, "tombstones", t->tombstone_count);
  set_count(L, "expiring", t->expiring_count);
  set_count(L, "min_seq", t->min_seq);
  set_count(L, "max_seq", t->max_seq);
  set_count(L, "created_ms", t->created_ms);
  set_time(L, "min_expiry_ms", t->min_expiry_ms);
  set_time(L, "max_expiry_ms", t->max_expiry_ms);
  set_time(L, "oldest_tombstone_ms", t->oldest_tombstone_ms);
  gsl_push_key_of(L, box->kind, t->min_key);
  lua_setfield(L, -2, "min_key");
  gsl_push_key_of(L, box->kind, t->max_key);
  lua_setfield(L, -2, "max_key");
  lua_pushboolean(L, t->is_busy);
  lua_setfield(L, -2, "busy");
}

/* The userdata that looks like the run's tables, pushed. */
static void
push_tables(lua_State *L, int shape_at, size_t run)
{
  tables_box *box = lua_newuserdatauv(L, sizeof *box, TABLES_VALUES);
  box->run = run;
  lua_pushvalue(L, lua_upvalueindex(GSL_TABLES_MT));
  lua_setmetatable(L, -2);
  lua_pushvalue(L, shape_at);
  lua_setiuservalue(L, -2, TABLES_SHAPE);
  lua_newtable(L);
  lua_setiuservalue(L, -2, TABLES_MADE);
}

static void
push_run(lua_State *L, int shape_at, const gs_shape_run *run, size_t number)
{
  lua_createtable(L, 0, 14);
  set_count(L, "id", run->id);
  set_count(L, "level", run->level);
  set_count(L, "busy", run->busy_count);
  set_count(L, "bytes", run->bytes);
  set_count(L, "entries", run->entry_count);
  set_count(L, "tombstones", run->tombstone_count);
  set_count(L, "expiring", run->expiring_count);
  set_count(L, "largest_bytes", run->largest_bytes);
  set_count(L, "begun_ms", run->begun_ms);
  set_count(L, "written_ms", run->written_ms);
  set_time(L, "oldest_tombstone_ms", run->oldest_tombstone_ms);
  set_time(L, "dead_at_ms", run->dead_at_ms);
  push_tables(L, shape_at, number);
  lua_setfield(L, -2, "tables");
}

static void
push_memtable(lua_State *L, const gs_shape_memtable *m)
{
  lua_createtable(L, 0, 6);
  set_count(L, "bytes", m->bytes);
  set_count(L, "entries", m->entry_count);
  set_count(L, "tombstones", m->tombstone_count);
  set_count(L, "age_ms", m->age_ms);
  set_count(L, "budget_bytes", m->budget_bytes);
  set_count(L, "sealed", m->sealed_count);
}

static void
set_facts(lua_State *L, const gs_shape *shape)
{
  set_count(L, "version", shape->version);
  set_count(L, "now_ms", shape->now_ms);
  set_count(L, "running", shape->running_count);
  lua_pushstring(L, shape->reason);
  lua_setfield(L, -2, "reason");
  push_memtable(L, &shape->memtable);
  lua_setfield(L, -2, "memtable");
  lua_createtable(L, 0, 1);
  set_count(L, "bytes", shape->wal_bytes);
  lua_setfield(L, -2, "wal");
  lua_createtable(L, 0, 2);
  set_count(L, "free_bytes", shape->disk_free_bytes);
  set_count(L, "used_bytes", shape->disk_used_bytes);
  lua_setfield(L, -2, "disk");
  lua_createtable(L, 0, 3);
  set_number(L, "write", shape->write_amp);
  set_number(L, "space", shape->space_amp);
  set_number(L, "read", shape->read_amp);
  lua_setfield(L, -2, "amp");
  lua_createtable(L, 0, 3);
  set_number(L, "user", shape->user_rate);
  set_number(L, "flushed", shape->flush_rate);
  set_number(L, "merged", shape->merge_rate);
  lua_setfield(L, -2, "rates");
  if (shape->oldest_view_seq != 0) {
    lua_createtable(L, 0, 2);
    set_count(L, "seq", shape->oldest_view_seq);
    set_count(L, "age_ms", shape->oldest_view_age_ms);
    lua_setfield(L, -2, "oldest_view");
  }
}

void
gsl_push_tree(lua_State *L, int shape_at)
{
  luaL_checkstack(L, 8, "too little room for a tree");
  lua_newtable(L);
  set_facts(L, to_shape(L, shape_at)->shape);
  lua_pushvalue(L, shape_at);
  lua_setfield(L, -2, "shape");
  size_t count = to_shape(L, shape_at)->shape->run_count;
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    push_run(L, shape_at, &to_shape(L, shape_at)->shape->runs[i], i);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "runs");
}

/* store:_shape([looks]) -> plain table of the tree; lua/grainstore/tree.lua gives
 * it its methods. looks: not for a decision */
static int
shape_of_store(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  gs_error err;
  bool looks = lua_toboolean(L, 2) != 0;
  lua_settop(L, 1);
  gsl_shape *box = gsl_new_shape(L, s->kind, 1);
  gsl_still_open(L, s);
  gs_status status = looks ? gs_shape_look(s->store, &box->shape, &err)
                           : gs_shape_new(s->store, &box->shape, &err);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  gsl_adopt(s, &box->child);
  gsl_push_tree(L, 2);
  return 1;
}

/* ---- a run's tables ------------------------------------------------------------------ */

/* The run behind the tables at index 1; the shape's userdata is pushed. */
static const gs_shape_run *
check_tables(lua_State *L, const gsl_shape **box)
{
  const tables_box *tables =
      gsl_check_kind(L, 1, GSL_TABLES_MT, "grainstore.tables");
  lua_getiuservalue(L, 1, TABLES_SHAPE);
  *box = to_shape(L, -1);
  return &(*box)->shape->runs[tables->run];
}

static size_t
run_number(const gsl_shape *box, const gs_shape_run *run)
{
  return (size_t)(run - box->shape->runs);
}

/* tables[i]: made once */
static int
element(lua_State *L, size_t index)
{
  lua_getiuservalue(L, 1, TABLES_MADE);
  if (lua_rawgeti(L, -1, (lua_Integer)index) != LUA_TNIL) {
    return 1;
  }
  const gsl_shape *box;
  const gs_shape_run *run = check_tables(L, &box);
  if (index == 0 || index > run->table_count) {
    return 0;
  }
  gs_shape_table t;
  gs_shape_table_at(box->shape, run_number(box, run), index - 1, &t);
  push_element(L, box, run, &t);
  lua_pushvalue(L, -1);
  lua_rawseti(L, 3, (lua_Integer)index);
  return 1;
}

/* tables[i], or a method. */
static int
tables_index(lua_State *L)
{
  int is_integer = 0;
  gsl_check_kind(L, 1, GSL_TABLES_MT, "grainstore.tables");
  lua_settop(L, 2);
  lua_Integer index = lua_tointegerx(L, 2, &is_integer);
  if (is_integer && lua_type(L, 2) == LUA_TNUMBER) {
    return index < 1 ? 0 : element(L, (size_t)index);
  }
  lua_rawget(L, lua_upvalueindex(GSL_TABLES_MT));
  return 1;
}

static int
tables_length(lua_State *L)
{
  const gsl_shape *box;
  lua_pushinteger(L, (lua_Integer)check_tables(L, &box)->table_count);
  return 1;
}

static int
tables_next(lua_State *L)
{
  lua_Integer index = luaL_optinteger(L, 2, 0) + 1;
  lua_pushinteger(L, index);
  return lua_geti(L, 1, index) == LUA_TNIL ? 1 : 2;
}

static int
tables_pairs(lua_State *L)
{
  gsl_check_kind(L, 1, GSL_TABLES_MT, "grainstore.tables");
  gsl_push_closure(L, tables_next);
  lua_pushvalue(L, 1);
  lua_pushinteger(L, 0);
  return 3;
}

static int
tables_newindex(lua_State *L)
{
  return luaL_error(L, "the tables of a tree cannot be changed");
}

/* A bound of a range at arg; NULL for nil. */
static const gs_slice *
check_bound(lua_State *L, const gsl_shape *box, int arg, uint8_t bytes[4],
            gs_slice *slice)
{
  if (lua_isnoneornil(L, arg)) {
    return NULL;
  }
  luaL_argcheck(L, gsl_to_key_of(L, box->kind, arg, bytes, slice), arg,
                "a key expected");
  return slice;
}

/* tables:overlap(from, to) -> first, last; none: last < first */
static int
overlap(lua_State *L)
{
  const gsl_shape *box;
  const gs_shape_run *run = check_tables(L, &box);
  uint8_t room[2][4];
  gs_slice from;
  gs_slice to;
  const gs_slice *low = check_bound(L, box, 2, room[0], &from);
  const gs_slice *high = check_bound(L, box, 3, room[1], &to);
  size_t end;
  size_t first =
      gs_shape_overlap(box->shape, run_number(box, run), low, high, &end);
  lua_pushinteger(L, (lua_Integer)first + 1);
  lua_pushinteger(L, (lua_Integer)end);
  return 2;
}

/* The integers of the array at arg, in userdata that is pushed; nil: none. */
static uint64_t *
check_ids(lua_State *L, int arg, size_t *count)
{
  *count = 0;
  if (lua_isnoneornil(L, arg)) {
    lua_pushnil(L);
    return NULL;
  }
  luaL_checktype(L, arg, LUA_TTABLE);
  *count = (size_t)lua_rawlen(L, arg);
  luaL_argcheck(L, *count <= GSL_LIST_MAX, arg, "too long a list");
  uint64_t *ids = lua_newuserdatauv(L, (*count + 1) * sizeof *ids, 0);
  for (size_t i = 0; i < *count; i++) {
    lua_rawgeti(L, arg, (lua_Integer)i + 1);
    ids[i] = (uint64_t)luaL_checkinteger(L, -1);
    lua_pop(L, 1);
  }
  return ids;
}

/* tables:cheapest(below | nil, taken ids, rising) -> index | nil. below: tables
 * of another run of the same tree. */
static int
cheapest(lua_State *L)
{
  size_t below = SIZE_MAX;
  if (!lua_isnoneornil(L, 2)) {
    const tables_box *box =
        gsl_check_kind(L, 2, GSL_TABLES_MT, "grainstore.tables");
    below = box->run;
  }
  size_t count;
  lua_settop(L, 3);
  const uint64_t *taken = check_ids(L, 3, &count);
  const gsl_shape *box;
  const gs_shape_run *run = check_tables(L, &box);
  luaL_argcheck(L, below == SIZE_MAX || below < box->shape->run_count, 2,
                "a run of the same tree expected");
  size_t index;
  if (!gs_shape_cheapest(box->shape, run_number(box, run), below, taken, count,
                         &index)) {
    return 0;
  }
  lua_pushinteger(L, (lua_Integer)index + 1);
  return 1;
}

/* tables:ids(out) -> out, with the ids appended */
static int
ids(lua_State *L)
{
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  const gsl_shape *box;
  const gs_shape_run *run = check_tables(L, &box);
  lua_Integer used = (lua_Integer)lua_rawlen(L, 2);
  for (size_t i = 0; i < run->table_count; i++) {
    gs_shape_table t;
    gs_shape_table_at(box->shape, run_number(box, run), i, &t);
    lua_pushinteger(L, (lua_Integer)t.id);
    lua_rawseti(L, 2, used + (lua_Integer)i + 1);
  }
  lua_pushvalue(L, 2);
  return 1;
}

/* The times a table can be looked up by. */
static const struct {
  const char *name;
  size_t offset;
} times[] = {
    {"created_ms", offsetof(gs_shape_table, created_ms)},
    {"min_expiry_ms", offsetof(gs_shape_table, min_expiry_ms)},
    {"max_expiry_ms", offsetof(gs_shape_table, max_expiry_ms)},
    {"oldest_tombstone_ms", offsetof(gs_shape_table, oldest_tombstone_ms)},
};

static size_t
check_time(lua_State *L, int arg)
{
  const char *name = luaL_checkstring(L, arg);
  for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
    if (strcmp(times[i].name, name) == 0) {
      return times[i].offset;
    }
  }
  return (size_t)luaL_argerror(L, arg, "no time of a table has that name");
}

/* tables:not_after(name, ms) -> indices of the tables whose time of that name is
 * there and not after ms */
static int
not_after(lua_State *L)
{
  size_t offset = check_time(L, 2);
  lua_Integer ms = luaL_checkinteger(L, 3);
  const gsl_shape *box;
  const gs_shape_run *run = check_tables(L, &box);
  lua_Integer found = 0;
  lua_newtable(L);
  for (size_t i = 0; ms > 0 && i < run->table_count; i++) {
    gs_shape_table t;
    uint64_t time_ms;
    gs_shape_table_at(box->shape, run_number(box, run), i, &t);
    memcpy(&time_ms, (const char *)&t + offset, sizeof time_ms);
    if (time_ms != 0 && time_ms <= (uint64_t)ms) {
      lua_pushinteger(L, (lua_Integer)i + 1);
      lua_rawseti(L, -2, ++found);
    }
  }
  return 1;
}

/* tables:cuts(least_bytes) -> keys at which a table begins and before which at
 * least so many bytes stand since the last one */
static int
cuts(lua_State *L)
{
  lua_Integer least = luaL_checkinteger(L, 2);
  const gsl_shape *box;
  const gs_shape_run *run = check_tables(L, &box);
  lua_Integer found = 0;
  uint64_t bytes = 0;
  lua_newtable(L);
  for (size_t i = 0; i < run->table_count; i++) {
    gs_shape_table t;
    gs_shape_table_at(box->shape, run_number(box, run), i, &t);
    if (i > 0 && (least <= 0 || bytes >= (uint64_t)least)) {
      gsl_push_key_of(L, box->kind, t.min_key);
      lua_rawseti(L, -2, ++found);
      bytes = 0;
    }
    bytes += t.bytes;
  }
  return 1;
}

/* ---- the whole tree ---------------------------------------------------------------------- */

/* shape:find(id) -> number of the run, index of the table | nil */
static int
find(lua_State *L)
{
  const gsl_shape *box = check_shape(L);
  size_t run;
  size_t index;
  if (!gs_shape_find_table(box->shape, (uint64_t)luaL_checkinteger(L, 2), &run,
                           &index)) {
    return 0;
  }
  lua_pushinteger(L, (lua_Integer)run + 1);
  lua_pushinteger(L, (lua_Integer)index + 1);
  return 2;
}

/* shape:is_busy(ids) -> whether a job has one of them in hand */
static int
is_busy(lua_State *L)
{
  size_t count;
  lua_settop(L, 2);
  const uint64_t *wanted = check_ids(L, 2, &count);
  const gsl_shape *box = check_shape(L);
  bool found = false;
  for (size_t i = 0; i < count; i++) {
    found = found || gs_shape_is_busy(box->shape, wanted[i]);
  }
  lua_pushboolean(L, found);
  return 1;
}

static size_t
check_run(lua_State *L, const gsl_shape *box, int arg)
{
  lua_Integer number = luaL_checkinteger(L, arg);
  luaL_argcheck(L, number >= 1 && (size_t)number <= box->shape->run_count, arg,
                "the number of a run expected");
  return (size_t)number - 1;
}

/* shape:close_range(first run, last run, min, max) -> min, max */
static int
close_range(lua_State *L)
{
  const gsl_shape *box = check_shape(L);
  size_t first = check_run(L, box, 2);
  size_t last = check_run(L, box, 3);
  uint8_t room[2][4];
  gs_slice min;
  gs_slice max;
  luaL_argcheck(L, check_bound(L, box, 4, room[0], &min) != NULL, 4,
                "a key expected");
  luaL_argcheck(L, check_bound(L, box, 5, room[1], &max) != NULL, 5,
                "a key expected");
  gs_shape_close_range(box->shape, first, last, &min, &max);
  gsl_push_key_of(L, box->kind, min);
  gsl_push_key_of(L, box->kind, max);
  return 2;
}

const luaL_Reg gsl_store_shape[] = {
    {"_shape", shape_of_store},
    {NULL, NULL},
};

const luaL_Reg gsl_shape_methods[] = {
    {"find", find},
    {"is_busy", is_busy},
    {"close_range", close_range},
    {"close", close_shape},
    {"__close", close_shape},
    {"__gc", close_shape},
    {NULL, NULL},
};

const luaL_Reg gsl_tables_methods[] = {
    {"overlap", overlap},
    {"cheapest", cheapest},
    {"ids", ids},
    {"not_after", not_after},
    {"cuts", cuts},
    {"__len", tables_length},
    {"__pairs", tables_pairs},
    {"__newindex", tables_newindex},
    {"__index", tables_index},
    {NULL, NULL},
};
