/*
 * A stream of entries cut into tables.
 */
#include "store_kit.h"

#include "store/directory.h"
#include "store/output.h"

static void
begin(gs_output *output, gs_store *store, uint64_t table_bytes)
{
  gs_layout layout = {.table_bytes = table_bytes, .block_bytes = 512};
  gs_output_init(output, store, &layout, 0);
}

static void
add(gs_output *output, const char *key, uint64_t seq, bool is_cut)
{
  gs_entry entry = {.key = gs_slice_str(key),
                    .value = gs_slice_str("value"),
                    .seq = seq,
                    .kind = GS_KIND_PUT};
  KIT_OK(gs_output_add(output, &entry, is_cut, &kit_err));
}

static size_t
data_files(void)
{
  gs_directory found;
  KIT_OK(gs_directory_look(sim_machine_env, "/db", &found, &kit_err));
  return found.data_count;
}

static void
test_versions_of_one_key_stay_in_one_table(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_output output;
  begin(&output, store, 1);
  add(&output, "a", 9, false);
  add(&output, "a", 8, true);
  add(&output, "a", 7, false);
  add(&output, "b", 6, false);
  KIT_OK(gs_output_finish(&output, &kit_err));
  assert_int_equal(output.entry_count, 4);
  assert_int_equal(output.table_count, 2);
  assert_int_equal(output.tables[0]->meta.entry_count, 3);
  assert_int_equal(output.tables[0]->meta.min_seq, 7);
  gs_output_deinit(&output);
  kit_close(store);
}

static void
test_a_cut_begins_a_table_and_large_ones_end_by_themselves(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_output output;
  begin(&output, store, 1 << 20);
  add(&output, "a", 1, true);
  add(&output, "b", 2, false);
  add(&output, "c", 3, true);
  KIT_OK(gs_output_finish(&output, &kit_err));
  assert_int_equal(output.table_count, 2);
  assert_true(
      gs_slice_equal(output.tables[1]->meta.min_key, gs_slice_str("c")));
  assert_true(output.bytes_written > 0);
  gs_output_deinit(&output);
  kit_close(store);
}

static void
test_files_that_are_not_kept_go_and_kept_ones_stay(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  for (int is_kept = 0; is_kept < 2; is_kept++) {
    gs_output output;
    begin(&output, store, 1);
    add(&output, "a", 1, false);
    add(&output, "b", 2, false);
    KIT_OK(gs_output_finish(&output, &kit_err));
    assert_int_equal(data_files(), 2);
    if (is_kept) {
      gs_output_keep(&output);
    }
    gs_output_deinit(&output);
    assert_int_equal(data_files(), is_kept ? 2 : 0);
  }
  kit_close(store);
}

static void
test_an_output_that_failed_leaves_no_file(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_status status = GS_IO;
  for (uint64_t nth = 1; status != GS_OK; nth++) {
    gs_output output;
    begin(&output, store, 1);
    sim_machine_fail(GS_SIM_ANY, nth, 5);
    gs_entry entry = {.key = gs_slice_str("a"), .seq = 1, .kind = GS_KIND_PUT};
    status = gs_output_add(&output, &entry, false, &kit_err);
    entry.key = gs_slice_str("b");
    if (status == GS_OK) {
      status = gs_output_add(&output, &entry, false, &kit_err);
    }
    if (status == GS_OK) {
      status = gs_output_finish(&output, &kit_err);
    }
    gs_sim_heal(sim_machine);
    gs_output_deinit(&output);
    assert_int_equal(data_files(), 0);
  }
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_versions_of_one_key_stay_in_one_table),
      KIT_TEST(test_a_cut_begins_a_table_and_large_ones_end_by_themselves),
      KIT_TEST(test_files_that_are_not_kept_go_and_kept_ones_stay),
      KIT_TEST(test_an_output_that_failed_leaves_no_file),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
