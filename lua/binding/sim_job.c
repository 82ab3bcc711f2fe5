/*
 * sim_job: a call on a store that is made by a task of a simulated machine.
 *
 * The task knows nothing of Lua: begin copies the arguments into the job's
 * userdata, the task makes the call and leaves the outcome there, result turns
 * it into Lua values. Value bytes lie in memory of the Lua state, so that a
 * result can be fetched after its store was closed. The store has the userdata
 * in its user value until the task has ended, so that it is not collected under
 * the task's feet.
 */
#include "gsl_sim.h"

typedef enum job_kind {
  JOB_PUT,
  JOB_DELETE,
  JOB_GET,
  JOB_TAKE,
  JOB_SYNC,
  JOB_FLUSH,
  JOB_COMPACT,
  JOB_COMMIT,
} job_kind;

static const char *const kind_names[] = {
    "put", "delete", "get", "take", "sync", "flush", "compact", "commit", NULL,
};

struct gsl_job {
  job_kind kind;
  uint32_t id;        /* of the task */
  const gsl_env *env; /* for comparison only */
  gsl_store *owner;   /* kept alive by the user value */
  gsl_job *next;      /* on the owner's list while under way */
  /* The call: slices lie in bytes. */
  gs_store *store;
  gs_slice key;
  gs_slice value;
  gs_write_options write;
  gs_range range;
  bool has_range;
  gs_write_batch *batch;
  gs_commit_options commit;
  /* The outcome. */
  bool is_done;
  bool is_collected; /* its finaliser has run */
  gs_status status;
  gs_error err;
  uint64_t seq[2];
  gs_value found;
  uint8_t bytes[];
};

/* ---- on the task ----------------------------------------------------------------- */

static gs_status
call(gsl_job *j)
{
  switch (j->kind) {
  case JOB_PUT:
    return gs_put(j->store, j->key, j->value, &j->write, &j->seq[0], &j->err);
  case JOB_DELETE:
    return gs_delete(j->store, j->key, &j->write, &j->seq[0], &j->err);
  case JOB_GET:
    return gs_get(j->store, NULL, j->key, &j->found, &j->err);
  case JOB_TAKE:
    return gs_take(j->store, j->key, &j->write, &j->found, &j->err);
  case JOB_SYNC:
    return gs_sync(j->store, &j->err);
  case JOB_FLUSH:
    return gs_flush(j->store, &j->err);
  case JOB_COMPACT:
    return gs_compact(j->store, j->has_range ? &j->range : NULL, &j->err);
  case JOB_COMMIT:
    return gs_write_batch_commit(j->batch, &j->commit, &j->seq[0], &j->seq[1],
                                 &j->err);
  }
  return GS_FAIL(&j->err, GS_MISUSE, "no such job");
}

static void
run(void *context)
{
  gsl_job *j = context;
  j->status = call(j);
  gs_write_batch_free(j->batch);
  j->batch = NULL;
  j->is_done = true;
}

/* ---- beginning ------------------------------------------------------------------- */

/* The arguments of a call, as views of what is on the stack. */
typedef struct arguments {
  gs_slice key;
  gs_slice value;
  gs_write_options write;
  gsl_range range;
  bool has_range;
  gs_commit_options commit;
  gsl_batch *batch;
  uint8_t key_bytes[4];
  uint8_t value_bytes[4];
} arguments;

enum { STORE = 2, KIND = 3, FIRST = 4 }; /* places of env:begin's arguments */

static void
read_batch(lua_State *L, const gsl_store *s, arguments *a)
{
  a->batch = gsl_check_kind(L, FIRST, GSL_BATCH_MT, "grainstore.batch");
  luaL_argcheck(L, a->batch->child.owner == s, FIRST,
                a->batch->child.owner == NULL
                    ? "the batch is closed"
                    : "the batch belongs to another store");
  a->commit = gsl_commit_options(L, FIRST + 1);
}

static void
read_arguments(lua_State *L, const gsl_store *s, job_kind kind, arguments *a)
{
  static const char *const ranges[] = {"from", "to", "prefix", NULL};
  switch (kind) {
  case JOB_PUT:
    a->key = gsl_check_key(L, s, FIRST, a->key_bytes);
    a->value = gsl_check_value(L, s, FIRST + 1, a->value_bytes);
    a->write = gsl_write_options(L, FIRST + 2);
    return;
  case JOB_DELETE:
  case JOB_TAKE:
    a->key = gsl_check_key(L, s, FIRST, a->key_bytes);
    a->write = gsl_write_options(L, FIRST + 1);
    return;
  case JOB_GET:
    a->key = gsl_check_key(L, s, FIRST, a->key_bytes);
    return;
  case JOB_COMPACT:
    a->has_range = gsl_check_options(L, FIRST, ranges);
    gsl_check_range(L, s, FIRST, &a->range);
    a->key = a->range.range.from;
    a->value = a->range.range.to;
    return;
  case JOB_COMMIT:
    read_batch(L, s, a);
    a->value = a->commit.note;
    return;
  case JOB_SYNC:
  case JOB_FLUSH:
    return;
  }
}

/* The job with copies of key and value, pushed. */
static gsl_job *
push_job(lua_State *L, const gsl_env *e, const arguments *a)
{
  size_t size = sizeof(gsl_job) + a->key.size + a->value.size;
  gsl_job *j = lua_newuserdatauv(L, size, 1);
  memset(j, 0, sizeof *j);
  j->env = e;
  gs_buffer_init(&j->found.bytes, (gs_alloc *)&e->memory.base);
  if (a->key.size > 0) {
    memcpy(j->bytes, a->key.data, a->key.size);
  }
  if (a->value.size > 0) {
    memcpy(j->bytes + a->key.size, a->value.data, a->value.size);
  }
  j->key = gs_slice_of(j->bytes, a->key.size);
  j->value = gs_slice_of(j->bytes + a->key.size, a->value.size);
  j->write = a->write;
  j->has_range = a->has_range;
  j->range = (gs_range){j->key, j->value, a->range.range.has_to};
  j->commit = a->commit;
  j->commit.note = j->value;
  lua_pushvalue(L, lua_upvalueindex(GSL_JOB_MT));
  lua_setmetatable(L, -2);
  lua_pushvalue(L, STORE);
  lua_setiuservalue(L, -2, 1);
  return j;
}

/* Takes those that ended from the store's list. */
static void
sweep(gsl_store *s)
{
  gsl_job **at = &s->jobs;
  while (*at != NULL) {
    gsl_job *j = *at;
    if (!j->is_done) {
      at = &j->next;
      continue;
    }
    *at = j->next;
    if (j->is_collected) {
      gs_buffer_deinit(&j->found.bytes);
    }
  }
}

/* Those that ended leave the store's list, and then the set on top, which keeps
 * them from being collected. */
static void
prune(lua_State *L, gsl_store *s)
{
  sweep(s);
  lua_pushnil(L);
  while (lua_next(L, -2) != 0) {
    const gsl_job *j = lua_touserdata(L, -2);
    lua_pop(L, 1);
    if (j->is_done) {
      lua_pushvalue(L, -1);
      lua_pushnil(L);
      lua_rawset(L, -4);
    }
  }
}

/* The job on top joins the set in the store's user value. */
static void
anchor(lua_State *L, gsl_store *s)
{
  if (lua_getiuservalue(L, STORE, GSL_STORE_JOBS) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, STORE, GSL_STORE_JOBS);
  }
  prune(L, s);
  lua_pushvalue(L, -2);
  lua_pushboolean(L, 1);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

/* The job that has ended and stands at index leaves the set. */
static void
unanchor(lua_State *L, int index)
{
  lua_getiuservalue(L, index, 1);
  if (lua_getiuservalue(L, -1, GSL_STORE_JOBS) == LUA_TTABLE) {
    lua_pushvalue(L, index);
    lua_pushnil(L);
    lua_rawset(L, -3);
  }
  lua_pop(L, 2);
}

/* The batch's writes go with the job, and the batch is empty. */
static gs_status
take_batch(gsl_store *s, gsl_batch *box, gsl_job *j, gs_error *err)
{
  gs_write_batch *fresh = NULL;
  gs_status status = gs_write_batch_new(s->store, &fresh, err);
  if (status == GS_OK) {
    j->batch = box->batch;
    box->batch = fresh;
  }
  return status;
}

static gs_status
start(gsl_env *e, gsl_store *s, gsl_job *j, gsl_batch *batch, gs_error *err)
{
  gs_status status = GS_OK;
  j->owner = s;
  j->store = s->store;
  if (batch != NULL) {
    status = take_batch(s, batch, j, err);
  }
  if (status == GS_OK) {
    status = gs_sim_spawn(e->sim, kind_names[j->kind], run, j, &j->id, err);
  }
  if (status != GS_OK) {
    j->is_done = true;
    j->status = status;
    return status;
  }
  j->next = s->jobs;
  s->jobs = j;
  return GS_OK;
}

/* env:begin(store, kind, ...) -> job */
int
gsl_begin_job(lua_State *L)
{
  gsl_env *e = gsl_check_env(L);
  gsl_store *s = gsl_check_kind(L, STORE, GSL_STORE_MT, "grainstore.store");
  luaL_argcheck(L, s->store != NULL, STORE, "the store is closed");
  luaL_argcheck(L, s->machine == &e->machine, STORE,
                "the store is open on another machine");
  luaL_argcheck(L, e->machine.has_threads, 1,
                "the env has no tasks; make it with { tasks = true }");
  job_kind kind = (job_kind)luaL_checkoption(L, KIND, NULL, kind_names);
  arguments a;
  memset(&a, 0, sizeof a);
  read_arguments(L, s, kind, &a);
  gsl_job *j = push_job(L, e, &a);
  j->kind = kind;
  anchor(L, s);
  gsl_still_open(L, s);
  gs_error err;
  gs_status status = start(e, s, j, a.batch, &err);
  if (status != GS_OK) {
    unanchor(L, lua_gettop(L));
    return gsl_fail(L, status, &err);
  }
  return 1;
}

/* ---- ending ---------------------------------------------------------------------- */

bool
gsl_has_jobs(gsl_store *s)
{
  sweep(s);
  return s->jobs != NULL;
}

enum { PATIENCE = 32 };

/* Each round gives those that wait for a time twice as much of it. */
bool
gsl_finish_jobs(gsl_store *s)
{
  if (!gsl_has_jobs(s)) {
    return true;
  }
  gsl_env *e = (gsl_env *)s->machine;
  gsl_end_schedule(e);
  for (unsigned round = 0; round < PATIENCE && gsl_has_jobs(s); round++) {
    gs_sim_release_held(e->sim);
    gs_sim_drain(e->sim);
    if (gsl_has_jobs(s)) {
      gs_sim_advance_ms(e->sim, UINT64_C(1) << round);
    }
  }
  return !gsl_has_jobs(s);
}

/* ---- jobs in Lua ----------------------------------------------------------------- */

static gsl_job *
check(lua_State *L, int arg)
{
  return gsl_check_kind(L, arg, GSL_JOB_MT, "grainstore.job");
}

uint32_t
gsl_check_job_id(lua_State *L, const gsl_env *e, int arg)
{
  const gsl_job *j = check(L, arg);
  luaL_argcheck(L, j->env == e, arg, "the job is one of another env");
  return j->id;
}

/* job:done() -> boolean */
static int
done(lua_State *L)
{
  lua_pushboolean(L, check(L, 1)->is_done);
  return 1;
}

static int
push_outcome(lua_State *L, const gsl_job *j)
{
  switch (j->kind) {
  case JOB_PUT:
  case JOB_DELETE:
    lua_pushinteger(L, (lua_Integer)j->seq[0]);
    return 1;
  case JOB_COMMIT:
    lua_pushinteger(L, (lua_Integer)j->seq[0]);
    lua_pushinteger(L, (lua_Integer)j->seq[1]);
    return 2;
  case JOB_GET:
  case JOB_TAKE:
    gsl_push_value(L, j->owner, gs_buffer_slice(&j->found.bytes));
    return 1;
  case JOB_SYNC:
  case JOB_FLUSH:
  case JOB_COMPACT:
    lua_pushboolean(L, 1);
    return 1;
  }
  return 0;
}

/* job:result() -> what the method would have returned; raises before the end */
static int
result(lua_State *L)
{
  gsl_job *j = check(L, 1);
  if (!j->is_done) {
    return luaL_error(L, "the job is under way: env:drain() or env:step first");
  }
  sweep(j->owner); /* it may be collected from here on */
  unanchor(L, 1);
  if (j->status == GS_ABSENT) {
    lua_pushnil(L);
    return 1;
  }
  return j->status == GS_OK ? push_outcome(L, j)
                            : gsl_fail(L, j->status, &j->err);
}

/* job.id, job.name, and the methods */
static int
job_index(lua_State *L)
{
  gsl_job *j = check(L, 1);
  const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (strcmp(name, "id") == 0) {
    lua_pushinteger(L, j->id);
  } else if (strcmp(name, "name") == 0) {
    lua_pushstring(L, kind_names[j->kind]);
  } else {
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(GSL_JOB_MT));
  }
  return 1;
}

/* A job that is under way is not collected but at the end of the state, when
 * its store's finaliser is still to come and sees to it. */
static int
collect_job(lua_State *L)
{
  gsl_job *j = check(L, 1);
  if (j->is_done && !j->is_collected) {
    gs_buffer_deinit(&j->found.bytes);
  }
  j->is_collected = true;
  return 0;
}

static int
job_tostring(lua_State *L)
{
  gsl_job *j = check(L, 1);
  lua_pushfstring(L, "grainstore.job (%d, %s, %s)", (int)j->id,
                  kind_names[j->kind], j->is_done ? "done" : "under way");
  return 1;
}

const luaL_Reg gsl_job_methods[] = {
    {"done", done},        {"result", result},           {"__index", job_index},
    {"__gc", collect_job}, {"__tostring", job_tostring}, {NULL, NULL},
};
