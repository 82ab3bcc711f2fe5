/*
 * turn: the commit lock for those whom writers depend on.
 *
 * Model: a mutex goes to whoever asks while it is free. A writer that asks again
 * a microsecond after it gave the lock up has it before a thread that slept has
 * woken, and again the next time: then the log thread comes to make the next
 * segment only once the last one is full and every writer waits. So whoever does
 * work that writers wait for takes the lock in turn: from the moment it asks
 * until it has the lock, writers that come stand behind it.
 *
 * Life: part of a store. Threads: any, without commit, install or state.
 */
#ifndef GS_STORE_TURN_H
#define GS_STORE_TURN_H

#include "store/store.h"

/* Takes commit before the writers that have not taken it yet. */
void gs_turn_take(gs_store *store);

/* Waits until whoever asked for the next turn has it. */
void gs_turn_leave(gs_store *store);

/* Takes commit for a write. */
static inline void
gs_commit_lock(gs_store *store)
{
  if (atomic_load_explicit(&store->turn_is_asked, memory_order_relaxed)) {
    gs_turn_leave(store);
  }
  gs_mutex_lock(store->commit);
}

#endif
