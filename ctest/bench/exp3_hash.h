#ifndef GS_CTEST_BENCH_EXP3_HASH_H
#define GS_CTEST_BENCH_EXP3_HASH_H

/*
 * Experiment 3: a hash of tags over an append-only arena; key order is made
 * when somebody asks for it.
 *
 * Model: a slot is { tag: upper 32 bits of the hash, row offset: 32 bits }, or
 * 0 when free.  A slot's home is given by the top bits of its tag, so doubling
 * reads the old slots from left to right and no key at all.  Rows lie in the
 * arena in the order of insertion.
 *
 * Threads: the writer publishes a slot by one release store, and a doubled
 * array of slots by another; old arrays stay until the table goes.
 *
 * Order belongs to the reader: it keeps sorted increments, oldest first, each
 * more than RATIO times as long as the next, and brings them up to the end of
 * the arena when asked (exp3_order.h).
 */

#include "exp3_memtable.h"
#include "exp3_order.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { HASH_FIRST_BITS = 10, HASH_MAX_BITS = 28 };

typedef struct hash_slots {
  int bits;
  _Atomic(uint64_t) *slots;
} hash_slots;

typedef struct hash_table {
  row_arena rows;
  row_order order;
  size_t row_count; /* the writer's */
  _Atomic(hash_slots *) current;
  hash_slots arrays[HASH_MAX_BITS + 1]; /* one per size used so far */
} hash_table;

static size_t
hash_slots_bytes(int bits)
{
  return ((size_t)1 << bits) * sizeof(_Atomic(uint64_t));
}

static hash_slots *
hash_new_slots(hash_table *table, int bits)
{
  BENCH_REQUIRE(bits <= HASH_MAX_BITS);
  hash_slots *array = &table->arrays[bits];
  void *slots = bench_map(hash_slots_bytes(bits), false);
  array->bits = bits;
  array->slots = slots;
  return array;
}

static void *
hash_open(size_t row_count, size_t skip)
{
  (void)skip;
  hash_table *table = bench_alloc(1, sizeof *table);
  arena_init(&table->rows, row_count * ROW_BYTES + (1 << 20));
  order_init(&table->order, &table->rows);
  atomic_init(&table->current, hash_new_slots(table, HASH_FIRST_BITS));
  return table;
}

static void
hash_close(void *handle)
{
  hash_table *table = handle;
  for (int bits = 0; bits <= HASH_MAX_BITS; bits++) {
    if (table->arrays[bits].slots != NULL) {
      bench_unmap((uint8_t *)table->arrays[bits].slots, hash_slots_bytes(bits));
    }
  }
  order_deinit(&table->order);
  arena_deinit(&table->rows);
  free(table);
}

static uint32_t
hash_tag(const uint8_t *key)
{
  return (uint32_t)(XXH3_64bits(key, KEY_BYTES) >> 32);
}

/* The slot that holds `key`, or the free slot where it belongs. */
static size_t
hash_find(const hash_table *table, const hash_slots *array, const uint8_t *key,
          uint32_t tag, uint64_t *slot)
{
  size_t mask = ((size_t)1 << array->bits) - 1;
  size_t at = tag >> (32 - array->bits);
  for (;; at = (at + 1) & mask) {
    *slot = atomic_load_explicit(&array->slots[at], memory_order_acquire);
    if (*slot == 0) {
      return at;
    }
    if ((uint32_t)(*slot >> 32) != tag) {
      continue;
    }
    const uint8_t *row = table->rows.base + (uint32_t)*slot;
    if (key_compare(row_key(row), key) == 0) {
      return at;
    }
  }
}

static void
hash_copy_slot(hash_slots *array, uint64_t slot)
{
  size_t mask = ((size_t)1 << array->bits) - 1;
  size_t at = (uint32_t)(slot >> 32) >> (32 - array->bits);
  while (atomic_load_explicit(&array->slots[at], memory_order_relaxed) != 0) {
    at = (at + 1) & mask;
  }
  atomic_store_explicit(&array->slots[at], slot, memory_order_relaxed);
}

static hash_slots *
hash_double(hash_table *table, const hash_slots *old)
{
  hash_slots *array = hash_new_slots(table, old->bits + 1);
  size_t count = (size_t)1 << old->bits;
  for (size_t i = 0; i < count; i++) {
    uint64_t slot = atomic_load_explicit(&old->slots[i], memory_order_relaxed);
    if (slot != 0) {
      hash_copy_slot(array, slot);
    }
  }
  atomic_store_explicit(&table->current, array, memory_order_release);
  return array;
}

static void
hash_insert(void *handle, const uint8_t *key, const uint8_t *value)
{
  hash_table *table = handle;
  hash_slots *array =
      atomic_load_explicit(&table->current, memory_order_relaxed);
  if (table->row_count >= ((size_t)1 << array->bits) / 4 * 3) {
    array = hash_double(table, array);
  }
  uint32_t tag = hash_tag(key);
  uint64_t found = 0;
  size_t at = hash_find(table, array, key, tag, &found);
  BENCH_REQUIRE(found == 0);
  uint64_t slot = (uint64_t)tag << 32 | arena_add_row(&table->rows, key, value);
  atomic_store_explicit(&array->slots[at], slot, memory_order_release);
  table->row_count++;
}

static const uint8_t *
hash_get(void *handle, const uint8_t *key)
{
  hash_table *table = handle;
  hash_slots *array =
      atomic_load_explicit(&table->current, memory_order_acquire);
  uint64_t slot = 0;
  hash_find(table, array, key, hash_tag(key), &slot);
  return slot == 0 ? NULL : table->rows.base + (uint32_t)slot;
}

/* All at once: one sort of everything. */
static void
hash_order_at_once(void *handle)
{
  hash_table *table = handle;
  order_catch_up(&table->order, SIZE_MAX);
}

/* As if somebody had asked after each so many rows. */
static void
hash_order_by_increments(void *handle)
{
  hash_table *table = handle;
  order_catch_up(&table->order, 4096);
}

static void
hash_scan(void *handle, const uint8_t *from, row_sink *sink)
{
  hash_table *table = handle;
  order_catch_up(&table->order, SIZE_MAX);
  order_scan(&table->order, from, sink);
}

static const contender hash_at_once_contender = {
    .name = "hash over arena, sorted at once",
    .can_share = false,
    .can_mix = false,
    .open = hash_open,
    .close = hash_close,
    .insert = hash_insert,
    .get = hash_get,
    .order = hash_order_at_once,
    .scan = hash_scan,
};

static const contender hash_increments_contender = {
    .name = "hash over arena, sorted increments",
    .can_share = true,
    .can_mix = true,
    .open = hash_open,
    .close = hash_close,
    .insert = hash_insert,
    .get = hash_get,
    .order = hash_order_by_increments,
    .scan = hash_scan,
};

#endif
