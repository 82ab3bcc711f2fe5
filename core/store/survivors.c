/*
 * survivors: a flush without a job: nothing else happens meanwhile.
 */
#include "store/survivors.h"

#include "store/journal_note.h"

#include "merge/drop.h"
#include "store/layout.h"

gs_status
gs_survivors_init(gs_survivors *s, gs_store *store, size_t capacity,
                  gs_error *err)
{
  *s = (gs_survivors){.store = store, .capacity = capacity};
  /* Read before the snapshots are listed: one that comes between must not find
   * expired what it still sees. */
  s->safe_clock_ms = gs_clock_safe(store);
  gs_status status =
      gs_store_list_snapshots(store, &s->snapshots, &s->snapshot_count, err);
  if (status != GS_OK) {
    return status;
  }
  s->edit = gs_edit_new(store->alloc);
  s->outputs = gs_alloc_zeroed(store->alloc, capacity * sizeof *s->outputs + 1);
  if (s->edit == NULL || s->outputs == NULL) {
    gs_survivors_deinit(s);
    return GS_FAIL_NOMEM(err);
  }
  return GS_OK;
}

void
gs_survivors_deinit(gs_survivors *s)
{
  gs_alloc *alloc = s->store->alloc;
  for (size_t i = 0; i < s->count; i++) {
    gs_output_deinit(&s->outputs[i]);
  }
  gs_alloc_free(alloc, s->outputs, s->capacity * sizeof *s->outputs + 1);
  gs_edit_free(s->edit);
  gs_alloc_free(alloc, s->snapshots, s->snapshot_count * sizeof *s->snapshots);
  *s = (gs_survivors){.store = s->store};
}

/* ---- one memtable ----------------------------------------------------------- */

static gs_status
write_key(gs_drop *drop, gs_cursor *cursor, gs_output *output, gs_error *err)
{
  gs_entry out[2];
  gs_status status = GS_OK;
  gs_drop_begin(drop);
  do {
    int count = gs_drop_offer(drop, &cursor->entry, out);
    for (int i = 0; i < count && status == GS_OK; i++) {
      status = gs_output_add(output, &out[i], false, err);
    }
  } while (status == GS_OK && gs_cursor_older(cursor));
  if (status == GS_OK && gs_drop_finish(drop, false, out)) {
    status = gs_output_add(output, out, false, err);
  }
  return status;
}

static gs_status
write_memtable(const gs_survivors *s, gs_memtable *memtable, gs_output *output,
               gs_error *err)
{
  gs_memtable_cursor walk;
  gs_drop drop;
  gs_status status = gs_memtable_cursor_init(&walk, memtable, UINT64_MAX, err);
  if (status != GS_OK) {
    return status;
  }
  gs_drop_init(&drop, s->snapshots, s->snapshot_count, s->safe_clock_ms);
  gs_cursor *cursor = &walk.base;
  for (gs_cursor_first(cursor); status == GS_OK && cursor->valid;
       gs_cursor_next(cursor)) {
    status = write_key(&drop, cursor, output, err);
  }
  if (status == GS_OK && cursor->status != GS_OK) {
    status = GS_FAIL(err, cursor->status, "a memtable could not be walked");
  }
  gs_cursor_end(cursor);
  return status == GS_OK ? gs_output_finish(output, err) : status;
}

gs_status
gs_survivors_add(gs_survivors *s, gs_memtable *memtable, gs_error *err)
{
  gs_store *store = s->store;
  gs_memtable_stats stats;
  gs_memtable_get_stats(memtable, &stats);
  if (stats.entry_count == 0) {
    return GS_OK;
  }
  gs_output *output = &s->outputs[s->count++];
  gs_layout layout = gs_layout_of(store, 0);
  gs_output_init(output, store, &layout, stats.created_ms);
  gs_status status = write_memtable(s, memtable, output, err);
  if (status == GS_OK && output->table_count > 0) {
    uint64_t run_id = gs_store_new_id(store);
    gs_edit_add_run(s->edit, run_id, 0, GS_PLACE_TOP, 0);
    gs_output_name(output, s->edit, run_id);
  }
  return status;
}

/* ---- the edit --------------------------------------------------------------- */

/* An edit that failed on its way may still turn up, so its files stay. */
static void
keep_outputs(gs_survivors *s)
{
  for (size_t i = 0; i < s->count; i++) {
    gs_output_keep(&s->outputs[i]);
  }
}

gs_status
gs_survivors_install(gs_survivors *s, gs_install *change, gs_error *err)
{
  gs_store *store = s->store;
  change->edit = s->edit;
  if (gs_note_is_present(&store->note)) {
    gs_edit_set_note(s->edit, gs_buffer_slice(&store->note.text),
                     store->note.seq);
    change->note_number = store->note.number;
  }
  gs_mutex_lock(store->install);
  for (size_t i = 0; i < store->tree.segment_count; i++) {
    gs_edit_remove_segment(s->edit, store->tree.segments[i].number);
  }
  gs_status status = gs_store_install(store, change, err);
  if (change->is_durable ||
      (store->manifest != NULL && gs_manifest_is_doubtful(store->manifest))) {
    keep_outputs(s);
  }
  gs_mutex_unlock(store->install);
  for (size_t i = 0; status == GS_OK && i < s->count; i++) {
    gs_journal_survivors(store, &s->outputs[i],
                         change->only == NULL ? "recovery" : "resume");
  }
  return status;
}
