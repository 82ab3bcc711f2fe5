/*
 * The table by itself: a million entries of 16-byte keys and 100-byte values,
 * one thread, all blocks in the cache unless said.
 *
 * Rows: random keys with a point index; the same without one; decimal keys,
 * which share their first bytes, with a point index; the same with each codec.
 * Half of a value is chance, so that blocks shrink to about a half.
 * Columns of writing:
 *   add         ns per entry, in key order
 *   finish      ns per entry; with a sync
 *   MB/s        key and value bytes over both times
 *   size        file bytes per key and value byte
 * Columns of reading, in ns per operation:
 *   load        the first walk, through pread and checksum, per entry
 *   own         a walk that leaves the cache alone, per entry
 *   next, prev  walks over cached blocks, per entry
 *   hit, miss   gets in random order; neighbours in time may overlap
 *   ... alone   the same, each waiting for the one before
 *   seek        to a random key, each waiting for the one before
 * Hashing and the epoch are part of every get. Every value read is checked.
 *
 *   table [scale]        1 is a million entries
 */
#include "bench/bench.h"

#include "code/hash.h"
#include "sst/table.h"
#include "sst/writer.h"

enum {
  KEY_BYTES = 16,
  VALUE_BYTES = 100,
  ENTRIES = 1000000,
  SEEKS = 200000,
  REPEATS = 3,
  SALT = 17,
};

static const uint64_t cache_bytes = UINT64_C(4) << 30;

typedef enum write_column {
  ADD,
  FINISH,
  SPEED,
  SIZE,
  WRITE_COLUMNS,
} write_column;

typedef enum scan_column {
  LOAD,
  OWN,
  NEXT,
  PREV,
  SCAN_COLUMNS,
} scan_column;

typedef enum read_column {
  HIT,
  HIT_ALONE,
  MISS,
  MISS_ALONE,
  SEEK,
  READ_COLUMNS,
} read_column;

static const char *const write_names[] = {"add", "finish", "MB/s", "size"};
static const char *const scan_names[] = {"load", "own", "next", "prev"};
static const char *const read_names[] = {"hit", "hit alone", "miss",
                                         "miss alone", "seek"};
static const char *const row_names[] = {
    "random keys, point index",  "random keys, fences only",
    "decimal keys, point index", "decimal keys, LZ4",
    "decimal keys, Zstandard",
};

static const gs_codec row_codecs[] = {
    GS_CODEC_NONE, GS_CODEC_NONE, GS_CODEC_NONE, GS_CODEC_LZ4, GS_CODEC_ZSTD};

enum { ROWS = sizeof row_codecs / sizeof row_codecs[0], POOL_BYTES = 1 << 16 };

typedef struct workload {
  size_t count;
  bool has_point_index;
  uint8_t (*keys)[KEY_BYTES];    /* in order */
  uint8_t (*queries)[KEY_BYTES]; /* the same, shuffled */
  uint8_t (*absent)[KEY_BYTES];  /* as many others */
  gs_env *env;
  gs_epoch *epoch;
  gs_cache *cache;
  gs_table *table;
  bench_grid *writes;
  bench_grid *scans;
  bench_grid *reads;
  int row;
} workload;

static void
make_key(uint8_t *key, uint64_t number, bool is_decimal, uint64_t *state)
{
  if (is_decimal) {
    char text[KEY_BYTES + 8];
    snprintf(text, sizeof text, "%016llu", (unsigned long long)number);
    memcpy(key, text, KEY_BYTES);
    return;
  }
  uint64_t words[2] = {bench_random(state), bench_random(state)};
  memcpy(key, words, KEY_BYTES);
}

static int
compare_keys(const void *a, const void *b)
{
  return memcmp(a, b, KEY_BYTES);
}

static void
shuffle(uint8_t (*keys)[KEY_BYTES], size_t count, uint64_t *state)
{
  for (size_t i = count; i > 1; i--) {
    size_t other = bench_random_below(state, i);
    uint8_t kept[KEY_BYTES];
    memcpy(kept, keys[i - 1], KEY_BYTES);
    memcpy(keys[i - 1], keys[other], KEY_BYTES);
    memcpy(keys[other], kept, KEY_BYTES);
  }
}

/* Even numbers are in the table, odd ones are not. */
static void
make_keys(workload *work, bool is_decimal)
{
  uint64_t state = 42;
  for (size_t i = 0; i < work->count; i++) {
    make_key(work->keys[i], 2 * i, is_decimal, &state);
    make_key(work->absent[i], 2 * i + 1, is_decimal, &state);
  }
  qsort(work->keys, work->count, KEY_BYTES, compare_keys);
  memcpy(work->queries, work->keys, work->count * KEY_BYTES);
  shuffle(work->queries, work->count, &state);
  shuffle(work->absent, work->count, &state);
}

/* ---- writing ------------------------------------------------------------- */

static void
add_all(workload *work, gs_table_writer *writer)
{
  static uint8_t pool[POOL_BYTES + VALUE_BYTES];
  uint8_t value[VALUE_BYTES];
  uint64_t state = 7;
  for (size_t i = 0; i < sizeof pool; i++) {
    pool[i] = (uint8_t)bench_random(&state);
  }
  memset(value, 7, sizeof value);
  for (size_t i = 0; i < work->count; i++) {
    memcpy(value, work->keys[i], KEY_BYTES);
    memcpy(value + KEY_BYTES, pool + i * 61 % POOL_BYTES, VALUE_BYTES / 2);
    gs_entry entry = {.key = gs_slice_of(work->keys[i], KEY_BYTES),
                      .value = gs_slice_of(value, VALUE_BYTES),
                      .seq = 1 + i,
                      .kind = GS_KIND_PUT};
    BENCH_REQUIRE(gs_table_writer_add(writer, &entry, NULL) == GS_OK);
  }
}

static void
write_and_open(workload *work, const char *path)
{
  gs_table_writer_options options = {.path = path,
                                     .id = 1,
                                     .salt = SALT,
                                     .codec = row_codecs[work->row],
                                     .has_point_index = work->has_point_index};
  gs_table_writer *writer = NULL;
  gs_table_meta meta;
  gs_buffer keys;
  gs_buffer_init(&keys, work->env->alloc);
  uint64_t start = bench_now_ns();
  BENCH_REQUIRE(gs_table_writer_new(work->env, &options, &writer, NULL) ==
                GS_OK);
  add_all(work, writer);
  double add = bench_per_op(start, work->count);
  uint64_t middle = bench_now_ns();
  BENCH_REQUIRE(gs_table_writer_finish(writer, &meta, &keys, NULL) == GS_OK);
  double finish = bench_per_op(middle, work->count);
  bench_grid_add(work->writes, work->row, ADD, add);
  bench_grid_add(work->writes, work->row, FINISH, finish);
  bench_grid_add(work->writes, work->row, SPEED,
                 1000.0 * (KEY_BYTES + VALUE_BYTES) / (add + finish));
  bench_grid_add(work->writes, work->row, SIZE,
                 (double)meta.file_bytes / (double)meta.data_bytes);
  BENCH_REQUIRE(gs_epoch_new(work->env, &work->epoch, NULL) == GS_OK);
  BENCH_REQUIRE(gs_cache_new(work->env, work->epoch, cache_bytes, &work->cache,
                             NULL) == GS_OK);
  BENCH_REQUIRE(gs_table_open(work->cache, path, SALT, &meta, &work->table,
                              NULL) == GS_OK);
  gs_buffer_deinit(&keys);
}

/* ---- scans --------------------------------------------------------------- */

static double
walk(workload *work, bool fills_cache, bool is_forward)
{
  gs_cursor *cursor = NULL;
  BENCH_REQUIRE(gs_table_cursor_new(work->table, fills_cache, &cursor, NULL) ==
                GS_OK);
  size_t count = 0;
  uint64_t sum = 0;
  uint64_t start = bench_now_ns();
  if (is_forward) {
    for (gs_cursor_first(cursor); cursor->valid; gs_cursor_next(cursor)) {
      sum += cursor->entry.value.size;
      count++;
    }
  } else {
    for (gs_cursor_last(cursor); cursor->valid; gs_cursor_prev(cursor)) {
      sum += cursor->entry.value.size;
      count++;
    }
  }
  double ns = bench_per_op(start, work->count);
  BENCH_REQUIRE(count == work->count && sum == count * VALUE_BYTES);
  gs_table_cursor_free(cursor);
  return ns;
}

static void
run_scans(workload *work)
{
  bench_grid_add(work->scans, work->row, OWN, walk(work, false, true));
  bench_grid_add(work->scans, work->row, LOAD, walk(work, true, true));
  bench_grid_add(work->scans, work->row, NEXT, walk(work, true, true));
  bench_grid_add(work->scans, work->row, PREV, walk(work, true, false));
}

/* ---- points -------------------------------------------------------------- */

static double
get_all(workload *work, uint8_t (*keys)[KEY_BYTES], bool are_there, bool alone)
{
  uint64_t start = bench_now_ns();
  for (size_t i = 0; i < work->count; i++) {
    gs_slice key = gs_slice_of(keys[i], KEY_BYTES);
    gs_entry entry;
    uint32_t slot = gs_epoch_enter(work->epoch);
    gs_status status = gs_table_get(work->table, key, gs_hash_key(key),
                                    GS_SEQ_MAX, &entry, NULL);
    BENCH_REQUIRE(status == (are_there ? GS_OK : GS_ABSENT));
    BENCH_REQUIRE(!are_there ||
                  memcmp(entry.value.data, keys[i], KEY_BYTES) == 0);
    gs_epoch_leave(work->epoch, slot);
    if (alone) {
      bench_serialise();
    }
  }
  return bench_per_op(start, work->count);
}

static double
seek_some(workload *work)
{
  gs_cursor *cursor = NULL;
  size_t count = work->count < SEEKS ? work->count : SEEKS;
  BENCH_REQUIRE(gs_table_cursor_new(work->table, true, &cursor, NULL) == GS_OK);
  uint64_t start = bench_now_ns();
  for (size_t i = 0; i < count; i++) {
    gs_cursor_seek(cursor, gs_slice_of(work->queries[i], KEY_BYTES));
    BENCH_REQUIRE(cursor->valid && memcmp(cursor->entry.value.data,
                                          work->queries[i], KEY_BYTES) == 0);
    bench_serialise();
  }
  double ns = bench_per_op(start, count);
  gs_table_cursor_free(cursor);
  return ns;
}

static void
run_points(workload *work)
{
  bench_grid *grid = work->reads;
  int row = work->row;
  bench_grid_add(grid, row, HIT, get_all(work, work->queries, true, false));
  bench_grid_add(grid, row, HIT_ALONE,
                 get_all(work, work->queries, true, true));
  bench_grid_add(grid, row, MISS, get_all(work, work->absent, false, false));
  bench_grid_add(grid, row, MISS_ALONE,
                 get_all(work, work->absent, false, true));
  bench_grid_add(grid, row, SEEK, seek_some(work));
}

static void
run_row(workload *work, int row)
{
  bench_file file = {.fd = -1};
  bench_file_open(&file, "table", 0);
  unlink(file.path);
  work->row = row;
  work->has_point_index = row != 1;
  make_keys(work, row >= 2);
  write_and_open(work, file.path);
  run_scans(work);
  run_points(work);
  gs_table_unref(work->table);
  gs_cache_free(work->cache);
  gs_epoch_free(work->epoch);
  bench_file_close(&file);
}

int
main(int argc, char **argv)
{
  bench_grid writes;
  bench_grid scans;
  bench_grid reads;
  bench_grid_init(&writes, "Writing", row_names, ROWS, write_names,
                  WRITE_COLUMNS);
  bench_grid_init(&scans, "Scans", row_names, ROWS, scan_names, SCAN_COLUMNS);
  bench_grid_init(&reads, "Points", row_names, ROWS, read_names, READ_COLUMNS);
  workload work = {
      .count = bench_scaled(bench_scale(argc, argv), ENTRIES, 1000),
      .env = gs_env_posix(),
      .writes = &writes,
      .scans = &scans,
      .reads = &reads,
  };
  work.keys = bench_alloc(work.count, KEY_BYTES);
  work.queries = bench_alloc(work.count, KEY_BYTES);
  work.absent = bench_alloc(work.count, KEY_BYTES);
  for (int repeat = 0; repeat < REPEATS; repeat++) {
    for (int row = 0; row < ROWS; row++) {
      run_row(&work, row);
    }
  }
  bench_grid_print(&writes);
  bench_grid_print(&scans);
  bench_grid_print(&reads);
  free(work.keys);
  free(work.queries);
  free(work.absent);
  return 0;
}
