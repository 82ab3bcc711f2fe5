/*
 * Tests of the text of edits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tree/edit_everything.h"
#include "tree/state_text.h"

static const char everything_dumped[] =
    "add run 5 L1 top\n"
    "add run 6 L0 above 5\n"
    "add run 7 L2 bottom\n"
    "level of run 5 is L2\n"
    "add to run 5 12[a..f]#10-20\n"
    "remove from run 9 11\n"
    "add segment 3 of 4096 salt 21\n"
    "remove segment 2\n"
    "note at 9 a\\x20b\n"
    "facts store 0102030405060708090a0b0c0d0e0f10 kind 1 salt 000000000000004d "
    "incarnation 1 flushed 8 last 0 next 30 clock 0 safe 0\n";

static void
expect_dump(gs_alloc *alloc, gs_slice encoding, const char *text)
{
  gs_buffer out;
  gs_buffer_init(&out, alloc);
  assert_int_equal(gs_edit_dump(encoding, &out, NULL), GS_OK);
  gs_buffer_append(&out, "", 1);
  assert_string_equal((const char *)out.data, text);
  gs_buffer_deinit(&out);
}

static void
test_an_edit_is_read_back_as_it_was_built(void **state)
{
  (void)state;
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_edit *edit = state_text_edit(&alloc.base, edit_everything);
  expect_dump(&alloc.base, gs_edit_encoding(edit), everything_dumped);
  gs_edit_free(edit);
  assert_int_equal(alloc.live_bytes, 0);
}

static void
test_a_record_of_a_later_library_is_named_by_its_number(void **state)
{
  (void)state;
  test_alloc alloc;
  test_alloc_init(&alloc);
  static const uint8_t later[] = {0x01, 0x80, 3, 0, 0, 0, 'a', 'b', 'c'};
  expect_dump(&alloc.base, gs_slice_of(later, sizeof later),
              "record 0x8001 of 3 bytes\n");
  assert_int_equal(alloc.live_bytes, 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_an_edit_is_read_back_as_it_was_built),
      cmocka_unit_test(test_a_record_of_a_later_library_is_named_by_its_number),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
