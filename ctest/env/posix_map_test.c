/*
 * Tests of mapped files of the real machine: which pages are there when, and
 * that a mapped write is a write.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "env/posix/posix.h"
#include "env/posix_kit.h"
#include "support/child.h"

#define BLOCK UINT64_C(4096)

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

/* A frame that begins and ends within pages is followed by others: of the pages
 * behind them few are the first of those that come at once. */
static void
test_pages_are_made_writable_behind_frames_of_every_size(void **state)
{
  (void)state;
  enum { SIZE = 64 * BLOCK, LATER = 12, AT_ONCE = 4 };
  static const size_t sizes[] = {4096, 20000, 15000, 15000, 15000};
  static uint8_t bytes[20000];
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_reserve(file, SIZE, &err), GS_OK);
  gs_file_map(file, SIZE);
  uint64_t at = 0;
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    assert_int_equal(gs_file_write(file, at, bytes, sizes[i], &err), GS_OK);
    at += sizes[i];
  }
  unsigned first_ones = 0;
  for (size_t i = 0; i < LATER; i++) {
    unsigned before = count_present();
    assert_int_equal(gs_file_write(file, at + i * BLOCK, "x", 1, &err), GS_OK);
    first_ones += count_present() > before;
  }
  assert_in_range(first_ones, LATER / AT_ONCE - 1,
                  makes_writable() ? LATER / AT_ONCE + 1 : LATER);
  close_file(file);
}

static void
test_a_page_that_is_being_written_stays_in_the_mapping(void **state)
{
  (void)state;
  enum { KIB = BLOCK / 1024, SIZE = 4, HALF_MORE = 6144 };
  static uint8_t bytes[HALF_MORE];
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_reserve(file, SIZE * BLOCK, &err), GS_OK);
  gs_file_map(file, SIZE * BLOCK);
  assert_int_equal(gs_file_write(file, 0, bytes, sizeof bytes, &err), GS_OK);
  unsigned before = count_present();
  gs_file_advise(file, 0, 1, GS_ADVICE_WRITTEN);
  assert_int_equal(count_present(), before - KIB);
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
test_mapped_writes_are_read_by_all_and_stay(void **state)
{
  (void)state;
  char text[8];
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_allocate(file, 2 * BLOCK, &err), GS_OK);
  gs_file *reader = open_file("f", GS_OPEN_READ);
  assert_int_equal(gs_env_posix()->ops->map(file, BLOCK), 0);
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
  assert_int_equal(gs_env_posix()->ops->map(file, SIZE), 0);
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
  assert_int_equal(gs_env_posix()->ops->write(file, BLOCK - 2, "abcdef", 6), 2);
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
  assert_int_equal(gs_env_posix()->ops->map(file, 2 * BLOCK), 0);
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
  assert_int_equal(gs_env_posix()->ops->map(file, BLOCK + 1), EINVAL);
  assert_int_equal(gs_file_write(file, BLOCK, "x", 1, &err), GS_OK);
  close_file(file);
}

static void
test_a_larger_mapping_takes_the_place_of_a_smaller(void **state)
{
  (void)state;
  gs_file *file = open_file("f", GS_OPEN_CREATE);
  assert_int_equal(gs_file_allocate(file, 4 * BLOCK, &err), GS_OK);
  assert_int_equal(gs_env_posix()->ops->map(file, BLOCK), 0);
  assert_int_equal(gs_env_posix()->ops->map(file, 4 * BLOCK), 0);
  assert_int_equal(gs_env_posix()->ops->write(file, 2 * BLOCK, "abc", 3), 3);
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
  assert_int_equal(gs_env_posix()->ops->truncate(file, 10), 0);
  assert_int_equal(gs_file_write(file, BLOCK, "abc", 3, &err), GS_OK);
  uint64_t size = 0;
  assert_int_equal(gs_file_size(file, &size, &err), GS_OK);
  assert_int_equal(size, BLOCK + 3);
  close_file(file);
}

#define ONE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_whole_pages_that_are_written_leave_the_mapping),
      ONE_TEST(test_a_few_pages_of_a_mapping_are_made_writable_at_once),
      ONE_TEST(test_pages_are_made_writable_behind_frames_of_every_size),
      ONE_TEST(test_a_page_that_is_being_written_stays_in_the_mapping),
      ONE_TEST(test_a_page_without_a_place_is_written_by_call),
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
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
