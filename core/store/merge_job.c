/*
 * merge_job: many sorted inputs into fewer.
 *
 *   begin    list the snapshots; one cursor per input run, newest first
 *   copy     key by key through the dropping rules into output tables
 *   install  check the plan again, one edit
 *
 * Output tables are cut at the plan's keys, at the size asked for, and wherever
 * a table that stays in the target run begins, so that none spans it (C8).
 * Entries read must equal entries written plus entries left out by reason
 * (C11); otherwise the job fails and the inputs stay.
 */
#include "store/merge_job.h"

#include "merge/drop.h"
#include "merge/merge.h"
#include "store/layout.h"
#include "store/output.h"
#include "store/run_cursor.h"

enum { STEP_ENTRIES = 1024 };

typedef struct merge_job {
  gs_compaction base;
  bool has_begun;
  size_t position;      /* of the target in the version */
  size_t *bottom_state; /* one per run, for gs_plan_is_bottom */
  gs_snapshot_point *snapshots;
  size_t snapshot_count;
  gs_drop drop;
  gs_cursor **sources; /* one per input run */
  size_t source_count;
  gs_cursor *merge;
  gs_output output;
  size_t next_cut;     /* in the plan's cuts */
  size_t next_stay;    /* in the target run's tables */
  uint64_t entries_in; /* by the inputs' metadata */
  uint64_t bytes_in;
  gs_buffer held_key;  /* key of the tombstone the rules hold back */
  gs_error walk_error; /* filled by the cursors */
} merge_job;

/* ---- begin --------------------------------------------------------------------- */

static bool
is_input(const merge_job *m, uint64_t table_id)
{
  const gs_claim *claim = m->base.job.claim;
  size_t low = 0;
  size_t high = claim->input_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (claim->inputs[middle] < table_id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < claim->input_count && claim->inputs[low] == table_id;
}

static gs_status
open_run(merge_job *m, const gs_run *run, gs_error *err)
{
  gs_store *store = m->base.job.store;
  gs_tree_table **tables =
      gs_alloc_array(store->alloc, run->table_count, sizeof *tables);
  if (tables == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  size_t count = 0;
  for (size_t i = 0; i < run->table_count; i++) {
    if (is_input(m, run->tables[i]->meta.id)) {
      tables[count++] = run->tables[i];
      m->entries_in += run->tables[i]->meta.entry_count;
      m->bytes_in += run->tables[i]->meta.file_bytes;
    }
  }
  gs_status status = GS_OK;
  if (count > 0) {
    gs_cursor **source = &m->sources[m->source_count];
    status = gs_run_cursor_new(store, tables, count, false, source, err);
    if (status == GS_OK) {
      (*source)->error = &m->walk_error;
      m->source_count++;
    }
  }
  gs_alloc_free(store->alloc, tables, run->table_count * sizeof *tables);
  return status;
}

static gs_status
walk_failed(const merge_job *m, gs_error *err)
{
  if (err != NULL) {
    *err = m->walk_error;
  }
  return m->merge->status;
}

static gs_status
open_sources(merge_job *m, gs_error *err)
{
  gs_store *store = m->base.job.store;
  const gs_version *version = m->base.version;
  m->sources =
      gs_alloc_array(store->alloc, version->run_count, sizeof *m->sources);
  m->bottom_state = gs_alloc_zeroed(store->alloc, version->run_count *
                                                      sizeof *m->bottom_state);
  if (m->sources == NULL || m->bottom_state == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  for (size_t i = 0; i < version->run_count; i++) {
    gs_status status = open_run(m, version->runs[i], err);
    if (status != GS_OK) {
      return status;
    }
  }
  gs_status status = gs_merge_cursor_new(store->alloc, m->sources,
                                         m->source_count, &m->merge, err);
  if (status != GS_OK) {
    return status;
  }
  gs_cursor_first(m->merge);
  return m->merge->status == GS_OK ? GS_OK : walk_failed(m, err);
}

/* The age of the oldest tombstone among the inputs is the outputs' too. */
static uint64_t
oldest_tombstone_ms(const merge_job *m)
{
  uint64_t oldest = 0;
  const gs_version *version = m->base.version;
  for (size_t i = 0; i < m->base.plan.input_count; i++) {
    size_t run;
    const gs_tree_table *table =
        gs_version_find_table(version, m->base.plan.inputs[i], &run);
    uint64_t at = table->meta.oldest_tombstone_ms;
    if (at != 0 && (oldest == 0 || at < oldest)) {
      oldest = at;
    }
  }
  return oldest;
}

static gs_status
begin(merge_job *m, gs_error *err)
{
  gs_store *store = m->base.job.store;
  gs_env_point(store->env, "merge.begin");
  /* Read before the snapshots are listed: one that comes between must not find
   * expired what it still sees. */
  uint64_t now_ms = gs_clock_safe(store);
  gs_status status =
      gs_store_list_snapshots(store, &m->snapshots, &m->snapshot_count, err);
  if (status != GS_OK) {
    return status;
  }
  m->position = gs_plan_position(m->base.version, &m->base.plan);
  gs_drop_init(&m->drop, m->snapshots, m->snapshot_count, now_ms);
  gs_layout layout =
      gs_layout_of(store, gs_compaction_level(&m->base, m->base.version));
  if (m->base.plan.table_bytes != 0) {
    layout.table_bytes = m->base.plan.table_bytes;
  }
  gs_output_init(&m->output, store, &layout, oldest_tombstone_ms(m));
  gs_buffer_init(&m->held_key, store->alloc);
  m->has_begun = true;
  return open_sources(m, err);
}

/* ---- copy ---------------------------------------------------------------------- */

static bool
passes_cut(merge_job *m, gs_slice key)
{
  bool is_cut = false;
  const gs_plan *plan = &m->base.plan;
  while (m->next_cut < plan->cut_count &&
         gs_slice_compare(plan->cuts[m->next_cut], key) <= 0) {
    m->next_cut++;
    is_cut = true;
  }
  return is_cut;
}

/* Whether a table that stays in the target run lies between the last key
 * written and this one. */
static bool
passes_stay(merge_job *m, gs_slice key)
{
  const gs_version *version = m->base.version;
  if (m->base.plan.target != GS_TARGET_INTO) {
    return false;
  }
  size_t at = gs_version_find_run(version, m->base.plan.run_id);
  const gs_run *run = version->runs[at];
  bool is_cut = false;
  while (m->next_stay < run->table_count &&
         gs_slice_compare(run->tables[m->next_stay]->meta.min_key, key) <= 0) {
    is_cut |= !is_input(m, run->tables[m->next_stay]->meta.id);
    m->next_stay++;
  }
  return is_cut;
}

static gs_status
write_entries(merge_job *m, const gs_entry *entries, int count, gs_error *err)
{
  gs_status status = GS_OK;
  for (int i = 0; i < count && status == GS_OK; i++) {
    bool is_cut = passes_cut(m, entries[i].key);
    is_cut |= passes_stay(m, entries[i].key);
    status = gs_output_add(&m->output, &entries[i], is_cut, err);
  }
  return status;
}

static bool
is_bottom(merge_job *m, gs_slice key)
{
  return m->drop.has_pending &&
         gs_plan_is_bottom(m->base.version, &m->base.plan, m->position,
                           m->bottom_state, key);
}

/* The versions beneath a tombstone that is held back may stand in other blocks,
 * so its key must outlive the cursor's step. */
static gs_status
hold_key(merge_job *m, gs_error *err)
{
  if (!m->drop.has_pending || m->drop.pending.key.data == m->held_key.data) {
    return GS_OK;
  }
  gs_buffer_clear(&m->held_key);
  gs_buffer_append_slice(&m->held_key, m->drop.pending.key);
  m->drop.pending.key = gs_buffer_slice(&m->held_key);
  return gs_buffer_status(&m->held_key, err);
}

static gs_status
copy_key(merge_job *m, size_t *entries, gs_error *err)
{
  gs_entry out[2];
  gs_status status = GS_OK;
  gs_drop_begin(&m->drop);
  do {
    int count = gs_drop_offer(&m->drop, &m->merge->entry, out);
    status = write_entries(m, out, count, err);
    if (status == GS_OK) {
      status = hold_key(m, err);
    }
    (*entries)++;
  } while (status == GS_OK && gs_cursor_older(m->merge));
  if (status != GS_OK) {
    return status;
  }
  if (m->merge->status != GS_OK) {
    return walk_failed(m, err);
  }
  bool bottom = m->drop.has_pending && is_bottom(m, m->drop.pending.key);
  int count = gs_drop_finish(&m->drop, bottom, out) ? 1 : 0;
  return write_entries(m, out, count, err);
}

static gs_status
copy_some(merge_job *m, gs_error *err)
{
  size_t entries = 0;
  gs_status status = GS_OK;
  gs_env_point(m->base.job.store->env, "merge.step");
  while (status == GS_OK && m->merge->valid && entries < STEP_ENTRIES) {
    status = copy_key(m, &entries, err);
    if (status == GS_OK) {
      gs_cursor_next(m->merge);
    }
  }
  if (status == GS_OK && m->merge->status != GS_OK) {
    return walk_failed(m, err);
  }
  return status;
}

/* ---- install ------------------------------------------------------------------- */

static gs_status
check_account(const merge_job *m, gs_error *err)
{
  const gs_drop_counts *counts = &m->drop.counts;
  bool adds_up = counts->offered == counts->written + counts->covered +
                                        counts->doubled + counts->bottom &&
                 counts->written == m->output.entry_count &&
                 counts->offered == m->entries_in;
  return adds_up ? GS_OK
                 : GS_FAIL(err, GS_CORRUPT,
                           "a merge read %llu entries where its inputs hold "
                           "%llu, and wrote %llu; verify the store",
                           (unsigned long long)counts->offered,
                           (unsigned long long)m->entries_in,
                           (unsigned long long)m->output.entry_count);
}

static void
count_merge(const merge_job *m)
{
  gs_counters *counters = &m->base.job.store->counters;
  const gs_drop_counts *counts = &m->drop.counts;
  gs_tally(&counters->merges, 1);
  gs_tally(&counters->merge_bytes_read, m->bytes_in);
  gs_tally(&counters->merge_bytes_written, m->output.bytes_written);
  gs_tally(&counters->dropped_covered, counts->covered);
  gs_tally(&counters->dropped_tombstones, counts->bottom + counts->doubled);
  gs_tally(&counters->dropped_expired, counts->expired);
}

static void
account(merge_job *m)
{
  gs_job_account *a = &m->base.job.account;
  a->outputs = m->output.tables;
  a->output_count = m->output.table_count;
  a->read_bytes = m->bytes_in;
  a->written_bytes = m->output.bytes_written;
  a->dropped = m->drop.counts;
}

static gs_status
finish(merge_job *m, gs_error *err)
{
  gs_status status = check_account(m, err);
  if (status == GS_OK) {
    status = gs_output_finish(&m->output, err);
  }
  if (status != GS_OK) {
    return status;
  }
  gs_env_point(m->base.job.store->env, "merge.written");
  m->base.outputs = m->output.tables;
  m->base.output_count = m->output.table_count;
  bool is_kept;
  status = gs_compaction_install(&m->base, "merge", &is_kept, err);
  if (is_kept) {
    gs_output_keep(&m->output);
  }
  if (status == GS_OK) {
    gs_env_point(m->base.job.store->env, "merge.installed");
    count_merge(m);
    account(m);
  }
  return status;
}

static gs_status
step(gs_job *job, bool *done, gs_error *err)
{
  merge_job *m = (merge_job *)job;
  if (!m->has_begun) {
    return begin(m, err);
  }
  if (m->merge->valid) {
    return copy_some(m, err);
  }
  *done = true;
  return finish(m, err);
}

static void
free_merge(gs_job *job)
{
  merge_job *m = (merge_job *)job;
  gs_alloc *alloc = job->store->alloc;
  size_t run_count = m->base.version == NULL ? 0 : m->base.version->run_count;
  if (m->merge != NULL) {
    gs_cursor_end(m->merge);
  }
  for (size_t i = 0; i < m->source_count; i++) {
    gs_cursor_end(m->sources[i]);
  }
  gs_alloc_free(alloc, m->sources, run_count * sizeof *m->sources);
  gs_alloc_free(alloc, m->bottom_state, run_count * sizeof *m->bottom_state);
  gs_alloc_free(alloc, m->snapshots, m->snapshot_count * sizeof *m->snapshots);
  if (m->has_begun) {
    gs_output_deinit(&m->output);
    gs_buffer_deinit(&m->held_key);
  }
  gs_compaction_free(&m->base);
  GS_DELETE(alloc, m);
}

static const gs_job_ops merge_ops = {
    .name = "merge",
    .priority = 1,
    .step = step,
    .free = free_merge,
};

gs_compaction *
gs_merge_job_new(gs_store *store)
{
  merge_job *m = GS_NEW(store->alloc, merge_job);
  if (m == NULL) {
    return NULL;
  }
  m->base.job.ops = &merge_ops;
  return &m->base;
}
