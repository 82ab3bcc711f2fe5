/*
 * read: point reads. No lock and no shared counter: a slot, a pointer, and the
 * places newest to oldest until one holds a version.
 *
 *   enter epoch ─▶ view ─▶ visible_seq ─▶ memtables ─▶ runs ─▶ copy ─▶ leave
 *
 * The view is loaded before the sequence: everything the view may already have
 * dropped is covered by versions that the sequence, being later, sees.
 */
#include "store/lookup.h"

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

gs_status
gs_store_find(gs_store *store, const gs_read_point *point, gs_slice key,
              gs_entry *out, gs_error *err)
{
  gs_lookup lookup; /* large, so it is not cleared */
  gs_lookup_begin(&lookup, key);
  return gs_lookup_find(&lookup, store, point, out, err);
}

/* GS_OK only for a version that a reader at the point gets a value from. */
static gs_status
find_live(gs_lookup *lookup, gs_store *store, const gs_read_point *point,
          gs_entry *out, gs_error *err)
{
  gs_status status = gs_lookup_find(lookup, store, point, out, err);
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
count_gets(gs_store *store, uint32_t slot, size_t gets, size_t hits)
{
  gs_read_counters *mine = &store->read_counters[slot];
  gs_tally_own(&mine->gets, gets);
  gs_tally_own(&mine->hits, hits);
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
  gs_lookup lookup;
  uint32_t slot = gs_epoch_enter(store->epoch);
  gs_read_point point = stand_now(store, snapshot);
  gs_lookup_begin(&lookup, key);
  status = find_live(&lookup, store, &point, &entry, err);
  if (status == GS_OK) {
    status = copy_out(&entry, with_bytes, out, err);
  }
  count_gets(store, slot, 1, status == GS_OK);
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

/* ---- several keys --------------------------------------------------------- */

enum { GROUP_KEYS = 16 };

/* Looks in memory; the numbers of the keys that are not there, and how many. */
static size_t
look_in_memory(gs_lookup *lookups, const gs_read_point *point,
               const gs_slice *keys, size_t count, uint8_t *others)
{
  size_t other_count = 0;
  for (size_t i = 0; i < count; i++) {
    gs_lookup_begin(&lookups[i], keys[i]);
    gs_lookup_ask_memory(&lookups[i], point);
  }
  for (size_t i = 0; i < count; i++) {
    gs_lookup_ask_nodes(&lookups[i], point);
  }
  for (size_t i = 0; i < count; i++) {
    if (!gs_lookup_look_in_memory(&lookups[i], point)) {
      others[other_count++] = (uint8_t)i;
    }
  }
  return other_count;
}

static void
ask_for_group(gs_lookup *lookups, const gs_read_point *point,
              const gs_slice *keys, size_t count)
{
  uint8_t others[GROUP_KEYS];
  size_t other_count = look_in_memory(lookups, point, keys, count, others);
  for (size_t i = 0; i < other_count; i++) {
    gs_lookup_ask_tables(&lookups[others[i]], point);
  }
  for (size_t i = 0; i < other_count; i++) {
    gs_lookup_ask_homes(&lookups[others[i]]);
  }
  for (size_t i = 0; i < other_count; i++) {
    gs_lookup_ask_rows(&lookups[others[i]]);
  }
}

static gs_status
read_into(gs_lookup *lookup, gs_store *store, const gs_read_point *point,
          gs_buffer *bytes, gs_found *found, gs_error *err)
{
  gs_entry entry;
  *found = (gs_found){.offset = bytes->size};
  gs_status status = find_live(lookup, store, point, &entry, err);
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

/* What a call of get_many did. */
typedef struct many {
  gs_store *store;
  gs_read_point point;
  gs_buffer *bytes;
  size_t looked; /* keys, the one that failed included */
  size_t hits;
} many;

static gs_status
read_group(many *m, const gs_slice *keys, size_t count, gs_found *found,
           gs_error *err)
{
  gs_lookup lookups[GROUP_KEYS];
  gs_status status = GS_OK;
  ask_for_group(lookups, &m->point, keys, count);
  for (size_t i = 0; status == GS_OK && i < count; i++) {
    status =
        read_into(&lookups[i], m->store, &m->point, m->bytes, &found[i], err);
    m->looked++;
    m->hits += status == GS_OK && found[i].is_present;
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
  many m = {
      .store = store, .point = stand_now(store, snapshot), .bytes = bytes};
  if (m.point.now_ms == 0) {
    m.point.now_ms = gs_store_clock(store);
  }
  for (size_t i = 0; status == GS_OK && i < key_count; i += GROUP_KEYS) {
    size_t left = key_count - i;
    size_t count = left < GROUP_KEYS ? left : GROUP_KEYS;
    status = read_group(&m, keys + i, count, found + i, err);
  }
  count_gets(store, slot, m.looked, m.hits);
  gs_epoch_leave(store->epoch, slot);
  return status;
}
