/*
 * plan_sweep: a small tree as model and as version, and all or random ones of
 * them with plans for them.
 *
 * Life: setup; then begin_tree once b->tree has its runs, end_tree when it is
 * done with.
 *
 * Requires: cmocka.h, included before.
 */
#ifndef GS_CTEST_TREE_PLAN_SWEEP_H
#define GS_CTEST_TREE_PLAN_SWEEP_H

#include "support/family.h"
#include "support/test_alloc.h"
#include "tree/plan_model.h"

enum { LATEST = 255, SNAPSHOTS = 3 };

static const gs_plan_limits no_limits = {
    .max_runs = SIZE_MAX,
    .free_bytes = UINT64_MAX,
    .oldest_snapshot_seq = UINT64_MAX,
    .oldest_snapshot_clock_ms = UINT64_MAX,
};

typedef struct figures {
  uint64_t trees;
  uint64_t plans;
  uint64_t accepted;
  uint64_t executions;
  uint64_t blocked;
  uint64_t rewrites;
  uint64_t upward;
  uint64_t upward_harmless;
  uint64_t blocked_harmless; /* of drops */
  uint64_t alive;            /* drops of tables that are not dead */
} figures;

/* A tree under test and what was found. */
typedef struct bench {
  test_alloc alloc;
  uint64_t random;
  model tree;
  gs_version *version;
  figures sum;
} bench;

static inline void
setup(bench *b)
{
  *b = (bench){.random = 0x9e3779b97f4a7c15};
  test_alloc_init(&b->alloc);
}

static inline void
begin_tree(bench *b)
{
  model_fill_dense(&b->tree);
  b->version = model_version(&b->tree, &b->alloc.base);
  assert_non_null(b->version);
  b->sum.trees++;
}

static inline void
end_tree(bench *b)
{
  gs_version_unref(b->version);
}

/* ---- trees ---------------------------------------------------------------- */

typedef struct shapes {
  size_t count;
  model_run runs[40];
} shapes;

/* All ways to put tables on keys from..keys-1, behind those of the run. */
static inline void
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

static inline void
add_run(model *m, const model_run *shape)
{
  model_run *run = &m->runs[m->run_count++];
  *run = *shape;
  run->id = 50u + m->run_count;
  for (uint8_t t = 0; t < run->count; t++) {
    run->tables[t].id = (uint64_t)m->run_count * 10 + t;
  }
}

/* Of so many runs, or one or two more. */
static inline void
choose_tree(bench *b, const shapes *all, uint32_t least, uint32_t more)
{
  b->tree.run_count = 0;
  uint32_t runs = least + model_random(&b->random, more + 1);
  for (uint32_t i = 0; i < runs; i++) {
    add_run(&b->tree,
            &all->runs[model_random(&b->random, (uint32_t)all->count)]);
  }
}

/* What is done with a tree that has its runs. */
typedef void (*tree_visit)(bench *b);

/* How many trees of a sweep are passed over. */
typedef struct tree_stride {
  size_t stride;
  size_t at; /* 0: the next one is visited */
} tree_stride;

/* Every tree with so many more runs of these shapes. */
static inline void
visit_all_trees(bench *b, const shapes *all, int more_runs,
                tree_stride *skipped, tree_visit visit)
{
  if (more_runs > 0) {
    for (size_t i = 0; i < all->count; i++) {
      add_run(&b->tree, &all->runs[i]);
      visit_all_trees(b, all, more_runs - 1, skipped, visit);
      b->tree.run_count--;
    }
    return;
  }
  if (skipped->at == 0) {
    begin_tree(b);
    visit(b);
    end_tree(b);
  }
  skipped->at = (skipped->at + 1) % skipped->stride;
}

/* A size of trees: all of them, or, where they are many, a share of them that
 * grows with the scale up to all at 1. */
typedef struct tree_size {
  int runs;
  uint8_t keys;
  bool is_large;
} tree_size;

/* Five times fewer than the scale says, since plans are many to a tree; and not
 * always the same ones of a number of shapes that the stride divides. */
static inline void
visit_size(bench *b, const tree_size *size, tree_visit visit)
{
  tree_stride skipped = {.stride = 1};
  size_t stride = family_size_of(1).stride;
  if (size->is_large && stride > 1) {
    skipped.stride = stride * 5 + 1;
  }
  shapes all = {0};
  list_shapes(&all, (model_run){0}, 0, size->keys);
  visit_all_trees(b, &all, size->runs, &skipped, visit);
}

/* The inputs of run i are the next bits of the set. */
static inline void
set_inputs(const model *m, model_plan *plan, unsigned set)
{
  for (uint8_t i = 0; i < m->run_count; i++) {
    plan->inputs[i] = (uint8_t)(set & ((1u << m->runs[i].count) - 1));
    set >>= m->runs[i].count;
  }
}

static inline unsigned
count_tables(const model *m)
{
  unsigned tables = 0;
  for (uint8_t i = 0; i < m->run_count; i++) {
    tables += m->runs[i].count;
  }
  return tables;
}

/* Each table with odds of one half; at least one. */
static inline void
choose_inputs(bench *b, model_plan *plan)
{
  const model *m = &b->tree;
  for (uint8_t i = 0; i < m->run_count; i++) {
    plan->inputs[i] = (uint8_t)model_random(&b->random, 1u << m->runs[i].count);
  }
  uint32_t run = model_random(&b->random, m->run_count);
  plan->inputs[run] |=
      (uint8_t)(1u << model_random(&b->random, m->runs[run].count));
}

static inline model_plan
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

/* ---- what a job knows when it starts -------------------------------------- */

static inline bool
is_bottom_by_definition(const model *m, const model_plan *plan, size_t position,
                        uint8_t key)
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

static inline void
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

/* Up to three, rising. */
static inline size_t
choose_snapshots(bench *b, uint8_t *snapshots)
{
  size_t count = 0;
  for (uint32_t s = 0; count < SNAPSHOTS; count++) {
    s += model_random(&b->random, 40);
    if (s >= 80) {
      break;
    }
    snapshots[count] = (uint8_t)s;
  }
  return count;
}

#endif
