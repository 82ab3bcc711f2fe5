/*
 * store: the engine's state, for the files of this folder only.
 *
 * Model: three locks divide the state; each member says which one guards it.
 *   commit   writers: the log, the active memtable, sequence numbers
 *   install  the manifest file: one change of the tree at a time
 *   state    short, in memory only: jobs, claims, snapshots, the current view
 * They are taken in this order: commit, install, state. Nothing waits for the
 * device under `state`. Around them stand `turn`, before commit and with nothing
 * held (turn.h), and `calls`, last, for the log thread's sleep. The journal's
 * files have a lock of their own, see journal.h, and so has what removes files,
 * see remover.h.
 *   S1 visible_seq <= next_seq - 1; every entry <= visible_seq is in the view
 *      of any reader that loads the view afterwards.
 *   S2 An acknowledged sync write is <= durable_seq; visible_seq never passes a
 *      sync write that is not.
 *   S3 Sealed memtables are flushed oldest first; entries <= flushed_seq are in
 *      runs.
 *   S4 After a failed log write or sync `failure` is set, and no write is
 *      accepted until a resume; reads go on. Writes that were on their way then
 *      are never seen in this opening, whatever comes later.
 *
 * Life: gs_open makes it (or counts it up), gs_close ends it.
 * Threads: members marked atomic may be read anywhere.
 */
#ifndef GS_STORE_STORE_H
#define GS_STORE_STORE_H

#include <stdatomic.h>

#include "data/batch.h"
#include "env/env.h"
#include "env/epoch.h"
#include "grainstore.h"
#include "mem/memtable.h"
#include "merge/drop.h"
#include "sst/cache.h"
#include "sst/table.h"
#include "store/ballast.h"
#include "store/clock.h"
#include "store/journal.h"
#include "store/note.h"
#include "store/remover.h"
#include "store/room.h"
#include "store/view.h"
#include "store/wal.h"
#include "tree/floor.h"
#include "tree/manifest.h"
#include "tree/plan.h"

typedef struct gs_job gs_job;
typedef struct gs_deciding gs_deciding; /* see decider.h */

enum {
  GS_THREADS_MAX = 16,
  GS_JOBS_MAX = 256, /* with a claim, on the list at once */
  GS_LEVELS = GS_PLAN_MAX_LEVEL + 1,
  GS_COUNTER_SLOTS = GS_EPOCH_SLOTS,
};

/* Counters of readers, one line per thread so that reads share nothing. */
typedef struct gs_read_counters {
  atomic_uint_fast64_t gets;
  atomic_uint_fast64_t hits;
  atomic_uint_fast64_t scans;
  uint64_t padding[5];
} gs_read_counters;

/* Waits of writers for one reason. */
typedef struct gs_stall_counters {
  atomic_uint_fast64_t count, total_us, max_us;
} gs_stall_counters;

/* Counters of writers and jobs; each guarded by the lock its writer holds. */
typedef struct gs_counters {
  atomic_uint_fast64_t puts, deletes, batches, commits;
  atomic_uint_fast64_t user_bytes, wal_bytes, flush_bytes, flush_data_bytes;
  atomic_uint_fast64_t merge_bytes_written, merge_bytes_read;
  atomic_uint_fast64_t flushes, merges, moves, drops, plans_refused;
  atomic_uint_fast64_t jobs_failed;
  atomic_uint_fast64_t dropped_covered, dropped_tombstones, dropped_expired;
  atomic_uint_fast64_t wal_syncs, sync_waits;
  gs_stall_counters stalls[GS_STALL_REASONS];
  _Atomic(const char *) stall_reason;
  atomic_uint_fast64_t clock_warnings, resumes;
  uint64_t recovered_batches, recovered_torn_bytes; /* set at open */
  uint64_t recovered_bits, foreign_files, degraded_tables;
  bool is_salvaged;
} gs_counters;

/* The note as it was when a memtable was sealed: what its flush makes durable,
 * whatever note came later. */
typedef struct gs_sealed_note {
  const gs_memtable *memtable; /* NULL: not in use */
  gs_buffer text;
  uint64_t seq;
  uint64_t frame; /* of the log that it waits for; 0: none */
  uint64_t number;
} gs_sealed_note;

/* What a policy said of one level; 0: the store's option. */
typedef struct gs_level_layout {
  atomic_uint_fast64_t table_bytes, block_bytes, compression;
} gs_level_layout;

/* How much was written until a decision, and how fast between the last two. */
typedef struct gs_rates {
  uint64_t at_us; /* 0: no decision yet */
  uint64_t user_bytes, flush_bytes, merge_bytes;
  double user, flush, merge; /* bytes a second */
} gs_rates;

/* See throttle.h. */
typedef struct gs_throttle {
  atomic_uint_fast64_t bytes_per_s; /* 0: none; changes under lock */
  gs_mutex *lock;                   /* taken last; guards what follows */
  gs_cond *changed;
  uint64_t asked_bytes;
  uint64_t passed_bytes;
  uint64_t passed_at_us; /* when they were reckoned */
} gs_throttle;

struct gs_snapshot {
  gs_store *store;
  uint64_t seq;
  uint64_t clock_ms;
  gs_snapshot *next; /* newer; under state */
  gs_snapshot *prev; /* older; under state */
};

struct gs_store {
  /* Fixed at open. */
  gs_env *env;
  gs_alloc *alloc;
  char *path;
  size_t path_size; /* bytes allocated for path */
  gs_store_kind kind;
  gs_options options; /* numbers that may change are read through the atomics
                         of `limits` */
  gs_store_id store_id;
  uint64_t salt;        /* of the tables' checksums */
  uint64_t incarnation; /* of this opening */
  uint64_t process_id;
  uint64_t device; /* identity of the directory */
  uint64_t inode;
  bool is_readonly;
  bool is_degraded; /* damaged tables were left out */

  atomic_uint opens; /* see registry.h */

  gs_lock *lock;
  gs_epoch *epoch;
  gs_cache *cache;

  /* Read by everyone. */
  _Atomic(gs_view *) view; /* replaced under state */
  atomic_uint_fast64_t visible_seq;
  atomic_uint_fast64_t durable_seq;
  atomic_uint_fast64_t flushed_seq;  /* entries up to here are in runs */
  atomic_uint_fast64_t reserved_seq; /* without a log: numbers up to here may be
                                        given out, see reserve.h */
  atomic_uint_fast64_t clock_ms;     /* largest time seen */
  gs_clock clock;
  atomic_bool wants_decision;
  atomic_bool is_driven; /* the caller makes plans, see decision.h */
  atomic_uint_fast64_t charge;
  atomic_bool decides_inside; /* a decider without a thread is there */
  gs_throttle throttle;
  gs_level_layout layouts[GS_LEVELS];
  atomic_size_t run_count;    /* of the current version */
  atomic_size_t sealed_count; /* memtables waiting for their flush */
  gs_read_counters *read_counters;
  gs_counters counters;

  /* Options that may change while open. */
  struct {
    atomic_uint_fast64_t memtable_bytes, wal_batch_ms, max_stall_ms;
    atomic_uint_fast64_t default_ttl_ms, max_wal_bytes, table_bytes;
    atomic_uint_fast64_t disk_reserve_bytes, memory_bytes;
  } limits;

  /* Under commit. */
  gs_mutex *commit;
  gs_cond *synced;         /* a sync ended, a segment is ready, a failure */
  gs_cond *gathered;       /* those who wait for the device are all there */
  gs_memtable *active;     /* the view's first memtable */
  gs_spare spare;          /* memory of memtables of the usual size */
  uint64_t ask_at_bytes;   /* of the active memtable, see decision.h */
  uint64_t ask_more_bytes; /* by which a memtable may grow; 0: as it likes */
  uint64_t next_seq;
  uint64_t awaited_frame; /* of the log: the last one that a writer waits for */
  bool is_syncing;
  size_t waiting_count; /* writers that wait for the device */
  gs_wal wal;
  gs_ballast ballast;
  gs_batch scratch; /* single writes are encoded here */
  atomic_bool has_failed;
  bool is_ending;           /* being closed: no memtable takes entries now */
  bool disk_is_low;         /* found by the last look at the disk */
  uint64_t disk_look_bytes; /* user bytes written at which to look again */
  uint64_t brake_bytes;     /* and at which the next pause begins, */
  uint64_t brake_until_us;  /* which ends then */
  gs_note note;
  gs_sealed_note sealed_notes[GS_SEALED_MAX]; /* of memtables whose flush has
                                                 not begun */

  /* Who gets commit next, see turn.h. */
  gs_mutex *turn;
  atomic_bool turn_is_asked; /* written under turn */

  /* Under calls. */
  gs_mutex *calls;
  gs_cond *log_work;  /* the log thread has something to do */
  uint64_t log_calls; /* how often it was told so; written under commit too */

  /* Under install. */
  gs_mutex *install;
  gs_manifest *manifest;     /* NULL until the first change */
  uint64_t manifest_number;  /* highest in the directory */
  uint64_t read_manifest;    /* the one that was read at open; 0: none */
  gs_manifest_state tree;    /* its version is also in the view */
  uint64_t tree_note_number; /* of its note; 0: of an earlier opening */
  atomic_uint_fast64_t next_id;

  /* Under state. */
  gs_mutex *state;
  gs_cond *work;     /* a job is queued, or the store is closing */
  gs_cond *asked;    /* a decision is wanted, or the decider is to end */
  gs_cond *progress; /* a job ended a step that others may wait for */
  gs_job *jobs;      /* queued and running, in order of submission */
  uint64_t next_job_id;
  gs_deciding *deciding; /* NULL: none */
  gs_policy_state policy;
  gs_rates rates;
  uint64_t wake_at_us;    /* a decision is wanted then; 0: never */
  uint64_t merge_hold_us; /* no merge starts before: the last one failed */
  gs_snapshot *oldest;    /* snapshots, sequence numbers rise */
  gs_snapshot *newest;
  uint64_t snapshot_count;
  bool is_closing;    /* written under commit and state */
  bool is_resuming;   /* likewise: memory and log belong to gs_resume */
  gs_error failure;   /* why writes are refused, once has_failed */
  const char *reason; /* of the last change of the tree */

  gs_recorder recorder; /* its members say what guards them */
  gs_remover remover;   /* likewise */

  gs_thread *workers[GS_THREADS_MAX];
  size_t worker_count;
  gs_thread *log_thread;
};

/* ---- small helpers used by several files ---------------------------------- */

/* What gs_store_check tells a child: GS_FORKED. */
gs_status gs_store_fail_forked(const gs_store *store, gs_error *err);

/* GS_OK, or GS_FORKED in a child of the process that opened the store. */
static inline gs_status
gs_store_check(const gs_store *store, gs_error *err)
{
  return store->process_id == gs_env_process(store->env)
             ? GS_OK
             : gs_store_fail_forked(store, err);
}

/* As gs_store_check, and GS_READONLY or the sticky failure. */
gs_status gs_store_check_writable(gs_store *store, gs_error *err);

/* Makes the store refuse writes for good. Takes state. */
void gs_store_fail(gs_store *store, gs_status status, const gs_error *err);

/* The store's clock; raises clock_ms. */
uint64_t gs_store_clock(gs_store *store);

/* A file or run number never used before. */
uint64_t gs_store_new_id(gs_store *store);

static inline void
gs_tally(atomic_uint_fast64_t *counter, uint64_t more)
{
  atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

/* For a counter that one thread writes: no locked instruction. */
static inline void
gs_tally_own(atomic_uint_fast64_t *counter, uint64_t more)
{
  uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);
  atomic_store_explicit(counter, now + more, memory_order_relaxed);
}

static inline uint64_t
gs_limit(atomic_uint_fast64_t *limit)
{
  return atomic_load_explicit(limit, memory_order_relaxed);
}

/* The current view with a reference of the caller's. */
gs_view *gs_store_pin_view(gs_store *store);

/* Builds and publishes the view of these places; retires the one before.
 * Requires: state held. */
GS_MUST_CHECK gs_status gs_store_publish(gs_store *store,
                                         gs_memtable *const *memtables,
                                         size_t memtable_count,
                                         gs_version *version, gs_error *err);

/* Q: the live snapshots, sequence numbers rising; frees with the allocator
 * (count * sizeof). Takes state. */
GS_MUST_CHECK gs_status gs_store_list_snapshots(gs_store *store,
                                                gs_snapshot_point **points,
                                                size_t *count, gs_error *err);

/* ---- tables (tables.c) ---------------------------------------------------- */

/* The open table behind a table of the tree; valid as long as a reference on
 * the tree's table is held. */
GS_MUST_CHECK gs_status gs_store_table(gs_store *store, gs_tree_table *table,
                                       gs_table **out, gs_error *err);

/* Release hook of the tree's tables. */
void gs_store_release_table(gs_tree_table *table);

/* Hangs the store on every table of a version that has no owner yet. */
void gs_store_adopt_tables(gs_store *store, gs_version *version);

/* ---- installing changes (install.c) --------------------------------------- */

/*
 * Makes an edit durable and takes it into the tree. The facts (next id, clock,
 * flushed_seq as given) are added here. flushed (may be NULL) is the sealed
 * memtable that leaves the view. known: tables of the edit that are already
 * open. Requires: install held, state not held.
 */
typedef struct gs_install {
  gs_edit *edit;
  gs_memtable *flushed;
  gs_memtable *only;    /* not NULL: the view's only memtable from then on */
  uint64_t flushed_seq; /* 0: unchanged */
  uint64_t note_number; /* of the note in the edit; 0: it has none */
  gs_tree_table *const *known;
  size_t known_count;
  bool is_clean;      /* the store is being closed in order */
  const char *reason; /* "flush", "merge", …; NULL: the tree stays */
  bool is_durable;    /* out: the edit may be seen by the next open, whatever
                         is returned: its files must stay */
} gs_install;

GS_MUST_CHECK gs_status gs_store_install(gs_store *store, gs_install *change,
                                         gs_error *err);

/* Takes the clean mark back, if it stands, before the first table of an opening
 * is written. Takes install. */
GS_MUST_CHECK gs_status gs_store_leave_clean(gs_store *store, gs_error *err);

/* ---- writing (commit.c) ---------------------------------------------------- */

typedef struct gs_commit_result {
  uint64_t first;
  uint64_t last;
} gs_commit_result;

/* Commits a payload. Takes commit; waits for the device where asked. */
GS_MUST_CHECK gs_status gs_store_commit(gs_store *store, gs_batch *batch,
                                        bool sync, gs_commit_result *result,
                                        gs_error *err);

/* The same with commit held and room made; *wait_frame (0: none) is what the
 * caller must give gs_store_finish. */
GS_MUST_CHECK gs_status gs_store_commit_locked(gs_store *store, gs_batch *batch,
                                               bool sync,
                                               gs_commit_result *result,
                                               uint64_t *wait_frame,
                                               gs_error *err);

/* Waits until the device has that frame. Requires: commit held; it is released
 * meanwhile. */
GS_MUST_CHECK gs_status gs_store_finish(gs_store *store, uint64_t wait_frame,
                                        gs_error *err);

/* The entry expires when: the options and the store's default say. 0: never.
 * GS_MISUSE for both a ttl and a time. */
GS_MUST_CHECK gs_status gs_store_expiry(gs_store *store,
                                        const gs_write_options *options,
                                        uint64_t now_ms, uint64_t *out,
                                        gs_error *err);

/* Sealed memtable, fresh active one; a small one where the store is ending.
 * Requires: commit held. min_bytes: room the new one must have at least. */
GS_MUST_CHECK gs_status gs_store_seal(gs_store *store, size_t min_bytes,
                                      gs_error *err);

/* Writes a record the way the log wants it (u32 keys little-endian). */
void gs_store_encode_put(gs_store *store, gs_batch *batch, gs_slice key,
                         gs_slice value, uint64_t expires_at_ms);
void gs_store_encode_delete(gs_store *store, gs_batch *batch, gs_slice key);

/* Turns the key of a log record into the key of memtables and tables; bytes is
 * room for it. */
gs_slice gs_store_decode_key(const gs_store *store, gs_slice key,
                             uint8_t bytes[4]);

/* GS_UNSUPPORTED where a write wants the device and there is no log. */
GS_MUST_CHECK gs_status gs_store_check_sync(const gs_store *store, bool sync,
                                            gs_error *err);

/* GS_MISUSE or GS_TOOLARGE for a key the store cannot hold. */
GS_MUST_CHECK gs_status gs_store_check_key(const gs_store *store, gs_slice key,
                                           gs_error *err);

/* The same for a key and its value. */
GS_MUST_CHECK gs_status gs_store_check_entry(const gs_store *store,
                                             gs_slice key, gs_slice value,
                                             gs_error *err);

/* Whether the newest note counts already. Requires: commit held. */
static inline bool
gs_store_note_is_settled(const gs_store *store)
{
  return store->note.frame <= store->wal.durable_frame;
}

/* ---- waiting for the device (await.c) -------------------------------------- */

/* Waits until the device has that frame of the log: what it and those before it
 * wrote is visible then. Also for somebody who wrote nothing and saw what stands
 * there. Requires: commit held; it is released meanwhile. */
GS_MUST_CHECK gs_status gs_store_await(gs_store *store, uint64_t frame,
                                       gs_error *err);

/* ---- reading (read.c) ------------------------------------------------------ */

/* Where a reader stands: view and moment. */
typedef struct gs_read_point {
  gs_view *view;
  uint64_t seq;
  uint64_t now_ms; /* 0: ask the clock when an expiry is met */
} gs_read_point;

/* Newest version <= the point's sequence, dead or alive; GS_ABSENT: none.
 * Requires: inside an epoch; *out valid until it is left. */
GS_MUST_CHECK gs_status gs_store_find(gs_store *store,
                                      const gs_read_point *point, gs_slice key,
                                      gs_entry *out, gs_error *err);

/* ---- jobs (job.c) ----------------------------------------------------------- */

/* Does one step of the most urgent job. False when there was none to do.
 * For threads = 0. */
bool gs_store_run_step(gs_store *store);

GS_MUST_CHECK gs_status gs_store_start_threads(gs_store *store, gs_error *err);
void gs_store_stop_threads(gs_store *store);

#endif
