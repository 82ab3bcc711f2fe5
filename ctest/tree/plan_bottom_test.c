/*
 * Tests of the question that lets a bottom tombstone go, where its state
 * matters: many tables, keys that jump, and inputs in the run below the target.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tree/plan_text.h"

/* keys: one letter each; wanted: '1' where it is the bottom for that key. */
static void
expect_bottoms(const char *tree, const char *text, const char *keys,
               const char *wanted)
{
  plan_bench bench;
  plan_bench_begin(&bench, tree);
  plan_text parsed;
  plan_text_parse(text, &parsed);
  plan_bench_expect_plan(&bench, &parsed.plan, "ok");
  size_t state[LAYOUT_RUNS] = {0};
  size_t position = gs_plan_position(bench.version, &parsed.plan);
  char found[32] = {0};
  for (size_t i = 0; keys[i] != '\0'; i++) {
    bool is_bottom = gs_plan_is_bottom(bench.version, &parsed.plan, position,
                                       state, gs_slice_of(&keys[i], 1));
    found[i] = is_bottom ? '1' : '0';
  }
  assert_string_equal(found, wanted);
  plan_bench_end(&bench);
}

static const char tree[] = "run 4 L0: 40[a..z]\n"
                           "run 3 L0: 30[a..f] 31[h..k] 32[m..r] 33[t..z]\n"
                           "run 2 L1: 20[b..c] 21[e..g] 22[i..i] 23[n..o]\n"
                           "run 1 L2: 10[c..d] 11[q..s]\n";

static void
test_only_bounds_below_the_target_count(void **state)
{
  (void)state;
  expect_bottoms(tree, "merge 31 22 into 2", "hijk", "1111");
  expect_bottoms(tree, "merge 31 above 3", "ghijk", "01011");
}

static void
test_keys_may_repeat_and_jump(void **state)
{
  (void)state;
  expect_bottoms(tree, "merge 40 above 3", "aabccgglsszz", "000000010000");
}

static void
test_inputs_in_the_run_below_the_target_do_not_count(void **state)
{
  (void)state;
  expect_bottoms(tree, "merge 40 30 31 above 3", "abgijklms", "100011100");
}

static void
test_nothing_lies_below_the_bottom(void **state)
{
  (void)state;
  expect_bottoms(tree, "merge 11 bottom", "aqsz", "1111");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_only_bounds_below_the_target_count),
      cmocka_unit_test(test_keys_may_repeat_and_jump),
      cmocka_unit_test(test_inputs_in_the_run_below_the_target_do_not_count),
      cmocka_unit_test(test_nothing_lies_below_the_bottom),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
