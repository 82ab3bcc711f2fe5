/*
 * Tests of refusals as values: the names Lua code knows them by, and that
 * nothing overruns.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tree/refusal.h"

static void
test_every_code_has_its_name(void **state)
{
  (void)state;
  static const char *const names[] = {
      "none",          "bad_plan", "unknown_table", "busy_table", "upward",
      "path_blocked",  "claimed",  "no_space",      "too_many",   "bad_cut",
      "needs_rewrite", "not_dead", "unknown",
  };
  for (int code = 0; code < 13; code++) {
    assert_string_equal(gs_refusal_name((gs_refusal_code)code), names[code]);
  }
  assert_string_equal(gs_refusal_name((gs_refusal_code)-1), "unknown");
}

static void
test_a_long_sentence_is_cut(void **state)
{
  (void)state;
  char text[400];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  gs_refusal refusal = {.table_count = 3};
  GS_REFUSE(&refusal, GS_REFUSAL_UPWARD, "%s", text);
  assert_int_equal(refusal.code, GS_REFUSAL_UPWARD);
  assert_int_equal(strlen(refusal.text), sizeof refusal.text - 1);
  assert_int_equal(refusal.table_count, 0);
}

static void
test_tables_that_do_not_fit_are_left_out(void **state)
{
  (void)state;
  gs_refusal refusal;
  GS_REFUSE(&refusal, GS_REFUSAL_CLAIMED, "number %d", 7);
  assert_string_equal(refusal.text, "number 7");
  for (uint64_t id = 1; id <= 20; id++) {
    gs_refusal_add_table(&refusal, id);
  }
  assert_int_equal(refusal.table_count, GS_REFUSAL_TABLES);
  assert_int_equal(refusal.tables[GS_REFUSAL_TABLES - 1], GS_REFUSAL_TABLES);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_code_has_its_name),
      cmocka_unit_test(test_a_long_sentence_is_cut),
      cmocka_unit_test(test_tables_that_do_not_fit_are_left_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
