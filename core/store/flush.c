/*
 * flush: memtable to run.
 *
 *   begin   list the snapshots, freeze the version for rule E3
 *   copy    versions through the dropping rules into tables, a bit per step
 *   install run on top, flushed_seq up, segments named for removal, the
 *           memtable out of the view: all in one edit
 */
#include "store/flush.h"

#include "base/check.h"
#include "merge/drop.h"
#include "store/layout.h"
#include "store/output.h"
#include "store/stall.h"
#include "store/turn.h"

enum { STEP_ENTRIES = 2048 };

typedef struct flush {
  gs_job job;
  gs_memtable *memtable;
  gs_memtable_stats stats;
  bool has_begun;
  bool has_cursor;
  gs_memtable_cursor cursor;
  gs_drop drop;
  gs_snapshot_point *snapshots;
  size_t snapshot_count;
  gs_view *view;       /* runs beneath, for rule E3 */
  gs_sealed_note note; /* as of the sealing, once taken */
  gs_output output;
} flush;

static void
reset(flush *f)
{
  if (f->has_cursor) {
    gs_cursor_end(&f->cursor.base);
    f->has_cursor = false;
  }
  if (f->has_begun) {
    gs_output_deinit(&f->output);
    f->has_begun = false;
  }
  gs_alloc_free(f->job.store->alloc, f->snapshots,
                f->snapshot_count * sizeof *f->snapshots);
  f->snapshots = NULL;
  f->snapshot_count = 0;
  gs_view_unref(f->view);
  f->view = NULL;
}

static void
free_flush(gs_job *job)
{
  flush *f = (flush *)job;
  reset(f);
  gs_buffer_deinit(&f->note.text);
  gs_memtable_unref(f->memtable);
  GS_DELETE(job->store->alloc, f);
}

/* ---- the note --------------------------------------------------------------- */

gs_status
gs_flush_keep_note(gs_store *store, const gs_memtable *memtable, gs_error *err)
{
  if (!gs_note_is_present(&store->note)) {
    return GS_OK;
  }
  gs_sealed_note *kept = NULL;
  for (size_t i = 0; i < GS_SEALED_MAX; i++) {
    gs_sealed_note *at = &store->sealed_notes[i];
    if (at->memtable == memtable || (at->memtable == NULL && kept == NULL)) {
      kept = at;
    }
  }
  GS_ASSERT(kept != NULL);
  gs_buffer_clear(&kept->text);
  gs_buffer_append_slice(&kept->text, gs_buffer_slice(&store->note.text));
  kept->memtable = memtable;
  kept->seq = store->note.seq;
  kept->frame = store->note.frame;
  kept->number = store->note.number;
  return gs_buffer_status(&kept->text, err);
}

/* Moves the note from the store to the flush. Commit held. */
static void
take_note(flush *f)
{
  gs_store *store = f->job.store;
  for (size_t i = 0; i < GS_SEALED_MAX; i++) {
    gs_sealed_note *kept = &store->sealed_notes[i];
    if (kept->memtable == f->memtable) {
      f->note = *kept;
      *kept = (gs_sealed_note){0};
      gs_buffer_init(&kept->text, store->alloc);
    }
  }
}

/* ---- begin ------------------------------------------------------------------ */

static bool
is_visible(const flush *f)
{
  const gs_store *store = f->job.store;
  return atomic_load(&store->visible_seq) >= f->stats.max_seq &&
         f->note.frame <= store->wal.durable_frame;
}

/* Writers may still be waiting for the device with entries in this memtable, or
 * with the note. */
static gs_status
wait_until_visible(flush *f, gs_error *err)
{
  gs_store *store = f->job.store;
  gs_turn_take(store);
  take_note(f);
  gs_status status = GS_OK;
  while (status == GS_OK && !is_visible(f)) {
    status = gs_store_check_writable(store, err);
    if (status == GS_OK && store->is_syncing) {
      gs_cond_wait(store->synced, store->commit, 0);
    } else if (status == GS_OK) {
      status = gs_wal_sync(store, err);
    }
  }
  gs_mutex_unlock(store->commit);
  return status;
}

static gs_status
begin(flush *f, gs_error *err)
{
  gs_store *store = f->job.store;
  gs_env_point(store->env, "flush.begin");
  gs_memtable_get_stats(f->memtable, &f->stats);
  gs_status status = gs_store_check_writable(store, err);
  if (status == GS_OK) {
    status = wait_until_visible(f, err);
  }
  /* Read before the snapshots are listed: one that comes between must not find
   * expired what it still sees. */
  uint64_t now_ms = gs_clock_safe(store);
  if (status == GS_OK) {
    status =
        gs_store_list_snapshots(store, &f->snapshots, &f->snapshot_count, err);
  }
  if (status != GS_OK) {
    return status;
  }
  f->view = gs_store_pin_view(store);
  gs_drop_init(&f->drop, f->snapshots, f->snapshot_count, now_ms);
  gs_layout layout = gs_layout_of(store, 0);
  if (layout.table_bytes < f->stats.used_bytes / GS_RUN_TABLES) {
    layout.table_bytes = f->stats.used_bytes / GS_RUN_TABLES;
  }
  gs_output_init(&f->output, store, &layout, f->stats.created_ms);
  f->has_begun = true;
  status = gs_memtable_cursor_init(&f->cursor, f->memtable, UINT64_MAX, err);
  if (status == GS_OK) {
    f->has_cursor = true;
    gs_cursor_first(&f->cursor.base);
  }
  return status;
}

/* ---- copy ------------------------------------------------------------------- */

/* Rule E3 for a flush: no run may hold the key. The bounds of the version at
 * the beginning cover whatever merges make of it. */
static bool
is_bottom(const flush *f, gs_slice key)
{
  const gs_version *version = f->view->version;
  for (size_t i = 0; i < version->run_count; i++) {
    if (gs_run_find(version->runs[i], key) != NULL) {
      return false;
    }
  }
  return true;
}

static gs_status
copy_key(flush *f, size_t *entries, gs_error *err)
{
  gs_cursor *cursor = &f->cursor.base;
  gs_entry out[2];
  gs_status status = GS_OK;
  gs_slice key = cursor->entry.key;
  gs_drop_begin(&f->drop);
  do {
    int count = gs_drop_offer(&f->drop, &cursor->entry, out);
    for (int i = 0; i < count && status == GS_OK; i++) {
      status = gs_output_add(&f->output, &out[i], false, err);
    }
    (*entries)++;
  } while (status == GS_OK && gs_cursor_older(cursor));
  if (status == GS_OK &&
      gs_drop_finish(&f->drop, f->drop.has_pending && is_bottom(f, key), out)) {
    status = gs_output_add(&f->output, out, false, err);
  }
  return status;
}

static gs_status
copy_some(flush *f, gs_error *err)
{
  gs_cursor *cursor = &f->cursor.base;
  size_t entries = 0;
  gs_status status = GS_OK;
  while (status == GS_OK && cursor->valid && entries < STEP_ENTRIES) {
    status = copy_key(f, &entries, err);
    if (status == GS_OK) {
      gs_cursor_next(cursor);
    }
  }
  if (status == GS_OK && cursor->status != GS_OK) {
    status = GS_FAIL(err, cursor->status, "a memtable could not be walked");
  }
  return status;
}

/* ---- install ---------------------------------------------------------------- */

static gs_status
check_account(const flush *f, gs_error *err)
{
  const gs_drop_counts *counts = &f->drop.counts;
  bool adds_up = counts->offered == counts->written + counts->covered +
                                        counts->doubled + counts->bottom &&
                 counts->written == f->output.entry_count &&
                 counts->offered == f->stats.entry_count;
  return adds_up ? GS_OK
                 : GS_FAIL(err, GS_CORRUPT,
                           "a flush read %llu entries of %llu and wrote %llu; "
                           "the memtable is damaged in memory",
                           (unsigned long long)counts->offered,
                           (unsigned long long)f->stats.entry_count,
                           (unsigned long long)f->output.entry_count);
}

static void
count_flush(flush *f)
{
  gs_counters *counters = &f->job.store->counters;
  const gs_drop_counts *counts = &f->drop.counts;
  gs_tally(&counters->flushes, 1);
  gs_tally(&counters->flush_bytes, f->output.bytes_written);
  gs_tally(&counters->flush_data_bytes, f->stats.data_bytes);
  gs_tally(&counters->dropped_covered, counts->covered);
  gs_tally(&counters->dropped_tombstones, counts->bottom + counts->doubled);
  gs_tally(&counters->dropped_expired, counts->expired);
}

static void
account(flush *f)
{
  gs_job_account *a = &f->job.account;
  a->outputs = f->output.tables;
  a->output_count = f->output.table_count;
  a->read_bytes = f->stats.data_bytes;
  a->written_bytes = f->output.bytes_written;
  a->dropped = f->drop.counts;
}

static gs_status
install(flush *f, gs_error *err)
{
  gs_store *store = f->job.store;
  gs_status status = check_account(f, err);
  if (status != GS_OK) {
    return status;
  }
  gs_edit *edit = gs_edit_new(store->alloc);
  if (edit == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  if (f->output.table_count > 0) {
    uint64_t run_id = gs_store_new_id(store);
    gs_edit_add_run(edit, run_id, 0, GS_PLACE_TOP, 0);
    gs_output_name(&f->output, edit, run_id);
  }
  gs_wal_name_flushed(store, f->stats.max_seq, edit);
  if (f->note.memtable != NULL) {
    gs_edit_set_note(edit, gs_buffer_slice(&f->note.text), f->note.seq);
  }
  gs_install change = {
      .edit = edit,
      .flushed = f->memtable,
      .flushed_seq = f->stats.max_seq,
      .note_number = f->note.number,
      .known = f->output.tables,
      .known_count = f->output.table_count,
      .reason = "flush",
  };
  gs_mutex_lock(store->install);
  status = gs_store_install(store, &change, err);
  bool is_doubtful =
      store->manifest != NULL && gs_manifest_is_doubtful(store->manifest);
  gs_mutex_unlock(store->install);
  gs_edit_free(edit);
  if (change.is_durable || is_doubtful) {
    gs_output_keep(&f->output);
  }
  return status;
}

/* Durable in tables is durable, whatever became of the log's copy. */
static void
raise_durable(gs_store *store, uint64_t seq)
{
  gs_turn_take(store);
  if (atomic_load(&store->durable_seq) < seq) {
    atomic_store(&store->durable_seq, seq);
  }
  gs_mutex_unlock(store->commit);
}

static gs_status
finish(flush *f, gs_error *err)
{
  gs_store *store = f->job.store;
  gs_status status = gs_output_finish(&f->output, err);
  if (status == GS_OK) {
    gs_env_point(store->env, "flush.written");
    status = install(f, err);
  }
  if (status != GS_OK) {
    return status;
  }
  gs_env_point(store->env, "flush.installed");
  count_flush(f);
  account(f);
  raise_durable(store, f->stats.max_seq);
  gs_wal_drop_named(store);
  return GS_OK;
}

static gs_status
step(gs_job *job, bool *done, gs_error *err)
{
  flush *f = (flush *)job;
  gs_status status = GS_OK;
  if (!f->has_begun) {
    status = begin(f, err);
  } else if (f->cursor.base.valid) {
    status = copy_some(f, err);
  } else {
    status = finish(f, err);
    *done = status == GS_OK;
  }
  if (status != GS_OK) {
    reset(f);
  }
  return status;
}

static const gs_job_ops flush_ops = {
    .name = "flush",
    .priority = 0,
    .step = step,
    .free = free_flush,
};

gs_status
gs_flush_new(gs_store *store, gs_memtable *memtable, gs_job **out,
             gs_error *err)
{
  flush *f = GS_NEW(store->alloc, flush);
  if (f == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  f->job.ops = &flush_ops;
  f->job.store = store;
  f->job.id = ++store->next_job_id;
  f->job.is_retried = true;
  f->memtable = memtable;
  gs_buffer_init(&f->note.text, store->alloc);
  gs_memtable_ref(memtable);
  *out = &f->job;
  return GS_OK;
}

/* ---- asking for one ---------------------------------------------------------- */

static gs_job *
find_flush(const gs_store *store)
{
  gs_job *job = store->jobs;
  while (job != NULL && job->ops != &flush_ops) {
    job = job->next;
  }
  return job;
}

/* One at a time: the next may begin when the one before has let its segments
 * go, or both would name the same ones. */
gs_status
gs_flush_queue(gs_store *store, gs_error *err)
{
  const gs_view *view = atomic_load(&store->view);
  if (view->memtable_count < 2 || store->is_closing || store->is_resuming ||
      find_flush(store) != NULL) {
    return GS_OK;
  }
  gs_memtable *oldest = view->memtables[view->memtable_count - 1];
  gs_job *job = NULL;
  gs_status status = gs_flush_new(store, oldest, &job, err);
  if (status == GS_OK) {
    gs_job_queue(store, job);
  }
  return status;
}

/* Notes kept for memtables that will not be flushed as such go too. */
static void
forget_notes(gs_store *store)
{
  gs_mutex_lock(store->commit);
  for (size_t i = 0; i < GS_SEALED_MAX; i++) {
    gs_buffer_deinit(&store->sealed_notes[i].text);
    store->sealed_notes[i] = (gs_sealed_note){0};
    gs_buffer_init(&store->sealed_notes[i].text, store->alloc);
  }
  gs_mutex_unlock(store->commit);
}

void
gs_flush_give_up(gs_store *store)
{
  gs_mutex_lock(store->state);
  gs_job *job = find_flush(store);
  while (job != NULL) {
    if (job->is_stepping) {
      gs_cond_wait(store->progress, store->state, 0);
    } else {
      gs_job_cancel(store, job, &store->failure);
    }
    job = find_flush(store);
  }
  gs_mutex_unlock(store->state);
  forget_notes(store);
}

/* The flush that is first in line, if nobody waits for it yet, with this waiter.
 * State held. */
static bool
attach_waiter(gs_store *store, gs_job_waiter *waiter)
{
  gs_job *job = find_flush(store);
  if (job == NULL || job->waiter != NULL) {
    return false;
  }
  job->waiter = waiter;
  job->not_before_us = 0;
  gs_cond_broadcast(store->work);
  return true;
}

gs_status
gs_flush_wait(gs_store *store, gs_error *err)
{
  gs_job_waiter waiter = {.is_done = false};
  gs_mutex_lock(store->state);
  gs_status status = gs_flush_queue(store, err);
  bool is_ahead = status == GS_OK && attach_waiter(store, &waiter);
  bool is_left = atomic_load(&store->sealed_count) > 0;
  if (status == GS_OK && !is_ahead && is_left) {
    gs_cond_wait(store->progress, store->state, 0);
  }
  gs_mutex_unlock(store->state);
  if (!is_ahead) {
    return status;
  }
  gs_job_wait(store, &waiter);
  if (waiter.status != GS_OK && err != NULL) {
    *err = waiter.error;
  }
  return waiter.status;
}

static gs_status
wait_for_flushes(gs_store *store, uint64_t seq, gs_error *err)
{
  gs_status status = GS_OK;
  while (status == GS_OK && atomic_load(&store->sealed_count) > 0 &&
         atomic_load(&store->flushed_seq) < seq) {
    status = gs_flush_wait(store, err);
  }
  return status;
}

/* Without a log a note that came with no entry is in no memtable either. */
static gs_status
save_note(gs_store *store, gs_error *err)
{
  gs_edit *edit = gs_edit_new(store->alloc);
  if (edit == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  gs_install change = {.edit = edit};
  gs_mutex_lock(store->commit);
  gs_mutex_lock(store->install);
  bool is_new = gs_note_differs(
      &store->note, gs_buffer_slice(&store->tree.note), store->tree.note_seq);
  if (is_new) {
    gs_edit_set_note(edit, gs_buffer_slice(&store->note.text), store->note.seq);
    change.note_number = store->note.number;
  }
  gs_mutex_unlock(store->commit);
  gs_status status = is_new ? gs_store_install(store, &change, err) : GS_OK;
  gs_mutex_unlock(store->install);
  gs_edit_free(edit);
  return status;
}

gs_status
gs_flush_all(gs_store *store, gs_error *err)
{
  gs_memtable_stats stats;
  gs_room room = {0};
  gs_status status = gs_store_check_writable(store, err);
  if (status != GS_OK) {
    return status; /* in a forked child no lock may be touched */
  }
  gs_mutex_lock(store->commit);
  status = gs_store_check_writable(store, err);
  gs_memtable_get_stats(store->active, &stats);
  if (status == GS_OK && stats.entry_count > 0) {
    status = gs_stall_until_sealable(store, &room, err);
  }
  gs_memtable_get_stats(store->active, &stats);
  if (status == GS_OK && stats.entry_count > 0) {
    gs_spare_rest(&store->spare); /* the new one may stay empty for long */
    status = gs_store_seal(store, 0, err);
  }
  uint64_t seq = store->next_seq - 1;
  gs_mutex_unlock(store->commit);
  if (status == GS_OK) {
    status = wait_for_flushes(store, seq, err);
    gs_spare_rest(&store->spare);
  }
  bool has_log = store->options.durability != GS_DURABILITY_MEMORY;
  return status == GS_OK && !has_log ? save_note(store, err) : status;
}
