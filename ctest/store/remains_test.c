/*
 * Blocks are found with fences and without, and what lies between them is told
 * as tightly as the neighbours allow.
 */
#include "remains_kit.h"
#include "store/mend.h"

static void
expect_bound(const gs_buffer *bound, const char *text, size_t zeros)
{
  assert_int_equal(bound->size, strlen(text) + zeros);
  assert_memory_equal(bound->data, text, strlen(text));
}

static void
test_a_sound_table_remains_whole(void **state)
{
  (void)state;
  gs_buffer keys;
  gs_remains s;
  gs_buffer_init(&keys, sim_machine_env->alloc);
  gs_table_meta meta = remains_write(1, 1, 100, 0, &keys);
  remains_read(&s, 1, &meta);
  assert_int_equal(s.entries, 100);
  assert_int_equal(s.gap_count, 0);
  assert_int_equal(s.max_seq, 100);
  assert_int_equal(s.bits_fixed, 0);
  assert_int_equal(gs_remains_get_block(&s, 0).wrong_bit, GS_MEND_NONE);
  gs_remains_deinit(&s);
  gs_buffer_deinit(&keys);
}

static void
test_fences_bound_a_lost_block(void **state)
{
  (void)state;
  gs_buffer keys;
  gs_remains s;
  gs_buffer_init(&keys, sim_machine_env->alloc);
  remains_write(1, 1, 100, 0, &keys);
  remains_read(&s, 1, NULL);
  size_t second = (size_t)gs_remains_get_block(&s, 1).offset;
  gs_remains_deinit(&s);
  remains_spoil(second + 30, 20);
  remains_read(&s, 1, NULL);
  assert_int_equal(s.gap_count, 1);
  const gs_remains_gap *gap = gs_remains_get_gap(&s, 0);
  assert_int_equal(gap->blocks, 1);
  uint64_t rows = s.entries / s.block_count;
  char from[16];
  char to[16];
  snprintf(from, sizeof from, "k%03d", (int)rows + 1);
  snprintf(to, sizeof to, "k%03d", (int)rows * 2 + 1);
  expect_bound(&gap->from, from, 0);
  expect_bound(&gap->to, to, 0);
  gs_remains_deinit(&s);
  gs_buffer_deinit(&keys);
}

static void
test_without_footer_and_fences_blocks_are_found_alone(void **state)
{
  (void)state;
  gs_buffer keys;
  gs_remains s;
  gs_buffer_init(&keys, sim_machine_env->alloc);
  gs_table_meta meta = remains_write(1, 1, 100, 0, &keys);
  remains_spoil((size_t)meta.file_bytes - 40, 40);
  remains_read(&s, 1, &meta);
  assert_int_equal(s.entries, 100);
  assert_int_equal(s.gap_count, 0); /* the manifest's count tells */
  gs_remains_deinit(&s);
  remains_spoil(40 + 300, 20);
  remains_read(&s, 1, &meta);
  assert_int_equal(s.gap_count, 1);
  assert_true(s.entries > 80 && s.entries < 100);
  gs_remains_deinit(&s);
  /* Nobody tells where the blocks end: perhaps more were there. */
  remains_read(&s, 1, NULL);
  assert_int_equal(s.gap_count, 2);
  assert_false(gs_remains_get_gap(&s, 1)->has_to);
  expect_bound(&gs_remains_get_gap(&s, 1)->from, "k100", 1);
  gs_remains_deinit(&s);
  gs_buffer_deinit(&keys);
}

static void
test_another_table_in_its_place_gives_nothing(void **state)
{
  (void)state;
  gs_buffer keys;
  gs_remains s;
  gs_buffer_init(&keys, sim_machine_env->alloc);
  gs_table_meta listed = remains_write(1, 1, 100, 0, &keys);
  KIT_OK(gs_sim_remove(sim_machine, "/000001.sst", &kit_err));
  remains_write(1, 1, 50, 0, &keys);
  remains_read(&s, 1, &listed);
  assert_true(s.is_foreign);
  assert_int_equal(s.block_count, 0);
  gs_remains_deinit(&s);
  gs_buffer_deinit(&keys);
}

static void
test_every_length_gives_the_blocks_that_are_whole(void **state)
{
  (void)state;
  gs_buffer keys;
  gs_buffer bytes;
  gs_buffer_init(&keys, sim_machine_env->alloc);
  gs_buffer_init(&bytes, sim_machine_env->alloc);
  gs_table_meta meta = remains_write(1, 1, 60, 0, &keys);
  KIT_OK(gs_sim_read(sim_machine, "/000001.sst", &bytes, &kit_err));
  uint64_t entries = 0;
  for (size_t size = 0; size <= bytes.size; size += 7) {
    gs_remains s;
    KIT_OK(gs_sim_replace(sim_machine, "/000001.sst",
                          gs_slice_of(bytes.data, size), &kit_err));
    remains_read(&s, 1, &meta);
    assert_true(s.entries >= entries);
    assert_int_equal(s.gap_count, s.entries < 60);
    entries = s.entries;
    gs_remains_deinit(&s);
  }
  assert_int_equal(entries, 60);
  gs_buffer_deinit(&bytes);
  gs_buffer_deinit(&keys);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_sound_table_remains_whole),
      KIT_TEST(test_fences_bound_a_lost_block),
      KIT_TEST(test_without_footer_and_fences_blocks_are_found_alone),
      KIT_TEST(test_another_table_in_its_place_gives_nothing),
      KIT_TEST(test_every_length_gives_the_blocks_that_are_whole),
  };
  int failed = 0;
  for (int codec = 0; codec < GS_CODECS; codec++) {
    remains_codec = (gs_codec)codec;
    failed += cmocka_run_group_tests(tests, NULL, NULL);
  }
  return failed;
}
