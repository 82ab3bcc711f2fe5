/*
 * pair: the loops of the Lua benchmark once more in C, on the same open store
 * and the same keys, so that the difference is what the binding costs.
 *
 * Model: a deck is a list of keys, in the order in which they are asked for;
 * its slices view the strings of a Lua array, which the deck keeps alive. Each
 * function runs one operation for every key of a deck (or every entry of the
 * store) and returns nanoseconds of all of them together, as the thread's
 * processor counts them: what other programs do meanwhile is left out.
 *
 * Errors: whatever fails, or finds another size than was written, raises.
 */
#include <time.h>

#include "gsl.h"

#define EXPORT __attribute__((visibility("default")))

enum { MANY_AT_MOST = 64 };

typedef struct deck {
  size_t count;
  gs_slice keys[];
} deck;

/* What is freed when the call ends, also by a raise. */
typedef struct scratch {
  gs_value value;
  gs_write_batch *batch;
  gs_scan *scan;
} scratch;

static lua_Integer
read_clock(clockid_t clock)
{
  struct timespec t;
  clock_gettime(clock, &t);
  return (lua_Integer)t.tv_sec * 1000000000 + (lua_Integer)t.tv_nsec;
}

static lua_Integer
now_ns(void)
{
  return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

static gs_store *
store_at_1(lua_State *L)
{
  gsl_store *s = lua_touserdata(L, 1);
  luaL_argcheck(L, s != NULL && s->store != NULL, 1, "no open store");
  return s->store;
}

static int
free_scratch(lua_State *L)
{
  scratch *mine = lua_touserdata(L, 1);
  gs_write_batch_free(mine->batch);
  gs_scan_free(mine->scan);
  gs_value_deinit(&mine->value);
  return 0;
}

static scratch *
push_scratch(lua_State *L, const gs_store *store)
{
  scratch *mine = lua_newuserdatauv(L, sizeof *mine, 0);
  *mine = (scratch){0};
  gs_value_init(&mine->value, store);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, free_scratch);
  lua_setfield(L, -2, "__close");
  lua_setmetatable(L, -2);
  lua_toclose(L, -1);
  return mine;
}

static void
need(lua_State *L, gs_status status, const gs_error *err)
{
  if (status != GS_OK) {
    luaL_error(L, "the engine failed: %s",
               status == GS_ABSENT ? "absent" : err->message);
  }
}

/* pair.now() -> ns of this thread on its processor */
static int
now(lua_State *L)
{
  lua_pushinteger(L, now_ns());
  return 1;
}

/* pair.wall() -> ns of the clock on the wall */
static int
wall(lua_State *L)
{
  lua_pushinteger(L, read_clock(CLOCK_MONOTONIC));
  return 1;
}

/* pair.deck(array of strings) -> deck */
static int
new_deck(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  size_t count = (size_t)lua_rawlen(L, 1);
  deck *d = lua_newuserdatauv(L, sizeof *d + count * sizeof d->keys[0], 1);
  d->count = count;
  for (size_t i = 0; i < count; i++) {
    size_t size = 0;
    lua_rawgeti(L, 1, (lua_Integer)i + 1);
    const char *data = luaL_checklstring(L, -1, &size);
    d->keys[i] = gs_slice_of(data, size);
    lua_pop(L, 1);
  }
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  return 1;
}

/* pair.get(store, deck, value size) -> ns */
static int
get(lua_State *L)
{
  gs_store *store = store_at_1(L);
  const deck *d = lua_touserdata(L, 2);
  size_t size = (size_t)luaL_checkinteger(L, 3);
  scratch *mine = push_scratch(L, store);
  gs_error err;
  lua_Integer start = now_ns();
  for (size_t i = 0; i < d->count; i++) {
    need(L, gs_get(store, NULL, d->keys[i], &mine->value, &err), &err);
    if (mine->value.bytes.size != size) {
      luaL_error(L, "a value of another size");
    }
  }
  lua_pushinteger(L, now_ns() - start);
  return 1;
}

/* pair.get_many(store, deck, value size, keys at a time) -> ns */
static int
get_many(lua_State *L)
{
  gs_store *store = store_at_1(L);
  const deck *d = lua_touserdata(L, 2);
  size_t size = (size_t)luaL_checkinteger(L, 3);
  size_t many = (size_t)luaL_checkinteger(L, 4);
  gs_found found[MANY_AT_MOST];
  gs_error err;
  luaL_argcheck(L, many <= MANY_AT_MOST, 4, "too many");
  scratch *mine = push_scratch(L, store);
  lua_Integer start = now_ns();
  for (size_t i = 0; i + many <= d->count; i += many) {
    need(L,
         gs_get_many(store, NULL, &d->keys[i], many, &mine->value.bytes, found,
                     &err),
         &err);
    for (size_t j = 0; j < many; j++) {
      if (found[j].size != size) {
        luaL_error(L, "a value of another size");
      }
    }
  }
  lua_pushinteger(L, now_ns() - start);
  return 1;
}

/* pair.strings(deck, value, entries at a time) -> ns: a key and a value each
 * into two arrays, as cursor:fill gives them, with no store behind */
static int
strings(lua_State *L)
{
  const deck *d = lua_touserdata(L, 1);
  size_t size = 0;
  const char *value = luaL_checklstring(L, 2, &size);
  size_t many = (size_t)luaL_checkinteger(L, 3);
  lua_createtable(L, (int)many, 0);
  lua_createtable(L, (int)many, 0);
  lua_Integer start = now_ns();
  for (size_t i = 0; i < d->count; i++) {
    lua_Integer at = (lua_Integer)(i % many) + 1;
    lua_pushlstring(L, (const char *)d->keys[i].data, d->keys[i].size);
    lua_rawseti(L, 4, at);
    lua_pushlstring(L, value, size);
    lua_rawseti(L, 5, at);
  }
  lua_pushinteger(L, now_ns() - start);
  return 1;
}

/* pair.put(store, deck, value) -> ns */
static int
put(lua_State *L)
{
  gs_store *store = store_at_1(L);
  const deck *d = lua_touserdata(L, 2);
  size_t size = 0;
  const char *data = luaL_checklstring(L, 3, &size);
  gs_slice value = gs_slice_of(data, size);
  uint64_t seq = 0;
  gs_error err;
  lua_Integer start = now_ns();
  for (size_t i = 0; i < d->count; i++) {
    need(L, gs_put(store, d->keys[i], value, NULL, &seq, &err), &err);
  }
  lua_pushinteger(L, now_ns() - start);
  return 1;
}

/* pair.batch(store, deck, value, entries at a time) -> ns */
static int
batch(lua_State *L)
{
  gs_store *store = store_at_1(L);
  const deck *d = lua_touserdata(L, 2);
  size_t size = 0;
  const char *data = luaL_checklstring(L, 3, &size);
  gs_slice value = gs_slice_of(data, size);
  size_t many = (size_t)luaL_checkinteger(L, 4);
  gs_error err;
  scratch *mine = push_scratch(L, store);
  need(L, gs_write_batch_new(store, &mine->batch, &err), &err);
  lua_Integer start = now_ns();
  for (size_t i = 0; i + many <= d->count; i += many) {
    for (size_t j = 0; j < many; j++) {
      need(L,
           gs_write_batch_put(mine->batch, d->keys[i + j], value, NULL, &err),
           &err);
    }
    need(L, gs_write_batch_commit(mine->batch, NULL, NULL, NULL, &err), &err);
  }
  lua_pushinteger(L, now_ns() - start);
  return 1;
}

static void
scan_all(lua_State *L, gs_store *store, scratch *mine, size_t size)
{
  gs_range all = {0};
  gs_error err;
  need(L, gs_scan_new(store, NULL, &all, &mine->scan, &err), &err);
  gs_status status = gs_scan_first(mine->scan, &err);
  while (status == GS_OK) {
    if (gs_scan_key(mine->scan).size == 0 ||
        gs_scan_value(mine->scan).size != size) {
      luaL_error(L, "an entry of another size");
    }
    status = gs_scan_next(mine->scan, &err);
  }
  if (status != GS_ABSENT) {
    need(L, status, &err);
  }
  gs_scan_free(mine->scan);
  mine->scan = NULL;
}

/* pair.scan(store, times, value size) -> ns: all entries, so many times */
static int
scan(lua_State *L)
{
  gs_store *store = store_at_1(L);
  lua_Integer times = luaL_checkinteger(L, 2);
  size_t size = (size_t)luaL_checkinteger(L, 3);
  scratch *mine = push_scratch(L, store);
  lua_Integer start = now_ns();
  for (lua_Integer i = 0; i < times; i++) {
    scan_all(L, store, mine, size);
  }
  lua_pushinteger(L, now_ns() - start);
  return 1;
}

static const luaL_Reg functions[] = {
    {"now", now},           {"wall", wall}, {"deck", new_deck}, {"get", get},
    {"get_many", get_many}, {"put", put},   {"batch", batch},   {"scan", scan},
    {"strings", strings},   {NULL, NULL},
};

EXPORT int luaopen_pair(lua_State *L);

EXPORT int
luaopen_pair(lua_State *L)
{
  luaL_newlib(L, functions);
  return 1;
}
