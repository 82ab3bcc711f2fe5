/*
 * edit: the version after a change, as the engine's install makes it.
 *
 * Life: pure but for the counted version it gives.
 * Threads: pure.
 */
#ifndef GS_LAB_EDIT_H
#define GS_LAB_EDIT_H

#include "tree/plan.h"

typedef struct gs_lab_edit {
  const uint64_t *removed; /* ids of tables, rising */
  size_t removed_count;
  gs_tree_table *const *added;
  size_t added_count;
  bool is_flush;         /* a new run above all */
  gs_plan_target target; /* otherwise */
  uint64_t run_id;
  int level;           /* -1: see gs_plan */
  uint64_t new_run_id; /* of a run that is made */
} gs_lab_edit;

/* One reference. NULL when out of memory. */
gs_version *gs_lab_edit_apply(gs_alloc *alloc, const gs_version *version,
                              const gs_lab_edit *edit);

#endif
