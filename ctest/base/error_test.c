/*
 * Tests of error values: what a birth fills and clears, that texts are cut and
 * never overrun, and that no call needs a value to write to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

enum { LONG_BYTES = 2000 };

static char long_text[LONG_BYTES + 1];

static int
set_up(void **state)
{
  (void)state;
  memset(long_text, 'x', LONG_BYTES);
  return 0;
}

static void
test_a_birth_fills_status_message_and_place(void **state)
{
  (void)state;
  gs_error err;
  memset(&err, 0xff, sizeof err);
  int line = __LINE__ + 1;
  gs_status status = GS_FAIL(&err, GS_CORRUPT, "block %d of %s", 7, "t.run");
  assert_int_equal(status, GS_CORRUPT);
  assert_int_equal(err.status, GS_CORRUPT);
  assert_string_equal(err.message, "block 7 of t.run");
  assert_int_equal(err.line, line);
  assert_string_equal(err.file, __FILE__);
}

static void
test_a_birth_clears_what_was_added_before(void **state)
{
  (void)state;
  gs_error err;
  gs_status status = GS_FAIL(&err, GS_IO, "first");
  status = gs_error_at(&err, status, "a/path");
  status = gs_error_offset(&err, status, 99);
  status = gs_error_hint(&err, status, "try again");
  status = gs_error_errno(&err, status, 5);
  assert_false(err.is_doubtful);
  status = gs_error_doubtful(&err, status);
  assert_true(err.is_doubtful);
  assert_int_equal(status, GS_IO);
  assert_int_equal(GS_FAIL(&err, GS_BUSY, "second"), GS_BUSY);
  assert_string_equal(err.path, "");
  assert_string_equal(err.hint, "");
  assert_int_equal(err.offset, 0);
  assert_false(err.has_offset);
  assert_int_equal(err.os_errno, 0);
}

static void
test_additions_are_kept(void **state)
{
  (void)state;
  gs_error err;
  gs_status status = GS_FAIL(&err, GS_IO, "first");
  status = gs_error_at(&err, status, "a/path");
  status = gs_error_offset(&err, status, 99);
  status = gs_error_hint(&err, status, "try again");
  status = gs_error_errno(&err, status, 5);
  assert_int_equal(status, GS_IO);
  assert_string_equal(err.path, "a/path");
  assert_string_equal(err.hint, "try again");
  assert_int_equal(err.offset, 99);
  assert_true(err.has_offset);
  assert_int_equal(err.os_errno, 5);
  assert_string_equal(err.message, "first");
}

static void
test_text_that_does_not_fit_is_cut(void **state)
{
  (void)state;
  gs_error err;
  gs_status status = GS_FAIL(&err, GS_IO, "%s", long_text);
  status = gs_error_at(&err, status, long_text);
  status = gs_error_hint(&err, status, long_text);
  assert_int_equal(status, GS_IO);
  assert_int_equal(strlen(err.message), GS_ERROR_MESSAGE_BYTES - 1);
  assert_int_equal(strlen(err.path), GS_ERROR_PATH_BYTES - 1);
  assert_int_equal(strlen(err.hint), GS_ERROR_HINT_BYTES - 1);
}

static void
test_text_that_just_fits_is_whole(void **state)
{
  (void)state;
  gs_error err;
  char path[GS_ERROR_PATH_BYTES];
  memset(path, 'p', sizeof path);
  path[sizeof path - 1] = '\0';
  gs_status status = gs_error_at(&err, GS_FAIL(&err, GS_IO, "m"), path);
  assert_int_equal(status, GS_IO);
  assert_string_equal(err.path, path);
}

static void
test_one_byte_too_many_does_not_reach_the_next_text(void **state)
{
  (void)state;
  gs_error err;
  char path[GS_ERROR_PATH_BYTES + 1];
  memset(path, 'p', sizeof path);
  path[sizeof path - 1] = '\0';
  gs_status status = GS_FAIL(&err, GS_IO, "m");
  status = gs_error_hint(&err, status, "hint");
  status = gs_error_at(&err, status, path);
  assert_int_equal(status, GS_IO);
  assert_int_equal(strlen(err.path), GS_ERROR_PATH_BYTES - 1);
  assert_string_equal(err.hint, "hint");
}

static void
test_nobody_has_to_listen(void **state)
{
  (void)state;
  gs_status status = GS_FAIL(NULL, GS_FULL, "%s", long_text);
  status = gs_error_at(NULL, status, "path");
  status = gs_error_offset(NULL, status, 1);
  status = gs_error_hint(NULL, status, "hint");
  status = gs_error_errno(NULL, status, 28);
  assert_int_equal(status, GS_FULL);
}

static void
test_out_of_memory_has_its_own_status(void **state)
{
  (void)state;
  gs_error err;
  assert_int_equal(GS_FAIL_NOMEM(&err), GS_NOMEM);
  assert_string_equal(err.message, "out of memory");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_birth_fills_status_message_and_place),
      cmocka_unit_test(test_a_birth_clears_what_was_added_before),
      cmocka_unit_test(test_additions_are_kept),
      cmocka_unit_test(test_text_that_does_not_fit_is_cut),
      cmocka_unit_test(test_text_that_just_fits_is_whole),
      cmocka_unit_test(test_one_byte_too_many_does_not_reach_the_next_text),
      cmocka_unit_test(test_nobody_has_to_listen),
      cmocka_unit_test(test_out_of_memory_has_its_own_status),
  };
  return cmocka_run_group_tests(tests, set_up, NULL);
}
