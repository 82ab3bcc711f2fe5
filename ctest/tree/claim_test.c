/*
 * Tests of claims: which plans a running job keeps out, also after the tree has
 * changed under it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tree/plan_text.h"

static const char tree[] = "run 4 L0: 40[a..f] 41[m..r]\n"
                           "run 3 L0: 30[a..f] 31[m..r]\n"
                           "run 2 L1: 20[a..f] 21[m..r] 22[x..z]\n"
                           "run 1 L2: 10[a..f] 11[m..r]\n";

static void
expect_claimed(plan_bench *bench, const char *plan, const char *from,
               const char *tables)
{
  char text[400];
  snprintf(text, sizeof text,
           "claimed: job 1 is running on overlapping keys in the same part of "
           "the tree, from run %s; wait for its end, or choose other keys or "
           "runs %s",
           from, tables);
  plan_bench_expect(bench, plan, text);
}

static void
test_a_table_belongs_to_one_job(void **state)
{
  (void)state;
  plan_bench bench;
  plan_bench_begin(&bench, tree);
  plan_bench_claim(&bench, "merge 41 31 into 3");
  plan_bench_expect(&bench, "merge 40 41 30 31 above 2",
                    "busy_table: table 41 is an input of job 1, which is "
                    "running; wait for its end [41]");
  plan_bench_end(&bench);
}

static void
test_hull_and_positions_must_both_meet(void **state)
{
  (void)state;
  plan_bench bench;
  plan_bench_begin(&bench, tree);
  plan_bench_claim(&bench, "merge 30 20 into 2");
  plan_bench_expect(&bench, "merge 40 above 4", "ok");
  plan_bench_expect(&bench, "merge 40 into 4", "ok");
  plan_bench_expect(&bench, "merge 41 31 into 3", "ok");
  plan_bench_expect(&bench, "merge 10 into 1", "ok");
  plan_bench_expect(&bench, "merge 40 above 3", "ok");
  expect_claimed(&bench, "merge 40 41 31 above 3",
                 "3 down: it has table 20, the plan table 40", "[40 20 30]");
  plan_bench_end(&bench);
}

static void
test_the_hull_counts_and_not_the_single_tables(void **state)
{
  (void)state;
  plan_bench bench;
  plan_bench_begin(&bench, tree);
  plan_bench_claim(&bench, "merge 20 22 into 2");
  expect_claimed(&bench, "merge 21 into 2",
                 "2 down: it has table 20, the plan table 21", "[21 20 22]");
  plan_bench_expect(&bench, "merge 31 above 2", "ok");
  plan_bench_end(&bench);
}

/* Every other run has a table between the claimed ones. */
static const char ladder[] = "run 4 L0: 40[m..m]\n"
                             "run 3 L0: 30[a..a] 31[z..z]\n"
                             "run 2 L0: 20[m..m]\n"
                             "run 1 L0: 10[m..m]\n";

static void
test_a_claim_reaches_from_its_newest_input_to_its_target(void **state)
{
  (void)state;
  plan_bench bench;
  plan_bench_begin(&bench, ladder);
  plan_bench_claim(&bench, "merge 30 31 above 1");
  plan_bench_expect(&bench, "merge 40 above 3", "ok");
  expect_claimed(&bench, "merge 40 into 3",
                 "3 down: it has table 30, the plan table 40", "[40 30 31]");
  expect_claimed(&bench, "merge 20 into 2",
                 "3 down: it has table 30, the plan table 20", "[20 30 31]");
  plan_bench_expect(&bench, "merge 10 into 1", "ok");
  plan_bench_end(&bench);
}

static void
test_a_run_aimed_into_is_claimed_and_so_is_the_bottom(void **state)
{
  (void)state;
  static const char *const targets[] = {"merge 30 31 into 1",
                                        "merge 30 31 bottom"};
  for (size_t i = 0; i < 2; i++) {
    plan_bench bench;
    plan_bench_begin(&bench, ladder);
    plan_bench_claim(&bench, targets[i]);
    expect_claimed(&bench, "merge 10 into 1",
                   "3 down: it has table 30, the plan table 10", "[10 30 31]");
    plan_bench_end(&bench);
  }
}

static void
test_a_claim_keeps_its_place_when_runs_are_added(void **state)
{
  (void)state;
  plan_bench bench;
  plan_bench_begin(&bench, tree);
  plan_bench_claim(&bench, "merge 30 20 into 2");
  plan_bench_change(&bench, "run 6 L0: 60[a..z]\n"
                            "run 5 L0: 50[a..z]\n"
                            "run 4 L0: 40[a..f] 41[m..r]\n"
                            "run 3 L0: 30[a..f] 31[m..r]\n"
                            "run 2 L1: 20[a..f] 21[m..r] 22[x..z]\n"
                            "run 1 L2: 10[a..f] 11[m..r]\n");
  plan_bench_expect(&bench, "merge 60 50 above 4", "ok");
  plan_bench_expect(&bench, "merge 60 50 40 41 above 3", "ok");
  plan_bench_expect(&bench, "merge 10 into 1", "ok");
  expect_claimed(&bench, "merge 60 50 40 41 31 above 3",
                 "3 down: it has table 20, the plan table 60", "[60 20 30]");
  plan_bench_end(&bench);
}

static void
test_a_claim_whose_target_vanished_covers_all_below(void **state)
{
  (void)state;
  static const char after[] = "run 4 L0: 40[a..c]\n"
                              "run 3 L0: 30[a..c]\n"
                              "run 1 L0: 10[a..b]\n";
  static const char *const targets[] = {"merge 30 into 2", "merge 30 above 2"};
  for (size_t i = 0; i < 2; i++) {
    plan_bench bench;
    plan_bench_begin(&bench, "run 4 L0: 40[a..c]\n"
                             "run 3 L0: 30[a..c]\n"
                             "run 2 L0: 20[x..z]\n"
                             "run 1 L0: 10[a..b]\n");
    plan_bench_claim(&bench, targets[i]);
    plan_bench_expect(&bench, "merge 10 into 1", "ok");
    plan_bench_change(&bench, after);
    expect_claimed(&bench, "merge 10 into 1",
                   "3 down: it has table 30, the plan table 10", "[10 30]");
    plan_bench_expect(&bench, "merge 40 into 4", "ok");
    plan_bench_end(&bench);
  }
}

static void
test_a_claim_whose_inputs_vanished_covers_everything(void **state)
{
  (void)state;
  plan_bench bench;
  plan_bench_begin(&bench, tree);
  plan_bench_claim(&bench, "drop 30");
  plan_bench_expect(&bench, "merge 10 into 1", "ok");
  plan_bench_expect(&bench, "merge 40 into 4", "ok");
  plan_bench_change(&bench, "run 4 L0: 40[a..c]\nrun 1 L0: 10[a..b]\n");
  static const char *const plans[] = {"merge 10 into 1", "merge 40 into 4"};
  static const char *const rests[] = {
      "3 down: it has table 30, the plan table 10",
      "3 down: it has table 30, the plan table 40"};
  static const char *const tables[] = {"[10 30]", "[40 30]"};
  for (size_t i = 0; i < 2; i++) {
    expect_claimed(&bench, plans[i], rests[i], tables[i]);
  }
  plan_bench_end(&bench);
}

static void
test_a_claim_knows_inputs_runs_and_hull(void **state)
{
  (void)state;
  plan_bench bench;
  plan_bench_begin(&bench, tree);
  plan_bench_claim(&bench, "merge 41 20 22 31 into 2");
  const gs_claim *claim = bench.claims[0];
  static const uint64_t inputs[] = {20, 22, 31, 41};
  assert_int_equal(claim->input_count, 4);
  assert_memory_equal(claim->inputs, inputs, sizeof inputs);
  assert_int_equal(claim->top_run_id, 4);
  assert_int_equal(claim->low_run_id, 2);
  assert_int_equal(claim->target_run_id, 2);
  assert_true(
      gs_slice_equal(gs_buffer_slice(&claim->min_key), gs_slice_str("a")));
  assert_true(
      gs_slice_equal(gs_buffer_slice(&claim->max_key), gs_slice_str("z")));
  plan_bench_end(&bench);
}

static void
test_a_claim_on_an_unknown_table_is_misuse(void **state)
{
  (void)state;
  plan_bench bench;
  plan_bench_begin(&bench, tree);
  plan_text parsed;
  plan_text_parse("merge 20 99 into 2", &parsed);
  gs_claim *claim = NULL;
  assert_int_equal(gs_claim_new(&bench.alloc.base, 1, bench.version,
                                &parsed.plan, &claim, NULL),
                   GS_MISUSE);
  assert_null(claim);
  plan_bench_end(&bench);
}

static void
test_a_claim_that_finds_no_memory_leaves_nothing_behind(void **state)
{
  (void)state;
  plan_bench bench;
  plan_bench_begin(&bench, tree);
  plan_text parsed;
  plan_text_parse("merge 20 30 into 2", &parsed);
  size_t live = bench.alloc.live_bytes;
  gs_claim *claim = NULL;
  uint64_t allowed = 0;
  for (;; allowed++) {
    bench.alloc.allocations_left = allowed;
    gs_status status = gs_claim_new(&bench.alloc.base, 1, bench.version,
                                    &parsed.plan, &claim, NULL);
    if (status == GS_OK) {
      break;
    }
    assert_int_equal(status, GS_NOMEM);
    assert_int_equal(bench.alloc.live_bytes, live);
  }
  assert_int_equal(allowed, 4);
  gs_claim_free(&bench.alloc.base, claim);
  gs_claim_free(&bench.alloc.base, NULL);
  plan_bench_end(&bench);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_table_belongs_to_one_job),
      cmocka_unit_test(test_hull_and_positions_must_both_meet),
      cmocka_unit_test(test_the_hull_counts_and_not_the_single_tables),
      cmocka_unit_test(
          test_a_claim_reaches_from_its_newest_input_to_its_target),
      cmocka_unit_test(test_a_run_aimed_into_is_claimed_and_so_is_the_bottom),
      cmocka_unit_test(test_a_claim_keeps_its_place_when_runs_are_added),
      cmocka_unit_test(test_a_claim_whose_target_vanished_covers_all_below),
      cmocka_unit_test(test_a_claim_whose_inputs_vanished_covers_everything),
      cmocka_unit_test(test_a_claim_knows_inputs_runs_and_hull),
      cmocka_unit_test(test_a_claim_on_an_unknown_table_is_misuse),
      cmocka_unit_test(test_a_claim_that_finds_no_memory_leaves_nothing_behind),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
