/*
 * peer: what the comparison knows of an engine, and what it feeds it with.
 *
 * Model: an engine is a table of functions. A database of it is opened in a
 * directory of its own, in a process of its own; each thread that uses it has a
 * session. The data are numbered entries: entry i has a key of 16 decimal
 * digits, so that the order of numbers is the order of keys, and a value that
 * tells its own number and version, half of which can be compressed.
 *
 * Errors: whatever fails, or is read and is not what was written, ends the
 * process with a message.
 */
#ifndef GS_BENCH_PEER_H
#define GS_BENCH_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PEER_KEY_BYTES = 16 };

/* How an engine is opened; the same numbers for all of them. */
typedef struct peer_setup {
  const char *dir;
  bool is_durable; /* on the device before a write returns */
  bool is_lasting; /* opened to keep a log behind it: nothing is flushed while
                      the log is below the write buffer */
  uint64_t write_buffer_bytes;
  uint64_t cache_bytes;
  const char *codec;    /* one of those that the engine has; NULL: none */
  uint64_t entry_count; /* about how many there will be, for sizing maps */
  uint64_t value_bytes;
} peer_setup;

typedef struct peer_bytes {
  const void *data;
  size_t size;
} peer_bytes;

typedef struct peer_pair {
  peer_bytes key;
  peer_bytes value;
} peer_pair;

/* Sees an entry of a scan; valid during the call. */
typedef void (*peer_visitor)(void *context, peer_bytes key, peer_bytes value);

typedef struct peer_scan {
  const char *from; /* key of PEER_KEY_BYTES; NULL: from the end */
  bool is_reverse;
  size_t limit; /* entries at most */
  peer_visitor visit;
  void *context;
} peer_scan;

typedef struct peer_engine {
  const char *name;
  const char *settings; /* what was chosen besides peer_setup, for the report */
  const char *const *codecs; /* of blocks, up to a NULL; NULL: it has none */
  void (*version)(char text[64]);
  void *(*open)(const peer_setup *setup);
  void (*close)(void *db);
  void *(*session)(void *db); /* NULL function: the database is the session */
  void (*session_end)(void *session);
  void (*put)(void *session, const char *key, peer_bytes value);
  void (*remove)(void *session, const char *key);
  void (*batch)(void *session, const peer_pair *pairs, size_t count);
  /* Valid until the session's next call; false: absent. */
  bool (*get)(void *session, const char *key, peer_bytes *out);
  size_t (*scan)(void *session, const peer_scan *scan);
  void (*settle)(void *db); /* until background work has ended; an LSM
                              engine merges everything first */
  bool has_log; /* a killed writer leaves something to be replayed */
  bool is_lsm;  /* of GrainStore's own kind */
} peer_engine;

extern const peer_engine peer_grainstore, peer_rocksdb, peer_leveldb, peer_lmdb,
    peer_wiredtiger, peer_sqlite;

/* Ends the process: the message says who and what. */
_Noreturn void peer_die(const char *engine, const char *what,
                        const char *message);

/* The first of the wanted codecs that the engine has, as in its list; NULL: none
 * of them. wanted: names with commas between. */
const char *peer_codec(const peer_engine *engine, const char *wanted);

/* ---- data ------------------------------------------------------------------*/

/* What values are made of: one size at a time. A thread that made values gives
 * its memory back at its end; the one that calls deinit need not. */
void peer_data_init(uint64_t value_bytes);
void peer_data_end_thread(void);
void peer_data_deinit(void);

void peer_key(uint64_t number, char key[PEER_KEY_BYTES]);
uint64_t peer_key_number(const void *key);

/* The value of an entry; valid until the thread's next call. */
peer_bytes peer_value(uint64_t number, uint32_t version);

/* Which versions a read may find from here on: bit n for version n < 32. At
 * first every one. */
void peer_allow(uint32_t versions);

/* Dies where the value is none of those that the entry may have. */
void peer_check(const char *engine, uint64_t number, peer_bytes found);

static inline uint64_t
peer_random(uint64_t *state)
{
  uint64_t x = *state;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  *state = x;
  return x * UINT64_C(0x2545F4914F6CDD1D);
}

/* Requires: limit < 2^32. */
static inline uint64_t
peer_below(uint64_t *state, uint64_t limit)
{
  return ((peer_random(state) >> 32) * limit) >> 32;
}

#endif
