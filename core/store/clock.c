/*
 * clock: one compare decides: is the time shown one that can have been reached
 * since the last time that was believed?
 *
 *   trusted ───── monotonic time passed ─────▶ due ──── leeway ────▶ bound
 *   shown <= bound: believed        shown > bound: held, the safe clock is due
 */
#include "store/store.h"

/* ---- the clock -------------------------------------------------------------- */

void
gs_clock_raise(gs_store *store, uint64_t ms)
{
  uint64_t seen = atomic_load_explicit(&store->clock_ms, memory_order_relaxed);
  while (seen < ms &&
         !atomic_compare_exchange_weak(&store->clock_ms, &seen, ms)) {
  }
}

uint64_t
gs_store_clock(gs_store *store)
{
  gs_clock_raise(store, gs_env_wall_ms(store->env));
  return atomic_load_explicit(&store->clock_ms, memory_order_relaxed);
}

/* ---- the safe clock --------------------------------------------------------- */

static void
trust(gs_clock *c, uint64_t ms, uint64_t mono_us)
{
  c->trusted_ms = ms > c->trusted_ms ? ms : c->trusted_ms;
  c->trusted_us = mono_us;
  c->leeway_ms = GS_CLOCK_JUMP_MS;
  c->is_held = false;
}

void
gs_clock_begin(gs_store *store, uint64_t floor_ms, uint64_t safe_ms)
{
  gs_clock *c = &store->clock;
  c->trusted_ms = safe_ms;
  c->trusted_us = gs_env_mono_us(store->env);
  c->leeway_ms = GS_CLOCK_ABSENCE_MS;
  if (gs_env_wall_ms(store->env) < floor_ms) {
    gs_tally(&store->counters.clock_warnings, 1);
  }
  gs_clock_raise(store, floor_ms);
  atomic_store(&c->safe_ms, safe_ms);
}

void
gs_clock_begin_fresh(gs_store *store)
{
  uint64_t clock_ms = gs_store_clock(store);
  trust(&store->clock, clock_ms, gs_env_mono_us(store->env));
  atomic_store(&store->clock.safe_ms, clock_ms);
}

static void
hold(gs_store *store, uint64_t mono_us)
{
  gs_clock *c = &store->clock;
  if (!c->is_held) {
    c->is_held = true;
    c->held_us = mono_us;
    gs_tally(&store->counters.clock_warnings, 1);
  }
}

static uint64_t
add_capped(uint64_t a, uint64_t b)
{
  return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* What the machine and the store say at one moment. */
typedef struct moment {
  uint64_t clock_ms;
  uint64_t wall_ms;
  uint64_t mono_us;
} moment;

/* Asked before the lock is taken, so that two moments may come in the other
 * order: then no time has passed for the older one. */
static moment
ask(gs_store *store)
{
  gs_env *env = store->env;
  return (moment){gs_store_clock(store), gs_env_wall_ms(env),
                  gs_env_mono_us(env)};
}

/* With the lock held. A batch may have carried a time beyond the bound while
 * the system's own is within: then that one counts. */
static uint64_t
look(gs_store *store, const moment *now)
{
  gs_clock *c = &store->clock;
  uint64_t wall_ms = now->wall_ms;
  uint64_t mono_us =
      now->mono_us < c->trusted_us ? c->trusted_us : now->mono_us;
  uint64_t due_ms = add_capped(c->trusted_ms, (mono_us - c->trusted_us) / 1000);
  uint64_t bound_ms = add_capped(due_ms, c->leeway_ms);
  if (wall_ms > bound_ms) {
    hold(store, mono_us);
    bool is_confirmed =
        mono_us >= add_capped(c->held_us, GS_CLOCK_CONFIRM_MS * 1000);
    if (!is_confirmed) {
      return due_ms;
    }
  }
  trust(c, now->clock_ms <= bound_ms ? now->clock_ms : wall_ms, mono_us);
  return c->trusted_ms;
}

uint64_t
gs_clock_safe(gs_store *store)
{
  moment now = ask(store);
  gs_mutex_lock(store->clock.lock);
  uint64_t safe_ms = look(store, &now);
  safe_ms = safe_ms < now.clock_ms ? safe_ms : now.clock_ms;
  if (safe_ms > atomic_load(&store->clock.safe_ms)) {
    atomic_store(&store->clock.safe_ms, safe_ms);
  }
  gs_mutex_unlock(store->clock.lock);
  return safe_ms;
}

uint64_t
gs_clock_last_safe(const gs_store *store)
{
  return atomic_load(&store->clock.safe_ms);
}

gs_status
gs_trust_clock(gs_store *store, gs_error *err)
{
  gs_status status = gs_store_check_writable(store, err);
  if (status != GS_OK) {
    return status;
  }
  moment now = ask(store);
  gs_mutex_lock(store->clock.lock);
  trust(&store->clock, now.clock_ms, now.mono_us);
  gs_mutex_unlock(store->clock.lock);
  return GS_OK;
}
