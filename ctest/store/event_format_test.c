/*
 * Events as bytes: one encoding each, and no other is read.
 */
#include "journal_kit.h"

#include "code/fixed.h"

static gs_buffer
encoded(const gs_event *event)
{
  gs_buffer out;
  gs_buffer_init(&out, sim_machine_env->alloc);
  gs_event_encode(event, &out);
  assert_false(out.failed);
  return out;
}

static gs_buffer
encoded_full(void)
{
  journal_lists lists;
  journal_make_lists(&lists, sim_machine_env->alloc);
  gs_event event = journal_full_event(&lists);
  gs_buffer out = encoded(&event);
  journal_free_lists(&lists);
  return out;
}

/* A stall is short enough to be written down. */
static void
test_the_bytes_of_an_event_are_those_of_the_format(void **state)
{
  (void)state;
  static const uint8_t expected[] = {
      9,   0, 0, 0, 0,  0, 0, 0,                     /* number */
      1,   2, 0, 0, 0,  0, 0, 0,                     /* time */
      1,   0, 0, 0, 0,  0, 0, 0,                     /* count */
      5,   0, 0, 0, 0,  0, 0, 0,                     /* took */
      5,   0, 0, 0, 0,  0, 0, 0,                     /* longest */
      0,   0, 0, 0, 0,  0, 0, 0,                     /* job */
      5,   0, 0, 0, 0,  0, 0, 0,                     /* kind */
      1,   0, 0, 0, 4,  0, 0, 0, 'r', 'u', 'n', 's', /* why */
      10,  0, 0, 0, 32, 0, 0, 0,                     /* runs */
      3,   0, 0, 0, 0,  0, 0, 0, 1,   0,   0,   0,   2, 0, 0, 0,
      100, 0, 0, 0, 0,  0, 0, 0, 7,   0,   0,   0,   0, 0, 0, 0};
  gs_buffer runs;
  gs_buffer_init(&runs, sim_machine_env->alloc);
  gs_event_add_run(&runs, &(gs_event_run){3, 1, 2, 100, 7});
  gs_event event = {
      .number = 9,
      .time_ms = 0x201,
      .count = 1,
      .took_us = 5,
      .longest_us = 5,
      .kind = GS_EVENT_STALL,
      .why = gs_slice_str("runs"),
      .runs = gs_buffer_slice(&runs),
  };
  gs_buffer out = encoded(&event);
  assert_int_equal(out.size, sizeof expected);
  assert_memory_equal(out.data, expected, sizeof expected);
  gs_buffer_deinit(&out);
  gs_buffer_deinit(&runs);
}

static void
test_what_was_encoded_is_decoded_with_every_field(void **state)
{
  (void)state;
  gs_event event;
  gs_buffer bytes = encoded_full();
  KIT_OK(gs_event_decode(gs_buffer_slice(&bytes), &event, &kit_err));
  journal_expect(event.why, "too many runs");
  journal_expect(event.code, "io");
  assert_int_equal(event.level, -1);
  assert_int_equal(event.run_id, 31);
  assert_int_equal(event.output_count, 3);
  assert_int_equal(event.dropped_expired, 3);
  assert_int_equal(event.recovered_bits, 6);
  gs_buffer again = encoded(&event);
  assert_int_equal(again.size, bytes.size);
  assert_memory_equal(again.data, bytes.data, bytes.size);
  gs_buffer_deinit(&again);
  gs_buffer_deinit(&bytes);
}

static void
test_no_part_of_an_event_is_an_event_but_for_whole_fields(void **state)
{
  (void)state;
  gs_buffer bytes = encoded_full();
  size_t whole = 0;
  for (size_t size = 0; size < bytes.size; size++) {
    gs_event event;
    gs_slice part = gs_slice_of(bytes.data, size);
    if (gs_event_decode(part, &event, NULL) == GS_OK) {
      gs_buffer again = encoded(&event);
      assert_int_equal(again.size, size);
      gs_buffer_deinit(&again);
      whole++;
    }
  }
  assert_int_equal(whole, 10); /* the head, and behind each field but one */
  gs_buffer_deinit(&bytes);
}

static void
expect_refused(gs_event event, size_t at, uint8_t byte, gs_status expected)
{
  gs_buffer bytes = encoded(&event);
  bytes.data[at] = byte;
  gs_status status = gs_event_decode(gs_buffer_slice(&bytes), &event, &kit_err);
  assert_int_equal(status, expected);
  assert_true(kit_err.message[0] != '\0');
  gs_buffer_deinit(&bytes);
}

static void
test_what_encode_does_not_write_is_refused(void **state)
{
  (void)state;
  gs_event event = {.number = 1, .count = 1, .kind = GS_EVENT_OPEN};
  expect_refused(event, 48, 11, GS_VERSION); /* a kind that may come */
  expect_refused(event, 52, 1, GS_VERSION);
  expect_refused(event, 48, 0, GS_CORRUPT);
  expect_refused(event, 16, 0, GS_CORRUPT); /* a count of none */
  event.why = gs_slice_str("because");
  expect_refused(event, 56, 11, GS_VERSION); /* a field that may come */
  expect_refused(event, 56, 0, GS_CORRUPT);
  expect_refused(event, 58, 1, GS_CORRUPT);
  expect_refused(event, 60, 0, GS_CORRUPT); /* an empty one */
  expect_refused(event, 60, 6, GS_CORRUPT); /* a short one */
  expect_refused(event, 60, 8, GS_CORRUPT); /* one that is too long */
  expect_refused(event, 56, 5, GS_CORRUPT); /* seven bytes of numbers */
  event.why = gs_slice_str("");
  event.read_bytes = 1;
  expect_refused(event, 64, 0, GS_CORRUPT); /* nothing but zeros */
}

static void
test_equal_events_are_counted_and_others_are_not(void **state)
{
  (void)state;
  gs_event event = {.number = 1,
                    .count = 1,
                    .kind = GS_EVENT_STALL,
                    .took_us = 10,
                    .longest_us = 10,
                    .why = gs_slice_str("runs")};
  gs_buffer first = encoded(&event);
  event.number = 2;
  event.took_us = 30;
  event.longest_us = 30;
  gs_buffer equal = encoded(&event);
  event.why = gs_slice_str("disk");
  gs_buffer other = encoded(&event);
  assert_false(gs_event_fold(first.data, first.size, other.data, other.size));
  assert_true(gs_event_fold(first.data, first.size, equal.data, equal.size));
  KIT_OK(gs_event_decode(gs_buffer_slice(&first), &event, &kit_err));
  assert_int_equal(event.number, 1);
  assert_int_equal(event.count, 2);
  assert_int_equal(event.took_us, 40);
  assert_int_equal(event.longest_us, 30);
  gs_event_set_number(first.data, 77);
  assert_int_equal(gs_event_get_number(first.data), 77);
  gs_buffer_deinit(&first);
  gs_buffer_deinit(&equal);
  gs_buffer_deinit(&other);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_the_bytes_of_an_event_are_those_of_the_format),
      KIT_TEST(test_what_was_encoded_is_decoded_with_every_field),
      KIT_TEST(test_no_part_of_an_event_is_an_event_but_for_whole_fields),
      KIT_TEST(test_what_encode_does_not_write_is_refused),
      KIT_TEST(test_equal_events_are_counted_and_others_are_not),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
