/*
 * Tests of what flushes and merges yield.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab_kit.h"

static uint64_t
entries_of(const gs_lab *lab)
{
  uint64_t sum = 0;
  for (size_t r = 0; r < lab->version->run_count; r++) {
    sum += lab->version->runs[r]->entry_count;
  }
  return sum;
}

static void
test_a_flush_holds_the_keys_of_its_writes(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  gs_lab *lab = kit_lab(&alloc, &options);
  double writes = lab->active_end;
  kit_run_until(lab, 1);
  const gs_table_meta *meta = &lab->version->runs[0]->tables[0]->meta;
  ASSERT_NEAR((double)meta->entry_count, gs_mix_distinct(&lab->mix, writes),
              0.02);
  assert_int_equal(meta->min_seq, 1);
  assert_int_equal(meta->max_seq, (uint64_t)writes);
  kit_end(lab, &alloc);
}

static void
test_a_merge_of_everything_leaves_one_version_of_each_key(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  options.skew = 0.99;
  gs_lab *lab = kit_lab(&alloc, &options);
  kit_run_until(lab, 6);
  double writes = lab->active_from;
  gs_plan plan = kit_merge(lab, 6);
  kit_submit(lab, &plan);
  kit_run(lab, lab->writes + 1);
  assert_int_equal(lab->version->run_count, 1);
  ASSERT_NEAR((double)entries_of(lab), gs_mix_distinct(&lab->mix, writes),
              0.01);
  kit_end(lab, &alloc);
}

static void
test_tombstones_stay_until_they_come_to_the_bottom(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  options.delete_share = 0.4;
  gs_lab *lab = kit_lab(&alloc, &options);
  kit_run_until(lab, 4);
  /* The first run met nothing beneath it. */
  assert_int_equal(lab->version->runs[3]->tombstone_count, 0);
  assert_true(lab->version->runs[2]->tombstone_count > 100);
  gs_plan plan = kit_merge(lab, 3);
  kit_submit(lab, &plan);
  kit_run(lab, lab->writes + 1);
  assert_int_equal(lab->version->run_count, 2);
  assert_true(lab->version->runs[0]->tombstone_count > 100);
  plan = kit_merge(lab, 2);
  kit_submit(lab, &plan);
  kit_run(lab, lab->writes + 1);
  assert_int_equal(lab->version->runs[0]->tombstone_count, 0);
  double live = gs_fill_live(&lab->fill, lab->active_from, 0);
  ASSERT_NEAR((double)entries_of(lab), live, 0.02);
  kit_end(lab, &alloc);
}

static void
test_what_has_expired_goes_at_the_bottom(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  options.rate = 1000;
  options.ttl_ms = 2000;
  gs_lab *lab = kit_lab(&alloc, &options);
  kit_run_until(lab, 6);
  assert_true(lab->version->runs[5]->expiring_count > 0);
  gs_plan plan = kit_merge(lab, 6);
  kit_submit(lab, &plan);
  kit_run(lab, lab->writes + 1);
  ASSERT_NEAR(
      (double)entries_of(lab),
      gs_fill_live(&lab->fill, lab->active_from, lab->active_from - 2000),
      0.03);
  kit_end(lab, &alloc);
}

static void
test_tables_that_stay_are_cut_around(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  options.table_bytes = 40000;
  gs_lab *lab = kit_lab(&alloc, &options);
  kit_run_until(lab, 2);
  const gs_run *low = lab->version->runs[1];
  uint64_t stays[2] = {low->tables[0]->meta.id, low->tables[2]->meta.id};
  uint64_t entries = low->entry_count;
  uint64_t inputs[2] = {low->tables[1]->meta.id, low->tables[3]->meta.id};
  gs_plan plan = {.op = GS_PLAN_MERGE,
                  .target = GS_TARGET_INTO,
                  .run_id = low->id,
                  .level = -1,
                  .inputs = inputs,
                  .input_count = 2};
  gs_refusal refusal;
  assert_int_equal(gs_lab_submit(lab, &plan, false, NULL, &refusal, NULL),
                   GS_OK);
  kit_run(lab, lab->writes + 1);
  assert_int_equal(gs_version_verify(lab->version, NULL), GS_OK);
  for (size_t i = 0; i < 2; i++) {
    size_t run;
    assert_non_null(gs_version_find_table(lab->version, stays[i], &run));
    assert_null(gs_version_find_table(lab->version, inputs[i], &run));
  }
  ASSERT_NEAR((double)lab->version->runs[1]->entry_count, (double)entries,
              0.002);
  kit_end(lab, &alloc);
}

static void
test_the_layout_of_a_level_says_how_large_its_tables_are(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  gs_lab *lab = kit_lab(&alloc, &options);
  gs_lab_set_layout(lab, 1, &(gs_lab_layout){.table_bytes = 50000});
  kit_run_until(lab, 3);
  gs_plan plan = kit_merge(lab, 3);
  assert_int_equal(plan.level, 1);
  kit_submit(lab, &plan);
  kit_run(lab, lab->writes + 1);
  assert_true(lab->version->runs[0]->table_count >= 6);
  ASSERT_NEAR((double)lab->version->runs[0]->largest_bytes, 50000, 0.2);
  kit_end(lab, &alloc);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_flush_holds_the_keys_of_its_writes),
      cmocka_unit_test(
          test_a_merge_of_everything_leaves_one_version_of_each_key),
      cmocka_unit_test(test_tombstones_stay_until_they_come_to_the_bottom),
      cmocka_unit_test(test_what_has_expired_goes_at_the_bottom),
      cmocka_unit_test(test_tables_that_stay_are_cut_around),
      cmocka_unit_test(
          test_the_layout_of_a_level_says_how_large_its_tables_are),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
