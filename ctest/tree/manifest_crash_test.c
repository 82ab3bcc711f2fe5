/*
 * Crashes and failures at every operation of a script of creations, edits and
 * rewrites, under every crash model: what is read afterwards is what was
 * acknowledged, or that and the one edit under way, and never anything else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>

#include <cmocka.h>

#include "tree/manifest_kit.h"

enum { CHOICES = 12 };

static uint64_t checks;
static uint64_t torn;

/* How many different states of the model are looked at. */
static uint64_t
choices_of(const gs_sim *sim, gs_crash_model model)
{
  uint64_t choices = gs_sim_choices(sim, model);
  return choices == UINT64_MAX ? CHOICES : choices;
}

typedef void (*crash_visitor)(gs_sim *crashed, const kit_run *run);

/* All the machines that a crash may leave. */
static void
for_each_crash(const gs_sim *sim, const kit_run *run, crash_visitor visit)
{
  for (int model = GS_CRASH_SYNCED; model <= GS_CRASH_TORN; model++) {
    uint64_t choices = choices_of(sim, (gs_crash_model)model);
    for (uint64_t choice = 0; choice < choices; choice++) {
      gs_sim *crashed = gs_sim_crash(sim, (gs_crash_model)model, choice);
      visit(crashed, run);
      kit_free(crashed);
    }
  }
}

static void
check_crash(gs_sim *crashed, const kit_run *run)
{
  gs_manifest_found found = {0};
  kit_expect(crashed, run, &found);
  checks++;
  torn += found.is_torn;
}

/* Operations that the script takes on a machine that works. */
static uint64_t
count_ops(void)
{
  gs_sim *sim = kit_machine(1);
  uint64_t before = gs_sim_ops(sim);
  kit_run run = kit_run_script(sim, 0);
  assert_int_equal(run.acked, kit_state_count - 1);
  uint64_t ops = gs_sim_ops(sim) - before;
  kit_free(sim);
  return ops;
}

static void
test_a_crash_at_any_operation_leaves_what_was_acknowledged(void **state)
{
  (void)state;
  kit_begin();
  checks = torn = 0;
  uint64_t ops = count_ops();
  for (uint64_t stop = 1; stop <= ops + 1; stop++) {
    for (uint64_t seed = 1; seed <= 4; seed++) {
      gs_sim *sim = kit_machine(seed);
      gs_sim_stop_at(sim, gs_sim_ops(sim) + stop);
      kit_run run = kit_run_script(sim, 0);
      for_each_crash(sim, &run, check_crash);
      kit_free(sim);
    }
  }
  print_message("%llu operations, %llu crashes, %llu with a torn last edit\n",
                (unsigned long long)ops, (unsigned long long)checks,
                (unsigned long long)torn);
  assert_true(checks > 1000 && torn > 100);
}

/* ---- crashes after a crash ------------------------------------------------ */

/* Opens as a store does: reads, makes a new manifest, adds one edit. */
static void
reopen(gs_sim *sim, kit_run *run)
{
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_env *env = gs_sim_env(sim);
  gs_manifest_state state;
  gs_manifest_found found;
  gs_manifest *manifest = NULL;
  assert_int_equal(gs_manifest_state_init(&state, &alloc.base, NULL), GS_OK);
  gs_status status = gs_manifest_read(env, KIT_DIR, &state, &found, NULL);
  if (status == GS_OK) {
    status = gs_manifest_create(env, KIT_DIR, 90, &state, &manifest, NULL);
  }
  if (status == GS_OK && run->acked + 1 < kit_state_count) {
    int step = run->acked + 1; /* of the script, rewrites left out */
    for (int i = 0; i <= step; i++) {
      step += kit_script[i][0] == '\0';
    }
    status = kit_step(env, &manifest, &state, step, 0, run);
  }
  gs_manifest_close(manifest);
  gs_manifest_state_deinit(&state);
  assert_int_equal(alloc.live_bytes, 0);
}

/* The machine has crashed once; now crash each operation of the next open. */
static void
crash_again(gs_sim *crashed, const kit_run *run)
{
  gs_manifest_found found;
  int number = kit_expect(crashed, run, &found);
  if (number == KIT_NOTHING) {
    return;
  }
  for (uint64_t stop = 1; stop < 30; stop++) {
    gs_sim *sim = gs_sim_crash(crashed, GS_CRASH_KILL, 0);
    gs_sim_stop_at(sim, gs_sim_ops(sim) + stop);
    kit_run again = {number, number};
    reopen(sim, &again);
    for_each_crash(sim, &again, check_crash);
    kit_free(sim);
  }
}

static void
test_a_crash_while_recovering_from_a_crash_loses_nothing(void **state)
{
  (void)state;
  kit_begin();
  checks = torn = 0;
  uint64_t ops = count_ops();
  for (uint64_t stop = 1; stop <= ops + 1; stop += 3) {
    gs_sim *sim = kit_machine(5);
    gs_sim_stop_at(sim, gs_sim_ops(sim) + stop);
    kit_run run = kit_run_script(sim, 0);
    for (uint64_t choice = 0; choice < 3; choice++) {
      gs_sim *crashed = gs_sim_crash(sim, GS_CRASH_TORN, choice);
      crash_again(crashed, &run);
      kit_free(crashed);
    }
    kit_free(sim);
  }
  print_message("%llu crashes after a crash\n", (unsigned long long)checks);
  assert_true(checks > 10000);
}

/* ---- failures ------------------------------------------------------------- */

static gs_sim *
machine_that_fails(uint64_t nth, uint64_t times, gs_sync_failure mode)
{
  gs_sim *sim = kit_machine(3);
  gs_sim_fault fault = {.op = GS_SIM_ANY,
                        .nth = nth,
                        .times = times,
                        .os_errno = EIO,
                        .sync_failure = mode};
  assert_int_equal(gs_sim_fail(sim, &fault, NULL), GS_OK);
  return sim;
}

static void
test_after_a_failure_the_edits_go_on_in_a_new_file(void **state)
{
  (void)state;
  kit_begin();
  checks = 0;
  uint64_t ops = count_ops();
  for (int mode = GS_SYNC_CLEAN; mode <= GS_SYNC_PENDING; mode++) {
    for (uint64_t nth = 1; nth <= ops; nth++) {
      for (uint64_t times = 1; times <= 3; times++) {
        gs_sim *sim = machine_that_fails(nth, times, (gs_sync_failure)mode);
        kit_run run = kit_run_script(sim, 5);
        assert_int_equal(run.acked, kit_state_count - 1);
        for_each_crash(sim, &run, check_crash);
        kit_free(sim);
      }
    }
  }
  print_message("%llu crashes after failures\n", (unsigned long long)checks);
  assert_true(checks > 5000);
}

static void
test_a_crash_soon_after_a_failure_loses_nothing(void **state)
{
  (void)state;
  kit_begin();
  checks = 0;
  uint64_t ops = count_ops();
  for (int mode = GS_SYNC_CLEAN; mode <= GS_SYNC_PENDING; mode++) {
    for (uint64_t nth = 1; nth <= ops; nth++) {
      for (uint64_t more = 1; more <= 12; more++) {
        gs_sim *sim = machine_that_fails(nth, 1, (gs_sync_failure)mode);
        gs_sim_stop_at(sim, gs_sim_ops(sim) + nth + more);
        kit_run run = kit_run_script(sim, 5);
        for_each_crash(sim, &run, check_crash);
        kit_free(sim);
      }
    }
  }
  print_message("%llu crashes soon after a failure\n",
                (unsigned long long)checks);
  assert_true(checks > 20000);
}

static void
test_a_short_write_is_gone_on_with(void **state)
{
  (void)state;
  kit_begin();
  for (uint64_t nth = 1; nth <= 20; nth++) {
    gs_sim *sim = kit_machine(1);
    gs_sim_fault fault = {.op = GS_SIM_WRITE,
                          .nth = nth,
                          .times = 1,
                          .effect = GS_SIM_SHORT,
                          .amount = 7};
    assert_int_equal(gs_sim_fail(sim, &fault, NULL), GS_OK);
    kit_run run = kit_run_script(sim, 0);
    assert_int_equal(run.acked, kit_state_count - 1);
    for_each_crash(sim, &run, check_crash);
    kit_free(sim);
  }
}

static void
test_a_full_disk_is_a_failure_like_another(void **state)
{
  (void)state;
  kit_begin();
  for (uint64_t bytes = 0; bytes < 20000; bytes += 500) {
    gs_sim *sim = kit_machine(1);
    gs_sim_set_capacity(sim, bytes + 1);
    kit_run run = kit_run_script(sim, 1);
    for_each_crash(sim, &run, check_crash);
    kit_free(sim);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(
          test_a_crash_at_any_operation_leaves_what_was_acknowledged),
      cmocka_unit_test(
          test_a_crash_while_recovering_from_a_crash_loses_nothing),
      cmocka_unit_test(test_after_a_failure_the_edits_go_on_in_a_new_file),
      cmocka_unit_test(test_a_crash_soon_after_a_failure_loses_nothing),
      cmocka_unit_test(test_a_short_write_is_gone_on_with),
      cmocka_unit_test(test_a_full_disk_is_a_failure_like_another),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
