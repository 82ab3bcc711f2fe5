/*
 * private: a policy in a state of its own, off the caller's thread.
 *
 * Model: a state that only computes (sandbox.c), with memory of the real machine
 * up to a cap, in which the same driver runs as in the opener's state. Its store
 * is a borrowed handle whose metatable has nothing but what the driver needs.
 *   1. The state is used by one thread at a time: by the one that prepares it,
 *      then by the store's decider, at last by the one that ends the decider.
 *   2. Everything in it runs under lua_pcall.
 *
 * Life: core.private makes it, in a userdata; store:_start gives it to the store,
 * whose decider releases it.
 */
#include <string.h>

#include "gsl.h"

enum { STATE_MIB = 64, MIB_BYTES = 1 << 20, STRIKES = 3 };

typedef struct private_state {
  gs_alloc *alloc;
  lua_State *L;
  size_t bytes;      /* taken by the state */
  gsl_store *handle; /* the borrowed one; the state owns it */
  unsigned failures; /* of the driver itself, in a row */
} private_state;

/* A userdata of the opener's state. */
typedef struct private_box {
  private_state *state; /* NULL: given to a store */
} private_box;

/* What stands in the private state's registry. */
static const char decide_key = 'd';
static const char handle_key = 'h';

static void *
allocate(void *context, void *block, size_t old_size, size_t new_size)
{
  private_state *p = context;
  size_t held = block == NULL ? 0 : old_size;
  if (new_size > held &&
      p->bytes - held + new_size > (size_t)STATE_MIB * MIB_BYTES) {
    return NULL;
  }
  void *got = p->alloc->resize(p->alloc, block, held, new_size);
  if (got != NULL || new_size == 0) {
    p->bytes = p->bytes - held + new_size;
  }
  return got;
}

static void
free_state(private_state *p)
{
  if (p->handle != NULL) {
    while (p->handle->children != NULL) {
      gsl_close_child(p->handle->children);
    }
    p->handle->store = NULL;
  }
  if (p->L != NULL) {
    lua_close(p->L);
  }
  GS_DELETE(p->alloc, p);
}

/* ---- preparing --------------------------------------------------------------------- */

typedef struct setup {
  private_state *state;
  lua_State *from;
  const char *module;
  const char *path;
  int args; /* index in from */
} setup;

/* In the private state: libraries, the handle, the driver with the policy. */
static int
prepare(lua_State *L)
{
  const setup *s = lua_touserdata(L, 1);
  gsl_open_pure(L, s->path);
  s->state->handle = gsl_push_borrowed(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &handle_key);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "grainstore.driver");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "private");
  lua_pushstring(L, s->module);
  gsl_copy_plain(L, s->from, s->args);
  lua_call(L, 2, 2);
  lua_pushvalue(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &decide_key);
  return 1; /* the policy's name */
}

/* The text at the top of the private state, onto the other. */
static void
push_text(lua_State *to, lua_State *from, const char *spent)
{
  size_t size;
  const char *text =
      lua_type(from, -1) == LUA_TSTRING ? lua_tolstring(from, -1, &size) : NULL;
  if (spent != NULL) {
    lua_pushfstring(to, "the policy takes too many %s", spent);
  } else if (text == NULL) {
    lua_pushliteral(to, "the policy gave no reason");
  } else {
    lua_pushlstring(to, text, size);
  }
}

/* core.private(module, args, path) -> userdata, name of the policy | nil, what
 * was wrong */
int
gsl_new_private(lua_State *L)
{
  setup s = {.from = L, .args = 2};
  s.module = luaL_checkstring(L, 1);
  s.path = luaL_checkstring(L, 3);
  lua_settop(L, 3);
  private_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  box->state = NULL;
  lua_pushvalue(L, lua_upvalueindex(GSL_PRIVATE_MT));
  lua_setmetatable(L, -2);
  gs_alloc *alloc = gs_get_env_alloc(NULL);
  private_state *p = GS_NEW(alloc, private_state);
  if (p == NULL) {
    return luaL_error(L, "not enough memory");
  }
  box->state = p;
  p->alloc = alloc;
  p->L = lua_newstate(allocate, p);
  if (p->L == NULL) {
    return luaL_error(L, "not enough memory");
  }
  s.state = p;
  const char *spent;
  lua_pushcfunction(p->L, prepare);
  lua_pushlightuserdata(p->L, &s);
  bool went_well = gsl_call_within_budget(p->L, 1, &spent);
  lua_settop(L, 4);
  if (!went_well) {
    lua_pushnil(L);
  }
  push_text(L, p->L, spent);
  lua_settop(p->L, 0);
  return 2;
}

/* __gc of one that was never given */
static int
collect(lua_State *L)
{
  private_box *box = gsl_check_kind(L, 1, GSL_PRIVATE_MT, "grainstore.private");
  private_state *p = box->state;
  box->state = NULL;
  if (p != NULL) {
    free_state(p);
  }
  return 0;
}

/* ---- deciding ------------------------------------------------------------------------- */

static int
run(lua_State *L)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &decide_key);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &handle_key);
  lua_call(L, 1, 0);
  return 0;
}

static const char *
problem(lua_State *L, const char *spent)
{
  if (spent != NULL) {
    return "the policy made the driver take too much";
  }
  return lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1)
                                        : "the driver failed";
}

/* On the decider's thread. The driver shares a state with the policy, which may
 * have changed what it uses: so it has a budget of its own, and one that fails,
 * for want of memory that its policy holds, is no better than a policy that
 * does. A shape that it did not come to close would keep tables on the disk. */
static void
decide(void *context)
{
  private_state *p = context;
  const char *spent;
  lua_pushcfunction(p->L, run);
  if (gsl_call_within_budget(p->L, 0, &spent)) {
    p->failures = 0;
  } else {
    p->failures++;
    gs_policy_note(p->handle->store, 0, problem(p->L, spent),
                   p->failures >= STRIKES);
  }
  lua_settop(p->L, 0);
  while (p->handle->children != NULL) {
    gsl_close_child(p->handle->children);
  }
}

static void
release(void *context)
{
  free_state(context);
}

/* store:_start(private, name) -> true: it makes the decisions from now on */
static int
start(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  private_box *box = gsl_check_kind(L, 2, GSL_PRIVATE_MT, "grainstore.private");
  const char *name = luaL_checkstring(L, 3);
  luaL_argcheck(L, box->state != NULL, 2, "it was given to a store");
  private_state *p = box->state;
  gs_decider decider = {decide, release, p, name};
  gs_error err;
  uint64_t charge;
  p->handle->store = s->store;
  p->handle->kind = s->kind;
  gs_status status = gs_start_decider(s->store, &decider, &charge, &err);
  if (status != GS_OK) {
    p->handle->store = NULL;
    return gsl_fail(L, status, &err);
  }
  box->state = NULL;
  s->has_driver = false;
  lua_pushboolean(L, 1);
  return 1;
}

const luaL_Reg gsl_private_methods[] = {
    {"__gc", collect},
    {NULL, NULL},
};

const luaL_Reg gsl_store_start[] = {
    {"_start", start},
    {NULL, NULL},
};
