/*
 * The ballast: how large it is, and that a store on a full disk can still empty
 * its memory, delete, close and be opened.
 */
#include "store_kit.h"

static gs_options
ballast_options(void)
{
  gs_options options = kit_options();
  options.disk_reserve_bytes = 1 << 20;
  options.memory_bytes = 8 << 20;
  options.memtable_bytes = 1 << 20;
  return options;
}

static bool
has_file(gs_sim *sim)
{
  gs_file_info info;
  return gs_env_stat(gs_sim_env(sim), "/db/BALLAST", &info, NULL) == GS_OK;
}

/* Another program takes what was left on the disk. */
static void
fill_disk(void)
{
  gs_sim_set_capacity(sim_machine, gs_sim_used_bytes(sim_machine));
}

static gs_status
try_put(gs_store *store, const char *key)
{
  return gs_put(store, gs_slice_str(key), gs_slice_str("1"), NULL, NULL,
                &kit_err);
}

static void
test_a_ballast_is_as_large_as_the_log_and_within_the_reserve(void **state)
{
  (void)state;
  gs_options options = ballast_options();
  gs_store *store = kit_open(&options);
  assert_int_equal(kit_stats(store).ballast_bytes, 0);
  kit_put(store, "a", "1");
  uint64_t small = kit_stats(store).ballast_bytes;
  assert_in_range(small, 1, 256 * 1024);
  kit_fill(store, "k", 1, 6000);
  assert_in_range(kit_stats(store).ballast_bytes, small + 1, 1 << 20);
  assert_true(has_file(sim_machine));
  kit_close(store);
  assert_false(has_file(sim_machine));
  options.disk_reserve_bytes = 0;
  store = kit_open(&options);
  kit_fill(store, "k", 1, 100);
  assert_int_equal(kit_stats(store).ballast_bytes, 0);
  kit_close(store);
}

static void
test_no_ballast_is_made_where_the_reserve_would_suffer(void **state)
{
  (void)state;
  gs_options options = ballast_options();
  gs_sim_set_capacity(sim_machine, (1 << 20) + 300 * 1024);
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  assert_int_equal(kit_stats(store).ballast_bytes, 0);
  assert_false(has_file(sim_machine));
  kit_close(store);
}

static void
test_a_full_disk_lets_memory_be_flushed_and_keys_be_deleted(void **state)
{
  (void)state;
  gs_options options = ballast_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 1500);
  assert_int_equal(kit_stats(store).flushes, 0);
  fill_disk();
  KIT_OK(gs_flush(store, &kit_err));
  assert_int_equal(kit_stats(store).ballast_bytes, 0);
  assert_false(has_file(sim_machine));
  kit_delete(store, "k0001");
  assert_string_equal(kit_get(store, "k0001"), "(absent)");
  assert_true(kit_has(store, "k", 1500));
  KIT_OK(gs_flush(store, &kit_err));
  kit_close(store);
  options.create = false;
  store = kit_open(&options);
  assert_string_equal(kit_get(store, "k0001"), "(absent)");
  assert_true(kit_has(store, "k", 2));
  kit_close(store);
}

static void
test_space_that_returns_resumes_writes_and_makes_the_ballast_anew(void **state)
{
  (void)state;
  gs_options options = ballast_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 1500);
  fill_disk();
  KIT_OK(gs_flush(store, &kit_err));
  gs_status status = GS_OK;
  for (int i = 0; status == GS_OK && i < 100000; i++) {
    char key[16];
    snprintf(key, sizeof key, "x%06d", i);
    status = try_put(store, key);
  }
  assert_int_equal(status, GS_FULL);
  assert_false(kit_err.is_doubtful);
  gs_sim_set_capacity(sim_machine, 0);
  KIT_OK(try_put(store, "after"));
  kit_fill(store, "y", 1, 6000);
  assert_true(kit_stats(store).ballast_bytes > 0);
  kit_close(store);
  store = kit_open(&options);
  assert_string_equal(kit_get(store, "after"), "1");
  assert_string_equal(kit_get(store, "x000000"), "1");
  assert_true(kit_has(store, "y", 6000));
  kit_close(store);
}

static void
test_a_crashed_store_on_a_full_disk_opens_on_its_ballast(void **state)
{
  (void)state;
  gs_options options = ballast_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 1500);
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  kit_close(store);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  assert_true(has_file(sim_machine));
  fill_disk();
  store = kit_open(&options);
  assert_true(kit_has(store, "k", 1500));
  assert_false(has_file(sim_machine));
  kit_close(store);
}

static void
test_reading_alone_needs_no_space_and_no_ballast(void **state)
{
  (void)state;
  gs_options options = ballast_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 1500);
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  kit_close(store);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  options.readonly = true;
  fill_disk();
  gs_sim_fault no_writes = {.op = GS_SIM_WRITE, .nth = 1, .os_errno = 30};
  KIT_OK(gs_sim_fail(sim_machine, &no_writes, &kit_err));
  store = kit_open(&options);
  assert_true(kit_has(store, "k", 1500));
  kit_close(store);
  assert_true(has_file(sim_machine));
}

static void
test_a_ballast_that_cannot_be_made_harms_nothing(void **state)
{
  (void)state;
  gs_options options = ballast_options();
  gs_sim_fault fault = {
      .op = GS_SIM_ALLOCATE, .path = "*BALLAST", .nth = 1, .os_errno = 28};
  KIT_OK(gs_sim_fail(sim_machine, &fault, &kit_err));
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 3000);
  assert_int_equal(kit_stats(store).ballast_bytes, 0);
  assert_false(has_file(sim_machine));
  kit_close(store);
  KIT_OK(gs_destroy(sim_machine_env, "/db", &kit_err));
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_ballast_is_as_large_as_the_log_and_within_the_reserve),
      KIT_TEST(test_no_ballast_is_made_where_the_reserve_would_suffer),
      KIT_TEST(test_a_full_disk_lets_memory_be_flushed_and_keys_be_deleted),
      KIT_TEST(
          test_space_that_returns_resumes_writes_and_makes_the_ballast_anew),
      KIT_TEST(test_a_crashed_store_on_a_full_disk_opens_on_its_ballast),
      KIT_TEST(test_reading_alone_needs_no_space_and_no_ballast),
      KIT_TEST(test_a_ballast_that_cannot_be_made_harms_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
