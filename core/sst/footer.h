/*
 * footer: the two ends of a table, encoded and decoded; see format.h.
 *
 * Model: both are values. The header tells what the file is without its other
 * end; the footer tells where its parts lie.
 *   1. Parts follow one another from the end of the blocks to the footer.
 *   2. Feature bits name one codec at most.
 *
 * Threads: nothing is shared.
 * Errors: GS_CORRUPT, GS_VERSION for a format or feature unknown here.
 */
#ifndef GS_SST_FOOTER_H
#define GS_SST_FOOTER_H

#include "base/error.h"
#include "base/slice.h"
#include "code/codec.h"
#include "sst/format.h"

typedef struct gs_table_header {
  uint32_t features;
  uint64_t id;
  uint64_t salt;
} gs_table_header;

/* One part of the file. */
typedef struct gs_table_part {
  uint64_t offset;
  uint64_t size;
  uint64_t checksum;
} gs_table_part;

typedef struct gs_table_footer {
  gs_table_part index; /* size and checksum 0: there is none */
  gs_table_part fences;
  gs_table_part properties;
  uint32_t block_count;
  uint32_t block_bytes; /* target the writer was given */
  uint32_t locator_shift;
  uint32_t features;
  uint64_t checksum; /* of the footer itself; made by encode */
} gs_table_footer;

void gs_table_header_encode(const gs_table_header *header,
                            uint8_t out[GS_TABLE_HEADER_BYTES]);
GS_MUST_CHECK gs_status
gs_table_header_decode(const uint8_t bytes[GS_TABLE_HEADER_BYTES],
                       gs_table_header *out, gs_error *err);

/* seed: of the place where the footer stands. Sets footer->checksum. */
void gs_table_footer_encode(gs_table_footer *footer, uint64_t seed,
                            uint8_t out[GS_TABLE_FOOTER_BYTES]);

/* Checks 1 and 2 too. file_bytes: size of the whole file. */
GS_MUST_CHECK gs_status gs_table_footer_decode(
    const uint8_t bytes[GS_TABLE_FOOTER_BYTES], uint64_t seed,
    uint64_t file_bytes, gs_table_footer *out, gs_error *err);

/* The feature bit that names the codec of a table's packed blocks, and the codec
 * that bits name. */
uint32_t gs_codec_feature(gs_codec codec);
gs_codec gs_feature_codec(uint32_t features);

/* Bits that row offsets take in a locator, for blocks of this target size. */
uint32_t gs_locator_shift(uint32_t block_bytes);

#endif
