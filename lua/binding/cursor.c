/*
 * cursor: walking a range by hand, and loops.
 *
 * A loop is a cursor too: its iterator function has the cursor as its state,
 * and the cursor is the loop's closing value, so that leaving the loop early
 * releases the view.
 */
#include "gsl.h"

static void
release(gsl_child *child)
{
  gsl_cursor *box = (gsl_cursor *)child;
  gs_scan_free(box->scan);
  box->scan = NULL;
}

/* Stack: options at 2. Pushes the cursor; returns NULL after pushing a failure
 * (4 values). */
static gsl_cursor *
make(lua_State *L, gsl_store *s, const gs_snapshot *snapshot, int store_arg,
     gs_status *status, gs_error *err)
{
  gsl_range range;
  gsl_cursor *box =
      gsl_new_child(L, sizeof *box, GSL_CURSOR_MT, store_arg, release);
  int at = lua_gettop(L);
  box->left = -1;
  if (!lua_isnoneornil(L, 2)) {
    const gs_snapshot *given = gsl_option_snapshot(L, s, 2);
    snapshot = given != NULL ? given : snapshot;
    box->is_reverse = gsl_option_boolean(L, 2, "reverse", false);
    box->keys_only = gsl_option_boolean(L, 2, "keys_only", false);
    bool has_limit = false;
    uint64_t limit = gsl_option_count(L, 2, "limit", 0, &has_limit);
    box->left = has_limit ? (lua_Integer)limit : -1;
  }
  gsl_check_range(L, s, 2, &range);
  gsl_still_open(L, s);
  *status = gs_scan_new(s->store, snapshot, &range.range, &box->scan, err);
  lua_settop(L, at);
  if (*status == GS_OK) {
    gsl_adopt(s, &box->child);
  }
  return box;
}

static const char *const cursor_names[] = {"from", "to", "prefix", "snapshot",
                                           NULL};
static const char *const scan_names[] = {
    "from", "to", "prefix", "reverse", "limit", "keys_only", "snapshot", NULL};

/* store:cursor([{from=, to=, prefix=, snapshot=}]) -> cursor */
int
gsl_new_cursor(lua_State *L, gsl_store *s, const gs_snapshot *snapshot,
               int store_arg)
{
  gs_status status = GS_OK;
  gs_error err;
  gsl_check_options(L, 2, cursor_names);
  make(L, s, snapshot, store_arg, &status, &err);
  return status == GS_OK ? 1 : gsl_fail(L, status, &err);
}

static gsl_cursor *
check(lua_State *L)
{
  return (gsl_cursor *)gsl_check_child(L, GSL_CURSOR_MT, "grainstore.cursor");
}

/* Making a string may run a finaliser, which may close the cursor or move it:
 * what would be read next is of another entry, or of none. */
static void
still_there(lua_State *L, const gsl_cursor *box, uint64_t moves)
{
  gsl_still_open(L, box->child.owner);
  if (box->moves != moves) {
    luaL_error(L, "a finaliser moved the cursor while its entry was read");
  }
}

static int
push_entry(lua_State *L, const gsl_cursor *box)
{
  const gsl_store *s = box->child.owner;
  uint64_t moves = box->moves;
  gsl_push_key(L, s, gs_scan_key(box->scan));
  if (box->keys_only) {
    return 1;
  }
  still_there(L, box, moves);
  gsl_push_value(L, s, gs_scan_value(box->scan));
  return 2;
}

/* key, value | nil | nil, message, code, detail */
static int
answer(lua_State *L, gsl_cursor *box, gs_status status, const gs_error *err)
{
  box->has_begun = true;
  if (status == GS_ABSENT) {
    lua_pushnil(L);
    return 1;
  }
  return status == GS_OK ? push_entry(L, box) : gsl_fail(L, status, err);
}

static int
first(lua_State *L)
{
  gsl_cursor *box = check(L);
  gs_error err;
  box->moves++;
  gs_status status = gs_scan_first(box->scan, &err);
  return answer(L, box, status, &err);
}

static int
last(lua_State *L)
{
  gsl_cursor *box = check(L);
  gs_error err;
  box->moves++;
  gs_status status = gs_scan_last(box->scan, &err);
  return answer(L, box, status, &err);
}

/* next of a fresh cursor is first, prev is last. */
static gs_status
step(gsl_cursor *box, bool forward, gs_error *err)
{
  box->moves++;
  if (!box->has_begun) {
    box->has_begun = true;
    return forward ? gs_scan_first(box->scan, err)
                   : gs_scan_last(box->scan, err);
  }
  return forward ? gs_scan_next(box->scan, err) : gs_scan_prev(box->scan, err);
}

static int
next(lua_State *L)
{
  gsl_cursor *box = check(L);
  gs_error err;
  gs_status status = step(box, true, &err);
  return answer(L, box, status, &err);
}

static int
prev(lua_State *L)
{
  gsl_cursor *box = check(L);
  gs_error err;
  gs_status status = step(box, false, &err);
  return answer(L, box, status, &err);
}

/* cursor:seek(key): first entry at or after the key */
static int
seek(lua_State *L)
{
  gsl_cursor *box = check(L);
  uint8_t bytes[4];
  gs_slice key = gsl_check_key(L, box->child.owner, 2, bytes);
  gs_error err;
  box->moves++;
  gs_status status = gs_scan_seek(box->scan, key, &err);
  return answer(L, box, status, &err);
}

/* cursor:fill(keys, values, n) -> entries filled: the next n entries into two
 * arrays; values may be nil. The position after the last filled one is kept. */
static int
fill(lua_State *L)
{
  gsl_cursor *box = check(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  bool with_values = !lua_isnil(L, 3);
  if (with_values) {
    luaL_checktype(L, 3, LUA_TTABLE);
  }
  lua_Integer wanted = luaL_checkinteger(L, 4);
  lua_Integer filled = 0;
  gs_status status = GS_OK;
  gs_error err;
  while (filled < wanted) {
    status = step(box, true, &err);
    if (status != GS_OK) {
      break;
    }
    filled++;
    uint64_t moves = box->moves;
    gsl_push_key(L, box->child.owner, gs_scan_key(box->scan));
    lua_rawseti(L, 2, filled);
    still_there(L, box, moves);
    if (with_values) {
      gsl_push_value(L, box->child.owner, gs_scan_value(box->scan));
      lua_rawseti(L, 3, filled);
      still_there(L, box, moves);
    }
  }
  if (status != GS_OK && status != GS_ABSENT) {
    return gsl_fail(L, status, &err);
  }
  lua_pushinteger(L, filled);
  return 1;
}

/* cursor:close(), __close, __gc */
static int
close_cursor(lua_State *L)
{
  gsl_close_child(gsl_check_kind(L, 1, GSL_CURSOR_MT, "grainstore.cursor"));
  return 0;
}

static int
cursor_tostring(lua_State *L)
{
  gsl_cursor *box = gsl_check_kind(L, 1, GSL_CURSOR_MT, "grainstore.cursor");
  lua_pushstring(L, box->scan == NULL ? "grainstore.cursor (closed)"
                                      : "grainstore.cursor");
  return 1;
}

/* ---- loops -------------------------------------------------------------------------- */

/* The iterator of a loop: the cursor is its state. At the end and after an
 * error of the store the cursor closes itself. */
static int
iterate(lua_State *L)
{
  gsl_cursor *box = gsl_check_kind(L, 1, GSL_CURSOR_MT, "grainstore.cursor");
  if (box->child.owner == NULL) {
    return luaL_error(L, "the loop's store or cursor was closed");
  }
  gs_error err;
  gs_status status =
      box->left == 0 ? GS_ABSENT : step(box, !box->is_reverse, &err);
  if (status == GS_OK) {
    box->left -= box->left > 0;
    return push_entry(L, box);
  }
  gsl_close_child(&box->child);
  if (status != GS_ABSENT) {
    return gsl_raise(L, status, &err);
  }
  lua_pushnil(L);
  return 1;
}

/* store:scan([options]) -> iterator, cursor, nil, cursor */
int
gsl_new_scan(lua_State *L, gsl_store *s, const gs_snapshot *snapshot,
             int store_arg)
{
  gs_status status = GS_OK;
  gs_error err;
  gsl_check_options(L, 2, scan_names);
  make(L, s, snapshot, store_arg, &status, &err);
  if (status != GS_OK) {
    return gsl_raise(L, status, &err);
  }
  for (int i = 1; i <= GSL_UPVALUES; i++) {
    lua_pushvalue(L, lua_upvalueindex(i));
  }
  lua_pushcclosure(L, iterate, GSL_UPVALUES);
  lua_insert(L, -2);
  lua_pushnil(L);
  lua_pushvalue(L, -2);
  return 4;
}

/* ---- on stores ------------------------------------------------------------------------ */

static int
store_cursor(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  return gsl_new_cursor(L, s, NULL, 1);
}

static int
store_scan(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  return gsl_new_scan(L, s, NULL, 1);
}

const luaL_Reg gsl_store_children[] = {
    {"cursor", store_cursor},
    {"scan", store_scan},
    {"snapshot", gsl_new_snapshot},
    {"batch", gsl_new_batch},
    {NULL, NULL},
};

const luaL_Reg gsl_cursor_methods[] = {
    {"first", first},
    {"last", last},
    {"next", next},
    {"prev", prev},
    {"seek", seek},
    {"fill", fill},
    {"close", close_cursor},
    {"__gc", close_cursor},
    {"__close", close_cursor},
    {"__tostring", cursor_tostring},
    {NULL, NULL},
};
