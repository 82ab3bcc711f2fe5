/*
 * Tests of the point index: every key is found, others almost never, however
 * full the buckets are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sst/point_index.h"

enum { MAX_LOCATOR = (1 << GS_LOCATOR_BITS) - 1 };

static uint64_t random_state = 1;

static uint64_t
next_random(void)
{
  random_state += UINT64_C(0x9e3779b97f4a7c15);
  uint64_t z = random_state;
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

typedef struct pairs {
  size_t count;
  uint64_t *hashes;
  uint32_t *locators;
  gs_point_index index;
  uint8_t *buckets;
} pairs;

static pairs
made(size_t count, uint64_t hash_mask)
{
  pairs made = {.count = count};
  made.hashes = calloc(count, sizeof *made.hashes);
  made.locators = calloc(count, sizeof *made.locators);
  uint64_t bucket_count = gs_point_index_buckets(count);
  made.buckets = calloc(bucket_count, GS_BUCKET_BYTES);
  assert_non_null(made.hashes);
  assert_non_null(made.locators);
  assert_non_null(made.buckets);
  for (size_t i = 0; i < count; i++) {
    made.hashes[i] = next_random() & hash_mask;
    made.locators[i] = (uint32_t)next_random() & MAX_LOCATOR;
  }
  made.index = (gs_point_index){made.buckets, bucket_count};
  gs_point_index_build(made.buckets, bucket_count, made.hashes, made.locators,
                       count);
  return made;
}

static void
free_pairs(pairs *all)
{
  free(all->hashes);
  free(all->locators);
  free(all->buckets);
}

static void
test_a_bucket_has_these_bytes(void **state)
{
  (void)state;
  static const uint64_t hashes[] = {0x1234, 0xffff000000005678, 3};
  static const uint32_t locators[] = {0x3ffffff, 1, 0x2000001};
  uint8_t buckets[GS_BUCKET_BYTES] = {0};
  gs_point_index_build(buckets, 1, hashes, locators, 3);
  uint8_t wanted[GS_BUCKET_BYTES] = {0x34, 0x12, 0x78, 0x56, 3, 0};
  wanted[24] = 3;
  /* 26 ones; then 1; then 1 and, 25 bits on, 1 again */
  static const uint8_t packed[] = {0xff, 0xff, 0xff, 0x07, 0,
                                   0,    0x10, 0,    0,    0x20};
  memcpy(wanted + 25, packed, sizeof packed);
  assert_memory_equal(buckets, wanted, sizeof wanted);
}

static void
test_every_key_is_found(void **state)
{
  (void)state;
  static const size_t counts[] = {1, 2, 9, 10, 11, 12, 13, 100, 1000, 20000};
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
    pairs all = made(counts[i], UINT64_MAX);
    assert_true(gs_point_index_holds_all(&all.index, all.hashes, all.locators,
                                         all.count));
    assert_int_equal(gs_point_index_verify(&all.index, all.count, NULL), GS_OK);
    assert_int_equal(gs_point_index_verify(&all.index, all.count + 1, NULL),
                     GS_CORRUPT);
    free_pairs(&all);
  }
}

static void
test_buckets_are_at_most_four_fifths_full(void **state)
{
  (void)state;
  for (uint64_t keys = 1; keys < 2000; keys++) {
    uint64_t buckets = gs_point_index_buckets(keys);
    assert_true(keys * 5 <= buckets * GS_BUCKET_ENTRIES * 4);
    assert_true(buckets == 1 ||
                keys * 5 > (buckets - 1) * GS_BUCKET_ENTRIES * 4);
  }
}

/* With the highest bits zero all keys have the first bucket as home. */
static void
test_keys_of_one_home_overflow_into_the_next_buckets(void **state)
{
  (void)state;
  pairs all = made(500, UINT32_MAX);
  assert_true(gs_point_index_holds_all(&all.index, all.hashes, all.locators,
                                       all.count));
  assert_int_equal(gs_point_index_verify(&all.index, all.count, NULL), GS_OK);
  uint64_t full = all.count / GS_BUCKET_ENTRIES;
  for (uint64_t i = 0; i < all.index.bucket_count; i++) {
    uint8_t flags = all.buckets[i * GS_BUCKET_BYTES + GS_BUCKET_COUNT_AT];
    assert_int_equal((flags & GS_BUCKET_OVERFLOW) != 0, i < full);
  }
  free_pairs(&all);
}

static void
test_overflow_goes_on_from_the_last_bucket_to_the_first(void **state)
{
  (void)state;
  pairs all = made(100, UINT64_MAX);
  memset(all.buckets, 0, all.index.bucket_count * GS_BUCKET_BYTES);
  for (size_t i = 0; i < all.count; i++) {
    all.hashes[i] |= UINT64_C(0xffffffff) << 32;
  }
  gs_point_index_build(all.buckets, all.index.bucket_count, all.hashes,
                       all.locators, all.count);
  assert_true(gs_point_index_holds_all(&all.index, all.hashes, all.locators,
                                       all.count));
  assert_int_equal(gs_bucket_count(all.buckets), GS_BUCKET_ENTRIES);
  free_pairs(&all);
}

static void
test_a_missing_pair_is_noticed(void **state)
{
  (void)state;
  pairs all = made(50, UINT64_MAX);
  for (size_t i = 0; i < all.count; i++) {
    all.locators[i] ^= 1;
    assert_false(gs_point_index_holds_all(&all.index, all.hashes, all.locators,
                                          all.count));
    all.locators[i] ^= 1;
    all.hashes[i] ^= 1;
    assert_false(gs_point_index_holds_all(&all.index, all.hashes, all.locators,
                                          all.count));
    all.hashes[i] ^= 1;
  }
  free_pairs(&all);
}

static void
test_few_probes_for_other_keys_find_a_candidate(void **state)
{
  (void)state;
  pairs all = made(20000, UINT64_MAX);
  uint32_t candidates = 0;
  for (int i = 0; i < 100000; i++) {
    gs_point_probe probe = gs_point_probe_begin(&all.index, next_random());
    uint32_t locator;
    while (gs_point_probe_next(&probe, &locator)) {
      candidates++;
    }
  }
  /* about twelve entries met per probe, 1 in 65536 each */
  assert_in_range(candidates, 1, 60);
  free_pairs(&all);
}

static void
test_the_fast_match_agrees_with_the_plain_one(void **state)
{
  (void)state;
  for (int i = 0; i < 20000; i++) {
    uint8_t bucket[GS_BUCKET_BYTES];
    for (size_t at = 0; at < sizeof bucket; at += 8) {
      gs_put_u64(bucket + at, next_random());
    }
    for (uint32_t entry = 0; entry < GS_BUCKET_ENTRIES; entry++) {
      gs_put_u16(bucket + 2 * entry, (uint16_t)(next_random() << 14));
    }
    for (uint32_t f = 0; f < 4; f++) {
      uint16_t fingerprint = (uint16_t)(f << 14);
      assert_int_equal(gs_bucket_match(bucket, fingerprint),
                       gs_bucket_match_plain(bucket, fingerprint));
    }
  }
}

static void
test_verify_refuses_what_no_builder_makes(void **state)
{
  (void)state;
  pairs all = made(9, UINT64_MAX);
  static const struct {
    size_t at;
    uint8_t value;
  } changes[] = {
      {18, 1},                    /* a fingerprint beyond the count */
      {GS_BUCKET_COUNT_AT, 8},    /* a count too small */
      {GS_BUCKET_COUNT_AT, 13},   /* a count too large */
      {GS_BUCKET_COUNT_AT, 0x19}, /* an unknown flag */
      {GS_BUCKET_COUNT_AT, 0x89}, /* overflow with room left */
      {GS_BUCKET_BYTES - 1, 1},   /* a locator beyond the count */
  };
  for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
    uint8_t kept = all.buckets[changes[i].at];
    all.buckets[changes[i].at] = changes[i].value;
    assert_int_equal(gs_point_index_verify(&all.index, 9, NULL), GS_CORRUPT);
    all.buckets[changes[i].at] = kept;
  }
  assert_int_equal(gs_point_index_verify(&all.index, 9, NULL), GS_OK);
  free_pairs(&all);
}

static void
test_a_probe_of_any_bytes_ends(void **state)
{
  (void)state;
  enum { BUCKETS = 5 };
  uint8_t *buckets = malloc((size_t)BUCKETS * GS_BUCKET_BYTES);
  assert_non_null(buckets);
  gs_point_index index = {buckets, BUCKETS};
  for (int i = 0; i < 2000; i++) {
    for (size_t at = 0; at < (size_t)BUCKETS * GS_BUCKET_BYTES; at++) {
      buckets[at] = (uint8_t)(next_random() | 0x8f);
    }
    gs_point_probe probe = gs_point_probe_begin(&index, UINT64_MAX);
    uint32_t locator;
    uint32_t given = 0;
    while (gs_point_probe_next(&probe, &locator)) {
      assert_true(locator <= MAX_LOCATOR);
      given++;
    }
    assert_true(given <= BUCKETS * GS_BUCKET_ENTRIES);
  }
  free(buckets);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_bucket_has_these_bytes),
      cmocka_unit_test(test_every_key_is_found),
      cmocka_unit_test(test_buckets_are_at_most_four_fifths_full),
      cmocka_unit_test(test_keys_of_one_home_overflow_into_the_next_buckets),
      cmocka_unit_test(test_overflow_goes_on_from_the_last_bucket_to_the_first),
      cmocka_unit_test(test_a_missing_pair_is_noticed),
      cmocka_unit_test(test_few_probes_for_other_keys_find_a_candidate),
      cmocka_unit_test(test_the_fast_match_agrees_with_the_plain_one),
      cmocka_unit_test(test_verify_refuses_what_no_builder_makes),
      cmocka_unit_test(test_a_probe_of_any_bytes_ends),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
