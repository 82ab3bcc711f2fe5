/*
 * journal: ring and files.
 */
#include "store/journal.h"

#include "store/journal_format.h"
#include "store/journal_read.h"
#include "store/paths.h"
#include "store/store.h"

enum {
  HOLD_US = 1000 * 1000,
  FOLD_REACH = 8, /* events back that an equal one is looked for */
};

gs_status
gs_journal_init(gs_store *store, gs_error *err)
{
  return gs_mutex_new(store->env, &store->recorder.files, err);
}

/* ---- the ring -------------------------------------------------------------- */

static gs_journal_slot *
slot_at(gs_recorder *r, size_t index)
{
  return &r->slots[(r->first + index) % GS_JOURNAL_SLOTS];
}

static void
drop_oldest(gs_store *store)
{
  gs_recorder *r = &store->recorder;
  gs_journal_slot *slot = slot_at(r, 0);
  bool is_unwritten = gs_event_get_number(slot->bytes) > r->taken;
  r->lost += is_unwritten && store->options.journal_bytes > 0;
  gs_alloc_free(store->alloc, slot->bytes, slot->size);
  r->bytes -= slot->size;
  r->first = (r->first + 1) % GS_JOURNAL_SLOTS;
  r->count--;
}

/* What fails or waits comes again and again, and by turns. The tree is a part of
 * an event, so that no change of it lies between equal ones. */
static bool
try_fold(gs_recorder *r, const gs_event *event, gs_slice bytes)
{
  bool may_fold = event->kind == GS_EVENT_STALL || event->code.size > 0;
  for (size_t i = 0; may_fold && i < FOLD_REACH && i < r->count; i++) {
    gs_journal_slot *slot = slot_at(r, r->count - 1 - i);
    if (gs_event_get_number(slot->bytes) <= r->sealed) {
      break;
    }
    if (gs_event_fold(slot->bytes, slot->size, bytes.data, bytes.size)) {
      return true;
    }
  }
  return false;
}

/* False when out of memory. */
static bool
push(gs_store *store, gs_slice bytes)
{
  gs_recorder *r = &store->recorder;
  uint8_t *copy = gs_alloc_bytes(store->alloc, bytes.size);
  if (copy == NULL) {
    return false;
  }
  memcpy(copy, bytes.data, bytes.size);
  while (r->count == GS_JOURNAL_SLOTS ||
         (r->count > 0 && r->bytes + bytes.size > GS_JOURNAL_RING_BYTES)) {
    drop_oldest(store);
  }
  *slot_at(r, r->count++) = (gs_journal_slot){copy, bytes.size};
  r->bytes += bytes.size;
  return true;
}

static void
add_runs(const gs_store *store, gs_buffer *out)
{
  const gs_view *view = atomic_load(&store->view);
  const gs_version *version = view == NULL ? NULL : view->version;
  size_t count = version == NULL ? 0 : version->run_count;
  for (size_t i = 0; i < count && i < GS_EVENT_MAX_RUNS; i++) {
    const gs_run *run = version->runs[i];
    gs_event_add_run(out, &(gs_event_run){
                              .id = run->id,
                              .level = run->level,
                              .table_count = (uint32_t)run->table_count,
                              .bytes = run->bytes,
                              .entry_count = run->entry_count,
                          });
  }
}

void
gs_journal_note(gs_store *store, gs_event *event, bool is_news)
{
  gs_recorder *r = &store->recorder;
  gs_buffer runs;
  gs_buffer bytes;
  if (store->is_readonly) {
    return;
  }
  gs_buffer_init(&runs, store->alloc);
  gs_buffer_init(&bytes, store->alloc);
  add_runs(store, &runs);
  event->runs = gs_buffer_slice(&runs);
  event->number = r->last_number + 1;
  if (event->time_ms == 0) {
    event->time_ms = atomic_load(&store->clock_ms);
  }
  event->count = 1;
  event->longest_us = event->took_us;
  gs_event_encode(event, &bytes);
  bool is_whole =
      !runs.failed && !bytes.failed && bytes.size <= GS_EVENT_MAX_BYTES;
  if (!is_whole || !try_fold(r, event, gs_buffer_slice(&bytes))) {
    r->last_number++;
    r->lost += !is_whole || !push(store, gs_buffer_slice(&bytes));
  }
  if (event->kind <= GS_EVENT_DROP) {
    atomic_fetch_add_explicit(&r->jobs, 1, memory_order_release);
  }
  if (is_news) {
    atomic_store(&r->has_news, true);
  }
  gs_buffer_deinit(&bytes);
  gs_buffer_deinit(&runs);
}

/* ---- files ----------------------------------------------------------------- */

/* What one file may take. */
static uint64_t
half(const gs_store *store)
{
  return store->options.journal_bytes / 2;
}

/* Goes on in the newest file where that is whole and has room. False where it
 * could not be looked at. */
static bool
take_up(gs_store *store, const char *path)
{
  gs_recorder *r = &store->recorder;
  gs_journal_end end;
  gs_buffer content;
  gs_buffer_init(&content, store->alloc);
  gs_status status = gs_journal_load(store->env, path, GS_OPEN_WRITE, &r->file,
                                     &content, NULL);
  gs_journal_find_end(gs_buffer_slice(&content), r->file_number, &end);
  bool is_whole = status == GS_OK && end.is_whole && end.salt == store->salt;
  r->file_bytes = end.bytes;
  r->base = end.last_event;
  if (!is_whole) {
    GS_IGNORE(gs_file_close(r->file, NULL), "another file goes on");
    r->file = NULL;
  }
  gs_buffer_deinit(&content);
  return status == GS_OK || status == GS_MISSING || status == GS_TOOLARGE;
}

bool
gs_journal_find_base(gs_store *store)
{
  gs_recorder *r = &store->recorder;
  gs_buffer path;
  gs_buffer_init(&path, store->alloc);
  if (!r->has_base && r->file_number == 0) {
    r->has_base = true;
  } else if (!r->has_base &&
             gs_path_journal(&path, store->path, r->file_number) != NULL) {
    r->has_base = take_up(store, (const char *)path.data);
    if (r->has_base && r->base == 0) {
      r->base =
          gs_journal_last_event(store->env, store->path, r->file_number - 1);
    }
  }
  gs_buffer_deinit(&path);
  return r->has_base;
}

static void
remove_file(gs_store *store, uint64_t number)
{
  gs_buffer path;
  gs_buffer_init(&path, store->alloc);
  if (gs_path_journal(&path, store->path, number) != NULL) {
    GS_IGNORE(gs_env_remove(store->env, (const char *)path.data, NULL),
              "tried again with the next file");
  }
  gs_buffer_deinit(&path);
}

/* Only the two newest stay. */
static void
remove_old(gs_store *store)
{
  gs_journal_numbers found;
  uint64_t newest = store->recorder.file_number;
  if (newest < 3 ||
      gs_journal_list(store->env, store->path, &found, NULL) != GS_OK) {
    return;
  }
  for (size_t i = 0; i < found.count; i++) {
    if (found.numbers[i] + 1 < newest) {
      remove_file(store, found.numbers[i]);
    }
  }
}

/* Opens the file that comes next. */
static gs_status
create_next(gs_store *store)
{
  gs_recorder *r = &store->recorder;
  gs_buffer path;
  gs_buffer_init(&path, store->alloc);
  gs_status status =
      gs_path_journal(&path, store->path, r->file_number + 1) == NULL
          ? GS_NOMEM
          : gs_file_open(store->env, (const char *)path.data, GS_OPEN_CREATE,
                         &r->file, NULL);
  gs_buffer_deinit(&path);
  r->file_bytes = 0;
  r->file_number += status == GS_EXISTS; /* one that could not be removed */
  return status;
}

/* Frames, with the header in front where the file is new. */
static gs_status
write_frames(gs_store *store, gs_buffer *frames, uint64_t first_event)
{
  gs_recorder *r = &store->recorder;
  bool is_new = r->file_bytes == 0;
  gs_journal_header header = {
      .store_kind = (uint32_t)store->kind,
      .number = r->file_number + is_new,
      .salt = store->salt,
      .first_event = first_event,
  };
  size_t at = GS_JOURNAL_HEADER_BYTES; /* room kept in front */
  uint64_t offset = is_new ? at : r->file_bytes;
  gs_journal_header_encode(&header, frames->data);
  while (at < frames->size) {
    size_t bytes = gs_journal_sum_frame(frames->data + at, &header, offset);
    at += bytes;
    offset += bytes;
  }
  size_t skipped = is_new ? 0 : GS_JOURNAL_HEADER_BYTES;
  gs_status status =
      gs_file_write(r->file, r->file_bytes, frames->data + skipped,
                    frames->size - skipped, NULL);
  r->file_bytes = offset;
  return status;
}

/* A file that failed is not written again; a new one that failed goes, so that
 * those before it stay. */
static void
give_up_file(gs_store *store, bool is_new)
{
  gs_recorder *r = &store->recorder;
  GS_IGNORE(gs_file_close(r->file, NULL), "it has failed already");
  if (is_new && r->file != NULL) {
    remove_file(store, r->file_number + 1);
  }
  r->file = NULL;
  r->hold_us = gs_env_mono_us(store->env) + HOLD_US;
}

static bool
put(gs_store *store, gs_buffer *frames, uint64_t first_event)
{
  gs_recorder *r = &store->recorder;
  size_t bytes = frames->size - GS_JOURNAL_HEADER_BYTES;
  if (r->file != NULL && r->file_bytes + bytes > half(store)) {
    GS_IGNORE(gs_file_close(r->file, NULL), "what it lost was not promised");
    r->file = NULL;
  }
  bool is_new = r->file == NULL;
  gs_status status = is_new ? create_next(store) : GS_OK;
  if (status == GS_OK) {
    status = write_frames(store, frames, first_event);
  }
  if (status != GS_OK) {
    give_up_file(store, is_new);
    return false;
  }
  if (is_new) {
    r->file_number++;
    remove_old(store);
  }
  return true;
}

/* ---- from one to the other ------------------------------------------------- */

/* Appends frames of events that no file holds, as many as one file takes, and
 * says which was the first and the last. */
static void
collect(gs_store *store, gs_buffer *frames, uint64_t *first, uint64_t *last)
{
  gs_recorder *r = &store->recorder;
  *first = 0;
  *last = r->written;
  gs_buffer_append_zeros(frames, GS_JOURNAL_HEADER_BYTES);
  gs_mutex_lock(store->state);
  atomic_store(&r->has_news, false);
  for (size_t i = 0; i < r->count; i++) {
    const gs_journal_slot *slot = slot_at(r, i);
    uint64_t number = gs_event_get_number(slot->bytes);
    size_t bytes = gs_journal_frame_bytes(slot->size);
    if (number <= r->written) {
      continue;
    }
    if (frames->size + bytes > half(store)) {
      atomic_store(&r->has_news, true);
      break;
    }
    size_t at = frames->size;
    gs_journal_add_frame(frames, gs_slice_of(slot->bytes, slot->size));
    if (frames->failed) {
      break;
    }
    gs_event_set_number(frames->data + at + GS_JOURNAL_FRAME_BYTES,
                        r->base + number);
    *first = *first == 0 ? r->base + number : *first;
    *last = number;
  }
  r->sealed = r->last_number;
  r->taken = *last;
  gs_mutex_unlock(store->state);
}

/* One write. False where there was nothing to write or it failed. */
static bool
write_some(gs_store *store)
{
  gs_recorder *r = &store->recorder;
  gs_buffer frames;
  uint64_t first;
  uint64_t last;
  gs_buffer_init(&frames, store->alloc);
  collect(store, &frames, &first, &last);
  bool is_written = first != 0 && !frames.failed && put(store, &frames, first);
  if (is_written) {
    r->written = last;
  } else if (first != 0) {
    gs_mutex_lock(store->state);
    r->taken = r->written;
    atomic_store(&r->has_news, true);
    gs_mutex_unlock(store->state);
  }
  gs_buffer_deinit(&frames);
  return is_written;
}

static bool
find_base_or_hold(gs_store *store)
{
  bool is_found = gs_journal_find_base(store);
  if (!is_found) {
    store->recorder.hold_us = gs_env_mono_us(store->env) + HOLD_US;
  }
  return is_found;
}

void
gs_journal_write(gs_store *store)
{
  gs_recorder *r = &store->recorder;
  if (!atomic_load_explicit(&r->has_news, memory_order_relaxed) ||
      store->options.journal_bytes == 0) {
    return;
  }
  gs_mutex_lock(r->files);
  if (r->hold_us <= gs_env_mono_us(store->env) && find_base_or_hold(store)) {
    while (atomic_load(&r->has_news) && write_some(store)) {
    }
  }
  gs_mutex_unlock(r->files);
}

void
gs_journal_finish(gs_store *store)
{
  store->recorder.hold_us = 0;
  gs_journal_write(store);
}

void
gs_journal_deinit(gs_store *store)
{
  gs_recorder *r = &store->recorder;
  while (r->count > 0) {
    drop_oldest(store);
  }
  GS_IGNORE(gs_file_close(r->file, NULL), "what it lost was not promised");
  r->file = NULL;
  gs_mutex_free(r->files);
}
