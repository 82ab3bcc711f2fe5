/*
 * write: single writes, and writes that depend on what is there.
 *
 * All are encoded into one scratch batch under the commit lock, so that what a
 * conditional write reads cannot change before it writes.
 */
#include "code/hash.h"
#include "store/throttle.h"
#include "store/turn.h"

static bool
wants_sync(const gs_write_options *options)
{
  return options != NULL && options->sync;
}

/* What is known before a write begins. */
static gs_status
check_call(const gs_store *store, bool sync, gs_error *err)
{
  gs_status status = gs_store_check(store, err);
  return status == GS_OK ? gs_store_check_sync(store, sync, err) : status;
}

/* The batch carries the latest time seen; the clock itself is asked only where
 * an expiry depends on it. */
static void
begin_scratch(gs_store *store)
{
  gs_batch_clear(&store->scratch);
  gs_batch_set_now(&store->scratch, atomic_load_explicit(&store->clock_ms,
                                                         memory_order_relaxed));
}

/* Takes commit with room for one entry of these sizes; not held on failure. */
static gs_status
lock_with_room(gs_store *store, gs_slice key, size_t value_size, bool is_delete,
               gs_error *err)
{
  gs_room room = {
      .payload_bytes = GS_BATCH_HEADER_BYTES + GS_BATCH_RECORD_BYTES +
                       sizeof(uint64_t) + key.size + value_size,
      .entry_count = 1,
      .tombstone_count = is_delete ? 1 : 0,
  };
  gs_status status = gs_throttle_pass(store, &room, err);
  if (status != GS_OK) {
    return status;
  }
  gs_commit_lock(store);
  status = gs_store_make_room(store, &room, err);
  if (status != GS_OK) {
    gs_mutex_unlock(store->commit);
    return status;
  }
  /* Looked at when the frame is written; on its way from now on. */
  gs_memtable_prefetch(store->active, gs_hash_key(key));
  begin_scratch(store);
  return GS_OK;
}

/* Commits the scratch batch and gives up the lock. */
static gs_status
end_scratch(gs_store *store, bool sync, uint64_t *seq, gs_error *err)
{
  uint64_t wait_frame = 0;
  gs_commit_result result = {0, 0};
  gs_status status = gs_batch_status(&store->scratch, err);
  if (status == GS_OK) {
    status = gs_store_commit_locked(store, &store->scratch, sync, &result,
                                    &wait_frame, err);
  }
  if (status == GS_OK) {
    status = gs_store_finish(store, wait_frame, err);
  }
  gs_mutex_unlock(store->commit);
  if (status == GS_OK && seq != NULL) {
    *seq = result.last;
  }
  return status;
}

static bool
needs_clock(gs_store *store, const gs_write_options *options)
{
  return (options != NULL && options->has_ttl) ||
         gs_limit(&store->limits.default_ttl_ms) != 0;
}

static gs_status
resolve_expiry(gs_store *store, const gs_write_options *options, uint64_t *out,
               gs_error *err)
{
  uint64_t now_ms = needs_clock(store, options) ? gs_store_clock(store) : 0;
  return gs_store_expiry(store, options, now_ms, out, err);
}

gs_status
gs_put(gs_store *store, gs_slice key, gs_slice value,
       const gs_write_options *options, uint64_t *seq, gs_error *err)
{
  uint64_t expires_at_ms = 0;
  gs_status status = check_call(store, wants_sync(options), err);
  if (status == GS_OK) {
    status = gs_store_check_entry(store, key, value, err);
  }
  if (status == GS_OK) {
    status = resolve_expiry(store, options, &expires_at_ms, err);
  }
  if (status == GS_OK) {
    status = lock_with_room(store, key, value.size, false, err);
  }
  if (status != GS_OK) {
    return status;
  }
  gs_store_encode_put(store, &store->scratch, key, value, expires_at_ms);
  return end_scratch(store, wants_sync(options), seq, err);
}

gs_status
gs_delete(gs_store *store, gs_slice key, const gs_write_options *options,
          uint64_t *seq, gs_error *err)
{
  gs_status status = check_call(store, wants_sync(options), err);
  if (status == GS_OK) {
    status = gs_store_check_key(store, key, err);
  }
  if (status == GS_OK) {
    status = lock_with_room(store, key, 0, true, err);
  }
  if (status != GS_OK) {
    return status;
  }
  gs_store_encode_delete(store, &store->scratch, key);
  return end_scratch(store, wants_sync(options), seq, err);
}

/* ---- writes that read first ------------------------------------------------------- */

/* The present value, with commit held: what writers before this one left,
 * whether or not it is on the device yet. */
static gs_status
read_present(gs_store *store, gs_slice key, gs_value *out, gs_error *err)
{
  gs_entry entry;
  uint32_t slot = gs_epoch_enter(store->epoch);
  gs_read_point point = {
      .view = atomic_load(&store->view),
      .seq = store->next_seq - 1,
  };
  gs_status status = gs_store_find(store, &point, key, &entry, err);
  if (status == GS_OK && !gs_entry_is_live(&entry, gs_store_clock(store))) {
    status = GS_ABSENT;
  }
  if (status == GS_OK) {
    gs_buffer_clear(&out->bytes);
    gs_buffer_append_slice(&out->bytes, entry.value);
    out->seq = entry.seq;
    out->expires_at_ms = entry.expires_at_ms;
    status = gs_buffer_status(&out->bytes, err);
  }
  gs_epoch_leave(store->epoch, slot);
  return status;
}

/* What an update will write besides its key. */
typedef struct update {
  gs_slice key;
  gs_slice value; /* written if the update so decides */
  bool sync;
  bool is_delete;
  bool keeps_value; /* the present value is written again */
  gs_status read;   /* out: GS_OK or GS_ABSENT */
} update;

/* Takes commit, with room for the write and the present value read; not held
 * on failure. Rewriting a value needs room that only reading it tells, and
 * making room may let others write: so it is read until the room sufficed. */
static gs_status
begin_update(gs_store *store, update *u, gs_value *present, gs_error *err)
{
  gs_status status = check_call(store, u->sync, err);
  if (status == GS_OK) {
    status = u->is_delete || u->keeps_value
                 ? gs_store_check_key(store, u->key, err)
                 : gs_store_check_entry(store, u->key, u->value, err);
  }
  size_t value_size = u->value.size;
  while (status == GS_OK) {
    status = lock_with_room(store, u->key, value_size, u->is_delete, err);
    if (status != GS_OK) {
      return status;
    }
    u->read = read_present(store, u->key, present, err);
    if (u->read != GS_OK && u->read != GS_ABSENT) {
      gs_mutex_unlock(store->commit);
      return u->read;
    }
    if (!u->keeps_value || present->bytes.size <= value_size) {
      return GS_OK;
    }
    value_size = present->bytes.size;
    gs_mutex_unlock(store->commit);
  }
  return status;
}

/* Ends an update that writes nothing. Its answer may rest on a write that still
 * waits for the device, and is as good as that one. Gives up the lock. */
static gs_status
end_unwritten(gs_store *store, gs_error *err)
{
  gs_status status = gs_store_await(store, store->awaited_frame, err);
  gs_mutex_unlock(store->commit);
  return status;
}

gs_status
gs_take(gs_store *store, gs_slice key, const gs_write_options *options,
        gs_value *out, gs_error *err)
{
  update u = {.key = key, .sync = wants_sync(options), .is_delete = true};
  gs_status status = begin_update(store, &u, out, err);
  if (status != GS_OK) {
    return status;
  }
  if (u.read == GS_ABSENT) {
    status = end_unwritten(store, err);
    return status == GS_OK ? GS_ABSENT : status;
  }
  gs_store_encode_delete(store, &store->scratch, key);
  return end_scratch(store, wants_sync(options), NULL, err);
}

static bool
is_expected(const gs_slice *expected, gs_status read, const gs_value *present)
{
  if (expected == NULL) {
    return read == GS_ABSENT;
  }
  return read == GS_OK &&
         gs_slice_equal(*expected, gs_buffer_slice(&present->bytes));
}

gs_status
gs_put_if(gs_store *store, gs_slice key, const gs_exchange *exchange,
          const gs_write_options *options, gs_value *current,
          gs_put_if_result *result, gs_error *err)
{
  uint64_t expires_at_ms = 0;
  const gs_slice *value = exchange->value;
  update u = {
      .key = key, .sync = wants_sync(options), .is_delete = value == NULL};
  if (value != NULL) {
    u.value = *value;
  }
  gs_status status = resolve_expiry(store, options, &expires_at_ms, err);
  if (status == GS_OK) {
    status = begin_update(store, &u, current, err);
  }
  if (status != GS_OK) {
    return status;
  }
  result->is_present = u.read == GS_OK;
  result->is_done = is_expected(exchange->expected, u.read, current);
  if (!result->is_done) {
    return end_unwritten(store, err);
  }
  if (value == NULL) {
    gs_store_encode_delete(store, &store->scratch, key);
  } else {
    gs_store_encode_put(store, &store->scratch, key, u.value, expires_at_ms);
  }
  return end_scratch(store, wants_sync(options), NULL, err);
}

gs_status
gs_expire_at(gs_store *store, gs_slice key, uint64_t expires_at_ms,
             gs_error *err)
{
  gs_value present;
  update u = {.key = key, .keeps_value = true};
  gs_value_init(&present, store);
  gs_status status = begin_update(store, &u, &present, err);
  if (status == GS_OK && u.read == GS_ABSENT) {
    status = end_unwritten(store, err);
    status = status == GS_OK ? GS_ABSENT : status;
  } else if (status == GS_OK) {
    gs_store_encode_put(store, &store->scratch, key,
                        gs_buffer_slice(&present.bytes), expires_at_ms);
    status = end_scratch(store, false, NULL, err);
  }
  gs_value_deinit(&present);
  return status;
}
