/*
 * lab: a store without bytes: a policy's plans carried out on tables that have
 * metadata and no file.
 *
 * Model: a virtual machine of one device, a few workers and one writer drives a
 * virtual tree. The tree is a gs_version; plans pass gs_plan_check, claims are
 * gs_claim, and the floor is tree/floor's, so that what a policy may do and what
 * is done without it are the engine's. What tables hold is a matter of expected
 * values: see lab/piece.h, lab/size.h and lab/cut.h.
 *   1. same options, same calls: same answers, same figures
 *   2. time moves inside gs_lab_advance alone
 *
 * Life: gs_lab_new / gs_lab_free. The allocator outlives the lab.
 * Threads: one.
 * Errors: GS_NOMEM; GS_MISUSE for options out of bounds; GS_LIMIT where the
 * virtual store can do nothing any more.
 */
#ifndef GS_LAB_LAB_H
#define GS_LAB_LAB_H

#include "base/alloc.h"
#include "base/error.h"
#include "lab/fit.h"
#include "lab/mix.h"
#include "lab/plant.h"
#include "tree/plan_types.h"
#include "tree/shape_types.h"

typedef struct gs_lab gs_lab;

typedef struct gs_lab_options {
  /* the workload */
  gs_lab_kind kind;
  double keys;   /* distinct; of a queue: how many are in it */
  double skew;   /* of random keys: exponent of zipf, 0 uniform */
  double writes; /* in all */
  uint32_t key_bytes;
  uint32_t value_bytes;
  uint64_t ttl_ms;     /* 0: nothing expires */
  double delete_share; /* of the writes; a queue deletes by itself */
  double rate;         /* writes per second; 0: as fast as may be */
  bool is_fed;         /* the writes come by gs_lab_feed, which says when and
                          what: of the above only kind, keys, sizes and ttl_ms
                          are looked at */
  const gs_mix_class *classes; /* of random keys, instead of keys and skew */
  size_t class_count;          /* 0: none */
  /* the store; 0: the engine's default */
  uint64_t memtable_bytes;
  uint64_t table_bytes;
  uint32_t block_bytes;
  uint64_t max_stall_ms;
  double ratio;  /* what packing leaves of a block, above 0 to 1 */
  bool may_lose; /* see gs_plan_limits */
  /* the machine */
  double read_bytes_per_s; /* 0: no bound, and jobs take no time */
  double write_bytes_per_s;
  uint64_t disk_bytes; /* 0: no bound */
  uint32_t workers;    /* at least 1 */
  bool has_log;        /* writes go through the device first */
  bool asks_at_once;   /* as a driver on a thread of its own does; else
                          decisions wait while the writer waits */
  uint64_t start_ms;   /* time of day at the beginning */
  uint64_t seed;
} gs_lab_options;

GS_MUST_CHECK gs_status gs_lab_new(gs_alloc *alloc,
                                   const gs_lab_options *options, gs_lab **out,
                                   gs_error *err);
void gs_lab_free(gs_lab *lab); /* NULL is accepted */

/* Why gs_lab_advance came back. */
typedef enum gs_lab_event {
  GS_LAB_REACHED = 0, /* so many writes are made */
  GS_LAB_DECIDE = 1,  /* a policy would be asked now */
} gs_lab_event;

/* Lets the machine run until that many writes in all, or until a decision is
 * wanted. */
GS_MUST_CHECK gs_status gs_lab_advance(gs_lab *lab, double writes,
                                       gs_lab_event *event, gs_error *err);

/* What one memtable takes. */
typedef struct gs_lab_batch {
  double writes;
  double to_ms;    /* time of day at its end */
  double gone;     /* share of the writes that delete */
  double lasting;  /* share of the writes that never expire */
  double distinct; /* keys; 0: as many as the mix makes one expect */
} gs_lab_batch;

/* The next batch. Requires: the one before is written. */
GS_MUST_CHECK gs_status gs_lab_feed(gs_lab *lab, const gs_lab_batch *batch,
                                    gs_error *err);

/* Entries of other sizes and with another time to live from now on, 0: none
 * expires. */
GS_MUST_CHECK gs_status gs_lab_set_sizes(gs_lab *lab, uint32_t key_bytes,
                                         uint32_t value_bytes, uint64_t ttl_ms,
                                         gs_error *err);

/* A device of another speed for jobs that begin from now on; 0: no bounds. */
void gs_lab_set_speed(gs_lab *lab, double read_bytes_per_s,
                      double write_bytes_per_s);

/* Other classes of random keys from now on; what tables hold is told by writes
 * and stays. */
GS_MUST_CHECK gs_status gs_lab_set_mix(gs_lab *lab, const gs_mix_class *classes,
                                       size_t count, gs_error *err);

/* ---- what a driver does ------------------------------------------------------ */

/* As gs_shape_new. */
GS_MUST_CHECK gs_status gs_lab_shape(gs_lab *lab, gs_shape **out,
                                     gs_error *err);

/* As gs_submit. */
GS_MUST_CHECK gs_status gs_lab_submit(gs_lab *lab, const gs_plan *plan,
                                      bool dry_run, uint64_t *job_id,
                                      gs_refusal *refusal, gs_error *err);

/* As gs_seal; nothing where the memtable is empty or too many wait. */
void gs_lab_seal(gs_lab *lab);

/* As when a policy is set aside: the engine's own rule decides from now on. */
void gs_lab_set_aside(gs_lab *lab);

void gs_lab_set_throttle(gs_lab *lab, uint64_t bytes_per_s); /* 0: none */
void gs_lab_set_flush_ask(gs_lab *lab, uint64_t more_bytes); /* 0: never */
void gs_lab_set_wake(gs_lab *lab, uint64_t in_ms);           /* 0: never */

/* How tables of a level are made, as gs_layout; 0: by the options. */
typedef struct gs_lab_layout {
  uint64_t table_bytes;
  uint32_t block_bytes;
  bool is_packed; /* by whatever codec; the store's own option is none */
} gs_lab_layout;

enum { GS_LAB_LEVELS = 64 };

/* Levels beyond are left as they are. */
void gs_lab_set_layout(gs_lab *lab, uint32_t level,
                       const gs_lab_layout *layout);

/* ---- looking ----------------------------------------------------------------- */

typedef struct gs_lab_level {
  uint64_t runs, tables, bytes;
} gs_lab_level;

typedef struct gs_lab_sample {
  double writes;
  double time_s;
  double user_bytes;    /* key and value bytes written */
  double flushed_data;  /* of these, flushed */
  double flushed_bytes; /* by flushes, to tables */
  double merged_bytes;  /* by merges */
  double read_bytes;    /* by merges */
  double live_bytes;    /* key and value bytes that a reader could see */
  double disk_bytes;    /* of all tables */
  double debt_bytes;    /* inputs of merges that are queued or running */
  double tombstones;    /* entries in tables */
  double expired;       /* entries in tables that have expired as values */
  double read_amp;      /* runs that a get of a key that is there looks at */
  uint64_t runs, tables;
  size_t level_count; /* up to the deepest with a run */
  gs_lab_level levels[GS_LAB_LEVELS];
  /* so far */
  uint64_t flushes, merges, moves, drops, refused, lapsed;
  uint64_t flush_stalls, run_stalls;
  double flush_stalled_s, run_stalled_s, longest_stall_s;
} gs_lab_sample;

void gs_lab_look(gs_lab *lab, gs_lab_sample *out);

#endif
