/*
 * Batches: all or nothing, times that count from the commit, and notes.
 */
#include "store_kit.h"

#include "data/entry.h"

static gs_slice
text(const char *bytes)
{
  return gs_slice_str(bytes);
}

static gs_write_batch *
new_batch(gs_store *store)
{
  gs_write_batch *batch = NULL;
  KIT_OK(gs_write_batch_new(store, &batch, &kit_err));
  return batch;
}

static void
add(gs_write_batch *batch, const char *key, const char *value)
{
  KIT_OK(gs_write_batch_put(batch, text(key), text(value), NULL, &kit_err));
}

static void
commit_note(gs_store *store, gs_write_batch *batch, const char *note)
{
  (void)store;
  gs_commit_options options = {.note = text(note), .has_note = true};
  KIT_OK(gs_write_batch_commit(batch, &options, NULL, NULL, &kit_err));
}

static const char *
note_of(gs_store *store)
{
  static char note[64];
  gs_value value;
  gs_value_init(&value, store);
  gs_status status = gs_get_note(store, &value, &kit_err);
  snprintf(note, sizeof note, "%.*s", (int)value.bytes.size,
           (const char *)value.bytes.data);
  gs_value_deinit(&value);
  return status == GS_ABSENT ? "(absent)" : note;
}

static void
test_a_batch_takes_sequences_in_a_row_and_is_empty_afterwards(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_write_batch *batch = new_batch(store);
  uint64_t first = 9;
  uint64_t last = 9;
  KIT_OK(gs_write_batch_commit(batch, NULL, &first, &last, &kit_err));
  assert_int_equal(first + last, 0);
  add(batch, "a", "1");
  add(batch, "a", "2");
  KIT_OK(gs_write_batch_delete(batch, text("b"), &kit_err));
  assert_int_equal(gs_write_batch_count(batch), 3);
  assert_int_equal(gs_write_batch_bytes(batch), 5);
  KIT_OK(gs_write_batch_commit(batch, NULL, &first, &last, &kit_err));
  assert_int_equal(first, 1);
  assert_int_equal(last, 3);
  assert_int_equal(gs_write_batch_count(batch), 0);
  assert_string_equal(kit_get(store, "a"), "2");
  gs_write_batch_free(batch);
  kit_close(store);
}

static void
test_a_ttl_in_a_batch_counts_from_the_commit(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_write_batch *batch = new_batch(store);
  gs_write_options ttl = {.ttl_ms = 100, .has_ttl = true};
  KIT_OK(gs_write_batch_put(batch, text("a"), text("1"), &ttl, &kit_err));
  gs_sim_advance_ms(sim_machine, 1000);
  KIT_OK(gs_write_batch_commit(batch, NULL, NULL, NULL, &kit_err));
  gs_sim_advance_ms(sim_machine, 99);
  assert_string_equal(kit_get(store, "a"), "1");
  gs_sim_advance_ms(sim_machine, 1);
  assert_string_equal(kit_get(store, "a"), "(absent)");
  gs_write_batch_free(batch);
  kit_close(store);
}

static void
test_a_ttl_or_expiry_of_any_size_is_kept_or_saturates(void **state)
{
  (void)state;
  static const uint64_t times[] = {UINT64_MAX, UINT64_MAX >> 1,
                                   UINT64_C(1) << 63, UINT64_C(1) << 62};
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_write_batch *batch = new_batch(store);
  for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
    gs_write_options ttl = {.ttl_ms = times[i], .has_ttl = true};
    gs_write_options at = {.expires_at_ms = times[i]};
    KIT_OK(gs_write_batch_put(batch, text("ttl"), text("v"), &ttl, &kit_err));
    KIT_OK(gs_write_batch_put(batch, text("at"), text("v"), &at, &kit_err));
    KIT_OK(gs_write_batch_commit(batch, NULL, NULL, NULL, &kit_err));
    assert_string_equal(kit_get(store, "ttl"), "v");
    gs_value value;
    gs_value_init(&value, store);
    KIT_OK(gs_get(store, NULL, text("at"), &value, &kit_err));
    assert_true(value.expires_at_ms >= UINT64_C(1) << 62);
    gs_value_deinit(&value);
  }
  gs_write_batch_free(batch);
  kit_close(store);
}

static void
test_an_append_that_fails_keeps_the_whole_batch_from_being_committed(
    void **state)
{
  (void)state;
  static uint8_t bytes[GS_KEY_MAX_BYTES + 1];
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_write_batch *batch = new_batch(store);
  add(batch, "a", "1");
  gs_slice longer = gs_slice_of(bytes, sizeof bytes);
  assert_int_equal(gs_write_batch_put(batch, longer, text("x"), NULL, &kit_err),
                   GS_TOOLARGE);
  assert_int_equal(gs_write_batch_delete(batch, longer, &kit_err), GS_TOOLARGE);
  assert_int_equal(gs_write_batch_commit(batch, NULL, NULL, NULL, &kit_err),
                   GS_TOOLARGE);
  assert_int_equal(gs_last_seq(store), 0);
  gs_write_batch_clear(batch);
  add(batch, "b", "2");
  KIT_OK(gs_write_batch_commit(batch, NULL, NULL, NULL, &kit_err));
  assert_int_equal(gs_last_seq(store), 1);
  gs_write_batch_free(batch);
  kit_close(store);
}

static void
test_a_batch_larger_than_a_memtable_and_the_log_goes_in_whole(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.memtable_bytes = 4096;
  options.max_wal_bytes = 65536;
  gs_store *store = kit_open(&options);
  gs_write_batch *batch = new_batch(store);
  static char value[1000];
  memset(value, 'x', sizeof value);
  for (int i = 0; i < 200; i++) {
    char key[16];
    snprintf(key, sizeof key, "k%04d", i);
    KIT_OK(gs_write_batch_put(
        batch, text(key), gs_slice_of(value, sizeof value), NULL, &kit_err));
  }
  KIT_OK(gs_write_batch_commit(batch, NULL, NULL, NULL, &kit_err));
  kit_put(store, "after", "1");
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  gs_write_batch_free(batch);
  kit_close(store);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  store = kit_open(&options);
  uint64_t count = 0;
  KIT_OK(gs_count(store, NULL, NULL, &count, &kit_err));
  assert_int_equal(count, 201);
  kit_close(store);
}

static void
test_the_last_note_stays_over_flush_close_and_crash(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_write_batch *batch = new_batch(store);
  assert_string_equal(note_of(store), "(absent)");
  add(batch, "a", "1");
  commit_note(store, batch, "one");
  KIT_OK(gs_flush(store, &kit_err));
  commit_note(store, batch, "two");
  assert_string_equal(note_of(store), "two");
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  gs_write_batch_free(batch);
  kit_close(store);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  store = kit_open(&options);
  assert_string_equal(note_of(store), "two");
  kit_close(store);
  store = kit_open(&options);
  assert_string_equal(note_of(store), "two");
  kit_close(store);
}

static void
test_an_empty_note_takes_the_place_of_the_one_before(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_write_batch *batch = new_batch(store);
  add(batch, "a", "1");
  commit_note(store, batch, "one");
  KIT_OK(gs_flush(store, &kit_err));
  add(batch, "a", "2");
  commit_note(store, batch, "");
  gs_write_batch_free(batch);
  kit_close(store);
  store = kit_open(&options);
  assert_string_equal(note_of(store), "");
  kit_close(store);
}

/* The note of a flushed batch must not depend on a later one that is lost. */
static void
test_a_note_is_flushed_with_its_batch_although_a_newer_one_came(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_OS;
  gs_store *store = kit_open(&options);
  gs_write_batch *batch = new_batch(store);
  add(batch, "a", "1");
  commit_note(store, batch, "one");
  KIT_OK(gs_seal(store, &kit_err));
  add(batch, "b", "2");
  commit_note(store, batch, "two");
  kit_work(store);
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_SYNCED, 0);
  gs_write_batch_free(batch);
  kit_close(store);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  store = kit_open(&options);
  assert_string_equal(kit_get(store, "a"), "1");
  assert_string_equal(kit_get(store, "b"), "(absent)");
  assert_string_equal(note_of(store), "one");
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_batch_takes_sequences_in_a_row_and_is_empty_afterwards),
      KIT_TEST(test_a_ttl_in_a_batch_counts_from_the_commit),
      KIT_TEST(test_a_ttl_or_expiry_of_any_size_is_kept_or_saturates),
      KIT_TEST(
          test_an_append_that_fails_keeps_the_whole_batch_from_being_committed),
      KIT_TEST(test_a_batch_larger_than_a_memtable_and_the_log_goes_in_whole),
      KIT_TEST(test_the_last_note_stays_over_flush_close_and_crash),
      KIT_TEST(test_an_empty_note_takes_the_place_of_the_one_before),
      KIT_TEST(test_a_note_is_flushed_with_its_batch_although_a_newer_one_came),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
