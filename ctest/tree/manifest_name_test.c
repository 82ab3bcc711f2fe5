/*
 * Tests of the names of manifests, and of listing them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tree/manifest_kit.h"
#include "tree/manifest_name.h"

static void
expect_name(uint64_t number, const char *path)
{
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_buffer out;
  gs_buffer_init(&out, &alloc.base);
  gs_buffer_append(&out, "before", 6);
  gs_manifest_path(&out, "dir", number);
  assert_string_equal((const char *)out.data, path);
  assert_int_equal(out.size, strlen(path) + 1);
  uint64_t back = 0;
  assert_true(gs_manifest_parse_name((const char *)out.data + 4, &back));
  assert_int_equal(back, number);
  gs_buffer_deinit(&out);
  assert_int_equal(alloc.live_bytes, 0);
}

static void
test_a_number_has_six_digits_or_more(void **state)
{
  (void)state;
  expect_name(1, "dir/MANIFEST-000001");
  expect_name(999999, "dir/MANIFEST-999999");
  expect_name(1000000, "dir/MANIFEST-1000000");
  expect_name(UINT64_MAX, "dir/MANIFEST-18446744073709551615");
}

static void
test_other_names_are_no_manifests(void **state)
{
  (void)state;
  static const char *const others[] = {
      "",
      "MANIFEST-",
      "MANIFEST-1",
      "MANIFEST-00001",
      "MANIFEST-0000001",
      "MANIFEST-000000",
      "MANIFEST-000001x",
      "MANIFEST-000001 ",
      "MANIFEST-+00001",
      "MANIFEST-18446744073709551616",
      "MANIFEST-99999999999999999999",
      "MANIFEST-100000000000000000000",
      "manifest-000001",
      "000001.wal",
      "XMANIFEST-000001",
  };
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    uint64_t number = 7;
    assert_false(gs_manifest_parse_name(others[i], &number));
    assert_int_equal(number, 7);
  }
}

static void
make_file(gs_sim *sim, const char *path)
{
  assert_int_equal(gs_sim_replace(sim, path, gs_slice_str("x"), NULL), GS_OK);
}

static void
test_the_numbers_of_a_directory_are_listed_in_order(void **state)
{
  (void)state;
  gs_sim *sim = kit_machine(1);
  make_file(sim, KIT_DIR "/MANIFEST-000020");
  make_file(sim, KIT_DIR "/MANIFEST-1000000");
  make_file(sim, KIT_DIR "/000003.wal");
  make_file(sim, KIT_DIR "/MANIFEST-000003");
  gs_manifest_list list;
  assert_int_equal(gs_manifest_list_init(&list, gs_sim_env(sim), KIT_DIR, NULL),
                   GS_OK);
  assert_int_equal(gs_manifest_list_count(&list), 3);
  assert_int_equal(gs_manifest_list_at(&list, 0), 3);
  assert_int_equal(gs_manifest_list_at(&list, 1), 20);
  assert_int_equal(gs_manifest_list_at(&list, 2), 1000000);
  gs_manifest_list_deinit(&list);
  assert_int_equal(gs_manifest_list_init(&list, gs_sim_env(sim), "/none", NULL),
                   GS_MISSING);
  kit_free(sim);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_number_has_six_digits_or_more),
      cmocka_unit_test(test_other_names_are_no_manifests),
      cmocka_unit_test(test_the_numbers_of_a_directory_are_listed_in_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
