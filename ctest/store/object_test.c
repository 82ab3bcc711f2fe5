/*
 * A store in memory: made or not, it gives back all it took.
 */
#include "store_kit.h"

#include "store/object.h"
#include "store/options.h"

static void
test_a_store_without_memory_is_freed_in_whatever_state_it_is(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_options_derive(&options);
  bool was_met = true;
  int failures = 0;
  for (uint64_t nth = 1; was_met; nth++) {
    gs_store *store = NULL;
    uint64_t before = gs_sim_allocs(sim_machine);
    gs_sim_fail_alloc(sim_machine, nth, 1);
    gs_status status = gs_object_new("/db", &options, &store, &kit_err);
    was_met = gs_sim_allocs(sim_machine) - before >= nth;
    gs_sim_fail_alloc(sim_machine, 0, 1);
    assert_true(status == GS_OK || status == GS_NOMEM);
    failures += status == GS_NOMEM;
    gs_object_free(store);
    assert_int_equal(gs_sim_allocated_bytes(sim_machine), 0);
  }
  assert_true(failures >= 8);
}

static void
test_a_new_store_has_its_options_and_nothing_else(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = NULL;
  options.memtable_bytes = 12345;
  options.readonly = true;
  gs_options_derive(&options);
  KIT_OK(gs_object_new("/db", &options, &store, &kit_err));
  assert_string_equal(gs_get_path(store), "/db");
  assert_int_equal(gs_limit(&store->limits.memtable_bytes), 12345);
  assert_true(store->is_readonly);
  assert_int_equal(store->tree.version->run_count, 0);
  assert_null(atomic_load(&store->view));
  assert_null(store->lock);
  gs_object_free(store);
  gs_object_free(NULL);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_store_without_memory_is_freed_in_whatever_state_it_is),
      KIT_TEST(test_a_new_store_has_its_options_and_nothing_else),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
