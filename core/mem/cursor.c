/*
 * cursor: walks a frozen order and looks each version up from its node. Keys
 * whose every version is above the cursor's sequence are passed over in the
 * direction of the move.
 *
 * Entries added later may hang new rows on old nodes; they are above the
 * cursor's sequence, which is never above the table's at the start.
 */
#include "base/check.h"
#include "mem/inner.h"

/* Nodes lie in the arena in the order of their arrival: a walk in key order
 * jumps about, so the nodes to come are asked for ahead. */
enum { PREFETCH_AHEAD = 8, PREFETCH_LINES = 3 };

/* gcc takes a function that only prefetches for one without effect and drops
 * the call, unless the function is gone by then. */
#define PREFETCHING static inline __attribute__((always_inline)) void

typedef gs_memtable_cursor mem_cursor;

static mem_cursor *
self_of(gs_cursor *base)
{
  return (mem_cursor *)(void *)base;
}

PREFETCHING
prefetch(const mem_cursor *cursor, gs_place place)
{
  uint32_t unit = gs_order_node(cursor->order, place);
  const uint64_t *words = gs_arena_at(&cursor->table->arena, unit);
  for (size_t line = 0; line < PREFETCH_LINES; line++) {
    __builtin_prefetch(words +
                       line * (GS_ARENA_LINE_BYTES / GS_ARENA_UNIT_BYTES));
  }
}

/* Asks for the keys that follow where a walk begins. */
PREFETCHING
prefetch_next_few(const mem_cursor *cursor, gs_place place)
{
  const gs_chunk *chunk = cursor->order->fences[place.chunk].chunk;
  const uint32_t *nodes = gs_chunk_nodes(chunk);
  size_t left = chunk->count - place.slot;
  for (size_t i = 1; i < PREFETCH_AHEAD && i < left; i++) {
    uint32_t unit = nodes[place.slot + i];
    __builtin_prefetch(gs_arena_at(&cursor->table->arena, unit));
  }
}

/* False at the end: the place is behind the last key. */
static bool
step_forward(mem_cursor *cursor)
{
  gs_place *place = &cursor->place;
  const gs_chunk *chunk = cursor->order->fences[place->chunk].chunk;
  place->slot++;
  if (place->slot + PREFETCH_AHEAD < chunk->count) {
    prefetch(cursor, (gs_place){place->chunk, place->slot + PREFETCH_AHEAD});
  }
  if (place->slot == chunk->count) {
    *place = (gs_place){place->chunk + 1, 0};
  }
  return place->chunk < cursor->order->chunk_count;
}

/* False at the beginning: the place stays. */
static bool
step_back(mem_cursor *cursor)
{
  gs_place *place = &cursor->place;
  if (place->slot == 0 && place->chunk == 0) {
    return false;
  }
  if (place->slot == 0) {
    place->chunk--;
    place->slot = cursor->order->fences[place->chunk].chunk->count;
  }
  place->slot--;
  if (place->slot >= PREFETCH_AHEAD) {
    prefetch(cursor, (gs_place){place->chunk, place->slot - PREFETCH_AHEAD});
  }
  return true;
}

/* Stands on the key at the place, if that is inside the order, or on the first
 * one from there in the direction given that has a version to show. */
static void
settle(mem_cursor *cursor, bool is_inside, bool is_forward)
{
  const gs_arena *arena = &cursor->table->arena;
  while (is_inside) {
    const gs_node *node =
        gs_node_at(arena, gs_order_node(cursor->order, cursor->place));
    cursor->row = gs_row_find(arena, node, cursor->seq);
    if (cursor->row != 0) {
      gs_row_read(arena, node, cursor->row, &cursor->base.entry);
      break;
    }
    is_inside = is_forward ? step_forward(cursor) : step_back(cursor);
  }
  cursor->base.valid = is_inside;
}

static void
start_at(mem_cursor *cursor, gs_place place)
{
  bool is_inside = place.chunk < cursor->order->chunk_count;
  cursor->place = place;
  if (is_inside) {
    prefetch_next_few(cursor, place);
  }
  settle(cursor, is_inside, true);
}

/* From a place that may be behind the last key. */
static void
start_before(mem_cursor *cursor, gs_place place)
{
  cursor->place = place;
  settle(cursor, step_back(cursor), false);
}

static void
cursor_seek(gs_cursor *base, gs_slice key)
{
  mem_cursor *cursor = self_of(base);
  start_at(cursor, gs_order_seek(cursor->order, &cursor->table->arena, key));
}

static void
cursor_seek_before(gs_cursor *base, gs_slice key)
{
  mem_cursor *cursor = self_of(base);
  start_before(cursor,
               gs_order_seek(cursor->order, &cursor->table->arena, key));
}

static void
cursor_first(gs_cursor *base)
{
  start_at(self_of(base), (gs_place){0, 0});
}

static void
cursor_last(gs_cursor *base)
{
  mem_cursor *cursor = self_of(base);
  start_before(cursor, (gs_place){cursor->order->chunk_count, 0});
}

static void
cursor_next(gs_cursor *base)
{
  GS_ASSERT(base->valid);
  mem_cursor *cursor = self_of(base);
  settle(cursor, step_forward(cursor), true);
}

static void
cursor_prev(gs_cursor *base)
{
  GS_ASSERT(base->valid);
  mem_cursor *cursor = self_of(base);
  settle(cursor, step_back(cursor), false);
}

static bool
cursor_older(gs_cursor *base)
{
  mem_cursor *cursor = self_of(base);
  GS_ASSERT(base->valid);
  const gs_arena *arena = &cursor->table->arena;
  uint32_t older = gs_row_at(arena, cursor->row)->older;
  if (older == 0) {
    return false;
  }
  cursor->row = older;
  uint32_t node = gs_order_node(cursor->order, cursor->place);
  gs_row_read(arena, gs_node_at(arena, node), older, &base->entry);
  return true;
}

static void
cursor_end(gs_cursor *base)
{
  mem_cursor *cursor = self_of(base);
  gs_order_release(cursor->order);
  gs_memtable_unref(cursor->table);
}

static const gs_cursor_ops cursor_ops = {
    .seek = cursor_seek,
    .seek_before = cursor_seek_before,
    .first = cursor_first,
    .last = cursor_last,
    .next = cursor_next,
    .prev = cursor_prev,
    .older = cursor_older,
    .end = cursor_end,
};

gs_status
gs_memtable_cursor_init(gs_memtable_cursor *cursor, gs_memtable *table,
                        uint64_t seq, gs_error *err)
{
  *cursor = (gs_memtable_cursor){.table = table};
  uint64_t newest =
      atomic_load_explicit(&table->counters.max_seq, memory_order_acquire);
  uint64_t limit =
      atomic_load_explicit(&table->seq_limit, memory_order_relaxed);
  newest = newest < limit ? newest : limit;
  cursor->seq = seq < newest ? seq : newest;
  gs_status status = gs_memtable_take_order(table, &cursor->order, err);
  if (status != GS_OK) {
    return status;
  }
  gs_memtable_ref(table);
  cursor->base.ops = &cursor_ops;
  return GS_OK;
}
