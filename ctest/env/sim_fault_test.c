/*
 * Tests of injected faults: which operation they hit, what it then returns, and
 * what a failed sync leaves behind.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "env/env.h"
#include "env/sim.h"
#include "support/sim_machine.h"

static gs_error err;

static void
add_fault(gs_sim_fault fault)
{
  assert_int_equal(gs_sim_fail(sim_machine, &fault, NULL), GS_OK);
}

static void
ignore_name(void *context, const char *name)
{
  (void)context;
  (void)name;
}

static int
open_and_close(void)
{
  gs_file *file = NULL;
  gs_env *env = sim_machine_env;
  int os_errno = env->ops->open(env, "/d/f", GS_OPEN_READ, &file);
  sim_machine_close(file);
  return os_errno;
}

static int
errno_of_transfer(int64_t transferred)
{
  return transferred < 0 ? (int)-transferred : 0;
}

/* The errno of one operation of that kind on "/d/f" or its directory. */
static int
errno_of(gs_sim_op op, gs_file *file)
{
  gs_env *env = sim_machine_env;
  char byte = 'a';
  gs_file_info info;
  switch (op) {
  case GS_SIM_OPEN:
    return open_and_close();
  case GS_SIM_READ:
    return errno_of_transfer(env->ops->read(file, 0, &byte, 1));
  case GS_SIM_WRITE:
    return errno_of_transfer(env->ops->write(file, 0, &byte, 1));
  case GS_SIM_ALLOCATE:
    return env->ops->allocate(file, 10);
  case GS_SIM_SYNC:
    return env->ops->sync_data(file);
  case GS_SIM_LIST:
    return env->ops->list(env, "/d", ignore_name, NULL);
  case GS_SIM_STAT:
    return env->ops->stat(env, "/d/f", &info);
  case GS_SIM_MAKE_DIR:
    return env->ops->make_dir(env, "/d/e");
  case GS_SIM_REMOVE:
    return env->ops->remove_dir(env, "/d/e");
  case GS_SIM_LINK:
    return env->ops->link(env, "/d/f", "/d/g");
  case GS_SIM_SYNC_DIR:
    return env->ops->sync_dir(env, "/d");
  case GS_SIM_TRUNCATE:
    return env->ops->truncate(file, 5);
  case GS_SIM_ANY:
    break;
  }
  return 0;
}

static gs_file *
set_stage(void)
{
  assert_int_equal(gs_env_make_dir(sim_machine_env, "/d", NULL), GS_OK);
  return sim_machine_open("/d/f", GS_OPEN_CREATE);
}

static void
test_each_kind_of_operation_can_be_hit_and_counts_as_one(void **state)
{
  (void)state;
  gs_file *file = set_stage();
  for (int op = GS_SIM_OPEN; op < GS_SIM_ANY; op++) {
    add_fault((gs_sim_fault){
        .op = (gs_sim_op)op, .nth = 1, .times = 1, .os_errno = ENXIO});
    for (int other = GS_SIM_OPEN; other < op; other++) {
      assert_int_not_equal(errno_of((gs_sim_op)other, file), ENXIO);
    }
    uint64_t before = gs_sim_ops(sim_machine);
    assert_int_equal(errno_of((gs_sim_op)op, file), ENXIO);
    assert_int_equal(gs_sim_ops(sim_machine), before + 1);
    assert_int_not_equal(errno_of((gs_sim_op)op, file), ENXIO);
  }
  sim_machine_close(file);
}

static void
test_a_fault_begins_at_the_nth_match_and_lasts_its_times(void **state)
{
  (void)state;
  static const int expected[] = {0, 0, EIO, EIO, 0, 0};
  gs_file *file = set_stage();
  add_fault(
      (gs_sim_fault){.op = GS_SIM_SYNC, .nth = 3, .times = 2, .os_errno = EIO});
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
    assert_int_equal(errno_of(GS_SIM_SYNC, file), expected[i]);
    assert_int_equal(errno_of(GS_SIM_STAT, file), 0);
  }
  sim_machine_close(file);
}

static void
test_a_fault_without_times_lasts_until_healed(void **state)
{
  (void)state;
  gs_file *file = set_stage();
  add_fault((gs_sim_fault){.op = GS_SIM_ANY, .nth = 2, .os_errno = EIO});
  assert_int_equal(errno_of(GS_SIM_SYNC, file), 0);
  for (int i = 0; i < 10; i++) {
    assert_int_equal(errno_of(GS_SIM_SYNC, file), EIO);
  }
  gs_sim_heal(sim_machine);
  assert_int_equal(errno_of(GS_SIM_SYNC, file), 0);
  sim_machine_close(file);
}

static void
test_a_pattern_chooses_files(void **state)
{
  (void)state;
  char pattern[] = "*.wal";
  add_fault((gs_sim_fault){
      .op = GS_SIM_OPEN, .path = pattern, .nth = 1, .os_errno = EIO});
  pattern[2] = 'x'; /* the machine has a copy */
  sim_machine_make("/a.run", "");
  sim_machine_make("/wal", "");
  gs_file *file = NULL;
  assert_int_equal(
      gs_file_open(sim_machine_env, "/1.wal", GS_OPEN_CREATE, &file, &err),
      GS_IO);
}

static void
test_every_rule_counts_and_the_first_whose_turn_it_is_decides(void **state)
{
  (void)state;
  static const int expected[] = {0, ENOSPC, EIO, EIO, ENOSPC};
  gs_file *file = set_stage();
  add_fault(
      (gs_sim_fault){.op = GS_SIM_SYNC, .nth = 3, .times = 2, .os_errno = EIO});
  add_fault((gs_sim_fault){
      .op = GS_SIM_ANY, .nth = 2, .times = 4, .os_errno = ENOSPC});
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
    assert_int_equal(errno_of(GS_SIM_SYNC, file), expected[i]);
  }
  sim_machine_close(file);
}

static void
test_a_failed_operation_changes_nothing(void **state)
{
  (void)state;
  gs_file *file = set_stage();
  sim_machine_write(file, 0, "abc");
  sim_machine_sync(file);
  sim_machine_sync_dir("/d");
  sim_machine_sync_dir("/");
  uint64_t pending = gs_sim_pending(sim_machine);
  add_fault((gs_sim_fault){
      .op = GS_SIM_ANY, .os_errno = EIO, .sync_failure = GS_SYNC_PENDING});
  for (int op = GS_SIM_OPEN; op < GS_SIM_ANY; op++) {
    assert_int_equal(errno_of((gs_sim_op)op, file), EIO);
  }
  gs_sim_heal(sim_machine);
  assert_int_equal(gs_sim_pending(sim_machine), pending);
  assert_string_equal(sim_machine_text(sim_machine, "/d/f"), "abc");
  assert_string_equal(sim_machine_text(sim_machine, "/d/g"), "(none)");
  sim_machine_close(file);
}

static void
test_a_fault_of_no_known_kind_is_a_mistake(void **state)
{
  (void)state;
  gs_sim_fault fault = {.op = (gs_sim_op)99, .os_errno = EIO};
  assert_int_equal(gs_sim_fail(sim_machine, &fault, &err), GS_MISUSE);
}

static void
test_after_the_stop_everything_fails(void **state)
{
  (void)state;
  gs_file *file = set_stage();
  gs_sim_stop_at(sim_machine, gs_sim_ops(sim_machine) + 2);
  assert_int_equal(errno_of(GS_SIM_STAT, file), 0);
  assert_int_equal(errno_of(GS_SIM_SYNC, file), 0);
  for (int op = GS_SIM_OPEN; op < GS_SIM_ANY; op++) {
    assert_int_equal(errno_of((gs_sim_op)op, file), EIO);
  }
  gs_sim_stop_at(sim_machine, 0);
  assert_int_equal(errno_of(GS_SIM_STAT, file), 0);
  sim_machine_close(file);
}

/* A file with "old" durable and "new" pending, whose sync then fails. */
static gs_file *
fail_sync(gs_sync_failure failure)
{
  sim_machine_make_durable("/f", "old");
  gs_file *file = sim_machine_open("/f", GS_OPEN_WRITE);
  sim_machine_write(file, 0, "newer");
  add_fault((gs_sim_fault){.op = GS_SIM_SYNC,
                           .nth = 1,
                           .times = 1,
                           .os_errno = EIO,
                           .sync_failure = failure});
  assert_int_equal(gs_file_sync(file, &err), GS_IO);
  return file;
}

static const char *
text_after_power_loss(void)
{
  gs_sim *crashed = gs_sim_crash(sim_machine, GS_CRASH_SYNCED, 0);
  const char *text = sim_machine_text(crashed, "/f");
  gs_sim_free(crashed);
  return text;
}

static void
test_a_clean_failure_shows_bytes_that_will_never_be_durable(void **state)
{
  (void)state;
  gs_file *file = fail_sync(GS_SYNC_CLEAN);
  assert_string_equal(sim_machine_text(sim_machine, "/f"), "newer");
  sim_machine_sync(file);
  assert_string_equal(text_after_power_loss(), "old");
  sim_machine_write(file, 1, "X");
  sim_machine_sync(file);
  assert_string_equal(text_after_power_loss(), "oXd");
  assert_string_equal(sim_machine_text(sim_machine, "/f"), "nXwer");
  sim_machine_close(file);
}

static void
test_a_reverting_failure_takes_the_bytes_back(void **state)
{
  (void)state;
  gs_file *file = fail_sync(GS_SYNC_REVERT);
  assert_string_equal(sim_machine_text(sim_machine, "/f"), "old");
  sim_machine_sync(file);
  assert_string_equal(text_after_power_loss(), "old");
  sim_machine_close(file);
}

static void
test_a_pending_failure_can_be_made_good(void **state)
{
  (void)state;
  gs_file *file = fail_sync(GS_SYNC_PENDING);
  assert_string_equal(sim_machine_text(sim_machine, "/f"), "newer");
  assert_string_equal(text_after_power_loss(), "old");
  sim_machine_sync(file);
  assert_string_equal(text_after_power_loss(), "newer");
  sim_machine_close(file);
}

#define ONE_TEST(test)                                      \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_each_kind_of_operation_can_be_hit_and_counts_as_one),
      ONE_TEST(test_a_fault_begins_at_the_nth_match_and_lasts_its_times),
      ONE_TEST(test_a_fault_without_times_lasts_until_healed),
      ONE_TEST(test_a_pattern_chooses_files),
      ONE_TEST(test_every_rule_counts_and_the_first_whose_turn_it_is_decides),
      ONE_TEST(test_a_failed_operation_changes_nothing),
      ONE_TEST(test_a_fault_of_no_known_kind_is_a_mistake),
      ONE_TEST(test_after_the_stop_everything_fails),
      ONE_TEST(test_a_clean_failure_shows_bytes_that_will_never_be_durable),
      ONE_TEST(test_a_reverting_failure_takes_the_bytes_back),
      ONE_TEST(test_a_pending_failure_can_be_made_good),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
