/*
 * Real threads on a real file system: writers, readers, snapshots, flushes,
 * merges and workers at once. What a reader sees is always some moment of what
 * the writers did: their counters never go back, and what was written together
 * is seen together.
 *
 * A thread that finds something wrong counts it; the test looks at the count.
 */
#include "store_kit.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "store/store.h"
#include "support/temp_test.h"

enum { WRITERS = 3, READERS = 3, THREADS_MAX = 16 };

typedef struct crowd {
  gs_store *store;
  atomic_uint wrong;   /* things found that must not be */
  atomic_int line;     /* where the first of them was found */
  atomic_uint writing; /* writers not yet done */
  uint32_t rounds;     /* of each writer */
  atomic_uint next;    /* number of the next member */
  atomic_uint_fast64_t looks;
} crowd;

static uint32_t
scaled(uint32_t count)
{
  const char *text = getenv("GS_SCALE");
  long scale = text == NULL ? 1 : strtol(text, NULL, 10);
  return count * (uint32_t)(scale < 1 ? 1 : scale);
}

static gs_options
options_of(gs_durability durability, uint32_t threads)
{
  gs_options options = kit_options();
  options.env = gs_env_posix();
  options.durability = durability;
  options.threads = threads;
  options.memtable_bytes = 16384;
  options.max_wal_bytes = 131072;
  options.wal_batch_ms = 1;
  options.max_stall_ms = 600000;
  return options;
}

static gs_store *
open_here(const gs_options *options)
{
  gs_store *store = NULL;
  KIT_OK(gs_open(temp_dir_at(&dir, "db"), options, &store, &kit_err));
  return store;
}

static void
expect_at(crowd *c, bool is_so, int line)
{
  int none = 0;
  if (!is_so) {
    atomic_fetch_add(&c->wrong, 1);
    atomic_compare_exchange_strong(&c->line, &none, line);
  }
}

#define EXPECT(c, is_so) expect_at((c), (is_so), __LINE__)

static void
check_right(crowd *c)
{
  if (atomic_load(&c->wrong) > 0) {
    fail_msg("%u things are wrong, the first in line %d",
             atomic_load(&c->wrong), atomic_load(&c->line));
  }
}

/* Runs the functions, each in a thread of its own, to their ends. */
static void
run_all(crowd *c, void (*const *runs)(void *), size_t count)
{
  gs_thread *threads[THREADS_MAX];
  for (size_t i = 0; i < count; i++) {
    KIT_OK(gs_thread_start(gs_env_posix(), runs[i], c, &threads[i], &kit_err));
  }
  for (size_t i = 0; i < count; i++) {
    gs_thread_join(threads[i]);
  }
}

/* ---- what a writer writes -------------------------------------------------- */

static gs_slice
key_of(char text[16], char kind, uint32_t member)
{
  int size = snprintf(text, 16, "%c%02u", kind, member);
  return gs_slice_of(text, (size_t)size);
}

static gs_slice
value_of(char text[64], uint32_t round)
{
  int size = snprintf(text, 64, "%u", round);
  memset(text + size, ' ', 63 - (size_t)size);
  return gs_slice_of(text, 63);
}

static uint32_t
round_of(gs_slice value)
{
  return (uint32_t)strtoul((const char *)value.data, NULL, 10);
}

/* The same round under two keys far apart. */
static void
write_round(crowd *c, gs_write_batch *batch, uint32_t member, uint32_t round)
{
  char key[16];
  char value[64];
  gs_slice text = value_of(value, round);
  EXPECT(c, gs_write_batch_put(batch, key_of(key, 'a', member), text, NULL,
                               NULL) == GS_OK);
  EXPECT(c, gs_write_batch_put(batch, key_of(key, 'z', member), text, NULL,
                               NULL) == GS_OK);
  EXPECT(c, gs_write_batch_commit(batch, NULL, NULL, NULL, NULL) == GS_OK);
}

/* Between the rounds single writes come and go. */
static void
write_noise(crowd *c, uint32_t member, uint32_t round)
{
  char key[32];
  char value[64];
  int size = snprintf(key, sizeof key, "m%02u%05u", member, round % 97);
  gs_slice name = gs_slice_of(key, (size_t)size);
  gs_status status =
      round % 3 == 0
          ? gs_delete(c->store, name, NULL, NULL, NULL)
          : gs_put(c->store, name, value_of(value, round), NULL, NULL, NULL);
  EXPECT(c, status == GS_OK);
}

static void
write(void *context)
{
  crowd *c = context;
  uint32_t member = atomic_fetch_add(&c->next, 1) % WRITERS;
  gs_write_batch *batch = NULL;
  EXPECT(c, gs_write_batch_new(c->store, &batch, NULL) == GS_OK);
  for (uint32_t round = 1; round <= c->rounds; round++) {
    write_round(c, batch, member, round);
    write_noise(c, member, round);
  }
  gs_write_batch_free(batch);
  atomic_fetch_sub(&c->writing, 1);
}

/* ---- what a reader sees ----------------------------------------------------- */

/* Rounds last seen by one reader. */
typedef struct seen {
  uint32_t rounds[WRITERS];
} seen;

static void
look_at_pairs(crowd *c, const gs_snapshot *snapshot, gs_buffer *bytes,
              seen *last)
{
  char names[2 * WRITERS][16];
  gs_slice keys[2 * WRITERS];
  gs_found found[2 * WRITERS];
  for (uint32_t i = 0; i < 2 * WRITERS; i++) {
    keys[i] = key_of(names[i], i % 2 == 0 ? 'a' : 'z', i / 2);
  }
  EXPECT(c, gs_get_many(c->store, snapshot, keys, 2 * WRITERS, bytes, found,
                        NULL) == GS_OK);
  for (size_t i = 0; i < WRITERS; i++) {
    const gs_found *a = &found[2 * i];
    const gs_found *z = &found[2 * i + 1];
    EXPECT(c, a->is_present == z->is_present);
    if (a->is_present && z->is_present) {
      uint32_t round = round_of(gs_slice_of(bytes->data + a->offset, a->size));
      EXPECT(c,
             round == round_of(gs_slice_of(bytes->data + z->offset, z->size)));
      EXPECT(c, round >= last->rounds[i]);
      last->rounds[i] = round;
    }
  }
  atomic_fetch_add(&c->looks, 1);
}

static void
look_by_key(crowd *c, seen *last)
{
  gs_value value;
  gs_value_init(&value, c->store);
  for (uint32_t i = 0; i < WRITERS; i++) {
    char key[16];
    gs_status status =
        gs_get(c->store, NULL, key_of(key, 'z', i), &value, NULL);
    if (status == GS_OK) {
      uint32_t round = round_of(gs_buffer_slice(&value.bytes));
      EXPECT(c, round >= last->rounds[i]);
      last->rounds[i] = round;
    } else {
      EXPECT(c, status == GS_ABSENT && last->rounds[i] == 0);
    }
  }
  gs_value_deinit(&value);
}

/* Rounds of a whole scan, in either direction, for the keys of one kind. */
static void
scan_rounds(crowd *c, const gs_snapshot *snapshot, bool backward, char kind,
            uint32_t rounds[WRITERS])
{
  gs_scan *scan = NULL;
  EXPECT(c, gs_scan_new(c->store, snapshot, NULL, &scan, NULL) == GS_OK);
  memset(rounds, 0, WRITERS * sizeof rounds[0]);
  gs_status status =
      backward ? gs_scan_last(scan, NULL) : gs_scan_first(scan, NULL);
  while (status == GS_OK) {
    gs_slice key = gs_scan_key(scan);
    if ((char)key.data[0] == kind) {
      rounds[(key.data[2] - '0') % WRITERS] = round_of(gs_scan_value(scan));
    }
    status = backward ? gs_scan_prev(scan, NULL) : gs_scan_next(scan, NULL);
  }
  EXPECT(c, status == GS_ABSENT);
  gs_scan_free(scan);
}

/* On one snapshot the forward scan, the backward scan and reads by key agree,
 * whatever goes on meanwhile. */
static void
look_at_snapshot(crowd *c, gs_buffer *bytes)
{
  gs_snapshot *snapshot = NULL;
  uint32_t forward[WRITERS];
  uint32_t backward[WRITERS];
  seen at = {{0}};
  EXPECT(c, gs_snapshot_new(c->store, &snapshot, NULL) == GS_OK);
  look_at_pairs(c, snapshot, bytes, &at);
  scan_rounds(c, snapshot, false, 'a', forward);
  scan_rounds(c, snapshot, true, 'z', backward);
  EXPECT(c, memcmp(forward, backward, sizeof forward) == 0);
  EXPECT(c, memcmp(forward, at.rounds, sizeof forward) == 0);
  gs_snapshot_free(snapshot);
}

static void
read_on(void *context)
{
  crowd *c = context;
  seen last = {{0}};
  uint32_t rounds[WRITERS];
  gs_buffer bytes;
  gs_buffer_init(&bytes, gs_get_alloc(c->store));
  for (uint32_t turn = 0; atomic_load(&c->writing) > 0; turn++) {
    look_at_pairs(c, NULL, &bytes, &last);
    look_by_key(c, &last);
    if (turn % 8 == 0) {
      look_at_snapshot(c, &bytes);
      scan_rounds(c, NULL, turn % 16 == 0, 'a', rounds);
    }
  }
  gs_buffer_deinit(&bytes);
}

static void
disturb(void *context)
{
  crowd *c = context;
  for (uint32_t turn = 0; atomic_load(&c->writing) > 0; turn++) {
    gs_stats stats;
    gs_shape *shape = NULL;
    EXPECT(c, gs_flush(c->store, NULL) == GS_OK);
    gs_status status = turn % 2 == 0 ? gs_compact(c->store, NULL, NULL)
                                     : gs_sync(c->store, NULL);
    EXPECT(c, status == GS_OK || status == GS_BUSY);
    gs_get_stats(c->store, &stats);
    EXPECT(c, gs_shape_new(c->store, &shape, NULL) == GS_OK);
    gs_shape_free(shape);
  }
}

/* ---- the tests --------------------------------------------------------------- */

static void
check_end(const gs_options *options, uint32_t rounds)
{
  gs_store *store = open_here(options);
  crowd c = {.store = store};
  uint32_t found[WRITERS];
  scan_rounds(&c, NULL, false, 'a', found);
  for (size_t i = 0; i < WRITERS; i++) {
    assert_int_equal(found[i], rounds);
  }
  check_right(&c);
  KIT_OK(gs_verify(store, &kit_err));
  kit_close(store);
}

static void
run_crowd(gs_durability durability, uint32_t threads, uint32_t rounds)
{
  static void (*const runs[])(void *) = {write,   write,   write,  read_on,
                                         read_on, read_on, disturb};
  gs_options options = options_of(durability, threads);
  crowd c = {.store = open_here(&options), .rounds = rounds};
  atomic_store(&c.writing, WRITERS);
  run_all(&c, runs, sizeof runs / sizeof runs[0]);
  print_message("%u writes, %llu looks\n", rounds * 3 * WRITERS,
                (unsigned long long)atomic_load(&c.looks));
  check_right(&c);
  KIT_OK(gs_verify(c.store, &kit_err));
  kit_close(c.store);
  check_end(&options, rounds);
}

static void
test_readers_see_moments_while_writers_and_workers_work(void **state)
{
  (void)state;
  run_crowd(GS_DURABILITY_BATCH, 2, scaled(3000));
}

static void
test_readers_see_moments_of_synced_writes(void **state)
{
  (void)state;
  run_crowd(GS_DURABILITY_SYNC, 2, scaled(300));
}

static void
test_callers_that_do_the_work_themselves_hand_it_over_to_each_other(
    void **state)
{
  (void)state;
  run_crowd(GS_DURABILITY_OS, 0, scaled(2000));
}

static void
test_a_store_without_a_log_serves_many_threads(void **state)
{
  (void)state;
  run_crowd(GS_DURABILITY_MEMORY, 2, scaled(2000));
}

static void
open_and_close(void *context)
{
  crowd *c = context;
  gs_options options = options_of(GS_DURABILITY_OS, 1);
  for (uint32_t i = 0; i < c->rounds; i++) {
    char path[TEMP_DIR_BYTES + 8];
    gs_store *store = NULL;
    snprintf(path, sizeof path, "%s/db", dir.path);
    EXPECT(c, gs_open(path, &options, &store, NULL) == GS_OK);
    write_noise(&(crowd){.store = store}, 1, i);
    EXPECT(c, gs_close(store, NULL) == GS_OK);
  }
}

static void
test_threads_that_open_and_close_one_store_share_it(void **state)
{
  (void)state;
  static void (*const runs[])(void *) = {open_and_close, open_and_close,
                                         open_and_close, open_and_close};
  crowd c = {.rounds = scaled(40)};
  run_all(&c, runs, 4);
  check_right(&c);
}

/* ---- an opening that takes long ------------------------------------------------ */

static const gs_env_ops *quick_ops;
static atomic_bool is_held;   /* the opening of the slow store is at work */
static atomic_bool may_go_on; /* and may end */
static _Atomic(gs_store *) slow_stores[2];

/* Looking into the slow store's directory takes as long as the test wants, at
 * most until it would never end. */
static int
hooked_list(gs_env *env, const char *path, gs_name_visitor visit, void *context)
{
  if (strstr(path, "/slow") != NULL) {
    uint64_t until_us = gs_env_mono_us(env) + 20000000;
    atomic_store(&is_held, true);
    while (!atomic_load(&may_go_on) && gs_env_mono_us(env) < until_us) {
      sched_yield();
    }
  }
  return quick_ops->list(env, path, visit, context);
}

static void
open_slowly(void *context)
{
  crowd *c = context;
  char path[TEMP_DIR_BYTES + 8];
  gs_store *store = NULL;
  gs_options options = options_of(GS_DURABILITY_OS, 0);
  uint32_t member = atomic_fetch_add(&c->next, 1);
  snprintf(path, sizeof path, "%s/slow", dir.path);
  EXPECT(c, gs_open(path, &options, &store, NULL) == GS_OK);
  EXPECT(c, atomic_load(&may_go_on));
  atomic_store(&slow_stores[member], store);
}

static void
open_others_meanwhile(crowd *c)
{
  char path[TEMP_DIR_BYTES + 8];
  gs_options options = options_of(GS_DURABILITY_OS, 0);
  while (!atomic_load(&is_held)) {
    sched_yield();
  }
  for (int i = 0; i < 4; i++) {
    gs_store *store = NULL;
    snprintf(path, sizeof path, "%s/quick%d", dir.path, i % 2);
    EXPECT(c, gs_open(path, &options, &store, NULL) == GS_OK);
    EXPECT(c, !atomic_load(&may_go_on));
    EXPECT(c, gs_close(store, NULL) == GS_OK);
  }
}

static void
test_opening_a_store_waits_for_nobody_but_those_at_the_same_one(void **state)
{
  (void)state;
  gs_thread *threads[2];
  gs_env_ops ops = *gs_env_posix()->ops;
  crowd c = {0};
  assert_int_equal(mkdir(temp_dir_at(&dir, "slow"), 0777), 0);
  quick_ops = gs_env_posix()->ops;
  ops.list = hooked_list;
  gs_env_posix()->ops = &ops;
  for (size_t i = 0; i < 2; i++) {
    KIT_OK(gs_thread_start(gs_env_posix(), open_slowly, &c, &threads[i],
                           &kit_err));
  }
  open_others_meanwhile(&c);
  atomic_store(&may_go_on, true);
  for (size_t i = 0; i < 2; i++) {
    gs_thread_join(threads[i]);
  }
  gs_env_posix()->ops = quick_ops;
  check_right(&c);
  gs_store *store = atomic_load(&slow_stores[0]);
  assert_ptr_equal(store, atomic_load(&slow_stores[1]));
  kit_close(store);
  kit_close(store);
}

/* ---- one device flush for many ------------------------------------------------ */

enum { GROUP = 8 };

static const gs_env_ops *plain_ops;
static _Atomic(gs_store *) grouped; /* NULL: nothing is held up */
static atomic_uint syncs;

/* The first flush of the log takes until everybody has written. */
static int
hooked_sync(gs_file *file)
{
  gs_store *store = atomic_load(&grouped);
  if (store != NULL && strstr(file->path, ".wal") != NULL &&
      atomic_fetch_add(&syncs, 1) == 0) {
    while (atomic_load(&store->counters.puts) < GROUP) {
      sched_yield();
    }
  }
  return plain_ops->sync_data(file);
}

static void
put_synced(void *context)
{
  crowd *c = context;
  uint32_t member = atomic_fetch_add(&c->next, 1);
  char key[16];
  gs_write_options options = {.sync = true};
  gs_status status = gs_put(c->store, key_of(key, 'k', member),
                            gs_slice_str("v"), &options, NULL, NULL);
  EXPECT(c, status == GS_OK);
  EXPECT(c, gs_durable_seq(c->store) > 0);
}

static void
test_writers_that_come_during_a_sync_share_the_next_one(void **state)
{
  (void)state;
  static void (*const runs[GROUP])(void *) = {
      put_synced, put_synced, put_synced, put_synced,
      put_synced, put_synced, put_synced, put_synced};
  gs_options options = options_of(GS_DURABILITY_OS, 0);
  gs_env_ops ops = *gs_env_posix()->ops;
  plain_ops = gs_env_posix()->ops;
  ops.sync_data = hooked_sync;
  gs_env_posix()->ops = &ops;
  crowd c = {.store = open_here(&options)};
  gs_mutex_lock(c.store->commit);
  KIT_OK(gs_wal_make_room(c.store, 100, &kit_err));
  gs_mutex_unlock(c.store->commit);
  atomic_store(&grouped, c.store);
  run_all(&c, runs, GROUP);
  atomic_store(&grouped, NULL);
  check_right(&c);
  assert_int_equal(gs_durable_seq(c.store), GROUP);
  assert_true(kit_stats(c.store).wal_syncs <= 2);
  kit_close(c.store);
  gs_env_posix()->ops = plain_ops;
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      T(test_readers_see_moments_while_writers_and_workers_work),
      T(test_readers_see_moments_of_synced_writes),
      T(test_callers_that_do_the_work_themselves_hand_it_over_to_each_other),
      T(test_a_store_without_a_log_serves_many_threads),
      T(test_threads_that_open_and_close_one_store_share_it),
      T(test_opening_a_store_waits_for_nobody_but_those_at_the_same_one),
      T(test_writers_that_come_during_a_sync_share_the_next_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
