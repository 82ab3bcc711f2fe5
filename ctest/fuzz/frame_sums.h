/*
 * frame_sums: makes what a frame says of itself right, so that a fuzz target
 * reaches what lies behind the checksums.
 */
#ifndef GS_CTEST_FUZZ_FRAME_SUMS_H
#define GS_CTEST_FUZZ_FRAME_SUMS_H

#include "code/fixed.h"
#include "code/hash.h"
#include "wal/frame.h"

/* Fold and checksums of the frame at the offset, for as much payload as there
 * is. */
static inline void
fuzz_sum_frame(uint8_t *log, size_t size, size_t offset,
               gs_log_identity identity)
{
  if (size < offset + GS_FRAME_HEADER_BYTES) {
    return;
  }
  uint8_t *frame = log + offset;
  const uint8_t *body = frame + GS_FRAME_HEADER_BYTES;
  uint64_t seed = gs_checksum_seed(identity.salt, identity.number, offset);
  uint64_t padded =
      gs_frame_bytes(gs_get_u32(frame + 4)) - GS_FRAME_HEADER_BYTES;
  if (padded <= size - offset - GS_FRAME_HEADER_BYTES) {
    uint32_t fold = 0;
    for (uint64_t at = 0; at < padded; at += sizeof fold) {
      fold ^= gs_get_u32(body + at);
    }
    gs_put_u64(frame + 8, gs_checksum(body, (size_t)padded, seed));
    gs_put_u32(frame + 44, fold);
  }
  gs_put_u32(frame,
             (uint32_t)gs_checksum(frame + 4, GS_FRAME_HEADER_BYTES - 4, seed));
}

#endif
