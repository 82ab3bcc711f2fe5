/*
 * LevelDB through its C interface: a Bloom filter of 10 bits a key, one block
 * cache.
 */
#include "bench/peers/peer.h"

#include <leveldb/c.h>

static const char engine_name[] = "LevelDB";

typedef struct database {
  leveldb_t *db;
  leveldb_options_t *options;
  leveldb_cache_t *cache;
  leveldb_filterpolicy_t *filter;
  bool is_durable;
} database;

typedef struct session {
  database *of;
  leveldb_readoptions_t *read;
  leveldb_writeoptions_t *write;
  leveldb_writebatch_t *batch;
  char *value;
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
  snprintf(text, 64, "%d.%d", leveldb_major_version(), leveldb_minor_version());
}

static const char *const codecs[] = {"snappy", NULL};

static void *
open_db(const peer_setup *setup)
{
  database *d = calloc(1, sizeof *d);
  if (d == NULL) {
    peer_die(engine_name, "open", "out of memory");
  }
  char *failure = NULL;
  d->is_durable = setup->is_durable;
  d->options = leveldb_options_create();
  d->cache = leveldb_cache_create_lru(setup->cache_bytes);
  d->filter = leveldb_filterpolicy_create_bloom(10);
  leveldb_options_set_cache(d->options, d->cache);
  leveldb_options_set_filter_policy(d->options, d->filter);
  leveldb_options_set_create_if_missing(d->options, 1);
  leveldb_options_set_compression(d->options, setup->codec == NULL
                                                  ? leveldb_no_compression
                                                  : leveldb_snappy_compression);
  leveldb_options_set_write_buffer_size(d->options, setup->write_buffer_bytes);
  d->db = leveldb_open(d->options, setup->dir, &failure);
  need(failure, "open");
  return d;
}

static void
close_db(void *opaque)
{
  database *d = opaque;
  leveldb_close(d->db);
  leveldb_options_destroy(d->options);
  leveldb_cache_destroy(d->cache);
  leveldb_filterpolicy_destroy(d->filter);
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
  s->read = leveldb_readoptions_create();
  s->write = leveldb_writeoptions_create();
  leveldb_writeoptions_set_sync(s->write, s->of->is_durable);
  s->batch = leveldb_writebatch_create();
  return s;
}

static void
end_session(void *opaque)
{
  session *s = opaque;
  leveldb_free(s->value);
  leveldb_readoptions_destroy(s->read);
  leveldb_writeoptions_destroy(s->write);
  leveldb_writebatch_destroy(s->batch);
  free(s);
}

static void
put(void *opaque, const char *key, peer_bytes value)
{
  session *s = opaque;
  char *failure = NULL;
  leveldb_put(s->of->db, s->write, key, PEER_KEY_BYTES, value.data, value.size,
              &failure);
  need(failure, "put");
}

static void
remove_key(void *opaque, const char *key)
{
  session *s = opaque;
  char *failure = NULL;
  leveldb_delete(s->of->db, s->write, key, PEER_KEY_BYTES, &failure);
  need(failure, "delete");
}

static void
batch(void *opaque, const peer_pair *pairs, size_t count)
{
  session *s = opaque;
  char *failure = NULL;
  for (size_t i = 0; i < count; i++) {
    leveldb_writebatch_put(s->batch, pairs[i].key.data, pairs[i].key.size,
                           pairs[i].value.data, pairs[i].value.size);
  }
  leveldb_write(s->of->db, s->write, s->batch, &failure);
  leveldb_writebatch_clear(s->batch);
  need(failure, "batch");
}

static bool
get(void *opaque, const char *key, peer_bytes *out)
{
  session *s = opaque;
  char *failure = NULL;
  leveldb_free(s->value);
  s->value = leveldb_get(s->of->db, s->read, key, PEER_KEY_BYTES, &out->size,
                         &failure);
  need(failure, "get");
  out->data = s->value;
  return s->value != NULL;
}

/* There is no seek for the last key below another: one step back from the
 * first that is not. */
static void
place(leveldb_iterator_t *at, const peer_scan *want)
{
  if (want->from == NULL) {
    (want->is_reverse ? leveldb_iter_seek_to_last
                      : leveldb_iter_seek_to_first)(at);
    return;
  }
  leveldb_iter_seek(at, want->from, PEER_KEY_BYTES);
  if (want->is_reverse) {
    (leveldb_iter_valid(at) ? leveldb_iter_prev
                            : leveldb_iter_seek_to_last)(at);
  }
}

static size_t
scan(void *opaque, const peer_scan *want)
{
  session *s = opaque;
  size_t count = 0;
  leveldb_iterator_t *at = leveldb_create_iterator(s->of->db, s->read);
  for (place(at, want); leveldb_iter_valid(at) && count < want->limit;) {
    peer_bytes key;
    peer_bytes value;
    key.data = leveldb_iter_key(at, &key.size);
    value.data = leveldb_iter_value(at, &value.size);
    want->visit(want->context, key, value);
    if (++count < want->limit) {
      (want->is_reverse ? leveldb_iter_prev : leveldb_iter_next)(at);
    }
  }
  char *failure = NULL;
  leveldb_iter_get_error(at, &failure);
  need(failure, "scan");
  leveldb_iter_destroy(at);
  return count;
}

static void
settle(void *opaque)
{
  database *d = opaque;
  leveldb_compact_range(d->db, NULL, 0, NULL, 0);
}

const peer_engine peer_leveldb = {
    .name = engine_name,
    .settings = "Bloom 10 bits",
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
