/*
 * point_index: from a key's hash to the place of its newest version, and the
 * filter that says a key is not in the table; see format.h.
 *
 * Model: buckets of one cache line. A probe walks from the home bucket through
 * overflowed ones and gives the locators whose fingerprints match; the caller
 * compares keys. A key whose probe ends without its row is not in the table.
 *
 * Life: a view of the buckets.
 * Threads: any; building excepted.
 */
#ifndef GS_SST_POINT_INDEX_H
#define GS_SST_POINT_INDEX_H

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/error.h"
#include "code/fixed.h"
#include "sst/format.h"

typedef struct gs_point_index {
  const uint8_t *buckets; /* NULL: there is none */
  uint64_t bucket_count;
} gs_point_index;

/* Buckets for that many keys: full to four fifths. */
uint64_t gs_point_index_buckets(uint64_t key_count);

/* Puts the pairs into zeroed buckets, in this order. Requires: bucket_count is
 * gs_point_index_buckets(count). */
void gs_point_index_build(uint8_t *buckets, uint64_t bucket_count,
                          const uint64_t *hashes, const uint32_t *locators,
                          size_t count);

/* Whether a probe for each hash gives its locator. */
bool gs_point_index_holds_all(const gs_point_index *index,
                              const uint64_t *hashes, const uint32_t *locators,
                              size_t count);

/* Whether every bucket is written as format.h wants and the entries are
 * key_count in all. */
GS_MUST_CHECK gs_status gs_point_index_verify(const gs_point_index *index,
                                              uint64_t key_count,
                                              gs_error *err);

__extension__ typedef unsigned __int128 gs_point_product;

static inline uint64_t
gs_point_home(uint64_t hash, uint64_t bucket_count)
{
  return (uint64_t)((gs_point_product)hash * bucket_count >> 64);
}

static inline const uint8_t *
gs_point_bucket(const gs_point_index *index, uint64_t number)
{
  return index->buckets + number * GS_BUCKET_BYTES;
}

/* Entries of a bucket; a damaged count is cut to what a bucket can hold. */
static inline uint32_t
gs_bucket_count(const uint8_t *bucket)
{
  uint32_t count = bucket[GS_BUCKET_COUNT_AT] & GS_BUCKET_COUNT_MASK;
  return count < GS_BUCKET_ENTRIES ? count : GS_BUCKET_ENTRIES;
}

static inline uint32_t
gs_bucket_locator(const uint8_t *bucket, uint32_t entry)
{
  uint32_t bit = entry * GS_LOCATOR_BITS;
  uint32_t word = gs_get_u32(bucket + GS_BUCKET_LOCATORS_AT + bit / 8);
  return word >> bit % 8 & ((1U << GS_LOCATOR_BITS) - 1);
}

/* One bit per entry, set where the fingerprint matches. */
static inline uint32_t
gs_bucket_match_plain(const uint8_t *bucket, uint16_t fingerprint)
{
  uint32_t match = 0;
  for (uint32_t i = 0; i < gs_bucket_count(bucket); i++) {
    match |= (uint32_t)(gs_get_u16(bucket + (size_t)i * 2) == fingerprint) << i;
  }
  return match;
}

#ifdef __SSE2__
static inline uint32_t
gs_bucket_match(const uint8_t *bucket, uint16_t fingerprint)
{
  const void *eight = bucket;
  const void *four = bucket + 16;
  __m128i wanted = _mm_set1_epi16((short)fingerprint);
  __m128i low = _mm_cmpeq_epi16(_mm_loadu_si128(eight), wanted);
  __m128i high = _mm_cmpeq_epi16(_mm_loadl_epi64(four), wanted);
  uint32_t match = (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high));
  return match & ((1U << gs_bucket_count(bucket)) - 1);
}
#else
#define gs_bucket_match gs_bucket_match_plain
#endif

/* A walk over the candidates for one hash. */
typedef struct gs_point_probe {
  const gs_point_index *index;
  uint64_t bucket;       /* number of the one looked at */
  uint64_t buckets_left; /* that may follow it */
  uint32_t match;        /* its candidates not yet given */
  uint16_t fingerprint;
} gs_point_probe;

/* Requires: at least one bucket. */
static inline gs_point_probe
gs_point_probe_begin(const gs_point_index *index, uint64_t hash)
{
  uint64_t home = gs_point_home(hash, index->bucket_count);
  return (gs_point_probe){
      .index = index,
      .bucket = home,
      .buckets_left = index->bucket_count - 1,
      .match = gs_bucket_match(gs_point_bucket(index, home), (uint16_t)hash),
      .fingerprint = (uint16_t)hash,
  };
}

/* The next candidate; false when there is none left. */
static inline bool
gs_point_probe_next(gs_point_probe *probe, uint32_t *locator)
{
  const uint8_t *bucket = gs_point_bucket(probe->index, probe->bucket);
  while (probe->match == 0) {
    if ((bucket[GS_BUCKET_COUNT_AT] & GS_BUCKET_OVERFLOW) == 0 ||
        probe->buckets_left == 0) {
      return false;
    }
    probe->buckets_left--;
    probe->bucket++;
    if (probe->bucket == probe->index->bucket_count) {
      probe->bucket = 0;
    }
    bucket = gs_point_bucket(probe->index, probe->bucket);
    probe->match = gs_bucket_match(bucket, probe->fingerprint);
  }
  *locator = gs_bucket_locator(bucket, (uint32_t)__builtin_ctz(probe->match));
  probe->match &= probe->match - 1;
  return true;
}

#endif
