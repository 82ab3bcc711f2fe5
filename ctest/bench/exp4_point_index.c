/*
 * Experiment 4: how a get finds its row among the runs: a point index per run,
 * which is filter and index in one, or the usual Bloom filter, fences and
 * search in the block.
 *
 * One million entries lie in 1, 4 or 8 runs whose ranges overlap entirely; a
 * get looks into the runs from the newest on.  Hits are spread evenly over the
 * runs; misses are keys that are nowhere.  Each contender works with and
 * without asking for the first line of every run beforehand, on memory of 4 KiB
 * pages and of huge pages.
 *
 * Two measures: gets that cannot overlap with each other, which is what a get
 * costs a caller who waits for it, and gets in a plain loop, where the
 * processor begins the next while the last still waits for memory.
 *
 * Every hit is checked by key and value, every miss by its absence.
 */

#include "exp4_tables.h"

enum { REPEATS = 3, WAYS_COUNT = 3, PAGE_KINDS = 2 };
enum { RUN_SHAPES = 3, COLUMN_COUNT = RUN_SHAPES * 2 };

static const int run_shapes[RUN_SHAPES] = {1, 4, 8};

/* --- the ways --- */

/* The row of `key`, or NULL; `wrong_looks` counts rows or blocks searched in
 * vain. */
typedef const uint8_t *(*get_function)(const run_set *set, const uint8_t *key,
                                       bool does_prefetch, size_t *wrong_looks);

static const uint8_t *
index_probe_bucket(const run_table *table, const uint8_t *bucket,
                   const uint8_t *key, uint16_t fingerprint,
                   size_t *wrong_looks)
{
  unsigned count = bucket[0] & BUCKET_COUNT_MASK;
  for (unsigned base = 0; base < BUCKET_ENTRIES; base += 4) {
    uint64_t word;
    memcpy(&word, bucket + 1 + base * 2, sizeof word);
    uint64_t match = bucket_match(word, fingerprint);
    for (; match != 0; match &= match - 1) {
      unsigned entry = base + (unsigned)__builtin_ctzll(match) / 16;
      if (entry >= count) {
        break;
      }
      uint32_t locator = bucket_locator(bucket, entry);
      const uint8_t *row = table->blocks +
                           (size_t)(locator >> 10) * BLOCK_BYTES +
                           (size_t)(locator & 1023u) * 4;
      if (memcmp(row_key(row), key, KEY_BYTES) == 0) {
        return row;
      }
      ++*wrong_looks;
    }
  }
  return NULL;
}

static const uint8_t *
index_probe(const run_table *table, int kind, const uint8_t *key, uint64_t hash,
            size_t *wrong_looks)
{
  size_t count = table->bucket_counts[kind];
  size_t at = hash_place(hash, count);
  for (;;) {
    const uint8_t *bucket = table->buckets[kind] + at * LINE_BYTES;
    const uint8_t *row = index_probe_bucket(
        table, bucket, key, hash_fingerprint(hash), wrong_looks);
    if (row != NULL || (bucket[0] & BUCKET_OVERFLOW) == 0) {
      return row;
    }
    at = at + 1 == count ? 0 : at + 1;
  }
}

static inline const uint8_t *
index_get(const run_set *set, int kind, const uint8_t *key, bool does_prefetch,
          size_t *wrong_looks)
{
  uint64_t hash = key_hash(key);
  for (int r = 0; does_prefetch && r < set->run_count; r++) {
    const run_table *table = &set->runs[r];
    size_t at = hash_place(hash, table->bucket_counts[kind]);
    __builtin_prefetch(table->buckets[kind] + at * LINE_BYTES);
  }
  for (int r = 0; r < set->run_count; r++) {
    const uint8_t *row =
        index_probe(&set->runs[r], kind, key, hash, wrong_looks);
    if (row != NULL) {
      return row;
    }
  }
  return NULL;
}

static const uint8_t *
dense_index_get(const run_set *set, const uint8_t *key, bool does_prefetch,
                size_t *wrong_looks)
{
  return index_get(set, 0, key, does_prefetch, wrong_looks);
}

static const uint8_t *
sparse_index_get(const run_set *set, const uint8_t *key, bool does_prefetch,
                 size_t *wrong_looks)
{
  return index_get(set, 1, key, does_prefetch, wrong_looks);
}

/* The last block whose first key is <= `key`; block 0 when there is none. */
static size_t
fence_find(const run_table *table, const uint8_t *key, uint64_t head)
{
  const uint64_t *fences = table->fences;
  size_t at = 0;
  for (size_t left = table->block_count; left > 1;) {
    size_t half = left / 2;
    at = fences[at + half] <= head ? at + half : at;
    left -= half;
  }
  while (at > 0 && fences[at] == head &&
         memcmp(row_key(block_row(table->blocks + at * BLOCK_BYTES, 0)), key,
                KEY_BYTES) > 0) {
    at--;
  }
  return at;
}

static const uint8_t *
block_find(const run_table *table, size_t ordinal, const uint8_t *key,
           uint64_t head)
{
  const uint8_t *block = table->blocks + ordinal * BLOCK_BYTES;
  size_t count = block_row_count(table, ordinal);
  size_t at = 0;
  for (size_t left = count; left > 1;) {
    size_t half = left / 2;
    at = block_head(block, at + half - 1) < head ? at + half : at;
    left -= half;
  }
  at += block_head(block, at) < head;
  for (; at < count && block_head(block, at) == head; at++) {
    const uint8_t *row = block_row(block, at);
    if (memcmp(row_key(row), key, KEY_BYTES) == 0) {
      return row;
    }
  }
  return NULL;
}

static const uint8_t *
bloom_get(const run_set *set, const uint8_t *key, bool does_prefetch,
          size_t *wrong_looks)
{
  uint64_t hash = key_hash(key);
  uint64_t head = key_head(key);
  for (int r = 0; does_prefetch && r < set->run_count; r++) {
    const run_table *table = &set->runs[r];
    size_t at = hash_place(hash, table->bloom_lines);
    __builtin_prefetch(table->bloom + at * LINE_BYTES);
  }
  for (int r = 0; r < set->run_count; r++) {
    const run_table *table = &set->runs[r];
    size_t line = hash_place(hash, table->bloom_lines);
    if (!bloom_may_have(table->bloom + line * LINE_BYTES, hash)) {
      continue;
    }
    const uint8_t *row =
        block_find(table, fence_find(table, key, head), key, head);
    if (row != NULL) {
      return row;
    }
    ++*wrong_looks;
  }
  return NULL;
}

static const struct {
  get_function get;
  const char *names[PAGE_KINDS][2]; /* by pages, by prefetching */
} ways[WAYS_COUNT] = {
    {bloom_get,
     {{"Bloom + fences", "Bloom + fences, prefetch"},
      {"Bloom + fences, huge", "Bloom + fences, prefetch, huge"}}},
    {dense_index_get,
     {{"index 0.8", "index 0.8, prefetch"},
      {"index 0.8, huge", "index 0.8, prefetch, huge"}}},
    {sparse_index_get,
     {{"index 0.67", "index 0.67, prefetch"},
      {"index 0.67, huge", "index 0.67, prefetch, huge"}}},
};

enum { ROW_COUNT = WAYS_COUNT * PAGE_KINDS * 2 };

/* --- measuring --- */

typedef struct query_keys {
  size_t count;
  uint8_t (*hits)[KEY_BYTES];
  uint8_t (*misses)[KEY_BYTES];
} query_keys;

static void
check_row(const uint8_t *row, const uint8_t *key, bool is_hit)
{
  BENCH_REQUIRE((row != NULL) == is_hit);
  if (row == NULL) {
    return;
  }
  uint64_t stamp;
  memcpy(&stamp, row_key(row) + KEY_BYTES, sizeof stamp);
  BENCH_REQUIRE(stamp == key_stamp(key));
}

/* Nanoseconds per get. */
static double
measure_gets(const run_set *set, int way, bool does_prefetch,
             const query_keys *asked, bool is_hit, bool is_serial)
{
  uint8_t(*keys)[KEY_BYTES] = is_hit ? asked->hits : asked->misses;
  size_t wrong_looks = 0;
  uint64_t start = bench_now_ns();
  for (size_t i = 0; i < asked->count; i++) {
    check_row(ways[way].get(set, keys[i], does_prefetch, &wrong_looks), keys[i],
              is_hit);
    if (is_serial) {
      bench_serialise();
    }
  }
  return bench_per_op(start, asked->count);
}

static int
grid_row(int way, int pages, int does_prefetch)
{
  return (way * PAGE_KINDS + pages) * 2 + does_prefetch;
}

/* All ways of getting, once, on one set. */
static void
measure_set(bench_grid *grid, const run_set *set, int shape, int pages,
            const query_keys *asked, bool is_serial)
{
  for (int i = 0; i < WAYS_COUNT * 2 * 2; i++) {
    int way = i / 4;
    bool does_prefetch = i / 2 % 2 == 1;
    bool is_hit = i % 2 == 0;
    double ns = measure_gets(set, way, does_prefetch, asked, is_hit, is_serial);
    int column = shape * 2 + (is_hit ? 0 : 1);
    bench_grid_add(grid, grid_row(way, pages, does_prefetch), column, ns);
  }
}

static void
print_wrong_looks(const run_set *set, const query_keys *asked)
{
  printf("%d run%s, wrong looks per missing key and run, %%:", set->run_count,
         set->run_count == 1 ? "" : "s");
  for (int w = 0; w < WAYS_COUNT; w++) {
    size_t wrong_looks = 0;
    for (size_t i = 0; i < asked->count; i++) {
      ways[w].get(set, asked->misses[i], false, &wrong_looks);
    }
    double probes = (double)asked->count * set->run_count;
    printf(" %s %.3f;", ways[w].names[0][0],
           100.0 * (double)wrong_looks / probes);
  }
  printf("\n");
}

static void
print_space(const run_table *table)
{
  double rows = (double)table->row_count;
  printf("Bytes per key: Bloom %.2f, fences %.2f",
         (double)(table->bloom_lines * LINE_BYTES) / rows,
         (double)(table->block_count * sizeof *table->fences) / rows);
  for (int k = 0; k < INDEX_KINDS; k++) {
    size_t flagged = 0;
    size_t count = table->bucket_counts[k];
    for (size_t i = 0; i < count; i++) {
      flagged += table->buckets[k][i * LINE_BYTES] >= BUCKET_OVERFLOW;
    }
    printf("; %s %.2f (%.1f %% of buckets overflow)", ways[k + 1].names[0][0],
           (double)(count * LINE_BYTES) / rows,
           100.0 * (double)flagged / (double)count);
  }
  printf("\n");
}

static void
print_huge_pages(void)
{
  char line[256];
  FILE *file = fopen("/proc/self/smaps_rollup", "re");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, "AnonHugePages:", 14) == 0) {
      printf("%s", line);
    }
  }
  if (file != NULL) {
    fclose(file);
  }
}

/* --- all --- */

static void
make_random_keys(uint8_t (*keys)[KEY_BYTES], size_t count, uint64_t seed)
{
  for (size_t i = 0; i < count; i++) {
    uint64_t words[2] = {bench_random(&seed), bench_random(&seed)};
    memcpy(keys[i], words, KEY_BYTES);
  }
}

static void
make_queries(query_keys *asked, uint8_t (*keys)[KEY_BYTES], size_t key_count)
{
  uint64_t random = 5;
  asked->hits = bench_alloc(asked->count, KEY_BYTES);
  asked->misses = bench_alloc(asked->count, KEY_BYTES);
  for (size_t i = 0; i < asked->count; i++) {
    memcpy(asked->hits[i], keys[bench_random_below(&random, key_count)],
           KEY_BYTES);
  }
  make_random_keys(asked->misses, asked->count, 77);
}

static void
build_sets(run_set *sets, int run_count, uint8_t (*keys)[KEY_BYTES],
           size_t key_count)
{
  for (int i = 0; i < PAGE_KINDS * run_count; i++) {
    run_set *set = &sets[i / run_count];
    int r = i % run_count;
    set->run_count = run_count;
    run_build(&set->runs[r], keys, key_count, (size_t)r, (size_t)run_count,
              i / run_count == 1);
  }
}

static void
run_shape(bench_grid *serial, bench_grid *loop, int shape,
          uint8_t (*keys)[KEY_BYTES], size_t key_count, const query_keys *asked)
{
  run_set sets[PAGE_KINDS];
  size_t rows_per_run = key_count / (size_t)run_shapes[shape] + 1;
  if (rows_per_run > (size_t)MAX_BLOCKS * ROWS_PER_BLOCK) {
    printf("%d run(s): too long for the locator, left out.\n",
           run_shapes[shape]);
    return;
  }
  build_sets(sets, run_shapes[shape], keys, key_count);
  print_space(&sets[0].runs[0]);
  print_huge_pages();
  print_wrong_looks(&sets[0], asked);
  for (int i = 0; i < REPEATS * PAGE_KINDS; i++) {
    int pages = i % PAGE_KINDS;
    measure_set(serial, &sets[pages], shape, pages, asked, true);
    measure_set(loop, &sets[pages], shape, pages, asked, false);
  }
  for (int i = 0; i < PAGE_KINDS * run_shapes[shape]; i++) {
    run_free(&sets[i / run_shapes[shape]].runs[i % run_shapes[shape]]);
  }
}

int
main(int argc, char **argv)
{
  static bench_grid serial, loop;
  static const char *const columns[COLUMN_COUNT] = {
      "1 run, hit",   "1 run, miss", "4 runs, hit",
      "4 runs, miss", "8 runs, hit", "8 runs, miss"};
  const char *names[ROW_COUNT];
  for (int i = 0; i < ROW_COUNT; i++) {
    names[i] = ways[i / 4].names[i / 2 % 2][i % 2];
  }
  bench_grid_init(&serial, "Gets one by one, ns", names, ROW_COUNT, columns,
                  COLUMN_COUNT);
  bench_grid_init(&loop, "Gets in a loop, ns", names, ROW_COUNT, columns,
                  COLUMN_COUNT);
  size_t key_count = bench_scaled(bench_scale(argc, argv), 1000000, 1000);
  query_keys asked = {.count = key_count / 4};
  uint8_t(*keys)[KEY_BYTES] = bench_alloc(key_count, KEY_BYTES);
  make_random_keys(keys, key_count, 42);
  make_queries(&asked, keys, key_count);
  printf("%zu entries of %d + %d bytes.\n", key_count, KEY_BYTES, VALUE_BYTES);
  for (int shape = 0; shape < RUN_SHAPES; shape++) {
    run_shape(&serial, &loop, shape, keys, key_count, &asked);
  }
  bench_grid_print(&serial);
  bench_grid_print(&loop);
  free(asked.hits);
  free(asked.misses);
  free(keys);
  return 0;
}
