/*
 * Tests of the version a draft ends in: what is shared, what vanishes, and what
 * cannot stand together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tree/state_kit.h"

static void
test_runs_without_tables_vanish(void **state)
{
  (void)state;
  state_kit_expect_tree("run 20 L0 top", state_kit_tree);
  state_kit_expect_tree("remove 5 9",
                        "run 7 L0: 12[a..f]#10-20 13[g..k]#12-19\n");
  state_kit_expect_tree("remove 5 9; remove 7 12; remove 7 13", "");
}

static void
test_a_run_keeps_its_place_while_its_tables_are_replaced(void **state)
{
  (void)state;
  state_kit_expect_tree("remove 7 12; remove 7 13; add 7 40[b..c]#10-20",
                        "run 7 L0: 40[b..c]#10-20\nrun 5 L1: 9[a..z]#1-5\n");
  state_kit_expect_tree("remove 7 12; add 7 40[l..m]#9-9; add 7 41[a..b]#8-9",
                        "run 7 L0: 41[a..b]#8-9 13[g..k]#12-19 40[l..m]#9-9\n"
                        "run 5 L1: 9[a..z]#1-5\n");
}

static void
test_a_level_is_changed_without_touching_tables(void **state)
{
  (void)state;
  state_kit_expect_tree("level 5 3", "run 7 L0: 12[a..f]#10-20 13[g..k]#12-19\n"
                                     "run 5 L3: 9[a..z]#1-5\n");
  state_kit_expect_tree("run 20 L0 bottom; level 20 3; add 20 30[0..1]",
                        "run 7 L0: 12[a..f]#10-20 13[g..k]#12-19\n"
                        "run 5 L1: 9[a..z]#1-5\n"
                        "run 20 L3: 30[0..1]#1-1\n");
}

static void
test_runs_that_do_not_change_are_shared(void **state)
{
  (void)state;
  state_kit f;
  state_kit_begin(&f);
  gs_version *before = f.state.version;
  gs_version_ref(before);
  assert_int_equal(state_text_apply(&f.state, "add 7 30[l..m]", NULL), GS_OK);
  assert_ptr_not_equal(f.state.version->runs[0], before->runs[0]);
  assert_ptr_equal(f.state.version->runs[1], before->runs[1]);
  assert_ptr_equal(layout_find(f.state.version, 12), layout_find(before, 12));
  assert_true(f.state.version->number > before->number);
  gs_version_unref(before);
  state_kit_end(&f);
}

static void
test_tables_that_cannot_stand_together_are_corrupt(void **state)
{
  (void)state;
  state_kit_expect_refusal("add 7 30[l..m]; add 7 30[n..o]",
                           "a manifest edit adds table 30 twice");
  state_kit_expect_refusal(
      "run 20 L0 top; add 7 30[l..m]; add 7 31[n..n]; add 20 "
      "30[n..o]",
      "a manifest edit adds table 30 twice");
  state_kit_expect_refusal("add 7 30[k..l]",
                           "tables 13 and 30 of run 7 overlap");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_runs_without_tables_vanish),
      cmocka_unit_test(
          test_a_run_keeps_its_place_while_its_tables_are_replaced),
      cmocka_unit_test(test_a_level_is_changed_without_touching_tables),
      cmocka_unit_test(test_runs_that_do_not_change_are_shared),
      cmocka_unit_test(test_tables_that_cannot_stand_together_are_corrupt),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
