/*
 * throttle: reckoning what the rate has let by, and waiting for the rest.
 */
#include "store/throttle.h"

#include "store/stall.h"

#define MICROSECONDS 1e6

enum { PER_MILLISECOND = 1000 };

/* What passed since the last reckoning. A part of a byte is left to the next
 * one, by the time it takes. Lock held. */
static void
reckon(gs_throttle *t, uint64_t rate, uint64_t now_us)
{
  double elapsed_s = (double)(now_us - t->passed_at_us) / MICROSECONDS;
  double more = (double)rate * elapsed_s;
  if (rate == 0 || more >= (double)(t->asked_bytes - t->passed_bytes)) {
    t->passed_bytes = t->asked_bytes;
    t->passed_at_us = now_us;
    return;
  }
  uint64_t whole = (uint64_t)more;
  t->passed_bytes += whole;
  t->passed_at_us += (uint64_t)((double)whole / (double)rate * MICROSECONDS);
}

/* How long until what stands before the place has passed; 0: now. Lock held. */
static uint64_t
time_left_us(const gs_throttle *t, uint64_t rate, uint64_t place)
{
  uint64_t enough = t->passed_bytes + rate / PER_MILLISECOND;
  if (rate == 0 || place <= enough) {
    return 0;
  }
  double left_us = (double)(place - enough) / (double)rate * MICROSECONDS;
  return left_us > 1e15 ? (uint64_t)1e15 : (uint64_t)left_us + 1;
}

/* Lock held; given up while waiting. */
static gs_status
wait_in_line(gs_store *store, gs_room *room, uint64_t place, gs_error *err)
{
  gs_throttle *t = &store->throttle;
  for (;;) {
    uint64_t now_us = gs_env_mono_us(store->env);
    uint64_t rate = gs_limit(&t->bytes_per_s);
    reckon(t, rate, now_us);
    uint64_t left_us = time_left_us(t, rate, place);
    if (left_us == 0) {
      return GS_OK;
    }
    uint64_t patience_us = gs_stall_patience_us(store, room);
    if (patience_us == 0 || store->options.fail_on_stall) {
      t->passed_bytes += room->payload_bytes; /* it takes nothing */
      return gs_stall_give_up(store, GS_STALL_THROTTLE, err);
    }
    gs_cond_wait(t->changed, t->lock,
                 left_us < patience_us ? left_us : patience_us);
  }
}

static void
work_instead(gs_store *store)
{
  gs_throttle *t = &store->throttle;
  gs_mutex_lock(t->lock);
  uint64_t rate = gs_limit(&t->bytes_per_s);
  reckon(t, rate, gs_env_mono_us(store->env));
  bool owes = time_left_us(t, rate, t->asked_bytes) > 0;
  t->passed_bytes = t->asked_bytes;
  gs_mutex_unlock(t->lock);
  if (owes) {
    gs_store_run_step(store);
  }
}

gs_status
gs_throttle_wait(gs_store *store, gs_room *room, gs_error *err)
{
  gs_throttle *t = &store->throttle;
  gs_status status = gs_store_check_writable(store, err);
  if (status != GS_OK) {
    return status;
  }
  if (store->worker_count == 0) {
    work_instead(store);
  }
  gs_mutex_lock(t->lock);
  uint64_t began_us = gs_env_mono_us(store->env);
  reckon(t, gs_limit(&t->bytes_per_s), began_us);
  uint64_t place = t->asked_bytes;
  t->asked_bytes += room->payload_bytes;
  bool waits = store->worker_count > 0 &&
               time_left_us(t, gs_limit(&t->bytes_per_s), place) > 0;
  if (waits) {
    status = wait_in_line(store, room, place, err);
  }
  gs_mutex_unlock(t->lock);
  if (waits) {
    gs_stall_count(store, GS_STALL_THROTTLE, began_us);
  }
  return status;
}

gs_status
gs_set_throttle(gs_store *store, uint64_t bytes_per_s, gs_error *err)
{
  gs_throttle *t = &store->throttle;
  gs_status status = gs_store_check(store, err);
  if (status != GS_OK) {
    return status;
  }
  gs_mutex_lock(t->lock);
  reckon(t, gs_limit(&t->bytes_per_s), gs_env_mono_us(store->env));
  atomic_store(&t->bytes_per_s, bytes_per_s);
  gs_cond_broadcast(t->changed);
  gs_mutex_unlock(t->lock);
  return GS_OK;
}
