/*
 * When the next segments of the log are made, and how many.
 */
#include "log_kit.h"

#include <errno.h>

#include "store/store.h"

/* Lets the log thread do what it wants to; whether a next segment is there. */
static bool
has_next(gs_store *store)
{
  gs_sim_drain(sim_machine);
  return store->wal.prepared != NULL;
}

static void
put_bytes(gs_store *store, size_t size)
{
  static const uint8_t bytes[1 << 16];
  KIT_OK(gs_put(store, gs_slice_str("k"), gs_slice_of(bytes, size), NULL, NULL,
                &kit_err));
}

static void
test_the_next_durable_segment_is_made_at_half_and_twice_as_large(void **state)
{
  (void)state;
  gs_store *store = log_open_with_threads(GS_DURABILITY_SYNC);
  put_bytes(store, 1);
  uint64_t bytes = store->wal.active->allocated_bytes;
  bool came_early = false;
  while (gs_log_written_bytes(store->wal.active->writer) + 2000 < bytes / 2) {
    came_early = came_early || has_next(store);
    put_bytes(store, 1000);
  }
  came_early = came_early || has_next(store);
  put_bytes(store, 1000);
  put_bytes(store, 1000);
  bool came = has_next(store);
  uint64_t next_bytes = came ? store->wal.prepared->allocated_bytes : 0;
  kit_close(store);
  assert_false(came_early);
  assert_true(came);
  assert_int_equal(next_bytes, 2 * bytes);
}

static void
test_it_is_made_sooner_where_few_more_such_frames_fit(void **state)
{
  (void)state;
  gs_store *store = log_open_with_threads(GS_DURABILITY_SYNC);
  put_bytes(store, 1);
  bool came_early = has_next(store);
  put_bytes(store, 1 << 15);
  bool came = has_next(store);
  kit_close(store);
  assert_false(came_early);
  assert_true(came);
}

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

/* Writes until another segment is begun. */
static void
fill_segment(gs_store *store)
{
  uint64_t number = store->wal.active->number;
  while (store->wal.active->number == number) {
    put_bytes(store, 10000);
  }
}

static void
test_one_segment_is_ready_where_it_was_always_in_time(void **state)
{
  (void)state;
  gs_store *store = log_open_with_threads(GS_DURABILITY_BATCH);
  put_bytes(store, 1);
  for (int i = 0; i < 2; i++) {
    assert_true(has_next(store));
    assert_int_equal(store->wal.prepared_count, 1);
    fill_segment(store);
  }
  assert_true(has_next(store));
  assert_int_equal(store->wal.prepared_count, 1);
  kit_close(store);
}

/* Leaves a store whose writer came to the end of the log before its thread: it
 * waits for nothing else, so the thread does not run. */
static gs_store *
open_with_haste(gs_durability durability, uint64_t reserve_bytes)
{
  gs_options options = kit_options();
  options.threads = 1;
  options.durability = durability;
  options.memory_bytes = 64 << 20;
  options.memtable_bytes = 8 << 20;
  options.max_wal_bytes = 1 << 20; /* the first segment is of full size */
  options.disk_reserve_bytes = reserve_bytes;
  gs_sim_allow_tasks(sim_machine);
  gs_store *store = kit_open(&options);
  put_bytes(store, 1);
  fill_segment(store);
  return store;
}

static void
test_two_are_ready_where_writers_had_to_wait(void **state)
{
  (void)state;
  gs_store *store = open_with_haste(GS_DURABILITY_BATCH, 0);
  assert_true(has_next(store));
  assert_int_equal(store->wal.prepared_count, 2);
  uint64_t first = store->wal.prepared->number;
  fill_segment(store);
  assert_int_equal(store->wal.active->number, first);
  assert_null(store->wal.active->next);
  assert_true(has_next(store));
  assert_int_equal(store->wal.prepared_count, 2);
  kit_close(store);
}

static void
test_after_many_segments_in_time_one_is_enough_again(void **state)
{
  (void)state;
  gs_store *store = open_with_haste(GS_DURABILITY_BATCH, 0);
  for (int i = 0; i < 31; i++) {
    assert_true(has_next(store));
    assert_int_equal(store->wal.prepared_count, 2);
    fill_segment(store);
  }
  fill_segment(store);
  assert_true(has_next(store));
  assert_int_equal(store->wal.prepared_count, 1);
  kit_close(store);
}

/* No segment that was ready could have held it. */
static void
test_a_frame_larger_than_segments_was_not_kept_waiting(void **state)
{
  (void)state;
  static const uint8_t bytes[1 << 20];
  gs_store *store = log_open_with_threads(GS_DURABILITY_BATCH);
  atomic_store(&store->limits.max_wal_bytes, 1 << 20);
  put_bytes(store, 1);
  KIT_OK(gs_put(store, gs_slice_str("k"), gs_slice_of(bytes, sizeof bytes),
                NULL, NULL, &kit_err));
  assert_true(has_next(store));
  assert_int_equal(store->wal.prepared_count, 1);
  kit_close(store);
}

static void
test_a_spare_segment_leaves_the_reserve_alone(void **state)
{
  (void)state;
  enum { RESERVE = 1 << 20, SEGMENT = 1 << 18 };
  gs_store *store = open_with_haste(GS_DURABILITY_BATCH, RESERVE);
  uint64_t taken = gs_sim_used_bytes(sim_machine);
  gs_sim_set_capacity(sim_machine, taken + RESERVE + SEGMENT + SEGMENT / 2);
  assert_true(has_next(store));
  assert_int_equal(store->wal.prepared_count, 1);
  gs_disk_space space;
  KIT_OK(gs_env_space(sim_machine_env, "/db", &space, &kit_err));
  assert_true(space.free_bytes >= RESERVE);
  gs_sim_set_capacity(sim_machine, 0);
  kit_close(store);
}

enum { SIZES = 8, KIB = 1024, MIB = 1024 * KIB };

static gs_store *
open_with_large_memtables(void)
{
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_OS;
  options.memory_bytes = UINT64_C(1) << 30;
  options.memtable_bytes = 64 * MIB;
  options.has_policy = true;
  return kit_open(&options);
}

/* Fills so many segments by writes of 60 KiB, which take no time in the first
 * fast ones, and then a millisecond each; their sizes. */
static void
fill_segments(gs_store *store, size_t count, size_t fast, uint64_t *sizes)
{
  uint64_t number = 0;
  for (size_t i = 0, writes = 0; i < count && writes < 8000; writes++) {
    gs_sim_advance_ms(sim_machine, i > fast);
    put_bytes(store, 60 * KIB);
    const gs_store_segment *active = store->wal.active;
    if (active->number != number) {
      number = active->number;
      sizes[i++] = active->allocated_bytes;
    }
  }
}

static void
expect_sizes(size_t fast, const uint64_t *wanted)
{
  uint64_t sizes[SIZES] = {0};
  gs_store *store = open_with_large_memtables();
  fill_segments(store, SIZES, fast, sizes);
  kit_close(store);
  KIT_OK(gs_destroy(sim_machine_env, "/db", &kit_err));
  for (size_t i = 0; i < SIZES; i++) {
    assert_int_equal(sizes[i], wanted[i]);
  }
}

static void
test_segments_that_are_filled_soon_are_followed_by_larger_ones(void **state)
{
  (void)state;
  static const uint64_t slow[SIZES] = {256 * KIB, MIB,      4 * MIB,  16 * MIB,
                                       16 * MIB,  16 * MIB, 16 * MIB, 16 * MIB};
  static const uint64_t soon[SIZES] = {256 * KIB, MIB,      4 * MIB,  16 * MIB,
                                       16 * MIB,  64 * MIB, 64 * MIB, 64 * MIB};
  static const uint64_t tired[SIZES] = {256 * KIB, MIB,      4 * MIB,
                                        16 * MIB,  16 * MIB, 64 * MIB,
                                        16 * MIB,  16 * MIB};
  expect_sizes(0, slow);
  expect_sizes(SIZES, soon);
  expect_sizes(4, tired); /* the fifth is filled slowly */
}

static void
test_where_the_disk_is_short_segments_are_not_larger(void **state)
{
  (void)state;
  enum { BEFORE = 5, SOON = SIZES };
  uint64_t sizes[SIZES] = {0};
  gs_store *store = open_with_large_memtables();
  fill_segments(store, BEFORE, SOON, sizes);
  assert_true(store->wal.is_fast);
  gs_sim_set_capacity(sim_machine, gs_sim_used_bytes(sim_machine) + 40 * MIB);
  fill_segments(store, 2, SOON, sizes);
  gs_sim_set_capacity(sim_machine, 0);
  kit_close(store);
  assert_int_equal(sizes[0], 16 * MIB);
  assert_int_equal(sizes[1], 16 * MIB);
}

static void
test_zeros_are_written_for_one_alone(void **state)
{
  (void)state;
  gs_store *store = open_with_haste(GS_DURABILITY_SYNC, 0);
  for (int i = 0; i < 5; i++) {
    put_bytes(store, 1 << 16);
  }
  assert_true(has_next(store));
  assert_int_equal(store->wal.prepared_count, 1);
  kit_close(store);
}

static void
test_a_spare_segment_is_not_worth_the_ballast(void **state)
{
  (void)state;
  gs_store *store = open_with_haste(GS_DURABILITY_BATCH, 1 << 20);
  gs_sim_fault full = {
      .op = GS_SIM_ALLOCATE, .path = "*.wal", .nth = 2, .os_errno = ENOSPC};
  KIT_OK(gs_sim_fail(sim_machine, &full, &kit_err));
  assert_true(has_next(store));
  gs_sim_heal(sim_machine);
  assert_int_equal(store->wal.prepared_count, 1);
  assert_true(kit_stats(store).ballast_bytes > 0);
  fill_segment(store);
  assert_true(has_next(store));
  assert_int_equal(store->wal.prepared_count, 1);
  kit_close(store);
}

static void
test_all_that_were_ready_are_listed_and_go_with_the_log(void **state)
{
  (void)state;
  gs_store *store = open_with_haste(GS_DURABILITY_BATCH, 0);
  assert_true(has_next(store));
  uint64_t last = gs_last_seq(store);
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  kit_close(store);
  gs_options options = kit_options();
  options.env = gs_sim_env(copy);
  store = kit_open(&options);
  KIT_OK(gs_verify(store, &kit_err));
  assert_int_equal(kit_stats(store).recovered_batches, last);
  assert_int_equal(kit_stats(store).foreign_files, 0);
  kit_close(store);
  gs_sim_free(copy);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(
          test_the_next_durable_segment_is_made_at_half_and_twice_as_large),
      KIT_TEST(test_it_is_made_sooner_where_few_more_such_frames_fit),
      KIT_TEST(test_one_segment_is_ready_where_it_was_always_in_time),
      KIT_TEST(test_two_are_ready_where_writers_had_to_wait),
      KIT_TEST(test_after_many_segments_in_time_one_is_enough_again),
      KIT_TEST(test_a_frame_larger_than_segments_was_not_kept_waiting),
      KIT_TEST(test_a_spare_segment_leaves_the_reserve_alone),
      KIT_TEST(test_segments_that_are_filled_soon_are_followed_by_larger_ones),
      KIT_TEST(test_where_the_disk_is_short_segments_are_not_larger),
      KIT_TEST(test_zeros_are_written_for_one_alone),
      KIT_TEST(test_a_spare_segment_is_not_worth_the_ballast),
      KIT_TEST(test_all_that_were_ready_are_listed_and_go_with_the_log),
      KIT_TEST(test_a_segment_that_cannot_be_made_delays_no_sync),
      KIT_TEST(test_syncs_under_load_do_not_keep_the_next_segment_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
