/*
 * tree: plans in, and who makes them.
 */
#include <string.h>

#include "gsl.h"

/* ---- plans --------------------------------------------------------------------- */

int
gsl_push_bad_plan(lua_State *L, const char *text)
{
  lua_pushnil(L);
  lua_pushfstring(L, "bad_plan: %s", text);
  lua_pushliteral(L, "bad_plan");
  lua_newtable(L);
  return 4;
}

/* The engine is not asked, but its journal is told. */
static int
bad_plan(lua_State *L, const gsl_store *s, const gs_plan *plan, bool dry_run,
         const char *text)
{
  gs_refusal refusal = {.code = GS_REFUSAL_BAD_PLAN};
  size_t size = strlen(text);
  memcpy(refusal.text, text,
         size < sizeof refusal.text ? size : sizeof refusal.text - 1);
  if (!dry_run) {
    gs_note_refusal(s->store, plan, &refusal);
  }
  return gsl_push_bad_plan(L, text);
}

/* The integer in a field; false when it is something else. */
static bool
count_field(lua_State *L, const char *name, uint64_t *out, bool *is_given)
{
  int is_integer = 0;
  *is_given = gsl_field(L, 2, name) != LUA_TNIL;
  lua_Integer number = lua_tointegerx(L, -1, &is_integer);
  lua_pop(L, 1);
  *out = *is_given ? (uint64_t)number : 0;
  return !*is_given || (is_integer && number >= 0);
}

static const char *
parse_op(lua_State *L, gs_plan *plan)
{
  const char *op =
      gsl_field(L, 2, "op") == LUA_TSTRING ? lua_tostring(L, -1) : "";
  lua_pop(L, 1);
  plan->op = strcmp(op, "merge") == 0  ? GS_PLAN_MERGE
             : strcmp(op, "move") == 0 ? GS_PLAN_MOVE
             : strcmp(op, "drop") == 0 ? GS_PLAN_DROP
                                       : (gs_plan_op)0;
  return plan->op == 0 ? "op is \"merge\", \"move\" or \"drop\"" : NULL;
}

static const char *
parse_target(lua_State *L, gs_plan *plan)
{
  uint64_t into;
  uint64_t above;
  bool has_into;
  bool has_above;
  if (!count_field(L, "into", &into, &has_into) ||
      !count_field(L, "above", &above, &has_above)) {
    return "into and above take the id of a run";
  }
  gsl_field(L, 2, "bottom");
  bool is_bottom = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  if (has_into + has_above + is_bottom > 1) {
    return "give one of into, above, bottom";
  }
  plan->run_id = has_into ? into : above;
  plan->target = has_into    ? GS_TARGET_INTO
                 : has_above ? GS_TARGET_ABOVE
                 : is_bottom ? GS_TARGET_BOTTOM
                             : GS_TARGET_NONE;
  return NULL;
}

static const char *
parse_numbers(lua_State *L, gs_plan *plan)
{
  uint64_t level;
  bool is_given;
  if (!count_field(L, "level", &level, &is_given) ||
      (is_given && level > GS_PLAN_MAX_LEVEL)) {
    return "level takes 0 to 63";
  }
  plan->level = is_given ? (int)level : -1;
  if (!count_field(L, "table_bytes", &plan->table_bytes, &is_given)) {
    return "table_bytes takes an integer";
  }
  return NULL;
}

/* The arrays live in userdata that is left on the stack. */
static const char *
parse_inputs(lua_State *L, gs_plan *plan)
{
  if (gsl_field(L, 2, "inputs") != LUA_TTABLE) {
    return "inputs is an array of table ids";
  }
  int at = lua_gettop(L);
  size_t count = (size_t)lua_rawlen(L, at);
  if (count == 0 || count > GS_PLAN_MAX_INPUTS) {
    return "inputs has 1 to 4096 table ids";
  }
  uint64_t *inputs = lua_newuserdatauv(L, count * sizeof *inputs, 0);
  for (size_t i = 0; i < count; i++) {
    int is_integer = 0;
    lua_rawgeti(L, at, (lua_Integer)i + 1);
    inputs[i] = (uint64_t)lua_tointegerx(L, -1, &is_integer);
    lua_pop(L, 1);
    if (!is_integer) {
      return "inputs is an array of table ids";
    }
  }
  plan->inputs = inputs;
  plan->input_count = count;
  return NULL;
}

static const char *
parse_cuts(lua_State *L, gs_store_kind kind, gs_plan *plan)
{
  int type = gsl_field(L, 2, "cuts");
  if (type == LUA_TNIL) {
    return NULL;
  }
  int at = lua_gettop(L);
  size_t count = type == LUA_TTABLE ? (size_t)lua_rawlen(L, at) : 0;
  if (type != LUA_TTABLE || count > GS_PLAN_MAX_CUTS) {
    return "cuts is an array of at most 4096 keys";
  }
  gs_slice *cuts = lua_newuserdatauv(L, (count + 1) * sizeof *cuts, 0);
  uint8_t(*room)[4] = lua_newuserdatauv(L, (count + 1) * sizeof *room, 0);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, at, (lua_Integer)i + 1);
    if (!gsl_to_key_of(L, kind, -1, room[i], &cuts[i])) {
      return "cuts is an array of keys";
    }
    lua_pop(L, 1);
  }
  plan->cuts = cuts;
  plan->cut_count = count;
  return NULL;
}

/* The string stays on the stack; other values are no reason. */
static void
parse_why(lua_State *L, gs_plan *plan)
{
  bool is_text = gsl_field(L, 2, "why") == LUA_TSTRING;
  plan->why = is_text ? lua_tostring(L, -1) : NULL;
}

const char *
gsl_parse_plan(lua_State *L, gs_store_kind kind, gs_plan *plan)
{
  parse_why(L, plan);
  const char *wrong = parse_op(L, plan);
  wrong = wrong != NULL ? wrong : parse_target(L, plan);
  wrong = wrong != NULL ? wrong : parse_numbers(L, plan);
  wrong = wrong != NULL ? wrong : parse_inputs(L, plan);
  wrong = wrong != NULL ? wrong : parse_cuts(L, kind, plan);
  return wrong;
}

static int
push_refusal(lua_State *L, const gs_refusal *refusal)
{
  const char *name = gs_refusal_name(refusal->code);
  lua_pushnil(L);
  lua_pushfstring(L, "%s: %s", name, refusal->text);
  lua_pushstring(L, name);
  lua_createtable(L, 0, 1);
  lua_createtable(L, (int)refusal->table_count, 0);
  for (size_t i = 0; i < refusal->table_count; i++) {
    lua_pushinteger(L, (lua_Integer)refusal->tables[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "tables");
  return 4;
}

int
gsl_push_submitted(lua_State *L, gs_status status, uint64_t job_id,
                   const gs_refusal *refusal, const gs_error *err)
{
  if (status == GS_REFUSED) {
    return push_refusal(L, refusal);
  }
  if (status != GS_OK) {
    return gsl_fail(L, status, err);
  }
  if (job_id == 0) {
    lua_pushboolean(L, 1);
  } else {
    lua_pushinteger(L, (lua_Integer)job_id);
  }
  return 1;
}

/* store:_plan(plan [, {dry_run=}]) -> job id, or true for a dry run | nil,
 * message, name of the refusal, {tables=} */
static int
submit(lua_State *L)
{
  static const char *const names[] = {"dry_run", NULL};
  gsl_store *s = gsl_check_store(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  bool dry_run = gsl_check_options(L, 3, names) &&
                 gsl_option_boolean(L, 3, "dry_run", false);
  luaL_checkstack(L, 12, "too little room for a plan");
  gs_plan plan = {0};
  const char *wrong = gsl_parse_plan(L, s->kind, &plan);
  if (wrong != NULL) {
    gsl_still_open(L, s);
    return bad_plan(L, s, &plan, dry_run, wrong);
  }
  uint64_t job_id = 0;
  gs_refusal refusal;
  gs_error err;
  gsl_still_open(L, s);
  gs_status status =
      gs_submit(s->store, &plan, dry_run, &job_id, &refusal, &err);
  return gsl_push_submitted(L, status, dry_run ? 0 : job_id, &refusal, &err);
}

/* store:_opens() -> handles of this process on the store */
static int
opens(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)gs_get_opens(gsl_check_store(L)->store));
  return 1;
}

const luaL_Reg gsl_store_tree[] = {
    {"_opens", opens},
    {"_plan", submit},
    {NULL, NULL},
};
