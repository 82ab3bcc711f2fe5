/*
 * sort: a radix sort over heads, last digit first. The digit after the eight
 * bytes of the head is how many of them the key really has: it puts "a" before
 * "a\0", and leaves equal only keys that go on. Those runs are sorted by the
 * next eight bytes in the same way.
 *
 * Few items, and runs that stay equal for many levels, are merged by whole
 * keys instead: that bounds the recursion whatever the keys are.
 */
#include "mem/sort.h"

#include "mem/arena.h"

enum {
  HEAD_BYTES = 8,
  DIGITS = HEAD_BYTES + 1, /* the tail, then the head from its last byte */
  DIGIT_VALUES = 256,
  FEW_ITEMS = 48,
  MAX_LEVELS = 16,
  PREFETCH_AHEAD = 16,
};

static gs_slice
key_of(const gs_arena *arena, const gs_sort_item *item)
{
  return gs_node_key(gs_node_at(arena, item->node));
}

static void
load_heads(const gs_arena *arena, gs_sort_item *items, size_t count,
           size_t depth)
{
  for (size_t i = 0; i < count; i++) {
    if (i + PREFETCH_AHEAD < count) {
      uint32_t ahead = items[i + PREFETCH_AHEAD].node;
      __builtin_prefetch(gs_arena_at(arena, ahead));
    }
    gs_slice key = key_of(arena, &items[i]);
    size_t rest = key.size - depth;
    items[i].head = gs_slice_head(gs_slice_of(key.data + depth, rest));
    items[i].tail =
        (uint32_t)(rest < GS_SORT_TAIL_MAX ? rest : GS_SORT_TAIL_MAX);
  }
}

static bool
is_below(const gs_arena *arena, const gs_sort_item *a, const gs_sort_item *b)
{
  if (a->head != b->head) {
    return a->head < b->head;
  }
  return gs_slice_compare(key_of(arena, a), key_of(arena, b)) < 0;
}

/* Keys that were written in order stand in order. */
static bool
is_sorted(const gs_arena *arena, const gs_sort_item *items, size_t count)
{
  for (size_t i = 1; i < count; i++) {
    if (!is_below(arena, &items[i - 1], &items[i])) {
      return false;
    }
  }
  return true;
}

static void
merge_sort(const gs_arena *arena, gs_sort_item *items, gs_sort_item *scratch,
           size_t count)
{
  if (count < 2) {
    return;
  }
  size_t half = count / 2;
  merge_sort(arena, items, scratch, half);
  merge_sort(arena, items + half, scratch, count - half);
  memcpy(scratch, items, half * sizeof *items);
  size_t left = 0;
  size_t right = half;
  for (size_t to = 0; left < half; to++) {
    bool is_right =
        right < count && is_below(arena, &items[right], &scratch[left]);
    items[to] = is_right ? items[right++] : scratch[left++];
  }
}

static size_t
digit_of(const gs_sort_item *item, unsigned digit)
{
  return digit == 0 ? item->tail
                    : item->head >> (digit - 1) * 8 & (DIGIT_VALUES - 1);
}

/* Moves the items to `to` in the order of one digit; counts becomes where each
 * digit value begins. */
static void
scatter(const gs_sort_item *from, gs_sort_item *to, size_t count,
        unsigned digit, uint32_t counts[DIGIT_VALUES])
{
  uint32_t start = 0;
  for (size_t v = 0; v < DIGIT_VALUES; v++) {
    uint32_t here = counts[v];
    counts[v] = start;
    start += here;
  }
  for (size_t i = 0; i < count; i++) {
    to[counts[digit_of(&from[i], digit)]++] = from[i];
  }
}

static void
radix_sort(gs_sort_item *items, gs_sort_item *scratch, size_t count)
{
  uint32_t counts[DIGITS][DIGIT_VALUES] = {{0}};
  for (size_t i = 0; i < count; i++) {
    for (unsigned digit = 0; digit < DIGITS; digit++) {
      counts[digit][digit_of(&items[i], digit)]++;
    }
  }
  gs_sort_item *from = items;
  gs_sort_item *to = scratch;
  for (unsigned digit = 0; digit < DIGITS; digit++) {
    if (counts[digit][digit_of(&from[0], digit)] == count) {
      continue;
    }
    scatter(from, to, count, digit, counts[digit]);
    gs_sort_item *filled = to;
    to = from;
    from = filled;
  }
  if (from != items) {
    memcpy(items, from, count * sizeof *items);
  }
}

static void sort_level(const gs_arena *arena, gs_sort_item *items,
                       gs_sort_item *scratch, size_t count, size_t depth,
                       unsigned level);

/* Sorts a run of items with one head whose keys all go on, and keeps that
 * head. */
static void
sort_run(const gs_arena *arena, gs_sort_item *items, gs_sort_item *scratch,
         size_t count, size_t depth, unsigned level)
{
  uint64_t head = items[0].head;
  sort_level(arena, items, scratch, count, depth + HEAD_BYTES, level + 1);
  for (size_t i = 0; i < count; i++) {
    items[i].head = head;
    items[i].tail = GS_SORT_TAIL_MAX;
  }
}

static void
sort_runs(const gs_arena *arena, gs_sort_item *items, gs_sort_item *scratch,
          size_t count, size_t depth, unsigned level)
{
  size_t end;
  for (size_t i = 0; i < count; i = end) {
    end = i + 1;
    if (items[i].tail < GS_SORT_TAIL_MAX) {
      continue;
    }
    while (end < count && items[end].head == items[i].head) {
      end++;
    }
    if (end - i > 1) {
      sort_run(arena, items + i, scratch, end - i, depth, level);
    }
  }
}

static void
sort_level(const gs_arena *arena, gs_sort_item *items, gs_sort_item *scratch,
           size_t count, size_t depth, unsigned level)
{
  load_heads(arena, items, count, depth);
  if (is_sorted(arena, items, count)) {
    return;
  }
  if (count <= FEW_ITEMS || level == MAX_LEVELS) {
    merge_sort(arena, items, scratch, count);
    return;
  }
  radix_sort(items, scratch, count);
  sort_runs(arena, items, scratch, count, depth, level);
}

void
gs_sort_keys(const gs_arena *arena, gs_sort_item *items, gs_sort_item *scratch,
             size_t count, size_t depth)
{
  sort_level(arena, items, scratch, count, depth, 0);
}
