/*
 * plan_judge: one plan on one tree: what the engine's check says, and whether
 * that is right.
 *
 * What is accepted is executed, on the content in which every table has every
 * key of its range and on two by chance, and must keep order and reads; a merge
 * also when it leaves out what E2 to E4 allow. What is refused as blocked must
 * break order or a read for some content, or the rule would be stricter than
 * need be. What goes upward is refused by its target alone; how much of it would
 * have done no harm on the full content is counted.
 *
 * Requires: cmocka.h, included before.
 */
#ifndef GS_CTEST_TREE_PLAN_JUDGE_H
#define GS_CTEST_TREE_PLAN_JUDGE_H

#include "tree/plan_sweep.h"

enum { TRIES = 1000 };

static inline void
report(const bench *b, const char *what)
{
  const figures *f = &b->sum;
  print_message(
      "%s: %llu trees, %llu plans; %llu accepted, %llu executions; %llu "
      "blocked, each broken by some content; %llu moves of overlapping tables; "
      "%llu upward (%llu of them harmless when dense)\n",
      what, (unsigned long long)f->trees, (unsigned long long)f->plans,
      (unsigned long long)f->accepted, (unsigned long long)f->executions,
      (unsigned long long)f->blocked, (unsigned long long)f->rewrites,
      (unsigned long long)f->upward, (unsigned long long)f->upward_harmless);
}

/* ---- accepted plans ------------------------------------------------------- */

static inline void
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

static inline void
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

static inline void
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

static inline bool
breaks_something(const model *before, const model_plan *plan)
{
  static const model_dropping nothing = {0};
  model after = *before;
  uint64_t next_id = 100;
  return !model_execute(&after, plan, &nothing, &next_id) ||
         !model_is_ordered(&after) || !model_same_reads(before, &after);
}

static inline bool
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

static inline void
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

#endif
