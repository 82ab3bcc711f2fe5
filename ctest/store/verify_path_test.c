/*
 * Every byte of a store answers for itself: what is changed in any way is found
 * by looking at the directory, without opening the store.
 */
#include "care_kit.h"
#include "support/family.h"

static uint64_t flipped;

static bool
is_live(const char *path)
{
  return !care_ends_with(path, "LOCK") && !care_ends_with(path, "BALLAST");
}

/* Nothing lists the files of a journal. */
static bool
is_listed(const char *path)
{
  return is_live(path) && strstr(path, "JOURNAL") == NULL;
}

static const gs_file_report *
find(const gs_verify_report *report, const char *path)
{
  const char *name = strrchr(path, '/') + 1;
  for (size_t i = 0; i < report->file_count; i++) {
    if (strcmp(report->files[i].name, name) == 0) {
      return &report->files[i];
    }
  }
  fail_msg("%s is not reported", path);
  return NULL;
}

/* ---- what is sound ----------------------------------------------------------------- */

static void
test_a_sound_directory_is_reported_file_by_file(void **state)
{
  (void)state;
  care_make_killed();
  gs_verify_report report;
  KIT_OK(gs_verify_path(sim_machine_env, "/db", NULL, &report, &kit_err));
  assert_int_equal(report.problem_count, 0);
  assert_int_equal(report.torn_count, 0);
  assert_int_equal(report.kind, GS_STORE_BYTES);
  assert_int_equal(report.last_seq, care_writes[care_count - 1].seq);
  size_t tables = 0;
  uint64_t entries = 0;
  uint64_t logged = 0;
  uint64_t bytes = 0;
  for (size_t i = 0; i < report.file_count; i++) {
    const gs_file_report *file = &report.files[i];
    assert_int_equal(file->state, GS_STATE_SOUND);
    assert_string_equal(file->problem, "");
    assert_true(i == 0 || strcmp(report.files[i - 1].name, file->name) < 0);
    bool is_table = strcmp(file->kind, "table") == 0;
    tables += is_table;
    entries += is_table ? file->entries : 0;
    logged += strcmp(file->kind, "log") == 0 ? file->entries : 0;
    bytes += file->bytes;
  }
  assert_int_equal(tables, 3);
  assert_int_equal(entries, CARE_KEYS + 30 + 20);
  assert_int_equal(report.entries, entries);
  assert_int_equal(report.bytes, bytes);
  assert_true(logged >= 14);
  gs_verify_report_deinit(&report);
}

static void
test_an_empty_directory_is_no_store(void **state)
{
  (void)state;
  gs_verify_report report;
  assert_int_equal(
      gs_verify_path(sim_machine_env, "/db", NULL, &report, &kit_err),
      GS_MISSING);
  gs_verify_report_deinit(&report);
  KIT_OK(gs_env_make_dir(sim_machine_env, "/db", &kit_err));
  assert_int_equal(
      gs_verify_path(sim_machine_env, "/db", NULL, &report, &kit_err),
      GS_MISSING);
  gs_verify_report_deinit(&report);
}

static void
test_what_is_no_part_of_the_store_is_told_apart(void **state)
{
  (void)state;
  care_make_closed();
  sim_machine_make("/db/letter", "dear");
  sim_machine_make("/db/000077.sst", "left over");
  sim_machine_make("/db/000078.wal", "left over");
  gs_verify_report report;
  KIT_OK(gs_verify_path(sim_machine_env, "/db", NULL, &report, &kit_err));
  assert_int_equal(find(&report, "/db/letter")->state, GS_STATE_UNUSED);
  assert_int_equal(find(&report, "/db/000077.sst")->state, GS_STATE_UNUSED);
  assert_int_equal(find(&report, "/db/000078.wal")->state, GS_STATE_UNUSED);
  assert_string_equal(find(&report, "/db/letter")->kind, "other");
  gs_verify_report_deinit(&report);
}

/* ---- what is not ------------------------------------------------------------------- */

/* A look at a directory of which one file was changed. */
static void
expect_noticed(const char *path, uint64_t byte)
{
  gs_verify_report report;
  gs_status status =
      gs_verify_path(sim_machine_env, "/db", NULL, &report, &kit_err);
  flipped++;
  if (status != GS_OK && status != GS_CORRUPT) {
    fail_msg("%s, byte %llu: %s", path, (unsigned long long)byte,
             kit_err.message);
  }
  const gs_file_report *file = find(&report, path);
  if (file->state != GS_STATE_DAMAGED && file->state != GS_STATE_TORN) {
    fail_msg("a flip in byte %llu of %s goes unnoticed",
             (unsigned long long)byte, path);
  }
  if (file->state == GS_STATE_DAMAGED) {
    assert_int_equal(status, GS_CORRUPT);
    assert_true(report.problem_count > 0);
    assert_true(file->problem[0] != '\0');
    assert_non_null(strstr(kit_err.path, file->name));
  }
  gs_verify_report_deinit(&report);
}

static void
flip_files(uint32_t bit)
{
  care_files files = care_list("/db");
  for (size_t i = 0; i < files.count; i++) {
    for (uint64_t byte = 0; is_live(files.paths[i]) && byte < files.sizes[i];
         byte++) {
      uint64_t at = byte * 8 + (byte + bit) % 8;
      KIT_OK(gs_sim_flip(sim_machine, files.paths[i], at, &kit_err));
      expect_noticed(files.paths[i], byte);
      KIT_OK(gs_sim_flip(sim_machine, files.paths[i], at, &kit_err));
    }
  }
}

/* At every scale every byte; what grows is how many of its bits. */
static void
test_no_byte_of_a_closed_store_changes_unnoticed(void **state)
{
  (void)state;
  size_t bits = family_count(8);
  care_make_closed();
  for (uint32_t bit = 0; bit < bits && bit < 8; bit++) {
    flip_files(bit);
  }
}

static void
test_no_byte_of_a_killed_store_changes_unnoticed(void **state)
{
  (void)state;
  size_t bits = family_count(8);
  care_make_killed();
  for (uint32_t bit = 0; bit < bits && bit < 8; bit++) {
    flip_files(bit);
  }
}

static void
test_a_bit_of_synced_writes_is_damage_and_no_torn_end(void **state)
{
  (void)state;
  care_make_killed();
  care_files files = care_list("/db");
  for (size_t i = 0; i < files.count; i++) {
    if (!care_ends_with(files.paths[i], ".wal")) {
      continue;
    }
    KIT_OK(gs_sim_flip(sim_machine, files.paths[i], (4096 + 60) * 8, &kit_err));
    gs_verify_report report;
    assert_int_equal(
        gs_verify_path(sim_machine_env, "/db", NULL, &report, &kit_err),
        GS_CORRUPT);
    assert_int_equal(find(&report, files.paths[i])->state, GS_STATE_DAMAGED);
    gs_verify_report_deinit(&report);
    return;
  }
  fail_msg("there is no log");
}

static void
test_each_missing_file_is_named(void **state)
{
  (void)state;
  care_make_killed();
  care_files files = care_list("/db");
  for (size_t i = 0; i < files.count; i++) {
    if (!is_listed(files.paths[i])) {
      continue;
    }
    gs_buffer bytes;
    gs_buffer_init(&bytes, gs_sim_env(sim_machine)->alloc);
    KIT_OK(gs_sim_read(sim_machine, files.paths[i], &bytes, &kit_err));
    KIT_OK(gs_sim_remove(sim_machine, files.paths[i], &kit_err));
    gs_verify_report report;
    assert_int_equal(
        gs_verify_path(sim_machine_env, "/db", NULL, &report, &kit_err),
        GS_CORRUPT);
    bool is_manifest = strstr(files.paths[i], "MANIFEST") != NULL;
    if (!is_manifest) {
      assert_int_equal(find(&report, files.paths[i])->state, GS_STATE_MISSING);
    }
    assert_int_equal(report.problem_count, 1);
    gs_verify_report_deinit(&report);
    KIT_OK(gs_sim_replace(sim_machine, files.paths[i], gs_buffer_slice(&bytes),
                          &kit_err));
    gs_buffer_deinit(&bytes);
  }
}

static void
test_without_a_manifest_the_tables_are_still_looked_at(void **state)
{
  (void)state;
  care_make_closed();
  care_files files = care_list("/db");
  for (size_t i = 0; i < files.count; i++) {
    if (strstr(files.paths[i], "MANIFEST") != NULL) {
      KIT_OK(gs_sim_remove(sim_machine, files.paths[i], &kit_err));
    }
  }
  gs_verify_report report;
  assert_int_equal(
      gs_verify_path(sim_machine_env, "/db", NULL, &report, &kit_err),
      GS_CORRUPT);
  assert_int_equal(find(&report, "/db/MANIFEST-000001")->state,
                   GS_STATE_MISSING);
  assert_int_equal(report.problem_count, 1);
  assert_int_equal(report.entries, CARE_KEYS + 30 + 20 + 14);
  gs_verify_report_deinit(&report);
}

static void
test_a_shallow_look_passes_over_blocks_and_over_nothing_else(void **state)
{
  (void)state;
  care_make_closed();
  care_files files = care_list("/db");
  gs_verify_options shallow = {.is_shallow = true};
  for (size_t i = 0; i < files.count; i++) {
    if (!care_ends_with(files.paths[i], ".sst")) {
      continue;
    }
    gs_verify_report report;
    KIT_OK(gs_sim_flip(sim_machine, files.paths[i], 100 * 8, &kit_err));
    KIT_OK(gs_verify_path(sim_machine_env, "/db", &shallow, &report, &kit_err));
    gs_verify_report_deinit(&report);
    KIT_OK(gs_sim_flip(sim_machine, files.paths[i], 100 * 8, &kit_err));
    uint64_t last = files.sizes[i] * 8 - 1;
    KIT_OK(gs_sim_flip(sim_machine, files.paths[i], last, &kit_err));
    assert_int_equal(
        gs_verify_path(sim_machine_env, "/db", &shallow, &report, &kit_err),
        GS_CORRUPT);
    gs_verify_report_deinit(&report);
    KIT_OK(gs_sim_flip(sim_machine, files.paths[i], last, &kit_err));
  }
}

static void
test_a_file_that_cannot_be_read_is_no_damage(void **state)
{
  (void)state;
  care_make_closed();
  gs_sim_fault fault = {
      .op = GS_SIM_READ, .path = "*.sst", .nth = 1, .times = 0, .os_errno = 5};
  KIT_OK(gs_sim_fail(sim_machine, &fault, &kit_err));
  gs_verify_report report;
  assert_int_equal(
      gs_verify_path(sim_machine_env, "/db", NULL, &report, &kit_err), GS_IO);
  assert_true(report.problem_count >= 3);
  for (size_t i = 0; i < report.file_count; i++) {
    if (care_ends_with(report.files[i].name, ".sst")) {
      assert_int_equal(report.files[i].state, GS_STATE_UNREAD);
    }
  }
  gs_verify_report_deinit(&report);
  gs_sim_heal(sim_machine);
}

/* ---- beside a writer ---------------------------------------------------------------- */

static void
test_an_open_store_is_sound_at_every_moment(void **state)
{
  (void)state;
  gs_options options = care_options();
  gs_store *store = kit_open(&options);
  gs_verify_report report;
  for (int i = 0; i < 200; i++) {
    kit_fill(store, "k", i, i);
    if (i % 30 == 29) {
      KIT_OK(gs_flush(store, &kit_err));
    }
    gs_status status =
        gs_verify_path(sim_machine_env, "/db", NULL, &report, &kit_err);
    if (status != GS_OK || report.torn_count > 0) {
      fail_msg("after write %d: %s", i, kit_err.message);
    }
    gs_verify_report_deinit(&report);
  }
  KIT_OK(gs_compact(store, NULL, &kit_err));
  KIT_OK(gs_verify_path(sim_machine_env, "/db", NULL, &report, &kit_err));
  gs_verify_report_deinit(&report);
  kit_close(store);
}

/* ---- telling ------------------------------------------------------------------------- */

typedef struct listener {
  uint64_t done;
  size_t words;
  size_t stop_at;
} listener;

static gs_status
listen(void *context, uint64_t done, uint64_t total, const char *file,
       gs_error *err)
{
  listener *l = context;
  assert_true(done >= l->done);
  assert_true(done <= total);
  assert_true(file[0] != '\0');
  l->done = done;
  l->words++;
  return l->words == l->stop_at ? GS_FAIL(err, GS_CLOSED, "enough") : GS_OK;
}

static void
test_the_caller_is_told_of_each_file_and_can_stop_at_any(void **state)
{
  (void)state;
  care_make_killed();
  gs_status status = GS_CLOSED;
  for (size_t stop_at = 1; status != GS_OK; stop_at++) {
    listener l = {.stop_at = stop_at};
    gs_verify_options options = {.progress = listen, .context = &l};
    gs_verify_report report;
    status =
        gs_verify_path(sim_machine_env, "/db", &options, &report, &kit_err);
    if (status == GS_OK) {
      assert_int_equal(l.words, report.file_count);
    } else {
      assert_int_equal(status, GS_CLOSED);
    }
    gs_verify_report_deinit(&report);
  }
}

static void
test_memory_may_end_anywhere(void **state)
{
  (void)state;
  care_make_killed();
  gs_status status = GS_NOMEM;
  for (uint64_t nth = 1; status != GS_OK; nth++) {
    gs_verify_report report;
    gs_sim_fail_alloc(sim_machine, nth, 1);
    status = gs_verify_path(sim_machine_env, "/db", NULL, &report, &kit_err);
    gs_sim_fail_alloc(sim_machine, 0, 0);
    gs_verify_report_deinit(&report);
    if (status != GS_OK) {
      assert_int_equal(status, GS_NOMEM);
    }
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_sound_directory_is_reported_file_by_file),
      KIT_TEST(test_an_empty_directory_is_no_store),
      KIT_TEST(test_what_is_no_part_of_the_store_is_told_apart),
      KIT_TEST(test_a_bit_of_synced_writes_is_damage_and_no_torn_end),
      KIT_TEST(test_each_missing_file_is_named),
      KIT_TEST(test_without_a_manifest_the_tables_are_still_looked_at),
      KIT_TEST(test_a_shallow_look_passes_over_blocks_and_over_nothing_else),
      KIT_TEST(test_a_file_that_cannot_be_read_is_no_damage),
      KIT_TEST(test_an_open_store_is_sound_at_every_moment),
      KIT_TEST(test_the_caller_is_told_of_each_file_and_can_stop_at_any),
  };
  const struct CMUnitTest packed_too[] = {
      KIT_TEST(test_no_byte_of_a_closed_store_changes_unnoticed),
      KIT_TEST(test_no_byte_of_a_killed_store_changes_unnoticed),
      KIT_TEST(test_memory_may_end_anywhere),
  };
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  for (int c = GS_COMPRESSION_NONE; c <= GS_COMPRESSION_ZSTD; c++) {
    care_compression = (gs_compression)c;
    failures += cmocka_run_group_tests(packed_too, NULL, NULL);
  }
  return family_report(8, "verify", flipped, failures, "bytes flipped");
}
