/*
 * The journal of a store: what is kept, for how long, and that nothing depends
 * on it.
 */
#include "journal_kit.h"

#include <errno.h>

#include "store/journal.h"

/* One flush. */
static void
flush_one(gs_store *store, const char *key)
{
  kit_put(store, key, "1");
  KIT_OK(gs_flush(store, &kit_err));
}

static uint64_t
size_of(const char *path)
{
  gs_file_info info;
  gs_status status = gs_env_stat(sim_machine_env, path, &info, NULL);
  return status == GS_OK ? info.size_bytes : 0;
}

static void
expect_kinds(gs_journal *journal, const char *kinds)
{
  assert_string_equal(journal_kinds(journal), kinds);
  gs_journal_free(journal);
}

/* Numbers 1, 2, 3, … */
static size_t
expect_no_gap(gs_journal *journal)
{
  size_t count = gs_journal_count(journal);
  for (size_t i = 0; i < count; i++) {
    gs_event event;
    gs_journal_at(journal, i, &event);
    assert_int_equal(event.number, i + 1);
  }
  gs_journal_free(journal);
  return count;
}

static void
test_what_a_store_did_is_told_while_it_is_open_and_after(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  flush_one(store, "a");
  expect_kinds(journal_of(store, 0), "open flush");
  expect_kinds(journal_of_path(), "open flush");
  kit_close(store);
  expect_kinds(journal_of_path(), "open flush close");
}

static void
test_numbers_go_on_over_openings(void **state)
{
  (void)state;
  gs_options options = kit_options();
  for (uint64_t i = 0; i < 5; i++) {
    gs_store *store = kit_open(&options);
    flush_one(store, "a");
    assert_int_equal(expect_no_gap(journal_of(store, 0)), 3 * i + 2);
    expect_kinds(journal_of(store, 3 * i + 1), "flush");
    kit_close(store);
  }
  assert_int_equal(expect_no_gap(journal_of_path()), 15);
  assert_int_equal(size_of("/db/JOURNAL-000002"), 0);
}

static void
test_an_opening_without_a_deed_writes_nothing(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  expect_kinds(journal_of(store, 0), "open");
  kit_close(store);
  assert_int_equal(size_of("/db/JOURNAL-000001"), 0);
  store = kit_open(&options);
  flush_one(store, "a");
  kit_close(store);
  uint64_t bytes = size_of("/db/JOURNAL-000001");
  kit_close(kit_open(&options));
  options.readonly = true;
  store = kit_open(&options);
  expect_kinds(journal_of(store, 0), "open flush close");
  gs_note_policy_error(store, "nobody writes", false);
  kit_close(store);
  assert_int_equal(size_of("/db/JOURNAL-000001"), bytes);
}

static void
test_without_files_there_is_a_journal_in_memory(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.journal_bytes = 0;
  gs_store *store = kit_open(&options);
  flush_one(store, "a");
  expect_kinds(journal_of(store, 0), "open flush");
  assert_int_equal(kit_stats(store).journal_events, 2);
  kit_close(store);
  expect_kinds(journal_of_path(), "");
  assert_int_equal(size_of("/db/JOURNAL-000001"), 0);
}

static void
test_equal_troubles_are_one_event_with_a_count(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  for (int i = 0; i < 1000; i++) {
    gs_note_policy_error(store, "it is sick", false);
  }
  gs_note_policy_error(store, "it is sick", true);
  gs_journal *journal = journal_of(store, 0);
  assert_string_equal(journal_kinds(journal), "open policy_error policy_error");
  gs_event event;
  gs_journal_at(journal, 1, &event);
  assert_int_equal(event.count, 1000);
  gs_journal_free(journal);
  /* What was handed out does not change. */
  gs_note_policy_error(store, "it is sick", true);
  expect_kinds(journal_of(store, 0),
               "open policy_error policy_error policy_error");
  kit_close(store);
}

/* More than the ring takes, written as it comes. */
static size_t
make_many(gs_store *store, int count, bool is_written)
{
  char text[400];
  memset(text, 'x', sizeof text);
  text[sizeof text - 1] = '\0';
  for (int i = 0; i < count; i++) {
    char number[16];
    memcpy(text, number, (size_t)snprintf(number, sizeof number, "%06d", i));
    gs_note_policy_error(store, text, false);
    if (is_written && i % 100 == 99) {
      gs_journal_write(store);
    }
  }
  return (size_t)count;
}

static void
test_two_files_are_bounded_and_hold_the_newest(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.journal_bytes = GS_JOURNAL_MIN_BYTES;
  gs_store *store = kit_open(&options);
  size_t made = make_many(store, 3000, true);
  kit_close(store);
  uint64_t bytes = 0;
  size_t files = 0;
  for (int i = 1; i < 100; i++) {
    char path[64];
    snprintf(path, sizeof path, "/db/JOURNAL-%06d", i);
    uint64_t size = size_of(path);
    assert_in_range(size, 0, GS_JOURNAL_MIN_BYTES / 2);
    bytes += size;
    files += size > 0;
  }
  assert_int_equal(files, 2);
  assert_in_range(bytes, GS_JOURNAL_MIN_BYTES / 3, GS_JOURNAL_MIN_BYTES);
  gs_journal *journal = journal_of_path();
  size_t count = gs_journal_count(journal);
  gs_event first;
  gs_event last;
  gs_journal_at(journal, 0, &first);
  gs_journal_at(journal, count - 1, &last);
  assert_int_equal(last.kind, GS_EVENT_CLOSE);
  assert_int_equal(last.number, made + 2);
  assert_int_equal(first.number, last.number - count + 1);
  gs_journal_free(journal);
}

static void
test_events_that_come_too_fast_are_counted_as_lost(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  size_t made = make_many(store, 1000, false);
  gs_stats stats = kit_stats(store);
  assert_int_equal(stats.journal_events, made + 1);
  assert_int_equal(stats.journal_lost, made + 1 - GS_JOURNAL_SLOTS);
  gs_journal *journal = journal_of(store, 0);
  assert_int_equal(gs_journal_count(journal), GS_JOURNAL_SLOTS);
  assert_int_equal(journal_last(journal, GS_EVENT_POLICY_ERROR).number,
                   made + 1);
  gs_journal_free(journal);
  kit_close(store);
}

static void
test_a_torn_file_is_followed_by_another(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  flush_one(store, "a");
  kit_close(store);
  KIT_OK(gs_sim_flip(sim_machine, "/db/JOURNAL-000001",
                     (size_of("/db/JOURNAL-000001") - 1) * 8, &kit_err));
  store = kit_open(&options);
  flush_one(store, "b");
  expect_kinds(journal_of(store, 0), "open flush open flush");
  assert_true(size_of("/db/JOURNAL-000002") > 0);
  kit_close(store);
  assert_int_equal(expect_no_gap(journal_of_path()), 5);
}

static void
test_a_file_that_is_no_journal_is_not_written(void **state)
{
  (void)state;
  gs_options options = kit_options();
  kit_close(kit_open(&options));
  sim_machine_make("/db/JOURNAL-000001", "a diary");
  gs_store *store = kit_open(&options);
  flush_one(store, "a");
  kit_close(store);
  assert_string_equal(sim_machine_text(sim_machine, "/db/JOURNAL-000001"),
                      "a diary");
  expect_kinds(journal_of_path(), "open flush close");
}

static void
fail_journal(gs_sim_op op, int os_errno)
{
  gs_sim_fault fault = {
      .op = op, .path = "*JOURNAL*", .nth = 1, .os_errno = os_errno};
  KIT_OK(gs_sim_fail(sim_machine, &fault, &kit_err));
}

/* The store knows nothing of it, and the journal goes on when it can. */
static void
expect_harmless(gs_sim_op op, int os_errno)
{
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  flush_one(store, "a");
  fail_journal(op, os_errno);
  flush_one(store, "b");
  flush_one(store, "c");
  expect_kinds(journal_of(store, 0), "open flush flush flush");
  gs_sim_heal(sim_machine);
  gs_sim_advance_ms(sim_machine, 2000);
  flush_one(store, "d");
  assert_int_equal(kit_stats(store).journal_lost, 0);
  kit_close(store);
  gs_journal *journal = journal_of_path();
  assert_string_equal(journal_kinds(journal),
                      "open flush flush flush flush close");
  expect_no_gap(journal);
  KIT_OK(gs_destroy(sim_machine_env, "/db", &kit_err));
}

static void
test_a_journal_that_cannot_be_written_harms_nothing(void **state)
{
  (void)state;
  expect_harmless(GS_SIM_WRITE, EIO);
  expect_harmless(GS_SIM_WRITE, ENOSPC);
}

static void
test_a_journal_that_cannot_be_opened_harms_nothing(void **state)
{
  (void)state;
  static const int errnos[] = {EIO, ENOSPC, EMFILE, EACCES};
  for (size_t i = 0; i < sizeof errnos / sizeof errnos[0]; i++) {
    gs_options options = kit_options();
    gs_store *store = kit_open(&options);
    fail_journal(GS_SIM_OPEN, errnos[i]);
    flush_one(store, "a");
    kit_close(store);
    gs_sim_heal(sim_machine);
    expect_kinds(journal_of_path(), "");
    KIT_OK(gs_destroy(sim_machine_env, "/db", &kit_err));
  }
}

static void
test_a_new_file_that_fails_leaves_those_before_it(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.journal_bytes = GS_JOURNAL_MIN_BYTES;
  gs_store *store = kit_open(&options);
  make_many(store, 400, true);
  uint64_t first = size_of("/db/JOURNAL-000001");
  uint64_t second = size_of("/db/JOURNAL-000002");
  assert_true(first > 0 && second > 0);
  fail_journal(GS_SIM_WRITE, ENOSPC);
  for (int i = 0; i < 5; i++) {
    make_many(store, 200, true);
    gs_sim_advance_ms(sim_machine, 2000);
  }
  assert_true(kit_stats(store).journal_lost > 0);
  assert_int_equal(size_of("/db/JOURNAL-000001"), first);
  assert_true(size_of("/db/JOURNAL-000002") >= second);
  assert_int_equal(size_of("/db/JOURNAL-000003"), 0);
  gs_sim_heal(sim_machine);
  kit_close(store);
  assert_true(size_of("/db/JOURNAL-000003") > 0);
}

static void
test_the_files_are_known_to_all_who_look_at_directories(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  flush_one(store, "a");
  gs_info info;
  KIT_OK(gs_checkpoint(store, "/copy", NULL, &kit_err));
  assert_int_equal(size_of("/copy/JOURNAL-000001"), 0);
  kit_close(store);
  KIT_OK(gs_inspect(sim_machine_env, "/db", &info, &kit_err));
  assert_true(info.all_bytes >= size_of("/db/JOURNAL-000001"));
  gs_verify_report report;
  KIT_OK(gs_verify_path(sim_machine_env, "/db", NULL, &report, &kit_err));
  assert_string_equal(report.files[1].name, "JOURNAL-000001");
  assert_string_equal(report.files[1].kind, "journal");
  assert_int_equal(report.files[1].state, GS_STATE_SOUND);
  assert_int_equal(report.files[1].entries, 3);
  gs_verify_report_deinit(&report);
  store = kit_open(&options);
  assert_int_equal(kit_stats(store).foreign_files, 0);
  kit_close(store);
  KIT_OK(gs_destroy(sim_machine_env, "/db", &kit_err));
  assert_int_equal(
      gs_env_stat(sim_machine_env, "/db", &(gs_file_info){0}, NULL),
      GS_MISSING);
}

static void
test_what_lives_without_a_log_has_a_journal_too(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_MEMORY;
  gs_store *store = kit_open(&options);
  flush_one(store, "a");
  kit_close(store);
  expect_kinds(journal_of_path(), "open flush close");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_what_a_store_did_is_told_while_it_is_open_and_after),
      KIT_TEST(test_numbers_go_on_over_openings),
      KIT_TEST(test_an_opening_without_a_deed_writes_nothing),
      KIT_TEST(test_without_files_there_is_a_journal_in_memory),
      KIT_TEST(test_equal_troubles_are_one_event_with_a_count),
      KIT_TEST(test_two_files_are_bounded_and_hold_the_newest),
      KIT_TEST(test_events_that_come_too_fast_are_counted_as_lost),
      KIT_TEST(test_a_torn_file_is_followed_by_another),
      KIT_TEST(test_a_file_that_is_no_journal_is_not_written),
      KIT_TEST(test_a_journal_that_cannot_be_written_harms_nothing),
      KIT_TEST(test_a_journal_that_cannot_be_opened_harms_nothing),
      KIT_TEST(test_a_new_file_that_fails_leaves_those_before_it),
      KIT_TEST(test_the_files_are_known_to_all_who_look_at_directories),
      KIT_TEST(test_what_lives_without_a_log_has_a_journal_too),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
