/*
 * Tests of the rules that look at a plan, its inputs and the figures, and of
 * the words they refuse with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tree/plan_text.h"

static const char tree[] = "run 3 L0: 30[a..c] 31[e..g]\n"
                           "run 2 L1: 20[a..c] 21[e..g]\n";

static void
test_the_number_of_inputs_has_bounds(void **state)
{
  (void)state;
  plan_bench bench;
  plan_bench_begin(&bench, tree);
  plan_bench_expect(&bench, "merge into 2",
                    "bad_plan: the plan has 0 inputs; it takes 1 to 4096 []");
  static uint64_t inputs[4097];
  gs_plan plan = {
      GS_PLAN_MERGE, GS_TARGET_INTO, 2, -1, inputs, 4097, 0, NULL, 0, NULL};
  plan_bench_expect_plan(
      &bench, &plan,
      "bad_plan: the plan has 4097 inputs; it takes 1 to 4096 "
      "[]");
  plan_bench_end(&bench);
}

static void
test_operation_and_target_must_fit_each_other(void **state)
{
  (void)state;
  plan_text_expect(tree, "30 into 2",
                   "bad_plan: operation 0 is none of merge, move, drop []");
  plan_text_expect(tree, "merge 30",
                   "bad_plan: the plan has no target; say into a run, above a "
                   "run, or bottom []");
  plan_text_expect(tree, "move 30 into 9",
                   "bad_plan: run 9 is not in the tree (any more); plan again "
                   "from the present shape []");
  plan_text_expect(tree, "merge 30 above 0",
                   "bad_plan: run 0 is not in the tree (any more); plan again "
                   "from the present shape []");
  plan_text_expect(tree, "drop 30 into 2",
                   "bad_plan: a drop has no target; leave it out []");
}

static void
test_level_and_size_have_bounds(void **state)
{
  (void)state;
  plan_bench bench;
  plan_bench_begin(&bench, tree);
  plan_text parsed;
  plan_text_parse("merge 30 above 3", &parsed);
  parsed.plan.level = 64;
  plan_bench_expect_plan(&bench, &parsed.plan,
                         "bad_plan: level 64 is not a number from 0 to 63 []");
  parsed.plan.level = -2;
  plan_bench_expect_plan(&bench, &parsed.plan,
                         "bad_plan: level -2 is not a number from 0 to 63 []");
  parsed.plan.level = 63;
  parsed.plan.table_bytes = 255;
  plan_bench_expect_plan(
      &bench, &parsed.plan,
      "bad_plan: tables of 255 bytes are too small; choose at least 256 []");
  parsed.plan.table_bytes = 256;
  plan_bench_expect_plan(&bench, &parsed.plan, "ok");
  plan_bench_end(&bench);
}

static void
test_cuts_rise_and_belong_to_merges(void **state)
{
  (void)state;
  plan_bench bench;
  plan_bench_begin(&bench, tree);
  const gs_slice cuts[] = {gs_slice_str("b"), gs_slice_str("c"),
                           gs_slice_str("c")};
  plan_text parsed;
  plan_text_parse("merge 30 above 3", &parsed);
  parsed.plan.cuts = cuts;
  parsed.plan.cut_count = 2;
  plan_bench_expect_plan(&bench, &parsed.plan, "ok");
  parsed.plan.cut_count = 3;
  plan_bench_expect_plan(&bench, &parsed.plan,
                         "bad_cut: cut 3 does not come after the one before "
                         "it; give the cuts in order, each once []");
  parsed.plan.cut_count = 4097;
  plan_bench_expect_plan(
      &bench, &parsed.plan,
      "bad_cut: the plan has 4097 cuts; it takes at most 4096 []");
  parsed.plan.cut_count = 1;
  parsed.plan.op = GS_PLAN_MOVE;
  plan_bench_expect_plan(&bench, &parsed.plan,
                         "bad_cut: only a merge writes tables that can be "
                         "cut; leave the cuts out []");
  static const uint8_t bytes[65536];
  const gs_slice longest = {bytes, sizeof bytes};
  parsed.plan.op = GS_PLAN_MERGE;
  parsed.plan.cuts = &longest;
  plan_bench_expect_plan(&bench, &parsed.plan,
                         "bad_cut: cut 1 is longer than a key may be []");
  plan_bench_end(&bench);
}

static void
test_inputs_are_live_whole_and_named_once(void **state)
{
  (void)state;
  plan_text_expect(tree, "merge 30 22 into 2",
                   "unknown_table: table 22 is not in the tree (any more); "
                   "plan again from the present shape [22]");
  plan_text_expect(tree, "merge 30 20 30 into 2",
                   "bad_plan: table 30 is named twice among the inputs [30]");
  plan_bench bench;
  plan_bench_begin(&bench, tree);
  atomic_store(&layout_find(bench.version, 20)->is_quarantined, true);
  plan_bench_expect(&bench, "merge 30 20 into 2",
                    "busy_table: table 20 was found damaged and is kept "
                    "apart: no job may touch it [20]");
  plan_bench_expect(&bench, "merge 31 21 into 2", "ok");
  plan_bench_end(&bench);
}

static void
test_a_merge_needs_room_for_its_inputs(void **state)
{
  (void)state;
  plan_bench bench;
  plan_bench_begin(&bench, tree);
  bench.limits.free_bytes = 199;
  plan_bench_expect(&bench, "merge 30 20 into 2",
                    "no_space: the inputs take 200 bytes and 199 are free for "
                    "the output; take fewer inputs []");
  plan_bench_expect(&bench, "move 30 31 above 3", "ok");
  bench.limits.free_bytes = 200;
  plan_bench_expect(&bench, "merge 30 20 into 2", "ok");
  plan_bench_end(&bench);
}

static void
test_a_plan_may_not_add_a_run_too_many(void **state)
{
  (void)state;
  static const char refused[] =
      "too_many: the tree has 2 runs, may have 2, and the plan adds one; merge "
      "into a run or take all tables of one []";
  plan_bench bench;
  plan_bench_begin(&bench, tree);
  bench.limits.max_runs = 2;
  plan_bench_expect(&bench, "merge 30 above 3", refused);
  plan_bench_expect(&bench, "move 21 bottom", refused);
  plan_bench_expect(&bench, "merge 30 31 above 3", "ok");
  plan_bench_expect(&bench, "merge 30 20 into 2", "ok");
  bench.limits.max_runs = 3;
  plan_bench_expect(&bench, "merge 30 above 3", "ok");
  plan_bench_end(&bench);
}

static void
test_a_tree_with_too_many_runs_may_still_shrink(void **state)
{
  (void)state;
  plan_bench bench;
  plan_bench_begin(&bench, tree);
  bench.limits.max_runs = 0;
  plan_bench_expect(&bench, "merge 30 31 above 2", "ok");
  plan_bench_expect(&bench, "merge 30 31 20 21 bottom", "ok");
  plan_bench_expect(&bench, "merge 30 20 into 2", "ok");
  plan_bench_end(&bench);
}

/* The most inputs there may be, in two runs that cover each other. */
static void
test_the_largest_plan_is_checked(void **state)
{
  (void)state;
  enum { HALF = GS_PLAN_MAX_INPUTS / 2 };
  test_alloc alloc;
  test_alloc_init(&alloc);
  static gs_tree_table *tables[2][HALF];
  static uint64_t inputs[GS_PLAN_MAX_INPUTS];
  gs_run *runs[2];
  for (uint64_t r = 0; r < 2; r++) {
    for (uint64_t t = 0; t < HALF; t++) {
      uint64_t id = r * HALF + t + 1;
      uint8_t keys[4] = {(uint8_t)(t >> 8), (uint8_t)t, (uint8_t)(t >> 8),
                         (uint8_t)t};
      gs_table_meta meta = {.id = id,
                            .min_key = gs_slice_of(keys, 2),
                            .max_key = gs_slice_of(keys + 2, 2)};
      tables[r][t] = gs_tree_table_new(&alloc.base, &meta);
      inputs[(id * 1009) % GS_PLAN_MAX_INPUTS] = id;
    }
    runs[r] = gs_run_new(&alloc.base, r + 1, 0, tables[r], HALF);
  }
  plan_bench bench;
  plan_bench_begin(&bench, "");
  gs_version *empty = bench.version;
  bench.version = gs_version_new(&alloc.base, 1, runs, 2);
  gs_plan plan = {.op = GS_PLAN_MERGE,
                  .target = GS_TARGET_INTO,
                  .run_id = 2,
                  .level = -1,
                  .inputs = inputs,
                  .input_count = GS_PLAN_MAX_INPUTS};
  plan_bench_expect_plan(&bench, &plan, "ok");
  gs_version_unref(bench.version);
  bench.version = empty;
  plan_bench_end(&bench);
  for (size_t r = 0; r < 2; r++) {
    gs_run_unref(runs[r]);
    for (size_t t = 0; t < HALF; t++) {
      gs_tree_table_unref(tables[r][t]);
    }
  }
  assert_int_equal(alloc.live_bytes, 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_number_of_inputs_has_bounds),
      cmocka_unit_test(test_operation_and_target_must_fit_each_other),
      cmocka_unit_test(test_level_and_size_have_bounds),
      cmocka_unit_test(test_cuts_rise_and_belong_to_merges),
      cmocka_unit_test(test_inputs_are_live_whole_and_named_once),
      cmocka_unit_test(test_a_merge_needs_room_for_its_inputs),
      cmocka_unit_test(test_a_plan_may_not_add_a_run_too_many),
      cmocka_unit_test(test_a_tree_with_too_many_runs_may_still_shrink),
      cmocka_unit_test(test_the_largest_plan_is_checked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
