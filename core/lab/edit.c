/*
 * edit: runs about which nothing changes are taken over.
 */
#include "lab/edit.h"

#include "tree/sort.h"

typedef struct maker {
  gs_alloc *alloc;
  const gs_version *old;
  const gs_lab_edit *edit;
  gs_run **runs;
  size_t count;
  bool failed;
} maker;

static bool
is_removed(const gs_lab_edit *edit, uint64_t id)
{
  size_t at = gs_find_u64(edit->removed, edit->removed_count, id);
  return at < edit->removed_count && edit->removed[at] == id;
}

static size_t
count_removed(const gs_lab_edit *edit, const gs_run *run)
{
  size_t count = 0;
  for (size_t i = 0; i < edit->removed_count; i++) {
    size_t at = gs_run_id_bound(run, edit->removed[i]);
    count += at < run->table_count &&
             run->by_id[at]->meta.id == edit->removed[i];
  }
  return count;
}

/* The level of a new run: the plan's, or the deepest of the inputs'. */
static uint32_t
choose_level(const maker *m)
{
  uint32_t level = 0;
  if (m->edit->is_flush) {
    return 0;
  }
  if (m->edit->level >= 0) {
    return (uint32_t)m->edit->level;
  }
  for (size_t r = 0; r < m->old->run_count; r++) {
    const gs_run *run = m->old->runs[r];
    if (run->level > level && count_removed(m->edit, run) > 0) {
      level = run->level;
    }
  }
  return level;
}

static void
add_run(maker *m, uint64_t id, uint32_t level, gs_tree_table *const *tables,
        size_t count)
{
  gs_run *run =
      count == 0 ? NULL : gs_run_new(m->alloc, id, level, tables, count);
  if (run != NULL) {
    m->runs[m->count++] = run;
  } else {
    m->failed |= count > 0;
  }
}

static void
add_new_run(maker *m)
{
  add_run(m, m->edit->new_run_id, choose_level(m), m->edit->added,
          m->edit->added_count);
}

/* Tables that stay and those that come, in order of keys. */
static size_t
weave(const maker *m, const gs_run *run, bool is_target, gs_tree_table **to)
{
  gs_tree_table *const *added = m->edit->added;
  size_t left = is_target ? m->edit->added_count : 0;
  size_t count = 0;
  for (size_t i = 0; i < run->table_count; i++) {
    if (is_removed(m->edit, run->tables[i]->meta.id)) {
      continue;
    }
    while (left > 0 && gs_slice_compare((*added)->meta.min_key,
                                        run->tables[i]->meta.min_key) < 0) {
      to[count++] = *added++;
      left--;
    }
    to[count++] = run->tables[i];
  }
  while (left > 0) {
    to[count++] = *added++;
    left--;
  }
  return count;
}

static void
keep_run(maker *m, gs_run *run)
{
  const gs_lab_edit *edit = m->edit;
  bool is_target = !edit->is_flush && edit->target == GS_TARGET_INTO &&
                   edit->run_id == run->id;
  bool has_level = is_target && edit->level >= 0;
  size_t removed = count_removed(edit, run);
  if (removed == 0 && (!is_target || edit->added_count == 0) && !has_level) {
    gs_run_ref(run);
    m->runs[m->count++] = run;
    return;
  }
  size_t room = run->table_count + (is_target ? edit->added_count : 0);
  gs_tree_table **tables = gs_alloc_array(m->alloc, room, sizeof *tables);
  if (tables == NULL) {
    m->failed = true;
    return;
  }
  size_t count = weave(m, run, is_target, tables);
  add_run(m, run->id, has_level ? (uint32_t)edit->level : run->level, tables,
          count);
  gs_alloc_free(m->alloc, tables, room * sizeof *tables);
}

static void
make_runs(maker *m)
{
  const gs_lab_edit *edit = m->edit;
  bool is_new = edit->is_flush || edit->target != GS_TARGET_INTO;
  if (edit->is_flush) {
    add_new_run(m);
  }
  for (size_t r = 0; r < m->old->run_count; r++) {
    gs_run *run = m->old->runs[r];
    if (is_new && !edit->is_flush && edit->target == GS_TARGET_ABOVE &&
        edit->run_id == run->id) {
      add_new_run(m);
    }
    keep_run(m, run);
  }
  if (!edit->is_flush && edit->target == GS_TARGET_BOTTOM) {
    add_new_run(m);
  }
}

gs_version *
gs_lab_edit_apply(gs_alloc *alloc, const gs_version *version,
                  const gs_lab_edit *edit)
{
  maker m = {.alloc = alloc, .old = version, .edit = edit};
  size_t room = version->run_count + 1;
  m.runs = gs_alloc_array(alloc, room, sizeof(gs_run *));
  if (m.runs == NULL) {
    return NULL;
  }
  make_runs(&m);
  gs_version *made =
      m.failed ? NULL
               : gs_version_new(alloc, version->number + 1, m.runs, m.count);
  for (size_t r = 0; r < m.count; r++) {
    gs_run_unref(m.runs[r]);
  }
  gs_alloc_free(alloc, m.runs, room * sizeof(gs_run *));
  return made;
}
