/*
 * What every part of the store asks: time, numbers, failure; and waiting for work.
 */
#include "store_kit.h"

#include "store/store.h"

static void
test_the_stores_clock_never_goes_back(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_sim_set_wall_ms(sim_machine, 50000);
  gs_store *store = kit_open(&options);
  assert_int_equal(gs_now_ms(store), 50000);
  gs_sim_set_wall_ms(sim_machine, 1000);
  assert_int_equal(gs_now_ms(store), 50000);
  gs_sim_set_wall_ms(sim_machine, 50001);
  assert_int_equal(gs_now_ms(store), 50001);
  kit_close(store);
}

static void
test_numbers_of_files_are_given_out_once(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  uint64_t first = gs_store_new_id(store);
  assert_int_equal(gs_store_new_id(store), first + 1);
  kit_put(store, "a", "1");
  kit_close(store);
  store = kit_open(&options);
  assert_true(gs_store_new_id(store) > first + 1);
  kit_close(store);
}

static void
test_the_first_failure_is_the_one_that_every_write_tells(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  gs_error first;
  GS_IGNORE(GS_FAIL(&first, GS_IO, "the first"), "made for the store");
  gs_store_fail(store, GS_IO, &first);
  GS_IGNORE(GS_FAIL(&first, GS_FULL, "the second"), "made for the store");
  gs_store_fail(store, GS_FULL, &first);
  assert_int_equal(gs_delete(store, gs_slice_str("a"), NULL, NULL, &kit_err),
                   GS_IO);
  assert_string_equal(kit_err.message, "the first");
  assert_true(kit_err.hint[0] != '\0');
  assert_string_equal(kit_get(store, "a"), "1");
  assert_int_equal(gs_close(store, &kit_err), GS_IO);
  store = kit_open(&options);
  assert_string_equal(kit_get(store, "a"), "1");
  kit_close(store);
}

static void
test_small_questions_have_their_answers(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = NULL;
  KIT_OK(gs_open("/db///", &options, &store, &kit_err));
  assert_string_equal(gs_get_path(store), "/db");
  assert_int_equal(gs_get_kind(store), GS_STORE_BYTES);
  assert_ptr_equal(gs_get_alloc(store), sim_machine_env->alloc);
  assert_int_equal(gs_last_seq(store), 0);
  gs_options found;
  gs_get_options(store, &found);
  assert_int_equal(found.table_bytes, options.table_bytes);
  kit_close(store);
  assert_int_equal(gs_close(NULL, &kit_err), GS_OK);
}

static void
test_waiting_for_idleness_does_all_there_is(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  for (int i = 0; i < 3; i++) {
    kit_fill(store, "k", i, i);
    KIT_OK(gs_seal(store, &kit_err));
  }
  KIT_OK(gs_wait_idle(store, &kit_err));
  assert_int_equal(kit_stats(store).flushes, 3);
  bool more = true;
  KIT_OK(gs_step(store, 0, &more, &kit_err));
  assert_false(more);
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_the_stores_clock_never_goes_back),
      KIT_TEST(test_numbers_of_files_are_given_out_once),
      KIT_TEST(test_the_first_failure_is_the_one_that_every_write_tells),
      KIT_TEST(test_small_questions_have_their_answers),
      KIT_TEST(test_waiting_for_idleness_does_all_there_is),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
