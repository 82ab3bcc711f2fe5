/*
 * The log's segments: how they follow on one another, go when their entries are
 * flushed, and keep the log within its bound.
 */
#include "log_kit.h"

#include <errno.h>

#include "store/paths.h"
#include "store/store.h"

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

/* A note that is all of the last batch, and then the next segment: the note is
 * on the device before there is one, and its loss is found. */
static void
test_a_note_at_the_end_of_a_segment_is_not_lost_in_silence(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_OS;
  options.memtable_bytes = 1 << 19;
  options.max_wal_bytes = 1 << 20;
  gs_store *store = kit_open(&options);
  gs_write_batch *batch = NULL;
  kit_put(store, "a", "1");
  KIT_OK(gs_write_batch_new(store, &batch, &kit_err));
  gs_commit_options told = {.note = gs_slice_str("last"), .has_note = true};
  KIT_OK(gs_write_batch_commit(batch, &told, NULL, NULL, &kit_err));
  gs_write_batch_free(batch);
  static char large[262144];
  KIT_OK(gs_put(store, gs_slice_str("b"), gs_slice_of(large, sizeof large),
                NULL, NULL, &kit_err));
  assert_int_equal(segment_files(), 2);
  assert_int_equal(log_open_damaged(&options), GS_CORRUPT);
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_SYNCED, 0);
  kit_close(store);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  store = kit_open(&options);
  gs_value note;
  gs_value_init(&note, store);
  KIT_OK(gs_get_note(store, &note, &kit_err));
  assert_true(
      gs_slice_equal(gs_buffer_slice(&note.bytes), gs_slice_str("last")));
  gs_value_deinit(&note);
  kit_close(store);
}

static void
test_a_log_that_stays_when_its_store_is_closed_is_synced_and_sealed(
    void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_OS;
  gs_store *store = kit_open(&options);
  kit_put(store, "last", "1");
  gs_sim_fault fault = {
      .op = GS_SIM_OPEN, .path = "*.sst", .nth = 1, .os_errno = 28};
  KIT_OK(gs_sim_fail(sim_machine, &fault, &kit_err));
  assert_int_equal(gs_close(store, &kit_err), GS_FULL);
  gs_sim_heal(sim_machine);
  assert_int_equal(log_open_damaged(&options), GS_CORRUPT);
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_SYNCED, 0);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  store = kit_open(&options);
  assert_string_equal(kit_get(store, "last"), "1");
  kit_close(store);
}

/* ---- the log thread ---------------------------------------------------------- */

int
main(void)
{
  const struct CMUnitTest tests[] = {
      T(test_a_log_beyond_its_bound_forces_a_flush_and_not_one_for_each_write),
      T(test_a_log_shrinks_to_one_segment_when_all_is_flushed),
      KIT_TEST(test_a_note_at_the_end_of_a_segment_is_not_lost_in_silence),
      KIT_TEST(
          test_a_log_that_stays_when_its_store_is_closed_is_synced_and_sealed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
