/*
 * wal_prepare: the segments that are ready before they are needed.
 *
 * To make one takes several flushes of the device, each of which may wait for
 * whatever else is being written, so it happens beside the writers. Segments
 * start small and grow, so that a store with five keys does not take megabytes,
 * and one is ready at a time. Where writers fill one in less time than a few
 * flushes of a busy device take, the next ones are larger. Where a log of full-sized segments kept its writers
 * waiting for the next one, two are ready for a while: a spare one, which is made
 * only where the disk has room for it.
 */
#include "store/paths.h"
#include "store/store.h"
#include "store/turn.h"
#include "store/wal.h"

enum {
  SEGMENT_FIRST_BYTES = 256 * 1024,
  SEGMENT_MAX_BYTES = 16 * 1024 * 1024,
  SEGMENT_MAX_FAST_BYTES = 64 * 1024 * 1024,
  FAST_BYTES_PER_US = 160, /* such a segment lasts a tenth of a second */
  SEGMENT_GROWTH = 4,
  ZEROED_GROWTH = 2, /* writers wait for the device while it takes zeros */
  FRAMES_AHEAD = 8, /* like the last one, that fit while the next one is made */
  SEGMENT_PARTS = 4,    /* of the log's bound, that one segment takes at most */
  READY_AFTER_WAIT = 2, /* at once, where one was not enough, */
  SEGMENTS_WATCHFUL = 32, /* while so many are begun */
};

bool
gs_wal_writes_zeros(const gs_store *store)
{
  return store->options.durability == GS_DURABILITY_SYNC;
}

/* ---- one segment ---------------------------------------------------------- */

static gs_status
register_segment(gs_store *store, const gs_store_segment *segment,
                 bool *is_kept, gs_error *err)
{
  gs_edit *edit = gs_edit_new(store->alloc);
  if (edit == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  gs_segment listed = {segment->number, segment->allocated_bytes,
                       segment->salt};
  gs_edit_add_segment(edit, &listed);
  gs_mutex_lock(store->install);
  gs_install change = {.edit = edit};
  gs_status status = gs_store_install(store, &change, err);
  *is_kept = change.is_durable || (store->manifest != NULL &&
                                   gs_manifest_is_doubtful(store->manifest));
  gs_mutex_unlock(store->install);
  gs_edit_free(edit);
  return status;
}

static gs_status
make_log(gs_store *store, const char *path, gs_store_segment *segment,
         gs_error *err)
{
  uint64_t bytes = segment->allocated_bytes;
  return gs_wal_writes_zeros(store)
             ? gs_log_prepare(store->env, path, bytes, &segment->writer, err)
             : gs_log_reserve(store->env, path, bytes, &segment->writer, err);
}

static gs_status
create_segment(gs_store *store, gs_store_segment *segment, gs_error *err)
{
  gs_buffer path;
  gs_buffer_init(&path, store->alloc);
  bool is_kept = false; /* an edit that names it may still turn up */
  gs_status status = GS_OK;
  if (gs_path_segment(&path, store->path, segment->number) == NULL) {
    status = GS_FAIL_NOMEM(err);
    goto out;
  }
  status = make_log(store, (const char *)path.data, segment, err);
  if (status != GS_OK) {
    goto out;
  }
  status = gs_env_sync_dir(store->env, store->path, err);
  if (status == GS_OK) {
    status = register_segment(store, segment, &is_kept, err);
  }
  if (status != GS_OK) {
    gs_log_close(segment->writer);
    segment->writer = NULL;
  }
  if (status != GS_OK && !is_kept) {
    GS_IGNORE(gs_env_remove(store->env, (const char *)path.data, NULL),
              "an unlisted segment is removed at the next open");
  }
out:
  gs_buffer_deinit(&path);
  return status;
}

/* A segment goes as a whole, so the bound on the log is kept by segments that
 * are a part of it. */
static uint64_t
full_size(gs_store *store, uint64_t full)
{
  uint64_t most = gs_limit(&store->limits.max_wal_bytes) / SEGMENT_PARTS;
  return most < full ? most : full;
}

void
gs_wal_note_full(gs_store *store)
{
  if (store->wal.filled_us == 0) {
    store->wal.filled_us = gs_env_mono_us(store->env);
  }
}

void
gs_wal_note_pace(gs_store *store, const gs_store_segment *ended)
{
  gs_wal *wal = &store->wal;
  if (ended != NULL) {
    uint64_t took_us = wal->filled_us - wal->began_us;
    uint64_t bytes = gs_log_written_bytes(ended->writer);
    wal->is_fast = ended->allocated_bytes >= SEGMENT_MAX_BYTES &&
                   bytes >= ended->allocated_bytes / 2 &&
                   bytes / FAST_BYTES_PER_US >= took_us &&
                   !gs_wal_writes_zeros(store);
  }
  wal->began_us = gs_env_mono_us(store->env);
  wal->filled_us = 0;
}

/* One that is no larger than the full size, but for a frame that is. */
static uint64_t
choose_size(gs_store *store, uint64_t full)
{
  gs_wal *wal = &store->wal;
  uint64_t most = full_size(store, full);
  uint64_t size = wal->next_size == 0 ? SEGMENT_FIRST_BYTES : wal->next_size;
  size = size < most ? size : most;
  uint64_t needed = GS_LOG_HEADER_BYTES + gs_frame_bytes(wal->wanted_bytes) +
                    gs_frame_bytes(0);
  return size < needed ? needed : size;
}

static uint64_t
allocated_bytes(const gs_wal *wal)
{
  uint64_t bytes = 0;
  for (const gs_store_segment *s = wal->oldest; s != NULL; s = s->next) {
    bytes += s->allocated_bytes;
  }
  for (const gs_store_segment *s = wal->prepared; s != NULL; s = s->next) {
    bytes += s->allocated_bytes;
  }
  return bytes;
}

static gs_store_segment *
new_segment(gs_store *store)
{
  gs_store_segment *segment = GS_NEW(store->alloc, gs_store_segment);
  if (segment != NULL) {
    segment->allocated_bytes = choose_size(
        store, store->wal.is_fast ? SEGMENT_MAX_FAST_BYTES : SEGMENT_MAX_BYTES);
    segment->number = gs_store_new_id(store);
    segment->salt = gs_env_random64(store->env);
    store->wal.wanted_bytes = 0;
  }
  return segment;
}

static void
add_prepared(gs_store *store, gs_store_segment *segment)
{
  gs_wal *wal = &store->wal;
  gs_store_segment **end = &wal->prepared;
  while (*end != NULL) {
    end = &(*end)->next;
  }
  *end = segment;
  wal->prepared_count++;
  wal->next_size =
      segment->allocated_bytes *
      (gs_wal_writes_zeros(store) ? ZEROED_GROWTH : SEGMENT_GROWTH);
}

/* The next one is worth the ballast, a spare one not even the reserve, and nor is
 * that it is larger than others. */
static gs_status
create_with_room(gs_store *store, gs_store_segment *segment,
                 uint64_t common_bytes, bool is_spare, gs_error *err)
{
  if (segment->allocated_bytes > common_bytes &&
      !gs_ballast_has_space(store, segment->allocated_bytes)) {
    segment->allocated_bytes = common_bytes;
  }
  if (is_spare && !gs_ballast_has_space(store, segment->allocated_bytes)) {
    return GS_FAIL(err, GS_FULL, "%s: no room for a spare segment",
                   store->path);
  }
  gs_status status = create_segment(store, segment, err);
  if (status == GS_FULL && !is_spare && gs_ballast_find_space(store)) {
    segment->number = gs_store_new_id(store);
    status = create_segment(store, segment, err);
  }
  return status;
}

gs_status
gs_wal_prepare(gs_store *store, gs_error *err)
{
  gs_wal *wal = &store->wal;
  bool is_spare = wal->prepared != NULL;
  uint64_t common_bytes = choose_size(store, SEGMENT_MAX_BYTES);
  gs_store_segment *segment = new_segment(store);
  if (segment == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  uint64_t log_bytes = allocated_bytes(wal);
  wal->is_preparing = true;
  gs_mutex_unlock(store->commit);
  gs_status status =
      create_with_room(store, segment, common_bytes, is_spare, err);
  if (status == GS_OK) {
    gs_ballast_grow(store, log_bytes + segment->allocated_bytes);
  }
  gs_turn_take(store);
  wal->is_preparing = false;
  if (status == GS_OK) {
    add_prepared(store, segment);
  } else {
    GS_DELETE(store->alloc, segment);
    wal->watchful_starts = 0; /* one is enough */
  }
  gs_cond_broadcast(store->synced);
  return status;
}

/* ---- when ----------------------------------------------------------------- */

/* Zeros keep the device from those who wait for it, and writers that do so fill
 * a segment slowly: half of it is time enough, unless their frames are large. */
static bool
is_early(const gs_store *store)
{
  const gs_wal *wal = &store->wal;
  uint64_t bytes = wal->active->allocated_bytes;
  uint64_t left = bytes - gs_log_written_bytes(wal->active->writer);
  return gs_wal_writes_zeros(store) && left > bytes / 2 &&
         left / FRAMES_AHEAD > wal->batch_bytes;
}

void
gs_wal_was_late(gs_store *store, uint64_t payload_bytes)
{
  gs_wal *wal = &store->wal;
  uint64_t full = full_size(store, SEGMENT_MAX_BYTES);
  bool is_ordinary = wal->active != NULL &&
                     wal->active->allocated_bytes >= full &&
                     GS_LOG_HEADER_BYTES + gs_frame_bytes(payload_bytes) < full;
  if (is_ordinary && !gs_wal_writes_zeros(store)) {
    wal->watchful_starts = SEGMENTS_WATCHFUL;
  }
}

bool
gs_wal_wants_next(const gs_store *store)
{
  const gs_wal *wal = &store->wal;
  size_t wanted = wal->watchful_starts > 0 ? READY_AFTER_WAIT : 1;
  return wal->active != NULL && wal->prepared_count < wanted &&
         !wal->is_preparing && !store->has_failed && !store->is_resuming &&
         !is_early(store);
}
