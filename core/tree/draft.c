/*
 * draft: changes are noted as they come. The list of a run's tables is copied
 * when the first of them leaves; the run itself stays as it is.
 */
#include "tree/draft.h"

#include <inttypes.h>

#include "base/check.h"
#include "tree/sort.h"

/* ---- life ----------------------------------------------------------------- */

static bool
allocate_lists(gs_draft *draft)
{
  gs_alloc *alloc = draft->alloc;
  if (draft->run_capacity > 0) {
    draft->runs =
        gs_alloc_array(alloc, draft->run_capacity, sizeof *draft->runs);
  }
  if (draft->removed_capacity > 0) {
    draft->removed =
        gs_alloc_array(alloc, draft->removed_capacity, sizeof *draft->removed);
  }
  if (draft->addition_capacity > 0) {
    draft->additions = gs_alloc_array(alloc, draft->addition_capacity,
                                      sizeof *draft->additions);
  }
  return (draft->runs != NULL || draft->run_capacity == 0) &&
         (draft->removed != NULL || draft->removed_capacity == 0) &&
         (draft->additions != NULL || draft->addition_capacity == 0);
}

gs_status
gs_draft_init(gs_draft *draft, gs_alloc *alloc, const gs_version *old,
              const gs_draft_room *room, gs_error *err)
{
  *draft = (gs_draft){
      .alloc = alloc,
      .old = old,
      .run_capacity = old->run_count + room->runs,
      .removed_capacity = room->removals,
      .addition_capacity = room->additions,
  };
  if (!allocate_lists(draft)) {
    gs_draft_deinit(draft);
    return GS_FAIL_NOMEM(err);
  }
  for (size_t i = 0; i < old->run_count; i++) {
    draft->runs[draft->run_count++] = (gs_draft_run){
        .id = old->runs[i]->id,
        .level = old->runs[i]->level,
        .old = old->runs[i],
    };
  }
  return GS_OK;
}

void
gs_draft_deinit(gs_draft *draft)
{
  gs_alloc *alloc = draft->alloc;
  for (size_t i = 0; i < draft->run_count; i++) {
    gs_draft_run *run = &draft->runs[i];
    if (run->own != NULL) {
      gs_alloc_free(alloc, run->own,
                    run->old->table_count * sizeof(gs_tree_table *));
    }
  }
  for (size_t i = 0; i < draft->addition_count; i++) {
    gs_tree_table_unref(draft->additions[i].table);
  }
  gs_alloc_free(alloc, draft->runs, draft->run_capacity * sizeof *draft->runs);
  gs_alloc_free(alloc, draft->removed,
                draft->removed_capacity * sizeof *draft->removed);
  gs_alloc_free(alloc, draft->additions,
                draft->addition_capacity * sizeof *draft->additions);
  *draft = (gs_draft){0};
}

void
gs_draft_set_known(gs_draft *draft, gs_tree_table *const *known,
                   size_t known_count)
{
  draft->known = known;
  draft->known_count = known_count;
}

/* ---- runs ----------------------------------------------------------------- */

/* Index of the run, or run_count. */
static size_t
find_run(const gs_draft *draft, uint64_t run_id)
{
  size_t i = 0;
  while (i < draft->run_count && draft->runs[i].id != run_id) {
    i++;
  }
  return i;
}

static gs_status
fail_run(uint64_t run_id, gs_error *err)
{
  return GS_FAIL(err, GS_CORRUPT,
                 "a manifest edit names run %" PRIu64 ", which is not there",
                 run_id);
}

gs_status
gs_draft_add_run(gs_draft *draft, const gs_edit_record *record, gs_error *err)
{
  GS_ASSERT(draft->run_count < draft->run_capacity);
  size_t at = 0;
  if (find_run(draft, record->id) < draft->run_count) {
    return GS_FAIL(err, GS_CORRUPT,
                   "a manifest edit adds run %" PRIu64 " a second time",
                   record->id);
  }
  if (record->place == GS_PLACE_BOTTOM) {
    at = draft->run_count;
  } else if (record->place == GS_PLACE_ABOVE) {
    at = find_run(draft, record->other);
    if (at == draft->run_count) {
      return fail_run(record->other, err);
    }
  }
  memmove(&draft->runs[at + 1], &draft->runs[at],
          (draft->run_count - at) * sizeof *draft->runs);
  draft->runs[at] = (gs_draft_run){.id = record->id, .level = record->level};
  draft->run_count++;
  return GS_OK;
}

gs_status
gs_draft_set_level(gs_draft *draft, uint64_t run_id, uint32_t level,
                   gs_error *err)
{
  size_t at = find_run(draft, run_id);
  if (at == draft->run_count) {
    return fail_run(run_id, err);
  }
  gs_draft_run *run = &draft->runs[at];
  run->has_new_level = run->has_new_level || run->level != level;
  run->level = level;
  return GS_OK;
}

/* ---- removals ------------------------------------------------------------- */

static gs_status
copy_tables(gs_draft *draft, gs_draft_run *run, gs_error *err)
{
  if (run->own != NULL) {
    return GS_OK;
  }
  size_t count = run->old->table_count;
  run->own = gs_alloc_array(draft->alloc, count, sizeof(gs_tree_table *));
  if (run->own == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  memcpy(run->own, run->old->by_id, count * sizeof(gs_tree_table *));
  return GS_OK;
}

gs_status
gs_draft_remove(gs_draft *draft, uint64_t run_id, uint64_t table_id,
                gs_error *err)
{
  GS_ASSERT(draft->removed_count < draft->removed_capacity);
  size_t at = find_run(draft, run_id);
  if (at == draft->run_count) {
    return fail_run(run_id, err);
  }
  gs_draft_run *run = &draft->runs[at];
  gs_status status = copy_tables(draft, run, err);
  if (status != GS_OK) {
    return status;
  }
  size_t slot = gs_run_id_bound(run->old, table_id);
  if (slot == run->old->table_count || run->own[slot] == NULL ||
      run->own[slot]->meta.id != table_id) {
    return GS_FAIL(err, GS_CORRUPT,
                   "a manifest edit removes table %" PRIu64 " from run %" PRIu64
                   ", where it is not",
                   table_id, run_id);
  }
  run->own[slot] = NULL;
  draft->removed[draft->removed_count++] = table_id;
  return GS_OK;
}

static bool
is_removed(gs_draft *draft, uint64_t table_id)
{
  if (!draft->is_removed_sorted) {
    gs_sort_u64(draft->removed, draft->removed_count);
    draft->is_removed_sorted = true;
  }
  size_t at = gs_find_u64(draft->removed, draft->removed_count, table_id);
  return at < draft->removed_count && draft->removed[at] == table_id;
}

/* ---- additions ------------------------------------------------------------ */

/* Known tables come in the order of the additions as a rule. */
static gs_tree_table *
find_known(gs_draft *draft, uint64_t table_id)
{
  for (size_t i = 0; i < draft->known_count; i++) {
    size_t at = (draft->known_next + i) % draft->known_count;
    if (draft->known[at]->meta.id == table_id) {
      draft->known_next = at + 1;
      return draft->known[at];
    }
  }
  return NULL;
}

/* The object that will stand in the run, with one reference. */
static gs_status
choose_table(gs_draft *draft, const gs_table_meta *meta, gs_tree_table **out,
             gs_error *err)
{
  size_t run;
  gs_tree_table *table = gs_version_find_table(draft->old, meta->id, &run);
  if (table != NULL && !is_removed(draft, meta->id)) {
    return GS_FAIL(err, GS_CORRUPT,
                   "a manifest edit adds table %" PRIu64
                   ", which is in run %" PRIu64 " already",
                   meta->id, draft->old->runs[run]->id);
  }
  if (table == NULL) {
    table = find_known(draft, meta->id);
  }
  if (table == NULL) {
    *out = gs_tree_table_new(draft->alloc, meta);
    return *out == NULL ? GS_FAIL_NOMEM(err) : GS_OK;
  }
  if (!gs_table_meta_equal(&table->meta, meta)) {
    return GS_FAIL(err, GS_CORRUPT,
                   "a manifest edit changes the metadata of table %" PRIu64,
                   meta->id);
  }
  gs_tree_table_ref(table);
  *out = table;
  return GS_OK;
}

gs_status
gs_draft_add(gs_draft *draft, uint64_t run_id, const gs_table_meta *meta,
             gs_error *err)
{
  GS_ASSERT(draft->addition_count < draft->addition_capacity);
  size_t at = find_run(draft, run_id);
  if (at == draft->run_count) {
    return fail_run(run_id, err);
  }
  gs_tree_table *table = NULL;
  gs_status status = choose_table(draft, meta, &table, err);
  if (status == GS_OK) {
    draft->additions[draft->addition_count++] =
        (gs_draft_addition){run_id, table};
    draft->runs[at].added_count++;
  }
  return status;
}
