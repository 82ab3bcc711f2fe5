/*
 * Tests of contents: unions, gaps, keys in order, and simplifying.
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
  gs_content sources[3];
  gs_content out;
} kit;

static void
begin(kit *k, gs_lab_kind kind)
{
  test_alloc_init(&k->alloc);
  gs_mix_init(&k->mix, kind, 1e5, 0);
  for (size_t i = 0; i < 3; i++) {
    gs_content_init(&k->sources[i], &k->alloc.base);
  }
  gs_content_init(&k->out, &k->alloc.base);
}

static void
end(kit *k)
{
  for (size_t i = 0; i < 3; i++) {
    gs_content_deinit(&k->sources[i]);
  }
  gs_content_deinit(&k->out);
  assert_int_equal(k->alloc.live_bytes, 0);
}

/* A piece from lo to hi sixteenths of the key space. */
static void
add(gs_content *content, uint64_t lo, uint64_t hi, gs_cohort cohort)
{
  gs_content_add(content, &(gs_piece){.lo = GS_SPACE / 16 * lo,
                                      .hi = GS_SPACE / 16 * hi,
                                      .count = 1,
                                      .cohorts = {cohort}});
}

static void
unite(kit *k, size_t count, double deadline_ms)
{
  const gs_union_rules rules = {
      .mix = &k->mix, .expires = deadline_ms > 0, .deadline_ms = deadline_ms};
  assert_int_equal(gs_content_union(k->sources, count, &rules, &k->out, NULL),
                   GS_OK);
}

static void
expect(const gs_piece *piece, uint64_t lo, uint64_t hi, double writes)
{
  assert_int_equal(piece->lo, GS_SPACE / 16 * lo);
  assert_int_equal(piece->hi, GS_SPACE / 16 * hi);
  assert_int_equal(piece->count, 1);
  ASSERT_NEAR(piece->cohorts[0].writes, writes, 1e-12);
}

static const gs_cohort draws = {1000, 1, 0, 0, 1, 0};

static void
test_a_union_ends_pieces_where_any_source_does(void **state)
{
  (void)state;
  kit k;
  begin(&k, GS_LAB_RANDOM);
  add(&k.sources[0], 0, 4, draws);
  add(&k.sources[0], 6, 8, draws);
  add(&k.sources[1], 2, 7, draws);
  add(&k.sources[2], 12, 16, draws);
  unite(&k, 3, 0);
  assert_int_equal(k.out.count, 6);
  expect(&k.out.pieces[0], 0, 2, 1000);
  expect(&k.out.pieces[1], 2, 4, 2000);
  expect(&k.out.pieces[2], 4, 6, 1000);
  expect(&k.out.pieces[3], 6, 7, 2000);
  expect(&k.out.pieces[4], 7, 8, 1000);
  expect(&k.out.pieces[5], 12, 16, 1000);
  end(&k);
}

static void
test_keys_in_order_that_follow_on_become_one_piece(void **state)
{
  (void)state;
  kit k;
  begin(&k, GS_LAB_SEQUENCE);
  add(&k.sources[0], 4, 8, (gs_cohort){INFINITY, 1, 0, 40, 80, 0});
  add(&k.sources[1], 0, 4, (gs_cohort){INFINITY, 1, 0, 0, 40, 0});
  unite(&k, 2, 0);
  assert_int_equal(k.out.count, 1);
  assert_int_equal(k.out.pieces[0].hi, GS_SPACE / 2);
  ASSERT_NEAR(gs_content_count(&k.out, &k.mix).puts, 5e4, 1e-9);
  end(&k);
}

static void
test_of_keys_in_order_the_lower_ones_expire(void **state)
{
  (void)state;
  kit k;
  begin(&k, GS_LAB_SEQUENCE);
  add(&k.sources[0], 0, 16, (gs_cohort){INFINITY, 1, 0, 0, 1600, 0});
  unite(&k, 1, 400);
  assert_int_equal(k.out.count, 2);
  assert_int_equal(k.out.pieces[1].lo, GS_SPACE / 4);
  gs_count count = gs_content_count(&k.out, &k.mix);
  ASSERT_NEAR(count.gones, 25000, 1e-9);
  ASSERT_NEAR(count.puts, 75000, 1e-9);
  end(&k);
}

static double
lower_half(const void *context, uint64_t lo, uint64_t hi)
{
  (void)context;
  (void)lo;
  return hi <= GS_SPACE / 2 ? 1 : 0;
}

static void
test_tombstones_go_where_nothing_lies_beneath(void **state)
{
  (void)state;
  kit k;
  begin(&k, GS_LAB_RANDOM);
  add(&k.sources[0], 0, 8, (gs_cohort){1000, 0.5, 0.5, 0, 1, 0});
  add(&k.sources[0], 8, 16, (gs_cohort){1000, 0.5, 0.5, 0, 1, 0});
  const gs_union_rules rules = {.mix = &k.mix, .bottom = lower_half};
  assert_int_equal(gs_content_union(k.sources, 1, &rules, &k.out, NULL), GS_OK);
  double half = gs_mix_distinct(&k.mix, 1000) / 4;
  ASSERT_NEAR(gs_content_count(&k.out, &k.mix).puts, 2 * half, 1e-9);
  ASSERT_NEAR(gs_content_count(&k.out, &k.mix).gones, half, 1e-9);
  end(&k);
}

static void
test_simplifying_keeps_what_is_held(void **state)
{
  (void)state;
  kit k;
  begin(&k, GS_LAB_RANDOM);
  for (uint64_t i = 0; i < 16; i++) {
    double writes = i < 8 ? 1000.0 + (double)i : 50000.0 * (double)i;
    add(&k.out, i, i + 1, (gs_cohort){writes, 1, 0, 0, 1, 0});
  }
  double before = gs_content_count(&k.out, &k.mix).puts;
  gs_content_simplify(&k.out, &k.mix, 16);
  assert_true(k.out.count < 16);
  ASSERT_NEAR(gs_content_count(&k.out, &k.mix).puts, before, 0.001);
  gs_content_simplify(&k.out, &k.mix, 1);
  assert_int_equal(k.out.count, 1);
  ASSERT_NEAR(gs_content_count(&k.out, &k.mix).puts, before, 0.001);
  assert_int_equal(k.out.pieces[0].lo, 0);
  assert_int_equal(k.out.pieces[0].hi, GS_SPACE);
  end(&k);
}

static void
test_want_of_memory_is_told_at_the_end(void **state)
{
  (void)state;
  kit k;
  begin(&k, GS_LAB_RANDOM);
  k.alloc.allocations_left = 0;
  add(&k.out, 0, 1, draws);
  assert_int_equal(gs_content_status(&k.out, NULL), GS_NOMEM);
  k.alloc.allocations_left = UINT64_MAX;
  end(&k);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_union_ends_pieces_where_any_source_does),
      cmocka_unit_test(test_keys_in_order_that_follow_on_become_one_piece),
      cmocka_unit_test(test_of_keys_in_order_the_lower_ones_expire),
      cmocka_unit_test(test_tombstones_go_where_nothing_lies_beneath),
      cmocka_unit_test(test_simplifying_keeps_what_is_held),
      cmocka_unit_test(test_want_of_memory_is_told_at_the_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
