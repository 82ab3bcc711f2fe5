/*
 * journal_format: the files that keep events, as bytes.
 *
 *   file   := header frame*
 *   frame  := checksum:u64 size:u32 0:u32 event[size] zeros to 8 bytes
 *
 * Header (little-endian):
 *   0  magic "GrainJou"           8
 *   8  checksum of bytes 16..47   8   seeded by (0, number, 0)
 *   16 format                     4
 *   20 kind of the store          4   1 bytes, 2 u32
 *   24 number of this file        8
 *   32 salt                       8   the store's; seeds the frames
 *   40 number of its first event  8
 *
 * A frame's checksum is over all that follows in it, padding included, seeded
 * by (salt, number of the file, offset of the frame). Reading ends at the first
 * place where no such frame stands.
 *
 * Threads: pure.
 */
#ifndef GS_STORE_JOURNAL_FORMAT_H
#define GS_STORE_JOURNAL_FORMAT_H

#include "base/buffer.h"
#include "store/event_format.h"

#define GS_JOURNAL_MAGIC "GrainJou"

enum {
  GS_JOURNAL_FORMAT = 1,
  GS_JOURNAL_HEADER_BYTES = 48,
  GS_JOURNAL_FRAME_BYTES = 16, /* before the event */
};

typedef struct gs_journal_header {
  uint32_t store_kind;
  uint64_t number;
  uint64_t salt;
  uint64_t first_event;
} gs_journal_header;

void gs_journal_header_encode(const gs_journal_header *header, uint8_t *to);

/* False where no header stands, or one of a later format. */
bool gs_journal_header_decode(gs_slice file, gs_journal_header *out);

static inline size_t
gs_journal_frame_bytes(size_t event_bytes)
{
  return GS_JOURNAL_FRAME_BYTES + ((event_bytes + 7) & ~(size_t)7);
}

/* Appends a frame whose checksum is still missing, since its place is not yet
 * known. */
void gs_journal_add_frame(gs_buffer *out, gs_slice event);

/* Sums up the frame at `at`, which will stand at the offset of the file.
 * Returns its length. */
size_t gs_journal_sum_frame(uint8_t *at, const gs_journal_header *file,
                            uint64_t offset);

/* The event of the frame at *at, which is moved behind it; false where none
 * stands there. */
bool gs_journal_next_frame(gs_slice file, const gs_journal_header *header,
                           size_t *at, gs_slice *event);

#endif
