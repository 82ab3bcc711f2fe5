/*
 * One store for each directory of a machine.
 */
#include "store_kit.h"

#include "store/registry.h"

static void
test_two_paths_to_one_directory_are_one_store(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *first = kit_open(&options);
  gs_store *second = NULL;
  KIT_OK(gs_open("/db/", &options, &second, &kit_err));
  assert_ptr_equal(first, second);
  kit_close(second);
  kit_put(first, "a", "1");
  kit_close(first);
}

static void
test_each_directory_has_its_own_store(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *stores[3];
  const char *paths[3] = {"/x", "/y", "/z"};
  for (size_t i = 0; i < 3; i++) {
    KIT_OK(gs_open(paths[i], &options, &stores[i], &kit_err));
    kit_put(stores[i], "name", paths[i]);
  }
  kit_close(stores[1]);
  for (size_t i = 0; i < 3; i += 2) {
    assert_string_equal(kit_get(stores[i], "name"), paths[i]);
    gs_store *again = NULL;
    KIT_OK(gs_open(paths[i], &options, &again, &kit_err));
    assert_ptr_equal(again, stores[i]);
    kit_close(again);
  }
  kit_close(stores[0]);
  kit_close(stores[2]);
}

static void
test_an_entry_goes_with_the_last_close(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  uint64_t device = store->device;
  uint64_t inode = store->inode;
  assert_ptr_equal(gs_registry_find(sim_machine_env, device, inode), store);
  kit_close(kit_open(&options));
  assert_ptr_equal(gs_registry_find(sim_machine_env, device, inode), store);
  assert_null(gs_registry_find(sim_machine_env, device, inode + 1));
  kit_close(store);
  assert_null(gs_registry_find(sim_machine_env, device, inode));
}

static void
test_options_that_disagree_with_the_open_store_are_refused(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_store *other = NULL;
  gs_options wrong = options;
  wrong.must_create = true;
  assert_int_equal(gs_open("/db", &wrong, &other, &kit_err), GS_EXISTS);
  wrong = options;
  wrong.kind = GS_STORE_U32;
  assert_int_equal(gs_open("/db", &wrong, &other, &kit_err), GS_KIND);
  wrong = options;
  wrong.readonly = true;
  assert_int_equal(gs_open("/db", &wrong, &other, &kit_err), GS_MISMATCH);
  assert_null(other);
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_two_paths_to_one_directory_are_one_store),
      KIT_TEST(test_each_directory_has_its_own_store),
      KIT_TEST(test_an_entry_goes_with_the_last_close),
      KIT_TEST(test_options_that_disagree_with_the_open_store_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
