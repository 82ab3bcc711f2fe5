/*
 * args: from Lua values to slices and options, with errors that help.
 */
#include <math.h>
#include <string.h>

#include "gsl.h"

/* ---- keys and values ------------------------------------------------------------ */

/* The number at the index, if it is one of a u32 store. Strings that look like
 * numbers are none. */
static bool
to_u32(lua_State *L, int index, uint32_t *out)
{
  int is_integer = 0;
  lua_Integer number = lua_tointegerx(L, index, &is_integer);
  *out = (uint32_t)number;
  return lua_type(L, index) == LUA_TNUMBER && is_integer && number >= 0 &&
         number <= 0xFFFFFFFF;
}

static uint32_t
check_u32(lua_State *L, int arg)
{
  uint32_t number;
  if (!to_u32(L, arg, &number)) {
    const char *got = lua_type(L, arg) == LUA_TNUMBER
                          ? luaL_tolstring(L, arg, NULL)
                          : luaL_typename(L, arg);
    luaL_argerror(L, arg, lua_pushfstring(L, "u32 expected, got %s", got));
  }
  return number;
}

static void
refuse_bytes(lua_State *L, int arg, const char *what)
{
  const char *hint = lua_type(L, arg) != LUA_TNUMBER ? ""
                     : what[0] == 'k' ? "; see grainstore.keys for numbers"
                                      : "; see tostring and string.pack";
  luaL_argerror(L, arg,
                lua_pushfstring(L, "%s must be a string, got %s%s", what,
                                luaL_typename(L, arg), hint));
}

/* A view of the string there; false for another value, also for a number. */
static inline bool
to_bytes(lua_State *L, int index, gs_slice *out)
{
  size_t size = 0;
  bool is_string = lua_type(L, index) == LUA_TSTRING;
  const char *data = is_string ? lua_tolstring(L, index, &size) : "";
  *out = gs_slice_of(data, size);
  return is_string;
}

gs_slice
gsl_check_key(lua_State *L, const gsl_store *s, int arg, uint8_t bytes[4])
{
  gs_slice key;
  if (s->kind == GS_STORE_U32) {
    return gs_key_from_u32(check_u32(L, arg), bytes);
  }
  if (!to_bytes(L, arg, &key)) {
    refuse_bytes(L, arg, "key");
  }
  return key;
}

bool
gsl_to_key_of(lua_State *L, gs_store_kind kind, int index, uint8_t bytes[4],
              gs_slice *out)
{
  uint32_t number;
  if (kind == GS_STORE_U32) {
    bool is_number = to_u32(L, index, &number);
    *out = gs_key_from_u32(number, bytes);
    return is_number;
  }
  return to_bytes(L, index, out);
}

bool
gsl_to_key(lua_State *L, const gsl_store *s, int index, uint8_t bytes[4],
           gs_slice *out)
{
  return gsl_to_key_of(L, s->kind, index, bytes, out);
}

gs_slice
gsl_check_value(lua_State *L, const gsl_store *s, int arg, uint8_t bytes[4])
{
  gs_slice value;
  if (s->kind == GS_STORE_U32) {
    return gs_value_from_u32(check_u32(L, arg), bytes);
  }
  if (!to_bytes(L, arg, &value)) {
    refuse_bytes(L, arg, "value");
  }
  return value;
}

static void
push_bytes(lua_State *L, gs_slice slice)
{
  lua_pushlstring(L, slice.data == NULL ? "" : (const char *)slice.data,
                  slice.size);
}

void
gsl_push_key_of(lua_State *L, gs_store_kind kind, gs_slice key)
{
  if (kind != GS_STORE_U32) {
    push_bytes(L, key);
    return;
  }
  const uint8_t *b = key.data;
  lua_pushinteger(L, ((lua_Integer)b[0] << 24) | ((lua_Integer)b[1] << 16) |
                         ((lua_Integer)b[2] << 8) | (lua_Integer)b[3]);
}

void
gsl_push_key(lua_State *L, const gsl_store *s, gs_slice key)
{
  gsl_push_key_of(L, s->kind, key);
}

void
gsl_push_value(lua_State *L, const gsl_store *s, gs_slice value)
{
  if (s->kind != GS_STORE_U32) {
    push_bytes(L, value);
    return;
  }
  const uint8_t *b = value.data;
  lua_pushinteger(L, ((lua_Integer)b[3] << 24) | ((lua_Integer)b[2] << 16) |
                         ((lua_Integer)b[1] << 8) | (lua_Integer)b[0]);
}

int
gsl_field(lua_State *L, int arg, const char *name)
{
  lua_pushstring(L, name);
  return lua_rawget(L, arg);
}

/* ---- paths ------------------------------------------------------------------------ */

const char *
gsl_check_path(lua_State *L, int arg)
{
  luaL_checktype(L, arg, LUA_TSTRING); /* a number is no name of a place */
  return gsl_to_path(L, arg, arg);
}

const char *
gsl_to_path(lua_State *L, int arg, int index)
{
  size_t size = 0;
  const char *path = lua_tolstring(L, index, &size);
  luaL_argcheck(L, strlen(path) == size, arg, "a path has no zero byte");
  luaL_argcheck(L, size > 0, arg, "the path is empty");
  return path;
}

/* ---- option tables --------------------------------------------------------------- */

enum { NAME_MAX_BYTES = 32 };

/* Levenshtein's distance between short names. */
static size_t
distance(const char *a, const char *b)
{
  size_t row[NAME_MAX_BYTES + 1];
  size_t width = strlen(b);
  for (size_t j = 0; j <= width; j++) {
    row[j] = j;
  }
  for (size_t i = 0; a[i] != '\0'; i++) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < width; j++) {
      size_t change = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      size_t insert = row[j] + 1;
      size_t remove = diagonal + 1;
      size_t least = insert < remove ? insert : remove;
      row[j + 1] = change < least ? change : least;
    }
  }
  return row[width];
}

static const char *
suggest(const char *name, const char *const *names)
{
  const char *best = NULL;
  size_t best_distance = 4; /* farther names are no help */
  for (size_t i = 0; strlen(name) <= NAME_MAX_BYTES && names[i] != NULL; i++) {
    size_t d = distance(name, names[i]);
    if (d < best_distance) {
      best_distance = d;
      best = names[i];
    }
  }
  return best;
}

static void
check_name(lua_State *L, int arg, const char *const *names)
{
  if (lua_type(L, -2) != LUA_TSTRING) {
    luaL_argerror(L, arg,
                  lua_pushfstring(L, "option names are strings, got a %s",
                                  luaL_typename(L, -2)));
  }
  const char *name = lua_tostring(L, -2);
  for (size_t i = 0; names[i] != NULL; i++) {
    if (strcmp(names[i], name) == 0) {
      return;
    }
  }
  const char *near = suggest(name, names);
  luaL_argerror(L, arg,
                near == NULL ? lua_pushfstring(L, "unknown option '%s'", name)
                             : lua_pushfstring(
                                   L, "unknown option '%s', did you mean '%s'?",
                                   name, near));
}

bool
gsl_check_options(lua_State *L, int arg, const char *const *names)
{
  if (lua_isnoneornil(L, arg)) {
    return false;
  }
  luaL_checktype(L, arg, LUA_TTABLE);
  lua_pushnil(L);
  while (lua_next(L, arg) != 0) {
    check_name(L, arg, names);
    lua_pop(L, 1);
  }
  return true;
}

static void
wrong_option(lua_State *L, int arg, const char *name, const char *expected)
{
  luaL_argerror(L, arg,
                lua_pushfstring(L, "option '%s' takes %s, got %s", name,
                                expected, luaL_tolstring(L, -1, NULL)));
}

bool
gsl_option_boolean(lua_State *L, int arg, const char *name, bool otherwise)
{
  int type = gsl_field(L, arg, name);
  if (type != LUA_TNIL && type != LUA_TBOOLEAN) {
    wrong_option(L, arg, name, "a boolean");
  }
  bool value = type == LUA_TNIL ? otherwise : lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  return value;
}

uint64_t
gsl_option_count(lua_State *L, int arg, const char *name, uint64_t otherwise,
                 bool *is_given)
{
  int type = gsl_field(L, arg, name);
  int is_integer = 0;
  lua_Integer number = lua_tointegerx(L, -1, &is_integer);
  if (type != LUA_TNIL && (type != LUA_TNUMBER || !is_integer || number < 0)) {
    wrong_option(L, arg, name, "an integer from 0");
  }
  lua_pop(L, 1);
  if (is_given != NULL) {
    *is_given = type != LUA_TNIL;
  }
  return type == LUA_TNIL ? otherwise : (uint64_t)number;
}

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

int
gsl_option_choice(lua_State *L, int arg, const char *name,
                  const char *const *choices, int otherwise)
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

gs_write_options
gsl_write_options(lua_State *L, int arg)
{
  static const char *const names[] = {"ttl_ms", "expires_at_ms", "sync", NULL};
  gs_write_options options = {0};
  if (!gsl_check_options(L, arg, names)) {
    return options;
  }
  options.ttl_ms = gsl_option_count(L, arg, "ttl_ms", 0, &options.has_ttl);
  options.expires_at_ms = gsl_option_count(L, arg, "expires_at_ms", 0, NULL);
  options.sync = gsl_option_boolean(L, arg, "sync", false);
  return options;
}

const gs_snapshot *
gsl_option_snapshot(lua_State *L, const gsl_store *s, int arg)
{
  const gs_snapshot *snapshot = NULL;
  if (gsl_field(L, arg, "snapshot") != LUA_TNIL) {
    int at = lua_gettop(L);
    gsl_snapshot *box =
        gsl_check_kind(L, at, GSL_SNAPSHOT_MT, "grainstore.snapshot");
    if (box->child.owner != s) {
      luaL_argerror(L, arg,
                    box->child.owner == NULL
                        ? "the snapshot is closed"
                        : "the snapshot belongs to another store");
    }
    snapshot = box->snapshot;
  }
  lua_pop(L, 1);
  return snapshot;
}

/* ---- ranges ----------------------------------------------------------------------- */

/* The key in a field; false when it is absent. The value stays in the table. */
static bool
bound(lua_State *L, const gsl_store *s, int arg, const char *name,
      uint8_t bytes[4], gs_slice *out)
{
  bool is_given = gsl_field(L, arg, name) != LUA_TNIL;
  if (is_given && !gsl_to_key(L, s, -1, bytes, out)) {
    wrong_option(L, arg, name, s->kind == GS_STORE_U32 ? "a u32" : "a string");
  }
  lua_pop(L, 1);
  return is_given;
}

/* Pushes the end of the prefix's range and keeps it on the stack. */
static void
prefix_range(lua_State *L, gs_slice prefix, gs_range *out)
{
  size_t size = prefix.size;
  while (size > 0 && prefix.data[size - 1] == 0xFF) {
    size--;
  }
  uint8_t *end = lua_newuserdatauv(L, size + 1, 0);
  *out = (gs_range){.from = prefix, .has_to = size > 0};
  if (size > 0) {
    memcpy(end, prefix.data, size);
    end[size - 1]++;
    out->to = gs_slice_of(end, size);
  }
}

void
gsl_check_range(lua_State *L, const gsl_store *s, int arg, gsl_range *out)
{
  memset(out, 0, sizeof *out);
  lua_pushnil(L); /* place of the prefix's end */
  if (lua_isnoneornil(L, arg)) {
    return;
  }
  gs_slice prefix;
  gs_range *range = &out->range;
  bool has_prefix = s->kind == GS_STORE_BYTES &&
                    bound(L, s, arg, "prefix", out->from, &prefix);
  if (s->kind == GS_STORE_U32) {
    if (gsl_field(L, arg, "prefix") != LUA_TNIL) {
      luaL_argerror(L, arg, "option 'prefix' is for bytes stores");
    }
    lua_pop(L, 1);
  }
  bool has_from = bound(L, s, arg, "from", out->from, &range->from);
  range->has_to = bound(L, s, arg, "to", out->to, &range->to);
  if (has_prefix && (has_from || range->has_to)) {
    luaL_argerror(L, arg, "give prefix, or from and to, not both");
  }
  if (has_prefix) {
    prefix_range(L, prefix, range);
    lua_replace(L, -2);
  }
}
