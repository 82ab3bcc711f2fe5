/*
 * sort: the largest of the unsorted front is kept at index 0 by a heap in which
 * no item is less than those at 2i+1 and 2i+2.
 */
#include "tree/sort.h"

static void
sift_down(const gs_sortable *s, size_t at, size_t count)
{
  for (;;) {
    size_t child = 2 * at + 1;
    if (child >= count) {
      return;
    }
    if (child + 1 < count && s->is_less(s->items, child, child + 1)) {
      child++;
    }
    if (!s->is_less(s->items, at, child)) {
      return;
    }
    s->swap(s->items, at, child);
    at = child;
  }
}

void
gs_sort(const gs_sortable *sortable, size_t count)
{
  for (size_t i = count / 2; i > 0; i--) {
    sift_down(sortable, i - 1, count);
  }
  for (size_t end = count; end > 1; end--) {
    sortable->swap(sortable->items, 0, end - 1);
    sift_down(sortable, 0, end - 1);
  }
}

static bool
is_less_u64(const void *items, size_t a, size_t b)
{
  const uint64_t *numbers = items;
  return numbers[a] < numbers[b];
}

static void
swap_u64(void *items, size_t a, size_t b)
{
  uint64_t *numbers = items;
  uint64_t held = numbers[a];
  numbers[a] = numbers[b];
  numbers[b] = held;
}

void
gs_sort_u64(uint64_t *numbers, size_t count)
{
  const gs_sortable sortable = {numbers, is_less_u64, swap_u64};
  gs_sort(&sortable, count);
}

size_t
gs_find_u64(const uint64_t *numbers, size_t count, uint64_t wanted)
{
  size_t low = 0;
  size_t high = count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (numbers[middle] < wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
