/*
 * Tests of the fences: searches against a plain array, and sections that are
 * not what a writer makes.
 */
#include "sst/fences.h"
#include "sst/format.h"
#include "sst/sst_kit.h"
#include "support/test_alloc.h"

enum { BLOCK = 100 };

static test_alloc heap;

static int
set_up(void **state)
{
  (void)state;
  test_alloc_init(&heap);
  return 0;
}

static int
tear_down(void **state)
{
  (void)state;
  assert_int_equal(heap.live_bytes, 0);
  return 0;
}

/* One fence per entry, blocks of 100, 101, 102... bytes. */
static gs_buffer
section_of(const kit_entries *entries, uint64_t *blocks_end)
{
  gs_fence_list list;
  gs_fence_list_init(&list, &heap.base);
  *blocks_end = GS_TABLE_HEADER_BYTES;
  for (size_t i = 0; i < entries->count; i++) {
    gs_slice key = entries->list[i].key;
    uint64_t told = gs_fence_list_bytes_with(&list, key);
    gs_fence_list_add(&list, key, (uint32_t)(BLOCK + i));
    assert_int_equal(gs_fence_list_bytes(&list), told);
    *blocks_end += BLOCK + i;
  }
  gs_buffer out;
  gs_buffer_init(&out, &heap.base);
  gs_fence_list_encode(&list, &out);
  assert_int_equal(gs_buffer_status(&out, NULL), GS_OK);
  assert_int_equal(out.size, gs_fence_list_bytes(&list));
  gs_fence_list_deinit(&list);
  return out;
}

static void
load(const kit_entries *entries, gs_fences *fences)
{
  uint64_t blocks_end = 0;
  gs_buffer section = section_of(entries, &blocks_end);
  gs_error err;
  KIT_OK(gs_fences_load(fences, &section, (uint32_t)entries->count, blocks_end,
                        &err),
         &err);
  assert_null(section.data);
}

static kit_entries
random_keys(uint64_t seed)
{
  kit_taste taste = {.seed = seed,
                     .key_count = 1 + (size_t)(seed % 40),
                     .max_versions = 1 + (uint32_t)(seed % 2),
                     .max_value = 1,
                     .max_seq_jump = 1};
  return kit_entries_random(&taste);
}

static void
assert_finds(const gs_fences *fences, const kit_entries *entries, gs_slice key)
{
  uint32_t below = 0;
  while (below < entries->count &&
         gs_slice_compare(entries->list[below].key, key) < 0) {
    below++;
  }
  assert_int_equal(gs_fences_below(fences, key), below);
  for (uint32_t i = 0; i < entries->count; i++) {
    assert_int_equal(gs_fences_is_first(fences, i, key),
                     gs_slice_equal(entries->list[i].key, key));
  }
}

static void
test_the_section_has_these_bytes(void **state)
{
  (void)state;
  kit_entries entries = {.count = 0};
  kit_entries_put(&entries, "user", 1, "");
  kit_entries_put(&entries, "user7", 2, "");
  kit_entries_put(&entries, "usx", 3, "");
  uint64_t end = 0;
  gs_buffer section = section_of(&entries, &end);
  static const uint8_t wanted[] = {2,   0,   'u', 's', 100, 0, 0, 0,  2,   0,
                                   'e', 'r', 101, 0,   0,   0, 3, 0,  'e', 'r',
                                   '7', 102, 0,   0,   0,   1, 0, 'x'};
  assert_int_equal(section.size, sizeof wanted);
  assert_memory_equal(section.data, wanted, sizeof wanted);
  gs_buffer_deinit(&section);
  kit_entries_free(&entries);
}

static void
test_blocks_lie_one_after_another_and_keys_come_back(void **state)
{
  (void)state;
  kit_entries entries = random_keys(39);
  gs_fences fences;
  load(&entries, &fences);
  uint64_t offset = GS_TABLE_HEADER_BYTES;
  for (uint32_t i = 0; i < entries.count; i++) {
    assert_int_equal(fences.list[i].offset, offset);
    assert_int_equal(fences.list[i].size, BLOCK + i);
    offset += BLOCK + i;
    gs_buffer key;
    gs_buffer_init(&key, &heap.base);
    gs_fences_append_key(&fences, i, &key);
    assert_true(gs_slice_equal(gs_buffer_slice(&key), entries.list[i].key));
    gs_buffer_deinit(&key);
  }
  assert_int_equal(gs_fences_memory_bytes(&fences), heap.live_bytes);
  gs_fences_deinit(&fences);
  kit_entries_free(&entries);
}

static void
test_the_search_counts_the_blocks_that_begin_below_a_key(void **state)
{
  (void)state;
  for (uint64_t seed = 1; seed <= 80; seed++) {
    kit_entries entries = random_keys(seed);
    gs_fences fences;
    load(&entries, &fences);
    for (size_t i = 0; i < entries.count; i++) {
      assert_finds(&fences, &entries, entries.list[i].key);
    }
    uint64_t random = seed;
    for (int i = 0; i < 200; i++) {
      uint8_t room[KIT_KEY_ROOM];
      assert_finds(&fences, &entries, kit_random_key(&random, room));
    }
    gs_fences_deinit(&fences);
    kit_entries_free(&entries);
  }
}

static void
test_heads_of_all_ones_are_searched_too(void **state)
{
  (void)state;
  kit_entries entries = {.count = 0};
  uint8_t ones[12];
  memset(ones, 0xff, sizeof ones);
  kit_entries_put(&entries, "", 1, "");
  for (size_t size = 7; size <= sizeof ones; size++) {
    gs_entry entry = {
        .key = gs_slice_of(ones, size), .seq = size, .kind = GS_KIND_PUT};
    kit_entries_add(&entries, &entry);
  }
  gs_fences fences;
  load(&entries, &fences);
  for (size_t size = 0; size <= sizeof ones; size++) {
    assert_finds(&fences, &entries, gs_slice_of(ones, size));
  }
  gs_fences_deinit(&fences);
  kit_entries_free(&entries);
}

/* Loads a copy of exactly these bytes. */
static gs_status
load_bytes(gs_slice bytes, uint32_t count, uint64_t blocks_end)
{
  gs_buffer copy;
  gs_buffer_init(&copy, &heap.base);
  uint8_t *data = gs_alloc_bytes(&heap.base, bytes.size > 0 ? bytes.size : 1);
  assert_non_null(data);
  if (bytes.size > 0) {
    memcpy(data, bytes.data, bytes.size);
  }
  copy.data = data;
  copy.size = bytes.size;
  copy.capacity = bytes.size > 0 ? bytes.size : 1;
  gs_fences fences;
  gs_status status = gs_fences_load(&fences, &copy, count, blocks_end, NULL);
  if (status == GS_OK) {
    uint64_t random = 3;
    for (int i = 0; i < 20; i++) {
      uint8_t room[KIT_KEY_ROOM];
      gs_slice key = kit_random_key(&random, room);
      uint32_t below = gs_fences_below(&fences, key);
      assert_true(below <= count);
      (void)gs_fences_is_first(&fences, below < count ? below : 0, key);
    }
    gs_fences_deinit(&fences);
  }
  gs_buffer_deinit(&copy);
  return status;
}

static void
test_a_section_that_does_not_fit_is_corrupt(void **state)
{
  (void)state;
  kit_entries entries = random_keys(20);
  uint32_t count = (uint32_t)entries.count;
  uint64_t end = 0;
  gs_buffer section = section_of(&entries, &end);
  gs_slice whole = gs_buffer_slice(&section);
  assert_int_equal(load_bytes(whole, count, end), GS_OK);
  assert_int_equal(load_bytes(whole, count, end - 1), GS_CORRUPT);
  assert_int_equal(load_bytes(whole, count, end + 1), GS_CORRUPT);
  assert_int_equal(load_bytes(whole, count, 0), GS_CORRUPT);
  assert_int_equal(load_bytes(whole, count - 1, end), GS_CORRUPT);
  assert_int_equal(load_bytes(whole, count + 1, end), GS_CORRUPT);
  assert_int_equal(load_bytes(whole, 0, end), GS_CORRUPT);
  assert_int_equal(load_bytes(whole, UINT32_MAX, end), GS_CORRUPT);
  gs_buffer_append_zeros(&section, 1);
  gs_slice longer = gs_buffer_slice(&section);
  assert_int_equal(load_bytes(longer, count, end), GS_CORRUPT);
  whole = gs_slice_of(section.data, section.size - 1);
  for (size_t size = 0; size < whole.size; size++) {
    gs_slice cut = gs_slice_of(whole.data, size);
    assert_int_equal(load_bytes(cut, count, end), GS_CORRUPT);
  }
  gs_buffer_deinit(&section);
  kit_entries_free(&entries);
}

static void
test_first_keys_that_fall_and_empty_blocks_are_corrupt(void **state)
{
  (void)state;
  static const uint8_t falling[] = {0,   0, 9, 0, 0, 0, 1, 0,
                                    'b', 9, 0, 0, 0, 1, 0, 'a'};
  static const uint8_t empty[] = {0, 0, 0, 0, 0, 0, 1, 0, 'a'};
  uint64_t end = GS_TABLE_HEADER_BYTES;
  assert_int_equal(
      load_bytes(gs_slice_of(falling, sizeof falling), 2, end + 18),
      GS_CORRUPT);
  assert_int_equal(load_bytes(gs_slice_of(empty, sizeof empty), 1, end),
                   GS_CORRUPT);
}

static void
test_no_content_makes_the_search_leave_the_section(void **state)
{
  (void)state;
  uint64_t random = 12;
  for (uint64_t round = 0; round < 3000; round++) {
    kit_entries entries = random_keys(1 + round % 30);
    uint64_t end = 0;
    gs_buffer section = section_of(&entries, &end);
    section.data[kit_below(&random, section.size)] ^=
        (uint8_t)kit_random(&random);
    gs_status status =
        load_bytes(gs_buffer_slice(&section), (uint32_t)entries.count, end);
    assert_true(status == GS_OK || status == GS_CORRUPT);
    gs_buffer_deinit(&section);
    kit_entries_free(&entries);
  }
}

static void
test_running_out_of_memory_gives_everything_back(void **state)
{
  (void)state;
  kit_entries entries = random_keys(20);
  uint64_t end = 0;
  gs_buffer section = section_of(&entries, &end);
  size_t live = heap.live_bytes;
  for (uint64_t allowed = 1; allowed <= 2; allowed++) {
    heap.allocations_left = allowed;
    gs_status status =
        load_bytes(gs_buffer_slice(&section), (uint32_t)entries.count, end);
    assert_int_equal(status, GS_NOMEM);
    assert_int_equal(heap.live_bytes, live);
  }
  heap.allocations_left = 0;
  gs_fence_list list;
  gs_fence_list_init(&list, &heap.base);
  gs_fence_list_add(&list, gs_slice_str("a"), 1);
  gs_fence_list_add(&list, gs_slice_str("b"), 1);
  assert_int_equal(gs_buffer_status(&list.bytes, NULL), GS_NOMEM);
  heap.allocations_left = UINT64_MAX;
  gs_fence_list_deinit(&list);
  gs_buffer_deinit(&section);
  kit_entries_free(&entries);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_section_has_these_bytes),
      cmocka_unit_test(test_blocks_lie_one_after_another_and_keys_come_back),
      cmocka_unit_test(
          test_the_search_counts_the_blocks_that_begin_below_a_key),
      cmocka_unit_test(test_heads_of_all_ones_are_searched_too),
      cmocka_unit_test(test_a_section_that_does_not_fit_is_corrupt),
      cmocka_unit_test(test_first_keys_that_fall_and_empty_blocks_are_corrupt),
      cmocka_unit_test(test_no_content_makes_the_search_leave_the_section),
      cmocka_unit_test(test_running_out_of_memory_gives_everything_back),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
