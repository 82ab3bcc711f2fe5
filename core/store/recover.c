/*
 * recover: manifest, log, new tables, new manifest, old files away; in this
 * order, each step repeatable.
 */
#include "store/recover.h"

#include "store/admission.h"
#include "store/survivors.h"
#include "wal/replay.h"

enum { MEMTABLES_MAX = 64 };

typedef struct recovery {
  gs_store *store;
  gs_memtable *memtables[MEMTABLES_MAX]; /* oldest first */
  size_t memtable_count;
  gs_manifest_found found;
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
      gs_memtable_new(store->env, NULL, (size_t)capacity, gs_store_clock(store),
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
    return gs_note_set(&store->note,
                       &(gs_note_text){.text = entry->value, .seq = seq}, 0,
                       err);
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
  gs_clock_raise(r->store, reader.now_ms);
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
      .holds_all = store->is_readonly,
      .takes_prefix = store->options.salvage == GS_SALVAGE_PREFIX,
      .batch = take_batch,
      .context = r,
  };
  /* facts->last_seq was in use, yet a crash may rightly have lost what was not
   * synced: it proves nothing about the log's end. */
  gs_status status = gs_wal_replay(store->env, &request, &r->replayed, err);
  if (status == GS_OK) {
    store->counters.recovered_batches = r->replayed.batch_count;
    store->counters.recovered_torn_bytes = r->replayed.torn_bytes;
    store->counters.recovered_bits =
        r->replayed.repaired_bits + r->found.repaired_bits;
    store->counters.is_salvaged = r->replayed.is_salvaged;
  }
  return status;
}

/* ---- making it durable ---------------------------------------------------------------- */

/* Room that the tables may take, and the manifest. */
enum { RECOVERY_SLACK_BYTES = 1024 * 1024 };

/* Files that no manifest lists, as recoveries that were cut short leave them,
 * go first: else they would grow with each attempt. Only what is newer than the
 * manifest goes: what it says may stand in the kernel's memory alone, where a
 * killed process left it, and a power loss would bring back the state before,
 * which lists files that this one does not. */
static void
clear_away(gs_store *store)
{
  gs_directory_sweep_newer(store->env, store->alloc, store->path, &store->tree,
                           store->read_manifest);
}

static gs_status
save_survivors(recovery *r, gs_error *err)
{
  gs_survivors survivors;
  gs_status status =
      gs_survivors_init(&survivors, r->store, r->memtable_count, err);
  if (status != GS_OK) {
    return status;
  }
  for (size_t i = 0; status == GS_OK && i < r->memtable_count; i++) {
    status = gs_survivors_add(&survivors, r->memtables[i], err);
  }
  if (status == GS_OK) {
    gs_install change = {
        .flushed_seq = r->replayed.last_seq,
        .reason = "resume",
    };
    status = gs_survivors_install(&survivors, &change, err);
  }
  gs_survivors_deinit(&survivors);
  return status;
}

static gs_status
make_durable(recovery *r, gs_error *err)
{
  gs_store *store = r->store;
  gs_ballast_make_way(store, 2 * log_bytes(store) + RECOVERY_SLACK_BYTES);
  clear_away(store);
  gs_status status = save_survivors(r, err);
  if (status == GS_OK) {
    gs_directory_sweep(store->env, store->alloc, store->path, &store->tree,
                       gs_manifest_number(store->manifest));
    atomic_store(&store->flushed_seq, store->tree.facts.flushed_seq);
  }
  return status;
}

/* ---- the whole -------------------------------------------------------------------------- */

static gs_status
take_facts(gs_store *store, gs_error *err)
{
  const gs_store_facts *facts = &store->tree.facts;
  store->store_id = facts->store_id;
  store->salt = facts->salt;
  store->incarnation = facts->incarnation + 1;
  gs_clock_begin(store, facts->clock_floor_ms, facts->safe_clock_ms);
  if (facts->next_id > atomic_load(&store->next_id)) {
    atomic_store(&store->next_id, facts->next_id);
  }
  gs_store_adopt_tables(store, store->tree.version);
  gs_note_text note = {.text = gs_buffer_slice(&store->tree.note),
                       .seq = store->tree.note_seq};
  return gs_note_set(&store->note, &note, 0, err);
}

/* A crash may have taken back sequences that somebody has seen. None is given
 * out a second time: the count goes on beyond all that the listed segments can
 * have held. */
static uint64_t
burnt_seq(const recovery *r)
{
  const gs_manifest_state *tree = &r->store->tree;
  uint64_t last = r->replayed.last_seq;
  /* Behind the clean mark all that was given out is flushed. What the last
   * sequence says beyond that was reserved. */
  if (!tree->facts.is_clean && tree->facts.last_seq > last) {
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
  gs_status status = gs_memtable_new(
      store->env, &store->spare, (size_t)store->options.memtable_bytes,
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
  atomic_store(&store->visible_seq, last_seq);
  atomic_store(&store->durable_seq, last_seq);
  atomic_store(&store->flushed_seq, store->tree.facts.flushed_seq);
}

/* Whether all may be served as it stands on the disk. Files that an earlier
 * opening could not delete, or whose deletion a crash took back, want a
 * manifest that is durable before they go. */
static gs_status
look_if_settled(const recovery *r, bool *out, gs_error *err)
{
  const gs_manifest_state *tree = &r->store->tree;
  bool has_rest = false;
  *out = false;
  if (tree->segment_count > 0 || !tree->facts.is_clean || r->found.is_torn ||
      r->found.repaired_bits > 0) {
    return GS_OK;
  }
  gs_status status =
      gs_directory_has_rest(r->store, r->found.number, &has_rest, err);
  *out = !has_rest;
  return status;
}

static gs_status
serve(recovery *r, gs_error *err)
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
  if (store->is_readonly) {
    return GS_OK;
  }
  bool is_settled = false;
  status = look_if_settled(r, &is_settled, err);
  return status != GS_OK || is_settled ? status : make_durable(r, err);
}

gs_status
gs_recover(gs_store *store, bool *is_unmade, gs_error *err)
{
  recovery r = {.store = store};
  gs_status status =
      gs_manifest_read(store->env, store->path, &store->tree, &r.found, err);
  *is_unmade = r.found.is_unmade;
  if (status == GS_OK) {
    store->read_manifest = r.found.number;
    status = gs_admission_check_kind(store, err);
  }
  if (status == GS_OK) {
    status = gs_admission_check_end(store, err);
  }
  if (status == GS_OK) {
    status = take_facts(store, err);
  }
  if (status == GS_OK) {
    status = gs_admission_check_tables(store, err);
  }
  if (status == GS_OK && store->is_readonly) {
    /* At once: a writer may delete them, and an open table stays. */
    status = gs_admission_open_tables(store, err);
  }
  if (status != GS_OK) {
    return status;
  }
  status = replay(&r, err);
  if (status == GS_OK) {
    status = serve(&r, err);
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
  facts->safe_clock_ms = facts->clock_floor_ms;
  facts->is_clean = true;
  recovery r = {.store = store};
  gs_status status = take_facts(store, err);
  gs_clock_begin_fresh(store);
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
