/*
 * Tests of time: speeds, stalls, and when decisions are asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab_kit.h"

static void
test_a_rate_makes_the_time(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  options.rate = 500;
  gs_lab *lab = kit_lab(&alloc, &options);
  kit_run(lab, 20000);
  ASSERT_NEAR(lab->now_s, 40, 1e-6);
  ASSERT_NEAR(gs_lab_writes_at(lab, 1000000 + 10000), 5000, 0.001);
  ASSERT_NEAR(gs_lab_writes_at(lab, 1000000 + 39500), 19750, 0.001);
  kit_end(lab, &alloc);
}

static void
test_a_boundless_device_takes_no_time(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  gs_lab *lab = kit_lab(&alloc, &options);
  gs_lab_sample seen;
  kit_run(lab, options.writes);
  gs_lab_look(lab, &seen);
  ASSERT_NEAR(seen.time_s, 0, 0);
  ASSERT_NEAR(seen.writes, options.writes, 0);
  assert_int_equal(seen.flush_stalls + seen.run_stalls, 0);
  kit_end(lab, &alloc);
}

/* As much as the device has is logged and flushed. */
static void
test_a_writer_without_a_rate_fills_the_device(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  options.has_log = true;
  options.write_bytes_per_s = 1e6;
  options.read_bytes_per_s = 1e6;
  gs_lab *lab = kit_lab(&alloc, &options);
  gs_lab_sample seen;
  kit_run(lab, options.writes);
  gs_lab_look(lab, &seen);
  double logged = seen.writes * lab->log_bytes;
  double work =
      (logged + seen.flushed_bytes + seen.merged_bytes + seen.read_bytes) / 1e6;
  assert_true(seen.time_s <= work * 1.01);
  assert_true(seen.time_s >= work * 0.9);
  kit_end(lab, &alloc);
}

static void
test_a_writer_waits_where_memory_is_full(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  options.rate = 1e6;
  options.write_bytes_per_s = 1e5;
  gs_lab *lab = kit_lab(&alloc, &options);
  gs_lab_sample seen;
  kit_run(lab, 20000);
  gs_lab_look(lab, &seen);
  assert_true(seen.flush_stalls > 3);
  assert_true(seen.flush_stalled_s > 0.8 * seen.time_s);
  assert_true(seen.longest_stall_s > 1);
  assert_int_equal(seen.run_stalls, 0);
  kit_end(lab, &alloc);
}

/* Merges go at a crawl: reading is slow. */
static void
test_a_writer_waits_where_runs_are_too_many(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  options.rate = 1e5;
  options.write_bytes_per_s = 1e8;
  options.read_bytes_per_s = 1e4;
  options.workers = 2;
  gs_lab *lab = kit_lab(&alloc, &options);
  gs_lab_sample seen;
  kit_run(lab, 60000);
  gs_lab_look(lab, &seen);
  assert_true(seen.run_stalls > 0);
  assert_true(seen.run_stalled_s > 10);
  kit_end(lab, &alloc);
}

static void
test_a_throttle_slows_the_writer(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  options.rate = 1e6;
  gs_lab *lab = kit_lab(&alloc, &options);
  gs_lab_set_throttle(lab, 11600);
  kit_run(lab, 1000);
  ASSERT_NEAR(lab->now_s, 10, 1e-6);
  kit_end(lab, &alloc);
}

static void
test_a_flush_goes_before_a_merge(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  options.rate = 1000;
  options.write_bytes_per_s = 1e6;
  gs_lab *lab = kit_lab(&alloc, &options);
  kit_run_until(lab, 8);
  lab->options.read_bytes_per_s = 1e5; /* the merge takes ten seconds */
  gs_plan plan = kit_merge(lab, 8);
  kit_submit(lab, &plan);
  size_t flushes = lab->sums.flushes;
  kit_run(lab, lab->writes + 5000);
  assert_int_equal(lab->sums.merges, 0);
  assert_true(lab->sums.flushes >= flushes + 4);
  kit_end(lab, &alloc);
}

static gs_lab_event
advance(gs_lab *lab, double writes)
{
  gs_lab_event event;
  assert_int_equal(gs_lab_advance(lab, writes, &event, NULL), GS_OK);
  return event;
}

static void
test_decisions_are_asked_after_flushes_and_jobs(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  gs_lab *lab = kit_lab(&alloc, &options);
  for (size_t i = 1; i <= 2; i++) {
    assert_int_equal(advance(lab, 1e5), GS_LAB_DECIDE);
    assert_int_equal(lab->sums.flushes, i);
    assert_string_equal(lab->reason, "flush");
  }
  gs_plan plan = kit_merge(lab, 2);
  kit_submit(lab, &plan);
  assert_int_equal(advance(lab, 1e5), GS_LAB_DECIDE);
  assert_string_equal(lab->reason, "merge");
  assert_int_equal(lab->sums.flushes, 2);
  assert_int_equal(advance(lab, lab->writes + 10), GS_LAB_REACHED);
  kit_end(lab, &alloc);
}

static void
test_decisions_are_asked_when_a_policy_wished_it(void **state)
{
  (void)state;
  test_alloc alloc;
  gs_lab_options options = kit_options();
  options.rate = 1000;
  gs_lab *lab = kit_lab(&alloc, &options);
  gs_lab_set_wake(lab, 250);
  assert_int_equal(advance(lab, 1e5), GS_LAB_DECIDE);
  ASSERT_NEAR(lab->now_s, 0.25, 1e-6);
  assert_string_equal(lab->reason, "timer");
  gs_lab_set_flush_ask(lab, 30000);
  double used = gs_fill_memory(&lab->fill, 0, lab->writes);
  assert_int_equal(advance(lab, 1e5), GS_LAB_DECIDE);
  assert_int_equal(lab->sums.flushes, 0);
  ASSERT_NEAR(gs_fill_memory(&lab->fill, 0, lab->writes), used + 30000, 0.05);
  kit_end(lab, &alloc);
}

/* A merge ends while the writer waits for a flush. */
static void
test_a_driver_of_the_writers_waits_with_it(void **state)
{
  (void)state;
  for (int at_once = 0; at_once <= 1; at_once++) {
    test_alloc alloc;
    gs_lab_options options = kit_options();
    options.rate = 1e6;
    options.write_bytes_per_s = 1e5;
    options.workers = 2;
    options.max_stall_ms = 1000000;
    options.asks_at_once = at_once == 1;
    gs_lab *lab = kit_lab(&alloc, &options);
    kit_run_until(lab, 4);
    gs_plan plan = kit_merge(lab, 2);
    kit_submit(lab, &plan);
    bool was_stalled = false;
    while (lab->sums.merges == 0 || lab->sums.flushes < 12) {
      assert_int_equal(advance(lab, 1e5), GS_LAB_DECIDE);
      was_stalled |= lab->stall.reason != NULL;
    }
    assert_int_equal(was_stalled, at_once);
    kit_end(lab, &alloc);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_rate_makes_the_time),
      cmocka_unit_test(test_a_boundless_device_takes_no_time),
      cmocka_unit_test(test_a_writer_without_a_rate_fills_the_device),
      cmocka_unit_test(test_a_writer_waits_where_memory_is_full),
      cmocka_unit_test(test_a_writer_waits_where_runs_are_too_many),
      cmocka_unit_test(test_a_throttle_slows_the_writer),
      cmocka_unit_test(test_a_flush_goes_before_a_merge),
      cmocka_unit_test(test_decisions_are_asked_after_flushes_and_jobs),
      cmocka_unit_test(test_decisions_are_asked_when_a_policy_wished_it),
      cmocka_unit_test(test_a_driver_of_the_writers_waits_with_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
