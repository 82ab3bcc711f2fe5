/*
 * write_batch: writes gathered by one thread and committed together.
 *
 * A ttl counts from the commit, so what is gathered keeps the ttl and the
 * records get their times when the batch is committed: they are rewritten into
 * a payload whose expiries are final.
 */
#include "store/turn.h"

struct gs_write_batch {
  gs_store *store;
  gs_batch gathered; /* expiry fields hold a ttl where the mark says so */
  gs_batch final;    /* what is committed, where a ttl must be resolved */
  size_t data_bytes; /* keys and values */
  bool has_ttl;
  gs_status failure; /* of the first append that failed; GS_OK: none */
  gs_error error;    /* and its words */
};

/* A ttl stands in the expiry field with the top bit set: times beyond it lie
 * millions of years ahead and are cut to just below. */
#define TTL_MARK (UINT64_C(1) << 63)

/* A time that a batch carries moves the store's clock for good: what is surely
 * no count of milliseconds is refused. Somewhere in the year 5138. */
#define NOW_MAX_MS UINT64_C(100000000000000)

gs_status
gs_write_batch_new(gs_store *store, gs_write_batch **out, gs_error *err)
{
  gs_write_batch *batch = GS_NEW(store->alloc, gs_write_batch);
  if (batch == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  batch->store = store;
  gs_batch_init(&batch->gathered, store->alloc);
  gs_batch_init(&batch->final, store->alloc);
  *out = batch;
  return GS_OK;
}

void
gs_write_batch_free(gs_write_batch *batch)
{
  if (batch != NULL && gs_store_check(batch->store, NULL) == GS_OK) {
    gs_batch_deinit(&batch->gathered);
    gs_batch_deinit(&batch->final);
    GS_DELETE(batch->store->alloc, batch);
  }
}

void
gs_write_batch_clear(gs_write_batch *batch)
{
  gs_batch_clear(&batch->gathered);
  gs_batch_clear(&batch->final);
  batch->data_bytes = 0;
  batch->has_ttl = false;
  batch->failure = GS_OK;
}

/* Appends are sticky: the first failure is what every later append and the
 * commit answer, so that no batch is ever committed in part. */
static gs_status
begin_append(gs_write_batch *batch, gs_slice key, gs_slice value,
             bool is_delete, gs_error *err)
{
  if (batch->failure == GS_OK) {
    batch->failure =
        is_delete
            ? gs_store_check_key(batch->store, key, &batch->error)
            : gs_store_check_entry(batch->store, key, value, &batch->error);
  }
  if (batch->failure != GS_OK && err != NULL) {
    *err = batch->error;
  }
  return batch->failure;
}

static gs_status
end_append(gs_write_batch *batch, gs_error *err)
{
  batch->failure = gs_batch_status(&batch->gathered, &batch->error);
  if (batch->failure != GS_OK && err != NULL) {
    *err = batch->error;
  }
  return batch->failure;
}

static gs_status
marked_expiry(gs_write_batch *batch, const gs_write_options *options,
              uint64_t *out, gs_error *err)
{
  uint64_t ttl_ms = gs_limit(&batch->store->limits.default_ttl_ms);
  bool has_ttl = ttl_ms != 0;
  *out = 0;
  if (options != NULL && options->expires_at_ms != 0) {
    if (options->has_ttl) {
      return GS_FAIL(err, GS_MISUSE, "give ttl_ms or expires_at_ms, not both");
    }
    *out = options->expires_at_ms < TTL_MARK ? options->expires_at_ms
                                             : TTL_MARK - 1;
    return GS_OK;
  }
  if (options != NULL && options->has_ttl) {
    ttl_ms = options->ttl_ms;
    has_ttl = true;
  }
  if (has_ttl) {
    *out = (ttl_ms < TTL_MARK ? ttl_ms : TTL_MARK - 1) | TTL_MARK;
    batch->has_ttl = true;
  }
  return GS_OK;
}

gs_status
gs_write_batch_put(gs_write_batch *batch, gs_slice key, gs_slice value,
                   const gs_write_options *options, gs_error *err)
{
  uint64_t expiry = 0;
  gs_status status = begin_append(batch, key, value, false, err);
  if (status == GS_OK) {
    status = marked_expiry(batch, options, &expiry, err);
  }
  if (status != GS_OK) {
    return status;
  }
  gs_store_encode_put(batch->store, &batch->gathered, key, value, expiry);
  batch->data_bytes += key.size + value.size;
  return end_append(batch, err);
}

gs_status
gs_write_batch_delete(gs_write_batch *batch, gs_slice key, gs_error *err)
{
  gs_status status = begin_append(batch, key, gs_slice_of(NULL, 0), true, err);
  if (status != GS_OK) {
    return status;
  }
  gs_store_encode_delete(batch->store, &batch->gathered, key);
  batch->data_bytes += key.size;
  return end_append(batch, err);
}

size_t
gs_write_batch_count(const gs_write_batch *batch)
{
  return batch->gathered.entry_count;
}

size_t
gs_write_batch_bytes(const gs_write_batch *batch)
{
  return batch->data_bytes;
}

/* ---- committing -------------------------------------------------------------------- */

static uint64_t
resolve(uint64_t marked, uint64_t now_ms)
{
  if ((marked & TTL_MARK) == 0) {
    return marked;
  }
  uint64_t ttl_ms = marked & ~TTL_MARK;
  uint64_t latest = TTL_MARK - 1;
  uint64_t at = ttl_ms > latest - now_ms ? latest : now_ms + ttl_ms;
  return at == 0 ? 1 : at;
}

static gs_status
resolve_ttls(gs_write_batch *batch, uint64_t now_ms, gs_error *err)
{
  gs_batch_reader reader;
  gs_batch_clear(&batch->final);
  gs_status status = gs_batch_read_begin(
      &reader, gs_buffer_slice(&batch->gathered.bytes), 1, err);
  while (status == GS_OK) {
    gs_batch_item item;
    gs_entry entry;
    status = gs_batch_read(&reader, &item, &entry, err);
    if (status != GS_OK || item == GS_BATCH_END) {
      break;
    }
    if (entry.kind == GS_KIND_DELETE) {
      gs_batch_delete(&batch->final, entry.key);
    } else {
      gs_batch_put(&batch->final, entry.key, entry.value,
                   resolve(entry.expires_at_ms, now_ms));
    }
  }
  return status == GS_OK ? gs_batch_status(&batch->final, err) : status;
}

static gs_status
prepare(gs_write_batch *batch, const gs_commit_options *options, gs_batch **out,
        gs_error *err)
{
  gs_store *store = batch->store;
  if (options != NULL && options->now_ms > NOW_MAX_MS) {
    return GS_FAIL(err, GS_MISUSE,
                   "now_ms is in milliseconds since 1970; %llu is too far",
                   (unsigned long long)options->now_ms);
  }
  uint64_t now_ms = options != NULL && options->now_ms != 0
                        ? options->now_ms
                        : gs_store_clock(store);
  *out = &batch->gathered;
  bool has_note = options != NULL && options->has_note;
  if (batch->has_ttl || has_note) {
    gs_status status = resolve_ttls(batch, now_ms, err);
    if (status != GS_OK) {
      return status;
    }
    *out = &batch->final;
  }
  if (has_note) {
    gs_batch_meta(&batch->final, options->note);
  }
  gs_batch_set_now(*out, now_ms);
  return gs_batch_status(*out, err);
}

gs_status
gs_write_batch_commit(gs_write_batch *batch, const gs_commit_options *options,
                      uint64_t *first, uint64_t *last, gs_error *err)
{
  gs_store *store = batch->store;
  gs_batch *payload = NULL;
  gs_commit_result result = {0, 0};
  bool sync = (options != NULL && options->sync) ||
              store->options.durability == GS_DURABILITY_SYNC;
  gs_status status = gs_store_check_writable(store, err);
  if (status == GS_OK) {
    status = gs_store_check_sync(store, options != NULL && options->sync, err);
  }
  if (status == GS_OK && batch->failure != GS_OK) {
    status = batch->failure;
    if (err != NULL) {
      *err = batch->error;
    }
  }
  bool is_empty = batch->gathered.entry_count == 0 &&
                  (options == NULL || !options->has_note);
  if (status == GS_OK && !is_empty) {
    status = prepare(batch, options, &payload, err);
  }
  if (status == GS_OK && !is_empty) {
    status = gs_store_commit(store, payload, sync, &result, err);
  }
  if (status == GS_OK && sync && is_empty) {
    status = gs_sync(store, err);
  }
  if (status != GS_OK) {
    return status;
  }
  if (options != NULL && options->now_ms != 0) {
    gs_clock_raise(store, options->now_ms);
  }
  gs_tally(&store->counters.batches, 1);
  gs_write_batch_clear(batch);
  if (first != NULL) {
    *first = result.first;
  }
  if (last != NULL) {
    *last = result.last;
  }
  return GS_OK;
}

gs_status
gs_get_note(gs_store *store, gs_value *out, gs_error *err)
{
  gs_status status = gs_store_check(store, err);
  if (status != GS_OK) {
    return status;
  }
  gs_commit_lock(store);
  gs_note_text note = gs_note_read(&store->note, store->wal.durable_frame);
  gs_buffer_clear(&out->bytes);
  gs_buffer_append_slice(&out->bytes, note.text);
  gs_mutex_unlock(store->commit);
  out->seq = note.seq;
  out->expires_at_ms = 0;
  status = gs_buffer_status(&out->bytes, err);
  bool is_present = note.seq > 0 || note.text.size > 0;
  return status != GS_OK ? status : is_present ? GS_OK : GS_ABSENT;
}
