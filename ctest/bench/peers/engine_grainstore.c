/*
 * GrainStore through grainstore.h, default settings but for the sizes that all
 * engines get: "batch" durability where no flush is asked for, "sync" where it
 * is.
 */
#include "bench/peers/peer.h"

#include "grainstore.h"

static const char engine_name[] = "GrainStore";

typedef struct session {
  gs_store *store;
  gs_value value;
  gs_write_batch *batch;
} session;

static gs_error failure;

static void
need(gs_status status, const char *what)
{
  if (status != GS_OK) {
    peer_die(engine_name, what, failure.message);
  }
}

static void
version(char text[64])
{
  snprintf(text, 64, "%s", GS_VERSION_TEXT);
}

static const char *const codecs[] = {"lz4", "zstd", NULL};

static gs_compression
compression_of(const char *codec)
{
  if (codec == NULL) {
    return GS_COMPRESSION_NONE;
  }
  return strcmp(codec, "lz4") == 0 ? GS_COMPRESSION_LZ4 : GS_COMPRESSION_ZSTD;
}

static void *
open_store(const peer_setup *setup)
{
  gs_options options;
  gs_store *store = NULL;
  gs_options_init(&options);
  options.durability =
      setup->is_durable ? GS_DURABILITY_SYNC : GS_DURABILITY_BATCH;
  options.memory_bytes = setup->cache_bytes + 2 * setup->write_buffer_bytes;
  options.compression = compression_of(setup->codec);
  need(gs_open(setup->dir, &options, &store, &failure), "open");
  return store;
}

static void
close_store(void *db)
{
  need(gs_close(db, &failure), "close");
}

static void *
begin_session(void *db)
{
  session *s = calloc(1, sizeof *s);
  if (s == NULL) {
    peer_die(engine_name, "session", "out of memory");
  }
  s->store = db;
  gs_value_init(&s->value, db);
  need(gs_write_batch_new(db, &s->batch, &failure), "batch");
  return s;
}

static void
end_session(void *opaque)
{
  session *s = opaque;
  gs_write_batch_free(s->batch);
  gs_value_deinit(&s->value);
  free(s);
}

static gs_slice
slice(peer_bytes bytes)
{
  return gs_slice_of(bytes.data, bytes.size);
}

static gs_slice
slice_of_key(const char *key)
{
  return gs_slice_of(key, PEER_KEY_BYTES);
}

static void
put(void *opaque, const char *key, peer_bytes value)
{
  session *s = opaque;
  need(gs_put(s->store, slice_of_key(key), slice(value), NULL, NULL, &failure),
       "put");
}

static void
remove_key(void *opaque, const char *key)
{
  session *s = opaque;
  need(gs_delete(s->store, slice_of_key(key), NULL, NULL, &failure), "delete");
}

static void
batch(void *opaque, const peer_pair *pairs, size_t count)
{
  session *s = opaque;
  for (size_t i = 0; i < count; i++) {
    need(gs_write_batch_put(s->batch, slice(pairs[i].key),
                            slice(pairs[i].value), NULL, &failure),
         "batch");
  }
  need(gs_write_batch_commit(s->batch, NULL, NULL, NULL, &failure), "commit");
}

static bool
get(void *opaque, const char *key, peer_bytes *out)
{
  session *s = opaque;
  gs_status status =
      gs_get(s->store, NULL, slice_of_key(key), &s->value, &failure);
  if (status == GS_ABSENT) {
    return false;
  }
  need(status, "get");
  *out = (peer_bytes){s->value.bytes.data, s->value.bytes.size};
  return true;
}

static gs_status
place(gs_scan *scan, const peer_scan *want)
{
  if (want->from == NULL) {
    return want->is_reverse ? gs_scan_last(scan, &failure)
                            : gs_scan_first(scan, &failure);
  }
  return want->is_reverse
             ? gs_scan_seek_before(scan, slice_of_key(want->from), &failure)
             : gs_scan_seek(scan, slice_of_key(want->from), &failure);
}

static size_t
scan(void *opaque, const peer_scan *want)
{
  session *s = opaque;
  gs_range all = {0};
  gs_scan *scan = NULL;
  size_t count = 0;
  need(gs_scan_new(s->store, NULL, &all, &scan, &failure), "scan");
  gs_status status = place(scan, want);
  while (status == GS_OK) {
    gs_slice key = gs_scan_key(scan);
    gs_slice value = gs_scan_value(scan);
    want->visit(want->context, (peer_bytes){key.data, key.size},
                (peer_bytes){value.data, value.size});
    if (++count == want->limit) {
      break;
    }
    status = want->is_reverse ? gs_scan_prev(scan, &failure)
                              : gs_scan_next(scan, &failure);
  }
  if (status != GS_ABSENT) {
    need(status, "scan");
  }
  gs_scan_free(scan);
  return count;
}

static void
settle(void *db)
{
  need(gs_flush(db, &failure), "flush");
  need(gs_compact(db, NULL, &failure), "compact");
  need(gs_wait_idle(db, &failure), "wait");
}

const peer_engine peer_grainstore = {
    .name = engine_name,
    .settings =
        "\"batch\" (on the device within 10 ms) or \"sync\", built-in policy, "
        "one memory for cache and write buffers, divided as by default",
    .codecs = codecs,
    .version = version,
    .open = open_store,
    .close = close_store,
    .session = begin_session,
    .session_end = end_session,
    .put = put,
    .remove = remove_key,
    .batch = batch,
    .get = get,
    .scan = scan,
    .settle = settle,
    .has_log = true,
    .is_lsm = true,
};
