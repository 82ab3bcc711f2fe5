/*
 * What a store tells of the policy in charge.
 */
#include "store_kit.h"

static gs_policy_state
told(gs_store *store)
{
  gs_policy_state state;
  gs_policy_get(store, &state);
  return state;
}

static void
test_decisions_errors_and_time_are_counted_from_its_beginning(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  assert_string_equal(told(store).name, "");
  gs_policy_begin(store, "mine/1", true);
  gs_policy_note(store, 10, NULL, false);
  gs_policy_note(store, 5, "pick returned nonsense", false);
  gs_policy_state policy = told(store);
  assert_string_equal(policy.name, "mine/1");
  assert_true(policy.is_threaded);
  assert_false(policy.is_aside);
  assert_int_equal(policy.decisions, 2);
  assert_int_equal(policy.errors, 1);
  assert_int_equal(policy.spent_us, 15);
  assert_string_equal(policy.error, "pick returned nonsense");
  gs_policy_note(store, 0, NULL, false);
  assert_string_equal(told(store).error, "");
  gs_policy_begin(store, "other", false);
  assert_int_equal(told(store).decisions, 0);
  assert_false(told(store).is_threaded);
  kit_close(store);
}

static void
test_one_that_is_set_aside_leaves_the_plans_to_the_built_in_one(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.has_policy = true;
  gs_store *store = kit_open(&options);
  gs_policy_begin(store, "mine", false);
  gs_policy_note(store, 1, "loops", false);
  for (int i = 0; i < 12; i++) {
    kit_fill(store, "k", 1, 5);
    KIT_OK(gs_flush(store, &kit_err));
  }
  assert_int_equal(kit_stats(store).merges, 0);
  gs_policy_note(store, 1, "loops", true);
  assert_true(told(store).is_aside);
  assert_string_equal(told(store).error, "loops");
  assert_false(gs_wants_decision(store));
  kit_work(store);
  assert_in_range(kit_stats(store).run_count, 1, 4);
  kit_close(store);
}

static void
test_long_texts_are_cut(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  char text[1000];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  gs_policy_begin(store, text, false);
  gs_policy_note(store, 1, text, false);
  gs_policy_state policy = told(store);
  assert_int_equal(strlen(policy.name), sizeof policy.name - 1);
  assert_int_equal(strlen(policy.error), sizeof policy.error - 1);
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_decisions_errors_and_time_are_counted_from_its_beginning),
      KIT_TEST(test_one_that_is_set_aside_leaves_the_plans_to_the_built_in_one),
      KIT_TEST(test_long_texts_are_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
