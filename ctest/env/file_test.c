/*
 * Tests of whole transfers over a machine that gives less than it is asked
 * for, interrupts, and fails.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "env/env.h"
#include "support/sim_machine.h"

static gs_error err;

static void
add_fault(gs_sim_fault fault)
{
  assert_int_equal(gs_sim_fail(sim_machine, &fault, NULL), GS_OK);
}

static gs_file *
new_file(const char *text)
{
  gs_file *file = sim_machine_open("/f", GS_OPEN_CREATE);
  sim_machine_write(file, 0, text);
  return file;
}

static void
test_short_reads_add_up(void **state)
{
  (void)state;
  char text[9] = "";
  gs_file *file = new_file("abcdefgh");
  add_fault(
      (gs_sim_fault){.op = GS_SIM_READ, .effect = GS_SIM_SHORT, .amount = 3});
  uint64_t before = gs_sim_ops(sim_machine);
  assert_int_equal(gs_file_read(file, 0, text, 8, &err), GS_OK);
  assert_string_equal(text, "abcdefgh");
  assert_int_equal(gs_sim_ops(sim_machine) - before, 3);
  sim_machine_close(file);
}

static void
test_short_writes_add_up(void **state)
{
  (void)state;
  gs_file *file = sim_machine_open("/f", GS_OPEN_CREATE);
  add_fault(
      (gs_sim_fault){.op = GS_SIM_WRITE, .effect = GS_SIM_SHORT, .amount = 3});
  assert_int_equal(gs_file_write(file, 2, "abcdefgh", 8, &err), GS_OK);
  sim_machine_close(file);
  assert_int_equal(gs_sim_ops(sim_machine), 1 + 3);
  gs_sim_heal(sim_machine);
  file = sim_machine_open("/f", GS_OPEN_READ);
  char text[10];
  assert_int_equal(gs_file_read(file, 0, text, sizeof text, &err), GS_OK);
  assert_memory_equal(text, "\0\0abcdefgh", sizeof text);
  sim_machine_close(file);
}

static void
test_interruptions_are_not_errors(void **state)
{
  (void)state;
  char text[3] = "";
  add_fault((gs_sim_fault){
      .op = GS_SIM_ANY, .nth = 1, .times = 2, .os_errno = EINTR});
  gs_file *file = sim_machine_open("/f", GS_OPEN_CREATE);
  static const gs_sim_op kinds[] = {GS_SIM_WRITE, GS_SIM_READ, GS_SIM_SYNC,
                                    GS_SIM_ALLOCATE, GS_SIM_SYNC_DIR};
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    add_fault((gs_sim_fault){
        .op = kinds[i], .nth = 1, .times = 2, .os_errno = EINTR});
  }
  sim_machine_write(file, 0, "ab");
  assert_int_equal(gs_file_read(file, 0, text, 2, &err), GS_OK);
  sim_machine_sync(file);
  assert_int_equal(gs_file_allocate(file, 10, &err), GS_OK);
  sim_machine_close(file);
  sim_machine_sync_dir("/");
  assert_string_equal(text, "ab");
  assert_int_equal(gs_sim_ops(sim_machine), 6 * 3);
  sim_machine_crash(GS_CRASH_SYNCED, 0);
  assert_string_equal(sim_machine_text(sim_machine, "/f"), "ab");
}

static void
test_a_file_that_ends_early_is_damaged(void **state)
{
  (void)state;
  char text[8];
  gs_file *file = new_file("abc");
  assert_int_equal(gs_file_read(file, 1, text, 8, &err), GS_CORRUPT);
  assert_string_equal(err.message, "'/f' ends early: 2 of 8 bytes at offset 1");
  assert_string_equal(err.path, "/f");
  assert_true(err.has_offset);
  assert_int_equal(err.offset, 1);
  sim_machine_close(file);
}

static void
test_some_bytes_may_be_fewer(void **state)
{
  (void)state;
  char text[8];
  size_t got = 99;
  gs_file *file = new_file("abc");
  assert_int_equal(gs_file_read_some(file, 1, text, 8, &got, &err), GS_OK);
  assert_int_equal(got, 2);
  assert_memory_equal(text, "bc", 2);
  assert_int_equal(gs_file_read_some(file, 3, text, 8, &got, &err), GS_OK);
  assert_int_equal(got, 0);
  assert_int_equal(gs_file_read_some(file, 99, text, 8, &got, &err), GS_OK);
  assert_int_equal(got, 0);
  sim_machine_close(file);
}

static void
test_a_whole_file_goes_behind_what_is_in_the_buffer(void **state)
{
  (void)state;
  gs_buffer out;
  gs_buffer_init(&out, sim_machine_env->alloc);
  gs_buffer_append(&out, "x", 1);
  gs_file *file = new_file("abc");
  assert_int_equal(gs_file_read_all(file, &out, &err), GS_OK);
  assert_true(gs_slice_equal(gs_buffer_slice(&out), gs_slice_str("xabc")));
  gs_buffer_deinit(&out);
  sim_machine_close(file);
}

static void
test_an_empty_file_adds_nothing(void **state)
{
  (void)state;
  gs_buffer out;
  gs_buffer_init(&out, sim_machine_env->alloc);
  gs_file *file = new_file("");
  assert_int_equal(gs_file_read_all(file, &out, &err), GS_OK);
  assert_int_equal(out.size, 0);
  gs_buffer_deinit(&out);
  sim_machine_close(file);
}

static void
test_a_failed_reading_of_all_leaves_the_buffer_as_it_was(void **state)
{
  (void)state;
  gs_buffer out;
  gs_buffer_init(&out, sim_machine_env->alloc);
  gs_buffer_append(&out, "x", 1);
  gs_file *file = new_file("abc");
  sim_machine_fail(GS_SIM_READ, 1, EIO);
  assert_int_equal(gs_file_read_all(file, &out, &err), GS_IO);
  assert_int_equal(out.size, 1);
  gs_buffer_clear(&out);
  sim_machine_fail(GS_SIM_STAT, 1, EIO);
  assert_int_equal(gs_file_read_all(file, &out, &err), GS_IO);
  gs_buffer_deinit(&out);
  gs_buffer_init(&out, sim_machine_env->alloc);
  gs_sim_fail_alloc(sim_machine, 1, 1);
  assert_int_equal(gs_file_read_all(file, &out, &err), GS_NOMEM);
  gs_buffer_deinit(&out);
  sim_machine_close(file);
}

static void
test_a_failed_transfer_names_the_byte_it_reached(void **state)
{
  (void)state;
  char text[8];
  gs_file *file = new_file("abcdefgh");
  add_fault((gs_sim_fault){.op = GS_SIM_READ,
                           .nth = 1,
                           .times = 1,
                           .effect = GS_SIM_SHORT,
                           .amount = 5});
  sim_machine_fail(GS_SIM_READ, 2, EIO);
  assert_int_equal(gs_file_read(file, 1, text, 7, &err), GS_IO);
  assert_int_equal(err.offset, 6);
  assert_int_equal(err.os_errno, EIO);
  sim_machine_fail(GS_SIM_WRITE, 1, ENOSPC);
  assert_int_equal(gs_file_write(file, 4, "x", 1, &err), GS_FULL);
  assert_int_equal(err.offset, 4);
  assert_non_null(strstr(err.hint, "free some space"));
  sim_machine_close(file);
}

static void
test_a_machine_that_takes_nothing_is_not_asked_for_ever(void **state)
{
  (void)state;
  gs_file *file = sim_machine_open("/f", GS_OPEN_CREATE);
  add_fault(
      (gs_sim_fault){.op = GS_SIM_WRITE, .effect = GS_SIM_SHORT, .amount = 0});
  assert_int_equal(gs_file_write(file, 0, "x", 1, &err), GS_IO);
  sim_machine_close(file);
}

static void
test_nothing_to_transfer_asks_nobody(void **state)
{
  (void)state;
  gs_file *file = sim_machine_open("/f", GS_OPEN_CREATE);
  add_fault((gs_sim_fault){.op = GS_SIM_ANY, .os_errno = EIO});
  assert_int_equal(gs_file_read(file, 0, NULL, 0, &err), GS_OK);
  assert_int_equal(gs_file_write(file, 0, NULL, 0, &err), GS_OK);
  sim_machine_close(file);
}

static void
test_each_failure_says_what_was_tried(void **state)
{
  (void)state;
  gs_file *none = (gs_file *)&err;
  uint64_t size;
  gs_file *file = new_file("abc");
  add_fault((gs_sim_fault){.op = GS_SIM_ANY, .os_errno = EACCES});
  assert_int_equal(
      gs_file_open(sim_machine_env, "/g", GS_OPEN_READ, &none, &err), GS_IO);
  assert_string_equal(err.message, "cannot open '/g': Permission denied");
  assert_null(none);
  assert_int_equal(
      gs_file_open(sim_machine_env, "/g", GS_OPEN_CREATE, &none, &err), GS_IO);
  assert_string_equal(err.message, "cannot create '/g': Permission denied");
  assert_int_equal(gs_file_allocate(file, 9, &err), GS_IO);
  assert_string_equal(err.message,
                      "cannot allocate space for '/f': Permission denied");
  assert_int_equal(gs_file_size(file, &size, &err), GS_IO);
  assert_string_equal(err.message, "cannot measure '/f': Permission denied");
  assert_int_equal(gs_file_sync(file, &err), GS_IO);
  assert_string_equal(err.message, "cannot sync '/f': Permission denied");
  sim_machine_close(file);
}

static void
test_a_failed_sync_is_asked_for_once(void **state)
{
  (void)state;
  gs_file *file = new_file("abc");
  sim_machine_fail(GS_SIM_SYNC, 1, EIO);
  uint64_t before = gs_sim_ops(sim_machine);
  assert_int_equal(gs_file_sync(file, &err), GS_IO);
  assert_int_equal(gs_sim_ops(sim_machine) - before, 1);
  sim_machine_close(file);
}

/* Closing is the one operation the simulated machine never fails. */
static int
close_badly(gs_file *file)
{
  file->env = sim_machine_env;
  sim_machine_close(file);
  return EDQUOT;
}

static void
test_the_error_of_a_close_names_the_file_that_is_gone(void **state)
{
  (void)state;
  gs_env_ops ops = *sim_machine_env->ops;
  gs_env failing = *sim_machine_env;
  ops.close = close_badly;
  failing.ops = &ops;
  gs_file *file = new_file("abc");
  file->env = &failing;
  assert_int_equal(gs_file_close(file, &err), GS_FULL);
  assert_string_equal(err.path, "/f");
  assert_string_equal(err.message, "cannot close '/f': Disk quota exceeded");
}

static void
test_closing_nothing_is_fine(void **state)
{
  (void)state;
  assert_int_equal(gs_file_close(NULL, &err), GS_OK);
}

static void
test_a_file_that_cannot_be_mapped_is_written_all_the_same(void **state)
{
  (void)state;
  gs_file *file = new_file("abc");
  gs_file_map(file, 1000); /* more than there is */
  gs_file_map(file, 3);
  sim_machine_write(file, 1, "XYZ");
  gs_file_advise(file, 0, 0, GS_ADVICE_RANDOM);
  sim_machine_close(file);
  assert_string_equal(sim_machine_text(sim_machine, "/f"), "aXYZ");
}

#define FILE_TEST(test)                                     \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      FILE_TEST(test_short_reads_add_up),
      FILE_TEST(test_short_writes_add_up),
      FILE_TEST(test_interruptions_are_not_errors),
      FILE_TEST(test_a_file_that_ends_early_is_damaged),
      FILE_TEST(test_some_bytes_may_be_fewer),
      FILE_TEST(test_a_whole_file_goes_behind_what_is_in_the_buffer),
      FILE_TEST(test_an_empty_file_adds_nothing),
      FILE_TEST(test_a_failed_reading_of_all_leaves_the_buffer_as_it_was),
      FILE_TEST(test_a_failed_transfer_names_the_byte_it_reached),
      FILE_TEST(test_a_machine_that_takes_nothing_is_not_asked_for_ever),
      FILE_TEST(test_nothing_to_transfer_asks_nobody),
      FILE_TEST(test_each_failure_says_what_was_tried),
      FILE_TEST(test_a_failed_sync_is_asked_for_once),
      FILE_TEST(test_the_error_of_a_close_names_the_file_that_is_gone),
      FILE_TEST(test_closing_nothing_is_fine),
      FILE_TEST(test_a_file_that_cannot_be_mapped_is_written_all_the_same),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
