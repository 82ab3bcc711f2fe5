/*
 * handle: checking, making and closing userdata, the safe point, and the list of
 * what is open.
 */
#include <string.h>

#include "gsl.h"

const char gsl_tags[GSL_UPVALUES + 1];

/* The userdata at index 1, if it is of that size at least and begins with the
 * tag of that upvalue's kind. */
static void *
tagged(lua_State *L, int upvalue, size_t size)
{
  void *block = lua_touserdata(L, 1);
  if (block == NULL || (size_t)lua_rawlen(L, 1) < size) {
    return NULL;
  }
  const char *tag;
  memcpy(&tag, block, sizeof tag);
  return tag == &gsl_tags[upvalue] ? block : NULL;
}

void *
gsl_test_kind(lua_State *L, int index, int upvalue)
{
  void *block = lua_touserdata(L, index);
  if (block != NULL && lua_getmetatable(L, index)) {
    bool is_kind = lua_rawequal(L, -1, lua_upvalueindex(upvalue));
    lua_pop(L, 1);
    return is_kind ? block : NULL;
  }
  return NULL;
}

void *
gsl_check_kind(lua_State *L, int arg, int upvalue, const char *name)
{
  void *block = gsl_test_kind(L, arg, upvalue);
  if (block == NULL) {
    luaL_typeerror(L, arg, name);
  }
  return block;
}

/* A policy decides by what it is shown, and by nothing else. */
static void
check_not_asking(lua_State *L, const gsl_store *s)
{
  if (s->is_asking) {
    luaL_error(L, "a policy cannot use the store that it decides for");
  }
}

gsl_store *
gsl_check_store(lua_State *L)
{
  gsl_store *s = tagged(L, GSL_STORE_MT, sizeof *s);
  if (s == NULL) {
    luaL_typeerror(L, 1, "grainstore.store");
  }
  if (s->store == NULL) {
    luaL_argerror(L, 1, "the store is closed");
  }
  check_not_asking(L, s);
  return s;
}

void
gsl_still_open(lua_State *L, const gsl_store *s)
{
  if (s == NULL || s->store == NULL) {
    luaL_error(L, "the store was closed in the middle of a call");
  }
}

gsl_child *
gsl_check_child(lua_State *L, int upvalue, const char *name)
{
  gsl_child *child = tagged(L, upvalue, sizeof *child);
  if (child == NULL) {
    luaL_typeerror(L, 1, name);
  }
  if (child->owner == NULL) {
    luaL_argerror(L, 1, lua_pushfstring(L, "the %s is closed", name + 11));
  }
  check_not_asking(L, child->owner);
  return child;
}

/* Notes the place in Lua that called; too long a one loses its beginning, which
 * is folders. */
static void
note_where(lua_State *L, gsl_child *child)
{
  size_t size = 0;
  luaL_where(L, 1);
  const char *where = lua_tolstring(L, -1, &size);
  size -= size >= 2 ? 2 : size; /* ": " at the end */
  size_t skip = size < GSL_WHERE_BYTES ? 0 : size - (GSL_WHERE_BYTES - 1);
  memcpy(child->where, where + skip, size - skip);
  lua_pop(L, 1);
}

void *
gsl_new_child(lua_State *L, size_t size, int upvalue, int store_arg,
              void (*release)(gsl_child *child))
{
  gsl_child *child = lua_newuserdatauv(L, size, 1);
  memset(child, 0, size);
  child->release = release;
  child->tag = &gsl_tags[upvalue];
  lua_pushvalue(L, lua_upvalueindex(upvalue));
  lua_setmetatable(L, -2);
  lua_pushvalue(L, store_arg);
  lua_setiuservalue(L, -2, 1);
  if (((const gsl_store *)lua_touserdata(L, store_arg))->tracks) {
    note_where(L, child);
  }
  return child;
}

void
gsl_adopt(gsl_store *owner, gsl_child *child)
{
  child->owner = owner;
  child->link = &owner->children;
  child->next = owner->children;
  if (child->next != NULL) {
    child->next->link = &child->next;
  }
  owner->children = child;
}

void
gsl_close_child(gsl_child *child)
{
  if (child->owner == NULL) {
    return;
  }
  child->owner = NULL;
  *child->link = child->next;
  if (child->next != NULL) {
    child->next->link = child->link;
  }
  child->next = NULL;
  child->release(child);
}

void
gsl_push_closure(lua_State *L, lua_CFunction function)
{
  for (int i = 1; i <= GSL_UPVALUES; i++) {
    lua_pushvalue(L, lua_upvalueindex(i));
  }
  lua_pushcclosure(L, function, GSL_UPVALUES);
}

bool
gsl_is_asked(const gsl_store *s)
{
  return s->has_driver && !s->is_driving && gs_wants_decision(s->store) &&
         gs_is_in_charge(s->store, s->charge);
}

static void
drive(lua_State *L, gsl_store *s, int store_arg)
{
  if (!gsl_is_asked(s)) {
    if (gs_wants_decision(s->store)) {
      gs_decide(s->store); /* somebody else's affair, but for want of threads */
    }
    return;
  }
  luaL_checkstack(L, 4, "too little room for the policy");
  lua_getiuservalue(L, store_arg, GSL_STORE_DRIVER);
  lua_pushvalue(L, store_arg);
  s->is_driving = true;
  int outcome = lua_pcall(L, 1, 0, 0);
  s->is_driving = false;
  if (outcome != LUA_OK) {
    lua_pop(L, 1); /* the driver keeps account of failing policies itself */
  }
}

void
gsl_safe_point(lua_State *L, gsl_store *s, int store_arg)
{
  drive(L, s, store_arg);
  if (s->has_watch) {
    gsl_tell_watch(L, s, store_arg);
  }
}

/* ---- what is open ----------------------------------------------------------------- */

/* store:_track(): from now on its handles know where they were made */
static int
track(lua_State *L)
{
  gsl_check_store(L)->tracks = true;
  return 0;
}

static void
push_handle(lua_State *L, const gsl_child *child)
{
  lua_createtable(L, 0, 2);
  lua_pushstring(L, child->tag == &gsl_tags[GSL_CURSOR_MT]     ? "cursor"
                    : child->tag == &gsl_tags[GSL_SNAPSHOT_MT] ? "snapshot"
                                                               : "batch");
  lua_setfield(L, -2, "kind");
  lua_pushstring(L, child->where);
  lua_setfield(L, -2, "where");
}

/* store:_handles() -> {{kind=, where=}}, newest first: open cursors, snapshots
 * and batches that were made since the store tracks them */
static int
handles(lua_State *L)
{
  gsl_store *s = gsl_check_kind(L, 1, GSL_STORE_MT, "grainstore.store");
  size_t count = 0;
  for (const gsl_child *c = s->children; c != NULL; c = c->next) {
    count += c->where[0] != '\0';
  }
  /* A finaliser may change the list while tables are made: so it is copied. */
  gsl_child *copies = lua_newuserdatauv(L, (count + 1) * sizeof *copies, 0);
  size_t copied = 0;
  for (const gsl_child *c = s->children; c != NULL && copied < count;
       c = c->next) {
    if (c->where[0] != '\0') {
      copies[copied++] = *c;
    }
  }
  lua_createtable(L, (int)copied, 0);
  for (size_t i = 0; i < copied; i++) {
    push_handle(L, &copies[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

const luaL_Reg gsl_store_handles[] = {
    {"_track", track},
    {"_handles", handles},
    {NULL, NULL},
};
