/*
 * index: what is compared first is in the slot itself, so a probe that misses
 * touches no node. Neighbours share the top bits of their tags; the bits below
 * the home still tell them apart.
 */
#include "mem/index.h"

#include "base/check.h"

enum { FIRST_BITS = 10, TAG_BITS = 32 };

static size_t
slots_bytes(uint32_t mask)
{
  return sizeof(gs_slots) + ((size_t)mask + 1) * sizeof(uint64_t);
}

static gs_slots *
slots_new(gs_alloc *alloc, uint32_t bits, gs_slots *previous)
{
  uint32_t mask = (uint32_t)((UINT64_C(1) << bits) - 1);
  gs_slots *slots = gs_alloc_zeroed(alloc, slots_bytes(mask));
  if (slots != NULL) {
    slots->previous = previous;
    slots->shift = TAG_BITS - bits;
    slots->mask = mask;
  }
  return slots;
}

gs_status
gs_index_init(gs_index *index, gs_alloc *alloc, gs_error *err)
{
  gs_slots *slots = slots_new(alloc, FIRST_BITS, NULL);
  if (slots == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  index->alloc = alloc;
  index->expected_bits = FIRST_BITS;
  atomic_init(&index->slots, slots);
  return GS_OK;
}

void
gs_index_deinit(gs_index *index)
{
  gs_slots *slots = atomic_load_explicit(&index->slots, memory_order_relaxed);
  while (slots != NULL) {
    gs_slots *previous = slots->previous;
    gs_alloc_free(index->alloc, slots, slots_bytes(slots->mask));
    slots = previous;
  }
  atomic_init(&index->slots, NULL);
}

static void
place(gs_slots *slots, uint64_t value)
{
  uint32_t at = (uint32_t)(value >> TAG_BITS) >> slots->shift;
  while (atomic_load_explicit(&slots->slot[at], memory_order_relaxed) != 0) {
    at = (at + 1) & slots->mask;
  }
  atomic_store_explicit(&slots->slot[at], value, memory_order_release);
}

static gs_slots *
grown(gs_index *index, gs_slots *from, uint32_t bits)
{
  gs_slots *to = slots_new(index->alloc, bits, from);
  for (uint64_t at = 0; to != NULL && at <= from->mask; at++) {
    uint64_t value =
        atomic_load_explicit(&from->slot[at], memory_order_relaxed);
    if (value != 0) {
      place(to, value);
    }
  }
  return to;
}

/* Bits, at least those given, of homes in an array for so many keys. */
static uint32_t
bits_for(uint64_t key_count, uint32_t bits)
{
  while (key_count > (UINT64_C(1) << bits) / 2) {
    bits++;
  }
  return bits;
}

void
gs_index_expect(gs_index *index, uint64_t key_count)
{
  GS_ASSERT(key_count <= GS_INDEX_MAX_KEYS);
  index->expected_bits = bits_for(key_count, FIRST_BITS);
}

/* An array for so many keys, or of the expected size. Where there is no memory
 * for what was only expected, it is no longer. */
static gs_slots *
larger_for(gs_index *index, gs_slots *slots, uint64_t key_count)
{
  uint32_t needed = bits_for(key_count, TAG_BITS - slots->shift);
  if (key_count > GS_INDEX_FEW_KEYS && needed < index->expected_bits) {
    gs_slots *larger = grown(index, slots, index->expected_bits);
    if (larger != NULL) {
      return larger;
    }
    index->expected_bits = needed;
  }
  return grown(index, slots, needed);
}

gs_status
gs_index_reserve(gs_index *index, uint64_t key_count, gs_error *err)
{
  GS_ASSERT(key_count <= GS_INDEX_MAX_KEYS);
  gs_slots *slots = atomic_load_explicit(&index->slots, memory_order_relaxed);
  if (key_count <= ((uint64_t)slots->mask + 1) / 2) {
    return GS_OK;
  }
  gs_slots *larger = larger_for(index, slots, key_count);
  if (larger == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  atomic_store_explicit(&index->slots, larger, memory_order_release);
  return GS_OK;
}

void
gs_index_insert(gs_index *index, uint64_t hash, uint32_t node)
{
  gs_slots *slots = atomic_load_explicit(&index->slots, memory_order_relaxed);
  place(slots, hash >> TAG_BITS << TAG_BITS | node);
}

uint32_t
gs_index_find(const gs_index *index, const gs_arena *arena, gs_slice key,
              uint64_t hash)
{
  const gs_slots *slots =
      atomic_load_explicit(&index->slots, memory_order_acquire);
  uint32_t tag = (uint32_t)(hash >> TAG_BITS);
  for (uint32_t at = tag >> slots->shift;; at = (at + 1) & slots->mask) {
    uint64_t value =
        atomic_load_explicit(&slots->slot[at], memory_order_acquire);
    if (value == 0) {
      return 0;
    }
    uint32_t node = (uint32_t)value;
    if ((uint32_t)(value >> TAG_BITS) == tag &&
        gs_slice_equal(gs_node_key(gs_node_at(arena, node)), key)) {
      return node;
    }
  }
}

void
gs_index_prefetch(const gs_index *index, uint64_t hash)
{
  const gs_slots *slots =
      atomic_load_explicit(&index->slots, memory_order_acquire);
  uint32_t tag = (uint32_t)(hash >> TAG_BITS);
  __builtin_prefetch(&slots->slot[tag >> slots->shift]);
}

/* A node and its first row stand side by side. */
enum { NODE_LINES = 3 };

void
gs_index_prefetch_node(const gs_index *index, const gs_arena *arena,
                       uint64_t hash)
{
  const gs_slots *slots =
      atomic_load_explicit(&index->slots, memory_order_acquire);
  uint32_t tag = (uint32_t)(hash >> TAG_BITS);
  uint32_t at = tag >> slots->shift;
  uint64_t value = atomic_load_explicit(&slots->slot[at], memory_order_acquire);
  while (value != 0 && (uint32_t)(value >> TAG_BITS) != tag) {
    at = (at + 1) & slots->mask;
    value = atomic_load_explicit(&slots->slot[at], memory_order_acquire);
  }
  if (value != 0) {
    uintptr_t node = (uintptr_t)gs_node_at(arena, (uint32_t)value);
    for (size_t i = 0; i < NODE_LINES; i++) {
      __builtin_prefetch((const void *)(node + i * GS_ARENA_LINE_BYTES));
    }
  }
}

size_t
gs_index_bytes(const gs_index *index)
{
  size_t bytes = 0;
  const gs_slots *slots =
      atomic_load_explicit(&index->slots, memory_order_acquire);
  for (; slots != NULL; slots = slots->previous) {
    bytes += slots_bytes(slots->mask);
  }
  return bytes;
}
