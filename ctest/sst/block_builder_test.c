/*
 * Tests of the block builder: its exact bytes, and that the sizes it tells in
 * advance come true.
 */
#include "sst/block.h"
#include "sst/block_builder.h"
#include "sst/sst_kit.h"
#include "support/test_alloc.h"

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
finished(const gs_block_builder *builder)
{
  gs_buffer out;
  gs_buffer_init(&out, &heap.base);
  assert_int_equal(gs_block_builder_status(builder, NULL), GS_OK);
  gs_block_builder_finish(builder, 0, &out);
  assert_int_equal(gs_buffer_status(&out, NULL), GS_OK);
  return out;
}

static gs_buffer
built(const kit_entries *entries)
{
  gs_block_builder builder;
  gs_block_builder_init(&builder, &heap.base);
  for (size_t i = 0; i < entries->count; i++) {
    gs_block_builder_add(&builder, &entries->list[i], kit_is_older(entries, i));
  }
  gs_buffer out = finished(&builder);
  gs_block_builder_deinit(&builder);
  return out;
}

static void
assert_bytes(const gs_buffer *block, const uint8_t *wanted, size_t size)
{
  assert_int_equal(block->size, size + GS_TABLE_CHECKSUM_BYTES);
  assert_memory_equal(block->data, wanted, size);
  assert_int_equal(gs_get_u64(block->data + size),
                   gs_checksum(wanted, size, 0));
}

/* Two keys; two versions of the first, one with an expiry; a tombstone. */
static void
test_a_small_block_has_these_bytes(void **state)
{
  (void)state;
  kit_entries entries = {.count = 0};
  kit_entries_put(&entries, "abc", 0x0102030405, "v1");
  kit_entries_put(&entries, "abc", 0x0102030400, "");
  entries.list[1].expires_at_ms = 0x1122334455667788;
  gs_entry tombstone = {.key = gs_slice_str("abdefg"),
                        .seq = 0x0102030409,
                        .kind = GS_KIND_DELETE};
  kit_entries_add(&entries, &tombstone);
  gs_buffer block = built(&entries);
  static const uint8_t wanted[] = {
      /* size, count, prefix size */
      100, 0, 0, 0, 3, 0, 2, 0,
      /* base sequence */
      5, 4, 3, 2, 1, 0, 0, 0,
      /* codec, zeros */
      0, 0, 0, 0,
      /* heads: "c", "c", "defg" */
      0, 0, 0, 'c', 0, 0, 0, 'c', 'g', 'f', 'e', 'd',
      /* offsets in units: 40, 56, 76 bytes */
      10, 0, 14, 0, 19, 0,
      /* prefix */
      'a', 'b',
      /* abc = v1 */
      0x01, 2, 3, 0, 0, 0, 0, 0, 'a', 'b', 'c', 'v', '1', 0, 0, 0,
      /* abc, older, expires, five sequence numbers before */
      0x61, 0, 3, 0, 0xfb, 0xff, 0xff, 0xff, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33,
      0x22, 0x11, 'a', 'b', 'c', 0,
      /* abdefg deleted */
      0x02, 0, 6, 0, 4, 0, 0, 0, 'a', 'b', 'd', 'e', 'f', 'g', 0, 0};
  assert_bytes(&block, wanted, sizeof wanted);
  gs_buffer_deinit(&block);
  kit_entries_free(&entries);
}

static void
test_a_row_far_away_in_sequence_is_wide(void **state)
{
  (void)state;
  kit_entries entries = {.count = 0};
  uint64_t base = UINT64_C(1) << 40;
  kit_entries_put(&entries, "a", base, "");
  kit_entries_put(&entries, "b", base + INT32_MAX, "");
  kit_entries_put(&entries, "c", base + INT32_MAX + 1, "");
  kit_entries_put(&entries, "d", base - (UINT64_C(1) << 31), "");
  kit_entries_put(&entries, "e", base - (UINT64_C(1) << 31) - 1, "");
  gs_buffer out = built(&entries);
  gs_block block;
  assert_int_equal(gs_block_open(gs_buffer_slice(&out), 0, &block, NULL),
                   GS_OK);
  static const bool is_wide[] = {false, false, true, false, true};
  for (uint32_t i = 0; i < entries.count; i++) {
    uint32_t at = gs_block_row_at(&block, i);
    assert_int_equal((block.data[at] & GS_ROW_WIDE) != 0, is_wide[i]);
    gs_entry entry;
    assert_int_not_equal(gs_block_row(&block, at, &entry), 0);
    assert_int_equal(entry.seq, entries.list[i].seq);
  }
  gs_buffer_deinit(&out);
  kit_entries_free(&entries);
}

static void
test_a_block_of_one_row_has_neither_offsets_nor_prefix(void **state)
{
  (void)state;
  kit_entries entries = {.count = 0};
  kit_entries_put(&entries, "key", 9, "value");
  gs_buffer block = built(&entries);
  static const uint8_t wanted[] = {
      48, 0, 0, 0, 1,   0,   0,   0,   9,   0,   0,    0,  0, 0,
      0,  0, 0, 0, 0,   0,   0,   'y', 'e', 'k', 0x01, 5,  3, 0,
      0,  0, 0, 0, 'k', 'e', 'y', 'v', 'a', 'l', 'u',  'e'};
  assert_bytes(&block, wanted, sizeof wanted);
  gs_buffer_deinit(&block);
  kit_entries_free(&entries);
}

static void
test_value_sizes_at_the_edge_of_a_byte_come_back(void **state)
{
  (void)state;
  static const uint8_t bytes[600] = {1, 2, 3};
  static const size_t sizes[] = {0, 1, 254, 255, 256, 600};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    kit_entries entries = {.count = 0};
    gs_entry entry = {.key = gs_slice_str("k"),
                      .value = gs_slice_of(bytes, sizes[i]),
                      .seq = 1,
                      .kind = GS_KIND_PUT};
    kit_entries_add(&entries, &entry);
    gs_buffer out = built(&entries);
    gs_block block;
    assert_int_equal(gs_block_open(gs_buffer_slice(&out), 0, &block, NULL),
                     GS_OK);
    gs_entry found;
    uint32_t at = gs_block_row_at(&block, 0);
    assert_int_equal(gs_block_row(&block, at, &found), block.end);
    kit_assert_same(&found, &entry);
    gs_buffer_deinit(&out);
    kit_entries_free(&entries);
  }
}

/* One random block; each size told in advance is held against the next. */
static void
build_and_check_sizes(uint64_t seed)
{
  kit_taste taste = {.seed = seed,
                     .key_count = 1 + (size_t)(seed % 9),
                     .max_versions = 3,
                     .max_value = 300,
                     .max_seq_jump = seed % 2 == 0 ? 3 : UINT64_C(1) << 33};
  kit_entries entries = kit_entries_random(&taste);
  gs_block_builder builder;
  gs_block_builder_init(&builder, &heap.base);
  for (size_t i = 0; i < entries.count; i++) {
    const gs_entry *entry = &entries.list[i];
    uint64_t told = gs_block_builder_bytes_with(&builder, entry);
    size_t rows = builder.rows.size;
    gs_block_builder_add(&builder, entry, kit_is_older(&entries, i));
    assert_int_equal(gs_block_builder_bytes(&builder), told);
    assert_true(i > 0 ||
                builder.rows.size - rows == gs_block_builder_row_bytes(entry));
    gs_buffer out = finished(&builder);
    assert_int_equal(out.size, told);
    gs_block block;
    assert_int_equal(gs_block_open(gs_buffer_slice(&out), 0, &block, NULL),
                     GS_OK);
    gs_error err;
    KIT_OK(gs_block_verify(&block, false, &err), &err);
    for (uint32_t r = 0; r <= i; r++) {
      uint32_t at = gs_block_builder_row_at(&builder, r);
      assert_int_equal(at, gs_block_row_at(&block, r));
      assert_int_equal(gs_block_builder_is_older(&builder, r),
                       kit_is_older(&entries, r));
    }
    gs_buffer_deinit(&out);
  }
  gs_slice first = gs_block_builder_first_key(&builder);
  assert_true(gs_slice_equal(first, entries.list[0].key));
  gs_block_builder_deinit(&builder);
  kit_entries_free(&entries);
}

static void
test_sizes_told_in_advance_come_true(void **state)
{
  (void)state;
  for (uint64_t seed = 1; seed <= 200; seed++) {
    build_and_check_sizes(seed);
  }
}

static void
test_a_cleared_builder_starts_anew(void **state)
{
  (void)state;
  kit_entries entries = {.count = 0};
  kit_entries_put(&entries, "aaaa", 100, "x");
  kit_entries_put(&entries, "aaab", 101, "x");
  gs_block_builder builder;
  gs_block_builder_init(&builder, &heap.base);
  gs_buffer fresh = {.data = NULL};
  for (int round = 0; round < 2; round++) {
    gs_block_builder_clear(&builder);
    gs_block_builder_add(&builder, &entries.list[round], false);
    gs_block_builder_clear(&builder);
    gs_block_builder_add(&builder, &entries.list[1], false);
    gs_buffer out = finished(&builder);
    if (round == 0) {
      fresh = out;
      continue;
    }
    assert_true(gs_slice_equal(gs_buffer_slice(&out), gs_buffer_slice(&fresh)));
    gs_buffer_deinit(&out);
  }
  gs_buffer_deinit(&fresh);
  gs_block_builder_deinit(&builder);
  kit_entries_free(&entries);
}

static void
test_memory_that_runs_out_shows_in_the_status(void **state)
{
  (void)state;
  kit_taste taste = {.seed = 5,
                     .key_count = 30,
                     .max_versions = 2,
                     .max_value = 100,
                     .max_seq_jump = 1};
  kit_entries entries = kit_entries_random(&taste);
  gs_status status = GS_NOMEM;
  for (uint64_t allowed = 0; status != GS_OK; allowed++) {
    assert_true(allowed < 100);
    heap.allocations_left = allowed;
    gs_block_builder builder;
    gs_block_builder_init(&builder, &heap.base);
    for (size_t i = 0; i < entries.count; i++) {
      gs_block_builder_add(&builder, &entries.list[i],
                           kit_is_older(&entries, i));
    }
    status = gs_block_builder_status(&builder, NULL);
    assert_true(status == GS_OK || status == GS_NOMEM);
    assert_true(allowed > 0 || status == GS_NOMEM);
    gs_block_builder_deinit(&builder);
    assert_int_equal(heap.live_bytes, 0);
  }
  kit_entries_free(&entries);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_small_block_has_these_bytes),
      cmocka_unit_test(test_a_row_far_away_in_sequence_is_wide),
      cmocka_unit_test(test_a_block_of_one_row_has_neither_offsets_nor_prefix),
      cmocka_unit_test(test_value_sizes_at_the_edge_of_a_byte_come_back),
      cmocka_unit_test(test_sizes_told_in_advance_come_true),
      cmocka_unit_test(test_a_cleared_builder_starts_anew),
      cmocka_unit_test(test_memory_that_runs_out_shows_in_the_status),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
