/*
 * recover: manifest, log, new tables, new manifest, old files away; in this
 * order, each step repeatable.
 */
#include "store/recover.h"

#include "merge/drop.h"
#include "store/directory.h"
#include "store/output.h"
#include "wal/replay.h"

enum { MEMTABLES_MAX = 64 };

typedef struct recovery {
  gs_store *store;
  gs_memtable *memtables[MEMTABLES_MAX]; /* oldest first */
  size_t memtable_count;
  gs_replay_result replayed;
} recovery;

/* ---- replaying ------------------------------------------------------------------------ */

static uint64_t
log_bytes(const gs_store *store)
{
  uint64_t bytes = 0;
  for (size_t i = 0; i < store->tree.segment_count; i++) {
    bytes += store->tree.segments[i].allocated_bytes;
  }
  return bytes;
}

static gs_status
grow(recovery *r, size_t needed, gs_error *err)
{
  gs_store *store = r->store;
  if (r->memtable_count == MEMTABLES_MAX) {
    return GS_FAIL(err, GS_LIMIT,
                   "%s: the log holds more than memory_bytes = %llu can take",
                   store->path,
                   (unsigned long long)store->options.memory_bytes);
  }
  /* Whatever memory the log was written with, half of the tables are enough. */
  uint64_t capacity = store->options.memtable_bytes;
  uint64_t share = log_bytes(store) / (MEMTABLES_MAX / 2);
  if (capacity < share) {
    capacity = share;
  }
  if (capacity < needed) {
    capacity = needed;
  }
  gs_status status =
      gs_memtable_new(store->env, (size_t)capacity, gs_store_clock(store),
                      &r->memtables[r->memtable_count], err);
  r->memtable_count += status == GS_OK;
  return status;
}

static gs_status
secure(recovery *r, size_t bytes, uint32_t entry_count, gs_error *err)
{
  gs_memtable *last =
      r->memtable_count == 0 ? NULL : r->memtables[r->memtable_count - 1];
  if (last == NULL || !gs_memtable_has_room(last, bytes, entry_count)) {
    gs_status status = grow(r, bytes + 4096, err);
    if (status != GS_OK) {
      return status;
    }
    last = r->memtables[r->memtable_count - 1];
  }
  return gs_memtable_reserve(last, entry_count, err);
}

static gs_status
take_item(recovery *r, gs_batch_item item, gs_entry *entry, uint64_t seq,
          gs_error *err)
{
  gs_store *store = r->store;
  if (item == GS_BATCH_META) {
    gs_buffer_clear(&store->note);
    gs_buffer_append_slice(&store->note, entry->value);
    store->note_seq = seq;
    return gs_buffer_status(&store->note, err);
  }
  if (entry->seq <= store->tree.facts.flushed_seq) {
    return GS_OK;
  }
  uint8_t bytes[4];
  if (store->kind == GS_STORE_U32 && entry->key.size != 4) {
    return GS_FAIL(err, GS_CORRUPT,
                   "%s: the log of a u32 store holds a key "
                   "of %zu bytes",
                   store->path, entry->key.size);
  }
  entry->key = gs_store_decode_key(store, entry->key, bytes);
  return gs_memtable_add(r->memtables[r->memtable_count - 1], entry, err);
}

static void
take_time(gs_store *store, uint64_t now_ms)
{
  if (atomic_load(&store->clock_ms) < now_ms) {
    atomic_store(&store->clock_ms, now_ms);
  }
}

static gs_status
take_batch(void *context, const gs_frame_info *info, gs_slice payload,
           gs_error *err)
{
  recovery *r = context;
  gs_batch_reader reader;
  size_t bytes = payload.size + (size_t)info->entry_count *
                                    (gs_memtable_entry_bytes(0, 0) + 16);
  gs_status status = secure(r, bytes, info->entry_count, err);
  if (status == GS_OK) {
    status = gs_batch_read_begin(&reader, payload, info->first_seq, err);
  }
  if (status != GS_OK) {
    return status;
  }
  take_time(r->store, reader.now_ms);
  for (;;) {
    gs_batch_item item;
    gs_entry entry;
    status = gs_batch_read(&reader, &item, &entry, err);
    if (status != GS_OK || item == GS_BATCH_END) {
      return status;
    }
    status = take_item(r, item, &entry, reader.seq - 1, err);
    if (status != GS_OK) {
      return status;
    }
  }
}

static gs_status
replay(recovery *r, gs_error *err)
{
  gs_store *store = r->store;
  const gs_store_facts *facts = &store->tree.facts;
  gs_replay_request request = {
      .dir = store->path,
      .store_id = facts->store_id,
      .segments = store->tree.segments,
      .segment_count = store->tree.segment_count,
      .flushed_seq = facts->flushed_seq,
      .known_seq = facts->flushed_seq,
      .was_clean = facts->is_clean,
      .batch = take_batch,
      .context = r,
  };
  /* facts->last_seq was in use, yet a crash may rightly have lost what was not
   * synced: it proves nothing about the log's end. */
  gs_status status = gs_wal_replay(store->env, &request, &r->replayed, err);
  if (status == GS_OK) {
    store->counters.recovered_batches = r->replayed.batch_count;
    store->counters.recovered_torn_bytes = r->replayed.torn_bytes;
  }
  return status;
}

/* ---- making it durable ---------------------------------------------------------------- */

static gs_status
write_memtable(recovery *r, gs_memtable *memtable, gs_output *output,
               gs_error *err)
{
  gs_store *store = r->store;
  gs_memtable_cursor walk;
  gs_drop drop;
  gs_status status = gs_memtable_cursor_init(&walk, memtable, UINT64_MAX, err);
  if (status != GS_OK) {
    return status;
  }
  gs_drop_init(&drop, NULL, 0, gs_store_clock(store));
  gs_cursor *cursor = &walk.base;
  for (gs_cursor_first(cursor); status == GS_OK && cursor->valid;
       gs_cursor_next(cursor)) {
    gs_entry out[2];
    gs_drop_begin(&drop);
    do {
      int count = gs_drop_offer(&drop, &cursor->entry, out);
      for (int i = 0; i < count && status == GS_OK; i++) {
        status = gs_output_add(output, &out[i], false, err);
      }
    } while (status == GS_OK && gs_cursor_older(cursor));
    if (status == GS_OK && gs_drop_finish(&drop, false, out)) {
      status = gs_output_add(output, out, false, err);
    }
  }
  gs_cursor_end(cursor);
  return status == GS_OK ? gs_output_finish(output, err) : status;
}

static gs_status
name_memtable(recovery *r, size_t at, gs_output *output, gs_edit *edit,
              gs_error *err)
{
  gs_store *store = r->store;
  gs_memtable_stats stats;
  gs_memtable_get_stats(r->memtables[at], &stats);
  gs_output_init(output, store, store->options.table_bytes, 0);
  if (stats.entry_count == 0) {
    return GS_OK;
  }
  gs_status status = write_memtable(r, r->memtables[at], output, err);
  if (status == GS_OK && output->table_count > 0) {
    uint64_t run_id = gs_store_new_id(store);
    gs_edit_add_run(edit, run_id, 0, GS_PLACE_TOP, 0);
    gs_output_name(output, edit, run_id);
  }
  return status;
}

static gs_status
install_recovered(recovery *r, gs_edit *edit, gs_output *outputs, gs_error *err)
{
  gs_store *store = r->store;
  for (size_t i = 0; i < store->tree.segment_count; i++) {
    gs_edit_remove_segment(edit, store->tree.segments[i].number);
  }
  if (store->note_seq > 0 || store->note.size > 0) {
    gs_edit_set_note(edit, gs_buffer_slice(&store->note), store->note_seq);
  }
  gs_install change = {
      .edit = edit,
      .flushed_seq = r->replayed.last_seq,
      .reason = "resume",
  };
  gs_mutex_lock(store->install);
  gs_status status = gs_store_install(store, &change, err);
  gs_mutex_unlock(store->install);
  for (size_t i = 0; i < r->memtable_count; i++) {
    if (change.is_durable) {
      gs_output_keep(&outputs[i]);
    }
  }
  return status;
}

static gs_status
make_durable(recovery *r, gs_error *err)
{
  gs_store *store = r->store;
  gs_alloc *alloc = store->alloc;
  gs_edit *edit = gs_edit_new(alloc);
  gs_output *outputs = gs_alloc_zeroed(alloc, MEMTABLES_MAX * sizeof *outputs);
  gs_status status = GS_OK;
  size_t made = 0;
  if (edit == NULL || outputs == NULL) {
    status = GS_FAIL_NOMEM(err);
  }
  while (status == GS_OK && made < r->memtable_count) {
    status = name_memtable(r, made, &outputs[made], edit, err);
    made++;
  }
  if (status == GS_OK) {
    status = install_recovered(r, edit, outputs, err);
  }
  for (size_t i = 0; i < made; i++) {
    gs_output_deinit(&outputs[i]);
  }
  gs_alloc_free(alloc, outputs, MEMTABLES_MAX * sizeof *outputs);
  gs_edit_free(edit);
  return status;
}

/* ---- the whole -------------------------------------------------------------------------- */

static gs_status
check_facts(gs_store *store, gs_error *err)
{
  const gs_store_facts *facts = &store->tree.facts;
  gs_store_kind wanted = store->options.kind;
  store->kind = (gs_store_kind)facts->store_kind;
  if (store->kind != GS_STORE_BYTES && store->kind != GS_STORE_U32) {
    return GS_FAIL(err, GS_VERSION, "%s holds a store of unknown kind %u",
                   store->path, facts->store_kind);
  }
  if (wanted != GS_STORE_ANY && wanted != store->kind) {
    gs_status status =
        GS_FAIL(err, GS_KIND, "%s holds a %s store, not a %s store",
                store->path, store->kind == GS_STORE_U32 ? "u32" : "bytes",
                wanted == GS_STORE_U32 ? "u32" : "bytes");
    status = gs_error_at(err, status, store->path);
    return gs_error_hint(err, status,
                         "open it with its own kind, or give another path");
  }
  return GS_OK;
}

static gs_status
take_facts(gs_store *store, gs_error *err)
{
  const gs_store_facts *facts = &store->tree.facts;
  store->store_id = facts->store_id;
  store->salt = facts->salt;
  store->incarnation = facts->incarnation + 1;
  take_time(store, facts->clock_floor_ms);
  if (facts->next_id > atomic_load(&store->next_id)) {
    atomic_store(&store->next_id, facts->next_id);
  }
  gs_buffer_clear(&store->note);
  gs_buffer_append_slice(&store->note, gs_buffer_slice(&store->tree.note));
  store->note_seq = store->tree.note_seq;
  gs_store_adopt_tables(store, store->tree.version);
  return gs_buffer_status(&store->note, err);
}

/* A crash may have taken back sequences that somebody has seen. None is given
 * out a second time: the count goes on beyond all that the listed segments can
 * have held. */
static uint64_t
burnt_seq(const recovery *r)
{
  const gs_manifest_state *tree = &r->store->tree;
  uint64_t last = r->replayed.last_seq;
  if (tree->facts.last_seq > last) {
    last = tree->facts.last_seq;
  }
  for (size_t i = 0; i < tree->segment_count; i++) {
    last += tree->segments[i].allocated_bytes / GS_BATCH_RECORD_BYTES;
  }
  return last;
}

/* The view of a recovered store: a fresh memtable, and for a reader beside a
 * writer what was replayed, newest first. */
static gs_status
publish(recovery *r, bool with_replayed, gs_error *err)
{
  gs_store *store = r->store;
  gs_memtable *places[MEMTABLES_MAX + 1];
  size_t count = 0;
  gs_status status =
      gs_memtable_new(store->env, (size_t)store->options.memtable_bytes,
                      gs_store_clock(store), &store->active, err);
  if (status != GS_OK) {
    return status;
  }
  places[count++] = store->active;
  for (size_t i = r->memtable_count; with_replayed && i > 0; i--) {
    places[count++] = r->memtables[i - 1];
  }
  gs_mutex_lock(store->state);
  status = gs_store_publish(store, places, count, store->tree.version, err);
  gs_mutex_unlock(store->state);
  gs_memtable_unref(store->active); /* the view holds it */
  return status;
}

static void
set_sequences(gs_store *store, uint64_t last_seq)
{
  store->next_seq = last_seq + 1;
  store->awaited_seq = last_seq;
  atomic_store(&store->visible_seq, last_seq);
  atomic_store(&store->durable_seq, last_seq);
  atomic_store(&store->flushed_seq, store->tree.facts.flushed_seq);
}

/* A reader beside a writer: the open files stay readable when the writer has
 * deleted their names. */
static gs_status
open_tables(gs_store *store, gs_error *err)
{
  const gs_version *version = store->tree.version;
  for (size_t r = 0; r < version->run_count; r++) {
    for (size_t t = 0; t < version->runs[r]->table_count; t++) {
      gs_table *table;
      gs_status status =
          gs_store_table(store, version->runs[r]->tables[t], &table, err);
      if (status != GS_OK) {
        return status;
      }
    }
  }
  return GS_OK;
}

static gs_status
serve(recovery *r, bool is_torn_manifest, gs_error *err)
{
  gs_store *store = r->store;
  gs_status status = publish(r, store->is_readonly, err);
  if (status != GS_OK) {
    return status;
  }
  if (!store->is_readonly) {
    r->replayed.last_seq = burnt_seq(r);
  }
  set_sequences(store, r->replayed.last_seq);
  bool is_settled = store->tree.segment_count == 0 && !is_torn_manifest &&
                    store->tree.facts.is_clean;
  if (store->is_readonly) {
    return open_tables(store, err);
  }
  if (is_settled) {
    return GS_OK;
  }
  status = make_durable(r, err);
  if (status == GS_OK) {
    gs_directory_sweep(store->env, store->alloc, store->path, &store->tree,
                       gs_manifest_number(store->manifest));
    atomic_store(&store->flushed_seq, store->tree.facts.flushed_seq);
  }
  return status;
}

gs_status
gs_recover(gs_store *store, gs_error *err)
{
  recovery r = {.store = store};
  gs_manifest_found found;
  gs_status status =
      gs_manifest_read(store->env, store->path, &store->tree, &found, err);
  if (status == GS_OK) {
    store->read_manifest = found.number;
    status = check_facts(store, err);
  }
  if (status == GS_OK) {
    status = take_facts(store, err);
  }
  if (status != GS_OK) {
    return status;
  }
  status = replay(&r, err);
  if (status == GS_OK) {
    status = serve(&r, found.is_torn, err);
  }
  for (size_t i = 0; i < r.memtable_count; i++) {
    gs_memtable_unref(r.memtables[i]);
  }
  return status;
}

gs_status
gs_recover_fresh(gs_store *store, gs_error *err)
{
  gs_store_facts *facts = &store->tree.facts;
  for (size_t i = 0; i < sizeof facts->store_id.bytes; i += 8) {
    uint64_t word = gs_env_random64(store->env);
    memcpy(facts->store_id.bytes + i, &word, sizeof word);
  }
  store->kind = store->options.kind == GS_STORE_ANY ? GS_STORE_BYTES
                                                    : store->options.kind;
  facts->store_kind = (uint32_t)store->kind;
  facts->salt = gs_env_random64(store->env);
  facts->next_id = 1;
  facts->clock_floor_ms = gs_store_clock(store);
  facts->is_clean = true;
  recovery r = {.store = store};
  gs_status status = take_facts(store, err);
  if (status == GS_OK) {
    status = publish(&r, false, err);
  }
  if (status != GS_OK) {
    return status;
  }
  set_sequences(store, 0);
  /* The empty store is durable before anybody is told that it exists. */
  return gs_manifest_create(store->env, store->path, store->manifest_number,
                            &store->tree, &store->manifest, err);
}
