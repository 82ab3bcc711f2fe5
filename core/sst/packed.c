/*
 * packed: the header is kept as it is, so that a walk without fences finds and
 * judges packed blocks as it does plain ones, and what a codec is fed are the
 * parts that repeat: heads, offsets and rows.
 */
#include "sst/packed.h"

#include <inttypes.h>

#include "code/hash.h"

enum {
  PLAIN_BYTES_AT = GS_BLOCK_HEADER_BYTES,
  PADDING_AT = GS_BLOCK_CODEC_AT + 1,
  ENDS_BYTES = GS_PACKED_HEADER_BYTES + GS_TABLE_CHECKSUM_BYTES,
};

/* The largest block there can be: one row with the longest key and value. */
#define PLAIN_MOST_BYTES \
  ((UINT64_C(1) << 30) + 2 * (uint64_t)GS_BLOCK_MAX_BYTES)

/* Bytes that a packed block may take. */
static uint64_t
most_bytes(uint64_t plain_bytes)
{
  return (plain_bytes - plain_bytes / 8) / GS_BLOCK_UNIT_BYTES *
         GS_BLOCK_UNIT_BYTES;
}

/* ---- reading ------------------------------------------------------------ */

static bool
is_header_sound(gs_slice bytes, const gs_packed *packed)
{
  const uint8_t *data = bytes.data;
  uint64_t plain = packed->plain_bytes;
  uint32_t row_count = gs_get_u16(data + 4);
  uint64_t limit = row_count == 1 ? PLAIN_MOST_BYTES : GS_BLOCK_MAX_BYTES;
  return gs_get_u32(data) == bytes.size &&
         bytes.size % GS_BLOCK_UNIT_BYTES == 0 &&
         data[PADDING_AT] < GS_BLOCK_UNIT_BYTES &&
         gs_get_u16(data + PADDING_AT + 1) == 0 && row_count > 0 &&
         plain % GS_BLOCK_UNIT_BYTES == 0 && plain <= limit &&
         bytes.size <= most_bytes(plain) &&
         bytes.size > ENDS_BYTES + (uint64_t)data[PADDING_AT];
}

static bool
is_zero(const uint8_t *data, size_t size)
{
  static const uint8_t zeros[GS_BLOCK_UNIT_BYTES];
  return memcmp(data, zeros, size) == 0;
}

static gs_status
check_codec(int found, gs_codec codec, gs_error *err)
{
  if (found >= GS_CODECS) {
    return GS_FAIL(err, GS_VERSION, "a block uses codec %d, unknown here",
                   found);
  }
  return found == (int)codec
             ? GS_OK
             : GS_FAIL(err, GS_CORRUPT,
                       "a block uses codec %d, which its table does not",
                       found);
}

gs_status
gs_packed_open(gs_slice bytes, uint64_t seed, gs_codec codec, gs_packed *out,
               gs_error *err)
{
  if (bytes.size <= ENDS_BYTES || bytes.size > UINT32_MAX) {
    return GS_FAIL(err, GS_CORRUPT, "a block of %zu bytes cannot be",
                   bytes.size);
  }
  const uint8_t *data = bytes.data;
  size_t end = bytes.size - GS_TABLE_CHECKSUM_BYTES;
  if (gs_checksum(data, end, seed) != gs_get_u64(data + end)) {
    return GS_FAIL(err, GS_CORRUPT, "a block's checksum is wrong");
  }
  gs_status status = check_codec(data[GS_BLOCK_CODEC_AT], codec, err);
  if (status != GS_OK) {
    return status;
  }
  gs_packed packed = {.header = data,
                      .codec = codec,
                      .plain_bytes = gs_get_u32(data + PLAIN_BYTES_AT)};
  if (!is_header_sound(bytes, &packed)) {
    return GS_FAIL(err, GS_CORRUPT, "a packed block's header does not fit it");
  }
  size_t padding = data[PADDING_AT];
  packed.content = gs_slice_of(data + GS_PACKED_HEADER_BYTES,
                               bytes.size - ENDS_BYTES - padding);
  if (!is_zero(data + end - padding, padding)) {
    return GS_FAIL(err, GS_CORRUPT, "a packed block does not end in zeros");
  }
  *out = packed;
  return GS_OK;
}

gs_status
gs_packed_unpack(const gs_packed *packed, gs_decoder *decoder, uint8_t *memory,
                 gs_block *out, gs_error *err)
{
  uint32_t size = packed->plain_bytes;
  uint32_t end = size - GS_TABLE_CHECKSUM_BYTES;
  gs_status status = gs_decoder_run(decoder, packed->codec, packed->content,
                                    memory + GS_BLOCK_HEADER_BYTES,
                                    end - GS_BLOCK_HEADER_BYTES, err);
  if (status != GS_OK) {
    return status;
  }
  memcpy(memory, packed->header, GS_BLOCK_CODEC_AT);
  gs_put_u32(memory, size);
  gs_put_u32(memory + GS_BLOCK_CODEC_AT, 0);
  gs_put_u64(memory + end, 0);
  return gs_block_view(gs_slice_of(memory, size), out, err);
}

/* ---- writing ------------------------------------------------------------ */

/* The packed block in the scratch buffer around what was encoded, to be copied
 * over the plain one. */
static void
put_ends(uint8_t *packed, const uint8_t *plain, uint32_t plain_bytes,
         gs_codec codec, size_t content_bytes, uint64_t seed)
{
  size_t size = (size_t)gs_block_round_up(ENDS_BYTES + content_bytes);
  size_t padding = size - ENDS_BYTES - content_bytes;
  size_t end = size - GS_TABLE_CHECKSUM_BYTES;
  memcpy(packed, plain, GS_BLOCK_CODEC_AT);
  gs_put_u32(packed, (uint32_t)size);
  gs_put_u32(packed + GS_BLOCK_CODEC_AT, (uint32_t)codec);
  packed[PADDING_AT] = (uint8_t)padding;
  gs_put_u32(packed + PLAIN_BYTES_AT, plain_bytes);
  memset(packed + end - padding, 0, padding);
  gs_put_u64(packed + end, gs_checksum(packed, end, seed));
}

gs_status
gs_packed_pack(gs_encoder *encoder, gs_buffer *scratch, gs_buffer *bytes,
               size_t at, uint64_t seed, gs_error *err)
{
  gs_status status = gs_buffer_status(bytes, err);
  uint64_t plain_bytes = bytes->size - at;
  uint64_t most = most_bytes(plain_bytes);
  if (status != GS_OK || most <= ENDS_BYTES) {
    return status;
  }
  gs_buffer_clear(scratch);
  uint8_t *packed = gs_buffer_extend(scratch, (size_t)most);
  if (packed == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  uint8_t *plain = bytes->data + at;
  gs_slice rest = gs_slice_of(plain + GS_BLOCK_HEADER_BYTES,
                              (size_t)plain_bytes - GS_BLOCK_HEADER_BYTES -
                                  GS_TABLE_CHECKSUM_BYTES);
  size_t made;
  status = gs_encoder_run(encoder, rest, packed + GS_PACKED_HEADER_BYTES,
                          (size_t)most - ENDS_BYTES, &made, err);
  if (status != GS_OK || made == 0) {
    return status;
  }
  put_ends(packed, plain, (uint32_t)plain_bytes, encoder->codec, made, seed);
  size_t size = (size_t)gs_block_round_up(ENDS_BYTES + made);
  memcpy(plain, packed, size);
  bytes->size = at + size;
  return GS_OK;
}
