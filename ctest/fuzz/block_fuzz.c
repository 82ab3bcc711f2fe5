/*
 * Fuzz target of the block reader. The input is a block whose size field and
 * checksum are made right first, so that the content is reached. Checked: no
 * access outside the block (by the sanitizers), rows within it, searches that
 * end; and in a block that verifies, that rows follow one another to its end,
 * each is found by its key, and the same entries are built into the very same
 * bytes.
 */
#include "code/hash.h"
#include "fuzz/target.h"
#include "sst/block.h"
#include "sst/block_builder.h"
#include "support/test_alloc.h"

enum { SEED = 3 };

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
  REQUIRE(gs_slice_equal(gs_buffer_slice(&again), bytes));
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
  if (gs_block_open(gs_slice_of(bytes, size), SEED, &block, NULL) == GS_OK) {
    read_anything(&block);
    if (gs_block_verify(&block, data[0] % 2 == 1, NULL) == GS_OK) {
      check_sound(&block);
      check_built_again(&block, gs_slice_of(bytes, size));
    }
  }
  free(bytes);
  return 0;
}
