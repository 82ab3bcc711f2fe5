/*
 * draft: a version in the making.
 *
 * Model: the runs of a version, some of them changed. A run that is not changed
 * stays the object it is. The changes come in this order: all removals, then
 * all new runs and levels, then all additions; then finish.
 *   1. A removed table stood in the run it is removed from.
 *   2. An added table stands nowhere else at the end; if it was removed before,
 *      its metadata did not change and the object is the same.
 *   3. Runs without tables vanish at the end.
 *
 * Life: init/deinit; the old version and the known tables outlive it.
 * Threads: one.
 * Errors: GS_CORRUPT for a change that breaks these rules or the order and
 * disjointness of a run's tables; GS_NOMEM.
 */
#ifndef GS_TREE_DRAFT_H
#define GS_TREE_DRAFT_H

#include "tree/edit_format.h"

typedef struct gs_draft_run {
  uint64_t id;
  uint32_t level;
  gs_run *old;         /* NULL: a new run */
  gs_tree_table **own; /* once tables leave: the old tables by id, NULL where
                          one has left */
  size_t added_count;
  bool has_new_level;
} gs_draft_run;

typedef struct gs_draft_addition {
  uint64_t run_id;
  gs_tree_table *table; /* one reference */
} gs_draft_addition;

typedef struct gs_draft {
  gs_alloc *alloc;
  const gs_version *old;
  gs_tree_table *const *known;
  size_t known_count;
  size_t known_next;  /* where the next known table is expected */
  gs_draft_run *runs; /* newest first */
  size_t run_count;
  size_t run_capacity;
  uint64_t *removed; /* ids; rising once the first table is added */
  size_t removed_count;
  size_t removed_capacity;
  bool is_removed_sorted;
  gs_draft_addition *additions;
  size_t addition_count;
  size_t addition_capacity;
} gs_draft;

/* The most changes a draft will be asked for. */
typedef struct gs_draft_room {
  size_t runs;
  size_t removals;
  size_t additions;
} gs_draft_room;

GS_MUST_CHECK gs_status gs_draft_init(gs_draft *draft, gs_alloc *alloc,
                                      const gs_version *old,
                                      const gs_draft_room *room, gs_error *err);
void gs_draft_deinit(gs_draft *draft);

/* Tables to be used as they are. */
void gs_draft_set_known(gs_draft *draft, gs_tree_table *const *known,
                        size_t known_count);

GS_MUST_CHECK gs_status gs_draft_remove(gs_draft *draft, uint64_t run_id,
                                        uint64_t table_id, gs_error *err);
GS_MUST_CHECK gs_status gs_draft_add_run(gs_draft *draft,
                                         const gs_edit_record *record,
                                         gs_error *err);
GS_MUST_CHECK gs_status gs_draft_set_level(gs_draft *draft, uint64_t run_id,
                                           uint32_t level, gs_error *err);
GS_MUST_CHECK gs_status gs_draft_add(gs_draft *draft, uint64_t run_id,
                                     const gs_table_meta *meta, gs_error *err);

/* One reference. */
GS_MUST_CHECK gs_status gs_draft_finish(gs_draft *draft, gs_version **out,
                                        gs_error *err);

#endif
