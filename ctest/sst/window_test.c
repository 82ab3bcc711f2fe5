/*
 * Tests of windows: what they read, how far, and what a bad place beside the
 * wanted block costs. Reads of the file are counted on their way.
 */
#include <errno.h>
#include <stdio.h>

#include "sst/forge.h"
#include "sst/table_impl.h"
#include "sst/window.h"

enum { KEYS = 40000, BLOCK = 1024, FIRST = 1 << 14, MOST = 1 << 17 };

static kit_entries entries;
static kit_table kit;
static const gs_env_ops *real_ops;
static gs_env_ops ops;
static size_t reads;
static uint64_t read_bytes;
static uint64_t largest;
static uint64_t bad_at; /* a byte that cannot be read; 0: none */
static size_t bad_reads;

static int64_t
counted_read(gs_file *file, uint64_t offset, void *data, size_t size)
{
  reads++;
  read_bytes += size;
  largest = size > largest ? size : largest;
  if (bad_at != 0 && offset <= bad_at && bad_at < offset + size) {
    bad_reads++;
    return -EIO;
  }
  return real_ops->read(file, offset, data, size);
}

static size_t locks;

static void
counted_lock(gs_mutex *mutex)
{
  locks++;
  real_ops->mutex_lock(mutex);
}

static void
forget_counts(void)
{
  locks = 0;
  reads = 0;
  read_bytes = 0;
  largest = 0;
}

/* A table of some thousand blocks. */
static int
make(void **state)
{
  sim_machine_set_up(state);
  entries = (kit_entries){.count = 0};
  for (int i = 0; i < KEYS; i++) {
    char key[16];
    char value[101] = {0};
    memset(value, 'a' + i % 26, 100);
    snprintf(key, sizeof key, "k%06d", i);
    kit_entries_put(&entries, key, 1 + (uint64_t)i, value);
  }
  gs_table_writer_options options = kit_options("/t");
  options.block_bytes = BLOCK;
  kit_table_make(&kit, sim_machine_env, &options, &entries);
  real_ops = sim_machine_env->ops;
  ops = *real_ops;
  ops.read = counted_read;
  ops.mutex_lock = counted_lock;
  sim_machine_env->ops = &ops;
  bad_at = 0;
  forget_counts();
  return 0;
}

static int
end(void **state)
{
  sim_machine_env->ops = real_ops;
  kit_table_end(&kit);
  kit_entries_free(&entries);
  return sim_machine_tear_down(state);
}

static const gs_fence *
fence_of(uint32_t block)
{
  return &kit.table->fences.list[block];
}

static uint32_t
block_count(void)
{
  return kit.table->fences.count;
}

static uint64_t
bytes_of(uint32_t from, uint32_t to)
{
  return fence_of(to - 1)->offset + fence_of(to - 1)->size -
         fence_of(from)->offset;
}

static void
show(gs_window *window, uint32_t block, bool goes_back)
{
  gs_error err;
  gs_slice bytes;
  gs_block opened;
  uint64_t offset = fence_of(block)->offset;
  KIT_OK(gs_window_show(window, block, goes_back, &bytes, &err), &err);
  assert_int_equal(bytes.size, fence_of(block)->size);
  KIT_OK(gs_block_open(bytes, gs_table_seed(kit.table, offset), &opened, &err),
         &err);
}

static void
show_all(gs_window *window, bool goes_back)
{
  for (uint32_t i = 0; i < block_count(); i++) {
    show(window, goes_back ? block_count() - 1 - i : i, goes_back);
  }
}

static void
test_a_readers_windows_double_and_no_byte_is_read_twice(void **state)
{
  (void)state;
  for (int goes_back = 0; goes_back < 2; goes_back++) {
    gs_window window;
    gs_window_init(&window, kit.table, true);
    forget_counts();
    show(&window, goes_back ? block_count() - 1 : 0, goes_back);
    assert_in_range(read_bytes, FIRST - 2 * BLOCK, FIRST);
    show_all(&window, goes_back);
    assert_int_equal(read_bytes, bytes_of(0, block_count()));
    assert_in_range(largest, MOST - 2 * BLOCK, MOST);
    assert_in_range(reads, 30, 60);
    gs_window_deinit(&window);
  }
}

static void
test_a_merges_windows_are_large_at_once(void **state)
{
  (void)state;
  gs_window window;
  gs_window_init(&window, kit.table, false);
  show(&window, 0, false);
  assert_in_range(read_bytes, MOST - 2 * BLOCK, MOST);
  show_all(&window, false);
  assert_int_equal(read_bytes, bytes_of(0, block_count()));
  gs_window_deinit(&window);
}

static void
test_a_window_that_was_not_used_up_is_followed_by_one_no_larger(void **state)
{
  (void)state;
  gs_window window;
  gs_window_init(&window, kit.table, true);
  show(&window, 0, false);
  forget_counts();
  show(&window, 100, false);
  assert_in_range(read_bytes, 1, FIRST);
  show_all(&window, false);
  gs_window_drop(&window);
  forget_counts();
  show(&window, 200, false);
  assert_in_range(read_bytes, 1, FIRST);
  gs_window_deinit(&window);
}

static void
test_a_readers_window_ends_before_a_block_in_memory(void **state)
{
  (void)state;
  gs_entry found;
  gs_error err;
  gs_slice key = entries.list[KEYS / 2].key;
  KIT_OK(kit_get(&kit, key, GS_SEQ_MAX, &found, &err), &err);
  uint32_t there = 0;
  while (atomic_load(&kit.table->homes[there]) == NULL) {
    there++;
  }
  gs_window window;
  gs_window_init(&window, kit.table, true);
  forget_counts();
  show(&window, there - 3, false);
  assert_int_equal(read_bytes, bytes_of(there - 3, there));
  forget_counts();
  while (atomic_load(&kit.table->homes[there]) != NULL) {
    there++;
  }
  show(&window, there + 1, true);
  assert_int_equal(read_bytes, bytes_of(there, there + 2));
  gs_window_deinit(&window);
}

static void
test_a_bad_place_costs_the_block_it_is_in_alone(void **state)
{
  (void)state;
  const uint32_t bad = 20;
  bad_at = fence_of(bad)->offset + 7;
  for (int is_reader = 0; is_reader < 2; is_reader++) {
    gs_window window;
    bad_reads = 0;
    gs_window_init(&window, kit.table, is_reader == 1);
    for (uint32_t block = 0; block < 40; block++) {
      gs_slice bytes;
      gs_error err;
      if (block == bad) {
        assert_int_equal(gs_window_show(&window, block, false, &bytes, &err),
                         GS_IO);
        assert_null(gs_window_find(&window, block));
      } else {
        show(&window, block, false);
      }
    }
    gs_window_deinit(&window);
    assert_int_equal(bad_reads, 2);
  }
}

static uint64_t
held_bytes(void)
{
  gs_cache_stats stats;
  gs_cache_get_stats(kit.cache, &stats);
  return stats.held_bytes;
}

static void
test_what_a_readers_window_takes_is_the_caches_loss(void **state)
{
  (void)state;
  uint64_t before = held_bytes();
  gs_window window;
  gs_window_init(&window, kit.table, true);
  assert_int_equal(held_bytes(), before);
  show(&window, 0, false);
  assert_in_range(held_bytes() - before, 1, FIRST);
  show_all(&window, false);
  assert_in_range(held_bytes() - before, FIRST, MOST);
  gs_window_drop(&window);
  assert_int_equal(held_bytes(), before);
  show(&window, 0, false);
  gs_window_deinit(&window);
  assert_int_equal(held_bytes(), before);
}

static void
test_a_window_without_memory_is_empty_and_may_be_tried_again(void **state)
{
  (void)state;
  gs_window window;
  gs_slice bytes;
  gs_error err;
  gs_window_init(&window, kit.table, true);
  show(&window, 0, false);
  show(&window, 30, false);
  gs_sim_fail_alloc(sim_machine, 1, 1);
  uint32_t block = 30;
  gs_status status = GS_OK;
  for (; status == GS_OK && block + 1 < block_count(); block++) {
    status = gs_window_show(&window, block, false, &bytes, &err);
  }
  assert_int_equal(status, GS_NOMEM);
  assert_null(gs_window_find(&window, block - 1));
  show(&window, block - 1, false);
  gs_window_deinit(&window);
}

/* ---- a reader's walks ------------------------------------------------------ */

static gs_cursor *
reader(void)
{
  gs_cursor *cursor = NULL;
  gs_error err;
  KIT_OK(gs_table_cursor_new(kit.table, true, &cursor, &err), &err);
  return cursor;
}

static void
walk(gs_cursor *cursor, int from, int steps)
{
  gs_cursor_seek(cursor, entries.list[from].key);
  for (int i = 0; i < steps; i++) {
    gs_cursor_next(cursor);
  }
  assert_int_equal(cursor->status, GS_OK);
}

static uint64_t
loads_of(int from, int steps)
{
  gs_cache_stats before;
  gs_cache_stats after;
  gs_cursor *cursor = reader();
  gs_cache_get_stats(kit.cache, &before);
  walk(cursor, from, steps);
  gs_cache_get_stats(kit.cache, &after);
  gs_table_cursor_free(cursor);
  return after.loads - before.loads;
}

/* The first walk fills the cache with the first blocks; those it comes to then,
 * it has long forgotten when it ends. */
static void
test_blocks_that_walks_come_back_to_get_a_place(void **state)
{
  (void)state;
  const int from = KEYS * 2 / 3;
  const int steps = KEYS / 10;
  gs_cache_set_capacity(kit.cache, 3000000 + held_bytes());
  assert_in_range(loads_of(0, KEYS - 1), 1000, UINT32_MAX);
  assert_true(gs_cache_is_full(kit.cache));
  uint64_t loads[5];
  for (int i = 0; i < 5; i++) {
    loads[i] = loads_of(from, steps);
  }
  assert_in_range(loads[0], 1, 12);
  assert_in_range(loads[1], 200, UINT32_MAX);
  assert_in_range(loads[4], 0, loads[1] / 4);
}

/* So that a crowd of walks pushes no more out than one. */
static void
test_a_walk_close_behind_another_is_no_return(void **state)
{
  (void)state;
  gs_cache_set_capacity(kit.cache, 3000000 + held_bytes());
  loads_of(0, KEYS - 1);
  gs_cache_stats before;
  gs_cache_stats after;
  gs_cursor *leader = reader();
  gs_cursor *follower = reader();
  walk(leader, KEYS * 2 / 3, 50);
  walk(follower, KEYS * 2 / 3, 0);
  gs_cache_get_stats(kit.cache, &before);
  for (int i = 0; i < KEYS / 10; i++) {
    gs_cursor_next(leader);
    gs_cursor_next(follower);
  }
  gs_cache_get_stats(kit.cache, &after);
  assert_in_range(after.loads - before.loads, 1, 20);
  gs_table_cursor_free(leader);
  gs_table_cursor_free(follower);
}

static void
test_a_jump_gives_the_window_back(void **state)
{
  (void)state;
  gs_cache_set_capacity(kit.cache, 0);
  uint64_t before = held_bytes();
  gs_cursor *cursor = reader();
  walk(cursor, 0, 2000);
  assert_true(held_bytes() > before);
  gs_cursor_seek(cursor, entries.list[KEYS / 2].key);
  assert_int_equal(held_bytes(), before);
  gs_table_cursor_free(cursor);
}

static void
test_seeks_of_what_is_in_memory_take_no_lock(void **state)
{
  (void)state;
  gs_cache_set_capacity(kit.cache, 16 << 20);
  loads_of(0, KEYS - 1);
  gs_cursor *cursor = reader();
  forget_counts();
  for (int i = 0; i < KEYS; i += 1000) {
    walk(cursor, KEYS - 1000 - i, 10);
  }
  gs_table_cursor_free(cursor);
  assert_int_equal(locks, 0);
}

/* Wherever the last window ends. */
static void
test_steps_to_and_fro_read_a_block_at_a_time(void **state)
{
  (void)state;
  gs_cache_set_capacity(kit.cache, 0);
  for (int steps = 2000; steps < 2200; steps++) {
    gs_cache_set_capacity(kit.cache, 1 << 20); /* forgets all names */
    gs_cache_set_capacity(kit.cache, 0);
    gs_cursor *cursor = reader();
    walk(cursor, 0, steps);
    forget_counts();
    for (int i = 0; i < 10; i++) {
      gs_cursor_next(cursor);
      gs_cursor_prev(cursor);
    }
    assert_true(read_bytes <= FIRST + 20 * 2 * BLOCK);
    gs_table_cursor_free(cursor);
  }
}

static void
test_a_damaged_block_of_a_readers_window_stops_the_walk(void **state)
{
  (void)state;
  const uint32_t bad = block_count() / 2;
  gs_cache_set_capacity(kit.cache, 0);
  bad_at = fence_of(bad)->offset + 1;
  gs_cursor *cursor = reader();
  gs_error err = {0};
  cursor->error = &err;
  size_t up = 0;
  for (gs_cursor_first(cursor); cursor->valid; gs_cursor_next(cursor)) {
    up++;
  }
  assert_int_equal(cursor->status, GS_IO);
  size_t down = 0;
  for (gs_cursor_last(cursor); cursor->valid; gs_cursor_prev(cursor)) {
    down++;
  }
  assert_int_equal(cursor->status, GS_IO);
  size_t rows = KEYS / block_count() + 2;
  assert_in_range(up + down, KEYS - rows, KEYS - 1);
  bad_at = 0;
  gs_cursor_seek(cursor, entries.list[up].key);
  assert_true(cursor->valid);
  gs_table_cursor_free(cursor);
}

#define WITH_TABLE(test) cmocka_unit_test_setup_teardown(test, make, end)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      WITH_TABLE(test_a_readers_windows_double_and_no_byte_is_read_twice),
      WITH_TABLE(test_a_merges_windows_are_large_at_once),
      WITH_TABLE(
          test_a_window_that_was_not_used_up_is_followed_by_one_no_larger),
      WITH_TABLE(test_a_readers_window_ends_before_a_block_in_memory),
      WITH_TABLE(test_a_bad_place_costs_the_block_it_is_in_alone),
      WITH_TABLE(test_what_a_readers_window_takes_is_the_caches_loss),
      WITH_TABLE(test_blocks_that_walks_come_back_to_get_a_place),
      WITH_TABLE(test_a_walk_close_behind_another_is_no_return),
      WITH_TABLE(test_seeks_of_what_is_in_memory_take_no_lock),
      WITH_TABLE(test_a_jump_gives_the_window_back),
      WITH_TABLE(test_steps_to_and_fro_read_a_block_at_a_time),
      WITH_TABLE(test_a_damaged_block_of_a_readers_window_stops_the_walk),
      WITH_TABLE(test_a_window_without_memory_is_empty_and_may_be_tried_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
