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

static void
set(gs_note *note, const char *text, uint64_t seq, uint64_t visible_seq)
{
  assert_int_equal(
      gs_note_set(note, gs_slice_str(text), seq, visible_seq, NULL), GS_OK);
}

static void
expect(const gs_note *note, const char *text, uint64_t seq)
{
  assert_true(gs_slice_equal(gs_buffer_slice(&note->text), gs_slice_str(text)));
  assert_int_equal(note->seq, seq);
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

static void
test_the_line_is_let_go_when_its_end_is_visible(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_note note;
  test_alloc_init(&alloc);
  gs_note_init(&note, &alloc.base);
  for (uint64_t seq = 1; seq < 1000; seq++) {
    set(&note, "a text of some length", seq, seq - 1);
    assert_true(note.line.size < 100);
  }
  assert_int_equal(gs_note_revert(&note, 998, NULL), GS_OK);
  assert_int_equal(note.seq, 998);
  gs_note_deinit(&note);
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
  assert_int_equal(gs_note_set(&note, gs_slice_str("text"), 1, 0, NULL),
                   GS_NOMEM);
  gs_note_deinit(&note);
  assert_int_equal(alloc.live_bytes, 0);
}

static void
test_a_note_without_memory_leaves_the_one_before(void **state)
{
  (void)state;
  for (uint64_t left = 0; left < 2; left++) {
    test_alloc alloc;
    gs_note note;
    test_alloc_init(&alloc);
    gs_note_init(&note, &alloc.base);
    set(&note, "a text that is longer than its head", 1, 0);
    set(&note, "two", 2, 1);
    alloc.allocations_left = left;
    static const char text[400] = {'x'};
    assert_int_equal(
        gs_note_set(&note, gs_slice_of(text, sizeof text), 3, 1, NULL),
        GS_NOMEM);
    expect(&note, "two", 2);
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
      cmocka_unit_test(test_a_note_falls_back_to_the_newest_that_was_visible),
      cmocka_unit_test(test_the_line_is_let_go_when_its_end_is_visible),
      cmocka_unit_test(test_a_note_without_memory_is_an_error),
      cmocka_unit_test(test_a_note_without_memory_leaves_the_one_before),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
