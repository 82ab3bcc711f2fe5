/*
 * Recovery: what an unclean directory becomes, and what refuses.
 */
#include "store_kit.h"

/* The machine as a killed process leaves it, after what fill does. */
static void
kill_after(gs_options *options, void (*fill)(gs_store *))
{
  gs_store *store = kit_open(options);
  fill(store);
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  kit_close(store);
  sim_machine_become(copy);
  options->env = sim_machine_env;
}

static void
fill_log(gs_store *store)
{
  kit_fill(store, "k", 1, 60);
}

static void
test_what_was_replayed_is_in_tables_before_it_is_served(void **state)
{
  (void)state;
  gs_options options = kit_options();
  kill_after(&options, fill_log);
  gs_store *store = kit_open(&options);
  assert_int_equal(kit_stats(store).entry_count, 60);
  assert_int_equal(gs_durable_seq(store), gs_last_seq(store));
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_SYNCED, 0);
  kit_close(store);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  store = kit_open(&options);
  assert_true(kit_has(store, "k", 60));
  kit_close(store);
}

static void
test_a_log_larger_than_the_memory_given_now_is_replayed(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.memory_bytes = 16 << 20;
  options.memtable_bytes = 2 << 20;
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 9000);
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  kit_close(store);
  sim_machine_become(copy);
  options = kit_options();
  options.memtable_bytes = 4096;
  store = kit_open(&options);
  assert_true(kit_has(store, "k", 1));
  assert_true(kit_has(store, "k", 9000));
  kit_close(store);
}

static void
test_a_missing_segment_or_table_refuses_and_deletes_nothing(void **state)
{
  (void)state;
  gs_options options = kit_options();
  kill_after(&options, fill_log);
  KIT_OK(gs_env_remove(sim_machine_env, "/db/000001.wal", &kit_err));
  gs_store *store = NULL;
  assert_int_equal(gs_open("/db", &options, &store, &kit_err), GS_CORRUPT);
  assert_non_null(strstr(kit_err.message, "000001.wal"));
  assert_null(store);
  gs_info info;
  KIT_OK(gs_inspect(sim_machine_env, "/db", &info, &kit_err));
}

static void
test_the_clock_does_not_go_back_over_an_open(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_sim_set_wall_ms(sim_machine, 1000000);
  gs_store *store = kit_open(&options);
  gs_write_options ttl = {.ttl_ms = 500, .has_ttl = true};
  KIT_OK(gs_put(store, gs_slice_str("a"), gs_slice_str("1"), &ttl, NULL,
                &kit_err));
  gs_sim_advance_ms(sim_machine, 1000);
  assert_string_equal(kit_get(store, "a"), "(absent)");
  kit_close(store);
  gs_sim_set_wall_ms(sim_machine, 5000);
  store = kit_open(&options);
  assert_true(gs_now_ms(store) >= 1001000);
  assert_string_equal(kit_get(store, "a"), "(absent)");
  kit_close(store);
}

static void
test_a_clean_store_reads_no_log_and_writes_nothing_until_the_first_write(
    void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 60);
  kit_close(store);
  gs_buffer before;
  gs_buffer after;
  gs_buffer_init(&before, sim_machine_env->alloc);
  gs_buffer_init(&after, sim_machine_env->alloc);
  kit_close(kit_open(&options));
  gs_sim_dump(sim_machine, &before);
  kit_close(kit_open(&options));
  gs_sim_dump(sim_machine, &after);
  /* The lock file names its holder anew. */
  char *lock = strstr((char *)before.data, "LOCK");
  assert_non_null(lock);
  assert_int_equal(before.size, after.size);
  gs_buffer_deinit(&before);
  gs_buffer_deinit(&after);
}

static void
test_a_crash_loop_ends_with_all_that_was_written(void **state)
{
  (void)state;
  gs_options options = kit_options();
  for (int i = 1; i <= 50; i++) {
    gs_store *store = kit_open(&options);
    for (int k = 1; k < i; k++) {
      assert_true(kit_has(store, "k", k));
    }
    kit_fill(store, "k", i, i);
    gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
    kit_close(store);
    sim_machine_become(copy);
    options.env = sim_machine_env;
  }
  gs_store *store = kit_open(&options);
  KIT_OK(gs_verify(store, &kit_err));
  assert_true(kit_stats(store).run_count <= 34);
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_what_was_replayed_is_in_tables_before_it_is_served),
      KIT_TEST(test_a_log_larger_than_the_memory_given_now_is_replayed),
      KIT_TEST(test_a_missing_segment_or_table_refuses_and_deletes_nothing),
      KIT_TEST(test_the_clock_does_not_go_back_over_an_open),
      KIT_TEST(
          test_a_clean_store_reads_no_log_and_writes_nothing_until_the_first_write),
      KIT_TEST(test_a_crash_loop_ends_with_all_that_was_written),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
