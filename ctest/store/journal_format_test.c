/*
 * Files of a journal as bytes: every byte counts, at its place.
 */
#include "journal_kit.h"

#include "store/journal_format.h"

static const gs_journal_header sample_header = {.store_kind = 2,
                                                .number = 3,
                                                .salt = 0x1122334455667788,
                                                .first_event = 41};

/* A file of two events. */
static gs_buffer
sample_file(void)
{
  gs_buffer file;
  gs_buffer event_bytes;
  gs_buffer_init(&file, sim_machine_env->alloc);
  gs_buffer_init(&event_bytes, sim_machine_env->alloc);
  gs_buffer_append_zeros(&file, GS_JOURNAL_HEADER_BYTES);
  gs_journal_header_encode(&sample_header, file.data);
  for (uint64_t number = 41; number < 43; number++) {
    gs_event event = {.number = number,
                      .count = 1,
                      .kind = GS_EVENT_STALL,
                      .why = gs_slice_str("runs")};
    size_t at = file.size;
    gs_buffer_clear(&event_bytes);
    gs_event_encode(&event, &event_bytes);
    gs_journal_add_frame(&file, gs_buffer_slice(&event_bytes));
    assert_int_equal(gs_journal_sum_frame(file.data + at, &sample_header, at),
                     file.size - at);
  }
  gs_buffer_deinit(&event_bytes);
  return file;
}

static size_t
count_frames(gs_slice file)
{
  gs_journal_header header;
  gs_slice event;
  size_t at = GS_JOURNAL_HEADER_BYTES;
  size_t count = 0;
  if (!gs_journal_header_decode(file, &header)) {
    return 0;
  }
  while (gs_journal_next_frame(file, &header, &at, &event)) {
    assert_int_equal(gs_event_get_number(event.data), 41 + count);
    count++;
  }
  return count;
}

static void
test_the_bytes_of_a_file_are_those_of_the_format(void **state)
{
  (void)state;
  static const uint8_t header[] = {
      'G',  'r',  'a',  'i',  'n',  'J',  'o',  'u',  /* magic */
      0xbb, 0xf1, 0xd2, 0x4e, 0x22, 0xc6, 0xde, 0xe2, /* checksum */
      1,    0,    0,    0,    2,    0,    0,    0,    /* format, kind */
      3,    0,    0,    0,    0,    0,    0,    0,    /* number */
      0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, /* salt */
      41,   0,    0,    0,    0,    0,    0,    0};   /* first event */
  static const uint8_t frame[] = {
      0x77, 0x75, 0xfe, 0x6c, 0x59, 0x0b, 0x90, 0xa5, /* checksum */
      68,   0,    0,    0,    0,    0,    0,    0,    /* size */
      41,   0,    0,    0,    0,    0,    0,    0,    /* the event */
      0,    0,    0,    0,    0,    0,    0,    0};
  gs_buffer file = sample_file();
  assert_int_equal(file.size, 48 + 2 * 88);
  assert_memory_equal(file.data, header, sizeof header);
  assert_memory_equal(file.data + sizeof header, frame, sizeof frame);
  gs_buffer_deinit(&file);
}

static void
test_a_file_is_read_to_its_end(void **state)
{
  (void)state;
  gs_buffer file = sample_file();
  gs_journal_header header;
  assert_true(gs_journal_header_decode(gs_buffer_slice(&file), &header));
  assert_int_equal(header.number, 3);
  assert_int_equal(header.store_kind, 2);
  assert_int_equal(header.salt, sample_header.salt);
  assert_int_equal(header.first_event, 41);
  assert_int_equal(count_frames(gs_buffer_slice(&file)), 2);
  gs_buffer_deinit(&file);
}

static void
test_every_byte_that_is_changed_ends_the_file_there(void **state)
{
  (void)state;
  gs_buffer file = sample_file();
  for (size_t at = 0; at < file.size; at++) {
    size_t before = at < 48 ? 0 : (at - 48) / 88;
    for (int bit = 0; bit < 8; bit++) {
      file.data[at] ^= (uint8_t)(1 << bit);
      assert_int_equal(count_frames(gs_buffer_slice(&file)), before);
      file.data[at] ^= (uint8_t)(1 << bit);
    }
  }
  for (size_t size = 0; size < file.size; size++) {
    assert_int_equal(count_frames(gs_slice_of(file.data, size)),
                     size < 48 ? 0 : (size - 48) / 88);
  }
  gs_buffer_deinit(&file);
}

static void
test_a_frame_is_valid_in_no_other_place_and_file(void **state)
{
  (void)state;
  gs_buffer file = sample_file();
  gs_journal_header header = sample_header;
  gs_slice event;
  uint8_t other[48 + 88];
  size_t at = 48;
  memcpy(other, file.data, 48);
  memcpy(other + 48, file.data + 48 + 88, 88);
  assert_false(gs_journal_next_frame(gs_slice_of(other, sizeof other), &header,
                                     &at, &event));
  header.number = 4;
  assert_false(
      gs_journal_next_frame(gs_buffer_slice(&file), &header, &at, &event));
  header = sample_header;
  header.salt++;
  assert_false(
      gs_journal_next_frame(gs_buffer_slice(&file), &header, &at, &event));
  assert_int_equal(at, 48);
  gs_buffer_deinit(&file);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_the_bytes_of_a_file_are_those_of_the_format),
      KIT_TEST(test_a_file_is_read_to_its_end),
      KIT_TEST(test_every_byte_that_is_changed_ends_the_file_there),
      KIT_TEST(test_a_frame_is_valid_in_no_other_place_and_file),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
