/*
 * Fuzz target of the log's decoders. The input is a log; where its first byte
 * says so, the checksums of a page or a frame are made right first, so that
 * what lies behind them is reached. Checked: no access outside the log (by the
 * sanitizers), and that whatever is accepted is encoded again to the very same
 * bytes.
 *
 * Needs nothing but core/wal/frame.c, core/code and core/base.
 */
#include <stdlib.h>

#include "code/fixed.h"
#include "code/hash.h"
#include "wal/frame.h"

enum {
  SUM_FRAME = 1, /* bits of the first byte */
  SUM_PAGE = 2,
  SANE_PAGE = 4,
  PAGE_SUMMED = 16,
  PAGE_FIELDS = 112, /* zeros behind them */
  FRAME_SUMMED = 4,
};

static const gs_log_identity identity = {.salt = 1, .number = 2};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool condition)
{
  if (!condition) {
    abort();
  }
}

static void
check_page(gs_slice log)
{
  gs_log_header header;
  uint32_t link = 0;
  uint8_t again[GS_LOG_HEADER_BYTES];
  if (gs_log_header_decode(log, "log", &header, &link, NULL) == GS_OK) {
    require(gs_log_header_encode(&header, again) == link);
    require(memcmp(again, log.data, sizeof again) == 0);
  }
}

static void
check_frame(gs_slice log, uint64_t offset)
{
  gs_frame_info info;
  gs_slice payload;
  uint64_t at = 0;
  uint32_t link = offset + GS_FRAME_HEADER_BYTES <= log.size
                      ? gs_get_u32(log.data + offset + 36)
                      : 0;
  if (!gs_frame_decode(log, identity, offset, link, &info, &payload)) {
    return;
  }
  gs_frame_info again = info;
  size_t whole = (size_t)gs_frame_bytes(payload.size);
  uint8_t *bytes = malloc(whole);
  require(bytes != NULL);
  require(info.offset == offset && info.end_offset == offset + whole);
  require(info.end_offset <= log.size && info.durable_to <= offset);
  gs_frame_encode(identity, link, payload, &again, bytes);
  require(again.end_offset == info.end_offset && again.link == info.link);
  require(memcmp(bytes, log.data + offset, whole) == 0);
  require(info.durable_to == 0 ||
          gs_frame_find_durable(log, identity, info.durable_to - 1, &at));
  free(bytes);
}

/* Makes the checksums at the offset right for as much payload as there is. */
static void
sum_frame(uint8_t *log, size_t size, size_t offset)
{
  if (size < offset + GS_FRAME_HEADER_BYTES) {
    return;
  }
  uint8_t *frame = log + offset;
  uint64_t seed = gs_checksum_seed(identity.salt, identity.number, offset);
  uint64_t padded =
      gs_frame_bytes(gs_get_u32(frame + 4)) - GS_FRAME_HEADER_BYTES;
  if (padded <= size - offset - GS_FRAME_HEADER_BYTES) {
    gs_put_u64(frame + 8, gs_checksum(frame + GS_FRAME_HEADER_BYTES,
                                      (size_t)padded, seed));
  }
  gs_put_u32(frame,
             (uint32_t)gs_checksum(frame + FRAME_SUMMED,
                                   GS_FRAME_HEADER_BYTES - FRAME_SUMMED, seed));
}

/* A page of the input's first bytes and zeros, made right as the mode says. */
static void
check_made_page(gs_slice log, uint8_t mode)
{
  uint8_t page[GS_LOG_HEADER_BYTES] = {0};
  if (log.size > 0) {
    memcpy(page, log.data, log.size < PAGE_FIELDS ? log.size : PAGE_FIELDS);
  }
  if ((mode & SANE_PAGE) != 0) {
    gs_put_u32(page + 16, GS_FORMAT);
    gs_put_u32(page + 20, GS_LOG_WAL + (mode & SUM_FRAME));
    gs_put_u32(page + 100, mode >> 7);
    gs_put_u64(page + 104, 0);
  }
  if ((mode & SUM_PAGE) != 0) {
    uint64_t seed = gs_checksum_seed(0, gs_get_u64(page + 40), 0);
    memcpy(page, GS_LOG_MAGIC, 8);
    gs_put_u64(page + 8, gs_checksum(page + PAGE_SUMMED,
                                     GS_LOG_HEADER_BYTES - PAGE_SUMMED, seed));
  }
  check_page(gs_slice_of(page, sizeof page));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size == 0) {
    return 0;
  }
  uint8_t mode = data[0];
  size--;
  uint8_t *bytes = malloc(size + 1); /* exactly, but never none */
  require(bytes != NULL);
  memcpy(bytes, data + 1, size);
  gs_slice log = gs_slice_of(bytes, size);
  check_page(log);
  check_made_page(log, mode);
  for (size_t offset = 0; offset < size && offset < 512;
       offset += GS_FRAME_ALIGN) {
    if ((mode & SUM_FRAME) != 0) {
      sum_frame(bytes, size, offset);
    }
    check_frame(log, offset);
  }
  uint64_t at = 0;
  gs_frame_find_durable(log, identity, mode, &at);
  gs_log_guess_salt(log, mode);
  free(bytes);
  return 0;
}
