/*
 * arena: the block is taken whole at the start and left unfilled, so that the
 * machine gives real pages only to what is used; one that served before has
 * those it used then. Growing instead would move bytes that readers hold.
 */
#include "mem/arena.h"

gs_status
gs_arena_init(gs_arena *arena, gs_alloc *alloc, gs_spare *spare,
              size_t capacity_bytes, gs_error *err)
{
  size_t units = capacity_bytes / GS_ARENA_UNIT_BYTES;
  if (units >= UINT32_MAX - GS_ARENA_FIRST) {
    return GS_FAIL(err, GS_LIMIT, "a memtable of %zu bytes is too large",
                   capacity_bytes);
  }
  units += GS_ARENA_FIRST;
  arena->is_used = false;
  uint64_t *words = spare == NULL
                        ? gs_alloc_array(alloc, units, sizeof *words)
                        : gs_spare_take(spare, units, &arena->is_used);
  if (words == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  arena->alloc = alloc;
  arena->spare = spare;
  arena->words = words;
  arena->end = (uint32_t)units;
  atomic_init(&arena->used, GS_ARENA_FIRST);
  return GS_OK;
}

void
gs_arena_deinit(gs_arena *arena)
{
  size_t used = gs_arena_top(arena);
  bool has_pages = arena->is_used || used > GS_ARENA_FIRST;
  if (arena->spare != NULL && arena->words != NULL) {
    gs_spare_give(arena->spare, arena->words, arena->end, used, has_pages);
  } else {
    gs_alloc_free(arena->alloc, arena->words, gs_arena_bytes(arena));
  }
  arena->words = NULL;
  arena->end = 0;
}

size_t
gs_arena_bytes(const gs_arena *arena)
{
  return (size_t)arena->end * sizeof *arena->words;
}
