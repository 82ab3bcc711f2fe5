/*
 * Drops in the small: every set of tables of every tree of up to two runs and
 * four keys, three runs and three keys, four and five runs and two keys, at
 * scale 1 also three runs and four keys and four runs and three keys, where the
 * policy may lose what lives; and on trees of up to two runs and three keys,
 * three runs and two keys, at scale 1 also two runs and four keys, every way in
 * which tables are dead, with a snapshot and without.
 *
 * A state is one drop on one tree: how the tables lie, which are dead when, the
 * set of inputs, whether there is a snapshot. No two are the same.
 *
 * A read gives nothing where the version it meets has expired by the clock it
 * reads with. So the content at a clock is the same content with the versions
 * of dead tables turned into tombstones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tree/plan_sweep.h"

enum { TRIES = 200, SNAPSHOT_MS = 10, NOW_MS = 20, LATER_MS = 30 };

static uint64_t all_plans;

static void
report(const bench *b, const char *what)
{
  const figures *f = &b->sum;
  all_plans += f->plans;
  print_message(
      "%s: %llu trees, %llu drops; %llu accepted, %llu executions; "
      "%llu blocked, each broken by some content; %llu blocked by "
      "what is dead as well; %llu alive\n",
      what, (unsigned long long)f->trees, (unsigned long long)f->plans,
      (unsigned long long)f->accepted, (unsigned long long)f->executions,
      (unsigned long long)f->blocked, (unsigned long long)f->blocked_harmless,
      (unsigned long long)f->alive);
}

static model
without(const model *before, const model_plan *plan)
{
  static const model_dropping nothing = {0};
  model after = *before;
  uint64_t next_id = 100;
  assert_true(model_execute(&after, plan, &nothing, &next_id));
  return after;
}

/* ---- a policy that may lose ------------------------------------------------- */

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
  model after = without(before, plan);
  return !loses_only(before, &after);
}

static void
check_loss(bench *b, const model_plan *plan)
{
  uint64_t ids[MODEL_RUNS * MODEL_KEYS];
  gs_plan engine_plan = model_engine_plan(&b->tree, plan, ids);
  gs_plan_limits limits = no_limits;
  limits.may_lose = true;
  gs_refusal refusal = {0};
  b->sum.plans++;
  if (!gs_plan_check(b->version, &engine_plan, NULL, 0, &limits, &refusal)) {
    assert_int_equal(refusal.code, GS_REFUSAL_PATH_BLOCKED);
    model_fill_dense(&b->tree);
    assert_true(surfaces_something(&b->tree, plan));
    b->sum.blocked++;
    return;
  }
  b->sum.accepted++;
  for (int i = 0; i < 2; i++) {
    model_fill_random(&b->tree, &b->random);
    assert_false(surfaces_something(&b->tree, plan));
    b->sum.executions++;
  }
}

static void
check_losses(bench *b)
{
  for (unsigned set = 1; set < 1u << count_tables(&b->tree); set++) {
    model_plan plan = {.op = GS_PLAN_DROP};
    set_inputs(&b->tree, &plan, set);
    check_loss(b, &plan);
  }
}

static void
test_a_drop_never_brings_an_older_version_back(void **state)
{
  (void)state;
  static const tree_size sizes[] = {
      {1, 4, false}, {2, 4, false}, {3, 3, false}, {4, 2, false},
      {5, 2, true},  {3, 4, true},  {4, 3, true},
  };
  bench b;
  setup(&b);
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    visit_size(&b, &sizes[i], check_losses);
  }
  report(&b, "may lose");
  assert_true(b.sum.accepted > 10000 && b.sum.blocked > 10000);
  assert_int_equal(b.alloc.live_bytes, 0);
}

/* ---- tables that are dead --------------------------------------------------- */

/* When all of a table has expired. */
typedef enum death {
  NEVER = 0,        /* some entries stay, or expire later than now */
  FOR_NOW = 1,      /* by now, not yet for the snapshot */
  FOR_SNAPSHOT = 2, /* for the snapshot as well */
  DEATHS = 3,
} death;

typedef struct deaths {
  death of[MODEL_RUNS][MODEL_KEYS]; /* by run and table */
} deaths;

/* The tables' metadata say so; of the living, every second one expires as a
 * whole, but later. */
static void
tell_deaths(bench *b, const deaths *dead)
{
  static const uint64_t ends_ms[] = {LATER_MS, NOW_MS, SNAPSHOT_MS};
  for (size_t run = 0; run < b->version->run_count; run++) {
    for (size_t t = 0; t < b->version->runs[run]->table_count; t++) {
      gs_table_meta *meta = &b->version->runs[run]->tables[t]->meta;
      death when = dead->of[run][t];
      bool has_rest = when == NEVER && (run + t) % 2 == 0;
      meta->expiring_count =
          has_rest ? meta->entry_count - 1 : meta->entry_count;
      meta->min_expiry_ms = 1;
      meta->max_expiry_ms = has_rest ? 1 : ends_ms[when];
    }
  }
}

/* The content as it is read by the clock at which tables of that death are. */
static model
at_clock(const model *m, const deaths *dead, death least)
{
  model out = *m;
  for (uint8_t i = 0; i < m->run_count; i++) {
    for (uint8_t t = 0; t < m->runs[i].count; t++) {
      const model_table *table = &m->runs[i].tables[t];
      for (uint8_t key = table->min;
           dead->of[i][t] >= least && key <= table->max; key++) {
        memset(out.cells[i][key].is_put, 0, sizeof out.cells[i][key].is_put);
      }
    }
  }
  return out;
}

static bool
changes_a_read_at(const model *m, const deaths *dead, death least,
                  const model_plan *plan)
{
  model before = at_clock(m, dead, least);
  model after = without(&before, plan);
  return !model_same_reads(&before, &after);
}

static bool
changes_a_read(const model *m, const deaths *dead, const model_plan *plan,
               bool has_snapshot)
{
  return changes_a_read_at(m, dead, FOR_NOW, plan) ||
         (has_snapshot && changes_a_read_at(m, dead, FOR_SNAPSHOT, plan));
}

static bool
could_change(bench *b, const deaths *dead, const model_plan *plan,
             bool has_snapshot)
{
  model_fill_dense(&b->tree);
  for (int i = 0; i < TRIES; i++) {
    if (changes_a_read(&b->tree, dead, plan, has_snapshot)) {
      return true;
    }
    model_fill_random(&b->tree, &b->random);
  }
  return false;
}

static bool
is_input(const model_plan *plan, uint8_t run, size_t table)
{
  return (plan->inputs[run] >> table & 1) != 0;
}

/* Whether the version that comes to light when an input loses its own of the
 * key may live: no table that stays and is dead has to have the key between
 * the two. */
static bool
could_surface(const model *m, const deaths *dead, death least,
              const model_plan *plan, uint8_t key)
{
  bool is_over = false; /* an input that has the key stands above */
  for (uint8_t i = 0; i < m->run_count; i++) {
    const model_table *table = model_table_of(&m->runs[i], key);
    if (table == NULL) {
      continue;
    }
    size_t at = (size_t)(table - m->runs[i].tables);
    if (is_input(plan, i, at)) {
      is_over = true;
    } else if (is_over && dead->of[i][at] < least) {
      return true;
    } else if (key == table->min || key == table->max) {
      is_over = false;
    }
  }
  return false;
}

/* By definition, from what metadata tell; inputs that live aside. */
static bool
must_block(const model *m, const deaths *dead, const model_plan *plan,
           bool has_snapshot)
{
  for (uint8_t key = 0; key < MODEL_KEYS; key++) {
    if (could_surface(m, dead, FOR_NOW, plan, key) ||
        (has_snapshot && could_surface(m, dead, FOR_SNAPSHOT, plan, key))) {
      return true;
    }
  }
  return false;
}

static void
check_blocked(bench *b, const deaths *dead, const model_plan *plan,
              bool has_snapshot)
{
  if (must_block(&b->tree, dead, plan, has_snapshot)) {
    b->sum.blocked++;
    assert_true(could_change(b, dead, plan, has_snapshot));
  } else {
    b->sum.blocked_harmless++;
  }
}

static void
check_drop(bench *b, const deaths *dead, const model_plan *plan,
           bool has_snapshot)
{
  uint64_t ids[MODEL_RUNS * MODEL_KEYS];
  gs_plan engine_plan = model_engine_plan(&b->tree, plan, ids);
  gs_plan_limits limits = no_limits;
  limits.safe_clock_ms = NOW_MS;
  if (has_snapshot) {
    limits.oldest_snapshot_seq = 1;
    limits.oldest_snapshot_clock_ms = SNAPSHOT_MS;
  }
  gs_refusal refusal = {0};
  b->sum.plans++;
  if (gs_plan_check(b->version, &engine_plan, NULL, 0, &limits, &refusal)) {
    b->sum.accepted++;
    model_fill_dense(&b->tree);
    assert_false(changes_a_read(&b->tree, dead, plan, has_snapshot));
    model_fill_random(&b->tree, &b->random);
    assert_false(changes_a_read(&b->tree, dead, plan, has_snapshot));
    b->sum.executions += 2;
  } else if (refusal.code == GS_REFUSAL_NOT_DEAD) {
    b->sum.alive++;
    model_fill_dense(&b->tree);
    assert_true(changes_a_read(&b->tree, dead, plan, has_snapshot));
  } else {
    assert_int_equal(refusal.code, GS_REFUSAL_PATH_BLOCKED);
    check_blocked(b, dead, plan, has_snapshot);
  }
}

/* All sets of inputs, with a snapshot and without. */
static void
check_deaths(bench *b, const deaths *dead)
{
  tell_deaths(b, dead);
  for (unsigned set = 1; set < 1u << count_tables(&b->tree); set++) {
    model_plan plan = {.op = GS_PLAN_DROP};
    set_inputs(&b->tree, &plan, set);
    check_drop(b, dead, &plan, false);
    check_drop(b, dead, &plan, true);
  }
}

static void
check_all_deaths(bench *b)
{
  unsigned count = 1;
  for (unsigned i = count_tables(&b->tree); i > 0; i--) {
    count *= DEATHS;
  }
  for (unsigned number = 0; number < count; number++) {
    deaths dead = {0};
    unsigned rest = number;
    for (uint8_t i = 0; i < b->tree.run_count; i++) {
      for (uint8_t t = 0; t < b->tree.runs[i].count; t++) {
        dead.of[i][t] = (death)(rest % DEATHS);
        rest /= DEATHS;
      }
    }
    check_deaths(b, &dead);
  }
}

static void
test_a_drop_of_the_dead_changes_no_read_now_nor_of_a_snapshot(void **state)
{
  (void)state;
  static const tree_size sizes[] = {
      {1, 4, false}, {2, 3, false}, {3, 2, false}, {2, 4, true}, {4, 2, true}};
  bench b;
  setup(&b);
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    visit_size(&b, &sizes[i], check_all_deaths);
  }
  report(&b, "the dead");
  assert_true(b.sum.accepted > 10000 && b.sum.blocked > 10000 &&
              b.sum.alive > 10000);
  assert_int_equal(b.alloc.live_bytes, 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_drop_never_brings_an_older_version_back),
      cmocka_unit_test(
          test_a_drop_of_the_dead_changes_no_read_now_nor_of_a_snapshot),
  };
  return family_report(16, "plan-drops", all_plans,
                       cmocka_run_group_tests(tests, NULL, NULL),
                       "different drops on small trees");
}
