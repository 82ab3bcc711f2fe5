/*
 * Tests of directories of the real machine beyond what both machines share.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "env/env.h"
#include "support/child.h"
#include "support/temp_dir.h"

static void
test_a_directory_knows_its_space(void **state)
{
  (void)state;
  temp_dir dir = {.path = ""};
  gs_disk_space space = {0};
  temp_dir_make(&dir);
  assert_int_equal(gs_env_space(gs_env_posix(), dir.path, &space, NULL), GS_OK);
  assert_true(space.total_bytes > 0);
  assert_true(space.free_bytes <= space.total_bytes);
  temp_dir_remove(&dir);
}

static void
test_identity_is_device_and_inode(void **state)
{
  (void)state;
  temp_dir dir = {.path = ""};
  struct stat expected;
  gs_file_info info;
  temp_dir_make(&dir);
  assert_int_equal(stat(dir.path, &expected), 0);
  assert_int_equal(gs_env_stat(gs_env_posix(), dir.path, &info, NULL), GS_OK);
  assert_true(info.is_directory);
  assert_true(info.device == expected.st_dev && info.inode == expected.st_ino);
  temp_dir_remove(&dir);
}

static void
ignore_name(void *context, const char *name)
{
  (void)context;
  (void)name;
}

static size_t
count_open_files(void)
{
  size_t count = 0;
  for (int fd = 0; fd < 256; fd++) {
    count += fcntl(fd, F_GETFD) != -1;
  }
  return count;
}

static void
test_listing_and_syncing_leave_nothing_open(void **state)
{
  (void)state;
  temp_dir dir = {.path = ""};
  gs_env *env = gs_env_posix();
  temp_dir_make(&dir);
  size_t before = count_open_files();
  assert_int_equal(gs_env_list(env, dir.path, ignore_name, NULL, NULL), GS_OK);
  assert_int_equal(gs_env_sync_dir(env, dir.path, NULL), GS_OK);
  assert_int_equal(count_open_files(), before);
  temp_dir_remove(&dir);
}

/* Were the directory open as one of these, a message could disturb it. */
static void
note_standard_streams(void *context, const char *name)
{
  (void)name;
  size_t *taken = context;
  for (int fd = 0; fd <= STDERR_FILENO; fd++) {
    char byte;
    *taken += read(fd, &byte, 1) >= 0 || errno != EBADF;
  }
}

static int
list_without_standard_streams(void *arg)
{
  size_t taken = 0;
  for (int fd = 0; fd <= STDERR_FILENO; fd++) {
    close(fd);
  }
  gs_status status =
      gs_env_list(gs_env_posix(), arg, note_standard_streams, &taken, NULL);
  return status == GS_OK && taken == 0 ? 0 : 1;
}

static void
test_a_listing_does_not_take_the_place_of_standard_streams(void **state)
{
  (void)state;
  temp_dir dir = {.path = ""};
  temp_dir_make(&dir);
  assert_int_equal(
      gs_env_make_dir(gs_env_posix(), temp_dir_at(&dir, "d"), NULL), GS_OK);
  child_end end = child_run(list_without_standard_streams, dir.path);
  assert_int_equal(end.exit_status, 0);
  temp_dir_remove(&dir);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_directory_knows_its_space),
      cmocka_unit_test(test_identity_is_device_and_inode),
      cmocka_unit_test(test_listing_and_syncing_leave_nothing_open),
      cmocka_unit_test(
          test_a_listing_does_not_take_the_place_of_standard_streams),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
