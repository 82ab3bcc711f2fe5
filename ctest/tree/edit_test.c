/*
 * Tests of the encoding of edits: its exact bytes, its text, and that nothing
 * that does not parse is taken for an edit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "code/fixed.h"
#include "tree/state_text.h"

static void
expect_bytes(const char *text, const uint8_t *bytes, size_t size)
{
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_edit *edit = state_text_edit(&alloc.base, text);
  gs_slice encoding = gs_edit_encoding(edit);
  assert_int_equal(encoding.size, size);
  assert_memory_equal(encoding.data, bytes, size);
  gs_edit_free(edit);
  assert_int_equal(alloc.live_bytes, 0);
}

#define EXPECT_BYTES(text, ...)                                                \
  do {                                                                         \
    static const uint8_t bytes[] = {__VA_ARGS__};                              \
    expect_bytes(text, bytes, sizeof bytes);                                   \
  } while (0)

#define U32(n) (n), 0, 0, 0
#define U64(n) (n), 0, 0, 0, 0, 0, 0, 0

static void
test_the_records_have_these_bytes(void **state)
{
  (void)state;
  EXPECT_BYTES("next 9; flushed 7; clean", 1, 0, U32(80), /* store id */ 1, 2,
               3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
               /* kind, clean, salt, features */ U32(1), U32(1), U64(77),
               U64(0), /* incarnation, flushed, last, next, clock */ U64(1),
               U64(7), U64(0), U64(9), U64(0));
  EXPECT_BYTES("run 5 L3 above 4", 2, 0, U32(24), U64(5), U64(4), U32(3),
               U32(2));
  EXPECT_BYTES("run 5 L3 top", 2, 0, U32(24), U64(5), U64(0), U32(3), U32(1));
  EXPECT_BYTES("run 5 L3 bottom", 2, 0, U32(24), U64(5), U64(0), U32(3),
               U32(3));
  EXPECT_BYTES("level 5 2", 3, 0, U32(12), U64(5), U32(2));
  EXPECT_BYTES("remove 5 11", 5, 0, U32(16), U64(5), U64(11));
  EXPECT_BYTES("segment 3 64", 6, 0, U32(16), U64(3), U64(64));
  EXPECT_BYTES("unsegment 3", 7, 0, U32(8), U64(3));
  EXPECT_BYTES("note 9 abc", 8, 0, U32(11), U64(9), 'a', 'b', 'c');
}

static void
test_a_table_is_its_run_and_its_metadata(void **state)
{
  (void)state;
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_edit *edit = state_text_edit(&alloc.base, "add 5 12[a..f]#10-20");
  gs_slice encoding = gs_edit_encoding(edit);
  static const uint8_t head[] = {4, 0, U32(8 + 226), U64(5)};
  assert_int_equal(encoding.size, sizeof head + 226);
  assert_memory_equal(encoding.data, head, sizeof head);
  gs_table_meta meta;
  size_t used;
  gs_slice rest = gs_slice_of(encoding.data + sizeof head,
                              encoding.size - sizeof head);
  assert_int_equal(gs_table_meta_decode(rest, &meta, &used, NULL), GS_OK);
  assert_int_equal(meta.id, 12);
  assert_int_equal(meta.max_seq, 20);
  gs_edit_free(edit);
}

static const char everything[] =
    "next 30; flushed 8; run 5 L1 top; run 6 L0 above 5; run 7 L2 bottom; "
    "level 5 2; add 5 12[a..f]#10-20; remove 9 11; segment 3 4096; unsegment "
    "2; note 9 a b";

static const char everything_dumped[] =
    "add run 5 L1 top\n"
    "add run 6 L0 above 5\n"
    "add run 7 L2 bottom\n"
    "level of run 5 is L2\n"
    "add to run 5 12[a..f]#10-20\n"
    "remove from run 9 11\n"
    "add segment 3 of 4096\n"
    "remove segment 2\n"
    "note at 9 a\\x20b\n"
    "facts store 0102030405060708090a0b0c0d0e0f10 kind 1 salt 000000000000004d "
    "incarnation 1 flushed 8 last 0 next 30 clock 0\n";

static void
expect_dump(gs_alloc *alloc, gs_slice encoding, const char *text)
{
  gs_buffer out;
  gs_buffer_init(&out, alloc);
  assert_int_equal(gs_edit_dump(encoding, &out, NULL), GS_OK);
  gs_buffer_append(&out, "", 1);
  assert_string_equal((const char *)out.data, text);
  gs_buffer_deinit(&out);
}

static void
test_an_edit_is_read_back_as_it_was_built(void **state)
{
  (void)state;
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_edit *edit = state_text_edit(&alloc.base, everything);
  expect_dump(&alloc.base, gs_edit_encoding(edit), everything_dumped);
  gs_edit_free(edit);
  assert_int_equal(alloc.live_bytes, 0);
}

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
  gs_edit *edit = state_text_edit(&alloc.base, everything);
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
  static const uint32_t sizes[] = {0, 80, 24, 12, 0, 16, 16, 8};
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
  test_alloc alloc;
  test_alloc_init(&alloc);
  static const uint8_t later[] = {0x01, 0x80, 3, 0, 0, 0, 'a', 'b', 'c'};
  expect_dump(&alloc.base, gs_slice_of(later, sizeof later),
              "record 0x8001 of 3 bytes\n");
}

/* The facts record with one byte changed. */
static gs_status
parse_facts(size_t at, uint8_t value)
{
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_edit *edit = state_text_edit(&alloc.base, "next 9");
  uint8_t bytes[86];
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
test_building_without_memory_is_noticed_at_the_end(void **state)
{
  (void)state;
  test_alloc alloc;
  test_alloc_init(&alloc);
  alloc.allocations_left = 0;
  assert_null(gs_edit_new(&alloc.base));
  alloc.allocations_left = 2;
  gs_edit *edit = gs_edit_new(&alloc.base);
  gs_store_facts facts = state_text_facts();
  for (int i = 0; i < 10; i++) {
    gs_edit_set_facts(edit, &facts);
    gs_edit_remove_segment(edit, 1);
  }
  assert_int_equal(gs_edit_status(edit, NULL), GS_NOMEM);
  gs_edit_free(edit);
  assert_int_equal(alloc.live_bytes, 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_records_have_these_bytes),
      cmocka_unit_test(test_a_table_is_its_run_and_its_metadata),
      cmocka_unit_test(test_an_edit_is_read_back_as_it_was_built),
      cmocka_unit_test(test_a_cut_edit_is_an_edit_only_between_records),
      cmocka_unit_test(test_a_body_of_another_size_is_corrupt),
      cmocka_unit_test(test_bytes_behind_the_metadata_are_corrupt),
      cmocka_unit_test(
          test_unknown_tags_refuse_below_0x8000_and_are_passed_over_above),
      cmocka_unit_test(test_facts_this_library_does_not_understand_are_refused),
      cmocka_unit_test(test_a_place_that_is_none_is_corrupt),
      cmocka_unit_test(test_building_without_memory_is_noticed_at_the_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
