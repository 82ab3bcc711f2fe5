/*
 * Tests of the counting of entries.
 */
#include "sst/sst_kit.h"
#include "sst/tally.h"

static gs_table_meta
counted(const kit_entries *entries)
{
  gs_table_meta meta = {.id = 0};
  for (size_t i = 0; i < entries->count; i++) {
    gs_tally_add(&meta, &entries->list[i], kit_is_older(entries, i));
  }
  return meta;
}

static void
test_each_number_counts_what_its_name_says(void **state)
{
  (void)state;
  gs_entry list[] = {
      {.key = gs_slice_str("a"),
       .value = gs_slice_str("vv"),
       .seq = 7,
       .expires_at_ms = 50,
       .kind = GS_KIND_PUT},
      {.key = gs_slice_str("a"),
       .value = gs_slice_str("v"),
       .seq = 3,
       .expires_at_ms = 20,
       .kind = GS_KIND_PUT},
      {.key = gs_slice_str("bb"), .seq = 9, .kind = GS_KIND_DELETE},
      {.key = gs_slice_str("c"),
       .value = gs_slice_str("w"),
       .seq = 5,
       .expires_at_ms = 30,
       .kind = GS_KIND_PUT},
      {.key = gs_slice_str("d"), .seq = 4, .kind = GS_KIND_PUT},
  };
  kit_entries entries = {.count = 0};
  for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
    kit_entries_add(&entries, &list[i]);
  }
  gs_table_meta meta = counted(&entries);
  assert_int_equal(meta.entry_count, 5);
  assert_int_equal(meta.key_count, 4);
  assert_int_equal(meta.tombstone_count, 1);
  assert_int_equal(meta.expiring_count, 3);
  assert_int_equal(meta.data_bytes, 10);
  assert_int_equal(meta.min_seq, 3);
  assert_int_equal(meta.max_seq, 9);
  assert_int_equal(meta.min_expiry_ms, 20);
  assert_int_equal(meta.max_expiry_ms, 50);
  kit_entries_free(&entries);
}

static void
test_nothing_that_expires_leaves_the_bounds_at_zero(void **state)
{
  (void)state;
  kit_entries entries = {.count = 0};
  kit_entries_put(&entries, "a", 1, "v");
  gs_table_meta meta = counted(&entries);
  assert_int_equal(meta.expiring_count, 0);
  assert_int_equal(meta.min_expiry_ms, 0);
  assert_int_equal(meta.max_expiry_ms, 0);
  kit_entries_free(&entries);
}

static void
test_a_difference_in_any_number_shows(void **state)
{
  (void)state;
  gs_table_meta meta = {.entry_count = 1};
  uint64_t *numbers[] = {
      &meta.entry_count,    &meta.key_count,     &meta.tombstone_count,
      &meta.expiring_count, &meta.data_bytes,    &meta.min_seq,
      &meta.max_seq,        &meta.min_expiry_ms, &meta.max_expiry_ms,
  };
  gs_table_meta same = meta;
  assert_true(gs_tally_equal(&meta, &same));
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    *numbers[i] += 1;
    assert_false(gs_tally_equal(&meta, &same));
    *numbers[i] -= 1;
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_number_counts_what_its_name_says),
      cmocka_unit_test(test_nothing_that_expires_leaves_the_bounds_at_zero),
      cmocka_unit_test(test_a_difference_in_any_number_shows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
