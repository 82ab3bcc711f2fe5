/*
 * Tests of a lab that begins with a tree: what is planted is there with its
 * numbers, and merges as what it stands for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab_kit.h"

static gs_lab_options
fed_options(gs_lab_kind kind)
{
  gs_lab_options options = kit_options();
  options.kind = kind;
  options.is_fed = true;
  options.writes = 1e12;
  options.keys = kind == GS_LAB_RANDOM ? 10000 : 1e12;
  return options;
}

static gs_lab_planted
table_of(size_t run, double lo, double hi, uint64_t entries)
{
  return (gs_lab_planted){.run = run,
                          .level = (uint32_t)run,
                          .lo = lo,
                          .hi = hi,
                          .kept = 1,
                          .meta = {.entry_count = entries,
                                   .key_count = entries,
                                   .file_bytes = entries * 120,
                                   .data_bytes = entries * 116,
                                   .min_seq = 1,
                                   .max_seq = 50000,
                                   .created_ms = 900000}};
}

static void
merge_all(gs_lab *lab)
{
  gs_plan plan = kit_merge(lab, lab->version->run_count);
  kit_submit(lab, &plan);
  kit_run(lab, lab->writes);
  assert_int_equal(lab->version->run_count, 1);
}

static void
test_what_is_planted_is_there(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = fed_options(GS_LAB_RANDOM);
  gs_lab *lab = kit_lab(&alloc, &options);
  const gs_lab_planted tables[] = {
      table_of(0, 0, 1, 1000),
      table_of(1, 0, 0.5, 4000),
      table_of(1, 0.5, 1, 4000),
  };
  assert_int_equal(gs_lab_plant(lab, tables, 3, 0, NULL), GS_OK);
  assert_int_equal(lab->version->run_count, 2);
  assert_int_equal(lab->version->runs[1]->table_count, 2);
  assert_int_equal(lab->version->runs[1]->entry_count, 8000);
  assert_int_equal(lab->version->runs[1]->level, 1);
  const gs_table_meta *meta = &lab->version->runs[1]->tables[1]->meta;
  assert_int_equal(meta->file_bytes, 480000);
  assert_true(gs_position_of(meta->min_key) == GS_SPACE / 2);
  kit_end(lab, &alloc);
}

/* 8000 of 10000 keys, and 1000 more draws of all of them. */
static void
test_a_merge_of_it_has_the_keys_that_it_would_have(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = fed_options(GS_LAB_RANDOM);
  gs_lab *lab = kit_lab(&alloc, &options);
  const gs_lab_planted tables[] = {table_of(0, 0, 0.5, 4000),
                                   table_of(0, 0.5, 1, 4000)};
  assert_int_equal(gs_lab_plant(lab, tables, 2, 0, NULL), GS_OK);
  assert_int_equal(
      gs_lab_feed(lab, &(gs_lab_batch){.writes = 1000, .distinct = 951}, NULL),
      GS_OK);
  kit_run(lab, 1000);
  merge_all(lab);
  ASSERT_NEAR((double)lab->version->runs[0]->entry_count, 8000 + 0.2 * 951,
              0.005);
  kit_end(lab, &alloc);
}

static void
test_keys_in_order_go_on_behind_it(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = fed_options(GS_LAB_SEQUENCE);
  gs_lab *lab = kit_lab(&alloc, &options);
  const gs_lab_planted tables[] = {table_of(0, 0, 0.75, 3000),
                                   table_of(0, 0.75, 1, 500)};
  assert_int_equal(gs_lab_plant(lab, tables, 2, 4000, NULL), GS_OK);
  ASSERT_NEAR(lab->writes, 4000, 1e-9);
  assert_int_equal(gs_lab_feed(lab, &(gs_lab_batch){.writes = 1000}, NULL),
                   GS_OK);
  kit_run(lab, 5000);
  const gs_run *old = lab->version->runs[1];
  const gs_run *fresh = lab->version->runs[0];
  assert_true(gs_position_of(old->tables[1]->meta.max_key) <
              gs_position_of(fresh->tables[0]->meta.min_key));
  merge_all(lab);
  assert_in_range(lab->version->runs[0]->entry_count, 4495, 4505);
  kit_end(lab, &alloc);
}

static void
test_a_queue_goes_on_at_both_ends(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = fed_options(GS_LAB_QUEUE);
  options.keys = 1000;
  gs_lab *lab = kit_lab(&alloc, &options);
  const gs_lab_planted tables[] = {table_of(0, 0, 1, 1500)};
  assert_int_equal(gs_lab_plant(lab, tables, 1, 1500, NULL), GS_OK);
  gs_count all = gs_fill_entries(&lab->fill, 0, lab->writes);
  ASSERT_NEAR(all.puts, 1500, 1e-6);
  ASSERT_NEAR(all.gones, 500, 1e-6);
  kit_end(lab, &alloc);
}

static void
test_planted_values_expire(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = fed_options(GS_LAB_RANDOM);
  options.ttl_ms = 60000;
  gs_lab *lab = kit_lab(&alloc, &options);
  gs_lab_planted table = table_of(0, 0, 1, 1000);
  table.meta.expiring_count = 600;
  table.meta.min_expiry_ms = 1010000;
  table.meta.max_expiry_ms = 1020000;
  assert_int_equal(gs_lab_plant(lab, &table, 1, 0, NULL), GS_OK);
  assert_int_equal(
      gs_lab_feed(lab,
                  &(gs_lab_batch){.writes = 1, .to_ms = 1030000, .lasting = 1},
                  NULL),
      GS_OK);
  kit_run(lab, 1);
  merge_all(lab);
  assert_in_range(lab->version->runs[0]->entry_count, 396, 406);
  kit_end(lab, &alloc);
}

static void
test_unsound_tables_and_late_ones_are_misuse(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = fed_options(GS_LAB_RANDOM);
  gs_lab *lab = kit_lab(&alloc, &options);
  gs_lab_planted wrong[] = {table_of(0, 0.5, 0.5, 10), table_of(0, 0, 1.5, 10),
                            table_of(0, 0, 1, 0), table_of(0, 0, 1, 10)};
  wrong[3].meta.tombstone_count = 11;
  for (size_t i = 0; i < 4; i++) {
    assert_int_equal(gs_lab_plant(lab, &wrong[i], 1, 0, NULL), GS_MISUSE);
  }
  assert_int_equal(gs_lab_plant(lab, NULL, 0, 0, NULL), GS_OK);
  assert_int_equal(gs_lab_feed(lab, &(gs_lab_batch){.writes = 10}, NULL),
                   GS_OK);
  gs_lab_planted good = table_of(0, 0, 1, 10);
  assert_int_equal(gs_lab_plant(lab, &good, 1, 0, NULL), GS_MISUSE);
  kit_end(lab, &alloc);
}

static void
test_no_memory_leaves_the_lab_as_it_was(void **state)
{
  (void)state;
  const gs_lab_planted tables[] = {table_of(0, 0, 1, 1000),
                                   table_of(1, 0, 1, 4000)};
  gs_lab_options options = fed_options(GS_LAB_RANDOM);
  test_alloc alloc;
  gs_lab *lab = kit_lab(&alloc, &options);
  gs_status status = GS_NOMEM;
  for (uint64_t left = 0; status != GS_OK; left++) {
    alloc.allocations_left = left;
    status = gs_lab_plant(lab, tables, 2, 0, NULL);
    alloc.allocations_left = UINT64_MAX;
    assert_int_equal(lab->version->run_count, status == GS_OK ? 2 : 0);
  }
  kit_end(lab, &alloc);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_is_planted_is_there),
      cmocka_unit_test(test_a_merge_of_it_has_the_keys_that_it_would_have),
      cmocka_unit_test(test_keys_in_order_go_on_behind_it),
      cmocka_unit_test(test_a_queue_goes_on_at_both_ends),
      cmocka_unit_test(test_planted_values_expire),
      cmocka_unit_test(test_unsound_tables_and_late_ones_are_misuse),
      cmocka_unit_test(test_no_memory_leaves_the_lab_as_it_was),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
