/*
 * state: what the simulated machine consists of. Only env/sim includes it.
 *
 * Model: files and directories are nodes. A node has two states, `durable` and
 * `current`, and the units of work done since its last good sync, in program
 * order. Every change is made by appending a unit and applying it to the
 * current state; a sync applies the units to the durable state and forgets
 * them; a crash applies those that its model lets through.
 *
 *   1. The unit orders of a machine are unique and rise with time.
 *   2. nodes[i]->index == i; nodes[0] is the root and never goes.
 *   3. A node lives while a directory (durable, current or in a unit), an open
 *      file or a lock refers to it; gs_sim_collect frees the others.
 *   4. Unless a sync failed, durable with all units applied equals current.
 *
 * Errors: the machine's own books come from malloc; when there is no memory
 * for them the process ends, since a test could prove nothing any more.
 */
#ifndef GS_ENV_SIM_STATE_H
#define GS_ENV_SIM_STATE_H

#include "env/sim.h"
#include "env/sim/content.h"

enum {
  SIM_SECTOR = 512,     /* what a disk writes as one */
  SIM_NAME_BYTES = 255, /* longest name in a directory */
};

#define SIM_FILE_BYTES (UINT64_C(1) << 36) /* largest file */

typedef struct sim_node sim_node;

typedef struct sim_entry {
  char *name; /* owned */
  sim_node *node;
} sim_entry;

typedef struct sim_entries {
  sim_entry *items; /* in order of creation */
  size_t count;
  size_t capacity;
} sim_entries;

/* One state of a node: content of a file, or entries of a directory. */
typedef struct sim_state {
  sim_content content;
  sim_entries entries;
} sim_state;

typedef enum sim_unit_kind {
  SIM_UNIT_WRITE,  /* size bytes at offset */
  SIM_UNIT_RESIZE, /* the file's size becomes size; new bytes are zero */
  SIM_UNIT_ENTRY,  /* name now means node; NULL: nothing */
} sim_unit_kind;

typedef struct sim_unit {
  sim_unit_kind kind;
  uint64_t order; /* place in the machine's history */
  uint64_t offset;
  uint64_t size;
  uint8_t *bytes; /* owned */
  char *name;     /* owned */
  sim_node *node;
} sim_unit;

struct sim_node {
  size_t index;
  uint64_t inode;
  bool is_directory;
  bool is_locked; /* a gs_lock on it is held */
  bool is_marked; /* scratch of a walk over the nodes */
  uint32_t handles;
  sim_state durable;
  sim_state current;
  sim_unit *units; /* pending, oldest first */
  size_t unit_count;
  size_t unit_capacity;
};

/* A name in a directory, whether something has it or not. */
typedef struct sim_place {
  sim_node *dir;
  char name[SIM_NAME_BYTES + 1];
} sim_place;

typedef struct sim_fault {
  gs_sim_fault rule;
  char *suffix;  /* owned; that of the rule */
  uint64_t seen; /* matches so far */
} sim_fault;

typedef struct sim_alloc {
  gs_alloc base;
  uint64_t allocated_bytes;
  uint64_t until_failure; /* allocations; 0: none fails */
} sim_alloc;

struct gs_sim {
  gs_env env; /* first, so that a gs_env is its machine */
  sim_alloc alloc;
  uint64_t seed;    /* of the random models of a crash */
  uint64_t random;  /* state of random64 */
  uint64_t process; /* who runs on the machine; another after a crash */
  uint64_t mono_us;
  uint64_t wall_ms;
  uint64_t ops;
  uint64_t stop_at;
  uint64_t capacity;
  uint64_t next_order;
  uint64_t next_inode;
  sim_node **nodes;
  size_t node_count;
  size_t node_capacity;
  sim_fault *faults;
  size_t fault_count;
  size_t fault_capacity;
};

/* What becomes of one operation. */
typedef struct sim_verdict {
  int os_errno;
  size_t limit; /* bytes it may transfer */
  gs_sync_failure sync_failure;
} sim_verdict;

static inline gs_sim *
gs_sim_of(gs_env *env)
{
  return (gs_sim *)env;
}

/* books.c: the machine's own memory; never NULL. */

void *gs_sim_grab(size_t size); /* zeroed; Gives: free */
char *gs_sim_grab_text(const char *text, size_t size);
/* Doubles an array that is full; returns where it is now. */
void *gs_sim_grow(void *items, size_t count, size_t *capacity, size_t size);

/* A well mixed function of two numbers, and a generator over a state. */
uint64_t gs_sim_mix(uint64_t a, uint64_t b);
uint64_t gs_sim_draw(uint64_t *state);

/* node.c */

sim_node *gs_sim_node_add(gs_sim *sim, bool is_directory);
void gs_sim_node_free(sim_node *node);

/* A unit on the node, applied to its current state. Borrow bytes and name. */
void gs_sim_node_write(gs_sim *sim, sim_node *node, uint64_t offset,
                       const void *data, size_t size);
void gs_sim_node_resize(gs_sim *sim, sim_node *node, uint64_t size);
void gs_sim_node_enter(gs_sim *sim, sim_node *dir, const char *name,
                       sim_node *node);

/* The units become durable; or, in a file, what the failure says. */
void gs_sim_node_sync(sim_node *node);
void gs_sim_node_fail_sync(sim_node *node, gs_sync_failure failure);

/* The name means the node, durably; pending work on that name is forgotten. */
void gs_sim_node_settle(sim_node *dir, const char *name, sim_node *node);

/* Frees the nodes that nothing refers to. */
void gs_sim_collect(gs_sim *sim);

/* Bytes in files that have a name now or are open. */
uint64_t gs_sim_used_bytes(gs_sim *sim);

/* state.c */

void gs_sim_state_free(sim_state *state);
void gs_sim_state_apply(sim_state *state, const sim_unit *unit, sim_node *node);
sim_node *gs_sim_entries_find(const sim_entries *entries, const char *name);
void gs_sim_entries_set(sim_entries *entries, const char *name, sim_node *node);

/* path.c */

/* The node a path names now; 0, ENOENT, ENOTDIR or ENAMETOOLONG. */
int gs_sim_find(const gs_sim *sim, const char *path, sim_node **out);

/* Where a path's last name is or would be. EEXIST for the root, which is in no
 * directory. */
int gs_sim_find_place(const gs_sim *sim, const char *path, sim_place *out);

/* A new file or directory under a path that names nothing: else EEXIST. */
int gs_sim_make(gs_sim *sim, const char *path, bool is_directory,
                sim_node **out);

/* fault.c */

/* Counts the operation and asks the faults about it. */
sim_verdict gs_sim_begin(gs_sim *sim, gs_sim_op op, const char *path);

/* file.c, dir.c, lock.c, thread.c: the operations. */

int gs_sim_file_open(gs_env *env, const char *path, gs_open_mode mode,
                     gs_file **out);
int gs_sim_file_close(gs_file *file);
int64_t gs_sim_file_read(gs_file *file, uint64_t offset, void *data,
                         size_t size);
int64_t gs_sim_file_write(gs_file *file, uint64_t offset, const void *data,
                          size_t size);
int gs_sim_file_allocate(gs_file *file, uint64_t size);
int gs_sim_file_map(gs_file *file, uint64_t size);
int gs_sim_file_truncate(gs_file *file, uint64_t size);
int gs_sim_file_sync(gs_file *file);
int gs_sim_file_size(gs_file *file, uint64_t *out);
void gs_sim_file_advise(gs_file *file, uint64_t offset, uint64_t size,
                        gs_advice advice);

int gs_sim_dir_list(gs_env *env, const char *dir, gs_name_visitor visit,
                    void *context);
int gs_sim_dir_stat(gs_env *env, const char *path, gs_file_info *out);
int gs_sim_dir_make(gs_env *env, const char *path);
int gs_sim_dir_remove(gs_env *env, const char *path);
int gs_sim_dir_remove_dir(gs_env *env, const char *path);
int gs_sim_dir_link(gs_env *env, const char *from, const char *to);
int gs_sim_dir_sync(gs_env *env, const char *dir);
int gs_sim_dir_space(gs_env *env, const char *dir, gs_disk_space *out);

int gs_sim_lock_take(gs_env *env, const char *path, gs_lock **out, char *owner,
                     size_t owner_size);
void gs_sim_lock_drop(gs_lock *lock);

int gs_sim_mutex_new(gs_env *env, gs_mutex **out);
void gs_sim_mutex_free(gs_mutex *mutex);
void gs_sim_mutex_lock(gs_mutex *mutex);
void gs_sim_mutex_unlock(gs_mutex *mutex);
int gs_sim_cond_new(gs_env *env, gs_cond **out);
void gs_sim_cond_free(gs_cond *cond);
bool gs_sim_cond_wait(gs_cond *cond, gs_mutex *mutex, uint64_t timeout_us);
void gs_sim_cond_broadcast(gs_cond *cond);
int gs_sim_thread_start(gs_env *env, void (*run)(void *), void *arg,
                        gs_thread **out);
void gs_sim_thread_join(gs_thread *thread);
uint32_t gs_sim_thread_slot(gs_env *env);

/* alloc.c */

void *gs_sim_alloc_resize(gs_alloc *self, void *block, size_t old_size,
                          size_t new_size);

/* crash.c, scatter.c */

/* Sectors a write touches; 1 for any other unit. */
uint64_t gs_sim_unit_parts(const sim_unit *unit);

/* The node that stands in the copy for one of the original; NULL for NULL. */
sim_node *gs_sim_twin(const gs_sim *copy, const sim_node *node);

/* Lets some of every node's pending work through, each piece by chance. */
void gs_sim_scatter(gs_sim *copy, const gs_sim *sim, bool is_torn,
                    uint64_t random);

/* machine.c */

/* A machine without nodes. */
gs_sim *gs_sim_bare(uint64_t seed);

#endif
