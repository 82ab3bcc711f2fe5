/*
 * footer: checksums come first, so that a damaged version number is told as
 * damage and not as a newer format; then the version, before anything whose
 * meaning could depend on it.
 */
#include "sst/footer.h"

#include <inttypes.h>
#include <string.h>

#include "code/fixed.h"
#include "code/hash.h"

enum {
  HEADER_SUM_AT = GS_TABLE_HEADER_BYTES - GS_TABLE_CHECKSUM_BYTES,
  FOOTER_SUM_AT = GS_TABLE_FOOTER_BYTES - GS_TABLE_CHECKSUM_BYTES,
  FOOTER_MAGIC_AT = FOOTER_SUM_AT - GS_TABLE_MAGIC_BYTES,
  FENCES_AT = 24,
  PROPERTIES_AT = 48,
};

static gs_status
check_version(uint32_t format, uint32_t features, gs_error *err)
{
  if (format != GS_TABLE_FORMAT) {
    return GS_FAIL(err, GS_VERSION,
                   "the table has format %" PRIu32 ", this library knows %d",
                   format, GS_TABLE_FORMAT);
  }
  if ((features & ~(uint32_t)GS_FEATURES_KNOWN) != 0) {
    return GS_FAIL(err, GS_VERSION,
                   "the table uses features 0x%" PRIx32 ", unknown here",
                   features & ~(uint32_t)GS_FEATURES_KNOWN);
  }
  return GS_OK;
}

void
gs_table_header_encode(const gs_table_header *header,
                       uint8_t out[GS_TABLE_HEADER_BYTES])
{
  memcpy(out, GS_TABLE_MAGIC, GS_TABLE_MAGIC_BYTES);
  gs_put_u32(out + 8, GS_TABLE_FORMAT);
  gs_put_u32(out + 12, header->features);
  gs_put_u64(out + 16, header->id);
  gs_put_u64(out + 24, header->salt);
  uint64_t seed = gs_checksum_seed(0, header->id, 0);
  gs_put_u64(out + HEADER_SUM_AT, gs_checksum(out, HEADER_SUM_AT, seed));
}

gs_status
gs_table_header_decode(const uint8_t bytes[GS_TABLE_HEADER_BYTES],
                       gs_table_header *out, gs_error *err)
{
  if (memcmp(bytes, GS_TABLE_MAGIC, GS_TABLE_MAGIC_BYTES) != 0) {
    return GS_FAIL(err, GS_CORRUPT, "this is not a table of GrainStore");
  }
  uint64_t id = gs_get_u64(bytes + 16);
  uint64_t seed = gs_checksum_seed(0, id, 0);
  if (gs_checksum(bytes, HEADER_SUM_AT, seed) !=
      gs_get_u64(bytes + HEADER_SUM_AT)) {
    return GS_FAIL(err, GS_CORRUPT, "the table header's checksum is wrong");
  }
  uint32_t features = gs_get_u32(bytes + 12);
  gs_status status = check_version(gs_get_u32(bytes + 8), features, err);
  if (status == GS_OK) {
    *out = (gs_table_header){
        .features = features, .id = id, .salt = gs_get_u64(bytes + 24)};
  }
  return status;
}

static void
put_part(uint8_t *at, const gs_table_part *part)
{
  gs_put_u64(at, part->offset);
  gs_put_u64(at + 8, part->size);
  gs_put_u64(at + 16, part->checksum);
}

static gs_table_part
get_part(const uint8_t *at)
{
  return (gs_table_part){gs_get_u64(at), gs_get_u64(at + 8),
                         gs_get_u64(at + 16)};
}

void
gs_table_footer_encode(gs_table_footer *footer, uint64_t seed,
                       uint8_t out[GS_TABLE_FOOTER_BYTES])
{
  put_part(out, &footer->index);
  put_part(out + FENCES_AT, &footer->fences);
  put_part(out + PROPERTIES_AT, &footer->properties);
  gs_put_u32(out + 72, footer->block_count);
  gs_put_u32(out + 76, footer->block_bytes);
  gs_put_u32(out + 80, footer->locator_shift);
  gs_put_u32(out + 84, footer->features);
  gs_put_u32(out + 88, GS_TABLE_FORMAT);
  gs_put_u32(out + 92, 0);
  memcpy(out + FOOTER_MAGIC_AT, GS_TABLE_END_MAGIC, GS_TABLE_MAGIC_BYTES);
  footer->checksum = gs_checksum(out, FOOTER_SUM_AT, seed);
  gs_put_u64(out + FOOTER_SUM_AT, footer->checksum);
}

/* Whether a part begins where the one before ended; moves the end. */
static bool
follows(const gs_table_part *part, uint64_t *end, uint64_t limit)
{
  if (part->offset != *end || part->size > limit - *end) {
    return false;
  }
  *end += part->size;
  return true;
}

uint32_t
gs_codec_feature(gs_codec codec)
{
  static const uint32_t bits[GS_CODECS] = {0, GS_FEATURE_LZ4, GS_FEATURE_ZSTD};
  return bits[codec];
}

gs_codec
gs_feature_codec(uint32_t features)
{
  if ((features & GS_FEATURE_LZ4) != 0) {
    return GS_CODEC_LZ4;
  }
  return (features & GS_FEATURE_ZSTD) != 0 ? GS_CODEC_ZSTD : GS_CODEC_NONE;
}

/* Whether a bit is left when the one of the first codec is taken away. */
static bool
names_two_codecs(uint32_t features)
{
  uint32_t left = features & ~gs_codec_feature(gs_feature_codec(features));
  return gs_feature_codec(left) != GS_CODEC_NONE;
}

static bool
is_sound(const gs_table_footer *footer, uint64_t file_bytes)
{
  uint64_t limit = file_bytes - GS_TABLE_FOOTER_BYTES;
  uint64_t end = footer->index.offset;
  bool has_index = (footer->features & GS_FEATURE_POINT_INDEX) != 0;
  uint64_t index_bytes = footer->index.size;
  return end >= GS_TABLE_HEADER_BYTES && end <= limit &&
         follows(&footer->index, &end, limit) &&
         follows(&footer->fences, &end, limit) &&
         follows(&footer->properties, &end, limit) && end == limit &&
         has_index == (index_bytes > 0) &&
         (has_index || footer->index.checksum == 0) &&
         index_bytes % GS_BUCKET_BYTES == 0 && footer->block_count > 0 &&
         !names_two_codecs(footer->features) &&
         footer->block_bytes >= GS_BLOCK_MIN_BYTES &&
         footer->block_bytes <= GS_BLOCK_MAX_BYTES &&
         footer->locator_shift == gs_locator_shift(footer->block_bytes);
}

gs_status
gs_table_footer_decode(const uint8_t bytes[GS_TABLE_FOOTER_BYTES],
                       uint64_t seed, uint64_t file_bytes, gs_table_footer *out,
                       gs_error *err)
{
  const uint8_t *magic = bytes + FOOTER_MAGIC_AT;
  uint64_t checksum = gs_get_u64(bytes + FOOTER_SUM_AT);
  if (memcmp(magic, GS_TABLE_END_MAGIC, GS_TABLE_MAGIC_BYTES) != 0) {
    return GS_FAIL(err, GS_CORRUPT,
                   "the file does not end as a table does; it may be cut");
  }
  if (gs_checksum(bytes, FOOTER_SUM_AT, seed) != checksum) {
    return GS_FAIL(err, GS_CORRUPT, "the table footer's checksum is wrong");
  }
  gs_table_footer footer = {
      .index = get_part(bytes),
      .fences = get_part(bytes + FENCES_AT),
      .properties = get_part(bytes + PROPERTIES_AT),
      .block_count = gs_get_u32(bytes + 72),
      .block_bytes = gs_get_u32(bytes + 76),
      .locator_shift = gs_get_u32(bytes + 80),
      .features = gs_get_u32(bytes + 84),
      .checksum = checksum,
  };
  gs_status status =
      check_version(gs_get_u32(bytes + 88), footer.features, err);
  if (status != GS_OK) {
    return status;
  }
  if (gs_get_u32(bytes + 92) != 0 || !is_sound(&footer, file_bytes)) {
    return GS_FAIL(err, GS_CORRUPT, "the table footer's numbers do not fit");
  }
  *out = footer;
  return GS_OK;
}

uint32_t
gs_locator_shift(uint32_t block_bytes)
{
  uint32_t shift = 0;
  while ((uint64_t)GS_BLOCK_UNIT_BYTES << shift < block_bytes) {
    shift++;
  }
  return shift;
}
