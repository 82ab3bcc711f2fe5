/*
 * Tests of a lab that is fed: its flushes are the batches.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab_kit.h"

static gs_lab_options
fed_options(void)
{
  gs_lab_options options = kit_options();
  options.is_fed = true;
  options.ttl_ms = 60000;
  options.writes = 1e9;
  return options;
}

static void
feed(gs_lab *lab, const gs_lab_batch *batch)
{
  assert_int_equal(gs_lab_feed(lab, batch, NULL), GS_OK);
  kit_run(lab, lab->writes + batch->writes);
}

static uint64_t
count_tables(const gs_run *run, uint64_t *tombstones, uint64_t *expiring)
{
  uint64_t entries = 0;
  *tombstones = 0;
  *expiring = 0;
  for (size_t t = 0; t < run->table_count; t++) {
    entries += run->tables[t]->meta.entry_count;
    *tombstones += run->tables[t]->meta.tombstone_count;
    *expiring += run->tables[t]->meta.expiring_count;
  }
  return entries;
}

static void
test_each_batch_is_a_flush_of_its_own_numbers(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = fed_options();
  gs_lab *lab = kit_lab(&alloc, &options);
  uint64_t gones;
  uint64_t expiring;
  feed(lab, &(gs_lab_batch){.writes = 5000, .to_ms = 1010000});
  assert_int_equal(lab->version->run_count, 1);
  feed(lab, &(gs_lab_batch){.writes = 200,
                            .to_ms = 1030000,
                            .gone = 0.1,
                            .lasting = 0.6,
                            .distinct = 150});
  assert_int_equal(lab->version->run_count, 2);
  uint64_t entries = count_tables(lab->version->runs[0], &gones, &expiring);
  assert_in_range(entries, 149, 151);
  assert_in_range(gones, 14, 16);
  assert_in_range(expiring, 44, 46);
  gs_lab_sample look;
  gs_lab_look(lab, &look);
  ASSERT_NEAR(look.writes, 5200, 1e-9);
  ASSERT_NEAR(look.time_s, 30, 1e-6);
  ASSERT_NEAR(look.user_bytes, 5180.0 * 116 + 20.0 * 16, 1e-9);
  ASSERT_NEAR(look.flushed_data, look.user_bytes, 1e-9);
  assert_true(look.live_bytes > 0 && look.live_bytes < look.user_bytes);
  kit_end(lab, &alloc);
}

static void
test_what_lasts_is_there_when_the_rest_has_expired(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = fed_options();
  gs_lab *lab = kit_lab(&alloc, &options);
  uint64_t gones;
  uint64_t expiring;
  feed(lab, &(gs_lab_batch){.writes = 1000, .to_ms = 1001000, .lasting = 0.25});
  uint64_t before = count_tables(lab->version->runs[0], &gones, &expiring);
  feed(lab, &(gs_lab_batch){.writes = 1, .to_ms = 1100000, .lasting = 1});
  gs_plan plan = kit_merge(lab, 2);
  kit_submit(lab, &plan);
  kit_run(lab, lab->writes);
  assert_int_equal(lab->version->run_count, 1);
  uint64_t after = count_tables(lab->version->runs[0], &gones, &expiring);
  ASSERT_NEAR((double)after, 0.25 * (double)before + 1, 0.01);
  assert_int_equal(expiring, 0);
  assert_int_equal(gones, 0);
  kit_end(lab, &alloc);
}

static void
test_a_policy_may_seal_in_the_middle_of_a_batch(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = fed_options();
  gs_lab *lab = kit_lab(&alloc, &options);
  const gs_lab_batch batch = {.writes = 1000, .distinct = 900};
  assert_int_equal(gs_lab_feed(lab, &batch, NULL), GS_OK);
  kit_run(lab, 400);
  gs_lab_seal(lab);
  assert_int_equal(gs_lab_feed(lab, &batch, NULL), GS_MISUSE);
  kit_run(lab, 1000);
  assert_int_equal(lab->version->run_count, 2);
  assert_int_equal(gs_lab_feed(lab, &batch, NULL), GS_OK);
  kit_end(lab, &alloc);
}

static void
test_jobs_take_the_time_of_the_speed(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = fed_options();
  gs_lab *lab = kit_lab(&alloc, &options);
  feed(lab, &(gs_lab_batch){.writes = 1000, .to_ms = 1001000});
  assert_int_equal(lab->version->run_count, 1);
  gs_lab_set_speed(lab, 100000, 100000);
  feed(lab, &(gs_lab_batch){.writes = 1000, .to_ms = 1002000});
  assert_int_equal(lab->version->run_count, 1); /* a second's work is to do */
  feed(lab, &(gs_lab_batch){.writes = 1000, .to_ms = 1004000});
  assert_int_equal(lab->version->run_count, 2);
  kit_end(lab, &alloc);
}

static void
test_wrong_batches_and_classes_are_misuse(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = fed_options();
  gs_lab *lab = kit_lab(&alloc, &options);
  const gs_lab_batch wrong[] = {
      {.writes = 0},
      {.writes = 10, .gone = -1},
      {.writes = 10, .gone = 0.6, .lasting = 0.6},
      {.writes = 10, .distinct = 11},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    assert_int_equal(gs_lab_feed(lab, &wrong[i], NULL), GS_MISUSE);
  }
  const gs_mix_class classes[] = {{10, 0.05}, {500, 0.001}};
  assert_int_equal(gs_lab_set_mix(lab, classes, 2, NULL), GS_OK);
  ASSERT_NEAR(gs_mix_distinct(&lab->mix, 1e9), 510, 1e-6);
  assert_int_equal(gs_lab_set_mix(lab, classes, 0, NULL), GS_MISUSE);
  kit_end(lab, &alloc);
  options.is_fed = false;
  options.rate = 1000;
  lab = kit_lab(&alloc, &options);
  assert_int_equal(gs_lab_feed(lab, &(gs_lab_batch){.writes = 10}, NULL),
                   GS_MISUSE);
  kit_end(lab, &alloc);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_batch_is_a_flush_of_its_own_numbers),
      cmocka_unit_test(test_what_lasts_is_there_when_the_rest_has_expired),
      cmocka_unit_test(test_a_policy_may_seal_in_the_middle_of_a_batch),
      cmocka_unit_test(test_jobs_take_the_time_of_the_speed),
      cmocka_unit_test(test_wrong_batches_and_classes_are_misuse),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
