/*
 * Tests of the log reader: what it gives out is right whatever the file holds,
 * and the end and the evidence are told exactly.
 */
#include "sample_log.h"

#include <errno.h>

#include "code/fixed.h"
#include "wal/frame.h"

/* Frames whose end is at most this. */
static int
frames_before(const sample *s, uint64_t end)
{
  int count = 0;
  while (count < BATCHES && s->ends[count + 1] <= end) {
    count++;
  }
  return count;
}

/* Puts changed bytes in the file's place and opens it. */
static gs_log_reader *
open_bytes(sample *s, const void *data, size_t size)
{
  kit_write_file(s->sim, path, data, size);
  return kit_open(s->env, path);
}

/* ---- whole logs ---------------------------------------------------------- */

static void
test_a_log_comes_back_as_it_was_written(void **state)
{
  (void)state;
  sample s = set_up(KIT_SEGMENT_BYTES);
  gs_log_reader *reader = kit_open(s.env, path);
  const gs_log_header *header = gs_log_reader_header(reader);
  uint64_t seq = 1;
  uint64_t at = 0;
  assert_int_equal(header->number, 1);
  assert_int_equal(header->allocated_bytes, KIT_SEGMENT_BYTES);
  assert_int_equal(gs_log_reader_link(reader),
                   gs_log_reader_header_link(reader));
  assert_int_equal(kit_walk(reader, &seq), BATCHES);
  assert_int_equal(gs_log_reader_end(reader), GS_LOG_CLEAN);
  assert_int_equal(gs_log_reader_offset(reader), s.ends[BATCHES]);
  assert_int_equal(gs_log_reader_file_bytes(reader), KIT_SEGMENT_BYTES);
  assert_false(gs_log_find_evidence(reader, &at));
  gs_log_reader_close(reader);
  tear_down(&s);
}

static void
test_the_reader_ends_with_the_link_the_writer_had(void **state)
{
  (void)state;
  sample s = set_up(0);
  gs_log_writer *writer = kit_start(s.env, "/2.wal", GS_LOG_WAL, 2, 0);
  uint64_t seq = 1;
  kit_append_many(writer, &seq, 3);
  gs_log_reader *reader = kit_open(s.env, "/2.wal");
  seq = 1;
  kit_walk(reader, &seq);
  assert_int_equal(gs_log_reader_link(reader), gs_log_link(writer));
  assert_int_equal(gs_log_reader_offset(reader), gs_log_written_bytes(writer));
  gs_log_reader_close(reader);
  gs_log_close(writer);
  tear_down(&s);
}

static void
test_a_seal_ends_the_log_only_if_nothing_stands_behind_it(void **state)
{
  (void)state;
  sample s = set_up(0);
  gs_log_writer *writer =
      kit_start(s.env, "/2.wal", GS_LOG_WAL, 2, KIT_SEGMENT_BYTES);
  uint64_t seq = 1;
  kit_append_many(writer, &seq, 2);
  kit_append_bare(writer, GS_FRAME_SEAL);
  size_t end = (size_t)gs_log_written_bytes(writer);
  gs_log_close(writer);
  for (int is_dirty = 0; is_dirty <= 1; is_dirty++) {
    gs_buffer bytes = kit_read_file(s.env, "/2.wal");
    bytes.data[end] = (uint8_t)is_dirty;
    gs_log_reader *reader = open_bytes(&s, bytes.data, bytes.size);
    seq = 1;
    assert_int_equal(kit_walk(reader, &seq), 3);
    assert_int_equal(gs_log_reader_end(reader),
                     is_dirty ? GS_LOG_TORN : GS_LOG_SEALED);
    assert_int_equal(gs_log_reader_offset(reader), end);
    gs_log_reader_close(reader);
    gs_buffer_deinit(&bytes);
  }
  tear_down(&s);
}

static void
test_a_segment_full_to_its_last_byte_ends_clean(void **state)
{
  (void)state;
  sample s = set_up(0);
  gs_log_reader *reader = NULL;
  gs_log_writer *writer =
      kit_start(s.env, "/2.wal", GS_LOG_WAL, 2, GS_LOG_HEADER_BYTES + 48 + 96);
  uint8_t payload[96] = {1};
  KIT_OK(gs_log_append(writer, GS_FRAME_BATCH, 1, 1,
                       gs_slice_of(payload, sizeof payload), &s.err),
         &s.err);
  gs_log_close(writer);
  KIT_OK(gs_log_open(s.env, "/2.wal", NULL, &reader, &s.err), &s.err);
  gs_frame_info info;
  gs_slice view;
  assert_true(gs_log_next(reader, &info, &view));
  assert_false(gs_log_next(reader, &info, &view));
  assert_false(gs_log_next(reader, &info, &view));
  assert_int_equal(gs_log_reader_end(reader), GS_LOG_CLEAN);
  gs_log_reader_close(reader);
  tear_down(&s);
}

static void
test_a_dump_has_a_line_for_each_frame_and_one_for_the_end(void **state)
{
  (void)state;
  sample s = set_up(0);
  gs_buffer text;
  gs_log_writer *writer = kit_start(s.env, "/2.wal", GS_LOG_WAL, 2, 0);
  uint64_t seq = 1;
  kit_append_many(writer, &seq, 2);
  kit_append_bare(writer, GS_FRAME_MARK);
  kit_append_bare(writer, GS_FRAME_SEAL);
  gs_log_close(writer);
  gs_buffer_init(&text, s.env->alloc);
  gs_log_reader *reader = kit_open(s.env, "/2.wal");
  KIT_OK(gs_log_dump(reader, &text, &s.err), &s.err);
  gs_log_reader_close(reader);
  gs_buffer_append(&text, "", 1);
  assert_string_equal((char *)text.data, "4096 batch 1 2 29\n"
                                         "4176 batch 3 1 87\n"
                                         "4312 mark 0 0 0\n"
                                         "4360 seal 0 0 0\n"
                                         "4408 sealed\n");
  gs_buffer_deinit(&text);
  tear_down(&s);
}

/* ---- damage -------------------------------------------------------------- */

static void
test_a_growing_log_cut_at_any_length_gives_its_whole_frames(void **state)
{
  (void)state;
  sample s = set_up(0);
  for (size_t size = 0; size <= s.bytes.size; size++) {
    kit_write_file(s.sim, path, s.bytes.data, size);
    gs_log_reader *reader = NULL;
    gs_status status = gs_log_open(s.env, path, &kit_store, &reader, NULL);
    if (size < GS_LOG_HEADER_BYTES) {
      assert_int_equal(status, GS_CORRUPT);
      assert_null(reader);
      continue;
    }
    assert_int_equal(status, GS_OK);
    uint64_t seq = 1;
    uint64_t at = 0;
    int whole = frames_before(&s, size);
    assert_int_equal(kit_walk(reader, &seq), whole);
    /* A cut within zeros at a frame's start cannot be seen. */
    assert_int_equal(gs_log_reader_end(reader),
                     size == s.ends[whole] ? GS_LOG_CLEAN : GS_LOG_TORN);
    assert_int_equal(gs_log_reader_offset(reader), s.ends[whole]);
    assert_false(gs_log_find_evidence(reader, &at));
    gs_log_reader_close(reader);
  }
  tear_down(&s);
}

static void
test_a_segment_cut_at_any_length_is_torn_with_evidence(void **state)
{
  (void)state;
  sample s = set_up(KIT_SEGMENT_BYTES);
  for (size_t size = GS_LOG_HEADER_BYTES; size < s.bytes.size; size++) {
    gs_log_reader *reader = open_bytes(&s, s.bytes.data, size);
    uint64_t seq = 1;
    uint64_t at = 0;
    assert_int_equal(kit_walk(reader, &seq), frames_before(&s, size));
    assert_int_equal(gs_log_reader_end(reader), GS_LOG_TORN);
    assert_true(gs_log_find_evidence(reader, &at));
    assert_int_equal(at, size);
    gs_log_reader_close(reader);
  }
  tear_down(&s);
}

/* Frame i was written when all before it was durable: damage to batch i is
 * proved by batch i + 1, and damage to the last by nothing. */
static void
check_damaged_byte(sample *s, size_t offset)
{
  gs_log_reader *reader = open_bytes(s, s->bytes.data, s->bytes.size);
  uint64_t seq = 1;
  uint64_t at = 0;
  int whole = frames_before(s, offset);
  assert_int_equal(kit_walk(reader, &seq), whole);
  assert_int_equal(gs_log_reader_end(reader), GS_LOG_TORN);
  assert_int_equal(gs_log_reader_offset(reader), s->ends[whole]);
  bool has_evidence = gs_log_find_evidence(reader, &at);
  assert_int_equal(has_evidence, whole + 1 < BATCHES);
  if (has_evidence) {
    assert_int_equal(at, s->ends[whole + 1]);
  }
  gs_log_reader_close(reader);
}

static void
test_two_wrong_bytes_end_the_walk_there_with_the_evidence_there_is(void **state)
{
  (void)state;
  sample s = set_up(KIT_SEGMENT_BYTES);
  for (size_t at = GS_LOG_HEADER_BYTES; at < s.ends[BATCHES] + 64; at++) {
    for (int bit = 0; bit < 8; bit++) {
      s.bytes.data[at] ^= (uint8_t)(1 << bit);
      s.bytes.data[at ^ 1] ^= 0x18;
      check_damaged_byte(&s, at);
      s.bytes.data[at] ^= (uint8_t)(1 << bit);
      s.bytes.data[at ^ 1] ^= 0x18;
    }
  }
  tear_down(&s);
}

static void
test_a_wrong_bit_of_page_or_frames_is_put_right_and_counted(void **state)
{
  (void)state;
  sample s = set_up(KIT_SEGMENT_BYTES);
  for (size_t bit = 0; bit < s.ends[BATCHES] * 8;
       bit += bit < GS_LOG_HEADER_BYTES * 8 ? 37 : 1) {
    s.bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    gs_log_reader *reader = open_bytes(&s, s.bytes.data, s.bytes.size);
    uint64_t seq = 1;
    assert_int_equal(kit_walk(reader, &seq), BATCHES);
    assert_int_equal(gs_log_reader_end(reader), GS_LOG_CLEAN);
    assert_int_equal(gs_log_reader_repaired_bits(reader), 1);
    gs_log_reader_close(reader);
    s.bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
  tear_down(&s);
}

static void
test_a_lost_sector_in_the_middle_is_torn_and_proved_by_what_follows(
    void **state)
{
  (void)state;
  sample s = set_up(KIT_SEGMENT_BYTES);
  uint64_t at = 0;
  memset(s.bytes.data + s.ends[2], 0, (size_t)(s.ends[3] - s.ends[2]));
  gs_log_reader *reader = open_bytes(&s, s.bytes.data, s.bytes.size);
  uint64_t seq = 1;
  assert_int_equal(kit_walk(reader, &seq), 2);
  assert_int_equal(gs_log_reader_end(reader), GS_LOG_TORN);
  assert_true(gs_log_find_evidence(reader, &at));
  assert_int_equal(at, s.ends[3]);
  gs_log_reader_close(reader);
  tear_down(&s);
}

static void
test_a_later_frame_that_knows_of_no_sync_is_no_evidence(void **state)
{
  (void)state;
  sample s = set_up(0);
  gs_log_writer *writer =
      kit_start(s.env, "/2.wal", GS_LOG_WAL, 2, KIT_SEGMENT_BYTES);
  uint64_t seq = 1;
  uint64_t at = 0;
  kit_append_many(writer, &seq, 1);
  KIT_OK(kit_sync(writer, &s.err), &s.err);
  size_t synced = (size_t)gs_log_written_bytes(writer);
  kit_append_many(writer, &seq, 3);
  gs_log_close(writer);
  gs_buffer bytes = kit_read_file(s.env, "/2.wal");
  bytes.data[synced] ^= 3;
  gs_log_reader *reader = open_bytes(&s, bytes.data, bytes.size);
  seq = 1;
  assert_int_equal(kit_walk(reader, &seq), 1);
  assert_int_equal(gs_log_reader_end(reader), GS_LOG_TORN);
  assert_false(gs_log_find_evidence(reader, &at));
  assert_true(gs_log_find_durable(reader, synced - 1, &at));
  gs_log_reader_close(reader);
  gs_buffer_deinit(&bytes);
  tear_down(&s);
}

static void
test_frames_of_another_log_are_not_taken(void **state)
{
  (void)state;
  sample s = set_up(KIT_SEGMENT_BYTES);
  gs_log_writer *writer =
      kit_start(s.env, "/2.wal", GS_LOG_WAL, 2, KIT_SEGMENT_BYTES);
  uint64_t seq = 1;
  kit_append_many(writer, &seq, BATCHES);
  gs_log_close(writer);
  gs_buffer other = kit_read_file(s.env, "/2.wal");
  memcpy(other.data, s.bytes.data, GS_LOG_HEADER_BYTES);
  gs_log_reader *reader = open_bytes(&s, other.data, other.size);
  seq = 1;
  assert_int_equal(kit_walk(reader, &seq), 0);
  assert_int_equal(gs_log_reader_end(reader), GS_LOG_TORN);
  gs_log_reader_close(reader);
  gs_buffer_deinit(&other);
  tear_down(&s);
}

static void
test_frames_of_another_offset_are_not_taken(void **state)
{
  (void)state;
  sample s = set_up(KIT_SEGMENT_BYTES);
  /* The second frame over the first: the link alone does not decide. */
  memmove(s.bytes.data + s.ends[0], s.bytes.data + s.ends[1],
          (size_t)(s.ends[BATCHES] - s.ends[1]));
  gs_log_reader *reader = open_bytes(&s, s.bytes.data, s.bytes.size);
  uint64_t seq = 1;
  assert_int_equal(kit_walk(reader, &seq), 0);
  assert_int_equal(gs_log_reader_end(reader), GS_LOG_TORN);
  gs_log_reader_close(reader);
  tear_down(&s);
}

static void
test_a_frame_that_belongs_to_the_other_kind_of_log_ends_the_walk(void **state)
{
  (void)state;
  sample s = set_up(KIT_SEGMENT_BYTES);
  gs_log_header header = kit_header(GS_LOG_WAL, 1);
  gs_log_identity identity = {.salt = header.salt, .number = 1};
  gs_frame_info info = {.type = GS_FRAME_EDIT, .offset = GS_LOG_HEADER_BYTES};
  gs_log_reader *reader = kit_open(s.env, path);
  gs_frame_encode(identity, gs_log_reader_header_link(reader),
                  gs_slice_str("edit"), &info,
                  s.bytes.data + GS_LOG_HEADER_BYTES);
  gs_log_reader_close(reader);
  reader = open_bytes(&s, s.bytes.data, s.bytes.size);
  uint64_t seq = 1;
  assert_int_equal(kit_walk(reader, &seq), 0);
  assert_int_equal(gs_log_reader_offset(reader), GS_LOG_HEADER_BYTES);
  gs_log_reader_close(reader);
  tear_down(&s);
}

/* ---- refusals ------------------------------------------------------------ */

static void
test_another_stores_log_is_told_apart(void **state)
{
  (void)state;
  sample s = set_up(0);
  gs_log_reader *reader = NULL;
  gs_store_id other = kit_store;
  other.bytes[15] ^= 1;
  assert_int_equal(gs_log_open(s.env, path, &other, &reader, &s.err),
                   GS_MISMATCH);
  assert_string_equal(s.err.path, path);
  assert_null(reader);
  KIT_OK(gs_log_open(s.env, path, NULL, &reader, &s.err), &s.err);
  gs_log_reader_close(reader);
  tear_down(&s);
}

static void
test_a_damaged_header_page_names_the_file(void **state)
{
  (void)state;
  sample s = set_up(0);
  gs_log_reader *reader = NULL;
  s.bytes.data[100] ^= 5;
  kit_write_file(s.sim, path, s.bytes.data, s.bytes.size);
  assert_int_equal(gs_log_open(s.env, path, NULL, &reader, &s.err), GS_CORRUPT);
  assert_string_equal(s.err.path, path);
  assert_null(reader);
  tear_down(&s);
}

static void
test_a_read_error_is_an_error_and_no_verdict(void **state)
{
  (void)state;
  static const gs_sim_op steps[] = {GS_SIM_OPEN, GS_SIM_STAT, GS_SIM_READ};
  sample s = set_up(KIT_SEGMENT_BYTES);
  gs_log_reader *reader = NULL;
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
    gs_sim_fault fault = {
        .op = steps[i], .nth = 1, .times = 1, .os_errno = EIO};
    KIT_OK(gs_sim_fail(s.sim, &fault, &s.err), &s.err);
    assert_int_equal(gs_log_open(s.env, path, NULL, &reader, NULL), GS_IO);
    assert_null(reader);
    gs_sim_heal(s.sim);
  }
  assert_int_equal(gs_log_open(s.env, "/9.wal", NULL, &reader, NULL),
                   GS_MISSING);
  tear_down(&s);
}

static void
test_short_reads_are_gone_on_with(void **state)
{
  (void)state;
  sample s = set_up(0);
  gs_sim_fault fault = {
      .op = GS_SIM_READ, .nth = 1, .effect = GS_SIM_SHORT, .amount = 7};
  KIT_OK(gs_sim_fail(s.sim, &fault, &s.err), &s.err);
  gs_log_reader *reader = kit_open(s.env, path);
  uint64_t seq = 1;
  assert_int_equal(kit_walk(reader, &seq), BATCHES);
  gs_log_reader_close(reader);
  tear_down(&s);
}

static void
test_every_failed_allocation_is_reported_and_leaks_nothing(void **state)
{
  (void)state;
  sample s = set_up(0);
  gs_status status = GS_NOMEM;
  int failures = -1;
  size_t before = gs_sim_allocated_bytes(s.sim);
  for (uint64_t nth = 1; status != GS_OK; nth++, failures++) {
    gs_log_reader *reader = NULL;
    gs_buffer text;
    gs_buffer_init(&text, s.env->alloc);
    gs_sim_fail_alloc(s.sim, nth, 1);
    status = gs_log_open(s.env, path, NULL, &reader, NULL);
    if (status == GS_OK) {
      status = gs_log_dump(reader, &text, NULL);
    }
    assert_true(status == GS_OK || status == GS_NOMEM);
    gs_buffer_deinit(&text);
    gs_log_reader_close(reader);
    assert_int_equal(gs_sim_allocated_bytes(s.sim), before);
  }
  assert_true(failures >= 4);
  tear_down(&s);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_log_comes_back_as_it_was_written),
      cmocka_unit_test(test_the_reader_ends_with_the_link_the_writer_had),
      cmocka_unit_test(
          test_a_seal_ends_the_log_only_if_nothing_stands_behind_it),
      cmocka_unit_test(test_a_segment_full_to_its_last_byte_ends_clean),
      cmocka_unit_test(
          test_a_dump_has_a_line_for_each_frame_and_one_for_the_end),
      cmocka_unit_test(
          test_a_growing_log_cut_at_any_length_gives_its_whole_frames),
      cmocka_unit_test(test_a_segment_cut_at_any_length_is_torn_with_evidence),
      cmocka_unit_test(
          test_two_wrong_bytes_end_the_walk_there_with_the_evidence_there_is),
      cmocka_unit_test(
          test_a_wrong_bit_of_page_or_frames_is_put_right_and_counted),
      cmocka_unit_test(
          test_a_lost_sector_in_the_middle_is_torn_and_proved_by_what_follows),
      cmocka_unit_test(test_a_later_frame_that_knows_of_no_sync_is_no_evidence),
      cmocka_unit_test(test_frames_of_another_log_are_not_taken),
      cmocka_unit_test(test_frames_of_another_offset_are_not_taken),
      cmocka_unit_test(
          test_a_frame_that_belongs_to_the_other_kind_of_log_ends_the_walk),
      cmocka_unit_test(test_another_stores_log_is_told_apart),
      cmocka_unit_test(test_a_damaged_header_page_names_the_file),
      cmocka_unit_test(test_a_read_error_is_an_error_and_no_verdict),
      cmocka_unit_test(test_short_reads_are_gone_on_with),
      cmocka_unit_test(
          test_every_failed_allocation_is_reported_and_leaks_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
