/*
 * fit: a mixture of keys from what was counted, for lua/grainstore/lab.
 */
#include "gsl.h"
#include "lab/lab.h"

static double
part(lua_State *L, const char *name)
{
  lua_getfield(L, -1, name);
  double number = lua_tonumber(L, -1);
  lua_pop(L, 1);
  return number;
}

/* The point on top of the stack. */
static gs_fit_point
take_point(lua_State *L)
{
  luaL_argcheck(L, lua_istable(L, -1), 1, "a point is a table");
  gs_fit_point point = {part(L, "writes"), part(L, "distinct"),
                        part(L, "weight")};
  luaL_argcheck(L,
                point.distinct > 0 && point.distinct <= point.writes &&
                    point.writes < 1e16 && point.weight > 0,
                1, "a point has writes, fewer distinct keys, and a weight");
  lua_pop(L, 1);
  return point;
}

/* core.fit{{writes=, distinct=, weight=}, ...} -> {{keys=, rate=}, ...}, the
 * distance of the points from them, see lab/fit.h */
int
gsl_fit(lua_State *L)
{
  gs_fit_point points[GS_FIT_POINTS_MAX];
  gs_mix_class classes[GS_MIX_CLASSES];
  double off;
  luaL_checktype(L, 1, LUA_TTABLE);
  size_t count = (size_t)lua_rawlen(L, 1);
  luaL_argcheck(L, count >= 1 && count <= GS_FIT_POINTS_MAX, 1,
                "1 to 128 points are fitted");
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 1, (lua_Integer)i + 1);
    points[i] = take_point(L);
  }
  void *scratch = lua_newuserdatauv(L, gs_fit_room_bytes(), 0);
  size_t found = gs_fit(scratch, points, count, classes, &off);
  lua_createtable(L, (int)found, 0);
  for (size_t i = 0; i < found; i++) {
    lua_createtable(L, 0, 2);
    lua_pushnumber(L, classes[i].keys);
    lua_setfield(L, -2, "keys");
    lua_pushnumber(L, classes[i].rate);
    lua_setfield(L, -2, "rate");
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_pushnumber(L, off);
  return 2;
}
