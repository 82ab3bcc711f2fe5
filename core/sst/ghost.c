/*
 * ghost: one probe per question, no chains.
 */
#include "sst/ghost.h"

enum { MIN_PLACES = 64, MAX_PLACES = 1 << 22 };

bool
gs_ghost_resize(gs_ghost *ghost, gs_alloc *alloc, uint64_t block_count)
{
  uint32_t place_count = MIN_PLACES;
  while (place_count < block_count && place_count < MAX_PLACES) {
    place_count *= 2;
  }
  gs_ghost_place *places = gs_alloc_zeroed(alloc, place_count * sizeof *places);
  if (places == NULL) {
    return false;
  }
  gs_ghost_deinit(ghost);
  *ghost = (gs_ghost){alloc, places, place_count, 0};
  return true;
}

void
gs_ghost_deinit(gs_ghost *ghost)
{
  if (ghost->places != NULL) {
    gs_alloc_free(ghost->alloc, ghost->places,
                  ghost->place_count * sizeof *ghost->places);
  }
  *ghost = (gs_ghost){.alloc = ghost->alloc};
}

static gs_ghost_place *
place_of(const gs_ghost *ghost, uint64_t key)
{
  return &ghost->places[key & (ghost->place_count - 1)];
}

/* Never 0, which marks an empty place. */
static uint32_t
name_of(uint64_t key)
{
  return (uint32_t)(key >> 32) | 1;
}

void
gs_ghost_add(gs_ghost *ghost, uint64_t key)
{
  ghost->evictions++;
  if (ghost->place_count > 0) {
    *place_of(ghost, key) = (gs_ghost_place){name_of(key), ghost->evictions};
  }
}

bool
gs_ghost_has(const gs_ghost *ghost, uint64_t key)
{
  if (ghost->place_count == 0) {
    return false;
  }
  const gs_ghost_place *place = place_of(ghost, key);
  return place->name == name_of(key) &&
         ghost->evictions - place->number < ghost->place_count;
}

bool
gs_ghost_has_old(const gs_ghost *ghost, uint64_t key, uint32_t part)
{
  return gs_ghost_has(ghost, key) &&
         ghost->evictions - place_of(ghost, key)->number >=
             ghost->place_count / part;
}

bool
gs_ghost_take(gs_ghost *ghost, uint64_t key)
{
  bool is_there = gs_ghost_has(ghost, key);
  if (is_there) {
    place_of(ghost, key)->name = 0;
  }
  return is_there;
}
