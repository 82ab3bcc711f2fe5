/*
 * data: keys and values that can be checked without being kept.
 *
 * A value is its number and version, then a piece of a pool of bytes chosen by
 * both. The pool alternates random and constant stretches of 32 bytes.
 */
#include "bench/peers/peer.h"

#include <stdarg.h>

#include "code/fixed.h"

enum {
  POOL_BYTES = 1 << 16, /* it stays in the cache beside what an engine reads */
  HEAD_BYTES = 12,
};

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

/* Keys are made and read for every entry of every engine, so they cost as little
 * as may be: eight digits at once, in the bytes of one word, the first one lowest.
 * Divisions by 100 and 10 are multiplications that are exact below 10^4 and 10^2. */

enum { WORD_DIGITS = 8 };

static const uint64_t word_limit = 100000000; /* 10^8 */

static void
write_digits(uint64_t number, char digits[WORD_DIGITS])
{
  uint64_t fours = number / 10000 | number % 10000 << 32;
  uint64_t hundreds = (fours * 10486 >> 20) & UINT64_C(0x7f0000007f);
  uint64_t twos = hundreds | (fours - hundreds * 100) << 16;
  uint64_t tens = (twos * 103 >> 10) & UINT64_C(0xf000f000f000f);
  uint64_t ones = tens | (twos - tens * 10) << 8;
  gs_put_u64((uint8_t *)digits, ones | UINT64_C(0x3030303030303030));
}

static uint64_t
read_digits(const uint8_t digits[WORD_DIGITS])
{
  uint64_t ones = gs_get_u64(digits) & UINT64_C(0x0f0f0f0f0f0f0f0f);
  uint64_t twos = (ones * 10 + (ones >> 8)) & UINT64_C(0xff00ff00ff00ff);
  uint64_t fours = (twos * 100 + (twos >> 16)) & UINT64_C(0xffff0000ffff);
  return (fours & 0xffff) * 10000 + (fours >> 32);
}

void
peer_key(uint64_t number, char key[PEER_KEY_BYTES])
{
  write_digits(number / word_limit, key);
  write_digits(number % word_limit, key + WORD_DIGITS);
}

uint64_t
peer_key_number(const void *key)
{
  const uint8_t *digits = key;
  return read_digits(digits) * word_limit + read_digits(digits + WORD_DIGITS);
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
