#ifndef GS_CTEST_BENCH_EXP4_TABLES_H
#define GS_CTEST_BENCH_EXP4_TABLES_H

/*
 * Experiment 4, the tables: runs of sorted blocks in memory, each with fences,
 * a Bloom filter and point indexes, so that every contender finds its way to
 * the same rows.
 *
 * Model:
 * - Row: { zero (8), key (16), value (100) }, at multiples of 4 in its block.
 * - Block of 4 KiB: { heads (8 each), row offsets in units of 4 (2 each),
 *   rows }, in key order; all blocks of a run but the last hold ROWS_PER_BLOCK.
 * - Fence: head of the first key of each block, in one array.
 * - Bloom filter: 10 bits per key in lines of 64 bytes, 6 bits per key, all in
 *   one line.
 * - Point index: buckets of 64 bytes: { count and overflow flag (1), 12
 *   fingerprints (2 each), 12 locators (26 bits each) }.  An entry whose bucket
 *   is full goes to the next, and the full one gets the flag.  Locator: block
 *   ordinal (16 bits), row offset in units of 4 (10 bits).
 */

#include "bench.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { KEY_BYTES = 16, VALUE_BYTES = 100, ROW_HEADER_BYTES = 8 };
enum { ROW_BYTES = ROW_HEADER_BYTES + KEY_BYTES + VALUE_BYTES };
enum { BLOCK_BYTES = 4096, LINE_BYTES = 64 };
enum { ROWS_PER_BLOCK = BLOCK_BYTES / (ROW_BYTES + 8 + 2) };
enum { OFFSETS_AT = ROWS_PER_BLOCK * 8, ROWS_AT = ROWS_PER_BLOCK * 10 };
enum { BLOOM_BITS_PER_KEY = 10, BLOOM_PROBES = 6 };
enum { BUCKET_ENTRIES = 12, BUCKET_LOCATORS_AT = 25, LOCATOR_BITS = 26 };
enum { BUCKET_OVERFLOW = 0x80, BUCKET_COUNT_MASK = 0x0f };
enum { INDEX_KINDS = 2, MAX_RUNS = 8, MAX_BLOCKS = 1 << 16 };

_Static_assert(ROWS_AT % 4 == 0 && ROW_BYTES % 4 == 0, "rows are 4-aligned");
_Static_assert(ROWS_AT + ROWS_PER_BLOCK * ROW_BYTES <= BLOCK_BYTES, "fits");

/* Entries per bucket of each kind of index: loads 0.8 and 0.67. */
static const double index_entries_per_bucket[INDEX_KINDS] = {9.6, 8.0};

typedef struct run_table {
  size_t row_count;
  size_t block_count;
  uint8_t *blocks;
  uint64_t *fences;
  size_t bloom_lines;
  uint8_t *bloom;
  size_t bucket_counts[INDEX_KINDS];
  uint8_t *buckets[INDEX_KINDS];
} run_table;

typedef struct run_set {
  int run_count;
  run_table runs[MAX_RUNS];
} run_set;

/* --- keys --- */

static inline uint64_t
key_hash(const uint8_t *key)
{
  return XXH3_64bits(key, KEY_BYTES);
}

static inline uint64_t
key_head(const uint8_t *key)
{
  uint64_t head;
  memcpy(&head, key, sizeof head);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  head = __builtin_bswap64(head);
#endif
  return head;
}

/* A number below `count` from the upper half of the hash. */
static inline size_t
hash_place(uint64_t hash, size_t count)
{
  return (size_t)(((hash >> 32) * (uint64_t)count) >> 32);
}

static inline uint16_t
hash_fingerprint(uint64_t hash)
{
  return (uint16_t)hash;
}

/* What a value starts with. */
static inline uint64_t
key_stamp(const uint8_t *key)
{
  return key_head(key) * UINT64_C(0x9E3779B97F4A7C15);
}

static inline const uint8_t *
row_key(const uint8_t *row)
{
  return row + ROW_HEADER_BYTES;
}

/* --- blocks --- */

static inline uint64_t
block_head(const uint8_t *block, size_t slot)
{
  uint64_t head;
  memcpy(&head, block + slot * 8, sizeof head);
  return head;
}

static inline const uint8_t *
block_row(const uint8_t *block, size_t slot)
{
  uint16_t offset;
  memcpy(&offset, block + OFFSETS_AT + slot * 2, sizeof offset);
  return block + (size_t)offset * 4;
}

static inline size_t
block_row_count(const run_table *table, size_t ordinal)
{
  size_t before = ordinal * ROWS_PER_BLOCK;
  size_t left = table->row_count - before;
  return left < ROWS_PER_BLOCK ? left : ROWS_PER_BLOCK;
}

static inline size_t
slot_row_offset(size_t slot)
{
  return ROWS_AT + slot * ROW_BYTES;
}

static inline void
block_put(uint8_t *block, size_t slot, const uint8_t *key)
{
  uint64_t head = key_head(key);
  uint64_t stamp = key_stamp(key);
  uint16_t offset = (uint16_t)(slot_row_offset(slot) / 4);
  uint8_t *row = block + slot_row_offset(slot);
  memcpy(block + slot * 8, &head, sizeof head);
  memcpy(block + OFFSETS_AT + slot * 2, &offset, sizeof offset);
  memcpy(row + ROW_HEADER_BYTES, key, KEY_BYTES);
  memset(row + ROW_HEADER_BYTES + KEY_BYTES, 'v', VALUE_BYTES);
  memcpy(row + ROW_HEADER_BYTES + KEY_BYTES, &stamp, sizeof stamp);
}

/* --- Bloom filter --- */

/* Bit number `probe` of a line, from the lower half of the hash. */
static inline unsigned
bloom_bit(uint64_t hash, unsigned probe)
{
  uint32_t mixed = (uint32_t)hash * (2 * probe + 0x9E3779B1u);
  return mixed >> 23;
}

static inline void
bloom_add(run_table *table, uint64_t hash)
{
  uint8_t *line =
      table->bloom + hash_place(hash, table->bloom_lines) * LINE_BYTES;
  for (unsigned p = 0; p < BLOOM_PROBES; p++) {
    unsigned bit = bloom_bit(hash, p);
    line[bit / 8] = (uint8_t)(line[bit / 8] | 1u << bit % 8);
  }
}

static inline bool
bloom_may_have(const uint8_t *line, uint64_t hash)
{
  for (unsigned p = 0; p < BLOOM_PROBES; p++) {
    unsigned bit = bloom_bit(hash, p);
    if ((line[bit / 8] >> bit % 8 & 1) == 0) {
      return false;
    }
  }
  return true;
}

/* --- point index --- */

static inline uint32_t
bucket_locator(const uint8_t *bucket, unsigned entry)
{
  uint32_t word;
  unsigned bit = entry * LOCATOR_BITS;
  memcpy(&word, bucket + BUCKET_LOCATORS_AT + bit / 8, sizeof word);
  return word >> bit % 8 & ((UINT32_C(1) << LOCATOR_BITS) - 1);
}

static inline void
bucket_put(uint8_t *bucket, uint16_t fingerprint, uint32_t locator)
{
  unsigned entry = bucket[0] & BUCKET_COUNT_MASK;
  unsigned bit = entry * LOCATOR_BITS;
  uint8_t *at = bucket + BUCKET_LOCATORS_AT + bit / 8;
  uint32_t word;
  memcpy(&word, at, sizeof word);
  word |= locator << bit % 8;
  memcpy(at, &word, sizeof word);
  memcpy(bucket + 1 + entry * 2, &fingerprint, sizeof fingerprint);
  bucket[0]++;
}

/* A mask with the top bit of each 16-bit lane of `word` that equals
 * `fingerprint`; exact in all lanes. */
static inline uint64_t
bucket_match(uint64_t word, uint16_t fingerprint)
{
  uint64_t low = UINT64_C(0x7fff7fff7fff7fff);
  uint64_t x = word ^ (UINT64_C(0x0001000100010001) * fingerprint);
  return ~(((x & low) + low) | x | low);
}

static inline void
index_add(run_table *table, int kind, uint64_t hash, uint32_t locator)
{
  size_t count = table->bucket_counts[kind];
  size_t at = hash_place(hash, count);
  uint8_t *bucket = table->buckets[kind] + at * LINE_BYTES;
  while ((bucket[0] & BUCKET_COUNT_MASK) == BUCKET_ENTRIES) {
    bucket[0] |= BUCKET_OVERFLOW;
    at = at + 1 == count ? 0 : at + 1;
    bucket = table->buckets[kind] + at * LINE_BYTES;
  }
  bucket_put(bucket, hash_fingerprint(hash), locator);
}

/* --- building --- */

static inline int
compare_keys(const void *a, const void *b)
{
  return memcmp(a, b, KEY_BYTES);
}

static inline void
run_allocate(run_table *table, size_t row_count, bool is_huge)
{
  table->row_count = row_count;
  table->block_count = (row_count + ROWS_PER_BLOCK - 1) / ROWS_PER_BLOCK;
  BENCH_REQUIRE(table->block_count <= MAX_BLOCKS);
  table->blocks = bench_map(table->block_count * BLOCK_BYTES, is_huge);
  table->fences = bench_alloc(table->block_count, sizeof *table->fences);
  table->bloom_lines = row_count * BLOOM_BITS_PER_KEY / (LINE_BYTES * 8) + 1;
  table->bloom = bench_map(table->bloom_lines * LINE_BYTES, is_huge);
  for (int k = 0; k < INDEX_KINDS; k++) {
    size_t count =
        (size_t)((double)row_count / index_entries_per_bucket[k]) + 2;
    table->bucket_counts[k] = count;
    table->buckets[k] = bench_map(count * LINE_BYTES, is_huge);
  }
}

static inline void
run_add(run_table *table, size_t number, const uint8_t *key)
{
  size_t ordinal = number / ROWS_PER_BLOCK;
  size_t slot = number % ROWS_PER_BLOCK;
  uint64_t hash = key_hash(key);
  uint32_t locator =
      (uint32_t)(ordinal << 10) | (uint32_t)(slot_row_offset(slot) / 4);
  block_put(table->blocks + ordinal * BLOCK_BYTES, slot, key);
  if (slot == 0) {
    table->fences[ordinal] = key_head(key);
  }
  bloom_add(table, hash);
  for (int k = 0; k < INDEX_KINDS; k++) {
    index_add(table, k, hash, locator);
  }
}

/* Builds a run of every `step`-th key from `first` on. */
static inline void
run_build(run_table *table, uint8_t (*keys)[KEY_BYTES], size_t key_count,
          size_t first, size_t step, bool is_huge)
{
  size_t count = (key_count - first + step - 1) / step;
  uint8_t(*sorted)[KEY_BYTES] = bench_alloc(count, KEY_BYTES);
  for (size_t i = 0; i < count; i++) {
    memcpy(sorted[i], keys[first + i * step], KEY_BYTES);
  }
  qsort(sorted, count, KEY_BYTES, compare_keys);
  run_allocate(table, count, is_huge);
  for (size_t i = 0; i < count; i++) {
    run_add(table, i, sorted[i]);
  }
  free(sorted);
}

static inline void
run_free(run_table *table)
{
  bench_unmap(table->blocks, table->block_count * BLOCK_BYTES);
  bench_unmap(table->bloom, table->bloom_lines * LINE_BYTES);
  for (int k = 0; k < INDEX_KINDS; k++) {
    bench_unmap(table->buckets[k], table->bucket_counts[k] * LINE_BYTES);
  }
  free(table->fences);
}

#endif
