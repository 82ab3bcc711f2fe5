/*
 * builtin: the policy of stores whose caller makes no plans, and the floor
 * under those whose caller should but does not.
 *
 * Model: size-tiered over whole runs, see tree/floor.h. Two or more gathered
 * runs are merged into one in their place. So run sizes grow geometrically with
 * age and an entry is rewritten O(log n) times.
 * [universal compaction, as RocksDB names it]
 *
 * Threads: state is held or taken, as each function says.
 */
#ifndef GS_STORE_BUILTIN_H
#define GS_STORE_BUILTIN_H

#include "store/store.h"

/* Queues a merge if the tree has more than `runs` runs and nothing hinders. */
void gs_builtin_decide(gs_store *store, size_t runs);

/* The same with state held. */
void gs_builtin_decide_locked(gs_store *store, size_t runs);

#endif
