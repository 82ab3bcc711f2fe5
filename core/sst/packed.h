/*
 * packed: a block as it stands in a file where a codec made it smaller; see
 * format.h.
 *
 * Model: a packed block begins as the plain one does, with its own size and a
 * codec; what lies between header and checksum of the plain block is encoded.
 *   1. It takes at most seven eighths of the plain block's bytes: else the
 *      block is stored plain.
 *   2. What comes out is the plain block with zeros in place of its checksum:
 *      that of the packed one was verified over every byte it was made from.
 *
 * Life: a gs_packed is a view; the bytes outlive it.
 * Threads: those of the encoder and the decoder.
 * Errors: GS_CORRUPT, GS_NOMEM, and GS_VERSION for an unknown codec.
 */
#ifndef GS_SST_PACKED_H
#define GS_SST_PACKED_H

#include "base/buffer.h"
#include "code/codec.h"
#include "sst/block.h"

typedef struct gs_packed {
  const uint8_t *header; /* of the packed block */
  gs_slice content;      /* what the codec made */
  gs_codec codec;
  uint32_t plain_bytes; /* size of the plain block */
} gs_packed;

/* What a stored block says that it uses; perhaps no codec that there is.
 * Requires: a block's header at least. */
static inline gs_codec
gs_packed_codec(gs_slice bytes)
{
  return (gs_codec)bytes.data[GS_BLOCK_CODEC_AT];
}

/* Verifies checksum and header of the bytes, and that it is the codec of the
 * table. */
GS_MUST_CHECK gs_status gs_packed_open(gs_slice bytes, uint64_t seed,
                                       gs_codec codec, gs_packed *out,
                                       gs_error *err);

/* Makes the plain block in plain_bytes of memory; *out views it. */
GS_MUST_CHECK gs_status gs_packed_unpack(const gs_packed *packed,
                                         gs_decoder *decoder, uint8_t *memory,
                                         gs_block *out, gs_error *err);

/* Packs the plain block that stands at the end of a buffer, from `at` on, if
 * that makes it small enough. Uses scratch, whatever it holds. */
GS_MUST_CHECK gs_status gs_packed_pack(gs_encoder *encoder, gs_buffer *scratch,
                                       gs_buffer *bytes, size_t at,
                                       uint64_t seed, gs_error *err);

#endif
