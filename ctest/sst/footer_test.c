/*
 * Tests of the two ends of a table: their exact bytes, and that no damage and
 * no future format passes for a table of today.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "code/fixed.h"
#include "code/hash.h"
#include "sst/footer.h"

enum { SEED = 77, BLOCKS_END = 1000, FILE_BYTES = 1512 };

static gs_table_footer
sample(void)
{
  return (gs_table_footer){
      .index = {BLOCKS_END, 128, 11},
      .fences = {BLOCKS_END + 128, 72, 12},
      .properties = {BLOCKS_END + 200, 200, 13},
      .block_count = 3,
      .block_bytes = 4096,
      .locator_shift = 10,
      .features = GS_FEATURE_POINT_INDEX,
  };
}

static gs_status
decode(const uint8_t *bytes)
{
  gs_table_footer footer;
  return gs_table_footer_decode(bytes, SEED, FILE_BYTES, &footer, NULL);
}

static void
sign_footer(uint8_t *bytes)
{
  gs_put_u64(bytes + 104, gs_checksum(bytes, 104, SEED));
}

static void
test_the_header_has_these_bytes_and_comes_back(void **state)
{
  (void)state;
  gs_table_header header = {.features = 1, .id = 0x0102, .salt = 0x0304};
  uint8_t bytes[GS_TABLE_HEADER_BYTES];
  gs_table_header_encode(&header, bytes);
  static const uint8_t wanted[32] = {'G', 'r', 'a', 'i', 'n', 'T', 'a', 'b', 1,
                                     0,   0,   0,   1,   0,   0,   0,   2,   1,
                                     0,   0,   0,   0,   0,   0,   4,   3};
  assert_memory_equal(bytes, wanted, sizeof wanted);
  uint64_t seed = gs_checksum_seed(0, header.id, 0);
  assert_int_equal(gs_get_u64(bytes + 32), gs_checksum(wanted, 32, seed));
  gs_table_header back;
  assert_int_equal(gs_table_header_decode(bytes, &back, NULL), GS_OK);
  assert_int_equal(back.id, header.id);
  assert_int_equal(back.salt, header.salt);
  assert_int_equal(back.features, 1);
}

static void
test_a_header_with_any_bit_flipped_is_corrupt(void **state)
{
  (void)state;
  gs_table_header header = {.features = 1, .id = 5, .salt = 6};
  uint8_t bytes[GS_TABLE_HEADER_BYTES];
  gs_table_header_encode(&header, bytes);
  for (size_t i = 0; i < sizeof bytes * 8; i++) {
    bytes[i / 8] ^= (uint8_t)(1U << i % 8);
    assert_int_equal(gs_table_header_decode(bytes, &header, NULL), GS_CORRUPT);
    bytes[i / 8] ^= (uint8_t)(1U << i % 8);
  }
}

static void
test_a_header_of_another_format_or_feature_is_refused(void **state)
{
  (void)state;
  static const size_t places[] = {8, 12};
  for (size_t i = 0; i < 2; i++) {
    gs_table_header header = {.id = 5};
    uint8_t bytes[GS_TABLE_HEADER_BYTES];
    gs_table_header_encode(&header, bytes);
    bytes[places[i]] = 8;
    gs_put_u64(bytes + 32, gs_checksum(bytes, 32, gs_checksum_seed(0, 5, 0)));
    assert_int_equal(gs_table_header_decode(bytes, &header, NULL), GS_VERSION);
  }
}

static void
test_the_footer_has_these_bytes_and_comes_back(void **state)
{
  (void)state;
  gs_table_footer footer = sample();
  uint8_t bytes[GS_TABLE_FOOTER_BYTES];
  gs_table_footer_encode(&footer, SEED, bytes);
  static const uint64_t parts[] = {1000, 128, 11, 1128, 72, 12, 1200, 200, 13};
  for (size_t i = 0; i < 9; i++) {
    assert_int_equal(gs_get_u64(bytes + 8 * i), parts[i]);
  }
  static const uint32_t numbers[] = {3, 4096, 10, 1, 1, 0};
  for (size_t i = 0; i < 6; i++) {
    assert_int_equal(gs_get_u32(bytes + 72 + 4 * i), numbers[i]);
  }
  assert_memory_equal(bytes + 96, "TabGrain", 8);
  assert_int_equal(footer.checksum, gs_checksum(bytes, 104, SEED));
  assert_int_equal(gs_get_u64(bytes + 104), footer.checksum);
  gs_table_footer back;
  assert_int_equal(gs_table_footer_decode(bytes, SEED, FILE_BYTES, &back, NULL),
                   GS_OK);
  assert_memory_equal(&back.index, &footer.index, sizeof back.index);
  assert_memory_equal(&back.fences, &footer.fences, sizeof back.fences);
  assert_memory_equal(&back.properties, &footer.properties,
                      sizeof back.properties);
  assert_int_equal(back.block_count, footer.block_count);
  assert_int_equal(back.checksum, footer.checksum);
}

static void
test_a_footer_with_any_bit_flipped_or_elsewhere_is_corrupt(void **state)
{
  (void)state;
  gs_table_footer footer = sample();
  uint8_t bytes[GS_TABLE_FOOTER_BYTES];
  gs_table_footer_encode(&footer, SEED, bytes);
  for (size_t i = 0; i < sizeof bytes * 8; i++) {
    bytes[i / 8] ^= (uint8_t)(1U << i % 8);
    assert_int_equal(decode(bytes), GS_CORRUPT);
    bytes[i / 8] ^= (uint8_t)(1U << i % 8);
  }
  assert_int_equal(
      gs_table_footer_decode(bytes, SEED + 1, FILE_BYTES, &footer, NULL),
      GS_CORRUPT);
  assert_int_equal(
      gs_table_footer_decode(bytes, SEED, FILE_BYTES + 1, &footer, NULL),
      GS_CORRUPT);
}

/* Encodes a changed sample and decodes it. */
static gs_status
try(void (*change)(gs_table_footer *footer, uint64_t value), uint64_t value)
{
  gs_table_footer footer = sample();
  change(&footer, value);
  uint8_t bytes[GS_TABLE_FOOTER_BYTES];
  gs_table_footer_encode(&footer, SEED, bytes);
  return decode(bytes);
}

static void
set_index_offset(gs_table_footer *footer, uint64_t value)
{
  footer->index.offset = value;
}

static void
set_fences_offset(gs_table_footer *footer, uint64_t value)
{
  footer->fences.offset = value;
}

static void
set_fences_size(gs_table_footer *footer, uint64_t value)
{
  footer->fences.size = value;
}

static void
set_properties_size(gs_table_footer *footer, uint64_t value)
{
  footer->properties.size = value;
}

/* The index in two parts of bytes, the rest with the fences. */
static void
set_index_size(gs_table_footer *footer, uint64_t value)
{
  footer->fences.offset = BLOCKS_END + value;
  footer->fences.size = 200 - value;
  footer->index.size = value;
}

static void
set_block_count(gs_table_footer *footer, uint64_t value)
{
  footer->block_count = (uint32_t)value;
}

static void
set_block_bytes(gs_table_footer *footer, uint64_t value)
{
  footer->block_bytes = (uint32_t)value;
}

static void
set_shift(gs_table_footer *footer, uint64_t value)
{
  footer->locator_shift = (uint32_t)value;
}

static void
set_features(gs_table_footer *footer, uint64_t value)
{
  footer->features = (uint32_t)value;
}

static void
test_parts_that_do_not_follow_one_another_are_corrupt(void **state)
{
  (void)state;
  assert_int_equal(try(set_index_offset, BLOCKS_END), GS_OK);
  assert_int_equal(try(set_index_offset, BLOCKS_END - 1), GS_CORRUPT);
  assert_int_equal(try(set_index_offset, 39), GS_CORRUPT);
  assert_int_equal(try(set_index_offset, UINT64_MAX), GS_CORRUPT);
  assert_int_equal(try(set_fences_offset, BLOCKS_END), GS_CORRUPT);
  assert_int_equal(try(set_fences_size, 73), GS_CORRUPT);
  assert_int_equal(try(set_fences_size, UINT64_MAX - 1000), GS_CORRUPT);
  assert_int_equal(try(set_properties_size, 199), GS_CORRUPT);
  assert_int_equal(try(set_properties_size, 201), GS_CORRUPT);
}

static void
test_numbers_that_do_not_fit_are_corrupt(void **state)
{
  (void)state;
  assert_int_equal(try(set_index_size, 64), GS_OK);
  assert_int_equal(try(set_index_size, 65), GS_CORRUPT);
  assert_int_equal(try(set_index_size, 0), GS_CORRUPT);
  assert_int_equal(try(set_features, 0), GS_CORRUPT);
  assert_int_equal(try(set_block_count, 0), GS_CORRUPT);
  assert_int_equal(try(set_block_bytes, 4095), GS_OK);
  assert_int_equal(try(set_block_bytes, 255), GS_CORRUPT);
  assert_int_equal(try(set_block_bytes, 65537), GS_CORRUPT);
  assert_int_equal(try(set_shift, 11), GS_CORRUPT);
}

static void
leave_out_index(gs_table_footer *footer, uint64_t checksum)
{
  set_index_size(footer, 0);
  footer->features = 0;
  footer->index.checksum = checksum;
}

static void
test_a_point_index_that_is_left_out_leaves_zeros(void **state)
{
  (void)state;
  assert_int_equal(try(leave_out_index, 0), GS_OK);
  assert_int_equal(try(leave_out_index, 1), GS_CORRUPT);
}

static void
test_a_footer_of_another_format_or_feature_is_refused(void **state)
{
  (void)state;
  assert_int_equal(try(set_features, 9), GS_VERSION);
  gs_table_footer footer = sample();
  uint8_t bytes[GS_TABLE_FOOTER_BYTES];
  gs_table_footer_encode(&footer, SEED, bytes);
  bytes[88] = 2;
  sign_footer(bytes);
  assert_int_equal(decode(bytes), GS_VERSION);
  bytes[88] = 1;
  bytes[92] = 1;
  sign_footer(bytes);
  assert_int_equal(decode(bytes), GS_CORRUPT);
}

static void
test_a_table_names_one_codec_or_none(void **state)
{
  (void)state;
  for (int codec = 0; codec < GS_CODECS; codec++) {
    uint32_t bit = gs_codec_feature((gs_codec)codec);
    assert_int_equal(gs_feature_codec(bit | GS_FEATURE_POINT_INDEX), codec);
    assert_int_equal(try(set_features, bit | GS_FEATURE_POINT_INDEX), GS_OK);
  }
  assert_int_equal(gs_codec_feature(GS_CODEC_LZ4), 2);
  assert_int_equal(gs_codec_feature(GS_CODEC_ZSTD), 4);
  assert_int_equal(try(set_features, 7), GS_CORRUPT);
}

static void
test_locators_reach_every_row_of_a_block(void **state)
{
  (void)state;
  assert_int_equal(gs_locator_shift(256), 6);
  assert_int_equal(gs_locator_shift(4096), 10);
  assert_int_equal(gs_locator_shift(4097), 11);
  assert_int_equal(gs_locator_shift(65536), 14);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_header_has_these_bytes_and_comes_back),
      cmocka_unit_test(test_a_header_with_any_bit_flipped_is_corrupt),
      cmocka_unit_test(test_a_header_of_another_format_or_feature_is_refused),
      cmocka_unit_test(test_the_footer_has_these_bytes_and_comes_back),
      cmocka_unit_test(
          test_a_footer_with_any_bit_flipped_or_elsewhere_is_corrupt),
      cmocka_unit_test(test_parts_that_do_not_follow_one_another_are_corrupt),
      cmocka_unit_test(test_numbers_that_do_not_fit_are_corrupt),
      cmocka_unit_test(test_a_point_index_that_is_left_out_leaves_zeros),
      cmocka_unit_test(test_a_footer_of_another_format_or_feature_is_refused),
      cmocka_unit_test(test_a_table_names_one_codec_or_none),
      cmocka_unit_test(test_locators_reach_every_row_of_a_block),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
