/*
 * The memtable by itself: 16-byte keys with 100-byte values, one thread.
 *
 * Rows: random keys; rising keys; decimal keys in random order, which share
 * their first bytes. Columns, in ns per operation:
 *   insert      a new key
 *   overwrite   a second version for every key, in random order
 *   make order  of all keys at once, per key
 *   put+scan    a put of a new key, a new cursor, a seek and SCAN_ROWS rows,
 *               together
 *   hit, miss   gets in random order; neighbours in time may overlap
 *   ... alone   the same, each waiting for the one before
 *   walk        over all, per key
 *   seek        to a random key, each waiting for the one before
 * Hashing is part of every get. Every value read is checked.
 *
 *   memtable [scale]        1 is a million keys
 */
#include "bench/bench.h"

#include "code/hash.h"
#include "mem/memtable.h"

enum {
  KEY_BYTES = 16,
  VALUE_BYTES = 100,
  KEYS = 1000000,
  SEEKS = 200000,
  SCANS = 20000,
  SCAN_ROWS = 20,
  REPEATS = 3,
};

typedef enum write_column {
  INSERT,
  OVERWRITE,
  ORDER,
  PUT_SCAN,
  WRITE_COLUMNS,
} write_column;

typedef enum read_column {
  HIT,
  HIT_ALONE,
  MISS,
  MISS_ALONE,
  WALK,
  SEEK,
  READ_COLUMNS,
} read_column;

static const char *const write_names[WRITE_COLUMNS] = {
    "insert", "overwrite", "make order", "put+scan"};

static const char *const read_names[READ_COLUMNS] = {
    "hit", "hit alone", "miss", "miss alone", "walk", "seek"};

static const char *const row_names[] = {
    "random keys",
    "rising decimal keys",
    "decimal keys in random order",
};

typedef struct workload {
  size_t count;
  uint8_t (*keys)[KEY_BYTES];    /* in the order of insertion */
  uint8_t (*queries)[KEY_BYTES]; /* the same keys, shuffled */
  uint8_t (*absent)[KEY_BYTES];  /* as many others; SCANS go in later */
  gs_memtable *table;
  uint64_t seq;
} workload;

static uint8_t value_bytes[VALUE_BYTES];

static void
make_decimal(uint8_t *key, size_t number)
{
  char text[KEY_BYTES + 8];
  snprintf(text, sizeof text, "%016zu", number);
  memcpy(key, text, KEY_BYTES);
}

static void
make_random(uint8_t *key, uint64_t *random)
{
  uint64_t words[2] = {bench_random(random), bench_random(random)};
  memcpy(key, words, KEY_BYTES);
}

static void
shuffle(uint8_t (*keys)[KEY_BYTES], size_t count, uint64_t *random)
{
  for (size_t i = count - 1; i > 0; i--) {
    size_t other = bench_random_below(random, i + 1);
    uint8_t held[KEY_BYTES];
    memcpy(held, keys[i], KEY_BYTES);
    memcpy(keys[i], keys[other], KEY_BYTES);
    memcpy(keys[other], held, KEY_BYTES);
  }
}

static void
workload_init(workload *load, size_t count, int row)
{
  uint64_t random = 42;
  *load = (workload){.count = count};
  load->keys = bench_alloc(count, KEY_BYTES);
  load->queries = bench_alloc(count, KEY_BYTES);
  load->absent = bench_alloc(count, KEY_BYTES);
  for (size_t i = 0; i < count; i++) {
    if (row == 0) {
      make_random(load->keys[i], &random);
      make_random(load->absent[i], &random);
    } else {
      make_decimal(load->keys[i], 2 * i);
      make_decimal(load->absent[i], 2 * i + 1);
    }
  }
  if (row == 2) {
    shuffle(load->keys, count, &random);
  }
  memcpy(load->queries, load->keys, count * KEY_BYTES);
  shuffle(load->queries, count, &random);
  shuffle(load->absent, count, &random);
}

static void
workload_deinit(workload *load)
{
  free(load->keys);
  free(load->queries);
  free(load->absent);
}

static gs_slice
key_slice(const uint8_t *key)
{
  return gs_slice_of(key, KEY_BYTES);
}

static void
put(workload *load, const uint8_t *key)
{
  gs_entry entry = {.key = key_slice(key),
                    .value = gs_slice_of(value_bytes, VALUE_BYTES),
                    .seq = ++load->seq,
                    .kind = GS_KIND_PUT};
  BENCH_REQUIRE(gs_memtable_add(load->table, &entry, NULL) == GS_OK);
}

static double
time_puts(workload *load, uint8_t (*keys)[KEY_BYTES])
{
  uint64_t start = bench_now_ns();
  for (size_t i = 0; i < load->count; i++) {
    put(load, keys[i]);
  }
  return bench_per_op(start, load->count);
}

static double
time_gets(workload *load, bool is_present, bool is_alone)
{
  uint8_t(*keys)[KEY_BYTES] = is_present ? load->queries : load->absent;
  uint64_t start = bench_now_ns();
  for (size_t i = 0; i < load->count; i++) {
    gs_slice key = key_slice(keys[i]);
    gs_entry entry;
    bool found =
        gs_memtable_get(load->table, key, gs_hash_key(key), GS_SEQ_MAX, &entry);
    BENCH_REQUIRE(found == is_present);
    BENCH_REQUIRE(!found || entry.value.data[1] == value_bytes[1]);
    if (is_alone) {
      bench_serialise();
    }
  }
  return bench_per_op(start, load->count);
}

static gs_cursor *
open_cursor(workload *load, gs_memtable_cursor *cursor)
{
  BENCH_REQUIRE(
      gs_memtable_cursor_init(cursor, load->table, GS_SEQ_MAX, NULL) == GS_OK);
  return &cursor->base;
}

static double
time_walk(workload *load, gs_cursor *cursor)
{
  size_t count = 0;
  uint64_t start = bench_now_ns();
  for (gs_cursor_first(cursor); cursor->valid; gs_cursor_next(cursor)) {
    BENCH_REQUIRE(cursor->entry.value.data[1] == value_bytes[1]);
    count++;
  }
  double result = bench_per_op(start, count);
  BENCH_REQUIRE(count == load->count);
  return result;
}

static double
time_seeks(workload *load, gs_cursor *cursor)
{
  size_t count = load->count < SEEKS ? load->count : SEEKS;
  uint64_t start = bench_now_ns();
  for (size_t i = 0; i < count; i++) {
    gs_cursor_seek(cursor, key_slice(load->queries[i]));
    BENCH_REQUIRE(cursor->entry.value.data[1] == value_bytes[1]);
    bench_serialise();
  }
  return bench_per_op(start, count);
}

static double
time_put_scans(workload *load)
{
  size_t count = load->count < SCANS ? load->count : SCANS;
  uint64_t start = bench_now_ns();
  for (size_t i = 0; i < count; i++) {
    put(load, load->absent[i]);
    gs_memtable_cursor opened;
    gs_cursor *cursor = open_cursor(load, &opened);
    gs_cursor_seek(cursor, key_slice(load->queries[i]));
    for (int row = 0; row < SCAN_ROWS && cursor->valid; row++) {
      BENCH_REQUIRE(cursor->entry.value.data[1] == value_bytes[1]);
      gs_cursor_next(cursor);
    }
    gs_cursor_end(cursor);
  }
  return bench_per_op(start, count);
}

static void
print_memory(const workload *load, const char *when)
{
  gs_memtable_stats stats;
  gs_memtable_get_stats(load->table, &stats);
  printf("  %s: %.1f arena bytes per entry, %.1f bytes of hash and order per "
         "key\n",
         when, (double)stats.used_bytes / (double)stats.entry_count,
         ((double)stats.allocated_bytes -
          (double)load->count * 2 *
              (double)gs_memtable_entry_bytes(KEY_BYTES, VALUE_BYTES)) /
             (double)stats.key_count);
}

typedef struct results {
  bench_grid writes;
  bench_grid reads;
} results;

static void
run_reads(workload *load, bench_grid *grid, int row, gs_cursor *cursor)
{
  bench_grid_add(grid, row, HIT, time_gets(load, true, false));
  bench_grid_add(grid, row, HIT_ALONE, time_gets(load, true, true));
  bench_grid_add(grid, row, MISS, time_gets(load, false, false));
  bench_grid_add(grid, row, MISS_ALONE, time_gets(load, false, true));
  bench_grid_add(grid, row, WALK, time_walk(load, cursor));
  bench_grid_add(grid, row, SEEK, time_seeks(load, cursor));
}

static void
run(results *to, int row, size_t count, bool is_last)
{
  workload load;
  workload_init(&load, count, row);
  size_t capacity = 2 * gs_memtable_entry_bytes(KEY_BYTES, VALUE_BYTES) * count;
  BENCH_REQUIRE(gs_memtable_new(gs_env_posix(), NULL, capacity, 0, &load.table,
                                NULL) == GS_OK);
  bench_grid_add(&to->writes, row, INSERT, time_puts(&load, load.keys));
  gs_memtable_cursor opened;
  uint64_t start = bench_now_ns();
  gs_cursor *cursor = open_cursor(&load, &opened);
  bench_grid_add(&to->writes, row, ORDER, bench_per_op(start, count));
  if (is_last) {
    print_memory(&load, row_names[row]);
  }
  run_reads(&load, &to->reads, row, cursor);
  gs_cursor_end(cursor);
  bench_grid_add(&to->writes, row, PUT_SCAN, time_put_scans(&load));
  bench_grid_add(&to->writes, row, OVERWRITE, time_puts(&load, load.queries));
  gs_memtable_unref(load.table);
  workload_deinit(&load);
}

int
main(int argc, char **argv)
{
  size_t count = bench_scaled(bench_scale(argc, argv), KEYS, 1000);
  memset(value_bytes, 'v', sizeof value_bytes);
  int row_count = (int)(sizeof row_names / sizeof row_names[0]);
  printf("memtable, %zu keys, ns per operation\n", count);
  results to;
  bench_grid_init(&to.writes, "writes and order", row_names, row_count,
                  write_names, WRITE_COLUMNS);
  bench_grid_init(&to.reads, "reads", row_names, row_count, read_names,
                  READ_COLUMNS);
  for (int repeat = 0; repeat < REPEATS; repeat++) {
    for (int row = 0; row < row_count; row++) {
      run(&to, row, count, repeat == REPEATS - 1);
    }
  }
  bench_grid_print(&to.writes);
  bench_grid_print(&to.reads);
  return 0;
}
