/*
 * scan: a reader's cursor: memtables and runs of a pinned view, merged, and
 * shown as one moment sees them.
 *
 *   memtable cursors, run cursors ─▶ merge ─▶ visible ─▶ caller
 *
 * Places without entries have no cursor, and one cursor needs no merge.
 *
 * The view keeps every memtable, table and version it holds alive, so a scan
 * needs no snapshot of its own however long it lives.
 */
#include "merge/merge.h"
#include "merge/visible.h"
#include "store/run_cursor.h"
#include "store/store.h"

struct gs_scan {
  gs_store *store;
  gs_view *view;
  gs_buffer bounds;              /* copies of from and to */
  gs_buffer sought;              /* a key to seek that lay in an entry */
  gs_memtable_cursor *memtables; /* one per memtable of the view */
  size_t memtable_count;         /* of them initialised */
  gs_cursor **sources;           /* newest place first */
  size_t source_count;
  size_t source_capacity;
  gs_cursor *merge; /* of the sources; NULL where there is one only */
  gs_visible_cursor visible;
  gs_error error; /* filled by the cursors */
};

/* ---- building ------------------------------------------------------------------- */

static gs_status
open_memtables(gs_scan *scan, uint64_t seq, gs_error *err)
{
  for (size_t i = 0; i < scan->view->memtable_count; i++) {
    gs_memtable *memtable = scan->view->memtables[i];
    if (gs_memtable_is_empty(memtable)) {
      continue;
    }
    gs_memtable_cursor *cursor = &scan->memtables[scan->memtable_count];
    gs_status status = gs_memtable_cursor_init(cursor, memtable, seq, err);
    if (status != GS_OK) {
      return status;
    }
    scan->memtable_count++;
    cursor->base.error = &scan->error;
    scan->sources[scan->source_count++] = &cursor->base;
  }
  return GS_OK;
}

/* The run's tables that can hold a key of the range. */
static void
choose_tables(const gs_run *run, const gs_range *range, size_t *from,
              size_t *count)
{
  *from = gs_run_lower_bound(run, range->from);
  size_t end = *from;
  while (end < run->table_count &&
         (!range->has_to ||
          gs_slice_compare(run->tables[end]->meta.min_key, range->to) < 0)) {
    end++;
  }
  *count = end - *from;
}

static gs_status
open_runs(gs_scan *scan, const gs_range *range, gs_error *err)
{
  const gs_version *version = scan->view->version;
  for (size_t i = 0; i < version->run_count; i++) {
    size_t from;
    size_t count;
    choose_tables(version->runs[i], range, &from, &count);
    if (count == 0) {
      continue;
    }
    gs_cursor *cursor = NULL;
    gs_status status =
        gs_run_cursor_new(scan->store, version->runs[i]->tables + from, count,
                          true, &cursor, err);
    if (status != GS_OK) {
      return status;
    }
    cursor->error = &scan->error;
    scan->sources[scan->source_count++] = cursor;
  }
  return GS_OK;
}

static gs_status
copy_bounds(gs_scan *scan, const gs_range *range, gs_visible_view *view,
            gs_error *err)
{
  gs_buffer_append_slice(&scan->bounds, range->from);
  if (range->has_to) {
    gs_buffer_append_slice(&scan->bounds, range->to);
  }
  gs_status status = gs_buffer_status(&scan->bounds, err);
  if (status == GS_OK) {
    size_t from_size = range->from.size;
    view->from = gs_slice_of(scan->bounds.data, from_size);
    view->has_to = range->has_to;
    view->to = range->has_to
                   ? gs_slice_of(scan->bounds.data + from_size, range->to.size)
                   : gs_slice_of(NULL, 0);
  }
  return status;
}

static gs_status
reserve(gs_scan *scan, gs_error *err)
{
  gs_alloc *alloc = scan->store->alloc;
  size_t memtables = scan->view->memtable_count;
  scan->source_capacity = memtables + scan->view->version->run_count;
  scan->sources =
      gs_alloc_array(alloc, scan->source_capacity, sizeof *scan->sources);
  scan->memtables = gs_alloc_array(alloc, memtables, sizeof *scan->memtables);
  if (scan->sources == NULL || scan->memtables == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  return GS_OK;
}

static gs_status
join_sources(gs_scan *scan, const gs_visible_view *moment, gs_error *err)
{
  if (scan->source_count == 1) {
    gs_visible_cursor_init(&scan->visible, scan->sources[0], moment);
    scan->visible.base.error = &scan->error;
    return GS_OK;
  }
  gs_status status = gs_merge_cursor_new(scan->store->alloc, scan->sources,
                                         scan->source_count, &scan->merge, err);
  if (status != GS_OK) {
    return status;
  }
  scan->merge->error = &scan->error;
  gs_visible_cursor_init(&scan->visible, scan->merge, moment);
  scan->visible.base.error = &scan->error;
  return GS_OK;
}

static gs_status
build(gs_scan *scan, const gs_snapshot *snapshot, const gs_range *range,
      gs_error *err)
{
  gs_store *store = scan->store;
  gs_visible_view moment = {0};
  scan->view = gs_store_pin_view(store);
  moment.seq = snapshot != NULL ? snapshot->seq
                                : atomic_load_explicit(&store->visible_seq,
                                                       memory_order_acquire);
  moment.now_ms = snapshot != NULL ? snapshot->clock_ms : gs_store_clock(store);
  gs_status status = copy_bounds(scan, range, &moment, err);
  if (status == GS_OK) {
    status = reserve(scan, err);
  }
  if (status == GS_OK) {
    status = open_memtables(scan, moment.seq, err);
  }
  if (status == GS_OK) {
    status = open_runs(scan, range, err);
  }
  return status == GS_OK ? join_sources(scan, &moment, err) : status;
}

gs_status
gs_scan_new(gs_store *store, const gs_snapshot *snapshot, const gs_range *range,
            gs_scan **out, gs_error *err)
{
  gs_status status = gs_store_check(store, err);
  if (status != GS_OK) {
    return status;
  }
  gs_scan *scan = GS_NEW(store->alloc, gs_scan);
  if (scan == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  scan->store = store;
  gs_buffer_init(&scan->bounds, store->alloc);
  gs_buffer_init(&scan->sought, store->alloc);
  static const gs_range everything = {{NULL, 0}, {NULL, 0}, false};
  status = build(scan, snapshot, range == NULL ? &everything : range, err);
  if (status != GS_OK) {
    gs_scan_free(scan);
    return status;
  }
  uint32_t slot = gs_epoch_enter(store->epoch);
  gs_tally_own(&store->read_counters[slot].scans, 1);
  gs_epoch_leave(store->epoch, slot);
  *out = scan;
  return GS_OK;
}

void
gs_scan_free(gs_scan *scan)
{
  if (scan == NULL || gs_store_check(scan->store, NULL) != GS_OK) {
    return; /* a forked child leaves the parent's files alone */
  }
  gs_store *store = scan->store;
  gs_cursor_end(&scan->visible.base);
  if (scan->merge != NULL) {
    gs_cursor_end(scan->merge);
  }
  for (size_t i = 0; i < scan->source_count; i++) {
    gs_cursor_end(scan->sources[i]);
  }
  if (scan->view != NULL) {
    gs_alloc_free(store->alloc, scan->memtables,
                  scan->view->memtable_count * sizeof *scan->memtables);
  }
  gs_alloc_free(store->alloc, scan->sources,
                scan->source_capacity * sizeof *scan->sources);
  gs_view_unref(scan->view);
  gs_buffer_deinit(&scan->bounds);
  gs_buffer_deinit(&scan->sought);
  GS_DELETE(store->alloc, scan);
}

/* ---- moving ---------------------------------------------------------------------- */

static gs_status
outcome(gs_scan *scan, gs_error *err)
{
  if (scan->visible.base.valid) {
    return GS_OK;
  }
  if (scan->visible.base.status == GS_OK) {
    return GS_ABSENT;
  }
  if (err != NULL) {
    *err = scan->error;
  }
  return scan->visible.base.status;
}

gs_status
gs_scan_first(gs_scan *scan, gs_error *err)
{
  gs_status status = gs_store_check(scan->store, err);
  if (status != GS_OK) {
    return status;
  }
  gs_cursor_first(&scan->visible.base);
  return outcome(scan, err);
}

gs_status
gs_scan_last(gs_scan *scan, gs_error *err)
{
  gs_status status = gs_store_check(scan->store, err);
  if (status != GS_OK) {
    return status;
  }
  gs_cursor_last(&scan->visible.base);
  return outcome(scan, err);
}

gs_status
gs_scan_next(gs_scan *scan, gs_error *err)
{
  gs_status status = gs_store_check(scan->store, err);
  if (status != GS_OK) {
    return status;
  }
  if (!scan->visible.base.valid) {
    return GS_ABSENT;
  }
  gs_cursor_next(&scan->visible.base);
  return outcome(scan, err);
}

gs_status
gs_scan_prev(gs_scan *scan, gs_error *err)
{
  gs_status status = gs_store_check(scan->store, err);
  if (status != GS_OK) {
    return status;
  }
  if (!scan->visible.base.valid) {
    return GS_ABSENT;
  }
  gs_cursor_prev(&scan->visible.base);
  return outcome(scan, err);
}

static bool
lies_in(gs_slice part, gs_slice whole)
{
  uintptr_t at = (uintptr_t)part.data;
  uintptr_t start = (uintptr_t)whole.data;
  return at >= start && at - start < whole.size;
}

/* A key that lies in the entry stood on would go with its block. */
static gs_status
keep_key(gs_scan *scan, gs_slice *key, gs_error *err)
{
  const gs_cursor *cursor = &scan->visible.base;
  if (!cursor->valid || (!lies_in(*key, cursor->entry.key) &&
                         !lies_in(*key, cursor->entry.value))) {
    return GS_OK;
  }
  gs_buffer_clear(&scan->sought);
  gs_buffer_append_slice(&scan->sought, *key);
  *key = gs_buffer_slice(&scan->sought);
  return gs_buffer_status(&scan->sought, err);
}

/* Before a seek. */
static gs_status
check_seek(gs_scan *scan, gs_slice *key, gs_error *err)
{
  gs_status status = gs_store_check(scan->store, err);
  if (status == GS_OK) {
    status = keep_key(scan, key, err);
  }
  if (status != GS_OK) {
    scan->visible.base.valid = false; /* it stands nowhere */
  }
  return status;
}

gs_status
gs_scan_seek(gs_scan *scan, gs_slice key, gs_error *err)
{
  gs_status status = check_seek(scan, &key, err);
  if (status != GS_OK) {
    return status;
  }
  gs_cursor_seek(&scan->visible.base, key);
  return outcome(scan, err);
}

gs_status
gs_scan_seek_before(gs_scan *scan, gs_slice key, gs_error *err)
{
  gs_status status = check_seek(scan, &key, err);
  if (status != GS_OK) {
    return status;
  }
  gs_cursor_seek_before(&scan->visible.base, key);
  return outcome(scan, err);
}

gs_slice
gs_scan_key(const gs_scan *scan)
{
  return scan->visible.base.entry.key;
}

gs_slice
gs_scan_value(const gs_scan *scan)
{
  return scan->visible.base.entry.value;
}

uint64_t
gs_scan_seq(const gs_scan *scan)
{
  return scan->visible.base.entry.seq;
}
