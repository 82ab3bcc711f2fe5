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
