/*
 * Tests of the growing buffer: content, growth, and the failure that sticks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "support/test_alloc.h"

enum { MANY = 10000 };

static test_alloc heap;
static gs_buffer buffer;

static int
set_up(void **state)
{
  (void)state;
  test_alloc_init(&heap);
  gs_buffer_init(&buffer, &heap.base);
  return 0;
}

static int
tear_down(void **state)
{
  (void)state;
  gs_buffer_deinit(&buffer);
  return heap.live_bytes == 0 ? 0 : -1;
}

static void
assert_content(const char *text)
{
  assert_true(gs_slice_equal(gs_buffer_slice(&buffer), gs_slice_str(text)));
}

static void
test_a_new_buffer_is_empty_and_owns_nothing(void **state)
{
  (void)state;
  assert_int_equal(gs_buffer_slice(&buffer).size, 0);
  assert_int_equal(heap.live_bytes, 0);
  assert_int_equal(gs_buffer_status(&buffer, NULL), GS_OK);
}

static void
test_appends_stand_behind_each_other(void **state)
{
  (void)state;
  gs_buffer_append(&buffer, "ab", 2);
  gs_buffer_append(&buffer, NULL, 0);
  gs_buffer_append_slice(&buffer, gs_slice_str("cd"));
  gs_buffer_append_zeros(&buffer, 0);
  gs_buffer_printf(&buffer, "%d-%s", 7, "x");
  assert_content("abcd7-x");
}

static void
test_zeros_are_zeros(void **state)
{
  (void)state;
  static const uint8_t expected[] = {'a', 0, 0, 0, 'b'};
  gs_buffer_append(&buffer, "a", 1);
  gs_buffer_append_zeros(&buffer, 3);
  gs_buffer_append(&buffer, "b", 1);
  assert_int_equal(buffer.size, sizeof expected);
  assert_memory_equal(buffer.data, expected, sizeof expected);
}

static void
test_an_extension_is_where_the_content_ended(void **state)
{
  (void)state;
  gs_buffer_append(&buffer, "a", 1);
  uint8_t *at = gs_buffer_extend(&buffer, 2);
  assert_ptr_equal(at, buffer.data + 1);
  at[0] = 'b';
  at[1] = 'c';
  assert_content("abc");
}

static void
test_many_appends_keep_their_order_through_growth(void **state)
{
  (void)state;
  for (uint32_t i = 0; i < MANY; i++) {
    gs_buffer_append(&buffer, &i, sizeof i);
  }
  assert_int_equal(buffer.size, MANY * sizeof(uint32_t));
  for (uint32_t i = 0; i < MANY; i++) {
    assert_memory_equal(buffer.data + i * sizeof i, &i, sizeof i);
  }
}

static void
test_growth_doubles(void **state)
{
  (void)state;
  size_t growths = 0;
  size_t before = 0;
  for (size_t i = 0; i < MANY; i++) {
    gs_buffer_append(&buffer, "x", 1);
    growths += buffer.capacity != before;
    before = buffer.capacity;
  }
  assert_in_range(growths, 1, 12);
}

static void
test_a_reservation_is_used_without_growth(void **state)
{
  (void)state;
  assert_true(gs_buffer_reserve(&buffer, MANY));
  heap.allocations_left = 0;
  gs_buffer_append_zeros(&buffer, MANY);
  assert_int_equal(gs_buffer_status(&buffer, NULL), GS_OK);
}

static void
test_after_a_failed_growth_nothing_is_added(void **state)
{
  (void)state;
  gs_buffer_append(&buffer, "abc", 3);
  heap.allocations_left = 0;
  gs_buffer_append_zeros(&buffer, MANY);
  assert_null(gs_buffer_extend(&buffer, 1));
  gs_buffer_append(&buffer, "d", 1); /* would fit */
  gs_buffer_printf(&buffer, "e");
  assert_content("abc");
  gs_error err;
  assert_int_equal(gs_buffer_status(&buffer, &err), GS_NOMEM);
  assert_int_equal(err.status, GS_NOMEM);
}

static void
test_a_clear_forgets_content_and_failure_but_not_memory(void **state)
{
  (void)state;
  gs_buffer_append(&buffer, "abc", 3);
  heap.allocations_left = 0;
  gs_buffer_append_zeros(&buffer, MANY);
  gs_buffer_clear(&buffer);
  assert_int_equal(gs_buffer_status(&buffer, NULL), GS_OK);
  gs_buffer_append(&buffer, "xyz", 3);
  assert_content("xyz");
}

static void
test_a_size_beyond_all_memory_is_refused(void **state)
{
  (void)state;
  gs_buffer_append(&buffer, "abc", 3);
  assert_false(gs_buffer_reserve(&buffer, SIZE_MAX - 1));
  assert_int_equal(gs_buffer_status(&buffer, NULL), GS_NOMEM);
}

static void
test_an_array_whose_size_overflows_is_refused(void **state)
{
  (void)state;
  assert_null(gs_alloc_array(&heap.base, SIZE_MAX / 2, 3));
  uint64_t *array = gs_alloc_array(&heap.base, 3, sizeof *array);
  assert_non_null(array);
  assert_int_equal(heap.live_bytes, 3 * sizeof *array);
  gs_alloc_free(&heap.base, array, 3 * sizeof *array);
}

#define BUFFER_TEST(test) \
  cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      BUFFER_TEST(test_a_new_buffer_is_empty_and_owns_nothing),
      BUFFER_TEST(test_appends_stand_behind_each_other),
      BUFFER_TEST(test_zeros_are_zeros),
      BUFFER_TEST(test_an_extension_is_where_the_content_ended),
      BUFFER_TEST(test_many_appends_keep_their_order_through_growth),
      BUFFER_TEST(test_growth_doubles),
      BUFFER_TEST(test_a_reservation_is_used_without_growth),
      BUFFER_TEST(test_after_a_failed_growth_nothing_is_added),
      BUFFER_TEST(test_a_clear_forgets_content_and_failure_but_not_memory),
      BUFFER_TEST(test_a_size_beyond_all_memory_is_refused),
      BUFFER_TEST(test_an_array_whose_size_overflows_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
