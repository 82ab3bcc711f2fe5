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

#include "env/env.h"
#include "env/sim.h"
#include "env/sim/content.h"
#include "env/sim/crew.h"

enum {
  SIM_SECTOR = 512, /* what a disk writes as one, at first */
  SIM_SECTOR_MOST = 4096,
  SIM_NAME_BYTES = 255, /* longest name in a directory */
  SIM_GHOSTS = 2,       /* removed names that a directory remembers */
};

#define SIM_FILE_BYTES (UINT64_C(1) << 36) /* largest file */

typedef struct sim_node sim_node;

typedef struct sim_entry {
  const char *name; /* shared */
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
  const uint8_t *bytes; /* shared */
  const char *name;     /* shared */
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
  sim_entries ghosts; /* names removed for good; for the hostile crash */
  sim_unit *units;    /* pending, oldest first */
  size_t unit_count;
  size_t unit_capacity;
  size_t late_count; /* units a false sync claimed; lost by the next one */
  int late_errno;    /* which fails so */
};

/* A name in a directory, whether something has it or not. */
typedef struct sim_place {
  sim_node *dir;
  char name[SIM_NAME_BYTES + 1];
} sim_place;

typedef struct sim_fault {
  gs_sim_fault rule;
  char *path;    /* owned; that of the rule */
  uint64_t seen; /* matches so far */
} sim_fault;

typedef struct sim_alloc {
  gs_alloc base;
  uint64_t allocated_bytes;
  uint64_t asked;      /* allocations so far */
  uint64_t fails_from; /* the number of the first to fail; 0: none fails */
  uint64_t fails_to;   /* and of the last */
} sim_alloc;

/* Copies taken while the machine runs, see watch.c. */
typedef struct sim_watch {
  uint64_t from; /* operations before which copies are taken: from this one */
  uint64_t to;   /* up to this one, which is left out */
  bool has_looked;
  uint64_t order; /* next_order and pending units at the last look */
  uint64_t units;
  gs_sim **copies;
  size_t taken; /* of them, by the tester */
  size_t count;
  size_t capacity;
} sim_watch;

struct gs_sim {
  gs_env env; /* first, so that a gs_env is its machine */
  sim_alloc alloc;
  uint64_t seed;            /* of the random models of a crash */
  uint64_t random;          /* state of random64 */
  uint64_t chance;          /* state of the faults that come by chance */
  _Atomic uint64_t process; /* who runs on the machine; another after a crash */
  uint64_t mono_us;
  uint64_t wall_ms;
  uint64_t ops;
  uint64_t stop_at;
  uint64_t capacity;
  uint64_t open_files;
  uint64_t open_limit; /* 0: none */
  uint32_t sector;
  uint64_t next_order;
  uint64_t next_inode;
  sim_node **nodes;
  size_t node_count;
  size_t node_capacity;
  sim_fault *faults;
  size_t fault_count;
  size_t fault_capacity;
  bool is_tracing;
  gs_buffer trace;
  sim_crew crew;
  sim_watch watch;
};

static inline gs_sim *
gs_sim_of(gs_env *env)
{
  return (gs_sim *)env;
}

/* books.c: the machine's own memory; never NULL. */

void *gs_sim_grab(size_t size); /* zeroed; Gives: free */
char *gs_sim_grab_text(const char *text, size_t size);

/* The same for buffers. */
gs_alloc *gs_sim_books_alloc(void);

/* Counted blocks that many may hold and nobody changes: a copy of the bytes,
 * ended with a zero; one holder more; one holder less. NULL is accepted. */
void *gs_sim_share(const void *data, size_t size);
void *gs_sim_share_again(const void *block);
void gs_sim_share_no_more(const void *block);

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

/* The units become durable; or, in a file, what the failure says. LATE: the
 * next sync of the file will be told to fail with this errno value. */
void gs_sim_node_sync(sim_node *node);
void gs_sim_node_fail_sync(sim_node *node, gs_sync_failure failure);
void gs_sim_node_sync_late(sim_node *node, int os_errno);

/* What an earlier sync owes: loses its units and returns its errno value. */
int gs_sim_node_settle_late(sim_node *node);

/* The name means the node, durably; pending work on that name is forgotten. */
void gs_sim_node_settle(sim_node *dir, const char *name, sim_node *node);

/* Frees the nodes that nothing refers to. */
void gs_sim_collect(gs_sim *sim);

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

/* pattern.c */

bool gs_sim_pattern_matches(const char *pattern, const char *text);

/* watch.c */

/* Called before each operation that counts. */
void gs_sim_watch_look(gs_sim *sim);
void gs_sim_watch_end(gs_sim *sim); /* frees the copies not yet taken */

/* alloc.c */

void *gs_sim_alloc_resize(gs_alloc *self, void *block, size_t old_size,
                          size_t new_size);

/* machine.c */

/* A machine without nodes. */
gs_sim *gs_sim_bare(uint64_t seed);

#endif
