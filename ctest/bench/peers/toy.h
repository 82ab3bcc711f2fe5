/*
 * toy: an engine in memory for tests of the comparison, with faults on demand.
 *
 * Model: entry n of the comparison stands in slot n, in memory that forked
 * processes share, as a directory would be; it stays when a database is closed
 * and goes with toy_reset.
 *
 * Threads: one lock for everything.
 */
#ifndef GS_BENCH_TOY_H
#define GS_BENCH_TOY_H

#include <pthread.h>
#include <sys/mman.h>

#include "bench/peers/peer.h"

enum { TOY_ENTRIES = 8192, TOY_VALUE_BYTES = 100 };

/* What the engine does wrong. */
typedef enum toy_fault {
  TOY_GOOD,
  TOY_LOSES,   /* one put is not kept */
  TOY_STALE,   /* one entry keeps its first value */
  TOY_CHANGES, /* one byte of a value is another one */
  TOY_SWAPS,   /* a scan gives two entries in the wrong order */
  TOY_REVIVES, /* one delete does nothing */
  TOY_INVENTS, /* every key is there */
} toy_fault;

typedef struct toy_slot {
  bool is_present;
  uint8_t value[TOY_VALUE_BYTES];
} toy_slot;

typedef struct toy {
  toy_fault fault;
  toy_slot slots[TOY_ENTRIES];
} toy;

enum { TOY_VICTIM = 77 }; /* the entry that a fault hits */

static toy *toy_state;
static pthread_mutex_t toy_lock = PTHREAD_MUTEX_INITIALIZER;

static inline void
toy_reset(toy_fault fault)
{
  if (toy_state == NULL) {
    toy_state = mmap(NULL, sizeof *toy_state, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  }
  memset(toy_state, 0, sizeof *toy_state);
  toy_state->fault = fault;
}

static inline bool
toy_hits(toy_fault fault, uint64_t number)
{
  return toy_state->fault == fault && number == TOY_VICTIM;
}

static void *
toy_open(const peer_setup *setup)
{
  (void)setup;
  return toy_state;
}

static void
toy_close(void *db)
{
  (void)db;
}

static void *
toy_session(void *db)
{
  (void)db;
  return calloc(1, TOY_VALUE_BYTES);
}

static void
toy_session_end(void *session)
{
  free(session);
}

static void
toy_put(void *session, const char *key, peer_bytes value)
{
  (void)session;
  uint64_t number = peer_key_number(key);
  toy_slot *slot = &toy_state->slots[number];
  if (toy_hits(TOY_LOSES, number) ||
      (toy_hits(TOY_STALE, number) && slot->is_present)) {
    return;
  }
  pthread_mutex_lock(&toy_lock);
  slot->is_present = true;
  memcpy(slot->value, value.data, value.size);
  if (toy_hits(TOY_CHANGES, number)) {
    slot->value[50] ^= 1;
  }
  pthread_mutex_unlock(&toy_lock);
}

static void
toy_remove(void *session, const char *key)
{
  (void)session;
  uint64_t number = peer_key_number(key);
  if (!toy_hits(TOY_REVIVES, number)) {
    toy_state->slots[number].is_present = false;
  }
}

static void
toy_batch(void *session, const peer_pair *pairs, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    toy_put(session, pairs[i].key.data, pairs[i].value);
  }
}

static bool
toy_get(void *session, const char *key, peer_bytes *out)
{
  bool is_digit = key[PEER_KEY_BYTES - 1] != '.';
  if (!is_digit && toy_state->fault != TOY_INVENTS) {
    return false;
  }
  const toy_slot *slot = &toy_state->slots[is_digit ? peer_key_number(key) : 0];
  pthread_mutex_lock(&toy_lock);
  bool is_present = slot->is_present;
  memcpy(session, slot->value, TOY_VALUE_BYTES);
  pthread_mutex_unlock(&toy_lock);
  *out = (peer_bytes){session, TOY_VALUE_BYTES};
  return is_present;
}

static size_t
toy_scan(void *session, const peer_scan *scan)
{
  int64_t at = scan->is_reverse ? TOY_ENTRIES - 1 : 0;
  size_t count = 0;
  if (scan->from != NULL) {
    at = (int64_t)peer_key_number(scan->from) - scan->is_reverse;
  }
  for (; at >= 0 && at < TOY_ENTRIES && count < scan->limit;
       at += scan->is_reverse ? -1 : 1) {
    bool swap = toy_state->fault == TOY_SWAPS && (at | 1) == TOY_VICTIM;
    uint64_t number = (uint64_t)(swap ? at ^ 1 : at);
    char key[PEER_KEY_BYTES];
    peer_bytes value;
    peer_key(number, key);
    if (toy_get(session, key, &value)) {
      scan->visit(scan->context, (peer_bytes){key, sizeof key}, value);
      count++;
    }
  }
  return count;
}

static const peer_engine toy_engine = {
    .name = "Toy",
    .settings = "in memory",
    .open = toy_open,
    .close = toy_close,
    .session = toy_session,
    .session_end = toy_session_end,
    .put = toy_put,
    .remove = toy_remove,
    .batch = toy_batch,
    .get = toy_get,
    .scan = toy_scan,
    .settle = toy_close,
    .has_log = true,
};

#endif
