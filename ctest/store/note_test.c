/*
 * Notes: the newest counts, and what it falls back to when its write is given
 * up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/note.h"
#include "support/test_alloc.h"

/* A note whose frame has the number of its place. */
static gs_status
try_set(gs_note *note, gs_slice text, uint64_t seq, uint64_t durable)
{
  return gs_note_set(note, &(gs_note_text){text, seq, seq, 0}, durable, NULL);
}

static void
set(gs_note *note, const char *text, uint64_t seq, uint64_t durable)
{
  assert_int_equal(try_set(note, gs_slice_str(text), seq, durable), GS_OK);
}

static void
expect(const gs_note *note, const char *text, uint64_t seq)
{
  assert_true(gs_slice_equal(gs_buffer_slice(&note->text), gs_slice_str(text)));
  assert_int_equal(note->seq, seq);
}

static void
expect_read(const gs_note *note, uint64_t durable, const char *text,
            uint64_t seq)
{
  gs_note_text read = gs_note_read(note, durable);
  assert_true(gs_slice_equal(read.text, gs_slice_str(text)));
  assert_int_equal(read.seq, seq);
}

/* The frames of two notes alone behind place 3 are 5 and 6. */
static void
test_a_note_is_read_once_its_frame_is_on_the_device(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_note note;
  test_alloc_init(&alloc);
  gs_note_init(&note, &alloc.base);
  set(&note, "one", 1, 0);
  set(&note, "three", 3, 0);
  for (uint64_t frame = 5; frame <= 6; frame++) {
    gs_note_text alone = {gs_slice_str(frame == 5 ? "five" : "six"), 3, frame,
                          0};
    assert_int_equal(gs_note_set(&note, &alone, 0, NULL), GS_OK);
  }
  expect_read(&note, 0, "", 0);
  expect_read(&note, 2, "one", 1);
  expect_read(&note, 4, "three", 3);
  expect_read(&note, 5, "five", 3);
  expect_read(&note, 6, "six", 3);
  gs_note_text at_once = {gs_slice_str("waits for nothing"), 3, 0, 0};
  assert_int_equal(gs_note_set(&note, &at_once, 0, NULL), GS_OK);
  expect_read(&note, 0, "waits for nothing", 3);
  gs_note_deinit(&note);
  assert_int_equal(alloc.live_bytes, 0);
}

static void
test_a_note_falls_back_to_the_newest_that_was_visible(void **state)
{
  (void)state;
  for (uint64_t visible = 0; visible <= 6; visible++) {
    test_alloc alloc;
    gs_note note;
    test_alloc_init(&alloc);
    gs_note_init(&note, &alloc.base);
    set(&note, "one", 1, 0);
    set(&note, "", 3, 0);
    set(&note, "five", 5, 0);
    expect(&note, "five", 5);
    assert_int_equal(gs_note_revert(&note, visible, NULL), GS_OK);
    if (visible == 0) {
      assert_false(gs_note_is_present(&note));
    } else {
      expect(&note,
             visible < 3   ? "one"
             : visible < 5 ? ""
                           : "five",
             visible < 3   ? 1
             : visible < 5 ? 3
                           : 5);
    }
    gs_note_deinit(&note);
    assert_int_equal(alloc.live_bytes, 0);
  }
}

/* Always so many of the newest are still on their way. */
static void
test_the_line_holds_what_may_still_count_and_no_more(void **state)
{
  (void)state;
  static const char text[] = "a text of some length";
  for (uint64_t pending = 1; pending < 5; pending++) {
    test_alloc alloc;
    gs_note note;
    test_alloc_init(&alloc);
    gs_note_init(&note, &alloc.base);
    for (uint64_t seq = 10; seq < 1000; seq++) {
      set(&note, text, seq, seq - pending);
      assert_true(note.line.size <= (pending + 1) * (sizeof text + 32));
    }
    expect_read(&note, 999 - pending, text, 999 - pending);
    assert_int_equal(gs_note_revert(&note, 999 - pending, NULL), GS_OK);
    assert_int_equal(note.seq, 999 - pending);
    gs_note_deinit(&note);
    assert_int_equal(alloc.live_bytes, 0);
  }
}

static void
test_a_note_without_memory_is_an_error(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_note note;
  test_alloc_init(&alloc);
  gs_note_init(&note, &alloc.base);
  assert_false(gs_note_is_present(&note));
  alloc.allocations_left = 1;
  assert_int_equal(try_set(&note, gs_slice_str("text"), 1, 0), GS_NOMEM);
  gs_note_deinit(&note);
  assert_int_equal(alloc.live_bytes, 0);
}

static void
test_a_note_without_memory_leaves_the_one_before(void **state)
{
  (void)state;
  char longer[200]; /* than the line has room for */
  memset(longer, 'y', sizeof longer - 1);
  longer[sizeof longer - 1] = '\0';
  for (uint64_t left = 0; left < 2; left++) {
    test_alloc alloc;
    gs_note note;
    test_alloc_init(&alloc);
    gs_note_init(&note, &alloc.base);
    set(&note, "a text that is longer than its head", 1, 0);
    set(&note, longer, 2, 1);
    alloc.allocations_left = left;
    static const char text[400] = {'x'};
    assert_int_equal(try_set(&note, gs_slice_of(text, sizeof text), 3, 1),
                     GS_NOMEM);
    expect(&note, longer, 2);
    assert_int_equal(gs_note_revert(&note, 1, NULL), GS_OK);
    expect(&note, "a text that is longer than its head", 1);
    gs_note_deinit(&note);
    assert_int_equal(alloc.live_bytes, 0);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_note_is_read_once_its_frame_is_on_the_device),
      cmocka_unit_test(test_a_note_falls_back_to_the_newest_that_was_visible),
      cmocka_unit_test(test_the_line_holds_what_may_still_count_and_no_more),
      cmocka_unit_test(test_a_note_without_memory_is_an_error),
      cmocka_unit_test(test_a_note_without_memory_leaves_the_one_before),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
