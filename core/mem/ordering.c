/*
 * ordering: the list of orders and what dies with each. The current order is
 * left as it is until the next is complete, so a failure on the way needs no
 * repair.
 */
#include "mem/ordering.h"

#include "base/check.h"
#include "mem/weave.h"

/* Newcomers of one making: count items, then as many of scratch. */
typedef struct gathering {
  gs_sort_item *items;
  size_t count;
  size_t capacity;
} gathering;

void
gs_ordering_init(gs_ordering *ordering, gs_alloc *alloc, const gs_arena *arena)
{
  *ordering =
      (gs_ordering){.alloc = alloc, .arena = arena, .walked = GS_ARENA_FIRST};
}

static void
free_dead(gs_ordering *ordering, gs_order *order)
{
  while (order->dead != NULL) {
    gs_chunk *chunk = order->dead;
    order->dead = chunk->next_dead;
    gs_chunk_free(ordering, chunk);
  }
}

void
gs_ordering_deinit(gs_ordering *ordering)
{
  gs_order *order = ordering->current;
  for (size_t c = 0; order != NULL && c < order->chunk_count; c++) {
    gs_chunk_free(ordering, order->fences[c].chunk);
  }
  while (order != NULL) {
    gs_order *older = order->older;
    free_dead(ordering, order);
    gs_order_free(ordering, order);
    order = older;
  }
  ordering->current = NULL;
}

static void
drop_items(gs_ordering *ordering, gathering *found)
{
  gs_alloc_free(ordering->alloc, found->items,
                2 * found->capacity * sizeof *found->items);
  *found = (gathering){0};
}

/* The nodes of the arena between two units; there are at most capacity. */
static bool
gather(gs_ordering *ordering, uint32_t from, uint32_t end, uint64_t capacity,
       gathering *found)
{
  const gs_arena *arena = ordering->arena;
  *found = (gathering){.capacity = (size_t)capacity};
  if (capacity == 0) {
    return true;
  }
  found->items = gs_alloc_array(ordering->alloc, 2 * found->capacity,
                                sizeof *found->items);
  if (found->items == NULL) {
    return false;
  }
  for (uint32_t unit = from; unit < end;
       unit += (uint32_t)gs_item_units(arena, unit)) {
    if (gs_item_is_node(arena, unit)) {
      GS_ASSERT(found->count < found->capacity);
      found->items[found->count++].node = unit;
    }
  }
  return true;
}

/* The part of the prefix that the newcomers have too. */
static gs_slice
narrow(const gs_arena *arena, gs_slice prefix, const gathering *found)
{
  for (size_t i = 0; i < found->count; i++) {
    gs_slice key = gs_node_key(gs_node_at(arena, found->items[i].node));
    if (!gs_slice_has_prefix(key, prefix)) {
      prefix.size = gs_slice_shared(prefix, key);
    }
  }
  return prefix;
}

/* Takes the order out of the list and hands down what its elder has too. */
static void
bury(gs_ordering *ordering, gs_order *order)
{
  gs_order *elder = order->older;
  order->newer->older = elder;
  if (elder != NULL) {
    elder->newer = order->newer;
  }
  while (order->dead != NULL) {
    gs_chunk *chunk = order->dead;
    order->dead = chunk->next_dead;
    if (elder != NULL && chunk->birth <= elder->number) {
      chunk->next_dead = elder->dead;
      elder->dead = chunk;
    } else {
      gs_chunk_free(ordering, chunk);
    }
  }
  gs_order_free(ordering, order);
}

static void
succeed(gs_ordering *ordering, gs_order *order, gs_chunk *replaced)
{
  gs_order *past = ordering->current;
  ordering->current = order;
  order->older = past;
  if (past != NULL) {
    past->newer = order;
    past->dead = replaced;
  }
  while (past != NULL) {
    gs_order *older = past->older;
    if (atomic_load_explicit(&past->users, memory_order_acquire) == 0) {
      bury(ordering, past);
    }
    past = older;
  }
}

static gs_chunk *
all_chunks(const gs_order *order)
{
  gs_chunk *list = NULL;
  for (size_t c = 0; c < order->chunk_count; c++) {
    order->fences[c].chunk->next_dead = list;
    list = order->fences[c].chunk;
  }
  return list;
}

static bool
weave(gs_ordering *ordering, const gs_order *base, gathering *found,
      gs_slice prefix)
{
  gs_chunk *replaced = NULL;
  if (found->count > 0) {
    gs_sort_keys(ordering->arena, found->items, found->items + found->capacity,
                 found->count, prefix.size);
  }
  gs_order *order = gs_order_weave(ordering, base, found->items, found->count,
                                   prefix, &replaced);
  if (order == NULL) {
    return false;
  }
  if (base == NULL && ordering->current != NULL) {
    replaced = all_chunks(ordering->current);
  }
  succeed(ordering, order, replaced);
  return true;
}

/* The prefix that the current order and the newcomers share. */
static gs_slice
next_prefix(const gs_ordering *ordering, const gathering *found)
{
  const gs_arena *arena = ordering->arena;
  const gs_order *base = ordering->current;
  gs_slice prefix = {NULL, 0};
  if (base != NULL && base->key_count > 0) {
    prefix = base->prefix;
  } else if (found->count > 0) {
    prefix = gs_node_key(gs_node_at(arena, found->items[0].node));
  }
  return narrow(arena, prefix, found);
}

static bool
extend(gs_ordering *ordering, uint32_t end, uint64_t key_count)
{
  const gs_order *base = ordering->current;
  uint64_t known = base != NULL ? base->key_count : 0;
  gathering found;
  if (!gather(ordering, ordering->walked, end, key_count - known, &found)) {
    return false;
  }
  bool is_good = true;
  if (base == NULL || found.count > 0) {
    gs_slice prefix = next_prefix(ordering, &found);
    if (base != NULL && prefix.size < base->prefix.size) {
      base = NULL;
      drop_items(ordering, &found);
      is_good = gather(ordering, GS_ARENA_FIRST, end, key_count, &found);
    }
    is_good = is_good && weave(ordering, base, &found, prefix);
  }
  drop_items(ordering, &found);
  ordering->walked = is_good ? end : ordering->walked;
  return is_good;
}

gs_status
gs_ordering_take(gs_ordering *ordering, uint32_t end, uint64_t key_count,
                 gs_order **out, gs_error *err)
{
  bool is_behind = ordering->current == NULL || ordering->walked < end;
  if (is_behind && !extend(ordering, end, key_count)) {
    return GS_FAIL_NOMEM(err);
  }
  atomic_fetch_add_explicit(&ordering->current->users, 1, memory_order_relaxed);
  *out = ordering->current;
  return GS_OK;
}

void
gs_order_release(gs_order *order)
{
  atomic_fetch_sub_explicit(&order->users, 1, memory_order_release);
}
