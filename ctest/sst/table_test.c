/*
 * Tests of point reads: every key at every sequence number against a plain
 * array, and reads while memory, disk or the block itself give out.
 */
#include <errno.h>

#include "sst/forge.h"
#include "sst/table_impl.h"
#include "support/temp_dir.h"

static gs_status
wanted_of(const kit_entries *entries, gs_slice key, uint64_t seq,
          const gs_entry **out)
{
  for (size_t i = 0; i < entries->count; i++) {
    const gs_entry *entry = &entries->list[i];
    if (gs_slice_equal(entry->key, key) && entry->seq <= seq) {
      *out = entry;
      return GS_OK;
    }
  }
  return GS_ABSENT;
}

static void
assert_get(kit_table *kit, const kit_entries *entries, gs_slice key,
           uint64_t seq)
{
  const gs_entry *wanted = NULL;
  gs_entry found;
  gs_error err;
  gs_status status = kit_get(kit, key, seq, &found, &err);
  gs_status expected = wanted_of(entries, key, seq, &wanted);
  if (status != expected) {
    fail_msg("get gave %s, wanted %s: %s", gs_status_code(status),
             gs_status_code(expected), err.message);
  }
  if (expected == GS_OK) {
    kit_assert_same(&found, wanted);
  }
}

static size_t hints_seen;

/* Where its index names a row and the block is in memory, it is that of the key,
 * but for keys that share a fingerprint. */
static void
assert_hints(const kit_table *kit, const kit_entries *entries)
{
  size_t named = 0;
  size_t right = 0;
  for (size_t i = 0; i < entries->count; i++) {
    gs_entry row;
    gs_slice key = entries->list[i].key;
    gs_table_hint hint = gs_table_prefetch_home(kit->table, gs_hash_key(key));
    const _Atomic(gs_frame *) *home = hint.home;
    gs_frame *frame = home == NULL ? NULL : atomic_load(home);
    gs_block block;
    if (frame != NULL) {
      block = gs_frame_block(frame);
      named++;
      right += gs_block_row(&block, hint.at, &row) != 0 &&
               gs_slice_equal(row.key, key);
    }
  }
  assert_in_range(right, named - named / 10, named);
  hints_seen += right;
}

static void
assert_all_gets(kit_table *kit, const kit_entries *entries, uint64_t seed)
{
  for (size_t i = 0; i < entries->count; i++) {
    const gs_entry *entry = &entries->list[i];
    assert_get(kit, entries, entry->key, GS_SEQ_MAX);
    assert_get(kit, entries, entry->key, entry->seq + 1);
    assert_get(kit, entries, entry->key, entry->seq);
    assert_get(kit, entries, entry->key, entry->seq - 1);
    assert_get(kit, entries, entry->key, 0);
  }
  for (int i = 0; i < 300; i++) {
    uint8_t room[KIT_KEY_ROOM];
    gs_slice key = kit_random_key(&seed, room);
    gs_table_prefetch(kit->table, gs_hash_key(key));
    gs_table_prefetch_row(gs_table_prefetch_home(kit->table, gs_hash_key(key)));
    assert_get(kit, entries, key, kit_below(&seed, 2) * GS_SEQ_MAX);
  }
  uint32_t slot = gs_epoch_enter(kit->epoch);
  assert_hints(kit, entries);
  gs_epoch_leave(kit->epoch, slot);
}

static void
check_table(const gs_table_writer_options *options, const kit_entries *entries)
{
  kit_table kit;
  kit_table_make(&kit, sim_machine_env, options, entries);
  assert_all_gets(&kit, entries, 1 + entries->count);
  kit_table_end(&kit);
  gs_error err;
  KIT_OK(gs_env_remove(sim_machine_env, options->path, &err), &err);
}

static void
check_taste(const kit_taste *taste)
{
  kit_entries entries = kit_entries_random(taste);
  static const uint32_t sizes[] = {256, 1000, 4096};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    for (int has_index = 0; has_index < 2; has_index++) {
      gs_table_writer_options options = kit_options("/t");
      options.block_bytes = sizes[i];
      options.has_point_index = has_index == 1;
      check_table(&options, &entries);
    }
  }
  kit_entries_free(&entries);
}

static void
test_every_key_is_read_at_every_sequence_number(void **state)
{
  (void)state;
  for (uint64_t seed = 1; seed <= 12; seed++) {
    kit_taste taste = {.seed = seed,
                       .key_count = 1 + (size_t)(seed * 11 % 120),
                       .max_versions = 1 + (uint32_t)(seed % 4),
                       .max_value = seed % 3 == 0 ? 900 : 40,
                       .max_seq_jump = 4};
    check_taste(&taste);
  }
  assert_true(hints_seen > 1000);
}

static void
test_versions_of_a_key_may_fill_many_blocks(void **state)
{
  (void)state;
  kit_taste taste = {.seed = 77,
                     .key_count = 4,
                     .max_versions = 120,
                     .max_value = 50,
                     .max_seq_jump = 3};
  check_taste(&taste);
}

static void
test_sequence_numbers_far_apart_come_back(void **state)
{
  (void)state;
  kit_taste taste = {.seed = 78,
                     .key_count = 60,
                     .max_versions = 3,
                     .max_value = 10,
                     .max_seq_jump = UINT64_C(1) << 40};
  check_taste(&taste);
}

static void
test_values_larger_than_blocks_come_back(void **state)
{
  (void)state;
  kit_taste taste = {.seed = 79,
                     .key_count = 12,
                     .max_versions = 2,
                     .max_value = 200000,
                     .max_seq_jump = 3};
  check_taste(&taste);
}

static void
test_the_longest_key_and_the_empty_one_come_back(void **state)
{
  (void)state;
  static uint8_t longest[GS_KEY_MAX_BYTES];
  memset(longest, 'k', sizeof longest);
  kit_entries entries = {.count = 0};
  kit_entries_put(&entries, "", 5, "of the empty key");
  kit_entries_put(&entries, "", 3, "");
  gs_entry entry = {.key = gs_slice_of(longest, sizeof longest - 1),
                    .value = gs_slice_str("v"),
                    .seq = 4,
                    .kind = GS_KIND_PUT};
  kit_entries_add(&entries, &entry);
  entry.key.size++;
  kit_entries_add(&entries, &entry);
  gs_table_writer_options options = kit_options("/t");
  check_table(&options, &entries);
  options.has_point_index = false;
  check_table(&options, &entries);
  kit_entries_free(&entries);
}

static void
test_a_key_with_the_fingerprint_of_another_is_absent(void **state)
{
  (void)state;
  kit_entries entries = {.count = 0};
  kit_entries_put(&entries, "here", 1, "v");
  gs_table_writer_options options = kit_options("/t");
  kit_table kit;
  kit_table_make(&kit, sim_machine_env, &options, &entries);
  uint16_t fingerprint = (uint16_t)gs_hash_key(gs_slice_str("here"));
  uint64_t other = 0;
  while ((uint16_t)gs_hash_key(gs_slice_of(&other, sizeof other)) !=
         fingerprint) {
    other++;
  }
  assert_get(&kit, &entries, gs_slice_of(&other, sizeof other), GS_SEQ_MAX);
  kit_table_end(&kit);
  kit_entries_free(&entries);
}

/* ---- when things give out ------------------------------------------------ */

static kit_entries
some_entries(void)
{
  kit_taste taste = {.seed = 21,
                     .key_count = 80,
                     .max_versions = 2,
                     .max_value = 40,
                     .max_seq_jump = 3};
  return kit_entries_random(&taste);
}

static void
check_recovery(gs_status wanted, void (*break_once)(void), bool has_index)
{
  kit_entries entries = some_entries();
  gs_table_writer_options options = kit_options("/t");
  options.has_point_index = has_index;
  kit_table kit;
  kit_table_make(&kit, sim_machine_env, &options, &entries);
  gs_cache_set_capacity(kit.cache, 0);
  for (size_t i = 0; i < entries.count; i++) {
    gs_entry found;
    break_once();
    assert_int_equal(
        kit_get(&kit, entries.list[i].key, GS_SEQ_MAX, &found, NULL), wanted);
    assert_get(&kit, &entries, entries.list[i].key, GS_SEQ_MAX);
  }
  kit_table_end(&kit);
  kit_entries_free(&entries);
  gs_error err;
  KIT_OK(gs_env_remove(sim_machine_env, "/t", &err), &err);
}

static void
break_read(void)
{
  gs_sim_heal(sim_machine);
  sim_machine_fail(GS_SIM_READ, 1, EIO);
}

static void
break_memory(void)
{
  gs_sim_fail_alloc(sim_machine, 1, 1);
}

static void
test_a_read_after_one_that_failed_succeeds(void **state)
{
  (void)state;
  for (int has_index = 0; has_index < 2; has_index++) {
    check_recovery(GS_IO, break_read, has_index == 1);
    gs_sim_heal(sim_machine);
    check_recovery(GS_NOMEM, break_memory, has_index == 1);
  }
}

static void
test_a_damaged_block_fails_its_keys_and_no_others(void **state)
{
  (void)state;
  kit_entries entries = some_entries();
  forge made;
  forge_start(&made, "/t", &entries, true);
  uint32_t broken = made.fences.count / 2;
  uint64_t offset = made.fences.list[broken].offset;
  made.bytes.data[offset + 30] ^= 1;
  forge_replace(&made, "/t");
  kit_table kit;
  kit_table_start(&kit, sim_machine_env, KIT_CACHE_BYTES);
  kit.meta = made.meta;
  gs_error err;
  KIT_OK(kit_table_open(&kit, "/t", &err), &err);
  size_t failed = 0;
  for (size_t i = 0; i < entries.count; i++) {
    gs_slice key = entries.list[i].key;
    gs_entry found;
    if (kit_get(&kit, key, entries.list[i].seq, &found, &err) == GS_OK) {
      kit_assert_same(&found, &entries.list[i]);
      continue;
    }
    failed++;
    assert_int_equal(err.status, GS_CORRUPT);
    assert_string_equal(err.path, "/t");
    assert_int_equal(err.offset, offset);
  }
  assert_in_range(failed, 1, entries.count / 4);
  kit_table_end(&kit);
  forge_end(&made);
  kit_entries_free(&entries);
}

static void
test_blocks_are_read_once_while_they_fit(void **state)
{
  (void)state;
  kit_entries entries = some_entries();
  gs_table_writer_options options = kit_options("/t");
  kit_table kit;
  kit_table_make(&kit, sim_machine_env, &options, &entries);
  assert_all_gets(&kit, &entries, 5);
  sim_machine_fail(GS_SIM_READ, 1, EIO);
  assert_all_gets(&kit, &entries, 5);
  gs_sim_heal(sim_machine);
  gs_cache_stats stats;
  gs_cache_get_stats(kit.cache, &stats);
  assert_true(stats.loads > 1);
  kit_table_end(&kit);
  kit_entries_free(&entries);
}

/* Gets until the index is wanted: those before it do without. */
static gs_status
get_often(kit_table *kit, const kit_entries *entries, gs_error *err)
{
  gs_entry found;
  gs_status status = GS_OK;
  for (size_t i = 0; status == GS_OK && i < 1000; i++) {
    const gs_entry *wanted = &entries->list[i * 7 % entries->count];
    status = kit_get(kit, wanted->key, wanted->seq, &found, err);
    if (status == GS_OK) {
      kit_assert_same(&found, wanted);
    }
  }
  return status;
}

static void
test_a_damaged_index_is_told_by_the_gets_that_want_it(void **state)
{
  (void)state;
  kit_entries entries = some_entries();
  forge made;
  forge_start(&made, "/t", &entries, true);
  uint64_t offset = made.footer.index.offset;
  made.bytes.data[offset + 3] ^= 4;
  forge_replace(&made, "/t");
  kit_table kit;
  kit_table_start(&kit, sim_machine_env, KIT_CACHE_BYTES);
  kit.meta = made.meta;
  gs_error err;
  KIT_OK(kit_table_open(&kit, "/t", &err), &err);
  uint64_t before = gs_table_memory_bytes(kit.table);
  gs_entry found;
  KIT_OK(kit_get(&kit, entries.list[0].key, GS_SEQ_MAX, &found, &err), &err);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(get_often(&kit, &entries, &err), GS_CORRUPT);
    assert_string_equal(err.path, "/t");
    assert_int_equal(err.offset, offset);
  }
  made.bytes.data[offset + 3] ^= 4;
  forge_replace(&made, "/t");
  KIT_OK(get_often(&kit, &entries, &err), &err);
  assert_true(gs_table_memory_bytes(kit.table) >=
              before + made.footer.index.size);
  kit_table_end(&kit);
  forge_end(&made);
  kit_entries_free(&entries);
}

static void
test_an_index_that_finds_no_memory_is_read_later(void **state)
{
  (void)state;
  kit_entries entries = some_entries();
  gs_table_writer_options options = kit_options("/t");
  kit_table kit;
  kit_table_make(&kit, sim_machine_env, &options, &entries);
  gs_error err;
  gs_status status = GS_OK;
  for (int i = 0; status == GS_OK && i < 40; i++) {
    gs_entry found;
    const gs_entry *first = &entries.list[0];
    gs_sim_fail_alloc(sim_machine, i == 0 ? 0 : 1, 1);
    status = kit_get(&kit, first->key, first->seq, &found, &err);
  }
  assert_int_equal(status, GS_NOMEM);
  gs_sim_fail_alloc(sim_machine, 0, 0);
  KIT_OK(get_often(&kit, &entries, &err), &err);
  kit_table_end(&kit);
  kit_entries_free(&entries);
}

/* ---- threads ------------------------------------------------------------- */

enum { THREADS = 3, THREAD_ROUNDS = 3000 };

typedef struct reader {
  kit_table *kit;
  const kit_entries *entries;
  uint64_t random;
  uint64_t wrong;
} reader;

static bool
is_same(const gs_entry *a, const gs_entry *b)
{
  return a->seq == b->seq && gs_slice_equal(a->key, b->key) &&
         gs_slice_equal(a->value, b->value);
}

static void
read_point(reader *self)
{
  size_t index = kit_below(&self->random, self->entries->count);
  const gs_entry *wanted = &self->entries->list[index];
  gs_entry found;
  uint32_t slot = gs_epoch_enter(self->kit->epoch);
  gs_status status =
      gs_table_get(self->kit->table, wanted->key, gs_hash_key(wanted->key),
                   wanted->seq, &found, NULL);
  self->wrong += status != GS_OK || !is_same(&found, wanted);
  gs_epoch_leave(self->kit->epoch, slot);
}

static void
read_some(reader *self, gs_cursor *cursor)
{
  size_t index = kit_below(&self->random, self->entries->count);
  while (kit_is_older(self->entries, index)) {
    index--;
  }
  gs_cursor_seek(cursor, self->entries->list[index].key);
  for (int i = 0; i < 5 && index < self->entries->count; i++) {
    self->wrong +=
        !cursor->valid || !is_same(&cursor->entry, &self->entries->list[index]);
    do {
      index++;
    } while (index < self->entries->count &&
             kit_is_older(self->entries, index));
    gs_cursor_next(cursor);
  }
}

static void
read_all(void *context)
{
  reader *self = context;
  gs_cursor *cursors[2] = {NULL, NULL};
  for (int i = 0; i < 2; i++) {
    self->wrong += gs_table_cursor_new(self->kit->table, i == 0, &cursors[i],
                                       NULL) != GS_OK;
  }
  for (int i = 0; i < THREAD_ROUNDS; i++) {
    read_point(self);
    if (i % 4 == 0) {
      read_some(self, cursors[i / 4 % 2]);
    }
  }
  gs_table_cursor_free(cursors[0]);
  gs_table_cursor_free(cursors[1]);
}

static void
test_threads_read_right_entries_through_a_cache_far_too_small(void **state)
{
  (void)state;
  temp_dir dir;
  temp_dir_make(&dir);
  gs_env *env = gs_env_posix();
  kit_entries entries = some_entries();
  gs_table_writer_options options = kit_options(temp_dir_at(&dir, "t"));
  kit_table kit;
  kit_table_make(&kit, env, &options, &entries);
  gs_cache_set_capacity(kit.cache, 1500);
  reader readers[THREADS];
  gs_thread *threads[THREADS];
  for (size_t i = 0; i < THREADS; i++) {
    readers[i] = (reader){&kit, &entries, i, 0};
    assert_int_equal(
        gs_thread_start(env, read_all, &readers[i], &threads[i], NULL), GS_OK);
  }
  for (size_t i = 0; i < THREADS; i++) {
    gs_thread_join(threads[i]);
    assert_int_equal(readers[i].wrong, 0);
  }
  gs_cache_stats stats;
  gs_cache_get_stats(kit.cache, &stats);
  assert_true(stats.evictions > 100);
  kit_table_end(&kit);
  kit_entries_free(&entries);
  temp_dir_remove(&dir);
}

#define ON_SIM(test)                                        \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ON_SIM(test_every_key_is_read_at_every_sequence_number),
      ON_SIM(test_versions_of_a_key_may_fill_many_blocks),
      ON_SIM(test_sequence_numbers_far_apart_come_back),
      ON_SIM(test_values_larger_than_blocks_come_back),
      ON_SIM(test_the_longest_key_and_the_empty_one_come_back),
      ON_SIM(test_a_key_with_the_fingerprint_of_another_is_absent),
      ON_SIM(test_a_read_after_one_that_failed_succeeds),
      ON_SIM(test_a_damaged_block_fails_its_keys_and_no_others),
      ON_SIM(test_blocks_are_read_once_while_they_fit),
      ON_SIM(test_a_damaged_index_is_told_by_the_gets_that_want_it),
      ON_SIM(test_an_index_that_finds_no_memory_is_read_later),
      cmocka_unit_test(
          test_threads_read_right_entries_through_a_cache_far_too_small),
  };
  int failed = 0;
  for (int codec = 0; codec < GS_CODECS; codec++) {
    kit_codec = (gs_codec)codec;
    failed += cmocka_run_group_tests(tests, NULL, NULL);
  }
  return failed;
}
