/*
 * Tests of parsing edits: nothing that is not one is taken for one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "code/fixed.h"
#include "tree/edit_everything.h"
#include "tree/state_text.h"

/* The bytes stand at the end of their memory, so that a read beyond is seen. */
static gs_status
parse(const uint8_t *data, size_t size)
{
  test_alloc alloc;
  test_alloc_init(&alloc);
  uint8_t *exact = malloc(size == 0 ? 1 : size);
  assert_non_null(exact);
  if (size > 0) {
    memcpy(exact, data, size);
  }
  gs_buffer out;
  gs_buffer_init(&out, &alloc.base);
  gs_status status = gs_edit_dump(gs_slice_of(exact, size), &out, NULL);
  gs_buffer_deinit(&out);
  free(exact);
  assert_int_equal(alloc.live_bytes, 0);
  return status;
}

static void
test_a_cut_edit_is_an_edit_only_between_records(void **state)
{
  (void)state;
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_edit *edit = state_text_edit(&alloc.base, edit_everything);
  gs_slice encoding = gs_edit_encoding(edit);
  size_t next = 0;
  int records = 0;
  for (size_t size = 0; size <= encoding.size; size++) {
    bool is_between = size == next;
    if (is_between && size < encoding.size) {
      next += 6 + gs_get_u32(encoding.data + size + 2);
      records++;
    }
    assert_int_equal(parse(encoding.data, size),
                     is_between ? GS_OK : GS_CORRUPT);
  }
  assert_int_equal(records, 10);
  gs_edit_free(edit);
}

static void
test_a_body_of_another_size_is_corrupt(void **state)
{
  (void)state;
  static const uint32_t sizes[] = {0, 88, 24, 12, 0, 16, 24, 8};
  uint8_t bytes[256] = {0};
  for (uint8_t tag = 1; tag <= 7; tag++) {
    for (uint32_t size = 0; tag != 4 && size < 100; size++) {
      memset(bytes, 0, sizeof bytes);
      bytes[0] = tag;
      gs_put_u32(bytes + 2, size);
      if (tag == 2) {
        bytes[6 + 20] = 1;
      }
      assert_int_equal(parse(bytes, 6 + size),
                       size == sizes[tag] ? GS_OK : GS_CORRUPT);
    }
  }
  for (uint32_t size = 0; size < 20; size++) {
    memset(bytes, 0, sizeof bytes);
    bytes[0] = 8;
    gs_put_u32(bytes + 2, size);
    assert_int_equal(parse(bytes, 6 + size), size < 8 ? GS_CORRUPT : GS_OK);
    bytes[0] = 4;
    assert_int_equal(parse(bytes, 6 + size), GS_CORRUPT);
  }
}

static void
test_bytes_behind_the_metadata_are_corrupt(void **state)
{
  (void)state;
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_edit *edit = state_text_edit(&alloc.base, "add 5 12[a..f]");
  gs_slice encoding = gs_edit_encoding(edit);
  uint8_t bytes[300] = {0};
  memcpy(bytes, encoding.data, encoding.size);
  gs_put_u32(bytes + 2, (uint32_t)(encoding.size - 6 + 1));
  assert_int_equal(parse(bytes, encoding.size), GS_CORRUPT);
  assert_int_equal(parse(bytes, encoding.size + 1), GS_CORRUPT);
  gs_edit_free(edit);
}

static void
test_unknown_tags_refuse_below_0x8000_and_are_passed_over_above(void **state)
{
  (void)state;
  for (uint32_t tag = 0; tag <= 0xffff; tag++) {
    uint8_t bytes[8] = {0, 0, 2, 0, 0, 0, 'x', 'y'};
    gs_put_u16(bytes, (uint16_t)tag);
    bool is_known = tag >= 1 && tag <= 8;
    gs_status wanted = is_known        ? GS_CORRUPT
                       : tag >= 0x8000 ? GS_OK
                                       : GS_VERSION;
    if (tag < 20 || tag % 97 == 0 || tag >= 0xfff0 || (tag | 1) == 0x8001) {
      assert_int_equal(parse(bytes, sizeof bytes), wanted);
    }
  }
}

/* The facts record with one byte changed. */
static gs_status
parse_facts(size_t at, uint8_t value)
{
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_edit *edit = state_text_edit(&alloc.base, "next 9");
  uint8_t bytes[94];
  memcpy(bytes, gs_edit_encoding(edit).data, sizeof bytes);
  gs_edit_free(edit);
  bytes[6 + at] = value;
  return parse(bytes, sizeof bytes);
}

static void
test_facts_this_library_does_not_understand_are_refused(void **state)
{
  (void)state;
  assert_int_equal(parse_facts(20, 1), GS_OK);
  assert_int_equal(parse_facts(20, 2), GS_CORRUPT);
  for (size_t at = 32; at < 40; at++) {
    assert_int_equal(parse_facts(at, 1), GS_VERSION);
  }
}

static void
test_a_place_that_is_none_is_corrupt(void **state)
{
  (void)state;
  for (uint8_t place = 0; place < 6; place++) {
    uint8_t bytes[30] = {2, 0, 24};
    bytes[6 + 20] = place;
    assert_int_equal(parse(bytes, sizeof bytes),
                     place >= 1 && place <= 3 ? GS_OK : GS_CORRUPT);
  }
}

static void
test_a_level_that_no_plan_can_name_is_corrupt(void **state)
{
  (void)state;
  for (uint8_t level = 62; level < 66; level++) {
    uint8_t run[30] = {2, 0, 24};
    uint8_t moved[18] = {3, 0, 12};
    run[6 + 16] = level;
    run[6 + 20] = 1;
    moved[6 + 8] = level;
    assert_int_equal(parse(run, sizeof run), level < 64 ? GS_OK : GS_CORRUPT);
    assert_int_equal(parse(moved, sizeof moved),
                     level < 64 ? GS_OK : GS_CORRUPT);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_cut_edit_is_an_edit_only_between_records),
      cmocka_unit_test(test_a_body_of_another_size_is_corrupt),
      cmocka_unit_test(test_bytes_behind_the_metadata_are_corrupt),
      cmocka_unit_test(
          test_unknown_tags_refuse_below_0x8000_and_are_passed_over_above),
      cmocka_unit_test(test_facts_this_library_does_not_understand_are_refused),
      cmocka_unit_test(test_a_place_that_is_none_is_corrupt),
      cmocka_unit_test(test_a_level_that_no_plan_can_name_is_corrupt),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
