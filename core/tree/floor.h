/*
 * floor: the bounds on runs and memtables that hold whatever a policy does, and
 * the merge the engine makes by itself where there are too many runs.
 *
 * Model: size-tiered over whole runs. From the newest run on, runs are gathered
 * while the next one is not larger than all gathered so far together. Only
 * whole runs and only from the newest on, so the clear path holds by itself;
 * and no more tables than a plan may name, so that the newest runs can be merged
 * however large the oldest has become.
 * The store and the lab share all of it.
 *
 * Threads: pure.
 */
#ifndef GS_TREE_FLOOR_H
#define GS_TREE_FLOOR_H

#include "tree/plan_types.h"
#include "tree/version.h"

enum {
  GS_SEALED_MAX = 3,   /* memtables waiting for their flush; more: stall */
  GS_RUNS_MAX = 64,    /* plans that would leave more are refused */
  GS_RUNS_STALL = 32,  /* writers wait while there are more */
  GS_RUNS_BRAKE = 24,  /* beyond these they pause, the longer the more */
  GS_RUNS_BUILTIN = 4, /* what the built-in policy leaves, where it rules */
  GS_RUNS_FLOOR = 20,  /* the built-in policy acts whoever is in charge */
  GS_RUN_TABLES = 80,  /* about as many the engine itself puts into a run at the
                          most, as far as sizes of tables allow: so a plan may
                          name all tables of as many runs as writers bear */
};

/* How many of the newest runs to merge so that about `runs` are left; less than
 * 2: none. */
size_t gs_floor_gather(const gs_version *version, size_t runs);

/* The merge of the newest `runs` runs in their place, with larger tables than
 * before where there would be too many. Gives plan->inputs: free
 * with gs_alloc_free and input_count. Requires: runs is 1 to run_count. */
GS_MUST_CHECK gs_status gs_floor_plan(gs_alloc *alloc,
                                      const gs_version *version, size_t runs,
                                      gs_plan *plan, gs_error *err);

#endif
