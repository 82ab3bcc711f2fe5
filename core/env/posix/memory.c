/*
 * memory: the C library's allocator behind ours. It keeps its own sizes, so the
 * old size is not needed; large blocks come from mappings of their own and go
 * back to the system when freed.
 */
#include <stdlib.h>

#include "env/posix/posix.h"

static void *
resize(gs_alloc *self, void *block, size_t old_size, size_t new_size)
{
  (void)self;
  (void)old_size;
  if (new_size == 0) {
    free(block);
    return NULL;
  }
  return realloc(block, new_size);
}

gs_alloc gs_posix_alloc = {.resize = resize};
