/*
 * Tests of what stands behind a table's blocks: that the parts follow one
 * another and each verifies at its place.
 */
#include "sst/footer.h"
#include "sst/point_index.h"
#include "sst/sst_kit.h"
#include "sst/tail.h"
#include "support/test_alloc.h"

enum { KEYS = 25, BLOCK = 300, BLOCKS_END = GS_TABLE_HEADER_BYTES + 2 * BLOCK };

static test_alloc heap;
static gs_fence_list fences;
static uint64_t hashes[KEYS];
static uint32_t locators[KEYS];

static int
set_up(void **state)
{
  (void)state;
  test_alloc_init(&heap);
  gs_fence_list_init(&fences, &heap.base);
  gs_fence_list_add(&fences, gs_slice_str("a"), BLOCK);
  gs_fence_list_add(&fences, gs_slice_str("b"), BLOCK);
  for (uint32_t i = 0; i < KEYS; i++) {
    hashes[i] = gs_hash_key(gs_slice_of(&i, sizeof i));
    locators[i] = i;
  }
  return 0;
}

static int
tear_down(void **state)
{
  (void)state;
  gs_fence_list_deinit(&fences);
  assert_int_equal(heap.live_bytes, 0);
  return 0;
}

static gs_table_tail
sample(bool has_point_index)
{
  return (gs_table_tail){
      .fences = &fences,
      .hashes = hashes,
      .locators = locators,
      .salt = KIT_SALT,
      .offset = BLOCKS_END,
      .block_bytes = 4096,
      .has_point_index = has_point_index,
  };
}

static gs_table_meta
sample_meta(void)
{
  return (gs_table_meta){.id = KIT_ID,
                         .entry_count = KEYS,
                         .key_count = KEYS,
                         .min_key = gs_slice_str("a"),
                         .max_key = gs_slice_str("zz")};
}

static void
assert_part(const gs_buffer *out, const gs_table_part *part)
{
  const uint8_t *at = out->data + (part->offset - BLOCKS_END);
  uint64_t seed = gs_checksum_seed(KIT_SALT, KIT_ID, part->offset);
  assert_int_equal(gs_checksum(at, part->size, seed), part->checksum);
}

static void
check_tail(bool has_point_index)
{
  gs_table_tail tail = sample(has_point_index);
  gs_table_meta meta = sample_meta();
  gs_buffer out;
  gs_buffer_init(&out, &heap.base);
  assert_int_equal(gs_table_tail_append(&tail, &meta, &out, NULL), GS_OK);
  assert_int_equal(meta.file_bytes, BLOCKS_END + out.size);
  uint64_t footer_at = meta.file_bytes - GS_TABLE_FOOTER_BYTES;
  gs_table_footer footer;
  assert_int_equal(
      gs_table_footer_decode(out.data + out.size - GS_TABLE_FOOTER_BYTES,
                             gs_checksum_seed(KIT_SALT, KIT_ID, footer_at),
                             meta.file_bytes, &footer, NULL),
      GS_OK);
  assert_int_equal(footer.checksum, meta.footer_checksum);
  assert_int_equal(footer.block_count, 2);
  assert_int_equal(footer.index.offset, BLOCKS_END);
  assert_int_equal(footer.index.size,
                   gs_table_tail_index_bytes(has_point_index, KEYS));
  assert_int_equal(footer.fences.size, gs_fence_list_bytes(&fences));
  assert_int_equal(footer.index.checksum != 0, has_point_index);
  if (has_point_index) {
    assert_part(&out, &footer.index);
  }
  assert_part(&out, &footer.fences);
  assert_part(&out, &footer.properties);
  gs_point_index index = {out.data, footer.index.size / GS_BUCKET_BYTES};
  assert_true(!has_point_index ||
              gs_point_index_holds_all(&index, hashes, locators, KEYS));
  gs_buffer_deinit(&out);
}

static void
test_the_parts_follow_one_another_and_verify(void **state)
{
  (void)state;
  check_tail(true);
  check_tail(false);
}

static void
test_the_properties_tell_the_file_but_not_their_own_footer(void **state)
{
  (void)state;
  gs_table_tail tail = sample(false);
  gs_table_meta meta = sample_meta();
  gs_buffer out;
  gs_buffer_init(&out, &heap.base);
  assert_int_equal(gs_table_tail_append(&tail, &meta, &out, NULL), GS_OK);
  gs_table_meta back;
  size_t used;
  size_t at = gs_fence_list_bytes(&fences);
  assert_int_equal(
      gs_table_meta_decode(gs_slice_of(out.data + at, out.size - at), &back,
                           &used, NULL),
      GS_OK);
  assert_int_equal(at + used + GS_TABLE_FOOTER_BYTES, out.size);
  assert_int_equal(back.footer_checksum, 0);
  back.footer_checksum = meta.footer_checksum;
  assert_true(gs_table_meta_equal(&back, &meta));
  gs_buffer_deinit(&out);
}

static void
test_running_out_of_memory_is_told(void **state)
{
  (void)state;
  gs_table_tail tail = sample(true);
  gs_status status = GS_NOMEM;
  for (uint64_t allowed = 0; status == GS_NOMEM; allowed++) {
    assert_true(allowed < 20);
    gs_table_meta meta = sample_meta();
    gs_buffer out;
    gs_buffer_init(&out, &heap.base);
    heap.allocations_left = allowed;
    status = gs_table_tail_append(&tail, &meta, &out, NULL);
    assert_true(status == GS_OK || status == GS_NOMEM);
    assert_true(allowed > 0 || status == GS_NOMEM);
    gs_buffer_deinit(&out);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_parts_follow_one_another_and_verify),
      cmocka_unit_test(
          test_the_properties_tell_the_file_but_not_their_own_footer),
      cmocka_unit_test(test_running_out_of_memory_is_told),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
