/*
 * point_index: building and checking. Pairs come in key order and so hit the
 * buckets at random; asking for a bucket a few pairs ahead lets the cache
 * misses overlap, which makes sorting the pairs by bucket unnecessary.
 */
#include "sst/point_index.h"

#include <inttypes.h>

enum { AHEAD = 16 };

uint64_t
gs_point_index_buckets(uint64_t key_count)
{
  /* entries * 4 / 5 keys to a bucket, rounded up */
  uint64_t fifths = UINT64_C(4) * GS_BUCKET_ENTRIES;
  return (key_count * 5 + fifths - 1) / fifths;
}

static void
put_locator(uint8_t *bucket, uint32_t entry, uint32_t locator)
{
  uint32_t bit = entry * GS_LOCATOR_BITS;
  uint8_t *at = bucket + GS_BUCKET_LOCATORS_AT + bit / 8;
  gs_put_u32(at, gs_get_u32(at) | locator << bit % 8);
}

/* The first bucket from the home on that has room; marks those it passes. */
static uint8_t *
make_way(uint8_t *buckets, uint64_t bucket_count, uint64_t hash)
{
  uint64_t number = gs_point_home(hash, bucket_count);
  uint8_t *bucket = buckets + number * GS_BUCKET_BYTES;
  while (gs_bucket_count(bucket) == GS_BUCKET_ENTRIES) {
    bucket[GS_BUCKET_COUNT_AT] |= GS_BUCKET_OVERFLOW;
    number = number + 1 < bucket_count ? number + 1 : 0;
    bucket = buckets + number * GS_BUCKET_BYTES;
  }
  return bucket;
}

void
gs_point_index_build(uint8_t *buckets, uint64_t bucket_count,
                     const uint64_t *hashes, const uint32_t *locators,
                     size_t count)
{
  for (size_t i = 0; i < count; i++) {
    if (i + AHEAD < count) {
      uint64_t home = gs_point_home(hashes[i + AHEAD], bucket_count);
      __builtin_prefetch(buckets + home * GS_BUCKET_BYTES, 1);
    }
    uint8_t *bucket = make_way(buckets, bucket_count, hashes[i]);
    uint32_t entry = gs_bucket_count(bucket);
    gs_put_u16(bucket + (size_t)entry * 2, (uint16_t)hashes[i]);
    put_locator(bucket, entry, locators[i]);
    bucket[GS_BUCKET_COUNT_AT]++;
  }
}

static bool
holds(const gs_point_index *index, uint64_t hash, uint32_t locator)
{
  gs_point_probe probe = gs_point_probe_begin(index, hash);
  uint32_t found;
  while (gs_point_probe_next(&probe, &found)) {
    if (found == locator) {
      return true;
    }
  }
  return false;
}

bool
gs_point_index_holds_all(const gs_point_index *index, const uint64_t *hashes,
                         const uint32_t *locators, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    if (i + AHEAD < count) {
      uint64_t home = gs_point_home(hashes[i + AHEAD], index->bucket_count);
      __builtin_prefetch(gs_point_bucket(index, home));
    }
    if (!holds(index, hashes[i], locators[i])) {
      return false;
    }
  }
  return true;
}

/* Whether places beyond the count, and bits that mean nothing, are zero. */
static bool
is_canonical(const uint8_t *bucket)
{
  uint8_t flags = bucket[GS_BUCKET_COUNT_AT];
  uint32_t count = flags & GS_BUCKET_COUNT_MASK;
  if ((flags & ~(GS_BUCKET_COUNT_MASK | GS_BUCKET_OVERFLOW)) != 0 ||
      count > GS_BUCKET_ENTRIES ||
      ((flags & GS_BUCKET_OVERFLOW) != 0 && count < GS_BUCKET_ENTRIES)) {
    return false;
  }
  for (uint32_t i = count; i < GS_BUCKET_ENTRIES; i++) {
    if (gs_get_u16(bucket + (size_t)i * 2) != 0 ||
        gs_bucket_locator(bucket, i) != 0) {
      return false;
    }
  }
  return true;
}

gs_status
gs_point_index_verify(const gs_point_index *index, uint64_t key_count,
                      gs_error *err)
{
  uint64_t found = 0;
  for (uint64_t i = 0; i < index->bucket_count; i++) {
    const uint8_t *bucket = gs_point_bucket(index, i);
    if (!is_canonical(bucket)) {
      return GS_FAIL(err, GS_CORRUPT,
                     "bucket %" PRIu64 " of the point index is not written as "
                     "the format wants",
                     i);
    }
    found += gs_bucket_count(bucket);
  }
  if (found != key_count) {
    return GS_FAIL(err, GS_CORRUPT,
                   "the point index holds %" PRIu64 " keys, the table %" PRIu64,
                   found, key_count);
  }
  return GS_OK;
}
