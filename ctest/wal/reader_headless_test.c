/*
 * Tests of reading logs whose header page is bad: what their frames still
 * say.
 */
#include "sample_log.h"

#include "wal/frame.h"

static void
test_a_log_without_a_header_page_still_bears_witness(void **state)
{
  (void)state;
  sample s = set_up(KIT_SEGMENT_BYTES);
  for (size_t bit = 0; bit < 112 * 8; bit++) {
    uint64_t at = 0;
    gs_log_reader *reader = NULL;
    s.bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    kit_write_file(s.sim, path, s.bytes.data, s.bytes.size);
    KIT_OK(gs_log_open_headless(s.env, path, 1, &reader, &s.err), &s.err);
    gs_frame_info info;
    gs_slice payload;
    assert_null(gs_log_reader_header(reader));
    assert_false(gs_log_next(reader, &info, &payload));
    assert_int_equal(gs_log_reader_end(reader), GS_LOG_TORN);
    assert_int_equal(gs_log_reader_offset(reader), 0);
    assert_in_range(gs_log_reader_used_bytes(reader),
                    s.ends[BATCHES] - GS_FRAME_ALIGN + 1, s.ends[BATCHES]);
    assert_true(gs_log_find_evidence(reader, &at));
    assert_int_equal(at, s.ends[0]);
    gs_log_reader_close(reader);
    s.bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
  tear_down(&s);
}

static void
test_a_listed_log_gives_its_frames_whatever_became_of_its_page(void **state)
{
  (void)state;
  static const uint8_t fills[] = {0, 0x77};
  sample s = set_up(KIT_SEGMENT_BYTES);
  gs_log_identity identity = {.salt = KIT_SALT + 1, .number = 1};
  for (size_t i = 0; i < sizeof fills; i++) {
    gs_log_reader *reader = NULL;
    uint64_t seq = 1;
    memset(s.bytes.data, fills[i], GS_LOG_HEADER_BYTES);
    kit_write_file(s.sim, path, s.bytes.data, s.bytes.size);
    KIT_OK(
        gs_log_open_listed(s.env, path, &kit_store, &identity, &reader, &s.err),
        &s.err);
    assert_null(gs_log_reader_header(reader));
    assert_int_equal(kit_walk(reader, &seq), BATCHES);
    assert_int_equal(gs_log_reader_end(reader), GS_LOG_CLEAN);
    gs_log_reader_close(reader);
  }
  tear_down(&s);
}

static void
test_a_sound_page_with_another_salt_or_number_is_another_log(void **state)
{
  (void)state;
  sample s = set_up(KIT_SEGMENT_BYTES);
  for (uint64_t wrong = 0; wrong < 3; wrong++) {
    gs_log_identity identity = {.salt = KIT_SALT + 1 + (wrong == 1),
                                .number = 1 + (wrong == 2)};
    gs_log_reader *reader = NULL;
    assert_int_equal(
        gs_log_open_listed(s.env, path, &kit_store, &identity, &reader, &s.err),
        wrong == 0 ? GS_OK : GS_CORRUPT);
    gs_log_reader_close(reader);
  }
  tear_down(&s);
}

static void
test_a_log_of_zeros_ends_clean_at_its_beginning(void **state)
{
  (void)state;
  sample s = set_up(0);
  static const uint8_t zeros[KIT_SEGMENT_BYTES];
  static const size_t sizes[] = {0, 1, 7, 8, 9, 4095, 4096, sizeof zeros};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    uint64_t at = 0;
    gs_log_reader *reader = NULL;
    kit_write_file(s.sim, path, zeros, sizes[i]);
    KIT_OK(gs_log_open_headless(s.env, path, 1, &reader, &s.err), &s.err);
    assert_int_equal(gs_log_reader_end(reader), GS_LOG_CLEAN);
    assert_int_equal(gs_log_reader_used_bytes(reader), 0);
    assert_int_equal(gs_log_reader_file_bytes(reader), sizes[i]);
    assert_false(gs_log_find_evidence(reader, &at));
    gs_log_reader_close(reader);
  }
  tear_down(&s);
}

static void
test_the_last_byte_that_is_not_zero_is_found_wherever_it_is(void **state)
{
  (void)state;
  sample s = set_up(0);
  uint8_t bytes[70] = {0};
  for (size_t size = 1; size <= sizeof bytes; size++) {
    for (size_t at = 0; at < size; at++) {
      gs_log_reader *reader = NULL;
      bytes[at] = 0x80;
      kit_write_file(s.sim, path, bytes, size);
      KIT_OK(gs_log_open_headless(s.env, path, 1, &reader, &s.err), &s.err);
      assert_int_equal(gs_log_reader_used_bytes(reader), at + 1);
      gs_log_reader_close(reader);
      bytes[at] = 0;
    }
  }
  tear_down(&s);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_log_without_a_header_page_still_bears_witness),
      cmocka_unit_test(
          test_a_listed_log_gives_its_frames_whatever_became_of_its_page),
      cmocka_unit_test(
          test_a_sound_page_with_another_salt_or_number_is_another_log),
      cmocka_unit_test(test_a_log_of_zeros_ends_clean_at_its_beginning),
      cmocka_unit_test(
          test_the_last_byte_that_is_not_zero_is_found_wherever_it_is),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
