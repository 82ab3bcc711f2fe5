/*
 * Tests of the memtable's cursor: the battery, over histories that go on while
 * older cursors are still in use.
 */
#include "mem/mem_kit.h"

enum { ROUNDS = 25, OPEN_CURSORS = 4, TURNS = 30, MOVES = 60 };

/* A cursor with what it should show. */
typedef struct watched {
  gs_memtable_cursor cursor;
  gs_entry *entries;
  cursor_battery battery;
} watched;

static void
watch(watched *w, gs_memtable *table, history *past, uint64_t seq)
{
  size_t seen = seq < past->count ? seq : past->count;
  w->entries = history_sorted(past, seen);
  w->battery = (cursor_battery){
      .entries = w->entries, .entry_count = seen, .random = past->random};
  assert_int_equal(gs_memtable_cursor_init(&w->cursor, table, seq, NULL),
                   GS_OK);
}

static void
unwatch(watched *w)
{
  if (w->entries != NULL) {
    cursor_battery_sweep(&w->battery, &w->cursor.base);
    gs_cursor_end(&w->cursor.base);
    gs_cursor_end(&w->cursor.base);
    free(w->entries);
    w->entries = NULL;
  }
}

static history *
history_new(uint64_t seed)
{
  history *past = calloc(1, sizeof *past);
  assert_non_null(past);
  past->random = seed;
  return past;
}

static void
test_cursors_of_all_moments_show_their_moment_while_the_writer_goes_on(
    void **state)
{
  for (uint64_t round = 0; round < ROUNDS; round++) {
    history *past = history_new(round + 1);
    gs_memtable *table = kit_table(gs_sim_env(*state), KIT_CAPACITY);
    watched all[OPEN_CURSORS] = {0};
    for (int turn = 0; turn < TURNS; turn++) {
      for (size_t i = battery_random_below(&past->random, 40); i > 0; i--) {
        kit_add(table, history_extend(past));
      }
      watched *w = &all[battery_random_below(&past->random, OPEN_CURSORS)];
      unwatch(w);
      bool is_all = battery_random_below(&past->random, 3) == 0;
      uint64_t seq = battery_random_below(&past->random, past->count + 2);
      watch(w, table, past, is_all ? GS_SEQ_MAX : seq);
      for (size_t i = 0; i < OPEN_CURSORS; i++) {
        if (all[i].entries != NULL) {
          cursor_battery_run(&all[i].battery, &all[i].cursor.base, MOVES);
        }
      }
    }
    for (size_t i = 0; i < OPEN_CURSORS; i++) {
      unwatch(&all[i]);
    }
    kit_expect_sound(table);
    gs_memtable_unref(table);
    free(past);
  }
}

static void
test_a_cursor_over_nothing_is_nowhere(void **state)
{
  gs_memtable *table = kit_table(gs_sim_env(*state), KIT_CAPACITY);
  history *past = history_new(1);
  watched w;
  watch(&w, table, past, GS_SEQ_MAX);
  cursor_battery_run(&w.battery, &w.cursor.base, 50);
  unwatch(&w);
  gs_memtable_unref(table);
  free(past);
}

static void
test_keys_without_an_old_enough_version_are_passed_over(void **state)
{
  gs_memtable *table = kit_table(gs_sim_env(*state), KIT_CAPACITY);
  gs_memtable_cursor cursor;
  static const char *const keys[] = {"c", "a", "e", "b", "d"};
  for (uint64_t i = 0; i < 5; i++) {
    gs_entry entry = kit_put(keys[i], "v", i + 1);
    kit_add(table, &entry);
  }
  assert_int_equal(gs_memtable_cursor_init(&cursor, table, 3, NULL), GS_OK);
  gs_cursor *at = &cursor.base;
  gs_cursor_first(at);
  assert_int_equal(at->entry.key.data[0], 'a');
  gs_cursor_next(at);
  assert_int_equal(at->entry.key.data[0], 'c');
  gs_cursor_prev(at);
  assert_int_equal(at->entry.key.data[0], 'a');
  gs_cursor_seek(at, gs_slice_str("d"));
  assert_int_equal(at->entry.key.data[0], 'e');
  gs_cursor_seek_before(at, gs_slice_str("c"));
  assert_int_equal(at->entry.key.data[0], 'a');
  gs_cursor_prev(at);
  assert_false(at->valid);
  gs_cursor_end(at);
  gs_memtable_unref(table);
}

static void
test_a_cursor_keeps_its_table(void **state)
{
  gs_memtable *table = kit_table(gs_sim_env(*state), KIT_CAPACITY);
  gs_entry entry = kit_put("key", "value", 1);
  kit_add(table, &entry);
  gs_memtable_cursor cursor;
  assert_int_equal(gs_memtable_cursor_init(&cursor, table, 1, NULL), GS_OK);
  gs_memtable_unref(table);
  gs_cursor_last(&cursor.base);
  kit_expect_entry(&cursor.base.entry, &entry);
  gs_cursor_end(&cursor.base);
}

static void
test_an_ended_cursor_lets_go_of_its_order(void **state)
{
  gs_memtable *table = kit_table(gs_sim_env(*state), KIT_CAPACITY);
  gs_memtable_cursor cursor;
  assert_int_equal(gs_memtable_cursor_init(&cursor, table, 1, NULL), GS_OK);
  gs_cursor_end(&cursor.base);
  kit_expect_unused_order(table);
  gs_memtable_unref(table);
}

static void
test_a_cursor_does_not_see_what_came_after_it(void **state)
{
  gs_memtable *table = kit_table(gs_sim_env(*state), KIT_CAPACITY);
  gs_entry old = kit_put("key", "old", 1);
  gs_entry newer = kit_put("key", "new", 2);
  kit_add(table, &old);
  gs_memtable_cursor cursor;
  assert_int_equal(gs_memtable_cursor_init(&cursor, table, GS_SEQ_MAX, NULL),
                   GS_OK);
  kit_add(table, &newer);
  gs_cursor_first(&cursor.base);
  kit_expect_entry(&cursor.base.entry, &old);
  gs_cursor_end(&cursor.base);
  gs_memtable_unref(table);
}

static void
test_many_chunks_are_walked_from_end_to_end(void **state)
{
  history *past = history_new(4);
  gs_memtable *table = kit_table(gs_sim_env(*state), KIT_CAPACITY);
  while (past->count < KIT_ENTRIES) {
    size_t at = past->count++;
    uint64_t number = battery_random_below(&past->random, SIZE_MAX);
    memcpy(past->keys[at], &number, sizeof number);
    past->entries[at] = (gs_entry){.key = gs_slice_of(past->keys[at], 8),
                                   .seq = at + 1,
                                   .kind = GS_KIND_PUT};
    kit_add(table, &past->entries[at]);
  }
  watched w;
  watch(&w, table, past, GS_SEQ_MAX);
  cursor_battery_run(&w.battery, &w.cursor.base, 2000);
  unwatch(&w);
  gs_memtable_unref(table);
  free(past);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(
          test_cursors_of_all_moments_show_their_moment_while_the_writer_goes_on),
      KIT_TEST(test_a_cursor_over_nothing_is_nowhere),
      KIT_TEST(test_keys_without_an_old_enough_version_are_passed_over),
      KIT_TEST(test_a_cursor_keeps_its_table),
      KIT_TEST(test_an_ended_cursor_lets_go_of_its_order),
      KIT_TEST(test_a_cursor_does_not_see_what_came_after_it),
      KIT_TEST(test_many_chunks_are_walked_from_end_to_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
