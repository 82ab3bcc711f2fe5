/*
 * Tests of the repair of frames and header pages: one wrong bit is put right
 * wherever it is, two are not, and what is not put right is left as it was.
 */
#include "log_kit.h"

#include "code/fixed.h"
#include "wal/frame.h"

enum { AT = GS_LOG_HEADER_BYTES, LINK = 0x5a5a };

static const gs_log_identity identity = {.salt = 0x1122334455667788,
                                         .number = 7};

/* A log whose one frame has a payload of that size; free with free. */
static uint8_t *
make_log(size_t payload_bytes, size_t *log_bytes)
{
  uint8_t *payload = malloc(payload_bytes + 1);
  *log_bytes = AT + (size_t)gs_frame_bytes(payload_bytes) + 24;
  uint8_t *log = calloc(1, *log_bytes);
  assert_non_null(payload);
  assert_non_null(log);
  for (size_t i = 0; i < payload_bytes; i++) {
    payload[i] = (uint8_t)(i * 131 + 17);
  }
  gs_frame_info info = {.type = GS_FRAME_BATCH,
                        .entry_count = 2,
                        .first_seq = 1000,
                        .durable_to = AT,
                        .offset = AT};
  gs_frame_encode(identity, LINK, gs_slice_of(payload, payload_bytes), &info,
                  log + AT);
  free(payload);
  return log;
}

static void
flip(uint8_t *log, size_t bit)
{
  log[AT + bit / 8] ^= (uint8_t)(1 << bit % 8);
}

static bool
repair(uint8_t *log, size_t log_bytes)
{
  return gs_frame_repair(log, log_bytes, identity, AT, LINK);
}

static void
check_every_bit(size_t payload_bytes, size_t step)
{
  size_t size;
  uint8_t *log = make_log(payload_bytes, &size);
  uint8_t *whole = malloc(size);
  assert_non_null(whole);
  memcpy(whole, log, size);
  size_t bits = 8 * (size_t)gs_frame_bytes(payload_bytes);
  for (size_t bit = 0; bit < bits; bit += bit < 383 ? 1 : step) {
    flip(log, bit);
    assert_true(repair(log, size));
    assert_memory_equal(log, whole, size);
  }
  free(whole);
  free(log);
}

static void
test_a_wrong_bit_is_put_right_wherever_it_is(void **state)
{
  (void)state;
  check_every_bit(0, 1);
  check_every_bit(9, 1);
  check_every_bit(150, 1);
  check_every_bit(1000, 7);
}

static void
test_the_search_goes_up_to_its_bound_and_no_further(void **state)
{
  (void)state;
  for (size_t over = 0; over <= 8; over += 8) {
    size_t size;
    uint8_t *log = make_log(GS_REPAIR_MAX_BYTES + over, &size);
    flip(log, 8 * (48 + GS_REPAIR_MAX_BYTES) - 3);
    assert_int_equal(repair(log, size), over == 0);
    free(log);
  }
  check_every_bit(GS_REPAIR_MAX_BYTES + 8, SIZE_MAX / 2); /* its header */
}

static void
test_two_wrong_bits_stay_as_they_are(void **state)
{
  (void)state;
  size_t size;
  uint8_t *log = make_log(24, &size);
  uint8_t *before = malloc(size);
  assert_non_null(before);
  for (size_t a = 0; a < 72 * 8; a++) {
    for (size_t b = a + 1; b < 72 * 8; b += 1 + a % 5) {
      flip(log, a);
      flip(log, b);
      memcpy(before, log, size);
      assert_false(repair(log, size));
      assert_memory_equal(log, before, size);
      flip(log, a);
      flip(log, b);
    }
  }
  free(before);
  free(log);
}

/* A write that was torn leaves zeros or older bytes, never a frame. */
static void
test_a_torn_frame_is_not_made_whole(void **state)
{
  (void)state;
  size_t size;
  uint8_t *log = make_log(1000, &size);
  for (size_t cut = 0; cut < gs_frame_bytes(1000); cut += 8) {
    uint8_t *torn = malloc(size);
    assert_non_null(torn);
    memcpy(torn, log, size);
    memset(torn + AT + cut, 0, size - AT - cut);
    assert_false(repair(torn, size));
    free(torn);
  }
  free(log);
}

static void
test_a_frame_in_another_place_is_not_put_right(void **state)
{
  (void)state;
  size_t size;
  uint8_t *log = make_log(24, &size);
  gs_log_identity other = {.salt = identity.salt ^ 1, .number = 7};
  assert_false(gs_frame_repair(log, size, other, AT, LINK));
  assert_false(gs_frame_repair(log, size, identity, AT, LINK + 2));
  assert_false(gs_frame_repair(log, size, identity, AT + 8, LINK));
  assert_false(gs_frame_repair(log, size, identity, size - 40, LINK));
  assert_false(gs_frame_repair(log, AT + 60, identity, AT, LINK));
  free(log);
}

static void
test_a_wrong_bit_of_a_header_page_is_put_right(void **state)
{
  (void)state;
  gs_log_header header = kit_header(GS_LOG_WAL, 7);
  uint8_t whole[GS_LOG_HEADER_BYTES];
  uint8_t page[GS_LOG_HEADER_BYTES];
  gs_log_header_encode(&header, whole);
  memcpy(page, whole, sizeof page);
  for (size_t bit = 0; bit < sizeof page * 8; bit += bit < 1000 ? 1 : 13) {
    page[bit / 8] ^= (uint8_t)(1 << bit % 8);
    assert_true(gs_log_header_repair(page, sizeof page));
    assert_memory_equal(page, whole, sizeof page);
    page[bit / 8] ^= (uint8_t)(1 << bit % 8);
    page[(bit / 8 + 9) % sizeof page] ^= 4;
    assert_false(gs_log_header_repair(page, sizeof page));
    memcpy(page, whole, sizeof page);
  }
  assert_false(gs_log_header_repair(page, sizeof page - 1));
}

static void
test_of_two_salts_the_one_that_fits_the_frames_is_believed(void **state)
{
  (void)state;
  for (size_t at = 0; at < AT; at += AT - 512) {
    size_t size;
    uint8_t *log = make_log(24, &size);
    gs_log_header header = kit_header(GS_LOG_WAL, 7);
    header.salt = identity.salt;
    gs_log_header_encode(&header, log);
    memset(log + at, 0x77, 512);
    gs_slice whole = gs_slice_of(log, size);
    assert_int_equal(gs_log_guess_salt(whole, 7), identity.salt);
    assert_int_equal(gs_log_guess_salt(gs_slice_of(log, AT - 1), 7), 0);
    free(log);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_wrong_bit_is_put_right_wherever_it_is),
      cmocka_unit_test(test_the_search_goes_up_to_its_bound_and_no_further),
      cmocka_unit_test(test_two_wrong_bits_stay_as_they_are),
      cmocka_unit_test(test_a_torn_frame_is_not_made_whole),
      cmocka_unit_test(test_a_frame_in_another_place_is_not_put_right),
      cmocka_unit_test(test_a_wrong_bit_of_a_header_page_is_put_right),
      cmocka_unit_test(
          test_of_two_salts_the_one_that_fits_the_frames_is_believed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
