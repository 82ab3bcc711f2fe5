/*
 * Sequence numbers of a store without a log: none is given out twice, wherever
 * the process dies or the power goes.
 */
#include "store/reserve.h"

#include "store/store.h"
#include "store_kit.h"

static gs_options
memory_options(void)
{
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_MEMORY;
  return options;
}

/* The store as the next process finds it. */
static gs_store *
open_again(gs_store *store, gs_options *options, gs_crash_model model)
{
  gs_sim *copy = gs_sim_crash(sim_machine, model, 0);
  assert_non_null(copy);
  kit_close(store);
  sim_machine_become(copy);
  options->env = sim_machine_env;
  return kit_open(options);
}

/* Some writes, each with a higher number; returns the last. */
static uint64_t
write_some(gs_store *store, int count, bool flushes, uint64_t last)
{
  for (int i = 0; i < count; i++) {
    uint64_t seq = kit_put(store, "a", "1");
    assert_true(seq > last);
    last = seq;
    if (flushes) {
      KIT_OK(gs_flush(store, &kit_err));
    }
  }
  return last;
}

static void
test_no_number_is_given_out_twice_over_crashes(void **state)
{
  (void)state;
  static const gs_crash_model models[] = {GS_CRASH_KILL, GS_CRASH_SYNCED};
  gs_options options = memory_options();
  gs_store *store = kit_open(&options);
  uint64_t last = 0;
  for (int life = 0; life < 12; life++) {
    last = write_some(store, 1 + life % 4, life % 3 == 1, last);
    store = open_again(store, &options, models[life % 2]);
    assert_true(gs_last_seq(store) >= last);
  }
  kit_close(store);
}

static void
test_a_crash_before_the_first_flush_is_none_either(void **state)
{
  (void)state;
  gs_options options = memory_options();
  kit_close(kit_open(&options));
  gs_store *store = kit_open(&options); /* clean, and nothing is flushed */
  uint64_t lost = kit_put(store, "a", "1");
  store = open_again(store, &options, GS_CRASH_SYNCED);
  assert_string_equal(kit_get(store, "a"), "(absent)");
  assert_true(kit_put(store, "b", "2") > lost);
  kit_close(store);
}

static void
test_numbers_that_come_long_after_the_last_edit_are_reserved_first(void **state)
{
  (void)state;
  gs_options options = memory_options();
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  uint64_t reserved = atomic_load(&store->reserved_seq);
  assert_true(gs_reserve_suffices(store, 1));
  assert_false(gs_reserve_suffices(store, UINT32_MAX));
  store->next_seq = reserved; /* as if so many had been written */
  assert_int_equal(kit_put(store, "a", "2"), reserved);
  assert_int_equal(atomic_load(&store->reserved_seq), reserved);
  uint64_t lost = kit_put(store, "a", "3");
  assert_int_equal(lost, reserved + 1);
  assert_true(atomic_load(&store->reserved_seq) > lost);
  store = open_again(store, &options, GS_CRASH_KILL);
  assert_true(kit_put(store, "a", "4") > lost);
  kit_close(store);
}

static void
test_reserving_costs_one_edit_and_flushes_renew_it(void **state)
{
  (void)state;
  gs_options options = memory_options();
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  uint64_t ops = gs_sim_ops(sim_machine);
  uint64_t reserved = atomic_load(&store->reserved_seq);
  for (int i = 0; i < 50; i++) {
    kit_put(store, "a", "1");
  }
  assert_int_equal(gs_sim_ops(sim_machine), ops);
  KIT_OK(gs_flush(store, &kit_err));
  assert_true(atomic_load(&store->reserved_seq) > reserved);
  kit_close(store);
}

static void
test_a_clean_close_leaves_no_number_out(void **state)
{
  (void)state;
  gs_options options = memory_options();
  for (uint64_t life = 0; life < 3; life++) {
    gs_store *store = kit_open(&options);
    assert_int_equal(gs_last_seq(store), 2 * life);
    assert_int_equal(kit_put(store, "a", "1"), 2 * life + 1);
    if (life == 1) {
      KIT_OK(gs_flush(store, &kit_err));
    }
    assert_int_equal(kit_put(store, "a", "1"), 2 * life + 2);
    kit_close(store);
  }
  gs_store *store = kit_open(&options);
  uint64_t lost = kit_put(store, "a", "1");
  assert_int_equal(lost, 7);
  store = open_again(store, &options, GS_CRASH_KILL);
  assert_true(kit_put(store, "a", "1") > lost);
  kit_close(store);
}

static void
test_a_write_whose_numbers_cannot_be_reserved_did_not_happen(void **state)
{
  (void)state;
  gs_options options = memory_options();
  gs_store *store = kit_open(&options);
  sim_machine_fail(GS_SIM_ANY, 1, 5);
  assert_int_equal(
      gs_put(store, gs_slice_str("a"), gs_slice_str("1"), NULL, NULL, &kit_err),
      GS_IO);
  assert_false(kit_err.is_doubtful);
  assert_string_equal(kit_get(store, "a"), "(absent)");
  gs_sim_heal(sim_machine);
  kit_put(store, "a", "2");
  assert_string_equal(kit_get(store, "a"), "2");
  kit_close(store);
}

static void
test_a_store_with_a_log_reserves_nothing(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  assert_true(gs_reserve_suffices(store, UINT32_MAX));
  assert_int_equal(gs_reserve_ahead(store, 5), 5);
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_no_number_is_given_out_twice_over_crashes),
      KIT_TEST(test_a_crash_before_the_first_flush_is_none_either),
      KIT_TEST(
          test_numbers_that_come_long_after_the_last_edit_are_reserved_first),
      KIT_TEST(test_reserving_costs_one_edit_and_flushes_renew_it),
      KIT_TEST(test_a_clean_close_leaves_no_number_out),
      KIT_TEST(test_a_write_whose_numbers_cannot_be_reserved_did_not_happen),
      KIT_TEST(test_a_store_with_a_log_reserves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
