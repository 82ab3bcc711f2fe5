/*
 * slice: a borrowed run of bytes.
 *
 * Model: a pointer and a length; data may be NULL only when size is 0. Any
 * byte may occur. A slice owns nothing: each function that gives one out says
 * until when it is valid.
 */
#ifndef GS_BASE_SLICE_H
#define GS_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct gs_slice {
  const uint8_t *data;
  size_t size;
} gs_slice;

static inline gs_slice
gs_slice_of(const void *data, size_t size)
{
  return (gs_slice){(const uint8_t *)data, size};
}

/* The bytes of a C string without its terminator; valid as long as it is. */
static inline gs_slice
gs_slice_str(const char *text)
{
  return gs_slice_of(text, strlen(text));
}

/* Unsigned byte order; a proper prefix comes first. Negative, 0 or positive. */
static inline int
gs_slice_compare(gs_slice a, gs_slice b)
{
  size_t shared = a.size < b.size ? a.size : b.size;
  int order = shared == 0 ? 0 : memcmp(a.data, b.data, shared);
  if (order != 0) {
    return order;
  }
  return (a.size > b.size) - (a.size < b.size);
}

static inline bool
gs_slice_equal(gs_slice a, gs_slice b)
{
  return a.size == b.size &&
         (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool
gs_slice_has_prefix(gs_slice key, gs_slice prefix)
{
  return key.size >= prefix.size &&
         (prefix.size == 0 || memcmp(key.data, prefix.data, prefix.size) == 0);
}

/* How many bytes both begin with. */
static inline size_t
gs_slice_shared(gs_slice a, gs_slice b)
{
  size_t most = a.size < b.size ? a.size : b.size;
  size_t shared = 0;
  while (shared < most && a.data[shared] == b.data[shared]) {
    shared++;
  }
  return shared;
}

/*
 * The first eight bytes as a big-endian number, missing bytes taken as zero:
 * a < b in byte order implies head(a) <= head(b).
 */
static inline uint64_t
gs_slice_head(gs_slice key)
{
  uint64_t word = 0;
  if (key.size >= sizeof word) {
    memcpy(&word, key.data, sizeof word);
    return __builtin_bswap64(word);
  }
  if (key.size >= sizeof(uint32_t)) {
    /* Two overlapping halves: where they overlap they agree. */
    uint32_t first;
    uint32_t last;
    memcpy(&first, key.data, sizeof first);
    memcpy(&last, key.data + key.size - sizeof last, sizeof last);
    return (uint64_t)__builtin_bswap32(first) << 32 |
           (uint64_t)__builtin_bswap32(last) << (8 * (sizeof word - key.size));
  }
  for (size_t i = 0; i < key.size; i++) {
    word |= (uint64_t)key.data[i] << (56 - 8 * i);
  }
  return word;
}

/* How many of so many heads, which rise, are < head; no jump depends on one.
 * Requires: count > 0. */
static inline size_t
gs_heads_below(const uint64_t *heads, size_t count, uint64_t head)
{
  size_t first = 0;
  while (count > 1) {
    size_t half = count / 2;
    first += heads[first + half - 1] < head ? half : 0;
    count -= half;
  }
  return first + (heads[first] < head ? 1 : 0);
}

#endif
