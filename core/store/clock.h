/*
 * clock: the store's time, and how much of it is believed.
 *
 * Model: two times.
 *   the clock       the largest of the system's time, the times that batches
 *                   carried, and what the manifest kept. Reads go by it.
 *   the safe clock  what flushes and merges go by when they turn an expired
 *                   entry into a tombstone, which nothing undoes.
 * The safe clock follows the clock while that moves as time does: at most
 * GS_CLOCK_JUMP_MS ahead of what the monotonic clock says has passed; from one
 * opening to the next at most GS_CLOCK_ABSENCE_MS. A system's time beyond that
 * is *held*: the safe clock goes on with the monotonic clock alone, until the
 * system's time is back within bounds, or has stayed beyond them for
 * GS_CLOCK_CONFIRM_MS, or gs_trust_clock says that it is right.
 *   1. safe clock <= clock.
 *   2. Neither goes back, not over a crash or an opening either.
 *
 * Life: begun when the manifest has been read; a part of the store.
 * Threads: any.
 */
#ifndef GS_STORE_CLOCK_H
#define GS_STORE_CLOCK_H

#include <stdatomic.h>

#include "env/env.h"

#define GS_CLOCK_DAY_MS     (UINT64_C(24) * 60 * 60 * 1000)
#define GS_CLOCK_JUMP_MS    (7 * GS_CLOCK_DAY_MS)
#define GS_CLOCK_ABSENCE_MS (365 * GS_CLOCK_DAY_MS)
#define GS_CLOCK_CONFIRM_MS GS_CLOCK_DAY_MS

typedef struct gs_clock {
  gs_mutex *lock;      /* of what follows; taken after all others */
  uint64_t trusted_ms; /* the safe clock when it was last moved by the clock */
  uint64_t trusted_us; /* monotonic time of that */
  uint64_t leeway_ms;  /* how far ahead the system's time may be */
  uint64_t held_us;    /* monotonic time since when it is held */
  bool is_held;
  atomic_uint_fast64_t safe_ms; /* what gs_clock_safe said last */
} gs_clock;

struct gs_store;

/* The clock starts from what the manifest kept; a store that is being made
 * starts from the system's time. */
void gs_clock_begin(struct gs_store *store, uint64_t floor_ms,
                    uint64_t safe_ms);
void gs_clock_begin_fresh(struct gs_store *store);

/* The clock is at least this from now on. */
void gs_clock_raise(struct gs_store *store, uint64_t ms);

/* The safe clock now. Requires: state not held. */
uint64_t gs_clock_safe(struct gs_store *store);

/* The safe clock as it was last asked for, without asking the machine. */
uint64_t gs_clock_last_safe(const struct gs_store *store);

#endif
