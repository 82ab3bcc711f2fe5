/*
 * state: what the files of the lab share.
 *
 * Model: see lab.h. Jobs stand on a list in the order they were queued; the
 * first `workers` of them, a flush before all others, are at work.
 */
#ifndef GS_LAB_STATE_H
#define GS_LAB_STATE_H

#include "lab/cut.h"
#include "lab/feed.h"
#include "lab/fill.h"
#include "lab/lab.h"
#include "tree/floor.h"
#include "tree/plan.h"

typedef struct gs_lab_job gs_lab_job;

enum { GS_LAB_CLAIMS = 256, GS_LAB_TIMES = 4096 };

/* How many writes were made when; for what has expired by a time. */
typedef struct gs_lab_times {
  double ms[GS_LAB_TIMES];
  double writes[GS_LAB_TIMES];
  size_t count;
} gs_lab_times;

typedef struct gs_lab_stall {
  const char *reason; /* NULL: the writer writes */
  double began_s;
  double ask_s; /* when the waiting write would give up */
} gs_lab_stall;

struct gs_lab {
  gs_alloc *alloc;
  gs_lab_options options;
  gs_mix mix;
  gs_lab_format format;
  gs_fill fill;
  double user_bytes; /* mean per write */
  double log_bytes;
  uint64_t random;
  uint64_t next_id; /* of tables and runs */
  uint64_t next_job_id;
  gs_version *version;
  double now_s;
  double writes;

  gs_lab_fed fed;                     /* see lab/feed.h */
  double active_from;                 /* the active memtable's first write */
  double active_end;                  /* where it is full */
  double active_ms;                   /* when it was begun */
  gs_fill_span sealed[GS_SEALED_MAX]; /* oldest first */
  size_t sealed_count;
  gs_lab_job *jobs;
  gs_lab_times times;

  bool wants_decision;
  size_t floor_runs; /* the engine's own merge acts where there are more */
  const char *reason;
  uint64_t throttle;
  double ask_more; /* bytes by which the memtable grows until a decision */
  double ask_at;   /* arena bytes */
  double wake_s;   /* INFINITY: never */
  gs_lab_layout layouts[GS_LAB_LEVELS];

  gs_lab_stall stall;
  gs_lab_sample sums; /* what counts up, see gs_lab_look */
};

static inline double
gs_lab_now_ms(const gs_lab *lab)
{
  return (double)lab->options.start_ms + lab->now_s * 1000;
}

/* ---- jobs (job.c) ------------------------------------------------------------ */

struct gs_lab_job {
  gs_lab_job *next;
  uint64_t id;
  bool is_flush;
  gs_fill_span span; /* of a flush */
  gs_plan plan;      /* otherwise; inputs are the job's, cuts are in fences */
  uint64_t *fences;  /* positions of the plan's cuts */
  size_t fence_count;
  gs_version *version; /* of the moment it was queued */
  gs_claim *claim;
  bool has_begun;
  double left_s; /* of work, alone on the device */
  double read_bytes;
  double input_bytes;
  double written_bytes;
  gs_lab_format format; /* of the outputs */
  gs_table_list outputs;
};

GS_MUST_CHECK gs_status gs_lab_job_queue(gs_lab *lab, const gs_plan *plan,
                                         uint64_t *job_id, gs_error *err);
/* Queues the flush of the oldest sealed memtable, if none is on the list. */
GS_MUST_CHECK gs_status gs_lab_flush_queue(gs_lab *lab, gs_error *err);

/* Computes what comes out, and how long it takes. */
GS_MUST_CHECK gs_status gs_lab_job_begin(gs_lab *lab, gs_lab_job *job,
                                         gs_error *err);
/* Installs it, and takes the job off the list. */
GS_MUST_CHECK gs_status gs_lab_job_end(gs_lab *lab, gs_lab_job *job,
                                       gs_error *err);
void gs_lab_job_free(gs_lab *lab, gs_lab_job *job);

size_t gs_lab_count_merges(const gs_lab *lab);

/* The claims of all jobs but one; room for GS_LAB_CLAIMS. */
size_t gs_lab_claims(const gs_lab *lab, const gs_lab_job *except,
                     const gs_claim **claims);

uint64_t gs_lab_free_bytes(const gs_lab *lab);

/* The rules, against the tree of now; `except` (may be NULL) is the plan's own
 * job. */
bool gs_lab_check(const gs_lab *lab, const gs_plan *plan,
                  const gs_lab_job *except, gs_refusal *refusal);

/* The engine's own merge, where there are too many runs. */
GS_MUST_CHECK gs_status gs_lab_floor(gs_lab *lab, gs_error *err);

/* ---- merging (yield.c) -------------------------------------------------------- */

/* Fills the job's outputs and bytes. */
GS_MUST_CHECK gs_status gs_lab_yield(gs_lab *lab, gs_lab_job *job,
                                     gs_error *err);

/* ---- time (clock.c) ----------------------------------------------------------- */

/* Writes that had been made at that time of day. */
double gs_lab_writes_at(const gs_lab *lab, double ms);
void gs_lab_note_time(gs_lab *lab);

/* ---- reads (reads.c) ----------------------------------------------------------- */

/* Runs that a get of a key that is there looks at, expected. */
double gs_lab_read_amp(const gs_lab *lab);

#endif
