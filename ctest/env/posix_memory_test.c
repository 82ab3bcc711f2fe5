/*
 * Tests of the memory of the real machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "env/env.h"

#define MIB ((size_t)1 << 20)

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

/* Large pages of the processor begin at multiples of their size. */
static void
test_large_blocks_begin_where_a_large_page_can(void **state)
{
  (void)state;
  static const size_t sizes[] = {2 * MIB, 2 * MIB + 1, 3 * MIB, 64 * MIB};
  gs_alloc *alloc = gs_env_posix()->alloc;
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    uint8_t *block = gs_alloc_bytes(alloc, sizes[i]);
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % (2 * MIB), 0);
    block[0] = 1;
    block[sizes[i] - 1] = 1;
    gs_alloc_free(alloc, block, sizes[i]);
  }
}

static void
test_large_blocks_keep_their_content_when_they_move(void **state)
{
  (void)state;
  gs_alloc *alloc = gs_env_posix()->alloc;
  uint8_t *block = gs_alloc_bytes(alloc, 2 * MIB);
  assert_non_null(block);
  memset(block, 7, 2 * MIB);
  block = alloc->resize(alloc, block, 2 * MIB, 5 * MIB);
  assert_non_null(block);
  block[5 * MIB - 1] = 8;
  block = alloc->resize(alloc, block, 5 * MIB, 3 * MIB);
  assert_non_null(block);
  for (size_t i = 0; i < 2 * MIB; i++) {
    assert_int_equal(block[i], 7);
  }
  gs_alloc_free(alloc, block, 3 * MIB);
}

static void
test_more_than_there_is_cannot_be_had(void **state)
{
  (void)state;
  gs_alloc *alloc = gs_env_posix()->alloc;
  assert_null(gs_alloc_bytes(alloc, SIZE_MAX / 2));
}

static void
test_nothing_can_be_freed(void **state)
{
  (void)state;
  gs_alloc *alloc = gs_env_posix()->alloc;
  assert_null(alloc->resize(alloc, NULL, 0, 0));
}

/* Also where other blocks of that size held something a moment ago. */
static void
test_zeroed_blocks_of_every_size_are_zeros(void **state)
{
  (void)state;
  static const size_t sizes[] = {100, 2 * MIB - 1, 2 * MIB, 5 * MIB};
  gs_alloc *alloc = gs_env_posix()->alloc;
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    for (int round = 0; round < 3; round++) {
      uint8_t *used = gs_alloc_bytes(alloc, sizes[i]);
      assert_non_null(used);
      memset(used, 7, sizes[i]);
      gs_alloc_free(alloc, used, sizes[i]);
      uint8_t *block = gs_alloc_zeroed(alloc, sizes[i]);
      assert_non_null(block);
      assert_int_equal(block[0], 0);
      assert_memory_equal(block, block + 1, sizes[i] - 1);
      gs_alloc_free(alloc, block, sizes[i]);
    }
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_zeroed_blocks_of_every_size_are_zeros),
      cmocka_unit_test(test_blocks_keep_their_content_when_they_move),
      cmocka_unit_test(test_large_blocks_begin_where_a_large_page_can),
      cmocka_unit_test(test_large_blocks_keep_their_content_when_they_move),
      cmocka_unit_test(test_more_than_there_is_cannot_be_had),
      cmocka_unit_test(test_nothing_can_be_freed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
