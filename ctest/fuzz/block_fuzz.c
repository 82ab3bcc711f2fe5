/*
 * Fuzz target of the block reader. The input is a block whose size field and
 * checksum are made right first, so that the content is reached. Checked: no
 * access outside the block (by the sanitizers), rows within it, searches that
 * end; and in a block that verifies, that rows follow one another to its end,
 * each is found by its key, and the same entries are built into the very same
 * bytes. A block that names a codec is unpacked first; one that can be read is
 * packed by each, and comes back as it was.
 */
#include "code/hash.h"
#include "fuzz/target.h"
#include "sst/block.h"
#include "sst/block_builder.h"
#include "sst/packed.h"
#include "support/test_alloc.h"

enum { SEED = 3, UNPACKED_MAX = 1 << 20 };

static bool
is_first_of_key(const gs_block *block, uint32_t row, gs_slice key)
{
  gs_entry before;
  return row == 0 ||
         (gs_block_row(block, gs_block_row_at(block, row - 1), &before) != 0 &&
          gs_slice_compare(before.key, key) < 0);
}

static void
check_sound(const gs_block *block)
{
  uint32_t at = gs_block_row_at(block, 0);
  for (uint32_t row = 0; row < block->row_count; row++) {
    gs_entry entry;
    REQUIRE(gs_block_row_at(block, row) == at);
    at = gs_block_row(block, at, &entry);
    REQUIRE(at != 0);
    uint32_t found = gs_block_seek(block, entry.key);
    REQUIRE(found <= row && is_first_of_key(block, found, entry.key));
  }
  REQUIRE(at == block->end);
}

/* All but the checksum, which an unpacked block has not. */
static void
check_built_again(const gs_block *block, gs_slice bytes)
{
  test_alloc heap;
  gs_block_builder builder;
  gs_buffer again;
  test_alloc_init(&heap);
  gs_block_builder_init(&builder, &heap.base);
  gs_buffer_init(&again, &heap.base);
  for (uint32_t row = 0; row < block->row_count; row++) {
    gs_entry entry;
    uint32_t at = gs_block_row_at(block, row);
    REQUIRE(gs_block_row(block, at, &entry) != 0);
    gs_block_builder_add(&builder, &entry, gs_block_is_older(block, at));
  }
  REQUIRE(gs_block_builder_status(&builder, NULL) == GS_OK);
  REQUIRE(gs_block_builder_bytes(&builder) == bytes.size);
  gs_block_builder_finish(&builder, SEED, &again);
  REQUIRE(again.size == bytes.size);
  REQUIRE(memcmp(again.data, bytes.data, block->end) == 0);
  gs_buffer_deinit(&again);
  gs_block_builder_deinit(&builder);
  REQUIRE(heap.live_bytes == 0);
}

static void
read_anything(const gs_block *block)
{
  for (uint32_t row = 0; row < block->row_count; row++) {
    gs_entry entry;
    uint32_t at = gs_block_row_at(block, row);
    uint32_t next = gs_block_row(block, at, &entry);
    if (next == 0) {
      REQUIRE(gs_block_row_fail(block, at, NULL) != GS_OK);
      continue;
    }
    REQUIRE(next <= block->end);
    REQUIRE(entry.value.data + entry.value.size <= block->data + block->end);
    REQUIRE(gs_block_seek(block, entry.key) <= block->row_count);
  }
}

static gs_status
unpack(gs_slice bytes, uint8_t **memory, gs_block *out)
{
  gs_packed packed;
  gs_status status =
      gs_packed_open(bytes, SEED, gs_packed_codec(bytes), &packed, NULL);
  if (status != GS_OK || packed.plain_bytes > UNPACKED_MAX) {
    return status == GS_OK ? GS_LIMIT : status;
  }
  gs_decoder decoder;
  *memory = malloc(packed.plain_bytes);
  REQUIRE(*memory != NULL);
  gs_decoder_init(&decoder);
  status = gs_packed_unpack(&packed, &decoder, *memory, out, NULL);
  gs_decoder_deinit(&decoder);
  return status;
}

/* The rows' bytes come back, where the block was packed at all. */
static void
check_packed_again(const gs_block *block, gs_codec codec)
{
  test_alloc heap;
  gs_encoder encoder;
  gs_buffer scratch;
  gs_buffer bytes;
  test_alloc_init(&heap);
  gs_encoder_init(&encoder, &heap.base, codec);
  gs_buffer_init(&scratch, &heap.base);
  gs_buffer_init(&bytes, &heap.base);
  gs_buffer_append(&bytes, block->data,
                   (size_t)block->end + GS_TABLE_CHECKSUM_BYTES);
  REQUIRE(gs_packed_pack(&encoder, &scratch, &bytes, 0, SEED, NULL) == GS_OK);
  gs_slice packed = gs_buffer_slice(&bytes);
  if (gs_packed_codec(packed) != GS_CODEC_NONE) {
    uint8_t *memory = NULL;
    gs_block again;
    REQUIRE(unpack(packed, &memory, &again) == GS_OK);
    REQUIRE(again.end == block->end && again.row_count == block->row_count);
    REQUIRE(memcmp(again.data + GS_BLOCK_HEADER_BYTES,
                   block->data + GS_BLOCK_HEADER_BYTES,
                   block->end - GS_BLOCK_HEADER_BYTES) == 0);
    free(memory);
  }
  gs_buffer_deinit(&bytes);
  gs_buffer_deinit(&scratch);
  gs_encoder_deinit(&encoder);
  REQUIRE(heap.live_bytes == 0);
}

static void
check_block(const gs_block *block, bool is_older)
{
  read_anything(block);
  check_packed_again(block, GS_CODEC_LZ4);
  check_packed_again(block, GS_CODEC_ZSTD);
  if (gs_block_verify(block, is_older, NULL) == GS_OK) {
    check_sound(block);
    check_built_again(
        block,
        gs_slice_of(block->data, (size_t)block->end + GS_TABLE_CHECKSUM_BYTES));
  }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size < GS_BLOCK_HEADER_BYTES + GS_TABLE_CHECKSUM_BYTES) {
    return 0;
  }
  uint8_t *bytes = malloc(size);
  REQUIRE(bytes != NULL);
  memcpy(bytes, data, size);
  size_t end = size - GS_TABLE_CHECKSUM_BYTES;
  gs_put_u32(bytes, (uint32_t)size);
  gs_put_u64(bytes + end, gs_checksum(bytes, end, SEED));
  gs_block block;
  uint8_t *unpacked = NULL;
  gs_slice stored = gs_slice_of(bytes, size);
  gs_status status = gs_packed_codec(stored) == GS_CODEC_NONE
                         ? gs_block_open(stored, SEED, &block, NULL)
                         : unpack(stored, &unpacked, &block);
  if (status == GS_OK) {
    check_block(&block, data[0] % 2 == 1);
  }
  free(unpacked);
  free(bytes);
  return 0;
}
