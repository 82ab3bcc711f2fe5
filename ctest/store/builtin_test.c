/*
 * The policy of stores without one.
 */
#include "store_kit.h"

static void
test_runs_stay_few_however_much_is_flushed(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  for (int i = 0; i < 60; i++) {
    kit_fill(store, "k", i * 7 % 90, i * 7 % 90 + 20);
    KIT_OK(gs_flush(store, &kit_err));
    kit_work(store);
    assert_true(kit_stats(store).run_count <= 8);
  }
  gs_stats stats = kit_stats(store);
  assert_true(stats.merges > 2);
  assert_true(stats.merge_bytes_written < 20 * stats.flush_bytes_written);
  KIT_OK(gs_verify(store, &kit_err));
  kit_close(store);
}

static void
test_a_store_with_a_policy_is_left_to_it(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.has_policy = true;
  gs_store *store = kit_open(&options);
  for (int i = 0; i < 15; i++) {
    kit_fill(store, "k", i, i);
    KIT_OK(gs_flush(store, &kit_err));
    kit_work(store);
  }
  assert_int_equal(kit_stats(store).run_count, 15);
  assert_int_equal(kit_stats(store).merges, 0);
  kit_close(store);
}

static void
test_only_so_many_runs_are_left_to_a_policy_that_sleeps(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.has_policy = true;
  gs_store *store = kit_open(&options);
  for (int i = 0; i < 40; i++) {
    kit_fill(store, "k", i, i);
    KIT_OK(gs_flush(store, &kit_err));
    kit_work(store);
  }
  assert_true(kit_stats(store).run_count <= 21);
  assert_true(kit_stats(store).merges > 0);
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_runs_stay_few_however_much_is_flushed),
      KIT_TEST(test_a_store_with_a_policy_is_left_to_it),
      KIT_TEST(test_only_so_many_runs_are_left_to_a_policy_that_sleeps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
