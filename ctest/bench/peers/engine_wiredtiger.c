/*
 * WiredTiger: a B-tree table of raw items, log on, a session and cursor for each
 * thread.
 */
#include "bench/peers/peer.h"

#include <sys/stat.h>
#include <wiredtiger.h>

static const char engine_name[] = "WiredTiger";
static const char table_name[] = "table:bench";

typedef struct session {
  WT_CONNECTION *connection;
  WT_SESSION *session;
  WT_CURSOR *cursor;
} session;

static void
need(int code, const char *what)
{
  if (code != 0) {
    peer_die(engine_name, what, wiredtiger_strerror(code));
  }
}

static void
version(char text[64])
{
  int major = 0;
  int minor = 0;
  int patch = 0;
  wiredtiger_version(&major, &minor, &patch);
  snprintf(text, 64, "%d.%d.%d", major, minor, patch);
}

static void *
open_db(const peer_setup *setup)
{
  char config[256];
  WT_CONNECTION *connection = NULL;
  WT_SESSION *opener = NULL;
  snprintf(config, sizeof config,
           "create,cache_size=%llu,log=(enabled=true,file_max=64MB),"
           "transaction_sync=(enabled=true,method=%s)",
           (unsigned long long)setup->cache_bytes +
               2 * setup->write_buffer_bytes,
           setup->is_durable ? "fsync" : "none");
  mkdir(setup->dir, 0777);
  need(wiredtiger_open(setup->dir, NULL, config, &connection), "open");
  need(connection->open_session(connection, NULL, NULL, &opener), "session");
  need(opener->create(opener, table_name, "key_format=u,value_format=u"),
       "create");
  need(opener->close(opener, NULL), "session");
  return connection;
}

static void
close_db(void *db)
{
  WT_CONNECTION *connection = db;
  need(connection->close(connection, NULL), "close");
}

static void *
begin_session(void *db)
{
  session *s = calloc(1, sizeof *s);
  if (s == NULL) {
    peer_die(engine_name, "session", "out of memory");
  }
  s->connection = db;
  need(s->connection->open_session(s->connection, NULL, NULL, &s->session),
       "session");
  need(s->session->open_cursor(s->session, table_name, NULL, "overwrite=true",
                               &s->cursor),
       "cursor");
  return s;
}

static void
end_session(void *opaque)
{
  session *s = opaque;
  need(s->session->close(s->session, NULL), "session");
  free(s);
}

static void
set_key(session *s, const void *key, size_t size)
{
  WT_ITEM item = {.data = key, .size = size};
  s->cursor->set_key(s->cursor, &item);
}

static void
insert(session *s, peer_bytes key, peer_bytes value)
{
  WT_ITEM item = {.data = value.data, .size = value.size};
  int code = 0;
  do { /* a page may be on its way out of the cache */
    set_key(s, key.data, key.size);
    s->cursor->set_value(s->cursor, &item);
    code = s->cursor->insert(s->cursor);
  } while (code == WT_ROLLBACK);
  need(code, "put");
}

static void
put(void *opaque, const char *key, peer_bytes value)
{
  session *s = opaque;
  insert(s, (peer_bytes){key, PEER_KEY_BYTES}, value);
}

static void
remove_key(void *opaque, const char *key)
{
  session *s = opaque;
  set_key(s, key, PEER_KEY_BYTES);
  int code = s->cursor->remove(s->cursor);
  need(code == WT_NOTFOUND ? 0 : code, "delete");
}

static void
batch(void *opaque, const peer_pair *pairs, size_t count)
{
  session *s = opaque;
  need(s->session->begin_transaction(s->session, NULL), "begin");
  for (size_t i = 0; i < count; i++) {
    insert(s, pairs[i].key, pairs[i].value);
  }
  need(s->session->commit_transaction(s->session, NULL), "commit");
}

static bool
get(void *opaque, const char *key, peer_bytes *out)
{
  session *s = opaque;
  WT_ITEM item;
  set_key(s, key, PEER_KEY_BYTES);
  int code = s->cursor->search(s->cursor);
  if (code == WT_NOTFOUND) {
    return false;
  }
  need(code, "get");
  need(s->cursor->get_value(s->cursor, &item), "value");
  *out = (peer_bytes){item.data, item.size};
  return true;
}

/* Where a search ends beside the key, one step leads to the wanted side. */
static int
place(session *s, const peer_scan *want)
{
  WT_CURSOR *at = s->cursor;
  int side = 0;
  need(at->reset(at), "reset");
  if (want->from == NULL) {
    return want->is_reverse ? at->prev(at) : at->next(at);
  }
  set_key(s, want->from, PEER_KEY_BYTES);
  int code = at->search_near(at, &side);
  if (code != 0) {
    return code;
  }
  if (want->is_reverse) {
    return side >= 0 ? at->prev(at) : 0;
  }
  return side < 0 ? at->next(at) : 0;
}

static size_t
scan(void *opaque, const peer_scan *want)
{
  session *s = opaque;
  WT_CURSOR *at = s->cursor;
  size_t count = 0;
  int code = place(s, want);
  while (code == 0) {
    WT_ITEM key;
    WT_ITEM value;
    need(at->get_key(at, &key), "key");
    need(at->get_value(at, &value), "value");
    want->visit(want->context, (peer_bytes){key.data, key.size},
                (peer_bytes){value.data, value.size});
    if (++count == want->limit) {
      break;
    }
    code = want->is_reverse ? at->prev(at) : at->next(at);
  }
  need(code == WT_NOTFOUND ? 0 : code, "scan");
  need(at->reset(at), "reset");
  return count;
}

static void
settle(void *db)
{
  session *s = begin_session(db);
  need(s->session->checkpoint(s->session, NULL), "checkpoint");
  end_session(s);
}

const peer_engine peer_wiredtiger = {
    .name = engine_name,
    .settings = "log on, transaction_sync none or fsync; cache and write "
                "buffers in one",
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
};
