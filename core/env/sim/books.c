/*
 * books: memory for the machine's own books, outside of what it counts for its
 * guests, and the arithmetic of its chance.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "env/sim/state.h"

enum { FIRST_CAPACITY = 8 };

#define STEP UINT64_C(0x9e3779b97f4a7c15) /* 2^64 over the golden ratio */

void *
gs_sim_grab(size_t size)
{
  void *block = calloc(1, size > 0 ? size : 1);
  if (block == NULL) {
    gs_check_failed("memory for the simulator", __FILE__, __LINE__);
  }
  return block;
}

char *
gs_sim_grab_text(const char *text, size_t size)
{
  char *copy = gs_sim_grab(size + 1);
  memcpy(copy, text, size);
  return copy;
}

static void *
resize_book(gs_alloc *self, void *block, size_t old_size, size_t new_size)
{
  (void)self;
  (void)old_size;
  if (new_size == 0) {
    free(block);
    return NULL;
  }
  void *moved = realloc(block, new_size);
  if (moved == NULL) {
    gs_check_failed("memory for the simulator", __FILE__, __LINE__);
  }
  return moved;
}

gs_alloc *
gs_sim_books_alloc(void)
{
  static gs_alloc books = {.resize = resize_book};
  return &books;
}

/* Stands before the bytes of a shared block. */
typedef struct shared {
  _Alignas(max_align_t) uint64_t refs;
} shared;

static shared *
shared_of(const void *block)
{
  return (shared *)(uintptr_t)block - 1;
}

void *
gs_sim_share(const void *data, size_t size)
{
  shared *made = gs_sim_grab(sizeof *made + size + 1);
  made->refs = 1;
  memcpy(made + 1, data, size);
  return made + 1;
}

void *
gs_sim_share_again(const void *block)
{
  if (block == NULL) {
    return NULL;
  }
  shared_of(block)->refs++;
  return shared_of(block) + 1;
}

void
gs_sim_share_no_more(const void *block)
{
  if (block != NULL && --shared_of(block)->refs == 0) {
    free(shared_of(block));
  }
}

void *
gs_sim_grow(void *items, size_t count, size_t *capacity, size_t size)
{
  if (count < *capacity) {
    return items;
  }
  *capacity = *capacity == 0 ? FIRST_CAPACITY : *capacity * 2;
  void *grown = gs_sim_grab(*capacity * size);
  if (count > 0) {
    memcpy(grown, items, count * size);
  }
  free(items);
  return grown;
}

uint64_t
gs_sim_mix(uint64_t a, uint64_t b)
{
  uint64_t x = a + STEP * (b + 1);
  x ^= x >> 32;
  x *= UINT64_C(0xe9846af9b1a615d);
  x ^= x >> 32;
  x *= UINT64_C(0xe9846af9b1a615d);
  x ^= x >> 28;
  return x;
}

uint64_t
gs_sim_draw(uint64_t *state)
{
  *state += STEP;
  return gs_sim_mix(*state, 0);
}
