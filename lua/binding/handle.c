/*
 * handle: checking, making and closing userdata, and the safe point.
 */
#include "gsl.h"

void *
gsl_check_kind(lua_State *L, int arg, int upvalue, const char *name)
{
  void *block = lua_touserdata(L, arg);
  if (block != NULL && lua_getmetatable(L, arg)) {
    bool is_kind = lua_rawequal(L, -1, lua_upvalueindex(upvalue));
    lua_pop(L, 1);
    if (is_kind) {
      return block;
    }
  }
  luaL_typeerror(L, arg, name);
  return NULL;
}

gsl_store *
gsl_check_store(lua_State *L)
{
  gsl_store *s = gsl_check_kind(L, 1, GSL_STORE_MT, "grainstore.store");
  if (s->store == NULL) {
    luaL_argerror(L, 1, "the store is closed");
  }
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
  gsl_child *child = gsl_check_kind(L, 1, upvalue, name);
  if (child->owner == NULL) {
    luaL_argerror(L, 1, lua_pushfstring(L, "the %s is closed", name + 11));
  }
  return child;
}

void *
gsl_new_child(lua_State *L, size_t size, int upvalue, int store_arg,
              void (*release)(gsl_child *child))
{
  gsl_child *child = lua_newuserdatauv(L, size, 1);
  memset(child, 0, size);
  child->release = release;
  lua_pushvalue(L, lua_upvalueindex(upvalue));
  lua_setmetatable(L, -2);
  lua_pushvalue(L, store_arg);
  lua_setiuservalue(L, -2, 1);
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
gsl_safe_point(lua_State *L, gsl_store *s, int store_arg)
{
  if (!s->has_driver || s->is_driving || !gs_wants_decision(s->store)) {
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
