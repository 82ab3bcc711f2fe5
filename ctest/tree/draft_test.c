/*
 * Tests of changes to a draft: where runs go, which tables may leave and join,
 * and which objects stand for them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tree/state_kit.h"

static void
test_new_runs_take_the_places_they_name(void **state)
{
  (void)state;
  state_kit_expect_tree("run 20 L0 top; add 20 30[a..b]#30-31",
                        "run 20 L0: 30[a..b]#30-31\n"
                        "run 7 L0: 12[a..f]#10-20 13[g..k]#12-19\n"
                        "run 5 L1: 9[a..z]#1-5\n");
  state_kit_expect_tree("run 20 L2 bottom; add 20 30[0..1]#1-1",
                        "run 7 L0: 12[a..f]#10-20 13[g..k]#12-19\n"
                        "run 5 L1: 9[a..z]#1-5\n"
                        "run 20 L2: 30[0..1]#1-1\n");
  state_kit_expect_tree(
      "run 20 L0 above 5; run 21 L0 above 5; add 20 30[0..1]#7-8; add "
      "21 31[0..0]#5-6",
      "run 7 L0: 12[a..f]#10-20 13[g..k]#12-19\n"
      "run 20 L0: 30[0..1]#7-8\n"
      "run 21 L0: 31[0..0]#5-6\n"
      "run 5 L1: 9[a..z]#1-5\n");
}

static void
test_a_run_may_be_placed_above_one_that_is_about_to_vanish(void **state)
{
  (void)state;
  state_kit_expect_tree(
      "add 20 30[a..z]#1-20; run 20 L1 above 5; remove 5 9; remove 7 "
      "12; remove 7 13",
      "run 20 L1: 30[a..z]#1-20\n");
}

static void
test_what_does_not_fit_the_tree_is_corrupt(void **state)
{
  (void)state;
  state_kit_expect_refusal("remove 6 12",
                           "a manifest edit names run 6, which is not there");
  state_kit_expect_refusal("remove 7 9",
                           "a manifest edit removes table 9 from run 7, "
                           "where it is not");
  state_kit_expect_refusal("remove 7 99",
                           "a manifest edit removes table 99 from run 7, "
                           "where it is not");
  state_kit_expect_refusal(
      "remove 7 12; remove 7 12",
      "a manifest edit removes table 12 from run 7, where it is "
      "not");
  state_kit_expect_refusal("run 7 L0 top",
                           "a manifest edit adds run 7 a second time");
  state_kit_expect_refusal("run 20 L0 top; run 20 L0 top",
                           "a manifest edit adds run 20 a second time");
  state_kit_expect_refusal("run 20 L0 above 6",
                           "a manifest edit names run 6, which is not there");
  state_kit_expect_refusal("level 6 1",
                           "a manifest edit names run 6, which is not there");
  state_kit_expect_refusal("add 6 30[a..b]",
                           "a manifest edit names run 6, which is not there");
  state_kit_expect_refusal("add 7 9[x..y]",
                           "a manifest edit adds table 9, which is in "
                           "run 5 already");
}

static void
test_a_table_that_changes_runs_stays_the_same_object(void **state)
{
  (void)state;
  state_kit f;
  state_kit_begin(&f);
  gs_tree_table *table = layout_find(f.state.version, 13);
  assert_int_equal(state_text_apply(&f.state,
                                    "remove 7 13; run 20 L0 above 5; add 20 "
                                    "13[g..k]#12-19",
                                    NULL),
                   GS_OK);
  layout_expect(f.state.version, &f.alloc.base,
                "run 7 L0: 12[a..f]#10-20\nrun 20 L0: 13[g..k]#12-19\n"
                "run 5 L1: 9[a..z]#1-5\n");
  assert_ptr_equal(layout_find(f.state.version, 13), table);
  state_kit_end(&f);
  state_kit_expect_refusal("remove 7 13; add 7 13[g..j]#12-19",
                           "a manifest edit changes the metadata of table 13");
}

static void
test_known_tables_are_used_as_they_are(void **state)
{
  (void)state;
  state_kit f;
  state_kit_begin(&f);
  gs_version *made =
      layout_version(&f.alloc.base, "run 1 L0: 41[n..o] 40[l..m]\n");
  gs_tree_table *known[] = {layout_find(made, 40), layout_find(made, 41)};
  gs_edit *edit =
      state_text_edit(&f.alloc.base, "add 7 41[n..o]; add 7 40[l..m]; add 7 "
                                     "42[q..r]");
  assert_int_equal(
      gs_manifest_state_apply(&f.state, gs_edit_encoding(edit), known, 2, NULL),
      GS_OK);
  assert_ptr_equal(layout_find(f.state.version, 40), known[0]);
  assert_ptr_equal(layout_find(f.state.version, 41), known[1]);
  gs_edit_free(edit);
  gs_version *other = layout_version(&f.alloc.base, "run 1 L0: 43[s..t]\n");
  known[1] = layout_find(other, 43);
  edit = state_text_edit(&f.alloc.base, "add 7 43[s..u]");
  gs_error err;
  assert_int_equal(
      gs_manifest_state_apply(&f.state, gs_edit_encoding(edit), known, 2, &err),
      GS_CORRUPT);
  assert_string_equal(err.message,
                      "a manifest edit changes the metadata of table 43");
  gs_version_unref(other);
  gs_edit_free(edit);
  gs_version_unref(made);
  state_kit_end(&f);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_new_runs_take_the_places_they_name),
      cmocka_unit_test(
          test_a_run_may_be_placed_above_one_that_is_about_to_vanish),
      cmocka_unit_test(test_what_does_not_fit_the_tree_is_corrupt),
      cmocka_unit_test(test_a_table_that_changes_runs_stays_the_same_object),
      cmocka_unit_test(test_known_tables_are_used_as_they_are),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
