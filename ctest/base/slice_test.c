/*
 * Tests of slices: byte order, prefixes, and the head that orders like its key.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

static const gs_slice ordered[] = {
    {NULL, 0},
    {(const uint8_t *)"\0", 1},
    {(const uint8_t *)"\0\0", 2},
    {(const uint8_t *)"\0\1", 2},
    {(const uint8_t *)"\1", 1},
    {(const uint8_t *)"a", 1},
    {(const uint8_t *)"a\0", 2},
    {(const uint8_t *)"aaaaaaaa", 8},
    {(const uint8_t *)"aaaaaaaab", 9},
    {(const uint8_t *)"aaaaaaab", 8},
    {(const uint8_t *)"ab", 2},
    {(const uint8_t *)"\x7f", 1},
    {(const uint8_t *)"\x80", 1},
    {(const uint8_t *)"\xff", 1},
    {(const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff", 8},
    {(const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9},
};

enum { COUNT = sizeof ordered / sizeof ordered[0] };

static int
sign(int number)
{
  return (number > 0) - (number < 0);
}

static void
test_order_is_that_of_unsigned_bytes_with_prefixes_first(void **state)
{
  (void)state;
  for (int i = 0; i < COUNT; i++) {
    for (int j = 0; j < COUNT; j++) {
      assert_int_equal(sign(gs_slice_compare(ordered[i], ordered[j])),
                       sign(i - j));
    }
  }
}

static void
test_only_the_same_bytes_are_equal(void **state)
{
  (void)state;
  for (int i = 0; i < COUNT; i++) {
    for (int j = 0; j < COUNT; j++) {
      assert_int_equal(gs_slice_equal(ordered[i], ordered[j]), i == j);
    }
  }
}

static void
test_heads_order_like_their_keys_or_tie(void **state)
{
  (void)state;
  for (int i = 0; i + 1 < COUNT; i++) {
    assert_true(gs_slice_head(ordered[i]) <= gs_slice_head(ordered[i + 1]));
  }
}

static void
test_a_head_is_the_first_eight_bytes(void **state)
{
  (void)state;
  assert_true(gs_slice_head(gs_slice_str("")) == 0);
  assert_true(gs_slice_head(gs_slice_str("\x12")) ==
              UINT64_C(0x1200000000000000));
  assert_true(gs_slice_head(gs_slice_str("\1\2\3\4\5\6\7")) ==
              UINT64_C(0x0102030405060700));
  assert_true(gs_slice_head(gs_slice_str("\1\2\3\4\5\6\7\x8\x9")) ==
              UINT64_C(0x0102030405060708));
}

static void
test_prefixes(void **state)
{
  (void)state;
  gs_slice key = gs_slice_str("abc");
  assert_true(gs_slice_has_prefix(key, gs_slice_of(NULL, 0)));
  assert_true(gs_slice_has_prefix(key, gs_slice_str("ab")));
  assert_true(gs_slice_has_prefix(key, key));
  assert_false(gs_slice_has_prefix(key, gs_slice_str("b")));
  assert_false(gs_slice_has_prefix(key, gs_slice_str("abcd")));
  assert_true(gs_slice_has_prefix(gs_slice_of(NULL, 0), gs_slice_of(NULL, 0)));
}

static void
test_shared_beginnings_are_counted(void **state)
{
  (void)state;
  gs_slice key = gs_slice_str("abc");
  assert_int_equal(gs_slice_shared(key, gs_slice_of(NULL, 0)), 0);
  assert_int_equal(gs_slice_shared(gs_slice_of(NULL, 0), key), 0);
  assert_int_equal(gs_slice_shared(key, key), 3);
  assert_int_equal(gs_slice_shared(key, gs_slice_str("abcd")), 3);
  assert_int_equal(gs_slice_shared(gs_slice_str("ab"), key), 2);
  assert_int_equal(gs_slice_shared(key, gs_slice_str("axc")), 1);
}

static void
test_heads_below_a_head_are_counted(void **state)
{
  (void)state;
  const uint64_t heads[] = {0, 2, 2, 2, 5, UINT64_MAX};
  for (size_t count = 1; count <= 6; count++) {
    for (uint64_t head = 0; head < 8; head++) {
      size_t wanted = 0;
      while (wanted < count && heads[wanted] < head) {
        wanted++;
      }
      assert_int_equal(gs_heads_below(heads, count, head), wanted);
    }
  }
  assert_int_equal(gs_heads_below(heads, 6, UINT64_MAX), 5);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(
          test_order_is_that_of_unsigned_bytes_with_prefixes_first),
      cmocka_unit_test(test_only_the_same_bytes_are_equal),
      cmocka_unit_test(test_heads_order_like_their_keys_or_tie),
      cmocka_unit_test(test_a_head_is_the_first_eight_bytes),
      cmocka_unit_test(test_shared_beginnings_are_counted),
      cmocka_unit_test(test_heads_below_a_head_are_counted),
      cmocka_unit_test(test_prefixes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
