/*
 * edit: runs about which nothing changes are taken over.
 */
#include "lab/edit.h"

typedef struct maker {
  gs_alloc *alloc;
  const gs_version *old;
  const gs_lab_edit *edit;
  gs_run **runs;
  size_t count;
  bool failed;
} maker;

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
    if (run->level > level &&
        gs_run_count_removed(run, m->edit->removed, m->edit->removed_count) >
            0) {
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

static void
keep_run(maker *m, gs_run *run)
{
  const gs_lab_edit *edit = m->edit;
  bool is_target = !edit->is_flush && edit->target == GS_TARGET_INTO &&
                   edit->run_id == run->id;
  const gs_run_change change = {
      .level =
          is_target && edit->level >= 0 ? (uint32_t)edit->level : run->level,
      .removed = edit->removed,
      .removed_count = edit->removed_count,
      .added = edit->added,
      .added_count = is_target ? edit->added_count : 0,
  };
  size_t removed =
      gs_run_count_removed(run, edit->removed, edit->removed_count);
  if (removed == 0 && change.added_count == 0 && change.level == run->level) {
    gs_run_ref(run);
    m->runs[m->count++] = run;
    return;
  }
  if (run->table_count + change.added_count == removed) {
    return;
  }
  gs_run *changed = gs_run_changed(m->alloc, run, &change);
  m->failed |= changed == NULL;
  if (changed != NULL) {
    m->runs[m->count++] = changed;
  }
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
