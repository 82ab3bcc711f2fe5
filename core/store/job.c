/*
 * job: the list, the workers, and the end of a job.
 *
 * A worker takes the most urgent job that no other worker is stepping, does one
 * step without locks, and looks again: so a flush never waits longer than a
 * step of a merge.
 */
#include "store/job.h"

#include "store/builtin.h"
#include "store/decision.h"
#include "store/journal_note.h"
#include "store/stall.h"

enum {
  PAUSE_FIRST_US = 50 * 1000,
  PAUSE_MAX_US = 5 * 1000 * 1000,
  MERGE_HOLD_US = 500 * 1000,
};

void
gs_job_queue(gs_store *store, gs_job *job)
{
  gs_job **at = &store->jobs;
  while (*at != NULL) {
    at = &(*at)->next;
  }
  *at = job;
  job->next = NULL;
  job->files_mark = gs_remover_mark(store);
  gs_cond_broadcast(store->work);
}

size_t
gs_job_count_merges(const gs_store *store)
{
  size_t count = 0;
  for (const gs_job *job = store->jobs; job != NULL; job = job->next) {
    count += job->claim != NULL;
  }
  return count;
}

void
gs_job_set_why(gs_job *job, const char *why)
{
  size_t size = why == NULL ? 0 : strnlen(why, sizeof job->account.why);
  memcpy(job->account.why, why == NULL ? "" : why, size);
}

/* ---- choosing and ending --------------------------------------------------- */

/* The most urgent job that may be stepped now; *wait_us is how long until a
 * paused one may (0: no limit). */
static gs_job *
choose(gs_store *store, uint64_t *wait_us)
{
  gs_job *best = NULL;
  *wait_us = 0;
  uint64_t now_us = gs_env_mono_us(store->env);
  for (gs_job *job = store->jobs; job != NULL; job = job->next) {
    if (job->is_stepping) {
      continue;
    }
    if (job->not_before_us > now_us) {
      uint64_t left_us = job->not_before_us - now_us;
      *wait_us = *wait_us == 0 || left_us < *wait_us ? left_us : *wait_us;
      continue;
    }
    if (best == NULL || job->ops->priority < best->ops->priority) {
      best = job;
    }
  }
  return best;
}

static void
unlink_job(gs_store *store, gs_job *job)
{
  gs_job **at = &store->jobs;
  while (*at != job) {
    at = &(*at)->next;
  }
  *at = job->next;
}

static gs_job_waiter *
take_waiter(gs_job *job)
{
  gs_job_waiter *waiter = job->waiter;
  job->waiter = NULL;
  return waiter;
}

/* waiter: NULL where nobody waits. */
static void
tell(gs_job_waiter *waiter, gs_status status, const gs_error *err)
{
  if (waiter == NULL) {
    return;
  }
  waiter->is_done = true;
  waiter->status = status;
  if (status != GS_OK) {
    waiter->error = *err;
  }
}

void
gs_job_cancel(gs_store *store, gs_job *job, const gs_error *why)
{
  unlink_job(store, job);
  tell(take_waiter(job), why->status, why);
  gs_cond_broadcast(store->progress);
  gs_claim_free(store->alloc, job->claim);
  job->claim = NULL;
  gs_mutex_unlock(store->state);
  job->ops->free(job);
  gs_mutex_lock(store->state);
}

/* A flush that failed is tried again: its memtable has nowhere else to go. */
static void
pause_job(gs_store *store, gs_job *job, const gs_error *err)
{
  job->pause_us = job->pause_us == 0 ? PAUSE_FIRST_US : job->pause_us * 2;
  if (job->pause_us > PAUSE_MAX_US) {
    job->pause_us = PAUSE_MAX_US;
  }
  job->not_before_us = gs_env_mono_us(store->env) + job->pause_us;
  job->failure = *err;
  job->files_mark = gs_remover_mark(store);
}

/* State held; releases and takes it. Whoever waits is told when the remover has
 * what the job has replaced, unless somebody reads it. */
static void
end_job(gs_store *store, gs_job *job, gs_status status, const gs_error *err)
{
  gs_journal_end_job(store, job, status, err);
  if (status != GS_OK) {
    gs_tally(&store->counters.jobs_failed, 1);
    if (job->is_retried && !store->is_closing) {
      tell(take_waiter(job), status, err);
      pause_job(store, job, err);
      return;
    }
    if (status != GS_REFUSED) {
      store->merge_hold_us = gs_env_mono_us(store->env) + MERGE_HOLD_US;
    }
  }
  gs_job_waiter *waiter = take_waiter(job);
  unlink_job(store, job);
  GS_IGNORE(gs_flush_queue(store, NULL),
            "whoever waits for the next flush queues it");
  gs_claim_free(store->alloc, job->claim);
  job->claim = NULL;
  gs_mutex_unlock(store->state);
  job->ops->free(job);
  gs_epoch_collect(store->epoch);
  gs_mutex_lock(store->state);
  tell(waiter, status, err);
}

/* What comes after a job: the caller's policy is asked at its next safe point,
 * the built-in one now. After a failure neither is: the same plan would fail
 * again, and the next flush asks anyway. State held. */
static void
decide(gs_store *store, gs_status status)
{
  if (status != GS_OK && status != GS_REFUSED) {
    return;
  }
  gs_decision_want(store, NULL);
  gs_builtin_decide_locked(store, gs_decision_builtin_runs(store));
}

/* A job that found the disk full goes on where it stopped, if there is room now.
 * What it wrote itself and gave up is none. */
static bool
find_room(gs_job *job)
{
  gs_store *store = job->store;
  return gs_ballast_release(store) || gs_remover_wait(store, job->files_mark);
}

/* State held; releases it during the step. */
static void
step_job(gs_store *store, gs_job *job)
{
  job->is_stepping = true;
  gs_mutex_unlock(store->state);
  gs_journal_time_begin(job);
  bool done = false;
  gs_error err;
  gs_status status = job->ops->step(job, &done, &err);
  bool has_room = status == GS_FULL && job->is_retried && find_room(job);
  if (status != GS_OK || done) {
    gs_journal_time_end(job);
  }
  gs_mutex_lock(store->state);
  job->is_stepping = false;
  if (has_room) {
    status = GS_OK;
  }
  if (status != GS_OK || done) {
    end_job(store, job, status, &err);
    decide(store, status);
    gs_cond_broadcast(store->work);
  }
  if (status != GS_OK || done || store->worker_count == 0) {
    gs_cond_broadcast(store->progress); /* callers that work hand jobs over */
  }
}

bool
gs_store_run_step(gs_store *store)
{
  uint64_t wait_us = 0;
  gs_mutex_lock(store->state);
  gs_job *job = choose(store, &wait_us);
  if (job != NULL) {
    step_job(store, job);
  }
  gs_mutex_unlock(store->state);
  if (job != NULL) {
    gs_epoch_collect(store->epoch);
    gs_journal_write(store);
  }
  return job != NULL;
}

void
gs_job_wait(gs_store *store, gs_job_waiter *waiter)
{
  gs_mutex_lock(store->state);
  while (!waiter->is_done) {
    uint64_t wait_us = 0;
    gs_job *job = store->worker_count > 0 ? NULL : choose(store, &wait_us);
    if (job != NULL) {
      step_job(store, job);
    } else {
      gs_cond_wait(store->progress, store->state, wait_us);
    }
  }
  gs_mutex_unlock(store->state);
  if (store->worker_count == 0) {
    gs_journal_write(store); /* it was this thread that worked */
  }
}

/* ---- workers ---------------------------------------------------------------- */

static void
work(void *context)
{
  gs_store *store = context;
  gs_mutex_lock(store->state);
  while (!store->is_closing) {
    uint64_t wait_us = 0;
    uint64_t wake_us = gs_decision_wake(store);
    gs_job *job = choose(store, &wait_us);
    if (job == NULL) {
      bool wakes = wake_us != 0 && (wait_us == 0 || wake_us < wait_us);
      gs_cond_wait(store->work, store->state, wakes ? wake_us : wait_us);
      continue;
    }
    step_job(store, job);
    gs_mutex_unlock(store->state);
    gs_epoch_collect(store->epoch);
    gs_journal_write(store);
    gs_mutex_lock(store->state);
  }
  gs_mutex_unlock(store->state);
}

gs_status
gs_store_start_threads(gs_store *store, gs_error *err)
{
  for (uint32_t i = 0; i < store->options.threads; i++) {
    gs_status status =
        gs_thread_start(store->env, work, store, &store->workers[i], err);
    if (status != GS_OK) {
      return status;
    }
    store->worker_count++;
  }
  if (store->options.threads == 0) {
    return GS_OK;
  }
  gs_remover_begin(store);
  if (store->options.durability == GS_DURABILITY_MEMORY) {
    return GS_OK;
  }
  return gs_thread_start(store->env, gs_wal_thread, store, &store->log_thread,
                         err);
}

void
gs_store_stop_threads(gs_store *store)
{
  gs_mutex_lock(store->commit);
  gs_mutex_lock(store->state);
  store->is_closing = true;
  gs_cond_broadcast(store->work);
  gs_wal_call_thread(store);
  gs_mutex_unlock(store->state);
  gs_mutex_unlock(store->commit);
  for (size_t i = 0; i < store->worker_count; i++) {
    gs_thread_join(store->workers[i]);
  }
  store->worker_count = 0;
  if (store->log_thread != NULL) {
    gs_thread_join(store->log_thread);
    store->log_thread = NULL;
  }
  gs_remover_end(store);
}
