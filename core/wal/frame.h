/*
 * frame: header pages and frames as bytes; no files, no memory.
 *
 * Model: a frame belongs to one place, its log's identity and its offset, and
 * is valid nowhere else.
 *   1. decode accepts what encode writes, at the same place, and no other
 *      bytes: reserved bytes and padding are zero, each type has one shape.
 *   2. No field is used before the checksum over it was found right.
 *   3. What repair changes is one bit, and afterwards the whole frame verifies:
 *      header checksum, link, payload checksum. Of bytes that are no frame, one
 *      in 2^64 for each bit tried is taken for one.
 *
 * Shapes: a batch has a first sequence above 0, also without entries; every
 * other type has neither sequence nor entries; a mark and a seal have no
 * payload.
 *
 * Threads: any; nothing is kept.
 * Errors: only a header page has some, see gs_log_header_decode.
 */
#ifndef GS_WAL_FRAME_H
#define GS_WAL_FRAME_H

#include <stdbool.h>

#include "base/error.h"
#include "base/slice.h"
#include "wal/format.h"

/* What makes the frames of one log differ from those of all others. */
typedef struct gs_log_identity {
  uint64_t salt;
  uint64_t number;
} gs_log_identity;

/* What the first frame of a log carries as its link. */
uint32_t gs_log_first_link(gs_log_identity identity);

/* Fills page[0..GS_LOG_HEADER_BYTES). Returns the link of the first frame. */
uint32_t gs_log_header_encode(const gs_log_header *header, uint8_t *page);

/* The first frame's link goes to *link. name is for messages. GS_CORRUPT where the page is
 * short or does not verify, GS_VERSION where it verifies and says more than
 * this code understands. */
GS_MUST_CHECK gs_status gs_log_header_decode(gs_slice page, const char *name,
                                             gs_log_header *header,
                                             uint32_t *link, gs_error *err);

/* Puts one wrong bit of a header page right; false where there is another
 * number of them, and then the page is as it was. */
bool gs_log_header_repair(uint8_t *page, size_t size);

/* The salt of a log whose header page does not verify: of the two that stand
 * there the one that fits the first frame's header, else the first; 0 where the
 * log is shorter than the page. */
uint64_t gs_log_guess_salt(gs_slice log, uint64_t number);

/* Whether a frame of this shape may stand in a log of this kind. */
bool gs_frame_is_allowed(gs_log_kind kind, const gs_frame_info *info,
                         uint64_t payload_bytes);

/* Writes gs_frame_bytes(payload.size) bytes. Takes from info: type, first_seq,
 * entry_count, durable_to, offset; fills in end_offset and link.
 * Requires: gs_frame_is_allowed; payload.size <= UINT32_MAX. */
void gs_frame_encode(gs_log_identity identity, uint32_t prev_link,
                     gs_slice payload, gs_frame_info *info, uint8_t *to);

/* Whether a whole valid frame that follows prev_link stands at the offset of
 * the log; the payload views it. Any bytes may stand there. */
bool gs_frame_decode(gs_slice log, gs_log_identity identity, uint64_t offset,
                     uint32_t prev_link, gs_frame_info *info,
                     gs_slice *payload);

/* Puts one wrong bit right of the frame that should stand at the offset; false
 * where that does not make it one, and then the bytes are as they were. */
bool gs_frame_repair(uint8_t *log, size_t log_bytes, gs_log_identity identity,
                     uint64_t offset, uint32_t prev_link);

/* Looks through the whole log for a valid frame header that says more than
 * `beyond` bytes had been durable; *at receives its offset. */
bool gs_frame_find_durable(gs_slice log, gs_log_identity identity,
                           uint64_t beyond, uint64_t *at);

#endif
