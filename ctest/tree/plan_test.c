/*
 * Plans in the small: every plan over every tree of up to two runs and four
 * keys, three runs and three keys, four runs and two keys, and random ones over
 * random trees of up to four runs and four keys. What is accepted is executed
 * and must keep order and reads; what is refused as blocked must break them for
 * some content, or the rule would be stricter than need be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/family.h"
#include "tree/plan_sweep.h"

enum { TRIES = 1000 };

static uint64_t all_plans;

static void
report(const bench *b, const char *what)
{
  const figures *f = &b->sum;
  all_plans += f->plans;
  print_message(
      "%s: %llu plans; %llu accepted, %llu executions; %llu blocked, "
      "each broken by some content; %llu moves of overlapping "
      "tables; %llu upward (%llu of them harmless when dense)\n",
      what, (unsigned long long)f->plans, (unsigned long long)f->accepted,
      (unsigned long long)f->executions, (unsigned long long)f->blocked,
      (unsigned long long)f->rewrites, (unsigned long long)f->upward,
      (unsigned long long)f->upward_harmless);
}

/* ---- accepted plans ------------------------------------------------------- */

static void
expect_all_kept(bench *b, const model_plan *plan)
{
  static const model_dropping nothing = {0};
  model after = b->tree;
  uint64_t next_id = 100;
  assert_true(model_execute(&after, plan, &nothing, &next_id));
  assert_true(model_is_ordered(&after));
  assert_true(model_same_reads(&b->tree, &after));
  b->sum.executions++;
}

static void
expect_reads_kept(bench *b, const model_plan *plan, model_dropping *dropping)
{
  uint8_t snapshots[3];
  dropping->is_on = true;
  dropping->snapshots = snapshots;
  dropping->snapshot_count = choose_snapshots(b, snapshots);
  model after = b->tree;
  uint64_t next_id = 100;
  assert_true(model_execute(&after, plan, dropping, &next_id));
  assert_true(model_is_ordered(&after));
  assert_true(model_same_reads_at(&b->tree, &after, LATEST));
  for (size_t s = 0; s < dropping->snapshot_count; s++) {
    assert_true(model_same_reads_at(&b->tree, &after, snapshots[s]));
  }
  b->sum.executions++;
}

static void
check_accepted(bench *b, const model_plan *plan, const gs_plan *engine_plan)
{
  model_dropping dropping = {0};
  find_bottoms(b, plan, engine_plan, dropping.is_bottom);
  b->sum.accepted++;
  model_fill_dense(&b->tree);
  expect_all_kept(b, plan);
  for (int i = 0; i < 2; i++) {
    model_fill_random(&b->tree, &b->random);
    expect_all_kept(b, plan);
    if (plan->op == GS_PLAN_MERGE) {
      expect_reads_kept(b, plan, &dropping);
    }
  }
}

/* ---- refused plans -------------------------------------------------------- */

static bool
breaks_something(const model *before, const model_plan *plan)
{
  static const model_dropping nothing = {0};
  model after = *before;
  uint64_t next_id = 100;
  return !model_execute(&after, plan, &nothing, &next_id) ||
         !model_is_ordered(&after) || !model_same_reads(before, &after);
}

static bool
could_break(bench *b, const model_plan *plan)
{
  model_fill_dense(&b->tree);
  for (int i = 0; i < TRIES; i++) {
    if (breaks_something(&b->tree, plan)) {
      return true;
    }
    model_fill_random(&b->tree, &b->random);
  }
  return false;
}

static void
check_plan(bench *b, const model_plan *plan)
{
  uint64_t ids[MODEL_RUNS * MODEL_KEYS];
  gs_plan engine_plan = model_engine_plan(&b->tree, plan, ids);
  gs_refusal refusal = {0};
  bool is_fine =
      gs_plan_check(b->version, &engine_plan, NULL, 0, &no_limits, &refusal);
  b->sum.plans++;
  if (is_fine) {
    check_accepted(b, plan, &engine_plan);
  } else if (refusal.code == GS_REFUSAL_UPWARD) {
    b->sum.upward++;
    b->sum.upward_harmless += !breaks_something(&b->tree, plan);
  } else {
    b->sum.blocked += refusal.code == GS_REFUSAL_PATH_BLOCKED;
    b->sum.rewrites += refusal.code == GS_REFUSAL_NEEDS_REWRITE;
    assert_true(could_break(b, plan));
  }
}

/* ---- all of them ---------------------------------------------------------- */

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
  unsigned tables = 0;
  for (uint8_t i = 0; i < b->tree.run_count; i++) {
    tables += b->tree.runs[i].count;
  }
  for (unsigned set = 1; set < 1u << tables; set++) {
    model_plan plan = {.op = GS_PLAN_MERGE};
    unsigned rest = set;
    for (uint8_t i = 0; i < b->tree.run_count; i++) {
      plan.inputs[i] = (uint8_t)(rest & ((1u << b->tree.runs[i].count) - 1));
      rest >>= b->tree.runs[i].count;
    }
    check_targets(b, &plan);
    plan.op = GS_PLAN_MOVE;
    check_targets(b, &plan);
  }
}

static void
check_all_trees(bench *b, const shapes *all, int more_runs)
{
  if (more_runs == 0) {
    begin_tree(b);
    check_tree(b);
    end_tree(b);
    return;
  }
  for (size_t i = 0; i < all->count; i++) {
    add_run(&b->tree, &all->runs[i]);
    check_all_trees(b, all, more_runs - 1);
    b->tree.run_count--;
  }
}

static void
test_accepted_is_right_and_blocked_is_wrong_for_all_trees(void **state)
{
  (void)state;
  static const struct {
    int runs;
    uint8_t keys;
  } sizes[] = {{1, 4}, {2, 4}, {3, 3}, {4, 2}};
  bench b;
  setup(&b);
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    shapes all = {0};
    list_shapes(&all, (model_run){0}, 0, sizes[i].keys);
    check_all_trees(&b, &all, sizes[i].runs);
  }
  report(&b, "all");
  assert_true(b.sum.executions > 1000000 && b.sum.blocked > 100000);
  assert_int_equal(b.alloc.live_bytes, 0);
}

/* ---- random ones ---------------------------------------------------------- */

static void
test_accepted_is_right_and_blocked_is_wrong_for_random_trees(void **state)
{
  (void)state;
  shapes all = {0};
  list_shapes(&all, (model_run){0}, 0, MODEL_KEYS);
  bench b;
  setup(&b);
  for (size_t i = family_count(200000); i > 0; i--) {
    choose_tree(&b, &all);
    begin_tree(&b);
    for (int p = 0; p < 20; p++) {
      model_plan plan = choose_plan(&b);
      check_plan(&b, &plan);
    }
    end_tree(&b);
  }
  report(&b, "random");
  assert_true(b.sum.accepted > 1000 && b.sum.blocked > 1000);
  assert_int_equal(b.alloc.live_bytes, 0);
}

/* ---- drops ---------------------------------------------------------------- */

/* Every read gives what it gave, or nothing. */
static bool
loses_only(const model *before, const model *after)
{
  for (uint8_t key = 0; key < MODEL_KEYS; key++) {
    for (unsigned seq = 0; seq <= LATEST; seq++) {
      unsigned was = model_read(before, key, seq);
      unsigned is = model_read(after, key, seq);
      if (is != was && is != 0) {
        return false;
      }
    }
  }
  return true;
}

static bool
surfaces_something(const model *before, const model_plan *plan)
{
  static const model_dropping nothing = {0};
  model after = *before;
  uint64_t next_id = 100;
  assert_true(model_execute(&after, plan, &nothing, &next_id));
  return !loses_only(before, &after);
}

static void
check_drop(bench *b, const model_plan *plan)
{
  uint64_t ids[MODEL_RUNS * MODEL_KEYS];
  gs_plan engine_plan = model_engine_plan(&b->tree, plan, ids);
  gs_plan_limits limits = no_limits;
  limits.may_lose = true;
  gs_refusal refusal = {0};
  b->sum.plans++;
  if (gs_plan_check(b->version, &engine_plan, NULL, 0, &limits, &refusal)) {
    b->sum.accepted++;
    for (int i = 0; i < 3; i++) {
      model_fill_random(&b->tree, &b->random);
      assert_false(surfaces_something(&b->tree, plan));
      b->sum.executions++;
    }
  } else {
    assert_int_equal(refusal.code, GS_REFUSAL_PATH_BLOCKED);
    model_fill_dense(&b->tree);
    assert_true(surfaces_something(&b->tree, plan));
    b->sum.blocked++;
  }
}

static void
test_a_drop_never_brings_an_older_version_back(void **state)
{
  (void)state;
  shapes all = {0};
  list_shapes(&all, (model_run){0}, 0, MODEL_KEYS);
  bench b;
  setup(&b);
  for (size_t i = family_count(100000); i > 0; i--) {
    choose_tree(&b, &all);
    begin_tree(&b);
    for (int p = 0; p < 10; p++) {
      model_plan plan = {.op = GS_PLAN_DROP};
      choose_inputs(&b, &plan);
      if (p % 2 == 0) { /* leaning towards plans that are fine */
        plan.inputs[b.tree.run_count - 1] = 0xff;
        plan.inputs[0] = 0;
      }
      check_drop(&b, &plan);
    }
    end_tree(&b);
  }
  report(&b, "drops");
  assert_true(b.sum.accepted > 100 && b.sum.blocked > 100);
  assert_int_equal(b.alloc.live_bytes, 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(
          test_accepted_is_right_and_blocked_is_wrong_for_all_trees),
      cmocka_unit_test(
          test_accepted_is_right_and_blocked_is_wrong_for_random_trees),
      cmocka_unit_test(test_a_drop_never_brings_an_older_version_back),
  };
  return family_report(16, "plan", all_plans,
                       cmocka_run_group_tests(tests, NULL, NULL),
                       "plans over small trees");
}
