/*
 * What a directory still says of itself, with and without its manifest.
 */
#include "store/source.h"

#include "care_kit.h"

static void
read_source(gs_source *source, gs_repair_report *report)
{
  *report = (gs_repair_report){.kind = 0};
  gs_status status =
      gs_verify_path(sim_machine_env, "/db", NULL, &report->found, &kit_err);
  assert_true(status == GS_OK || status == GS_CORRUPT);
  KIT_OK(gs_source_init(source, sim_machine_env, "/db", report, &kit_err));
  KIT_OK(gs_source_read(source, 0, &kit_err));
}

static void
end_source(gs_source *source, gs_repair_report *report)
{
  gs_source_deinit(source);
  gs_repair_report_deinit(report);
}

static const char *
find(const char *part)
{
  static char path[64];
  care_files files = care_list("/db");
  for (size_t i = 0; i < files.count; i++) {
    if (strstr(files.paths[i], part) != NULL) {
      memcpy(path, files.paths[i], sizeof path);
      return path;
    }
  }
  fail_msg("there is no %s", part);
  return NULL;
}

static void
test_a_manifest_gives_each_table_its_place(void **state)
{
  (void)state;
  gs_source source;
  gs_repair_report report;
  care_make_killed();
  read_source(&source, &report);
  assert_true(report.has_manifest);
  assert_int_equal(report.loss_count, 0);
  assert_int_equal(source.table_count, 3);
  for (uint32_t i = 0; i < 3; i++) {
    assert_int_equal(gs_source_tables(&source)[i]->place, i + 1);
  }
  assert_int_equal(source.max_seq, care_writes[care_count - 1].seq);
  end_source(&source, &report);
}

static void
test_without_one_all_tables_and_logs_are_taken(void **state)
{
  (void)state;
  gs_source source;
  gs_repair_report report;
  care_make_killed();
  KIT_OK(gs_sim_remove(sim_machine, find("MANIFEST"), &kit_err));
  read_source(&source, &report);
  assert_false(report.has_manifest);
  assert_int_equal(source.table_count, 3);
  assert_true(source.log.entry_count > 0);
  assert_int_equal(report.loss_count, 1);
  assert_int_equal(report.losses[0].cause, GS_LOST_MANIFEST);
  end_source(&source, &report);
}

/* The base is damaged beyond a bit; a later edit still tells the kind. */
static void
test_facts_are_read_from_whatever_edit_is_left(void **state)
{
  (void)state;
  gs_source source;
  gs_repair_report report;
  gs_buffer bytes;
  care_make_killed();
  const char *path = find("MANIFEST");
  gs_buffer_init(&bytes, sim_machine_env->alloc);
  KIT_OK(gs_sim_read(sim_machine, path, &bytes, &kit_err));
  memset(bytes.data + 4096 + 60, 0xA5, 10);
  KIT_OK(gs_sim_replace(sim_machine, path, gs_buffer_slice(&bytes), &kit_err));
  gs_buffer_deinit(&bytes);
  read_source(&source, &report);
  assert_false(report.has_manifest);
  assert_int_equal(source.state.facts.store_kind, GS_STORE_BYTES);
  assert_true(source.state.facts.last_seq > 0);
  end_source(&source, &report);
}

/* Cut between two edits it looks whole, and is not believed. */
static void
test_a_manifest_that_is_behind_its_tables_is_not_believed(void **state)
{
  (void)state;
  gs_source source;
  gs_repair_report report;
  gs_buffer bytes;
  care_make_closed();
  const char *path = find("MANIFEST");
  gs_buffer_init(&bytes, sim_machine_env->alloc);
  KIT_OK(gs_sim_read(sim_machine, path, &bytes, &kit_err));
  size_t base =
      4096 + 48 + (size_t)bytes.data[4100] + ((size_t)bytes.data[4101] << 8);
  base = (base + 7) & ~(size_t)7;
  KIT_OK(gs_sim_replace(sim_machine, path, gs_slice_of(bytes.data, base),
                        &kit_err));
  gs_buffer_deinit(&bytes);
  read_source(&source, &report);
  assert_false(report.has_manifest);
  assert_true(source.table_count >= 3);
  end_source(&source, &report);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_manifest_gives_each_table_its_place),
      KIT_TEST(test_without_one_all_tables_and_logs_are_taken),
      KIT_TEST(test_facts_are_read_from_whatever_edit_is_left),
      KIT_TEST(test_a_manifest_that_is_behind_its_tables_is_not_believed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
