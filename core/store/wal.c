/*
 * wal: appending, syncing, and the life of segments.
 *
 * A sync is shared: the first writer that needs one runs it with the commit
 * lock released, so that others append meanwhile; they are covered by the next
 * one. What is ready before it is needed: wal_prepare.c; what is due in time:
 * wal_thread.c.
 */
#include "store/wal.h"

#include "store/paths.h"
#include "store/store.h"
#include "store/turn.h"

static bool
has_room(const gs_store_segment *segment, uint64_t payload_bytes)
{
  return segment != NULL && gs_log_has_room(segment->writer, payload_bytes);
}

/* ---- starting ------------------------------------------------------------- */

static gs_status
start_prepared(gs_store *store, gs_error *err)
{
  gs_wal *wal = &store->wal;
  gs_store_segment *segment = wal->prepared;
  gs_store_segment *before = wal->active;
  gs_log_header header = {
      .kind = GS_LOG_WAL,
      .store_id = store->store_id,
      .number = segment->number,
      .incarnation = store->incarnation,
      .salt = segment->salt,
      .first_seq = store->next_seq,
  };
  if (before != NULL) {
    header.prev_number = before->number;
    header.prev_bytes = gs_log_written_bytes(before->writer);
    header.prev_link = gs_log_link(before->writer);
    header.is_prev_synced =
        gs_log_durable_bytes(before->writer) >= header.prev_bytes;
  }
  gs_error failure;
  gs_env_point(store->env, "wal.switch");
  gs_status status = gs_log_start(segment->writer, &header, &failure);
  if (status != GS_OK) {
    if (gs_log_is_poisoned(segment->writer)) {
      gs_store_fail(store, status, &failure);
    }
    if (err != NULL) {
      *err = failure;
    }
    return status;
  }
  gs_wal_note_pace(store, before);
  segment->first_seq = store->next_seq;
  wal->prepared = segment->next;
  wal->prepared_count--;
  wal->watchful_starts -= wal->watchful_starts > 0;
  segment->next = NULL;
  if (before == NULL) {
    wal->oldest = segment;
  } else {
    before->next = segment;
  }
  wal->active = segment;
  gs_wal_call_thread(store);
  return GS_OK;
}

static gs_status
wait_for_prepared(gs_store *store, uint64_t payload_bytes, gs_error *err)
{
  gs_wal *wal = &store->wal;
  if (wal->wanted_bytes < payload_bytes) {
    wal->wanted_bytes = payload_bytes;
  }
  gs_wal_was_late(store, payload_bytes);
  if (wal->is_preparing) {
    gs_cond_wait(store->synced, store->commit, 0);
    return GS_OK;
  }
  return gs_wal_prepare(store, err);
}

/* A note without entries takes no number: were it lost at the end of a segment,
 * the next one would continue as if nothing was missing. So it is on the device
 * before there is a next one, whose page then says so. */
static bool
ends_in_note(const gs_store *store)
{
  const gs_store_segment *active = store->wal.active;
  return active != NULL && active->note_place == store->next_seq &&
         gs_log_durable_bytes(active->writer) <
             gs_log_written_bytes(active->writer);
}

static gs_status
sync_note(gs_store *store, gs_error *err)
{
  if (store->is_syncing) {
    gs_cond_wait(store->synced, store->commit, 0);
    return GS_OK;
  }
  return gs_wal_sync(store, err);
}

static gs_status
go_on(gs_store *store, uint64_t payload_bytes, gs_error *err)
{
  if (store->wal.prepared == NULL) {
    return wait_for_prepared(store, payload_bytes, err);
  }
  return ends_in_note(store) ? sync_note(store, err)
                             : start_prepared(store, err);
}

gs_status
gs_wal_make_room(gs_store *store, uint64_t payload_bytes, gs_error *err)
{
  gs_wal *wal = &store->wal;
  while (!has_room(wal->active, payload_bytes)) {
    gs_wal_note_full(store);
    gs_status status = go_on(store, payload_bytes, err);
    if (status == GS_OK) {
      status = gs_store_check_writable(store, err);
    }
    if (status != GS_OK) {
      return status;
    }
  }
  return GS_OK;
}

gs_status
gs_wal_add_frame(gs_store *store, gs_frame_type type, uint64_t first_seq,
                 uint32_t entry_count, gs_slice payload, gs_error *err)
{
  gs_wal *wal = &store->wal;
  gs_status status = gs_log_append(wal->active->writer, type, first_seq,
                                   entry_count, payload, err);
  if (status == GS_OK) {
    wal->frames++;
    gs_tally_own(&wal->used_bytes, gs_frame_bytes(payload.size));
    gs_tally_own(&store->counters.wal_bytes, gs_frame_bytes(payload.size));
  }
  return status;
}

gs_status
gs_wal_append(gs_store *store, uint64_t first_seq, uint32_t entry_count,
              gs_slice payload, gs_error *err)
{
  gs_wal *wal = &store->wal;
  gs_status status = gs_wal_add_frame(store, GS_FRAME_BATCH, first_seq,
                                      entry_count, payload, err);
  if (status != GS_OK) {
    return status;
  }
  uint64_t bytes = gs_frame_bytes(payload.size);
  if (entry_count == 0) {
    wal->active->note_place = first_seq;
  }
  bool is_batch = store->options.durability == GS_DURABILITY_BATCH;
  bool was_clean = wal->unsynced_bytes == 0;
  wal->unsynced_bytes += bytes;
  wal->batch_bytes = bytes;
  bool is_over = wal->unsynced_bytes >= store->options.wal_batch_bytes;
  bool wants_next = gs_wal_writes_zeros(store) && gs_wal_wants_next(store);
  if ((is_batch && (was_clean || is_over)) || wants_next) {
    gs_wal_call_thread(store);
  }
  return GS_OK;
}

/* ---- syncing -------------------------------------------------------------- */

/* One segment of a sync, and how far it was written when the sync began. */
typedef struct sync_target {
  gs_store_segment *segment;
  uint64_t bytes;
} sync_target;

/* What is not written any more is synced more cheaply once it is not mapped. */
static void
leave_memory(const gs_store_segment *segment, const sync_target *last)
{
  if (segment == last->segment) {
    gs_log_shed(segment->writer, last->bytes);
  } else {
    gs_log_rest(segment->writer);
  }
}

/* Syncs the unsynced segments up to last, oldest first. The list cannot lose
 * segments meanwhile, since dropping waits for the sync to end. */
static gs_status
sync_segments(gs_store *store, gs_store_segment *from, sync_target last,
              gs_error *err)
{
  gs_store_segment *segment = from;
  for (;;) {
    if (!segment->is_synced) {
      leave_memory(segment, &last);
      gs_status status = gs_log_sync(segment->writer, err);
      if (status != GS_OK) {
        return status;
      }
      gs_tally(&store->counters.wal_syncs, 1);
    }
    if (segment == last.segment) {
      return GS_OK;
    }
    segment = segment->next;
  }
}

static void
note_synced(gs_store_segment *from, sync_target last)
{
  for (gs_store_segment *s = from; s != last.segment; s = s->next) {
    gs_log_mark_durable(s->writer, gs_log_written_bytes(s->writer));
    s->is_synced = true;
  }
  gs_log_mark_durable(last.segment->writer, last.bytes);
}

static void
raise_seq(atomic_uint_fast64_t *seq, uint64_t to)
{
  if (atomic_load_explicit(seq, memory_order_relaxed) < to) {
    atomic_store_explicit(seq, to, memory_order_release);
  }
}

/* A sync leaves a mark to be written and, in "batch", a window for what came
 * meanwhile. For the mark alone the thread is not woken if it wakes by itself no
 * later: each writer that waits for the device would wake it. */
static void
wake_thread(gs_store *store)
{
  const gs_wal *wal = &store->wal;
  bool has_window = store->options.durability == GS_DURABILITY_BATCH &&
                    wal->unsynced_bytes != 0;
  if (has_window ||
      wal->thread_until_us > wal->last_sync_us + GS_WAL_MARK_IDLE_US) {
    gs_wal_call_thread(store);
  }
}

gs_status
gs_wal_sync(gs_store *store, gs_error *err)
{
  gs_wal *wal = &store->wal;
  if (wal->active == NULL) {
    return GS_OK;
  }
  uint64_t upto = store->next_seq - 1;
  uint64_t frames = wal->frames;
  uint64_t began_us = gs_env_mono_us(store->env);
  size_t served = wal->newcomers;
  wal->newcomers = 0;
  gs_store_segment *from = wal->oldest;
  sync_target last = {wal->active, gs_log_written_bytes(wal->active->writer)};
  wal->unsynced_bytes = 0;
  store->is_syncing = true;
  gs_mutex_unlock(store->commit);
  gs_error failure;
  gs_env_point(store->env, "wal.sync");
  gs_status status = sync_segments(store, from, last, &failure);
  gs_turn_take(store);
  store->is_syncing = false;
  wal->last_sync_us = gs_env_mono_us(store->env);
  wal->flush_us = wal->last_sync_us - began_us;
  wal->company = served + wal->newcomers;
  if (status == GS_OK) {
    note_synced(from, last);
    wal->durable_frame = frames;
    raise_seq(&store->durable_seq, upto);
    raise_seq(&store->visible_seq, upto);
  } else {
    gs_store_fail(store, status, &failure);
    status = gs_store_check_writable(store, err);
  }
  gs_cond_broadcast(store->synced);
  gs_cond_broadcast(store->gathered);
  wake_thread(store);
  return status;
}

bool
gs_wal_is_broken(const gs_store *store)
{
  const gs_store_segment *active = store->wal.active;
  return active != NULL && gs_log_is_poisoned(active->writer);
}

/* ---- the end of a log ------------------------------------------------------- */

gs_status
gs_wal_seal(gs_store *store, gs_error *err)
{
  while (store->is_syncing) {
    gs_cond_wait(store->synced, store->commit, 0);
  }
  gs_status status = gs_store_check_writable(store, err);
  if (status == GS_OK) {
    status = gs_wal_sync(store, err);
  }
  gs_log_writer *writer =
      store->wal.active == NULL ? NULL : store->wal.active->writer;
  if (status == GS_OK && writer != NULL && gs_log_has_room(writer, 0)) {
    status =
        gs_wal_add_frame(store, GS_FRAME_SEAL, 0, 0, gs_slice_of(NULL, 0), err);
  }
  return status;
}

/* ---- dropping ------------------------------------------------------------- */

/* Whether every entry of the segment is flushed: its successor tells where its
 * own entries end. */
static bool
is_flushed(const gs_store_segment *segment, uint64_t flushed_seq)
{
  return segment->next != NULL && segment->next->first_seq <= flushed_seq + 1 &&
         segment->note_place <= flushed_seq;
}

void
gs_wal_name_flushed(gs_store *store, uint64_t flushed_seq, gs_edit *edit)
{
  gs_turn_take(store);
  for (gs_store_segment *s = store->wal.oldest;
       s != NULL && is_flushed(s, flushed_seq); s = s->next) {
    gs_edit_remove_segment(edit, s->number);
    s->is_named = true;
  }
  gs_mutex_unlock(store->commit);
}

static void
delete_segment(gs_store *store, gs_store_segment *segment)
{
  gs_buffer path;
  gs_buffer_init(&path, store->alloc);
  gs_log_close(segment->writer);
  if (gs_path_segment(&path, store->path, segment->number) != NULL) {
    gs_remove_soon(store, (const char *)path.data, segment->allocated_bytes);
  }
  gs_buffer_deinit(&path);
  GS_DELETE(store->alloc, segment);
}

static void
delete_all(gs_store *store, gs_store_segment *segment)
{
  while (segment != NULL) {
    gs_store_segment *next = segment->next;
    delete_segment(store, segment);
    segment = next;
  }
}

void
gs_wal_drop_named(gs_store *store)
{
  gs_wal *wal = &store->wal;
  gs_store_segment *dropped = NULL;
  gs_turn_take(store);
  while (store->is_syncing) {
    gs_cond_wait(store->synced, store->commit, 0);
  }
  while (wal->oldest != NULL && wal->oldest->is_named) {
    gs_store_segment *segment = wal->oldest;
    wal->oldest = segment->next;
    uint64_t bytes =
        gs_log_written_bytes(segment->writer) - GS_LOG_HEADER_BYTES;
    gs_tally_own(&wal->used_bytes, 0 - bytes);
    segment->next = dropped;
    dropped = segment;
  }
  gs_mutex_unlock(store->commit);
  delete_all(store, dropped);
}

void
gs_wal_abandon(gs_store *store)
{
  gs_wal *wal = &store->wal;
  gs_wal anew = {
      .next_size = wal->next_size,
      .frames = wal->frames,
      .durable_frame = wal->frames, /* nobody waits for any of them */
      .thread_until_us = wal->thread_until_us,
  };
  delete_all(store, wal->oldest);
  delete_all(store, wal->prepared);
  *wal = anew;
}

static void
close_all(gs_store *store, gs_store_segment *segment)
{
  while (segment != NULL) {
    gs_store_segment *next = segment->next;
    gs_log_close(segment->writer);
    GS_DELETE(store->alloc, segment);
    segment = next;
  }
}

void
gs_wal_deinit(gs_store *store)
{
  gs_wal *wal = &store->wal;
  close_all(store, wal->oldest);
  close_all(store, wal->prepared);
  *wal = (gs_wal){0};
}
