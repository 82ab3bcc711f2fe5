/*
 * data: keys and values that can be checked without being kept.
 *
 * A value is its number and version, then a piece of a pool of bytes chosen by
 * both. The pool alternates random and constant stretches of 32 bytes.
 */
#include "bench/peers/peer.h"

#include <stdarg.h>

enum { POOL_BYTES = 1 << 20, HEAD_BYTES = 12 };

static uint8_t *pool;
static size_t value_bytes;
static uint32_t allowed_versions = UINT32_MAX;
static _Thread_local uint8_t *value;

void
peer_die(const char *engine, const char *what, const char *message)
{
  fprintf(stderr, "%s: %s: %s\n", engine, what, message);
  _Exit(1);
}

void
peer_data_init(uint64_t bytes)
{
  uint64_t state = 42;
  value_bytes = (size_t)bytes;
  pool = malloc(POOL_BYTES + value_bytes);
  if (pool == NULL || value_bytes < HEAD_BYTES) {
    peer_die("bench", "values", "too large or too small");
  }
  for (size_t i = 0; i < POOL_BYTES + value_bytes; i++) {
    pool[i] = i % 64 < 32 ? (uint8_t)peer_random(&state) : 'x';
  }
}

void
peer_data_end_thread(void)
{
  free(value);
  value = NULL;
}

void
peer_data_deinit(void)
{
  peer_data_end_thread();
  free(pool);
  pool = NULL;
}

void
peer_key(uint64_t number, char key[PEER_KEY_BYTES])
{
  for (int i = PEER_KEY_BYTES - 1; i >= 0; i--) {
    key[i] = (char)('0' + number % 10);
    number /= 10;
  }
}

uint64_t
peer_key_number(const void *key)
{
  const uint8_t *digits = key;
  uint64_t number = 0;
  for (int i = 0; i < PEER_KEY_BYTES; i++) {
    number = number * 10 + (uint64_t)(digits[i] - '0');
  }
  return number;
}

static const uint8_t *
piece(uint64_t number, uint32_t version)
{
  uint64_t mixed = (number + 1) * UINT64_C(0x9E3779B97F4A7C15) + version;
  return pool + (mixed >> 40) % POOL_BYTES;
}

peer_bytes
peer_value(uint64_t number, uint32_t version)
{
  if (value == NULL) {
    value = malloc(value_bytes);
    if (value == NULL) {
      peer_die("bench", "value", "out of memory");
    }
  }
  memcpy(value, &number, sizeof number);
  memcpy(value + sizeof number, &version, sizeof version);
  memcpy(value + HEAD_BYTES, piece(number, version), value_bytes - HEAD_BYTES);
  return (peer_bytes){value, value_bytes};
}

void
peer_allow(uint32_t versions)
{
  allowed_versions = versions;
}

void
peer_check(const char *engine, uint64_t number, peer_bytes found)
{
  uint64_t said = 0;
  uint32_t version = 0;
  if (found.size != value_bytes) {
    peer_die(engine, "read", "a value of another size than was written");
  }
  memcpy(&said, found.data, sizeof said);
  memcpy(&version, (const uint8_t *)found.data + sizeof said, sizeof version);
  if (said != number || version >= 32 ||
      ((allowed_versions >> version) & 1) == 0 ||
      memcmp((const uint8_t *)found.data + HEAD_BYTES, piece(number, version),
             value_bytes - HEAD_BYTES) != 0) {
    peer_die(engine, "read", "another value than was written");
  }
}
