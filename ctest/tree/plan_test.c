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

#include "support/test_alloc.h"
#include "tree/plan_model.h"

enum { LATEST = 255, TRIES = 1000 };

static const gs_plan_limits no_limits = {
    .max_runs = SIZE_MAX,
    .free_bytes = UINT64_MAX,
    .oldest_snapshot_seq = UINT64_MAX,
    .oldest_snapshot_clock_ms = UINT64_MAX,
};

typedef struct figures {
  uint64_t plans;
  uint64_t accepted;
  uint64_t executions;
  uint64_t blocked;
  uint64_t rewrites;
  uint64_t upward;
  uint64_t upward_harmless;
} figures;

/* A tree under test and what was found. */
typedef struct bench {
  test_alloc alloc;
  uint64_t random;
  model tree;
  gs_version *version;
  figures sum;
} bench;

static void
setup(bench *b)
{
  *b = (bench){.random = 0x9e3779b97f4a7c15};
  test_alloc_init(&b->alloc);
}

static void
begin_tree(bench *b)
{
  model_fill_dense(&b->tree);
  b->version = model_version(&b->tree, &b->alloc.base);
  assert_non_null(b->version);
}

static void
end_tree(bench *b)
{
  gs_version_unref(b->version);
}

static void
report(const bench *b, const char *what)
{
  const figures *f = &b->sum;
  print_message("%s: %llu plans; %llu accepted, %llu executions; %llu blocked, "
                "each broken by some content; %llu moves of overlapping "
                "tables; %llu upward (%llu of them harmless when dense)\n",
                what, (unsigned long long)f->plans,
                (unsigned long long)f->accepted,
                (unsigned long long)f->executions,
                (unsigned long long)f->blocked,
                (unsigned long long)f->rewrites,
                (unsigned long long)f->upward,
                (unsigned long long)f->upward_harmless);
}

/* ---- accepted plans ------------------------------------------------------- */

static bool
is_bottom_by_definition(const model *m, const model_plan *plan,
                        size_t position, uint8_t key)
{
  for (uint8_t i = 0; i < m->run_count; i++) {
    const model_table *table = model_table_of(&m->runs[i], key);
    if (2u * i + 1 > position && table != NULL &&
        (plan->inputs[i] >> (table - m->runs[i].tables) & 1) == 0) {
      return false;
    }
  }
  return true;
}

static void
find_bottoms(bench *b, const model_plan *plan, const gs_plan *engine_plan,
             bool *is_bottom)
{
  size_t state[MODEL_RUNS] = {0};
  size_t position = gs_plan_position(b->version, engine_plan);
  for (uint8_t key = 0; key < MODEL_KEYS; key++) {
    is_bottom[key] = gs_plan_is_bottom(b->version, engine_plan, position, state,
                                       model_key(key));
    assert_int_equal(is_bottom[key],
                     is_bottom_by_definition(&b->tree, plan, position, key));
  }
}

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

/* Up to three, rising. */
static size_t
choose_snapshots(bench *b, uint8_t *snapshots)
{
  size_t count = 0;
  for (uint32_t s = 0; count < 3; count++) {
    s += model_random(&b->random, 40);
    if (s >= 80) {
      break;
    }
    snapshots[count] = (uint8_t)s;
  }
  return count;
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
  bool is_fine = gs_plan_check(b->version, &engine_plan, NULL, 0, &no_limits,
                               &refusal);
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

typedef struct shapes {
  size_t count;
  model_run runs[40];
} shapes;

/* All ways to put tables on keys from..keys-1, behind those of the run. */
static void
list_shapes(shapes *all, model_run run, uint8_t from, uint8_t keys)
{
  if (from == keys) {
    all->runs[all->count] = run;
    all->count += run.count > 0;
    return;
  }
  list_shapes(all, run, from + 1, keys);
  for (uint8_t max = from; max < keys; max++) {
    model_run longer = run;
    longer.tables[longer.count++] = (model_table){0, from, max};
    list_shapes(all, longer, max + 1, keys);
  }
}

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
      plan.inputs[i] =
          (uint8_t)(rest & ((1u << b->tree.runs[i].count) - 1));
      rest >>= b->tree.runs[i].count;
    }
    check_targets(b, &plan);
    plan.op = GS_PLAN_MOVE;
    check_targets(b, &plan);
  }
}

static void
add_run(model *m, const model_run *shape)
{
  model_run *run = &m->runs[m->run_count++];
  *run = *shape;
  run->id = 50u + m->run_count;
  for (uint8_t t = 0; t < run->count; t++) {
    run->tables[t].id = (uint64_t)m->run_count * 10 + t;
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
choose_tree(bench *b, const shapes *all)
{
  b->tree.run_count = 0;
  uint32_t runs = 2 + model_random(&b->random, 3);
  for (uint32_t i = 0; i < runs; i++) {
    add_run(&b->tree,
            &all->runs[model_random(&b->random, (uint32_t)all->count)]);
  }
}

/* Each table with odds of one half; at least one. */
static void
choose_inputs(bench *b, model_plan *plan)
{
  const model *m = &b->tree;
  for (uint8_t i = 0; i < m->run_count; i++) {
    plan->inputs[i] =
        (uint8_t)model_random(&b->random, 1u << m->runs[i].count);
  }
  uint32_t run = model_random(&b->random, m->run_count);
  plan->inputs[run] |=
      (uint8_t)(1u << model_random(&b->random, m->runs[run].count));
}

static model_plan
choose_plan(bench *b)
{
  model_plan plan = {.op = GS_PLAN_MERGE};
  if (model_random(&b->random, 4) == 0) {
    plan.op = GS_PLAN_MOVE;
  }
  choose_inputs(b, &plan);
  plan.target = (gs_plan_target)(1 + model_random(&b->random, 3));
  plan.target_run = (uint8_t)model_random(&b->random, b->tree.run_count);
  return plan;
}

static void
test_accepted_is_right_and_blocked_is_wrong_for_random_trees(void **state)
{
  (void)state;
  shapes all = {0};
  list_shapes(&all, (model_run){0}, 0, MODEL_KEYS);
  bench b;
  setup(&b);
  for (int i = 0; i < 20000; i++) {
    choose_tree(&b, &all);
    begin_tree(&b);
    for (int p = 0; p < 20; p++) {
      model_plan plan = choose_plan(&b);
      check_plan(&b, &plan);
    }
    end_tree(&b);
  }
  report(&b, "random");
  assert_true(b.sum.accepted > 10000 && b.sum.blocked > 100000);
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
  for (int i = 0; i < 5000; i++) {
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
  assert_true(b.sum.accepted > 1000 && b.sum.blocked > 1000);
  assert_int_equal(b.alloc.live_bytes, 0);
}

/* ---- two jobs at once ----------------------------------------------------- */

typedef struct pair_figures {
  uint64_t pairs;
  uint64_t kept_apart; /* by the claim */
  uint64_t given_up;   /* by the check at install */
  uint64_t installed;
} pair_figures;

static bool
is_accepted(bench *b, const model_plan *plan, const gs_claim *claim,
            gs_refusal *refusal)
{
  uint64_t ids[MODEL_RUNS * MODEL_KEYS];
  gs_plan engine_plan = model_engine_plan(&b->tree, plan, ids);
  return gs_plan_check(b->version, &engine_plan, &claim, claim != NULL,
                       &no_limits, refusal);
}

static model_plan
choose_accepted(bench *b)
{
  gs_refusal refusal;
  model_plan plan;
  do {
    plan = choose_plan(b);
  } while (!is_accepted(b, &plan, NULL, &refusal));
  return plan;
}

/* The plan of a job that began on `before`, for the tree as it is now; false
 * where its target or an input is gone. */
static bool
translate(const model *before, const model *now, const model_plan *plan,
          model_plan *out)
{
  *out = (model_plan){.op = plan->op, .target = plan->target};
  uint64_t target = before->runs[plan->target_run].id;
  bool is_found = plan->target == GS_TARGET_BOTTOM;
  int missing = 0;
  for (uint8_t i = 0; i < before->run_count; i++) {
    missing += __builtin_popcount(plan->inputs[i] &
                                  ((1u << before->runs[i].count) - 1));
  }
  for (uint8_t i = 0; i < now->run_count; i++) {
    if (now->runs[i].id == target) {
      out->target_run = i;
      is_found = true;
    }
    for (uint8_t t = 0; t < now->runs[i].count; t++) {
      for (uint8_t j = 0; j < before->run_count; j++) {
        for (uint8_t u = 0; u < before->runs[j].count; u++) {
          if ((plan->inputs[j] >> u & 1) != 0 &&
              before->runs[j].tables[u].id == now->runs[i].tables[t].id) {
            out->inputs[i] |= (uint8_t)(1u << t);
            missing--;
          }
        }
      }
    }
  }
  return is_found && missing == 0;
}

/* The second job ends while the first one, begun before it, is running. */
static void
run_pair(bench *b, const model_plan *first, const model_plan *second,
         pair_figures *sum)
{
  uint8_t snapshots[3];
  model_dropping a = {.is_on = first->op == GS_PLAN_MERGE,
                      .snapshots = snapshots,
                      .snapshot_count = choose_snapshots(b, snapshots)};
  model_dropping z = a;
  z.is_on = second->op == GS_PLAN_MERGE;
  uint64_t ids[MODEL_RUNS * MODEL_KEYS];
  gs_plan engine_plan = model_engine_plan(&b->tree, first, ids);
  find_bottoms(b, first, &engine_plan, a.is_bottom);
  engine_plan = model_engine_plan(&b->tree, second, ids);
  find_bottoms(b, second, &engine_plan, z.is_bottom);

  model before = b->tree;
  model_fill_random(&before, &b->random);
  uint64_t next_id = 100;
  gs_version *version = b->version;
  b->tree = before;
  assert_true(model_execute(&b->tree, second, &z, &next_id));
  b->version = model_version(&b->tree, &b->alloc.base);
  model_plan late;
  gs_refusal refusal;
  if (translate(&before, &b->tree, first, &late) &&
      is_accepted(b, &late, NULL, &refusal)) {
    assert_true(model_execute(&b->tree, &late, &a, &next_id));
    sum->installed++;
  } else {
    sum->given_up++;
  }
  assert_true(model_is_ordered(&b->tree));
  assert_true(model_same_reads_at(&before, &b->tree, LATEST));
  for (size_t s = 0; s < a.snapshot_count; s++) {
    assert_true(model_same_reads_at(&before, &b->tree, snapshots[s]));
  }
  gs_version_unref(b->version);
  b->version = version;
  b->tree = before;
}

static void
check_pair(bench *b, pair_figures *sum)
{
  model_plan first = choose_accepted(b);
  uint64_t ids[MODEL_RUNS * MODEL_KEYS];
  gs_plan engine_plan = model_engine_plan(&b->tree, &first, ids);
  gs_claim *claim = NULL;
  assert_int_equal(gs_claim_new(&b->alloc.base, 1, b->version, &engine_plan,
                                &claim, NULL),
                   GS_OK);
  for (int i = 0; i < 8; i++) {
    model_plan second = choose_plan(b);
    gs_refusal refusal;
    if (is_accepted(b, &second, claim, &refusal)) {
      sum->pairs++;
      run_pair(b, &first, &second, sum);
    } else {
      sum->kept_apart += refusal.code == GS_REFUSAL_CLAIMED;
    }
  }
  gs_claim_free(&b->alloc.base, claim);
}

static void
test_two_jobs_at_once_keep_order_and_every_read(void **state)
{
  (void)state;
  shapes all = {0};
  list_shapes(&all, (model_run){0}, 0, MODEL_KEYS);
  bench b;
  setup(&b);
  pair_figures sum = {0};
  for (int i = 0; i < 30000; i++) {
    choose_tree(&b, &all);
    begin_tree(&b);
    check_pair(&b, &sum);
    end_tree(&b);
  }
  print_message("two jobs: %llu pairs, %llu kept apart by a claim; the first "
                "job installed %llu times, gave up %llu times\n",
                (unsigned long long)sum.pairs,
                (unsigned long long)sum.kept_apart,
                (unsigned long long)sum.installed,
                (unsigned long long)sum.given_up);
  assert_true(sum.installed > 1000 && sum.kept_apart > 1000);
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
      cmocka_unit_test(test_two_jobs_at_once_keep_order_and_every_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
