/*
 * Tests of waiting for the device: who shares a flush with whom, and how long
 * anybody waits for company.
 */
#include "store_kit.h"

#include "store/store.h"

enum { LONG_US = 1000000, TASKS_MAX = 16 };

typedef struct writer {
  gs_store *store;
  const char *key;
  gs_status status;
} writer;

static void
write_one(void *context)
{
  writer *w = context;
  w->status = gs_put(w->store, gs_slice_str(w->key), gs_slice_str("v"), NULL,
                     NULL, NULL);
}

static gs_store *
open_sync(void)
{
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_SYNC;
  gs_sim_allow_tasks(sim_machine);
  gs_store *store = kit_open(&options);
  kit_put(store, "first", "v");
  return store;
}

static uint32_t
start(writer *w)
{
  uint32_t id = 0;
  KIT_OK(gs_sim_spawn(sim_machine, w->key, write_one, w, &id, &kit_err));
  return id;
}

static gs_sim_task
task_at(uint32_t id)
{
  gs_sim_task tasks[TASKS_MAX];
  size_t count = gs_sim_tasks(sim_machine, tasks, TASKS_MAX);
  for (size_t i = 0; i < count && i < TASKS_MAX; i++) {
    if (tasks[i].id == id) {
      return tasks[i];
    }
  }
  fail_msg("there is no such task");
  return (gs_sim_task){0};
}

/* As if a flush of that length had ended, which knew of so many writers. */
static void
pretend_flush(gs_store *store, size_t company, uint64_t flush_us)
{
  store->wal.company = company;
  store->wal.flush_us = flush_us;
}

static uint64_t
now_us(void)
{
  return gs_env_mono_us(sim_machine_env);
}

static void
test_a_writer_that_is_alone_waits_for_nobody(void **state)
{
  (void)state;
  gs_store *store = open_sync();
  pretend_flush(store, 1, LONG_US);
  uint64_t before = now_us();
  kit_put(store, "a", "v");
  assert_int_equal(now_us(), before);
  kit_close(store);
}

static void
test_nobody_waits_longer_than_half_a_flush(void **state)
{
  (void)state;
  gs_store *store = open_sync();
  pretend_flush(store, 2, LONG_US);
  uint64_t before = now_us();
  kit_put(store, "a", "v");
  assert_int_equal(now_us(), before + LONG_US / 2);
  before = now_us();
  kit_put(store, "b", "v"); /* in vain once is enough */
  assert_int_equal(now_us(), before);
  kit_close(store);
}

static void
test_writers_that_come_back_share_a_flush(void **state)
{
  (void)state;
  gs_store *store = open_sync();
  writer writers[2] = {{store, "a", GS_IO}, {store, "b", GS_IO}};
  pretend_flush(store, 2, LONG_US);
  uint64_t syncs = kit_stats(store).wal_syncs;
  uint64_t before = now_us();
  uint32_t first = start(&writers[0]);
  gs_sim_step(sim_machine, first, 100);
  assert_int_equal(task_at(first).state, GS_TASK_WAITING);
  assert_int_equal(kit_stats(store).wal_syncs, syncs);
  start(&writers[1]);
  gs_sim_drain(sim_machine);
  assert_int_equal(writers[0].status, GS_OK);
  assert_int_equal(writers[1].status, GS_OK);
  assert_int_equal(kit_stats(store).wal_syncs, syncs + 1);
  assert_int_equal(now_us(), before);
  kit_close(store);
}

/* Three are expected and one syncs by another way: who gathered, and who relied
 * on it, need no flush of their own. */
static void
test_a_flush_by_others_ends_the_waiting(void **state)
{
  (void)state;
  gs_store *store = open_sync();
  writer writers[2] = {{store, "a", GS_IO}, {store, "b", GS_IO}};
  pretend_flush(store, 3, LONG_US);
  uint64_t syncs = kit_stats(store).wal_syncs;
  uint64_t before = now_us();
  for (size_t i = 0; i < 2; i++) {
    gs_sim_step(sim_machine, start(&writers[i]), 100);
    assert_int_equal(writers[i].status, GS_IO);
  }
  KIT_OK(gs_sync(store, &kit_err));
  gs_sim_drain(sim_machine);
  assert_int_equal(writers[0].status, GS_OK);
  assert_int_equal(writers[1].status, GS_OK);
  assert_int_equal(kit_stats(store).wal_syncs, syncs + 1);
  assert_int_equal(now_us(), before);
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_writer_that_is_alone_waits_for_nobody),
      KIT_TEST(test_nobody_waits_longer_than_half_a_flush),
      KIT_TEST(test_writers_that_come_back_share_a_flush),
      KIT_TEST(test_a_flush_by_others_ends_the_waiting),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
