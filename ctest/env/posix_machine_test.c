/*
 * Tests of the real machine as a whole: clocks, chance, memory, identity, and
 * directories beyond what both machines share.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "env/env.h"
#include "support/child.h"
#include "support/temp_dir.h"

enum { DRAWS = 10000, MS_PER_S = 1000 };

#define MIB ((size_t)1 << 20)

static void
test_there_is_one_machine(void **state)
{
  (void)state;
  assert_ptr_equal(gs_env_posix(), gs_env_posix());
  assert_true(gs_env_posix()->has_threads);
}

static void
test_the_monotonic_clock_never_goes_back(void **state)
{
  (void)state;
  gs_env *env = gs_env_posix();
  uint64_t before = gs_env_mono_us(env);
  for (int i = 0; i < DRAWS; i++) {
    uint64_t now = gs_env_mono_us(env);
    assert_true(now >= before);
    before = now;
  }
}

static void
test_the_wall_clock_is_that_of_the_system(void **state)
{
  (void)state;
  uint64_t before = (uint64_t)time(NULL) * MS_PER_S;
  uint64_t now = gs_env_wall_ms(gs_env_posix());
  uint64_t after = ((uint64_t)time(NULL) + 1) * MS_PER_S;
  /* The coarse clock behind time() lags by a tick. */
  assert_in_range(now, before, after + MS_PER_S);
}

static void
test_random_numbers_do_not_repeat_and_use_all_bits(void **state)
{
  (void)state;
  static uint64_t drawn[DRAWS];
  gs_env *env = gs_env_posix();
  uint64_t any = 0;
  uint64_t all = UINT64_MAX;
  for (size_t i = 0; i < DRAWS; i++) {
    drawn[i] = gs_env_random64(env);
    any |= drawn[i];
    all &= drawn[i];
  }
  assert_true(any == UINT64_MAX);
  assert_true(all == 0);
  for (size_t i = 1; i < DRAWS; i++) {
    assert_true(drawn[i] != drawn[i - 1]);
    assert_true(drawn[i] != drawn[0]);
  }
}

static int
tell_process_and_number(void *arg)
{
  (void)arg;
  gs_env *env = gs_env_posix();
  bool is_itself = env->ops->process_id(env) == (uint64_t)getpid();
  fprintf(stderr, "%llx", (unsigned long long)gs_env_random64(env));
  return is_itself ? 0 : 1;
}

static void
test_a_forked_child_is_another_process(void **state)
{
  (void)state;
  gs_env *env = gs_env_posix();
  assert_int_equal(env->ops->process_id(env), getpid());
  assert_int_equal(child_run(tell_process_and_number, NULL).exit_status, 0);
}

static void
test_a_forked_child_draws_numbers_of_its_own(void **state)
{
  (void)state;
  char own[CHILD_TEXT_BYTES];
  child_end first = child_run(tell_process_and_number, NULL);
  child_end second = child_run(tell_process_and_number, NULL);
  snprintf(own, sizeof own, "%llx",
           (unsigned long long)gs_env_random64(gs_env_posix()));
  assert_string_not_equal(first.said, second.said);
  assert_string_not_equal(first.said, own);
  assert_string_not_equal(second.said, own);
}

static void
test_blocks_keep_their_content_when_they_move(void **state)
{
  (void)state;
  gs_alloc *alloc = gs_env_posix()->alloc;
  uint8_t *block = gs_alloc_bytes(alloc, 10);
  assert_non_null(block);
  memcpy(block, "abcdefghi", 10);
  block = alloc->resize(alloc, block, 10, 4 * MIB);
  assert_non_null(block);
  block[4 * MIB - 1] = 1;
  block = alloc->resize(alloc, block, 4 * MIB, 10);
  assert_string_equal((char *)block, "abcdefghi");
  gs_alloc_free(alloc, block, 10);
}

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

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_there_is_one_machine),
      cmocka_unit_test(test_the_monotonic_clock_never_goes_back),
      cmocka_unit_test(test_the_wall_clock_is_that_of_the_system),
      cmocka_unit_test(test_random_numbers_do_not_repeat_and_use_all_bits),
      cmocka_unit_test(test_a_forked_child_is_another_process),
      cmocka_unit_test(test_a_forked_child_draws_numbers_of_its_own),
      cmocka_unit_test(test_blocks_keep_their_content_when_they_move),
      cmocka_unit_test(test_a_directory_knows_its_space),
      cmocka_unit_test(test_identity_is_device_and_inode),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
