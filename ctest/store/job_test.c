/*
 * Jobs: their order, their steps, their ends.
 */
#include "store_kit.h"

static void
fill_runs(gs_store *store, int runs)
{
  for (int i = 0; i < runs; i++) {
    kit_fill(store, "k", i * 10, i * 10 + 60);
    KIT_OK(gs_flush(store, &kit_err));
  }
}

static void
test_a_step_does_a_part_and_says_whether_more_is_left(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.memtable_bytes = 1 << 20;
  options.memory_bytes = 8 << 20;
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 6000);
  KIT_OK(gs_seal(store, &kit_err));
  bool more = true;
  size_t steps = 0;
  for (; more && steps < 100; steps++) {
    KIT_OK(gs_step(store, 0, &more, &kit_err));
  }
  assert_true(steps > 3);
  assert_true(steps < 20);
  assert_true(kit_has(store, "k", 6000));
  kit_close(store);
}

static void
test_a_flush_goes_before_a_merge_that_was_queued_earlier(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.has_policy = true;
  gs_store *store = kit_open(&options);
  fill_runs(store, 3);
  gs_shape *shape = NULL;
  uint64_t inputs[64];
  size_t count = 0;
  KIT_OK(gs_shape_new(store, &shape, &kit_err));
  for (size_t t = 0; t < shape->runs[0].table_count; t++) {
    inputs[count++] = kit_table(shape, 0, t).id;
  }
  gs_plan plan = {
      .op = GS_PLAN_MERGE,
      .target = GS_TARGET_ABOVE,
      .run_id = shape->runs[0].id,
      .level = -1,
      .inputs = inputs,
      .input_count = count,
  };
  KIT_OK(gs_submit(store, &plan, false, NULL, NULL, &kit_err));
  gs_shape_free(shape);
  kit_fill(store, "m", 1, 5);
  KIT_OK(gs_seal(store, &kit_err));
  for (int i = 0; i < 3; i++) {
    bool more;
    KIT_OK(gs_step(store, 0, &more, &kit_err));
  }
  assert_int_equal(kit_stats(store).flushes, 4);
  assert_int_equal(kit_stats(store).merges, 0);
  kit_work(store);
  assert_int_equal(kit_stats(store).merges, 1);
  kit_close(store);
}

static void
test_a_merge_that_failed_leaves_the_tree_and_gives_up_its_claim(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  fill_runs(store, 3);
  gs_stats before = kit_stats(store);
  gs_sim_fault fault = {
      .op = GS_SIM_WRITE, .path = "*.sst", .nth = 1, .times = 1, .os_errno = 5};
  KIT_OK(gs_sim_fail(sim_machine, &fault, &kit_err));
  assert_int_equal(gs_compact(store, NULL, &kit_err), GS_IO);
  gs_stats after = kit_stats(store);
  assert_int_equal(after.jobs_failed, 1);
  assert_int_equal(after.entry_count, before.entry_count);
  assert_int_equal(after.table_count, before.table_count);
  KIT_OK(gs_compact(store, NULL, &kit_err));
  assert_int_equal(kit_stats(store).run_count, 1);
  assert_true(kit_has(store, "k", 80));
  kit_close(store);
}

static void
test_a_store_may_be_closed_with_jobs_on_its_list(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.has_policy = true;
  gs_store *store = kit_open(&options);
  fill_runs(store, 2);
  gs_shape *shape = NULL;
  KIT_OK(gs_shape_new(store, &shape, &kit_err));
  gs_plan plan = {
      .op = GS_PLAN_MERGE,
      .target = GS_TARGET_INTO,
      .run_id = shape->runs[0].id,
      .level = -1,
      .inputs = &(uint64_t){kit_table(shape, 0, 0).id},
      .input_count = 1,
  };
  KIT_OK(gs_submit(store, &plan, false, NULL, NULL, &kit_err));
  gs_shape_free(shape);
  bool more;
  KIT_OK(gs_step(store, 0, &more, &kit_err));
  assert_true(more);
  kit_close(store);
  store = kit_open(&options);
  assert_true(kit_has(store, "k", 70));
  KIT_OK(gs_verify(store, &kit_err));
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_step_does_a_part_and_says_whether_more_is_left),
      KIT_TEST(test_a_flush_goes_before_a_merge_that_was_queued_earlier),
      KIT_TEST(test_a_merge_that_failed_leaves_the_tree_and_gives_up_its_claim),
      KIT_TEST(test_a_store_may_be_closed_with_jobs_on_its_list),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
