/*
 * Tests of packed blocks: their bytes, made by hand too; that they come back as
 * the plain block; that blocks which do not shrink stay plain; and damage, also
 * under right checksums.
 */
#include "sst/block_builder.h"
#include "sst/packed.h"
#include "sst/sst_kit.h"
#include "support/test_alloc.h"

enum { SEED = 41, AT = 12 };

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

/* Some bytes that are none of the block's, then a plain block. */
static gs_buffer
built(const kit_entries *entries)
{
  return kit_block(&heap.base, entries, SEED, AT);
}

/* Packs what stands from AT on. */
static void
pack(gs_codec codec, gs_buffer *bytes)
{
  gs_encoder encoder;
  gs_buffer scratch;
  gs_error err;
  gs_encoder_init(&encoder, &heap.base, codec);
  gs_buffer_init(&scratch, &heap.base);
  KIT_OK(gs_packed_pack(&encoder, &scratch, bytes, AT, SEED, &err), &err);
  gs_buffer_deinit(&scratch);
  gs_encoder_deinit(&encoder);
}

static gs_slice
block_in(const gs_buffer *bytes)
{
  return gs_slice_of(bytes->data + AT, bytes->size - AT);
}

static void
sign(uint8_t *data, size_t size)
{
  size_t end = size - GS_TABLE_CHECKSUM_BYTES;
  gs_put_u64(data + end, gs_checksum(data, end, SEED));
}

/* Opens and unpacks into memory of just the size; *plain may be NULL. */
static gs_status
unpack(gs_slice bytes, gs_codec codec, gs_buffer *plain)
{
  gs_packed packed;
  gs_status status = gs_packed_open(bytes, SEED, codec, &packed, NULL);
  if (status != GS_OK) {
    return status;
  }
  gs_decoder decoder;
  gs_block block;
  uint8_t *memory = malloc(packed.plain_bytes);
  assert_non_null(memory);
  gs_decoder_init(&decoder);
  status = gs_packed_unpack(&packed, &decoder, memory, &block, NULL);
  gs_decoder_deinit(&decoder);
  if (status == GS_OK && plain != NULL) {
    gs_buffer_append(plain, memory, packed.plain_bytes);
  }
  free(memory);
  return status;
}

static kit_entries
repeating(size_t count)
{
  kit_entries entries = {.count = 0};
  for (size_t i = 0; i < count; i++) {
    char key[] = "user:0000";
    key[8] = (char)('0' + i);
    kit_entries_put(&entries, key, 1 + i,
                    "the same words in every row, again and again");
  }
  return entries;
}

static gs_buffer
packed_sample(gs_codec codec)
{
  kit_entries entries = repeating(7);
  gs_buffer bytes = built(&entries);
  pack(codec, &bytes);
  kit_entries_free(&entries);
  return bytes;
}

static void
check_round(const kit_entries *entries, gs_codec codec, size_t *packed_count)
{
  gs_buffer plain = built(entries);
  gs_buffer bytes = built(entries);
  gs_buffer again;
  gs_buffer_init(&again, &heap.base);
  pack(codec, &bytes);
  if (bytes.size == plain.size) {
    assert_memory_equal(bytes.data, plain.data, plain.size);
  } else {
    gs_slice block = block_in(&bytes);
    assert_true(8 * block.size <= 7 * (plain.size - AT));
    assert_int_equal(gs_packed_codec(block), codec);
    assert_int_equal(unpack(block, codec, &again), GS_OK);
    gs_put_u64(plain.data + plain.size - 8, 0);
    assert_int_equal(again.size, plain.size - AT);
    assert_memory_equal(again.data, plain.data + AT, again.size);
    (*packed_count)++;
  }
  gs_buffer_deinit(&again);
  gs_buffer_deinit(&bytes);
  gs_buffer_deinit(&plain);
}

static void
test_blocks_come_back_packed_or_as_they_were(void **state)
{
  (void)state;
  size_t packed_count = 0;
  for (uint64_t seed = 1; seed <= 60; seed++) {
    kit_taste taste = {.seed = seed,
                       .key_count = 1 + (size_t)(seed % 23),
                       .max_versions = 1 + (uint32_t)(seed % 3),
                       .max_value = seed % 5 == 0 ? 3000 : 60,
                       .max_seq_jump = 5};
    kit_entries entries = kit_entries_random(&taste);
    if (entries.count > 0) {
      check_round(&entries, GS_CODEC_LZ4, &packed_count);
      check_round(&entries, GS_CODEC_ZSTD, &packed_count);
    }
    kit_entries_free(&entries);
  }
  assert_in_range(packed_count, 30, 110);
}

static void
test_what_does_not_shrink_by_an_eighth_stays_plain(void **state)
{
  (void)state;
  static const gs_codec codecs[] = {GS_CODEC_LZ4, GS_CODEC_ZSTD};
  for (int c = 0; c < 2; c++) {
    size_t packed_count = 0;
    for (size_t repeated = 0; repeated < 1000; repeated += 10) {
      uint8_t value[2000];
      uint64_t chance = 1;
      for (size_t i = 0; i < sizeof value; i++) {
        value[i] = i < repeated ? 'r' : (uint8_t)kit_random(&chance);
      }
      kit_entries entries = {.count = 0};
      gs_entry entry = {.key = gs_slice_str("k"),
                        .value = gs_slice_of(value, sizeof value),
                        .seq = 1,
                        .kind = GS_KIND_PUT};
      kit_entries_add(&entries, &entry);
      check_round(&entries, codecs[c], &packed_count);
      kit_entries_free(&entries);
    }
    assert_in_range(packed_count, 50, 75);
  }
}

static void
test_a_packed_block_has_these_bytes(void **state)
{
  (void)state;
  gs_buffer bytes = packed_sample(GS_CODEC_LZ4);
  gs_slice block = block_in(&bytes);
  kit_entries entries = repeating(7);
  gs_buffer plain = built(&entries);
  assert_int_equal(gs_get_u32(block.data), block.size);
  assert_int_equal(block.size % 4, 0);
  assert_memory_equal(block.data + 4, plain.data + AT + 4, 12);
  assert_int_equal(block.data[16], 1);
  assert_in_range(block.data[17], 0, 3);
  assert_int_equal(gs_get_u16(block.data + 18), 0);
  assert_int_equal(gs_get_u32(block.data + 20), plain.size - AT);
  size_t padding = block.data[17];
  gs_slice content =
      gs_slice_of(block.data + 24, block.size - 24 - 8 - padding);
  uint8_t rest[1024];
  gs_decoder decoder;
  gs_error err;
  gs_decoder_init(&decoder);
  KIT_OK(gs_decoder_run(&decoder, GS_CODEC_LZ4, content, rest,
                        plain.size - AT - 28, &err),
         &err);
  assert_memory_equal(rest, plain.data + AT + 20, plain.size - AT - 28);
  gs_decoder_deinit(&decoder);
  gs_buffer_deinit(&plain);
  gs_buffer_deinit(&bytes);
  kit_entries_free(&entries);
}

static void
test_any_wrong_bit_is_seen(void **state)
{
  (void)state;
  static const gs_codec codecs[] = {GS_CODEC_LZ4, GS_CODEC_ZSTD};
  for (int c = 0; c < 2; c++) {
    gs_buffer bytes = packed_sample(codecs[c]);
    gs_slice block = block_in(&bytes);
    assert_int_equal(unpack(block, codecs[c], NULL), GS_OK);
    for (size_t bit = AT * 8; bit < bytes.size * 8; bit++) {
      bytes.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
      assert_int_equal(unpack(block, codecs[c], NULL), GS_CORRUPT);
      bytes.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (size_t size = 0; size < block.size; size++) {
      assert_int_equal(unpack(gs_slice_of(block.data, size), codecs[c], NULL),
                       GS_CORRUPT);
    }
    gs_buffer_deinit(&bytes);
  }
}

/* The outcome with other bytes and a right checksum. */
static gs_status
forged(size_t at, size_t size, uint32_t value)
{
  gs_buffer bytes = packed_sample(GS_CODEC_ZSTD);
  for (size_t i = 0; i < size; i++) {
    bytes.data[AT + at + i] = (uint8_t)(value >> 8 * i);
  }
  sign(bytes.data + AT, bytes.size - AT);
  gs_status status = unpack(block_in(&bytes), GS_CODEC_ZSTD, NULL);
  gs_buffer_deinit(&bytes);
  return status;
}

static void
test_a_header_that_does_not_fit_is_corrupt(void **state)
{
  (void)state;
  gs_buffer bytes = packed_sample(GS_CODEC_ZSTD);
  gs_slice block = block_in(&bytes);
  uint32_t size = (uint32_t)block.size;
  uint32_t plain = gs_get_u32(block.data + 20);
  uint8_t padding = block.data[17];
  gs_buffer_deinit(&bytes);
  assert_int_equal(forged(0, 4, size), GS_OK);
  assert_int_equal(forged(0, 4, size - 4), GS_CORRUPT);
  assert_int_equal(forged(4, 2, 0), GS_CORRUPT);
  assert_int_equal(forged(6, 2, 60000), GS_CORRUPT);
  assert_int_equal(forged(8, 4, 0xffffffff), GS_OK);
  assert_int_equal(forged(12, 4, 0xffffffff), GS_CORRUPT);
  assert_int_equal(forged(16, 1, GS_CODEC_LZ4), GS_CORRUPT);
  assert_int_equal(forged(16, 1, 3), GS_VERSION);
  assert_int_equal(forged(16, 1, 255), GS_VERSION);
  assert_int_equal(forged(17, 1, padding), GS_OK);
  assert_int_equal(forged(17, 1, 4), GS_CORRUPT);
  assert_int_equal(forged(17, 1, (padding + 1U) % 4), GS_CORRUPT);
  assert_int_equal(forged(18, 1, 1), GS_CORRUPT);
  assert_int_equal(forged(19, 1, 1), GS_CORRUPT);
  assert_int_equal(forged(20, 4, plain + 4), GS_CORRUPT);
  assert_int_equal(forged(20, 4, plain - 4), GS_CORRUPT);
  assert_int_equal(forged(20, 4, plain + 1), GS_CORRUPT);
  assert_int_equal(forged(20, 4, size), GS_CORRUPT);
  assert_int_equal(forged(20, 4, 0), GS_CORRUPT);
  assert_int_equal(forged(20, 4, 65540), GS_CORRUPT);
  assert_int_equal(forged(20, 4, 0xfffffffc), GS_CORRUPT);
}

static void
test_the_codec_is_the_table_s(void **state)
{
  (void)state;
  gs_buffer bytes = packed_sample(GS_CODEC_LZ4);
  assert_int_equal(unpack(block_in(&bytes), GS_CODEC_ZSTD, NULL), GS_CORRUPT);
  gs_block block;
  assert_int_equal(gs_block_open(block_in(&bytes), SEED, &block, NULL),
                   GS_VERSION);
  gs_buffer_deinit(&bytes);
}

static void
test_without_memory_the_block_stays_as_it_was(void **state)
{
  (void)state;
  kit_entries entries = repeating(7);
  gs_buffer plain = built(&entries);
  gs_status status = GS_NOMEM;
  uint64_t count = 0;
  for (; status != GS_OK; count++) {
    gs_buffer bytes = built(&entries);
    gs_encoder encoder;
    gs_buffer scratch;
    gs_encoder_init(&encoder, &heap.base, GS_CODEC_LZ4);
    gs_buffer_init(&scratch, &heap.base);
    heap.allocations_left = count;
    status = gs_packed_pack(&encoder, &scratch, &bytes, AT, SEED, NULL);
    heap.allocations_left = UINT64_MAX;
    assert_true(status == GS_OK || status == GS_NOMEM);
    if (status != GS_OK) {
      assert_true(gs_slice_equal(block_in(&bytes), block_in(&plain)));
    }
    gs_buffer_deinit(&scratch);
    gs_encoder_deinit(&encoder);
    gs_buffer_deinit(&bytes);
  }
  assert_int_equal(count, 3);
  gs_buffer_deinit(&plain);
  kit_entries_free(&entries);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_blocks_come_back_packed_or_as_they_were),
      cmocka_unit_test(test_what_does_not_shrink_by_an_eighth_stays_plain),
      cmocka_unit_test(test_a_packed_block_has_these_bytes),
      cmocka_unit_test(test_any_wrong_bit_is_seen),
      cmocka_unit_test(test_a_header_that_does_not_fit_is_corrupt),
      cmocka_unit_test(test_the_codec_is_the_table_s),
      cmocka_unit_test(test_without_memory_the_block_stays_as_it_was),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
