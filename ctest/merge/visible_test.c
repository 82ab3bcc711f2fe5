/*
 * Tests of the visible cursor: random histories seen from random moments and
 * between random bounds, walked by the cursor battery over what a plain filter
 * leaves; failures at every move; and the edges, one by one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "merge/visible.h"
#include "support/array_cursor.h"
#include "support/cursor_battery.h"

enum {
  MAX_ENTRIES = 160,
  KEY_BYTES = 12,
  MAX_CLOCK = 4,
  BATTERY_ROUNDS = 600,
  BATTERY_MOVES = 60,
  FAILURE_ROUNDS = 30,
  SCRIPT_MOVES = 30,
};

/* A world: one history and what is seen of it. ---------------------------- */

typedef struct world {
  gs_entry entries[MAX_ENTRIES];
  size_t entry_count;
  gs_entry seen[MAX_ENTRIES];
  size_t seen_count;
  uint8_t keys[MAX_ENTRIES + 2][KEY_BYTES];
  gs_visible_view view;
  array_cursor source;
  gs_error error;
  gs_visible_cursor visible;
} world;

static gs_slice
make_key(uint8_t *bytes, uint64_t *random)
{
  size_t size = 0;
  if (battery_random_below(random, 2) == 0) {
    static const uint8_t beginning[] = {'p', 'r', 'e', 'f', 'i', 'x', 'e', 'd'};
    memcpy(bytes, beginning, sizeof beginning);
    size = sizeof beginning;
  }
  for (size_t n = battery_random_below(random, 4); n > 0; n--) {
    static const uint8_t letters[] = {0, 'p', 255};
    bytes[size++] = letters[battery_random_below(random, 3)];
  }
  return gs_slice_of(bytes, size);
}

static void
make_history(world *w, uint64_t *random)
{
  w->entry_count = battery_random_below(random, MAX_ENTRIES);
  for (size_t i = 0; i < w->entry_count; i++) {
    gs_entry *entry = &w->entries[i];
    *entry = (gs_entry){
        .key = make_key(w->keys[i], random), .seq = i + 1, .kind = GS_KIND_PUT};
    if (battery_random_below(random, 4) == 0) {
      entry->kind = GS_KIND_DELETE;
    } else {
      entry->value = entry->key;
      entry->expires_at_ms = battery_random_below(random, MAX_CLOCK);
    }
  }
  qsort(w->entries, w->entry_count, sizeof *w->entries, array_cursor_order);
}

static void
make_view(world *w, uint64_t *random)
{
  w->view = (gs_visible_view){
      .seq = battery_random_below(random, w->entry_count + 2),
      .now_ms = battery_random_below(random, MAX_CLOCK),
      .has_to = battery_random_below(random, 2) == 0,
  };
  w->view.to = make_key(w->keys[MAX_ENTRIES], random);
  if (battery_random_below(random, 2) == 0) {
    w->view.from = make_key(w->keys[MAX_ENTRIES + 1], random);
  }
}

/* The definition, word for word. */
static bool
is_seen(const world *w, const gs_entry *entry)
{
  for (size_t i = 0; i < w->entry_count; i++) {
    const gs_entry *other = &w->entries[i];
    if (gs_slice_equal(other->key, entry->key) && other->seq > entry->seq &&
        other->seq <= w->view.seq) {
      return false;
    }
  }
  bool is_inside =
      gs_slice_compare(entry->key, w->view.from) >= 0 &&
      (!w->view.has_to || gs_slice_compare(entry->key, w->view.to) < 0);
  bool is_live =
      entry->kind == GS_KIND_PUT &&
      (entry->expires_at_ms == 0 || w->view.now_ms < entry->expires_at_ms);
  return is_inside && is_live && entry->seq <= w->view.seq;
}

static void
world_begin(world *w)
{
  w->seen_count = 0;
  for (size_t i = 0; i < w->entry_count; i++) {
    if (is_seen(w, &w->entries[i])) {
      w->seen[w->seen_count++] = w->entries[i];
    }
  }
  array_cursor_init(&w->source, w->entries, w->entry_count);
  w->error = (gs_error){.status = GS_OK};
  w->source.base.error = &w->error;
  gs_visible_cursor_init(&w->visible, &w->source.base, &w->view);
  assert_false(w->visible.base.valid);
}

static void
world_end(world *w)
{
  gs_cursor_end(&w->visible.base);
  gs_cursor_end(&w->visible.base);
  gs_cursor_end(&w->source.base);
}

static cursor_battery
battery_of(const world *w, uint64_t random)
{
  return (cursor_battery){
      .entries = w->seen, .entry_count = w->seen_count, .random = random | 1};
}

static world the_world;

static void
test_random_walks_show_exactly_what_the_definition_says(void **state)
{
  (void)state;
  uint64_t random = 17;
  world *w = &the_world;
  size_t entries = 0;
  size_t seen = 0;
  for (int round = 0; round < BATTERY_ROUNDS; round++) {
    make_history(w, &random);
    make_view(w, &random);
    world_begin(w);
    entries += w->entry_count;
    seen += w->seen_count;
    cursor_battery battery = battery_of(w, random);
    cursor_battery_sweep(&battery, &w->visible.base);
    cursor_battery_run(&battery, &w->visible.base, BATTERY_MOVES);
    world_end(w);
  }
  assert_true(seen > 1000);
  print_message("%d views, %zu of %zu versions seen, %d random moves\n",
                BATTERY_ROUNDS, seen, entries, BATTERY_ROUNDS * BATTERY_MOVES);
}

/* Keys with one version, most of which are seen. */
static void
make_long_history(world *w, uint64_t *random)
{
  w->entry_count = MAX_ENTRIES;
  for (size_t i = 0; i < w->entry_count; i++) {
    w->keys[i][0] = (uint8_t)i;
    w->entries[i] = (gs_entry){
        .key = gs_slice_of(w->keys[i], 1), .seq = i + 1, .kind = GS_KIND_PUT};
    if (battery_random_below(random, 5) == 0) {
      w->entries[i].kind = GS_KIND_DELETE;
    }
  }
  w->view = (gs_visible_view){.seq = MAX_ENTRIES - 9};
}

/* Up by some, down by few, and so on; the largest group that the source gave. */
static uint32_t
walk_to_and_fro(const world *w, uint64_t *random)
{
  const gs_cursor *cursor = &w->visible.base;
  uint32_t largest = 0;
  size_t at = 0;
  gs_cursor_first(&the_world.visible.base);
  while (cursor->valid) {
    size_t most = battery_random_below(random, 3) == 0 ? 3 : 60;
    for (size_t n = battery_random_below(random, most); n > 0 && cursor->valid;
         n--) {
      assert_int_equal(cursor->entry.seq, w->seen[at++].seq);
      gs_cursor_next(&the_world.visible.base);
      if (w->visible.count > largest) {
        largest = w->visible.count;
      }
    }
    for (size_t n = battery_random_below(random, 20);
         n > 0 && at > 0 && cursor->valid; n--) {
      gs_cursor_prev(&the_world.visible.base);
      assert_int_equal(cursor->entry.seq, w->seen[--at].seq);
    }
  }
  assert_int_equal(cursor->status, GS_OK);
  assert_int_equal(at, w->seen_count);
  return largest;
}

static void
test_long_walks_take_groups_and_may_turn_in_each(void **state)
{
  (void)state;
  uint64_t random = 5;
  world *w = &the_world;
  uint32_t largest = 0;
  for (int round = 0; round < BATTERY_ROUNDS; round++) {
    make_long_history(w, &random);
    world_begin(w);
    w->source.is_generous = true;
    uint32_t seen = walk_to_and_fro(w, &random);
    assert_true(seen <= GS_VISIBLE_TAKEN_MAX);
    largest = seen > largest ? seen : largest;
    world_end(w);
  }
  assert_int_equal(largest, GS_VISIBLE_TAKEN_MAX);
}

/* A step back after a step on is as cheap as the step. */
static void
test_who_turns_round_and_again_takes_no_groups(void **state)
{
  (void)state;
  uint64_t random = 6;
  world *w = &the_world;
  make_long_history(w, &random);
  world_begin(w);
  w->source.is_generous = true;
  gs_cursor *cursor = &w->visible.base;
  gs_cursor_first(cursor);
  for (size_t i = 0; i < 60; i++) {
    gs_cursor_next(cursor);
  }
  gs_cursor_prev(cursor);
  for (size_t i = 0; i < 10; i++) {
    gs_cursor_next(cursor);
    assert_int_equal(w->visible.count, 0);
    gs_cursor_prev(cursor);
  }
  world_end(w);
}

/* Failures ---------------------------------------------------------------- */

static bool
walk(gs_cursor *cursor, uint64_t random)
{
  gs_cursor_first(cursor);
  for (int i = 0; i < SCRIPT_MOVES && cursor->status == GS_OK; i++) {
    if (cursor->valid && battery_random_below(&random, 2) == 0) {
      gs_cursor_next(cursor);
    } else if (cursor->valid) {
      gs_cursor_prev(cursor);
    } else if (battery_random_below(&random, 2) == 0) {
      gs_cursor_seek(cursor, gs_slice_str("prefixed"));
    } else if (battery_random_below(&random, 2) == 0) {
      gs_cursor_seek_before(cursor, gs_slice_str("prefixed"));
    } else {
      gs_cursor_last(cursor);
    }
  }
  return cursor->status == GS_OK;
}

static uint64_t
fail_at_every_move(world *w, uint64_t random)
{
  for (uint64_t n = 0;; n++) {
    uint64_t moves_left = n;
    w->source.moves_left = &moves_left;
    w->source.failure = GS_CORRUPT;
    if (walk(&w->visible.base, random)) {
      return n;
    }
    assert_false(w->visible.base.valid);
    assert_int_equal(w->visible.base.status, GS_CORRUPT);
    assert_ptr_equal(w->visible.base.error, &w->error);
    assert_int_equal(w->error.status, GS_CORRUPT);
    w->source.moves_left = NULL;
    cursor_battery battery = battery_of(w, random + n);
    cursor_battery_run(&battery, &w->visible.base, 5);
  }
}

static void
test_a_failure_at_any_move_ends_the_walk_and_a_seek_starts_anew(void **state)
{
  (void)state;
  uint64_t random = 29;
  world *w = &the_world;
  uint64_t failures = 0;
  for (int round = 0; round < FAILURE_ROUNDS; round++) {
    make_history(w, &random);
    make_view(w, &random);
    world_begin(w);
    failures += fail_at_every_move(w, random);
    world_end(w);
  }
  assert_true(failures > 1000);
  print_message("%d walks, %llu failures\n", FAILURE_ROUNDS,
                (unsigned long long)failures);
}

/* Edges, one by one --------------------------------------------------------- */

static gs_entry
version(const char *key, uint64_t seq, gs_kind kind, uint64_t expires_at_ms)
{
  return (gs_entry){.key = gs_slice_str(key),
                    .seq = seq,
                    .kind = kind,
                    .expires_at_ms = expires_at_ms};
}

/* Sequence numbers of what a walk up shows, as text such as "7 3 ". */
static void
expect_shown(const gs_entry *entries, size_t count, const gs_visible_view *view,
             const char *wanted)
{
  array_cursor source;
  gs_visible_cursor visible;
  char shown[64] = "";
  size_t size = 0;
  array_cursor_init(&source, entries, count);
  gs_visible_cursor_init(&visible, &source.base, view);
  gs_cursor *cursor = &visible.base;
  for (gs_cursor_first(cursor); cursor->valid; gs_cursor_next(cursor)) {
    assert_false(gs_cursor_older(cursor));
    assert_true(cursor->entry.seq < 10 && size + 3 < sizeof shown);
    shown[size++] = (char)('0' + cursor->entry.seq);
    shown[size++] = ' ';
    shown[size] = '\0';
  }
  assert_string_equal(shown, wanted);
  gs_cursor_end(cursor);
  gs_cursor_end(&source.base);
}

static void
test_a_tombstone_hides_its_key_from_its_sequence_number_on(void **state)
{
  (void)state;
  const gs_entry entries[] = {version("a", 5, GS_KIND_DELETE, 0),
                              version("a", 2, GS_KIND_PUT, 0),
                              version("b", 3, GS_KIND_PUT, 0)};
  expect_shown(entries, 3, &(gs_visible_view){.seq = 4}, "2 3 ");
  expect_shown(entries, 3, &(gs_visible_view){.seq = 5}, "3 ");
}

static void
test_an_expired_version_hides_its_key_and_uncovers_nothing(void **state)
{
  (void)state;
  const gs_entry entries[] = {version("a", 5, GS_KIND_PUT, 100),
                              version("a", 2, GS_KIND_PUT, 0)};
  expect_shown(entries, 2, &(gs_visible_view){.seq = 9, .now_ms = 99}, "5 ");
  expect_shown(entries, 2, &(gs_visible_view){.seq = 9, .now_ms = 100}, "");
  expect_shown(entries, 2, &(gs_visible_view){.seq = 4, .now_ms = 100}, "2 ");
}

static void
test_bounds_take_from_in_and_leave_to_out(void **state)
{
  (void)state;
  const gs_entry entries[] = {
      version("a", 1, GS_KIND_PUT, 0), version("b", 2, GS_KIND_PUT, 0),
      version("c", 3, GS_KIND_PUT, 0), version("d", 4, GS_KIND_PUT, 0)};
  gs_visible_view view = {.seq = 9,
                          .from = gs_slice_str("b"),
                          .to = gs_slice_str("d"),
                          .has_to = true};
  expect_shown(entries, 4, &view, "2 3 ");
  view.to = gs_slice_str("b");
  expect_shown(entries, 4, &view, "");
  view.to = gs_slice_str("a");
  expect_shown(entries, 4, &view, "");
  view.from = gs_slice_of(NULL, 0);
  view.to = view.from;
  expect_shown(entries, 4, &view, "");
  view.has_to = false;
  expect_shown(entries, 4, &view, "1 2 3 4 ");
}

static void
test_a_bounded_walk_asks_the_source_for_one_key_beyond(void **state)
{
  (void)state;
  const gs_entry entries[] = {
      version("a", 1, GS_KIND_PUT, 0), version("b", 2, GS_KIND_PUT, 0),
      version("c", 3, GS_KIND_DELETE, 0), version("d", 4, GS_KIND_DELETE, 0)};
  array_cursor source;
  gs_visible_cursor visible;
  array_cursor_init(&source, entries, 4);
  gs_visible_cursor_init(
      &visible, &source.base,
      &(gs_visible_view){.seq = 9, .to = gs_slice_str("b"), .has_to = true});
  gs_cursor_first(&visible.base);
  assert_true(visible.base.valid);
  gs_cursor_next(&visible.base);
  assert_false(visible.base.valid);
  assert_int_equal(source.move_count, 2);
  gs_cursor_end(&source.base);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_random_walks_show_exactly_what_the_definition_says),
      cmocka_unit_test(test_long_walks_take_groups_and_may_turn_in_each),
      cmocka_unit_test(test_who_turns_round_and_again_takes_no_groups),
      cmocka_unit_test(
          test_a_failure_at_any_move_ends_the_walk_and_a_seek_starts_anew),
      cmocka_unit_test(
          test_a_tombstone_hides_its_key_from_its_sequence_number_on),
      cmocka_unit_test(
          test_an_expired_version_hides_its_key_and_uncovers_nothing),
      cmocka_unit_test(test_bounds_take_from_in_and_leave_to_out),
      cmocka_unit_test(test_a_bounded_walk_asks_the_source_for_one_key_beyond),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
