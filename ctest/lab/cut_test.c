/*
 * Tests of cutting: sizes, cuts, fences, and that nothing is lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab_kit.h"

typedef struct kit {
  test_alloc alloc;
  gs_mix mix;
  gs_lab_format format;
  gs_content stream;
  gs_table_list out;
  uint64_t next_id;
  uint64_t random;
  gs_cut_rules rules;
} kit;

static void
begin(kit *k, gs_lab_kind kind, double table_bytes)
{
  *k = (kit){.format = {16, 100, 4096, false}, .next_id = 1, .random = 1};
  test_alloc_init(&k->alloc);
  gs_mix_init(&k->mix, kind, 100000, 0);
  gs_content_init(&k->stream, &k->alloc.base);
  k->out.alloc = &k->alloc.base;
  k->rules = (gs_cut_rules){.mix = &k->mix,
                            .format = &k->format,
                            .table_bytes = table_bytes,
                            .min_seq = 5,
                            .max_seq = 9,
                            .now_ms = 7,
                            .next_id = &k->next_id,
                            .random = &k->random};
}

static void
cut(kit *k)
{
  assert_int_equal(
      gs_cut_tables(&k->alloc.base, &k->stream, &k->rules, &k->out, NULL),
      GS_OK);
}

static void
end(kit *k)
{
  gs_content_deinit(&k->stream);
  gs_table_list_deinit(&k->out);
  assert_int_equal(k->alloc.live_bytes, 0);
}

static void
add_all(kit *k, double writes)
{
  gs_content_add(&k->stream,
                 &(gs_piece){0, GS_SPACE, 1, {{writes, 1, 0, 0, 1, 0}}});
}

/* Bounds rise and are disjoint, and entries add up. */
static void
check(const kit *k, double entries)
{
  double sum = 0;
  for (size_t i = 0; i < k->out.count; i++) {
    const gs_table_meta *meta = &k->out.tables[i]->meta;
    assert_true(gs_slice_compare(meta->min_key, meta->max_key) <= 0);
    assert_true(i == 0 || gs_slice_compare(k->out.tables[i - 1]->meta.max_key,
                                           meta->min_key) < 0);
    assert_int_equal(meta->id, i + 1);
    assert_int_equal(meta->min_seq, 5);
    assert_int_equal(meta->max_seq, 9);
    sum += (double)meta->entry_count;
  }
  ASSERT_NEAR(sum, entries, 0.001);
}

static void
test_tables_end_when_they_are_full(void **state)
{
  (void)state;
  kit k;
  begin(&k, GS_LAB_RANDOM, 1e6);
  add_all(&k, 1e9);
  cut(&k);
  check(&k, 1e5);
  assert_true(k.out.count >= 12 && k.out.count <= 16);
  for (size_t i = 0; i + 1 < k.out.count; i++) {
    ASSERT_NEAR((double)k.out.tables[i]->meta.file_bytes, 1e6, 0.05);
  }
  end(&k);
}

static void
test_where_tables_end_is_a_matter_of_chance_but_for_keys_in_order(void **state)
{
  (void)state;
  for (gs_lab_kind kind = GS_LAB_RANDOM; kind <= GS_LAB_SEQUENCE; kind++) {
    kit a;
    kit b;
    begin(&a, kind, 1e6);
    begin(&b, kind, 1e6);
    b.random = 2;
    add_all(&a, kind == GS_LAB_RANDOM ? 1e9 : INFINITY);
    add_all(&b, kind == GS_LAB_RANDOM ? 1e9 : INFINITY);
    cut(&a);
    cut(&b);
    bool is_same = gs_slice_equal(a.out.tables[0]->meta.max_key,
                                  b.out.tables[0]->meta.max_key);
    assert_int_equal(is_same, kind == GS_LAB_SEQUENCE);
    end(&a);
    end(&b);
  }
}

static void
test_a_table_begins_at_each_cut(void **state)
{
  (void)state;
  const gs_lab_fence cuts[] = {{GS_SPACE / 4, GS_SPACE / 4},
                               {GS_SPACE / 2, GS_SPACE / 2}};
  kit k;
  begin(&k, GS_LAB_RANDOM, 1e12);
  k.rules.fences = cuts;
  k.rules.fence_count = 2;
  add_all(&k, 1e9);
  cut(&k);
  check(&k, 1e5);
  assert_int_equal(k.out.count, 3);
  assert_int_equal(gs_position_of(k.out.tables[1]->meta.min_key), GS_SPACE / 4);
  assert_int_equal(gs_position_of(k.out.tables[2]->meta.min_key), GS_SPACE / 2);
  end(&k);
}

static void
test_a_table_that_stays_is_not_met(void **state)
{
  (void)state;
  const gs_lab_fence stays[] = {{GS_SPACE / 4, GS_SPACE / 2}};
  kit k;
  begin(&k, GS_LAB_RANDOM, 1e12);
  k.rules.fences = stays;
  k.rules.fence_count = 1;
  for (uint64_t i = 0; i < 8; i++) {
    gs_content_add(&k.stream, &(gs_piece){GS_SPACE / 8 * i,
                                          GS_SPACE / 8 * (i + 1),
                                          1,
                                          {{1e9, 1, 0, 0, 1, 0}}});
  }
  cut(&k);
  check(&k, 75000);
  assert_int_equal(k.out.count, 2);
  assert_true(gs_position_of(k.out.tables[0]->meta.max_key) < GS_SPACE / 4);
  assert_int_equal(gs_position_of(k.out.tables[1]->meta.min_key), GS_SPACE / 2);
  end(&k);
}

static void
test_metadata_tell_of_tombstones_and_expiry(void **state)
{
  (void)state;
  kit k;
  begin(&k, GS_LAB_RANDOM, 1e12);
  k.rules.ttl_ms = 1000;
  k.rules.oldest_tombstone_ms = 3;
  gs_content_add(&k.stream,
                 &(gs_piece){0, GS_SPACE, 1, {{1e9, 0.75, 0.25, 50, 90, 0}}});
  cut(&k);
  const gs_table_meta *meta = &k.out.tables[0]->meta;
  assert_int_equal(meta->tombstone_count, 25000);
  assert_int_equal(meta->expiring_count, 75000);
  assert_int_equal(meta->min_expiry_ms, 1050);
  assert_int_equal(meta->max_expiry_ms, 1090);
  assert_int_equal(meta->oldest_tombstone_ms, 3);
  assert_int_equal(meta->created_ms, 7);
  assert_int_equal(gs_table_content(k.out.tables[0])->count, 1);
  end(&k);
}

static void
test_less_than_half_an_entry_is_no_table(void **state)
{
  (void)state;
  kit k;
  begin(&k, GS_LAB_RANDOM, 1e6);
  add_all(&k, 0.3);
  cut(&k);
  assert_int_equal(k.out.count, 0);
  end(&k);
}

static void
test_positions_and_keys_are_the_same_order(void **state)
{
  (void)state;
  uint8_t bytes[8];
  gs_position_put(bytes, UINT64_C(0x0102030405060708));
  assert_int_equal(bytes[0], 1);
  assert_int_equal(bytes[7], 8);
  assert_int_equal(gs_position_of(gs_slice_of(bytes, 8)),
                   UINT64_C(0x0102030405060708));
  assert_int_equal(gs_position_of(gs_slice_str("\xff")), GS_SPACE);
}

static void
test_want_of_memory_leaves_nothing(void **state)
{
  (void)state;
  gs_status status = GS_NOMEM;
  for (uint64_t left = 0; status != GS_OK; left++) {
    kit k;
    assert_true(left < 1000);
    begin(&k, GS_LAB_RANDOM, 1e6);
    add_all(&k, 1e9);
    k.alloc.allocations_left = left;
    status = gs_cut_tables(&k.alloc.base, &k.stream, &k.rules, &k.out, NULL);
    k.alloc.allocations_left = UINT64_MAX;
    end(&k);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tables_end_when_they_are_full),
      cmocka_unit_test(
          test_where_tables_end_is_a_matter_of_chance_but_for_keys_in_order),
      cmocka_unit_test(test_a_table_begins_at_each_cut),
      cmocka_unit_test(test_a_table_that_stays_is_not_met),
      cmocka_unit_test(test_metadata_tell_of_tombstones_and_expiry),
      cmocka_unit_test(test_less_than_half_an_entry_is_no_table),
      cmocka_unit_test(test_positions_and_keys_are_the_same_order),
      cmocka_unit_test(test_want_of_memory_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
