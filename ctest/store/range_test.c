/*
 * Prefixes as ranges, counts, and estimates.
 */
#include "store_kit.h"

static void
expect_prefix(const char *prefix, size_t size, const char *end, size_t end_size)
{
  gs_buffer bytes;
  gs_range range;
  gs_buffer_init(&bytes, sim_machine_env->alloc);
  KIT_OK(
      gs_range_of_prefix(gs_slice_of(prefix, size), &bytes, &range, &kit_err));
  assert_int_equal(range.from.size, size);
  assert_int_equal(range.has_to, end != NULL);
  if (end != NULL) {
    assert_true(gs_slice_equal(range.to, gs_slice_of(end, end_size)));
  }
  gs_buffer_deinit(&bytes);
}

static void
test_the_range_of_a_prefix_ends_at_the_next_prefix(void **state)
{
  (void)state;
  expect_prefix("ab", 2, "ac", 2);
  expect_prefix("a\xFF", 2, "b", 1);
  expect_prefix("a\xFF\xFF", 3, "b", 1);
  expect_prefix("\0", 1, "\1", 1);
  expect_prefix("\xFF\xFF", 2, NULL, 0);
  expect_prefix("", 0, NULL, 0);
}

static void
test_a_count_is_of_live_keys_of_its_moment(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "a", 1, 30);
  KIT_OK(gs_flush(store, &kit_err));
  kit_fill(store, "a", 21, 50);
  gs_snapshot *snapshot = NULL;
  KIT_OK(gs_snapshot_new(store, &snapshot, &kit_err));
  kit_delete(store, "a0025");
  uint64_t count = 0;
  KIT_OK(gs_count(store, NULL, NULL, &count, &kit_err));
  assert_int_equal(count, 49);
  KIT_OK(gs_count(store, snapshot, NULL, &count, &kit_err));
  assert_int_equal(count, 50);
  gs_range range = {.from = gs_slice_str("a0010"),
                    .to = gs_slice_str("a0030"),
                    .has_to = true};
  KIT_OK(gs_count(store, NULL, &range, &count, &kit_err));
  assert_int_equal(count, 19);
  gs_snapshot_free(snapshot);
  kit_close(store);
}

static void
test_an_estimate_leaves_out_tables_beyond_the_range(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "a", 1, 30);
  KIT_OK(gs_flush(store, &kit_err));
  kit_fill(store, "m", 1, 40);
  KIT_OK(gs_flush(store, &kit_err));
  uint64_t entries = 0;
  uint64_t bytes = 0;
  KIT_OK(gs_approx(store, NULL, &entries, &bytes, &kit_err));
  assert_int_equal(entries, 70);
  assert_int_equal(bytes, 70 * (5 + 105));
  gs_range range = {.from = gs_slice_str("b")};
  KIT_OK(gs_approx(store, &range, &entries, &bytes, &kit_err));
  assert_int_equal(entries, 40);
  range = (gs_range){
      .from = gs_slice_str(""), .to = gs_slice_str("a"), .has_to = true};
  KIT_OK(gs_approx(store, &range, &entries, &bytes, &kit_err));
  assert_int_equal(entries, 0);
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_the_range_of_a_prefix_ends_at_the_next_prefix),
      KIT_TEST(test_a_count_is_of_live_keys_of_its_moment),
      KIT_TEST(test_an_estimate_leaves_out_tables_beyond_the_range),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
