/*
 * Tables and blocks as a policy lays them out, level by level.
 */
#include "store_kit.h"

#include "store/layout.h"

static void
set(gs_store *store, uint32_t level, uint64_t table_bytes, uint32_t block_bytes)
{
  gs_layout layout = {table_bytes, block_bytes, (gs_compression)0};
  KIT_OK(gs_set_layout(store, level, &layout, &kit_err));
}

static gs_store *
open_large(void)
{
  gs_options options = kit_options();
  options.has_policy = true;
  options.memory_bytes = 64 << 20;
  options.memtable_bytes = 8 << 20;
  options.table_bytes = 1 << 20;
  return kit_open(&options);
}

static void
test_a_flush_makes_tables_as_level_0_says(void **state)
{
  (void)state;
  gs_store *store = open_large();
  kit_fill(store, "k", 1, 1000);
  KIT_OK(gs_flush(store, &kit_err));
  assert_int_equal(kit_stats(store).table_count, 1);
  set(store, 0, 16384, 0);
  set(store, 1, 1 << 20, 0);
  kit_fill(store, "k", 1, 1000);
  KIT_OK(gs_flush(store, &kit_err));
  assert_in_range(kit_stats(store).table_count, 5, 20);
  assert_true(kit_has(store, "k", 777));
  KIT_OK(gs_verify(store, &kit_err));
  kit_close(store);
}

static void
test_a_merge_makes_tables_as_the_level_of_its_target_says(void **state)
{
  (void)state;
  gs_store *store = open_large();
  kit_fill(store, "k", 1, 1000);
  KIT_OK(gs_flush(store, &kit_err));
  set(store, 0, 16384, 0);
  KIT_OK(gs_compact(store, NULL, &kit_err)); /* stays in level 0 */
  assert_in_range(kit_stats(store).table_count, 5, 20);
  set(store, 0, 0, 0);
  KIT_OK(gs_compact(store, NULL, &kit_err));
  assert_int_equal(kit_stats(store).table_count, 1);
  kit_close(store);
}

/* Blocks read by a scan over all. */
static uint64_t
blocks_of(gs_store *store)
{
  uint64_t before = kit_stats(store).cache_loads;
  uint64_t count = 0;
  KIT_OK(gs_count(store, NULL, NULL, &count, &kit_err));
  assert_int_equal(count, 1000);
  return kit_stats(store).cache_loads - before;
}

static void
test_blocks_are_as_large_as_the_level_says(void **state)
{
  (void)state;
  gs_store *store = open_large();
  set(store, 0, 0, 256);
  kit_fill(store, "k", 1, 1000);
  KIT_OK(gs_flush(store, &kit_err));
  uint64_t small = blocks_of(store);
  set(store, 0, 0, 65536);
  KIT_OK(gs_compact(store, NULL, &kit_err));
  uint64_t large = blocks_of(store);
  assert_true(small > 50 * large);
  assert_true(large > 0);
  kit_close(store);
}

/* Writes rows that shrink well over those that are there. */
static void
fill_words(gs_store *store)
{
  for (int i = 0; i < 500; i++) {
    char key[16];
    (void)snprintf(key, sizeof key, "key%04d", i);
    kit_put(store, key, "the same words, the same words, the same words again");
  }
}

static void
assert_words(gs_store *store)
{
  uint64_t count;
  KIT_OK(gs_count(store, NULL, NULL, &count, &kit_err));
  assert_int_equal(count, 500);
  assert_non_null(strstr(kit_get(store, "key0123"), "words again"));
  KIT_OK(gs_verify(store, &kit_err));
}

static void
test_blocks_are_packed_as_the_level_or_else_the_store_says(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.has_policy = true;
  options.memory_bytes = 64 << 20;
  options.compression = GS_COMPRESSION_LZ4;
  gs_store *store = kit_open(&options);
  fill_words(store);
  KIT_OK(gs_flush(store, &kit_err));
  uint64_t packed = kit_stats(store).table_bytes;
  assert_words(store);
  gs_layout plain = {.compression = GS_COMPRESSION_NONE};
  KIT_OK(gs_set_layout(store, 0, &plain, &kit_err));
  KIT_OK(gs_compact(store, NULL, &kit_err));
  assert_true(kit_stats(store).table_bytes > 2 * packed);
  assert_words(store);
  gs_layout small = {.compression = GS_COMPRESSION_ZSTD};
  KIT_OK(gs_set_layout(store, 0, &small, &kit_err));
  KIT_OK(gs_compact(store, NULL, &kit_err));
  assert_true(kit_stats(store).table_bytes <= packed);
  assert_words(store);
  kit_close(store);
}

/* Tables are read by what they say themselves. */
static void
test_a_store_reads_what_it_was_packed_by_whatever_its_options(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.compression = GS_COMPRESSION_ZSTD;
  gs_store *store = kit_open(&options);
  fill_words(store);
  kit_close(store);
  options.compression = GS_COMPRESSION_NONE;
  store = kit_open(&options);
  assert_words(store);
  kit_close(store);
}

static void
test_what_is_not_said_is_the_stores_own_option(void **state)
{
  (void)state;
  gs_store *store = open_large();
  gs_layout layout = gs_layout_of(store, 7);
  assert_int_equal(layout.compression, GS_COMPRESSION_NONE);
  assert_int_equal(layout.table_bytes, 1 << 20);
  assert_int_equal(layout.block_bytes, 512);
  set(store, 7, 8192, 0);
  assert_int_equal(gs_layout_of(store, 7).table_bytes, 8192);
  assert_int_equal(gs_layout_of(store, 7).block_bytes, 512);
  assert_int_equal(gs_layout_of(store, 6).table_bytes, 1 << 20);
  KIT_OK(gs_set_option(store, "table_bytes", 65536, &kit_err));
  assert_int_equal(gs_layout_of(store, 6).table_bytes, 65536);
  gs_layout_reset(store);
  assert_int_equal(gs_layout_of(store, 7).table_bytes, 65536);
  kit_close(store);
}

static void
test_numbers_out_of_bounds_are_refused_and_change_nothing(void **state)
{
  (void)state;
  gs_store *store = open_large();
  set(store, 3, 8192, 1024);
  const gs_layout wrong[] = {{.table_bytes = 100},
                             {.table_bytes = UINT64_MAX},
                             {.block_bytes = 100},
                             {.block_bytes = 1 << 20},
                             {.table_bytes = 100, .block_bytes = 1024}};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    assert_int_equal(gs_set_layout(store, 3, &wrong[i], &kit_err), GS_MISUSE);
    assert_non_null(strstr(kit_err.message, "_bytes"));
  }
  gs_layout unknown = {.compression = (gs_compression)4};
  assert_int_equal(gs_set_layout(store, 3, &unknown, &kit_err), GS_MISUSE);
  assert_non_null(strstr(kit_err.message, "compression"));
  gs_layout right = {.table_bytes = 8192, .block_bytes = 1024};
  assert_int_equal(gs_set_layout(store, 64, &right, &kit_err), GS_MISUSE);
  assert_int_equal(gs_layout_of(store, 3).table_bytes, 8192);
  assert_int_equal(gs_layout_of(store, 3).block_bytes, 1024);
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_flush_makes_tables_as_level_0_says),
      KIT_TEST(test_a_merge_makes_tables_as_the_level_of_its_target_says),
      KIT_TEST(test_blocks_are_as_large_as_the_level_says),
      KIT_TEST(test_blocks_are_packed_as_the_level_or_else_the_store_says),
      KIT_TEST(test_a_store_reads_what_it_was_packed_by_whatever_its_options),
      KIT_TEST(test_what_is_not_said_is_the_stores_own_option),
      KIT_TEST(test_numbers_out_of_bounds_are_refused_and_change_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
