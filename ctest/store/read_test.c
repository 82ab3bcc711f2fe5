/*
 * Point reads: which place answers, what counts, and many keys at one moment.
 */
#include "store_kit.h"

static void
test_the_newest_place_answers_first(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "run 2");
  kit_put(store, "b", "run 2");
  kit_put(store, "c", "run 2");
  KIT_OK(gs_flush(store, &kit_err));
  kit_put(store, "b", "run 1");
  kit_put(store, "c", "run 1");
  KIT_OK(gs_flush(store, &kit_err));
  kit_put(store, "c", "sealed");
  KIT_OK(gs_seal(store, &kit_err));
  kit_put(store, "d", "active");
  assert_string_equal(kit_get(store, "a"), "run 2");
  assert_string_equal(kit_get(store, "b"), "run 1");
  assert_string_equal(kit_get(store, "c"), "sealed");
  assert_string_equal(kit_get(store, "d"), "active");
  assert_string_equal(kit_get(store, "bb"), "(absent)");
  kit_delete(store, "a");
  assert_string_equal(kit_get(store, "a"), "(absent)");
  kit_close(store);
}

static void
test_a_value_tells_its_sequence_and_expiry(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  uint64_t seq = 0;
  gs_write_options later = {.expires_at_ms = gs_now_ms(store) + 1000};
  KIT_OK(gs_put(store, gs_slice_str("a"), gs_slice_str("1"), &later, &seq,
                &kit_err));
  for (int i = 0; i < 2; i++) {
    gs_value value;
    gs_value_init(&value, store);
    KIT_OK(gs_contains(store, NULL, gs_slice_str("a"), &value, &kit_err));
    assert_int_equal(value.seq, seq);
    assert_int_equal(value.expires_at_ms, later.expires_at_ms);
    assert_int_equal(value.bytes.size, 0);
    gs_value_deinit(&value);
    KIT_OK(gs_contains(store, NULL, gs_slice_str("a"), NULL, &kit_err));
    KIT_OK(gs_compact(store, NULL, &kit_err));
  }
  kit_close(store);
}

static void
test_many_keys_come_back_in_their_order_with_gaps_marked(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "one");
  KIT_OK(gs_flush(store, &kit_err));
  kit_put(store, "c", "");
  kit_put(store, "d", "four");
  gs_slice keys[5] = {gs_slice_str("d"), gs_slice_str("a"), gs_slice_str("x"),
                      gs_slice_str("c"), gs_slice_str("d")};
  gs_found found[5];
  gs_buffer bytes;
  gs_buffer_init(&bytes, gs_get_alloc(store));
  KIT_OK(gs_get_many(store, NULL, keys, 5, &bytes, found, &kit_err));
  assert_int_equal(bytes.size, 11);
  assert_memory_equal(bytes.data, "fouronefour", 11);
  assert_true(found[0].is_present && found[1].is_present);
  assert_false(found[2].is_present);
  assert_true(found[3].is_present);
  assert_int_equal(found[3].size, 0);
  assert_int_equal(found[4].offset, 7);
  KIT_OK(gs_get_many(store, NULL, keys, 0, &bytes, found, &kit_err));
  assert_int_equal(bytes.size, 0);
  gs_buffer_deinit(&bytes);
  kit_close(store);
}

static void
test_reads_and_hits_are_counted(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  kit_get(store, "a");
  kit_get(store, "b");
  kit_get(store, "a");
  gs_stats stats = kit_stats(store);
  assert_int_equal(stats.gets, 3);
  assert_int_equal(stats.get_hits, 2);
  kit_close(store);
}

/* Two runs of 40 keys each, "a" and "m", the second with a wrong bit. */
static gs_store *
open_damaged(const gs_options *options, char path[64])
{
  gs_store *store = kit_open(options);
  kit_fill(store, "a", 1, 40);
  KIT_OK(gs_flush(store, &kit_err));
  kit_fill(store, "m", 1, 40);
  KIT_OK(gs_flush(store, &kit_err));
  gs_shape *shape = NULL;
  KIT_OK(gs_shape_new(store, &shape, &kit_err));
  snprintf(path, 64, "/db/%06llu.sst",
           (unsigned long long)kit_table(shape, 0, 0).id);
  gs_shape_free(shape);
  kit_close(store);
  KIT_OK(gs_sim_flip(sim_machine, path, 5000, &kit_err));
  return kit_open(options);
}

static void
test_a_damaged_block_is_an_error_for_its_keys_only(void **state)
{
  (void)state;
  char path[64];
  gs_options options = kit_options();
  gs_store *store = open_damaged(&options, path);
  size_t damaged = 0;
  for (int i = 1; i <= 40; i++) {
    char key[16];
    snprintf(key, sizeof key, "m%04d", i);
    gs_status status =
        gs_contains(store, NULL, gs_slice_str(key), NULL, &kit_err);
    damaged += status == GS_CORRUPT;
    assert_true(status == GS_OK || status == GS_CORRUPT);
    assert_true(kit_has(store, "a", i));
  }
  assert_true(damaged > 0);
  assert_true(damaged < 40);
  assert_int_equal(gs_verify(store, &kit_err), GS_CORRUPT);
  assert_string_equal(kit_err.path, path);
  kit_close(store);
}

static void
test_of_many_keys_those_up_to_the_damaged_one_are_counted(void **state)
{
  (void)state;
  enum { COUNT = 40 };
  char path[64];
  char texts[COUNT][16];
  gs_slice keys[COUNT];
  gs_found found[COUNT];
  gs_buffer bytes;
  gs_options options = kit_options();
  gs_store *store = open_damaged(&options, path);
  size_t looked = 0;
  for (int i = 0; i < COUNT; i++) {
    snprintf(texts[i], sizeof texts[i], "m%04d", i + 1);
    keys[i] = gs_slice_str(texts[i]);
  }
  while (gs_contains(store, NULL, keys[looked], NULL, &kit_err) == GS_OK) {
    looked++;
  }
  assert_in_range(looked, 1, COUNT - 2);
  gs_stats before = kit_stats(store);
  gs_buffer_init(&bytes, gs_get_alloc(store));
  assert_int_equal(
      gs_get_many(store, NULL, keys, COUNT, &bytes, found, &kit_err),
      GS_CORRUPT);
  gs_buffer_deinit(&bytes);
  gs_stats after = kit_stats(store);
  assert_int_equal(after.gets - before.gets, looked + 1);
  assert_int_equal(after.get_hits - before.get_hits, looked);
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_the_newest_place_answers_first),
      KIT_TEST(test_a_value_tells_its_sequence_and_expiry),
      KIT_TEST(test_many_keys_come_back_in_their_order_with_gaps_marked),
      KIT_TEST(test_reads_and_hits_are_counted),
      KIT_TEST(test_a_damaged_block_is_an_error_for_its_keys_only),
      KIT_TEST(test_of_many_keys_those_up_to_the_damaged_one_are_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
