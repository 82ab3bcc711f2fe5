/*
 * Options: bounds, what follows from others, and what may change while open.
 */
#include "store_kit.h"

#include "store/options.h"

typedef struct number_case {
  const char *name;
  uint64_t good;
  uint64_t bad;
} number_case;

static void
test_numbers_change_within_their_bounds_only(void **state)
{
  (void)state;
  static const number_case cases[] = {
      {"memtable_bytes", 4096, 4095},
      {"wal_batch_ms", 60000, 60001},
      {"max_stall_ms", 1, 0},
      {"default_ttl_ms", 0, UINT64_MAX},
      {"max_wal_bytes", 65536, 65535},
      {"table_bytes", 4096, 0},
      {"disk_reserve_bytes", 0, UINT64_MAX},
      {"memory_bytes", 1 << 20, 1},
  };
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    KIT_OK(gs_set_option(store, cases[i].name, cases[i].good, &kit_err));
    assert_int_equal(
        gs_set_option(store, cases[i].name, cases[i].bad, &kit_err), GS_MISUSE);
    assert_non_null(strstr(kit_err.message, cases[i].name));
  }
  gs_get_options(store, &options);
  assert_int_equal(options.wal_batch_ms, 60000);
  assert_int_equal(options.memtable_bytes, 4096);
  assert_true(gs_can_set_option(store, "wal_batch_ms"));
  assert_false(gs_can_set_option(store, "threads"));
  assert_int_equal(gs_set_option(store, "threads", 1, &kit_err), GS_MISUSE);
  assert_int_equal(gs_set_option(store, "max_wal_bytes", 0, &kit_err),
                   GS_MISUSE);
  kit_close(store);
}

static void
expect_misuse(const gs_options *options, const char *word)
{
  gs_store *store = NULL;
  assert_int_equal(gs_open("/db", options, &store, &kit_err), GS_MISUSE);
  assert_null(store);
  assert_non_null(strstr(kit_err.message, word));
}

static void
test_options_out_of_bounds_open_nothing(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.memory_bytes = 5;
  expect_misuse(&options, "memory_bytes");
  options = kit_options();
  options.block_bytes = 255;
  expect_misuse(&options, "block_bytes");
  options = kit_options();
  options.threads = 17;
  expect_misuse(&options, "threads");
  options = kit_options();
  options.durability = (gs_durability)0;
  expect_misuse(&options, "durability");
  for (int wrong = 0; wrong <= 4; wrong += 4) {
    options = kit_options();
    options.compression = (gs_compression)wrong;
    expect_misuse(&options, "compression");
  }
  options = kit_options();
  options.must_create = true;
  options.create = false;
  expect_misuse(&options, "must_create");
  options = kit_options();
  options.must_create = true;
  options.readonly = true;
  expect_misuse(&options, "readonly");
  gs_file_info info;
  assert_int_equal(gs_env_stat(sim_machine_env, "/db", &info, NULL),
                   GS_MISSING);
}

static void
test_what_is_left_out_follows_from_the_memory(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.memory_bytes = 16 << 20;
  options.memtable_bytes = 0;
  options.max_wal_bytes = 0;
  gs_options_derive(&options);
  assert_int_equal(options.memtable_bytes, 2 << 20);
  assert_int_equal(options.max_wal_bytes, 8 << 20);
  assert_int_equal(options.threads, 0);
}

static void
test_memtables_stay_small_in_much_memory_unless_asked(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.memory_bytes = UINT64_C(4) << 30;
  options.memtable_bytes = 0;
  options.max_wal_bytes = 0;
  gs_options_derive(&options);
  assert_int_equal(options.memtable_bytes, 64 << 20);
  assert_int_equal(options.max_wal_bytes, 256 << 20);
  assert_true(
      gs_options_cache_bytes(options.memory_bytes, options.memtable_bytes) >
      options.memory_bytes / 10 * 9);
  options.memtable_bytes = 512 << 20;
  gs_options_derive(&options);
  assert_int_equal(options.memtable_bytes, 512 << 20);
}

static void
test_the_cache_gets_what_memtables_leave_and_a_quarter_at_least(void **state)
{
  (void)state;
  uint64_t all = 100 << 20;
  assert_int_equal(gs_options_cache_bytes(all, 10 << 20), 52 << 20);
  assert_int_equal(gs_options_cache_bytes(all, 50 << 20), 25 << 20);
  assert_int_equal(gs_options_cache_bytes(all, UINT64_C(1) << 34), 25 << 20);
}

static void
test_a_new_default_ttl_counts_for_puts_from_then_on(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_put(store, "old", "1");
  KIT_OK(gs_set_option(store, "default_ttl_ms", 1000, &kit_err));
  kit_put(store, "new", "2");
  gs_sim_advance_ms(sim_machine, 1001);
  assert_string_equal(kit_get(store, "old"), "1");
  assert_string_equal(kit_get(store, "new"), "(absent)");
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_numbers_change_within_their_bounds_only),
      KIT_TEST(test_options_out_of_bounds_open_nothing),
      KIT_TEST(test_what_is_left_out_follows_from_the_memory),
      KIT_TEST(test_memtables_stay_small_in_much_memory_unless_asked),
      KIT_TEST(test_the_cache_gets_what_memtables_leave_and_a_quarter_at_least),
      KIT_TEST(test_a_new_default_ttl_counts_for_puts_from_then_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
