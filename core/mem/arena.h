/*
 * arena: the memory of one memtable.
 *
 * Model: one block of fixed capacity, handed out from front to back in units
 * of eight bytes. A unit is addressed by its ordinal, so a reference takes
 * four bytes; ordinal 0 is never handed out and means "none".
 *   1. Everything below `used` is complete and never moves.
 *   2. `used` only grows, by one release store per item.
 *
 * Life: init / deinit in the caller's memory.
 * Threads: one writer publishes; any thread reads below a `used` it loaded.
 * Errors: GS_LIMIT for a capacity that ordinals cannot address, GS_NOMEM.
 */
#ifndef GS_MEM_ARENA_H
#define GS_MEM_ARENA_H

#include <stdatomic.h>

#include "base/alloc.h"
#include "base/error.h"
#include "mem/spare.h"

enum {
  GS_ARENA_UNIT_BYTES = 8,
  GS_ARENA_FIRST = 1,      /* the first unit handed out */
  GS_ARENA_LINE_BYTES = 64 /* what processors move at a time */
};

typedef struct gs_arena {
  gs_alloc *alloc;
  gs_spare *spare; /* where the block comes from and goes to; NULL: alloc */
  bool is_used;    /* the block served before */
  uint64_t *words; /* unit u is words[u] */
  uint32_t end;    /* one past the last unit */
  /* Readers touch what stands above at every call, the writer changes what
   * stands below: they share no line. */
  uint8_t apart[GS_ARENA_LINE_BYTES];
  _Atomic uint32_t used; /* the first free unit */
} gs_arena;

/* The block comes from the spare, or where that is NULL from the allocator. */
GS_MUST_CHECK gs_status gs_arena_init(gs_arena *arena, gs_alloc *alloc,
                                      gs_spare *spare, size_t capacity_bytes,
                                      gs_error *err);
void gs_arena_deinit(gs_arena *arena);

/* Bytes the block takes from the allocator. */
size_t gs_arena_bytes(const gs_arena *arena);

static inline size_t
gs_arena_units(size_t bytes)
{
  return (bytes + GS_ARENA_UNIT_BYTES - 1) / GS_ARENA_UNIT_BYTES;
}

/* Valid as long as the arena. */
static inline uint64_t *
gs_arena_at(const gs_arena *arena, uint32_t unit)
{
  return arena->words + unit;
}

/* What is below is complete, for any thread. */
static inline uint32_t
gs_arena_used(const gs_arena *arena)
{
  return atomic_load_explicit(&arena->used, memory_order_acquire);
}

/* Where the writer's next item goes. */
static inline uint32_t
gs_arena_top(const gs_arena *arena)
{
  return atomic_load_explicit(&arena->used, memory_order_relaxed);
}

static inline size_t
gs_arena_free_bytes(const gs_arena *arena)
{
  uint32_t used = atomic_load_explicit(&arena->used, memory_order_relaxed);
  return (size_t)(arena->end - used) * GS_ARENA_UNIT_BYTES;
}

/* Shows everything below `top` to walkers. Requires: it is complete. */
static inline void
gs_arena_publish(gs_arena *arena, uint32_t top)
{
  atomic_store_explicit(&arena->used, top, memory_order_release);
}

#endif
