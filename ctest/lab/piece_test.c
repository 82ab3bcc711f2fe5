/*
 * Tests of pieces: laying cohorts on each other by the dropping rules, beside\n * the same done to single keys.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab_kit.h"

enum { KEYS = 300, TRIALS = 1500 };

static const gs_cohort newer = {200, 0.7, 0.3, 2000, 3000, 0};
static const gs_cohort older = {250, 0.7, 0.3, 1000, 2000, 0};

/* What a key's newest version is. */
typedef enum kind { NOTHING = 0, VALUE = 1, TOMBSTONE = 2 } kind;

typedef struct trial {
  kind keys[KEYS];
  double times[KEYS];
} trial;

static void
draw(trial *t, const gs_cohort *cohort, uint64_t *seed)
{
  for (int i = 0; i < (int)cohort->writes; i++) {
    size_t key = kit_random(seed) % KEYS;
    double share = (double)(kit_random(seed) % 10000) / 10000;
    t->keys[key] = share < cohort->put ? VALUE : TOMBSTONE;
    t->times[key] = cohort->from_ms +
                    (cohort->to_ms - cohort->from_ms) * i / cohort->writes;
  }
}

/* The dropping rules for one version of each key. */
static gs_count
drop(trial *t, const gs_stack_rules *rules)
{
  gs_count count = {0, 0};
  for (size_t i = 0; i < KEYS; i++) {
    bool is_late = rules->expires && t->times[i] <= rules->deadline_ms;
    kind left = t->keys[i] == VALUE && is_late ? TOMBSTONE : t->keys[i];
    left = left == TOMBSTONE && rules->bottom >= 1 ? NOTHING : left;
    count.puts += left == VALUE;
    count.gones += left == TOMBSTONE;
  }
  return count;
}

static void
compare(bool expires, double deadline_ms, double bottom)
{
  uint64_t seed = 88172645463325252u;
  gs_mix mix;
  gs_mix_init(&mix, GS_LAB_RANDOM, KEYS, 0);
  const gs_stack_rules rules = {&mix, expires, deadline_ms, bottom};
  gs_count sum = {0, 0};
  for (int t = 0; t < TRIALS; t++) {
    trial one = {{NOTHING}, {0}};
    draw(&one, &older, &seed);
    draw(&one, &newer, &seed);
    gs_count count = drop(&one, &rules);
    sum.puts += count.puts / TRIALS;
    sum.gones += count.gones / TRIALS;
  }
  gs_cohort stack[4] = {newer, older};
  gs_piece piece = {.lo = 0, .hi = GS_SPACE};
  gs_piece_stack(&piece, stack, 2, &rules);
  gs_count count = gs_piece_count(&piece, &mix);
  ASSERT_NEAR(count.puts, sum.puts, 0.012);
  ASSERT_NEAR(count.gones, sum.gones, 0.012);
}

static void
test_a_stack_holds_what_single_keys_hold(void **state)
{
  (void)state;
  compare(false, 0, 0);
  compare(false, 0, 1);
}

static void
test_what_has_expired_is_gone_and_goes_at_the_bottom(void **state)
{
  (void)state;
  compare(true, 500, 0);
  compare(true, 1500, 0);
  compare(true, 2000, 1);
  compare(true, 2300, 0);
  compare(true, 2300, 1);
  compare(true, 5000, 1);
}

static void
test_expired_values_are_counted(void **state)
{
  (void)state;
  gs_mix mix;
  gs_mix_init(&mix, GS_LAB_RANDOM, KEYS, 0.99);
  gs_piece piece = {.hi = GS_SPACE, .count = 2, .cohorts = {newer, older}};
  double all = gs_piece_count(&piece, &mix).puts;
  ASSERT_NEAR(gs_piece_expired(&piece, &mix, 900), 0, 0);
  ASSERT_NEAR(gs_piece_expired(&piece, &mix, 3000), all, 1e-9);
  double half = gs_piece_expired(&piece, &mix, 2000);
  assert_true(half > 0 && half < all / 2);
}

static void
test_one_cohort_stays_where_nothing_expires(void **state)
{
  (void)state;
  gs_mix mix;
  gs_mix_init(&mix, GS_LAB_RANDOM, 1e6, 0.99);
  gs_cohort stack[20];
  double writes = 0;
  for (size_t i = 0; i < 10; i++) {
    stack[i] = (gs_cohort){1000.0 * (double)(i + 1), 1, 0, 0, 1, 0};
    writes += stack[i].writes;
  }
  gs_piece piece = {.hi = GS_SPACE};
  gs_piece_stack(&piece, stack, 10, &(gs_stack_rules){.mix = &mix});
  assert_int_equal(piece.count, 1);
  ASSERT_NEAR(gs_piece_count(&piece, &mix).puts, gs_mix_distinct(&mix, writes),
              1e-9);
}

static void
test_a_piece_never_has_more_cohorts_than_it_can(void **state)
{
  (void)state;
  gs_mix mix;
  gs_mix_init(&mix, GS_LAB_RANDOM, 1000, 0);
  gs_cohort stack[80];
  for (size_t i = 0; i < 40; i++) {
    double at = 100.0 * (double)(40 - i);
    stack[i] = (gs_cohort){20, 1, 0, at, at + 100, 0};
  }
  gs_piece piece = {.hi = GS_SPACE};
  const gs_stack_rules rules = {&mix, true, 1050, 1};
  gs_piece_stack(&piece, stack, 40, &rules);
  assert_true(piece.count <= GS_COHORTS_MAX);
  ASSERT_NEAR(gs_piece_count(&piece, &mix).puts,
              gs_mix_distinct(&mix, 30.5 * 20), 0.01);
  ASSERT_NEAR(gs_piece_count(&piece, &mix).gones, 0, 0);
}

static void
test_neighbours_joined_hold_what_both_held(void **state)
{
  (void)state;
  gs_mix mix;
  gs_mix_init(&mix, GS_LAB_RANDOM, 1e6, 0.99);
  gs_piece a = {0, GS_SPACE / 4, 1, {{10000, 1, 0, 0, 9, 0}}};
  gs_piece b = {GS_SPACE / 4, GS_SPACE / 2, 1, {{10050, 1, 0, 5, 10, 0}}};
  gs_piece far = {GS_SPACE / 4, GS_SPACE / 2, 1, {{13000, 1, 0, 5, 10, 0}}};
  double both = gs_piece_count(&a, &mix).puts + gs_piece_count(&b, &mix).puts;
  assert_true(gs_piece_is_like(&a, &b, &mix));
  assert_false(gs_piece_is_like(&a, &far, &mix));
  gs_piece_join(&a, &b, &mix);
  assert_int_equal(a.hi, GS_SPACE / 2);
  ASSERT_NEAR(gs_piece_count(&a, &mix).puts, both, 1e-4);
}

static void
test_stretches_in_order_join_where_they_follow(void **state)
{
  (void)state;
  gs_mix mix;
  gs_mix_init(&mix, GS_LAB_SEQUENCE, 1000, 0);
  gs_piece a = {0, GS_SPACE / 4, 1, {{INFINITY, 1, 0, 0, 10, 0}}};
  gs_piece b = {GS_SPACE / 4, GS_SPACE / 2, 1, {{INFINITY, 1, 0, 10, 20, 0}}};
  gs_piece gone = {
      GS_SPACE / 4, GS_SPACE / 2, 1, {{INFINITY, 0, 1, 10, 20, 0}}};
  gs_piece gap = {GS_SPACE / 2, GS_SPACE, 1, {{INFINITY, 1, 0, 10, 20, 0}}};
  assert_true(gs_piece_is_like(&a, &b, &mix));
  assert_false(gs_piece_is_like(&a, &gone, &mix));
  assert_false(gs_piece_is_like(&a, &gap, &mix));
  gs_piece c = a;
  gs_piece_join(&c, &gone, &mix);
  ASSERT_NEAR(gs_piece_count(&c, &mix).puts, 250, 1e-9);
  ASSERT_NEAR(gs_piece_count(&c, &mix).gones, 250, 1e-9);
  gs_piece_join(&a, &gap, &mix);
  ASSERT_NEAR(gs_piece_count(&a, &mix).puts, 750, 1e-9);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_stack_holds_what_single_keys_hold),
      cmocka_unit_test(test_what_has_expired_is_gone_and_goes_at_the_bottom),
      cmocka_unit_test(test_expired_values_are_counted),
      cmocka_unit_test(test_one_cohort_stays_where_nothing_expires),
      cmocka_unit_test(test_a_piece_never_has_more_cohorts_than_it_can),
      cmocka_unit_test(test_neighbours_joined_hold_what_both_held),
      cmocka_unit_test(test_stretches_in_order_join_where_they_follow),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
