/*
 * budget: a call that ends, and that takes no more memory than it may.
 *
 * Model: while the call lasts the state's allocator is ours, and counts what the
 * call takes beyond what it gives back; and a hook counts instructions, a hundred
 * at a time. Coroutines that are made inside inherit the hook. Once the budget is
 * spent the hook comes at every instruction and ends each: so no pcall can hold
 * it up, since the frame that called it is ended at its next instruction.
 *   1. Afterwards hook, allocator and collector are as they were, whatever
 *      happened.
 *   2. The collector stands still meanwhile, so no finaliser runs inside. Where
 *      the budget would be exceeded Lua collects once and tries again; it does
 *      so sixteen times, and then the budget is spent.
 *   3. Budgets nest: an inner call's memory is the outer one's too.
 * What C functions do in one instruction is not counted: a pattern that takes
 * its time, takes it.
 *
 * The hook ends a frame as if memory had run out: any other error would call a
 * message handler first, inside the hook, where no hook counts. A coroutine it
 * suspends instead, since one that died in a hook would be closed without hooks.
 */
#include <string.h>

#include "gsl.h"

#define TOO_MANY "the policy takes too many %s"
#define MEMORY   "bytes of memory"

enum {
  STEP = 100, /* instructions between two looks */
  COLLECTIONS_MAX = 16,
  MIB_BYTES = 1 << 20,
};

typedef struct budget {
  lua_State *L;
  lua_Alloc allocate; /* what was there before */
  void *context;
  int64_t taken_bytes; /* may fall below 0: older garbage was collected */
  unsigned refusals;   /* of requests, each of which makes Lua collect */
  bool was_refused;    /* the request before this one */
  unsigned to_refuse;  /* requests that are refused whatever they are */
  int64_t left;        /* instructions */
  const char *spent;   /* what there was too much of; NULL: nothing yet */
} budget;

/* ---- instructions ------------------------------------------------------------- */

static void *allocate(void *context, void *block, size_t old_size,
                      size_t new_size);

static void count(lua_State *L, lua_Debug *event);

static void
end_everything(budget *b, lua_State *L)
{
  lua_sethook(L, count, LUA_MASKCOUNT, 1);
  lua_sethook(b->L, count, LUA_MASKCOUNT, 1);
  if (L != b->L && lua_isyieldable(L)) {
    lua_yield(L, 0);
    return;
  }
  b->to_refuse = 2; /* Lua asks twice, with a collection between */
  lua_newuserdatauv(L, 1, 0);
}

static void
count(lua_State *L, lua_Debug *event)
{
  void *context;
  (void)event;
  if (lua_getallocf(L, &context) != allocate) {
    lua_sethook(L, NULL, 0, 0); /* a coroutine that outlived its call */
    return;
  }
  budget *b = context;
  b->left -= STEP;
  if (b->spent == NULL && b->left < 0) {
    b->spent = "instructions";
  }
  if (b->spent != NULL) {
    end_everything(b, L);
  }
}

/* ---- memory -------------------------------------------------------------------- */

static void *
refuse(budget *b)
{
  b->refusals++;
  if (b->was_refused || b->refusals > COLLECTIONS_MAX) {
    b->spent = b->spent == NULL ? MEMORY : b->spent;
    lua_sethook(b->L, count, LUA_MASKCOUNT, 1);
  }
  b->was_refused = true;
  return NULL;
}

static void *
allocate(void *context, void *block, size_t old_size, size_t new_size)
{
  budget *b = context;
  size_t held = block == NULL ? 0 : old_size;
  int64_t more = (int64_t)new_size - (int64_t)held;
  if (more > 0 && b->to_refuse > 0) {
    b->to_refuse--;
    return NULL;
  }
  if (more > 0 && b->taken_bytes + more > (int64_t)GSL_POLICY_MIB * MIB_BYTES) {
    return refuse(b);
  }
  void *got = b->allocate(b->context, block, old_size, new_size);
  if (got != NULL || new_size == 0) {
    b->taken_bytes += more;
    b->was_refused = b->was_refused && more <= 0;
  }
  return got;
}

lua_Alloc
gsl_base_allocator(lua_State *L, void **context)
{
  lua_Alloc found = lua_getallocf(L, context);
  while (found == allocate) {
    const budget *b = *context;
    found = b->allocate;
    *context = b->context;
  }
  return found;
}

/* ---- the call ------------------------------------------------------------------- */

/* The text in an error object, or NULL; no metamethod is asked. It stays in the
 * object at the top. */
static const char *
find_text(lua_State *L)
{
  const char *text = NULL;
  if (lua_type(L, -1) == LUA_TSTRING) {
    return lua_tostring(L, -1);
  }
  if (lua_istable(L, -1)) {
    lua_pushliteral(L, "message");
    lua_rawget(L, -2);
    text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    lua_pop(L, 1);
  }
  return text;
}

static bool
says_no_memory(lua_State *L)
{
  return lua_type(L, -1) == LUA_TSTRING &&
         strstr(lua_tostring(L, -1), "not enough memory") != NULL;
}

void
gsl_settle_problem(lua_State *L, const char *spent)
{
  const char *text = find_text(L);
  if (spent != NULL && (text == NULL || strstr(text, spent) == NULL)) {
    lua_pushfstring(L, TOO_MANY, spent);
  } else if (text == NULL) {
    lua_pushfstring(L, "the policy raised a %s", luaL_typename(L, -1));
  } else {
    size_t size = strlen(text);
    lua_pushlstring(L, text, size < GSL_ERROR_BYTES ? size : GSL_ERROR_BYTES);
  }
  lua_remove(L, -2);
}

bool
gsl_call_within_budget(lua_State *L, int arguments, const char **spent)
{
  budget b = {.L = L, .left = GSL_POLICY_INSTRUCTIONS};
  lua_Hook hook = lua_gethook(L);
  int mask = lua_gethookmask(L);
  int every = lua_gethookcount(L);
  bool collects = lua_gc(L, LUA_GCISRUNNING) != 0;
  b.allocate = lua_getallocf(L, &b.context);
  lua_gc(L, LUA_GCSTOP);
  lua_setallocf(L, allocate, &b);
  lua_sethook(L, count, LUA_MASKCOUNT, STEP);
  int outcome = lua_pcall(L, arguments, 1, 0);
  lua_sethook(L, hook, mask, every);
  lua_setallocf(L, b.allocate, b.context);
  if (collects) {
    lua_gc(L, LUA_GCRESTART);
  }
  /* A request of a library function is not repeated: it fails at once. */
  if (outcome != LUA_OK && b.refusals > 0 && b.spent == NULL &&
      says_no_memory(L)) {
    b.spent = MEMORY;
  }
  *spent = b.spent;
  return outcome == LUA_OK && b.spent == NULL;
}
