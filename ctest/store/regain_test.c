/*
 * What a table has lost is saved from the log where that can be trusted.
 */
#include "store/regain.h"

#include "care_kit.h"

enum { DELETED = 75 };

/* A log of which the first half was flushed into one table, the rest not. */
static void
make_flushed_half(gs_store_kind kind)
{
  gs_options options = care_options();
  options.kind = kind;
  gs_store *store = kit_open(&options);
  uint8_t k[4];
  uint8_t v[4];
  for (uint32_t i = 0; i < 200; i++) {
    KIT_OK(gs_put(store, gs_key_from_u32(i % 150 * 77777, k),
                  gs_value_from_u32(i, v), NULL, NULL, &kit_err));
    if (i == 100) {
      KIT_OK(gs_delete(store, gs_key_from_u32(DELETED * 77777, k), NULL, NULL,
                       &kit_err));
      KIT_OK(gs_flush(store, &kit_err));
    }
  }
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  kit_close(store);
  sim_machine_become(copy);
}

static const char *
only_table(const care_files *files)
{
  const char *found = NULL;
  for (size_t i = 0; i < files->count; i++) {
    if (care_ends_with(files->paths[i], ".sst")) {
      assert_null(found);
      found = files->paths[i];
    }
  }
  assert_non_null(found);
  return found;
}

static gs_repair_report
repair_plainly(uint32_t kind)
{
  gs_repair_report report;
  gs_repair_options options = {.into = "/new", .kind = kind};
  KIT_OK(gs_repair(sim_machine_env, "/db", &options, &report, &kit_err));
  return report;
}

static void
check_lost_table_stands_in_log(gs_store_kind kind)
{
  make_flushed_half(kind);
  care_files files = care_list("/db");
  KIT_OK(gs_sim_remove(sim_machine, only_table(&files), &kit_err));
  gs_repair_report report = repair_plainly(0);
  assert_true(report.has_manifest);
  assert_int_equal(report.tables_lost, 1);
  assert_int_equal(report.entries_saved, 149);
  assert_int_equal(report.uncertain_keys, 0);
  gs_repair_report_deinit(&report);
}

static void
test_what_a_table_lost_is_saved_from_the_log(void **state)
{
  (void)state;
  check_lost_table_stands_in_log(GS_STORE_BYTES);
}

static void
test_numbers_a_table_lost_are_saved_from_the_log(void **state)
{
  (void)state;
  check_lost_table_stands_in_log(GS_STORE_U32);
}

static const char *
first_log(const care_files *files)
{
  for (size_t i = 0; i < files->count; i++) {
    if (care_ends_with(files->paths[i], ".wal")) {
      return files->paths[i];
    }
  }
  fail_msg("no log");
  return NULL;
}

/* Where the key stands for the second time. */
static size_t
second_place(const gs_buffer *bytes, gs_slice key)
{
  size_t seen = 0;
  for (size_t at = 0; at + key.size <= bytes->size; at++) {
    seen += memcmp(bytes->data + at, key.data, key.size) == 0;
    if (seen == 2) {
      return at;
    }
  }
  fail_msg("the key does not stand there twice");
  return 0;
}

static void
test_what_stands_before_a_gap_of_the_log_is_saved_with_doubt(void **state)
{
  (void)state;
  uint8_t k[4];
  gs_slice deleted = gs_key_from_u32(DELETED * 77777, k);
  make_flushed_half(GS_STORE_BYTES);
  care_files files = care_list("/db");
  KIT_OK(gs_sim_remove(sim_machine, only_table(&files), &kit_err));
  gs_buffer bytes = care_content(first_log(&files));
  memset(bytes.data + second_place(&bytes, deleted), 0xA5, 4);
  care_put_back(first_log(&files), &bytes);
  gs_repair_report report = repair_plainly(0);
  assert_true(report.has_manifest);
  assert_int_equal(report.entries_saved, 150);
  /* Those that no later write stands for, the deleted one among them; the gap
   * is behind all of them, and the last is the table's newest. */
  assert_int_equal(report.uncertain_keys, 50);
  gs_store *store = NULL;
  gs_options open = care_options();
  KIT_OK(gs_open("/new", &open, &store, &kit_err));
  assert_int_equal(gs_contains(store, NULL, deleted, NULL, &kit_err), GS_OK);
  kit_close(store);
  gs_repair_report_deinit(&report);
}

static void
test_where_no_table_lost_anything_the_log_is_left_alone(void **state)
{
  (void)state;
  make_flushed_half(GS_STORE_BYTES);
  gs_repair_report report = repair_plainly(0);
  assert_int_equal(report.entries_saved, 149);
  assert_int_equal(report.entries_doubled, 0);
  gs_repair_report_deinit(&report);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_what_a_table_lost_is_saved_from_the_log),
      KIT_TEST(test_numbers_a_table_lost_are_saved_from_the_log),
      KIT_TEST(test_what_stands_before_a_gap_of_the_log_is_saved_with_doubt),
      KIT_TEST(test_where_no_table_lost_anything_the_log_is_left_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
