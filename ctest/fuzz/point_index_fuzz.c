/*
 * Fuzz target of the point index. The input is a mode, and buckets as they
 * stand in a file, behind them hashes to probe for; or hashes and locators to
 * build an index of.
 * Checked: no access outside the buckets (by the sanitizers), probes that end,
 * the two ways of matching agree, what verify accepts holds as many entries as
 * it says; and an index built is one that verify accepts and that gives every
 * pair back.
 */
#include "fuzz/target.h"
#include "sst/point_index.h"

enum {
  BUILDS = 1, /* bit of the mode; else its upper bits count buckets */
  BUCKETS_MAX = 8,
  PAIRS_MAX = 64,
  PAIR_BYTES = 6,
};

static uint64_t
count_entries(const gs_point_index *index)
{
  uint64_t count = 0;
  for (uint64_t i = 0; i < index->bucket_count; i++) {
    count += gs_bucket_count(gs_point_bucket(index, i));
  }
  return count;
}

static void
probe(const gs_point_index *index, uint64_t hash)
{
  gs_point_probe at = gs_point_probe_begin(index, hash);
  uint64_t given = 0;
  uint32_t locator;
  while (gs_point_probe_next(&at, &locator)) {
    REQUIRE(locator < UINT32_C(1) << GS_LOCATOR_BITS);
    REQUIRE(++given <= index->bucket_count * GS_BUCKET_ENTRIES);
  }
}

static void
check_buckets(fuzz_input *in, uint64_t bucket_count)
{
  size_t size = (size_t)bucket_count * GS_BUCKET_BYTES;
  uint8_t *buckets = calloc(1, size);
  REQUIRE(buckets != NULL);
  gs_slice from = fuzz_slice(in, size);
  if (from.size > 0) {
    memcpy(buckets, from.data, from.size);
  }
  gs_point_index index = {buckets, bucket_count};
  uint64_t entries = count_entries(&index);
  REQUIRE(gs_point_index_verify(&index, entries + 1, NULL) == GS_CORRUPT);
  gs_status status = gs_point_index_verify(&index, entries, NULL);
  REQUIRE(status == GS_OK || status == GS_CORRUPT);
  for (size_t i = 0; i < 16 && !fuzz_is_over(in); i++) {
    uint64_t hash = fuzz_take(in, 8);
    const uint8_t *bucket =
        gs_point_bucket(&index, gs_point_home(hash, bucket_count));
    REQUIRE(gs_bucket_match(bucket, (uint16_t)hash) ==
            gs_bucket_match_plain(bucket, (uint16_t)hash));
    probe(&index, hash);
  }
  free(buckets);
}

/* Hashes of few homes and fingerprints, so that buckets overflow. */
static void
check_built(fuzz_input *in)
{
  uint64_t hashes[PAIRS_MAX];
  uint32_t locators[PAIRS_MAX];
  size_t count = 0;
  while (count < PAIRS_MAX && in->end - in->at >= PAIR_BYTES) {
    hashes[count] = fuzz_take(in, 1) << 56 | fuzz_take(in, 1);
    locators[count++] =
        (uint32_t)fuzz_take(in, 4) & ((UINT32_C(1) << GS_LOCATOR_BITS) - 1);
  }
  uint64_t bucket_count = gs_point_index_buckets(count);
  if (count == 0) {
    REQUIRE(bucket_count == 0);
    return;
  }
  uint8_t *buckets = calloc((size_t)bucket_count, GS_BUCKET_BYTES);
  REQUIRE(buckets != NULL);
  gs_point_index index = {buckets, bucket_count};
  gs_point_index_build(buckets, bucket_count, hashes, locators, count);
  REQUIRE(gs_point_index_verify(&index, count, NULL) == GS_OK);
  REQUIRE(gs_point_index_holds_all(&index, hashes, locators, count));
  free(buckets);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  fuzz_input in = fuzz_input_of(data, size);
  uint64_t mode = fuzz_take(&in, 1);
  if ((mode & BUILDS) != 0) {
    check_built(&in);
  } else {
    check_buckets(&in, 1 + (mode >> 1) % BUCKETS_MAX);
  }
  return 0;
}
