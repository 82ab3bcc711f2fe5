/*
 * What a listing says, and what is swept.
 */
#include "store_kit.h"

#include "store/directory.h"

static gs_directory
look(const char *path)
{
  gs_directory found;
  KIT_OK(gs_directory_look(sim_machine_env, path, &found, &kit_err));
  return found;
}

static void
test_a_directory_that_is_not_there_is_no_error(void **state)
{
  (void)state;
  gs_directory found = look("/none");
  assert_false(found.exists);
}

static void
test_files_are_counted_by_what_their_names_say(void **state)
{
  (void)state;
  KIT_OK(gs_env_make_dir(sim_machine_env, "/db", &kit_err));
  sim_machine_make("/db/LOCK", "");
  sim_machine_make("/db/MANIFEST-000003", "");
  sim_machine_make("/db/MANIFEST-000012", "");
  sim_machine_make("/db/000009.sst", "");
  sim_machine_make("/db/000017.wal", "");
  sim_machine_make("/db/notes", "");
  gs_directory found = look("/db");
  assert_true(found.exists);
  assert_true(found.has_lock);
  assert_int_equal(found.manifest_count, 2);
  assert_int_equal(found.max_manifest, 12);
  assert_int_equal(found.data_count, 2);
  assert_int_equal(found.max_number, 17);
  assert_int_equal(found.foreign_count, 1);
}

static void
test_a_file_where_a_directory_should_be_is_named(void **state)
{
  (void)state;
  sim_machine_make("/db", "text");
  gs_directory found;
  assert_int_equal(gs_directory_look(sim_machine_env, "/db", &found, &kit_err),
                   GS_MISSING);
  assert_non_null(strstr(kit_err.message, "/db"));
}

static void
test_an_unclean_open_sweeps_what_no_manifest_lists_and_nothing_else(
    void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 50);
  KIT_OK(gs_flush(store, &kit_err));
  kit_put(store, "a", "1");
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  kit_close(store);
  sim_machine_become(copy);
  sim_machine_make("/db/777777.sst", "left over");
  sim_machine_make("/db/777778.wal", "left over");
  sim_machine_make("/db/mine", "mine");
  options.env = sim_machine_env;
  store = kit_open(&options);
  assert_string_equal(sim_machine_text(sim_machine, "/db/777777.sst"),
                      "(none)");
  assert_string_equal(sim_machine_text(sim_machine, "/db/777778.wal"),
                      "(none)");
  assert_string_equal(sim_machine_text(sim_machine, "/db/mine"), "mine");
  assert_true(kit_has(store, "k", 50));
  assert_string_equal(kit_get(store, "a"), "1");
  kit_close(store);
}

static void
test_numbers_of_stray_files_are_not_used_again(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  kit_close(store);
  sim_machine_make("/db/000500.sst", "stray");
  store = kit_open(&options);
  kit_fill(store, "k", 1, 300);
  KIT_OK(gs_compact(store, NULL, &kit_err));
  assert_true(kit_has(store, "k", 300));
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_directory_that_is_not_there_is_no_error),
      KIT_TEST(test_files_are_counted_by_what_their_names_say),
      KIT_TEST(test_a_file_where_a_directory_should_be_is_named),
      KIT_TEST(
          test_an_unclean_open_sweeps_what_no_manifest_lists_and_nothing_else),
      KIT_TEST(test_numbers_of_stray_files_are_not_used_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
