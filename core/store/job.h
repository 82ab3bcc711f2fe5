/*
 * job: long work cut into steps: flush, merge, move, drop.
 *
 * Model: a job is a state machine. step does a bounded piece of work and says
 * whether the job is done; between steps nobody else touches the job's own
 * files, and its inputs are counted and immutable, so any thread may run the
 * next step. The most urgent job goes first: flush before all else, then in
 * order of submission.
 *   1. A job on the store's list is queued or has a step running (is_stepping).
 *   2. A job ends by done or by an error; then its claim is given up, it leaves
 *      the list, and its waiter is told.
 *   3. A failed job leaves the tree as it was; its files are removed.
 *
 * Life: made by the function that queues it, freed by the runner at its end.
 * Threads: the list under the state lock; a step runs with no lock held.
 */
#ifndef GS_STORE_JOB_H
#define GS_STORE_JOB_H

#include "store/store.h"

/* What a job is, and once it is done what it did, for the journal. Everything
 * it points at is the job's. */
typedef struct gs_job_account {
  bool has_begun;
  uint64_t began_us;
  uint64_t ended_us; /* its last step so far */
  uint64_t ended_ms;
  char why[GS_EVENT_WHY_BYTES];
  const gs_plan *plan;       /* NULL: a flush */
  const gs_version *version; /* that the plan was accepted for */
  gs_tree_table *const *outputs;
  size_t output_count;
  uint64_t read_bytes;
  uint64_t written_bytes;
  gs_drop_counts dropped;
} gs_job_account;

/* Somebody who waits for one job; on the waiter's stack, under state. */
typedef struct gs_job_waiter {
  bool is_done;
  gs_status status;
  gs_error error;
} gs_job_waiter;

typedef struct gs_job_ops {
  const char *name;
  int priority; /* lower goes first */
  /* One step; *done when nothing is left. After an error the job is freed. */
  gs_status (*step)(gs_job *job, bool *done, gs_error *err);
  /* Undoes what was not installed, frees. */
  void (*free)(gs_job *job);
} gs_job_ops;

struct gs_job {
  const gs_job_ops *ops;
  gs_store *store;
  uint64_t id;
  gs_job *next;
  gs_claim *claim; /* region it works in; NULL for a flush */
  bool is_stepping;
  bool is_retried; /* a failure keeps the job; it starts anew after a pause */
  uint64_t not_before_us; /* of a retried job */
  uint64_t pause_us;      /* doubles with each failure */
  gs_error failure;       /* why it is paused, where pause_us is not 0 */
  uint64_t files_mark;    /* of the remover, when the job was queued or paused:
                             files before are not its own */
  gs_job_waiter *waiter;  /* may be NULL */
  gs_job_account account;
};

/* Puts the job on the list. Requires: state held. Takes the job. */
void gs_job_queue(gs_store *store, gs_job *job);

/* Copies the reason for the job; NULL is accepted. */
void gs_job_set_why(gs_job *job, const char *why);

/* Takes a job off the list and frees it; its waiter is told why. Requires: state
 * held, no step running; state is given up and taken again. */
void gs_job_cancel(gs_store *store, gs_job *job, const gs_error *why);

/* How many jobs are on the list besides flushes. Requires: state held. */
size_t gs_job_count_merges(const gs_store *store);

/* Waits until the waiter is done, working if there are no threads. Takes
 * state. */
void gs_job_wait(gs_store *store, gs_job_waiter *waiter);

#endif
