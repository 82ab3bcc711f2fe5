/*
 * Two jobs at once, in the small: whatever plan is accepted beside a running
 * job may be installed before that job ends, and the job may still end if its
 * plan passes a second time; order and reads are kept, although what the job
 * leaves out was settled before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tree/plan_sweep.h"

typedef struct pair_figures {
  uint64_t pairs;
  uint64_t kept_apart; /* by the claim */
  uint64_t given_up;   /* by the check at install */
  uint64_t installed;
} pair_figures;

static uint64_t all_pairs;

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

static bool
is_input(const model *m, const model_plan *plan, uint64_t table_id)
{
  for (uint8_t i = 0; i < m->run_count; i++) {
    for (uint8_t t = 0; t < m->runs[i].count; t++) {
      if (m->runs[i].tables[t].id == table_id) {
        return (plan->inputs[i] >> t & 1) != 0;
      }
    }
  }
  return false;
}

static int
count_inputs(const model *m, const model_plan *plan)
{
  int count = 0;
  for (uint8_t i = 0; i < m->run_count; i++) {
    for (uint8_t t = 0; t < m->runs[i].count; t++) {
      count += plan->inputs[i] >> t & 1;
    }
  }
  return count;
}

/* The plan of a job that began on `before`, for the tree as it is now; false
 * where its target or an input is gone. */
static bool
translate(const model *before, const model *now, const model_plan *plan,
          model_plan *out)
{
  *out = (model_plan){.op = plan->op, .target = plan->target};
  bool is_found = plan->target == GS_TARGET_BOTTOM;
  for (uint8_t i = 0; i < now->run_count; i++) {
    const model_run *run = &now->runs[i];
    if (run->id == before->runs[plan->target_run].id) {
      out->target_run = i;
      is_found = true;
    }
    for (uint8_t t = 0; t < run->count; t++) {
      bool is_one = is_input(before, plan, run->tables[t].id);
      out->inputs[i] |= (uint8_t)((unsigned)is_one << t);
    }
  }
  return is_found && count_inputs(now, out) == count_inputs(before, plan);
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
  assert_int_equal(
      gs_claim_new(&b->alloc.base, 1, b->version, &engine_plan, &claim, NULL),
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
  for (size_t i = family_count(1500000); i > 0; i--) {
    choose_tree(&b, &all, 2, 2);
    begin_tree(&b);
    check_pair(&b, &sum);
    end_tree(&b);
  }
  print_message(
      "two jobs: %llu pairs, %llu kept apart by a claim; the first "
      "job installed %llu times, gave up %llu times\n",
      (unsigned long long)sum.pairs, (unsigned long long)sum.kept_apart,
      (unsigned long long)sum.installed, (unsigned long long)sum.given_up);
  all_pairs = sum.pairs;
  assert_true(sum.installed > 1000 && sum.kept_apart > 1000);
  assert_int_equal(b.alloc.live_bytes, 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_two_jobs_at_once_keep_order_and_every_read),
  };
  return family_report(16, "plan-pairs", all_pairs,
                       cmocka_run_group_tests(tests, NULL, NULL),
                       "pairs of jobs at once");
}
