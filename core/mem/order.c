/*
 * order: two binary searches, over fences and then in one chunk. Both compare
 * heads that lie side by side; a key is fetched only to settle a tie.
 */
#include "mem/order.h"

/* How the node's key, with this head, compares to the given one. */
static int
compare(const gs_arena *arena, uint64_t node_head, uint32_t node, gs_slice key,
        uint64_t head)
{
  if (node_head != head) {
    return node_head < head ? -1 : 1;
  }
  return gs_slice_compare(gs_node_key(gs_node_at(arena, node)), key);
}

/* The key's bytes behind the prefix, which it has. */
static uint64_t
head_behind(const gs_order *order, gs_slice key)
{
  size_t skipped = order->prefix.size;
  if (skipped > 0) {
    key = gs_slice_of(key.data + skipped, key.size - skipped);
  }
  return gs_slice_head(key);
}

size_t
gs_order_chunk_of(const gs_order *order, const gs_arena *arena, gs_slice key,
                  uint64_t head)
{
  size_t low = 0;
  size_t count = order->chunk_count;
  while (count > 1) {
    size_t half = count / 2;
    const gs_fence *fence = &order->fences[low + half];
    const uint32_t *nodes = gs_chunk_nodes(fence->chunk);
    bool is_at_or_after =
        fence->head < head ||
        (fence->head == head && compare(arena, head, nodes[0], key, head) <= 0);
    low = is_at_or_after ? low + half : low;
    count -= half;
  }
  return low;
}

static size_t
slot_of(const gs_chunk *chunk, const gs_arena *arena, gs_slice key,
        uint64_t head)
{
  const uint32_t *nodes = gs_chunk_nodes(chunk);
  size_t low = 0;
  size_t count = chunk->count;
  while (count > 0) {
    size_t half = count / 2;
    size_t middle = low + half;
    if (compare(arena, chunk->heads[middle], nodes[middle], key, head) < 0) {
      low = middle + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return low;
}

gs_place
gs_order_seek(const gs_order *order, const gs_arena *arena, gs_slice key)
{
  gs_slice prefix = order->prefix;
  gs_place first = {0, 0};
  gs_place end = {order->chunk_count, 0};
  if (order->chunk_count == 0) {
    return end;
  }
  if (!gs_slice_has_prefix(key, prefix)) {
    return gs_slice_compare(key, prefix) < 0 ? first : end;
  }
  uint64_t head = head_behind(order, key);
  size_t at = gs_order_chunk_of(order, arena, key, head);
  const gs_chunk *chunk = order->fences[at].chunk;
  size_t slot = slot_of(chunk, arena, key, head);
  return slot < chunk->count ? (gs_place){at, slot} : (gs_place){at + 1, 0};
}

static gs_status
verify_key(const gs_order *order, const gs_arena *arena, gs_place place,
           const gs_slice *before, gs_error *err)
{
  gs_slice key = gs_node_key(gs_node_at(arena, gs_order_node(order, place)));
  if (!gs_slice_has_prefix(key, order->prefix)) {
    return GS_FAIL(err, GS_CORRUPT,
                   "chunk %zu slot %zu of the order lacks the prefix",
                   place.chunk, place.slot);
  }
  if (head_behind(order, key) !=
      order->fences[place.chunk].chunk->heads[place.slot]) {
    return GS_FAIL(err, GS_CORRUPT,
                   "chunk %zu slot %zu of the order has a wrong head",
                   place.chunk, place.slot);
  }
  if (before != NULL && gs_slice_compare(*before, key) >= 0) {
    return GS_FAIL(err, GS_CORRUPT,
                   "chunk %zu slot %zu of the order is not above its neighbour",
                   place.chunk, place.slot);
  }
  return GS_OK;
}

static gs_status
verify_chunk(const gs_order *order, const gs_arena *arena, size_t at,
             gs_slice *before, gs_error *err)
{
  const gs_fence *fence = &order->fences[at];
  size_t count = fence->chunk->count;
  if (count == 0 || count > GS_CHUNK_MAX_KEYS ||
      fence->head != fence->chunk->heads[0]) {
    return GS_FAIL(err, GS_CORRUPT, "chunk %zu of the order has a wrong fence",
                   at);
  }
  for (size_t slot = 0; slot < count; slot++) {
    gs_place place = {at, slot};
    bool is_first = at == 0 && slot == 0;
    gs_status status =
        verify_key(order, arena, place, is_first ? NULL : before, err);
    if (status != GS_OK) {
      return status;
    }
    *before = gs_node_key(gs_node_at(arena, gs_order_node(order, place)));
  }
  return GS_OK;
}

gs_status
gs_order_verify(const gs_order *order, const gs_arena *arena, gs_error *err)
{
  gs_slice before = {NULL, 0};
  size_t key_count = 0;
  for (size_t at = 0; at < order->chunk_count; at++) {
    gs_status status = verify_chunk(order, arena, at, &before, err);
    if (status != GS_OK) {
      return status;
    }
    key_count += order->fences[at].chunk->count;
  }
  if (key_count != order->key_count) {
    return GS_FAIL(err, GS_CORRUPT, "the order counts %zu keys and has %zu",
                   order->key_count, key_count);
  }
  return GS_OK;
}
