#ifndef GS_CTEST_BENCH_EXP3_ORDER_H
#define GS_CTEST_BENCH_EXP3_ORDER_H

/*
 * Experiment 3: key order over an append-only arena, made on demand.
 *
 * Model: the rows below `end` are covered by runs, oldest first; a run is a
 * sorted array of (head, row offset), where the head is the eight key bytes
 * after the bytes that all covered keys share.  When a new key shares fewer,
 * all heads are computed anew; that happens at most once per key byte.
 * 1. Each run is more than RATIO times as long as the next younger one, so
 *    there are few, and an entry is merged a logarithmic number of times.
 * 2. A handful of new rows go into the youngest run by insertion while that is
 *    short, so that runs of one entry do not arise.
 *
 * A large increment is sorted by radix on the most significant bytes of the
 * head, as many as should tell the entries apart, and finished by insertion;
 * if too much was left to that, by radix on all bytes.
 *
 * Threads: belongs to one reader; the arena may grow meanwhile.
 */

#include "exp3_memtable.h"

enum {
  ORDER_MAX_RUNS = 32,
  ORDER_RATIO = 4,
  ORDER_FEW_ROWS = 32,       /* up to so many are inserted one by one */
  ORDER_SHORT_ENTRIES = 512, /* into a run up to so long */
  ORDER_TINY_ENTRIES = 128,  /* up to so many are sorted by insertion */
  ORDER_DIGITS = 8,
  ORDER_AHEAD = 8 /* rows prefetched ahead of a scan */
};

typedef struct order_entry {
  uint64_t head;
  uint32_t row;
  uint32_t zero;
} order_entry;

typedef struct order_run {
  order_entry *entries;
  size_t count;
  size_t capacity;
} order_run;

typedef struct row_order {
  const row_arena *arena;
  size_t end;  /* rows below it are covered */
  size_t skip; /* leading bytes all covered keys share */
  order_run runs[ORDER_MAX_RUNS];
  int run_count;
} row_order;

static void
order_init(row_order *order, const row_arena *arena)
{
  memset(order, 0, sizeof *order);
  order->arena = arena;
  order->end = atomic_load_explicit(&arena->end, memory_order_relaxed);
  order->skip = KEY_BYTES;
}

static void
order_deinit(row_order *order)
{
  for (int i = 0; i < order->run_count; i++) {
    free(order->runs[i].entries);
  }
}

static const uint8_t *
order_key(const row_order *order, uint32_t row)
{
  return row_key(order->arena->base + row);
}

static bool
order_is_less(const row_order *order, const order_entry *a,
              const order_entry *b)
{
  if (a->head != b->head) {
    return a->head < b->head;
  }
  return key_compare(order_key(order, a->row), order_key(order, b->row)) < 0;
}

/* --- shared leading bytes --- */

static size_t
order_shared_bytes(const uint8_t *a, const uint8_t *b, size_t most)
{
  size_t shared = 0;
  while (shared < most && a[shared] == b[shared]) {
    shared++;
  }
  return shared;
}

static void
order_set_skip(row_order *order, size_t skip)
{
  order->skip = skip;
  for (int r = 0; r < order->run_count; r++) {
    order_run *run = &order->runs[r];
    for (size_t i = 0; i < run->count; i++) {
      run->entries[i].head =
          key_head(order_key(order, run->entries[i].row), skip);
    }
  }
}

static void
order_narrow_skip(row_order *order, size_t end)
{
  size_t skip = order->skip;
  size_t first =
      order->run_count > 0 ? order->runs[0].entries[0].row : order->end;
  const uint8_t *sample = order_key(order, (uint32_t)first);
  for (size_t at = order->end; at < end; at += ROW_BYTES) {
    skip = order_shared_bytes(sample, order_key(order, (uint32_t)at), skip);
  }
  if (skip != order->skip) {
    order_set_skip(order, skip);
  }
}

/* --- sorting --- */

/* Sorts by insertion; gives up, false, after `most_moves`. */
static bool
order_sort_by_insertion(const row_order *order, order_entry *entries,
                        size_t count, size_t most_moves)
{
  size_t moves = 0;
  for (size_t i = 1; i < count; i++) {
    order_entry entry = entries[i];
    size_t at = i;
    while (at > 0 && order_is_less(order, &entry, &entries[at - 1])) {
      entries[at] = entries[at - 1];
      at--;
      if (++moves > most_moves) {
        entries[at] = entry;
        return false;
      }
    }
    entries[at] = entry;
  }
  return true;
}

typedef struct order_histogram {
  uint32_t counts[ORDER_DIGITS][256]; /* digit 0 is the least significant */
} order_histogram;

static unsigned
order_digit(uint64_t head, int digit)
{
  return (unsigned)(head >> (digit * 8)) & 255u;
}

static void
order_count_digits(order_histogram *histogram, const order_entry *entries,
                   size_t count)
{
  memset(histogram, 0, sizeof *histogram);
  for (size_t i = 0; i < count; i++) {
    for (int d = 0; d < ORDER_DIGITS; d++) {
      histogram->counts[d][order_digit(entries[i].head, d)]++;
    }
  }
}

static int
order_distinct(const uint32_t *counts)
{
  int distinct = 0;
  for (int i = 0; i < 256; i++) {
    distinct += counts[i] != 0;
  }
  return distinct;
}

/* The lowest digit needed so that the digits from it on could tell `count`
 * entries apart with room to spare. */
static int
order_lowest_digit(const order_histogram *histogram, size_t count)
{
  double room = 1;
  int digit = ORDER_DIGITS;
  while (digit > 0 && room < 16.0 * (double)count) {
    room *= order_distinct(histogram->counts[--digit]);
  }
  return digit;
}

/* One pass from `from` to `to`, stable, by one digit. */
static void
order_radix_pass(const order_entry *from, order_entry *to, size_t count,
                 const uint32_t *counts, int digit)
{
  uint32_t starts[256];
  uint32_t start = 0;
  for (int i = 0; i < 256; i++) {
    starts[i] = start;
    start += counts[i];
  }
  for (size_t i = 0; i < count; i++) {
    to[starts[order_digit(from[i].head, digit)]++] = from[i];
  }
}

/* Sorts by the digits from `lowest` on; gives the array that holds the result:
 * `a` or `b`. */
static order_entry *
order_radix_sort(order_entry *a, order_entry *b, size_t count,
                 const order_histogram *histogram, int lowest)
{
  for (int d = lowest; d < ORDER_DIGITS; d++) {
    if (order_distinct(histogram->counts[d]) < 2) {
      continue;
    }
    order_radix_pass(a, b, count, histogram->counts[d], d);
    order_entry *swap = a;
    a = b;
    b = swap;
  }
  return a;
}

/* Sorts a run, which has its own memory. */
static void
order_sort_run(const row_order *order, order_run *run)
{
  size_t most_moves = run->count < ORDER_TINY_ENTRIES ? SIZE_MAX : run->count;
  if (order_sort_by_insertion(order, run->entries, run->count, most_moves)) {
    return;
  }
  order_entry *spare = bench_alloc(run->count, sizeof *spare);
  order_entry *other = run->entries;
  order_histogram histogram;
  order_count_digits(&histogram, run->entries, run->count);
  int lowest = order_lowest_digit(&histogram, run->count);
  run->entries = order_radix_sort(other, spare, run->count, &histogram, lowest);
  other = run->entries == other ? spare : other;
  if (!order_sort_by_insertion(order, run->entries, run->count, run->count)) {
    order_entry *sorted =
        order_radix_sort(run->entries, other, run->count, &histogram, 0);
    other = sorted == other ? run->entries : other;
    run->entries = sorted;
    order_sort_by_insertion(order, run->entries, run->count, SIZE_MAX);
  }
  run->capacity = run->count;
  free(other);
}

/* --- runs --- */

/* Merges the two youngest runs. */
static void
order_merge_youngest(row_order *order)
{
  order_run *old = &order->runs[order->run_count - 2];
  order_run *young = &order->runs[order->run_count - 1];
  order_run merged = {.capacity = old->count + young->count};
  merged.entries = bench_alloc(merged.capacity, sizeof *merged.entries);
  size_t i = 0;
  size_t j = 0;
  while (i < old->count && j < young->count) {
    bool takes_young =
        order_is_less(order, &young->entries[j], &old->entries[i]);
    merged.entries[merged.count++] =
        takes_young ? young->entries[j++] : old->entries[i++];
  }
  while (i < old->count) {
    merged.entries[merged.count++] = old->entries[i++];
  }
  while (j < young->count) {
    merged.entries[merged.count++] = young->entries[j++];
  }
  free(old->entries);
  free(young->entries);
  *old = merged;
  order->run_count--;
}

static void
order_restore_ratio(row_order *order)
{
  while (order->run_count >= 2 &&
         order->runs[order->run_count - 2].count <=
             ORDER_RATIO * order->runs[order->run_count - 1].count) {
    order_merge_youngest(order);
  }
}

static order_entry
order_make_entry(const row_order *order, size_t row)
{
  return (order_entry){
      .head = key_head(order_key(order, (uint32_t)row), order->skip),
      .row = (uint32_t)row,
  };
}

static void
order_add_run(row_order *order, size_t end)
{
  BENCH_REQUIRE(order->run_count < ORDER_MAX_RUNS);
  size_t count = (end - order->end) / ROW_BYTES;
  order_run *run = &order->runs[order->run_count];
  size_t capacity = count < ORDER_SHORT_ENTRIES ? ORDER_SHORT_ENTRIES : count;
  run->entries = bench_alloc(capacity, sizeof *run->entries);
  run->capacity = capacity;
  run->count = count;
  for (size_t i = 0; i < count; i++) {
    run->entries[i] = order_make_entry(order, order->end + i * ROW_BYTES);
  }
  order_sort_run(order, run);
  order->run_count++;
}

/* The first entry of the run that is >= `key`, whose head is `head`. */
static size_t
order_lower(const row_order *order, const order_run *run, const uint8_t *key,
            uint64_t head)
{
  size_t low = 0;
  size_t high = run->count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    const order_entry *entry = &run->entries[middle];
    if (entry->head < head ||
        (entry->head == head &&
         key_compare(order_key(order, entry->row), key) < 0)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

static void
order_insert_row(row_order *order, order_run *run, size_t row)
{
  order_entry entry = order_make_entry(order, row);
  size_t at = order_lower(order, run, order_key(order, entry.row), entry.head);
  memmove(&run->entries[at + 1], &run->entries[at],
          (run->count - at) * sizeof entry);
  run->entries[at] = entry;
  run->count++;
}

static bool
order_has_room_for(const row_order *order, size_t count)
{
  if (order->run_count < 2 || count > ORDER_FEW_ROWS) {
    return false;
  }
  const order_run *run = &order->runs[order->run_count - 1];
  return run->count + count <= ORDER_SHORT_ENTRIES &&
         run->count + count <= run->capacity;
}

static void
order_add_rows(row_order *order, size_t end)
{
  order_narrow_skip(order, end);
  if (!order_has_room_for(order, (end - order->end) / ROW_BYTES)) {
    order_add_run(order, end);
  } else {
    order_run *run = &order->runs[order->run_count - 1];
    for (size_t at = order->end; at < end; at += ROW_BYTES) {
      order_insert_row(order, run, at);
    }
  }
  order->end = end;
  order_restore_ratio(order);
}

/* Covers all rows of the arena, at most `most_rows` per increment. */
static void
order_catch_up(row_order *order, size_t most_rows)
{
  size_t end = atomic_load_explicit(&order->arena->end, memory_order_acquire);
  while (order->end < end) {
    size_t left = (end - order->end) / ROW_BYTES;
    size_t count = left < most_rows ? left : most_rows;
    order_add_rows(order, order->end + count * ROW_BYTES);
  }
}

/* --- scanning --- */

typedef struct order_cursor {
  const order_entry *at;
  const order_entry *end;
} order_cursor;

/* The entries from `key` on; NULL stands before all. */
static order_cursor
order_seek_run(const row_order *order, const order_run *run, const uint8_t *key)
{
  order_cursor cursor = {run->entries, run->entries + run->count};
  if (key == NULL) {
    return cursor;
  }
  const uint8_t *sample = order_key(order, run->entries[0].row);
  int side = memcmp(key, sample, order->skip);
  if (side > 0) {
    cursor.at = cursor.end;
  } else if (side == 0) {
    cursor.at += order_lower(order, run, key, key_head(key, order->skip));
  }
  return cursor;
}

static void
order_prefetch(const row_order *order, order_cursor cursor)
{
  for (int i = 0; i < ORDER_AHEAD && cursor.at + i < cursor.end; i++) {
    __builtin_prefetch(order->arena->base + cursor.at[i].row);
  }
}

/* Moves the cursor at `place` to where it belongs among those after it. */
static void
order_sift(const row_order *order, order_cursor *cursors, int count, int place)
{
  order_cursor cursor = cursors[place];
  while (place + 1 < count &&
         order_is_less(order, cursors[place + 1].at, cursor.at)) {
    cursors[place] = cursors[place + 1];
    place++;
  }
  cursors[place] = cursor;
}

/* Cursors on all runs that have something from `key` on, smallest first. */
static int
order_seek(const row_order *order, const uint8_t *key, order_cursor *cursors)
{
  int count = 0;
  for (int r = 0; r < order->run_count; r++) {
    cursors[count] = order_seek_run(order, &order->runs[r], key);
    if (r == 0) {
      order_prefetch(order, cursors[count]);
    }
    count += cursors[count].at < cursors[count].end;
  }
  for (int place = count - 2; place >= 0; place--) {
    order_sift(order, cursors, count, place);
  }
  return count;
}

/* Hands out rows of `first` until another cursor is smaller. */
static void
order_emit(const row_order *order, order_cursor *first,
           const order_cursor *second, row_sink *sink)
{
  do {
    if (first->at + ORDER_AHEAD < first->end) {
      __builtin_prefetch(order->arena->base + first->at[ORDER_AHEAD].row);
    }
    sink_add(sink, order->arena->base + first->at->row);
    first->at++;
  } while (!sink_is_full(sink) && first->at < first->end &&
           (second == NULL || order_is_less(order, first->at, second->at)));
}

static void
order_scan(const row_order *order, const uint8_t *from, row_sink *sink)
{
  order_cursor cursors[ORDER_MAX_RUNS];
  order_cursor *first = cursors;
  int count = order_seek(order, from, cursors);
  while (count > 0 && !sink_is_full(sink)) {
    order_emit(order, first, count > 1 ? first + 1 : NULL, sink);
    if (first->at == first->end) {
      first++;
      count--;
    } else {
      order_sift(order, first, count, 0);
    }
  }
}

#endif
