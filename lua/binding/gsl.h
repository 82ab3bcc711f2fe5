/*
 * gsl: what the files of the binding share.
 *
 * Model: four kinds of userdata. A store handle holds one gs_store; snapshots,
 * cursors and batches are its children.
 *   1. A userdata is made closed, gets its metatable, and only then the C
 *      object is put into it: a raise at any point finds something that can be
 *      collected.
 *   2. A child stands on its store's list; closing the store closes its
 *      children. A child keeps the store's userdata alive by its user value.
 *   3. No C memory is held across a call that can raise, except inside a
 *      userdata.
 *
 * Every function of the module is a closure over the same upvalues, the four
 * metatables, so that checking a handle is one comparison:
 *   GSL_STORE_MT GSL_SNAPSHOT_MT GSL_CURSOR_MT GSL_BATCH_MT
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
  GSL_UPVALUES = 4,
};

/* User values of a store handle. */
enum {
  GSL_STORE_DRIVER = 1,  /* function(store), or nil */
  GSL_STORE_OPTIONS = 2, /* table of the options given at open */
  GSL_STORE_VALUES = 2,
};

typedef struct gsl_child gsl_child;
typedef struct gsl_store gsl_store;

/* First member of every child. */
struct gsl_child {
  gsl_store *owner; /* NULL: closed */
  gsl_child *next;
  gsl_child **link; /* what points at this child */
  void (*release)(gsl_child *child);
};

struct gsl_store {
  gs_store *store; /* NULL: closed */
  gs_store_kind kind;
  gsl_child *children;
  gs_value value; /* scratch for reads; valid while open */
  bool has_driver;
  bool is_driving; /* the driver is at work: no second one inside it */
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
  lua_Integer left; /* entries a loop may still give; -1: no limit */
} gsl_cursor;

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

/* Raises where the store was closed since it was checked. Anything that makes a
 * Lua object may run a finaliser, and that may close a store: so this is asked
 * last, right before the engine is called. */
void gsl_still_open(lua_State *L, const gsl_store *s);

/* A child at index 1 that is open. */
gsl_child *gsl_check_child(lua_State *L, int upvalue, const char *name);

/* A closed child userdata with its metatable, pushed; anchors the store's
 * userdata at store_arg. */
void *gsl_new_child(lua_State *L, size_t size, int upvalue, int store_arg,
                    void (*release)(gsl_child *child));

/* Puts an opened child on its store's list. */
void gsl_adopt(gsl_store *owner, gsl_child *child);

/* Closes a child; may be called twice. */
void gsl_close_child(gsl_child *child);

/* Runs the driver if the tree wants a decision: the safe point. Keeps the
 * stack. store_arg: where the store's userdata is. */
void gsl_safe_point(lua_State *L, gsl_store *s, int store_arg);

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
void gsl_push_value(lua_State *L, const gsl_store *s, gs_slice value);

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

/* ---- functions, by file ---------------------------------------------------------- */

extern const luaL_Reg gsl_module_functions[]; /* module.c */
extern const luaL_Reg gsl_store_methods[];    /* store.c */
extern const luaL_Reg gsl_store_many[];       /* many.c */
extern const luaL_Reg gsl_store_work[];       /* work.c */
extern const luaL_Reg gsl_store_tree[];       /* tree.c */
extern const luaL_Reg gsl_store_stats[];      /* stats.c */
extern const luaL_Reg gsl_store_children[];   /* makers of children */
extern const luaL_Reg gsl_snapshot_methods[]; /* snapshot.c */
extern const luaL_Reg gsl_cursor_methods[];   /* cursor.c */
extern const luaL_Reg gsl_batch_methods[];    /* batch.c */

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

#endif
