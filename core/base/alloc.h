/*
 * alloc: where all memory of the engine comes from.
 *
 * Model: one function that allocates, resizes and frees, told the old size at
 * every call, so that accounts are exact and no header is needed per block.
 *   resize(self, NULL, 0, n)    a new block of n bytes, or NULL
 *   resize(self, p, old, n)     the block moved to n bytes, or NULL and p kept
 *   resize(self, p, old, 0)     frees p, returns NULL
 * Blocks are aligned for any scalar type.
 *
 * Life: the environment owns the allocator; it outlives all it handed out.
 * Threads: resize may be called from any thread.
 * Errors: NULL means out of memory; nothing else fails.
 */
#ifndef GS_BASE_ALLOC_H
#define GS_BASE_ALLOC_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct gs_alloc gs_alloc;
struct gs_alloc {
  void *(*resize)(gs_alloc *self, void *block, size_t old_size,
                  size_t new_size);
  size_t zeroed_bytes; /* new blocks of so many bytes and more are full of
                          zeros; 0: none is known to be */
};

/* Gives: free with gs_alloc_free and the same size. Requires: size > 0. */
static inline void *
gs_alloc_bytes(gs_alloc *alloc, size_t size)
{
  return alloc->resize(alloc, NULL, 0, size);
}

/* As gs_alloc_bytes, filled with zeros. */
static inline void *
gs_alloc_zeroed(gs_alloc *alloc, size_t size)
{
  void *block = alloc->resize(alloc, NULL, 0, size);
  if (block != NULL &&
      (alloc->zeroed_bytes == 0 || size < alloc->zeroed_bytes)) {
    memset(block, 0, size);
  }
  return block;
}

/* count * size bytes, or NULL where the product overflows. */
static inline void *
gs_alloc_array(gs_alloc *alloc, size_t count, size_t size)
{
  if (size != 0 && count > SIZE_MAX / size) {
    return NULL;
  }
  return alloc->resize(alloc, NULL, 0, count * size);
}

/* Takes the block; NULL is accepted. */
static inline void
gs_alloc_free(gs_alloc *alloc, void *block, size_t size)
{
  if (block != NULL) {
    alloc->resize(alloc, block, size, 0);
  }
}

/* A zeroed object of the type, or NULL; free with GS_DELETE. */
#define GS_NEW(alloc, type) ((type *)gs_alloc_zeroed((alloc), sizeof(type)))
#define GS_DELETE(alloc, object) \
  gs_alloc_free((alloc), (object), sizeof *(object))

#endif
