/*
 * The log's segments: how they follow on one another, go when their entries are
 * flushed, and keep the log within its bound.
 */
#include "store_kit.h"

#include "store/paths.h"

static void
count_segment(void *context, const char *name)
{
  uint64_t number;
  *(size_t *)context += gs_path_kind(name, &number) == GS_FILE_SEGMENT;
}

static size_t
segment_files(void)
{
  size_t count = 0;
  KIT_OK(gs_env_list(sim_machine_env, "/db", count_segment, &count, &kit_err));
  return count;
}

static gs_stats
stats_of(gs_store *store)
{
  gs_stats stats;
  gs_get_stats(store, &stats);
  return stats;
}

static void
put_many(gs_store *store, int count)
{
  for (int i = 0; i < count; i++) {
    char key[16];
    char value[200];
    snprintf(key, sizeof key, "k%06d", i);
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    kit_put(store, key, value);
    bool more;
    KIT_OK(gs_step(store, UINT64_MAX, &more, &kit_err));
  }
}

static void
test_a_log_beyond_its_bound_forces_a_flush_and_not_one_for_each_write(
    void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.memtable_bytes = 262144;
  options.max_wal_bytes = 65536;
  gs_store *store = kit_open(&options);
  put_many(store, 3000);
  KIT_OK(gs_flush(store, &kit_err));
  uint64_t flushes = stats_of(store).flushes;
  assert_true(flushes >= 3);
  assert_true(flushes <= 30);
  kit_close(store);
}

static void
test_a_log_shrinks_to_one_segment_when_all_is_flushed(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.max_wal_bytes = 65536;
  gs_store *store = kit_open(&options);
  put_many(store, 2000);
  KIT_OK(gs_flush(store, &kit_err));
  assert_int_equal(segment_files(), 1);
  assert_true(stats_of(store).wal_bytes <= options.max_wal_bytes);
  kit_close(store);
  assert_int_equal(segment_files(), 0);
}

#define T(name)                                             \
  cmocka_unit_test_setup_teardown(name, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      T(test_a_log_beyond_its_bound_forces_a_flush_and_not_one_for_each_write),
      T(test_a_log_shrinks_to_one_segment_when_all_is_flushed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
