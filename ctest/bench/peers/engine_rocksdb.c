/*
 * RocksDB through its C interface: a Bloom filter of 10 bits a key, one block
 * cache.
 */
#include "bench/peers/peer.h"

#include <rocksdb/c.h>
#include <time.h>

/* The library's own header for this is C++; the build asks pkg-config. */
#ifndef ROCKSDB_VERSION
#define ROCKSDB_VERSION "?"
#endif

static const char engine_name[] = "RocksDB";

typedef struct database {
  rocksdb_t *db;
  rocksdb_options_t *options;
  rocksdb_block_based_table_options_t *table;
  rocksdb_cache_t *cache;
  bool is_durable;
} database;

typedef struct session {
  database *of;
  rocksdb_readoptions_t *read;
  rocksdb_writeoptions_t *write;
  rocksdb_writebatch_t *batch;
  rocksdb_pinnableslice_t *pinned;
} session;

static void
need(char *message, const char *what)
{
  if (message != NULL) {
    peer_die(engine_name, what, message);
  }
}

static void
version(char text[64])
{
  snprintf(text, 64, "%s", ROCKSDB_VERSION);
}

static const char *const codecs[] = {"lz4", "zstd", "snappy", NULL};

static int
compression_of(const char *codec)
{
  if (codec == NULL) {
    return rocksdb_no_compression;
  }
  if (strcmp(codec, "snappy") == 0) {
    return rocksdb_snappy_compression;
  }
  return strcmp(codec, "lz4") == 0 ? rocksdb_lz4_compression
                                   : rocksdb_zstd_compression;
}

static void *
open_db(const peer_setup *setup)
{
  database *d = calloc(1, sizeof *d);
  if (d == NULL) {
    peer_die(engine_name, "open", "out of memory");
  }
  char *failure = NULL;
  d->is_durable = setup->is_durable;
  d->options = rocksdb_options_create();
  d->table = rocksdb_block_based_options_create();
  d->cache = rocksdb_cache_create_lru(setup->cache_bytes);
  rocksdb_block_based_options_set_block_cache(d->table, d->cache);
  rocksdb_block_based_options_set_filter_policy(
      d->table, rocksdb_filterpolicy_create_bloom_full(10));
  rocksdb_options_set_block_based_table_factory(d->options, d->table);
  rocksdb_options_set_create_if_missing(d->options, 1);
  rocksdb_options_set_compression(d->options, compression_of(setup->codec));
  rocksdb_options_set_write_buffer_size(d->options, setup->write_buffer_bytes);
  d->db = rocksdb_open(d->options, setup->dir, &failure);
  need(failure, "open");
  return d;
}

static void
close_db(void *opaque)
{
  database *d = opaque;
  rocksdb_close(d->db);
  rocksdb_block_based_options_destroy(d->table);
  rocksdb_options_destroy(d->options);
  rocksdb_cache_destroy(d->cache);
  free(d);
}

static void *
begin_session(void *opaque)
{
  session *s = calloc(1, sizeof *s);
  if (s == NULL) {
    peer_die(engine_name, "session", "out of memory");
  }
  s->of = opaque;
  s->read = rocksdb_readoptions_create();
  s->write = rocksdb_writeoptions_create();
  rocksdb_writeoptions_set_sync(s->write, s->of->is_durable);
  s->batch = rocksdb_writebatch_create();
  return s;
}

static void
unpin(session *s)
{
  if (s->pinned != NULL) {
    rocksdb_pinnableslice_destroy(s->pinned);
    s->pinned = NULL;
  }
}

static void
end_session(void *opaque)
{
  session *s = opaque;
  unpin(s);
  rocksdb_readoptions_destroy(s->read);
  rocksdb_writeoptions_destroy(s->write);
  rocksdb_writebatch_destroy(s->batch);
  free(s);
}

static void
put(void *opaque, const char *key, peer_bytes value)
{
  session *s = opaque;
  char *failure = NULL;
  rocksdb_put(s->of->db, s->write, key, PEER_KEY_BYTES, value.data, value.size,
              &failure);
  need(failure, "put");
}

static void
remove_key(void *opaque, const char *key)
{
  session *s = opaque;
  char *failure = NULL;
  rocksdb_delete(s->of->db, s->write, key, PEER_KEY_BYTES, &failure);
  need(failure, "delete");
}

static void
batch(void *opaque, const peer_pair *pairs, size_t count)
{
  session *s = opaque;
  char *failure = NULL;
  for (size_t i = 0; i < count; i++) {
    rocksdb_writebatch_put(s->batch, pairs[i].key.data, pairs[i].key.size,
                           pairs[i].value.data, pairs[i].value.size);
  }
  rocksdb_write(s->of->db, s->write, s->batch, &failure);
  rocksdb_writebatch_clear(s->batch);
  need(failure, "batch");
}

static bool
get(void *opaque, const char *key, peer_bytes *out)
{
  session *s = opaque;
  char *failure = NULL;
  unpin(s);
  s->pinned =
      rocksdb_get_pinned(s->of->db, s->read, key, PEER_KEY_BYTES, &failure);
  need(failure, "get");
  if (s->pinned == NULL) {
    return false;
  }
  out->data = rocksdb_pinnableslice_value(s->pinned, &out->size);
  return out->data != NULL;
}

static void
place(rocksdb_iterator_t *at, const peer_scan *want)
{
  if (want->from == NULL) {
    (want->is_reverse ? rocksdb_iter_seek_to_last
                      : rocksdb_iter_seek_to_first)(at);
  } else if (want->is_reverse) {
    rocksdb_iter_seek_for_prev(at, want->from, PEER_KEY_BYTES);
  } else {
    rocksdb_iter_seek(at, want->from, PEER_KEY_BYTES);
  }
}

static size_t
scan(void *opaque, const peer_scan *want)
{
  session *s = opaque;
  size_t count = 0;
  rocksdb_iterator_t *at = rocksdb_create_iterator(s->of->db, s->read);
  for (place(at, want); rocksdb_iter_valid(at) && count < want->limit;) {
    peer_bytes key;
    peer_bytes value;
    key.data = rocksdb_iter_key(at, &key.size);
    value.data = rocksdb_iter_value(at, &value.size);
    want->visit(want->context, key, value);
    if (++count < want->limit) {
      (want->is_reverse ? rocksdb_iter_prev : rocksdb_iter_next)(at);
    }
  }
  char *failure = NULL;
  rocksdb_iter_get_error(at, &failure);
  need(failure, "scan");
  rocksdb_iter_destroy(at);
  return count;
}

static bool
is_busy(database *d)
{
  static const char *const counts[] = {
      "rocksdb.num-running-compactions", "rocksdb.num-running-flushes",
      "rocksdb.compaction-pending", "rocksdb.mem-table-flush-pending"};
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
    uint64_t count = 0;
    if (rocksdb_property_int(d->db, counts[i], &count) == 0 && count > 0) {
      return true;
    }
  }
  return false;
}

static void
settle(void *opaque)
{
  database *d = opaque;
  char *failure = NULL;
  rocksdb_flushoptions_t *options = rocksdb_flushoptions_create();
  rocksdb_flush(d->db, options, &failure);
  need(failure, "flush");
  rocksdb_flushoptions_destroy(options);
  rocksdb_compact_range(d->db, NULL, 0, NULL, 0);
  struct timespec pause = {.tv_nsec = 20000000};
  for (int quiet = 0; quiet < 5; quiet = is_busy(d) ? 0 : quiet + 1) {
    nanosleep(&pause, NULL);
  }
}

const peer_engine peer_rocksdb = {
    .name = engine_name,
    .settings = "Bloom 10 bits, LRU cache",
    .codecs = codecs,
    .version = version,
    .open = open_db,
    .close = close_db,
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
