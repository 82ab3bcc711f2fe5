/*
 * codec: both libraries are seen by this file alone. Their one-call functions
 * take any input; what is checked besides is that sizes fit the numbers the
 * libraries count in, and that the size that comes out is the one asked for.
 */
#include "code/codec.h"

#include <limits.h>
#include <lz4.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/check.h"

enum { ZSTD_LEVEL = 1 };

const char *
gs_codec_name(gs_codec codec)
{
  static const char *const names[GS_CODECS] = {"none", "lz4", "zstd"};
  return names[codec];
}

/* ---- encoding ----------------------------------------------------------- */

void
gs_encoder_init(gs_encoder *encoder, gs_alloc *alloc, gs_codec codec)
{
  *encoder = (gs_encoder){.alloc = alloc, .codec = codec};
}

void
gs_encoder_deinit(gs_encoder *encoder)
{
  if (encoder->codec == GS_CODEC_ZSTD) {
    GS_IGNORE(ZSTD_isError(ZSTD_freeCCtx(encoder->memory)), "it never is");
  } else {
    gs_alloc_free(encoder->alloc, encoder->memory, (size_t)LZ4_sizeofState());
  }
  encoder->memory = NULL;
}

static bool
make_memory(gs_encoder *encoder)
{
  if (encoder->memory == NULL) {
    encoder->memory =
        encoder->codec == GS_CODEC_ZSTD
            ? (void *)ZSTD_createCCtx()
            : gs_alloc_bytes(encoder->alloc, (size_t)LZ4_sizeofState());
  }
  return encoder->memory != NULL;
}

static size_t
encode_lz4(gs_encoder *encoder, gs_slice bytes, uint8_t *out, size_t room)
{
  int limit = room > INT_MAX ? INT_MAX : (int)room;
  int size =
      LZ4_compress_fast_extState(encoder->memory, (const char *)bytes.data,
                                 (char *)out, (int)bytes.size, limit, 1);
  return size > 0 ? (size_t)size : 0;
}

/* What cannot be encoded for another reason than memory does not fit. */
static gs_status
encode_zstd(gs_encoder *encoder, gs_slice bytes, uint8_t *out, size_t room,
            size_t *size, gs_error *err)
{
  size_t made = ZSTD_compressCCtx(encoder->memory, out, room, bytes.data,
                                  bytes.size, ZSTD_LEVEL);
  if (!ZSTD_isError(made)) {
    *size = made;
  } else if (ZSTD_getErrorCode(made) == ZSTD_error_memory_allocation) {
    return GS_FAIL_NOMEM(err);
  }
  return GS_OK;
}

gs_status
gs_encoder_run(gs_encoder *encoder, gs_slice bytes, uint8_t *out, size_t room,
               size_t *size, gs_error *err)
{
  GS_ASSERT(bytes.size <= LZ4_MAX_INPUT_SIZE);
  *size = 0;
  if (!make_memory(encoder)) {
    return GS_FAIL_NOMEM(err);
  }
  if (encoder->codec == GS_CODEC_ZSTD) {
    return encode_zstd(encoder, bytes, out, room, size, err);
  }
  *size = encode_lz4(encoder, bytes, out, room);
  return GS_OK;
}

/* ---- decoding ----------------------------------------------------------- */

void
gs_decoder_init(gs_decoder *decoder)
{
  *decoder = (gs_decoder){.memory = NULL};
}

void
gs_decoder_deinit(gs_decoder *decoder)
{
  GS_IGNORE(ZSTD_isError(ZSTD_freeDCtx(decoder->memory)), "it never is");
  decoder->memory = NULL;
}

static gs_status
fail_decode(gs_codec codec, gs_error *err)
{
  return GS_FAIL(err, GS_CORRUPT,
                 "what was encoded as %s does not decode to its size",
                 gs_codec_name(codec));
}

static gs_status
decode_lz4(gs_slice bytes, uint8_t *out, size_t size, gs_error *err)
{
  if (bytes.size > INT_MAX || size > INT_MAX) {
    return fail_decode(GS_CODEC_LZ4, err);
  }
  int made = LZ4_decompress_safe((const char *)bytes.data, (char *)out,
                                 (int)bytes.size, (int)size);
  return made >= 0 && (size_t)made == size ? GS_OK
                                           : fail_decode(GS_CODEC_LZ4, err);
}

static gs_status
decode_zstd(gs_decoder *decoder, gs_slice bytes, uint8_t *out, size_t size,
            gs_error *err)
{
  if (decoder->memory == NULL) {
    decoder->memory = ZSTD_createDCtx();
  }
  if (decoder->memory == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  size_t made =
      ZSTD_decompressDCtx(decoder->memory, out, size, bytes.data, bytes.size);
  if (ZSTD_getErrorCode(made) == ZSTD_error_memory_allocation) {
    return GS_FAIL_NOMEM(err);
  }
  return made == size ? GS_OK : fail_decode(GS_CODEC_ZSTD, err);
}

gs_status
gs_decoder_run(gs_decoder *decoder, gs_codec codec, gs_slice bytes,
               uint8_t *out, size_t size, gs_error *err)
{
  return codec == GS_CODEC_ZSTD ? decode_zstd(decoder, bytes, out, size, err)
                                : decode_lz4(bytes, out, size, err);
}
