/*
 * test_alloc: an allocator for tests of layers that know no environment.
 *
 * Model: the C heap, counted. live_bytes is exact, so a test ends by asking
 * for zero. With allocations_left at n, the growth after the next n fails.
 * Threads: one.
 */
#ifndef GS_CTEST_SUPPORT_TEST_ALLOC_H
#define GS_CTEST_SUPPORT_TEST_ALLOC_H

#include <stdlib.h>

#include "base/alloc.h"

typedef struct test_alloc {
  gs_alloc base;
  size_t live_bytes;
  uint64_t allocations_left; /* UINT64_MAX after init: never fails */
} test_alloc;

static inline void *
test_alloc_resize(gs_alloc *self, void *block, size_t old_size, size_t new_size)
{
  test_alloc *alloc = (test_alloc *)self;
  if (new_size == 0) {
    alloc->live_bytes -= old_size;
    free(block);
    return NULL;
  }
  if (alloc->allocations_left == 0) {
    return NULL;
  }
  void *moved = realloc(block, new_size);
  if (moved != NULL) {
    alloc->live_bytes += new_size - old_size;
    alloc->allocations_left -= alloc->allocations_left != UINT64_MAX;
  }
  return moved;
}

static inline void
test_alloc_init(test_alloc *alloc)
{
  *alloc = (test_alloc){.base = {.resize = test_alloc_resize},
                        .allocations_left = UINT64_MAX};
}

#endif
