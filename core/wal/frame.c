/*
 * frame: the bytes of format.h.
 *
 * The search for frame headers looks at every eighth byte of a log. What makes
 * it fast is the word with the type: one byte and three zeros, so one compare
 * of four bytes sends away nearly every position, and the range of durable_to
 * most of the others; only then is a checksum computed.
 */
#include "wal/frame.h"

#include "base/check.h"
#include "code/fixed.h"
#include "code/hash.h"

/* Offsets in the header page. */
enum {
  PAGE_MAGIC = 0,
  PAGE_CHECKSUM = 8,
  PAGE_SUMMED = 16, /* the checksum covers from here to the end */
  PAGE_FORMAT = 16,
  PAGE_KIND = 20,
  PAGE_STORE_ID = 24,
  PAGE_NUMBER = 40,
  PAGE_INCARNATION = 48,
  PAGE_SALT = 56,
  PAGE_FIRST_SEQ = 64,
  PAGE_ALLOCATED = 72,
  PAGE_PREV_NUMBER = 80,
  PAGE_PREV_BYTES = 88,
  PAGE_PREV_LINK = 96,
  PAGE_FLAGS = 100,
  PAGE_FEATURES = 104,
  PAGE_ZEROS = 112,
  PAGE_SALT_AGAIN = 4088,
};

/* Offsets in a frame header. */
enum {
  FRAME_CHECKSUM = 0,
  FRAME_SUMMED = 4, /* the checksum covers from here to the header's end */
  FRAME_PAYLOAD_BYTES = 4,
  FRAME_PAYLOAD_CHECKSUM = 8,
  FRAME_FIRST_SEQ = 16,
  FRAME_DURABLE_TO = 24,
  FRAME_ENTRY_COUNT = 32,
  FRAME_LINK = 36,
  FRAME_TYPE = 40, /* one byte and three zeros: a word from 1 to 4 */
  FRAME_FOLD = 44,
};

static bool
all_zeros(const uint8_t *at, size_t size)
{
  return size == 0 || (at[0] == 0 && memcmp(at, at + 1, size - 1) == 0);
}

/* ---- header page --------------------------------------------------------- */

uint32_t
gs_log_first_link(gs_log_identity identity)
{
  return (uint32_t)gs_checksum_seed(identity.salt, identity.number, 0);
}

static uint32_t
first_link(const uint8_t *page)
{
  return gs_log_first_link((gs_log_identity){
      .salt = gs_get_u64(page + PAGE_SALT),
      .number = gs_get_u64(page + PAGE_NUMBER),
  });
}

static uint64_t
page_checksum(const uint8_t *page)
{
  uint64_t seed = gs_checksum_seed(0, gs_get_u64(page + PAGE_NUMBER), 0);
  return gs_checksum(page + PAGE_SUMMED, GS_LOG_HEADER_BYTES - PAGE_SUMMED,
                     seed);
}

uint32_t
gs_log_header_encode(const gs_log_header *header, uint8_t *page)
{
  memset(page, 0, GS_LOG_HEADER_BYTES);
  memcpy(page + PAGE_MAGIC, GS_LOG_MAGIC, PAGE_CHECKSUM - PAGE_MAGIC);
  gs_put_u32(page + PAGE_FORMAT, GS_FORMAT);
  gs_put_u32(page + PAGE_KIND, (uint32_t)header->kind);
  memcpy(page + PAGE_STORE_ID, header->store_id.bytes,
         sizeof header->store_id.bytes);
  gs_put_u64(page + PAGE_NUMBER, header->number);
  gs_put_u64(page + PAGE_INCARNATION, header->incarnation);
  gs_put_u64(page + PAGE_SALT, header->salt);
  gs_put_u64(page + PAGE_FIRST_SEQ, header->first_seq);
  gs_put_u64(page + PAGE_ALLOCATED, header->allocated_bytes);
  gs_put_u64(page + PAGE_PREV_NUMBER, header->prev_number);
  gs_put_u64(page + PAGE_PREV_BYTES, header->prev_bytes);
  gs_put_u32(page + PAGE_PREV_LINK, header->prev_link);
  gs_put_u32(page + PAGE_FLAGS, header->is_prev_synced);
  gs_put_u64(page + PAGE_SALT_AGAIN, header->salt);
  gs_put_u64(page + PAGE_CHECKSUM, page_checksum(page));
  return first_link(page);
}

static void
read_page(const uint8_t *page, gs_log_header *header)
{
  *header = (gs_log_header){
      .kind = (gs_log_kind)gs_get_u32(page + PAGE_KIND),
      .number = gs_get_u64(page + PAGE_NUMBER),
      .incarnation = gs_get_u64(page + PAGE_INCARNATION),
      .salt = gs_get_u64(page + PAGE_SALT),
      .first_seq = gs_get_u64(page + PAGE_FIRST_SEQ),
      .allocated_bytes = gs_get_u64(page + PAGE_ALLOCATED),
      .prev_number = gs_get_u64(page + PAGE_PREV_NUMBER),
      .prev_bytes = gs_get_u64(page + PAGE_PREV_BYTES),
      .prev_link = gs_get_u32(page + PAGE_PREV_LINK),
      .is_prev_synced = gs_get_u32(page + PAGE_FLAGS),
  };
  memcpy(header->store_id.bytes, page + PAGE_STORE_ID,
         sizeof header->store_id.bytes);
}

/* What a page of this format must not say. */
static bool
is_page_malformed(const uint8_t *page)
{
  uint32_t kind = gs_get_u32(page + PAGE_KIND);
  return (kind != GS_LOG_WAL && kind != GS_LOG_MANIFEST) ||
         gs_get_u32(page + PAGE_FLAGS) > 1 ||
         gs_get_u64(page + PAGE_SALT_AGAIN) != gs_get_u64(page + PAGE_SALT) ||
         !all_zeros(page + PAGE_ZEROS, PAGE_SALT_AGAIN - PAGE_ZEROS);
}

gs_status
gs_log_header_decode(gs_slice page, const char *name, gs_log_header *header,
                     uint32_t *link, gs_error *err)
{
  const uint8_t *at = page.data;
  if (page.size < GS_LOG_HEADER_BYTES) {
    return GS_FAIL(err, GS_CORRUPT, "'%s' is too short for a log: %zu bytes",
                   name, page.size);
  }
  if (memcmp(at + PAGE_MAGIC, GS_LOG_MAGIC, PAGE_CHECKSUM - PAGE_MAGIC) != 0) {
    return GS_FAIL(err, GS_CORRUPT, "'%s' does not begin as a log", name);
  }
  if (gs_get_u64(at + PAGE_CHECKSUM) != page_checksum(at)) {
    return GS_FAIL(err, GS_CORRUPT, "the header page of '%s' is damaged", name);
  }
  uint32_t format = gs_get_u32(at + PAGE_FORMAT);
  if (format != GS_FORMAT || gs_get_u64(at + PAGE_FEATURES) != 0) {
    return GS_FAIL(err, GS_VERSION,
                   "'%s' has format %u or a feature that is not known here",
                   name, format);
  }
  if (is_page_malformed(at)) {
    return GS_FAIL(err, GS_CORRUPT, "the header page of '%s' makes no sense",
                   name);
  }
  read_page(at, header);
  *link = first_link(at);
  return GS_OK;
}

static void
flip_bit(uint8_t *bytes, size_t bit)
{
  bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
}

static bool
is_page_sound(const uint8_t *page)
{
  return memcmp(page + PAGE_MAGIC, GS_LOG_MAGIC, PAGE_CHECKSUM - PAGE_MAGIC) ==
             0 &&
         gs_get_u64(page + PAGE_CHECKSUM) == page_checksum(page);
}

static bool
repair_page_within(uint8_t *page, size_t from, size_t to)
{
  for (size_t bit = from * 8; bit < to * 8; bit++) {
    flip_bit(page, bit);
    if (is_page_sound(page)) {
      return true;
    }
    flip_bit(page, bit);
  }
  return false;
}

/* A wrong bit among the zeros shows itself; of the fields all are tried. */
bool
gs_log_header_repair(uint8_t *page, size_t size)
{
  if (size < GS_LOG_HEADER_BYTES) {
    return false;
  }
  for (size_t at = PAGE_ZEROS; at < PAGE_SALT_AGAIN; at++) {
    if (page[at] != 0) {
      return repair_page_within(page, at, at + 1);
    }
  }
  return repair_page_within(page, 0, PAGE_ZEROS) ||
         repair_page_within(page, PAGE_SALT_AGAIN, GS_LOG_HEADER_BYTES);
}

/* ---- frames -------------------------------------------------------------- */

static uint64_t
frame_seed(gs_log_identity identity, uint64_t offset)
{
  return gs_checksum_seed(identity.salt, identity.number, offset);
}

static uint32_t
header_checksum(const uint8_t *frame, uint64_t seed)
{
  return (uint32_t)gs_checksum(frame + FRAME_SUMMED,
                               GS_FRAME_HEADER_BYTES - FRAME_SUMMED, seed);
}

/* Of a multiple of 8 bytes. */
static uint32_t
fold_of(const uint8_t *bytes, size_t size)
{
  uint64_t fold = 0;
  for (size_t at = 0; at < size; at += sizeof fold) {
    fold ^= gs_get_u64(bytes + at);
  }
  return (uint32_t)(fold ^ fold >> 32);
}

static bool
has_shape(const gs_frame_info *info, uint64_t payload_bytes)
{
  switch (info->type) {
  case GS_FRAME_BATCH:
    return info->first_seq > 0 &&
           info->first_seq <= UINT64_MAX - info->entry_count;
  case GS_FRAME_MARK:
  case GS_FRAME_SEAL:
    return info->first_seq == 0 && info->entry_count == 0 && payload_bytes == 0;
  case GS_FRAME_EDIT:
    return info->first_seq == 0 && info->entry_count == 0;
  }
  return false;
}

bool
gs_frame_is_allowed(gs_log_kind kind, const gs_frame_info *info,
                    uint64_t payload_bytes)
{
  bool is_foreign = kind == GS_LOG_WAL ? info->type == GS_FRAME_EDIT
                                       : info->type == GS_FRAME_BATCH;
  return !is_foreign && has_shape(info, payload_bytes);
}

void
gs_frame_encode(gs_log_identity identity, uint32_t prev_link, gs_slice payload,
                gs_frame_info *info, uint8_t *to)
{
  GS_ASSERT(payload.size <= UINT32_MAX);
  GS_ASSERT(has_shape(info, payload.size));
  uint64_t seed = frame_seed(identity, info->offset);
  size_t whole = (size_t)gs_frame_bytes(payload.size);
  size_t padded = whole - GS_FRAME_HEADER_BYTES;
  uint8_t *body = to + GS_FRAME_HEADER_BYTES;
  if (payload.size > 0) {
    memset(to + whole - GS_FRAME_ALIGN, 0, GS_FRAME_ALIGN);
    memcpy(body, payload.data, payload.size);
  }
  uint64_t checksum = gs_checksum(body, padded, seed);
  gs_put_u32(to + FRAME_PAYLOAD_BYTES, (uint32_t)payload.size);
  gs_put_u64(to + FRAME_PAYLOAD_CHECKSUM, checksum);
  gs_put_u64(to + FRAME_FIRST_SEQ, info->first_seq);
  gs_put_u64(to + FRAME_DURABLE_TO, info->durable_to);
  gs_put_u32(to + FRAME_ENTRY_COUNT, info->entry_count);
  gs_put_u32(to + FRAME_LINK, prev_link);
  gs_put_u32(to + FRAME_TYPE, (uint32_t)info->type);
  gs_put_u32(to + FRAME_FOLD, fold_of(body, padded));
  gs_put_u32(to + FRAME_CHECKSUM, header_checksum(to, seed));
  info->end_offset = info->offset + whole;
  info->link = (uint32_t)checksum;
}

/* Whether a frame header may begin at the offset, before any checksum. */
static bool
has_room(gs_slice log, uint64_t offset)
{
  return offset <= log.size && log.size - offset >= GS_FRAME_HEADER_BYTES;
}

static bool
is_type_word(const uint8_t *frame)
{
  return gs_get_u32(frame + FRAME_TYPE) - GS_FRAME_BATCH <=
         GS_FRAME_EDIT - GS_FRAME_BATCH;
}

/* Requires: has_room, is_type_word. */
static bool
is_header_valid(gs_slice log, gs_log_identity identity, uint64_t offset)
{
  const uint8_t *frame = log.data + offset;
  return gs_get_u64(frame + FRAME_DURABLE_TO) <= offset &&
         gs_get_u32(frame + FRAME_CHECKSUM) ==
             header_checksum(frame, frame_seed(identity, offset));
}

/* With or without its payload. */
static bool
has_header(gs_slice log, gs_log_identity identity, uint64_t offset)
{
  return has_room(log, offset) && is_type_word(log.data + offset) &&
         is_header_valid(log, identity, offset);
}

uint64_t
gs_log_guess_salt(gs_slice log, uint64_t number)
{
  if (log.size < GS_LOG_HEADER_BYTES) {
    return 0;
  }
  gs_log_identity first = {gs_get_u64(log.data + PAGE_SALT), number};
  gs_log_identity again = {gs_get_u64(log.data + PAGE_SALT_AGAIN), number};
  return !has_header(log, first, GS_LOG_HEADER_BYTES) &&
                 has_header(log, again, GS_LOG_HEADER_BYTES)
             ? again.salt
             : first.salt;
}

static void
read_header(const uint8_t *frame, uint64_t offset, gs_frame_info *info)
{
  uint32_t payload_bytes = gs_get_u32(frame + FRAME_PAYLOAD_BYTES);
  *info = (gs_frame_info){
      .type = (gs_frame_type)frame[FRAME_TYPE],
      .entry_count = gs_get_u32(frame + FRAME_ENTRY_COUNT),
      .first_seq = gs_get_u64(frame + FRAME_FIRST_SEQ),
      .durable_to = gs_get_u64(frame + FRAME_DURABLE_TO),
      .offset = offset,
      .end_offset = offset + gs_frame_bytes(payload_bytes),
      .link = gs_get_u32(frame + FRAME_PAYLOAD_CHECKSUM),
  };
}

/* All that can be said of a frame before its payload is looked at. */
static bool
decode_header(gs_slice log, gs_log_identity identity, uint64_t offset,
              uint32_t prev_link, gs_frame_info *info)
{
  if (!has_header(log, identity, offset)) {
    return false;
  }
  const uint8_t *frame = log.data + offset;
  read_header(frame, offset, info);
  return info->end_offset <= log.size &&
         has_shape(info, gs_get_u32(frame + FRAME_PAYLOAD_BYTES)) &&
         gs_get_u32(frame + FRAME_LINK) == prev_link;
}

/* Requires: decode_header. */
static bool
is_payload_sound(const uint8_t *frame, const gs_frame_info *info, uint64_t seed)
{
  const uint8_t *body = frame + GS_FRAME_HEADER_BYTES;
  size_t size = gs_get_u32(frame + FRAME_PAYLOAD_BYTES);
  size_t padded =
      (size_t)(info->end_offset - info->offset) - GS_FRAME_HEADER_BYTES;
  return gs_get_u64(frame + FRAME_PAYLOAD_CHECKSUM) ==
             gs_checksum(body, padded, seed) &&
         gs_get_u32(frame + FRAME_FOLD) == fold_of(body, padded) &&
         all_zeros(body + size, padded - size);
}

bool
gs_frame_decode(gs_slice log, gs_log_identity identity, uint64_t offset,
                uint32_t prev_link, gs_frame_info *info, gs_slice *payload)
{
  gs_frame_info found;
  if (!decode_header(log, identity, offset, prev_link, &found) ||
      !is_payload_sound(log.data + offset, &found,
                        frame_seed(identity, offset))) {
    return false;
  }
  const uint8_t *frame = log.data + offset;
  *info = found;
  *payload = gs_slice_of(frame + GS_FRAME_HEADER_BYTES,
                         gs_get_u32(frame + FRAME_PAYLOAD_BYTES));
  return true;
}

/* ---- repair -------------------------------------------------------------- */

static bool
repair_header(uint8_t *log, size_t log_bytes, gs_log_identity identity,
              uint64_t offset, uint32_t prev_link)
{
  gs_slice whole = gs_slice_of(log, log_bytes);
  if (!has_room(whole, offset)) {
    return false;
  }
  for (size_t bit = 0; bit < (size_t)GS_FRAME_HEADER_BYTES * 8; bit++) {
    gs_frame_info info;
    gs_slice payload;
    flip_bit(log + offset, bit);
    if (gs_frame_decode(whole, identity, offset, prev_link, &info, &payload)) {
      return true;
    }
    flip_bit(log + offset, bit);
  }
  return false;
}

/* The words that may hold the bit are tried in turn. */
static bool
repair_payload(uint8_t *frame, const gs_frame_info *info, uint64_t seed)
{
  uint8_t *body = frame + GS_FRAME_HEADER_BYTES;
  size_t padded =
      (size_t)(info->end_offset - info->offset) - GS_FRAME_HEADER_BYTES;
  uint32_t wrong = gs_get_u32(frame + FRAME_FOLD) ^ fold_of(body, padded);
  bool is_one_bit = wrong != 0 && (wrong & (wrong - 1)) == 0;
  if (!is_one_bit || padded > GS_REPAIR_MAX_BYTES) {
    return false;
  }
  for (size_t at = 0; at < padded; at += sizeof wrong) {
    gs_put_u32(body + at, gs_get_u32(body + at) ^ wrong);
    if (is_payload_sound(frame, info, seed)) {
      return true;
    }
    gs_put_u32(body + at, gs_get_u32(body + at) ^ wrong);
  }
  return false;
}

bool
gs_frame_repair(uint8_t *log, size_t log_bytes, gs_log_identity identity,
                uint64_t offset, uint32_t prev_link)
{
  gs_frame_info info;
  if (decode_header(gs_slice_of(log, log_bytes), identity, offset, prev_link,
                    &info)) {
    return repair_payload(log + offset, &info, frame_seed(identity, offset));
  }
  return repair_header(log, log_bytes, identity, offset, prev_link);
}

/* ---- the search ---------------------------------------------------------- */

/* Headers that can answer stand behind the bytes they speak of. */
bool
gs_frame_find_durable(gs_slice log, gs_log_identity identity, uint64_t beyond,
                      uint64_t *at)
{
  const uint64_t mask = GS_FRAME_ALIGN - 1;
  for (uint64_t offset = (beyond + mask) & ~mask; has_room(log, offset);
       offset += GS_FRAME_ALIGN) {
    const uint8_t *frame = log.data + offset;
    if (is_type_word(frame) && gs_get_u64(frame + FRAME_DURABLE_TO) > beyond &&
        is_header_valid(log, identity, offset)) {
      *at = offset;
      return true;
    }
  }
  return false;
}
