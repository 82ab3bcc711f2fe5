/*
 * Tests of what errno values turn into: status, message and next step.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "env/os_error.h"

static void
test_statuses_follow_the_promise_of_the_environment(void **state)
{
  (void)state;
  static const struct pair {
    int os_errno;
    gs_status status;
  } pairs[] = {
      {ENOSPC, GS_FULL},         {EDQUOT, GS_FULL},    {EMFILE, GS_LIMIT},
      {ENFILE, GS_LIMIT},        {EROFS, GS_READONLY}, {ENOENT, GS_MISSING},
      {EEXIST, GS_EXISTS},       {ENOMEM, GS_NOMEM},   {EIO, GS_IO},
      {EACCES, GS_IO},           {EINVAL, GS_IO},      {12345, GS_IO},
      {ENOTSUP, GS_UNSUPPORTED},
  };
  for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
    assert_int_equal(gs_os_error_status(pairs[i].os_errno), pairs[i].status);
  }
}

static void
test_an_error_names_act_place_reason_and_next_step(void **state)
{
  (void)state;
  gs_error err;
  assert_int_equal(gs_os_error_fail(&err, EMFILE, "open", "db/1.wal"),
                   GS_LIMIT);
  assert_int_equal(err.status, GS_LIMIT);
  assert_string_equal(err.message,
                      "cannot open 'db/1.wal': Too many open files");
  assert_string_equal(err.path, "db/1.wal");
  assert_non_null(strstr(err.hint, "ulimit -n"));
  assert_int_equal(err.os_errno, EMFILE);
  assert_false(err.has_offset);
}

static void
test_what_people_can_mend_comes_with_a_hint(void **state)
{
  (void)state;
  static const int mendable[] = {ENOSPC, EDQUOT, EMFILE, ENFILE, EROFS,
                                 ENOENT, EACCES, EPERM,  EIO,    ENOTDIR};
  for (size_t i = 0; i < sizeof mendable / sizeof mendable[0]; i++) {
    const char *hint = gs_os_error_hint(mendable[i]);
    assert_in_range(strlen(hint), 1, GS_ERROR_HINT_BYTES - 1);
  }
  assert_string_equal(gs_os_error_hint(12345), "");
}

static void
test_no_listener_is_needed(void **state)
{
  (void)state;
  assert_int_equal(gs_os_error_fail(NULL, EROFS, "open", "db"), GS_READONLY);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_statuses_follow_the_promise_of_the_environment),
      cmocka_unit_test(test_an_error_names_act_place_reason_and_next_step),
      cmocka_unit_test(test_what_people_can_mend_comes_with_a_hint),
      cmocka_unit_test(test_no_listener_is_needed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
