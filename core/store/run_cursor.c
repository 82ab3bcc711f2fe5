/*
 * run_cursor: finds the table by its bounds, then lets the table's own cursor
 * do the walking; at a table's end the neighbour takes over.
 */
#include "store/run_cursor.h"

typedef struct run_cursor {
  gs_cursor base;
  gs_store *store;
  size_t table_count;
  size_t at;        /* index of the table that inner walks */
  gs_cursor *inner; /* NULL: no table is open */
  bool is_aiming;   /* the table of a seek to come is found: */
  size_t aimed_at;
  bool fills_cache;
  gs_tree_table *tables[];
} run_cursor;

static void
close_inner(run_cursor *c)
{
  if (c->inner != NULL) {
    gs_table_cursor_free(c->inner);
    c->inner = NULL;
  }
}

static void
stop(run_cursor *c, gs_status status)
{
  c->base.valid = false;
  c->base.status = status;
  if (status == GS_CORRUPT && c->at < c->table_count) {
    atomic_store(&c->tables[c->at]->is_quarantined, true);
  }
}

/* Opens a cursor on table at; false after a failure. */
static bool
open_inner(run_cursor *c, size_t at)
{
  if (c->inner != NULL && c->at == at) {
    return true;
  }
  close_inner(c);
  c->at = at;
  gs_table *table = NULL;
  gs_status status =
      gs_store_table(c->store, c->tables[at], &table, c->base.error);
  if (status == GS_OK) {
    status =
        gs_table_cursor_new(table, c->fills_cache, &c->inner, c->base.error);
  }
  if (status != GS_OK) {
    c->inner = NULL;
    stop(c, status);
    return false;
  }
  c->inner->error = c->base.error;
  return true;
}

/* Takes over where the inner cursor stands; true when that is somewhere or it
 * failed, false when the walk must go to a neighbour. */
static bool
settle(run_cursor *c)
{
  if (c->inner->valid) {
    c->base.valid = true;
    c->base.status = GS_OK;
    c->base.entry = c->inner->entry;
    return true;
  }
  if (c->inner->status != GS_OK) {
    stop(c, c->inner->status);
    return true;
  }
  return false;
}

static void
enter_forward(run_cursor *c, size_t at)
{
  for (; at < c->table_count; at++) {
    if (!open_inner(c, at)) {
      return;
    }
    gs_cursor_first(c->inner);
    if (settle(c)) {
      return;
    }
  }
  stop(c, GS_OK);
}

/* Tables [0, count) from the last one down. */
static void
enter_backward(run_cursor *c, size_t count)
{
  for (size_t at = count; at > 0; at--) {
    if (!open_inner(c, at - 1)) {
      return;
    }
    gs_cursor_last(c->inner);
    if (settle(c)) {
      return;
    }
  }
  stop(c, GS_OK);
}

/* Index of the first table whose max key >= key. */
static size_t
lower_bound(const run_cursor *c, gs_slice key)
{
  size_t low = 0;
  size_t high = c->table_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (gs_slice_compare(c->tables[middle]->meta.max_key, key) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/* The table of the key. */
static size_t
aimed_table(run_cursor *c, gs_slice key)
{
  if (!c->is_aiming) {
    c->aimed_at = lower_bound(c, key);
    c->is_aiming = true;
  }
  return c->aimed_at;
}

static bool
aim(gs_cursor *cursor, gs_slice key)
{
  run_cursor *c = (run_cursor *)cursor;
  size_t at = aimed_table(c, key);
  return at < c->table_count && open_inner(c, at) &&
         gs_cursor_aim(c->inner, key);
}

static void
seek(gs_cursor *cursor, gs_slice key)
{
  run_cursor *c = (run_cursor *)cursor;
  size_t at = aimed_table(c, key);
  c->is_aiming = false;
  if (at == c->table_count) {
    stop(c, GS_OK);
    return;
  }
  if (!open_inner(c, at)) {
    return;
  }
  gs_cursor_seek(c->inner, key);
  if (!settle(c)) {
    enter_forward(c, at + 1);
  }
}

static void
seek_before(gs_cursor *cursor, gs_slice key)
{
  run_cursor *c = (run_cursor *)cursor;
  size_t at = aimed_table(c, key);
  c->is_aiming = false;
  if (at == c->table_count) {
    enter_backward(c, c->table_count);
    return;
  }
  if (!open_inner(c, at)) {
    return;
  }
  gs_cursor_seek_before(c->inner, key);
  if (!settle(c)) {
    enter_backward(c, at);
  }
}

static void
first(gs_cursor *cursor)
{
  enter_forward((run_cursor *)cursor, 0);
}

static void
last(gs_cursor *cursor)
{
  run_cursor *c = (run_cursor *)cursor;
  enter_backward(c, c->table_count);
}

static void
next(gs_cursor *cursor)
{
  run_cursor *c = (run_cursor *)cursor;
  gs_cursor_next(c->inner);
  if (!settle(c)) {
    enter_forward(c, c->at + 1);
  }
}

static void
prev(gs_cursor *cursor)
{
  run_cursor *c = (run_cursor *)cursor;
  gs_cursor_prev(c->inner);
  if (!settle(c)) {
    enter_backward(c, c->at);
  }
}

static bool
older(gs_cursor *cursor)
{
  run_cursor *c = (run_cursor *)cursor;
  if (gs_cursor_older(c->inner)) {
    c->base.entry = c->inner->entry;
    return true;
  }
  if (!c->inner->valid) {
    stop(c, c->inner->status);
  }
  return false;
}

static size_t
ahead(gs_cursor *cursor, const gs_slice *below, gs_entry *into, size_t room)
{
  run_cursor *c = (run_cursor *)cursor;
  size_t count = gs_cursor_ahead(c->inner, below, into, room);
  if (count > 0) {
    c->base.entry = c->inner->entry;
  }
  return count;
}

static size_t
cursor_bytes(size_t table_count)
{
  return sizeof(run_cursor) + table_count * sizeof(gs_tree_table *);
}

static void
end(gs_cursor *cursor)
{
  run_cursor *c = (run_cursor *)cursor;
  close_inner(c);
  for (size_t i = 0; i < c->table_count; i++) {
    gs_tree_table_unref(c->tables[i]);
  }
  gs_alloc_free(c->store->alloc, c, cursor_bytes(c->table_count));
}

static const gs_cursor_ops ops = {
    .aim = aim,
    .seek = seek,
    .seek_before = seek_before,
    .first = first,
    .last = last,
    .next = next,
    .prev = prev,
    .older = older,
    .ahead = ahead,
    .end = end,
};

gs_status
gs_run_cursor_new(gs_store *store, gs_tree_table *const *tables,
                  size_t table_count, bool fills_cache, gs_cursor **out,
                  gs_error *err)
{
  run_cursor *c = gs_alloc_zeroed(store->alloc, cursor_bytes(table_count));
  if (c == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  c->base.ops = &ops;
  c->base.error = err;
  c->store = store;
  c->fills_cache = fills_cache;
  c->table_count = table_count;
  for (size_t i = 0; i < table_count; i++) {
    c->tables[i] = tables[i];
    gs_tree_table_ref(tables[i]);
  }
  *out = &c->base;
  return GS_OK;
}
