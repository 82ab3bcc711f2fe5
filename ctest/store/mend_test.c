/*
 * One wrong bit is found wherever it is; two are not taken for one.
 */
#include "store/mend.h"

#include "care_kit.h"
#include "code/hash.h"

static void
test_any_single_bit_is_found(void **state)
{
  (void)state;
  uint8_t bytes[100];
  uint8_t sound[100];
  for (size_t i = 0; i < sizeof bytes; i++) {
    sound[i] = (uint8_t)(i * 7);
  }
  uint64_t sum = gs_checksum(sound, sizeof sound, 5);
  for (uint32_t bit = 0; bit < sizeof bytes * 8; bit++) {
    uint32_t found;
    memcpy(bytes, sound, sizeof bytes);
    gs_mend_flip(bytes, bit);
    assert_true(gs_mend_bit(bytes, sizeof bytes, 5, sum, &found));
    assert_int_equal(found, bit);
    assert_memory_equal(bytes, sound, sizeof bytes);
  }
}

static void
test_a_wrong_bit_of_the_checksum_stands_behind_the_bytes(void **state)
{
  (void)state;
  uint8_t bytes[12] = "twelve bytes";
  uint64_t sum = gs_checksum(bytes, sizeof bytes, 5);
  uint32_t found;
  assert_true(gs_mend_bit(bytes, sizeof bytes, 5, sum, &found));
  assert_int_equal(found, GS_MEND_NONE);
  assert_true(
      gs_mend_bit(bytes, sizeof bytes, 5, sum ^ UINT64_C(1) << 13, &found));
  assert_int_equal(found, 12 * 8 + 13);
  assert_memory_equal(bytes, "twelve bytes", 12);
}

static void
test_two_wrong_bits_are_left_alone(void **state)
{
  (void)state;
  uint8_t bytes[64] = {0};
  uint64_t sum = gs_checksum(bytes, sizeof bytes, 5);
  uint32_t found;
  gs_mend_flip(bytes, 3);
  gs_mend_flip(bytes, 300);
  assert_false(gs_mend_bit(bytes, sizeof bytes, 5, sum, &found));
  gs_mend_flip(bytes, 3);
  gs_mend_flip(bytes, 300);
  for (size_t i = 0; i < sizeof bytes; i++) {
    assert_int_equal(bytes[i], 0);
  }
}

static void
test_a_header_is_read_with_one_wrong_bit(void **state)
{
  (void)state;
  uint8_t bytes[GS_TABLE_HEADER_BYTES];
  gs_table_header header = {.features = 1, .id = 77, .salt = 99};
  gs_table_header found;
  gs_table_header_encode(&header, bytes);
  for (uint32_t bit = 0; bit < sizeof bytes * 8; bit += 5) {
    gs_mend_flip(bytes, bit);
    KIT_OK(gs_sim_replace(sim_machine, "/t", gs_slice_of(bytes, sizeof bytes),
                          &kit_err));
    KIT_OK(gs_mend_header(sim_machine_env, "/t", &found, &kit_err));
    assert_int_equal(found.id, 77);
    assert_int_equal(found.salt, 99);
    gs_mend_flip(bytes, bit);
  }
  memset(bytes + 8, 0, 8);
  KIT_OK(gs_sim_replace(sim_machine, "/t", gs_slice_of(bytes, sizeof bytes),
                        &kit_err));
  assert_int_equal(gs_mend_header(sim_machine_env, "/t", &found, &kit_err),
                   GS_CORRUPT);
}

static void
test_what_cannot_be_read_becomes_zeros(void **state)
{
  (void)state;
  static uint8_t bytes[12000];
  memset(bytes, 0x11, sizeof bytes);
  KIT_OK(gs_sim_replace(sim_machine, "/t", gs_slice_of(bytes, sizeof bytes),
                        &kit_err));
  gs_sim_fault fault = {
      .op = GS_SIM_READ, .path = "/t", .nth = 1, .times = 2, .os_errno = 5};
  KIT_OK(gs_sim_fail(sim_machine, &fault, &kit_err));
  gs_buffer out;
  gs_buffer_init(&out, sim_machine_env->alloc);
  KIT_OK(gs_mend_read(sim_machine_env, "/t", &out, &kit_err));
  assert_int_equal(out.size, sizeof bytes);
  assert_int_equal(out.data[0], 0);
  assert_int_equal(out.data[4095], 0);
  assert_int_equal(out.data[4096], 0x11);
  assert_int_equal(out.data[11999], 0x11);
  gs_buffer_deinit(&out);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_any_single_bit_is_found),
      KIT_TEST(test_a_wrong_bit_of_the_checksum_stands_behind_the_bytes),
      KIT_TEST(test_two_wrong_bits_are_left_alone),
      KIT_TEST(test_a_header_is_read_with_one_wrong_bit),
      KIT_TEST(test_what_cannot_be_read_becomes_zeros),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
