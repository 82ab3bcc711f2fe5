/*
 * Fuzz target of plans as Lua gives them. The input is made into plan tables
 * for a store with a small tree: with fields of the right names and any values,
 * or with tables and runs that are there. Every plan is submitted, and steps of
 * the jobs they make are done in between.
 * Checked: a plan raises, is refused by name, or is taken; and whatever was
 * taken, the same entries are read, verify, where it is asked, agrees, and the
 * store closes with all its memory back.
 */
#include "fuzz/lua_value.h"

enum {
  PLANS = 6,
  KEYS = 24,
  ROUNDS = 5,
  IDS = 40,     /* more than there are tables and runs */
  VERIFIED = 4, /* one input in so many: it takes a third of the time */
  AT_CORE = 1,  /* places of the stack */
  AT_ENV = 2,
  AT_STORE = 3,
};

/* ---- the store ------------------------------------------------------------ */

static void
open_store(lua_State *L)
{
  static const struct {
    const char *name;
    lua_Integer value;
  } numbers[] = {
      {"memory_bytes", 1 << 20},  {"memtable_bytes", 4096},
      {"table_bytes", 4096},      {"block_bytes", 256},
      {"max_wal_bytes", 1 << 16}, {"disk_reserve_bytes", 0},
  };
  lua_settop(L, AT_ENV);
  lua_getfield(L, AT_CORE, "open");
  lua_pushliteral(L, "/db");
  lua_newtable(L);
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    lua_pushinteger(L, numbers[i].value);
    lua_setfield(L, -2, numbers[i].name);
  }
  lua_pushvalue(L, AT_ENV);
  lua_setfield(L, -2, "env");
  lua_pushliteral(L, "bytes");
  lua_pushboolean(L, 1);
  REQUIRE(fuzz_call(L, 4));
  lua_settop(L, AT_STORE);
}

/* The round in which the key is written last; 0: it is deleted there. */
static int
last_round(int key)
{
  int last = 0;
  for (int round = 1; round <= ROUNDS; round++) {
    if ((key + round) % 3 != 0) {
      last = (key + round) % 4 == 0 ? 0 : round;
    }
  }
  return last;
}

static void
push_key(lua_State *L, int key)
{
  lua_pushfstring(L, "key%d%d", key / 10, key % 10);
}

static void
write_key(lua_State *L, int key, int round)
{
  bool is_delete = (key + round) % 4 == 0;
  fuzz_push_method(L, AT_STORE, is_delete ? "delete" : "put");
  push_key(L, key);
  if (!is_delete) {
    char value[200];
    memset(value, '0' + round, sizeof value);
    lua_pushlstring(L, value, sizeof value);
  }
  REQUIRE(fuzz_call(L, is_delete ? 2 : 3));
  lua_settop(L, AT_STORE);
}

static void
make_tree(lua_State *L)
{
  open_store(L);
  for (int round = 1; round <= ROUNDS; round++) {
    for (int key = 0; key < KEYS; key++) {
      if ((key + round) % 3 != 0) {
        write_key(L, key, round);
      }
    }
    fuzz_must(L, AT_STORE, "flush");
  }
  fuzz_must(L, AT_STORE, "close");
  lua_settop(L, AT_ENV);
}

/* A machine of its own at AT_ENV, as the first one was after its store was
 * closed. */
static void
push_machine(lua_State *L)
{
  static bool is_made;
  if (!is_made) {
    fuzz_push_env(L);
    make_tree(L);
    lua_setfield(L, LUA_REGISTRYINDEX, "fuzz.machine");
    is_made = true;
  }
  lua_getfield(L, LUA_REGISTRYINDEX, "fuzz.machine");
  fuzz_push_method(L, -1, "copy");
  REQUIRE(lua_pcall(L, 1, 1, 0) == LUA_OK);
  lua_replace(L, AT_ENV);
  lua_settop(L, AT_ENV);
}

static void
check_key(lua_State *L, int key)
{
  int round = last_round(key);
  fuzz_push_method(L, AT_STORE, "get");
  push_key(L, key);
  REQUIRE(fuzz_call(L, 2));
  REQUIRE(round != 0 || lua_isnil(L, AT_STORE + 1));
  REQUIRE(round == 0 || (lua_type(L, AT_STORE + 1) == LUA_TSTRING &&
                         lua_tostring(L, AT_STORE + 1)[0] == '0' + round));
  lua_settop(L, AT_STORE);
}

/* ---- plans ---------------------------------------------------------------- */

static void
set_id(lua_State *L, fuzz_input *in, const char *name)
{
  lua_pushinteger(L, (lua_Integer)fuzz_below(in, IDS));
  lua_setfield(L, -2, name);
}

static void
set_inputs(lua_State *L, fuzz_input *in)
{
  lua_newtable(L);
  uint64_t first = fuzz_below(in, IDS);
  uint64_t left = fuzz_below(in, 16);
  uint64_t skipped = fuzz_take(in, 2);
  for (lua_Integer at = 1; left > 0; left--, first++) {
    if ((skipped >> left % 16 & 1) == 0) {
      lua_pushinteger(L, (lua_Integer)first);
      lua_rawseti(L, -2, at++);
    }
  }
  lua_setfield(L, -2, "inputs");
}

/* A plan of the right form; most name tables that are there. */
static void
push_sane_plan(lua_State *L, fuzz_input *in)
{
  static const char *const ops[] = {"merge", "merge", "move", "drop"};
  uint64_t shape = fuzz_take(in, 1);
  lua_newtable(L);
  lua_pushstring(L, ops[shape % 4]);
  lua_setfield(L, -2, "op");
  set_inputs(L, in);
  if (shape % 3 < 2) {
    set_id(L, in, shape % 3 == 0 ? "into" : "above");
  } else {
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, "bottom");
  }
  if (shape % 5 == 0) {
    set_id(L, in, "level");
  }
  if (shape % 7 == 0) {
    lua_newtable(L);
    push_key(L, (int)fuzz_below(in, KEYS));
    lua_rawseti(L, -2, 1);
    lua_setfield(L, -2, "cuts");
  }
}

static void
submit(lua_State *L, fuzz_input *in)
{
  uint64_t kind = fuzz_take(in, 1) % 8;
  fuzz_push_method(L, AT_STORE, "_plan");
  if (kind < 6) {
    push_sane_plan(L, in);
  } else {
    fuzz_push_table(L, in, FUZZ_DEPTH);
  }
  if (kind == 7) {
    fuzz_push_value(L, in, 1);
  } else {
    lua_pushnil(L);
  }
  GS_IGNORE(fuzz_call(L, 3), "a plan may be refused");
  lua_settop(L, AT_STORE);
}

static void
work(lua_State *L, fuzz_input *in)
{
  uint64_t how = fuzz_take(in, 1) % 4;
  fuzz_push_method(L, AT_STORE, "step");
  lua_pushinteger(L, how == 0 ? 1000000 : 0);
  GS_IGNORE(fuzz_call(L, 2), "a merge may find that its plan no longer holds");
  lua_settop(L, AT_STORE);
}

static void
live(lua_State *L, fuzz_input *in, bool verifies)
{
  push_machine(L);
  open_store(L);
  for (int plans = 0; plans < PLANS && !fuzz_is_over(in); plans++) {
    submit(L, in);
    work(L, in);
  }
  for (int key = 0; key < KEYS; key++) {
    check_key(L, key);
  }
  if (verifies) {
    fuzz_push_method(L, AT_STORE, "verify");
    REQUIRE(fuzz_call(L, 1));
    lua_settop(L, AT_STORE);
  }
  fuzz_must(L, AT_STORE, "close");
  lua_settop(L, AT_ENV);
  fuzz_require_no_leak(L, AT_ENV);
  fuzz_must(L, AT_ENV, "close");
  lua_settop(L, AT_CORE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  fuzz_input in = fuzz_input_of(data, size);
  live(fuzz_lua(), &in, size % VERIFIED == 0);
  return 0;
}
