/*
 * journal_format: header and frames.
 */
#include "store/journal_format.h"

#include "code/fixed.h"
#include "code/hash.h"

enum {
  AT_SUM = 8, /* of the header */
  AT_SUMMED = 16,
  AT_KIND = 20,
  AT_NUMBER = 24,
  AT_SALT = 32,
  AT_FIRST = 40,
};

void
gs_journal_header_encode(const gs_journal_header *header, uint8_t *to)
{
  memset(to, 0, GS_JOURNAL_HEADER_BYTES);
  memcpy(to, GS_JOURNAL_MAGIC, AT_SUM);
  gs_put_u32(to + AT_SUMMED, GS_JOURNAL_FORMAT);
  gs_put_u32(to + AT_KIND, header->store_kind);
  gs_put_u64(to + AT_NUMBER, header->number);
  gs_put_u64(to + AT_SALT, header->salt);
  gs_put_u64(to + AT_FIRST, header->first_event);
  gs_put_u64(to + AT_SUM,
             gs_checksum(to + AT_SUMMED, GS_JOURNAL_HEADER_BYTES - AT_SUMMED,
                         gs_checksum_seed(0, header->number, 0)));
}

bool
gs_journal_header_decode(gs_slice file, gs_journal_header *out)
{
  if (file.size < GS_JOURNAL_HEADER_BYTES ||
      memcmp(file.data, GS_JOURNAL_MAGIC, AT_SUM) != 0) {
    return false;
  }
  const uint8_t *at = file.data;
  out->store_kind = gs_get_u32(at + AT_KIND);
  out->number = gs_get_u64(at + AT_NUMBER);
  out->salt = gs_get_u64(at + AT_SALT);
  out->first_event = gs_get_u64(at + AT_FIRST);
  uint64_t sum =
      gs_checksum(at + AT_SUMMED, GS_JOURNAL_HEADER_BYTES - AT_SUMMED,
                  gs_checksum_seed(0, out->number, 0));
  return sum == gs_get_u64(at + AT_SUM) &&
         gs_get_u32(at + AT_SUMMED) == GS_JOURNAL_FORMAT;
}

void
gs_journal_add_frame(gs_buffer *out, gs_slice event)
{
  uint8_t head[GS_JOURNAL_FRAME_BYTES] = {0};
  size_t padding =
      gs_journal_frame_bytes(event.size) - sizeof head - event.size;
  gs_put_u32(head + 8, (uint32_t)event.size);
  gs_buffer_append(out, head, sizeof head);
  gs_buffer_append_slice(out, event);
  gs_buffer_append_zeros(out, padding);
}

static uint64_t
sum_of(const uint8_t *at, size_t bytes, const gs_journal_header *file,
       uint64_t offset)
{
  return gs_checksum(at + 8, bytes - 8,
                     gs_checksum_seed(file->salt, file->number, offset));
}

size_t
gs_journal_sum_frame(uint8_t *at, const gs_journal_header *file,
                     uint64_t offset)
{
  size_t bytes = gs_journal_frame_bytes(gs_get_u32(at + 8));
  gs_put_u64(at, sum_of(at, bytes, file, offset));
  return bytes;
}

bool
gs_journal_next_frame(gs_slice file, const gs_journal_header *header,
                      size_t *at, gs_slice *event)
{
  size_t left = file.size - *at;
  const uint8_t *frame = file.data + *at;
  if (left < GS_JOURNAL_FRAME_BYTES + GS_EVENT_HEAD_BYTES) {
    return false;
  }
  size_t size = gs_get_u32(frame + 8);
  size_t bytes = size > GS_EVENT_MAX_BYTES ? 0 : gs_journal_frame_bytes(size);
  if (size < GS_EVENT_HEAD_BYTES || bytes == 0 || bytes > left ||
      gs_get_u32(frame + 12) != 0 ||
      gs_get_u64(frame) != sum_of(frame, bytes, header, *at)) {
    return false;
  }
  *event = gs_slice_of(frame + GS_JOURNAL_FRAME_BYTES, size);
  *at += bytes;
  return true;
}
