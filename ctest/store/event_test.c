/*
 * Events: their names, and what their lists hold.
 */
#include "journal_kit.h"

static void
test_every_kind_has_a_name_that_lua_knows(void **state)
{
  (void)state;
  static const char *const names[] = {
      "unknown", "flush",        "merge", "move",  "drop",   "stall",
      "refused", "policy_error", "open",  "close", "resume", "unknown"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    assert_string_equal(gs_event_kind_name((gs_event_kind)i), names[i]);
  }
}

static void
test_inputs_outputs_and_runs_are_read_one_by_one(void **state)
{
  (void)state;
  journal_lists lists;
  gs_table_meta meta;
  gs_event_run run;
  size_t at = 0;
  journal_make_lists(&lists, sim_machine_env->alloc);
  gs_event event = journal_full_event(&lists);
  assert_int_equal(gs_event_input_count(&event), 2);
  assert_int_equal(gs_event_input(&event, 0), 7);
  assert_int_equal(gs_event_input(&event, 1), 256);
  assert_true(gs_event_output(&event, &at, &meta));
  assert_int_equal(meta.id, 11);
  assert_int_equal(meta.file_bytes, 4711);
  assert_true(gs_event_output(&event, &at, &meta));
  assert_int_equal(meta.id, 12);
  journal_expect(meta.max_key, "z");
  assert_false(gs_event_output(&event, &at, &meta));
  assert_int_equal(gs_event_run_count(&event), 2);
  gs_event_run_at(&event, 1, &run);
  assert_int_equal(run.id, 31);
  assert_int_equal(run.level, 2);
  assert_int_equal(run.table_count, 3);
  assert_int_equal(run.bytes, 999);
  assert_int_equal(run.entry_count, 77);
  journal_free_lists(&lists);
}

static void
test_an_event_without_lists_has_none(void **state)
{
  (void)state;
  gs_event event = {.kind = GS_EVENT_CLOSE};
  gs_table_meta meta;
  size_t at = 0;
  assert_int_equal(gs_event_input_count(&event), 0);
  assert_int_equal(gs_event_run_count(&event), 0);
  assert_false(gs_event_output(&event, &at, &meta));
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_every_kind_has_a_name_that_lua_knows),
      KIT_TEST(test_inputs_outputs_and_runs_are_read_one_by_one),
      KIT_TEST(test_an_event_without_lists_has_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
