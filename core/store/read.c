/*
 * read: point reads. No lock and no shared counter: a slot, a pointer, and the
 * places newest to oldest until one holds a version.
 *
 *   enter epoch ─▶ view ─▶ visible_seq ─▶ memtables ─▶ runs ─▶ copy ─▶ leave
 *
 * The view is loaded before the sequence: everything the view may already have
 * dropped is covered by versions that the sequence, being later, sees.
 */
#include "code/hash.h"
#include "store/store.h"

static gs_read_point
stand_now(gs_store *store, const gs_snapshot *snapshot)
{
  gs_read_point point;
  point.view = atomic_load_explicit(&store->view, memory_order_acquire);
  if (snapshot != NULL) {
    point.seq = snapshot->seq;
    point.now_ms = snapshot->clock_ms;
  } else {
    point.seq = atomic_load_explicit(&store->visible_seq, memory_order_acquire);
    point.now_ms = 0;
  }
  return point;
}

static bool
find_in_memory(const gs_read_point *point, gs_slice key, uint64_t hash,
               gs_entry *out)
{
  for (size_t i = 0; i < point->view->memtable_count; i++) {
    if (gs_memtable_get(point->view->memtables[i], key, hash, point->seq,
                        out)) {
      return true;
    }
  }
  return false;
}

static gs_status
find_in_table(gs_store *store, gs_tree_table *found, gs_slice key,
              uint64_t hash, uint64_t seq, gs_entry *out, gs_error *err)
{
  gs_table *table;
  gs_status status = gs_store_table(store, found, &table, err);
  if (status != GS_OK) {
    return status;
  }
  return gs_table_get(table, key, hash, seq, out, err);
}

/* Runs that are looked at together. */
enum { GROUP_RUNS = 16 };

/* The tables of the runs from first on that may have the key, newest first; how
 * many. Their index lines are asked for at once, so that the misses overlap. */
static size_t
choose_tables(const gs_version *version, size_t first, gs_slice key,
              uint64_t hash, gs_tree_table *chosen[GROUP_RUNS])
{
  size_t left = version->run_count - first;
  size_t end = first + (left < GROUP_RUNS ? left : GROUP_RUNS);
  size_t count = 0;
  for (size_t i = first; i < end; i++) {
    gs_tree_table *found = gs_run_find(version->runs[i], key);
    const gs_table *table =
        found == NULL
            ? NULL
            : atomic_load_explicit(&found->payload, memory_order_acquire);
    if (table != NULL) {
      gs_table_prefetch(table, hash);
    }
    if (found != NULL) {
      chosen[count++] = found;
    }
  }
  return count;
}

static gs_status
find_in_group(gs_store *store, const gs_read_point *point, size_t first,
              gs_slice key, uint64_t hash, gs_entry *out, gs_error *err)
{
  gs_tree_table *chosen[GROUP_RUNS];
  size_t count = choose_tables(point->view->version, first, key, hash, chosen);
  for (size_t i = 0; i < count; i++) {
    gs_status status =
        find_in_table(store, chosen[i], key, hash, point->seq, out, err);
    if (status != GS_ABSENT) {
      return status;
    }
  }
  return GS_ABSENT;
}

gs_status
gs_store_find(gs_store *store, const gs_read_point *point, gs_slice key,
              gs_entry *out, gs_error *err)
{
  uint64_t hash = gs_hash_key(key);
  if (find_in_memory(point, key, hash, out)) {
    return GS_OK;
  }
  size_t run_count = point->view->version->run_count;
  for (size_t first = 0; first < run_count; first += GROUP_RUNS) {
    gs_status status = find_in_group(store, point, first, key, hash, out, err);
    if (status != GS_ABSENT) {
      return status;
    }
  }
  return GS_ABSENT;
}

/* GS_OK only for a version that a reader at the point gets a value from. */
static gs_status
find_live(gs_store *store, const gs_read_point *point, gs_slice key,
          gs_entry *out, gs_error *err)
{
  gs_status status = gs_store_find(store, point, key, out, err);
  if (status != GS_OK) {
    return status;
  }
  if (out->kind != GS_KIND_PUT) {
    return GS_ABSENT;
  }
  if (out->expires_at_ms == 0) {
    return GS_OK;
  }
  uint64_t now_ms = point->now_ms != 0 ? point->now_ms : gs_store_clock(store);
  return gs_entry_is_expired(out, now_ms) ? GS_ABSENT : GS_OK;
}

static void
count_get(gs_store *store, uint32_t slot, bool is_hit)
{
  gs_read_counters *mine = &store->read_counters[slot];
  gs_tally_own(&mine->gets, 1);
  gs_tally_own(&mine->hits, is_hit);
}

static gs_status
check_key(const gs_store *store, gs_slice key, gs_error *err)
{
  gs_status status = gs_store_check(store, err);
  if (status == GS_OK && store->kind == GS_STORE_U32 && key.size != 4) {
    status = GS_FAIL(err, GS_MISUSE,
                     "a u32 store takes keys of 4 bytes, got %zu", key.size);
  }
  return status;
}

void
gs_value_init(gs_value *value, const gs_store *store)
{
  *value = (gs_value){0};
  gs_buffer_init(&value->bytes, store->alloc);
}

void
gs_value_deinit(gs_value *value)
{
  gs_buffer_deinit(&value->bytes);
}

static gs_status
copy_out(const gs_entry *entry, bool with_bytes, gs_value *out, gs_error *err)
{
  if (out == NULL) {
    return GS_OK;
  }
  out->seq = entry->seq;
  out->expires_at_ms = entry->expires_at_ms;
  if (!with_bytes) {
    return GS_OK;
  }
  gs_buffer_clear(&out->bytes);
  gs_buffer_append_slice(&out->bytes, entry->value);
  return gs_buffer_status(&out->bytes, err);
}

static gs_status
read_one(gs_store *store, const gs_snapshot *snapshot, gs_slice key,
         bool with_bytes, gs_value *out, gs_error *err)
{
  gs_status status = check_key(store, key, err);
  if (status != GS_OK) {
    return status;
  }
  gs_entry entry;
  uint32_t slot = gs_epoch_enter(store->epoch);
  gs_read_point point = stand_now(store, snapshot);
  status = find_live(store, &point, key, &entry, err);
  if (status == GS_OK) {
    status = copy_out(&entry, with_bytes, out, err);
  }
  count_get(store, slot, status == GS_OK);
  gs_epoch_leave(store->epoch, slot);
  return status;
}

gs_status
gs_get(gs_store *store, const gs_snapshot *snapshot, gs_slice key,
       gs_value *out, gs_error *err)
{
  return read_one(store, snapshot, key, true, out, err);
}

gs_status
gs_contains(gs_store *store, const gs_snapshot *snapshot, gs_slice key,
            gs_value *out, gs_error *err)
{
  return read_one(store, snapshot, key, false, out, err);
}

static gs_status
read_into(gs_store *store, const gs_read_point *point, gs_slice key,
          gs_buffer *bytes, gs_found *found, gs_error *err)
{
  gs_entry entry;
  *found = (gs_found){.offset = bytes->size};
  gs_status status = find_live(store, point, key, &entry, err);
  if (status == GS_ABSENT) {
    return GS_OK;
  }
  if (status == GS_OK) {
    gs_buffer_append_slice(bytes, entry.value);
    found->is_present = true;
    found->size = entry.value.size;
    status = gs_buffer_status(bytes, err);
  }
  return status;
}

gs_status
gs_get_many(gs_store *store, const gs_snapshot *snapshot, const gs_slice *keys,
            size_t key_count, gs_buffer *bytes, gs_found *found, gs_error *err)
{
  gs_buffer_clear(bytes);
  gs_status status = gs_store_check(store, err);
  for (size_t i = 0; status == GS_OK && i < key_count; i++) {
    status = check_key(store, keys[i], err);
  }
  if (status != GS_OK) {
    return status;
  }
  uint32_t slot = gs_epoch_enter(store->epoch);
  gs_read_point point = stand_now(store, snapshot);
  if (point.now_ms == 0) {
    point.now_ms = gs_store_clock(store);
  }
  for (size_t i = 0; status == GS_OK && i < key_count; i++) {
    status = read_into(store, &point, keys[i], bytes, &found[i], err);
    count_get(store, slot, status == GS_OK && found[i].is_present);
  }
  gs_epoch_leave(store->epoch, slot);
  return status;
}
