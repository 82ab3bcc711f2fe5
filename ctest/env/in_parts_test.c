/*
 * Removing a file in parts, over both machines: it comes to an end as if it had
 * gone at once, and nobody who can still come to the file loses a byte of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "env/env.h"
#include "env/posix/posix.h"
#include "support/machine.h"

enum { PART = 1000, FILE_BYTES = 3 * PART + 1 };

static machine under_test;
static gs_error err;
static const gs_env_ops *plain_ops;
static gs_env_ops ops;
static uint64_t part_bytes; /* that the machine says */
static uint64_t cuts[8];    /* sizes that files were cut to */
static size_t cut_count;

static int
noted_truncate(gs_file *file, uint64_t size)
{
  assert_true(cut_count < sizeof cuts / sizeof cuts[0]);
  cuts[cut_count++] = size;
  return plain_ops->truncate(file, size);
}

static uint64_t
given_part_bytes(gs_env *env, const char *path)
{
  (void)env;
  (void)path;
  return part_bytes;
}

static void
take_notes(void)
{
  gs_env *env = under_test.env;
  cut_count = 0;
  part_bytes = PART;
  plain_ops = env->ops;
  ops = *plain_ops;
  ops.truncate = noted_truncate;
  ops.part_bytes = given_part_bytes;
  env->ops = &ops;
}

static int
set_up_posix(void **state)
{
  (void)state;
  machine_open_posix(&under_test);
  take_notes();
  return 0;
}

static int
set_up_sim(void **state)
{
  (void)state;
  machine_open_sim(&under_test);
  take_notes();
  return 0;
}

static int
tear_down(void **state)
{
  (void)state;
  under_test.env->ops = plain_ops;
  machine_close(&under_test);
  return 0;
}

static const char *
at(const char *name)
{
  return temp_dir_at(&under_test.dir, name);
}

static gs_file *
open_file(const char *name, gs_open_mode mode)
{
  gs_file *file = NULL;
  assert_int_equal(gs_file_open(under_test.env, at(name), mode, &file, &err),
                   GS_OK);
  return file;
}

static void
close_file(gs_file *file)
{
  assert_int_equal(gs_file_close(file, &err), GS_OK);
}

static void
make_large(const char *name)
{
  uint8_t bytes[FILE_BYTES];
  memset(bytes, 'x', sizeof bytes);
  gs_file *file = open_file(name, GS_OPEN_CREATE);
  assert_int_equal(gs_file_write(file, 0, bytes, sizeof bytes, &err), GS_OK);
  close_file(file);
}

static gs_status
remove_in_parts(const char *name)
{
  return gs_env_remove_in_parts(under_test.env, at(name), &err);
}

static bool
is_there(const char *name)
{
  gs_file_info info;
  return gs_env_stat(under_test.env, at(name), &info, NULL) == GS_OK;
}

static void
assert_whole(gs_file *file)
{
  uint8_t bytes[FILE_BYTES];
  assert_int_equal(gs_file_read(file, 0, bytes, sizeof bytes, &err), GS_OK);
  for (size_t i = 0; i < sizeof bytes; i++) {
    assert_int_equal(bytes[i], 'x');
  }
}

static void
test_the_space_goes_from_the_end_a_part_after_the_other(void **state)
{
  (void)state;
  make_large("f");
  assert_int_equal(remove_in_parts("f"), GS_OK);
  assert_false(is_there("f"));
  assert_int_equal(cut_count, 3);
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(cuts[i], FILE_BYTES - (i + 1) * PART);
  }
}

static void
test_a_file_of_one_part_goes_at_once(void **state)
{
  (void)state;
  part_bytes = FILE_BYTES;
  make_large("f");
  assert_int_equal(remove_in_parts("f"), GS_OK);
  assert_false(is_there("f"));
  assert_int_equal(cut_count, 0);
}

static void
test_where_all_may_go_at_once_it_does(void **state)
{
  (void)state;
  part_bytes = 0;
  make_large("f");
  assert_int_equal(remove_in_parts("f"), GS_OK);
  assert_false(is_there("f"));
  assert_int_equal(cut_count, 0);
}

static void
test_a_machine_that_knows_no_parts_cuts_none(void **state)
{
  (void)state;
  ops.part_bytes = NULL;
  make_large("f");
  assert_int_equal(remove_in_parts("f"), GS_OK);
  assert_false(is_there("f"));
  assert_int_equal(cut_count, 0);
}

static void
test_who_has_it_open_keeps_all_of_it(void **state)
{
  (void)state;
  static const gs_open_mode modes[] = {GS_OPEN_READ, GS_OPEN_WRITE};
  for (size_t i = 0; i < 2; i++) {
    make_large("f");
    gs_file *open = open_file("f", modes[i]);
    assert_int_equal(remove_in_parts("f"), GS_OK);
    assert_false(is_there("f"));
    assert_int_equal(cut_count, 0);
    assert_whole(open);
    close_file(open);
  }
}

static void
test_another_name_keeps_all_of_it(void **state)
{
  (void)state;
  char from[TEMP_DIR_BYTES];
  make_large("f");
  snprintf(from, sizeof from, "%s", at("f"));
  assert_int_equal(gs_env_link(under_test.env, from, at("g"), &err), GS_OK);
  assert_int_equal(remove_in_parts("f"), GS_OK);
  assert_false(is_there("f"));
  gs_file *other = open_file("g", GS_OPEN_READ);
  assert_whole(other);
  close_file(other);
  assert_int_equal(cut_count, 0);
}

static void
test_what_cannot_be_removed_is_left_as_it_is(void **state)
{
  (void)state;
  assert_int_equal(remove_in_parts("f"), GS_MISSING);
  assert_int_equal(gs_env_make_dir(under_test.env, at("d"), &err), GS_OK);
  assert_int_equal(remove_in_parts("d"), GS_IO);
  assert_true(is_there("d"));
  assert_int_equal(cut_count, 0);
}

/* ---- other processes ------------------------------------------------------- */

/* The reader's handle is the child's alone; it says when it has it, and looks
 * when it is told to. */
static int
read_when_told(const char *path, int ready, int go)
{
  gs_file *file = NULL;
  uint8_t bytes[FILE_BYTES];
  char told = 'r';
  bool is_open =
      gs_file_open(gs_env_posix(), path, GS_OPEN_READ, &file, NULL) == GS_OK;
  bool is_told = write(ready, &told, 1) == 1 && read(go, &told, 1) == 1;
  bool is_whole = is_open && is_told &&
                  gs_file_read(file, 0, bytes, sizeof bytes, NULL) == GS_OK &&
                  bytes[FILE_BYTES - 1] == 'x';
  return is_whole ? 0 : 1;
}

static void
test_a_reader_in_another_process_keeps_all_of_it(void **state)
{
  (void)state;
  int ready[2];
  int go[2];
  char told;
  int outcome = -1;
  make_large("f");
  assert_int_equal(pipe(ready), 0);
  assert_int_equal(pipe(go), 0);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    _exit(read_when_told(at("f"), ready[1], go[0]));
  }
  close(ready[1]); /* so that the end of the child is one of the wait too */
  assert_int_equal(read(ready[0], &told, 1), 1);
  assert_int_equal(remove_in_parts("f"), GS_OK);
  assert_int_equal(write(go[1], &told, 1), 1);
  assert_int_equal(waitpid(child, &outcome, 0), child);
  assert_int_equal(outcome, 0);
  assert_int_equal(cut_count, 0);
  close(ready[0]);
  close(go[0]);
  close(go[1]);
}

/* Who was on the way to a file when its name went comes too late to be seen. */
static void
test_a_file_that_lost_its_name_meanwhile_is_not_there(void **state)
{
  (void)state;
  char path[64];
  gs_file *late = NULL;
  make_large("f");
  int fd = open(at("f"), O_RDWR | O_CLOEXEC);
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  assert_int_equal(
      gs_file_open(under_test.env, path, GS_OPEN_READ, &late, &err), GS_OK);
  close_file(late);
  assert_int_equal(gs_env_remove(under_test.env, at("f"), &err), GS_OK);
  assert_int_equal(
      gs_file_open(under_test.env, path, GS_OPEN_READ, &late, &err),
      GS_MISSING);
  close(fd);
}

/* Whoever comes by another way than a name gives a signal that ends a process
 * which does not expect it: it is to go to this thread alone. */
static void
test_the_signal_of_a_lease_is_this_threads(void **state)
{
  (void)state;
  struct f_owner_ex owner = {.type = F_OWNER_PGRP};
  make_large("f");
  int fd = open(at("f"), O_RDWR | O_CLOEXEC);
  assert_true(fd >= 0);
  assert_int_equal(gs_posix_lease(fd), 0);
  assert_int_equal(fcntl(fd, F_GETOWN_EX, &owner), 0);
  assert_int_equal(owner.type, F_OWNER_TID);
  assert_int_equal(owner.pid, gettid());
  sigset_t before;
  sigset_t io;
  int got = 0;
  sigemptyset(&io);
  sigaddset(&io, SIGIO);
  assert_int_equal(pthread_sigmask(SIG_BLOCK, &io, &before), 0);
  assert_int_equal(open(at("f"), O_RDONLY | O_NONBLOCK | O_CLOEXEC), -1);
  assert_int_equal(errno, EWOULDBLOCK);
  assert_int_equal(sigwait(&io, &got), 0);
  assert_int_equal(got, SIGIO);
  assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
  close(fd);
}

static void
test_parts_are_known_where_names_and_handles_are_counted(void **state)
{
  (void)state;
  gs_env *env = under_test.env;
  make_large("f");
  assert_int_equal(plain_ops->part_bytes(env, at("f")), 2 << 20);
  assert_int_equal(plain_ops->part_bytes(env, at("g")), 0);
  assert_int_equal(plain_ops->part_bytes(env, "/proc/self/stat"), 0);
}

#define ON_BOTH(test)                                    \
  {#test "_posix", test, set_up_posix, tear_down, NULL}, \
  {                                                      \
#test "_sim", test, set_up_sim, tear_down, NULL      \
  }

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ON_BOTH(test_the_space_goes_from_the_end_a_part_after_the_other),
      ON_BOTH(test_a_file_of_one_part_goes_at_once),
      ON_BOTH(test_where_all_may_go_at_once_it_does),
      ON_BOTH(test_a_machine_that_knows_no_parts_cuts_none),
      ON_BOTH(test_who_has_it_open_keeps_all_of_it),
      ON_BOTH(test_another_name_keeps_all_of_it),
      ON_BOTH(test_what_cannot_be_removed_is_left_as_it_is),
      cmocka_unit_test_setup_teardown(
          test_a_reader_in_another_process_keeps_all_of_it, set_up_posix,
          tear_down),
      cmocka_unit_test_setup_teardown(
          test_a_file_that_lost_its_name_meanwhile_is_not_there, set_up_posix,
          tear_down),
      cmocka_unit_test_setup_teardown(
          test_the_signal_of_a_lease_is_this_threads, set_up_posix, tear_down),
      cmocka_unit_test_setup_teardown(
          test_parts_are_known_where_names_and_handles_are_counted,
          set_up_posix, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
