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
  shape->read_amp = gs_shape_expected_runs(version);
}

/* State held. */
static void
fill_state(gs_store *store, gs_shape *shape)
{
  shape->reason = store->reason;
  shape->running_count = gs_job_count_merges(store);
  shape->user_rate = store->rates.user;
  shape->flush_rate = store->rates.flush;
  shape->merge_rate = store->rates.merge;
  if (store->oldest != NULL) {
    uint64_t clock_ms = store->oldest->clock_ms;
    shape->oldest_view_seq = store->oldest->seq;
    shape->oldest_view_age_ms =
        shape->now_ms > clock_ms ? shape->now_ms - clock_ms : 0;
  }
}

/* Less time between two decisions than this tells nothing. */
enum { RATE_LEAST_US = 1000 };

static double
rate(uint64_t now, uint64_t *before, uint64_t elapsed_us)
{
  double bytes = (double)(now - *before);
  *before = now;
  return bytes * 1e6 / (double)elapsed_us;
}

/* A decision begins. State held. */
static void
measure_rates(gs_store *store)
{
  gs_rates *r = &store->rates;
  gs_counters *counters = &store->counters;
  uint64_t now_us = gs_env_mono_us(store->env) + 1; /* never 0 */
  uint64_t elapsed_us = r->at_us == 0 ? 0 : now_us - r->at_us;
  if (r->at_us != 0 && elapsed_us < RATE_LEAST_US) {
    return;
  }
  bool is_first = r->at_us == 0;
  elapsed_us = is_first ? 1 : elapsed_us;
  double user =
      rate(atomic_load(&counters->user_bytes), &r->user_bytes, elapsed_us);
  double flush =
      rate(atomic_load(&counters->flush_bytes), &r->flush_bytes, elapsed_us);
  double merge = rate(atomic_load(&counters->merge_bytes_written),
                      &r->merge_bytes, elapsed_us);
  r->at_us = now_us;
  r->user = is_first ? 0 : user;
  r->flush = is_first ? 0 : flush;
  r->merge = is_first ? 0 : merge;
}

static void
fill_disk(gs_store *store, const gs_version *version, gs_shape *shape)
{
  gs_disk_space space;
  for (size_t r = 0; r < version->run_count; r++) {
    shape->disk_used_bytes += version->runs[r]->bytes;
  }
  shape->wal_bytes = gs_limit(&store->wal.used_bytes);
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

static gs_status
make_shape(gs_store *store, bool is_decision, gs_shape **out, gs_error *err)
{
  gs_status status = gs_store_check(store, err);
  if (status != GS_OK) {
    return status;
  }
  gs_view *view = NULL;
  gs_shape *shape = NULL;
  uint64_t now_ms = gs_store_clock(store);
  gs_mutex_lock(store->state);
  if (is_decision) {
    atomic_store(&store->wants_decision, false);
    measure_rates(store);
  }
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

gs_status
gs_shape_new(gs_store *store, gs_shape **out, gs_error *err)
{
  return make_shape(store, true, out, err);
}

gs_status
gs_shape_look(gs_store *store, gs_shape **out, gs_error *err)
{
  return make_shape(store, false, out, err);
}
