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

static void
test_nothing_can_be_freed(void **state)
{
  (void)state;
  gs_alloc *alloc = gs_env_posix()->alloc;
  assert_null(alloc->resize(alloc, NULL, 0, 0));
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_blocks_keep_their_content_when_they_move),
      cmocka_unit_test(test_nothing_can_be_freed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
