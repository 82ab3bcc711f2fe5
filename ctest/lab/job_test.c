/*
 * Tests of plans on their way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab_kit.h"

static void
test_a_plan_is_refused_by_the_rules_and_counted(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  gs_lab *lab = kit_lab(&alloc, &options);
  gs_refusal refusal;
  gs_lab_sample seen;
  uint64_t input = 99;
  const gs_plan plan = {.op = GS_PLAN_DROP, .inputs = &input, .input_count = 1};
  kit_run_until(lab, 1);
  assert_int_equal(gs_lab_submit(lab, &plan, false, NULL, &refusal, NULL),
                   GS_REFUSED);
  assert_int_equal(refusal.code, GS_REFUSAL_UNKNOWN_TABLE);
  gs_lab_look(lab, &seen);
  assert_int_equal(seen.refused, 1);
  kit_end(lab, &alloc);
}

static void
test_tables_in_hand_are_kept_from_other_plans(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  gs_lab *lab = kit_lab(&alloc, &options);
  kit_run_until(lab, 3);
  gs_plan plan = kit_merge(lab, 3);
  gs_plan again = kit_merge(lab, 2);
  gs_refusal refusal;
  kit_submit(lab, &plan);
  assert_int_equal(gs_lab_count_merges(lab), 1);
  assert_false(gs_lab_check(lab, &again, NULL, &refusal));
  assert_int_equal(refusal.code, GS_REFUSAL_BUSY_TABLE);
  gs_alloc_free(lab->alloc, (void *)again.inputs,
                again.input_count * sizeof *again.inputs);
  gs_shape *shape;
  assert_int_equal(gs_lab_shape(lab, &shape, NULL), GS_OK);
  assert_int_equal(shape->running_count, 1);
  assert_int_equal(shape->runs[0].busy_count, 1);
  gs_shape_free(shape);
  kit_end(lab, &alloc);
}

static void
test_moves_and_drops_take_no_bytes(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  options.rate = 1000;
  options.ttl_ms = 10;
  gs_lab *lab = kit_lab(&alloc, &options);
  kit_run_until(lab, 2);
  uint64_t input = lab->version->runs[1]->tables[0]->meta.id;
  const gs_plan move = {.op = GS_PLAN_MOVE,
                        .target = GS_TARGET_BOTTOM,
                        .level = 4,
                        .inputs = &input,
                        .input_count = 1};
  const gs_plan drop = {.op = GS_PLAN_DROP, .inputs = &input, .input_count = 1};
  gs_refusal refusal;
  gs_lab_sample seen;
  assert_int_equal(gs_lab_submit(lab, &move, false, NULL, &refusal, NULL),
                   GS_OK);
  kit_run(lab, lab->writes + 1);
  assert_int_equal(lab->version->runs[1]->level, 4);
  assert_int_equal(lab->version->runs[1]->tables[0]->meta.id, input);
  assert_int_equal(gs_lab_submit(lab, &drop, false, NULL, &refusal, NULL),
                   GS_OK);
  kit_run(lab, lab->writes + 1);
  assert_int_equal(lab->version->run_count, 1);
  gs_lab_look(lab, &seen);
  assert_int_equal(seen.moves, 1);
  assert_int_equal(seen.drops, 1);
  ASSERT_NEAR(seen.merged_bytes, 0, 0);
  kit_end(lab, &alloc);
}

static void
test_the_floor_merges_whatever_a_policy_does(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  gs_lab *lab = kit_lab(&alloc, &options);
  kit_run(lab, options.writes);
  gs_lab_sample seen;
  gs_lab_look(lab, &seen);
  assert_true(seen.flushes > 2 * GS_RUNS_FLOOR);
  assert_true(seen.runs <= GS_RUNS_FLOOR);
  assert_true(seen.merges > 0);
  kit_end(lab, &alloc);
}

static void
test_where_a_policy_is_set_aside_the_engine_decides(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  gs_lab *lab = kit_lab(&alloc, &options);
  kit_run_until(lab, 3);
  gs_lab_set_aside(lab);
  kit_run(lab, options.writes);
  assert_true(lab->version->run_count <= GS_RUNS_BUILTIN + 1);
  kit_end(lab, &alloc);
}

static void
test_a_merge_wants_as_much_room_as_it_reads(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  options.disk_bytes = 400000;
  gs_lab *lab = kit_lab(&alloc, &options);
  kit_run_until(lab, 3);
  gs_plan plan = kit_merge(lab, 3);
  gs_refusal refusal;
  assert_int_equal(gs_lab_submit(lab, &plan, false, NULL, &refusal, NULL),
                   GS_REFUSED);
  assert_int_equal(refusal.code, GS_REFUSAL_NO_SPACE);
  gs_alloc_free(lab->alloc, (void *)plan.inputs,
                plan.input_count * sizeof *plan.inputs);
  kit_end(lab, &alloc);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_plan_is_refused_by_the_rules_and_counted),
      cmocka_unit_test(test_tables_in_hand_are_kept_from_other_plans),
      cmocka_unit_test(test_moves_and_drops_take_no_bytes),
      cmocka_unit_test(test_the_floor_merges_whatever_a_policy_does),
      cmocka_unit_test(test_where_a_policy_is_set_aside_the_engine_decides),
      cmocka_unit_test(test_a_merge_wants_as_much_room_as_it_reads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
