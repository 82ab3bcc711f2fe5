/*
 * Reading journals: what is asked for, from files in any state.
 */
#include "journal_kit.h"

#include "store/journal.h"
#include "store/journal_read.h"

/* Three flushes, two errors, and the events around them, in one file. */
static void
make_store(void)
{
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  for (int i = 0; i < 3; i++) {
    kit_put(store, "k", "1");
    KIT_OK(gs_flush(store, &kit_err));
  }
  gs_note_policy_error(store, "one", false);
  gs_note_policy_error(store, "two", true);
  kit_close(store);
}

static void
expect(const gs_journal_query *query, const char *kinds)
{
  gs_journal *journal = NULL;
  KIT_OK(
      gs_journal_read_path(sim_machine_env, "/db", query, &journal, &kit_err));
  assert_string_equal(journal_kinds(journal), kinds);
  assert_int_equal(gs_journal_store_kind(journal), GS_STORE_BYTES);
  gs_journal_free(journal);
}

static void
test_events_are_chosen_by_number_kind_and_count(void **state)
{
  (void)state;
  make_store();
  expect(NULL, "open flush flush flush policy_error policy_error close");
  expect(&(gs_journal_query){.since = 4}, "policy_error policy_error close");
  expect(&(gs_journal_query){.since = 7}, "");
  expect(&(gs_journal_query){.limit = 2}, "policy_error close");
  expect(&(gs_journal_query){.limit = 99},
         "open flush flush flush policy_error policy_error close");
  uint32_t kinds = 1U << GS_EVENT_FLUSH | 1U << GS_EVENT_CLOSE;
  expect(&(gs_journal_query){.kinds = kinds}, "flush flush flush close");
  expect(&(gs_journal_query){.kinds = kinds, .limit = 2, .since = 2},
         "flush close");
}

/* What an earlier opening did is in files alone. */
static void
test_memory_is_read_without_files(void **state)
{
  (void)state;
  make_store();
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_journal *journal = NULL;
  const gs_journal_query query = {.in_memory = true};
  assert_int_equal(gs_jobs_noted(store), 0);
  kit_put(store, "k", "1");
  KIT_OK(gs_flush(store, &kit_err));
  gs_note_policy_error(store, "one", false);
  assert_int_equal(gs_jobs_noted(store), 1);
  KIT_OK(gs_journal_read(store, &query, &journal, &kit_err));
  assert_string_equal(journal_kinds(journal), "open flush policy_error");
  gs_event event;
  gs_journal_at(journal, 0, &event);
  assert_int_equal(event.number, 8);
  gs_journal_free(journal);
  kit_close(store);
}

static void
test_where_no_store_is_none_is_read(void **state)
{
  (void)state;
  gs_journal *journal = NULL;
  assert_int_equal(
      gs_journal_read_path(sim_machine_env, "/db", NULL, &journal, &kit_err),
      GS_MISSING);
  assert_null(journal);
  gs_journal_free(journal);
}

static void
test_the_newest_files_are_listed_whatever_their_order(void **state)
{
  (void)state;
  static const uint64_t numbers[] = {12, 3, 1000000, 7, 9, 2, 5, 11, 4, 8, 6};
  gs_journal_numbers found;
  KIT_OK(gs_env_make_dir(sim_machine_env, "/db", &kit_err));
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    char path[64];
    snprintf(path, sizeof path, "/db/JOURNAL-%06d", (int)numbers[i]);
    sim_machine_make(path, "");
  }
  sim_machine_make("/db/JOURNAL-1", "");
  sim_machine_make("/db/JOURNAL-000000", "");
  sim_machine_make("/db/JOURNAL-000013.old", "");
  KIT_OK(gs_journal_list(sim_machine_env, "/db", &found, &kit_err));
  static const uint64_t newest[] = {5, 6, 7, 8, 9, 11, 12, 1000000};
  assert_int_equal(found.count, GS_JOURNAL_FILES_MAX);
  assert_memory_equal(found.numbers, newest, sizeof newest);
}

/* How many events are read, each of them one that was written. */
static size_t
count_true(gs_journal *sound)
{
  gs_journal *journal = journal_of_path();
  size_t count = gs_journal_count(journal);
  for (size_t i = 0; i < count; i++) {
    gs_event found;
    gs_event written;
    gs_journal_at(journal, i, &found);
    gs_journal_at(sound, i, &written);
    assert_int_equal(found.number, written.number);
    assert_int_equal(found.kind, written.kind);
    assert_int_equal(found.time_ms, written.time_ms);
    assert_true(gs_slice_equal(found.text, written.text));
    assert_true(gs_slice_equal(found.outputs, written.outputs));
    assert_true(gs_slice_equal(found.runs, written.runs));
  }
  gs_journal_free(journal);
  return count;
}

static void
test_every_changed_byte_shortens_what_is_read_and_changes_nothing(void **state)
{
  (void)state;
  make_store();
  gs_journal *sound = journal_of_path();
  gs_file_info info;
  KIT_OK(gs_env_stat(sim_machine_env, "/db/JOURNAL-000001", &info, &kit_err));
  for (uint64_t at = 0; at < info.size_bytes; at++) {
    uint64_t bit = at * 8 + at % 8;
    KIT_OK(gs_sim_flip(sim_machine, "/db/JOURNAL-000001", bit, &kit_err));
    assert_true(count_true(sound) < gs_journal_count(sound));
    KIT_OK(gs_sim_flip(sim_machine, "/db/JOURNAL-000001", bit, &kit_err));
  }
  assert_int_equal(count_true(sound), 7);
  gs_journal_free(sound);
}

static void
test_the_end_of_a_file_is_where_its_frames_end(void **state)
{
  (void)state;
  make_store();
  gs_buffer file;
  gs_journal_end end;
  gs_buffer_init(&file, sim_machine_env->alloc);
  KIT_OK(gs_sim_read(sim_machine, "/db/JOURNAL-000001", &file, &kit_err));
  gs_journal_find_end(gs_buffer_slice(&file), 1, &end);
  assert_true(end.is_whole);
  assert_int_equal(end.events, 7);
  assert_int_equal(end.last_event, 7);
  assert_int_equal(end.bytes, file.size);
  gs_journal_find_end(gs_slice_of(file.data, file.size - 1), 1, &end);
  assert_false(end.is_whole);
  assert_int_equal(end.last_event, 6);
  gs_journal_find_end(gs_buffer_slice(&file), 2, &end);
  assert_int_equal(end.salt, 0);
  assert_int_equal(end.last_event, 0);
  assert_int_equal(gs_journal_last_event(sim_machine_env, "/db", 1), 7);
  assert_int_equal(gs_journal_last_event(sim_machine_env, "/db", 2), 0);
  gs_buffer_deinit(&file);
}

static void
test_a_file_too_large_to_be_one_is_passed_over(void **state)
{
  (void)state;
  make_store();
  gs_file *file = sim_machine_open("/db/JOURNAL-000002", GS_OPEN_CREATE);
  KIT_OK(gs_file_write(file, GS_JOURNAL_MAX_BYTES, "x", 1, &kit_err));
  sim_machine_close(file);
  expect(&(gs_journal_query){.limit = 1}, "close");
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_put(store, "k", "2");
  kit_close(store);
  expect(&(gs_journal_query){.since = 7}, "open flush close");
}

static void
test_memory_may_end_anywhere(void **state)
{
  (void)state;
  make_store();
  gs_status status = GS_NOMEM;
  for (uint64_t nth = 1; status == GS_NOMEM; nth++) {
    gs_journal *journal = NULL;
    gs_sim_fail_alloc(sim_machine, nth, 1);
    status =
        gs_journal_read_path(sim_machine_env, "/db", NULL, &journal, &kit_err);
    gs_sim_fail_alloc(sim_machine, 0, 0);
    assert_true(status == GS_OK || journal == NULL);
    gs_journal_free(journal);
  }
  KIT_OK(status);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_events_are_chosen_by_number_kind_and_count),
      KIT_TEST(test_memory_is_read_without_files),
      KIT_TEST(test_where_no_store_is_none_is_read),
      KIT_TEST(test_the_newest_files_are_listed_whatever_their_order),
      KIT_TEST(
          test_every_changed_byte_shortens_what_is_read_and_changes_nothing),
      KIT_TEST(test_the_end_of_a_file_is_where_its_frames_end),
      KIT_TEST(test_a_file_too_large_to_be_one_is_passed_over),
      KIT_TEST(test_memory_may_end_anywhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
