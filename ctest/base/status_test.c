/*
 * Tests of the status list: numbers and strings are an interface, so they are
 * written down here a second time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/status.h"

static const struct row {
  int number;
  const char *code;
} rows[] = {
    {0, "ok"},      {1, "absent"},       {2, "missing"},  {3, "exists"},
    {4, "kind"},    {5, "version"},      {6, "mismatch"}, {7, "locked"},
    {8, "forked"},  {9, "readonly"},     {10, "busy"},    {11, "full"},
    {12, "limit"},  {13, "toolarge"},    {14, "corrupt"}, {15, "io"},
    {16, "policy"}, {17, "unsupported"}, {18, "gap"},     {19, "conflict"},
    {20, "memory"}, {21, "closed"},      {22, "misuse"},  {23, "refused"},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

#define COUNT_ONE(name, number, code, text) +1
enum { LISTED = 0 GS_STATUS_LIST(COUNT_ONE) };

static void
test_codes_and_numbers_never_change(void **state)
{
  (void)state;
  for (size_t i = 0; i < ROWS; i++) {
    assert_string_equal(gs_status_code((gs_status)rows[i].number),
                        rows[i].code);
  }
}

static void
test_every_status_is_known_to_this_test(void **state)
{
  (void)state;
  assert_int_equal(LISTED, ROWS);
}

static void
test_texts_are_sentences_without_a_full_stop(void **state)
{
  (void)state;
  for (size_t i = 0; i < ROWS; i++) {
    const char *text = gs_status_text((gs_status)rows[i].number);
    assert_true(strlen(text) > 0);
    assert_true(text[strlen(text) - 1] != '.');
    assert_true(text[0] >= 'a' && text[0] <= 'z');
  }
}

static void
test_texts_differ(void **state)
{
  (void)state;
  for (size_t i = 0; i < ROWS; i++) {
    for (size_t j = i + 1; j < ROWS; j++) {
      assert_string_not_equal(gs_status_text((gs_status)rows[i].number),
                              gs_status_text((gs_status)rows[j].number));
    }
  }
}

static void
test_another_number_is_unknown(void **state)
{
  (void)state;
  assert_string_equal(gs_status_code((gs_status)ROWS), "unknown");
  assert_string_equal(gs_status_text((gs_status)ROWS), "unknown status");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_codes_and_numbers_never_change),
      cmocka_unit_test(test_every_status_is_known_to_this_test),
      cmocka_unit_test(test_texts_are_sentences_without_a_full_stop),
      cmocka_unit_test(test_texts_differ),
      cmocka_unit_test(test_another_number_is_unknown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
