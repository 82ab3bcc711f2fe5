/*
 * sort: puts things in order in place, without memory.
 *
 * Model: a heap sort over indices; what stands behind an index is the caller's.
 * O(n log n) always; not stable. Standing in for the C library's sort, which
 * may allocate behind the engine's back.
 *
 * Threads: pure.
 */
#ifndef GS_TREE_SORT_H
#define GS_TREE_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct gs_sortable {
  void *items;
  bool (*is_less)(const void *items, size_t a, size_t b);
  void (*swap)(void *items, size_t a, size_t b);
} gs_sortable;

void gs_sort(const gs_sortable *sortable, size_t count);

/* Numbers, rising. */
void gs_sort_u64(uint64_t *numbers, size_t count);

/* Index of the first number >= wanted; count if none. Requires: rising. */
size_t gs_find_u64(const uint64_t *numbers, size_t count, uint64_t wanted);

#endif
