/*
 * Flushes: memory to runs, oldest first, one at a time, with what they drop.
 */
#include "store_kit.h"

#include <errno.h>

#include "mem/inner.h"
#include "store/directory.h"
#include "store/job.h"
#include "store/store.h"

static size_t
count_flushes(gs_store *store)
{
  size_t count = 0;
  gs_mutex_lock(store->state);
  for (const gs_job *job = store->jobs; job != NULL; job = job->next) {
    count += job->claim == NULL;
  }
  gs_mutex_unlock(store->state);
  return count;
}

static void
test_an_empty_memory_needs_no_flush(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  KIT_OK(gs_flush(store, &kit_err));
  KIT_OK(gs_seal(store, &kit_err));
  kit_work(store);
  assert_int_equal(kit_stats(store).flushes, 0);
  kit_close(store);
}

static void
test_memtables_are_flushed_one_at_a_time_and_in_order_of_age(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  for (int i = 1; i <= 3; i++) {
    kit_fill(store, "k", i, i);
    kit_put(store, "same", i == 1 ? "one" : i == 2 ? "two" : "three");
    KIT_OK(gs_seal(store, &kit_err));
    assert_int_equal(count_flushes(store), 1);
  }
  kit_put(store, "more", "1");
  KIT_OK(gs_seal(store, &kit_err));
  gs_shape *shape = NULL;
  KIT_OK(gs_shape_new(store, &shape, &kit_err));
  assert_int_equal(shape->memtable.sealed_count, 3);
  assert_int_equal(shape->memtable.entry_count, 1);
  gs_shape_free(shape);
  kit_work(store);
  assert_string_equal(kit_get(store, "same"), "three");
  assert_int_equal(kit_stats(store).flushes, 3);
  KIT_OK(gs_verify(store, &kit_err));
  kit_close(store);
}

static void
test_a_flush_leaves_out_what_no_reader_can_see(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_put(store, "base", "1");
  KIT_OK(gs_flush(store, &kit_err));
  for (int i = 0; i < 10; i++) {
    kit_put(store, "a", "covered");
  }
  kit_delete(store, "never");
  kit_delete(store, "base");
  KIT_OK(gs_flush(store, &kit_err));
  gs_stats stats = kit_stats(store);
  assert_int_equal(stats.dropped_covered, 9);
  assert_int_equal(stats.dropped_tombstones, 1);
  assert_int_equal(stats.entry_count, 3);
  assert_int_equal(stats.tombstone_count, 1);
  assert_string_equal(kit_get(store, "base"), "(absent)");
  kit_close(store);
}

static void
test_a_flush_that_leaves_nothing_makes_no_run(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_delete(store, "a");
  KIT_OK(gs_flush(store, &kit_err));
  assert_int_equal(kit_stats(store).run_count, 0);
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_SYNCED, 0);
  kit_close(store);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  store = kit_open(&options);
  assert_true(kit_put(store, "b", "2") > 1);
  kit_close(store);
}

static void
test_a_flush_that_failed_is_tried_again_and_leaves_no_files(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 20);
  sim_machine_fail(GS_SIM_SYNC, 1, EIO);
  assert_int_equal(gs_flush(store, &kit_err), GS_IO);
  assert_int_equal(kit_stats(store).jobs_failed, 1);
  gs_shape *shape = NULL;
  gs_directory found;
  KIT_OK(gs_directory_look(sim_machine_env, "/db", &found, &kit_err));
  assert_int_equal(found.data_count, 1);
  KIT_OK(gs_flush(store, &kit_err));
  KIT_OK(gs_shape_new(store, &shape, &kit_err));
  assert_int_equal(shape->run_count, 1);
  assert_int_equal(shape->runs[0].entry_count, 20);
  gs_shape_free(shape);
  kit_close(store);
}

/* Between naming the flushed segments and letting them go, the log may move on
 * to a new segment. */
static void
test_only_segments_that_the_manifest_gave_up_are_deleted(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.max_wal_bytes = 65536;
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  gs_edit *edit = gs_edit_new(store->alloc);
  gs_wal_name_flushed(store, 1, edit);
  gs_mutex_lock(store->commit);
  gs_store_segment *first = store->wal.active;
  KIT_OK(gs_wal_make_room(store, 16000, &kit_err));
  assert_ptr_not_equal(store->wal.active, first);
  gs_mutex_unlock(store->commit);
  gs_wal_drop_named(store);
  gs_edit_free(edit);
  assert_ptr_equal(store->wal.oldest, first);
  kit_put(store, "b", "2");
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  kit_close(store);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  store = kit_open(&options);
  assert_string_equal(kit_get(store, "a"), "1");
  assert_string_equal(kit_get(store, "b"), "2");
  kit_close(store);
}

static void
expect_note(const gs_options *options, const char *text)
{
  gs_store *store = kit_open(options);
  gs_value value;
  gs_value_init(&value, store);
  KIT_OK(gs_get_note(store, &value, &kit_err));
  assert_int_equal(value.bytes.size, strlen(text));
  assert_memory_equal(value.bytes.data, text, strlen(text));
  gs_value_deinit(&value);
  kit_close(store);
}

static void
set_note(gs_store *store, const char *text)
{
  gs_write_batch *batch = NULL;
  gs_commit_options commit = {.note = gs_slice_str(text), .has_note = true};
  KIT_OK(gs_write_batch_new(store, &batch, &kit_err));
  KIT_OK(gs_write_batch_commit(batch, &commit, NULL, NULL, &kit_err));
  gs_write_batch_free(batch);
}

/* Two notes at one place: no sequence number tells them apart. */
static void
test_without_a_log_a_note_that_came_alone_is_kept(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_MEMORY;
  static const char *const notes[] = {"one", "two"};
  gs_store *store = kit_open(&options);
  for (size_t i = 0; i < 2; i++) {
    set_note(store, notes[i]);
    KIT_OK(i == 0 ? gs_flush(store, &kit_err) : gs_sync(store, &kit_err));
    gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_SYNCED, 0);
    gs_options later = options;
    later.env = gs_sim_env(copy);
    expect_note(&later, notes[i]);
    gs_sim_free(copy);
  }
  kit_close(store);
}

/* Small tables, a large memtable: a plan could soon name no run as a whole. */
static void
test_a_flush_makes_no_more_tables_than_the_engine_can_merge(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.has_policy = true;
  options.memory_bytes = 32 << 20;
  options.memtable_bytes = 4 << 20;
  options.table_bytes = 4096;
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 9999);
  KIT_OK(gs_flush(store, &kit_err));
  gs_shape *shape = NULL;
  KIT_OK(gs_shape_new(store, &shape, &kit_err));
  assert_int_equal(shape->run_count, 1);
  assert_true(shape->runs[0].bytes > 110 * options.table_bytes);
  assert_true(shape->runs[0].table_count < GS_PLAN_MAX_INPUTS / GS_RUNS_STALL);
  gs_shape_free(shape);
  assert_true(kit_has(store, "k", 9999));
  kit_close(store);
}

static uint64_t *
words_kept(gs_store *store)
{
  return atomic_load(&store->spare.waiting);
}

/* Flushes beside a fresh memtable; the memory of the flushed one. */
static uint64_t *
flush_and_keep(gs_store *store)
{
  KIT_OK(gs_seal(store, &kit_err));
  kit_work(store);
  assert_non_null(words_kept(store));
  return words_kept(store);
}

/* Other keys and values of other sizes than those whose memory it is. */
static void
test_the_memory_of_a_flushed_memtable_serves_the_next(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "old", 1, 99);
  uint64_t *kept = flush_and_keep(store);
  kit_put(store, "new", "1");
  KIT_OK(gs_seal(store, &kit_err));
  assert_ptr_equal(store->active->arena.words, kept);
  assert_null(words_kept(store));
  kit_fill(store, "a longer key than before ", 1, 50);
  uint64_t count = 0;
  KIT_OK(gs_count(store, NULL, NULL, &count, &kit_err));
  assert_int_equal(count, 99 + 1 + 50);
  assert_true(kit_has(store, "old", 99));
  assert_true(kit_has(store, "a longer key than before ", 50));
  kit_work(store);
  KIT_OK(gs_verify(store, &kit_err));
  kit_close(store);
}

/* Nobody waits for the next memtable then. */
static void
test_after_an_explicit_flush_no_memory_is_kept(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 99);
  flush_and_keep(store);
  kit_put(store, "k", "1");
  KIT_OK(gs_flush(store, &kit_err));
  assert_null(words_kept(store));
  assert_false(store->active->arena.is_used);
  kit_close(store);
}

static void
test_memory_of_the_size_before_is_not_kept(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_put(store, "k", "1");
  KIT_OK(gs_set_option(store, "memtable_bytes", 8192, &kit_err));
  KIT_OK(gs_seal(store, &kit_err));
  assert_int_equal(gs_arena_bytes(&store->active->arena), 8192 + 8);
  kit_work(store);
  assert_null(words_kept(store));
  kit_close(store);
}

/* It holds a batch that no other has room for. */
static void
test_the_memory_of_an_oversized_memtable_is_not_kept(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.memtable_bytes = 4096;
  gs_store *store = kit_open(&options);
  static char value[9000];
  memset(value, 'x', sizeof value);
  kit_put(store, "k", "1");
  flush_and_keep(store);
  KIT_OK(gs_put(store, gs_slice_str("k"), gs_slice_of(value, sizeof value),
                NULL, NULL, &kit_err));
  assert_true(gs_arena_bytes(&store->active->arena) > sizeof value);
  assert_null(words_kept(store));
  KIT_OK(gs_seal(store, &kit_err));
  kit_work(store);
  assert_true(words_kept(store) == NULL ||
              *words_kept(store) * 8 < sizeof value);
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_without_a_log_a_note_that_came_alone_is_kept),
      KIT_TEST(test_an_empty_memory_needs_no_flush),
      KIT_TEST(test_memtables_are_flushed_one_at_a_time_and_in_order_of_age),
      KIT_TEST(test_a_flush_leaves_out_what_no_reader_can_see),
      KIT_TEST(test_a_flush_that_leaves_nothing_makes_no_run),
      KIT_TEST(test_a_flush_that_failed_is_tried_again_and_leaves_no_files),
      KIT_TEST(test_only_segments_that_the_manifest_gave_up_are_deleted),
      KIT_TEST(test_a_flush_makes_no_more_tables_than_the_engine_can_merge),
      KIT_TEST(test_the_memory_of_a_flushed_memtable_serves_the_next),
      KIT_TEST(test_after_an_explicit_flush_no_memory_is_kept),
      KIT_TEST(test_memory_of_the_size_before_is_not_kept),
      KIT_TEST(test_the_memory_of_an_oversized_memtable_is_not_kept),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
