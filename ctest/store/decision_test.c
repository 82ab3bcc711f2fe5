/*
 * When the policy is asked, and who makes plans.
 */
#include "store_kit.h"

#include "store/decision.h"

static gs_options
driven_options(void)
{
  gs_options options = kit_options();
  options.has_policy = true;
  options.memory_bytes = 64 << 20;
  options.memtable_bytes = 1 << 20;
  return options;
}

/* Takes the shape, as whoever decides does. */
static const char *
look(gs_store *store)
{
  gs_shape *shape = NULL;
  KIT_OK(gs_shape_new(store, &shape, &kit_err));
  const char *reason = shape->reason;
  gs_shape_free(shape);
  assert_false(gs_wants_decision(store));
  return reason;
}

static void
test_a_memtable_that_grew_as_far_as_asked_asks(void **state)
{
  (void)state;
  gs_options options = driven_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 100);
  assert_false(gs_wants_decision(store));
  KIT_OK(gs_set_flush_ask(store, 10000, &kit_err));
  kit_fill(store, "k", 1, 40);
  assert_false(gs_wants_decision(store));
  kit_fill(store, "k", 41, 100);
  assert_true(gs_wants_decision(store));
  assert_string_equal(look(store), "memory");
  /* Once: until it is asked for again. */
  kit_fill(store, "k", 1, 100);
  assert_false(gs_wants_decision(store));
  KIT_OK(gs_set_flush_ask(store, 1, &kit_err));
  kit_put(store, "k", "1");
  assert_true(gs_wants_decision(store));
  look(store);
  KIT_OK(gs_set_flush_ask(store, UINT64_MAX, &kit_err));
  KIT_OK(gs_set_flush_ask(store, 0, &kit_err));
  kit_fill(store, "k", 1, 100);
  assert_false(gs_wants_decision(store));
  kit_close(store);
}

static void
test_the_next_memtable_may_grow_as_far_too(void **state)
{
  (void)state;
  gs_options options = driven_options();
  gs_store *store = kit_open(&options);
  KIT_OK(gs_set_flush_ask(store, 10000, &kit_err));
  kit_fill(store, "k", 1, 40);
  KIT_OK(gs_flush(store, &kit_err));
  assert_string_equal(look(store), "flush");
  kit_fill(store, "k", 1, 40);
  assert_false(gs_wants_decision(store));
  kit_fill(store, "k", 41, 100);
  assert_string_equal(look(store), "memory");
  kit_close(store);
}

static void
test_a_wake_comes_when_it_is_due_and_once(void **state)
{
  (void)state;
  gs_options options = driven_options();
  gs_store *store = kit_open(&options);
  KIT_OK(gs_set_wake(store, 1000, &kit_err));
  kit_work(store);
  gs_sim_advance_ms(sim_machine, 999);
  kit_work(store);
  assert_false(gs_wants_decision(store));
  gs_sim_advance_ms(sim_machine, 1);
  kit_work(store);
  assert_true(gs_wants_decision(store));
  assert_string_equal(look(store), "timer");
  gs_sim_advance_ms(sim_machine, 10000);
  kit_work(store);
  assert_false(gs_wants_decision(store));
  KIT_OK(gs_set_wake(store, UINT64_MAX, &kit_err));
  KIT_OK(gs_set_wake(store, 5, &kit_err));
  KIT_OK(gs_set_wake(store, 0, &kit_err));
  gs_sim_advance_ms(sim_machine, 10000);
  kit_work(store);
  assert_false(gs_wants_decision(store));
  kit_close(store);
}

static void
test_a_worker_wakes_for_it(void **state)
{
  (void)state;
  gs_sim_allow_tasks(sim_machine);
  gs_options options = driven_options();
  gs_store *store = kit_open(&options);
  gs_sim_drain(sim_machine);
  KIT_OK(gs_set_wake(store, 1000, &kit_err));
  gs_sim_drain(sim_machine);
  assert_false(gs_wants_decision(store));
  gs_sim_advance_ms(sim_machine, 999);
  gs_sim_drain(sim_machine);
  assert_false(gs_wants_decision(store));
  gs_sim_advance_ms(sim_machine, 1);
  gs_sim_drain(sim_machine);
  assert_true(gs_wants_decision(store));
  kit_close(store);
}

static void
test_a_store_that_is_not_driven_asks_nobody_and_merges_by_itself(void **state)
{
  (void)state;
  gs_options options = driven_options();
  gs_store *store = kit_open(&options);
  for (int i = 0; i < 15; i++) {
    kit_fill(store, "k", 1, 20);
    KIT_OK(gs_flush(store, &kit_err));
  }
  kit_work(store);
  assert_int_equal(kit_stats(store).run_count, 15);
  KIT_OK(gs_set_policy_driven(store, false, &kit_err));
  assert_false(gs_wants_decision(store));
  kit_work(store);
  assert_in_range(kit_stats(store).run_count, 1, 4);
  KIT_OK(gs_set_wake(store, 1, &kit_err));
  KIT_OK(gs_set_flush_ask(store, 1, &kit_err));
  kit_put(store, "k", "1");
  gs_sim_advance_ms(sim_machine, 10);
  kit_work(store);
  assert_false(gs_wants_decision(store));
  KIT_OK(gs_set_policy_driven(store, true, &kit_err));
  assert_string_equal(look(store), "manual");
  for (int i = 0; i < 15; i++) {
    kit_fill(store, "k", 1, 20);
    KIT_OK(gs_flush(store, &kit_err));
  }
  kit_work(store);
  assert_true(kit_stats(store).run_count > 15);
  kit_close(store);
}

static void
test_another_in_charge_begins_without_the_wishes_of_the_one_before(void **state)
{
  (void)state;
  gs_options options = driven_options();
  options.threads = 0;
  gs_store *store = kit_open(&options);
  uint64_t first;
  uint64_t second;
  KIT_OK(gs_take_charge(store, &first, &kit_err));
  assert_true(gs_is_in_charge(store, first));
  KIT_OK(gs_set_wake(store, 1, &kit_err));
  KIT_OK(gs_set_flush_ask(store, 1, &kit_err));
  KIT_OK(gs_set_throttle(store, 1, &kit_err));
  gs_layout layout = {.table_bytes = 8192};
  KIT_OK(gs_set_layout(store, 0, &layout, &kit_err));
  KIT_OK(gs_take_charge(store, &second, &kit_err));
  assert_false(gs_is_in_charge(store, first));
  assert_true(gs_is_in_charge(store, second));
  look(store);
  gs_sim_advance_ms(sim_machine, 10);
  kit_work(store);
  kit_put(store, "k", "1");
  assert_false(gs_wants_decision(store));
  assert_int_equal(store->throttle.bytes_per_s, 0);
  assert_int_equal(store->layouts[0].table_bytes, 0);
  kit_close(store);
}

static void
test_writers_that_wait_for_merges_ask(void **state)
{
  (void)state;
  gs_sim_allow_tasks(sim_machine);
  gs_options options = driven_options();
  options.fail_on_stall = true;
  options.threads = 2; /* one stays with a merge */
  gs_store *store = kit_open(&options);
  gs_sim_hold(sim_machine, "merge.begin");
  gs_status status = GS_OK;
  for (int i = 0; i < 40 && status == GS_OK; i++) {
    status = gs_put(store, gs_slice_str("k"), gs_slice_str("v"), NULL, NULL,
                    &kit_err);
    if (status == GS_OK) {
      KIT_OK(gs_seal(store, &kit_err));
      gs_sim_drain(sim_machine);
    }
    if (status == GS_OK) {
      look(store);
    }
  }
  gs_sim_release(sim_machine, "merge.begin");
  assert_int_equal(status, GS_BUSY);
  assert_true(gs_wants_decision(store));
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_memtable_that_grew_as_far_as_asked_asks),
      KIT_TEST(test_the_next_memtable_may_grow_as_far_too),
      KIT_TEST(test_a_wake_comes_when_it_is_due_and_once),
      KIT_TEST(test_a_worker_wakes_for_it),
      KIT_TEST(
          test_a_store_that_is_not_driven_asks_nobody_and_merges_by_itself),
      KIT_TEST(
          test_another_in_charge_begins_without_the_wishes_of_the_one_before),
      KIT_TEST(test_writers_that_wait_for_merges_ask),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
