/*
 * The meter and the data that the comparison is fed with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/peers/group.h"

static meter m;

static void
count(uint64_t duration, uint32_t times)
{
  m.buckets[meter_bucket(duration)] += times;
  m.count += times;
}

static void
test_buckets_grow_with_durations_and_lose_a_sixteenth_at_most(void **state)
{
  (void)state;
  size_t last = 0;
  for (uint64_t d = 1; d < UINT64_C(1) << 40; d += d / 100 + 1) {
    size_t bucket = meter_bucket(d);
    assert_true(bucket >= last && bucket < METER_BUCKETS);
    double bound = meter_bound_us(bucket) * 1000 / meter_pace();
    assert_true(bound <= (double)d + 1e-6);
    assert_true(bound >= (double)d * 15 / 16 - 1);
    last = bucket;
  }
}

/* As the meter turns counts into time, to the last bit. */
static double
us_of(double counts)
{
  return counts * meter_pace() / 1000;
}

static void
test_quantiles_count_from_the_shortest(void **state)
{
  (void)state;
  m = (meter){0};
  count(1600, 9900);
  count(160000, 99);
  count(16000000, 1);
  assert_true(meter_quantile_us(&m, 0.5) <= us_of(1600));
  assert_true(meter_quantile_us(&m, 0.5) > us_of(1500) - 0.01);
  assert_true(meter_quantile_us(&m, 0.999) > us_of(150000) - 0.01);
  assert_true(meter_quantile_us(&m, 0.999) <= us_of(160000));
  assert_true(meter_quantile_us(&m, 1) > us_of(15000000) - 0.01);
}

static void
test_ticks_are_counted_and_the_longest_kept(void **state)
{
  (void)state;
  meter_start(&m);
  for (int i = 0; i < 1000; i++) {
    meter_tick(&m);
  }
  assert_int_equal(1000, m.count);
  uint64_t sum = 0;
  for (size_t i = 0; i < METER_BUCKETS; i++) {
    sum += m.buckets[i];
  }
  assert_int_equal(1000, sum);
  assert_true(meter_quantile_us(&m, 1) <=
              (double)m.longest * meter_pace() / 1000);
}

static void
test_keys_keep_the_order_of_numbers(void **state)
{
  (void)state;
  char a[PEER_KEY_BYTES];
  char b[PEER_KEY_BYTES];
  peer_key(99, a);
  peer_key(100, b);
  assert_true(memcmp(a, b, sizeof a) < 0);
  assert_memory_equal("0000000000000099", a, sizeof a);
  assert_int_equal(100, peer_key_number(b));
}

static void
test_keys_are_the_digits_of_any_number(void **state)
{
  (void)state;
  uint64_t random = 7;
  for (int i = 0; i < 100000; i++) {
    char key[PEER_KEY_BYTES + 1] = {0};
    char expected[32];
    uint64_t number = peer_random(&random) % UINT64_C(10000000000000000);
    number >>= i % 50;
    peer_key(number, key);
    snprintf(expected, sizeof expected, "%016llu", (unsigned long long)number);
    assert_string_equal(key, expected);
    assert_int_equal(peer_key_number(key), number);
  }
}

static void
test_values_differ_by_number_and_version(void **state)
{
  (void)state;
  uint8_t first[100];
  peer_data_init(sizeof first);
  memcpy(first, peer_value(7, 1).data, sizeof first);
  peer_check("test", 7, (peer_bytes){first, sizeof first});
  assert_memory_not_equal(first, peer_value(8, 1).data, sizeof first);
  assert_memory_not_equal(first, peer_value(7, 2).data, sizeof first);
  assert_memory_equal(first, peer_value(7, 1).data, sizeof first);
  peer_data_deinit();
  peer_data_init(2 * sizeof first);
  assert_int_equal(2 * sizeof first, peer_value(7, 1).size);
  peer_data_deinit();
}

static void
test_zipf_ranks_prefer_the_first_and_stay_below(void **state)
{
  (void)state;
  enum { COUNT = 1000, DRAWS = 20000 };
  uint64_t random = 5;
  uint32_t *ranks = work_zipf_ranks(COUNT, DRAWS, &random);
  uint32_t first = 0;
  uint32_t second = 0;
  for (int i = 0; i < DRAWS; i++) {
    assert_true(ranks[i] < COUNT);
    first += ranks[i] == 0;
    second += ranks[i] == 1;
  }
  free(ranks);
  /* zeta(1000, 0.99) is 7.73: the first has 12.9 % */
  assert_in_range(first, DRAWS * 11 / 100, DRAWS * 15 / 100);
  assert_in_range(second, DRAWS * 5 / 100, DRAWS * 8 / 100);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(
          test_buckets_grow_with_durations_and_lose_a_sixteenth_at_most),
      cmocka_unit_test(test_quantiles_count_from_the_shortest),
      cmocka_unit_test(test_ticks_are_counted_and_the_longest_kept),
      cmocka_unit_test(test_keys_keep_the_order_of_numbers),
      cmocka_unit_test(test_keys_are_the_digits_of_any_number),
      cmocka_unit_test(test_values_differ_by_number_and_version),
      cmocka_unit_test(test_zipf_ranks_prefer_the_first_and_stay_below),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
