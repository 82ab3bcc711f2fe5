/*
 * stats: one consistent enough look at all counters.
 */
#include "store/store.h"

static void
add_readers(const gs_store *store, gs_stats *out)
{
  for (size_t i = 0; i < GS_COUNTER_SLOTS; i++) {
    const gs_read_counters *c = &store->read_counters[i];
    out->gets += atomic_load_explicit(&c->gets, memory_order_relaxed);
    out->get_hits += atomic_load_explicit(&c->hits, memory_order_relaxed);
    out->scans += atomic_load_explicit(&c->scans, memory_order_relaxed);
  }
}

static void
add_writers(gs_store *store, gs_stats *out)
{
  gs_counters *c = &store->counters;
  out->puts = atomic_load(&c->puts);
  out->deletes = atomic_load(&c->deletes);
  out->batches = atomic_load(&c->batches);
  out->commits = atomic_load(&c->commits);
  out->user_bytes_written = atomic_load(&c->user_bytes);
  out->wal_bytes_written = atomic_load(&c->wal_bytes);
  out->wal_syncs = atomic_load(&c->wal_syncs);
  out->sync_waits = atomic_load(&c->sync_waits);
  out->stall_reason = atomic_load(&c->stall_reason);
  out->recovered_batches = c->recovered_batches;
  out->recovered_torn_bytes = c->recovered_torn_bytes;
  out->recovered_bits = c->recovered_bits;
  out->degraded_tables = c->degraded_tables;
  out->foreign_files = c->foreign_files;
  out->is_salvaged = c->is_salvaged;
  out->resumes = atomic_load(&c->resumes);
  out->clock_warnings = atomic_load(&c->clock_warnings);
  out->ballast_bytes = atomic_load(&store->ballast.bytes);
}

static void
add_stalls(gs_store *store, gs_stats *out)
{
  for (size_t i = 0; i < GS_STALL_REASONS; i++) {
    gs_stall_counters *c = &store->counters.stalls[i];
    gs_stall_stats *stalls = &out->stalls[i];
    *stalls = (gs_stall_stats){
        .count = atomic_load(&c->count),
        .total_us = atomic_load(&c->total_us),
        .max_us = atomic_load(&c->max_us),
    };
    out->stall_count += stalls->count;
    out->stall_total_us += stalls->total_us;
    if (stalls->max_us > out->stall_max_us) {
      out->stall_max_us = stalls->max_us;
    }
  }
}

static void
add_jobs(gs_store *store, gs_stats *out)
{
  gs_counters *c = &store->counters;
  out->flush_bytes_written = atomic_load(&c->flush_bytes);
  out->merge_bytes_written = atomic_load(&c->merge_bytes_written);
  out->merge_bytes_read = atomic_load(&c->merge_bytes_read);
  out->flushes = atomic_load(&c->flushes);
  out->merges = atomic_load(&c->merges);
  out->moves = atomic_load(&c->moves);
  out->drops = atomic_load(&c->drops);
  out->plans_refused = atomic_load(&c->plans_refused);
  out->jobs_failed = atomic_load(&c->jobs_failed);
  out->dropped_covered = atomic_load(&c->dropped_covered);
  out->dropped_tombstones = atomic_load(&c->dropped_tombstones);
  out->dropped_expired = atomic_load(&c->dropped_expired);
}

static void
add_memtables(const gs_view *view, gs_stats *out)
{
  for (size_t i = 0; i < view->memtable_count; i++) {
    gs_memtable_stats stats;
    gs_memtable_get_stats(view->memtables[i], &stats);
    out->memtable_bytes += stats.used_bytes;
  }
}

static void
add_tables(const gs_version *version, gs_stats *out)
{
  out->run_count = version->run_count;
  for (size_t r = 0; r < version->run_count; r++) {
    const gs_run *run = version->runs[r];
    out->table_count += run->table_count;
    out->table_bytes += run->bytes;
    out->entry_count += run->entry_count;
    out->tombstone_count += run->tombstone_count;
    out->levels[run->level].bytes += run->bytes;
    out->levels[run->level].data_bytes += run->data_bytes;
    for (size_t t = 0; t < run->table_count; t++) {
      gs_table *table = atomic_load(&run->tables[t]->payload);
      out->index_bytes += table == NULL ? 0 : gs_table_memory_bytes(table);
    }
  }
}

void
gs_get_stats(gs_store *store, gs_stats *out)
{
  *out = (gs_stats){.stall_reason = ""};
  if (gs_store_check(store, NULL) != GS_OK) {
    return; /* a forked child leaves the parent's locks alone */
  }
  add_readers(store, out);
  add_writers(store, out);
  add_stalls(store, out);
  add_jobs(store, out);
  gs_view *view = gs_store_pin_view(store);
  add_memtables(view, out);
  add_tables(view->version, out);
  gs_view_unref(view);
  gs_cache_stats cache;
  gs_cache_get_stats(store->cache, &cache);
  out->cache_bytes = cache.used_bytes;
  out->cache_capacity_bytes = cache.capacity_bytes;
  out->cache_loads = cache.loads;
  out->cache_evictions = cache.evictions;
  out->wal_bytes = gs_limit(&store->wal.used_bytes);
  gs_mutex_lock(store->state);
  out->snapshot_count = store->snapshot_count;
  out->journal_events = store->recorder.last_number;
  out->journal_lost = store->recorder.lost;
  gs_mutex_unlock(store->state);
}
