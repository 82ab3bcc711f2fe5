/*
 * Tests of the block reader: searches against a plain array, damage that must
 * be seen, and damage with a right checksum that must do no harm.
 */
#include "sst/block.h"
#include "sst/block_builder.h"
#include "sst/sst_kit.h"
#include "support/test_alloc.h"

enum { SEED = 99, ROUNDS = 60 };

static test_alloc heap;

static int
set_up(void **state)
{
  (void)state;
  test_alloc_init(&heap);
  return 0;
}

static int
tear_down(void **state)
{
  (void)state;
  assert_int_equal(heap.live_bytes, 0);
  return 0;
}

static gs_buffer
built(const kit_entries *entries)
{
  return kit_block(&heap.base, entries, SEED, 0);
}

static void
sign(uint8_t *data, size_t size)
{
  size_t end = size - GS_TABLE_CHECKSUM_BYTES;
  gs_put_u64(data + end, gs_checksum(data, end, SEED));
}

static gs_status
open_block(const uint8_t *data, size_t size, gs_block *block)
{
  return gs_block_open(gs_slice_of(data, size), SEED, block, NULL);
}

static kit_entries
random_entries(uint64_t seed)
{
  kit_taste taste = {.seed = seed,
                     .key_count = 1 + (size_t)(seed % 23),
                     .max_versions = 1 + (uint32_t)(seed % 3),
                     .max_value = 60,
                     .max_seq_jump = seed % 4 == 0 ? UINT64_C(1) << 32 : 5};
  return kit_entries_random(&taste);
}

/* ---- sound blocks -------------------------------------------------------- */

static void
assert_seeks(const gs_block *block, const kit_entries *entries, gs_slice key)
{
  uint32_t wanted = 0;
  while (wanted < entries->count &&
         gs_slice_compare(entries->list[wanted].key, key) < 0) {
    wanted++;
  }
  assert_int_equal(gs_block_seek(block, key), wanted);
}

static void
test_a_seek_finds_the_first_row_not_below_the_key(void **state)
{
  (void)state;
  for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
    kit_entries entries = random_entries(seed);
    gs_buffer out = built(&entries);
    gs_block block;
    assert_int_equal(open_block(out.data, out.size, &block), GS_OK);
    assert_int_equal(block.row_count, entries.count);
    for (size_t i = 0; i < entries.count; i++) {
      assert_seeks(&block, &entries, entries.list[i].key);
    }
    uint64_t random = seed;
    for (int i = 0; i < 200; i++) {
      uint8_t room[KIT_KEY_ROOM];
      assert_seeks(&block, &entries, kit_random_key(&random, room));
    }
    gs_buffer_deinit(&out);
    kit_entries_free(&entries);
  }
}

static void
test_a_seek_tells_keys_with_equal_heads_apart(void **state)
{
  (void)state;
  static const char *const keys[] = {"p",      "paaaa",  "paaaaa", "paaaab",
                                     "paaaac", "paaaad", "paaab",  "q"};
  kit_entries entries = {.count = 0};
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
    kit_entries_put(&entries, keys[i], 1 + i, "v");
  }
  gs_buffer out = built(&entries);
  gs_block block;
  assert_int_equal(open_block(out.data, out.size, &block), GS_OK);
  static const char *const asked[] = {
      "",       "o",      "p",     "pa", "paaaaa", "paaaaab",
      "paaaad", "paaaae", "paaac", "q",  "qq",     "\xff\xff"};
  for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
    assert_seeks(&block, &entries, gs_slice_str(asked[i]));
  }
  gs_buffer_deinit(&out);
  kit_entries_free(&entries);
}

static void
test_heads_of_all_ones_are_searched_too(void **state)
{
  (void)state;
  kit_entries entries = {.count = 0};
  kit_entries_put(&entries, "\xff\xff\xff", 1, "v");
  kit_entries_put(&entries, "\xff\xff\xff\xff", 2, "v");
  kit_entries_put(&entries, "\xff\xff\xff\xff\xff\xff\xff", 3, "v");
  kit_entries_put(&entries, "\xff\xff\xff\xff\xff\xff\xff\xff", 4, "v");
  gs_buffer out = built(&entries);
  gs_block block;
  assert_int_equal(open_block(out.data, out.size, &block), GS_OK);
  for (size_t size = 0; size <= 9; size++) {
    assert_seeks(&block, &entries,
                 gs_slice_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff", size));
  }
  gs_buffer_deinit(&out);
  kit_entries_free(&entries);
}

static void
test_rows_are_read_one_after_another_and_by_number(void **state)
{
  (void)state;
  for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
    kit_entries entries = random_entries(seed);
    gs_buffer out = built(&entries);
    gs_block block;
    assert_int_equal(open_block(out.data, out.size, &block), GS_OK);
    uint32_t at = gs_block_row_at(&block, 0);
    for (uint32_t i = 0; i < entries.count; i++) {
      assert_int_equal(at, gs_block_row_at(&block, i));
      assert_int_equal(gs_block_is_older(&block, at),
                       kit_is_older(&entries, i));
      gs_entry entry;
      at = gs_block_row(&block, at, &entry);
      kit_assert_same(&entry, &entries.list[i]);
    }
    assert_int_equal(at, block.end);
    gs_buffer_deinit(&out);
    kit_entries_free(&entries);
  }
}

/* ---- damage that a checksum shows ---------------------------------------- */

static void
test_a_block_with_any_bit_flipped_does_not_open(void **state)
{
  (void)state;
  kit_entries entries = random_entries(22);
  gs_buffer out = built(&entries);
  gs_block block;
  for (size_t i = 0; i < out.size * 8; i++) {
    out.data[i / 8] ^= (uint8_t)(1U << i % 8);
    assert_int_equal(open_block(out.data, out.size, &block), GS_CORRUPT);
    out.data[i / 8] ^= (uint8_t)(1U << i % 8);
  }
  assert_int_equal(open_block(out.data, out.size, &block), GS_OK);
  assert_int_equal(gs_block_open(gs_buffer_slice(&out), SEED + 1, &block, NULL),
                   GS_CORRUPT);
  gs_buffer_deinit(&out);
  kit_entries_free(&entries);
}

static void
test_a_block_of_any_other_length_does_not_open(void **state)
{
  (void)state;
  kit_entries entries = random_entries(5);
  gs_buffer out = built(&entries);
  gs_block block;
  for (size_t size = 0; size < out.size; size++) {
    uint8_t *cut = kit_copy(gs_slice_of(out.data, size));
    assert_int_equal(open_block(cut, size, &block), GS_CORRUPT);
    if (size >= GS_TABLE_CHECKSUM_BYTES) {
      sign(cut, size);
      assert_int_equal(open_block(cut, size, &block), GS_CORRUPT);
    }
    free(cut);
  }
  gs_buffer_deinit(&out);
  kit_entries_free(&entries);
}

/* ---- damage under a right checksum --------------------------------------- */

static gs_entry
plain(const char *key, uint64_t seq, const char *value)
{
  return (gs_entry){.key = gs_slice_str(key),
                    .value = gs_slice_str(value),
                    .seq = seq,
                    .kind = GS_KIND_PUT};
}

/* "ba" twice, then "bcx", then a tombstone "bd". Rows of 12, 12, 12, 12 bytes
 * from byte 48 on; the last two bytes of the second are padding. */
static gs_buffer
sample(void)
{
  kit_entries entries = {.count = 0};
  gs_entry list[] = {
      plain("ba", 50, "vv"),
      plain("ba", 40, ""),
      plain("bcx", 45, "v"),
      {.key = gs_slice_str("bd"), .seq = 1, .kind = GS_KIND_DELETE}};
  for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
    kit_entries_add(&entries, &list[i]);
  }
  gs_buffer out = built(&entries);
  kit_entries_free(&entries);
  return out;
}

enum { ROWS_AT = 48, ROW = 12 };

/* One byte of the sample set to a value, and signed. */
typedef struct change {
  size_t at;
  uint8_t value;
  gs_status opened;
  gs_status verified; /* if it opened */
} change;

static void
test_each_broken_rule_is_told_by_open_or_verify(void **state)
{
  (void)state;
  static const change changes[] = {
      {4, 0, GS_CORRUPT, GS_OK},           /* no rows */
      {4, 200, GS_CORRUPT, GS_OK},         /* more heads than bytes */
      {6, 200, GS_CORRUPT, GS_OK},         /* a prefix beyond the end */
      {16, 1, GS_VERSION, GS_OK},          /* a codec */
      {15, 1, GS_CORRUPT, GS_OK},          /* a base no sequence can be */
      {4, 3, GS_OK, GS_CORRUPT},           /* a row less */
      {6, 0, GS_OK, GS_CORRUPT},           /* a shorter prefix */
      {ROWS_AT + 4, 1, GS_OK, GS_CORRUPT}, /* a first row off the base */
      {17, 1, GS_OK, GS_CORRUPT},          /* zeros of the header */
      {19, 1, GS_OK, GS_CORRUPT},
      {23, 'b', GS_OK, GS_CORRUPT},       /* a head */
      {36, 13, GS_OK, GS_CORRUPT},        /* an offset */
      {44, 'c', GS_OK, GS_CORRUPT},       /* the prefix */
      {47, 1, GS_OK, GS_CORRUPT},         /* zeros behind the prefix */
      {ROWS_AT, 0x41, GS_OK, GS_CORRUPT}, /* the first row is older */
      {ROWS_AT, 0x03, GS_OK, GS_VERSION}, /* a kind of the future */
      {ROWS_AT, 0x07, GS_OK, GS_VERSION},
      {ROWS_AT, 0x00, GS_OK, GS_CORRUPT}, /* no kind */
      {ROWS_AT, 0x08, GS_OK, GS_CORRUPT},
      {ROWS_AT, 0x81, GS_OK, GS_CORRUPT},       /* an unknown flag */
      {ROWS_AT, 0x02, GS_OK, GS_CORRUPT},       /* a tombstone with a value */
      {ROWS_AT + 1, 1, GS_OK, GS_CORRUPT},      /* a value's end as padding */
      {ROWS_AT + ROW, 0x01, GS_OK, GS_CORRUPT}, /* not marked as older */
      {ROWS_AT + ROW + 7, 0x7f, GS_OK, GS_CORRUPT},   /* newer than its newer */
      {ROWS_AT + ROW + 10, 1, GS_OK, GS_CORRUPT},     /* padding */
      {ROWS_AT + 2 * ROW, 0x41, GS_OK, GS_CORRUPT},   /* older, another key */
      {ROWS_AT + 2 * ROW + 11, 'q', GS_OK, GS_OK},    /* another value */
      {ROWS_AT + 2 * ROW + 1, 90, GS_OK, GS_CORRUPT}, /* a value too long */
      {ROWS_AT + 3 * ROW + 2, 1, GS_OK, GS_CORRUPT},  /* out of order */
  };
  for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
    gs_buffer out = sample();
    out.data[changes[i].at] = changes[i].value;
    sign(out.data, out.size);
    gs_block block;
    gs_status opened = open_block(out.data, out.size, &block);
    if (opened != changes[i].opened) {
      fail_msg("change %zu: opening gave %s", i, gs_status_code(opened));
    }
    if (opened == GS_OK) {
      gs_status verified = gs_block_verify(&block, false, NULL);
      if (verified != changes[i].verified) {
        fail_msg("change %zu: verifying gave %s", i, gs_status_code(verified));
      }
    }
    gs_buffer_deinit(&out);
  }
}

static void
test_verify_asks_for_the_mark_of_a_key_that_goes_on(void **state)
{
  (void)state;
  gs_buffer out = sample();
  gs_block block;
  assert_int_equal(open_block(out.data, out.size, &block), GS_OK);
  assert_int_equal(gs_block_verify(&block, false, NULL), GS_OK);
  assert_int_equal(gs_block_verify(&block, true, NULL), GS_CORRUPT);
  out.data[ROWS_AT] |= GS_ROW_OLDER;
  assert_int_equal(gs_block_verify(&block, true, NULL), GS_OK);
  gs_buffer_deinit(&out);
}

static void
test_fields_used_without_need_are_refused(void **state)
{
  (void)state;
  /* long value of 1 byte, wide sequence, expiry of 0 */
  static const uint8_t rows[3][20] = {
      {0x01, 255, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 'k', 'v'},
      {0x11, 1, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 'k', 'v'},
      {0x21, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'k', 'v'},
  };
  static const size_t sizes[] = {16, 16, 20};
  for (size_t i = 0; i < 3; i++) {
    size_t size = 24 + sizes[i] + GS_TABLE_CHECKSUM_BYTES;
    uint8_t *data = calloc(1, size);
    assert_non_null(data);
    data[0] = (uint8_t)size;
    data[4] = 1;
    data[8] = 9;
    data[23] = 'k';
    memcpy(data + 24, rows[i], sizes[i]);
    sign(data, size);
    gs_block block;
    assert_int_equal(open_block(data, size, &block), GS_OK);
    gs_entry entry;
    assert_int_equal(gs_block_row(&block, 24, &entry), block.end);
    assert_int_equal(entry.seq, 9);
    assert_int_equal(gs_block_verify(&block, false, NULL), GS_CORRUPT);
    free(data);
  }
}

static void
test_a_prefix_shorter_than_it_could_be_is_refused(void **state)
{
  (void)state;
  kit_entries entries = {.count = 0};
  kit_entries_put(&entries, "bca", 1, "");
  kit_entries_put(&entries, "bcb", 2, "");
  gs_buffer out = built(&entries);
  enum { PREFIX_AT = 32 };
  assert_int_equal(out.data[6], 2);
  assert_memory_equal(out.data + PREFIX_AT, "bc", 2);
  out.data[6] = 1;
  out.data[PREFIX_AT + 1] = 0;
  memcpy(out.data + 20, "\0\0ac", 4);
  memcpy(out.data + 24, "\0\0bc", 4);
  sign(out.data, out.size);
  gs_block block;
  assert_int_equal(open_block(out.data, out.size, &block), GS_OK);
  assert_int_equal(gs_block_verify(&block, false, NULL), GS_CORRUPT);
  gs_buffer_deinit(&out);
  kit_entries_free(&entries);
}

static void
test_bytes_behind_the_rows_are_refused(void **state)
{
  (void)state;
  kit_entries entries = {.count = 0};
  kit_entries_put(&entries, "key", 1, "v");
  gs_buffer out = built(&entries);
  gs_buffer_append_zeros(&out, 4);
  out.data[0] += 4;
  memset(out.data + out.size - 12, 0, 4);
  sign(out.data, out.size);
  gs_block block;
  assert_int_equal(open_block(out.data, out.size, &block), GS_OK);
  assert_int_equal(gs_block_verify(&block, false, NULL), GS_CORRUPT);
  gs_buffer_deinit(&out);
  kit_entries_free(&entries);
}

/* Everything a reader can do with a block; results do not matter. */
static void
use_up(const gs_block *block, uint64_t *random)
{
  gs_entry entry;
  for (uint32_t i = 0; i < block->row_count; i++) {
    (void)gs_block_row(block, gs_block_row_at(block, i), &entry);
  }
  for (uint32_t at = 0; at < block->end + 8; at++) {
    uint32_t next = gs_block_row(block, at, &entry);
    if (next == 0) {
      assert_int_not_equal(gs_block_row_fail(block, at, NULL), GS_OK);
      continue;
    }
    assert_true(next > at && next <= block->end);
    assert_true(entry.key.data >= block->data);
    assert_true(entry.value.data + entry.value.size <=
                block->data + block->end);
  }
  for (int i = 0; i < 20; i++) {
    uint8_t room[KIT_KEY_ROOM];
    uint32_t row = gs_block_seek(block, kit_random_key(random, room));
    assert_true(row <= block->row_count);
  }
  (void)!gs_block_verify(block, false, NULL);
}

static void
test_no_content_makes_a_reader_leave_the_block(void **state)
{
  (void)state;
  uint64_t random = 4711;
  for (uint64_t round = 0; round < 3000; round++) {
    kit_entries entries = random_entries(1 + round % 40);
    gs_buffer out = built(&entries);
    uint8_t *data = kit_copy(gs_buffer_slice(&out));
    uint64_t changes = 1 + kit_below(&random, 8);
    for (uint64_t i = 0; i < changes; i++) {
      size_t range = kit_below(&random, 2) == 0 ? 64 : out.size;
      range = range < out.size ? range : out.size;
      data[kit_below(&random, range)] = (uint8_t)kit_random(&random);
    }
    gs_put_u32(data, (uint32_t)out.size);
    data[16] = 0;
    sign(data, out.size);
    gs_block block;
    if (open_block(data, out.size, &block) == GS_OK) {
      use_up(&block, &random);
    }
    free(data);
    gs_buffer_deinit(&out);
    kit_entries_free(&entries);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_seek_finds_the_first_row_not_below_the_key),
      cmocka_unit_test(test_a_seek_tells_keys_with_equal_heads_apart),
      cmocka_unit_test(test_heads_of_all_ones_are_searched_too),
      cmocka_unit_test(test_rows_are_read_one_after_another_and_by_number),
      cmocka_unit_test(test_a_block_with_any_bit_flipped_does_not_open),
      cmocka_unit_test(test_a_block_of_any_other_length_does_not_open),
      cmocka_unit_test(test_each_broken_rule_is_told_by_open_or_verify),
      cmocka_unit_test(test_verify_asks_for_the_mark_of_a_key_that_goes_on),
      cmocka_unit_test(test_fields_used_without_need_are_refused),
      cmocka_unit_test(test_a_prefix_shorter_than_it_could_be_is_refused),
      cmocka_unit_test(test_bytes_behind_the_rows_are_refused),
      cmocka_unit_test(test_no_content_makes_a_reader_leave_the_block),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
