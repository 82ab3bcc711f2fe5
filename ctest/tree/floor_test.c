/*
 * Tests of the engine's own merge: what it gathers, and that every plan it
 * makes is one that the rules accept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/test_alloc.h"
#include "tree/floor.h"
#include "tree/plan.h"

enum { RUNS = 8 };

/* Runs of these sizes, newest first, one table each with all keys. */
static gs_version *
version_of(gs_alloc *alloc, const uint64_t *bytes, size_t count)
{
  gs_run *runs[RUNS];
  for (size_t i = 0; i < count; i++) {
    gs_table_meta meta = {.id = 100 + i,
                          .file_bytes = bytes[i],
                          .entry_count = 1,
                          .key_count = 1,
                          .min_seq = RUNS - i,
                          .max_seq = RUNS - i,
                          .min_key = gs_slice_str("a"),
                          .max_key = gs_slice_str("z")};
    gs_tree_table *table = gs_tree_table_new(alloc, &meta);
    assert_non_null(table);
    runs[i] = gs_run_new(alloc, 10 + i, 0, &table, 1);
    assert_non_null(runs[i]);
    gs_tree_table_unref(table);
  }
  gs_version *version = gs_version_new(alloc, 1, runs, count);
  assert_non_null(version);
  for (size_t i = 0; i < count; i++) {
    gs_run_unref(runs[i]);
  }
  return version;
}

static size_t
gathered(const uint64_t *bytes, size_t count, size_t leave)
{
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_version *version = version_of(&alloc.base, bytes, count);
  size_t runs = gs_floor_gather(version, leave);
  gs_version_unref(version);
  assert_int_equal(alloc.live_bytes, 0);
  return runs;
}

static void
test_runs_are_gathered_while_the_next_is_not_larger_than_all(void **state)
{
  (void)state;
  assert_int_equal(gathered((uint64_t[]){1, 1, 2, 5, 9}, 5, 4), 3);
  assert_int_equal(gathered((uint64_t[]){1, 1, 2, 4, 8}, 5, 4), 5);
  assert_int_equal(gathered((uint64_t[]){9, 1, 90}, 3, 4), 2);
}

static void
test_more_are_gathered_where_too_many_would_be_left(void **state)
{
  (void)state;
  assert_int_equal(gathered((uint64_t[]){1, 1, 9, 90, 900}, 5, 2), 3);
  assert_int_equal(gathered((uint64_t[]){1, 1, 9, 90, 900}, 5, 1), 4);
}

/* The oldest run alone has more tables than a plan may name. */
static void
test_no_more_tables_are_gathered_than_a_plan_may_name(void **state)
{
  (void)state;
  static gs_tree_table *tables[GS_PLAN_MAX_INPUTS];
  test_alloc alloc;
  test_alloc_init(&alloc);
  for (size_t i = 0; i < GS_PLAN_MAX_INPUTS; i++) {
    uint8_t key[2] = {(uint8_t)(i >> 8), (uint8_t)i};
    const gs_table_meta meta = {.id = 100 + i,
                                .file_bytes = 1,
                                .min_key = gs_slice_of(key, sizeof key),
                                .max_key = gs_slice_of(key, sizeof key)};
    tables[i] = gs_tree_table_new(&alloc.base, &meta);
    assert_non_null(tables[i]);
  }
  gs_run *runs[] = {gs_run_new(&alloc.base, 1, 0, &tables[0], 1),
                    gs_run_new(&alloc.base, 2, 0, &tables[1], 1),
                    gs_run_new(&alloc.base, 3, 1, tables, GS_PLAN_MAX_INPUTS)};
  gs_version *version = gs_version_new(&alloc.base, 1, runs, 3);
  assert_non_null(version);
  assert_int_equal(gs_floor_gather(version, 1), 2);
  gs_version_unref(version);
  for (size_t i = 0; i < 3; i++) {
    gs_run_unref(runs[i]);
  }
  for (size_t i = 0; i < GS_PLAN_MAX_INPUTS; i++) {
    gs_tree_table_unref(tables[i]);
  }
  assert_int_equal(alloc.live_bytes, 0);
}

static void
test_the_plan_is_one_that_the_rules_accept(void **state)
{
  (void)state;
  test_alloc alloc;
  test_alloc_init(&alloc);
  const uint64_t bytes[] = {1, 1, 2, 50, 100};
  gs_version *version = version_of(&alloc.base, bytes, 5);
  const gs_plan_limits limits = {.max_runs = GS_RUNS_MAX,
                                 .free_bytes = UINT64_MAX};
  for (size_t runs = 2; runs <= 5; runs++) {
    gs_plan plan;
    gs_refusal refusal;
    assert_int_equal(gs_floor_plan(&alloc.base, version, runs, &plan, NULL),
                     GS_OK);
    assert_true(gs_plan_check(version, &plan, NULL, 0, &limits, &refusal));
    assert_int_equal(plan.input_count, runs);
    assert_int_equal(plan.run_id, 10 + runs - 1);
    assert_int_equal(plan.level, runs == 5);
    gs_alloc_free(&alloc.base, (void *)plan.inputs,
                  plan.input_count * sizeof *plan.inputs);
  }
  gs_version_unref(version);
  assert_int_equal(alloc.live_bytes, 0);
}

/* Each run has one table of that size. */
static uint64_t
cut_at(const uint64_t *bytes, size_t count)
{
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_version *version = version_of(&alloc.base, bytes, count);
  gs_plan plan;
  assert_int_equal(gs_floor_plan(&alloc.base, version, count, &plan, NULL),
                   GS_OK);
  gs_alloc_free(&alloc.base, (void *)plan.inputs,
                plan.input_count * sizeof *plan.inputs);
  gs_version_unref(version);
  return plan.table_bytes;
}

static void
test_runs_of_very_many_tables_are_made_of_larger_ones(void **state)
{
  (void)state;
  assert_int_equal(cut_at((uint64_t[]){100, 200, 900}, 3), 0);
  static gs_tree_table *tables[400];
  test_alloc alloc;
  test_alloc_init(&alloc);
  for (size_t i = 0; i < 400; i++) {
    uint8_t key[2] = {(uint8_t)(i >> 8), (uint8_t)i};
    const gs_table_meta meta = {.id = 1 + i,
                                .file_bytes = 1000,
                                .min_key = gs_slice_of(key, sizeof key),
                                .max_key = gs_slice_of(key, sizeof key)};
    tables[i] = gs_tree_table_new(&alloc.base, &meta);
    assert_non_null(tables[i]);
  }
  gs_run *run = gs_run_new(&alloc.base, 1, 0, tables, 400);
  gs_version *version = gs_version_new(&alloc.base, 1, &run, 1);
  gs_plan plan;
  assert_int_equal(gs_floor_plan(&alloc.base, version, 1, &plan, NULL), GS_OK);
  assert_int_equal(plan.table_bytes, 400 * 1000 / GS_RUN_TABLES);
  gs_alloc_free(&alloc.base, (void *)plan.inputs,
                plan.input_count * sizeof *plan.inputs);
  gs_version_unref(version);
  gs_run_unref(run);
  for (size_t i = 0; i < 400; i++) {
    gs_tree_table_unref(tables[i]);
  }
  assert_int_equal(alloc.live_bytes, 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(
          test_runs_are_gathered_while_the_next_is_not_larger_than_all),
      cmocka_unit_test(test_more_are_gathered_where_too_many_would_be_left),
      cmocka_unit_test(test_no_more_tables_are_gathered_than_a_plan_may_name),
      cmocka_unit_test(test_the_plan_is_one_that_the_rules_accept),
      cmocka_unit_test(test_runs_of_very_many_tables_are_made_of_larger_ones),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
