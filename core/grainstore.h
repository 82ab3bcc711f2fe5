/*
 * grainstore: an embedded key-value store on a log-structured merge tree.
 *
 * This is the whole C interface: a C program needs nothing else, and the Lua
 * module is written against it alone.
 *
 * Model: a store is a directory. It holds keys and values, byte strings of any
 * content; keys are ordered by unsigned bytes. A u32 store holds 32-bit numbers
 * under 32-bit numbers: its keys are given here as four bytes, big-endian (see
 * gs_key_from_u32), its values as four bytes, little-endian.
 * Every entry written takes a sequence number, from 1, never used twice. Reads
 * see what was committed before they began; a snapshot sees one moment for
 * ever.
 *
 * Life: each handle has one function that makes it and one that ends it.
 * Handles of a store (snapshots, cursors, batches) are ended before the store
 * is closed. Slices given out say until when they are valid.
 *
 * Threads: a gs_store may be used from any number of threads at once. A
 * snapshot too. A cursor, a batch and a gs_value belong to one thread at a
 * time. No function may be called from a signal handler. After fork the child
 * may only call gs_close on stores of its parent; all else fails GS_FORKED.
 *
 * Errors: functions return a gs_status. GS_OK is success, GS_ABSENT a key that
 * is not there; for all else *err (which may be NULL) says what, where and what
 * next. A failed call changed nothing, unless its text says otherwise.
 */
#ifndef GS_GRAINSTORE_H
#define GS_GRAINSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/api.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"
#include "base/status.h"
#include "store/care.h"
#include "store/event.h"
#include "store/layout_types.h"
#include "tree/plan_types.h"
#include "tree/shape_types.h"

#define GS_VERSION_TEXT  "0.1.0"
#define GS_FORMAT_NUMBER 1

typedef struct gs_store gs_store;
typedef struct gs_snapshot gs_snapshot;
typedef struct gs_scan gs_scan;               /* a reader's cursor */
typedef struct gs_write_batch gs_write_batch; /* writes that happen together */
struct gs_env;                                /* a machine, see env/env.h */

/* ---- options -------------------------------------------------------------- */

typedef enum gs_store_kind {
  GS_STORE_ANY = 0,   /* whatever is there; creates a bytes store */
  GS_STORE_BYTES = 1, /* on disk */
  GS_STORE_U32 = 2,   /* on disk */
} gs_store_kind;

/* What survives what; see README. */
typedef enum gs_durability {
  GS_DURABILITY_SYNC = 1,   /* on the device before a write returns */
  GS_DURABILITY_BATCH = 2,  /* in the system; on the device within the window */
  GS_DURABILITY_OS = 3,     /* in the system before a write returns */
  GS_DURABILITY_MEMORY = 4, /* in the process; no log */
} gs_durability;

/* What to do about a log that is damaged where it had been durable. */
typedef enum gs_salvage {
  GS_SALVAGE_NONE = 0,   /* refuse to open */
  GS_SALVAGE_PREFIX = 1, /* give up all that follows the last good write */
} gs_salvage;

typedef struct gs_options {
  struct gs_env *env; /* NULL: the real machine */
  gs_store_kind kind;
  bool create;      /* make the store where there is none */
  bool must_create; /* GS_EXISTS where there is one */
  bool readonly;    /* a view of the moment of opening; takes no lock */
  bool degraded;    /* with readonly: damaged tables do not keep the rest from
                       being read; reads of their keys fail */
  gs_salvage salvage;
  gs_durability durability;
  uint64_t wal_batch_ms;       /* window of GS_DURABILITY_BATCH, 1 to 60000 */
  uint64_t wal_batch_bytes;    /* and its bound in bytes */
  uint64_t memory_bytes;       /* ceiling for memtables, cache and indexes */
  uint64_t memtable_bytes;     /* 0: memory_bytes / 8, at most 64 MiB */
  uint64_t max_wal_bytes;      /* 0: 4 memtables; reaching it forces a flush */
  uint64_t table_bytes;        /* where output tables are cut */
  uint32_t block_bytes;        /* 256 to 65536 */
  gs_compression compression;  /* of tables made from now on */
  uint32_t threads;            /* workers; 0: work is done inside calls */
  uint64_t default_ttl_ms;     /* for puts without their own; 0: none */
  uint64_t max_stall_ms;       /* longest wait of one write before GS_BUSY */
  bool fail_on_stall;          /* GS_BUSY at once instead of waiting */
  uint64_t disk_reserve_bytes; /* below it puts fail GS_FULL */
  uint64_t journal_bytes;      /* what files of events may take; 0: there are
                                  none, see store/event.h */
  bool has_policy;             /* the caller makes plans (gs_submit); false: the
                               built-in policy does. See gs_set_policy_driven */
  bool may_lose;               /* plans of op "drop" may take what has not
                               expired. Nothing on disk remembers it */
  uint64_t seed;               /* fixes random choices; 0: from the machine */
} gs_options;

GS_API void gs_options_init(gs_options *options);

/* ---- stores --------------------------------------------------------------- */

/* The same directory opened twice in one process is one store, to be closed
 * twice; options given the second time must agree in kind (GS_KIND) and
 * durability, env and readonly (GS_MISMATCH). A failed open creates, cuts and
 * deletes nothing of the store; it may delete files that no manifest lists. */
GS_API GS_MUST_CHECK gs_status gs_open(const char *path,
                                       const gs_options *options,
                                       gs_store **out, gs_error *err);

/* Ends the store with its last open: flushes, syncs, releases. The handle is
 * gone whatever is returned; an error says what could not be flushed (the log
 * still holds it). NULL is accepted. */
GS_API gs_status gs_close(gs_store *store, gs_error *err);

/* How many opens of this process share the store now. */
GS_API unsigned gs_get_opens(const gs_store *store);

GS_API gs_store_kind gs_get_kind(const gs_store *store);
GS_API const char *gs_get_path(const gs_store *store);
GS_API void gs_get_options(const gs_store *store, gs_options *out);

/* Changes one of the numbers that may change while the store is open, by its
 * field name ("memtable_bytes", "wal_batch_ms", "max_stall_ms",
 * "default_ttl_ms", "max_wal_bytes", "table_bytes", "disk_reserve_bytes",
 * "memory_bytes"). GS_MISUSE for others. */
GS_API GS_MUST_CHECK gs_status gs_set_option(gs_store *store, const char *name,
                                             uint64_t value, gs_error *err);

/* Whether that takes the name. */
GS_API bool gs_can_set_option(gs_store *store, const char *name);

/* The allocator of the store's machine. */
GS_API gs_alloc *gs_get_alloc(const gs_store *store);
/* The allocator of a machine; env NULL: the real one. */
GS_API gs_alloc *gs_get_env_alloc(struct gs_env *env);

/* What is known of a directory without opening it. */
typedef struct gs_info {
  gs_store_kind kind;
  uint32_t format;
  uint64_t table_bytes;
  uint64_t table_count;
  uint64_t run_count;
  uint64_t entry_count; /* in tables, tombstones and old versions included */
  uint64_t flushed_seq;
  uint64_t last_seq;  /* the last one a reader would see, as far as the log can
                         be read */
  uint64_t log_bytes; /* of the segments that the manifest lists */
  uint64_t all_bytes; /* of all files of the store */
  bool is_clean;      /* closed in order */
  bool is_open;       /* for writing, by some process */
  char owner[64];     /* of that: its number and program, as far as known */
} gs_info;

GS_API GS_MUST_CHECK gs_status gs_inspect(struct gs_env *env, const char *path,
                                          gs_info *out, gs_error *err);

/* Deletes a closed store: its files, and the directory if nothing else is in
 * it. GS_LOCKED while it is open. */
GS_API GS_MUST_CHECK gs_status gs_destroy(struct gs_env *env, const char *path,
                                          gs_error *err);

/* The four bytes of a u32 store's key. */
static inline gs_slice
gs_key_from_u32(uint32_t number, uint8_t bytes[4])
{
  bytes[0] = (uint8_t)(number >> 24);
  bytes[1] = (uint8_t)(number >> 16);
  bytes[2] = (uint8_t)(number >> 8);
  bytes[3] = (uint8_t)number;
  return gs_slice_of(bytes, 4);
}

static inline gs_slice
gs_value_from_u32(uint32_t number, uint8_t bytes[4])
{
  bytes[0] = (uint8_t)number;
  bytes[1] = (uint8_t)(number >> 8);
  bytes[2] = (uint8_t)(number >> 16);
  bytes[3] = (uint8_t)(number >> 24);
  return gs_slice_of(bytes, 4);
}

/* ---- reading -------------------------------------------------------------- */

/* A value out of the store, and memory that is used again by the next read. */
typedef struct gs_value {
  gs_buffer bytes;
  uint64_t seq;
  uint64_t expires_at_ms; /* 0: never */
} gs_value;

GS_API void gs_value_init(gs_value *value, const gs_store *store);
GS_API void gs_value_deinit(gs_value *value);

/* snapshot NULL: now. GS_ABSENT where there is no live entry. */
GS_API GS_MUST_CHECK gs_status gs_get(gs_store *store,
                                      const gs_snapshot *snapshot, gs_slice key,
                                      gs_value *out, gs_error *err);

/* As gs_get without the value's bytes; seq and expires_at_ms when out is given
 * (it may be NULL). */
GS_API GS_MUST_CHECK gs_status gs_contains(gs_store *store,
                                           const gs_snapshot *snapshot,
                                           gs_slice key, gs_value *out,
                                           gs_error *err);

/* Where one of many values stands in the shared bytes. */
typedef struct gs_found {
  bool is_present;
  size_t offset;
  size_t size;
} gs_found;

/* All keys at one moment. bytes is cleared first; found has key_count rows. */
GS_API GS_MUST_CHECK gs_status gs_get_many(gs_store *store,
                                           const gs_snapshot *snapshot,
                                           const gs_slice *keys,
                                           size_t key_count, gs_buffer *bytes,
                                           gs_found *found, gs_error *err);

/* Keys k with from <= k, and k < to where has_to. */
typedef struct gs_range {
  gs_slice from;
  gs_slice to;
  bool has_to;
} gs_range;

/* The range of all keys with the prefix; end receives the bytes of `to`. */
GS_API GS_MUST_CHECK gs_status gs_range_of_prefix(gs_slice prefix,
                                                  gs_buffer *end, gs_range *out,
                                                  gs_error *err);

GS_API GS_MUST_CHECK gs_status gs_count(gs_store *store,
                                        const gs_snapshot *snapshot,
                                        const gs_range *range, uint64_t *out,
                                        gs_error *err);

/* From metadata alone: versions and bytes of tables that meet the range. */
GS_API GS_MUST_CHECK gs_status gs_approx(gs_store *store, const gs_range *range,
                                         uint64_t *entries, uint64_t *bytes,
                                         gs_error *err);

/* A cursor over the live entries of the range as of now or of the snapshot. It
 * holds its view until freed. It stands nowhere at first. */
GS_API GS_MUST_CHECK gs_status gs_scan_new(gs_store *store,
                                           const gs_snapshot *snapshot,
                                           const gs_range *range, gs_scan **out,
                                           gs_error *err);
GS_API void gs_scan_free(gs_scan *scan); /* NULL is accepted */

/* Moves: GS_OK and standing on an entry; GS_ABSENT and standing nowhere; or an
 * error and standing nowhere. next and prev from nowhere: GS_ABSENT. */
GS_API GS_MUST_CHECK gs_status gs_scan_first(gs_scan *scan, gs_error *err);
GS_API GS_MUST_CHECK gs_status gs_scan_last(gs_scan *scan, gs_error *err);
GS_API GS_MUST_CHECK gs_status gs_scan_next(gs_scan *scan, gs_error *err);
GS_API GS_MUST_CHECK gs_status gs_scan_prev(gs_scan *scan, gs_error *err);
/* To the first key >= key, which may be part of the entry stood on. */
GS_API GS_MUST_CHECK gs_status gs_scan_seek(gs_scan *scan, gs_slice key,
                                            gs_error *err);
/* To the last key < key, likewise. */
GS_API GS_MUST_CHECK gs_status gs_scan_seek_before(gs_scan *scan, gs_slice key,
                                                   gs_error *err);

/* While standing on an entry; valid until the next move or free. */
GS_API gs_slice gs_scan_key(const gs_scan *scan);
GS_API gs_slice gs_scan_value(const gs_scan *scan);
GS_API uint64_t gs_scan_seq(const gs_scan *scan);

GS_API GS_MUST_CHECK gs_status gs_snapshot_new(gs_store *store,
                                               gs_snapshot **out,
                                               gs_error *err);
GS_API void gs_snapshot_free(gs_snapshot *snapshot); /* NULL is accepted */
GS_API uint64_t gs_snapshot_seq(const gs_snapshot *snapshot);
GS_API uint64_t gs_snapshot_clock_ms(const gs_snapshot *snapshot);

/* ---- writing -------------------------------------------------------------- */

typedef struct gs_write_options {
  uint64_t ttl_ms;        /* readable for so long; see has_ttl */
  bool has_ttl;           /* false: the store's default */
  uint64_t expires_at_ms; /* instead of ttl_ms; 0: not given */
  bool sync;              /* on the device before return; GS_UNSUPPORTED with
                             GS_DURABILITY_MEMORY, see gs_flush */
} gs_write_options;

/* options may be NULL. seq (may be NULL) receives the sequence number. */
GS_API GS_MUST_CHECK gs_status gs_put(gs_store *store, gs_slice key,
                                      gs_slice value,
                                      const gs_write_options *options,
                                      uint64_t *seq, gs_error *err);

/* Writes a tombstone whether or not the key is there. */
GS_API GS_MUST_CHECK gs_status gs_delete(gs_store *store, gs_slice key,
                                         const gs_write_options *options,
                                         uint64_t *seq, gs_error *err);

/* Reads and deletes in one step. GS_ABSENT: nothing was written. */
GS_API GS_MUST_CHECK gs_status gs_take(gs_store *store, gs_slice key,
                                       const gs_write_options *options,
                                       gs_value *out, gs_error *err);

/* What a conditional write expects and does. */
typedef struct gs_exchange {
  const gs_slice *expected; /* NULL: the key must be absent */
  const gs_slice *value;    /* NULL: delete */
} gs_exchange;

typedef struct gs_put_if_result {
  bool is_done;
  bool is_present; /* when not done: whether there is a present value */
} gs_put_if_result;

/* Writes only if the present value is the expected one; otherwise *current
 * holds the present value, if there is one. */
GS_API GS_MUST_CHECK gs_status gs_put_if(gs_store *store, gs_slice key,
                                         const gs_exchange *exchange,
                                         const gs_write_options *options,
                                         gs_value *current,
                                         gs_put_if_result *result,
                                         gs_error *err);

/* Rewrites the value with another expiry (0: none). GS_ABSENT: nothing. */
GS_API GS_MUST_CHECK gs_status gs_expire_at(gs_store *store, gs_slice key,
                                            uint64_t expires_at_ms,
                                            gs_error *err);

/* The store's clock: never goes back. */
GS_API uint64_t gs_now_ms(gs_store *store);

/* Batches. The bytes given are copied. Appends are sticky: the first failure
 * comes out of commit. */
GS_API GS_MUST_CHECK gs_status gs_write_batch_new(gs_store *store,
                                                  gs_write_batch **out,
                                                  gs_error *err);
GS_API void gs_write_batch_free(gs_write_batch *batch); /* NULL is accepted */
/* options: ttl and expiry only; may be NULL. A ttl counts from the commit. */
GS_API GS_MUST_CHECK gs_status
gs_write_batch_put(gs_write_batch *batch, gs_slice key, gs_slice value,
                   const gs_write_options *options, gs_error *err);
GS_API GS_MUST_CHECK gs_status gs_write_batch_delete(gs_write_batch *batch,
                                                     gs_slice key,
                                                     gs_error *err);
GS_API void gs_write_batch_clear(gs_write_batch *batch);
GS_API size_t gs_write_batch_count(const gs_write_batch *batch);
GS_API size_t gs_write_batch_bytes(const gs_write_batch *batch);

typedef struct gs_commit_options {
  bool sync;       /* as in gs_write_options */
  uint64_t now_ms; /* the time the batch carries; 0: the store's clock */
  gs_slice note;   /* kept as the store's note; see has_note */
  bool has_note;
} gs_commit_options;

/* All or nothing. Empties the batch on success. options may be NULL. first and
 * last receive sequence numbers; 0 for a batch without entries. */
GS_API GS_MUST_CHECK gs_status
gs_write_batch_commit(gs_write_batch *batch, const gs_commit_options *options,
                      uint64_t *first, uint64_t *last, gs_error *err);

/* The last committed note: GS_ABSENT where there is none. One that waits for the
 * device is not seen before it is there, like the entries of its write. */
GS_API GS_MUST_CHECK gs_status gs_get_note(gs_store *store, gs_value *out,
                                           gs_error *err);

/* ---- durability and work -------------------------------------------------- */

/* Puts everything committed so far on the device. */
GS_API GS_MUST_CHECK gs_status gs_sync(gs_store *store, gs_error *err);

/* After a failed log write or sync, when writes are refused: moves all of
 * memory into new tables, begins a new log, and takes writes again. Writes that
 * failed with is_doubtful are undone for good. GS_OK where nothing had failed.
 * On failure nothing changed, and it may be tried again. */
GS_API GS_MUST_CHECK gs_status gs_resume(gs_store *store, gs_error *err);

/* The system's time is right, however far it jumped: entries that have expired
 * by it may be dropped for good. Needed only after jumps of more than a week
 * while the store is open, or a year while it is closed, and then only to have
 * the space sooner. */
GS_API GS_MUST_CHECK gs_status gs_trust_clock(gs_store *store, gs_error *err);

GS_API uint64_t gs_last_seq(const gs_store *store);    /* last visible */
GS_API uint64_t gs_durable_seq(const gs_store *store); /* on the device */

/* Moves all of memory into tables and waits for it. */
GS_API GS_MUST_CHECK gs_status gs_flush(gs_store *store, gs_error *err);

/* Flushes, then merges all runs that meet the range into the oldest one of
 * them. range NULL: everything, into one run. Waits for it. */
GS_API GS_MUST_CHECK gs_status gs_compact(gs_store *store,
                                          const gs_range *range, gs_error *err);

/* Verifies a table file of any store of the same kind and takes its live
 * entries in, atomically, as if written now. The file is only read. */
GS_API GS_MUST_CHECK gs_status gs_attach(gs_store *store, const char *path,
                                         uint64_t *entries, gs_error *err);

/* With threads = 0: does background work for about that long. *more says
 * whether some is left. With threads there is nothing to do. */
GS_API GS_MUST_CHECK gs_status gs_step(gs_store *store, uint64_t budget_us,
                                       bool *more, gs_error *err);

/* Waits until no flush, merge, move or drop is queued or running. */
GS_API GS_MUST_CHECK gs_status gs_wait_idle(gs_store *store, gs_error *err);

/* Reads every live byte: checksums, order, bounds, counts, indexes, and the
 * tree's invariants. */
GS_API GS_MUST_CHECK gs_status gs_verify(gs_store *store, gs_error *err);

/* ---- policies ------------------------------------------------------------- */

/* Whether the policy is to be asked: since the last gs_shape_new the tree
 * changed, the memtable grew as far as gs_set_flush_ask said, the time of
 * gs_set_wake came, or writers wait for merges. One load. Never while the
 * built-in policy makes the plans. */
GS_API bool gs_wants_decision(const gs_store *store);

/* Who makes plans, while the store is open: the caller, or the built-in policy,
 * until the caller does again. Whatever the policy before asked for (throttle,
 * layout, flush ask, wake) is forgotten. */
GS_API GS_MUST_CHECK gs_status gs_set_policy_driven(gs_store *store,
                                                    bool is_driven,
                                                    gs_error *err);

/* A store that several have open has one policy: whoever takes charge gets a
 * number, and is in charge until somebody else takes it. Ends a decider, and
 * makes the store driven. */
GS_API GS_MUST_CHECK gs_status gs_take_charge(gs_store *store, uint64_t *charge,
                                              gs_error *err);
GS_API bool gs_is_in_charge(const gs_store *store, uint64_t charge);

/* Somebody who makes decisions on a thread of the store's machine. With
 * threads = 0 there is none: gs_step and gs_decide call it. */
typedef struct gs_decider {
  void (*decide)(void *context);  /* a decision is wanted */
  void (*release)(void *context); /* it is not called any more */
  void *context;
  const char *name; /* of its policy; read when it starts */
} gs_decider;

/* Takes charge for a decider. The next one to take charge, gs_stop_decider, and
 * the last gs_close of the store end it, and wait for a decision that is being
 * made. On failure nothing changed, and release is not called. */
GS_API GS_MUST_CHECK gs_status gs_start_decider(gs_store *store,
                                                const gs_decider *decider,
                                                uint64_t *charge,
                                                gs_error *err);
GS_API void gs_stop_decider(gs_store *store);
/* With threads = 0: calls the decider, if a decision is wanted. */
GS_API void gs_decide(gs_store *store);

/* What whoever is in charge tells of its policy. */
typedef struct gs_policy_state {
  char name[64];
  bool is_threaded;
  bool is_aside; /* the built-in policy makes the plans instead */
  uint64_t decisions;
  uint64_t errors;   /* of these: wrong answers, and none */
  uint64_t spent_us; /* inside the policy's functions */
  char error[256];   /* what was wrong last time; "": nothing */
} gs_policy_state;

/* From now on it is another one; texts are cut to the room. */
GS_API void gs_policy_begin(gs_store *store, const char *name,
                            bool is_threaded);
/* A decision was made; error NULL: nothing was wrong with it. is_aside: it is not
 * asked any more, and the built-in policy makes plans until somebody takes
 * charge. */
GS_API void gs_policy_note(gs_store *store, uint64_t spent_us,
                           const char *error, bool is_aside);
/* Zeros and "" where nobody ever took charge. */
GS_API void gs_policy_get(gs_store *store, gs_policy_state *out);

/* Microseconds from some start, on the store's machine. */
GS_API uint64_t gs_mono_us(const gs_store *store);

/* What a policy may set from one decision to the next; each is forgotten when
 * the policy is another one. */

/* Writers keep to so many bytes a second, waiting outside of all locks, each no
 * longer than max_stall_ms: then GS_BUSY, reason "throttle". With threads = 0 a
 * write does a step of work instead. 0: none. */
GS_API GS_MUST_CHECK gs_status gs_set_throttle(gs_store *store,
                                               uint64_t bytes_per_s,
                                               gs_error *err);

/* For jobs that begin from now on; flushes make tables of level 0. GS_MISUSE
 * outside the bounds of the options, or for a level above 63. */
GS_API GS_MUST_CHECK gs_status gs_set_layout(gs_store *store, uint32_t level,
                                             const gs_layout *layout,
                                             gs_error *err);

/* A decision is wanted once the active memtable has grown by so much; and each
 * one after it, until this is called again. 0: never. */
GS_API GS_MUST_CHECK gs_status gs_set_flush_ask(gs_store *store,
                                                uint64_t more_bytes,
                                                gs_error *err);

/* A decision is wanted after so long, once: a worker notices, with threads = 0
 * gs_step. 0: never. */
GS_API GS_MUST_CHECK gs_status gs_set_wake(gs_store *store, uint64_t in_ms,
                                           gs_error *err);

/* The tree as of now; see tree/shape_types.h. To be freed before the store is
 * closed. */
GS_API GS_MUST_CHECK gs_status gs_shape_new(gs_store *store, gs_shape **out,
                                            gs_error *err);
/* The same for somebody who only looks: a decision that is wanted stays so. */
GS_API GS_MUST_CHECK gs_status gs_shape_look(gs_store *store, gs_shape **out,
                                             gs_error *err);

/* Checks the plan and starts it. GS_REFUSED and *refusal where a rule is
 * broken; nothing happened then. dry_run only checks. *job_id may be NULL. */
GS_API GS_MUST_CHECK gs_status gs_submit(gs_store *store, const gs_plan *plan,
                                         bool dry_run, uint64_t *job_id,
                                         gs_refusal *refusal, gs_error *err);

/* Seals the memtable and queues its flush without waiting. */
GS_API GS_MUST_CHECK gs_status gs_seal(gs_store *store, gs_error *err);

/* ---- looking -------------------------------------------------------------- */

/* Why a write waited. */
typedef enum gs_stall {
  GS_STALL_FLUSH = 0,    /* memory was full */
  GS_STALL_RUNS = 1,     /* too many runs */
  GS_STALL_THROTTLE = 2, /* see gs_set_throttle */
  GS_STALL_REASONS = 3,
} gs_stall;

/* "flush", "runs", "throttle" */
GS_API const char *gs_stall_name(gs_stall reason);

typedef struct gs_stall_stats {
  uint64_t count, total_us, max_us;
} gs_stall_stats;

typedef struct gs_level_stats {
  uint64_t bytes;      /* of tables, as stored */
  uint64_t data_bytes; /* of keys and values, as they were given */
} gs_level_stats;

typedef struct gs_stats {
  /* operations since open */
  uint64_t puts, deletes, gets, get_hits, scans, batches, commits;
  /* bytes since open */
  uint64_t user_bytes_written; /* keys and values given to writes */
  uint64_t wal_bytes_written;
  uint64_t flush_bytes_written;
  uint64_t merge_bytes_written;
  uint64_t merge_bytes_read;
  /* jobs since open */
  uint64_t flushes, merges, moves, drops, plans_refused, jobs_failed;
  /* entries left out since open, by reason */
  uint64_t dropped_covered, dropped_tombstones, dropped_expired;
  uint64_t wal_syncs, sync_waits; /* device flushes; writes that waited */
  /* memory now */
  uint64_t memtable_bytes, cache_bytes, cache_capacity_bytes, index_bytes;
  uint64_t cache_loads, cache_evictions;
  /* disk now */
  uint64_t table_count, run_count, table_bytes, wal_bytes;
  uint64_t entry_count, tombstone_count; /* in tables */
  gs_level_stats levels[GS_PLAN_MAX_LEVEL + 1];
  /* stalls since open */
  uint64_t stall_count, stall_total_us, stall_max_us; /* of all reasons */
  gs_stall_stats stalls[GS_STALL_REASONS];
  const char *stall_reason; /* of the last one, "" before */
  uint64_t snapshot_count;
  /* recovery at open */
  uint64_t recovered_batches, recovered_torn_bytes;
  uint64_t recovered_bits;  /* wrong ones, put right */
  uint64_t degraded_tables; /* left out, see gs_options */
  uint64_t foreign_files;   /* names in the directory that are not ours */
  bool is_salvaged;         /* a damaged log was cut, see gs_options */
  /* since open */
  uint64_t resumes;
  uint64_t clock_warnings; /* the system's time was behind the store's at open,
                              or jumped ahead of what can be believed */
  uint64_t ballast_bytes;  /* now held back for when the disk is full */
  uint64_t journal_events; /* noted since open */
  uint64_t journal_lost;   /* of them, neither kept nor written */
} gs_stats;

GS_API void gs_get_stats(gs_store *store, gs_stats *out);

#endif
