/*
 * decision: when the caller's policy is asked, and who makes plans.
 *
 * Model: one flag, wants_decision, that whoever makes plans looks at; it is set
 * with a reason: the tree changed ("flush", "merge", …), the active memtable
 * grew as far as was asked ("memory"), the time that was asked for came
 * ("timer"), writers wait for merges ("debt"), or somebody new took charge
 * ("manual").
 *   1. The flag is set only while the store is driven: while its caller makes
 *      the plans. Otherwise the built-in policy does.
 *   2. ask_at_bytes is UINT64_MAX, or the size of the active memtable at which
 *      the flag is set next.
 *   3. Of all who ever took charge only the last one counts.
 *
 * Threads: as each function says.
 */
#ifndef GS_STORE_DECISION_H
#define GS_STORE_DECISION_H

#include "store/store.h"

static inline bool
gs_decision_is_driven(const gs_store *store)
{
  return atomic_load_explicit(&store->is_driven, memory_order_relaxed);
}

/* Runs that the built-in policy leaves now. */
size_t gs_decision_builtin_runs(const gs_store *store);

/* Sets the flag, if the store is driven. reason NULL: that of the last change of
 * the tree. Requires: state held. */
void gs_decision_want(gs_store *store, const char *reason);

/* The active memtable has grown as far as was asked. Requires: commit held. */
void gs_decision_want_memory(gs_store *store);

/* A fresh memtable is the active one: it may grow as far as the one before was
 * allowed to. Requires: commit held. */
void gs_decision_begin_memtable(gs_store *store);

/* Sets the flag where the time asked for has come. Returns how long that still
 * is; 0: it was not asked for. Requires: state held. */
uint64_t gs_decision_wake(gs_store *store);

#endif
