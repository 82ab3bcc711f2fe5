/*
 * Reports own what they say, and keep the worst of it.
 */
#include "care_kit.h"
#include "store/report.h"

static gs_error
fault(const char *text, uint64_t offset)
{
  gs_error what;
  gs_status status = GS_FAIL(&what, GS_CORRUPT, "%s", text);
  GS_IGNORE(gs_error_offset(&what, status, offset), "it is what is reported");
  return what;
}

static void
test_the_first_thing_wrong_stays_and_worse_replaces_it(void **state)
{
  (void)state;
  gs_verify_report report;
  gs_file_report *file;
  gs_report_init(&report, sim_machine_env->alloc);
  KIT_OK(gs_report_file(&report, "a", GS_FILE_TABLE, 10, &file, &kit_err));
  gs_error torn = fault("cut", 5);
  gs_error bad = fault("wrong", 7);
  gs_error worse = fault("later", 9);
  KIT_OK(gs_report_problem(&report, file, GS_STATE_TORN, &torn, &kit_err));
  assert_int_equal(report.torn_count, 1);
  assert_int_equal(report.problem_count, 0);
  KIT_OK(gs_report_problem(&report, file, GS_STATE_DAMAGED, &bad, &kit_err));
  KIT_OK(gs_report_problem(&report, file, GS_STATE_DAMAGED, &worse, &kit_err));
  KIT_OK(gs_report_problem(&report, file, GS_STATE_TORN, &torn, &kit_err));
  assert_int_equal(report.torn_count, 0);
  assert_int_equal(report.problem_count, 1);
  assert_string_equal(file->problem, "wrong");
  assert_int_equal(file->offset, 7);
  assert_string_equal(report.first.message, "wrong");
  assert_ptr_equal(gs_report_find(&report, "a"), file);
  assert_null(gs_report_find(&report, "b"));
  gs_verify_report_deinit(&report);
}

static void
test_what_says_nothing_of_a_file_is_returned(void **state)
{
  (void)state;
  gs_verify_report report;
  gs_file_report *file;
  gs_error what;
  gs_report_init(&report, sim_machine_env->alloc);
  KIT_OK(gs_report_file(&report, "a", GS_FILE_TABLE, 10, &file, &kit_err));
  gs_status status = GS_FAIL(&what, GS_LIMIT, "too many files");
  assert_int_equal(
      gs_report_judge(&report, file, status, "/d/a", &what, &kit_err),
      GS_LIMIT);
  assert_string_equal(kit_err.message, "too many files");
  assert_int_equal(file->state, GS_STATE_SOUND);
  status = GS_FAIL(&what, GS_IO, "the disk");
  KIT_OK(gs_report_judge(&report, file, status, "/d/a", &what, &kit_err));
  assert_int_equal(file->state, GS_STATE_UNREAD);
  assert_string_equal(report.first.path, "/d/a");
  gs_verify_report_deinit(&report);
}

static void
test_losses_keep_keys_of_any_length(void **state)
{
  (void)state;
  gs_repair_report report = {.kind = 0};
  gs_report_init(&report.found, sim_machine_env->alloc);
  for (int i = 0; i < 40; i++) {
    char key[8] = "abcdefg";
    gs_loss loss = {.cause = GS_LOST_BLOCK,
                    .name = i % 2 == 0 ? "" : "f",
                    .from = gs_slice_of(key, (size_t)i % 8),
                    .to = gs_slice_of(key, (size_t)(i + 3) % 8)};
    KIT_OK(gs_report_loss(&report, &loss, &kit_err));
    memset(key, 0, sizeof key);
  }
  assert_int_equal(report.loss_count, 40);
  assert_int_equal(report.losses[15].from.size, 7);
  assert_memory_equal(report.losses[15].from.data, "abcdefg", 7);
  assert_string_equal(report.losses[15].name, "f");
  assert_string_equal(gs_loss_cause_name(GS_LOST_LOG), "log");
  gs_repair_report_deinit(&report);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_the_first_thing_wrong_stays_and_worse_replaces_it),
      KIT_TEST(test_what_says_nothing_of_a_file_is_returned),
      KIT_TEST(test_losses_keep_keys_of_any_length),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
