/*
 * sim_fault: what goes wrong on a simulated machine.
 *
 * A fault says where it strikes (op, path, nth, times, one_in) and what it does
 * there: an errno, or one of short, flip, stale, misdirect.
 */
#include <errno.h>
#include <math.h>

#include "gsl_sim.h"

static const char *const fault_names[] = {
    "op",   "path",  "nth",       "times",        "one_in", "errno", "short",
    "flip", "stale", "misdirect", "sync_failure", "model",  NULL,
};

/* In the order of gs_sim_op. */
static const char *const op_names[] = {
    "open",     "read",   "write", "allocate", "sync",     "list", "stat",
    "make_dir", "remove", "link",  "sync_dir", "truncate", "any",  NULL,
};

/* In the order of gs_sync_failure, by either name. */
static const char *const sync_names[] = {
    "clean", "revert", "pending", "late", "S1", "S2", "S3", "S4", NULL};

static const struct {
  const char *name;
  int number;
} errors[] = {
    {"EIO", EIO},         {"ENOSPC", ENOSPC}, {"EINTR", EINTR},
    {"EDQUOT", EDQUOT},   {"EMFILE", EMFILE}, {"ENFILE", ENFILE},
    {"EROFS", EROFS},     {"EACCES", EACCES}, {"EPERM", EPERM},
    {"ENOENT", ENOENT},   {"EEXIST", EEXIST}, {"EBUSY", EBUSY},
    {"EAGAIN", EAGAIN},   {"ENOMEM", ENOMEM}, {"EINVAL", EINVAL},
    {"ENOTSUP", ENOTSUP}, {"EFBIG", EFBIG},   {"ETIMEDOUT", ETIMEDOUT},
};

static int
read_errno(lua_State *L)
{
  int type = gsl_field(L, 2, "errno");
  int number = type == LUA_TNIL ? EIO : 0;
  if (type == LUA_TNUMBER) {
    int is_integer = 0;
    lua_Integer given = lua_tointegerx(L, -1, &is_integer);
    number = is_integer && given > 0 && given < 4096 ? (int)given : 0;
  }
  const char *name = type == LUA_TSTRING ? lua_tostring(L, -1) : "";
  for (size_t i = 0; number == 0 && i < sizeof errors / sizeof *errors; i++) {
    number = strcmp(errors[i].name, name) == 0 ? errors[i].number : 0;
  }
  if (number == 0) {
    luaL_argerror(
        L, 2,
        lua_pushfstring(L,
                        "option 'errno' takes a number or a name such "
                        "as \"EIO\", got %s",
                        luaL_tolstring(L, -1, NULL)));
  }
  lua_pop(L, 1);
  return number;
}

/* How often: 0 and math.huge are for ever. */
static uint64_t
read_times(lua_State *L)
{
  bool is_endless = gsl_field(L, 2, "times") == LUA_TNUMBER &&
                    lua_tonumber(L, -1) == (lua_Number)HUGE_VAL;
  lua_pop(L, 1);
  return is_endless ? 0 : gsl_option_count(L, 2, "times", 1, NULL);
}

/* What it does. Short, flip and misdirect come with a number. */
static void
read_effect(lua_State *L, gs_sim_fault *fault)
{
  bool has_short;
  bool has_flip;
  bool has_misdirect;
  uint64_t short_bytes = gsl_option_count(L, 2, "short", 0, &has_short);
  uint64_t bit = gsl_option_count(L, 2, "flip", 0, &has_flip);
  uint64_t aside = gsl_option_count(L, 2, "misdirect", 0, &has_misdirect);
  bool is_stale = gsl_option_boolean(L, 2, "stale", false);
  bool has_errno = gsl_field(L, 2, "errno") != LUA_TNIL;
  lua_pop(L, 1);
  if (has_short + has_flip + has_misdirect + is_stale + has_errno > 1) {
    luaL_argerror(L, 2, "give one of errno, short, flip, stale, misdirect");
  }
  fault->os_errno = read_errno(L);
  fault->amount = short_bytes + bit + aside; /* one of them is given */
  fault->effect = has_short       ? GS_SIM_SHORT
                  : has_flip      ? GS_SIM_FLIP
                  : is_stale      ? GS_SIM_STALE
                  : has_misdirect ? GS_SIM_MISDIRECT
                                  : GS_SIM_ERROR;
}

static gs_sync_failure
read_sync_failure(lua_State *L)
{
  int otherwise = gsl_option_choice(L, 2, "model", sync_names, GS_SYNC_CLEAN);
  int found = gsl_option_choice(L, 2, "sync_failure", sync_names, otherwise);
  return (gs_sync_failure)found;
}

/* Which operation an effect without one strikes. */
static int
usual_op(const gs_sim_fault *fault)
{
  return fault->effect == GS_SIM_FLIP || fault->effect == GS_SIM_STALE
             ? GS_SIM_READ
         : fault->effect == GS_SIM_MISDIRECT ? GS_SIM_WRITE
                                             : GS_SIM_ANY;
}

/* env:fail{op=, path=, nth=1, times=1, one_in=, errno=|short=|flip=|stale=|
 * misdirect=, sync_failure=|model=} */
static int
fail(lua_State *L)
{
  gsl_env *e = gsl_check_env(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  gsl_check_options(L, 2, fault_names);
  gs_sim_fault fault = {0};
  read_effect(L, &fault);
  fault.op =
      (gs_sim_op)gsl_option_choice(L, 2, "op", op_names, usual_op(&fault));
  fault.nth = gsl_option_count(L, 2, "nth", 1, NULL);
  luaL_argcheck(L, fault.nth > 0, 2, "option 'nth' counts from 1");
  fault.times = read_times(L);
  fault.one_in = gsl_option_count(L, 2, "one_in", 1, NULL);
  fault.sync_failure = read_sync_failure(L);
  if (gsl_field(L, 2, "path") != LUA_TNIL) {
    luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 2,
                  "option 'path' takes a pattern such as \"*.wal\"");
    fault.path = lua_tostring(L, -1);
  }
  gs_error err;
  gs_status status = gs_sim_fail(e->sim, &fault, &err);
  return status == GS_OK ? 0 : gsl_fail(L, status, &err);
}

/* env:heal(): forgets all faults */
static int
heal(lua_State *L)
{
  gs_sim_heal(gsl_check_env(L)->sim);
  return 0;
}

const luaL_Reg gsl_env_faults[] = {
    {"fail", fail},
    {"heal", heal},
    {NULL, NULL},
};
