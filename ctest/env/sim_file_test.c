/*
 * Tests of simulated files beyond what both machines share: space, and what an
 * open file keeps alive.
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
test_an_open_file_works_on_without_its_name(void **state)
{
  (void)state;
  char text[4] = "";
  gs_file *file = sim_machine_open("/f", GS_OPEN_CREATE);
  sim_machine_write(file, 0, "abc");
  assert_int_equal(gs_env_remove(sim_machine_env, "/f", NULL), GS_OK);
  sim_machine_sync_dir("/");
  assert_string_equal(sim_machine_text(sim_machine, "/f"), "(none)");
  assert_int_equal(gs_file_read(file, 0, text, 3, NULL), GS_OK);
  assert_string_equal(text, "abc");
  sim_machine_close(file);
}

static void
test_a_full_disk_takes_what_fits(void **state)
{
  (void)state;
  gs_disk_space space;
  gs_sim_set_capacity(sim_machine, 10);
  sim_machine_make("/a", "abcd");
  gs_file *file = sim_machine_open("/b", GS_OPEN_CREATE);
  assert_int_equal(sim_machine_env->ops->write(file, 0, "12345678", 8), 6);
  assert_int_equal(gs_file_write(file, 6, "7", 1, &err), GS_FULL);
  assert_int_equal(gs_file_allocate(file, 7, &err), GS_FULL);
  assert_int_equal(sim_machine_env->ops->truncate(file, 7), ENOSPC);
  sim_machine_write(file, 0, "overwr"); /* in place needs no space */
  assert_int_equal(gs_env_space(sim_machine_env, "/", &space, &err), GS_OK);
  assert_int_equal(space.total_bytes, 10);
  assert_int_equal(space.free_bytes, 0);
  assert_int_equal(gs_env_remove(sim_machine_env, "/a", &err), GS_OK);
  assert_int_equal(gs_env_space(sim_machine_env, "/", &space, &err), GS_OK);
  assert_int_equal(space.free_bytes, 4);
  assert_int_equal(gs_file_allocate(file, 10, &err), GS_OK);
  sim_machine_close(file);
}

static void
test_a_limit_bounds_the_files_open_at_a_time(void **state)
{
  (void)state;
  gs_file *third = NULL;
  gs_sim_set_open_files(sim_machine, 2);
  gs_file *first = sim_machine_open("/a", GS_OPEN_CREATE);
  gs_file *second = sim_machine_open("/a", GS_OPEN_READ);
  assert_int_equal(
      gs_file_open(sim_machine_env, "/b", GS_OPEN_CREATE, &third, &err),
      GS_LIMIT);
  sim_machine_close(second);
  third = sim_machine_open("/b", GS_OPEN_CREATE);
  sim_machine_close(third);
  sim_machine_close(first);
}

/* The sync that lied, the next one that says so, and what a crash leaves. */
static void
test_a_late_failure_comes_out_at_the_next_sync(void **state)
{
  (void)state;
  sim_machine_make_durable("/f", "old");
  gs_file *file = sim_machine_open("/f", GS_OPEN_WRITE);
  gs_sim_fault fault = {.op = GS_SIM_SYNC,
                        .times = 1,
                        .os_errno = EIO,
                        .sync_failure = GS_SYNC_LATE};
  assert_int_equal(gs_sim_fail(sim_machine, &fault, &err), GS_OK);
  sim_machine_write(file, 0, "new");
  sim_machine_sync(file); /* says that all is well */
  sim_machine_write(file, 3, "er");
  gs_sim *copy = gs_sim_copy(sim_machine);
  gs_sim *crashed = gs_sim_crash(sim_machine, GS_CRASH_SYNCED, 0);
  assert_string_equal(sim_machine_text(crashed, "/f"), "old");
  gs_sim_free(crashed);
  assert_int_equal(gs_file_sync(file, &err), GS_IO);
  assert_string_equal(sim_machine_text(sim_machine, "/f"), "newer");
  sim_machine_sync(file); /* what came after the false one can still be kept */
  sim_machine_close(file);
  sim_machine_crash(GS_CRASH_SYNCED, 0);
  assert_string_equal(sim_machine_text(sim_machine, "/f"), "older");
  sim_machine_become(copy);
  file = sim_machine_open("/f", GS_OPEN_WRITE);
  assert_int_equal(gs_file_sync(file, &err), GS_IO);
  sim_machine_close(file);
}

static void
test_an_open_file_without_a_name_occupies_space_until_closed(void **state)
{
  (void)state;
  gs_sim_set_capacity(sim_machine, 10);
  gs_file *file = sim_machine_open("/a", GS_OPEN_CREATE);
  sim_machine_write(file, 0, "0123456789");
  assert_int_equal(gs_env_remove(sim_machine_env, "/a", &err), GS_OK);
  gs_file *next = sim_machine_open("/b", GS_OPEN_CREATE);
  assert_int_equal(gs_file_write(next, 0, "x", 1, &err), GS_FULL);
  sim_machine_close(file);
  sim_machine_write(next, 0, "x");
  sim_machine_close(next);
}

static void
test_a_file_has_a_largest_size(void **state)
{
  (void)state;
  gs_file *file = sim_machine_open("/f", GS_OPEN_CREATE);
  const uint64_t beyond = UINT64_C(1) << 40;
  assert_int_equal(gs_file_write(file, beyond, "x", 1, &err), GS_IO);
  assert_int_equal(err.os_errno, EFBIG);
  assert_int_equal(gs_file_allocate(file, beyond, &err), GS_IO);
  assert_int_equal(err.os_errno, EFBIG);
  assert_int_equal(sim_machine_env->ops->truncate(file, beyond), EFBIG);
  sim_machine_close(file);
}

static void
test_a_file_is_not_opened_without_memory(void **state)
{
  (void)state;
  gs_file *file = NULL;
  for (uint64_t nth = 1; nth <= 2; nth++) {
    gs_sim_fail_alloc(sim_machine, nth, 1);
    assert_int_equal(
        gs_file_open(sim_machine_env, "/f", GS_OPEN_CREATE, &file, &err),
        GS_NOMEM);
    assert_int_equal(gs_sim_allocated_bytes(sim_machine), 0);
  }
  assert_string_equal(sim_machine_text(sim_machine, "/f"), "(none)");
}

static void
test_an_empty_write_is_no_work(void **state)
{
  (void)state;
  gs_file *file = sim_machine_open("/f", GS_OPEN_CREATE);
  uint64_t pending = gs_sim_pending(sim_machine);
  assert_int_equal(sim_machine_env->ops->write(file, 9, "", 0), 0);
  assert_int_equal(gs_sim_pending(sim_machine), pending);
  sim_machine_close(file);
}

#define ONE_TEST(test)                                      \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_an_open_file_works_on_without_its_name),
      ONE_TEST(test_a_full_disk_takes_what_fits),
      ONE_TEST(test_a_limit_bounds_the_files_open_at_a_time),
      ONE_TEST(test_a_late_failure_comes_out_at_the_next_sync),
      ONE_TEST(test_an_open_file_without_a_name_occupies_space_until_closed),
      ONE_TEST(test_a_file_has_a_largest_size),
      ONE_TEST(test_a_file_is_not_opened_without_memory),
      ONE_TEST(test_an_empty_write_is_no_work),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
