/*
 * await: waiting for the device, in company.
 *
 * A flush of the device serves every write whose frame was there when it began.
 * Writers that come back while one runs miss it, so that without more ado one
 * writer and all the others would take turns:
 *
 *   1 begins │ 2..8 write │ served: 1 │ 2 begins │ 1 writes │ served: 2..8 │ …
 *
 * Whoever is about to begin a flush therefore waits until as many wait as the
 * last flush knew of, those it served and those who came meanwhile, but for no
 * longer than half the time that flush took: it cannot lose more than what a
 * second flush would cost the others. A writer that is alone never waits.
 */
#include "store/store.h"

static bool
is_durable(const gs_store *store, uint64_t frame)
{
  return store->wal.durable_frame >= frame;
}

static bool
lacks_company(const gs_store *store)
{
  return store->wal.newcomers < store->wal.company;
}

/* Requires: commit held, nobody syncs or gathers; it is released meanwhile. */
static void
gather_company(gs_store *store, uint64_t frame)
{
  gs_wal *wal = &store->wal;
  uint64_t now_us = gs_env_mono_us(store->env);
  uint64_t until_us = now_us + wal->flush_us / 2;
  wal->is_gathering = true;
  bool has_time = true;
  while (has_time && lacks_company(store) && now_us < until_us &&
         !store->is_syncing && !store->has_failed &&
         !is_durable(store, frame)) {
    has_time = gs_cond_wait(store->gathered, store->commit, until_us - now_us);
    now_us = gs_env_mono_us(store->env);
  }
  wal->is_gathering = false;
}

/* Begins the next flush, unless somebody else did so meanwhile: then those who
 * relied on this one look again. */
static gs_status
lead(gs_store *store, uint64_t frame, gs_error *err)
{
  gather_company(store, frame);
  gs_status status = GS_OK;
  if (!store->is_syncing && !is_durable(store, frame)) {
    status = gs_store_check_writable(store, err);
    if (status == GS_OK) {
      return gs_wal_sync(store, err);
    }
  }
  gs_cond_broadcast(store->synced);
  return status;
}

/* A store that fails while a flush runs says nothing of what that flush covers:
 * nobody is told of a doubt before it has ended. */
static gs_status
wait_until_durable(gs_store *store, uint64_t frame, gs_error *err)
{
  gs_status status = GS_OK;
  while (status == GS_OK && !is_durable(store, frame)) {
    if (store->is_syncing || store->wal.is_gathering) {
      gs_cond_wait(store->synced, store->commit, 0);
      continue;
    }
    status = gs_store_check_writable(store, err);
    if (status == GS_OK) {
      status = lead(store, frame, err);
    }
  }
  return status;
}

static void
join(gs_store *store)
{
  store->wal.newcomers++;
  if (store->wal.is_gathering && !lacks_company(store)) {
    gs_cond_broadcast(store->gathered);
  }
}

gs_status
gs_store_await(gs_store *store, uint64_t frame, gs_error *err)
{
  store->waiting_count++;
  if (!is_durable(store, frame)) {
    join(store);
  }
  gs_status status = wait_until_durable(store, frame, err);
  store->waiting_count--;
  if (store->is_resuming) {
    gs_cond_broadcast(store->synced); /* it waits for the last of us */
  }
  return status;
}
