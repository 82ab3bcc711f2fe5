/*
 * memory: the C library's allocator behind ours. It keeps its own sizes, so the
 * old size is not needed; large blocks come from mappings of their own and go
 * back to the system when freed.
 *
 * What is as large as a large page of the processor is read at random (cached
 * blocks, indexes, memtables), and there finding the page costs as much as
 * reading it. Such blocks begin where a large page may, and the system is asked
 * to back them with large pages; where it will not, nothing is lost. They are new from
 * the system, so they hold zeros and nobody need write any: a page is cleared
 * when it is first used, not all of them at once.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "env/posix/posix.h"

#define LARGE_BYTES ((size_t)2 << 20)
enum { PAGE_BYTES = 4096 };

static bool
is_large(size_t size)
{
  return size >= LARGE_BYTES && size <= SIZE_MAX - 2 * LARGE_BYTES;
}

static size_t
whole_pages(size_t size)
{
  return (size + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
}

/* Takes more than asked for and gives back what stands before the first and
 * behind the last byte. */
static void *
map_large(size_t size)
{
  size_t wanted = whole_pages(size);
  size_t whole = wanted + LARGE_BYTES;
  uint8_t *start = mmap(NULL, whole, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) {
    return NULL;
  }
  size_t before = -(uintptr_t)start & (LARGE_BYTES - 1);
  if (before > 0) {
    munmap(start, before);
  }
  uint8_t *block = start + before;
  munmap(block + wanted, LARGE_BYTES - before);
  GS_IGNORE(madvise(block, wanted, MADV_HUGEPAGE) != 0,
            "small pages serve too");
  return block;
}

static void
release(void *block, size_t size)
{
  if (block != NULL && is_large(size)) {
    munmap(block, whole_pages(size));
  } else {
    free(block);
  }
}

static void *
move(void *block, size_t old_size, size_t new_size)
{
  void *moved = is_large(new_size) ? map_large(new_size) : malloc(new_size);
  if (moved != NULL && block != NULL) {
    memcpy(moved, block, old_size < new_size ? old_size : new_size);
    release(block, old_size);
  }
  return moved;
}

static void *
resize(gs_alloc *self, void *block, size_t old_size, size_t new_size)
{
  (void)self;
  if (new_size == 0) {
    release(block, old_size);
    return NULL;
  }
  if (is_large(old_size) || is_large(new_size)) {
    return move(block, old_size, new_size);
  }
  return realloc(block, new_size);
}

gs_alloc gs_posix_alloc = {.resize = resize, .zeroed_bytes = LARGE_BYTES};
