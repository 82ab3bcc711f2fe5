/*
 * version: counted lists of counted lists. Whoever makes a list takes a
 * reference on each member, and the last reference to the list drops them; so
 * two versions that share a run share its tables for as long as either lives.
 */
#include "tree/version.h"

#include "base/check.h"
#include "tree/sort.h"

/* ---- tables --------------------------------------------------------------- */

static gs_slice
copy_key(gs_tree_table *table, size_t at, gs_slice key)
{
  if (key.size == 0) {
    return gs_slice_of(NULL, 0);
  }
  memcpy(table->key_bytes + at, key.data, key.size);
  return gs_slice_of(table->key_bytes + at, key.size);
}

gs_tree_table *
gs_tree_table_new(gs_alloc *alloc, const gs_table_meta *meta)
{
  gs_tree_table *table = GS_NEW(alloc, gs_tree_table);
  if (table == NULL) {
    return NULL;
  }
  table->alloc = alloc;
  table->meta = *meta;
  table->key_bytes_size = meta->min_key.size + meta->max_key.size;
  if (table->key_bytes_size > 0) {
    table->key_bytes = gs_alloc_bytes(alloc, table->key_bytes_size);
    if (table->key_bytes == NULL) {
      GS_DELETE(alloc, table);
      return NULL;
    }
  }
  table->meta.min_key = copy_key(table, 0, meta->min_key);
  table->meta.max_key = copy_key(table, meta->min_key.size, meta->max_key);
  atomic_init(&table->refs, 1);
  atomic_init(&table->payload, NULL);
  atomic_init(&table->is_obsolete, false);
  atomic_init(&table->is_quarantined, false);
  atomic_init(&table->reads, 0);
  atomic_init(&table->seeks, 0);
  return table;
}

void
gs_tree_table_ref(gs_tree_table *table)
{
  atomic_fetch_add_explicit(&table->refs, 1, memory_order_relaxed);
}

/* True for the one caller that let the last reference go. */
static bool
is_last_unref(atomic_uint *refs)
{
  unsigned before = atomic_fetch_sub_explicit(refs, 1, memory_order_acq_rel);
  GS_ASSERT(before > 0);
  return before == 1;
}

void
gs_tree_table_unref(gs_tree_table *table)
{
  if (table == NULL || !is_last_unref(&table->refs)) {
    return;
  }
  if (table->release != NULL) {
    table->release(table);
  }
  gs_alloc_free(table->alloc, table->key_bytes, table->key_bytes_size);
  GS_DELETE(table->alloc, table);
}

/* ---- runs ----------------------------------------------------------------- */

static bool
is_less_by_key(const void *items, size_t a, size_t b)
{
  gs_tree_table *const *tables = items;
  return gs_slice_compare(tables[a]->meta.min_key, tables[b]->meta.min_key) < 0;
}

static bool
is_less_by_id(const void *items, size_t a, size_t b)
{
  gs_tree_table *const *tables = items;
  return tables[a]->meta.id < tables[b]->meta.id;
}

static void
swap_tables(void *items, size_t a, size_t b)
{
  gs_tree_table **tables = items;
  gs_tree_table *held = tables[a];
  tables[a] = tables[b];
  tables[b] = held;
}

static bool
allocate_lists(gs_run *run, size_t count)
{
  run->tables = gs_alloc_array(run->alloc, count, sizeof(gs_tree_table *));
  run->by_id = gs_alloc_array(run->alloc, count, sizeof(gs_tree_table *));
  run->max_heads = gs_alloc_array(run->alloc, count, sizeof(uint64_t));
  return run->tables != NULL && run->by_id != NULL && run->max_heads != NULL;
}

static void
free_run(gs_run *run, size_t count)
{
  gs_alloc_free(run->alloc, run->tables, count * sizeof(gs_tree_table *));
  gs_alloc_free(run->alloc, run->by_id, count * sizeof(gs_tree_table *));
  gs_alloc_free(run->alloc, run->max_heads, count * sizeof(uint64_t));
  GS_DELETE(run->alloc, run);
}

/* The lesser of two times of which 0 is none. */
static uint64_t
earlier(uint64_t a, uint64_t b)
{
  return a == 0 || (b != 0 && b < a) ? b : a;
}

static void
add_figures(gs_run *run, const gs_table_meta *meta)
{
  run->bytes += meta->file_bytes;
  run->entry_count += meta->entry_count;
  run->tombstone_count += meta->tombstone_count;
  run->expiring_count += meta->expiring_count;
  run->data_bytes += meta->data_bytes;
  if (meta->file_bytes > run->largest_bytes) {
    run->largest_bytes = meta->file_bytes;
  }
  if (run->table_count == 1 || meta->created_ms < run->begun_ms) {
    run->begun_ms = meta->created_ms;
  }
  if (meta->created_ms > run->written_ms) {
    run->written_ms = meta->created_ms;
  }
  run->oldest_tombstone_ms =
      earlier(run->oldest_tombstone_ms, meta->oldest_tombstone_ms);
  if (meta->entry_count > 0 && meta->expiring_count == meta->entry_count) {
    run->dead_at_ms = earlier(run->dead_at_ms, meta->max_expiry_ms);
  }
}

static void
add_table(gs_run *run, gs_tree_table *table)
{
  gs_tree_table_ref(table);
  run->tables[run->table_count] = table;
  run->by_id[run->table_count] = table;
  run->table_count++;
  add_figures(run, &table->meta);
}

static void
put_in_order(gs_run *run)
{
  const gs_sortable by_key = {run->tables, is_less_by_key, swap_tables};
  const gs_sortable by_id = {run->by_id, is_less_by_id, swap_tables};
  gs_sort(&by_key, run->table_count);
  gs_sort(&by_id, run->table_count);
}

/* Without tables, with room for so many. */
static gs_run *
make_run(gs_alloc *alloc, uint64_t id, uint32_t level, size_t room)
{
  gs_run *run = GS_NEW(alloc, gs_run);
  if (run == NULL) {
    return NULL;
  }
  run->id = id;
  run->level = level;
  run->alloc = alloc;
  atomic_init(&run->refs, 1);
  if (!allocate_lists(run, room)) {
    free_run(run, room);
    return NULL;
  }
  return run;
}

static gs_slice
behind_prefix(const gs_run *run, gs_slice key)
{
  size_t size = run->prefix.size;
  return size == 0 ? key : gs_slice_of(key.data + size, key.size - size);
}

/* Of all tables, since those of a broken run may stand in any order. */
static void
note_heads(gs_run *run)
{
  run->prefix = run->tables[0]->meta.max_key;
  for (size_t i = 1; i < run->table_count; i++) {
    run->prefix.size =
        gs_slice_shared(run->prefix, run->tables[i]->meta.max_key);
  }
  for (size_t i = 0; i < run->table_count; i++) {
    run->max_heads[i] =
        gs_slice_head(behind_prefix(run, run->tables[i]->meta.max_key));
  }
}

gs_run *
gs_run_new(gs_alloc *alloc, uint64_t id, uint32_t level,
           gs_tree_table *const *tables, size_t table_count)
{
  GS_ASSERT(table_count > 0);
  gs_run *run = make_run(alloc, id, level, table_count);
  if (run == NULL) {
    return NULL;
  }
  for (size_t i = 0; i < table_count; i++) {
    add_table(run, tables[i]);
  }
  put_in_order(run);
  note_heads(run);
  return run;
}

/* ---- runs that change ------------------------------------------------------- */

static bool
is_taken(const gs_run_change *change, const gs_tree_table *table)
{
  size_t at =
      gs_find_u64(change->removed, change->removed_count, table->meta.id);
  return at < change->removed_count && change->removed[at] == table->meta.id;
}

/* Tables that stay and tables that come, each in order, become one list in that
 * order. */
static size_t
weave(const gs_run_change *change, gs_tree_table *const *old, size_t old_count,
      gs_tree_table *const *added, bool is_by_id, gs_tree_table **to)
{
  size_t count = 0;
  size_t a = 0;
  for (size_t i = 0; i < old_count; i++) {
    if (is_taken(change, old[i])) {
      continue;
    }
    while (a < change->added_count) {
      gs_tree_table *pair[2] = {added[a], old[i]};
      if (!(is_by_id ? is_less_by_id : is_less_by_key)(pair, 0, 1)) {
        break;
      }
      to[count++] = added[a++];
    }
    to[count++] = old[i];
  }
  while (a < change->added_count) {
    to[count++] = added[a++];
  }
  return count;
}

size_t
gs_run_count_removed(const gs_run *run, const uint64_t *removed, size_t count)
{
  size_t found = 0;
  for (size_t i = 0; i < count; i++) {
    size_t at = gs_run_id_bound(run, removed[i]);
    found += at < run->table_count && run->by_id[at]->meta.id == removed[i];
  }
  return found;
}

static void
fill_lists(gs_run *run, const gs_run *old, const gs_run_change *change,
           gs_tree_table **by_id)
{
  const gs_sortable sortable = {by_id, is_less_by_id, swap_tables};
  gs_sort(&sortable, change->added_count);
  run->table_count = weave(change, old->tables, old->table_count, change->added,
                           false, run->tables);
  weave(change, old->by_id, old->table_count, by_id, true, run->by_id);
  for (size_t i = 0; i < run->table_count; i++) {
    gs_tree_table_ref(run->tables[i]);
    add_figures(run, &run->tables[i]->meta);
  }
  note_heads(run);
}

gs_run *
gs_run_changed(gs_alloc *alloc, const gs_run *old, const gs_run_change *change)
{
  size_t count =
      old->table_count + change->added_count -
      gs_run_count_removed(old, change->removed, change->removed_count);
  GS_ASSERT(count > 0);
  size_t room = change->added_count + 1;
  gs_tree_table **by_id = gs_alloc_array(alloc, room, sizeof *by_id);
  gs_run *run =
      by_id == NULL ? NULL : make_run(alloc, old->id, change->level, count);
  if (run != NULL) {
    if (change->added_count > 0) {
      memcpy(by_id, change->added, change->added_count * sizeof *by_id);
    }
    fill_lists(run, old, change, by_id);
  }
  gs_alloc_free(alloc, by_id, room * sizeof *by_id);
  return run;
}

void
gs_run_ref(gs_run *run)
{
  atomic_fetch_add_explicit(&run->refs, 1, memory_order_relaxed);
}

void
gs_run_unref(gs_run *run)
{
  if (run == NULL || !is_last_unref(&run->refs)) {
    return;
  }
  for (size_t i = 0; i < run->table_count; i++) {
    gs_tree_table_unref(run->tables[i]);
  }
  free_run(run, run->table_count);
}

/* As gs_run_lower_bound, where none of the tables below low is the one. */
static size_t
bound_among_equals(const gs_run *run, size_t low, uint64_t head, gs_slice key)
{
  size_t high = head == UINT64_MAX ? run->table_count
                                   : gs_heads_below(run->max_heads,
                                                    run->table_count, head + 1);
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (gs_slice_compare(run->tables[middle]->meta.max_key, key) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

size_t
gs_run_lower_bound(const gs_run *run, gs_slice key)
{
  if (!gs_slice_has_prefix(key, run->prefix)) {
    return gs_slice_compare(key, run->prefix) < 0 ? 0 : run->table_count;
  }
  uint64_t head = gs_slice_head(behind_prefix(run, key));
  size_t low = gs_heads_below(run->max_heads, run->table_count, head);
  bool is_tie = low < run->table_count && run->max_heads[low] == head;
  return is_tie ? bound_among_equals(run, low, head, key) : low;
}

gs_tree_table *
gs_run_find(const gs_run *run, gs_slice key)
{
  size_t index = gs_run_lower_bound(run, key);
  if (index == run->table_count ||
      gs_slice_compare(run->tables[index]->meta.min_key, key) > 0) {
    return NULL;
  }
  return run->tables[index];
}

size_t
gs_run_overlap(const gs_run *run, gs_slice min, gs_slice max, size_t *end)
{
  size_t last = gs_run_lower_bound(run, max);
  bool is_met = last < run->table_count &&
                gs_slice_compare(run->tables[last]->meta.min_key, max) <= 0;
  *end = is_met ? last + 1 : last;
  return gs_run_lower_bound(run, min);
}

size_t
gs_run_id_bound(const gs_run *run, uint64_t table_id)
{
  size_t low = 0;
  size_t high = run->table_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (run->by_id[middle]->meta.id < table_id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/* ---- versions ------------------------------------------------------------- */

gs_version *
gs_version_new(gs_alloc *alloc, uint64_t number, gs_run *const *runs,
               size_t run_count)
{
  gs_version *version = GS_NEW(alloc, gs_version);
  if (version == NULL) {
    return NULL;
  }
  version->number = number;
  version->alloc = alloc;
  atomic_init(&version->refs, 1);
  if (run_count > 0) {
    version->runs = gs_alloc_array(alloc, run_count, sizeof(gs_run *));
    if (version->runs == NULL) {
      GS_DELETE(alloc, version);
      return NULL;
    }
  }
  for (size_t i = 0; i < run_count; i++) {
    gs_run_ref(runs[i]);
    version->runs[i] = runs[i];
  }
  version->run_count = run_count;
  return version;
}

gs_version *
gs_version_new_empty(gs_alloc *alloc)
{
  return gs_version_new(alloc, 0, NULL, 0);
}

void
gs_version_ref(gs_version *version)
{
  atomic_fetch_add_explicit(&version->refs, 1, memory_order_relaxed);
}

void
gs_version_unref(gs_version *version)
{
  if (version == NULL || !is_last_unref(&version->refs)) {
    return;
  }
  for (size_t i = 0; i < version->run_count; i++) {
    gs_run_unref(version->runs[i]);
  }
  gs_alloc_free(version->alloc, version->runs,
                version->run_count * sizeof(gs_run *));
  GS_DELETE(version->alloc, version);
}

size_t
gs_version_find_run(const gs_version *version, uint64_t run_id)
{
  for (size_t i = 0; i < version->run_count; i++) {
    if (version->runs[i]->id == run_id) {
      return i;
    }
  }
  return SIZE_MAX;
}

gs_tree_table *
gs_version_find_table(const gs_version *version, uint64_t table_id,
                      size_t *run_index)
{
  for (size_t i = 0; i < version->run_count; i++) {
    const gs_run *run = version->runs[i];
    size_t at = gs_run_id_bound(run, table_id);
    if (at < run->table_count && run->by_id[at]->meta.id == table_id) {
      *run_index = i;
      return run->by_id[at];
    }
  }
  return NULL;
}
