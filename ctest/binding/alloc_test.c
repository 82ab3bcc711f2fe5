/*
 * Every function of the module, in a Lua whose allocator fails at its first
 * request, its second, and so on until nothing fails any more: twice (Lua tries
 * once more after a collection), once, and from then on for ever. Whatever comes
 * of a call, the next one works, what was acknowledged is there, and after
 * lua_close all memory has come back, Lua's and the engine's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lualib.h>

#include "env/env.h"
#include "support/family.h"
#include "support/temp_dir.h"
#include "trials.h"

int luaopen_grainstore_core(lua_State *lua);

enum { FOR_EVER = 0, WHERE_BYTES = 256 };

/* Memory of one Lua state. */
typedef struct faulty {
  size_t bytes;     /* allocated now */
  bool is_armed;    /* requests count and may fail */
  uint64_t asked;   /* since armed */
  uint64_t from;    /* the request that fails first */
  uint64_t count;   /* of those that fail; FOR_EVER */
  uint64_t refused; /* of them */
} faulty;

/* The engine's memory: what the real machine's allocator gave and has not got
 * back. */
typedef struct counting {
  gs_alloc base;
  gs_alloc *real;
  atomic_size_t bytes;
} counting;

static counting engine;
static temp_dir dir;
static uint64_t points;

static bool
is_refused(faulty *memory)
{
  uint64_t at = ++memory->asked;
  if (!memory->is_armed || at < memory->from) {
    return false;
  }
  return memory->count == FOR_EVER || at < memory->from + memory->count;
}

static void *
lua_memory(void *context, void *block, size_t old_size, size_t new_size)
{
  faulty *memory = context;
  size_t old_bytes = block == NULL ? 0 : old_size; /* else it is a type */
  if (new_size == 0) {
    free(block);
    memory->bytes -= old_bytes;
    return NULL;
  }
  if (new_size > old_bytes && is_refused(memory)) {
    memory->refused++;
    return NULL;
  }
  void *made = realloc(block, new_size);
  assert_non_null(made);
  memory->bytes += new_size - old_bytes;
  return made;
}

static void *
engine_memory(gs_alloc *self, void *block, size_t old_size, size_t new_size)
{
  counting *memory = (counting *)self;
  void *made = memory->real->resize(memory->real, block, old_size, new_size);
  if (made != NULL || new_size == 0) {
    /* From any thread of the engine. */
    atomic_fetch_add(&memory->bytes, new_size - (block == NULL ? 0 : old_size));
  }
  return made;
}

static int
set_up(void **state)
{
  (void)state;
  gs_mutex *kept; /* by the machine for ever, once it was asked for */
  temp_dir_make(&dir);
  assert_int_equal(gs_env_registry(gs_env_posix(), &kept, NULL), GS_OK);
  engine.base.resize = engine_memory;
  engine.real = gs_env_posix()->alloc;
  gs_env_posix()->alloc = &engine.base;
  return 0;
}

static int
tear_down(void **state)
{
  (void)state;
  gs_env_posix()->alloc = engine.real;
  temp_dir_remove(&dir);
  return 0;
}

/* ---- one state --------------------------------------------------------------- */

static void
run(lua_State *lua, const char *text, const char *where)
{
  if (luaL_loadstring(lua, text) != LUA_OK ||
      lua_pcall(lua, 0, 0, 0) != LUA_OK) {
    fail_msg("%s: %s", where, lua_tostring(lua, -1));
  }
}

static lua_State *
new_state(faulty *memory)
{
  *memory = (faulty){0};
  lua_State *lua = lua_newstate(lua_memory, memory);
  assert_non_null(lua);
  luaL_openlibs(lua);
  luaL_getsubtable(lua, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(lua, luaopen_grainstore_core);
  lua_setfield(lua, -2, "grainstore.core");
  lua_pop(lua, 1);
  lua_pushstring(lua, dir.path);
  lua_setglobal(lua, "DIR");
  run(lua, trial_begin, "the beginning");
  return lua;
}

typedef struct attempt {
  const trial *trial;
  uint64_t from;
  uint64_t count;
} attempt;

static const char *
where(const attempt *a)
{
  static char text[WHERE_BYTES];
  snprintf(text, sizeof text, "%s, request %llu, %llu times", a->trial->name,
           (unsigned long long)a->from, (unsigned long long)a->count);
  return text;
}

static void
arm(faulty *memory, const attempt *a)
{
  memory->asked = 0;
  memory->refused = 0;
  memory->from = a->from;
  memory->count = a->count;
  memory->is_armed = true;
}

/* What is raised for want of memory is a string or an error object. Where Lua
 * itself had no memory to close a variable, what it stands on says so when it is
 * closed. */
static void
check_raised(lua_State *lua, int outcome, const attempt *a)
{
  if (outcome == LUA_OK || outcome == LUA_ERRMEM) {
    return;
  }
  const char *text = luaL_tolstring(lua, -1, NULL);
  if (strstr(text, "memory") == NULL && strstr(text, "close them") == NULL) {
    fail_msg("%s raised: %s", where(a), text);
  }
}

static void
end_state(lua_State *lua, const faulty *memory, const attempt *a)
{
  lua_close(lua);
  if (memory->bytes != 0 || atomic_load(&engine.bytes) != 0) {
    fail_msg("%s: %zu bytes of Lua and %zu of the engine are lost", where(a),
             memory->bytes, atomic_load(&engine.bytes));
  }
}

/* False when no request was refused: there are no more. */
static bool
attempt_one(const attempt *a)
{
  faulty memory;
  lua_State *lua = new_state(&memory);
  if (luaL_loadstring(lua, a->trial->text) != LUA_OK) {
    fail_msg("%s", lua_tostring(lua, -1));
  }
  arm(&memory, a);
  int outcome = lua_pcall(lua, 0, 0, 0);
  bool stays_armed = a->count == FOR_EVER && a->from % 2 == 0;
  memory.is_armed = stays_armed;
  bool was_refused = memory.refused > 0;
  if (outcome != LUA_OK && !was_refused) {
    fail_msg("%s: %s", a->trial->name, luaL_tolstring(lua, -1, NULL));
  }
  if (!stays_armed) {
    check_raised(lua, outcome, a);
    lua_settop(lua, 0);
    run(lua, trial_end, where(a));
  }
  end_state(lua, &memory, a);
  points += was_refused;
  return was_refused;
}

static void
attempt_all(const trial *t, uint64_t stride)
{
  static const uint64_t counts[] = {2, 1, FOR_EVER};
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
    attempt a = {t, 1, counts[i]};
    while (attempt_one(&a)) {
      a.from += stride;
    }
  }
}

/* ---- the tests --------------------------------------------------------------- */

static void
test_want_of_memory_is_raised_and_breaks_nothing(void **state)
{
  (void)state;
  size_t stride = family_size_of(1).stride;
  for (size_t i = 0; i < trial_count; i++) {
    attempt_all(&trials[i], 1 + stride / 6);
  }
  print_message("%llu requests refused\n", (unsigned long long)points);
}

/* Whether a trial calls the function of that name. */
static bool
is_tried(const char *name)
{
  char call[64];
  snprintf(call, sizeof call, "%s", name);
  for (size_t i = 0; i < trial_count; i++) {
    const char *at = strstr(trials[i].text, call);
    while (at != NULL) {
      const char *after = at + strlen(call);
      bool is_word = at[-1] == ':' || at[-1] == '.';
      if (is_word && strchr("( ,{)", *after) != NULL) {
        return true;
      }
      at = strstr(after, call);
    }
  }
  return false;
}

static void
test_every_function_of_the_module_is_tried(void **state)
{
  (void)state;
  faulty memory;
  lua_State *lua = new_state(&memory);
  run(lua, trial_names, "the names");
  lua_getglobal(lua, "names");
  lua_Integer count = luaL_len(lua, -1);
  assert_true(count > 60);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_geti(lua, -1, i);
    if (!is_tried(lua_tostring(lua, -1))) {
      fail_msg("%s is not tried", lua_tostring(lua, -1));
    }
    lua_pop(lua, 1);
  }
  lua_close(lua);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(
          test_want_of_memory_is_raised_and_breaks_nothing, set_up, tear_down),
      cmocka_unit_test_setup_teardown(
          test_every_function_of_the_module_is_tried, set_up, tear_down),
  };
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return family_report(7, "lua-memory", points, failures,
                       "requests for memory refused");
}
