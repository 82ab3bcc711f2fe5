/*
 * Directories that are not open: what they hold, and their end.
 */
#include "store_kit.h"

static void
test_a_directory_tells_kind_and_sizes_without_being_opened(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.kind = GS_STORE_U32;
  gs_store *store = kit_open(&options);
  uint8_t k[4];
  uint8_t v[4];
  for (uint32_t i = 0; i < 10; i++) {
    KIT_OK(gs_put(store, gs_key_from_u32(i, k), gs_value_from_u32(i, v), NULL,
                  NULL, &kit_err));
  }
  gs_info info;
  KIT_OK(gs_inspect(sim_machine_env, "/db", &info, &kit_err));
  assert_false(info.is_clean);
  assert_true(info.is_open);
  assert_true(info.owner[0] != '\0');
  assert_int_equal(info.last_seq, 10);
  assert_int_equal(info.flushed_seq, 0);
  assert_true(info.log_bytes > 0);
  assert_true(info.all_bytes > info.log_bytes);
  kit_close(store);
  uint64_t before = gs_sim_pending(sim_machine);
  KIT_OK(gs_inspect(sim_machine_env, "/db", &info, &kit_err));
  assert_int_equal(gs_sim_pending(sim_machine), before);
  assert_int_equal(info.kind, GS_STORE_U32);
  assert_int_equal(info.format, GS_FORMAT_NUMBER);
  assert_int_equal(info.entry_count, 10);
  assert_int_equal(info.run_count, 1);
  assert_int_equal(info.table_count, 1);
  assert_int_equal(info.flushed_seq, 10);
  assert_int_equal(info.last_seq, 10);
  assert_int_equal(info.log_bytes, 0);
  assert_true(info.all_bytes > info.table_bytes);
  assert_true(info.is_clean);
  assert_false(info.is_open);
  assert_int_equal(gs_inspect(sim_machine_env, "/none", &info, &kit_err),
                   GS_MISSING);
}

static void
test_tables_without_a_manifest_are_no_absent_store(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 100);
  KIT_OK(gs_flush(store, &kit_err));
  kit_close(store);
  gs_info info;
  KIT_OK(gs_env_remove(sim_machine_env, "/db/MANIFEST-000001", &kit_err));
  assert_int_equal(gs_inspect(sim_machine_env, "/db", &info, &kit_err),
                   GS_CORRUPT);
  assert_non_null(strstr(kit_err.hint, "repair"));
}

static void
test_a_destroyed_store_leaves_nothing_and_can_be_made_anew(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 300);
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  kit_close(store);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  KIT_OK(gs_destroy(sim_machine_env, "/db", &kit_err));
  gs_file_info file;
  assert_int_equal(gs_env_stat(sim_machine_env, "/db", &file, NULL),
                   GS_MISSING);
  store = kit_open(&options);
  assert_false(kit_has(store, "k", 1));
  kit_put(store, "a", "1");
  kit_close(store);
}

/* What is left can be destroyed again, or is no store any more. */
static void
destroy_again(const gs_sim *sim, gs_crash_model model, uint64_t choice)
{
  gs_sim *copy = gs_sim_crash(sim, model, choice);
  gs_status status = gs_destroy(gs_sim_env(copy), "/db", &kit_err);
  if (status != GS_MISSING) {
    KIT_OK(status);
  }
  gs_options options = kit_options();
  options.env = gs_sim_env(copy);
  gs_store *store = NULL;
  KIT_OK(gs_open("/db", &options, &store, &kit_err));
  assert_false(kit_has(store, "k", 1));
  kit_close(store);
  assert_int_equal(gs_sim_allocated_bytes(copy), 0);
  gs_sim_free(copy);
}

static void
test_a_destruction_that_was_cut_short_can_be_taken_up_again(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 100);
  KIT_OK(gs_flush(store, &kit_err));
  kit_fill(store, "m", 1, 10);
  KIT_OK(gs_sync(store, &kit_err));
  gs_sim *whole = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  kit_close(store);
  gs_status status = GS_IO;
  for (uint64_t ops = 1; status != GS_OK; ops++) {
    gs_sim *sim = gs_sim_crash(whole, GS_CRASH_KILL, 0);
    gs_sim_stop_at(sim, gs_sim_ops(sim) + ops);
    status = gs_destroy(gs_sim_env(sim), "/db", &kit_err);
    for (uint64_t choice = 0; choice < 8; choice++) {
      destroy_again(sim, choice == 0 ? GS_CRASH_KILL : GS_CRASH_RANDOM, choice);
    }
    gs_sim_free(sim);
  }
  gs_sim_free(whole);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_directory_tells_kind_and_sizes_without_being_opened),
      KIT_TEST(test_tables_without_a_manifest_are_no_absent_store),
      KIT_TEST(test_a_destroyed_store_leaves_nothing_and_can_be_made_anew),
      KIT_TEST(test_a_destruction_that_was_cut_short_can_be_taken_up_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
