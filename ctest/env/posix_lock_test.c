/*
 * Tests of the lock between processes, with processes.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "env/env.h"
#include "support/child.h"
#include "support/temp_dir.h"

enum { TEXT_BYTES = 256 };

static temp_dir dir;
static gs_env *env;
static gs_error err;
static char path[TEMP_DIR_BYTES];

static int
set_up(void **state)
{
  (void)state;
  env = gs_env_posix();
  temp_dir_make(&dir);
  memcpy(path, temp_dir_at(&dir, "LOCK"), sizeof path);
  return 0;
}

static int
tear_down(void **state)
{
  (void)state;
  temp_dir_remove(&dir);
  return 0;
}

static gs_lock *
take(void)
{
  gs_lock *lock = NULL;
  assert_int_equal(gs_env_lock(env, path, &lock, &err), GS_OK);
  return lock;
}

static void
assert_locked_by(pid_t pid)
{
  char owner[TEXT_BYTES];
  gs_lock *lock = NULL;
  assert_int_equal(gs_env_lock(env, path, &lock, &err), GS_LOCKED);
  snprintf(owner, sizeof owner, "is locked by process %d posix_lock", (int)pid);
  assert_non_null(strstr(err.message, owner));
}

/* 0: could be taken; 1: was held. */
static int
try_lock(void *arg)
{
  (void)arg;
  gs_lock *lock = NULL;
  gs_status status = gs_env_lock(env, path, &lock, NULL);
  gs_env_unlock(lock);
  return status == GS_OK ? 0 : status == GS_LOCKED ? 1 : 2;
}

static int
unlock_in_child(void *arg)
{
  gs_env_unlock(arg);
  return 0;
}

static int
lock_and_die(void *arg)
{
  (void)arg;
  gs_lock *lock = NULL;
  return gs_env_lock(env, path, &lock, NULL) == GS_OK ? 0 : 1;
}

static void
test_a_lock_keeps_other_processes_out(void **state)
{
  (void)state;
  gs_lock *lock = take();
  assert_int_equal(child_run(try_lock, NULL).exit_status, 1);
  gs_env_unlock(lock);
  assert_int_equal(child_run(try_lock, NULL).exit_status, 0);
}

static void
test_a_lock_keeps_its_own_process_out(void **state)
{
  (void)state;
  gs_lock *lock = take();
  assert_locked_by(getpid());
  gs_env_unlock(lock);
  gs_env_unlock(take());
}

static void
test_reading_the_lock_file_does_not_give_the_lock_away(void **state)
{
  (void)state;
  char text[TEXT_BYTES] = "";
  gs_lock *lock = take();
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  assert_true(read(fd, text, sizeof text - 1) > 0);
  close(fd);
  assert_int_equal(child_run(try_lock, NULL).exit_status, 1);
  gs_env_unlock(lock);
}

static void
test_the_lock_file_names_process_and_program(void **state)
{
  (void)state;
  char text[TEXT_BYTES] = "";
  char expected[TEXT_BYTES];
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs("99999999 a program with a much, much longer name\n", file);
  fclose(file);
  gs_lock *lock = take();
  file = fopen(path, "r");
  assert_non_null(file);
  assert_true(fread(text, 1, sizeof text - 1, file) > 0);
  fclose(file);
  snprintf(expected, sizeof expected, "%d posix_lock_test\n", (int)getpid());
  assert_string_equal(text, expected);
  gs_env_unlock(lock);
}

static void
test_the_lock_file_stays(void **state)
{
  (void)state;
  gs_env_unlock(take());
  assert_int_equal(access(path, F_OK), 0);
}

static void
test_a_lock_dies_with_its_process(void **state)
{
  (void)state;
  assert_int_equal(child_run(lock_and_die, NULL).exit_status, 0);
  gs_env_unlock(take());
}

static void
test_a_forked_child_cannot_unlock_for_its_parent(void **state)
{
  (void)state;
  gs_lock *lock = take();
  assert_int_equal(child_run(unlock_in_child, lock).exit_status, 0);
  assert_int_equal(child_run(try_lock, NULL).exit_status, 1);
  gs_env_unlock(lock);
}

static void
test_a_lock_in_a_missing_directory_is_missing(void **state)
{
  (void)state;
  gs_lock *lock = NULL;
  assert_int_equal(gs_env_lock(env, temp_dir_at(&dir, "no/LOCK"), &lock, &err),
                   GS_MISSING);
  assert_null(lock);
}

#define ONE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_a_lock_keeps_other_processes_out),
      ONE_TEST(test_a_lock_keeps_its_own_process_out),
      ONE_TEST(test_reading_the_lock_file_does_not_give_the_lock_away),
      ONE_TEST(test_the_lock_file_names_process_and_program),
      ONE_TEST(test_the_lock_file_stays),
      ONE_TEST(test_a_lock_dies_with_its_process),
      ONE_TEST(test_a_forked_child_cannot_unlock_for_its_parent),
      ONE_TEST(test_a_lock_in_a_missing_directory_is_missing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
