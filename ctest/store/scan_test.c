/*
 * Cursors of readers: bounds, directions, turning round, and seeking.
 */
#include "store/store.h"
#include "store_kit.h"

/* The keys from here on in one direction, with spaces between. */
static const char *
walk(gs_scan *scan, gs_status status, bool backward)
{
  static char text[512];
  text[0] = '\0';
  while (status == GS_OK) {
    gs_slice key = gs_scan_key(scan);
    strncat(text, (const char *)key.data, key.size);
    strcat(text, " ");
    status =
        backward ? gs_scan_prev(scan, &kit_err) : gs_scan_next(scan, &kit_err);
  }
  assert_int_equal(status, GS_ABSENT);
  return text;
}

/* Keys b d f h in a run, d deleted and e g in memory. */
static gs_store *
open_filled(gs_options *options)
{
  *options = kit_options();
  gs_store *store = kit_open(options);
  for (const char *key = "b\0d\0f\0h\0"; *key != '\0'; key += 2) {
    kit_put(store, key, key);
  }
  KIT_OK(gs_flush(store, &kit_err));
  kit_delete(store, "d");
  kit_put(store, "e", "e");
  kit_put(store, "g", "g");
  return store;
}

static gs_scan *
scan_of(gs_store *store, const char *from, const char *to)
{
  gs_scan *scan = NULL;
  gs_range range = {.from = gs_slice_str(from), .has_to = to != NULL};
  if (to != NULL) {
    range.to = gs_slice_str(to);
  }
  KIT_OK(gs_scan_new(store, NULL, &range, &scan, &kit_err));
  return scan;
}

static void
test_a_scan_walks_live_keys_both_ways(void **state)
{
  (void)state;
  gs_options options;
  gs_store *store = open_filled(&options);
  gs_scan *scan = scan_of(store, "", NULL);
  assert_int_equal(gs_scan_next(scan, &kit_err), GS_ABSENT);
  assert_int_equal(gs_scan_prev(scan, &kit_err), GS_ABSENT);
  assert_string_equal(walk(scan, gs_scan_first(scan, &kit_err), false),
                      "b e f g h ");
  assert_string_equal(walk(scan, gs_scan_last(scan, &kit_err), true),
                      "h g f e b ");
  gs_scan_free(scan);
  kit_close(store);
}

static void
test_bounds_hold_for_every_way_in(void **state)
{
  (void)state;
  gs_options options;
  gs_store *store = open_filled(&options);
  gs_scan *scan = scan_of(store, "c", "g");
  assert_string_equal(walk(scan, gs_scan_first(scan, &kit_err), false), "e f ");
  assert_string_equal(walk(scan, gs_scan_last(scan, &kit_err), true), "f e ");
  gs_status status = gs_scan_seek(scan, gs_slice_str("a"), &kit_err);
  assert_string_equal(walk(scan, status, false), "e f ");
  status = gs_scan_seek(scan, gs_slice_str("g"), &kit_err);
  assert_int_equal(status, GS_ABSENT);
  status = gs_scan_seek_before(scan, gs_slice_str("z"), &kit_err);
  assert_string_equal(walk(scan, status, true), "f e ");
  status = gs_scan_seek_before(scan, gs_slice_str("c"), &kit_err);
  assert_int_equal(status, GS_ABSENT);
  gs_scan_free(scan);
  scan = scan_of(store, "f", "f");
  assert_int_equal(gs_scan_first(scan, &kit_err), GS_ABSENT);
  assert_int_equal(gs_scan_last(scan, &kit_err), GS_ABSENT);
  gs_scan_free(scan);
  scan = scan_of(store, "z", "a");
  assert_int_equal(gs_scan_first(scan, &kit_err), GS_ABSENT);
  gs_scan_free(scan);
  kit_close(store);
}

static void
test_a_scan_turns_round_anywhere(void **state)
{
  (void)state;
  gs_options options;
  gs_store *store = open_filled(&options);
  gs_scan *scan = scan_of(store, "", NULL);
  KIT_OK(gs_scan_seek(scan, gs_slice_str("f"), &kit_err));
  KIT_OK(gs_scan_prev(scan, &kit_err));
  assert_memory_equal(gs_scan_key(scan).data, "e", 1);
  KIT_OK(gs_scan_next(scan, &kit_err));
  KIT_OK(gs_scan_next(scan, &kit_err));
  assert_memory_equal(gs_scan_key(scan).data, "g", 1);
  assert_memory_equal(gs_scan_value(scan).data, "g", 1);
  assert_int_equal(gs_scan_seq(scan), 7);
  KIT_OK(gs_scan_prev(scan, &kit_err));
  assert_memory_equal(gs_scan_key(scan).data, "f", 1);
  gs_scan_free(scan);
  kit_close(store);
}

/* Walks that need older versions, both ways, and a turn, where b was written
 * twice, d deleted, and f written behind the snapshot. */
static void
check_one_place(gs_store *store, const gs_snapshot *snapshot)
{
  gs_scan *scan = NULL;
  KIT_OK(gs_scan_new(store, snapshot, NULL, &scan, &kit_err));
  assert_string_equal(walk(scan, gs_scan_first(scan, &kit_err), false),
                      "a b c e ");
  assert_string_equal(walk(scan, gs_scan_last(scan, &kit_err), true),
                      "e c b a ");
  KIT_OK(gs_scan_seek(scan, gs_slice_str("b"), &kit_err));
  assert_memory_equal(gs_scan_value(scan).data, "2", 1);
  KIT_OK(gs_scan_prev(scan, &kit_err));
  KIT_OK(gs_scan_next(scan, &kit_err));
  KIT_OK(gs_scan_next(scan, &kit_err));
  assert_memory_equal(gs_scan_key(scan).data, "c", 1);
  gs_scan_free(scan);
}

static void
test_one_place_is_walked_like_several(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_scan *scan = scan_of(store, "", NULL);
  assert_int_equal(gs_scan_first(scan, &kit_err), GS_ABSENT);
  for (const char *key = "a\0b\0c\0d\0e\0"; *key != '\0'; key += 2) {
    kit_put(store, key, "1");
  }
  kit_put(store, "b", "2");
  kit_delete(store, "d");
  assert_int_equal(gs_scan_last(scan, &kit_err), GS_ABSENT);
  gs_scan_free(scan);
  gs_snapshot *snapshot = NULL;
  KIT_OK(gs_snapshot_new(store, &snapshot, &kit_err));
  kit_put(store, "b", "3");
  kit_put(store, "c", "3");
  kit_put(store, "f", "3");
  check_one_place(store, snapshot);
  KIT_OK(gs_flush(store, &kit_err));
  check_one_place(store, snapshot);
  gs_snapshot_free(snapshot);
  kit_close(store);
}

static void
test_a_scan_sees_nothing_that_comes_after_it(void **state)
{
  (void)state;
  gs_options options;
  gs_store *store = open_filled(&options);
  gs_scan *scan = scan_of(store, "", NULL);
  kit_put(store, "a", "late");
  kit_put(store, "e", "late");
  kit_delete(store, "h");
  KIT_OK(gs_compact(store, NULL, &kit_err));
  kit_put(store, "i", "late");
  assert_string_equal(walk(scan, gs_scan_first(scan, &kit_err), false),
                      "b e f g h ");
  gs_scan_free(scan);
  scan = scan_of(store, "", NULL);
  assert_string_equal(walk(scan, gs_scan_first(scan, &kit_err), false),
                      "a b e f g i ");
  gs_scan_free(scan);
  kit_close(store);
}

static void
test_an_entry_that_expires_during_a_scan_stays_in_it(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_write_options soon = {.ttl_ms = 10, .has_ttl = true};
  KIT_OK(gs_put(store, gs_slice_str("a"), gs_slice_str("1"), &soon, NULL,
                &kit_err));
  gs_scan *before = scan_of(store, "", NULL);
  gs_sim_advance_ms(sim_machine, 10);
  gs_scan *after = scan_of(store, "", NULL);
  KIT_OK(gs_scan_first(before, &kit_err));
  assert_int_equal(gs_scan_first(after, &kit_err), GS_ABSENT);
  gs_scan_free(before);
  gs_scan_free(after);
  kit_close(store);
}

static void
test_a_scan_that_cannot_read_says_so_and_stands_nowhere(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 100);
  kit_close(store);
  store = kit_open(&options);
  gs_scan *scan = scan_of(store, "", NULL);
  sim_machine_fail(GS_SIM_READ, 1, 5);
  assert_int_equal(gs_scan_first(scan, &kit_err), GS_IO);
  assert_int_equal(gs_scan_next(scan, &kit_err), GS_ABSENT);
  KIT_OK(gs_scan_first(scan, &kit_err));
  gs_scan_free(scan);
  kit_close(store);
}

/* Two runs, and a cache that keeps nothing. */
static gs_store *
open_without_cache(gs_options *options)
{
  *options = kit_options();
  gs_store *store = kit_open(options);
  kit_fill(store, "k", 1, 300);
  KIT_OK(gs_flush(store, &kit_err));
  kit_fill(store, "k", 200, 500);
  KIT_OK(gs_flush(store, &kit_err));
  gs_cache_set_capacity(store->cache, 0);
  return store;
}

static void
test_a_scan_may_seek_the_key_it_stands_on(void **state)
{
  (void)state;
  gs_options options;
  gs_store *store = open_without_cache(&options);
  gs_scan *scan = scan_of(store, "", NULL);
  gs_status status = gs_scan_first(scan, &kit_err);
  for (int walked = 0; status == GS_OK; walked++) {
    char key[32] = {0};
    gs_slice at = gs_scan_key(scan);
    assert_in_range(at.size, 1, sizeof key - 1);
    memcpy(key, at.data, at.size);
    KIT_OK(gs_scan_seek(scan, at, &kit_err));
    assert_true(gs_slice_equal(gs_scan_key(scan), gs_slice_str(key)));
    status = gs_scan_seek_before(scan, gs_scan_key(scan), &kit_err);
    assert_int_equal(status, walked == 0 ? GS_ABSENT : GS_OK);
    KIT_OK(gs_scan_seek(scan, gs_slice_str(key), &kit_err));
    status = gs_scan_next(scan, &kit_err);
  }
  assert_int_equal(status, GS_ABSENT);
  gs_scan_free(scan);
  kit_close(store);
}

static void
test_a_seek_without_memory_leaves_the_scan_nowhere(void **state)
{
  (void)state;
  gs_options options;
  gs_store *store = open_filled(&options);
  gs_scan *scan = scan_of(store, "", NULL);
  KIT_OK(gs_scan_first(scan, &kit_err));
  gs_sim_fail_alloc(sim_machine, 1, 1);
  assert_int_equal(gs_scan_seek(scan, gs_scan_key(scan), &kit_err), GS_NOMEM);
  assert_int_equal(gs_scan_next(scan, &kit_err), GS_ABSENT);
  KIT_OK(gs_scan_first(scan, &kit_err));
  gs_scan_free(scan);
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_scan_walks_live_keys_both_ways),
      KIT_TEST(test_bounds_hold_for_every_way_in),
      KIT_TEST(test_a_scan_turns_round_anywhere),
      KIT_TEST(test_one_place_is_walked_like_several),
      KIT_TEST(test_a_scan_sees_nothing_that_comes_after_it),
      KIT_TEST(test_an_entry_that_expires_during_a_scan_stays_in_it),
      KIT_TEST(test_a_scan_may_seek_the_key_it_stands_on),
      KIT_TEST(test_a_seek_without_memory_leaves_the_scan_nowhere),
      KIT_TEST(test_a_scan_that_cannot_read_says_so_and_stands_nowhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
