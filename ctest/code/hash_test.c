/*
 * Tests of hashes and checksums: golden values, since they are on disks, and
 * that place and content both count.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "code/hash.h"

enum { ROOM = 1000 };

#define SEED UINT64_C(0x123456789abcdef0)

/* Of the first size bytes of 0, 7, 14, ... (modulo 256). The sizes are those at
 * which XXH3 changes its way of working. */
static const struct golden {
  size_t size;
  uint64_t hash;
  uint64_t seeded;
} goldens[] = {
    {0, UINT64_C(0x2d06800538d394c2), UINT64_C(0x8aa56c2c3d8317f6)},
    {1, UINT64_C(0xc44bdff4074eecdb), UINT64_C(0x6610ea1e2f5010b7)},
    {3, UINT64_C(0xc3489259e968ad9e), UINT64_C(0xc69b9f40dc098140)},
    {8, UINT64_C(0xb88dee77f6bf6980), UINT64_C(0xd01087179a609092)},
    {16, UINT64_C(0x9da23836adf2be1e), UINT64_C(0x1820abf9655a46e8)},
    {17, UINT64_C(0xf34c3c9cf5a112d1), UINT64_C(0xe7567a905e3d4af7)},
    {100, UINT64_C(0x6dbb812cf19d012e), UINT64_C(0x048ae0f52463f4a3)},
    {128, UINT64_C(0x65f3c2c00fa93185), UINT64_C(0x9307f8fe5253b7fc)},
    {129, UINT64_C(0x28065c6ec25f5b25), UINT64_C(0xa97c89ba50ccf054)},
    {240, UINT64_C(0x4917a75c0ef8eed7), UINT64_C(0x8c62aba499fb8e7a)},
    {241, UINT64_C(0x541b19226f0052e8), UINT64_C(0xda4c89463fc5ef53)},
    {1000, UINT64_C(0x10ad30264426c830), UINT64_C(0xd6855ba859847166)},
};

enum { GOLDENS = sizeof goldens / sizeof goldens[0] };

static uint8_t bytes[ROOM + 1];

static int
set_up(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof bytes; i++) {
    bytes[i] = (uint8_t)(i * 7);
  }
  return 0;
}

static void
test_hashes_of_keys_never_change(void **state)
{
  (void)state;
  for (size_t i = 0; i < GOLDENS; i++) {
    gs_slice key = gs_slice_of(bytes, goldens[i].size);
    assert_true(gs_hash_key(key) == goldens[i].hash);
  }
}

static void
test_checksums_never_change(void **state)
{
  (void)state;
  for (size_t i = 0; i < GOLDENS; i++) {
    assert_true(gs_checksum(bytes, goldens[i].size, SEED) == goldens[i].seeded);
  }
}

static void
test_seeds_never_change(void **state)
{
  (void)state;
  assert_true(gs_checksum_seed(0, 0, 0) == UINT64_C(0x743df94ee4c78a2a));
  assert_true(gs_checksum_seed(1, 2, 3) == UINT64_C(0x7c68b4906e7ea780));
}

static void
test_each_part_of_a_place_counts(void **state)
{
  (void)state;
  uint64_t seed = gs_checksum_seed(1, 2, 3);
  assert_true(gs_checksum_seed(0, 2, 3) != seed);
  assert_true(gs_checksum_seed(1, 0, 3) != seed);
  assert_true(gs_checksum_seed(1, 2, 0) != seed);
  assert_true(gs_checksum_seed(3, 2, 1) != seed);
}

static void
test_every_flipped_bit_changes_the_checksum(void **state)
{
  (void)state;
  for (size_t i = 1; i < GOLDENS; i++) {
    size_t size = goldens[i].size;
    for (size_t bit = 0; bit < size * 8; bit++) {
      bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ (1U << bit % 8));
      assert_true(gs_checksum(bytes, size, SEED) != goldens[i].seeded);
      bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ (1U << bit % 8));
    }
  }
}

static void
test_the_address_does_not_count(void **state)
{
  (void)state;
  uint64_t before = gs_checksum(bytes, ROOM, SEED);
  memmove(bytes + 1, bytes, ROOM);
  assert_true(gs_checksum(bytes + 1, ROOM, SEED) == before);
}

#define HASH_TEST(test) cmocka_unit_test_setup(test, set_up)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      HASH_TEST(test_hashes_of_keys_never_change),
      HASH_TEST(test_checksums_never_change),
      HASH_TEST(test_seeds_never_change),
      HASH_TEST(test_each_part_of_a_place_counts),
      HASH_TEST(test_every_flipped_bit_changes_the_checksum),
      HASH_TEST(test_the_address_does_not_count),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
