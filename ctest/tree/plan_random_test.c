/*
 * Plans in the small, by chance: over trees of four and five runs and four keys,
 * which are too many to try all of. A state is one plan drawn; few are drawn
 * twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tree/plan_judge.h"

static uint64_t all_plans;

static void
test_accepted_is_right_and_blocked_is_wrong_for_random_trees(void **state)
{
  (void)state;
  shapes all = {0};
  list_shapes(&all, (model_run){0}, 0, MODEL_KEYS);
  bench b;
  setup(&b);
  for (size_t i = family_count(200000); i > 0; i--) {
    choose_tree(&b, &all, 4, 1);
    begin_tree(&b);
    for (int p = 0; p < 20; p++) {
      model_plan plan = choose_plan(&b);
      check_plan(&b, &plan);
    }
    end_tree(&b);
  }
  report(&b, "random");
  assert_true(b.sum.accepted > 1000 && b.sum.blocked > 1000);
  all_plans = b.sum.plans;
  assert_int_equal(b.alloc.live_bytes, 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(
          test_accepted_is_right_and_blocked_is_wrong_for_random_trees),
  };
  return family_report(16, "plan-random", all_plans,
                       cmocka_run_group_tests(tests, NULL, NULL),
                       "plans drawn for larger trees");
}
