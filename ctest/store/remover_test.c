/*
 * The remover: nobody waits for a file to go but those who were promised its
 * space, and whatever comes in between it goes.
 */
#include "store_kit.h"

#include <errno.h>

#include "store/store.h"

static gs_options
remover_options(uint32_t threads)
{
  gs_options options = kit_options();
  options.threads = threads;
  options.has_policy = true;
  options.durability = GS_DURABILITY_OS;
  return options;
}

static gs_store *
open_with_thread(void)
{
  gs_options options = remover_options(1);
  gs_sim_allow_tasks(sim_machine);
  return kit_open(&options);
}

static void
count_name(void *context, const char *name)
{
  size_t size = strlen(name);
  size_t *count = context;
  *count += size > 4 && strcmp(name + size - 4, ".sst") == 0;
}

static size_t
tables_on_disk(void)
{
  size_t count = 0;
  KIT_OK(gs_env_list(sim_machine_env, "/db", count_name, &count, &kit_err));
  return count;
}

static bool
has_file(const char *path)
{
  gs_file_info info;
  return gs_env_stat(sim_machine_env, path, &info, NULL) == GS_OK;
}

/* Waits for all that was given; whether there was something. */
static bool
wait_all(gs_store *store)
{
  return gs_remover_wait(store, gs_remover_mark(store));
}

static size_t
tables_of(gs_store *store)
{
  const gs_version *version = atomic_load(&store->view)->version;
  size_t count = 0;
  for (size_t i = 0; i < version->run_count; i++) {
    count += version->runs[i]->table_count;
  }
  return count;
}

static void
make_two_runs(gs_store *store)
{
  kit_fill(store, "k", 1, 20);
  KIT_OK(gs_flush(store, &kit_err));
  kit_fill(store, "k", 1, 20);
  KIT_OK(gs_flush(store, &kit_err));
  assert_int_equal(tables_on_disk(), 2);
}

/* The last reader of the two tables that a merge has replaced. */
static gs_scan *
outlive_a_merge(gs_store *store)
{
  gs_scan *scan = NULL;
  make_two_runs(store);
  KIT_OK(gs_scan_new(store, NULL, NULL, &scan, &kit_err));
  KIT_OK(gs_compact(store, NULL, &kit_err));
  assert_int_equal(tables_on_disk(), 3);
  return scan;
}

static void
let_go(gs_store *store, gs_scan *scan)
{
  gs_scan_free(scan);
  gs_epoch_collect(store->epoch);
}

static void
test_a_reader_that_lets_go_last_waits_for_no_file(void **state)
{
  (void)state;
  gs_store *store = open_with_thread();
  gs_scan *scan = outlive_a_merge(store);
  gs_sim_hold(sim_machine, "remover.remove");
  let_go(store, scan);
  assert_int_equal(tables_on_disk(), 3);
  gs_sim_drain(sim_machine);
  assert_int_equal(tables_on_disk(), 3);
  gs_sim_release(sim_machine, "remover.remove");
  assert_true(wait_all(store));
  assert_int_equal(tables_on_disk(), 1);
  assert_int_equal(store->remover.gone, store->remover.given);
  assert_false(wait_all(store));
  kit_close(store);
}

static bool
has_ended(uint32_t task)
{
  gs_sim_task tasks[16];
  size_t count = gs_sim_tasks(sim_machine, tasks, 16);
  assert_in_range(task, 1, count - 1);
  return tasks[task].state == GS_TASK_ENDED;
}

/* Runs the function beside the test while no file goes: it must not end before
 * all but one of the tables are gone. */
static void
assert_waits_for_files(gs_store *store, void (*run)(void *store))
{
  uint32_t task = 0;
  gs_sim_hold(sim_machine, "remover.remove");
  KIT_OK(gs_sim_spawn(sim_machine, "waiter", run, store, &task, &kit_err));
  gs_sim_drain(sim_machine);
  size_t count = tables_on_disk();
  bool has_ended_before = has_ended(task);
  gs_sim_release(sim_machine, "remover.remove");
  gs_sim_drain(sim_machine);
  assert_int_equal(count, 3);
  assert_false(has_ended_before);
  assert_true(has_ended(task));
  assert_int_equal(tables_on_disk(), 1);
}

static void
compact(void *store)
{
  KIT_OK(gs_compact(store, NULL, &kit_err));
}

static void
test_a_compaction_returns_when_what_it_replaced_is_gone(void **state)
{
  (void)state;
  gs_store *store = open_with_thread();
  make_two_runs(store);
  assert_waits_for_files(store, compact);
  kit_close(store);
}

static void
wait_idle(void *store)
{
  KIT_OK(gs_wait_idle(store, &kit_err));
}

static void
test_a_wait_for_the_store_is_one_for_its_files(void **state)
{
  (void)state;
  gs_store *store = open_with_thread();
  let_go(store, outlive_a_merge(store));
  assert_waits_for_files(store, wait_idle);
  kit_close(store);
}

static void
stop_threads(void *store)
{
  gs_store_stop_threads(store);
}

static void
test_closing_leaves_no_file_that_was_to_go(void **state)
{
  (void)state;
  gs_store *store = open_with_thread();
  let_go(store, outlive_a_merge(store));
  assert_waits_for_files(store, stop_threads);
  assert_null(store->remover.thread);
  kit_close(store);
}

static void
test_a_crash_leaves_it_to_the_next_opening(void **state)
{
  (void)state;
  gs_store *store = open_with_thread();
  gs_sim_hold(sim_machine, "remover.remove");
  let_go(store, outlive_a_merge(store));
  gs_sim_drain(sim_machine);
  gs_sim *after = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  gs_sim_release(sim_machine, "remover.remove");
  kit_close(store);
  gs_options options = remover_options(0);
  sim_machine_become(after);
  assert_int_equal(tables_on_disk(), 3);
  options.env = sim_machine_env;
  store = kit_open(&options);
  assert_int_equal(tables_on_disk(), tables_of(store));
  assert_true(kit_has(store, "k", 20));
  kit_close(store);
}

static void
test_without_workers_the_caller_removes(void **state)
{
  (void)state;
  gs_options options = remover_options(0);
  gs_store *store = kit_open(&options);
  let_go(store, outlive_a_merge(store));
  assert_int_equal(tables_on_disk(), 1);
  assert_null(store->remover.thread);
  kit_close(store);
}

/* ---- what cannot be had ------------------------------------------------------ */

static int
start_none(gs_env *env, void (*run)(void *), void *arg, gs_thread **out)
{
  (void)env;
  (void)run;
  (void)arg;
  (void)out;
  return EAGAIN;
}

static void
test_without_a_thread_the_caller_removes(void **state)
{
  (void)state;
  gs_store *store = open_with_thread();
  const gs_env_ops *plain = sim_machine_env->ops;
  gs_env_ops ops = *plain;
  ops.thread_start = start_none;
  sim_machine_env->ops = &ops;
  let_go(store, outlive_a_merge(store));
  assert_int_equal(tables_on_disk(), 1);
  sim_machine_env->ops = plain;
  assert_null(store->remover.thread);
  kit_close(store);
}

static void
test_without_memory_the_caller_removes(void **state)
{
  (void)state;
  gs_store *store = open_with_thread();
  KIT_OK(gs_flush(store, &kit_err));
  for (uint64_t nth = 1; nth <= 2; nth++) {
    sim_machine_make("/db/stray", "");
    gs_sim_hold(sim_machine, "remover.remove");
    gs_sim_fail_alloc(sim_machine, nth, 1);
    gs_remove_soon(store, "/db/stray", 1);
    gs_sim_fail_alloc(sim_machine, 0, 0);
    assert_string_equal(sim_machine_text(sim_machine, "/db/stray"), "(none)");
    gs_sim_release(sim_machine, "remover.remove");
  }
  kit_close(store);
}

/* ---- space ------------------------------------------------------------------- */

/* A put that looks at a disk where so much is free. */
static gs_status
put_with_free(gs_store *store, uint64_t free_bytes)
{
  gs_sim_set_capacity(sim_machine, gs_sim_used_bytes(sim_machine) + free_bytes);
  store->disk_look_bytes = 0;
  return gs_put(store, gs_slice_str("a"), gs_slice_str("1"), NULL, NULL,
                &kit_err);
}

/* Up to half of the reserve. */
static void
test_files_that_are_about_to_go_are_as_good_as_gone(void **state)
{
  (void)state;
  gs_options options = remover_options(1);
  options.disk_reserve_bytes = 1 << 20;
  gs_sim_allow_tasks(sim_machine);
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  gs_sim_hold(sim_machine, "remover.remove");
  let_go(store, outlive_a_merge(store));
  uint64_t leaving_bytes = gs_remover_bytes(store);
  assert_in_range(leaving_bytes, 1000, 1 << 19);
  uint64_t reserve = 1 << 20;
  KIT_OK(put_with_free(store, reserve - leaving_bytes));
  assert_int_equal(put_with_free(store, reserve - leaving_bytes - 1), GS_FULL);
  KIT_OK(gs_set_option(store, "disk_reserve_bytes", leaving_bytes, &kit_err));
  KIT_OK(put_with_free(store, leaving_bytes - leaving_bytes / 2));
  assert_int_equal(put_with_free(store, leaving_bytes - leaving_bytes / 2 - 1),
                   GS_FULL);
  assert_int_equal(tables_on_disk(), 3);
  gs_sim_release(sim_machine, "remover.remove");
  gs_sim_set_capacity(sim_machine, 0);
  assert_true(wait_all(store));
  assert_int_equal(gs_remover_bytes(store), 0);
  kit_close(store);
}

static void
test_what_is_tried_once_more_takes_ballast_and_files(void **state)
{
  (void)state;
  gs_options options = remover_options(1);
  options.disk_reserve_bytes = 1 << 20;
  gs_sim_allow_tasks(sim_machine);
  gs_store *store = kit_open(&options);
  let_go(store, outlive_a_merge(store));
  assert_true(has_file("/db/BALLAST"));
  assert_true(gs_ballast_find_space(store));
  assert_false(has_file("/db/BALLAST"));
  assert_int_equal(tables_on_disk(), 1);
  assert_false(gs_ballast_find_space(store));
  kit_close(store);
}

/* Also the one that closing makes, after which nothing is tried again. */
static void
test_a_flush_without_space_waits_for_what_was_leaving_before(void **state)
{
  (void)state;
  gs_options options = remover_options(1);
  options.durability = GS_DURABILITY_MEMORY;
  gs_sim_allow_tasks(sim_machine);
  for (int closes = 0; closes < 2; closes++) {
    gs_store *store = kit_open(&options);
    gs_scan *scan = outlive_a_merge(store);
    kit_fill(store, "zz", 1, 3);
    let_go(store, scan);
    assert_int_equal(tables_on_disk(), 3);
    gs_sim_set_capacity(sim_machine, gs_sim_used_bytes(sim_machine) + 100);
    if (closes == 0) {
      KIT_OK(gs_flush(store, &kit_err));
    }
    kit_close(store);
    gs_sim_set_capacity(sim_machine, 0);
    store = kit_open(&options);
    assert_true(kit_has(store, "zz", 3));
    kit_close(store);
    KIT_OK(gs_destroy(sim_machine_env, "/db", &kit_err));
  }
}

/* What a flush that found no space has written goes to the remover, and must not
 * count as space that was found. */
static void
test_a_flush_without_space_does_not_wait_for_what_it_gave_up(void **state)
{
  (void)state;
  gs_options options = remover_options(1);
  options.table_bytes = 4096;
  gs_sim_allow_tasks(sim_machine);
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 20);
  KIT_OK(gs_flush(store, &kit_err));
  kit_fill(store, "k", 1, 80);
  gs_sim_set_capacity(sim_machine, gs_sim_used_bytes(sim_machine) + 7000);
  assert_int_equal(gs_flush(store, &kit_err), GS_FULL);
  assert_int_equal(kit_stats(store).jobs_failed, 1);
  gs_sim_set_capacity(sim_machine, 0);
  KIT_OK(gs_flush(store, &kit_err));
  assert_true(kit_has(store, "k", 80));
  kit_close(store);
}

static void
test_segments_go_the_same_way(void **state)
{
  (void)state;
  gs_options options = remover_options(1);
  options.durability = GS_DURABILITY_BATCH;
  options.max_wal_bytes = 65536;
  gs_sim_allow_tasks(sim_machine);
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  gs_sim_hold(sim_machine, "remover.remove");
  for (int i = 0; i < 3; i++) {
    kit_fill(store, "k", 1, 300);
    KIT_OK(gs_flush(store, &kit_err));
  }
  gs_sim_drain(sim_machine);
  uint64_t segments = store->remover.given - store->remover.gone;
  assert_in_range(segments, 1, 100);
  assert_true(has_file("/db/000001.wal"));
  gs_sim_release(sim_machine, "remover.remove");
  assert_true(wait_all(store));
  assert_false(has_file("/db/000001.wal"));
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_reader_that_lets_go_last_waits_for_no_file),
      KIT_TEST(test_a_compaction_returns_when_what_it_replaced_is_gone),
      KIT_TEST(test_a_wait_for_the_store_is_one_for_its_files),
      KIT_TEST(test_closing_leaves_no_file_that_was_to_go),
      KIT_TEST(test_a_crash_leaves_it_to_the_next_opening),
      KIT_TEST(test_without_workers_the_caller_removes),
      KIT_TEST(test_without_a_thread_the_caller_removes),
      KIT_TEST(test_without_memory_the_caller_removes),
      KIT_TEST(test_files_that_are_about_to_go_are_as_good_as_gone),
      KIT_TEST(test_what_is_tried_once_more_takes_ballast_and_files),
      KIT_TEST(test_a_flush_without_space_waits_for_what_was_leaving_before),
      KIT_TEST(test_a_flush_without_space_does_not_wait_for_what_it_gave_up),
      KIT_TEST(test_segments_go_the_same_way),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
