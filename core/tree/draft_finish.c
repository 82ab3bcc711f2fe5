/*
 * draft_finish: the version that a draft describes. A run about which nothing
 * changed is taken over, any other is built anew. The additions are put in
 * order of their runs first, so that each run finds its own in one stretch.
 */
#include <inttypes.h>

#include "tree/draft.h"
#include "tree/sort.h"

/* ---- additions ------------------------------------------------------------ */

static bool
is_less_by_table(const void *items, size_t a, size_t b)
{
  const gs_draft_addition *additions = items;
  return additions[a].table->meta.id < additions[b].table->meta.id;
}

static bool
is_less_by_run(const void *items, size_t a, size_t b)
{
  const gs_draft_addition *additions = items;
  return additions[a].run_id < additions[b].run_id;
}

static void
swap_additions(void *items, size_t a, size_t b)
{
  gs_draft_addition *additions = items;
  gs_draft_addition held = additions[a];
  additions[a] = additions[b];
  additions[b] = held;
}

static gs_status
sort_additions(gs_draft *draft, gs_error *err)
{
  const gs_draft_addition *additions = draft->additions;
  const gs_sortable by_table = {draft->additions, is_less_by_table,
                                swap_additions};
  const gs_sortable by_run = {draft->additions, is_less_by_run, swap_additions};
  gs_sort(&by_table, draft->addition_count);
  for (size_t i = 1; i < draft->addition_count; i++) {
    if (additions[i - 1].table->meta.id == additions[i].table->meta.id) {
      return GS_FAIL(err, GS_CORRUPT,
                     "a manifest edit adds table %" PRIu64 " twice",
                     additions[i].table->meta.id);
    }
  }
  gs_sort(&by_run, draft->addition_count);
  return GS_OK;
}

/* Index of the first addition to the run. Requires: sorted, there is one. */
static size_t
find_additions(const gs_draft *draft, uint64_t run_id)
{
  size_t low = 0;
  size_t high = draft->addition_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (draft->additions[middle].run_id < run_id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/* ---- runs ----------------------------------------------------------------- */

static bool
is_changed(const gs_draft_run *run)
{
  return run->old == NULL || run->own != NULL || run->added_count > 0 ||
         run->has_new_level;
}

/* The tables of a changed run; `to` has room for all there may be. */
static size_t
gather(const gs_draft *draft, const gs_draft_run *run, gs_tree_table **to)
{
  size_t count = 0;
  size_t old_count = run->old == NULL ? 0 : run->old->table_count;
  for (size_t i = 0; i < old_count; i++) {
    gs_tree_table *table = run->own == NULL ? run->old->tables[i] : run->own[i];
    if (table != NULL) {
      to[count++] = table;
    }
  }
  if (run->added_count > 0) {
    size_t at = find_additions(draft, run->id);
    for (size_t i = 0; i < run->added_count; i++) {
      to[count++] = draft->additions[at + i].table;
    }
  }
  return count;
}

/* *out receives the new run, or NULL where it has no tables left. */
static gs_status
build_run(const gs_draft *draft, const gs_draft_run *run, gs_run **out,
          gs_error *err)
{
  size_t room =
      (run->old == NULL ? 0 : run->old->table_count) + run->added_count;
  *out = NULL;
  if (room == 0) {
    return GS_OK;
  }
  gs_tree_table **tables =
      gs_alloc_array(draft->alloc, room, sizeof(gs_tree_table *));
  if (tables == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  gs_status status = GS_OK;
  size_t count = gather(draft, run, tables);
  if (count > 0) {
    *out = gs_run_new(draft->alloc, run->id, run->level, tables, count);
    status = *out == NULL ? GS_FAIL_NOMEM(err) : gs_run_verify(*out, err);
  }
  gs_alloc_free(draft->alloc, tables, room * sizeof(gs_tree_table *));
  if (status != GS_OK) {
    gs_run_unref(*out);
    *out = NULL;
  }
  return status;
}

static gs_status
build_runs(const gs_draft *draft, gs_run **runs, size_t *count, gs_error *err)
{
  gs_status status = GS_OK;
  *count = 0;
  for (size_t i = 0; i < draft->run_count && status == GS_OK; i++) {
    gs_run *run = draft->runs[i].old;
    if (is_changed(&draft->runs[i])) {
      status = build_run(draft, &draft->runs[i], &run, err);
    } else {
      gs_run_ref(run);
    }
    if (run != NULL && status == GS_OK) {
      runs[(*count)++] = run;
    }
  }
  return status;
}

gs_status
gs_draft_finish(gs_draft *draft, gs_version **out, gs_error *err)
{
  gs_status status = sort_additions(draft, err);
  if (status != GS_OK) {
    return status;
  }
  size_t room = draft->run_count + 1; /* never nothing */
  gs_run **runs = gs_alloc_array(draft->alloc, room, sizeof(gs_run *));
  if (runs == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  size_t count;
  status = build_runs(draft, runs, &count, err);
  if (status == GS_OK) {
    *out = gs_version_new(draft->alloc, draft->old->number + 1, runs, count);
    status = *out == NULL ? GS_FAIL_NOMEM(err) : GS_OK;
  }
  for (size_t i = 0; i < count; i++) {
    gs_run_unref(runs[i]);
  }
  gs_alloc_free(draft->alloc, runs, room * sizeof(gs_run *));
  return status;
}
