/*
 * Changes of the tree: durable first, then seen; and manifests that cannot be trusted.
 */
#include "store_kit.h"

#include "store/directory.h"

static void
test_the_first_change_begins_a_manifest_and_the_old_one_goes(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  kit_close(store);
  gs_directory found;
  KIT_OK(gs_directory_look(sim_machine_env, "/db", &found, &kit_err));
  uint64_t before = found.max_manifest;
  store = kit_open(&options);
  KIT_OK(gs_directory_look(sim_machine_env, "/db", &found, &kit_err));
  assert_int_equal(found.max_manifest, before);
  kit_put(store, "b", "1");
  KIT_OK(gs_directory_look(sim_machine_env, "/db", &found, &kit_err));
  assert_int_equal(found.max_manifest, before + 1);
  assert_int_equal(found.manifest_count, 1);
  kit_close(store);
}

/* The change that met the failure is tried again, on a manifest begun anew. */
static void
test_a_manifest_that_failed_is_not_written_again(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  uint64_t before = store->manifest_number;
  gs_sim_fault fault = {.op = GS_SIM_SYNC,
                        .path = "*MANIFEST-000001",
                        .nth = 1,
                        .times = 1,
                        .os_errno = 5};
  KIT_OK(gs_sim_fail(sim_machine, &fault, &kit_err));
  assert_int_equal(gs_flush(store, &kit_err), GS_IO);
  assert_true(gs_manifest_is_doubtful(store->manifest));
  kit_put(store, "b", "2");
  KIT_OK(gs_flush(store, &kit_err));
  assert_false(gs_manifest_is_doubtful(store->manifest));
  assert_true(store->manifest_number > before);
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_SYNCED, 0);
  kit_close(store);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  store = kit_open(&options);
  assert_string_equal(kit_get(store, "a"), "1");
  assert_string_equal(kit_get(store, "b"), "2");
  kit_close(store);
}

/* An edit that does not fit is refused before anything of it is durable, or no
 * open would ever read the manifest again. */
static void
test_an_edit_that_does_not_fit_is_never_made_durable(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  gs_edit *edit = gs_edit_new(store->alloc);
  gs_edit_remove_segment(edit, 777);
  gs_install change = {.edit = edit};
  gs_mutex_lock(store->install);
  assert_int_equal(gs_store_install(store, &change, &kit_err), GS_CORRUPT);
  gs_mutex_unlock(store->install);
  assert_false(change.is_durable);
  gs_edit_free(edit);
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  GS_IGNORE(gs_close(store, NULL), "it may take no more writes");
  sim_machine_become(copy);
  options.env = sim_machine_env;
  store = kit_open(&options);
  assert_string_equal(kit_get(store, "a"), "1");
  kit_close(store);
}

static void
test_a_view_is_published_with_every_change_of_the_tree(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  gs_view *before = gs_store_pin_view(store);
  KIT_OK(gs_flush(store, &kit_err));
  gs_view *after = gs_store_pin_view(store);
  assert_ptr_not_equal(before, after);
  assert_int_equal(before->version->run_count, 0);
  assert_int_equal(after->version->run_count, 1);
  assert_int_equal(after->memtable_count, 1);
  gs_view_unref(before);
  gs_view_unref(after);
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_the_first_change_begins_a_manifest_and_the_old_one_goes),
      KIT_TEST(test_a_manifest_that_failed_is_not_written_again),
      KIT_TEST(test_an_edit_that_does_not_fit_is_never_made_durable),
      KIT_TEST(test_a_view_is_published_with_every_change_of_the_tree),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
