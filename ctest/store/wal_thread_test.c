/*
 * What the log does in time: it marks what the device holds when nothing comes,
 * and its thread syncs and prepares beside writers.
 */
#include "log_kit.h"

#include <errno.h>

#include "store/store.h"

static void
step(gs_store *store)
{
  bool more;
  KIT_OK(gs_step(store, UINT64_MAX, &more, &kit_err));
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
  assert_int_equal(log_open_damaged(&options), GS_OK);
  gs_sim_advance_ms(sim_machine, 1);
  step(store);
  assert_int_equal(gs_sim_ops(sim_machine), ops + 1);
  assert_int_equal(log_open_damaged(&options), GS_CORRUPT);
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
  assert_int_equal(log_open_damaged(&options), GS_OK);
  kit_close(store);
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

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(
          test_after_a_while_a_mark_tells_damage_of_the_last_write_from_a_torn_one),
      KIT_TEST(test_writes_that_go_on_carry_the_mark_themselves),
      KIT_TEST(test_what_is_not_on_the_device_is_not_marked),
      KIT_TEST(test_a_segment_that_cannot_be_made_delays_no_sync),
      KIT_TEST(test_syncs_under_load_do_not_keep_the_next_segment_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
