/*
 * Tables of other stores taken in: what comes of them, and of crashes around it.
 */
#include "store_kit.h"

enum { ENTRIES = 60 };

/* A store at /other with one table: keys k0001 to k0060, k0007 deleted, "soon"
 * expired. Its path. */
static const char *
make_table(void)
{
  static char path[64];
  gs_options options = kit_options();
  gs_store *other = NULL;
  options.table_bytes = 1 << 20;
  options.memtable_bytes = 65536;
  KIT_OK(gs_open("/other", &options, &other, &kit_err));
  gs_write_options past = {.expires_at_ms = 1};
  kit_fill(other, "k", 1, ENTRIES);
  gs_snapshot *snapshot = NULL;
  KIT_OK(gs_snapshot_new(other, &snapshot, &kit_err));
  kit_delete(other, "k0007");
  KIT_OK(gs_put(other, gs_slice_str("soon"), gs_slice_str("1"), &past, NULL,
                &kit_err));
  KIT_OK(gs_flush(other, &kit_err));
  gs_shape *shape = NULL;
  KIT_OK(gs_shape_new(other, &shape, &kit_err));
  assert_int_equal(shape->runs[0].table_count, 1);
  snprintf(path, sizeof path, "/other/%06llu.sst",
           (unsigned long long)kit_table(shape, 0, 0).id);
  gs_shape_free(shape);
  gs_snapshot_free(snapshot);
  kit_close(other);
  return path;
}

static void
check_attached(gs_store *store)
{
  for (int i = 1; i <= ENTRIES; i++) {
    assert_int_equal(kit_has(store, "k", i), i != 7);
  }
  assert_string_equal(kit_get(store, "soon"), "(absent)");
}

static void
test_live_entries_come_in_as_written_now_and_above_what_was_there(void **state)
{
  (void)state;
  const char *path = make_table();
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_put(store, "k0001", "old");
  kit_put(store, "mine", "1");
  gs_snapshot *snapshot = NULL;
  KIT_OK(gs_snapshot_new(store, &snapshot, &kit_err));
  uint64_t entries = 0;
  KIT_OK(gs_attach(store, path, &entries, &kit_err));
  assert_int_equal(entries, ENTRIES - 1);
  assert_int_equal(gs_last_seq(store), 3);
  assert_int_equal(gs_durable_seq(store), 3);
  check_attached(store);
  assert_string_equal(kit_get(store, "mine"), "1");
  assert_string_equal(kit_get_at(store, snapshot, "k0001"), "old");
  assert_string_equal(kit_get_at(store, snapshot, "k0002"), "(absent)");
  gs_snapshot_free(snapshot);
  assert_int_equal(kit_put(store, "k0002", "newer"), 4);
  KIT_OK(gs_compact(store, NULL, &kit_err));
  assert_string_equal(kit_get(store, "k0002"), "newer");
  KIT_OK(gs_verify(store, &kit_err));
  kit_close(store);
}

static void
test_writes_after_an_attached_table_are_replayed(void **state)
{
  (void)state;
  const char *path = make_table();
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_put(store, "before", "1");
  KIT_OK(gs_attach(store, path, NULL, &kit_err));
  kit_put(store, "after", "2");
  kit_put(store, "k0003", "newer");
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  kit_close(store);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  store = kit_open(&options);
  assert_string_equal(kit_get(store, "before"), "1");
  assert_string_equal(kit_get(store, "after"), "2");
  assert_string_equal(kit_get(store, "k0003"), "newer");
  assert_true(kit_has(store, "k", ENTRIES));
  kit_close(store);
}

static void
test_a_note_without_entries_outlives_an_attached_table(void **state)
{
  (void)state;
  const char *path = make_table();
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_write_batch *batch = NULL;
  gs_commit_options note = {.note = gs_slice_str("note"), .has_note = true};
  kit_put(store, "a", "1");
  KIT_OK(gs_flush(store, &kit_err));
  KIT_OK(gs_write_batch_new(store, &batch, &kit_err));
  KIT_OK(gs_write_batch_commit(batch, &note, NULL, NULL, &kit_err));
  gs_write_batch_free(batch);
  KIT_OK(gs_attach(store, path, NULL, &kit_err));
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  kit_close(store);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  store = kit_open(&options);
  gs_value value;
  gs_value_init(&value, store);
  KIT_OK(gs_get_note(store, &value, &kit_err));
  assert_int_equal(value.bytes.size, 4);
  gs_value_deinit(&value);
  kit_close(store);
}

/* All of it or nothing, whatever survives; and a write acknowledged before or
 * after is never the price. */
static void
check_after(const gs_sim *sim, bool was_written, uint64_t choice)
{
  gs_crash_model model = choice == 0   ? GS_CRASH_KILL
                         : choice == 1 ? GS_CRASH_SYNCED
                                       : GS_CRASH_RANDOM;
  gs_sim *copy = gs_sim_crash(sim, model, choice);
  gs_options options = kit_options();
  gs_store *store = NULL;
  options.env = gs_sim_env(copy);
  options.durability = GS_DURABILITY_SYNC;
  KIT_OK(gs_open("/db", &options, &store, &kit_err));
  assert_string_equal(kit_get(store, "before"), "1");
  if (was_written) {
    assert_string_equal(kit_get(store, "after"), "2");
  }
  uint64_t count = 0;
  gs_range range = {
      .from = gs_slice_str("k"), .to = gs_slice_str("l"), .has_to = true};
  KIT_OK(gs_count(store, NULL, &range, &count, &kit_err));
  assert_true(count == 0 || count == ENTRIES - 1);
  KIT_OK(gs_verify(store, &kit_err));
  kit_close(store);
  assert_int_equal(gs_sim_allocated_bytes(copy), 0);
  gs_sim_free(copy);
}

static void
test_a_crash_or_fault_at_any_operation_of_attaching_leaves_all_or_nothing(
    void **state)
{
  (void)state;
  const char *path = make_table();
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_SYNC;
  gs_store *store = kit_open(&options);
  kit_put(store, "before", "1");
  gs_sim *base = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  kit_close(store);
  gs_status status = GS_IO;
  for (uint64_t nth = 1; status != GS_OK; nth++) {
    sim_machine_become(gs_sim_crash(base, GS_CRASH_KILL, 0));
    options.env = sim_machine_env;
    store = kit_open(&options);
    sim_machine_fail(GS_SIM_ANY, nth, 5);
    status = gs_attach(store, path, NULL, &kit_err);
    gs_sim_heal(sim_machine);
    bool was_written = gs_put(store, gs_slice_str("after"), gs_slice_str("2"),
                              NULL, NULL, &kit_err) == GS_OK;
    for (uint64_t choice = 0; choice < 6; choice++) {
      check_after(sim_machine, was_written, choice);
    }
    GS_IGNORE(gs_close(store, NULL), "it may have failed");
    check_after(sim_machine, was_written, 0);
  }
  gs_sim_free(base);
}

static void
test_what_is_no_table_or_of_the_other_kind_is_refused(void **state)
{
  (void)state;
  const char *path = make_table();
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  uint64_t entries = 7;
  assert_int_equal(gs_attach(store, "/none.sst", &entries, &kit_err),
                   GS_MISSING);
  sim_machine_make("/text", "not a table, but long enough to be looked at");
  assert_int_equal(gs_attach(store, "/text", &entries, &kit_err), GS_CORRUPT);
  assert_int_equal(gs_last_seq(store), 0);
  kit_close(store);
  gs_store *numbers = NULL;
  options.kind = GS_STORE_U32;
  KIT_OK(gs_open("/numbers", &options, &numbers, &kit_err));
  assert_int_equal(gs_attach(numbers, path, &entries, &kit_err), GS_KIND);
  kit_close(numbers);
  KIT_OK(gs_sim_flip(sim_machine, path, 9001, &kit_err));
  options.kind = GS_STORE_ANY;
  store = kit_open(&options);
  assert_int_equal(gs_attach(store, path, &entries, &kit_err), GS_CORRUPT);
  assert_int_equal(kit_stats(store).run_count, 0);
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(
          test_live_entries_come_in_as_written_now_and_above_what_was_there),
      KIT_TEST(test_writes_after_an_attached_table_are_replayed),
      KIT_TEST(test_a_note_without_entries_outlives_an_attached_table),
      KIT_TEST(
          test_a_crash_or_fault_at_any_operation_of_attaching_leaves_all_or_nothing),
      KIT_TEST(test_what_is_no_table_or_of_the_other_kind_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
