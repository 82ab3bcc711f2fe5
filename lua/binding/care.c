/*
 * care: looking into directories, verifying and repairing them, and copying an
 * open store. Reports become tables.
 *
 * A report is C memory that has to outlive calls which may raise, so it stands
 * in a userdata with a finaliser; the machine that gave the memory stays open
 * until then. The progress function is called in protected
 * mode, from inside the engine but with none of its locks held; what it raises
 * ends the work, and is raised again when the engine has cleaned up.
 */
#include <stdlib.h>
#include <string.h>

#include "gsl.h"

/* ---- telling how far it is ---------------------------------------------------------- */

enum { TELL_FUNCTION = 3, TELL_ERROR = 4 }; /* stack places of verify, repair */

typedef struct telling {
  lua_State *L;
  bool has_failed;
} telling;

/* One word to the caller. */
typedef struct word {
  uint64_t done_bytes;
  uint64_t total_bytes;
  const char *file;
} word;

/* function, word -> function(done, total, file) */
static int
speak(lua_State *L)
{
  const word *w = lua_touserdata(L, 2);
  lua_settop(L, 1);
  lua_pushinteger(L, (lua_Integer)w->done_bytes);
  lua_pushinteger(L, (lua_Integer)w->total_bytes);
  lua_pushstring(L, w->file);
  lua_call(L, 3, 0);
  return 0;
}

static gs_status
tell(void *context, uint64_t done_bytes, uint64_t total_bytes, const char *file,
     gs_error *err)
{
  telling *t = context;
  word w = {done_bytes, total_bytes, file};
  lua_pushcfunction(t->L, speak);
  lua_pushvalue(t->L, TELL_FUNCTION);
  lua_pushlightuserdata(t->L, &w);
  if (lua_pcall(t->L, 2, 0, 0) == LUA_OK) {
    return GS_OK;
  }
  lua_replace(t->L, TELL_ERROR);
  t->has_failed = true;
  return gs_error_make(err, GS_CLOSED, __FILE__, __LINE__,
                       "the progress function failed");
}

/* Puts the function of option "progress" at TELL_FUNCTION. */
static bool
take_progress(lua_State *L, int arg)
{
  bool is_given = false;
  if (!lua_isnoneornil(L, arg)) {
    int type = gsl_field(L, arg, "progress");
    luaL_argcheck(L, type == LUA_TNIL || type == LUA_TFUNCTION, arg,
                  "option 'progress' takes a function");
    is_given = type == LUA_TFUNCTION;
    lua_replace(L, TELL_FUNCTION);
  }
  luaL_checkstack(L, 16, NULL);
  return is_given;
}

/* ---- fields --------------------------------------------------------------------------- */

static void
set_count(lua_State *L, const char *name, uint64_t value)
{
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, name);
}

static void
set_text(lua_State *L, const char *name, const char *text)
{
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

static void
set_boolean(lua_State *L, const char *name, bool value)
{
  lua_pushboolean(L, value);
  lua_setfield(L, -2, name);
}

static void
set_kind(lua_State *L, uint32_t kind)
{
  if (kind != GS_STORE_ANY) {
    set_text(L, "kind", kind == GS_STORE_U32 ? "u32" : "bytes");
  }
}

/* ---- reports ---------------------------------------------------------------------------- */

typedef struct box {
  gs_repair_report report; /* of a verification only its part `found` is used */
  gsl_machine *machine;    /* entered while is_filled */
  bool is_filled;
} box;

static void
empty_box(box *b)
{
  if (b->is_filled) {
    b->is_filled = false;
    gs_repair_report_deinit(&b->report);
    gsl_machine_leave(b->machine);
  }
}

static int
free_box(lua_State *L)
{
  empty_box(lua_touserdata(L, 1));
  return 0;
}

/* From here on until it is emptied the machine is held. */
static void
fill_box(box *b, gsl_machine *machine)
{
  b->machine = machine;
  gsl_machine_enter(machine);
}

static box *
new_box(lua_State *L)
{
  box *b = lua_newuserdatauv(L, sizeof *b, 1);
  b->is_filled = false;
  if (luaL_newmetatable(L, "grainstore.report")) {
    lua_pushcfunction(L, free_box);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return b;
}

static void
push_file(lua_State *L, const gs_file_report *file)
{
  lua_createtable(L, 0, 7);
  set_text(L, "name", file->name);
  set_text(L, "kind", file->kind);
  set_text(L, "state", gs_file_state_name(file->state));
  set_count(L, "bytes", file->bytes);
  set_count(L, "entries", file->entries);
  if (file->problem[0] != '\0') {
    set_text(L, "problem", file->problem);
  }
  if (file->has_offset) {
    set_count(L, "offset", file->offset);
  }
}

static void
push_verified(lua_State *L, const gs_verify_report *report)
{
  lua_createtable(L, 0, 7);
  set_kind(L, report->kind);
  set_count(L, "bytes", report->bytes);
  set_count(L, "entries", report->entries);
  set_count(L, "seq", report->last_seq);
  set_count(L, "problems", report->problem_count);
  set_count(L, "torn", report->torn_count);
  lua_createtable(L, (int)report->file_count, 0);
  for (size_t i = 0; i < report->file_count; i++) {
    push_file(L, &report->files[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "files");
}

/* A bound of keys as the store's kind writes them; of numbers, a key with a zero
 * byte behind it is the next number. */
static void
set_bound(lua_State *L, const char *name, uint32_t kind, gs_slice key)
{
  if (kind != GS_STORE_U32) {
    lua_pushlstring(L, (const char *)key.data, key.size);
  } else {
    lua_Integer number = 0;
    for (size_t i = 0; i < 4; i++) {
      number = number << 8 | (i < key.size ? key.data[i] : 0);
    }
    lua_pushinteger(L, number + (key.size > 4));
  }
  lua_setfield(L, -2, name);
}

static void
push_loss(lua_State *L, uint32_t kind, const gs_loss *loss)
{
  bool has_keys = loss->cause == GS_LOST_BLOCK || loss->cause == GS_LOST_TABLE;
  lua_createtable(L, 0, 8);
  set_text(L, "cause", gs_loss_cause_name(loss->cause));
  if (loss->name[0] != '\0') {
    set_text(L, "file", loss->name);
    set_count(L, "offset", loss->offset);
    set_count(L, "bytes", loss->bytes);
  }
  if (has_keys) {
    set_bound(L, "from", kind, loss->from);
  }
  if (has_keys && loss->has_to) {
    set_bound(L, "to", kind, loss->to);
  }
  if (loss->first_seq != 0) {
    set_count(L, "first_seq", loss->first_seq);
  }
  if (loss->last_seq != UINT64_MAX) {
    set_count(L, "last_seq", loss->last_seq);
  }
  set_count(L, "uncertain_keys", loss->uncertain_keys);
}

/* lost: all losses; uncertain: those that put saved keys in doubt. */
static void
set_losses(lua_State *L, const gs_repair_report *report)
{
  lua_Integer uncertain = 0;
  lua_createtable(L, (int)report->loss_count, 0);
  lua_newtable(L);
  for (size_t i = 0; i < report->loss_count; i++) {
    push_loss(L, report->kind, &report->losses[i]);
    if (report->losses[i].uncertain_keys > 0) {
      lua_pushvalue(L, -1);
      lua_rawseti(L, -3, ++uncertain);
    }
    lua_rawseti(L, -3, (lua_Integer)i + 1);
  }
  lua_setfield(L, -3, "uncertain");
  lua_setfield(L, -2, "lost");
}

static void
push_repaired(lua_State *L, const gs_repair_report *report)
{
  lua_createtable(L, 0, 20);
  set_kind(L, report->kind);
  set_boolean(L, "manifest", report->has_manifest);
  set_count(L, "tables_read", report->tables_read);
  set_count(L, "tables_lost", report->tables_lost);
  set_count(L, "blocks_read", report->blocks_read);
  set_count(L, "blocks_lost", report->blocks_lost);
  set_count(L, "writes_read", report->writes_read);
  set_count(L, "bits_fixed", report->bits_fixed);
  set_count(L, "seqs_lost", report->seqs_lost);
  set_count(L, "entries_found", report->entries_found);
  set_count(L, "entries_saved", report->entries_saved);
  set_count(L, "entries_covered", report->entries_covered);
  set_count(L, "entries_doubled", report->entries_doubled);
  set_count(L, "entries_deleted", report->entries_deleted);
  set_count(L, "uncertain_keys", report->uncertain_keys);
  set_count(L, "seq", report->last_seq);
  set_losses(L, report);
  push_verified(L, &report->found);
  lua_setfield(L, -2, "found");
}

/* ---- verify, repair --------------------------------------------------------------------- */

/* Arguments path, options; then the places of telling, a box with the machine. */
static box *
begin(lua_State *L, const char *const *names, const char **path,
      gsl_machine **machine, bool *has_progress)
{
  *path = gsl_check_path(L, 1);
  lua_settop(L, 2);
  lua_settop(L, TELL_ERROR);
  bool has_options = gsl_check_options(L, 2, names);
  *has_progress = take_progress(L, 2);
  box *b = new_box(L);
  *machine = has_options ? gsl_option_machine(L, 2) : NULL;
  if (!has_options) {
    lua_pushnil(L);
  }
  lua_setiuservalue(L, -2, 1);
  return b;
}

/* core.verify(path [, {deep=, progress=, env=}]) -> report */
int
gsl_verify(lua_State *L)
{
  static const char *const names[] = {"deep", "progress", "env", NULL};
  const char *path;
  gsl_machine *machine;
  bool has_progress;
  box *b = begin(L, names, &path, &machine, &has_progress);
  telling t = {.L = L};
  gs_verify_options options = {
      .is_shallow = !lua_isnil(L, 2) && !gsl_option_boolean(L, 2, "deep", true),
      .progress = has_progress ? tell : NULL,
      .context = &t,
  };
  gs_error err;
  fill_box(b, machine);
  b->report = (gs_repair_report){.kind = 0};
  gs_status status = gs_verify_path(gsl_machine_env(machine), path, &options,
                                    &b->report.found, &err);
  b->is_filled = true;
  if (t.has_failed) {
    empty_box(b);
    lua_settop(L, TELL_ERROR);
    return lua_error(L);
  }
  push_verified(L, &b->report.found);
  empty_box(b);
  if (status == GS_OK) {
    return 1;
  }
  int results = gsl_fail(L, status, &err);
  lua_pushvalue(L, -results - 1);
  lua_setfield(L, -2, "report");
  return results;
}

static uint32_t
take_kind(lua_State *L, int arg)
{
  static const char *const kinds[] = {"any", "bytes", "u32", NULL};
  return (uint32_t)gsl_option_choice(L, arg, "kind", kinds, 0);
}

/* Where to; the string stays in the table. */
static const char *
take_into(lua_State *L, int arg)
{
  int type = gsl_field(L, arg, "into");
  const char *into =
      type == LUA_TSTRING ? gsl_to_path(L, arg, lua_gettop(L)) : NULL;
  bool is_dry = gsl_option_boolean(L, arg, "dry_run", false);
  luaL_argcheck(L, type == LUA_TNIL || type == LUA_TSTRING, arg,
                "option 'into' takes a path");
  luaL_argcheck(L, (into != NULL) != is_dry, arg,
                "give either into = a directory or dry_run = true");
  lua_pop(L, 1);
  return into;
}

/* core.repair(path, {into= | dry_run=true, kind=, progress=, env=}) -> report */
int
gsl_repair(lua_State *L)
{
  static const char *const names[] = {"into",     "dry_run", "kind",
                                      "progress", "env",     NULL};
  const char *path;
  gsl_machine *machine;
  bool has_progress;
  box *b = begin(L, names, &path, &machine, &has_progress);
  luaL_checktype(L, 2, LUA_TTABLE);
  telling t = {.L = L};
  gs_repair_options options = {
      .into = take_into(L, 2),
      .kind = take_kind(L, 2),
      .progress = has_progress ? tell : NULL,
      .context = &t,
  };
  gs_error err;
  fill_box(b, machine);
  gs_status status =
      gs_repair(gsl_machine_env(machine), path, &options, &b->report, &err);
  b->is_filled = true;
  if (t.has_failed) {
    empty_box(b);
    lua_settop(L, TELL_ERROR);
    return lua_error(L);
  }
  if (status != GS_OK) {
    empty_box(b);
    return gsl_fail(L, status, &err);
  }
  push_repaired(L, &b->report);
  empty_box(b);
  return 1;
}

/* ---- info --------------------------------------------------------------------------------- */

/* "pid program" as {pid=, program=} */
static void
set_owner(lua_State *L, const char *owner)
{
  char *rest = NULL;
  unsigned long long pid = strtoull(owner, &rest, 10);
  lua_createtable(L, 0, 2);
  if (pid > 0) {
    set_count(L, "pid", pid);
    set_text(L, "program", rest[0] == ' ' ? rest + 1 : rest);
  }
  lua_setfield(L, -2, "owner");
}

/* core.info(path [, {env=}]) -> {kind=, format=, tables=, runs=, entries=, bytes=,
 * table_bytes=, log_bytes=, seq=, flushed_seq=, clean= [, owner=]} */
int
gsl_info(lua_State *L)
{
  static const char *const names[] = {"env", NULL};
  const char *path = gsl_check_path(L, 1);
  gsl_machine *machine =
      gsl_check_options(L, 2, names) ? gsl_option_machine(L, 2) : NULL;
  gs_info found;
  gs_error err;
  gs_status status = gs_inspect(gsl_machine_env(machine), path, &found, &err);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  lua_createtable(L, 0, 12);
  set_kind(L, found.kind);
  set_count(L, "format", found.format);
  set_count(L, "tables", found.table_count);
  set_count(L, "runs", found.run_count);
  set_count(L, "entries", found.entry_count);
  set_count(L, "bytes", found.all_bytes);
  set_count(L, "table_bytes", found.table_bytes);
  set_count(L, "log_bytes", found.log_bytes);
  set_count(L, "seq", found.last_seq);
  set_count(L, "flushed_seq", found.flushed_seq);
  set_boolean(L, "clean", found.is_clean);
  if (found.is_open) {
    set_owner(L, found.owner);
  }
  return 1;
}

/* ---- checkpoint ------------------------------------------------------------------------------ */

/* store:checkpoint(into) -> the last sequence number in it */
static int
checkpoint(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  const char *into = gsl_check_path(L, 2);
  uint64_t seq = 0;
  gs_error err;
  gs_status status = gs_checkpoint(s->store, into, &seq, &err);
  gsl_safe_point(L, s, 1);
  if (status != GS_OK) {
    return gsl_fail(L, status, &err);
  }
  lua_pushinteger(L, (lua_Integer)seq);
  return 1;
}

const luaL_Reg gsl_store_care[] = {
    {"checkpoint", checkpoint},
    {NULL, NULL},
};
