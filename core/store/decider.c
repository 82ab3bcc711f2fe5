/*
 * decider: begins, decides, ends.
 */
#include "store/decider.h"

#include "store/decision.h"

/* One decision, if one is wanted. State held; given up meanwhile. */
static void
decide_once(gs_deciding *d)
{
  gs_store *store = d->store;
  d->is_deciding = true;
  atomic_store(&store->wants_decision, false);
  gs_mutex_unlock(store->state);
  gs_env_point(store->env, "decider.decide");
  d->given.decide(d->given.context);
  gs_mutex_lock(store->state);
  d->is_deciding = false;
  gs_cond_broadcast(store->asked);
}

static void
run(void *context)
{
  gs_deciding *d = context;
  gs_store *store = d->store;
  gs_mutex_lock(store->state);
  while (!d->is_ending) {
    if (store->deciding == d && gs_wants_decision(store)) {
      decide_once(d);
    } else {
      gs_cond_wait(store->asked, store->state, 0);
    }
  }
  gs_mutex_unlock(store->state);
}

void
gs_decide(gs_store *store)
{
  bool may_be_asked =
      atomic_load_explicit(&store->decides_inside, memory_order_relaxed) &&
      gs_wants_decision(store);
  if (!may_be_asked || gs_store_check(store, NULL) != GS_OK) {
    return;
  }
  gs_mutex_lock(store->state);
  gs_deciding *d = store->deciding;
  if (d != NULL && d->thread == NULL && !d->is_deciding && !d->is_ending) {
    decide_once(d);
  }
  gs_mutex_unlock(store->state);
}

/* ---- beginning and ending --------------------------------------------------------- */

/* Takes it off the store and waits until it is not at work. */
static gs_deciding *
detach(gs_store *store)
{
  gs_mutex_lock(store->state);
  gs_deciding *d = store->deciding;
  store->deciding = NULL;
  atomic_store(&store->decides_inside, false);
  if (d != NULL) {
    d->is_ending = true;
    gs_cond_broadcast(store->asked);
    while (d->thread == NULL && d->is_deciding) {
      gs_cond_wait(store->asked, store->state, 0);
    }
  }
  gs_mutex_unlock(store->state);
  return d;
}

void
gs_stop_decider(gs_store *store)
{
  if (gs_store_check(store, NULL) != GS_OK) {
    return; /* the thread is the parent's */
  }
  gs_deciding *d = detach(store);
  if (d == NULL) {
    return;
  }
  if (d->thread != NULL) {
    gs_thread_join(d->thread);
  }
  d->given.release(d->given.context);
  GS_DELETE(store->alloc, d);
}

/* False where another one came first. */
static bool
attach(gs_store *store, gs_deciding *d)
{
  gs_mutex_lock(store->state);
  bool is_first = store->deciding == NULL;
  if (is_first) {
    store->deciding = d;
    atomic_store(&store->decides_inside, d->thread == NULL);
    gs_decision_want(store, "manual");
  }
  gs_mutex_unlock(store->state);
  return is_first;
}

gs_status
gs_start_decider(gs_store *store, const gs_decider *decider, uint64_t *charge,
                 gs_error *err)
{
  gs_status status = gs_store_check(store, err);
  if (status != GS_OK) {
    return status;
  }
  gs_deciding *d = GS_NEW(store->alloc, gs_deciding);
  if (d == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  d->store = store;
  d->given = *decider;
  d->given.name = NULL; /* it may go */
  if (store->worker_count > 0) {
    status = gs_thread_start(store->env, run, d, &d->thread, err);
  }
  if (status != GS_OK) {
    GS_DELETE(store->alloc, d);
    return status;
  }
  GS_IGNORE(gs_take_charge(store, charge, NULL), "checked above");
  gs_policy_begin(store, decider->name, true);
  while (!attach(store, d)) {
    gs_stop_decider(store);
  }
  return GS_OK;
}
