/*
 * alloc: memory for the guests of the machine, counted to the byte. Each block
 * is preceded by its size, so that a wrong size at free is found; new and freed
 * bytes are patterned and a resize always moves, so that what nobody promised
 * is never accidentally there.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "env/sim/state.h"

enum {
  FRESH = 0xa5,
  FREED = 0x5a,
};

typedef struct head {
  _Alignas(max_align_t) uint64_t size;
  uint64_t guard; /* the size, inverted; last, so that the nearest bytes below
                     the block show a run below it */
} head;

static head *
head_of(void *block, size_t size)
{
  head *found = (head *)block - 1;
  if (found->guard != ~found->size) {
    gs_check_failed("the bytes below a block are untouched", __FILE__,
                    __LINE__);
  }
  if (found->size != size) {
    gs_check_failed("a block is returned with its size", __FILE__, __LINE__);
  }
  return found;
}

static bool
fails_now(sim_alloc *alloc)
{
  alloc->asked++;
  return alloc->fails_from != 0 && alloc->asked >= alloc->fails_from &&
         alloc->asked <= alloc->fails_to;
}

static void *
new_block(sim_alloc *alloc, size_t size)
{
  head *made =
      size <= SIZE_MAX - sizeof(head) ? malloc(sizeof(head) + size) : NULL;
  if (made == NULL) {
    return NULL;
  }
  *made = (head){.size = size, .guard = ~(uint64_t)size};
  alloc->allocated_bytes += size;
  return memset(made + 1, FRESH, size);
}

static void
free_block(sim_alloc *alloc, void *block, size_t size)
{
  head *old = head_of(block, size);
  alloc->allocated_bytes -= size;
  memset(block, FREED, size);
  free(old);
}

void *
gs_sim_alloc_resize(gs_alloc *self, void *block, size_t old_size,
                    size_t new_size)
{
  sim_alloc *alloc = (sim_alloc *)self;
  if (new_size == 0) {
    if (block != NULL) {
      free_block(alloc, block, old_size);
    }
    return NULL;
  }
  void *moved = fails_now(alloc) ? NULL : new_block(alloc, new_size);
  if (moved != NULL && block != NULL) {
    memcpy(moved, block, old_size < new_size ? old_size : new_size);
    free_block(alloc, block, old_size);
  }
  return moved;
}

void
gs_sim_fail_alloc(gs_sim *sim, uint64_t nth, uint64_t times)
{
  sim_alloc *alloc = &sim->alloc;
  uint64_t left = nth == 0 ? 0 : UINT64_MAX - alloc->asked - nth;
  alloc->fails_from = nth == 0 ? 0 : alloc->asked + nth;
  alloc->fails_to = times == 0 || times - 1 > left
                        ? UINT64_MAX
                        : alloc->fails_from + (times - 1);
}

uint64_t
gs_sim_allocs(const gs_sim *sim)
{
  return sim->alloc.asked;
}

uint64_t
gs_sim_allocated_bytes(const gs_sim *sim)
{
  return sim->alloc.allocated_bytes;
}
