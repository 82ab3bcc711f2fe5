/*
 * What merging costs by itself: 1 to 8 sources over arrays, one million
 * entries in all, so that nothing but the merge is measured.
 *
 *   dense    16-byte decimal keys: they share their first 8 bytes
 *   spread   16-byte random keys: their first 8 bytes tell them apart
 *   turns    every key is in a random source, so the merge changes hands
 *   runs     a source holds 64 neighbouring keys at a time
 *   older    every fourth key has an older version in the last source
 *
 * Columns: the sources alone, one after the other; next of the merge; next of
 * a visible cursor over it; and a whole merge of all versions through gs_drop.
 * Each walk reads the keys. Nanoseconds per entry.
 */
#include "bench/bench.h"

#include "merge/drop.h"
#include "merge/merge.h"
#include "merge/visible.h"

enum {
  ENTRIES = 1000000,
  KEY_BYTES = 16,
  RUN_KEYS = 64,
  MAX_SOURCES = 8,
  REPEATS = 5
};

/* Sources ------------------------------------------------------------------ */

/* The plainest cursor: an array with one version per key. */
typedef struct plain_source {
  gs_cursor base;
  gs_entry *entries;
  size_t count;
  size_t at;
} plain_source;

static inline void
plain_stand(plain_source *source, size_t at)
{
  source->at = at;
  source->base.valid = at < source->count;
  if (source->base.valid) {
    source->base.entry = source->entries[at];
  }
}

static void
plain_first(gs_cursor *cursor)
{
  plain_stand((plain_source *)cursor, 0);
}

static void
plain_next(gs_cursor *cursor)
{
  plain_source *source = (plain_source *)cursor;
  plain_stand(source, source->at + 1);
}

static bool
plain_older(gs_cursor *cursor)
{
  (void)cursor;
  return false;
}

static const gs_cursor_ops plain_ops = {
    .first = plain_first, .next = plain_next, .older = plain_older};

/* Material ----------------------------------------------------------------- */

typedef struct material {
  const char *name;
  bool is_spread;
  bool has_runs;
  bool has_older;
} material;

static const material materials[] = {
    {"dense, turns", false, false, false},
    {"dense, runs", false, true, false},
    {"spread, turns", true, false, false},
    {"spread, runs", true, true, false},
    {"dense, turns, older", false, false, true},
};

enum { MATERIALS = sizeof materials / sizeof materials[0] };

static uint8_t *keys; /* ENTRIES rows, rising */
static plain_source sources[MAX_SOURCES];
static gs_cursor *cursors[MAX_SOURCES];

static int
compare_rows(const void *a, const void *b)
{
  return memcmp(a, b, KEY_BYTES);
}

static void
make_keys(bool is_spread)
{
  uint64_t random = 9;
  char digits[KEY_BYTES + 1];
  for (size_t i = 0; i < ENTRIES; i++) {
    uint64_t words[2] = {bench_random(&random), bench_random(&random)};
    snprintf(digits, sizeof digits, "%016zu", i);
    memcpy(keys + i * KEY_BYTES, is_spread ? (void *)words : (void *)digits,
           KEY_BYTES);
  }
  if (is_spread) {
    qsort(keys, ENTRIES, KEY_BYTES, compare_rows);
  }
}

static void
add(size_t place, size_t key, uint64_t seq)
{
  static const uint8_t value[100];
  plain_source *source = &sources[place];
  source->entries[source->count++] =
      (gs_entry){.key = gs_slice_of(keys + key * KEY_BYTES, KEY_BYTES),
                 .value = gs_slice_of(value, sizeof value),
                 .seq = seq,
                 .kind = GS_KIND_PUT};
}

/* Entries made; sequence numbers rise towards source 0. */
static size_t
fill_sources(const material *m, size_t source_count)
{
  BENCH_REQUIRE(source_count > 0);
  uint64_t random = 77;
  size_t made = 0;
  for (size_t i = 0; i < source_count; i++) {
    sources[i].base = (gs_cursor){.ops = &plain_ops};
    sources[i].count = 0;
    cursors[i] = &sources[i].base;
  }
  for (size_t key = 0; made < ENTRIES; key++) {
    uint64_t mix = key / RUN_KEYS * UINT64_C(0x9E3779B97F4A7C15);
    size_t place = m->has_runs ? (size_t)(mix >> 32) % source_count
                               : bench_random_below(&random, source_count);
    add(place, key, (MAX_SOURCES - place) * (uint64_t)ENTRIES + key);
    made++;
    if (m->has_older && key % 4 == 0 && place + 1 < source_count) {
      add(source_count - 1, key, key + 1);
      made++;
    }
  }
  return made;
}

/* Measures ----------------------------------------------------------------- */

static void *
heap_resize(gs_alloc *self, void *block, size_t old_size, size_t new_size)
{
  (void)self;
  (void)old_size;
  if (new_size == 0) {
    free(block);
    return NULL;
  }
  return realloc(block, new_size);
}

static gs_alloc heap = {.resize = heap_resize};
static uint64_t sink;

static double
walk(gs_cursor *cursor, size_t made)
{
  uint64_t start = bench_now_ns();
  uint64_t sum = 0;
  for (gs_cursor_first(cursor); cursor->valid; gs_cursor_next(cursor)) {
    sum += cursor->entry.seq + cursor->entry.key.data[KEY_BYTES - 1];
  }
  sink += sum;
  return bench_per_op(start, made);
}

static double
alone(size_t source_count, size_t made)
{
  double sum = 0;
  for (size_t i = 0; i < source_count; i++) {
    sum += walk(cursors[i], made);
  }
  return sum;
}

/* What a job does for one key; the key is copied as views require. */
static void
drop_key(gs_cursor *cursor, gs_drop *drop)
{
  uint8_t key[KEY_BYTES];
  gs_entry out[2];
  memcpy(key, cursor->entry.key.data, KEY_BYTES);
  gs_drop_begin(drop);
  do {
    gs_entry entry = cursor->entry;
    entry.key.data = key;
    int count = gs_drop_offer(drop, &entry, out);
    for (int i = 0; i < count; i++) {
      sink += out[i].seq;
    }
  } while (gs_cursor_older(cursor));
  if (gs_drop_finish(drop, false, out)) {
    sink += out[0].seq;
  }
}

static double
merge_through_drop(gs_cursor *cursor, size_t made)
{
  gs_drop drop;
  gs_drop_init(&drop, NULL, 0, 0);
  uint64_t start = bench_now_ns();
  for (gs_cursor_first(cursor); cursor->valid; gs_cursor_next(cursor)) {
    drop_key(cursor, &drop);
  }
  BENCH_REQUIRE(drop.counts.offered == made);
  return bench_per_op(start, made);
}

static void
measure(bench_grid *grid, int row, const material *m, size_t source_count)
{
  size_t made = fill_sources(m, source_count);
  gs_cursor *merge = NULL;
  BENCH_REQUIRE(
      gs_merge_cursor_new(&heap, cursors, source_count, &merge, NULL) == GS_OK);
  gs_visible_view view = {.seq = GS_SEQ_MAX, .now_ms = 1};
  gs_visible_cursor visible;
  gs_visible_cursor_init(&visible, merge, &view);
  for (int repeat = 0; repeat < REPEATS; repeat++) {
    bench_grid_add(grid, row, 0, alone(source_count, made));
    bench_grid_add(grid, row, 1, walk(merge, made));
    bench_grid_add(grid, row, 2, walk(&visible.base, made));
    bench_grid_add(grid, row, 3, merge_through_drop(merge, made));
  }
  gs_cursor_end(&visible.base);
  gs_cursor_end(merge);
}

int
main(void)
{
  static const char *const columns[] = {"sources alone", "merge next",
                                        "visible next", "through drop"};
  static const char *const rows[] = {"1 source", "2 sources", "4 sources",
                                     "8 sources"};
  keys = bench_alloc(ENTRIES, KEY_BYTES);
  for (size_t i = 0; i < MAX_SOURCES; i++) {
    sources[i].entries = bench_alloc(ENTRIES + 1, sizeof(gs_entry));
  }
  for (size_t i = 0; i < MATERIALS; i++) {
    static bench_grid grid;
    bench_grid_init(&grid, materials[i].name, rows, 4, columns, 4);
    make_keys(materials[i].is_spread);
    for (int row = 0; row < 4; row++) {
      measure(&grid, row, &materials[i], (size_t)1 << row);
    }
    bench_grid_print(&grid);
  }
  printf("\n(%llu)\n", (unsigned long long)sink);
  return 0;
}
