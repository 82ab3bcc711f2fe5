/*
 * Tests of the merge cursor: random histories spread over random sources,
 * walked by the cursor battery; failures at every move; and what the model
 * promises about order, members and work.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "merge/merge.h"
#include "support/array_cursor.h"
#include "support/cursor_battery.h"
#include "support/test_alloc.h"

enum {
  MAX_SOURCES = 40,
  MAX_ENTRIES = 240,
  KEY_BYTES = 24,
  BATTERY_ROUNDS = 400,
  BATTERY_MOVES = 150,
  FAILURE_ROUNDS = 12,
  SCRIPT_MOVES = 40,
};

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
  return heap.live_bytes == 0 ? 0 : -1;
}

/* A world: one history, all together and spread over sources. ------------- */

typedef struct world {
  size_t source_count;
  size_t entry_count;
  gs_entry entries[MAX_ENTRIES]; /* in internal order */
  size_t places[MAX_ENTRIES];    /* by sequence number - 1 */
  uint8_t keys[MAX_ENTRIES][KEY_BYTES];
  gs_entry parts[MAX_SOURCES][MAX_ENTRIES];
  size_t part_counts[MAX_SOURCES];
  array_cursor arrays[MAX_SOURCES];
  gs_cursor *sources[MAX_SOURCES];
  gs_error errors[MAX_SOURCES];
  gs_cursor *merge;
} world;

/* Keys where heads tie: prefixes, zero bytes, long common beginnings. */
static gs_slice
make_key(uint8_t *bytes, uint64_t *random)
{
  static const char *const beginnings[] = {
      "", "a", "\0", "user0000", "user000", "\377\377\377\377\377\377\377\377"};
  static const uint8_t sizes[] = {0, 1, 1, 8, 7, 8};
  size_t which = battery_random_below(random, 6);
  size_t size = sizes[which];
  memcpy(bytes, beginnings[which], size);
  for (size_t n = battery_random_below(random, 4); n > 0; n--) {
    static const uint8_t letters[] = {0, 'a', 'b', 255};
    bytes[size++] = letters[battery_random_below(random, 4)];
  }
  return gs_slice_of(bytes, size);
}

/* A version in a newer place has a larger sequence number: places never rise
 * as sequence numbers do. */
static void
make_history(world *w, uint64_t *random)
{
  w->source_count = 1 + battery_random_below(random, MAX_SOURCES);
  if (battery_random_below(random, 2) == 0) {
    w->source_count = battery_random_below(random, 5);
  }
  w->entry_count =
      w->source_count == 0 ? 0 : battery_random_below(random, MAX_ENTRIES);
  for (size_t i = 0; i < w->entry_count; i++) {
    gs_entry *entry = &w->entries[i];
    *entry = (gs_entry){
        .key = make_key(w->keys[i], random), .seq = i + 1, .kind = GS_KIND_PUT};
    if (battery_random_below(random, 4) == 0) {
      entry->kind = GS_KIND_DELETE;
    } else {
      entry->value = entry->key;
      entry->expires_at_ms = battery_random_below(random, 3);
    }
    w->places[i] = (w->entry_count - 1 - i) * w->source_count / w->entry_count;
  }
}

static void
spread(world *w)
{
  qsort(w->entries, w->entry_count, sizeof *w->entries, array_cursor_order);
  memset(w->part_counts, 0, sizeof w->part_counts);
  for (size_t i = 0; i < w->entry_count; i++) {
    size_t place = w->places[w->entries[i].seq - 1];
    w->parts[place][w->part_counts[place]++] = w->entries[i];
  }
  for (size_t i = 0; i < w->source_count; i++) {
    array_cursor_init(&w->arrays[i], w->parts[i], w->part_counts[i]);
    w->arrays[i].base.error = &w->errors[i];
    w->sources[i] = &w->arrays[i].base;
  }
}

static void
world_begin(world *w, uint64_t *random)
{
  make_history(w, random);
  spread(w);
  assert_int_equal(gs_merge_cursor_new(&heap.base, w->sources, w->source_count,
                                       &w->merge, NULL),
                   GS_OK);
  assert_false(w->merge->valid);
}

static void
world_end(world *w)
{
  gs_cursor_end(w->merge);
  for (size_t i = 0; i < w->source_count; i++) {
    gs_cursor_end(w->sources[i]);
  }
}

static void
check_order(const gs_cursor *merge)
{
  gs_error err;
  gs_status status = gs_merge_cursor_verify(merge, &err);
  if (status != GS_OK) {
    print_error("%s\n", err.message);
  }
  assert_int_equal(status, GS_OK);
}

static cursor_battery
battery_of(const world *w, uint64_t random)
{
  return (cursor_battery){.entries = w->entries,
                          .entry_count = w->entry_count,
                          .random = random | 1,
                          .check = check_order};
}

static world the_world;

/* Batteries --------------------------------------------------------------- */

static void
test_the_array_cursor_itself_keeps_the_contract(void **state)
{
  (void)state;
  uint64_t random = 3;
  world *w = &the_world;
  for (int round = 0; round < 50; round++) {
    make_history(w, &random);
    spread(w);
    array_cursor array;
    array_cursor_init(&array, w->entries, w->entry_count);
    cursor_battery battery = battery_of(w, random);
    battery.check = NULL;
    cursor_battery_sweep(&battery, &array.base);
    cursor_battery_run(&battery, &array.base, BATTERY_MOVES);
    gs_cursor_end(&array.base);
    gs_cursor_end(&array.base);
  }
}

static void
test_random_walks_over_random_sources_match_one_sorted_array(void **state)
{
  (void)state;
  uint64_t random = 11;
  world *w = &the_world;
  size_t entries = 0;
  size_t sources = 0;
  size_t taken = 0;
  for (int round = 0; round < BATTERY_ROUNDS; round++) {
    world_begin(w, &random);
    entries += w->entry_count;
    sources += w->source_count;
    cursor_battery battery = battery_of(w, random);
    cursor_battery_sweep(&battery, w->merge);
    cursor_battery_run(&battery, w->merge, BATTERY_MOVES);
    taken += battery.taken;
    world_end(w);
  }
  assert_true(taken > 100);
  print_message(
      "%d worlds, %zu sources, %zu entries, %d random moves, %zu taken\n",
      BATTERY_ROUNDS, sources, entries, BATTERY_ROUNDS * BATTERY_MOVES, taken);
}

/* Failures ---------------------------------------------------------------- */

/* A fixed walk that uses every move; false when a move failed. */
static bool
walk(gs_cursor *merge, uint64_t random)
{
  gs_cursor_first(merge);
  for (int i = 0; i < SCRIPT_MOVES && merge->status == GS_OK; i++) {
    size_t choice = battery_random_below(&random, 8);
    if (!merge->valid || choice == 0) {
      switch (battery_random_below(&random, 4)) {
      case 0:
        gs_cursor_seek(merge, gs_slice_str("user0000"));
        break;
      case 1:
        gs_cursor_seek_before(merge, gs_slice_str("user0000"));
        break;
      case 2:
        gs_cursor_last(merge);
        break;
      default:
        gs_cursor_first(merge);
      }
    } else if (choice < 3) {
      (void)gs_cursor_older(merge);
    } else if (choice < 6) {
      gs_cursor_next(merge);
    } else {
      gs_cursor_prev(merge);
    }
  }
  return merge->status == GS_OK;
}

static void
expect_recovery(world *w, uint64_t random)
{
  for (size_t i = 0; i < w->source_count; i++) {
    w->arrays[i].moves_left = NULL;
  }
  cursor_battery battery = battery_of(w, random);
  cursor_battery_run(&battery, w->merge, 10);
}

static uint64_t
fail_at_every_move(world *w, uint64_t random)
{
  for (uint64_t n = 0;; n++) {
    uint64_t moves_left = n;
    for (size_t i = 0; i < w->source_count; i++) {
      w->arrays[i].moves_left = &moves_left;
      w->arrays[i].failure = GS_CORRUPT;
    }
    gs_error error = {.status = GS_OK};
    w->merge->error = &error;
    if (walk(w->merge, random)) {
      assert_int_equal(error.status, GS_OK);
      return n;
    }
    assert_false(w->merge->valid);
    assert_int_equal(w->merge->status, GS_CORRUPT);
    assert_int_equal(error.status, GS_CORRUPT);
    assert_non_null(strstr(error.message, "was told to fail"));
    expect_recovery(w, random + n);
  }
}

static void
test_a_failure_at_any_move_ends_the_walk_and_a_seek_starts_anew(void **state)
{
  (void)state;
  uint64_t random = 5;
  world *w = &the_world;
  uint64_t failures = 0;
  for (int round = 0; round < FAILURE_ROUNDS; round++) {
    world_begin(w, &random);
    failures += fail_at_every_move(w, random);
    world_end(w);
  }
  assert_true(failures > 1000);
  print_message("%d walks, %llu failures\n", FAILURE_ROUNDS,
                (unsigned long long)failures);
}

static void
test_a_failure_without_details_still_fills_the_error(void **state)
{
  (void)state;
  array_cursor array;
  uint64_t moves_left = 0;
  array_cursor_init(&array, NULL, 0);
  array.moves_left = &moves_left;
  gs_cursor *sources[] = {&array.base};
  gs_cursor *merge = NULL;
  gs_error err;
  assert_int_equal(gs_merge_cursor_new(&heap.base, sources, 1, &merge, NULL),
                   GS_OK);
  gs_cursor_first(merge);
  assert_int_equal(merge->status, GS_IO);
  merge->error = &err;
  gs_cursor_first(merge);
  assert_int_equal(merge->status, GS_IO);
  assert_int_equal(err.status, GS_IO);
  assert_non_null(strstr(err.message, "a source failed"));
  gs_cursor_end(merge);
}

static void
test_too_many_sources_and_no_memory_are_told(void **state)
{
  (void)state;
  gs_cursor *merge = NULL;
  assert_int_equal(gs_merge_cursor_new(&heap.base, NULL,
                                       GS_MERGE_MAX_SOURCES + 1, &merge, NULL),
                   GS_LIMIT);
  heap.allocations_left = 0;
  assert_int_equal(gs_merge_cursor_new(&heap.base, NULL, 0, &merge, NULL),
                   GS_NOMEM);
  heap.allocations_left = UINT64_MAX;
  assert_null(merge);
}

/* Order, members, work ------------------------------------------------------ */

static gs_entry
put(const char *key, uint64_t seq)
{
  return (gs_entry){.key = gs_slice_str(key), .seq = seq, .kind = GS_KIND_PUT};
}

static void
test_older_walks_the_newest_source_first_then_the_next(void **state)
{
  (void)state;
  const gs_entry newest[] = {put("k", 9), put("k", 8)};
  const gs_entry middle[] = {put("j", 7)};
  const gs_entry oldest[] = {put("k", 3), put("k", 1)};
  array_cursor arrays[3];
  array_cursor_init(&arrays[0], newest, 2);
  array_cursor_init(&arrays[1], middle, 1);
  array_cursor_init(&arrays[2], oldest, 2);
  gs_cursor *sources[] = {&arrays[0].base, &arrays[1].base, &arrays[2].base};
  gs_cursor *merge = NULL;
  assert_int_equal(gs_merge_cursor_new(&heap.base, sources, 3, &merge, NULL),
                   GS_OK);
  gs_cursor_seek(merge, gs_slice_str("k"));
  const uint64_t wanted[] = {9, 8, 3, 1};
  for (size_t i = 0; i < 4; i++) {
    assert_int_equal(merge->entry.seq, wanted[i]);
    assert_int_equal(gs_cursor_older(merge), i < 3);
  }
  assert_false(gs_cursor_older(merge));
  assert_int_equal(merge->entry.seq, 1);
  gs_cursor_prev(merge);
  assert_int_equal(merge->entry.seq, 7);
  gs_cursor_end(merge);
  for (size_t i = 0; i < 3; i++) {
    gs_cursor_end(sources[i]);
  }
}

static void
test_next_moves_only_the_sources_on_the_current_key(void **state)
{
  (void)state;
  const gs_entry hot[] = {put("a", 13), put("b", 12), put("c", 11),
                          put("d", 10)};
  const gs_entry cold[] = {put("a", 2), put("z", 1)};
  array_cursor arrays[2];
  array_cursor_init(&arrays[0], hot, 4);
  array_cursor_init(&arrays[1], cold, 2);
  gs_cursor *sources[] = {&arrays[0].base, &arrays[1].base};
  gs_cursor *merge = NULL;
  assert_int_equal(gs_merge_cursor_new(&heap.base, sources, 2, &merge, NULL),
                   GS_OK);
  gs_cursor_first(merge);
  while (merge->valid) {
    gs_cursor_next(merge);
  }
  assert_int_equal(arrays[0].move_count, 5);
  assert_int_equal(arrays[1].move_count, 3);
  gs_cursor_end(merge);
  gs_cursor_end(sources[0]);
  gs_cursor_end(sources[1]);
}

/* Source i of n holds keys i, i + n, i + 2n, ...: every step changes hands. */
static void
test_thousands_of_sources_take_turns(void **state)
{
  (void)state;
  enum { SOURCES = GS_MERGE_MAX_SOURCES, KEYS = SOURCES * 3 };
  array_cursor *arrays = calloc(SOURCES, sizeof *arrays);
  gs_cursor **sources = calloc(SOURCES, sizeof(gs_cursor *));
  gs_entry *entries = calloc(KEYS, sizeof *entries);
  uint8_t(*keys)[4] = calloc(KEYS, sizeof *keys);
  for (size_t i = 0; i < KEYS; i++) {
    size_t key = i % 3 * SOURCES + (i / 3 * 4099) % SOURCES;
    for (size_t b = 0; b < 4; b++) {
      keys[i][b] = (uint8_t)(key >> (24 - 8 * b));
    }
    entries[i] = (gs_entry){.key = gs_slice_of(keys[i], 4), .seq = i + 1};
  }
  for (size_t i = 0; i < SOURCES; i++) {
    array_cursor_init(&arrays[i], entries + 3 * i, 3);
    sources[i] = &arrays[i].base;
  }
  gs_cursor *merge = NULL;
  assert_int_equal(
      gs_merge_cursor_new(&heap.base, sources, SOURCES, &merge, NULL), GS_OK);
  gs_cursor_first(merge);
  for (uint32_t i = 0; i < KEYS; i++) {
    uint32_t key;
    assert_true(merge->valid);
    memcpy(&key, merge->entry.key.data, sizeof key);
    assert_int_equal(__builtin_bswap32(key), i);
    gs_cursor_next(merge);
  }
  assert_false(merge->valid);
  gs_cursor_end(merge);
  for (size_t i = 0; i < SOURCES; i++) {
    gs_cursor_end(sources[i]);
  }
  free(keys);
  free(entries);
  free(sources);
  free(arrays);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_array_cursor_itself_keeps_the_contract),
      cmocka_unit_test(
          test_random_walks_over_random_sources_match_one_sorted_array),
      cmocka_unit_test(
          test_a_failure_at_any_move_ends_the_walk_and_a_seek_starts_anew),
      cmocka_unit_test(test_a_failure_without_details_still_fills_the_error),
      cmocka_unit_test(test_too_many_sources_and_no_memory_are_told),
      cmocka_unit_test(test_older_walks_the_newest_source_first_then_the_next),
      cmocka_unit_test(test_next_moves_only_the_sources_on_the_current_key),
      cmocka_unit_test(test_thousands_of_sources_take_turns),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
