/*
 * codec: bytes made smaller and made whole again, by LZ4 and Zstandard.
 *
 * Model: a codec is a number that reaches the disk. An encoder and a decoder
 * hold the memory in which the libraries work: it is made by the first call
 * that needs it and serves all that follow. LZ4's is the allocator's.
 * Zstandard's contexts are the library's own: the functions that would give
 * them an allocator are no part of its stable interface.
 *   1. What decodes has exactly the size that the caller says, or does not
 *      decode; no input makes a decoder leave its bounds.
 *
 * Life: init/deinit in the caller's memory.
 * Threads: one at a time for each encoder and decoder.
 * Errors: GS_NOMEM; GS_CORRUPT from a decoder.
 */
#ifndef GS_CODE_CODEC_H
#define GS_CODE_CODEC_H

#include "base/alloc.h"
#include "base/error.h"
#include "base/slice.h"

typedef enum gs_codec {
  GS_CODEC_NONE = 0, /* on disk, as are the others */
  GS_CODEC_LZ4 = 1,
  GS_CODEC_ZSTD = 2,
} gs_codec;

enum { GS_CODECS = 3 };

/* Its name ("lz4"). Requires: codec < GS_CODECS. */
const char *gs_codec_name(gs_codec codec);

typedef struct gs_encoder {
  gs_alloc *alloc;
  gs_codec codec;
  void *memory; /* LZ4's state or Zstandard's context; NULL: not yet made */
} gs_encoder;

void gs_encoder_init(gs_encoder *encoder, gs_alloc *alloc, gs_codec codec);
void gs_encoder_deinit(gs_encoder *encoder);

/* Encodes into at most room bytes; *size is 0 where they do not do. Requires: a
 * codec other than GS_CODEC_NONE; no more than 2^30 + 2^17 bytes. */
GS_MUST_CHECK gs_status gs_encoder_run(gs_encoder *encoder, gs_slice bytes,
                                       uint8_t *out, size_t room, size_t *size,
                                       gs_error *err);

typedef struct gs_decoder {
  void *memory; /* Zstandard's context; NULL: not yet made */
} gs_decoder;

void gs_decoder_init(gs_decoder *decoder);
void gs_decoder_deinit(gs_decoder *decoder);

/* Decodes to exactly size bytes; what stands at out after a failure is of no
 * meaning. Requires: a codec other than GS_CODEC_NONE. */
GS_MUST_CHECK gs_status gs_decoder_run(gs_decoder *decoder, gs_codec codec,
                                       gs_slice bytes, uint8_t *out,
                                       size_t size, gs_error *err);

#endif
