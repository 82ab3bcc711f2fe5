/*
 * Tests of the batch: its exact bytes, that they come back as they went in,
 * that appends stop at the first failure, and that no damaged payload is taken
 * for a good one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "code/fixed.h"
#include "data/batch.h"
#include "support/cursor_battery.h"
#include "support/test_alloc.h"

enum { FIRST_SEQ = 100, ROUND_TRIPS = 2000, DAMAGES = 20000 };

static test_alloc heap;

static int
set_up(void **state)
{
  (void)state;
  test_alloc_init(&heap);
  return 0;
}

static int
tear_down(void **state)
{
  (void)state;
  return heap.live_bytes == 0 ? 0 : -1;
}

static void
fill_sample(gs_batch *batch)
{
  gs_batch_init(batch, &heap.base);
  gs_batch_set_now(batch, 0x1122);
  gs_batch_put(batch, gs_slice_str("k"), gs_slice_str("val"), 0);
  gs_batch_delete(batch, gs_slice_str("gone"));
  gs_batch_meta(batch, gs_slice_str("hi"));
  gs_batch_put(batch, gs_slice_str(""), gs_slice_str(""), 0x0A0B);
}

static const uint8_t sample_bytes[] = {
    0x22, 0x11, 0, 0, 0, 0, 0, 0,                     /* time */
    1,    0,    1, 0, 3, 0, 0, 0, 'k', 'v', 'a', 'l', /* put */
    2,    0,    4, 0, 0, 0, 0, 0, 'g', 'o', 'n', 'e', /* delete */
    16,   0,    0, 0, 2, 0, 0, 0, 'h', 'i',           /* meta */
    1,    1,    0, 0, 0, 0, 0, 0,                     /* put */
    0x0B, 0x0A, 0, 0, 0, 0, 0, 0,
};

/* Writing --------------------------------------------------------------- */

static void
test_the_payload_is_exactly_these_bytes(void **state)
{
  (void)state;
  gs_batch batch;
  fill_sample(&batch);
  assert_int_equal(gs_batch_status(&batch, NULL), GS_OK);
  assert_int_equal(batch.bytes.size, sizeof sample_bytes);
  assert_memory_equal(batch.bytes.data, sample_bytes, sizeof sample_bytes);
  assert_int_equal(batch.entry_count, 3);
  assert_int_equal(batch.tombstone_count, 1);
  gs_batch_deinit(&batch);
}

static void
test_an_empty_batch_is_a_header_of_zeros(void **state)
{
  (void)state;
  gs_batch batch;
  gs_batch_init(&batch, &heap.base);
  static const uint8_t zeros[GS_BATCH_HEADER_BYTES];
  assert_int_equal(batch.bytes.size, sizeof zeros);
  assert_memory_equal(batch.bytes.data, zeros, sizeof zeros);
  gs_batch_deinit(&batch);
}

static void
test_clear_forgets_content_and_failure(void **state)
{
  (void)state;
  gs_batch batch;
  fill_sample(&batch);
  gs_batch_put(&batch, gs_slice_of("", GS_KEY_MAX_BYTES + 1),
               gs_slice_of(NULL, 0), 0);
  assert_int_equal(gs_batch_status(&batch, NULL), GS_TOOLARGE);
  gs_batch_clear(&batch);
  assert_int_equal(gs_batch_status(&batch, NULL), GS_OK);
  assert_int_equal(batch.bytes.size, GS_BATCH_HEADER_BYTES);
  assert_int_equal(gs_get_u64(batch.bytes.data), 0);
  assert_int_equal(batch.entry_count, 0);
  assert_int_equal(batch.tombstone_count, 0);
  gs_batch_deinit(&batch);
}

/* The batch refuses the entry, keeps what it has, and takes no more. */
static void
expect_refusal(gs_batch *batch, gs_slice key, gs_slice value)
{
  size_t size = batch->bytes.size;
  gs_batch_put(batch, key, value, 0);
  gs_error err;
  assert_int_equal(gs_batch_status(batch, &err), GS_TOOLARGE);
  assert_int_equal(err.status, GS_TOOLARGE);
  gs_batch_delete(batch, gs_slice_str("later"));
  gs_batch_meta(batch, gs_slice_str("later"));
  assert_int_equal(batch->bytes.size, size);
  gs_batch_deinit(batch);
}

static void
test_the_first_failure_stops_all_later_appends(void **state)
{
  (void)state;
  gs_batch batch;
  gs_slice empty = gs_slice_of(NULL, 0);
  fill_sample(&batch);
  expect_refusal(&batch, gs_slice_of("", GS_KEY_MAX_BYTES + 1), empty);
  fill_sample(&batch);
  expect_refusal(&batch, empty,
                 gs_slice_of("", (size_t)GS_VALUE_MAX_BYTES + 1));
  fill_sample(&batch);
  expect_refusal(&batch, empty, gs_slice_of("", SIZE_MAX));
  fill_sample(&batch);
  batch.entry_count = GS_BATCH_MAX_ENTRIES;
  expect_refusal(&batch, empty, empty);
}

static void
test_a_batch_takes_what_just_fits_and_not_a_byte_more(void **state)
{
  (void)state;
  gs_batch batch;
  gs_batch_init(&batch, &heap.base);
  static uint8_t key[GS_KEY_MAX_BYTES];
  gs_batch_put(&batch, gs_slice_of(key, sizeof key), gs_slice_of(NULL, 0), 0);
  assert_int_equal(gs_batch_status(&batch, NULL), GS_OK);
  size_t size = batch.bytes.size;
  batch.bytes.size = GS_BATCH_MAX_BYTES - GS_BATCH_RECORD_BYTES - 3;
  heap.allocations_left = 0;
  gs_batch_put(&batch, gs_slice_str("abc"), gs_slice_str("d"), 0);
  assert_int_equal(gs_batch_status(&batch, NULL), GS_TOOLARGE);
  batch.failure = GS_OK;
  gs_batch_put(&batch, gs_slice_str("abc"), gs_slice_of(NULL, 0), 0);
  assert_int_equal(gs_batch_status(&batch, NULL), GS_NOMEM);
  heap.allocations_left = UINT64_MAX;
  batch.bytes.size = size;
  gs_batch_deinit(&batch);
}

static void
test_every_allocation_may_fail(void **state)
{
  (void)state;
  static const uint8_t value[1000];
  for (uint64_t n = 0;; n++) {
    heap.allocations_left = n;
    gs_batch batch;
    fill_sample(&batch);
    gs_batch_put(&batch, gs_slice_str("large"), gs_slice_of(value, 1000), 0);
    gs_status status = gs_batch_status(&batch, NULL);
    heap.allocations_left = UINT64_MAX;
    if (status == GS_OK) {
      gs_batch_deinit(&batch);
      assert_int_equal(n, 2);
      return;
    }
    assert_int_equal(status, GS_NOMEM);
    gs_batch_clear(&batch);
    gs_batch_delete(&batch, gs_slice_str("again"));
    assert_int_equal(gs_batch_status(&batch, NULL), GS_OK);
    gs_batch_deinit(&batch);
  }
}

/* Reading --------------------------------------------------------------- */

static gs_entry
read_one(gs_batch_reader *reader, gs_batch_item wanted)
{
  gs_batch_item item;
  gs_entry entry = {.seq = 0};
  assert_int_equal(gs_batch_read(reader, &item, &entry, NULL), GS_OK);
  assert_int_equal(item, wanted);
  return entry;
}

static void
test_the_sample_reads_back(void **state)
{
  (void)state;
  gs_batch_reader reader;
  gs_slice payload = gs_slice_of(sample_bytes, sizeof sample_bytes);
  assert_int_equal(gs_batch_read_begin(&reader, payload, FIRST_SEQ, NULL),
                   GS_OK);
  assert_int_equal(reader.now_ms, 0x1122);
  gs_entry put = read_one(&reader, GS_BATCH_ENTRY);
  assert_true(gs_slice_equal(put.key, gs_slice_str("k")));
  assert_true(gs_slice_equal(put.value, gs_slice_str("val")));
  assert_int_equal(put.kind, GS_KIND_PUT);
  assert_int_equal(put.seq, FIRST_SEQ);
  assert_int_equal(put.expires_at_ms, 0);
  gs_entry gone = read_one(&reader, GS_BATCH_ENTRY);
  assert_true(gs_slice_equal(gone.key, gs_slice_str("gone")));
  assert_int_equal(gone.value.size, 0);
  assert_int_equal(gone.kind, GS_KIND_DELETE);
  assert_int_equal(gone.seq, FIRST_SEQ + 1);
  gs_entry note = read_one(&reader, GS_BATCH_META);
  assert_true(gs_slice_equal(note.value, gs_slice_str("hi")));
  gs_entry expiring = read_one(&reader, GS_BATCH_ENTRY);
  assert_int_equal(expiring.expires_at_ms, 0x0A0B);
  assert_int_equal(expiring.seq, FIRST_SEQ + 2);
  read_one(&reader, GS_BATCH_END);
  read_one(&reader, GS_BATCH_END);
}

/* Reads all of a payload and writes it again; GS_OK only when all was read. */
static gs_status
copy_payload(gs_slice payload, gs_batch *out)
{
  gs_batch_reader reader;
  gs_status status = gs_batch_read_begin(&reader, payload, FIRST_SEQ, NULL);
  gs_batch_item item = GS_BATCH_END;
  if (status == GS_OK) {
    gs_batch_set_now(out, reader.now_ms);
  }
  while (status == GS_OK) {
    gs_entry entry;
    status = gs_batch_read(&reader, &item, &entry, NULL);
    if (status != GS_OK || item == GS_BATCH_END) {
      break;
    }
    if (item == GS_BATCH_META) {
      gs_batch_meta(out, entry.value);
    } else if (entry.kind == GS_KIND_DELETE) {
      gs_batch_delete(out, entry.key);
    } else {
      gs_batch_put(out, entry.key, entry.value, entry.expires_at_ms);
    }
  }
  return status;
}

static void
append_random(gs_batch *batch, uint64_t *random)
{
  static const uint8_t bytes[300] = {7, 9};
  size_t sizes[] = {0, 1, 4, 16, 255, 300};
  gs_slice key = gs_slice_of(bytes, sizes[battery_random_below(random, 6)]);
  gs_slice value = gs_slice_of(bytes, sizes[battery_random_below(random, 6)]);
  switch (battery_random_below(random, 4)) {
  case 0:
    gs_batch_delete(batch, key);
    break;
  case 1:
    gs_batch_meta(batch, value);
    break;
  default:
    gs_batch_put(batch, key, value, battery_random_below(random, 3));
  }
}

static void
test_random_batches_read_back_to_the_same_bytes(void **state)
{
  (void)state;
  uint64_t random = 20;
  for (int round = 0; round < ROUND_TRIPS; round++) {
    gs_batch batch;
    gs_batch copy;
    gs_batch_init(&batch, &heap.base);
    gs_batch_init(&copy, &heap.base);
    gs_batch_set_now(&batch, battery_random_below(&random, 1000));
    for (size_t n = battery_random_below(&random, 20); n > 0; n--) {
      append_random(&batch, &random);
    }
    assert_int_equal(copy_payload(gs_buffer_slice(&batch.bytes), &copy), GS_OK);
    assert_true(gs_slice_equal(gs_buffer_slice(&batch.bytes),
                               gs_buffer_slice(&copy.bytes)));
    assert_int_equal(copy.entry_count, batch.entry_count);
    gs_batch_deinit(&batch);
    gs_batch_deinit(&copy);
  }
}

/* Refusals -------------------------------------------------------------- */

#define TIME "\0\0\0\0\0\0\0\0"
#define MALFORMED(text)                    \
  {                                        \
    (const uint8_t *)text, sizeof text - 1 \
  }

static void
test_malformed_payloads_are_refused(void **state)
{
  (void)state;
  static const gs_slice payloads[] = {
      MALFORMED(""),
      MALFORMED("\1\2\3\4\5\6\7"),
      MALFORMED(TIME "\1"),
      MALFORMED(TIME "\1\0\0\0\0\0\0"),
      MALFORMED(TIME "\0\0\0\0\0\0\0\0"),
      MALFORMED(TIME "\1\0\1\0\0\0\0\0"),
      MALFORMED(TIME "\1\0\1\0\1\0\0\0k"),
      MALFORMED(TIME "\1\0\377\377\377\377\377\377k"),
      MALFORMED(TIME "\1\0\0\0\0\0\0\100"),
      MALFORMED(TIME "\1\1\0\0\0\0\0\0\1\1\1\1\1\1\1"),
      MALFORMED(TIME "\1\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
      MALFORMED(TIME "\2\0\0\0\1\0\0\0v"),
      MALFORMED(TIME "\2\1\0\0\0\0\0\0\1\1\1\1\1\1\1\1"),
      MALFORMED(TIME "\20\0\1\0\0\0\0\0k"),
      MALFORMED(TIME "\20\1\0\0\0\0\0\0\1\1\1\1\1\1\1\1"),
      MALFORMED(TIME "\2\0\1\0\0\0\0\0k\1"),
  };
  size_t count = sizeof payloads / sizeof payloads[0];
  for (size_t i = 0; i < count; i++) {
    gs_batch out;
    gs_batch_init(&out, &heap.base);
    assert_int_equal(copy_payload(payloads[i], &out), GS_CORRUPT);
    gs_batch_deinit(&out);
  }
  print_message("%zu malformed payloads refused\n", count);
}

static void
test_what_a_newer_version_may_have_written_is_told_from_damage(void **state)
{
  (void)state;
  static const gs_slice payloads[] = {
      MALFORMED(TIME "\3\0\0\0\0\0\0\0"),
      MALFORMED(TIME "\377\0\0\0\0\0\0\0"),
      MALFORMED(TIME "\1\2\0\0\0\0\0\0"),
      MALFORMED(TIME "\1\200\0\0\0\0\0\0"),
  };
  for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++) {
    gs_batch out;
    gs_batch_init(&out, &heap.base);
    assert_int_equal(copy_payload(payloads[i], &out), GS_VERSION);
    gs_batch_deinit(&out);
  }
}

/* Twice: a refused record stays where it is. */
static void
expect_fault(gs_slice payload, gs_status status, const char *fault)
{
  gs_batch_reader reader;
  assert_int_equal(gs_batch_read_begin(&reader, payload, 1, NULL), GS_OK);
  for (int i = 0; i < 2; i++) {
    gs_batch_item item;
    gs_entry entry;
    gs_error err;
    assert_int_equal(gs_batch_read(&reader, &item, &entry, &err), status);
    assert_non_null(strstr(err.message, fault));
  }
}

static void
test_a_refusal_names_the_fault_and_repeats(void **state)
{
  (void)state;
  static const uint8_t unknown[] = TIME "\3\0\0\0\0\0\0";
  static const uint8_t large[] = TIME "\1\0\0\0\0\0\0\100";
  static const uint8_t cut[] = TIME "\1\0\0";
  expect_fault(gs_slice_of(unknown, sizeof unknown), GS_VERSION,
               "an unknown kind");
  expect_fault(gs_slice_of(large, sizeof large - 1), GS_CORRUPT,
               "a value too large");
  expect_fault(gs_slice_of(cut, sizeof cut), GS_CORRUPT, "a record cut short");
}

static void
test_sequence_numbers_end_at_their_limit(void **state)
{
  (void)state;
  gs_batch_reader reader;
  gs_slice payload = gs_slice_of(sample_bytes, sizeof sample_bytes);
  assert_int_equal(gs_batch_read_begin(&reader, payload, GS_SEQ_MAX - 1, NULL),
                   GS_OK);
  read_one(&reader, GS_BATCH_ENTRY);
  gs_entry last = read_one(&reader, GS_BATCH_ENTRY);
  assert_true(last.seq == GS_SEQ_MAX);
  read_one(&reader, GS_BATCH_META);
  gs_batch_item item;
  gs_entry entry;
  assert_int_equal(gs_batch_read(&reader, &item, &entry, NULL), GS_CORRUPT);
}

static void
test_a_payload_cut_anywhere_is_refused_or_ends_between_records(void **state)
{
  (void)state;
  for (size_t size = 0; size < sizeof sample_bytes; size++) {
    bool is_between = size == 8 || size == 20 || size == 32 || size == 42;
    gs_batch out;
    gs_batch_init(&out, &heap.base);
    assert_int_equal(copy_payload(gs_slice_of(sample_bytes, size), &out),
                     is_between ? GS_OK : GS_CORRUPT);
    gs_batch_deinit(&out);
  }
}

static void
test_damaged_payloads_are_refused_or_are_other_good_ones(void **state)
{
  (void)state;
  uint64_t random = 7;
  int refused = 0;
  for (int round = 0; round < DAMAGES; round++) {
    uint8_t bytes[sizeof sample_bytes];
    memcpy(bytes, sample_bytes, sizeof bytes);
    size_t flips = 1 + battery_random_below(&random, 3);
    for (; flips > 0; flips--) {
      size_t at = battery_random_below(&random, sizeof bytes);
      bytes[at] ^= (uint8_t)(1u << battery_random_below(&random, 8));
    }
    gs_batch out;
    gs_batch_init(&out, &heap.base);
    gs_slice payload = gs_slice_of(bytes, sizeof bytes);
    if (copy_payload(payload, &out) != GS_OK) {
      refused++;
    } else {
      assert_true(gs_slice_equal(payload, gs_buffer_slice(&out.bytes)));
    }
    gs_batch_deinit(&out);
  }
  assert_in_range(refused, DAMAGES / 4, DAMAGES - 1);
  print_message("%d damaged payloads, %d refused\n", DAMAGES, refused);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_payload_is_exactly_these_bytes),
      cmocka_unit_test(test_an_empty_batch_is_a_header_of_zeros),
      cmocka_unit_test(test_clear_forgets_content_and_failure),
      cmocka_unit_test(test_the_first_failure_stops_all_later_appends),
      cmocka_unit_test(test_a_batch_takes_what_just_fits_and_not_a_byte_more),
      cmocka_unit_test(test_every_allocation_may_fail),
      cmocka_unit_test(test_the_sample_reads_back),
      cmocka_unit_test(test_random_batches_read_back_to_the_same_bytes),
      cmocka_unit_test(test_malformed_payloads_are_refused),
      cmocka_unit_test(
          test_what_a_newer_version_may_have_written_is_told_from_damage),
      cmocka_unit_test(test_a_refusal_names_the_fault_and_repeats),
      cmocka_unit_test(test_sequence_numbers_end_at_their_limit),
      cmocka_unit_test(
          test_a_payload_cut_anywhere_is_refused_or_ends_between_records),
      cmocka_unit_test(
          test_damaged_payloads_are_refused_or_are_other_good_ones),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
