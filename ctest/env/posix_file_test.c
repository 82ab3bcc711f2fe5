/*
 * Tests of files of the real machine: what the kernel is asked for that the
 * simulated machine cannot show.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "env/env.h"
#include "env/posix/posix.h"
#include "support/child.h"
#include "support/temp_dir.h"

#define BLOCK UINT64_C(4096)

enum { HALF = 1536 * 1024, LARGE = 2 * HALF + 17, LAST_FD = 255 };

static temp_dir dir;
static gs_env *env;
static gs_error err;

static int
set_up(void **state)
{
  (void)state;
  env = gs_env_posix();
  temp_dir_make(&dir);
  return 0;
}

static int
tear_down(void **state)
{
  (void)state;
  temp_dir_remove(&dir);
  return 0;
}

static gs_file *
open_file(const char *name, gs_open_mode mode)
{
  gs_file *file = NULL;
  assert_int_equal(
      gs_file_open(env, temp_dir_at(&dir, name), mode, &file, &err), GS_OK);
  return file;
}

static void
close_file(gs_file *file)
{
  assert_int_equal(gs_file_close(file, &err), GS_OK);
}

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
  assert_int_equal(env->ops->map(file, BLOCK), 0);
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

/* KiB of the test's files that are present in mappings. */
static unsigned
count_present(void)
{
  char line[1024];
  unsigned kib = 0;
  bool is_ours = false;
  FILE *maps = fopen("/proc/self/smaps", "r");
  assert_non_null(maps);
  while (fgets(line, sizeof line, maps) != NULL) {
    unsigned present;
    if (strstr(line, dir.path) != NULL) {
      is_ours = true;
    } else if (is_ours && sscanf(line, "Rss: %u", &present) == 1) {
      kib += present;
      is_ours = false;
    }
  }
  fclose(maps);
  return kib;
}

static void
test_whole_pages_that_are_written_leave_the_mapping(void **state)
{
  (void)state;
  enum { PAGES = 4, PAGE = 4096 };
  static uint8_t bytes[PAGE];
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_reserve(file, PAGES * PAGE, &err), GS_OK);
  gs_file_map(file, PAGES * PAGE);
  for (size_t i = 0; i < PAGES; i++) {
    memset(bytes, (int)i + 1, PAGE);
    assert_int_equal(gs_file_write(file, i * PAGE, bytes, PAGE, &err), GS_OK);
  }
  assert_int_equal(count_present(), PAGES * PAGE / 1024);
  /* With what came since. */
  gs_file_advise(file, 1, 2 * PAGE, GS_ADVICE_WRITTEN);
  assert_int_equal(count_present(), PAGE / 1024);
  gs_file_advise(file, 0, 2 * PAGES * PAGE, GS_ADVICE_WRITTEN);
  assert_int_equal(count_present(), 0);
  assert_int_equal(gs_file_sync(file, &err), GS_OK);
  assert_int_equal(gs_file_write(file, PAGE, "late", 4, &err), GS_OK);
  assert_int_equal(gs_file_read(file, PAGE, bytes, PAGE, &err), GS_OK);
  assert_memory_equal(bytes, "late", 4);
  for (size_t i = 4; i < PAGE; i++) {
    assert_int_equal(bytes[i], 2);
  }
  close_file(file);
}

/* Whether the kernel makes pages writable when asked (since Linux 5.14). */
static bool
makes_writable(void)
{
  enum { POPULATE_WRITE = 23 };
  void *page = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(page != MAP_FAILED);
  bool does = madvise(page, BLOCK, POPULATE_WRITE) == 0;
  munmap(page, BLOCK);
  return does;
}

static void
test_a_few_pages_of_a_mapping_are_made_writable_at_once(void **state)
{
  (void)state;
  enum { KIB = BLOCK / 1024, AT_ONCE = 4, SIZE = 6 };
  unsigned few = makes_writable() ? AT_ONCE : 1;
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_reserve(file, SIZE * BLOCK, &err), GS_OK);
  gs_file_map(file, SIZE * BLOCK);
  assert_int_equal(count_present(), 0);
  assert_int_equal(gs_file_write(file, 100, "x", 1, &err), GS_OK);
  assert_int_equal(count_present(), few * KIB);
  assert_int_equal(gs_file_write(file, BLOCK / 2, "y", 1, &err), GS_OK);
  assert_int_equal(count_present(), few * KIB);
  assert_int_equal(gs_file_write(file, AT_ONCE * BLOCK - 1, "z", 1, &err),
                   GS_OK);
  assert_in_range(count_present(), few * KIB, AT_ONCE * KIB);
  assert_int_equal(gs_file_write(file, AT_ONCE * BLOCK, "z", 1, &err), GS_OK);
  assert_in_range(count_present(), 3 * KIB, SIZE * KIB);
  gs_file_advise(file, 0, SIZE * BLOCK, GS_ADVICE_WRITTEN);
  assert_int_equal(count_present(), 0);
  close_file(file);
}

/* A frame that begins and ends within pages is followed by others. */
static void
test_pages_are_made_writable_behind_frames_of_every_size(void **state)
{
  (void)state;
  enum { KIB = BLOCK / 1024, SIZE = 64 * BLOCK, AT_ONCE = 4 };
  static const size_t sizes[] = {4096, 20000, 15000, 15000, 15000};
  static uint8_t bytes[20000];
  unsigned few = makes_writable() ? AT_ONCE : 1;
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_reserve(file, SIZE, &err), GS_OK);
  gs_file_map(file, SIZE);
  uint64_t at = 0;
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    assert_int_equal(gs_file_write(file, at, bytes, sizes[i], &err), GS_OK);
    at += sizes[i];
  }
  uint64_t page = (at + 8 * BLOCK) / BLOCK * BLOCK;
  unsigned before = count_present();
  assert_int_equal(gs_file_write(file, page, "x", 1, &err), GS_OK);
  assert_int_equal(count_present() - before, few * KIB);
  assert_int_equal(gs_file_write(file, page + BLOCK * few, "x", 1, &err),
                   GS_OK);
  assert_int_equal(count_present() - before, 2 * few * KIB);
  close_file(file);
}

static int
write_to_a_cut_file(void *arg)
{
  gs_file *file = arg;
  return truncate(file->path, 0) == 0 &&
                 gs_file_write(file, 0, "x", 1, NULL) == GS_OK
             ? 0
             : 1;
}

/* Somebody cuts the file off: where the kernel tells beforehand that a store
 * would be a fatal signal, it is a write. */
static void
test_a_page_without_a_place_is_written_by_call(void **state)
{
  (void)state;
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_reserve(file, 4 * BLOCK, &err), GS_OK);
  gs_file_map(file, 4 * BLOCK);
  child_end end = child_run(write_to_a_cut_file, file);
  assert_int_equal(end.exit_status, makes_writable() ? 0 : -1);
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
  if (gs_file_open(env, path, GS_OPEN_CREATE, &file, NULL) != GS_OK) {
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
test_mapped_writes_are_read_by_all_and_stay(void **state)
{
  (void)state;
  char text[8];
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_allocate(file, 2 * BLOCK, &err), GS_OK);
  gs_file *reader = open_file("f", GS_OPEN_READ);
  assert_int_equal(env->ops->map(file, BLOCK), 0);
  assert_int_equal(gs_file_write(file, 100, "mapped", 6, &err), GS_OK);
  assert_int_equal(gs_file_read(reader, 100, text, 6, &err), GS_OK);
  assert_memory_equal(text, "mapped", 6);
  assert_int_equal(gs_file_read(file, 100, text, 6, &err), GS_OK);
  assert_memory_equal(text, "mapped", 6);
  assert_int_equal(gs_file_sync(file, &err), GS_OK);
  close_file(file);
  assert_int_equal(gs_file_read(reader, 100, text, 6, &err), GS_OK);
  assert_memory_equal(text, "mapped", 6);
  close_file(reader);
}

/* Large writes take a call, small ones do not: all go to the same memory. */
static void
test_large_and_small_writes_of_a_mapped_file_are_read_as_one(void **state)
{
  (void)state;
  enum { PIECE = 40000, SIZE = 2 * PIECE };
  static uint8_t wanted[SIZE];
  static uint8_t seen[SIZE];
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_allocate(file, SIZE, &err), GS_OK);
  assert_int_equal(env->ops->map(file, SIZE), 0);
  memset(wanted, 'a', PIECE);
  assert_int_equal(gs_file_write(file, 0, wanted, PIECE, &err), GS_OK);
  memcpy(wanted + 5000, "small", 5);
  assert_int_equal(gs_file_write(file, 5000, "small", 5, &err), GS_OK);
  memset(wanted + 20000, 'b', PIECE);
  assert_int_equal(gs_file_write(file, 20000, wanted + 20000, PIECE, &err),
                   GS_OK);
  memcpy(wanted + 59999, "end", 3);
  assert_int_equal(gs_file_write(file, 59999, "end", 3, &err), GS_OK);
  assert_int_equal(gs_file_read(file, 0, seen, SIZE, &err), GS_OK);
  assert_memory_equal(seen, wanted, SIZE);
  close_file(file);
}

static void
test_a_write_across_the_end_of_the_mapping_is_whole(void **state)
{
  (void)state;
  char text[8];
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_allocate(file, 2 * BLOCK, &err), GS_OK);
  gs_file_map(file, BLOCK);
  assert_int_equal(env->ops->write(file, BLOCK - 2, "abcdef", 6), 2);
  assert_int_equal(gs_file_write(file, BLOCK - 2, "abcdef", 6, &err), GS_OK);
  assert_int_equal(gs_file_read(file, BLOCK - 2, text, 6, &err), GS_OK);
  assert_memory_equal(text, "abcdef", 6);
  close_file(file);
}

static int
write_under_a_size_limit(void *arg)
{
  gs_file *file = arg;
  const struct rlimit nothing = {.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_FSIZE, &nothing);
  return gs_file_write(file, 0, "x", 1, NULL) == GS_OK ? 0 : 1;
}

/* A limit on the size of files ends processes that call the kernel to write. */
static void
test_a_mapped_write_asks_the_kernel_nothing(void **state)
{
  (void)state;
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_allocate(file, BLOCK, &err), GS_OK);
  assert_int_equal(child_run(write_under_a_size_limit, file).exit_status, -1);
  gs_file_map(file, BLOCK);
  assert_int_equal(child_run(write_under_a_size_limit, file).exit_status, 0);
  close_file(file);
}

static void
test_what_is_reserved_is_mapped_and_written(void **state)
{
  (void)state;
  char text[4] = {0};
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_reserve(file, 2 * BLOCK, &err), GS_OK);
  assert_int_equal(env->ops->map(file, 2 * BLOCK), 0);
  assert_int_equal(child_run(write_under_a_size_limit, file).exit_status, 0);
  assert_int_equal(gs_file_write(file, BLOCK - 1, "abc", 3, &err), GS_OK);
  assert_int_equal(gs_file_sync(file, &err), GS_OK);
  assert_int_equal(gs_file_read(file, BLOCK - 1, text, 3, &err), GS_OK);
  assert_string_equal(text, "abc");
  close_file(file);
}

static void
test_only_file_systems_that_keep_their_blocks_are_mapped(void **state)
{
  (void)state;
  assert_true(gs_posix_keeps_blocks(0xef53));
  assert_true(gs_posix_keeps_blocks(0x58465342));
  assert_true(gs_posix_keeps_blocks(0x01021994));
  assert_false(gs_posix_keeps_blocks(0x9123683e)); /* btrfs */
  assert_false(gs_posix_keeps_blocks(0xf2f52010)); /* f2fs */
  assert_false(gs_posix_keeps_blocks(0x2fc12fc1)); /* ZFS */
  assert_false(gs_posix_keeps_blocks(0x794c7630)); /* overlay: over any */
}

static void
test_what_is_not_allocated_is_not_mapped(void **state)
{
  (void)state;
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_allocate(file, BLOCK, &err), GS_OK);
  assert_int_equal(env->ops->map(file, BLOCK + 1), EINVAL);
  assert_int_equal(gs_file_write(file, BLOCK, "x", 1, &err), GS_OK);
  close_file(file);
}

static void
test_a_larger_mapping_takes_the_place_of_a_smaller(void **state)
{
  (void)state;
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_allocate(file, 4 * BLOCK, &err), GS_OK);
  assert_int_equal(env->ops->map(file, BLOCK), 0);
  assert_int_equal(env->ops->map(file, 4 * BLOCK), 0);
  assert_int_equal(env->ops->write(file, 2 * BLOCK, "abc", 3), 3);
  assert_int_equal(child_run(write_under_a_size_limit, file).exit_status, 0);
  close_file(file);
}

static void
test_a_file_cut_below_its_mapping_is_written_on(void **state)
{
  (void)state;
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_allocate(file, 2 * BLOCK, &err), GS_OK);
  gs_file_map(file, 2 * BLOCK);
  assert_int_equal(env->ops->truncate(file, 10), 0);
  assert_int_equal(gs_file_write(file, BLOCK, "abc", 3, &err), GS_OK);
  uint64_t size = 0;
  assert_int_equal(gs_file_size(file, &size, &err), GS_OK);
  assert_int_equal(size, BLOCK + 3);
  close_file(file);
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
  assert_int_equal(gs_file_open(env, "/dev/full", GS_OPEN_WRITE, &file, &err),
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
  gs_status status = gs_file_open(env, path, GS_OPEN_CREATE, &file, &err);
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
  gs_env poor = *env;
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
      ONE_TEST(test_whole_pages_that_are_written_leave_the_mapping),
      ONE_TEST(test_a_few_pages_of_a_mapping_are_made_writable_at_once),
      ONE_TEST(test_pages_are_made_writable_behind_frames_of_every_size),
      ONE_TEST(test_a_page_without_a_place_is_written_by_call),
      ONE_TEST(test_a_file_that_is_no_longer_mapped_holds_its_descriptor_alone),
      ONE_TEST(test_descriptors_are_closed_in_programs_that_are_started),
      ONE_TEST(test_files_never_take_the_place_of_standard_streams),
      ONE_TEST(test_allocated_bytes_are_zero_and_occupy_the_disk),
      ONE_TEST(test_reserved_bytes_are_zero_and_occupy_the_disk),
      ONE_TEST(test_mapped_writes_are_read_by_all_and_stay),
      ONE_TEST(test_large_and_small_writes_of_a_mapped_file_are_read_as_one),
      ONE_TEST(test_a_write_across_the_end_of_the_mapping_is_whole),
      ONE_TEST(test_a_mapped_write_asks_the_kernel_nothing),
      cmocka_unit_test(
          test_only_file_systems_that_keep_their_blocks_are_mapped),
      ONE_TEST(test_what_is_reserved_is_mapped_and_written),
      ONE_TEST(test_what_is_not_allocated_is_not_mapped),
      ONE_TEST(test_a_larger_mapping_takes_the_place_of_a_smaller),
      ONE_TEST(test_a_file_cut_below_its_mapping_is_written_on),
      ONE_TEST(test_every_advice_is_taken),
      ONE_TEST(test_a_full_disk_is_reported_as_such),
      ONE_TEST(test_an_allocation_that_stops_half_way_says_why),
      ONE_TEST(test_too_many_open_files_are_a_limit),
      ONE_TEST(test_a_file_made_without_memory_leaves_no_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
