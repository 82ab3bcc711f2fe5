/*
 * Names of files and what they mean.
 */
#include "store_kit.h"

#include "store/paths.h"

typedef struct name_case {
  const char *name;
  gs_file_kind kind;
  uint64_t number;
} name_case;

static void
test_only_names_that_print_back_to_themselves_are_ours(void **state)
{
  (void)state;
  static const name_case cases[] = {
      {"LOCK", GS_FILE_LOCK, 0},
      {"BALLAST", GS_FILE_BALLAST, 0},
      {"ballast", GS_FILE_FOREIGN, 0},
      {"MANIFEST-000007", GS_FILE_MANIFEST, 7},
      {"000001.wal", GS_FILE_SEGMENT, 1},
      {"000042.sst", GS_FILE_TABLE, 42},
      {"1234567.sst", GS_FILE_TABLE, 1234567},
      {"9999999999999999999.sst", GS_FILE_TABLE, UINT64_C(9999999999999999999)},
      {"99999999999999999999.sst", GS_FILE_FOREIGN, 0},
      {"7.sst", GS_FILE_FOREIGN, 0},
      {"0000007.wal", GS_FILE_FOREIGN, 0},
      {"000001.wal~", GS_FILE_FOREIGN, 0},
      {"000001.SST", GS_FILE_FOREIGN, 0},
      {"lock", GS_FILE_FOREIGN, 0},
      {"MANIFEST-7", GS_FILE_FOREIGN, 0},
      {"JOURNAL-000007", GS_FILE_JOURNAL, 7},
      {"JOURNAL-1234567", GS_FILE_JOURNAL, 1234567},
      {"JOURNAL-000000", GS_FILE_FOREIGN, 0},
      {"JOURNAL-7", GS_FILE_FOREIGN, 0},
      {"JOURNAL-000007.wal", GS_FILE_FOREIGN, 0},
      {"JOURNAL", GS_FILE_FOREIGN, 0},
      {"", GS_FILE_FOREIGN, 0},
      {".sst", GS_FILE_FOREIGN, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    uint64_t number = 0;
    assert_int_equal(gs_path_kind(cases[i].name, &number), cases[i].kind);
    if (cases[i].kind != GS_FILE_FOREIGN) {
      assert_int_equal(number, cases[i].number);
    }
  }
}

static void
test_paths_of_files_carry_the_directory_and_six_digits(void **state)
{
  (void)state;
  gs_buffer out;
  gs_buffer_init(&out, sim_machine_env->alloc);
  assert_string_equal(gs_path_table(&out, "/db", 7), "/db/000007.sst");
  assert_string_equal(gs_path_segment(&out, "/db", 1234567), "/db/1234567.wal");
  assert_string_equal(gs_path_lock(&out, "/db"), "/db/LOCK");
  assert_string_equal(gs_path_ballast(&out, "/db"), "/db/BALLAST");
  assert_string_equal(gs_path_journal(&out, "/db", 7), "/db/JOURNAL-000007");
  assert_string_equal(gs_path_join(&out, "/db", "x"), "/db/x");
  gs_buffer_deinit(&out);
}

static void
test_the_parent_of_a_path_is_the_directory_that_lists_it(void **state)
{
  (void)state;
  static const char *const cases[][2] = {
      {"/a/b", "/a"}, {"/a", "/"},     {"a", "."}, {"a/b", "a"},
      {"a/b/", "a"},  {"/a//b", "/a"}, {"/", "/"},
  };
  gs_buffer out;
  gs_buffer_init(&out, sim_machine_env->alloc);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    assert_string_equal(gs_path_parent(&out, cases[i][0]), cases[i][1]);
  }
  gs_buffer_deinit(&out);
}

static void
test_a_path_without_memory_is_null(void **state)
{
  (void)state;
  gs_buffer out;
  gs_buffer_init(&out, sim_machine_env->alloc);
  gs_sim_fail_alloc(sim_machine, 1, 1);
  assert_null(gs_path_table(&out, "/db", 7));
  assert_string_equal(gs_path_table(&out, "/db", 7), "/db/000007.sst");
  gs_buffer_deinit(&out);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_only_names_that_print_back_to_themselves_are_ours),
      KIT_TEST(test_paths_of_files_carry_the_directory_and_six_digits),
      KIT_TEST(test_the_parent_of_a_path_is_the_directory_that_lists_it),
      KIT_TEST(test_a_path_without_memory_is_null),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
