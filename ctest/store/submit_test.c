/*
 * Plans from outside: every refusal, and what an accepted plan does.
 */
#include "store_kit.h"

/* Two tables of run 1 (newer) over run 2 (older); ids as the shape tells. */
typedef struct bench {
  gs_options options;
  gs_store *store;
  gs_shape *shape;
  gs_refusal refusal;
} bench;

static void
look_again(bench *b)
{
  gs_shape_free(b->shape);
  KIT_OK(gs_shape_new(b->store, &b->shape, &kit_err));
}

static bench
open_bench(void)
{
  bench b = {.options = kit_options()};
  b.options.has_policy = true;
  b.options.table_bytes = 4096;
  b.options.memtable_bytes = 65536;
  b.store = kit_open(&b.options);
  kit_fill(b.store, "k", 1, 140);
  KIT_OK(gs_flush(b.store, &kit_err));
  kit_fill(b.store, "k", 20, 100);
  KIT_OK(gs_flush(b.store, &kit_err));
  look_again(&b);
  assert_int_equal(b.shape->run_count, 2);
  assert_true(b.shape->runs[0].table_count >= 2);
  assert_true(b.shape->runs[1].table_count >= 3);
  return b;
}

static void
close_bench(bench *b)
{
  gs_shape_free(b->shape);
  KIT_OK(gs_verify(b->store, &kit_err));
  for (int i = 1; i <= 140; i++) {
    assert_true(kit_has(b->store, "k", i));
  }
  kit_close(b->store);
}

static const gs_shape_run *
run_of(const bench *b, size_t run)
{
  return &b->shape->runs[run];
}

static uint64_t
table_of(const bench *b, size_t run, size_t table)
{
  return kit_table(b->shape, run, table).id;
}

static gs_plan
merge_into(uint64_t run_id, const uint64_t *inputs, size_t count)
{
  return (gs_plan){
      .op = GS_PLAN_MERGE,
      .target = GS_TARGET_INTO,
      .run_id = run_id,
      .level = -1,
      .inputs = inputs,
      .input_count = count,
  };
}

static void
expect_refusal(bench *b, const gs_plan *plan, gs_refusal_code code)
{
  uint64_t refused = kit_stats(b->store).plans_refused;
  assert_int_equal(
      gs_submit(b->store, plan, false, NULL, &b->refusal, &kit_err),
      GS_REFUSED);
  if (b->refusal.code != code) {
    fail_msg("%s, not %s: %s", gs_refusal_name(b->refusal.code),
             gs_refusal_name(code), b->refusal.text);
  }
  assert_true(b->refusal.text[0] != '\0');
  assert_non_null(strstr(kit_err.message, gs_refusal_name(code)));
  assert_int_equal(kit_stats(b->store).plans_refused, refused + 1);
  assert_int_equal(b->shape->running_count, 0);
}

static void
test_plans_without_sense_are_refused(void **state)
{
  (void)state;
  bench b = open_bench();
  uint64_t one = table_of(&b, 0, 0);
  uint64_t twice[2] = {one, one};
  gs_plan plan = merge_into(run_of(&b, 0)->id, &one, 0);
  expect_refusal(&b, &plan, GS_REFUSAL_BAD_PLAN);
  plan = merge_into(run_of(&b, 0)->id, twice, 2);
  expect_refusal(&b, &plan, GS_REFUSAL_BAD_PLAN);
  plan = merge_into(run_of(&b, 0)->id, &one, 1);
  plan.op = (gs_plan_op)9;
  expect_refusal(&b, &plan, GS_REFUSAL_BAD_PLAN);
  plan = merge_into(run_of(&b, 0)->id, &one, 1);
  plan.level = GS_PLAN_MAX_LEVEL + 1;
  expect_refusal(&b, &plan, GS_REFUSAL_BAD_PLAN);
  gs_slice cuts[2] = {gs_slice_str("k0050"), gs_slice_str("k0040")};
  plan = merge_into(run_of(&b, 0)->id, &one, 1);
  plan.cuts = cuts;
  plan.cut_count = 2;
  expect_refusal(&b, &plan, GS_REFUSAL_BAD_CUT);
  close_bench(&b);
}

static void
test_tables_that_are_not_there_or_at_work_are_refused(void **state)
{
  (void)state;
  bench b = open_bench();
  uint64_t none = 999999;
  gs_plan plan = merge_into(run_of(&b, 0)->id, &none, 1);
  expect_refusal(&b, &plan, GS_REFUSAL_UNKNOWN_TABLE);
  uint64_t one = table_of(&b, 1, 0);
  plan = merge_into(run_of(&b, 1)->id, &one, 1);
  KIT_OK(gs_submit(b.store, &plan, true, NULL, &b.refusal, &kit_err));
  uint64_t job = 0;
  KIT_OK(gs_submit(b.store, &plan, false, &job, &b.refusal, &kit_err));
  assert_true(job != 0);
  expect_refusal(&b, &plan, GS_REFUSAL_BUSY_TABLE);
  look_again(&b);
  assert_true(kit_table(b.shape, 1, 0).is_busy);
  assert_int_equal(b.shape->running_count, 1);
  kit_work(b.store);
  expect_refusal(&(bench){.store = b.store, .shape = &(gs_shape){0}}, &plan,
                 GS_REFUSAL_UNKNOWN_TABLE);
  close_bench(&b);
}

static void
test_the_keys_between_the_inputs_of_a_job_are_claimed_too(void **state)
{
  (void)state;
  bench b = open_bench();
  uint64_t outer[2] = {table_of(&b, 1, 0), table_of(&b, 1, 2)};
  uint64_t inner = table_of(&b, 1, 1);
  gs_plan plan = merge_into(run_of(&b, 1)->id, outer, 2);
  KIT_OK(gs_submit(b.store, &plan, false, NULL, &b.refusal, &kit_err));
  plan = merge_into(run_of(&b, 1)->id, &inner, 1);
  expect_refusal(&b, &plan, GS_REFUSAL_CLAIMED);
  kit_work(b.store);
  KIT_OK(gs_submit(b.store, &plan, false, NULL, &b.refusal, &kit_err));
  kit_work(b.store);
  close_bench(&b);
}

static void
test_nothing_may_pass_what_it_must_stay_above_or_below(void **state)
{
  (void)state;
  bench b = open_bench();
  uint64_t old = table_of(&b, 1, 1);
  gs_plan plan = merge_into(run_of(&b, 0)->id, &old, 1);
  expect_refusal(&b, &plan, GS_REFUSAL_UPWARD);
  uint64_t new = table_of(&b, 0, 0);
  plan = merge_into(run_of(&b, 1)->id, &new, 1);
  expect_refusal(&b, &plan, GS_REFUSAL_PATH_BLOCKED);
  plan = (gs_plan){
      .op = GS_PLAN_MOVE,
      .target = GS_TARGET_BOTTOM,
      .level = -1,
      .inputs = &new,
      .input_count = 1,
  };
  expect_refusal(&b, &plan, GS_REFUSAL_PATH_BLOCKED);
  close_bench(&b);
}

static void
test_a_drop_of_live_entries_is_refused(void **state)
{
  (void)state;
  bench b = open_bench();
  uint64_t old = table_of(&b, 1, 0);
  gs_plan plan = {.op = GS_PLAN_DROP,
                  .target = GS_TARGET_NONE,
                  .level = -1,
                  .inputs = &old,
                  .input_count = 1};
  expect_refusal(&b, &plan, GS_REFUSAL_NOT_DEAD);
  close_bench(&b);
}

static void
test_a_merge_without_room_on_the_disk_is_refused(void **state)
{
  (void)state;
  bench b = open_bench();
  uint64_t one = table_of(&b, 1, 0);
  gs_plan plan = merge_into(run_of(&b, 1)->id, &one, 1);
  gs_sim_set_capacity(sim_machine, 1);
  expect_refusal(&b, &plan, GS_REFUSAL_NO_SPACE);
  gs_sim_set_capacity(sim_machine, 0);
  KIT_OK(gs_submit(b.store, &plan, true, NULL, NULL, &kit_err));
  close_bench(&b);
}

static void
test_more_jobs_than_can_be_watched_are_refused(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.has_policy = true;
  options.memtable_bytes = 1 << 20;
  options.memory_bytes = 8 << 20;
  options.table_bytes = 4096;
  bench b = {.options = options, .store = kit_open(&options)};
  static char value[4000];
  memset(value, 'x', sizeof value);
  for (int i = 0; i < 300; i++) {
    char key[16];
    snprintf(key, sizeof key, "k%04d", i);
    KIT_OK(gs_put(b.store, gs_slice_str(key), gs_slice_of(value, sizeof value),
                  NULL, NULL, &kit_err));
  }
  KIT_OK(gs_compact(b.store, NULL, &kit_err));
  look_again(&b);
  assert_true(b.shape->runs[0].table_count >= 270);
  size_t accepted = 0;
  gs_status status = GS_OK;
  while (status == GS_OK && accepted < 270) {
    uint64_t one = table_of(&b, 0, accepted);
    gs_plan plan = merge_into(run_of(&b, 0)->id, &one, 1);
    status = gs_submit(b.store, &plan, false, NULL, &b.refusal, &kit_err);
    accepted += status == GS_OK;
  }
  assert_int_equal(status, GS_REFUSED);
  assert_int_equal(b.refusal.code, GS_REFUSAL_TOO_MANY);
  assert_true(accepted <= 256);
  kit_work(b.store);
  assert_int_equal(kit_stats(b.store).merges, accepted + 1);
  gs_shape_free(b.shape);
  kit_close(b.store);
}

static void
test_a_readonly_store_takes_no_plans(void **state)
{
  (void)state;
  bench b = open_bench();
  uint64_t one = table_of(&b, 0, 0);
  gs_plan plan = merge_into(run_of(&b, 0)->id, &one, 1);
  close_bench(&b);
  b.options.readonly = true;
  b.store = kit_open(&b.options);
  assert_int_equal(gs_submit(b.store, &plan, false, NULL, NULL, &kit_err),
                   GS_READONLY);
  kit_close(b.store);
}

static void
test_a_compaction_of_a_range_spares_tables_beyond_it(void **state)
{
  (void)state;
  bench b = open_bench();
  kit_fill(b.store, "z", 1, 50);
  KIT_OK(gs_flush(b.store, &kit_err));
  look_again(&b);
  uint64_t spared = table_of(&b, 0, 0);
  gs_range range = {
      .from = gs_slice_str("a"), .to = gs_slice_str("m"), .has_to = true};
  KIT_OK(gs_compact(b.store, &range, &kit_err));
  look_again(&b);
  assert_int_equal(b.shape->run_count, 2);
  assert_int_equal(table_of(&b, 0, 0), spared);
  assert_int_equal(b.shape->runs[1].entry_count, 140);
  close_bench(&b);
}

static void
count_table(void *context, const char *name)
{
  size_t *count = context;
  *count += strstr(name, ".sst") != NULL;
}

static size_t
tables_on_disk(void)
{
  size_t count = 0;
  KIT_OK(gs_env_list(sim_machine_env, "/db", count_table, &count, &kit_err));
  return count;
}

static size_t
tables_of(gs_store *store)
{
  gs_shape *shape = NULL;
  size_t count = 0;
  KIT_OK(gs_shape_new(store, &shape, &kit_err));
  for (size_t i = 0; i < shape->run_count; i++) {
    count += shape->runs[i].table_count;
  }
  gs_shape_free(shape);
  return count;
}

static void
test_what_a_merge_replaced_is_gone_when_it_returns(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.has_policy = true;
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 140);
  KIT_OK(gs_flush(store, &kit_err));
  kit_fill(store, "k", 20, 100);
  KIT_OK(gs_flush(store, &kit_err));
  size_t before = tables_on_disk();
  assert_int_equal(before, tables_of(store));
  gs_range all = {0};
  gs_scan *scan = NULL;
  KIT_OK(gs_scan_new(store, NULL, &all, &scan, &kit_err));
  KIT_OK(gs_compact(store, NULL, &kit_err));
  size_t after = tables_of(store);
  assert_int_equal(tables_on_disk(), before + after); /* it may read them */
  gs_scan_free(scan);
  KIT_OK(gs_compact(store, NULL, &kit_err));
  assert_int_equal(tables_on_disk(), tables_of(store));
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_plans_without_sense_are_refused),
      KIT_TEST(test_tables_that_are_not_there_or_at_work_are_refused),
      KIT_TEST(test_the_keys_between_the_inputs_of_a_job_are_claimed_too),
      KIT_TEST(test_nothing_may_pass_what_it_must_stay_above_or_below),
      KIT_TEST(test_a_drop_of_live_entries_is_refused),
      KIT_TEST(test_a_merge_without_room_on_the_disk_is_refused),
      KIT_TEST(test_more_jobs_than_can_be_watched_are_refused),
      KIT_TEST(test_a_readonly_store_takes_no_plans),
      KIT_TEST(test_a_compaction_of_a_range_spares_tables_beyond_it),
      KIT_TEST(test_what_a_merge_replaced_is_gone_when_it_returns),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
