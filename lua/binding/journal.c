/*
 * journal: events as tables.
 *
 * A journal is C memory that has to outlive calls which may raise, so it stands
 * in a userdata with a finaliser; the machine that gave the memory stays open
 * until then.
 */
#include <string.h>

#include "gsl.h"

typedef struct box {
  gs_journal *journal;  /* or NULL */
  gsl_machine *machine; /* entered while is_filled */
  bool is_filled;
} box;

static void
empty_box(box *b)
{
  if (b->is_filled) {
    b->is_filled = false;
    gs_journal_free(b->journal);
    gsl_machine_leave(b->machine);
  }
}

static int
free_box(lua_State *L)
{
  empty_box(lua_touserdata(L, 1));
  return 0;
}

static box *
new_box(lua_State *L)
{
  box *b = lua_newuserdatauv(L, sizeof *b, 0);
  *b = (box){.journal = NULL};
  if (luaL_newmetatable(L, "grainstore.journal")) {
    lua_pushcfunction(L, free_box);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return b;
}

/* ---- fields ------------------------------------------------------------------ */

static void
set_count(lua_State *L, const char *name, uint64_t value)
{
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, name);
}

/* What is not there is absent. */
static void
set_count_if(lua_State *L, const char *name, uint64_t value)
{
  if (value != 0) {
    set_count(L, name, value > LUA_MAXINTEGER ? LUA_MAXINTEGER : value);
  }
}

static void
set_text_if(lua_State *L, const char *name, gs_slice text)
{
  if (text.size > 0) {
    lua_pushlstring(L, (const char *)text.data, text.size);
    lua_setfield(L, -2, name);
  }
}

/* Keys of a u32 store are numbers. */
static void
set_key(lua_State *L, const char *name, gs_slice key, bool is_u32)
{
  gsl_store as = {.kind =
                      is_u32 && key.size == 4 ? GS_STORE_U32 : GS_STORE_BYTES};
  gsl_push_key(L, &as, key);
  lua_setfield(L, -2, name);
}

/* ---- one event ----------------------------------------------------------------- */

static void
push_table(lua_State *L, const gs_table_meta *m, bool is_u32)
{
  lua_createtable(L, 0, 16);
  set_count(L, "id", m->id);
  set_count(L, "bytes", m->file_bytes);
  set_count(L, "data_bytes", m->data_bytes);
  set_count(L, "entries", m->entry_count);
  set_count(L, "keys", m->key_count);
  set_count(L, "tombstones", m->tombstone_count);
  set_count(L, "expiring", m->expiring_count);
  set_count(L, "min_seq", m->min_seq);
  set_count(L, "max_seq", m->max_seq);
  set_count(L, "created_ms", m->created_ms);
  set_count_if(L, "min_expiry_ms", m->min_expiry_ms);
  set_count_if(L, "max_expiry_ms", m->max_expiry_ms);
  set_count_if(L, "oldest_tombstone_ms", m->oldest_tombstone_ms);
  set_key(L, "min_key", m->min_key, is_u32);
  set_key(L, "max_key", m->max_key, is_u32);
}

static void
set_outputs(lua_State *L, const gs_event *e, bool is_u32)
{
  gs_table_meta meta;
  size_t at = 0;
  lua_Integer count = 0;
  lua_newtable(L);
  while (gs_event_output(e, &at, &meta)) {
    push_table(L, &meta, is_u32);
    lua_rawseti(L, -2, ++count);
  }
  lua_setfield(L, -2, "outputs");
  set_count_if(L, "outputs_left_out", e->output_count - (uint64_t)count);
}

static void
set_inputs(lua_State *L, const gs_event *e)
{
  lua_newtable(L);
  for (size_t i = 0; i < gs_event_input_count(e); i++) {
    lua_pushinteger(L, (lua_Integer)gs_event_input(e, i));
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "inputs");
}

static void
set_tree(lua_State *L, const gs_event *e)
{
  lua_newtable(L);
  for (size_t i = 0; i < gs_event_run_count(e); i++) {
    gs_event_run run;
    gs_event_run_at(e, i, &run);
    lua_createtable(L, 0, 5);
    set_count(L, "id", run.id);
    set_count(L, "level", run.level);
    set_count(L, "tables", run.table_count);
    set_count(L, "bytes", run.bytes);
    set_count(L, "entries", run.entry_count);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "tree");
}

/* op, into | above | bottom and level as in the plan. */
static void
set_plan(lua_State *L, const gs_event *e)
{
  static const char *const ops[] = {"merge", "move", "drop"};
  if (!e->has_plan) {
    return;
  }
  if (e->op >= GS_PLAN_MERGE && e->op <= GS_PLAN_DROP) {
    lua_pushstring(L, ops[e->op - GS_PLAN_MERGE]);
    lua_setfield(L, -2, "op");
  }
  if (e->target == GS_TARGET_BOTTOM) {
    lua_pushboolean(L, true);
    lua_setfield(L, -2, "bottom");
  } else if (e->target == GS_TARGET_INTO || e->target == GS_TARGET_ABOVE) {
    set_count(L, e->target == GS_TARGET_INTO ? "into" : "above", e->run_id);
  }
  if (e->level >= 0) {
    set_count(L, "level", (uint64_t)e->level);
  }
}

static void
set_job(lua_State *L, const gs_event *e, bool is_u32)
{
  set_inputs(L, e);
  set_outputs(L, e, is_u32);
  set_count(L, "read_bytes", e->read_bytes);
  set_count(L, "written_bytes", e->written_bytes);
  lua_createtable(L, 0, 3);
  set_count(L, "covered", e->dropped_covered);
  set_count(L, "tombstones", e->dropped_tombstones);
  set_count(L, "expired", e->dropped_expired);
  lua_setfield(L, -2, "dropped");
}

static void
set_recovered(lua_State *L, const gs_event *e)
{
  lua_createtable(L, 0, 3);
  set_count(L, "batches", e->recovered_batches);
  set_count(L, "torn_bytes", e->recovered_torn_bytes);
  set_count(L, "bits", e->recovered_bits);
  lua_setfield(L, -2, "recovered");
}

static void
push_event(lua_State *L, const gs_event *e, bool is_u32)
{
  lua_createtable(L, 0, 20);
  set_count(L, "number", e->number);
  set_count(L, "time_ms", e->time_ms);
  set_count(L, "count", e->count);
  set_count(L, "took_us", e->took_us);
  set_count(L, "longest_us", e->longest_us);
  lua_pushstring(L, gs_event_kind_name(e->kind));
  lua_setfield(L, -2, "kind");
  set_text_if(L, "why", e->why);
  set_text_if(L, "code", e->code);
  set_text_if(L, "message", e->text);
  set_count_if(L, "job", e->job);
  set_plan(L, e);
  set_tree(L, e);
  if (e->kind <= GS_EVENT_DROP) {
    set_job(L, e, is_u32);
  } else if (e->kind == GS_EVENT_REFUSED) {
    set_inputs(L, e);
  } else if (e->kind == GS_EVENT_OPEN) {
    set_recovered(L, e);
  }
}

/* ---- queries ------------------------------------------------------------------- */

/* The bit of the kind whose name is on top, which is popped. */
static uint32_t
take_kind(lua_State *L, int arg)
{
  const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
  uint32_t bit = 0;
  for (uint32_t i = 1; i <= GS_EVENT_KINDS; i++) {
    bool is_it = strcmp(gs_event_kind_name((gs_event_kind)i), name) == 0;
    bit = is_it ? 1U << i : bit;
  }
  if (bit == 0) {
    lua_pushfstring(L, "option 'kinds' has no '%s'",
                    luaL_tolstring(L, -1, NULL));
    luaL_argerror(L, arg, lua_tostring(L, -1));
  }
  lua_pop(L, 1);
  return bit;
}

static uint32_t
take_kinds(lua_State *L, int arg)
{
  uint32_t kinds = 0;
  int type = gsl_field(L, arg, "kinds");
  luaL_argcheck(L, type == LUA_TNIL || type == LUA_TTABLE, arg,
                "option 'kinds' takes an array of names");
  if (type == LUA_TTABLE) {
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    luaL_argcheck(L, count > 0, arg, "option 'kinds' is empty");
    for (lua_Integer i = 1; i <= count; i++) {
      lua_rawgeti(L, -1, i);
      kinds |= take_kind(L, arg);
    }
  }
  lua_pop(L, 1);
  return kinds;
}

static gs_journal_query
take_query(lua_State *L, int arg, bool is_open)
{
  return (gs_journal_query){
      .since = gsl_option_count(L, arg, "since", 0, NULL),
      .limit = (size_t)gsl_option_count(L, arg, "limit", 0, NULL),
      .in_memory = is_open && gsl_option_boolean(L, arg, "in_memory", false),
      .kinds = take_kinds(L, arg),
  };
}

/* Turns the box's journal into an array; what fails in between is collected. */
static int
push_events(lua_State *L, box *b)
{
  bool is_u32 = gs_journal_store_kind(b->journal) == GS_STORE_U32;
  size_t count = gs_journal_count(b->journal);
  luaL_checkstack(L, 12, NULL);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    gs_event event;
    gs_journal_at(b->journal, i, &event);
    push_event(L, &event, is_u32);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  empty_box(b);
  return 1;
}

/* core.journal(path [, {since, limit, kinds, env}]) -> array of events */
int
gsl_read_journal(lua_State *L)
{
  static const char *const names[] = {"since", "limit", "kinds", "env", NULL};
  const char *path = gsl_check_path(L, 1);
  gs_journal_query query = {.since = 0};
  gsl_machine *machine = NULL;
  gs_error err;
  if (gsl_check_options(L, 2, names)) {
    query = take_query(L, 2, false);
    machine = gsl_option_machine(L, 2);
  }
  box *b = new_box(L);
  gs_status status = gs_journal_read_path(gsl_machine_env(machine), path,
                                          &query, &b->journal, &err);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  b->machine = machine;
  b->is_filled = true;
  gsl_machine_enter(machine);
  return push_events(L, b);
}

/* store:_journal([{since, limit, kinds, in_memory}]) -> array of events */
static int
journal(lua_State *L)
{
  static const char *const names[] = {"since", "limit", "kinds", "in_memory",
                                      NULL};
  gsl_store *s = gsl_check_store(L);
  gs_journal_query query = {.since = 0};
  gs_error err;
  if (gsl_check_options(L, 2, names)) {
    query = take_query(L, 2, true);
  }
  box *b = new_box(L);
  gsl_still_open(L, s);
  gs_status status = gs_journal_read(s->store, &query, &b->journal, &err);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  b->machine = s->machine;
  b->is_filled = true;
  gsl_machine_enter(s->machine);
  return push_events(L, b);
}

const luaL_Reg gsl_store_journal[] = {
    {"_journal", journal},
    {NULL, NULL},
};
