/*
 * ghost: one probe per question, no chains.
 */
#include "sst/ghost.h"

enum { MIN_PLACES = 64, MAX_PLACES = 1 << 22 };

void
gs_ghost_init(gs_ghost *ghost, gs_alloc *alloc)
{
  *ghost = (gs_ghost){.alloc = alloc};
}

static void
forget_all(gs_ghost *ghost)
{
  if (ghost->places != NULL) {
    gs_alloc_free(ghost->alloc, ghost->places,
                  ghost->place_count * sizeof *ghost->places);
  }
  ghost->places = NULL;
  ghost->evictions = 0;
}

void
gs_ghost_deinit(gs_ghost *ghost)
{
  forget_all(ghost);
  ghost->place_count = 0;
}

void
gs_ghost_resize(gs_ghost *ghost, uint64_t block_count)
{
  uint32_t place_count = MIN_PLACES;
  while (place_count < block_count && place_count < MAX_PLACES) {
    place_count *= 2;
  }
  if (place_count != ghost->place_count) {
    forget_all(ghost);
    ghost->place_count = place_count;
  }
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

/* With the first name, and without memory once in as many as there are places. */
static bool
is_time_to_try(const gs_ghost *ghost)
{
  return ghost->place_count > 0 &&
         (ghost->evictions & (ghost->place_count - 1)) == 1;
}

void
gs_ghost_add(gs_ghost *ghost, uint64_t key)
{
  ghost->evictions++;
  if (ghost->places == NULL && is_time_to_try(ghost)) {
    ghost->places = gs_alloc_zeroed(ghost->alloc,
                                    ghost->place_count * sizeof *ghost->places);
  }
  if (ghost->places != NULL) {
    *place_of(ghost, key) = (gs_ghost_place){name_of(key), ghost->evictions};
  }
}

bool
gs_ghost_has(const gs_ghost *ghost, uint64_t key)
{
  if (ghost->places == NULL) {
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
