/*
 * LMDB: a transaction for each write, a read transaction renewed for each read.
 * Without a flush: a writable map and no sync, which a killed process survives
 * and a power cut need not.
 */
#include "bench/peers/peer.h"

#include <lmdb.h>
#include <sys/stat.h>

static const char engine_name[] = "LMDB";

typedef struct database {
  MDB_env *env;
  MDB_dbi dbi;
} database;

typedef struct session {
  database *of;
  MDB_txn *read;
  bool is_reading;
} session;

static void
need(int code, const char *what)
{
  if (code != 0) {
    peer_die(engine_name, what, mdb_strerror(code));
  }
}

static void
version(char text[64])
{
  int major = 0;
  int minor = 0;
  int patch = 0;
  mdb_version(&major, &minor, &patch);
  snprintf(text, 64, "%d.%d.%d", major, minor, patch);
}

static void *
open_db(const peer_setup *setup)
{
  database *d = calloc(1, sizeof *d);
  if (d == NULL) {
    peer_die(engine_name, "open", "out of memory");
  }
  uint64_t entry = setup->value_bytes + 64;
  uint64_t map = (UINT64_C(1) << 28) + 4 * entry * setup->entry_count;
  unsigned flags = MDB_NORDAHEAD | MDB_NOTLS;
  if (!setup->is_durable) {
    flags |= MDB_NOSYNC | MDB_WRITEMAP;
  }
  mkdir(setup->dir, 0777);
  need(mdb_env_create(&d->env), "create");
  need(mdb_env_set_mapsize(d->env, map), "map size");
  need(mdb_env_open(d->env, setup->dir, flags, 0666), "open");
  MDB_txn *txn = NULL;
  need(mdb_txn_begin(d->env, NULL, 0, &txn), "begin");
  need(mdb_dbi_open(txn, NULL, 0, &d->dbi), "open");
  need(mdb_txn_commit(txn), "commit");
  return d;
}

static void
close_db(void *opaque)
{
  database *d = opaque;
  mdb_env_close(d->env);
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
  need(mdb_txn_begin(s->of->env, NULL, MDB_RDONLY, &s->read), "begin");
  mdb_txn_reset(s->read);
  return s;
}

static void
end_session(void *opaque)
{
  session *s = opaque;
  mdb_txn_abort(s->read);
  free(s);
}

/* What a read gave out stays until here. */
static void
stop_reading(session *s)
{
  if (s->is_reading) {
    mdb_txn_reset(s->read);
    s->is_reading = false;
  }
}

static void
start_reading(session *s)
{
  stop_reading(s);
  need(mdb_txn_renew(s->read), "renew");
  s->is_reading = true;
}

static MDB_val
val(const void *data, size_t size)
{
  return (MDB_val){size, (void *)(uintptr_t)data};
}

static void
put(void *opaque, const char *key, peer_bytes value)
{
  session *s = opaque;
  MDB_txn *txn = NULL;
  MDB_val k = val(key, PEER_KEY_BYTES);
  MDB_val v = val(value.data, value.size);
  stop_reading(s);
  need(mdb_txn_begin(s->of->env, NULL, 0, &txn), "begin");
  need(mdb_put(txn, s->of->dbi, &k, &v, 0), "put");
  need(mdb_txn_commit(txn), "commit");
}

static void
remove_key(void *opaque, const char *key)
{
  session *s = opaque;
  MDB_txn *txn = NULL;
  MDB_val k = val(key, PEER_KEY_BYTES);
  stop_reading(s);
  need(mdb_txn_begin(s->of->env, NULL, 0, &txn), "begin");
  int code = mdb_del(txn, s->of->dbi, &k, NULL);
  need(code == MDB_NOTFOUND ? 0 : code, "delete");
  need(mdb_txn_commit(txn), "commit");
}

static void
batch(void *opaque, const peer_pair *pairs, size_t count)
{
  session *s = opaque;
  MDB_txn *txn = NULL;
  stop_reading(s);
  need(mdb_txn_begin(s->of->env, NULL, 0, &txn), "begin");
  for (size_t i = 0; i < count; i++) {
    MDB_val k = val(pairs[i].key.data, pairs[i].key.size);
    MDB_val v = val(pairs[i].value.data, pairs[i].value.size);
    need(mdb_put(txn, s->of->dbi, &k, &v, 0), "put");
  }
  need(mdb_txn_commit(txn), "commit");
}

static bool
get(void *opaque, const char *key, peer_bytes *out)
{
  session *s = opaque;
  MDB_val k = val(key, PEER_KEY_BYTES);
  MDB_val v;
  start_reading(s);
  int code = mdb_get(s->read, s->of->dbi, &k, &v);
  if (code == MDB_NOTFOUND) {
    return false;
  }
  need(code, "get");
  *out = (peer_bytes){v.mv_data, v.mv_size};
  return true;
}

static int
place(MDB_cursor *at, const peer_scan *want, MDB_val *k, MDB_val *v)
{
  if (want->from == NULL) {
    return mdb_cursor_get(at, k, v, want->is_reverse ? MDB_LAST : MDB_FIRST);
  }
  *k = val(want->from, PEER_KEY_BYTES);
  int code = mdb_cursor_get(at, k, v, MDB_SET_RANGE);
  if (want->is_reverse) {
    code = mdb_cursor_get(at, k, v, code == 0 ? MDB_PREV : MDB_LAST);
  }
  return code;
}

static size_t
scan(void *opaque, const peer_scan *want)
{
  session *s = opaque;
  MDB_cursor *at = NULL;
  MDB_val k;
  MDB_val v;
  size_t count = 0;
  start_reading(s);
  need(mdb_cursor_open(s->read, s->of->dbi, &at), "cursor");
  int code = place(at, want, &k, &v);
  while (code == 0) {
    want->visit(want->context, (peer_bytes){k.mv_data, k.mv_size},
                (peer_bytes){v.mv_data, v.mv_size});
    if (++count == want->limit) {
      break;
    }
    code = mdb_cursor_get(at, &k, &v, want->is_reverse ? MDB_PREV : MDB_NEXT);
  }
  need(code == MDB_NOTFOUND ? 0 : code, "scan");
  mdb_cursor_close(at);
  return count;
}

static void
settle(void *db)
{
  (void)db;
}

const peer_engine peer_lmdb = {
    .name = engine_name,
    .settings = "NOSYNC and WRITEMAP where no flush is asked for, NORDAHEAD",
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
};
