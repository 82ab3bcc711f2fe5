/*
 * weave: newcomers are dealt out to the chunks they fall in, and only those
 * chunks are written anew, in even pieces where they became too long. The
 * fences between are copied in runs: not even the heads of untouched chunks
 * are looked at.
 */
#include "mem/weave.h"

typedef struct weaving {
  gs_ordering *ordering;
  const gs_order *base;
  const gs_sort_item *items; /* not yet dealt out */
  size_t count;
  gs_order *order;
  gs_chunk *replaced;
} weaving;

/* Two sorted sources of one chunk's new content. */
typedef struct strands {
  const gs_chunk *chunk; /* may be NULL */
  size_t slot;
  const gs_sort_item *items;
  size_t count;
} strands;

static void
account(gs_ordering *ordering, size_t added, size_t freed)
{
  size_t bytes = atomic_load_explicit(&ordering->bytes, memory_order_relaxed);
  atomic_store_explicit(&ordering->bytes, bytes + added - freed,
                        memory_order_relaxed);
}

static size_t
chunk_bytes(size_t count)
{
  size_t bytes =
      sizeof(gs_chunk) + count * (sizeof(uint64_t) + sizeof(uint32_t));
  return (bytes + 7) / 8 * 8;
}

static gs_chunk *
chunk_new(gs_ordering *ordering, size_t count, uint64_t birth)
{
  gs_chunk *chunk = gs_alloc_bytes(ordering->alloc, chunk_bytes(count));
  if (chunk != NULL) {
    account(ordering, chunk_bytes(count), 0);
    chunk->birth = birth;
    chunk->next_dead = NULL;
    chunk->count = count;
  }
  return chunk;
}

void
gs_chunk_free(gs_ordering *ordering, gs_chunk *chunk)
{
  account(ordering, 0, chunk_bytes(chunk->count));
  gs_alloc_free(ordering->alloc, chunk, chunk_bytes(chunk->count));
}

static size_t
order_bytes(size_t capacity)
{
  return sizeof(gs_order) + capacity * sizeof(gs_fence);
}

/* A chunk with t newcomers becomes at most 1 + t and at most 2 + t / max. */
static size_t
fences_max(size_t chunk_count, size_t item_count)
{
  size_t by_size = chunk_count + item_count / GS_CHUNK_MAX_KEYS + 1;
  return chunk_count + (item_count < by_size ? item_count : by_size) + 1;
}

static gs_order *
order_new(gs_ordering *ordering, size_t capacity, gs_slice prefix)
{
  gs_order *order = gs_alloc_bytes(ordering->alloc, order_bytes(capacity));
  if (order == NULL) {
    return NULL;
  }
  account(ordering, order_bytes(capacity), 0);
  const gs_order *newest = ordering->current;
  *order = (gs_order){.number = newest != NULL ? newest->number + 1 : 1,
                      .prefix = prefix,
                      .chunk_capacity = capacity};
  return order;
}

void
gs_order_free(gs_ordering *ordering, gs_order *order)
{
  account(ordering, 0, order_bytes(order->chunk_capacity));
  gs_alloc_free(ordering->alloc, order, order_bytes(order->chunk_capacity));
}

static bool
is_item_next(const gs_arena *arena, const strands *from)
{
  if (from->count == 0) {
    return false;
  }
  if (from->chunk == NULL || from->slot == from->chunk->count) {
    return true;
  }
  uint64_t head = from->chunk->heads[from->slot];
  if (from->items->head != head) {
    return from->items->head < head;
  }
  uint32_t node = gs_chunk_nodes(from->chunk)[from->slot];
  return gs_slice_compare(gs_node_key(gs_node_at(arena, from->items->node)),
                          gs_node_key(gs_node_at(arena, node))) < 0;
}

static void
fill(const gs_arena *arena, gs_chunk *piece, strands *from)
{
  uint32_t *nodes = (uint32_t *)(void *)(piece->heads + piece->count);
  for (size_t i = 0; i < piece->count; i++) {
    if (is_item_next(arena, from)) {
      piece->heads[i] = from->items->head;
      nodes[i] = from->items->node;
      from->items++;
      from->count--;
    } else {
      piece->heads[i] = from->chunk->heads[from->slot];
      nodes[i] = gs_chunk_nodes(from->chunk)[from->slot];
      from->slot++;
    }
  }
}

static void
append(gs_order *order, gs_chunk *chunk)
{
  order->fences[order->chunk_count++] = (gs_fence){chunk->heads[0], chunk};
}

/* Writes a chunk (or none) and the next item_count items as new chunks. */
static bool
fuse(weaving *w, gs_chunk *chunk, size_t item_count)
{
  size_t total = (chunk != NULL ? chunk->count : 0) + item_count;
  size_t pieces = (total + GS_CHUNK_MAX_KEYS - 1) / GS_CHUNK_MAX_KEYS;
  strands from = {chunk, 0, w->items, item_count};
  for (size_t p = 0; p < pieces; p++) {
    size_t size = total / pieces + (p < total % pieces ? 1 : 0);
    gs_chunk *piece = chunk_new(w->ordering, size, w->order->number);
    if (piece == NULL) {
      return false;
    }
    fill(w->ordering->arena, piece, &from);
    append(w->order, piece);
  }
  if (chunk != NULL) {
    chunk->next_dead = w->replaced;
    w->replaced = chunk;
  }
  w->items += item_count;
  w->count -= item_count;
  return true;
}

/* The number of next items that come before the first key of a chunk. */
static size_t
items_before(const weaving *w, const gs_fence *fence)
{
  strands from = {fence->chunk, 0, w->items, w->count};
  while (is_item_next(w->ordering->arena, &from)) {
    from.items++;
    from.count--;
  }
  return w->count - from.count;
}

static void
share(weaving *w, size_t from, size_t to)
{
  gs_order *order = w->order;
  memcpy(order->fences + order->chunk_count, w->base->fences + from,
         (to - from) * sizeof(gs_fence));
  order->chunk_count += to - from;
}

static bool
weave_into_base(weaving *w)
{
  const gs_order *base = w->base;
  size_t done = 0; /* chunks of the base */
  while (w->count > 0) {
    const gs_arena *arena = w->ordering->arena;
    gs_slice key = gs_node_key(gs_node_at(arena, w->items->node));
    size_t at = gs_order_chunk_of(base, arena, key, w->items->head);
    size_t next = at + 1;
    size_t item_count = next < base->chunk_count
                            ? items_before(w, &base->fences[next])
                            : w->count;
    share(w, done, at);
    if (!fuse(w, base->fences[at].chunk, item_count)) {
      return false;
    }
    done = next;
  }
  share(w, done, base->chunk_count);
  return true;
}

static bool
weave_all(weaving *w)
{
  if (w->base != NULL && w->base->chunk_count > 0) {
    return weave_into_base(w);
  }
  return w->count == 0 || fuse(w, NULL, w->count);
}

static void
abandon(weaving *w)
{
  for (size_t c = 0; c < w->order->chunk_count; c++) {
    gs_chunk *chunk = w->order->fences[c].chunk;
    if (chunk->birth == w->order->number) {
      gs_chunk_free(w->ordering, chunk);
    }
  }
  gs_order_free(w->ordering, w->order);
}

gs_order *
gs_order_weave(gs_ordering *ordering, const gs_order *base,
               const gs_sort_item *items, size_t count, gs_slice prefix,
               gs_chunk **replaced)
{
  bool has_base = base != NULL && base->chunk_count > 0;
  size_t capacity = fences_max(has_base ? base->chunk_count : 0, count);
  gs_order *order = order_new(ordering, capacity, prefix);
  if (order == NULL) {
    return NULL;
  }
  order->key_count = count + (has_base ? base->key_count : 0);
  weaving w = {ordering, base, items, count, order, NULL};
  if (!weave_all(&w)) {
    abandon(&w);
    return NULL;
  }
  *replaced = w.replaced;
  return order;
}
