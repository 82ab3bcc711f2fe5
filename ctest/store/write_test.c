/*
 * Single writes: what they accept, and what conditional ones decide.
 */
#include "store_kit.h"

#include "data/entry.h"

static gs_slice
text(const char *bytes)
{
  return gs_slice_str(bytes);
}

static gs_put_if_result
put_if(gs_store *store, const char *key, const char *expected,
       const char *value)
{
  gs_put_if_result result;
  gs_value current;
  gs_slice expected_slice = text(expected == NULL ? "" : expected);
  gs_slice value_slice = text(value == NULL ? "" : value);
  gs_value_init(&current, store);
  gs_exchange exchange = {
      .expected = expected == NULL ? NULL : &expected_slice,
      .value = value == NULL ? NULL : &value_slice,
  };
  KIT_OK(gs_put_if(store, text(key), &exchange, NULL, &current, &result,
                   &kit_err));
  gs_value_deinit(&current);
  return result;
}

static void
test_a_conditional_write_happens_only_on_the_expected_value(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  assert_false(put_if(store, "a", "1", "2").is_done);
  assert_true(put_if(store, "a", NULL, "1").is_done);
  gs_put_if_result result = put_if(store, "a", NULL, "2");
  assert_false(result.is_done);
  assert_true(result.is_present);
  assert_true(put_if(store, "a", "1", "2").is_done);
  assert_string_equal(kit_get(store, "a"), "2");
  assert_true(put_if(store, "a", "2", NULL).is_done);
  assert_string_equal(kit_get(store, "a"), "(absent)");
  assert_true(put_if(store, "e", NULL, "").is_done);
  assert_false(put_if(store, "e", NULL, "x").is_done);
  assert_true(put_if(store, "e", "", "x").is_done);
  kit_close(store);
}

static void
test_an_expired_value_counts_as_absent_for_conditions_and_takes(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_write_options soon = {.ttl_ms = 10, .has_ttl = true};
  gs_value value;
  gs_value_init(&value, store);
  KIT_OK(gs_put(store, text("a"), text("1"), &soon, NULL, &kit_err));
  gs_sim_advance_ms(sim_machine, 10);
  assert_int_equal(gs_take(store, text("a"), NULL, &value, &kit_err),
                   GS_ABSENT);
  assert_int_equal(gs_expire_at(store, text("a"), 5, &kit_err), GS_ABSENT);
  assert_true(put_if(store, "a", NULL, "2").is_done);
  KIT_OK(gs_take(store, text("a"), NULL, &value, &kit_err));
  assert_int_equal(value.bytes.size, 1);
  assert_string_equal(kit_get(store, "a"), "(absent)");
  gs_value_deinit(&value);
  kit_close(store);
}

static void
test_an_expiry_moves_without_the_value_and_over_a_merge(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  uint64_t at = gs_now_ms(store) + 500;
  KIT_OK(gs_expire_at(store, text("a"), at, &kit_err));
  KIT_OK(gs_compact(store, NULL, &kit_err));
  assert_string_equal(kit_get(store, "a"), "1");
  KIT_OK(gs_expire_at(store, text("a"), 0, &kit_err));
  gs_sim_advance_ms(sim_machine, 1000);
  assert_string_equal(kit_get(store, "a"), "1");
  KIT_OK(gs_expire_at(store, text("a"), 1, &kit_err));
  assert_string_equal(kit_get(store, "a"), "(absent)");
  kit_close(store);
}

static void
test_a_ttl_of_any_size_is_kept_or_saturates(void **state)
{
  (void)state;
  static const uint64_t ttls[] = {UINT64_MAX, UINT64_MAX - 1, UINT64_C(1) << 63,
                                  UINT64_C(1) << 62, 1};
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  for (size_t i = 0; i < sizeof ttls / sizeof ttls[0]; i++) {
    gs_write_options o = {.ttl_ms = ttls[i], .has_ttl = true};
    KIT_OK(gs_put(store, text("k"), text("v"), &o, NULL, &kit_err));
    assert_string_equal(kit_get(store, "k"), "v");
  }
  gs_write_options none = {.ttl_ms = 0, .has_ttl = true};
  KIT_OK(gs_put(store, text("k"), text("v"), &none, NULL, &kit_err));
  assert_string_equal(kit_get(store, "k"), "(absent)");
  gs_write_options both = {.ttl_ms = 1, .has_ttl = true, .expires_at_ms = 5};
  assert_int_equal(gs_put(store, text("k"), text("v"), &both, NULL, &kit_err),
                   GS_MISUSE);
  kit_close(store);
}

static void
test_keys_and_values_at_their_limits_go_in_and_beyond_do_not(void **state)
{
  (void)state;
  static uint8_t bytes[GS_KEY_MAX_BYTES + 1];
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_slice longest = gs_slice_of(bytes, GS_KEY_MAX_BYTES);
  gs_slice longer = gs_slice_of(bytes, GS_KEY_MAX_BYTES + 1);
  gs_value value;
  gs_value_init(&value, store);
  KIT_OK(gs_put(store, longest, text("long"), NULL, NULL, &kit_err));
  KIT_OK(gs_put(store, text(""), text("empty"), NULL, NULL, &kit_err));
  KIT_OK(gs_put(store, text("v"), longer, NULL, NULL, &kit_err));
  assert_int_equal(gs_put(store, longer, text("x"), NULL, NULL, &kit_err),
                   GS_TOOLARGE);
  assert_int_equal(gs_delete(store, longer, NULL, NULL, &kit_err), GS_TOOLARGE);
  KIT_OK(gs_compact(store, NULL, &kit_err));
  KIT_OK(gs_get(store, NULL, longest, &value, &kit_err));
  assert_string_equal(kit_get(store, ""), "empty");
  KIT_OK(gs_get(store, NULL, text("v"), &value, &kit_err));
  assert_int_equal(value.bytes.size, longer.size);
  gs_value_deinit(&value);
  kit_close(store);
}

static void
test_a_u32_store_takes_four_bytes_and_nothing_else(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.kind = GS_STORE_U32;
  gs_store *store = kit_open(&options);
  uint8_t k[4];
  uint8_t v[4];
  gs_slice key = gs_key_from_u32(7, k);
  gs_slice value = gs_value_from_u32(9, v);
  KIT_OK(gs_put(store, key, value, NULL, NULL, &kit_err));
  assert_int_equal(gs_put(store, text("abc"), value, NULL, NULL, &kit_err),
                   GS_MISUSE);
  assert_int_equal(gs_put(store, key, text("abc"), NULL, NULL, &kit_err),
                   GS_MISUSE);
  assert_int_equal(gs_put(store, key, text(""), NULL, NULL, &kit_err),
                   GS_MISUSE);
  gs_value found;
  gs_value_init(&found, store);
  assert_int_equal(gs_get(store, NULL, text("abcde"), &found, &kit_err),
                   GS_MISUSE);
  KIT_OK(gs_get(store, NULL, key, &found, &kit_err));
  assert_memory_equal(found.bytes.data, value.data, 4);
  KIT_OK(gs_delete(store, key, NULL, NULL, &kit_err));
  assert_int_equal(gs_get(store, NULL, key, &found, &kit_err), GS_ABSENT);
  gs_value_deinit(&found);
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_conditional_write_happens_only_on_the_expected_value),
      KIT_TEST(test_an_expired_value_counts_as_absent_for_conditions_and_takes),
      KIT_TEST(test_an_expiry_moves_without_the_value_and_over_a_merge),
      KIT_TEST(test_a_ttl_of_any_size_is_kept_or_saturates),
      KIT_TEST(test_keys_and_values_at_their_limits_go_in_and_beyond_do_not),
      KIT_TEST(test_a_u32_store_takes_four_bytes_and_nothing_else),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
