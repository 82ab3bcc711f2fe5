/*
 * Experiment 3: which structure the memtable should be.
 *
 * Contenders: a skip list, a B+tree with key heads, an adaptive radix tree, and
 * a hash over an append-only arena whose order is made on demand, either in one
 * sort or in sorted increments.
 *
 * Key sets: 16 random bytes; the decimal numbers 0, 1, 2, ... in rising order;
 * the same in random order (such keys share their first bytes).
 *
 * Measures, in ns: insert, get of a present key in random order, making the
 * order (per entry), iterating over everything once (per entry), and mixed: one
 * insert per 19 scans of 1 to 100 rows, per operation, on a half-filled table
 * that has its order.  Then with two threads: one inserts the second half while
 * another gets, or scans, rows of the first half; the writer runs flat out, or
 * at one insert per microsecond, as behind a log.
 *
 * Every value read is checked; every scan must rise strictly.
 */

#include "exp3_memtable.h"
#include "exp3_art.h"
#include "exp3_btree.h"
#include "exp3_hash.h"
#include "exp3_skiplist.h"

#include <pthread.h>

enum {
  REPEATS = 3,
  MAX_SCAN_ROWS = 100,
  SCANS_PER_INSERT = 19,
  PACE_NS = 1000
};

static const contender *const contenders[] = {
    &skip_contender,
    &tree_contender,
    &art_contender,
    &hash_at_once_contender,
    &hash_increments_contender,
};

enum { CONTENDER_COUNT = sizeof contenders / sizeof contenders[0] };

/* --- keys and values --- */

typedef struct key_set {
  const char *name;
  size_t count;
  size_t skip; /* leading bytes all keys share */
  uint8_t (*keys)[KEY_BYTES];
  uint8_t (*queries)[KEY_BYTES]; /* the keys, each half in random order */
} key_set;

static void
make_decimal(uint8_t *key, size_t number)
{
  char text[KEY_BYTES + 8];
  snprintf(text, sizeof text, "%016zu", number);
  memcpy(key, text, KEY_BYTES);
}

static void
make_random_keys(key_set *set)
{
  uint64_t random = 42;
  set->name = "random 16-byte keys";
  set->skip = 0;
  for (size_t i = 0; i < set->count; i++) {
    uint64_t words[2] = {bench_random(&random), bench_random(&random)};
    memcpy(set->keys[i], words, KEY_BYTES);
  }
}

static void
make_sequential_keys(key_set *set)
{
  set->name = "sequential decimal keys";
  set->skip = 8;
  for (size_t i = 0; i < set->count; i++) {
    make_decimal(set->keys[i], i);
  }
}

static void
shuffle(uint8_t (*keys)[KEY_BYTES], size_t count, uint64_t seed)
{
  for (size_t i = count - 1; i > 0; i--) {
    uint8_t swap[KEY_BYTES];
    size_t j = bench_random_below(&seed, i + 1);
    memcpy(swap, keys[i], KEY_BYTES);
    memcpy(keys[i], keys[j], KEY_BYTES);
    memcpy(keys[j], swap, KEY_BYTES);
  }
}

static void
make_shuffled_keys(key_set *set)
{
  make_sequential_keys(set);
  set->name = "shuffled decimal keys";
  shuffle(set->keys, set->count, 43);
}

static void
make_queries(key_set *set)
{
  size_t half = set->count / 2;
  memcpy(set->queries, set->keys, set->count * KEY_BYTES);
  shuffle(set->queries, half, 44);
  shuffle(set->queries + half, set->count - half, 45);
}

/* A value starts with a stamp computed from its key. */
static uint64_t
key_stamp(const uint8_t *key)
{
  uint64_t words[2];
  memcpy(words, key, KEY_BYTES);
  return (words[0] ^ (words[1] * UINT64_C(0x9E3779B97F4A7C15))) >> 8;
}

static void
insert_key(const contender *c, void *table, const uint8_t *key)
{
  static _Thread_local uint8_t value[VALUE_BYTES];
  uint64_t stamp = key_stamp(key);
  memcpy(value, &stamp, sizeof stamp);
  c->insert(table, key, value);
}

static void
insert_keys(const contender *c, void *table, const key_set *set, size_t first,
            size_t end)
{
  for (size_t i = first; i < end; i++) {
    insert_key(c, table, set->keys[i]);
  }
}

static void
get_and_check(const contender *c, void *table, const uint8_t *key)
{
  const uint8_t *row = c->get(table, key);
  BENCH_REQUIRE(row != NULL);
  uint64_t stamp;
  memcpy(&stamp, row_value(row), sizeof stamp);
  BENCH_REQUIRE(key_compare(row_key(row), key) == 0);
  BENCH_REQUIRE(stamp == key_stamp(key));
}

static void
make_order(const contender *c, void *table)
{
  if (c->order != NULL) {
    c->order(table);
  }
}

/* Scans some rows from a present key on; `state` drives the choice. */
static void
scan_and_check(const contender *c, void *table, const key_set *set,
               size_t count, uint64_t *state)
{
  row_sink sink = {.limit = 1 + bench_random_below(state, MAX_SCAN_ROWS)};
  const uint8_t *from = set->keys[bench_random_below(state, count)];
  c->scan(table, from, &sink);
  BENCH_REQUIRE(sink.row_count > 0);
}

/* --- one thread --- */

enum { INSERT, GET, ORDER, ITERATE, MIXED, SINGLE_COUNT };

static const char *const single_columns[] = {"insert", "get", "make order",
                                             "iterate", "mixed"};

static void
measure_gets(bench_grid *grid, int row, void *table, const key_set *set)
{
  const contender *c = contenders[row];
  uint64_t start = bench_now_ns();
  for (size_t i = 0; i < set->count; i++) {
    get_and_check(c, table, set->queries[i]);
  }
  bench_grid_add(grid, row, GET, bench_per_op(start, set->count));
}

static void
measure_iteration(bench_grid *grid, int row, void *table, const key_set *set)
{
  const contender *c = contenders[row];
  row_sink sink = {.limit = set->count + 1};
  uint64_t expected = 0;
  for (size_t i = 0; i < set->count; i++) {
    expected += key_stamp(set->keys[i]);
  }
  uint64_t start = bench_now_ns();
  make_order(c, table);
  if (c->order != NULL) {
    bench_grid_add(grid, row, ORDER, bench_per_op(start, set->count));
  }
  start = bench_now_ns();
  c->scan(table, NULL, &sink);
  bench_grid_add(grid, row, ITERATE, bench_per_op(start, set->count));
  BENCH_REQUIRE(sink.row_count == set->count && sink.sum == expected);
}

static void
measure_single(bench_grid *grid, int row, const key_set *set)
{
  const contender *c = contenders[row];
  void *table = c->open(set->count, set->skip);
  uint64_t start = bench_now_ns();
  insert_keys(c, table, set, 0, set->count);
  bench_grid_add(grid, row, INSERT, bench_per_op(start, set->count));
  measure_gets(grid, row, table, set);
  measure_iteration(grid, row, table, set);
  c->close(table);
}

static void
measure_mixed(bench_grid *grid, int row, const key_set *set)
{
  const contender *c = contenders[row];
  if (!c->can_mix) {
    return;
  }
  size_t half = set->count / 2;
  size_t insert_count = set->count / 200;
  uint64_t random = 9;
  void *table = c->open(set->count, set->skip);
  insert_keys(c, table, set, 0, half);
  make_order(c, table);
  uint64_t start = bench_now_ns();
  for (size_t i = 0; i < insert_count; i++) {
    insert_key(c, table, set->keys[half + i]);
    for (int s = 0; s < SCANS_PER_INSERT; s++) {
      scan_and_check(c, table, set, half + i + 1, &random);
    }
  }
  bench_grid_add(grid, row, MIXED,
                 bench_per_op(start, insert_count * (SCANS_PER_INSERT + 1)));
  c->close(table);
}

/* --- two threads --- */

enum { INSERT_BESIDE_GETS, GET_BESIDE, INSERT_BESIDE_SCANS, SCAN_BESIDE };
enum { SCAN_PACED = SCAN_BESIDE + 1, LONGEST_PACED, SHARED_COUNT };

static const char *const shared_columns[] = {
    "insert (gets)", "get",         "insert (scans)",
    "scan",          "scan, paced", "paced, longest"};

typedef struct reader {
  pthread_t thread;
  const contender *contender;
  void *table;
  const key_set *set;
  bool does_scans;
  atomic_bool has_begun;
  atomic_bool is_done;
  double ns_per_op;
  uint64_t longest_ns;
} reader;

static void
read_once(reader *r, size_t number, uint64_t *random)
{
  size_t half = r->set->count / 2;
  if (!r->does_scans) {
    get_and_check(r->contender, r->table, r->set->queries[number % half]);
    return;
  }
  uint64_t start = bench_now_ns();
  scan_and_check(r->contender, r->table, r->set, half, random);
  uint64_t took_ns = bench_now_ns() - start;
  if (took_ns > r->longest_ns) {
    r->longest_ns = took_ns;
  }
}

static void *
read_loop(void *argument)
{
  reader *r = argument;
  uint64_t random = 11;
  size_t op_count = 0;
  atomic_store(&r->has_begun, true);
  uint64_t start = bench_now_ns();
  for (; op_count == 0 || !atomic_load(&r->is_done); op_count++) {
    read_once(r, op_count, &random);
  }
  r->ns_per_op = bench_per_op(start, op_count);
  return NULL;
}

/* Inserts the second half, one key per `pace_ns`; gives the ns per insert. */
static double
insert_second_half(reader *r, uint64_t pace_ns)
{
  size_t half = r->set->count / 2;
  uint64_t start = bench_now_ns();
  uint64_t due = start;
  for (size_t i = half; i < r->set->count; i++) {
    while (pace_ns > 0 && bench_now_ns() < due) {
    }
    insert_key(r->contender, r->table, r->set->keys[i]);
    due += pace_ns;
  }
  return bench_per_op(start, r->set->count - half);
}

/* Runs the reader beside the writer; gives the writer's ns per insert. */
static double
run_reader(reader *r, uint64_t pace_ns)
{
  size_t half = r->set->count / 2;
  r->table = r->contender->open(r->set->count, r->set->skip);
  insert_keys(r->contender, r->table, r->set, 0, half);
  make_order(r->contender, r->table);
  BENCH_REQUIRE(pthread_create(&r->thread, NULL, read_loop, r) == 0);
  while (!atomic_load(&r->has_begun)) {
  }
  double ns_per_insert = insert_second_half(r, pace_ns);
  atomic_store(&r->is_done, true);
  BENCH_REQUIRE(pthread_join(r->thread, NULL) == 0);
  for (size_t i = half; i < r->set->count; i += 97) {
    get_and_check(r->contender, r->table, r->set->keys[i]);
  }
  r->contender->close(r->table);
  return ns_per_insert;
}

static void
measure_shared(bench_grid *grid, int row, const key_set *set)
{
  const contender *c = contenders[row];
  if (!c->can_share) {
    return;
  }
  reader gets = {.contender = c, .set = set};
  double ns_per_insert = run_reader(&gets, 0);
  bench_grid_add(grid, row, INSERT_BESIDE_GETS, ns_per_insert);
  bench_grid_add(grid, row, GET_BESIDE, gets.ns_per_op);
  reader scans = {.contender = c, .set = set, .does_scans = true};
  ns_per_insert = run_reader(&scans, 0);
  bench_grid_add(grid, row, INSERT_BESIDE_SCANS, ns_per_insert);
  bench_grid_add(grid, row, SCAN_BESIDE, scans.ns_per_op);
  reader paced = {.contender = c, .set = set, .does_scans = true};
  run_reader(&paced, PACE_NS);
  bench_grid_add(grid, row, SCAN_PACED, paced.ns_per_op);
  bench_grid_add(grid, row, LONGEST_PACED, (double)paced.longest_ns);
}

/* --- all --- */

static void
run_key_set(key_set *set)
{
  static bench_grid single, shared;
  const char *names[CONTENDER_COUNT];
  char titles[2][128];
  for (int c = 0; c < CONTENDER_COUNT; c++) {
    names[c] = contenders[c]->name;
  }
  snprintf(titles[0], sizeof titles[0], "%s, one thread, ns", set->name);
  snprintf(titles[1], sizeof titles[1], "%s, 1 writer and 1 reader, ns",
           set->name);
  bench_grid_init(&single, titles[0], names, CONTENDER_COUNT, single_columns,
                  SINGLE_COUNT);
  bench_grid_init(&shared, titles[1], names, CONTENDER_COUNT, shared_columns,
                  SHARED_COUNT);
  make_queries(set);
  for (int i = 0; i < REPEATS * CONTENDER_COUNT; i++) {
    int row = i % CONTENDER_COUNT;
    measure_single(&single, row, set);
    measure_mixed(&single, row, set);
    measure_shared(&shared, row, set);
  }
  bench_grid_print(&single);
  bench_grid_print(&shared);
}

int
main(int argc, char **argv)
{
  key_set set = {.count = bench_scaled(bench_scale(argc, argv), 400000, 1000)};
  set.keys = bench_alloc(set.count, KEY_BYTES);
  set.queries = bench_alloc(set.count, KEY_BYTES);
  printf("%zu entries of %d + %d bytes.\n", set.count, KEY_BYTES, VALUE_BYTES);
  make_random_keys(&set);
  run_key_set(&set);
  make_sequential_keys(&set);
  run_key_set(&set);
  make_shuffled_keys(&set);
  run_key_set(&set);
  free(set.queries);
  free(set.keys);
  return 0;
}
