/*
 * turn: whoever asks holds one more mutex until it has the lock. A writer that
 * meets the sign of it takes that mutex once, and so stands behind.
 */
#include "store/turn.h"

void
gs_turn_take(gs_store *store)
{
  gs_mutex_lock(store->turn);
  atomic_store_explicit(&store->turn_is_asked, true, memory_order_relaxed);
  gs_mutex_lock(store->commit);
  atomic_store_explicit(&store->turn_is_asked, false, memory_order_relaxed);
  gs_mutex_unlock(store->turn);
}

void
gs_turn_leave(gs_store *store)
{
  gs_mutex_lock(store->turn);
  gs_mutex_unlock(store->turn);
}
