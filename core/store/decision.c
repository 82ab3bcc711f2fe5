/*
 * decision: the flag, and what sets it besides changes of the tree.
 */
#include "store/decision.h"

#include "store/builtin.h"
#include "store/decider.h"
#include "store/layout.h"

/* A wake further away than this is none. */
#define FAR_MS (UINT64_C(1) << 50)

size_t
gs_decision_builtin_runs(const gs_store *store)
{
  return gs_decision_is_driven(store) ? GS_RUNS_FLOOR : GS_RUNS_BUILTIN;
}

void
gs_decision_want(gs_store *store, const char *reason)
{
  if (!gs_decision_is_driven(store) || store->is_readonly) {
    return;
  }
  if (reason != NULL) {
    store->reason = reason;
  }
  atomic_store(&store->wants_decision, true);
  gs_cond_broadcast(store->asked);
}

bool
gs_wants_decision(const gs_store *store)
{
  return atomic_load_explicit(&store->wants_decision, memory_order_relaxed);
}

/* ---- memory ------------------------------------------------------------------- */

void
gs_decision_want_memory(gs_store *store)
{
  store->ask_at_bytes = UINT64_MAX;
  gs_mutex_lock(store->state);
  gs_decision_want(store, "memory");
  gs_mutex_unlock(store->state);
}

void
gs_decision_begin_memtable(gs_store *store)
{
  store->ask_at_bytes =
      store->ask_more_bytes == 0 ? UINT64_MAX : store->ask_more_bytes;
}

gs_status
gs_set_flush_ask(gs_store *store, uint64_t more_bytes, gs_error *err)
{
  gs_status status = gs_store_check_writable(store, err);
  if (status != GS_OK) {
    return status;
  }
  gs_mutex_lock(store->commit);
  store->ask_more_bytes = more_bytes;
  gs_decision_begin_memtable(store);
  uint64_t used_bytes = gs_memtable_used_bytes(store->active);
  if (store->ask_at_bytes < UINT64_MAX - used_bytes) {
    store->ask_at_bytes += used_bytes;
  }
  gs_mutex_unlock(store->commit);
  return GS_OK;
}

/* ---- time --------------------------------------------------------------------- */

uint64_t
gs_decision_wake(gs_store *store)
{
  if (store->wake_at_us == 0) {
    return 0;
  }
  uint64_t now_us = gs_env_mono_us(store->env);
  if (now_us < store->wake_at_us) {
    return store->wake_at_us - now_us;
  }
  store->wake_at_us = 0;
  gs_decision_want(store, "timer");
  return 0;
}

gs_status
gs_set_wake(gs_store *store, uint64_t in_ms, gs_error *err)
{
  gs_status status = gs_store_check(store, err);
  if (status != GS_OK) {
    return status;
  }
  gs_mutex_lock(store->state);
  store->wake_at_us = in_ms == 0 || in_ms > FAR_MS
                          ? 0
                          : gs_env_mono_us(store->env) + in_ms * 1000;
  gs_cond_broadcast(store->work); /* a worker waits until then */
  gs_mutex_unlock(store->state);
  return GS_OK;
}

/* ---- who makes plans ------------------------------------------------------------ */

/* What a policy asked for goes with it. */
static void
forget_wishes(gs_store *store)
{
  gs_layout_reset(store);
  GS_IGNORE(gs_set_throttle(store, 0, NULL), "the caller has checked");
  GS_IGNORE(gs_set_flush_ask(store, 0, NULL), "no more writes, no more growth");
  GS_IGNORE(gs_set_wake(store, 0, NULL), "the caller has checked");
}

gs_status
gs_set_policy_driven(gs_store *store, bool is_driven, gs_error *err)
{
  gs_status status = gs_store_check(store, err);
  if (status != GS_OK) {
    return status;
  }
  forget_wishes(store);
  gs_mutex_lock(store->state);
  atomic_store(&store->is_driven, is_driven);
  atomic_store(&store->wants_decision, false);
  gs_decision_want(store, "manual");
  gs_mutex_unlock(store->state);
  if (!is_driven && !store->is_readonly) {
    gs_builtin_decide(store, GS_RUNS_BUILTIN);
  }
  return GS_OK;
}

gs_status
gs_take_charge(gs_store *store, uint64_t *charge, gs_error *err)
{
  gs_status status = gs_store_check(store, err);
  if (status != GS_OK) {
    return status;
  }
  gs_stop_decider(store);
  *charge = atomic_fetch_add(&store->charge, 1) + 1;
  return gs_set_policy_driven(store, true, err);
}

bool
gs_is_in_charge(const gs_store *store, uint64_t charge)
{
  return atomic_load_explicit(&store->charge, memory_order_relaxed) == charge;
}
