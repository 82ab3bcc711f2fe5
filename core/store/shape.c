/*
 * shape: the tree as a policy sees it: one block of plain values and copies of
 * the key bounds, taken at one moment.
 */
#include "store/store.h"

#include "store/job.h"

/* The block: shape, runs, tables, key bytes. */
typedef struct layout {
  size_t table_count;
  size_t key_bytes;
  size_t total_bytes;
} layout;

struct shape_block {
  gs_shape shape;
  gs_view *view; /* the key bounds are its tables' */
  size_t bytes;
};

static layout
measure(const gs_version *version)
{
  layout sizes = {0};
  for (size_t r = 0; r < version->run_count; r++) {
    sizes.table_count += version->runs[r]->table_count;
  }
  sizes.total_bytes = sizeof(struct shape_block) +
                      version->run_count * sizeof(gs_shape_run) +
                      sizes.table_count * sizeof(gs_shape_table);
  return sizes;
}

static void
fill_table(gs_shape_table *out, const gs_tree_table *table)
{
  const gs_table_meta *meta = &table->meta;
  *out = (gs_shape_table){
      .id = meta->id,
      .bytes = meta->file_bytes,
      .entry_count = meta->entry_count,
      .tombstone_count = meta->tombstone_count,
      .expiring_count = meta->expiring_count,
      .min_seq = meta->min_seq,
      .max_seq = meta->max_seq,
      .created_ms = meta->created_ms,
      .min_expiry_ms = meta->min_expiry_ms,
      .max_expiry_ms = meta->max_expiry_ms,
      .oldest_tombstone_ms = meta->oldest_tombstone_ms,
      .min_key = meta->min_key,
      .max_key = meta->max_key,
  };
}

static void
fill_runs(struct shape_block *block, gs_shape_run *runs, gs_shape_table *tables)
{
  const gs_version *version = block->view->version;
  for (size_t r = 0; r < version->run_count; r++) {
    const gs_run *run = version->runs[r];
    runs[r] = (gs_shape_run){
        .id = run->id,
        .level = run->level,
        .table_count = run->table_count,
        .tables = tables,
        .bytes = run->bytes,
        .entry_count = run->entry_count,
        .tombstone_count = run->tombstone_count,
        .expiring_count = run->expiring_count,
    };
    for (size_t t = 0; t < run->table_count; t++) {
      fill_table(&tables[t], run->tables[t]);
    }
    tables += run->table_count;
    block->shape.disk_used_bytes += run->bytes;
  }
  block->shape.version = version->number;
  block->shape.run_count = version->run_count;
  block->shape.runs = runs;
}

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

static bool
claims_table(const gs_claim *claim, uint64_t id)
{
  for (size_t i = 0; i < claim->input_count; i++) {
    if (claim->inputs[i] == id) {
      return true;
    }
  }
  return false;
}

/* State held. */
static void
mark_busy(const gs_store *store, gs_shape_table *tables, size_t count)
{
  for (const gs_job *job = store->jobs; job != NULL; job = job->next) {
    for (size_t i = 0; job->claim != NULL && i < count; i++) {
      tables[i].is_busy |= claims_table(job->claim, tables[i].id);
    }
  }
}

static void
fill_disk(gs_store *store, gs_shape *shape)
{
  gs_disk_space space;
  gs_mutex_lock(store->commit);
  shape->wal_bytes = store->wal.used_bytes;
  gs_mutex_unlock(store->commit);
  shape->disk_used_bytes += shape->wal_bytes;
  if (gs_env_space(store->env, store->path, &space, NULL) == GS_OK) {
    shape->disk_free_bytes = space.free_bytes;
  }
}

gs_status
gs_shape_new(gs_store *store, gs_shape **out, gs_error *err)
{
  gs_status status = gs_store_check(store, err);
  if (status != GS_OK) {
    return status;
  }
  atomic_store(&store->wants_decision, false);
  gs_view *view = gs_store_pin_view(store);
  layout sizes = measure(view->version);
  struct shape_block *block = gs_alloc_zeroed(store->alloc, sizes.total_bytes);
  if (block == NULL) {
    gs_view_unref(view);
    return GS_FAIL_NOMEM(err);
  }
  block->view = view;
  block->bytes = sizes.total_bytes;
  gs_shape *shape = &block->shape;
  shape->now_ms = gs_store_clock(store);
  gs_shape_run *runs = (gs_shape_run *)(block + 1);
  gs_shape_table *tables = (gs_shape_table *)(runs + view->version->run_count);
  fill_runs(block, runs, tables);
  fill_memtable(store, view, shape);
  fill_amplification(store, view->version, shape);
  fill_disk(store, shape);
  gs_mutex_lock(store->state);
  fill_state(store, shape);
  mark_busy(store, tables, sizes.table_count);
  gs_mutex_unlock(store->state);
  *out = shape;
  return GS_OK;
}

void
gs_shape_free(gs_store *store, gs_shape *shape)
{
  if (shape == NULL) {
    return;
  }
  struct shape_block *block = (struct shape_block *)shape;
  gs_view_unref(block->view);
  gs_alloc_free(store->alloc, block, block->bytes);
}
