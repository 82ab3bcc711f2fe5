#ifndef GS_CTEST_BENCH_EXP3_MEMTABLE_H
#define GS_CTEST_BENCH_EXP3_MEMTABLE_H

/*
 * Experiment 3, the common part: rows, the arena they live in, and what a
 * contender must offer.
 *
 * Model: a row is { key length (2), value length (2), zero (4), key, value }.
 * One thread inserts; another may read at the same time.  Nothing is removed
 * before the whole table goes.
 *
 * Threads: `insert` belongs to one thread.  `get` may run in any other.
 * `order` and `scan` belong to one thread, which may be another one than the
 * writer's; they see at least every row inserted before they were called.
 */

#include "bench.h"

enum { KEY_BYTES = 16, VALUE_BYTES = 100, ROW_HEADER_BYTES = 8 };
enum { ROW_BYTES = ROW_HEADER_BYTES + KEY_BYTES + VALUE_BYTES };

/* --- rows --- */

static inline const uint8_t *
row_key(const uint8_t *row)
{
  return row + ROW_HEADER_BYTES;
}

static inline const uint8_t *
row_value(const uint8_t *row)
{
  return row + ROW_HEADER_BYTES + KEY_BYTES;
}

static inline void
row_write(uint8_t *row, const uint8_t *key, const uint8_t *value)
{
  uint16_t lengths[4] = {KEY_BYTES, VALUE_BYTES, 0, 0};
  memcpy(row, lengths, ROW_HEADER_BYTES);
  memcpy(row + ROW_HEADER_BYTES, key, KEY_BYTES);
  memcpy(row + ROW_HEADER_BYTES + KEY_BYTES, value, VALUE_BYTES);
}

static inline int
key_compare(const uint8_t *a, const uint8_t *b)
{
  return memcmp(a, b, KEY_BYTES);
}

/* The eight key bytes from `skip` on as a number that orders like them. */
static inline uint64_t
key_head(const uint8_t *key, size_t skip)
{
  uint64_t head = 0;
  if (skip >= KEY_BYTES) {
    return 0;
  }
  size_t length = KEY_BYTES - skip < 8 ? KEY_BYTES - skip : 8;
  memcpy(&head, key + skip, length);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  head = __builtin_bswap64(head);
#endif
  return head;
}

/* --- the arena --- */

typedef struct row_arena {
  uint8_t *base;
  size_t capacity_bytes;
  _Atomic(size_t) end; /* rows below it are complete; moved by the writer */
} row_arena;

static inline void
arena_init(row_arena *arena, size_t capacity_bytes)
{
  arena->base = bench_map(capacity_bytes, false);
  arena->capacity_bytes = capacity_bytes;
  /* Offset 0 means "none" to the contenders. */
  atomic_init(&arena->end, 64);
}

static inline void
arena_deinit(row_arena *arena)
{
  bench_unmap(arena->base, arena->capacity_bytes);
}

static inline void *
arena_take(row_arena *arena, size_t bytes, size_t align)
{
  size_t at = atomic_load_explicit(&arena->end, memory_order_relaxed);
  at = (at + align - 1) / align * align;
  BENCH_REQUIRE(at + bytes <= arena->capacity_bytes);
  atomic_store_explicit(&arena->end, at + bytes, memory_order_release);
  return arena->base + at;
}

/* Appends a row; gives its offset.  Rows follow each other without gaps. */
static inline uint32_t
arena_add_row(row_arena *arena, const uint8_t *key, const uint8_t *value)
{
  size_t at = atomic_load_explicit(&arena->end, memory_order_relaxed);
  BENCH_REQUIRE(at + ROW_BYTES <= arena->capacity_bytes);
  row_write(arena->base + at, key, value);
  atomic_store_explicit(&arena->end, at + ROW_BYTES, memory_order_release);
  return (uint32_t)at;
}

/* --- what a scan hands its rows to --- */

typedef struct row_sink {
  const uint8_t *last_row; /* NULL before the first */
  size_t row_count;
  size_t limit;
  uint64_t sum;
} row_sink;

static inline bool
sink_is_full(const row_sink *sink)
{
  return sink->row_count == sink->limit;
}

/* Takes the next row, checks the order and reads the value.  Requires: the sink
 * is not full. */
static inline void
sink_add(row_sink *sink, const uint8_t *row)
{
  if (sink->last_row != NULL) {
    BENCH_REQUIRE(key_compare(row_key(sink->last_row), row_key(row)) < 0);
  }
  uint64_t stamp;
  memcpy(&stamp, row_value(row), sizeof stamp);
  sink->sum += stamp;
  sink->last_row = row;
  sink->row_count++;
}

/* --- a contender --- */

typedef struct contender {
  const char *name;
  bool can_share; /* readers may run beside the writer */
  bool can_mix;   /* scans between inserts are affordable at all */
  /* `skip`: leading bytes that all keys share. */
  void *(*open)(size_t row_count, size_t skip);
  void (*close)(void *table);
  /* Requires: the key is new. */
  void (*insert)(void *table, const uint8_t *key, const uint8_t *value);
  /* The row of `key`, or NULL. */
  const uint8_t *(*get)(void *table, const uint8_t *key);
  /* Makes the order that a following scan needs; NULL: there always is. */
  void (*order)(void *table);
  /* Hands rows from `from` on (NULL: the first) to `sink` until it is full. */
  void (*scan)(void *table, const uint8_t *from, row_sink *sink);
} contender;

#endif
