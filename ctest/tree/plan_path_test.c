/*
 * Tests of the way from the inputs to the target: what goes up, what is in the
 * way, what cannot stand side by side; and that the way out a refusal names is
 * one. The exact rule is swept in plan_test.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tree/plan_text.h"

static const char tree[] = "run 5 L0: 50[a..d] 51[k..m]\n"
                           "run 4 L0: 40[c..e]\n"
                           "run 3 L1: 30[a..b] 31[c..f] 32[k..z]\n"
                           "run 2 L2: 20[a..z]\n";

static void
test_data_never_moves_up(void **state)
{
  (void)state;
  plan_text_expect(tree, "merge 50 31 40 into 4",
                   "upward: input 31 is in run 3, which is older than the "
                   "target, and data never moves up; choose run 3 or above it "
                   "as the target, or leave the input out [31]");
  plan_text_expect(tree, "merge 51 32 20 above 5",
                   "upward: input 20 is in run 2, which is older than the "
                   "target, and data never moves up; choose run 2 or above it "
                   "as the target, or leave the input out [20 32]");
  plan_text_expect(tree, "merge 51 above 5", "ok");
  plan_text_expect(tree, "merge 51 into 5", "ok");
}

static void
test_an_older_table_that_would_be_overtaken_is_named(void **state)
{
  (void)state;
  plan_text_expect(tree, "merge 50 30 31 into 3",
                   "path_blocked: table 40 in run 4 stays, overlaps input 50 "
                   "of run 5 and is older than it; add it, or leave the input "
                   "out [50 40]");
  plan_text_expect(tree, "merge 50 into 3",
                   "path_blocked: table 40 in run 4 stays, overlaps input 50 "
                   "of run 5 and is older than it; add it, or aim above run 4 "
                   "[50 40]");
  plan_text_expect(tree, "merge 50 above 4", "ok");
  plan_text_expect(tree, "merge 50 40 30 31 into 3", "ok");
}

static void
test_a_table_that_stays_in_the_target_is_named(void **state)
{
  (void)state;
  plan_text_expect(tree, "merge 50 40 31 into 3",
                   "path_blocked: table 30 stays in the target, run 3, and "
                   "overlaps input 50 of run 5; add it, or aim above run 3 "
                   "[50 30]");
  plan_text_expect(tree, "merge 50 40 31 above 3", "ok");
  plan_text_expect(tree, "merge 50 40 into 3",
                   "path_blocked: table 30 stays in the target, run 3, and "
                   "overlaps input 50 of run 5; add it, or aim above run 3 "
                   "[50 30 31]");
}

static void
test_more_tables_in_the_way_than_fit_are_cut_off(void **state)
{
  (void)state;
  plan_text_expect("run 2 L0: 1[a..z]\n"
                   "run 1 L0: 11[a..b] 12[c..c] 13[d..d] 14[e..e] 15[f..f] "
                   "16[g..g] 17[h..h] 18[i..i] 19[j..j]\n",
                   "merge 1 12 into 1",
                   "path_blocked: table 11 stays in the target, run 1, and "
                   "overlaps input 1 of run 2; add it, or aim above run 1 [1 "
                   "11 13 14 15 16 17 18]");
}

static void
test_the_bottom_lies_below_every_run(void **state)
{
  (void)state;
  plan_text_expect(tree, "merge 31 32 bottom",
                   "path_blocked: table 20 in run 2 stays, overlaps input 31 "
                   "of run 3 and is older than it; add it, or aim above run 2 "
                   "[31 20]");
  plan_text_expect(tree, "merge 32 20 bottom", "ok");
}

static void
test_the_known_policies_make_valid_plans(void **state)
{
  (void)state;
  plan_text_expect(tree, "merge 40 31 into 3", "ok");     /* leveled */
  plan_text_expect(tree, "merge 50 51 40 above 4", "ok"); /* tiered */
  plan_text_expect(tree, "merge 50 51 40 30 31 32 20 bottom", "ok");
  plan_text_expect(tree, "merge 31 into 3", "ok"); /* rewrite */
  plan_text_expect("run 2 L0: 1[a..c] 2[k..m]\nrun 1 L1: 3[d..e]\n",
                   "move 1 into 1", "ok"); /* trivial move */
  plan_text_expect("run 2 L0: 1[a..c] 2[k..m]\nrun 1 L1: 3[d..e]\n",
                   "move 1 3 into 1", "ok");
}

static void
test_a_move_takes_only_tables_that_fit_side_by_side(void **state)
{
  (void)state;
  plan_text_expect(tree, "move 50 40 30 31 into 3",
                   "needs_rewrite: inputs 50 and 40 overlap and cannot stand "
                   "in one run as they are; merge them [50 40]");
  plan_text_expect(tree, "move 51 30 32 above 3",
                   "needs_rewrite: inputs 51 and 32 overlap and cannot stand "
                   "in one run as they are; merge them [51 32]");
  plan_text_expect(tree, "move 51 30 31 above 3", "ok");
  plan_text_expect(tree, "move 51 40 above 3", "ok");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_data_never_moves_up),
      cmocka_unit_test(test_an_older_table_that_would_be_overtaken_is_named),
      cmocka_unit_test(test_a_table_that_stays_in_the_target_is_named),
      cmocka_unit_test(test_more_tables_in_the_way_than_fit_are_cut_off),
      cmocka_unit_test(test_the_bottom_lies_below_every_run),
      cmocka_unit_test(test_the_known_policies_make_valid_plans),
      cmocka_unit_test(test_a_move_takes_only_tables_that_fit_side_by_side),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
