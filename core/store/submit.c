/*
 * submit: plans from outside: checked, then queued, under one lock.
 */
#include "store/compaction.h"
#include "store/flush.h"
#include "store/journal_note.h"

static gs_status
refused(gs_store *store, const gs_refusal *refusal, gs_error *err)
{
  gs_tally(&store->counters.plans_refused, 1);
  return GS_FAIL(err, GS_REFUSED, "%s: %s", gs_refusal_name(refusal->code),
                 refusal->text);
}

/* State held. */
static gs_status
submit_locked(gs_store *store, const gs_plan *plan, bool dry_run,
              gs_job_waiter *waiter, uint64_t *job_id, gs_refusal *refusal,
              gs_error *err)
{
  if (!gs_compaction_check(store, plan, NULL, refusal)) {
    gs_journal_refusal(store, plan, dry_run, refusal);
    return refused(store, refusal, err);
  }
  return dry_run ? GS_OK
                 : gs_compaction_queue(store, plan, waiter, job_id, err);
}

gs_status
gs_submit(gs_store *store, const gs_plan *plan, bool dry_run, uint64_t *job_id,
          gs_refusal *refusal, gs_error *err)
{
  gs_refusal unread;
  gs_status status = gs_store_check_writable(store, err);
  if (status != GS_OK) {
    return status;
  }
  refusal = refusal == NULL ? &unread : refusal;
  GS_IGNORE(gs_clock_safe(store) == 0, "asked so that the check knows it");
  gs_mutex_lock(store->state);
  status = submit_locked(store, plan, dry_run, NULL, job_id, refusal, err);
  gs_mutex_unlock(store->state);
  return status;
}

/* ---- compacting by hand --------------------------------------------------------------------*/

/* The merge that leaves at most one run's worth of tables in the range: every
 * table that meets the hull of what meets the range, in every run, so that no
 * table stays in anybody's way. */
typedef struct sweep {
  uint64_t *inputs;
  size_t count;
  size_t capacity;
  uint64_t oldest_run; /* run of the oldest input */
  size_t run_count;    /* runs with inputs */
  gs_slice low;        /* hull so far */
  gs_slice high;
} sweep;

static bool
widen(sweep *s, const gs_table_meta *meta)
{
  bool grew = false;
  if (gs_slice_compare(meta->min_key, s->low) < 0) {
    s->low = meta->min_key;
    grew = true;
  }
  if (gs_slice_compare(meta->max_key, s->high) > 0) {
    s->high = meta->max_key;
    grew = true;
  }
  return grew;
}

/* Widens the hull by every table that meets it, until nothing widens it. */
static void
close_hull(sweep *s, const gs_version *version)
{
  bool grew = true;
  while (grew) {
    grew = false;
    for (size_t r = 0; r < version->run_count; r++) {
      const gs_run *run = version->runs[r];
      for (size_t t = gs_run_lower_bound(run, s->low);
           t < run->table_count &&
           gs_slice_compare(run->tables[t]->meta.min_key, s->high) <= 0;
           t++) {
        grew |= widen(s, &run->tables[t]->meta);
      }
    }
  }
}

static bool
begin_hull(sweep *s, const gs_version *version, const gs_range *range)
{
  bool found = false;
  for (size_t r = 0; r < version->run_count; r++) {
    const gs_run *run = version->runs[r];
    for (size_t t = 0; t < run->table_count; t++) {
      const gs_table_meta *meta = &run->tables[t]->meta;
      bool meets =
          range == NULL ||
          (gs_slice_compare(meta->max_key, range->from) >= 0 &&
           (!range->has_to || gs_slice_compare(meta->min_key, range->to) < 0));
      if (meets && !found) {
        s->low = meta->min_key;
        s->high = meta->max_key;
        found = true;
      } else if (meets) {
        widen(s, meta);
      }
    }
  }
  return found;
}

static gs_status
check_sound(const gs_store *store, const gs_tree_table *table, gs_error *err)
{
  if (!atomic_load(&table->is_quarantined)) {
    return GS_OK;
  }
  gs_status status =
      GS_FAIL(err, GS_CORRUPT, "%s: table %llu was found damaged", store->path,
              (unsigned long long)table->meta.id);
  return gs_error_hint(err, status,
                       "compact other ranges, or restore the directory from "
                       "a copy");
}

static gs_status
collect(gs_store *store, sweep *s, const gs_version *version, gs_error *err)
{
  for (size_t r = 0; r < version->run_count; r++) {
    s->capacity += version->runs[r]->table_count;
  }
  s->inputs = gs_alloc_array(store->alloc, s->capacity, sizeof *s->inputs);
  if (s->inputs == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  for (size_t r = 0; r < version->run_count; r++) {
    const gs_run *run = version->runs[r];
    size_t before = s->count;
    for (size_t t = gs_run_lower_bound(run, s->low);
         t < run->table_count &&
         gs_slice_compare(run->tables[t]->meta.min_key, s->high) <= 0;
         t++) {
      gs_status status = check_sound(store, run->tables[t], err);
      if (status != GS_OK) {
        return status;
      }
      s->inputs[s->count++] = run->tables[t]->meta.id;
    }
    if (s->count > before) {
      s->oldest_run = run->id;
      s->run_count++;
    }
  }
  return GS_OK;
}

/* State held. is_done: there is nothing to merge. */
static gs_status
queue_sweep(gs_store *store, const gs_range *range, gs_job_waiter *waiter,
            bool *is_done, gs_error *err)
{
  const gs_version *version = atomic_load(&store->view)->version;
  sweep s = {0};
  *is_done = true;
  if (!begin_hull(&s, version, range)) {
    return GS_OK;
  }
  close_hull(&s, version);
  gs_status status = collect(store, &s, version, err);
  if (status == GS_OK) {
    gs_plan plan = {
        .op = GS_PLAN_MERGE,
        .target = GS_TARGET_INTO,
        .run_id = s.oldest_run,
        .level = -1,
        .inputs = s.inputs,
        .input_count = s.count,
        .why = "compact",
    };
    gs_refusal refusal;
    *is_done = false;
    status = submit_locked(store, &plan, false, waiter, NULL, &refusal, err);
  }
  gs_alloc_free(store->alloc, s.inputs, s.capacity * sizeof *s.inputs);
  return status;
}

/* Jobs that are at work on tables of the range end first. */
static gs_status
compact_once(gs_store *store, const gs_range *range, bool *is_done,
             gs_error *err)
{
  gs_job_waiter waiter = {.is_done = false};
  gs_status status = gs_wait_idle(store, err);
  if (status != GS_OK) {
    return status;
  }
  gs_mutex_lock(store->state);
  status = queue_sweep(store, range, &waiter, is_done, err);
  gs_mutex_unlock(store->state);
  if (status != GS_OK || *is_done) {
    return status;
  }
  gs_job_wait(store, &waiter);
  /* The space of what was merged is free again. */
  gs_remover_wait(store, gs_remover_mark(store));
  *is_done = true;
  if (waiter.status != GS_OK && err != NULL) {
    *err = waiter.error;
  }
  return waiter.status;
}

enum { COMPACT_TRIES = 16 };

gs_status
gs_compact(gs_store *store, const gs_range *range, gs_error *err)
{
  gs_status status = gs_flush_all(store, err);
  bool is_done = false;
  for (int i = 0; status == GS_OK && !is_done && i < COMPACT_TRIES; i++) {
    status = compact_once(store, range, &is_done, err);
    if (status == GS_REFUSED) {
      status = GS_OK; /* another job came first: its end is waited for */
      is_done = false;
    }
  }
  if (status == GS_OK && !is_done) {
    status = GS_FAIL(err, GS_BUSY, "%s: other merges kept coming first",
                     store->path);
  }
  return status;
}
