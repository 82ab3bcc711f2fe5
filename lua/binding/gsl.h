/*
 * gsl: what the files of the binding share.
 *
 * Model: a store handle is a userdata that holds one gs_store; snapshots,
 * cursors and batches are its children. Machines for tests (envs, clocks) and
 * the jobs on them are userdata too.
 *   1. A userdata is made closed, gets its metatable, and only then the C
 *      object is put into it: a raise at any point finds something that can be
 *      collected.
 *   2. A child stands on its store's list; closing the store closes its
 *      children. A child keeps the store's userdata alive by its user value.
 *   3. No C memory is held across a call that can raise, except inside a
 *      userdata.
 *   4. A store keeps its machine's userdata alive by its user value and is
 *      counted in it. Finalisers run in any order: a machine that is finalised
 *      while stores are open on it is given back with the last of them.
 *
 *   5. A store and its children say by their first word what they are: the
 *      address of their kind's tag, which no other block of memory holds. So
 *      the gate of a call is one comparison and needs no look-up.
 *
 * Every function of the module is a closure over the same upvalues, the
 * metatables: GSL_STORE_MT and what follows it.
 *
 * Errors: the world's failures return nil, message, code, detail; misuse raises
 * with the argument's position; out of memory raises.
 */
#ifndef GSL_H
#define GSL_H

#include <lauxlib.h>
#include <lua.h>

#include "grainstore.h"

enum {
  GSL_STORE_MT = 1,
  GSL_SNAPSHOT_MT = 2,
  GSL_CURSOR_MT = 3,
  GSL_BATCH_MT = 4,
  GSL_ENV_MT = 5,
  GSL_CLOCK_MT = 6,
  GSL_JOB_MT = 7,
  GSL_SHAPE_MT = 8,
  GSL_TABLES_MT = 9,
  GSL_LAB_MT = 10,
  GSL_PRIVATE_MT = 11,
  GSL_UPVALUES = 11,
};

/* One for each metatable, at its upvalue's number. */
extern const char gsl_tags[GSL_UPVALUES + 1];

/* User values of a store handle. */
enum {
  GSL_STORE_DRIVER = 1,  /* function(store), or nil */
  GSL_STORE_OPTIONS = 2, /* table of the options given at open */
  GSL_STORE_MACHINE = 3, /* userdata of the machine, or nil */
  GSL_STORE_JOBS = 4,    /* set of the userdata of its jobs, or nil */
  GSL_STORE_WATCH = 5,   /* function(store), or nil */
  GSL_STORE_VALUES = 5,
};

enum { GSL_WHERE_BYTES = 80 };

/* What a list may be long at the most: its memory is reckoned from a length that
 * its table only claims. */
enum { GSL_LIST_MAX = 1 << 24 };

/* What one call of a policy may take, and how much of its error is kept. */
enum {
  GSL_POLICY_INSTRUCTIONS = 1000000,
  GSL_POLICY_MIB = 32,
  GSL_ERROR_BYTES = 200,
};

typedef struct gsl_child gsl_child;
typedef struct gsl_store gsl_store;
typedef struct gsl_job gsl_job; /* see sim_job.c */

/* First member of every child. */
struct gsl_child {
  const char *tag;  /* of its kind, for ever */
  gsl_store *owner; /* NULL: closed */
  gsl_child *next;
  gsl_child **link; /* what points at this child */
  void (*release)(gsl_child *child);
  char where[GSL_WHERE_BYTES]; /* "file:line" that made it, where the store
                                   tracks its handles; else "" */
};

/* A machine that stores can be opened on: first member of envs and clocks. */
typedef struct gsl_machine gsl_machine;
struct gsl_machine {
  struct gs_env *env; /* NULL: closed */
  unsigned stores;    /* open store handles and jobs on it */
  bool has_threads;   /* what it may be asked for */
  bool is_collected;  /* finalised; released when stores is 0 */
  void (*release)(gsl_machine *machine);
};

/* Memory of get_many, used again by the next one; u32 keys stand in room. */
typedef struct gsl_many {
  gs_buffer keys;  /* gs_slice */
  gs_buffer room;  /* uint8_t[4] */
  gs_buffer found; /* gs_found */
  gs_buffer bytes; /* values */
  bool is_lent;    /* a call makes strings of it: a finaliser that calls too
                      meanwhile brings memory of its own. Stays so where that
                      call ended for want of memory. */
} gsl_many;

struct gsl_store {
  const char *tag;      /* gsl_tags[GSL_STORE_MT], for ever */
  gs_store *store;      /* NULL: closed */
  gsl_machine *machine; /* NULL: the real one */
  gs_store_kind kind;
  gsl_child *children;
  gsl_job *jobs;  /* calls under way on tasks of the machine */
  gs_value value; /* scratch for reads; valid while open */
  gsl_many many;  /* the same for get_many */
  bool has_driver;
  uint64_t charge;   /* its number, see gs_take_charge */
  uint64_t spent_us; /* in the policy, in the decision being made */
  bool is_asking;    /* the policy is at work: it may not touch the store */
  bool tracks;       /* remembers where its children were made */
  bool is_driving;   /* the driver is at work: no second one inside it */
  bool has_watch;    /* somebody wants to know of ended jobs */
  bool is_watching;  /* and is being told */
  uint64_t watched;  /* jobs that were noted when it was told last */
};

typedef struct gsl_snapshot {
  gsl_child child;
  gs_snapshot *snapshot;
} gsl_snapshot;

typedef struct gsl_cursor {
  gsl_child child;
  gs_scan *scan;
  bool is_reverse;
  bool keys_only;
  bool has_begun;
  uint64_t moves;
  lua_Integer left; /* entries a loop may still give; -1: no limit */
} gsl_cursor;

/* The tree of one decision. Its owner may be NULL: then whatever it was made of
 * is its user value. */
typedef struct gsl_shape {
  gsl_child child;
  gs_shape *shape; /* NULL: closed */
  gs_store_kind kind;
} gsl_shape;

typedef struct gsl_batch {
  gsl_child child;
  gs_write_batch *batch;
} gsl_batch;

/* ---- errors (failure.c) ------------------------------------------------------- */

/* Pushes nil, message, code, detail and returns 4; raises for misuse and for
 * want of memory. */
int gsl_fail(lua_State *L, gs_status status, const gs_error *err);

/* Raises an error object with fields code, message, detail. */
int gsl_raise(lua_State *L, gs_status status, const gs_error *err);

/* The metatable of error objects, pushed. */
void gsl_push_error_metatable(lua_State *L);

/* ---- handles (handle.c) -------------------------------------------------------- */

/* The open store at index 1; raises for anything else. */
gsl_store *gsl_check_store(lua_State *L);

/* The userdata at arg with the metatable of that upvalue; raises. */
void *gsl_check_kind(lua_State *L, int arg, int upvalue, const char *name);
/* The same for any value: NULL where it is something else. */
void *gsl_test_kind(lua_State *L, int index, int upvalue);

/* Raises where the store was closed since it was checked. Anything that makes a
 * Lua object may run a finaliser, and that may close a store: so this is asked
 * last, right before the engine is called. */
void gsl_still_open(lua_State *L, const gsl_store *s);

/* The child at index 1, which is open; raises for anything else. */
gsl_child *gsl_check_child(lua_State *L, int upvalue, const char *name);

/* A closed child userdata with its metatable, pushed; anchors the store's
 * userdata at store_arg. */
void *gsl_new_child(lua_State *L, size_t size, int upvalue, int store_arg,
                    void (*release)(gsl_child *child));

/* Puts an opened child on its store's list. */
void gsl_adopt(gsl_store *owner, gsl_child *child);

/* A function of the module, with its upvalues, pushed. */
void gsl_push_closure(lua_State *L, lua_CFunction function);

/* Memory of get_many: without any at first. */
void gsl_many_init(gsl_many *many, gs_alloc *alloc);
void gsl_many_deinit(gsl_many *many);

/* Closes a child; may be called twice. */
void gsl_close_child(gsl_child *child);

/* Whether a decision is wanted of this handle's driver. */
bool gsl_is_asked(const gsl_store *s);

/* Runs the driver if the tree wants a decision, then tells whoever watches of
 * jobs that ended: the safe point. Keeps the stack. store_arg: where the store's
 * userdata is. */
void gsl_safe_point(lua_State *L, gsl_store *s, int store_arg);

/* ---- virtual stores (lab.c, lab_feed.c) ----------------------------------------- */

struct gs_lab;
struct gs_mix_class;

/* The open virtual store at index 1; raises for anything else. */
struct gs_lab *gsl_check_lab(lua_State *L);

/* The array of {keys=, rate=} on top, into room for GS_MIX_CLASSES; how many. */
size_t gsl_take_classes(lua_State *L, struct gs_mix_class *classes);

/* ---- watching (watch.c) ----------------------------------------------------------- */

/* Tells whoever watches the store, if there is something to tell. Keeps the
 * stack. (watch.c) */
void gsl_tell_watch(lua_State *L, gsl_store *s, int store_arg);

/* ---- budgets (budget.c) -------------------------------------------------------- */

/* The state's allocator without the budgets it may be under: for memory that
 * outlives the call. */
lua_Alloc gsl_base_allocator(lua_State *L, void **context);

/* Calls the function beneath the arguments within the budget of a policy. Leaves
 * one value in their place: its result, or where false what was raised; spent is
 * what it took too much of, or NULL. Never raises. */
bool gsl_call_within_budget(lua_State *L, int arguments, const char **spent);

/* Puts the text of what was wrong in the place of what was raised. */
void gsl_settle_problem(lua_State *L, const char *spent);

/* ---- arguments (args.c) --------------------------------------------------------- */

/* Keys and values as the store's kind wants them; bytes is room for a u32. The
 * slice is valid while the argument is on the stack. */
gs_slice gsl_check_key(lua_State *L, const gsl_store *s, int arg,
                       uint8_t bytes[4]);
gs_slice gsl_check_value(lua_State *L, const gsl_store *s, int arg,
                         uint8_t bytes[4]);
/* The same for a key that stands in a table: false where it is none. */
bool gsl_to_key(lua_State *L, const gsl_store *s, int index, uint8_t bytes[4],
                gs_slice *out);
void gsl_push_key(lua_State *L, const gsl_store *s, gs_slice key);
/* The same where there is no store. */
bool gsl_to_key_of(lua_State *L, gs_store_kind kind, int index,
                   uint8_t bytes[4], gs_slice *out);
void gsl_push_key_of(lua_State *L, gs_store_kind kind, gs_slice key);
void gsl_push_value(lua_State *L, const gsl_store *s, gs_slice value);

/* ---- shapes (shape.c) ------------------------------------------------------------ */

/* A closed shape, pushed; keeps the value at owner_arg alive. The caller puts an
 * open one into it, and adopts it where its owner is a store. */
gsl_shape *gsl_new_shape(lua_State *L, gs_store_kind kind, int owner_arg);

/* The tree of the open shape at that index, as a plain table, pushed. */
void gsl_push_tree(lua_State *L, int shape_at);

/* The path at arg; raises for an empty one and for one with a zero byte, of
 * which the system would see the beginning only. */
const char *gsl_check_path(lua_State *L, int arg);
/* The same for the string at index, which argument arg brought. */
const char *gsl_to_path(lua_State *L, int arg, int index);

/* Fields of the option table at arg: the index of the string among choices
 * (ended by NULL), or otherwise when absent; raises for others, naming the
 * choices. */
int gsl_option_choice(lua_State *L, int arg, const char *name,
                      const char *const *choices, int otherwise);

/* Raises unless every name in the option table at arg is one of names (ended by
 * NULL); absent and nil pass. True when there is a table. */
bool gsl_check_options(lua_State *L, int arg, const char *const *names);

/* Fields of the option table at arg, or the default; raise for wrong types. */
bool gsl_option_boolean(lua_State *L, int arg, const char *name,
                        bool otherwise);
uint64_t gsl_option_count(lua_State *L, int arg, const char *name,
                          uint64_t otherwise, bool *is_given);

/* Pushes the field of the table at arg, passing by metamethods: reading options
 * runs no code that could close the store, and what is found stays in the
 * table, so that views of strings stay valid. Returns its type. */
int gsl_field(lua_State *L, int arg, const char *name);

/* sync, now_ms, meta; the table may be absent. What meta is stays on the
 * stack. */
gs_commit_options gsl_commit_options(lua_State *L, int arg);

/* ttl_ms, expires_at_ms, sync; the table may be absent. */
gs_write_options gsl_write_options(lua_State *L, int arg);

/* The open snapshot in field "snapshot" of the table at arg, or NULL. */
const gs_snapshot *gsl_option_snapshot(lua_State *L, const gsl_store *s,
                                       int arg);

/* from, to, prefix of the table at arg (absent: everything). The slices are
 * valid while the table is unchanged and the caller's scratch lives, which is
 * pushed onto the stack. */
typedef struct gsl_range {
  gs_range range;
  uint8_t from[4];
  uint8_t to[4];
} gsl_range;

void gsl_check_range(lua_State *L, const gsl_store *s, int arg, gsl_range *out);

/* ---- machines (machine.c) -------------------------------------------------------- */

/* The machine that options env and clock of the table at arg ask for; NULL for
 * the real one. Raises for a closed one. Pushes its userdata, or nil. The table
 * may be absent. */
gsl_machine *gsl_option_machine(lua_State *L, int arg);

/* What the engine is told: NULL for no machine; and no threads on a simulated
 * machine without tasks. */
struct gs_env *gsl_machine_env(const gsl_machine *machine);
uint32_t gsl_machine_threads(const gsl_machine *machine, uint32_t wanted);

/* Counts what is open on it; NULL is accepted. The last one to leave a machine
 * that is finalised already releases it. */
void gsl_machine_enter(gsl_machine *machine);
void gsl_machine_leave(gsl_machine *machine);

/* Whether a store has calls under way on tasks. */
bool gsl_has_jobs(gsl_store *s);

/* Lets the calls under way come to their end, whatever held them; false where
 * they did not. */
bool gsl_finish_jobs(gsl_store *s);

/* ---- plans (tree.c) --------------------------------------------------------------- */

/* The plan in the table at index 2, whose arrays stay on the stack; or what is
 * wrong with it. */
const char *gsl_parse_plan(lua_State *L, gs_store_kind kind, gs_plan *plan);

/* Pushes nil, message, "bad_plan", {}; returns 4. */
int gsl_push_bad_plan(lua_State *L, const char *text);

/* What became of a plan, pushed: the job's number, true where that is 0 (a dry
 * run), or nil, message, name of the refusal, {tables=}. Returns how many. */
int gsl_push_submitted(lua_State *L, gs_status status, uint64_t job_id,
                       const gs_refusal *refusal, const gs_error *err);

/* ---- functions, by file ---------------------------------------------------------- */

extern const luaL_Reg gsl_module_functions[]; /* module.c */
extern const luaL_Reg gsl_store_methods[];    /* store.c */
extern const luaL_Reg gsl_store_many[];       /* many.c */
extern const luaL_Reg gsl_store_work[];       /* work.c */
extern const luaL_Reg gsl_store_tree[];       /* tree.c */
extern const luaL_Reg gsl_store_shape[];      /* shape.c */
extern const luaL_Reg gsl_shape_methods[];
extern const luaL_Reg gsl_tables_methods[];
extern const luaL_Reg gsl_store_drive[]; /* drive.c */
extern const luaL_Reg gsl_store_start[]; /* private.c */
extern const luaL_Reg gsl_private_methods[];
extern const luaL_Reg gsl_store_stats[];      /* stats.c */
extern const luaL_Reg gsl_store_handles[];    /* handle.c */
extern const luaL_Reg gsl_store_care[];       /* care.c */
extern const luaL_Reg gsl_store_journal[];    /* journal.c */
extern const luaL_Reg gsl_store_children[];   /* makers of children */
extern const luaL_Reg gsl_snapshot_methods[]; /* snapshot.c */
extern const luaL_Reg gsl_cursor_methods[];   /* cursor.c */
extern const luaL_Reg gsl_batch_methods[];    /* batch.c */
extern const luaL_Reg gsl_env_methods[];      /* sim.c */
extern const luaL_Reg gsl_env_faults[];       /* sim_fault.c */
extern const luaL_Reg gsl_env_files[];        /* sim_file.c */
extern const luaL_Reg gsl_env_crashes[];      /* sim_crash.c */
extern const luaL_Reg gsl_env_tasks[];        /* sim_task.c */
extern const luaL_Reg gsl_env_watch[];        /* sim_watch.c */
extern const luaL_Reg gsl_job_methods[];      /* sim_job.c */
extern const luaL_Reg gsl_clock_methods[];    /* clock.c */
extern const luaL_Reg gsl_lab_methods[];      /* lab.c */
extern const luaL_Reg gsl_lab_feed[];         /* lab_feed.c */
extern const luaL_Reg gsl_store_watch[];      /* watch.c */

/* Shared by stores and snapshots. */
int gsl_get_at(lua_State *L, gsl_store *s, const gs_snapshot *snapshot);
int gsl_get_many_at(lua_State *L, gsl_store *s, const gs_snapshot *snapshot,
                    int store_arg);
int gsl_contains_at(lua_State *L, gsl_store *s, const gs_snapshot *snapshot);
int gsl_ttl_at(lua_State *L, gsl_store *s, const gs_snapshot *snapshot);
int gsl_count_at(lua_State *L, gsl_store *s, const gs_snapshot *snapshot);
int gsl_new_cursor(lua_State *L, gsl_store *s, const gs_snapshot *snapshot,
                   int store_arg);
int gsl_new_scan(lua_State *L, gsl_store *s, const gs_snapshot *snapshot,
                 int store_arg);
int gsl_new_snapshot(lua_State *L);
int gsl_new_batch(lua_State *L);

/* The open function of module.c: path, options, kind, has_policy. */
int gsl_open(lua_State *L);

/* ---- private states (private.c, sandbox.c) --------------------------------------- */

int gsl_new_private(lua_State *L);

/* In a new state: the libraries that only compute; require finds Lua files on
 * the path. */
void gsl_open_pure(lua_State *L, const char *path);

/* Pushes a copy of the value at an index of another state, which is absolute:
 * plain data; raises in the state that is copied to. What it pushed onto the
 * other may stay there then. */
void gsl_copy_plain(lua_State *to, lua_State *from, int index);

/* In a state without the module: a store handle that can do nothing but what the
 * driver of policies needs, and that does not own its store. Pushed. */
gsl_store *gsl_push_borrowed(lua_State *L);

/* The functions of care.c. */
int gsl_info(lua_State *L);
int gsl_verify(lua_State *L);
int gsl_repair(lua_State *L);

/* The function of journal.c. */
int gsl_read_journal(lua_State *L);

int gsl_new_env(lua_State *L);   /* sim.c */
int gsl_new_clock(lua_State *L); /* clock.c */
int gsl_new_lab(lua_State *L);   /* lab.c */
int gsl_fit(lua_State *L);       /* fit.c */

#endif
