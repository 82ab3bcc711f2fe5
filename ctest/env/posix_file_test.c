/*
 * Tests of files of the real machine: what the kernel is asked for that the
 * simulated machine cannot show.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "env/posix/posix.h"
#include "env/posix_kit.h"
#include "support/child.h"

#define BLOCK UINT64_C(4096)

enum { HALF = 1536 * 1024, LARGE = 2 * HALF + 17, LAST_FD = 255 };

static struct stat
stat_of(const gs_file *file)
{
  struct stat info;
  assert_int_equal(stat(file->path, &info), 0);
  return info;
}

/* The descriptor under which this process has the file open. */
static int
fd_of(const gs_file *file)
{
  struct stat wanted = stat_of(file);
  for (int fd = 0; fd <= LAST_FD; fd++) {
    struct stat info;
    if (fstat(fd, &info) == 0 && info.st_ino == wanted.st_ino &&
        info.st_dev == wanted.st_dev) {
      return fd;
    }
  }
  return -1;
}

/* Open descriptors, and lines of the memory map that name the test's files. */
static size_t
count_held(void)
{
  char line[1024];
  size_t held = 0;
  for (int fd = 0; fd <= LAST_FD; fd++) {
    held += fcntl(fd, F_GETFD) != -1;
  }
  FILE *maps = fopen("/proc/self/maps", "r");
  assert_non_null(maps);
  while (fgets(line, sizeof line, maps) != NULL) {
    held += strstr(line, dir.path) != NULL;
  }
  fclose(maps);
  return held;
}

static void
test_a_closed_file_holds_nothing(void **state)
{
  (void)state;
  size_t before = count_held();
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_allocate(file, BLOCK, &err), GS_OK);
  assert_int_equal(gs_env_posix()->ops->map(file, BLOCK), 0);
  assert_int_equal(count_held(), before + 2);
  close_file(file);
  assert_int_equal(count_held(), before);
}

static void
test_a_file_that_is_no_longer_mapped_holds_its_descriptor_alone(void **state)
{
  (void)state;
  char text[4];
  size_t before = count_held();
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_allocate(file, BLOCK, &err), GS_OK);
  gs_file_map(file, BLOCK);
  assert_int_equal(gs_file_write(file, 0, "one", 3, &err), GS_OK);
  gs_file_unmap(file);
  assert_int_equal(count_held(), before + 1);
  assert_int_equal(gs_file_write(file, 3, "two", 3, &err), GS_OK);
  assert_int_equal(gs_file_read(file, 2, text, 3, &err), GS_OK);
  assert_memory_equal(text, "etw", 3);
  close_file(file);
}

static void
test_descriptors_are_closed_in_programs_that_are_started(void **state)
{
  (void)state;
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  int fd = fd_of(file);
  assert_true(fd >= 0);
  assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  close_file(file);
}

static int
open_without_standard_streams(void *arg)
{
  (void)arg;
  gs_file *file = NULL;
  const char *path = temp_dir_at(&dir, "f");
  for (int fd = 0; fd <= STDERR_FILENO; fd++) {
    close(fd);
  }
  if (gs_file_open(gs_env_posix(), path, GS_OPEN_CREATE, &file, NULL) !=
      GS_OK) {
    return 1;
  }
  int fd = fd_of(file);
  bool is_safe = fd > STDERR_FILENO && write(0, "x", 1) == -1 &&
                 (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
  gs_status status = gs_file_close(file, NULL);
  return is_safe && status == GS_OK ? 0 : 2;
}

static void
test_files_never_take_the_place_of_standard_streams(void **state)
{
  (void)state;
  assert_int_equal(child_run(open_without_standard_streams, NULL).exit_status,
                   0);
}

typedef gs_status (*growth)(gs_file *file, uint64_t size, gs_error *err);

static void
grow_behind_a_write(growth grow)
{
  static uint8_t bytes[LARGE];
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_write(file, HALF - 3, "abc", 3, &err), GS_OK);
  assert_int_equal(grow(file, LARGE, &err), GS_OK);
  uint64_t size = 0;
  assert_int_equal(gs_file_size(file, &size, &err), GS_OK);
  assert_int_equal(size, LARGE);
  /* The hole before the first write stays one. */
  assert_in_range(stat_of(file).st_blocks * 512, LARGE - HALF, LARGE);
  assert_int_equal(gs_file_read(file, 0, bytes, LARGE, &err), GS_OK);
  assert_memory_equal(bytes + HALF - 3, "abc", 3);
  for (size_t i = HALF; i < LARGE; i++) {
    assert_int_equal(bytes[i], 0);
  }
  assert_int_equal(grow(file, 10, &err), GS_OK);
  assert_int_equal(gs_file_size(file, &size, &err), GS_OK);
  assert_int_equal(size, LARGE);
  close_file(file);
}

static void
test_allocated_bytes_are_zero_and_occupy_the_disk(void **state)
{
  (void)state;
  grow_behind_a_write(gs_file_allocate);
}

static void
test_reserved_bytes_are_zero_and_occupy_the_disk(void **state)
{
  (void)state;
  grow_behind_a_write(gs_file_reserve);
}

static void
test_every_advice_is_taken(void **state)
{
  (void)state;
  char text[4] = "";
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_write(file, 0, "abc", 3, &err), GS_OK);
  gs_file_advise(file, 0, 0, GS_ADVICE_SEQUENTIAL);
  gs_file_advise(file, 0, 0, GS_ADVICE_RANDOM);
  gs_file_advise(file, 0, 0, GS_ADVICE_DONTNEED);
  assert_int_equal(gs_file_read(file, 0, text, 3, &err), GS_OK);
  assert_string_equal(text, "abc");
  close_file(file);
}

static void
test_a_full_disk_is_reported_as_such(void **state)
{
  (void)state;
  gs_file *file = NULL;
  assert_int_equal(
      gs_file_open(gs_env_posix(), "/dev/full", GS_OPEN_WRITE, &file, &err),
      GS_OK);
  assert_int_equal(gs_file_write(file, 0, "x", 1, &err), GS_FULL);
  assert_int_equal(err.os_errno, ENOSPC);
  assert_non_null(strstr(err.hint, "free some space"));
  close_file(file);
}

static int
allocate_under_a_size_limit(void *arg)
{
  const struct rlimit some = {.rlim_cur = HALF, .rlim_max = HALF};
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &some);
  gs_status status = gs_file_allocate(arg, LARGE, &err);
  return status == GS_IO && err.os_errno == EFBIG ? 0 : 1;
}

static void
test_an_allocation_that_stops_half_way_says_why(void **state)
{
  (void)state;
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(child_run(allocate_under_a_size_limit, file).exit_status, 0);
  assert_int_equal(gs_file_allocate(file, LARGE, &err), GS_OK);
  close_file(file);
}

static int
open_too_many(void *arg)
{
  (void)arg;
  const struct rlimit few = {.rlim_cur = 3, .rlim_max = 3};
  gs_file *file = NULL;
  const char *path = temp_dir_at(&dir, "f");
  setrlimit(RLIMIT_NOFILE, &few);
  gs_status status =
      gs_file_open(gs_env_posix(), path, GS_OPEN_CREATE, &file, &err);
  return status == GS_LIMIT && strstr(err.hint, "ulimit -n") != NULL ? 0 : 1;
}

static void
test_too_many_open_files_are_a_limit(void **state)
{
  (void)state;
  assert_int_equal(child_run(open_too_many, NULL).exit_status, 0);
}

static void *
refuse(gs_alloc *self, void *block, size_t old_size, size_t new_size)
{
  (void)self;
  (void)block;
  (void)old_size;
  (void)new_size;
  return NULL;
}

static void
test_a_file_made_without_memory_leaves_no_name(void **state)
{
  (void)state;
  gs_alloc none = {.resize = refuse};
  gs_env poor = *gs_env_posix();
  poor.alloc = &none;
  gs_file *file = NULL;
  size_t before = count_held();
  const char *path = temp_dir_at(&dir, "f");
  assert_int_equal(gs_file_open(&poor, path, GS_OPEN_CREATE, &file, &err),
                   GS_NOMEM);
  assert_int_equal(access(path, F_OK), -1);
  assert_int_equal(count_held(), before);
  close_file(open_file("f", GS_OPEN_CREATE));
}

#define ONE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_a_closed_file_holds_nothing),
      ONE_TEST(test_a_file_that_is_no_longer_mapped_holds_its_descriptor_alone),
      ONE_TEST(test_descriptors_are_closed_in_programs_that_are_started),
      ONE_TEST(test_files_never_take_the_place_of_standard_streams),
      ONE_TEST(test_allocated_bytes_are_zero_and_occupy_the_disk),
      ONE_TEST(test_reserved_bytes_are_zero_and_occupy_the_disk),
      ONE_TEST(test_every_advice_is_taken),
      ONE_TEST(test_a_full_disk_is_reported_as_such),
      ONE_TEST(test_an_allocation_that_stops_half_way_says_why),
      ONE_TEST(test_too_many_open_files_are_a_limit),
      ONE_TEST(test_a_file_made_without_memory_leaves_no_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
