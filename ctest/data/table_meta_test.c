/*
 * Tests of the table metadata's encoding: its exact bytes, that it comes back
 * as it went in, and that no damaged encoding is taken for a good one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "code/fixed.h"
#include "data/table_meta.h"

static void *
test_resize(gs_alloc *self, void *block, size_t old_size, size_t new_size)
{
  (void)self;
  (void)old_size;
  if (new_size == 0) {
    free(block);
    return NULL;
  }
  return realloc(block, new_size);
}

static gs_alloc test_alloc = {.resize = test_resize};

enum { NUMBERS = 15, MIN_KEY_AT = NUMBERS * 14, END_BYTES = 2 };

static gs_table_meta
sample(void)
{
  return (gs_table_meta){
      .id = 1,
      .file_bytes = 2,
      .footer_checksum = 3,
      .entry_count = 4,
      .key_count = 5,
      .tombstone_count = 6,
      .expiring_count = 7,
      .data_bytes = 8,
      .min_seq = 9,
      .max_seq = 10,
      .created_ms = 11,
      .min_expiry_ms = 12,
      .max_expiry_ms = 13,
      .oldest_tombstone_ms = 14,
      .seq_override = 15,
      .min_key = gs_slice_str("ab"),
      .max_key = gs_slice_str("b"),
  };
}

static gs_buffer
encoded(const gs_table_meta *meta)
{
  gs_buffer out;
  gs_buffer_init(&out, &test_alloc);
  gs_table_meta_encode(meta, &out);
  assert_int_equal(out.size, gs_table_meta_encoded_bytes(meta));
  assert_int_equal(gs_buffer_status(&out, NULL), GS_OK);
  return out;
}

static void
test_the_encoding_has_these_bytes(void **state)
{
  (void)state;
  gs_table_meta meta = sample();
  gs_buffer out = encoded(&meta);
  for (uint32_t i = 0; i < NUMBERS; i++) {
    const uint8_t field[14] = {(uint8_t)(i + 1), 0, 8, 0, 0, 0,
                               (uint8_t)(i + 1)};
    assert_memory_equal(out.data + 14 * i, field, sizeof field);
  }
  static const uint8_t tail[] = {16, 0, 2, 0, 0, 0,   'a', 'b', 17,
                                 0,  1, 0, 0, 0, 'b', 0,   0};
  assert_int_equal(out.size, MIN_KEY_AT + sizeof tail);
  assert_memory_equal(out.data + MIN_KEY_AT, tail, sizeof tail);
  gs_buffer_deinit(&out);
}

static void
test_what_was_encoded_is_decoded(void **state)
{
  (void)state;
  gs_table_meta meta = sample();
  meta.max_seq = UINT64_MAX;
  gs_buffer out = encoded(&meta);
  size_t length = out.size;
  gs_buffer_append(&out, "rest", 4);
  gs_table_meta back;
  size_t used = 0;
  assert_int_equal(
      gs_table_meta_decode(gs_buffer_slice(&out), &back, &used, NULL), GS_OK);
  assert_int_equal(used, length);
  assert_true(gs_table_meta_equal(&meta, &back));
  assert_ptr_equal(back.max_key.data, out.data + length - 3);
  gs_buffer_deinit(&out);
}

static void
test_every_member_takes_part_in_equality(void **state)
{
  (void)state;
  gs_table_meta meta = sample();
  for (size_t i = 0; i < NUMBERS; i++) {
    gs_table_meta other = meta;
    ((uint64_t *)(void *)&other)[i] ^= 1;
    assert_false(gs_table_meta_equal(&meta, &other));
  }
  gs_table_meta other = meta;
  other.min_key = gs_slice_str("aa");
  assert_false(gs_table_meta_equal(&meta, &other));
  other = meta;
  other.max_key = gs_slice_str("c");
  assert_false(gs_table_meta_equal(&meta, &other));
}

static gs_status
decode(const uint8_t *data, size_t size)
{
  /* A copy of no more bytes, so that a read beyond them is seen. */
  uint8_t *exact = malloc(size);
  assert_true(exact != NULL || size == 0);
  if (size > 0) {
    memcpy(exact, data, size);
  }
  gs_table_meta meta;
  size_t used;
  gs_status status =
      gs_table_meta_decode(gs_slice_of(exact, size), &meta, &used, NULL);
  free(exact);
  return status;
}

static void
test_every_shorter_encoding_is_corrupt(void **state)
{
  (void)state;
  gs_table_meta meta = sample();
  gs_buffer out = encoded(&meta);
  for (size_t size = 0; size < out.size; size++) {
    assert_int_equal(decode(out.data, size), GS_CORRUPT);
  }
  gs_buffer_deinit(&out);
}

static void
test_a_missing_repeated_or_misplaced_field_is_corrupt(void **state)
{
  (void)state;
  gs_table_meta meta = sample();
  for (size_t i = 0; i < NUMBERS + 2; i++) {
    for (uint16_t tag = 0; tag < NUMBERS + 4; tag++) {
      gs_buffer out = encoded(&meta);
      size_t at = i <= NUMBERS ? 14 * i : MIN_KEY_AT + 8;
      gs_put_u16(out.data + at, tag);
      gs_status wanted = tag == i + 1 ? GS_OK : GS_CORRUPT;
      assert_int_equal(decode(out.data, out.size), wanted);
      gs_buffer_deinit(&out);
    }
  }
}

static void
test_wrong_sizes_are_corrupt(void **state)
{
  (void)state;
  gs_table_meta meta = sample();
  static const uint32_t sizes[] = {0, 7, 9, 300, UINT32_MAX};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    gs_buffer out = encoded(&meta);
    gs_put_u32(out.data + 2, sizes[i]);
    assert_int_equal(decode(out.data, out.size), GS_CORRUPT);
    gs_buffer_deinit(&out);
  }
}

static void
test_bounds_in_the_wrong_order_are_corrupt(void **state)
{
  (void)state;
  gs_table_meta keys = sample();
  keys.min_key = gs_slice_str("bb");
  gs_table_meta seqs = sample();
  seqs.min_seq = 11;
  gs_table_meta times = sample();
  times.min_expiry_ms = 14;
  gs_table_meta *all[] = {&keys, &seqs, &times};
  for (size_t i = 0; i < 3; i++) {
    gs_buffer out = encoded(all[i]);
    assert_int_equal(decode(out.data, out.size), GS_CORRUPT);
    gs_buffer_deinit(&out);
  }
}

static void
test_a_key_no_store_can_hold_is_corrupt(void **state)
{
  (void)state;
  static uint8_t key[65536];
  gs_table_meta meta = sample();
  meta.min_key = gs_slice_of(key, 65536);
  meta.max_key = meta.min_key;
  gs_buffer out = encoded(&meta);
  assert_int_equal(decode(out.data, out.size), GS_CORRUPT);
  gs_buffer_deinit(&out);
  meta.min_key.size--;
  meta.max_key.size--;
  out = encoded(&meta);
  assert_int_equal(decode(out.data, out.size), GS_OK);
  gs_buffer_deinit(&out);
}

/* The sample with one more field before its end. */
static gs_status
decode_with_field(uint16_t tag)
{
  gs_table_meta meta = sample();
  gs_buffer out = encoded(&meta);
  out.size -= END_BYTES;
  uint8_t field[8] = {0, 0, 2, 0, 0, 0, 'x', 'y'};
  gs_put_u16(field, tag);
  gs_buffer_append(&out, field, sizeof field);
  gs_buffer_append_zeros(&out, END_BYTES);
  gs_status status = decode(out.data, out.size);
  gs_buffer_deinit(&out);
  return status;
}

static void
test_unknown_fields_refuse_below_0x8000_and_are_skipped_above(void **state)
{
  (void)state;
  assert_int_equal(decode_with_field(18), GS_VERSION);
  assert_int_equal(decode_with_field(0x7fff), GS_VERSION);
  assert_int_equal(decode_with_field(0x8000), GS_OK);
  assert_int_equal(decode_with_field(0xffff), GS_OK);
  assert_int_equal(decode_with_field(17), GS_CORRUPT);
}

static void
test_the_bounds_are_covered_and_nothing_beyond_them(void **state)
{
  (void)state;
  gs_table_meta meta = sample();
  assert_false(gs_table_meta_covers(&meta, gs_slice_str("a")));
  assert_true(gs_table_meta_covers(&meta, gs_slice_str("ab")));
  assert_true(gs_table_meta_covers(&meta, gs_slice_str("abc")));
  assert_true(gs_table_meta_covers(&meta, gs_slice_str("b")));
  assert_false(gs_table_meta_covers(&meta, gs_slice_str("ba")));
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_encoding_has_these_bytes),
      cmocka_unit_test(test_what_was_encoded_is_decoded),
      cmocka_unit_test(test_every_member_takes_part_in_equality),
      cmocka_unit_test(test_every_shorter_encoding_is_corrupt),
      cmocka_unit_test(test_a_missing_repeated_or_misplaced_field_is_corrupt),
      cmocka_unit_test(test_wrong_sizes_are_corrupt),
      cmocka_unit_test(test_bounds_in_the_wrong_order_are_corrupt),
      cmocka_unit_test(test_a_key_no_store_can_hold_is_corrupt),
      cmocka_unit_test(
          test_unknown_fields_refuse_below_0x8000_and_are_skipped_above),
      cmocka_unit_test(test_the_bounds_are_covered_and_nothing_beyond_them),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
