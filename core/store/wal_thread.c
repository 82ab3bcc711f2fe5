/*
 * wal_thread: what is due in time: syncs when the window has passed, marks when
 * nothing comes, the next segment before it is needed.
 */
#include "store/store.h"
#include "store/turn.h"
#include "store/wal.h"

/* ---- marks ---------------------------------------------------------------- */

/* What the device holds and no frame says yet. */
static bool
needs_mark(const gs_store *store)
{
  const gs_store_segment *active = store->wal.active;
  return active != NULL && !store->has_failed && !store->is_resuming &&
         gs_log_durable_bytes(active->writer) >
             gs_log_attested_bytes(active->writer) &&
         gs_log_has_room(active->writer, 0);
}

/* A frame says what was durable before it, so what none says yet is of the last
 * sync, and nothing was written since. */
static bool
is_mark_due(gs_store *store, uint64_t *wait_us)
{
  *wait_us = 0;
  if (!needs_mark(store)) {
    return false;
  }
  uint64_t idle_us = gs_env_mono_us(store->env) - store->wal.last_sync_us;
  *wait_us = idle_us < GS_WAL_MARK_IDLE_US ? GS_WAL_MARK_IDLE_US - idle_us : 0;
  return *wait_us == 0;
}

void
gs_wal_mark_if_due(gs_store *store, uint64_t *wait_us)
{
  gs_error failure;
  if (!is_mark_due(store, wait_us)) {
    return;
  }
  gs_status status = gs_wal_add_frame(store, GS_FRAME_MARK, 0, 0,
                                      gs_slice_of(NULL, 0), &failure);
  if (status != GS_OK && gs_wal_is_broken(store)) {
    gs_store_fail(store, status, &failure);
  }
}

/* ---- the log thread ------------------------------------------------------- */

static bool
is_sync_due(gs_store *store, uint64_t *wait_us)
{
  gs_wal *wal = &store->wal;
  *wait_us = 0;
  if (store->options.durability != GS_DURABILITY_BATCH ||
      wal->unsynced_bytes == 0 || store->is_syncing || store->has_failed) {
    return false;
  }
  uint64_t window_us = gs_limit(&store->limits.wal_batch_ms) * 1000;
  uint64_t passed_us = gs_env_mono_us(store->env) - wal->last_sync_us;
  if (passed_us >= window_us ||
      wal->unsynced_bytes >= store->options.wal_batch_bytes) {
    return true;
  }
  *wait_us = window_us - passed_us;
  return false;
}

gs_status
gs_wal_sync_if_due(gs_store *store, gs_error *err)
{
  uint64_t wait_us;
  return is_sync_due(store, &wait_us) ? gs_wal_sync(store, err) : GS_OK;
}

void
gs_wal_call_thread(gs_store *store)
{
  gs_mutex_lock(store->calls);
  store->log_calls++;
  gs_cond_broadcast(store->log_work);
  gs_mutex_unlock(store->calls);
}

/* Asleep it does not wait with commit: woken, it would take that when no writer
 * happens to hold it. */
static void
sleep_until_called(gs_store *store, uint64_t wait_us)
{
  uint64_t seen = store->log_calls;
  gs_mutex_unlock(store->commit);
  gs_env_point(store->env, "log.sleep");
  gs_mutex_lock(store->calls);
  if (store->log_calls == seen) {
    gs_cond_wait(store->log_work, store->calls, wait_us);
  }
  gs_mutex_unlock(store->calls);
  gs_turn_take(store);
}

/* Somebody waits for the device. */
static bool
is_sync_coming(const gs_store *store)
{
  return store->is_syncing || store->waiting_count > 0;
}

/* Looks once more at what is due: the lock may have been given up since. */
static void
wait_for_work(gs_store *store)
{
  gs_wal *wal = &store->wal;
  uint64_t wait_us = 0;
  uint64_t mark_us = 0;
  if (store->is_closing || is_sync_due(store, &wait_us)) {
    return;
  }
  gs_wal_mark_if_due(store, &mark_us);
  if (mark_us == 0 && is_sync_coming(store)) {
    mark_us = GS_WAL_MARK_IDLE_US; /* it leaves a mark, and calls nobody */
  }
  bool is_sooner = mark_us != 0 && (wait_us == 0 || mark_us < wait_us);
  wait_us = is_sooner ? mark_us : wait_us;
  wal->thread_until_us =
      wait_us == 0 ? UINT64_MAX : gs_env_mono_us(store->env) + wait_us;
  sleep_until_called(store, wait_us);
  wal->thread_until_us = 0;
}

/* Under load a sync is always due, and a segment that is not ready in time
 * stops every writer: so no two syncs run while one is wanted. */
void
gs_wal_thread(void *context)
{
  gs_store *store = context;
  bool has_just_synced = false;
  gs_turn_take(store);
  while (!store->is_closing) {
    uint64_t wait_us = 0;
    bool must_prepare = gs_wal_wants_next(store);
    if (is_sync_due(store, &wait_us) && !(must_prepare && has_just_synced)) {
      GS_IGNORE(gs_wal_sync(store, NULL), "the store keeps the failure");
      has_just_synced = true;
      continue;
    }
    has_just_synced = false;
    if (!must_prepare || gs_wal_prepare(store, NULL) != GS_OK) {
      wait_for_work(store);
    }
  }
  gs_mutex_unlock(store->commit);
}
