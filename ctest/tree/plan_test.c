/*
 * Plans in the small: every plan over every tree of up to two runs and four
 * keys, three runs and three keys, four and five runs and two keys; at scale 1
 * also three runs and four keys, and four runs and three keys.
 *
 * A state is one plan on one tree: how the tables of each run lie on the keys,
 * the operation, the set of inputs, the target. No two are the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tree/plan_judge.h"

static uint64_t all_plans;

static void
check_targets(bench *b, model_plan *plan)
{
  static const gs_plan_target targets[] = {GS_TARGET_INTO, GS_TARGET_ABOVE};
  for (uint8_t run = 0; run < b->tree.run_count; run++) {
    for (size_t t = 0; t < 2; t++) {
      plan->target = targets[t];
      plan->target_run = run;
      check_plan(b, plan);
    }
  }
  plan->target = GS_TARGET_BOTTOM;
  check_plan(b, plan);
}

/* All sets of inputs, both operations, all targets. */
static void
check_tree(bench *b)
{
  for (unsigned set = 1; set < 1u << count_tables(&b->tree); set++) {
    model_plan plan = {.op = GS_PLAN_MERGE};
    set_inputs(&b->tree, &plan, set);
    check_targets(b, &plan);
    plan.op = GS_PLAN_MOVE;
    check_targets(b, &plan);
  }
}

static void
test_accepted_is_right_and_blocked_is_wrong_for_all_trees(void **state)
{
  (void)state;
  static const tree_size sizes[] = {
      {1, 4, false}, {2, 4, false}, {3, 3, false}, {4, 2, false},
      {5, 2, true},  {3, 4, true},  {4, 3, true},
  };
  bench b;
  setup(&b);
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    visit_size(&b, &sizes[i], check_tree);
  }
  report(&b, "all");
  assert_true(b.sum.executions > 1000000 && b.sum.blocked > 100000);
  all_plans = b.sum.plans;
  assert_int_equal(b.alloc.live_bytes, 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(
          test_accepted_is_right_and_blocked_is_wrong_for_all_trees),
  };
  return family_report(16, "plan", all_plans,
                       cmocka_run_group_tests(tests, NULL, NULL),
                       "different plans on small trees");
}
