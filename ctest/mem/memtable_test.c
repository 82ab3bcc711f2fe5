/*
 * Tests of the memtable as its users meet it: gets of every key at every
 * moment, room and limits, failing memory, and readers beside a writer.
 */
#include "mem/mem_kit.h"

enum {
  ROUNDS = 12,
  ENTRIES = 400,
  SHARED_KEYS = 5003, /* prime */
  SHARED_WRITES = 40000,
  READERS = 3,
  READER_ROUNDS = 20,
};

static history *
history_new(uint64_t seed)
{
  history *past = calloc(1, sizeof *past);
  assert_non_null(past);
  past->random = seed;
  return past;
}

/* ---- against a model ----------------------------------------------------- */

static void
expect_get(const gs_memtable *table, const history *past, gs_slice key,
           uint64_t seq)
{
  gs_entry got;
  const gs_entry *wanted = history_get(past, key, seq);
  uint64_t hash = gs_hash_key(key);
  gs_memtable_prefetch(table, hash);
  gs_memtable_prefetch_row(table, hash);
  assert_int_equal(gs_memtable_get(table, key, hash, seq, &got),
                   wanted != NULL);
  if (wanted != NULL) {
    kit_expect_entry(&got, wanted);
  }
}

static void
test_every_key_is_got_as_of_every_moment(void **state)
{
  for (uint64_t round = 1; round <= ROUNDS; round++) {
    history *past = history_new(round);
    gs_memtable *table = kit_table(gs_sim_env(*state), KIT_CAPACITY);
    while (past->count < ENTRIES) {
      const gs_entry *entry = history_extend(past);
      kit_add(table, entry);
      expect_get(table, past, entry->key, entry->seq);
      expect_get(table, past, entry->key, GS_SEQ_MAX);
    }
    for (size_t i = 0; i < ENTRIES; i++) {
      for (uint64_t seq = 0; seq <= ENTRIES + 1; seq += 3) {
        expect_get(table, past, past->entries[i].key, seq);
      }
      uint8_t bytes[KIT_KEY_BYTES];
      gs_slice key = kit_random_key(&past->random, bytes);
      expect_get(table, past, key, GS_SEQ_MAX);
    }
    kit_expect_sound(table);
    gs_memtable_unref(table);
    free(past);
  }
}

static void
test_void_entries_are_as_if_they_had_never_been_added(void **state)
{
  history *past = history_new(3);
  gs_memtable *table = kit_table(gs_sim_env(*state), KIT_CAPACITY);
  while (past->count < ENTRIES) {
    kit_add(table, history_extend(past));
  }
  const uint64_t limit = ENTRIES / 2;
  gs_memtable_void_above(table, limit);
  for (size_t i = 0; i < ENTRIES; i++) {
    gs_slice key = past->entries[i].key;
    gs_entry got;
    const gs_entry *wanted = history_get(past, key, limit);
    assert_int_equal(
        gs_memtable_get(table, key, gs_hash_key(key), GS_SEQ_MAX, &got),
        wanted != NULL);
    if (wanted != NULL) {
      kit_expect_entry(&got, wanted);
    }
    expect_get(table, past, key, limit / 2);
  }
  gs_memtable_cursor walk;
  uint64_t count = 0;
  assert_int_equal(gs_memtable_cursor_init(&walk, table, GS_SEQ_MAX, NULL),
                   GS_OK);
  for (gs_cursor_first(&walk.base); walk.base.valid;
       gs_cursor_next(&walk.base)) {
    do {
      assert_true(walk.base.entry.seq <= limit);
      count++;
    } while (gs_cursor_older(&walk.base));
  }
  gs_cursor_end(&walk.base);
  assert_int_equal(count, limit);
  gs_memtable_unref(table);
  free(past);
}

static void
test_statistics_count_what_was_added(void **state)
{
  history *past = history_new(5);
  gs_memtable *table = kit_table(gs_sim_env(*state), KIT_CAPACITY);
  gs_memtable_stats stats;
  gs_memtable_get_stats(table, &stats);
  assert_int_equal(stats.used_bytes + stats.entry_count + stats.min_seq, 0);
  assert_int_equal(stats.created_ms, 7);
  gs_memtable_stats want = {0};
  while (past->count < ENTRIES) {
    size_t at = past->count;
    const gs_entry *entry = history_extend(past);
    want.key_count += history_get(past, entry->key, at) == NULL ? 1 : 0;
    want.tombstone_count += entry->kind == GS_KIND_DELETE ? 1 : 0;
    want.expiring_count += entry->expires_at_ms != 0 ? 1 : 0;
    want.data_bytes += entry->key.size + entry->value.size;
    past->entries[at].seq += 10;
    kit_add(table, entry);
    past->entries[at].seq -= 10;
  }
  gs_memtable_get_stats(table, &stats);
  assert_int_equal(stats.entry_count, ENTRIES);
  assert_int_equal(stats.key_count, want.key_count);
  assert_int_equal(stats.tombstone_count, want.tombstone_count);
  assert_int_equal(stats.expiring_count, want.expiring_count);
  assert_int_equal(stats.data_bytes, want.data_bytes);
  assert_int_equal(stats.min_seq, 11);
  assert_int_equal(stats.max_seq, ENTRIES + 10);
  assert_true(stats.used_bytes > want.data_bytes / 2);
  assert_int_equal(gs_memtable_used_bytes(table), stats.used_bytes);
  gs_memtable_unref(table);
  free(past);
}

static void
test_allocated_bytes_are_what_the_machine_gave(void **state)
{
  history *past = history_new(6);
  gs_memtable *table = kit_table(gs_sim_env(*state), KIT_CAPACITY);
  gs_memtable_stats first;
  gs_memtable_stats last;
  gs_memtable_get_stats(table, &first);
  uint64_t given = gs_sim_allocated_bytes(*state);
  while (past->count < KIT_ENTRIES) {
    kit_add(table, history_extend(past));
  }
  kit_expect_sound(table);
  gs_memtable_get_stats(table, &last);
  assert_int_equal(last.allocated_bytes - first.allocated_bytes,
                   gs_sim_allocated_bytes(*state) - given);
  assert_true(last.allocated_bytes > first.allocated_bytes);
  gs_memtable_unref(table);
  free(past);
}

/* ---- room ---------------------------------------------------------------- */

static void
test_a_full_table_refuses_and_stays_as_it_was(void **state)
{
  gs_memtable *table = kit_table(gs_sim_env(*state), 4096);
  assert_true(gs_memtable_is_empty(table));
  gs_entry entry = {.kind = GS_KIND_PUT, .value = gs_slice_str("some value")};
  size_t bytes = gs_memtable_entry_bytes(8, entry.value.size);
  uint64_t number = 0;
  entry.key = gs_slice_of(&number, sizeof number);
  while (gs_memtable_has_room(table, bytes, 1)) {
    entry.seq = ++number;
    kit_add(table, &entry);
  }
  assert_true(number >= 4096 / bytes);
  assert_false(gs_memtable_is_empty(table));
  uint64_t last = number;
  entry.seq = ++number;
  gs_error err;
  assert_int_equal(gs_memtable_add(table, &entry, &err), GS_LIMIT);
  gs_entry got;
  assert_false(gs_memtable_get(table, entry.key, gs_hash_key(entry.key),
                               GS_SEQ_MAX, &got));
  gs_memtable_stats stats;
  gs_memtable_get_stats(table, &stats);
  assert_int_equal(stats.entry_count, last);
  assert_int_equal(stats.max_seq, last);
  kit_expect_sound(table);
  gs_memtable_unref(table);
}

static void
test_has_room_promises_for_many_entries_together(void **state)
{
  gs_memtable *table = kit_table(gs_sim_env(*state), 4096);
  assert_true(gs_memtable_has_room(table, 4096, 1));
  assert_false(gs_memtable_has_room(table, 4097, 1));
  assert_false(gs_memtable_has_room(table, SIZE_MAX, 1));
  assert_false(gs_memtable_has_room(table, 0, SIZE_MAX));
  assert_int_equal(gs_memtable_entry_bytes(16, 100), 24 + 24 + 104);
  gs_memtable_unref(table);
}

static void
test_the_largest_key_is_kept(void **state)
{
  static uint8_t bytes[GS_KEY_MAX_BYTES];
  gs_memtable *table = kit_table(gs_sim_env(*state), KIT_CAPACITY);
  gs_entry entries[3];
  for (uint64_t i = 0; i < 3; i++) {
    entries[i] = (gs_entry){.key = gs_slice_of(bytes, GS_KEY_MAX_BYTES - i),
                            .value = gs_slice_of(bytes, 30000 * i),
                            .seq = i + 1,
                            .kind = GS_KIND_PUT};
    kit_add(table, &entries[i]);
  }
  for (uint64_t i = 0; i < 3; i++) {
    gs_entry got;
    assert_true(gs_memtable_get(table, entries[i].key,
                                gs_hash_key(entries[i].key), 3, &got));
    kit_expect_entry(&got, &entries[i]);
  }
  kit_expect_sound(table);
  gs_memtable_unref(table);
}

static void
test_after_a_reserve_adds_need_no_memory(void **state)
{
  history *past = history_new(8);
  gs_memtable *table = kit_table(gs_sim_env(*state), KIT_CAPACITY);
  assert_int_equal(gs_memtable_reserve(table, KIT_ENTRIES, NULL), GS_OK);
  gs_sim_fail_alloc(*state, 1, 1);
  while (past->count < KIT_ENTRIES) {
    kit_add(table, history_extend(past));
  }
  assert_int_equal(gs_memtable_reserve(table, KIT_ENTRIES, NULL), GS_NOMEM);
  gs_memtable_unref(table);
  free(past);
}

/* ---- failing memory ------------------------------------------------------ */

/* The table after one failed call must be the one before it. */
static void
add_despite_failure(gs_memtable *table, const gs_entry *entry, bool *has_failed)
{
  if (gs_memtable_add(table, entry, NULL) == GS_OK) {
    return;
  }
  assert_false(*has_failed);
  *has_failed = true;
  gs_entry got;
  gs_memtable_stats stats;
  gs_memtable_get_stats(table, &stats);
  assert_int_equal(stats.entry_count, entry->seq - 1);
  assert_false(gs_memtable_get(table, entry->key, gs_hash_key(entry->key),
                               GS_SEQ_MAX, &got));
  assert_int_equal(gs_memtable_add(table, entry, NULL), GS_OK);
}

static void
open_despite_failure(gs_memtable *table, gs_memtable_cursor *cursor,
                     bool *has_failed)
{
  if (gs_memtable_cursor_init(cursor, table, GS_SEQ_MAX, NULL) != GS_OK) {
    assert_false(*has_failed);
    *has_failed = true;
    gs_cursor_end(&cursor->base);
    assert_int_equal(gs_memtable_cursor_init(cursor, table, GS_SEQ_MAX, NULL),
                     GS_OK);
  }
}

/* Runs a table's life; false when memory failed before there was a table. */
static bool
live(gs_env *env, history *past, bool *has_failed)
{
  gs_memtable *table = NULL;
  if (gs_memtable_new(env, NULL, KIT_CAPACITY, 0, &table, NULL) != GS_OK) {
    assert_null(table);
    return false;
  }
  for (int part = 0; part < 3; part++) {
    for (int i = 0; i < 1200; i++) {
      add_despite_failure(table, history_extend(past), has_failed);
    }
    gs_memtable_cursor cursor;
    open_despite_failure(table, &cursor, has_failed);
    gs_entry *entries = history_sorted(past, past->count);
    cursor_battery battery = {
        .entries = entries, .entry_count = past->count, .random = 1};
    cursor_battery_sweep(&battery, &cursor.base);
    gs_cursor_end(&cursor.base);
    free(entries);
  }
  gs_memtable_unref(table);
  return true;
}

static void
test_any_failing_allocation_is_reported_and_changes_nothing(void **state)
{
  for (uint64_t nth = 1;; nth++) {
    history *past = history_new(9);
    bool has_failed = false;
    gs_sim_fail_alloc(*state, nth, 1);
    bool was_born = live(gs_sim_env(*state), past, &has_failed);
    gs_sim_fail_alloc(*state, 0, 1);
    free(past);
    assert_int_equal(gs_sim_allocated_bytes(*state), 0);
    if (was_born && !has_failed) {
      assert_true(nth > 15);
      return;
    }
  }
}

static void
test_a_dump_without_memory_fails(void **state)
{
  gs_memtable *table = kit_table(gs_sim_env(*state), KIT_CAPACITY);
  gs_entry entry = kit_put("k", "v", 1);
  kit_add(table, &entry);
  gs_buffer out;
  gs_buffer_init(&out, gs_sim_env(*state)->alloc);
  gs_sim_fail_alloc(*state, 1, 1);
  assert_int_equal(gs_memtable_dump(table, &out, NULL), GS_NOMEM);
  kit_expect_sound(table);
  gs_sim_fail_alloc(*state, 1, 1);
  assert_int_equal(gs_memtable_dump(table, &out, NULL), GS_NOMEM);
  kit_expect_unused_order(table);
  gs_buffer_deinit(&out);
  gs_memtable_unref(table);
}

/* ---- readers beside a writer --------------------------------------------- */

/* Write s goes to key s mod SHARED_KEYS, with s as its value, so that what any
 * moment should show follows from the moment alone. */
typedef struct sharing {
  gs_memtable *table;
  _Atomic uint64_t published;
  _Atomic uint64_t broken;  /* differences the readers found */
  _Atomic uint32_t readers; /* begun; the writer waits for all of them */
} sharing;

static gs_slice
shared_key(uint64_t number, uint8_t bytes[16])
{
  uint64_t mixed = number * UINT64_C(0x9e3779b97f4a7c15);
  memcpy(bytes, &mixed, sizeof mixed);
  memcpy(bytes + 8, &number, sizeof number);
  return gs_slice_of(bytes, 16);
}

static bool
is_write(const gs_entry *entry, uint64_t seq)
{
  return entry->seq == seq && entry->value.size == sizeof seq &&
         memcmp(entry->value.data, &seq, sizeof seq) == 0;
}

static void
run_writer(void *arg)
{
  sharing *all = arg;
  while (atomic_load(&all->readers) < READERS) {
    atomic_thread_fence(memory_order_seq_cst);
  }
  for (uint64_t seq = 1; seq <= SHARED_WRITES; seq++) {
    uint8_t bytes[16];
    gs_entry entry = {.key = shared_key(seq % SHARED_KEYS, bytes),
                      .value = gs_slice_of(&seq, sizeof seq),
                      .seq = seq,
                      .kind = GS_KIND_PUT};
    if (gs_memtable_add(all->table, &entry, NULL) != GS_OK) {
      atomic_fetch_add(&all->broken, 1);
    }
    atomic_store_explicit(&all->published, seq, memory_order_release);
  }
}

static bool
are_gets_right(const sharing *all, uint64_t *random)
{
  uint64_t newest = atomic_load_explicit(&all->published, memory_order_acquire);
  for (int i = 0; i < 50 && newest > 0; i++) {
    uint8_t bytes[16];
    gs_entry got;
    uint64_t seq = 1 + battery_random_below(random, newest);
    gs_slice key = shared_key(seq % SHARED_KEYS, bytes);
    if (!gs_memtable_get(all->table, key, gs_hash_key(key), seq, &got) ||
        !is_write(&got, seq)) {
      return false;
    }
  }
  return true;
}

/* The newest write to that key up to a moment. */
static uint64_t
newest_write(uint64_t number, uint64_t seq)
{
  return seq - (seq + SHARED_KEYS - number) % SHARED_KEYS;
}

static bool
is_walk_right(const sharing *all, uint64_t *random)
{
  uint64_t newest = atomic_load_explicit(&all->published, memory_order_acquire);
  uint64_t seq = battery_random_below(random, newest + 1);
  gs_memtable_cursor cursor;
  if (gs_memtable_cursor_init(&cursor, all->table, seq, NULL) != GS_OK) {
    return false;
  }
  uint64_t count = 0;
  uint8_t before[16] = {0};
  bool is_right = true;
  gs_cursor *at = &cursor.base;
  for (gs_cursor_first(at); at->valid && is_right; gs_cursor_next(at)) {
    uint64_t number;
    memcpy(&number, at->entry.key.data + 8, sizeof number);
    is_right = is_write(&at->entry, newest_write(number, seq)) &&
               (count == 0 || memcmp(before, at->entry.key.data, 16) < 0);
    memcpy(before, at->entry.key.data, 16);
    count++;
  }
  gs_cursor_end(at);
  return is_right && count == (seq < SHARED_KEYS ? seq : SHARED_KEYS);
}

static bool
is_summary_right(const sharing *all)
{
  gs_memtable_stats stats;
  uint64_t newest = atomic_load_explicit(&all->published, memory_order_acquire);
  gs_memtable_get_stats(all->table, &stats);
  return stats.max_seq >= newest && stats.entry_count >= newest &&
         gs_memtable_verify(all->table, NULL) == GS_OK;
}

static void
run_reader(void *arg)
{
  sharing *all = arg;
  uint32_t self = atomic_fetch_add(&all->readers, 1);
  uint64_t random = self + 1;
  bool is_last = false;
  for (int round = 0; round < READER_ROUNDS || !is_last; round++) {
    is_last = atomic_load(&all->published) == SHARED_WRITES;
    bool is_right = are_gets_right(all, &random) &&
                    is_walk_right(all, &random) &&
                    (self != 0 || is_summary_right(all));
    if (!is_right) {
      atomic_fetch_add(&all->broken, 1);
      return;
    }
  }
}

static void
test_readers_find_all_that_was_published_beside_a_writer(void **state)
{
  (void)state;
  gs_env *env = gs_env_posix();
  sharing all = {.table = kit_table(env, 2 * KIT_CAPACITY)};
  gs_thread *threads[READERS + 1];
  for (int i = 0; i < READERS; i++) {
    assert_int_equal(gs_thread_start(env, run_reader, &all, &threads[i], NULL),
                     GS_OK);
  }
  assert_int_equal(
      gs_thread_start(env, run_writer, &all, &threads[READERS], NULL), GS_OK);
  for (int i = 0; i <= READERS; i++) {
    gs_thread_join(threads[i]);
  }
  assert_int_equal(atomic_load(&all.broken), 0);
  kit_expect_sound(all.table);
  gs_memtable_unref(all.table);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_every_key_is_got_as_of_every_moment),
      KIT_TEST(test_void_entries_are_as_if_they_had_never_been_added),
      KIT_TEST(test_statistics_count_what_was_added),
      KIT_TEST(test_allocated_bytes_are_what_the_machine_gave),
      KIT_TEST(test_a_full_table_refuses_and_stays_as_it_was),
      KIT_TEST(test_has_room_promises_for_many_entries_together),
      KIT_TEST(test_the_largest_key_is_kept),
      KIT_TEST(test_after_a_reserve_adds_need_no_memory),
      KIT_TEST(test_any_failing_allocation_is_reported_and_changes_nothing),
      KIT_TEST(test_a_dump_without_memory_fails),
      cmocka_unit_test(
          test_readers_find_all_that_was_published_beside_a_writer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
