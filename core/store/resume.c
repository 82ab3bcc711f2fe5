/*
 * resume: a store that takes no more writes takes them again.
 *
 *   enter    writers are refused already; wait for those on their way to leave
 *   void     entries above the last visible sequence: their writers were told
 *            that nobody knows, and from now on it is known: they never happen
 *   save     what is left of memory into new tables and a manifest that gives
 *            up every segment
 *   leave    the log is begun anew by the next write
 *
 * No file that failed is used again. Sequence numbers go on behind all that
 * were given out, so nothing in an old segment could pass for a later write.
 * Readers go on all the time. Until the edit is durable a failure leaves
 * everything as it was, and the resume can be tried again.
 */
#include "store/flush.h"
#include "store/journal_note.h"
#include "store/survivors.h"

/* ---- entering and leaving --------------------------------------------------- */

static void
set_resuming(gs_store *store, bool is_resuming)
{
  gs_mutex_lock(store->state);
  store->is_resuming = is_resuming;
  gs_mutex_unlock(store->state);
}

/* False where there is nothing to do. Of two callers one does it. */
static bool
enter(gs_store *store)
{
  gs_mutex_lock(store->commit);
  while (store->is_resuming) {
    gs_cond_wait(store->synced, store->commit, 0);
  }
  bool has_failed = atomic_load(&store->has_failed);
  if (has_failed) {
    set_resuming(store, true);
    while (store->is_syncing || store->wal.is_preparing ||
           store->waiting_count > 0) {
      gs_cond_wait(store->synced, store->commit, 0);
    }
  }
  gs_mutex_unlock(store->commit);
  return has_failed;
}

static void
forget_failure(gs_store *store)
{
  gs_mutex_lock(store->state);
  store->failure = (gs_error){0};
  atomic_store_explicit(&store->has_failed, false, memory_order_release);
  gs_cond_broadcast(store->progress);
  gs_cond_broadcast(store->work);
  gs_mutex_unlock(store->state);
}

/* The saved entries are durable; the numbers of the others are burnt. */
static void
begin_anew(gs_store *store, gs_memtable *fresh)
{
  uint64_t last_seq = store->next_seq - 1;
  gs_wal_abandon(store);
  store->active = fresh;
  atomic_store(&store->durable_seq, last_seq);
  atomic_store_explicit(&store->visible_seq, last_seq, memory_order_release);
  gs_tally(&store->counters.resumes, 1);
  forget_failure(store);
}

static void
leave(gs_store *store, gs_memtable *fresh)
{
  gs_mutex_lock(store->commit);
  if (fresh != NULL) {
    begin_anew(store, fresh);
  }
  set_resuming(store, false);
  gs_cond_broadcast(store->synced);
  gs_wal_call_thread(store);
  gs_cond_broadcast(store->progress); /* flushes may be queued again */
  gs_mutex_unlock(store->commit);
}

/* ---- saving ----------------------------------------------------------------- */

static gs_status
void_doubtful(gs_store *store, const gs_view *view, gs_error *err)
{
  uint64_t visible_seq = atomic_load(&store->visible_seq);
  for (size_t i = 0; i < view->memtable_count; i++) {
    gs_memtable_void_above(view->memtables[i], visible_seq);
  }
  gs_mutex_lock(store->commit);
  gs_status status =
      gs_note_revert(&store->note, store->wal.durable_frame, err);
  gs_mutex_unlock(store->commit);
  return status;
}

/* Oldest first; one whose flush took effect without being seen is passed
 * over. */
static gs_status
save_memtables(gs_survivors *s, const gs_view *view, gs_error *err)
{
  gs_store *store = s->store;
  gs_mutex_lock(store->install);
  uint64_t flushed_seq = store->tree.facts.flushed_seq;
  gs_mutex_unlock(store->install);
  gs_status status = GS_OK;
  for (size_t i = view->memtable_count; status == GS_OK && i > 0; i--) {
    gs_memtable_stats stats;
    gs_memtable_get_stats(view->memtables[i - 1], &stats);
    if (stats.max_seq > flushed_seq) {
      status = gs_survivors_add(s, view->memtables[i - 1], err);
    }
  }
  return status;
}

static gs_status
save(gs_store *store, const gs_view *view, gs_memtable *fresh, gs_error *err)
{
  gs_survivors survivors;
  gs_status status =
      gs_survivors_init(&survivors, store, view->memtable_count, err);
  if (status != GS_OK) {
    return status;
  }
  status = save_memtables(&survivors, view, err);
  if (status == GS_OK) {
    gs_install change = {
        .only = fresh,
        .flushed_seq = store->next_seq - 1,
        .reason = "resume",
    };
    status = gs_survivors_install(&survivors, &change, err);
  }
  gs_survivors_deinit(&survivors);
  return status;
}

/* *out: the memtable that is the active one from now on, in the view. */
static gs_status
rescue(gs_store *store, gs_memtable **out, gs_error *err)
{
  gs_memtable *fresh = NULL;
  gs_flush_give_up(store);
  gs_view *view = gs_store_pin_view(store);
  gs_status status = void_doubtful(store, view, err);
  if (status == GS_OK) {
    status = gs_memtable_new(store->env, &store->spare,
                             (size_t)gs_limit(&store->limits.memtable_bytes),
                             gs_store_clock(store), &fresh, err);
  }
  if (status == GS_OK) {
    status = save(store, view, fresh, err);
  }
  gs_view_unref(view);
  gs_memtable_unref(fresh); /* the view holds it, where it came that far */
  *out = status == GS_OK ? fresh : NULL;
  return status;
}

gs_status
gs_resume(gs_store *store, gs_error *err)
{
  gs_status status = gs_store_check(store, err);
  if (status != GS_OK) {
    return status;
  }
  if (store->is_readonly) {
    return gs_store_check_writable(store, err);
  }
  if (!enter(store)) {
    return GS_OK;
  }
  gs_memtable *fresh = NULL;
  status = rescue(store, &fresh, err);
  if (status == GS_FULL && gs_ballast_find_space(store)) {
    status = rescue(store, &fresh, err);
  }
  leave(store, fresh);
  if (status == GS_OK) {
    gs_journal_resume(store);
  }
  return status;
}
