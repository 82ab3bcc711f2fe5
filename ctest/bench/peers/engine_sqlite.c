/*
 * SQLite: a table without row ids, write-ahead log, prepared statements, a
 * transaction for each write. Flushes where they are asked for (synchronous =
 * FULL), else none (OFF).
 */
#include "bench/peers/peer.h"

#include <sqlite3.h>
#include <sys/stat.h>

static const char engine_name[] = "SQLite";

typedef enum statement {
  PUT,
  REMOVE,
  GET,
  FORWARD,
  BACKWARD,
  FIRST,
  LAST,
  BEGIN,
  COMMIT,
  STATEMENTS
} statement;

static const char *const texts[STATEMENTS] = {
    [PUT] = "INSERT OR REPLACE INTO bench VALUES (?, ?)",
    [REMOVE] = "DELETE FROM bench WHERE k = ?",
    [GET] = "SELECT v FROM bench WHERE k = ?",
    [FORWARD] = "SELECT k, v FROM bench WHERE k >= ? ORDER BY k",
    [BACKWARD] = "SELECT k, v FROM bench WHERE k < ? ORDER BY k DESC",
    [FIRST] = "SELECT k, v FROM bench ORDER BY k",
    [LAST] = "SELECT k, v FROM bench ORDER BY k DESC",
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
};

/* Each session has a connection of its own. */
typedef struct session {
  sqlite3 *db;
  sqlite3_stmt *statements[STATEMENTS];
} session;

static peer_setup chosen;
static char path[512];

static void
need(sqlite3 *db, int code, const char *what)
{
  if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW) {
    peer_die(engine_name, what, sqlite3_errmsg(db));
  }
}

static void
version(char text[64])
{
  snprintf(text, 64, "%s", sqlite3_libversion());
}

static void
run(sqlite3 *db, const char *text)
{
  need(db, sqlite3_exec(db, text, NULL, NULL, NULL), text);
}

static sqlite3 *
connect(void)
{
  sqlite3 *db = NULL;
  char cache[64];
  need(db, sqlite3_open(path, &db), "open");
  sqlite3_busy_timeout(db, 60000);
  run(db, "PRAGMA journal_mode = WAL");
  run(db, chosen.is_durable ? "PRAGMA synchronous = FULL"
                            : "PRAGMA synchronous = OFF");
  snprintf(cache, sizeof cache, "PRAGMA cache_size = -%llu",
           (unsigned long long)(chosen.cache_bytes / 1024));
  run(db, cache);
  return db;
}

static void *
open_db(const peer_setup *setup)
{
  chosen = *setup;
  mkdir(setup->dir, 0777);
  snprintf(path, sizeof path, "%s/bench.db", setup->dir);
  sqlite3 *db = connect();
  run(db, "CREATE TABLE IF NOT EXISTS bench"
          " (k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID");
  return db;
}

static void
close_db(void *db)
{
  need(db, sqlite3_close(db), "close");
}

static void *
begin_session(void *db)
{
  (void)db;
  session *s = calloc(1, sizeof *s);
  if (s == NULL) {
    peer_die(engine_name, "session", "out of memory");
  }
  s->db = connect();
  for (int i = 0; i < STATEMENTS; i++) {
    need(s->db,
         sqlite3_prepare_v3(s->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                            &s->statements[i], NULL),
         texts[i]);
  }
  return s;
}

static void
end_session(void *opaque)
{
  session *s = opaque;
  for (int i = 0; i < STATEMENTS; i++) {
    sqlite3_finalize(s->statements[i]);
  }
  need(s->db, sqlite3_close(s->db), "close");
  free(s);
}

static void
bind(session *s, statement which, int place, const void *data, size_t size)
{
  need(s->db,
       sqlite3_bind_blob64(s->statements[which], place, data, size,
                           SQLITE_STATIC),
       "bind");
}

static void
finish(session *s, statement which)
{
  need(s->db, sqlite3_step(s->statements[which]), texts[which]);
  sqlite3_reset(s->statements[which]);
}

static void
put(void *opaque, const char *key, peer_bytes value)
{
  session *s = opaque;
  sqlite3_reset(s->statements[GET]);
  bind(s, PUT, 1, key, PEER_KEY_BYTES);
  bind(s, PUT, 2, value.data, value.size);
  finish(s, PUT);
}

static void
remove_key(void *opaque, const char *key)
{
  session *s = opaque;
  sqlite3_reset(s->statements[GET]);
  bind(s, REMOVE, 1, key, PEER_KEY_BYTES);
  finish(s, REMOVE);
}

static void
batch(void *opaque, const peer_pair *pairs, size_t count)
{
  session *s = opaque;
  sqlite3_reset(s->statements[GET]);
  finish(s, BEGIN);
  for (size_t i = 0; i < count; i++) {
    put(s, pairs[i].key.data, pairs[i].value);
  }
  finish(s, COMMIT);
}

static bool
get(void *opaque, const char *key, peer_bytes *out)
{
  session *s = opaque;
  sqlite3_stmt *at = s->statements[GET];
  sqlite3_reset(at);
  bind(s, GET, 1, key, PEER_KEY_BYTES);
  int code = sqlite3_step(at);
  need(s->db, code, "get");
  if (code != SQLITE_ROW) {
    return false;
  }
  out->data = sqlite3_column_blob(at, 0);
  out->size = (size_t)sqlite3_column_bytes(at, 0);
  return true;
}

static size_t
scan(void *opaque, const peer_scan *want)
{
  session *s = opaque;
  statement which = want->from == NULL
                        ? (want->is_reverse ? LAST : FIRST)
                        : (want->is_reverse ? BACKWARD : FORWARD);
  sqlite3_stmt *at = s->statements[which];
  size_t count = 0;
  if (want->from != NULL) {
    bind(s, which, 1, want->from, PEER_KEY_BYTES);
  }
  int code = SQLITE_ROW;
  while (count < want->limit && (code = sqlite3_step(at)) == SQLITE_ROW) {
    want->visit(want->context,
                (peer_bytes){sqlite3_column_blob(at, 0),
                             (size_t)sqlite3_column_bytes(at, 0)},
                (peer_bytes){sqlite3_column_blob(at, 1),
                             (size_t)sqlite3_column_bytes(at, 1)});
    count++;
  }
  need(s->db, code, "scan");
  sqlite3_reset(at);
  return count;
}

static void
settle(void *db)
{
  run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
}

const peer_engine peer_sqlite = {
    .name = engine_name,
    .settings = "WAL, WITHOUT ROWID, synchronous OFF or FULL",
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
