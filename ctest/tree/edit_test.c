/*
 * Tests of building edits: the exact bytes of each record.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

#define EXPECT_BYTES(text, ...)                   \
  do {                                            \
    static const uint8_t bytes[] = {__VA_ARGS__}; \
    expect_bytes(text, bytes, sizeof bytes);      \
  } while (0)

#define U32(n) (n), 0, 0, 0
#define U64(n) (n), 0, 0, 0, 0, 0, 0, 0

static void
test_the_records_have_these_bytes(void **state)
{
  (void)state;
  EXPECT_BYTES("next 9; flushed 7; clean", 1, 0, U32(88), /* store id */ 1, 2,
               3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
               /* kind, clean, salt, features */ U32(1), U32(1), U64(77),
               U64(0), /* incarnation, flushed, last, next, clock, safe clock */
               U64(1), U64(7), U64(0), U64(9), U64(0), U64(0));
  EXPECT_BYTES("run 5 L3 above 4", 2, 0, U32(24), U64(5), U64(4), U32(3),
               U32(2));
  EXPECT_BYTES("run 5 L3 top", 2, 0, U32(24), U64(5), U64(0), U32(3), U32(1));
  EXPECT_BYTES("run 5 L3 bottom", 2, 0, U32(24), U64(5), U64(0), U32(3),
               U32(3));
  EXPECT_BYTES("level 5 2", 3, 0, U32(12), U64(5), U32(2));
  EXPECT_BYTES("remove 5 11", 5, 0, U32(16), U64(5), U64(11));
  EXPECT_BYTES("segment 3 64", 6, 0, U32(24), U64(3), U64(64), U64(0x21));
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
  gs_slice rest =
      gs_slice_of(encoding.data + sizeof head, encoding.size - sizeof head);
  assert_int_equal(gs_table_meta_decode(rest, &meta, &used, NULL), GS_OK);
  assert_int_equal(meta.id, 12);
  assert_int_equal(meta.max_seq, 20);
  gs_edit_free(edit);
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
      cmocka_unit_test(test_building_without_memory_is_noticed_at_the_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
