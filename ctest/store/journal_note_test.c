/*
 * What each deed of a store says of itself.
 */
#include "journal_kit.h"

#include <errno.h>

#include "store/journal_note.h"

static gs_options
policy_options(void)
{
  gs_options options = kit_options();
  options.has_policy = true;
  return options;
}

static gs_event_run
newest_run(const gs_event *event)
{
  gs_event_run run;
  gs_event_run_at(event, 0, &run);
  return run;
}

static uint64_t
table_of(const gs_event *flush)
{
  gs_table_meta meta;
  size_t at = 0;
  assert_true(gs_event_output(flush, &at, &meta));
  return meta.id;
}

/* Ten keys become a run; its one table. */
static uint64_t
flush_keys(gs_store *store, const char *prefix)
{
  kit_fill(store, prefix, 1, 10);
  KIT_OK(gs_flush(store, &kit_err));
  gs_journal *journal = journal_of(store, 0);
  gs_event event = journal_last(journal, GS_EVENT_FLUSH);
  uint64_t table = table_of(&event);
  gs_journal_free(journal);
  return table;
}

static void
test_a_flush_tells_its_tables_and_the_tree(void **state)
{
  (void)state;
  gs_options options = policy_options();
  gs_store *store = kit_open(&options);
  kit_delete(store, "gone");
  flush_keys(store, "a");
  gs_journal *journal = journal_of(store, 0);
  gs_event event = journal_last(journal, GS_EVENT_FLUSH);
  gs_table_meta meta;
  size_t at = 0;
  assert_int_equal(event.code.size, 0);
  assert_true(event.job > 0);
  assert_int_equal(event.count, 1);
  assert_true(event.time_ms > 0);
  assert_int_equal(event.output_count, 1);
  assert_true(gs_event_output(&event, &at, &meta));
  journal_expect(meta.min_key, "a0001");
  journal_expect(meta.max_key, "a0010");
  assert_int_equal(meta.entry_count, 10);
  assert_int_equal(event.written_bytes, meta.file_bytes);
  assert_true(event.read_bytes >= meta.data_bytes);
  assert_int_equal(event.dropped_tombstones, 1);
  assert_int_equal(gs_event_run_count(&event), 1);
  gs_event_run run = newest_run(&event);
  assert_int_equal(run.table_count, 1);
  assert_int_equal(run.entry_count, 10);
  assert_int_equal(run.bytes, meta.file_bytes);
  gs_journal_free(journal);
  kit_close(store);
}

static gs_plan
plan_of(gs_plan_op op, const uint64_t *tables, size_t count, uint64_t run)
{
  return (gs_plan){
      .op = op,
      .target = op == GS_PLAN_DROP ? GS_TARGET_NONE : GS_TARGET_INTO,
      .run_id = run,
      .level = -1,
      .inputs = tables,
      .input_count = count,
      .why = "as the test wants it",
  };
}

static uint64_t
oldest_run(gs_store *store)
{
  gs_event_run run;
  gs_journal *journal = journal_of(store, 0);
  gs_event event = journal_last(journal, GS_EVENT_FLUSH);
  gs_event_run_at(&event, gs_event_run_count(&event) - 1, &run);
  gs_journal_free(journal);
  return run.id;
}

static void
test_a_merge_tells_its_reason_inputs_and_outputs(void **state)
{
  (void)state;
  gs_options options = policy_options();
  gs_store *store = kit_open(&options);
  uint64_t tables[2];
  tables[1] = flush_keys(store, "k");
  tables[0] = flush_keys(store, "k");
  gs_plan plan = plan_of(GS_PLAN_MERGE, tables, 2, oldest_run(store));
  uint64_t job = 0;
  KIT_OK(gs_submit(store, &plan, false, &job, NULL, &kit_err));
  kit_work(store);
  gs_journal *journal = journal_of(store, 0);
  gs_event event = journal_last(journal, GS_EVENT_MERGE);
  journal_expect(event.why, "as the test wants it");
  assert_int_equal(event.job, job);
  assert_true(event.has_plan);
  assert_int_equal(event.op, GS_PLAN_MERGE);
  assert_int_equal(event.target, GS_TARGET_INTO);
  assert_int_equal(event.run_id, plan.run_id);
  assert_int_equal(gs_event_input_count(&event), 2);
  assert_int_equal(gs_event_input(&event, 0), tables[0]);
  assert_int_equal(event.output_count, 1);
  assert_int_equal(event.dropped_covered, 10);
  assert_true(event.read_bytes > event.written_bytes);
  assert_int_equal(gs_event_run_count(&event), 1);
  gs_journal_free(journal);
  kit_close(store);
}

static void
test_a_move_tells_the_tables_it_moved(void **state)
{
  (void)state;
  gs_options options = policy_options();
  gs_store *store = kit_open(&options);
  flush_keys(store, "m");
  uint64_t table = flush_keys(store, "a");
  gs_plan plan = plan_of(GS_PLAN_MOVE, &table, 1, oldest_run(store));
  KIT_OK(gs_submit(store, &plan, false, NULL, NULL, &kit_err));
  kit_work(store);
  gs_journal *journal = journal_of(store, 0);
  gs_event event = journal_last(journal, GS_EVENT_MOVE);
  assert_int_equal(gs_event_input(&event, 0), table);
  assert_int_equal(table_of(&event), table);
  assert_int_equal(event.written_bytes, 0);
  assert_int_equal(newest_run(&event).table_count, 2);
  gs_journal_free(journal);
  kit_close(store);
}

static void
test_a_drop_tells_what_went(void **state)
{
  (void)state;
  gs_options options = policy_options();
  gs_store *store = kit_open(&options);
  gs_write_options soon = {.ttl_ms = 100, .has_ttl = true};
  KIT_OK(gs_put(store, gs_slice_str("a"), gs_slice_str("1"), &soon, NULL,
                &kit_err));
  KIT_OK(gs_flush(store, &kit_err));
  gs_journal *journal = journal_of(store, 0);
  gs_event event = journal_last(journal, GS_EVENT_FLUSH);
  uint64_t table = table_of(&event);
  gs_journal_free(journal);
  gs_sim_advance_ms(sim_machine, 1000);
  gs_plan plan = plan_of(GS_PLAN_DROP, &table, 1, 0);
  KIT_OK(gs_submit(store, &plan, false, NULL, NULL, &kit_err));
  kit_work(store);
  journal = journal_of(store, 0);
  event = journal_last(journal, GS_EVENT_DROP);
  assert_int_equal(gs_event_input(&event, 0), table);
  assert_int_equal(event.output_count, 0);
  assert_int_equal(gs_event_run_count(&event), 0);
  gs_journal_free(journal);
  kit_close(store);
}

static void
test_a_refused_plan_is_told_and_a_question_is_not(void **state)
{
  (void)state;
  gs_options options = policy_options();
  gs_store *store = kit_open(&options);
  uint64_t table = flush_keys(store, "a");
  gs_plan plan = plan_of(GS_PLAN_MERGE, &table, 1, 4711);
  gs_refusal refusal;
  assert_int_equal(gs_submit(store, &plan, true, NULL, &refusal, &kit_err),
                   GS_REFUSED);
  assert_int_equal(gs_submit(store, &plan, false, NULL, &refusal, &kit_err),
                   GS_REFUSED);
  gs_journal *journal = journal_of(store, 0);
  gs_event event = journal_last(journal, GS_EVENT_REFUSED);
  assert_string_equal(journal_kinds(journal), "open flush refused");
  journal_expect(event.code, "bad_plan");
  journal_expect(event.text, refusal.text);
  journal_expect(event.why, "as the test wants it");
  assert_int_equal(event.run_id, 4711);
  gs_journal_free(journal);
  refusal = (gs_refusal){.code = GS_REFUSAL_BAD_PLAN, .text = "no plan"};
  gs_note_refusal(store, &(gs_plan){.op = GS_PLAN_DROP}, &refusal);
  assert_int_equal(kit_stats(store).plans_refused, 3);
  journal = journal_of(store, 0);
  journal_expect(journal_last(journal, GS_EVENT_REFUSED).text, "no plan");
  gs_journal_free(journal);
  kit_close(store);
}

static void
test_a_failed_job_tells_its_failure_and_no_figures(void **state)
{
  (void)state;
  gs_options options = policy_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "a", 1, 10);
  gs_sim_fault fault = {
      .op = GS_SIM_WRITE, .path = "*.sst", .nth = 1, .os_errno = EIO};
  KIT_OK(gs_sim_fail(sim_machine, &fault, &kit_err));
  assert_int_equal(gs_flush(store, &kit_err), GS_IO);
  gs_journal *journal = journal_of(store, 0);
  gs_event event = journal_last(journal, GS_EVENT_FLUSH);
  journal_expect(event.code, "io");
  assert_true(event.text.size > 0);
  assert_int_equal(event.written_bytes, 0);
  assert_int_equal(event.output_count, 0);
  gs_journal_free(journal);
  gs_sim_heal(sim_machine);
  kit_close(store);
}

static void
test_a_long_reason_is_cut_and_many_inputs_fit(void **state)
{
  (void)state;
  gs_options options = policy_options();
  gs_store *store = kit_open(&options);
  char why[2 * GS_EVENT_WHY_BYTES];
  memset(why, 'w', sizeof why);
  why[sizeof why - 1] = '\0';
  uint64_t table = flush_keys(store, "a");
  gs_plan plan = plan_of(GS_PLAN_MERGE, &table, 1, oldest_run(store));
  plan.why = why;
  KIT_OK(gs_submit(store, &plan, false, NULL, NULL, &kit_err));
  kit_work(store);
  gs_journal *journal = journal_of(store, 0);
  assert_int_equal(journal_last(journal, GS_EVENT_MERGE).why.size,
                   GS_EVENT_WHY_BYTES);
  gs_journal_free(journal);
  kit_close(store);
}

static void
test_outputs_that_do_not_fit_are_counted(void **state)
{
  (void)state;
  gs_options options = policy_options();
  options.memory_bytes = 16 << 20;
  options.memtable_bytes = 4 << 20;
  options.table_bytes = 4096;
  gs_store *store = kit_open(&options);
  for (int i = 0; i < 40; i++) {
    static char key[5000];
    memset(key, 'k', sizeof key);
    snprintf(key, sizeof key, "%04d", i);
    KIT_OK(gs_put(store, gs_slice_of(key, sizeof key), gs_slice_str("1"), NULL,
                  NULL, &kit_err));
  }
  KIT_OK(gs_flush(store, &kit_err));
  gs_journal *journal = journal_of(store, 0);
  gs_event event = journal_last(journal, GS_EVENT_FLUSH);
  gs_table_meta meta;
  size_t at = 0;
  size_t listed = 0;
  while (gs_event_output(&event, &at, &meta)) {
    listed++;
  }
  assert_int_equal(event.output_count, 40);
  assert_in_range(listed, 2, 39);
  assert_in_range(event.outputs.size, 1, GS_EVENT_MAX_BYTES);
  gs_journal_free(journal);
  kit_close(store);
}

static void
test_an_opening_tells_what_it_recovered(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  kit_put(store, "b", "2");
  gs_sim *killed = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  assert_non_null(killed);
  kit_close(store);
  sim_machine_become(killed);
  options.env = sim_machine_env;
  store = kit_open(&options);
  gs_journal *journal = journal_of(store, 0);
  assert_string_equal(journal_kinds(journal), "flush open");
  gs_event event = journal_last(journal, GS_EVENT_OPEN);
  assert_int_equal(event.recovered_batches, 2);
  event = journal_last(journal, GS_EVENT_FLUSH);
  journal_expect(event.why, "recovery");
  assert_int_equal(event.output_count, 1);
  assert_int_equal(gs_event_run_count(&event), 1);
  gs_journal_free(journal);
  kit_close(store);
  gs_journal_free(journal_of_path());
}

static void
test_a_resume_is_told_with_the_tables_it_made(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_SYNC;
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  sim_machine_fail(GS_SIM_SYNC, 1, EIO);
  assert_int_equal(
      gs_put(store, gs_slice_str("b"), gs_slice_str("2"), NULL, NULL, &kit_err),
      GS_IO);
  KIT_OK(gs_resume(store, &kit_err));
  gs_journal *journal = journal_of(store, 0);
  assert_string_equal(journal_kinds(journal), "open flush resume");
  journal_expect(journal_last(journal, GS_EVENT_FLUSH).why, "resume");
  gs_journal_free(journal);
  kit_close(store);
}

static void
test_writers_that_waited_are_one_event_with_a_reason(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_journal_stall(store, "runs", 100);
  gs_journal_stall(store, "flush", 50);
  gs_journal_stall(store, "runs", 300);
  gs_journal *journal = journal_of(store, 0);
  assert_string_equal(journal_kinds(journal), "open stall stall");
  gs_event event;
  gs_journal_at(journal, 1, &event);
  journal_expect(event.why, "runs");
  assert_int_equal(event.count, 2);
  assert_int_equal(event.took_us, 400);
  assert_int_equal(event.longest_us, 300);
  gs_journal_free(journal);
  kit_close(store);
}

static void
test_a_writer_that_is_held_back_is_told_with_the_next_job(void **state)
{
  (void)state;
  static char value[10000];
  gs_sim_allow_tasks(sim_machine);
  gs_options options = kit_options();
  options.memory_bytes = 64 << 20;
  options.memtable_bytes = 8 << 20;
  gs_store *store = kit_open(&options);
  KIT_OK(gs_set_throttle(store, 100 * 1000, &kit_err));
  for (int i = 0; i < 6; i++) {
    KIT_OK(gs_put(store, gs_slice_str("k"), gs_slice_of(value, sizeof value),
                  NULL, NULL, &kit_err));
  }
  KIT_OK(gs_flush(store, &kit_err));
  gs_stats stats = kit_stats(store);
  kit_close(store);
  gs_journal *journal = journal_of_path();
  assert_string_equal(journal_kinds(journal), "open stall flush close");
  gs_event event = journal_last(journal, GS_EVENT_STALL);
  journal_expect(event.why, "throttle");
  assert_int_equal(event.count, 5);
  assert_int_equal(event.took_us, stats.stall_total_us);
  assert_int_equal(event.longest_us, stats.stall_max_us);
  gs_journal_free(journal);
}

static void
test_no_memory_for_an_event_harms_nothing(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_note_policy_error(store, "one", false);
  for (uint64_t nth = 1; nth < 4; nth++) {
    gs_sim_fail_alloc(sim_machine, nth, 1);
    gs_note_policy_error(store, "two", false);
    gs_sim_fail_alloc(sim_machine, 0, 0);
  }
  gs_stats stats = kit_stats(store);
  assert_in_range(stats.journal_lost, 1, 3);
  gs_journal *journal = journal_of(store, 0);
  gs_event event = journal_last(journal, GS_EVENT_POLICY_ERROR);
  assert_in_range(event.number, 2, stats.journal_events);
  gs_journal_free(journal);
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_flush_tells_its_tables_and_the_tree),
      KIT_TEST(test_a_merge_tells_its_reason_inputs_and_outputs),
      KIT_TEST(test_a_move_tells_the_tables_it_moved),
      KIT_TEST(test_a_drop_tells_what_went),
      KIT_TEST(test_a_refused_plan_is_told_and_a_question_is_not),
      KIT_TEST(test_a_failed_job_tells_its_failure_and_no_figures),
      KIT_TEST(test_a_long_reason_is_cut_and_many_inputs_fit),
      KIT_TEST(test_outputs_that_do_not_fit_are_counted),
      KIT_TEST(test_an_opening_tells_what_it_recovered),
      KIT_TEST(test_a_resume_is_told_with_the_tables_it_made),
      KIT_TEST(test_writers_that_waited_are_one_event_with_a_reason),
      KIT_TEST(test_a_writer_that_is_held_back_is_told_with_the_next_job),
      KIT_TEST(test_no_memory_for_an_event_harms_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
