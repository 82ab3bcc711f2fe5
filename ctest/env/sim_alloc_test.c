/*
 * Tests of the simulated machine's allocator: exact accounts, the failure that
 * was asked for, and the mistakes it finds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "env/env.h"
#include "env/sim.h"
#include "support/child.h"
#include "support/sim_machine.h"

static gs_alloc *alloc;

static int
set_up(void **state)
{
  int result = sim_machine_set_up(state);
  alloc = sim_machine_env->alloc;
  return result;
}

static uint64_t
live(void)
{
  return gs_sim_allocated_bytes(sim_machine);
}

static void
test_every_byte_is_counted(void **state)
{
  (void)state;
  uint8_t *a = gs_alloc_bytes(alloc, 10);
  uint8_t *b = gs_alloc_bytes(alloc, 100);
  assert_int_equal(live(), 110);
  a = alloc->resize(alloc, a, 10, 1000);
  assert_int_equal(live(), 1100);
  a = alloc->resize(alloc, a, 1000, 1);
  assert_int_equal(live(), 101);
  gs_alloc_free(alloc, a, 1);
  gs_alloc_free(alloc, b, 100);
  gs_alloc_free(alloc, NULL, 5);
  assert_int_equal(live(), 0);
}

static void
test_new_bytes_are_never_zero_by_accident(void **state)
{
  (void)state;
  uint8_t *block = gs_alloc_bytes(alloc, 10);
  for (size_t i = 0; i < 10; i++) {
    assert_int_equal(block[i], 0xa5);
  }
  gs_alloc_free(alloc, block, 10);
  block = gs_alloc_zeroed(alloc, 10);
  for (size_t i = 0; i < 10; i++) {
    assert_int_equal(block[i], 0);
  }
  gs_alloc_free(alloc, block, 10);
}

static void
test_a_resize_keeps_content_and_always_moves(void **state)
{
  (void)state;
  uint8_t *block = gs_alloc_bytes(alloc, 4);
  memcpy(block, "abc", 4);
  uintptr_t before = (uintptr_t)block;
  block = alloc->resize(alloc, block, 4, 8);
  assert_string_equal((char *)block, "abc");
  assert_true((uintptr_t)block != before);
  before = (uintptr_t)block;
  block = alloc->resize(alloc, block, 8, 2);
  assert_memory_equal(block, "ab", 2);
  assert_true((uintptr_t)block != before);
  gs_alloc_free(alloc, block, 2);
}

static void
test_blocks_are_aligned_for_anything(void **state)
{
  (void)state;
  for (size_t size = 1; size < 64; size++) {
    uint8_t *block = gs_alloc_bytes(alloc, size);
    assert_int_equal((uintptr_t)block % _Alignof(max_align_t), 0);
    gs_alloc_free(alloc, block, size);
  }
}

static void
test_the_nth_allocation_fails_once(void **state)
{
  (void)state;
  gs_sim_fail_alloc(sim_machine, 3, 1);
  uint8_t *a = gs_alloc_bytes(alloc, 8);
  memcpy(a, "abcdefg", 8);
  uint8_t *b = gs_alloc_bytes(alloc, 8);
  assert_null(alloc->resize(alloc, a, 8, 16));
  assert_string_equal((char *)a, "abcdefg");
  assert_int_equal(live(), 16);
  a = alloc->resize(alloc, a, 8, 16);
  assert_non_null(a);
  gs_alloc_free(alloc, a, 16);
  gs_alloc_free(alloc, b, 8);
}

static void
test_failures_last_as_long_as_asked(void **state)
{
  (void)state;
  uint64_t asked = gs_sim_allocs(sim_machine);
  gs_sim_fail_alloc(sim_machine, 2, 3);
  for (int i = 1; i <= 6; i++) {
    uint8_t *block = gs_alloc_bytes(alloc, 8);
    assert_int_equal(block == NULL, i >= 2 && i <= 4);
    gs_alloc_free(alloc, block, 8);
  }
  assert_int_equal(gs_sim_allocs(sim_machine), asked + 6);
  gs_sim_fail_alloc(sim_machine, 2, 0);
  for (int i = 1; i <= 100; i++) {
    uint8_t *block = gs_alloc_bytes(alloc, 8);
    assert_int_equal(block == NULL, i >= 2);
    gs_alloc_free(alloc, block, 8);
  }
}

static void
test_frees_are_not_allocations(void **state)
{
  (void)state;
  uint8_t *a = gs_alloc_bytes(alloc, 8);
  gs_sim_fail_alloc(sim_machine, 1, 1);
  gs_alloc_free(alloc, a, 8);
  assert_null(gs_alloc_bytes(alloc, 8));
}

static void
test_a_failure_can_be_called_off(void **state)
{
  (void)state;
  gs_sim_fail_alloc(sim_machine, 1, 1);
  gs_sim_fail_alloc(sim_machine, 0, 1);
  uint8_t *a = gs_alloc_bytes(alloc, 8);
  assert_non_null(a);
  gs_alloc_free(alloc, a, 8);
}

static void
test_more_than_there_is_is_refused(void **state)
{
  (void)state;
  assert_null(gs_alloc_bytes(alloc, SIZE_MAX - 1));
}

static int
free_with_a_wrong_size(void *arg)
{
  (void)arg;
  gs_alloc_free(alloc, gs_alloc_bytes(alloc, 8), 9);
  return 0;
}

static int
write_below(void *arg)
{
  (void)arg;
  uint8_t *block = gs_alloc_bytes(alloc, 8);
  memset(block - 8, 0, 8);
  gs_alloc_free(alloc, block, 8);
  return 0;
}

static void
test_a_wrong_size_is_found(void **state)
{
  (void)state;
  child_end end = child_run(free_with_a_wrong_size, NULL);
  assert_true(end.has_aborted);
  assert_non_null(strstr(end.said, "a block is returned with its size"));
}

static void
test_a_write_below_the_block_is_found(void **state)
{
  (void)state;
  child_end end = child_run(write_below, NULL);
  assert_true(end.has_aborted);
  assert_non_null(strstr(end.said, "below a block"));
}

#define ONE_TEST(test) \
  cmocka_unit_test_setup_teardown(test, set_up, sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_every_byte_is_counted),
      ONE_TEST(test_new_bytes_are_never_zero_by_accident),
      ONE_TEST(test_a_resize_keeps_content_and_always_moves),
      ONE_TEST(test_blocks_are_aligned_for_anything),
      ONE_TEST(test_the_nth_allocation_fails_once),
      ONE_TEST(test_failures_last_as_long_as_asked),
      ONE_TEST(test_frees_are_not_allocations),
      ONE_TEST(test_a_failure_can_be_called_off),
      ONE_TEST(test_more_than_there_is_is_refused),
      ONE_TEST(test_a_wrong_size_is_found),
      ONE_TEST(test_a_write_below_the_block_is_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
