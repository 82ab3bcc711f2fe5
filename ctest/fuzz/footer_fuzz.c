/*
 * Fuzz target of a table's two ends, the header and the footer. The input is a
 * mode, the header, how many bytes the file has (8) and the footer; as the mode
 * says, magic words, constants and checksums are made right first, so that what
 * lies behind them is reached. Checked: what is accepted is encoded again to
 * the very same bytes, and the parts that a footer names follow one another
 * from the blocks to the footer.
 */
#include "code/fixed.h"
#include "code/hash.h"
#include "fuzz/target.h"
#include "sst/footer.h"

enum {
  SUM_HEADER = 1, /* bits of the mode */
  SUM_FOOTER = 2,
  SANE_NUMBERS = 4,
  JOINED_PARTS = 8,
  SEED = 5,
};

static void
copy_input(fuzz_input *in, uint8_t *to, size_t size)
{
  gs_slice from = fuzz_slice(in, size);
  memset(to, 0, size);
  if (from.size > 0) {
    memcpy(to, from.data, from.size);
  }
}

static void
check_header(fuzz_input *in, uint64_t mode)
{
  uint8_t bytes[GS_TABLE_HEADER_BYTES];
  uint8_t again[GS_TABLE_HEADER_BYTES];
  copy_input(in, bytes, sizeof bytes);
  if ((mode & SANE_NUMBERS) != 0) {
    gs_put_u32(bytes + 8, GS_TABLE_FORMAT);
    gs_put_u32(bytes + 12, gs_get_u32(bytes + 12) & GS_FEATURES_KNOWN);
  }
  if ((mode & SUM_HEADER) != 0) {
    size_t summed = sizeof bytes - GS_TABLE_CHECKSUM_BYTES;
    memcpy(bytes, GS_TABLE_MAGIC, GS_TABLE_MAGIC_BYTES);
    uint64_t seed = gs_checksum_seed(0, gs_get_u64(bytes + 16), 0);
    gs_put_u64(bytes + summed, gs_checksum(bytes, summed, seed));
  }
  gs_table_header header;
  gs_status status = gs_table_header_decode(bytes, &header, NULL);
  REQUIRE(status == GS_OK || status == GS_CORRUPT || status == GS_VERSION);
  if (status == GS_OK) {
    gs_table_header_encode(&header, again);
    REQUIRE(memcmp(bytes, again, sizeof bytes) == 0);
  }
}

/* The parts one behind the other, each as large as it says, up to the end. */
static void
join_parts(uint8_t *bytes, uint64_t file_bytes)
{
  uint64_t end = file_bytes - GS_TABLE_FOOTER_BYTES;
  uint64_t index =
      gs_get_u64(bytes + 8) % 512 / GS_BUCKET_BYTES * GS_BUCKET_BYTES;
  uint64_t fences = gs_get_u64(bytes + 32) % 512;
  uint64_t properties = gs_get_u64(bytes + 56) % 512;
  uint64_t at = end - index - fences - properties;
  gs_put_u64(bytes, at);
  gs_put_u64(bytes + 8, index);
  gs_put_u64(bytes + 24, at + index);
  gs_put_u64(bytes + 32, fences);
  gs_put_u64(bytes + 48, at + index + fences);
  gs_put_u64(bytes + 56, properties);
  gs_put_u32(bytes + 84, index > 0 ? GS_FEATURE_POINT_INDEX : 0);
  if (index == 0) {
    gs_put_u64(bytes + 16, 0);
  }
}

static void
make_sane(uint8_t *bytes)
{
  uint32_t block_bytes = gs_get_u32(bytes + 76) % (2 * GS_BLOCK_MAX_BYTES);
  gs_put_u32(bytes + 76, block_bytes);
  gs_put_u32(bytes + 80, gs_locator_shift(block_bytes));
  gs_put_u32(bytes + 84, gs_get_u32(bytes + 84) & GS_FEATURES_KNOWN);
  gs_put_u32(bytes + 88, GS_TABLE_FORMAT);
  gs_put_u32(bytes + 92, 0);
}

static void
check_accepted(const gs_table_footer *footer, uint64_t file_bytes)
{
  uint64_t limit = file_bytes - GS_TABLE_FOOTER_BYTES;
  REQUIRE(footer->index.offset >= GS_TABLE_HEADER_BYTES);
  REQUIRE(footer->index.offset + footer->index.size == footer->fences.offset);
  REQUIRE(footer->fences.offset + footer->fences.size ==
          footer->properties.offset);
  REQUIRE(footer->properties.offset + footer->properties.size == limit);
  REQUIRE(footer->index.size <= limit && footer->fences.size <= limit);
  REQUIRE(footer->block_count > 0);
  REQUIRE((UINT64_C(4) << footer->locator_shift) >= footer->block_bytes);
}

static void
check_footer(fuzz_input *in, uint64_t mode)
{
  uint8_t bytes[GS_TABLE_FOOTER_BYTES];
  uint8_t again[GS_TABLE_FOOTER_BYTES];
  uint64_t file_bytes = fuzz_take(in, 8);
  if (file_bytes < GS_TABLE_HEADER_BYTES + GS_TABLE_FOOTER_BYTES) {
    file_bytes += GS_TABLE_HEADER_BYTES + GS_TABLE_FOOTER_BYTES;
  }
  copy_input(in, bytes, sizeof bytes);
  if ((mode & SANE_NUMBERS) != 0) {
    make_sane(bytes);
  }
  if ((mode & JOINED_PARTS) != 0) {
    join_parts(bytes, file_bytes);
  }
  if ((mode & SUM_FOOTER) != 0) {
    size_t summed = sizeof bytes - GS_TABLE_CHECKSUM_BYTES;
    memcpy(bytes + summed - GS_TABLE_MAGIC_BYTES, GS_TABLE_END_MAGIC,
           GS_TABLE_MAGIC_BYTES);
    gs_put_u64(bytes + summed, gs_checksum(bytes, summed, SEED));
  }
  gs_table_footer footer;
  gs_status status =
      gs_table_footer_decode(bytes, SEED, file_bytes, &footer, NULL);
  REQUIRE(status == GS_OK || status == GS_CORRUPT || status == GS_VERSION);
  if (status == GS_OK) {
    check_accepted(&footer, file_bytes);
    gs_table_footer_encode(&footer, SEED, again);
    REQUIRE(memcmp(bytes, again, sizeof bytes) == 0);
  }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  fuzz_input in = fuzz_input_of(data, size);
  uint64_t mode = fuzz_take(&in, 1);
  check_header(&in, mode);
  check_footer(&in, mode);
  return 0;
}
