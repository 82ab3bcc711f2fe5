/*
 * Fuzz target of the log's decoders. The input is a log; where its first byte
 * says so, the checksums of a page or a frame are made right first, so that
 * what lies behind them is reached. Checked: no access outside the log (by the
 * sanitizers), that whatever is accepted is encoded again to the very same
 * bytes, and that repair turns one bit over or nothing.
 *
 * Needs nothing but core/wal/frame.c, core/code and core/base.
 */
#include "code/fixed.h"
#include "code/hash.h"
#include "fuzz/frame_sums.h"
#include "fuzz/target.h"
#include "wal/frame.h"

enum {
  SUM_FRAME = 1, /* bits of the first byte */
  SUM_PAGE = 2,
  SANE_PAGE = 4,
  REPAIRS = 8,
  PAGE_SUMMED = 16,
  PAGE_FIELDS = 112, /* zeros behind them */
};

static const gs_log_identity identity = {.salt = 1, .number = 2};

static void
check_page(gs_slice log)
{
  gs_log_header header;
  uint32_t link = 0;
  uint8_t again[GS_LOG_HEADER_BYTES];
  if (gs_log_header_decode(log, "log", &header, &link, NULL) == GS_OK) {
    REQUIRE(gs_log_header_encode(&header, again) == link);
    REQUIRE(memcmp(again, log.data, sizeof again) == 0);
  }
}

/* False where there is no frame. */
static bool
check_frame(gs_slice log, uint64_t offset, gs_frame_info *out,
            uint32_t *out_link)
{
  gs_frame_info info;
  gs_slice payload;
  uint64_t at = 0;
  uint32_t link = offset + GS_FRAME_HEADER_BYTES <= log.size
                      ? gs_get_u32(log.data + offset + 36)
                      : 0;
  if (!gs_frame_decode(log, identity, offset, link, &info, &payload)) {
    return false;
  }
  *out = info;
  *out_link = link;
  gs_frame_info again = info;
  size_t whole = (size_t)gs_frame_bytes(payload.size);
  uint8_t *bytes = malloc(whole);
  REQUIRE(bytes != NULL);
  REQUIRE(info.offset == offset && info.end_offset == offset + whole);
  REQUIRE(info.end_offset <= log.size && info.durable_to <= offset);
  gs_frame_encode(identity, link, payload, &again, bytes);
  REQUIRE(again.end_offset == info.end_offset && again.link == info.link);
  REQUIRE(memcmp(bytes, log.data + offset, whole) == 0);
  REQUIRE(info.durable_to == 0 ||
          gs_frame_find_durable(log, identity, info.durable_to - 1, &at));
  free(bytes);
  return true;
}

/* One wrong bit of a frame that was accepted is put right. */
static void
check_repaired(uint8_t *log, size_t size, const gs_frame_info *info,
               uint32_t link, size_t bit)
{
  size_t whole = (size_t)(info->end_offset - info->offset);
  uint8_t *flipped = malloc(size);
  REQUIRE(flipped != NULL);
  memcpy(flipped, log, size);
  bit = (size_t)info->offset * 8 + bit % (whole * 8);
  flipped[bit / 8] ^= (uint8_t)(1 << bit % 8);
  REQUIRE(gs_frame_repair(flipped, size, identity, info->offset, link));
  REQUIRE(memcmp(flipped, log, size) == 0);
  free(flipped);
}

/* What repair takes for a frame with one wrong bit is one afterwards, but for
 * that bit as it was; what it refuses is left alone. */
static void
check_repair(const uint8_t *log, size_t size, uint64_t offset, uint32_t link)
{
  gs_frame_info info;
  gs_slice payload;
  uint8_t *tried = malloc(size);
  REQUIRE(tried != NULL);
  memcpy(tried, log, size);
  bool is_right = gs_frame_repair(tried, size, identity, offset, link);
  int changed = 0;
  for (size_t i = 0; i < size; i++) {
    changed += __builtin_popcount((unsigned)tried[i] ^ log[i]);
  }
  REQUIRE(changed == (is_right ? 1 : 0));
  REQUIRE(!is_right || gs_frame_decode(gs_slice_of(tried, size), identity,
                                       offset, link, &info, &payload));
  free(tried);
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
  REQUIRE(bytes != NULL);
  memcpy(bytes, data + 1, size);
  gs_slice log = gs_slice_of(bytes, size);
  check_page(log);
  check_made_page(log, mode);
  for (size_t offset = 0; offset < size && offset < 512;
       offset += GS_FRAME_ALIGN) {
    gs_frame_info info;
    uint32_t link;
    if ((mode & SUM_FRAME) != 0) {
      fuzz_sum_frame(bytes, size, offset, identity);
    }
    if (check_frame(log, offset, &info, &link) && (mode & REPAIRS) != 0) {
      check_repaired(bytes, size, &info, link, bytes[0] * 131U + mode);
    }
  }
  if ((mode & REPAIRS) != 0 && size > 0) {
    check_repair(bytes, size, 0, gs_log_first_link(identity));
  }
  uint64_t at = 0;
  gs_frame_find_durable(log, identity, mode, &at);
  gs_log_guess_salt(log, mode);
  free(bytes);
  return 0;
}
