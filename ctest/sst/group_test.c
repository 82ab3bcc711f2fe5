/*
 * Tests of groups: what a get that misses brings along, when it comes alone, and
 * what a bad place beside the wanted block costs. Reads of the file are counted
 * on their way.
 */
#include <errno.h>
#include <stdio.h>

#include "sst/forge.h"
#include "sst/group.h"
#include "sst/table_impl.h"

enum { KEYS = 4000, BLOCK = 1024 };

static kit_entries entries;
static kit_table kit;
static const gs_env_ops *real_ops;
static gs_env_ops ops;
static size_t reads;
static uint64_t read_bytes;
static uint64_t bad_at; /* a byte that cannot be read; 0: none */

static int64_t
counted_read(gs_file *file, uint64_t offset, void *data, size_t size)
{
  reads++;
  read_bytes += size;
  bool is_bad = bad_at != 0 && offset <= bad_at && bad_at < offset + size;
  return is_bad ? -EIO : real_ops->read(file, offset, data, size);
}

static void
count_from_here(void)
{
  real_ops = sim_machine_env->ops;
  ops = *real_ops;
  ops.read = counted_read;
  sim_machine_env->ops = &ops;
  bad_at = 0;
  reads = 0;
  read_bytes = 0;
}

/* A table of some hundred blocks, which repeat so that they could be packed. */
static void
make_table(gs_codec codec)
{
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
  options.codec = codec;
  kit_table_make(&kit, sim_machine_env, &options, &entries);
  count_from_here();
}

static int
make(void **state)
{
  sim_machine_set_up(state);
  make_table(GS_CODEC_NONE);
  return 0;
}

static void
end_table(void)
{
  sim_machine_env->ops = real_ops;
  kit_table_end(&kit);
  kit_entries_free(&entries);
  assert_int_equal(gs_env_remove(sim_machine_env, "/t", NULL), GS_OK);
}

static int
end(void **state)
{
  end_table();
  return sim_machine_tear_down(state);
}

static const gs_fence *
fence_of(uint32_t block)
{
  return &kit.table->fences.list[block];
}

static bool
is_there(uint32_t block)
{
  return atomic_load(&kit.table->homes[block]) != NULL;
}

static uint64_t
group_of(uint32_t block)
{
  return fence_of(block)->offset / GS_GROUP_BYTES;
}

/* The first block of the second group. */
static uint32_t
second_group(void)
{
  uint32_t block = 0;
  while (group_of(block) == 0) {
    block++;
  }
  return block;
}

static uint32_t
blocks_in_memory(void)
{
  uint32_t count = 0;
  for (uint32_t i = 0; i < kit.table->fences.count; i++) {
    count += is_there(i);
  }
  return count;
}

static gs_cache_stats
cache_stats(void)
{
  gs_cache_stats stats;
  gs_cache_get_stats(kit.cache, &stats);
  return stats;
}

static gs_status
load(uint32_t block, gs_error *err)
{
  gs_frame *frame = NULL;
  uint32_t slot = gs_epoch_enter(kit.epoch);
  gs_status status = gs_group_load(kit.table, block, &frame, err);
  bool is_its = frame == NULL || frame->home == &kit.table->homes[block];
  gs_epoch_leave(kit.epoch, slot);
  assert_true(is_its && (frame != NULL) == (status == GS_OK));
  return status;
}

static void
assert_all_right(void)
{
  for (size_t i = 0; i < entries.count; i++) {
    gs_entry found;
    gs_error err;
    KIT_OK(kit_get(&kit, entries.list[i].key, GS_SEQ_MAX, &found, &err), &err);
    kit_assert_same(&found, &entries.list[i]);
  }
}

static void
test_a_miss_brings_its_group_along_in_one_read(void **state)
{
  (void)state;
  uint32_t first = second_group();
  uint32_t last = first;
  while (group_of(last + 1) == 1) {
    last++;
  }
  assert_in_range(last - first, GS_GROUP_BYTES / BLOCK - 8, GS_GROUP_BYTES);
  gs_error err;
  KIT_OK(load((first + last) / 2, &err), &err);
  assert_int_equal(reads, 1);
  assert_int_equal(read_bytes, fence_of(last)->offset + fence_of(last)->size -
                                   fence_of(first)->offset);
  assert_int_equal(blocks_in_memory(), last - first + 1);
  for (uint32_t i = first; i <= last; i++) {
    assert_true(is_there(i));
  }
}

static void
test_a_whole_table_takes_one_read_for_each_group(void **state)
{
  (void)state;
  assert_all_right();
  uint32_t groups = (uint32_t)group_of(kit.table->fences.count - 1) + 1;
  assert_in_range(reads, groups, groups + 2); /* and the point index */
  size_t before = reads;
  assert_all_right();
  assert_int_equal(reads, before);
}

/* A walk comes to one block after the other. */
static void
test_cursors_miss_in_groups_too(void **state)
{
  (void)state;
  gs_error err;
  gs_cursor *cursor = NULL;
  KIT_OK(gs_table_cursor_new(kit.table, true, &cursor, &err), &err);
  cursor->error = &err;
  reads = 0;
  gs_cursor_first(cursor);
  assert_true(cursor->valid);
  assert_int_equal(reads, 1);
  assert_in_range(blocks_in_memory(), 16, GS_GROUP_BYTES / BLOCK + 1);
  gs_table_cursor_free(cursor);
}

static void
test_a_merge_brings_nothing_into_the_cache(void **state)
{
  (void)state;
  gs_error err;
  gs_cursor *cursor = NULL;
  KIT_OK(gs_table_cursor_new(kit.table, false, &cursor, &err), &err);
  cursor->error = &err;
  gs_cursor_first(cursor);
  assert_true(cursor->valid);
  assert_int_equal(blocks_in_memory(), 0);
  gs_table_cursor_free(cursor);
}

static void
test_what_is_in_memory_is_not_read_again(void **state)
{
  (void)state;
  uint32_t first = second_group();
  gs_error err;
  gs_frame *frame;
  uint32_t slot = gs_epoch_enter(kit.epoch);
  KIT_OK(gs_table_load(kit.table, first + 2, NULL, &frame, &err), &err);
  KIT_OK(gs_table_load(kit.table, first + 6, NULL, &frame, &err), &err);
  gs_epoch_leave(kit.epoch, slot);
  reads = 0;
  read_bytes = 0;
  KIT_OK(load(first + 4, &err), &err);
  assert_int_equal(reads, 1);
  assert_int_equal(read_bytes,
                   fence_of(first + 6)->offset - fence_of(first + 3)->offset);
  assert_int_equal(blocks_in_memory(), 5);
}

static void
test_a_block_comes_alone_where_neighbours_would_push_others_out(void **state)
{
  (void)state;
  gs_error err;
  uint64_t held = cache_stats().held_bytes;
  gs_cache_set_capacity(kit.cache, held + 2 * GS_GROUP_BYTES);
  KIT_OK(load(second_group(), &err), &err);
  assert_true(read_bytes > 16 * BLOCK);
  read_bytes = 0;
  KIT_OK(load(1, &err), &err);
  assert_int_equal(read_bytes, fence_of(1)->size);
  assert_int_equal(cache_stats().evictions, 0);
  assert_all_right();
}

static void
test_nothing_is_brought_along_where_nothing_stays(void **state)
{
  (void)state;
  gs_error err;
  gs_cache_set_capacity(kit.cache, 0);
  KIT_OK(load(second_group(), &err), &err);
  assert_int_equal(read_bytes, fence_of(second_group())->size);
}

static void
test_packed_blocks_come_alone(void **state)
{
  (void)state;
  gs_error err;
  end_table();
  make_table(GS_CODEC_LZ4);
  KIT_OK(load(1, &err), &err);
  assert_int_equal(reads, 1);
  assert_int_equal(read_bytes, fence_of(1)->size);
  assert_int_equal(blocks_in_memory(), 1);
  assert_all_right();
}

static void
test_a_large_block_comes_alone_and_is_not_brought_along(void **state)
{
  (void)state;
  gs_error err;
  static char value[2 * GS_GROUP_BYTES];
  end_table();
  char small[300] = {0};
  memset(value, 'v', sizeof value - 1);
  memset(small, 's', sizeof small - 1);
  entries = (kit_entries){.count = 0};
  kit_entries_put(&entries, "a", 1, small);
  kit_entries_put(&entries, "b", 2, value);
  kit_entries_put(&entries, "c", 3, small);
  gs_table_writer_options options = kit_options("/t");
  options.block_bytes = 256;
  options.codec = GS_CODEC_NONE;
  kit_table_make(&kit, sim_machine_env, &options, &entries);
  count_from_here();
  assert_int_equal(kit.table->fences.count, 3);
  assert_true(fence_of(1)->size > GS_GROUP_BYTES);
  KIT_OK(load(1, &err), &err);
  assert_int_equal(read_bytes, fence_of(1)->size);
  assert_int_equal(blocks_in_memory(), 1);
  gs_cache_forget(kit.cache, kit.table->homes, 3);
  read_bytes = 0;
  KIT_OK(load(0, &err), &err);
  assert_int_equal(read_bytes, fence_of(0)->size);
  assert_all_right();
}

static void
test_a_place_that_cannot_be_read_is_its_own_blocks_matter(void **state)
{
  (void)state;
  gs_error err;
  uint32_t first = second_group();
  bad_at = fence_of(first + 3)->offset + 5;
  KIT_OK(load(first + 1, &err), &err);
  assert_true(is_there(first + 1));
  assert_int_equal(load(first + 3, &err), GS_IO);
  assert_false(is_there(first + 3));
  bad_at = 0;
  KIT_OK(load(first + 3, &err), &err);
  assert_all_right();
}

static void
test_a_damaged_block_is_told_to_who_wants_it(void **state)
{
  (void)state;
  gs_error err;
  uint32_t first = second_group();
  uint64_t offset = fence_of(first + 3)->offset;
  gs_buffer bytes;
  gs_buffer_init(&bytes, sim_machine_env->alloc);
  KIT_OK(gs_sim_read(sim_machine, "/t", &bytes, &err), &err);
  bytes.data[offset + 30] ^= 1;
  KIT_OK(gs_sim_replace(sim_machine, "/t", gs_buffer_slice(&bytes), &err),
         &err);
  gs_buffer_deinit(&bytes);
  KIT_OK(load(first + 1, &err), &err);
  assert_true(is_there(first + 2) && is_there(first + 4));
  assert_false(is_there(first + 3));
  assert_int_equal(load(first + 3, &err), GS_CORRUPT);
  assert_int_equal(err.offset, offset);
  assert_string_equal(err.path, "/t");
}

/* Whatever cannot be had for the others, the block comes. */
static void
test_where_memory_lacks_for_the_others_the_block_comes_alone(void **state)
{
  (void)state;
  for (uint64_t nth = 1; nth <= 3; nth++) {
    gs_error err;
    end_table();
    make_table(GS_CODEC_NONE);
    gs_sim_fail_alloc(sim_machine, nth, 1);
    gs_status status = load(second_group(), &err);
    gs_sim_fail_alloc(sim_machine, 0, 0);
    KIT_OK(status, &err);
    assert_true(is_there(second_group()));
  }
}

#define GROUP_TEST(test) cmocka_unit_test_setup_teardown(test, make, end)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      GROUP_TEST(test_a_miss_brings_its_group_along_in_one_read),
      GROUP_TEST(test_a_whole_table_takes_one_read_for_each_group),
      GROUP_TEST(test_cursors_miss_in_groups_too),
      GROUP_TEST(test_a_merge_brings_nothing_into_the_cache),
      GROUP_TEST(test_what_is_in_memory_is_not_read_again),
      GROUP_TEST(
          test_a_block_comes_alone_where_neighbours_would_push_others_out),
      GROUP_TEST(test_nothing_is_brought_along_where_nothing_stays),
      GROUP_TEST(test_packed_blocks_come_alone),
      GROUP_TEST(test_a_large_block_comes_alone_and_is_not_brought_along),
      GROUP_TEST(test_a_place_that_cannot_be_read_is_its_own_blocks_matter),
      GROUP_TEST(test_a_damaged_block_is_told_to_who_wants_it),
      GROUP_TEST(test_where_memory_lacks_for_the_others_the_block_comes_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
