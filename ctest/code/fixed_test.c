/*
 * Tests of fixed-width integers: their bytes, at any address, and the order of
 * the big-endian form.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "code/fixed.h"

enum { ODD = 3, ROOM = 16 };

static void
test_little_end_first(void **state)
{
  (void)state;
  static const uint8_t expected[] = {0x34, 0x12, 0x78, 0x56, 0x34, 0x12, 0xef,
                                     0xcd, 0xab, 0x90, 0x78, 0x56, 0x34, 0x12};
  uint8_t bytes[sizeof expected];
  gs_put_u16(bytes, 0x1234);
  gs_put_u32(bytes + 2, 0x12345678);
  gs_put_u64(bytes + 6, UINT64_C(0x1234567890abcdef));
  assert_memory_equal(bytes, expected, sizeof expected);
  assert_int_equal(gs_get_u16(bytes), 0x1234);
  assert_int_equal(gs_get_u32(bytes + 2), 0x12345678);
  assert_true(gs_get_u64(bytes + 6) == UINT64_C(0x1234567890abcdef));
}

static void
test_any_address_will_do_and_neighbours_stay(void **state)
{
  (void)state;
  uint8_t bytes[ROOM];
  for (size_t at = 1; at <= ODD; at++) {
    memset(bytes, 0xee, sizeof bytes);
    gs_put_u64(bytes + at, UINT64_MAX - 1);
    assert_true(gs_get_u64(bytes + at) == UINT64_MAX - 1);
    assert_int_equal(bytes[at - 1], 0xee);
    assert_int_equal(bytes[at + 8], 0xee);
    gs_put_u32(bytes + at, 0);
    assert_int_equal(bytes[at + 4], 0xff);
    gs_put_u16(bytes + at, UINT16_MAX);
    assert_int_equal(gs_get_u16(bytes + at), UINT16_MAX);
    assert_int_equal(bytes[at + 2], 0);
  }
}

static void
test_big_end_first_orders_like_the_numbers(void **state)
{
  (void)state;
  static const uint32_t rising[] = {0,        1,         255,        256,
                                    65535,    65536,     0x01020304, 0x7fffffff,
                                    1U << 31, UINT32_MAX};
  uint8_t before[4] = {0};
  for (size_t i = 0; i < sizeof rising / sizeof rising[0]; i++) {
    uint8_t bytes[4];
    gs_put_u32_be(bytes, rising[i]);
    assert_int_equal(gs_get_u32_be(bytes), rising[i]);
    assert_true(i == 0 || memcmp(before, bytes, sizeof bytes) < 0);
    memcpy(before, bytes, sizeof bytes);
  }
}

static void
test_the_bytes_of_a_big_endian_number(void **state)
{
  (void)state;
  static const uint8_t expected[] = {1, 2, 3, 4};
  uint8_t bytes[4];
  gs_put_u32_be(bytes, 0x01020304);
  assert_memory_equal(bytes, expected, sizeof expected);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_little_end_first),
      cmocka_unit_test(test_any_address_will_do_and_neighbours_stay),
      cmocka_unit_test(test_big_end_first_orders_like_the_numbers),
      cmocka_unit_test(test_the_bytes_of_a_big_endian_number),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
