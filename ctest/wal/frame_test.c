/*
 * Tests of the bytes of header pages and frames: exactly these, at exactly one
 * place, and no others.
 */
#include "log_kit.h"

#include "code/fixed.h"
#include "code/hash.h"
#include "wal/frame.h"

enum {
  BATCH_BYTES = 64, /* the golden batch */
  MARK_BYTES = 48,
  BATCH_AT = GS_LOG_HEADER_BYTES,
  MARK_AT = BATCH_AT + BATCH_BYTES,
  LOG_BYTES = MARK_AT + MARK_BYTES + 24,
  HEADER_LINK = (int)0x835a3e8f,
  BATCH_LINK = (int)0xa4914d48,
};

static const gs_log_identity identity = {.salt = 0x1122334455667788,
                                         .number = 7};

/* The page's remaining bytes are zero. */
static const uint8_t golden_page[112] = {
    0x47, 0x72, 0x61, 0x69, 0x6e, 0x4c, 0x6f, 0x67, /* magic */
    0xae, 0x4a, 0x95, 0x83, 0xaa, 0xb5, 0x3a, 0xea, /* checksum */
    0x01, 0x00, 0x00, 0x00,                         /* format */
    0x01, 0x00, 0x00, 0x00,                         /* kind */
    0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, /* store id */
    0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, /* */
    0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* number */
    0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* incarnation */
    0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, /* salt */
    0xe8, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* first sequence */
    0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, /* allocated */
    0x06, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* predecessor */
    0x00, 0x20, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* its length */
    0xef, 0xbe, 0xad, 0xde,                         /* its link */
    0x01, 0x00, 0x00, 0x00,                         /* flags */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* features */
};

static const uint8_t golden_batch[BATCH_BYTES] = {
    0xfd, 0x62, 0xbf, 0x0b,                         /* header checksum */
    0x09, 0x00, 0x00, 0x00,                         /* payload length */
    0x48, 0x4d, 0x91, 0xa4, 0xb5, 0x1d, 0xf2, 0x40, /* payload checksum */
    0xe8, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* first sequence */
    0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* durable to */
    0x02, 0x00, 0x00, 0x00,                         /* entry count */
    0x8f, 0x3e, 0x5a, 0x83,                         /* link: the first's */
    0x01, 0x00, 0x00, 0x00,                         /* type */
    0x6b, 0x45, 0x1b, 0x0d,                         /* fold */
    0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x20, 0x77, 0x61, /* "hello wa" */
    0x6c, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* "l", padding */
};

static const uint8_t golden_mark[MARK_BYTES] = {
    0x57, 0x2e, 0xbe, 0x32,                         /* header checksum */
    0x00, 0x00, 0x00, 0x00,                         /* payload length */
    0x88, 0xc9, 0xe0, 0x8e, 0x81, 0x4e, 0x19, 0x0b, /* payload checksum */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* first sequence */
    0x40, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* durable to */
    0x00, 0x00, 0x00, 0x00,                         /* entry count */
    0x48, 0x4d, 0x91, 0xa4,                         /* link: the batch's */
    0x02, 0x00, 0x00, 0x00,                         /* type */
    0x00, 0x00, 0x00, 0x00,                         /* fold */
};

static gs_log_header
sample_header(void)
{
  return (gs_log_header){
      .kind = GS_LOG_WAL,
      .store_id = kit_store,
      .number = 7,
      .incarnation = 3,
      .salt = 0x1122334455667788,
      .first_seq = 1000,
      .allocated_bytes = 65536,
      .prev_number = 6,
      .prev_bytes = 8192,
      .prev_link = 0xdeadbeef,
      .is_prev_synced = 1,
  };
}

static gs_frame_info
sample_batch(void)
{
  return (gs_frame_info){
      .type = GS_FRAME_BATCH,
      .entry_count = 2,
      .first_seq = 1000,
      .durable_to = BATCH_AT,
      .offset = BATCH_AT,
  };
}

/* A log of the golden frames and a few zeros. */
static gs_slice
fill_log(uint8_t log[LOG_BYTES])
{
  gs_log_header header = sample_header();
  memset(log, 0, LOG_BYTES);
  gs_log_header_encode(&header, log);
  memcpy(log + BATCH_AT, golden_batch, sizeof golden_batch);
  memcpy(log + MARK_AT, golden_mark, sizeof golden_mark);
  return gs_slice_of(log, LOG_BYTES);
}

static gs_status
decode_page(const uint8_t *page, size_t size)
{
  gs_log_header header;
  uint32_t link = 0;
  return gs_log_header_decode(gs_slice_of(page, size), "x.wal", &header, &link,
                              NULL);
}

static bool
decodes(gs_slice log, gs_log_identity place, uint64_t offset, uint32_t link)
{
  gs_frame_info info;
  gs_slice payload;
  return gs_frame_decode(log, place, offset, link, &info, &payload);
}

/* Makes changed bytes verify again. */
static void
sum_page(uint8_t *page)
{
  uint64_t seed = gs_checksum_seed(0, gs_get_u64(page + 40), 0);
  gs_put_u64(page + 8, gs_checksum(page + 16, GS_LOG_HEADER_BYTES - 16, seed));
}

static void
sum_frame(uint8_t *log, uint64_t offset, size_t padded_bytes)
{
  uint8_t *frame = log + offset;
  uint64_t seed = gs_checksum_seed(identity.salt, identity.number, offset);
  uint32_t fold = 0;
  for (size_t at = 0; at < padded_bytes; at += 4) {
    fold ^= gs_get_u32(frame + GS_FRAME_HEADER_BYTES + at);
  }
  gs_put_u32(frame + 44, fold);
  gs_put_u64(frame + 8,
             gs_checksum(frame + GS_FRAME_HEADER_BYTES, padded_bytes, seed));
  gs_put_u32(frame, (uint32_t)gs_checksum(frame + 4, 44, seed));
}

/* ---- header page --------------------------------------------------------- */

static void
test_a_header_page_has_exactly_these_bytes(void **state)
{
  (void)state;
  static const uint8_t zeros[GS_LOG_HEADER_BYTES];
  uint8_t page[GS_LOG_HEADER_BYTES];
  gs_log_header header = sample_header();
  memset(page, 0xaa, sizeof page);
  uint32_t link = gs_log_header_encode(&header, page);
  assert_int_equal(link, (uint32_t)HEADER_LINK);
  assert_memory_equal(page, golden_page, sizeof golden_page);
  assert_memory_equal(page + sizeof golden_page, zeros,
                      sizeof page - sizeof golden_page - 8);
  assert_memory_equal(page + sizeof page - 8, golden_page + 56, 8);
}

static void
test_a_header_page_comes_back_as_it_went_in(void **state)
{
  (void)state;
  uint8_t page[GS_LOG_HEADER_BYTES];
  gs_error err;
  uint32_t link = 0;
  gs_log_header found;
  gs_log_header header = sample_header();
  gs_log_header_encode(&header, page);
  KIT_OK(gs_log_header_decode(gs_slice_of(page, sizeof page), "x.wal", &found,
                              &link, &err),
         &err);
  assert_int_equal(link, (uint32_t)HEADER_LINK);
  assert_int_equal(found.kind, header.kind);
  assert_memory_equal(&found.store_id, &header.store_id, sizeof kit_store);
  assert_int_equal(found.number, header.number);
  assert_int_equal(found.incarnation, header.incarnation);
  assert_int_equal(found.salt, header.salt);
  assert_int_equal(found.first_seq, header.first_seq);
  assert_int_equal(found.allocated_bytes, header.allocated_bytes);
  assert_int_equal(found.prev_number, header.prev_number);
  assert_int_equal(found.prev_bytes, header.prev_bytes);
  assert_int_equal(found.prev_link, header.prev_link);
  assert_int_equal(found.is_prev_synced, header.is_prev_synced);
}

static void
test_every_flipped_bit_of_a_header_page_is_refused(void **state)
{
  (void)state;
  uint8_t page[GS_LOG_HEADER_BYTES];
  gs_log_header header = sample_header();
  gs_log_header_encode(&header, page);
  for (size_t bit = 0; bit < sizeof page * 8; bit++) {
    page[bit / 8] ^= (uint8_t)(1 << bit % 8);
    assert_int_equal(decode_page(page, sizeof page), GS_CORRUPT);
    page[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
  assert_int_equal(decode_page(page, sizeof page), GS_OK);
}

static void
test_a_header_page_cut_short_is_refused(void **state)
{
  (void)state;
  uint8_t page[GS_LOG_HEADER_BYTES];
  gs_log_header header = sample_header();
  gs_log_header_encode(&header, page);
  assert_int_equal(decode_page(page, sizeof page - 1), GS_CORRUPT);
  assert_int_equal(decode_page(NULL, 0), GS_CORRUPT);
}

static void
test_a_newer_format_or_an_unknown_feature_is_told_apart_from_damage(
    void **state)
{
  (void)state;
  uint8_t page[GS_LOG_HEADER_BYTES];
  gs_log_header header = sample_header();
  gs_log_header_encode(&header, page);
  gs_put_u32(page + 16, GS_FORMAT + 1);
  sum_page(page);
  assert_int_equal(decode_page(page, sizeof page), GS_VERSION);
  gs_log_header_encode(&header, page);
  gs_put_u64(page + 104, (uint64_t)1 << 63);
  sum_page(page);
  assert_int_equal(decode_page(page, sizeof page), GS_VERSION);
}

static void
test_a_header_page_with_unknown_flags_or_a_filled_end_is_refused(void **state)
{
  (void)state;
  static const size_t offsets[] = {101, 103, 112, 113, 4087, 4095};
  uint8_t page[GS_LOG_HEADER_BYTES];
  gs_log_header header = sample_header();
  for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
    gs_log_header_encode(&header, page);
    page[offsets[i]] = 1;
    sum_page(page);
    assert_int_equal(decode_page(page, sizeof page), GS_CORRUPT);
  }
}

static void
test_a_header_page_of_unknown_kind_is_refused(void **state)
{
  (void)state;
  uint8_t page[GS_LOG_HEADER_BYTES];
  gs_log_header header = sample_header();
  for (uint32_t kind = 0; kind < 4; kind++) {
    gs_log_header_encode(&header, page);
    gs_put_u32(page + 20, kind);
    sum_page(page);
    bool is_known = kind == GS_LOG_WAL || kind == GS_LOG_MANIFEST;
    assert_int_equal(decode_page(page, sizeof page),
                     is_known ? GS_OK : GS_CORRUPT);
  }
}

/* ---- frames -------------------------------------------------------------- */

static void
test_a_batch_frame_has_exactly_these_bytes(void **state)
{
  (void)state;
  uint8_t bytes[BATCH_BYTES];
  gs_frame_info info = sample_batch();
  memset(bytes, 0xaa, sizeof bytes);
  assert_int_equal(gs_frame_bytes(9), sizeof bytes);
  gs_frame_encode(identity, (uint32_t)HEADER_LINK, gs_slice_str("hello wal"),
                  &info, bytes);
  assert_memory_equal(bytes, golden_batch, sizeof bytes);
  assert_int_equal(info.end_offset, MARK_AT);
  assert_int_equal(info.link, (uint32_t)BATCH_LINK);
}

static void
test_a_frame_without_payload_has_exactly_these_bytes(void **state)
{
  (void)state;
  uint8_t bytes[MARK_BYTES + 1];
  gs_frame_info info = {
      .type = GS_FRAME_MARK, .durable_to = MARK_AT, .offset = MARK_AT};
  memset(bytes, 0xaa, sizeof bytes);
  gs_frame_encode(identity, (uint32_t)BATCH_LINK, gs_slice_of(NULL, 0), &info,
                  bytes);
  assert_memory_equal(bytes, golden_mark, MARK_BYTES);
  assert_int_equal(bytes[MARK_BYTES], 0xaa);
  assert_int_equal(info.end_offset, MARK_AT + MARK_BYTES);
}

static void
test_a_frame_comes_back_as_it_went_in(void **state)
{
  (void)state;
  uint8_t bytes[LOG_BYTES];
  gs_slice log = fill_log(bytes);
  gs_frame_info info;
  gs_slice payload;
  assert_true(gs_frame_decode(log, identity, BATCH_AT, (uint32_t)HEADER_LINK,
                              &info, &payload));
  assert_int_equal(info.type, GS_FRAME_BATCH);
  assert_int_equal(info.entry_count, 2);
  assert_int_equal(info.first_seq, 1000);
  assert_int_equal(info.durable_to, BATCH_AT);
  assert_int_equal(info.offset, BATCH_AT);
  assert_int_equal(info.end_offset, MARK_AT);
  assert_int_equal(info.link, (uint32_t)BATCH_LINK);
  assert_true(gs_slice_equal(payload, gs_slice_str("hello wal")));
  assert_true(decodes(log, identity, MARK_AT, (uint32_t)BATCH_LINK));
}

static void
test_payloads_of_every_length_come_back_and_only_padding_follows(void **state)
{
  (void)state;
  uint8_t payload[40];
  uint8_t bytes[BATCH_AT + 128];
  memset(payload, 0xee, sizeof payload);
  for (size_t size = 0; size <= sizeof payload; size++) {
    gs_frame_info info = sample_batch();
    gs_frame_info found;
    gs_slice view;
    memset(bytes, 0xaa, sizeof bytes);
    gs_frame_encode(identity, 1, gs_slice_of(payload, size), &info,
                    bytes + BATCH_AT);
    assert_int_equal(info.end_offset % GS_FRAME_ALIGN, 0);
    assert_int_equal(info.end_offset - info.offset, gs_frame_bytes(size));
    assert_int_equal(bytes[info.end_offset], 0xaa);
    gs_slice log = gs_slice_of(bytes, (size_t)info.end_offset);
    assert_true(gs_frame_decode(log, identity, BATCH_AT, 1, &found, &view));
    assert_true(gs_slice_equal(view, gs_slice_of(payload, size)));
  }
}

static void
test_every_flipped_bit_of_a_frame_is_refused(void **state)
{
  (void)state;
  uint8_t bytes[LOG_BYTES];
  gs_slice log = fill_log(bytes);
  for (size_t bit = BATCH_AT * 8; bit < (MARK_AT + MARK_BYTES) * 8; bit++) {
    bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    bool is_in_mark = bit / 8 >= MARK_AT;
    assert_int_equal(decodes(log, identity, BATCH_AT, (uint32_t)HEADER_LINK),
                     is_in_mark);
    assert_int_equal(decodes(log, identity, MARK_AT, (uint32_t)BATCH_LINK),
                     !is_in_mark);
    bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
}

static void
test_a_frame_that_does_not_end_within_the_log_is_refused(void **state)
{
  (void)state;
  uint8_t bytes[LOG_BYTES];
  fill_log(bytes);
  for (size_t size = 0; size < MARK_AT; size++) {
    /* A copy of exactly this size, so that a read behind it is found. */
    uint8_t *exact = malloc(size + 1);
    assert_non_null(exact);
    memcpy(exact, bytes, size);
    assert_false(decodes(gs_slice_of(exact, size), identity, BATCH_AT,
                         (uint32_t)HEADER_LINK));
    free(exact);
  }
  assert_true(decodes(gs_slice_of(bytes, MARK_AT), identity, BATCH_AT,
                      (uint32_t)HEADER_LINK));
}

static void
test_a_frame_is_valid_only_in_its_log_at_its_offset_behind_its_link(
    void **state)
{
  (void)state;
  uint8_t bytes[LOG_BYTES];
  gs_slice log = fill_log(bytes);
  gs_log_identity other_salt = identity;
  gs_log_identity other_number = identity;
  other_salt.salt++;
  other_number.number++;
  assert_false(decodes(log, other_salt, BATCH_AT, (uint32_t)HEADER_LINK));
  assert_false(decodes(log, other_number, BATCH_AT, (uint32_t)HEADER_LINK));
  assert_false(decodes(log, identity, BATCH_AT, (uint32_t)HEADER_LINK + 1));
  for (size_t shift = 8; shift + BATCH_BYTES <= LOG_BYTES - BATCH_AT;
       shift += 8) {
    fill_log(bytes);
    memmove(bytes + BATCH_AT + shift, golden_batch, sizeof golden_batch);
    assert_false(
        decodes(log, identity, BATCH_AT + shift, (uint32_t)HEADER_LINK));
  }
}

static void
test_padding_other_than_zero_is_refused_though_it_verifies(void **state)
{
  (void)state;
  uint8_t bytes[LOG_BYTES];
  gs_slice log = fill_log(bytes);
  sum_frame(bytes, BATCH_AT, 16);
  assert_true(decodes(log, identity, BATCH_AT, (uint32_t)HEADER_LINK));
  for (size_t at = BATCH_AT + GS_FRAME_HEADER_BYTES + 9; at < MARK_AT; at++) {
    fill_log(bytes);
    bytes[at] = 1;
    sum_frame(bytes, BATCH_AT, 16);
    assert_false(decodes(log, identity, BATCH_AT, (uint32_t)HEADER_LINK));
  }
}

static void
test_a_header_that_verifies_but_makes_no_sense_is_refused(void **state)
{
  (void)state;
  static const struct {
    size_t at;
    uint64_t word;
  } changes[] = {
      {40, 0},                    /* no type */
      {40, 5},                    /* an unknown type */
      {40, 1 | (uint64_t)1 << 8}, /* reserved bytes in use */
      {40, 1 | (uint64_t)1 << 24},
      {40, GS_FRAME_MARK},  /* a mark with a payload */
      {40, GS_FRAME_EDIT},  /* an edit with entries */
      {24, BATCH_AT + 8},   /* durable beyond itself */
      {16, 0},              /* a batch without a sequence */
      {16, UINT64_MAX - 1}, /* sequences beyond the last number */
  };
  uint8_t bytes[LOG_BYTES];
  gs_slice log = fill_log(bytes);
  for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
    fill_log(bytes);
    gs_put_u64(bytes + BATCH_AT + changes[i].at, changes[i].word);
    sum_frame(bytes, BATCH_AT, 16);
    assert_false(decodes(log, identity, BATCH_AT, (uint32_t)HEADER_LINK));
  }
}

static void
test_each_kind_of_log_allows_its_own_frames(void **state)
{
  (void)state;
  static const struct {
    gs_frame_type type;
    uint64_t first_seq;
    uint32_t entry_count;
    uint64_t payload_bytes;
    bool in_wal;
    bool in_manifest;
  } rows[] = {
      {GS_FRAME_BATCH, 1, 1, 8, true, false},
      {GS_FRAME_BATCH, 1, 0, 8, true, false},
      {GS_FRAME_BATCH, 0, 1, 8, false, false},
      {GS_FRAME_BATCH, UINT64_MAX - 1, 1, 8, true, false},
      {GS_FRAME_BATCH, UINT64_MAX, 1, 8, false, false},
      {GS_FRAME_EDIT, 0, 0, 8, false, true},
      {GS_FRAME_EDIT, 1, 0, 8, false, false},
      {GS_FRAME_EDIT, 0, 1, 8, false, false},
      {GS_FRAME_MARK, 0, 0, 0, true, true},
      {GS_FRAME_MARK, 0, 0, 1, false, false},
      {GS_FRAME_MARK, 1, 0, 0, false, false},
      {GS_FRAME_SEAL, 0, 0, 0, true, true},
      {GS_FRAME_SEAL, 0, 0, 1, false, false},
      {GS_FRAME_SEAL, 0, 1, 0, false, false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    gs_frame_info info = {.type = rows[i].type,
                          .first_seq = rows[i].first_seq,
                          .entry_count = rows[i].entry_count};
    assert_int_equal(
        gs_frame_is_allowed(GS_LOG_WAL, &info, rows[i].payload_bytes),
        rows[i].in_wal);
    assert_int_equal(
        gs_frame_is_allowed(GS_LOG_MANIFEST, &info, rows[i].payload_bytes),
        rows[i].in_manifest);
  }
}

/* ---- the search ---------------------------------------------------------- */

static void
test_the_search_finds_a_header_that_speaks_of_the_bytes_asked_for(void **state)
{
  (void)state;
  uint8_t bytes[LOG_BYTES];
  gs_slice log = fill_log(bytes);
  uint64_t at = 0;
  assert_true(gs_frame_find_durable(log, identity, 0, &at));
  assert_int_equal(at, BATCH_AT);
  assert_true(gs_frame_find_durable(log, identity, BATCH_AT - 1, &at));
  assert_int_equal(at, BATCH_AT);
  assert_true(gs_frame_find_durable(log, identity, BATCH_AT, &at));
  assert_int_equal(at, MARK_AT);
  assert_true(gs_frame_find_durable(log, identity, MARK_AT - 1, &at));
  assert_int_equal(at, MARK_AT);
  assert_false(gs_frame_find_durable(log, identity, MARK_AT, &at));
  assert_false(gs_frame_find_durable(log, identity, UINT64_MAX, &at));
}

static void
test_the_search_believes_a_header_whose_payload_is_lost(void **state)
{
  (void)state;
  uint8_t bytes[LOG_BYTES];
  gs_slice log = fill_log(bytes);
  uint64_t at = 0;
  memset(bytes + BATCH_AT + GS_FRAME_HEADER_BYTES, 0xff, LOG_BYTES - MARK_AT);
  assert_true(gs_frame_find_durable(log, identity, 0, &at));
  assert_int_equal(at, BATCH_AT);
  log.size = BATCH_AT + GS_FRAME_HEADER_BYTES;
  assert_true(gs_frame_find_durable(log, identity, 0, &at));
  log.size--;
  assert_false(gs_frame_find_durable(log, identity, 0, &at));
}

static void
test_the_search_believes_no_header_with_a_flipped_bit(void **state)
{
  (void)state;
  uint8_t bytes[LOG_BYTES];
  gs_slice log = fill_log(bytes);
  uint64_t at = 0;
  for (size_t bit = 0; bit < GS_FRAME_HEADER_BYTES * 8; bit++) {
    bytes[MARK_AT + bit / 8] ^= (uint8_t)(1 << bit % 8);
    assert_false(gs_frame_find_durable(log, identity, BATCH_AT, &at));
    bytes[MARK_AT + bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
}

static void
test_the_search_is_not_taken_in_by_what_looks_like_a_header(void **state)
{
  (void)state;
  enum { SIZE = 64 * 1024 };
  uint8_t *bytes = calloc(1, SIZE);
  uint64_t at = 0;
  assert_non_null(bytes);
  for (size_t i = 0; i < SIZE; i += 8) {
    gs_put_u64(bytes + i, 1 + i / 8 % 4);
  }
  assert_false(
      gs_frame_find_durable(gs_slice_of(bytes, SIZE), identity, 0, &at));
  free(bytes);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_header_page_has_exactly_these_bytes),
      cmocka_unit_test(test_a_header_page_comes_back_as_it_went_in),
      cmocka_unit_test(test_every_flipped_bit_of_a_header_page_is_refused),
      cmocka_unit_test(test_a_header_page_cut_short_is_refused),
      cmocka_unit_test(
          test_a_newer_format_or_an_unknown_feature_is_told_apart_from_damage),
      cmocka_unit_test(
          test_a_header_page_with_unknown_flags_or_a_filled_end_is_refused),
      cmocka_unit_test(test_a_header_page_of_unknown_kind_is_refused),
      cmocka_unit_test(test_a_batch_frame_has_exactly_these_bytes),
      cmocka_unit_test(test_a_frame_without_payload_has_exactly_these_bytes),
      cmocka_unit_test(test_a_frame_comes_back_as_it_went_in),
      cmocka_unit_test(
          test_payloads_of_every_length_come_back_and_only_padding_follows),
      cmocka_unit_test(test_every_flipped_bit_of_a_frame_is_refused),
      cmocka_unit_test(
          test_a_frame_that_does_not_end_within_the_log_is_refused),
      cmocka_unit_test(
          test_a_frame_is_valid_only_in_its_log_at_its_offset_behind_its_link),
      cmocka_unit_test(
          test_padding_other_than_zero_is_refused_though_it_verifies),
      cmocka_unit_test(
          test_a_header_that_verifies_but_makes_no_sense_is_refused),
      cmocka_unit_test(test_each_kind_of_log_allows_its_own_frames),
      cmocka_unit_test(
          test_the_search_finds_a_header_that_speaks_of_the_bytes_asked_for),
      cmocka_unit_test(test_the_search_believes_a_header_whose_payload_is_lost),
      cmocka_unit_test(test_the_search_believes_no_header_with_a_flipped_bit),
      cmocka_unit_test(
          test_the_search_is_not_taken_in_by_what_looks_like_a_header),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
