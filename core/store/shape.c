/*
 * shape: the tree as a policy sees it, with the figures that only a store has.
 */
#include "tree/shape.h"
#include "store/job.h"

static void
fill_memtable(gs_store *store, const gs_view *view, gs_shape *shape)
{
  gs_memtable_stats stats;
  gs_memtable_get_stats(view->memtables[0], &stats);
  uint64_t age_ms =
      stats.created_ms < shape->now_ms ? shape->now_ms - stats.created_ms : 0;
  shape->memtable = (gs_shape_memtable){
      .bytes = stats.used_bytes,
      .entry_count = stats.entry_count,
      .tombstone_count = stats.tombstone_count,
      .age_ms = age_ms,
      .budget_bytes = gs_limit(&store->limits.memtable_bytes),
      .sealed_count = view->memtable_count - 1,
  };
}

static double
ratio(uint64_t above, uint64_t below)
{
  return below == 0 ? 0.0 : (double)above / (double)below;
}

static void
fill_amplification(gs_store *store, const gs_version *version, gs_shape *shape)
{
  gs_counters *counters = &store->counters;
  uint64_t written = atomic_load(&counters->flush_bytes) +
                     atomic_load(&counters->merge_bytes_written);
  shape->write_amp = ratio(written, atomic_load(&counters->flush_data_bytes));
  uint64_t largest = 0;
  uint64_t tables = 0;
  for (size_t r = 0; r < version->run_count; r++) {
    tables += version->runs[r]->bytes;
    if (version->runs[r]->data_bytes > largest) {
      largest = version->runs[r]->data_bytes;
    }
  }
  shape->space_amp = ratio(tables, largest);
}

/* State held. */
static void
fill_state(gs_store *store, gs_shape *shape)
{
  shape->reason = store->reason;
  shape->running_count = gs_job_count_merges(store);
  if (store->oldest != NULL) {
    uint64_t clock_ms = store->oldest->clock_ms;
    shape->oldest_view_seq = store->oldest->seq;
    shape->oldest_view_age_ms =
        shape->now_ms > clock_ms ? shape->now_ms - clock_ms : 0;
  }
}

static void
fill_disk(gs_store *store, const gs_version *version, gs_shape *shape)
{
  gs_disk_space space;
  for (size_t r = 0; r < version->run_count; r++) {
    shape->disk_used_bytes += version->runs[r]->bytes;
  }
  gs_mutex_lock(store->commit);
  shape->wal_bytes = store->wal.used_bytes;
  gs_mutex_unlock(store->commit);
  shape->disk_used_bytes += shape->wal_bytes;
  if (gs_env_space(store->env, store->path, &space, NULL) == GS_OK) {
    shape->disk_free_bytes = space.free_bytes;
  }
}

/* The present runs with what jobs have in hand, and a reference on the view they
 * are of. State held. */
static gs_status
take_runs(gs_store *store, gs_view **view, gs_shape **out, gs_error *err)
{
  const gs_claim *claims[GS_JOBS_MAX];
  size_t count = 0;
  for (const gs_job *job = store->jobs; job != NULL; job = job->next) {
    if (job->claim != NULL && count < GS_JOBS_MAX) {
      claims[count++] = job->claim;
    }
  }
  *view = atomic_load(&store->view);
  gs_view_ref(*view);
  return gs_shape_new_of(store->alloc, (*view)->version, claims, count, out,
                         err);
}

gs_status
gs_shape_new(gs_store *store, gs_shape **out, gs_error *err)
{
  gs_status status = gs_store_check(store, err);
  if (status != GS_OK) {
    return status;
  }
  gs_view *view = NULL;
  gs_shape *shape = NULL;
  uint64_t now_ms = gs_store_clock(store);
  atomic_store(&store->wants_decision, false);
  gs_mutex_lock(store->state);
  status = take_runs(store, &view, &shape, err);
  if (status == GS_OK) {
    shape->now_ms = now_ms;
    fill_state(store, shape);
  }
  gs_mutex_unlock(store->state);
  if (status == GS_OK) {
    fill_memtable(store, view, shape);
    fill_amplification(store, view->version, shape);
    fill_disk(store, view->version, shape);
    *out = shape;
  }
  gs_view_unref(view);
  return status;
}
