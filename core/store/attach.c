/*
 * attach: takes a finished table of another store in.
 *
 * The table's live entries are written anew, under this store's identity and
 * one fresh sequence number, into tables that become the newest run in one
 * edit. Writers wait meanwhile, and memory is flushed first, so that nothing
 * older can come to lie above. The sequence taken has no frame in the log; the
 * edit that installs the run raises flushed_seq to it, so a replay expects the
 * next one. The edit carries the note too: a replay passes over whatever comes
 * before.
 */
#include "merge/visible.h"
#include "store/flush.h"
#include "store/layout.h"
#include "store/output.h"

enum { EMPTY_TRIES = 64 };

typedef struct attachment {
  gs_store *store;
  gs_table *table;
  gs_cursor *walk;
  gs_visible_cursor live;
  gs_output output;
  uint64_t seq;
  gs_error walk_error;
} attachment;

static gs_status
check_kind(const attachment *a, const char *path, gs_error *err)
{
  const gs_table_meta *meta = gs_table_get_meta(a->table);
  if (a->store->kind != GS_STORE_U32 ||
      (meta->min_key.size == 4 && meta->max_key.size == 4)) {
    return GS_OK;
  }
  gs_status status =
      GS_FAIL(err, GS_KIND, "%s holds byte-string keys, %s is a u32 store",
              path, a->store->path);
  return gs_error_at(err, status, path);
}

static gs_status
copy_entries(attachment *a, gs_error *err)
{
  gs_status status = GS_OK;
  gs_cursor *live = &a->live.base;
  for (gs_cursor_first(live); status == GS_OK && live->valid;
       gs_cursor_next(live)) {
    gs_entry entry = live->entry;
    entry.seq = a->seq;
    status = gs_store_check_entry(a->store, entry.key, entry.value, err);
    if (status == GS_OK) {
      status = gs_output_add(&a->output, &entry, false, err);
    }
  }
  if (status == GS_OK && live->status != GS_OK) {
    if (err != NULL) {
      *err = a->walk_error;
    }
    status = live->status;
  }
  return status == GS_OK ? gs_output_finish(&a->output, err) : status;
}

static gs_status
install(attachment *a, gs_error *err)
{
  gs_store *store = a->store;
  gs_edit *edit = gs_edit_new(store->alloc);
  if (edit == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  uint64_t run_id = gs_store_new_id(store);
  gs_edit_add_run(edit, run_id, 0, GS_PLACE_TOP, 0);
  gs_output_name(&a->output, edit, run_id);
  if (gs_note_is_present(&store->note)) {
    gs_edit_set_note(edit, gs_buffer_slice(&store->note.text), store->note.seq);
  }
  gs_install change = {
      .edit = edit,
      .flushed_seq = a->seq,
      .note_number = store->note.number,
      .known = a->output.tables,
      .known_count = a->output.table_count,
      .reason = "flush",
  };
  gs_mutex_lock(store->install);
  gs_status status = gs_store_install(store, &change, err);
  bool is_doubtful =
      store->manifest != NULL && gs_manifest_is_doubtful(store->manifest);
  gs_mutex_unlock(store->install);
  gs_edit_free(edit);
  if (change.is_durable || is_doubtful) {
    gs_output_keep(&a->output);
  }
  if (status != GS_OK && is_doubtful) {
    /* Should the edit turn up, its sequence is flushed; a later write that took
     * the same one would be passed over. So there is none. */
    gs_store_fail(store, status, err);
  }
  return status;
}

/* Commit held, memory empty: nobody writes. */
static gs_status
take_in(attachment *a, uint64_t *entries, gs_error *err)
{
  gs_store *store = a->store;
  a->seq = store->next_seq;
  gs_layout layout = gs_layout_of(store, 0);
  gs_output_init(&a->output, store, &layout, 0);
  gs_visible_view moment = {
      .seq = UINT64_MAX,
      .now_ms = gs_store_clock(store),
  };
  gs_visible_cursor_init(&a->live, a->walk, &moment);
  gs_status status = copy_entries(a, err);
  if (status == GS_OK && a->output.table_count > 0) {
    status = install(a, err);
    if (status == GS_OK) {
      store->next_seq = a->seq + 1;
      atomic_store(&store->durable_seq, a->seq);
      atomic_store_explicit(&store->visible_seq, a->seq, memory_order_release);
    }
  }
  if (status == GS_OK && entries != NULL) {
    *entries = a->output.entry_count;
  }
  gs_cursor_end(&a->live.base);
  gs_output_deinit(&a->output);
  return status;
}

/* Flushes until memory is empty with commit held, and the newest note is one
 * that counts. */
static gs_status
lock_empty(gs_store *store, gs_error *err)
{
  for (int i = 0; i < EMPTY_TRIES; i++) {
    gs_status status = gs_flush_all(store, err);
    if (status != GS_OK) {
      return status;
    }
    gs_memtable_stats stats;
    gs_mutex_lock(store->commit);
    gs_memtable_get_stats(store->active, &stats);
    bool is_settled = gs_store_note_is_settled(store);
    if (stats.entry_count == 0 && atomic_load(&store->sealed_count) == 0 &&
        is_settled) {
      return GS_OK;
    }
    gs_mutex_unlock(store->commit);
    status = is_settled ? GS_OK : gs_sync(store, err);
    if (status != GS_OK) {
      return status;
    }
  }
  return GS_FAIL(err, GS_BUSY, "%s: writes kept coming first", store->path);
}

gs_status
gs_attach(gs_store *store, const char *path, uint64_t *entries, gs_error *err)
{
  attachment a = {.store = store};
  gs_status status = gs_store_check_writable(store, err);
  if (status == GS_OK) {
    status = gs_table_open(store->cache, path, 0, NULL, &a.table, err);
  }
  if (status != GS_OK) {
    return status;
  }
  status = check_kind(&a, path, err);
  if (status == GS_OK) {
    status = gs_table_verify(a.table, err);
  }
  if (status == GS_OK) {
    status = gs_table_cursor_new(a.table, false, &a.walk, err);
  }
  if (status == GS_OK) {
    a.walk->error = &a.walk_error;
    status = lock_empty(store, err);
    if (status == GS_OK) {
      status = take_in(&a, entries, err);
      gs_mutex_unlock(store->commit);
    }
    gs_table_cursor_free(a.walk);
  }
  gs_table_unref(a.table);
  return status;
}
