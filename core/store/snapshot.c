/*
 * snapshot: a moment that somebody holds on to.
 *
 * The published sequence is read and the snapshot registered under one lock, the
 * lock under which jobs list the snapshots: so a snapshot that a job does not
 * know sees only what is newer than all the job's inputs (E1).
 */
#include "store/store.h"

gs_status
gs_snapshot_new(gs_store *store, gs_snapshot **out, gs_error *err)
{
  gs_status status = gs_store_check(store, err);
  if (status != GS_OK) {
    return status;
  }
  gs_snapshot *snapshot = GS_NEW(store->alloc, gs_snapshot);
  if (snapshot == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  snapshot->store = store;
  gs_mutex_lock(store->state);
  snapshot->clock_ms = gs_store_clock(store);
  snapshot->seq = atomic_load(&store->visible_seq);
  snapshot->prev = store->newest;
  if (store->newest == NULL) {
    store->oldest = snapshot;
  } else {
    store->newest->next = snapshot;
  }
  store->newest = snapshot;
  store->snapshot_count++;
  gs_mutex_unlock(store->state);
  *out = snapshot;
  return GS_OK;
}

void
gs_snapshot_free(gs_snapshot *snapshot)
{
  if (snapshot == NULL || gs_store_check(snapshot->store, NULL) != GS_OK) {
    return; /* a forked child leaves the parent's locks alone */
  }
  gs_store *store = snapshot->store;
  gs_mutex_lock(store->state);
  *(snapshot->prev == NULL ? &store->oldest : &snapshot->prev->next) =
      snapshot->next;
  *(snapshot->next == NULL ? &store->newest : &snapshot->next->prev) =
      snapshot->prev;
  store->snapshot_count--;
  gs_mutex_unlock(store->state);
  GS_DELETE(store->alloc, snapshot);
}

uint64_t
gs_snapshot_seq(const gs_snapshot *snapshot)
{
  return snapshot->seq;
}

uint64_t
gs_snapshot_clock_ms(const gs_snapshot *snapshot)
{
  return snapshot->clock_ms;
}

/* Snapshots of one sequence are one point, with the earliest clock: what is
 * kept for it is kept for the others. */
gs_status
gs_store_list_snapshots(gs_store *store, gs_snapshot_point **points,
                        size_t *count, gs_error *err)
{
  *points = NULL;
  *count = 0;
  gs_mutex_lock(store->state);
  size_t capacity = (size_t)store->snapshot_count;
  gs_snapshot_point *list = NULL;
  gs_status status = GS_OK;
  if (capacity > 0) {
    list = gs_alloc_array(store->alloc, capacity, sizeof *list);
    status = list == NULL ? GS_FAIL_NOMEM(err) : GS_OK;
  }
  size_t used = 0;
  for (const gs_snapshot *s = store->oldest; list != NULL && s != NULL;
       s = s->next) {
    if (used > 0 && list[used - 1].seq == s->seq) {
      continue;
    }
    list[used++] = (gs_snapshot_point){s->seq, s->clock_ms};
  }
  gs_mutex_unlock(store->state);
  if (status != GS_OK) {
    return status;
  }
  /* The caller frees by count, so the block must have exactly that size. */
  if (used < capacity && list != NULL) {
    gs_snapshot_point *exact =
        gs_alloc_array(store->alloc, used, sizeof *exact);
    if (exact == NULL) {
      gs_alloc_free(store->alloc, list, capacity * sizeof *list);
      return GS_FAIL_NOMEM(err);
    }
    memcpy(exact, list, used * sizeof *exact);
    gs_alloc_free(store->alloc, list, capacity * sizeof *list);
    list = exact;
  }
  *points = list;
  *count = used;
  return GS_OK;
}
