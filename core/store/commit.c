/*
 * commit: the one way a write goes: log, memtable, visible.
 *
 *   put ──encode──▶ payload ──commit lock──▶ room? ─▶ frame in the log
 *        ─▶ rows in the memtable ─▶ [wait for the device] ─▶ visible_seq
 *
 * A write that wants the device gives up the lock while it waits, and one
 * device flush serves all that wait (gs_wal_sync). visible_seq may not pass
 * such a write before it is durable, so plain writes behind it wait with it.
 */
#include "code/fixed.h"
#include "code/hash.h"
#include "store/decision.h"
#include "store/flush.h"
#include "store/reserve.h"
#include "store/stall.h"
#include "store/throttle.h"
#include "store/turn.h"

/* What a memtable takes for itself besides entries, at the most. */
enum { MEMTABLE_SLACK = 4096 };

/* ---- encoding ------------------------------------------------------------- */

/* A u32 store's log keeps keys as little-endian numbers. */
static gs_slice
flip_key(const gs_store *store, gs_slice key, uint8_t bytes[4])
{
  if (store->kind != GS_STORE_U32) {
    return key;
  }
  gs_put_u32(bytes, gs_get_u32_be(key.data));
  return gs_slice_of(bytes, 4);
}

void
gs_store_encode_put(gs_store *store, gs_batch *batch, gs_slice key,
                    gs_slice value, uint64_t expires_at_ms)
{
  uint8_t bytes[4];
  gs_batch_put(batch, flip_key(store, key, bytes), value, expires_at_ms);
}

void
gs_store_encode_delete(gs_store *store, gs_batch *batch, gs_slice key)
{
  uint8_t bytes[4];
  gs_batch_delete(batch, flip_key(store, key, bytes));
}

gs_slice
gs_store_decode_key(const gs_store *store, gs_slice key, uint8_t bytes[4])
{
  return flip_key(store, key, bytes);
}

static gs_status
check_u32_value(gs_slice value, gs_error *err)
{
  if (value.size != 4) {
    return GS_FAIL(err, GS_MISUSE,
                   "a u32 store takes values of 4 bytes, got %zu", value.size);
  }
  return GS_OK;
}

gs_status
gs_store_check_key(const gs_store *store, gs_slice key, gs_error *err)
{
  if (store->kind == GS_STORE_U32 && key.size != 4) {
    return GS_FAIL(err, GS_MISUSE, "a u32 store takes keys of 4 bytes, got %zu",
                   key.size);
  }
  if (key.size > GS_KEY_MAX_BYTES) {
    return GS_FAIL(err, GS_TOOLARGE,
                   "the key has %zu bytes, the limit is %d; store a hash of it "
                   "or put the rest into the value",
                   key.size, GS_KEY_MAX_BYTES);
  }
  return GS_OK;
}

gs_status
gs_store_check_entry(const gs_store *store, gs_slice key, gs_slice value,
                     gs_error *err)
{
  gs_status status = gs_store_check_key(store, key, err);
  if (status != GS_OK) {
    return status;
  }
  if (store->kind == GS_STORE_U32) {
    return check_u32_value(value, err);
  }
  if (value.size > GS_VALUE_MAX_BYTES) {
    return GS_FAIL(err, GS_TOOLARGE,
                   "the value has %zu bytes, the limit is %d; cut it into "
                   "several entries",
                   value.size, GS_VALUE_MAX_BYTES);
  }
  return GS_OK;
}

gs_status
gs_store_check_sync(const gs_store *store, bool sync, gs_error *err)
{
  if (!sync || store->options.durability != GS_DURABILITY_MEMORY) {
    return GS_OK;
  }
  gs_status status =
      GS_FAIL(err, GS_UNSUPPORTED,
              "%s: sync = true needs a log, and a store with durability = "
              "\"memory\" has none: nothing was written",
              store->path);
  return gs_error_hint(err, status,
                       "write without it and call store:flush(), or open the "
                       "store with another durability");
}

gs_status
gs_store_expiry(gs_store *store, const gs_write_options *options,
                uint64_t now_ms, uint64_t *out, gs_error *err)
{
  uint64_t ttl = gs_limit(&store->limits.default_ttl_ms);
  bool has_ttl = ttl != 0;
  if (options != NULL && options->expires_at_ms != 0) {
    if (options->has_ttl) {
      return GS_FAIL(err, GS_MISUSE, "give ttl_ms or expires_at_ms, not both");
    }
    *out = options->expires_at_ms;
    return GS_OK;
  }
  if (options != NULL && options->has_ttl) {
    ttl = options->ttl_ms;
    has_ttl = true;
  }
  /* A time of 0 would mean never, so the earliest expiry is 1 ms after 1970. */
  uint64_t at = ttl > UINT64_MAX - now_ms ? UINT64_MAX : now_ms + ttl;
  *out = !has_ttl ? 0 : at == 0 ? 1 : at;
  return GS_OK;
}

/* ---- memtables ------------------------------------------------------------- */

/* Arena bytes that the writes need at most: per entry its bytes, the table's
 * own, and what alignment may add. */
static size_t
arena_bytes(const gs_room *room)
{
  return room->payload_bytes +
         (size_t)room->entry_count * (gs_memtable_entry_bytes(0, 0) + 16);
}

/* A table for as many bytes is likely to get as many keys as the one before. */
static gs_status
make_memtable(gs_store *store, gs_spare *spare, size_t capacity,
              gs_memtable **out, gs_error *err)
{
  gs_memtable_stats before;
  gs_memtable_get_stats(store->active, &before);
  gs_status status = gs_memtable_new(store->env, spare, capacity,
                                     gs_store_clock(store), out, err);
  if (status == GS_OK && before.data_bytes <= capacity) {
    gs_memtable_expect(*out, before.key_count);
  }
  return status;
}

gs_status
gs_store_seal(gs_store *store, size_t min_bytes, gs_error *err)
{
  uint64_t limit = store->is_ending ? MEMTABLE_SLACK
                                    : gs_limit(&store->limits.memtable_bytes);
  bool is_usual = min_bytes <= limit;
  size_t capacity = is_usual ? (size_t)limit : min_bytes;
  gs_memtable *fresh = NULL;
  if (!is_usual) {
    gs_spare_rest(&store->spare); /* one takes memory of several, and is rare */
  }
  gs_env_point(store->env, "seal");
  gs_status status = make_memtable(store, is_usual ? &store->spare : NULL,
                                   capacity, &fresh, err);
  if (status == GS_OK) {
    status = gs_flush_keep_note(store, store->active, err);
  }
  if (status != GS_OK) {
    gs_memtable_unref(fresh);
    return status;
  }
  gs_mutex_lock(store->state);
  gs_view *view = atomic_load(&store->view);
  gs_memtable *places[GS_SEALED_MAX + 2];
  places[0] = fresh;
  for (size_t i = 0; i < view->memtable_count; i++) {
    places[i + 1] = view->memtables[i];
  }
  status = gs_store_publish(store, places, view->memtable_count + 1,
                            view->version, err);
  if (status == GS_OK) {
    store->active = fresh;
    gs_decision_begin_memtable(store);
    GS_IGNORE(gs_flush_queue(store, NULL),
              "whoever waits for the flush queues it");
  }
  gs_mutex_unlock(store->state);
  gs_memtable_unref(fresh); /* the view holds it */
  return status;
}

/* A log that outgrew its bound counts as a full memtable: flushing it lets
 * segments go. One flush at a time is enough for that. */
static bool
is_log_long(gs_store *store)
{
  gs_memtable_stats stats;
  if (gs_limit(&store->wal.used_bytes) <=
          gs_limit(&store->limits.max_wal_bytes) ||
      atomic_load(&store->sealed_count) > 0) {
    return false;
  }
  gs_memtable_get_stats(store->active, &stats);
  return stats.entry_count > 0;
}

static bool
fits_memtable(gs_store *store, const gs_room *room)
{
  return gs_memtable_has_room(store->active, arena_bytes(room),
                              room->entry_count) &&
         !is_log_long(store);
}

static bool
fits_log(const gs_store *store, const gs_room *room)
{
  const gs_store_segment *active = store->wal.active;
  return store->options.durability == GS_DURABILITY_MEMORY ||
         (active != NULL &&
          gs_log_has_room(active->writer, room->payload_bytes));
}

static gs_status
make_memtable_room(gs_store *store, gs_room *room, gs_error *err)
{
  gs_status status = gs_stall_until_sealable(store, room, err);
  if (status != GS_OK || fits_memtable(store, room)) {
    return status; /* another writer may have sealed while this one waited */
  }
  return gs_store_seal(store, arena_bytes(room) + MEMTABLE_SLACK, err);
}

/* Each way of making room may give up the lock, so all is looked at again until
 * nothing was lacking. */
gs_status
gs_store_make_room(gs_store *store, gs_room *room, gs_error *err)
{
  for (;;) {
    gs_status status = gs_store_check_writable(store, err);
    if (status == GS_OK) {
      status = gs_stall_check(store, room, err);
    }
    if (status == GS_OK && !fits_log(store, room)) {
      status = gs_wal_make_room(store, room->payload_bytes, err);
    }
    if (status == GS_OK && !fits_memtable(store, room)) {
      status = make_memtable_room(store, room, err);
    }
    if (status == GS_OK && !gs_reserve_suffices(store, room->entry_count)) {
      status = gs_reserve_more(store, err);
    }
    if (status != GS_OK) {
      return status;
    }
    if (fits_log(store, room) && fits_memtable(store, room)) {
      return gs_memtable_reserve(store->active, room->entry_count, err);
    }
  }
}

enum { GROUP_ENTRIES = 16 };

/* Some entries of a payload. The places of their keys in the memtable's hash
 * are asked for as they are read, so that the cache misses overlap. */
typedef struct group {
  gs_entry entries[GROUP_ENTRIES];
  uint8_t keys[GROUP_ENTRIES][4]; /* of a u32 store */
  size_t count;
  gs_slice note; /* found among them */
  bool has_note;
} group;

static void
expect(gs_store *store, group *g, gs_entry entry)
{
  entry.key = gs_store_decode_key(store, entry.key, g->keys[g->count]);
  gs_memtable_prefetch(store->active, gs_hash_key(entry.key));
  g->entries[g->count++] = entry;
}

/* The next entries up to a full group; fewer at the end of the payload. */
static gs_status
read_group(gs_store *store, gs_batch_reader *reader, group *g, gs_error *err)
{
  g->count = 0;
  while (g->count < GROUP_ENTRIES) {
    gs_batch_item item;
    gs_entry entry;
    gs_status status = gs_batch_read(reader, &item, &entry, err);
    if (status == GS_OK && item == GS_BATCH_META) {
      g->note = entry.value;
      g->has_note = true;
    } else if (status == GS_OK && item == GS_BATCH_ENTRY) {
      expect(store, g, entry);
    }
    if (status != GS_OK || item == GS_BATCH_END) {
      return status;
    }
  }
  return GS_OK;
}

/* Cannot fail for want of room or memory: both were secured before the frame
 * was written. */
static gs_status
add_records(gs_store *store, gs_slice payload, uint64_t first_seq,
            uint64_t note_frame, gs_error *err)
{
  gs_batch_reader reader;
  group g; /* large, so it is not cleared */
  g.count = GROUP_ENTRIES;
  g.has_note = false;
  gs_status status = gs_batch_read_begin(&reader, payload, first_seq, err);
  while (status == GS_OK && g.count == GROUP_ENTRIES) {
    status = read_group(store, &reader, &g, err);
    for (size_t i = 0; status == GS_OK && i < g.count; i++) {
      status = gs_memtable_add(store->active, &g.entries[i], err);
    }
  }
  if (status == GS_OK && g.has_note) {
    gs_note_text note = {g.note, reader.seq - 1, note_frame, 0};
    status = gs_note_set(&store->note, &note, store->wal.durable_frame, err);
  }
  return status;
}

/* ---- committing ------------------------------------------------------------ */

static bool
wants_device(const gs_store *store, bool sync)
{
  return store->options.durability != GS_DURABILITY_MEMORY &&
         (sync || store->options.durability == GS_DURABILITY_SYNC);
}

static bool
must_wait(const gs_store *store, bool sync)
{
  if (store->options.durability == GS_DURABILITY_MEMORY) {
    return false;
  }
  return wants_device(store, sync) ||
         store->awaited_frame > store->wal.durable_frame;
}

/* What the write waits for whose frame was just written. */
static uint64_t
frame_to_await(const gs_store *store, bool sync)
{
  return must_wait(store, sync) ? store->wal.frames : 0;
}

/* A failure before the first byte of the frame leaves everything as it was.
 * After one behind it nobody knows whether the write happened: its numbers are
 * not given out again. */
static gs_status
write_out(gs_store *store, gs_batch *batch, uint64_t first, bool sync,
          gs_error *err)
{
  gs_slice payload = gs_buffer_slice(&batch->bytes);
  gs_status status = GS_OK;
  if (store->options.durability != GS_DURABILITY_MEMORY) {
    status = gs_wal_append(store, first, batch->entry_count, payload, err);
    if (status != GS_OK && !gs_wal_is_broken(store)) {
      return status;
    }
  }
  if (status == GS_OK) {
    status =
        add_records(store, payload, first, frame_to_await(store, sync), err);
  }
  if (status != GS_OK) {
    gs_store_fail(store, status, err);
    store->next_seq += batch->entry_count;
    return gs_error_doubtful(err, status);
  }
  return GS_OK;
}

static void
count_batch(gs_store *store, const gs_batch *batch)
{
  gs_counters *counters = &store->counters;
  gs_tally_own(&counters->puts, batch->entry_count - batch->tombstone_count);
  gs_tally_own(&counters->deletes, batch->tombstone_count);
  gs_tally_own(&counters->commits, 1);
  uint64_t overhead = GS_BATCH_HEADER_BYTES +
                      (uint64_t)batch->entry_count * GS_BATCH_RECORD_BYTES;
  gs_tally_own(&counters->user_bytes, batch->bytes.size - overhead);
}

gs_room
gs_room_of(const gs_batch *batch)
{
  return (gs_room){.payload_bytes = batch->bytes.size,
                   .entry_count = batch->entry_count,
                   .tombstone_count = batch->tombstone_count};
}

gs_status
gs_store_commit_locked(gs_store *store, gs_batch *batch, bool sync,
                       gs_commit_result *result, uint64_t *wait_frame,
                       gs_error *err)
{
  *wait_frame = 0;
  gs_env_point(store->env, "commit.room");
  result->first = batch->entry_count == 0 ? 0 : store->next_seq;
  gs_status status = write_out(store, batch, store->next_seq, sync, err);
  if (status != GS_OK) {
    return status;
  }
  store->next_seq += batch->entry_count;
  result->last = batch->entry_count == 0 ? 0 : store->next_seq - 1;
  count_batch(store, batch);
  if (store->ask_at_bytes != UINT64_MAX &&
      gs_memtable_used_bytes(store->active) >= store->ask_at_bytes) {
    gs_decision_want_memory(store);
  }
  gs_env_point(store->env, "commit.written");
  *wait_frame = frame_to_await(store, sync);
  if (*wait_frame != 0) {
    store->awaited_frame = *wait_frame;
  } else {
    atomic_store_explicit(&store->visible_seq, store->next_seq - 1,
                          memory_order_release);
    gs_env_point(store->env, "commit.published");
  }
  return GS_OK;
}

gs_status
gs_store_finish(gs_store *store, uint64_t wait_frame, gs_error *err)
{
  if (wait_frame == 0) {
    if (store->worker_count == 0) {
      GS_IGNORE(gs_wal_sync_if_due(store, NULL),
                "this write has what it was promised; the next one is told");
    }
    return GS_OK;
  }
  gs_tally(&store->counters.sync_waits, 1);
  gs_status status = gs_store_await(store, wait_frame, err);
  if (status != GS_OK) {
    return gs_error_doubtful(err, status);
  }
  gs_env_point(store->env, "commit.synced");
  return GS_OK;
}

gs_status
gs_store_commit(gs_store *store, gs_batch *batch, bool sync,
                gs_commit_result *result, gs_error *err)
{
  gs_status status = gs_batch_status(batch, err);
  if (status != GS_OK) {
    return status;
  }
  uint64_t wait_frame = 0;
  gs_room room = gs_room_of(batch);
  status = gs_throttle_pass(store, &room, err);
  if (status != GS_OK) {
    return status;
  }
  gs_commit_lock(store);
  status = gs_store_make_room(store, &room, err);
  if (status == GS_OK) {
    status =
        gs_store_commit_locked(store, batch, sync, result, &wait_frame, err);
  }
  if (status == GS_OK) {
    status = gs_store_finish(store, wait_frame, err);
  }
  gs_mutex_unlock(store->commit);
  return status;
}
