/*
 * store: what every part of the store asks: may I, what time is it, which
 * number is free.
 */
#include "store/store.h"

#include "store/decision.h"
#include "store/flush.h"
#include "store/job.h"

gs_status
gs_store_fail_forked(const gs_store *store, gs_error *err)
{
  gs_status status = GS_FAIL(
      err, GS_FORKED, "%s was opened before a fork and belongs to the parent",
      store->path);
  return gs_error_hint(err, status, "open the store in the child itself");
}

gs_status
gs_store_check_writable(gs_store *store, gs_error *err)
{
  gs_status status = gs_store_check(store, err);
  if (status != GS_OK) {
    return status;
  }
  if (store->is_readonly) {
    status =
        GS_FAIL(err, GS_READONLY, "%s is open for reading only", store->path);
    return gs_error_hint(err, status, "open it without readonly");
  }
  if (!atomic_load_explicit(&store->has_failed, memory_order_acquire)) {
    return GS_OK;
  }
  gs_mutex_lock(store->state);
  status = store->failure.status;
  if (err != NULL) {
    *err = store->failure;
  }
  gs_mutex_unlock(store->state);
  return status;
}

void
gs_store_fail(gs_store *store, gs_status status, const gs_error *err)
{
  gs_mutex_lock(store->state);
  if (!atomic_load(&store->has_failed)) {
    if (err != NULL) {
      store->failure = *err;
      store->failure.status = status;
    } else {
      GS_IGNORE(GS_FAIL(&store->failure, status, "%s: an earlier write failed",
                        store->path),
                "kept as the reason");
    }
    if (store->failure.hint[0] == '\0') {
      GS_IGNORE(gs_error_hint(&store->failure, status,
                              "the store takes no more writes until a resume, "
                              "or until it is closed and opened again"),
                "kept as the reason");
    }
    atomic_store_explicit(&store->has_failed, true, memory_order_release);
  }
  gs_cond_broadcast(store->progress);
  gs_mutex_unlock(store->state);
}

uint64_t
gs_store_new_id(gs_store *store)
{
  return atomic_fetch_add(&store->next_id, 1);
}

/* ---- the caller's small questions ---------------------------------------------------------- */

uint64_t
gs_now_ms(gs_store *store)
{
  return gs_store_clock(store);
}

uint64_t
gs_mono_us(const gs_store *store)
{
  return gs_env_mono_us(store->env);
}

gs_store_kind
gs_get_kind(const gs_store *store)
{
  return store->kind;
}

const char *
gs_get_path(const gs_store *store)
{
  return store->path;
}

gs_alloc *
gs_get_alloc(const gs_store *store)
{
  return store->alloc;
}

gs_alloc *
gs_get_env_alloc(gs_env *env)
{
  return (env == NULL ? gs_env_posix() : env)->alloc;
}

uint64_t
gs_last_seq(const gs_store *store)
{
  return atomic_load(&store->visible_seq);
}

uint64_t
gs_durable_seq(const gs_store *store)
{
  return atomic_load(&store->durable_seq);
}

/* ---- durability and work --------------------------------------------------------------------*/

gs_status
gs_sync(gs_store *store, gs_error *err)
{
  gs_status status = gs_store_check_writable(store, err);
  if (status != GS_OK) {
    return status; /* in a forked child no lock may be touched */
  }
  gs_mutex_lock(store->commit);
  status = gs_store_check_writable(store, err);
  uint64_t target = store->next_seq - 1;
  if (status == GS_OK && store->options.durability == GS_DURABILITY_MEMORY) {
    gs_mutex_unlock(store->commit);
    return gs_flush_all(store, err); /* without a log only tables last */
  }
  bool must_sync = store->wal.unsynced_bytes > 0;
  while (status == GS_OK && store->is_syncing) {
    gs_cond_wait(store->synced, store->commit, 0);
    status = gs_store_check_writable(store, err); /* else not ours to sync */
  }
  if (status == GS_OK &&
      (must_sync || atomic_load(&store->durable_seq) < target)) {
    status = gs_wal_sync(store, err);
  }
  gs_mutex_unlock(store->commit);
  return status;
}

gs_status
gs_flush(gs_store *store, gs_error *err)
{
  return gs_flush_all(store, err);
}

gs_status
gs_seal(gs_store *store, gs_error *err)
{
  gs_memtable_stats stats;
  gs_status status = gs_store_check_writable(store, err);
  if (status != GS_OK) {
    return status;
  }
  gs_mutex_lock(store->commit);
  status = gs_store_check_writable(store, err);
  gs_memtable_get_stats(store->active, &stats);
  bool is_sealable = atomic_load(&store->sealed_count) < GS_SEALED_MAX;
  if (status == GS_OK && stats.entry_count > 0 && is_sealable) {
    status = gs_store_seal(store, 0, err);
  }
  gs_mutex_unlock(store->commit);
  return status;
}

static size_t
count_jobs(gs_store *store)
{
  size_t count = 0;
  gs_mutex_lock(store->state);
  for (const gs_job *job = store->jobs; job != NULL; job = job->next) {
    count++;
  }
  gs_mutex_unlock(store->state);
  return count;
}

gs_status
gs_step(gs_store *store, uint64_t budget_us, bool *more, gs_error *err)
{
  *more = false;
  gs_status status = gs_store_check_writable(store, err);
  if (status != GS_OK || store->worker_count > 0) {
    return status;
  }
  gs_mutex_lock(store->commit);
  status = gs_wal_sync_if_due(store, err);
  if (status == GS_OK) {
    uint64_t wait_us;
    gs_wal_mark_if_due(store, &wait_us);
  }
  gs_mutex_unlock(store->commit);
  if (status != GS_OK) {
    return status;
  }
  uint64_t began_us = gs_env_mono_us(store->env);
  bool did_step = true;
  gs_mutex_lock(store->state);
  gs_decision_wake(store);
  gs_mutex_unlock(store->state);
  gs_decide(store);
  while (did_step) {
    did_step = gs_store_run_step(store);
    if (budget_us != UINT64_MAX &&
        gs_env_mono_us(store->env) - began_us >= budget_us) {
      break;
    }
  }
  gs_decide(store);
  *more = count_jobs(store) > 0;
  return gs_store_check_writable(store, err);
}

/* The first job queued before that is still there, or NULL. State held. */
static const gs_job *
find_job_before(const gs_store *store, uint64_t id)
{
  const gs_job *job = store->jobs;
  while (job != NULL && job->id > id) {
    job = job->next;
  }
  return job;
}

/* Jobs that are queued later are not waited for, and a flush that keeps failing
 * ends the wait with its error. */
static gs_status
wait_for_jobs(gs_store *store, gs_error *err)
{
  gs_status status = GS_OK;
  gs_mutex_lock(store->state);
  uint64_t last_id = store->next_job_id;
  const gs_job *job = find_job_before(store, last_id);
  while (status == GS_OK && job != NULL && !atomic_load(&store->has_failed)) {
    if (job->pause_us != 0) {
      status = job->failure.status;
      if (err != NULL) {
        *err = job->failure;
      }
      break;
    }
    gs_cond_wait(store->progress, store->state, 0);
    job = find_job_before(store, last_id);
  }
  gs_mutex_unlock(store->state);
  gs_remover_wait(store, gs_remover_mark(store));
  return status;
}

gs_status
gs_wait_idle(gs_store *store, gs_error *err)
{
  bool more = true;
  if (store->worker_count == 0) {
    return gs_step(store, UINT64_MAX, &more, err);
  }
  gs_status status = gs_store_check_writable(store, err);
  if (status == GS_OK) {
    status = wait_for_jobs(store, err);
  }
  return status == GS_OK ? gs_store_check_writable(store, err) : status;
}
