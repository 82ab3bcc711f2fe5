/*
 * The log's segments: how they follow on one another, go when their entries are
 * flushed, and keep the log within its bound.
 */
#include "store_kit.h"

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

/* ---- marks ----------------------------------------------------------------- */

static void
step(gs_store *store)
{
  bool more;
  KIT_OK(gs_step(store, UINT64_MAX, &more, &kit_err));
}

/* How the machine, killed now and with its last write damaged, opens. */
static gs_status
open_damaged(const gs_options *options)
{
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  gs_buffer bytes;
  gs_buffer_init(&bytes, sim_machine_env->alloc);
  KIT_OK(gs_sim_read(copy, "/db/000001.wal", &bytes, &kit_err));
  size_t at = 0;
  while (memcmp(bytes.data + at, "last", 4) != 0) {
    at++;
  }
  memcpy(bytes.data + at, "LOST", 4);
  KIT_OK(gs_sim_replace(copy, "/db/000001.wal", gs_buffer_slice(&bytes),
                        &kit_err));
  gs_buffer_deinit(&bytes);
  gs_options there = *options;
  gs_store *store = NULL;
  there.env = gs_sim_env(copy);
  gs_status status = gs_open("/db", &there, &store, &kit_err);
  GS_IGNORE(gs_close(store, NULL), "there may be none");
  gs_sim_free(copy);
  return status;
}

static void
test_after_a_while_a_mark_tells_damage_of_the_last_write_from_a_torn_one(
    void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_SYNC;
  gs_store *store = kit_open(&options);
  kit_put(store, "first", "1");
  kit_put(store, "last", "2");
  uint64_t ops = gs_sim_ops(sim_machine);
  step(store);
  gs_sim_advance_ms(sim_machine, 99);
  step(store);
  assert_int_equal(gs_sim_ops(sim_machine), ops);
  assert_int_equal(open_damaged(&options), GS_OK);
  gs_sim_advance_ms(sim_machine, 1);
  step(store);
  assert_int_equal(gs_sim_ops(sim_machine), ops + 1);
  assert_int_equal(open_damaged(&options), GS_CORRUPT);
  /* One is enough. */
  gs_sim_advance_ms(sim_machine, 1000);
  step(store);
  gs_sim_advance_ms(sim_machine, 1000);
  step(store);
  assert_int_equal(gs_sim_ops(sim_machine), ops + 1);
  kit_close(store);
}

static void
test_writes_that_go_on_carry_the_mark_themselves(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_SYNC;
  gs_store *store = kit_open(&options);
  for (int i = 0; i < 20; i++) {
    kit_put(store, "a", "1");
    uint64_t ops = gs_sim_ops(sim_machine);
    gs_sim_advance_ms(sim_machine, 90);
    step(store);
    assert_int_equal(gs_sim_ops(sim_machine), ops);
  }
  kit_close(store);
}

static void
test_what_is_not_on_the_device_is_not_marked(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_OS;
  gs_store *store = kit_open(&options);
  kit_put(store, "last", "1");
  for (int i = 0; i < 3; i++) {
    gs_sim_advance_ms(sim_machine, 200);
    step(store);
  }
  assert_int_equal(open_damaged(&options), GS_OK);
  kit_close(store);
}

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
  assert_int_equal(open_damaged(&options), GS_CORRUPT);
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
  assert_int_equal(open_damaged(&options), GS_CORRUPT);
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_SYNCED, 0);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  store = kit_open(&options);
  assert_string_equal(kit_get(store, "last"), "1");
  kit_close(store);
}

/* ---- the log thread ---------------------------------------------------------- */

/* Lets the task come to the operation. */
static void
step_to(uint32_t id, const char *place)
{
  gs_sim_task tasks[8];
  for (int i = 0; i < 200; i++) {
    assert_true(gs_sim_tasks(sim_machine, tasks, 8) > id);
    if (strcmp(tasks[id].place, place) == 0) {
      return;
    }
    gs_sim_step(sim_machine, id, 1);
  }
  fail_msg("task %u does not come to %s", id, place);
}

/* The write comes while the thread is at the next segment, which fails. */
static void
test_a_segment_that_cannot_be_made_delays_no_sync(void **state)
{
  (void)state;
  enum { LOG_THREAD = 2 };
  gs_options options = kit_options();
  options.threads = 1;
  options.durability = GS_DURABILITY_BATCH;
  gs_sim_allow_tasks(sim_machine);
  gs_store *store = kit_open(&options);
  gs_sim_fault full = {
      .op = GS_SIM_ALLOCATE, .path = "*.wal", .nth = 2, .os_errno = ENOSPC};
  KIT_OK(gs_sim_fail(sim_machine, &full, &kit_err));
  KIT_OK(gs_put(store, gs_slice_str("a"), gs_slice_str("1"),
                &(gs_write_options){.sync = true}, NULL, &kit_err));
  step_to(LOG_THREAD, "allocate");
  kit_put(store, "b", "2");
  for (int i = 0; i < 4; i++) {
    gs_sim_drain(sim_machine);
    gs_sim_advance_ms(sim_machine, 1000);
  }
  gs_sim_drain(sim_machine);
  assert_int_equal(gs_durable_seq(store), gs_last_seq(store));
  gs_sim_heal(sim_machine);
  kit_close(store);
}

static void
put_large(gs_store *store, const char *key)
{
  static const uint8_t bytes[4200];
  KIT_OK(gs_put(store, gs_slice_str(key), gs_slice_of(bytes, sizeof bytes),
                NULL, NULL, &kit_err));
}

/* Each write is more than the window: whenever a sync ends the next is due. */
static void
test_syncs_under_load_do_not_keep_the_next_segment_back(void **state)
{
  (void)state;
  enum { LOG_THREAD = 2 };
  gs_options options = kit_options();
  options.threads = 1;
  options.durability = GS_DURABILITY_BATCH;
  options.wal_batch_bytes = 4096;
  options.max_wal_bytes = 1 << 20;
  gs_sim_allow_tasks(sim_machine);
  gs_store *store = kit_open(&options);
  put_large(store, "a");
  step_to(LOG_THREAD, "wal.sync");
  put_large(store, "b");
  assert_null(store->wal.prepared);
  step_to(LOG_THREAD, "allocate");
  assert_true(store->wal.is_preparing);
  assert_int_equal(gs_durable_seq(store), 1);
  put_large(store, "c");
  step_to(LOG_THREAD, "wal.sync");
  assert_non_null(store->wal.prepared);
  gs_sim_drain(sim_machine);
  assert_int_equal(gs_durable_seq(store), gs_last_seq(store));
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      T(test_a_log_beyond_its_bound_forces_a_flush_and_not_one_for_each_write),
      T(test_a_log_shrinks_to_one_segment_when_all_is_flushed),
      KIT_TEST(
          test_after_a_while_a_mark_tells_damage_of_the_last_write_from_a_torn_one),
      KIT_TEST(test_writes_that_go_on_carry_the_mark_themselves),
      KIT_TEST(test_what_is_not_on_the_device_is_not_marked),
      KIT_TEST(test_a_note_at_the_end_of_a_segment_is_not_lost_in_silence),
      KIT_TEST(
          test_a_log_that_stays_when_its_store_is_closed_is_synced_and_sealed),
      KIT_TEST(test_a_segment_that_cannot_be_made_delays_no_sync),
      KIT_TEST(test_syncs_under_load_do_not_keep_the_next_segment_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
