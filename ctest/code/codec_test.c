/*
 * Tests of the codecs: what is encoded comes back, also by streams that were
 * made by hand; what has the wrong size or was changed does not, and no input
 * does harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "code/codec.h"
#include "support/test_alloc.h"

static const gs_codec codecs[] = {GS_CODEC_LZ4, GS_CODEC_ZSTD};

enum { CODECS = 2, ROOM = 20000 };

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
  assert_int_equal(heap.live_bytes, 0);
  return 0;
}

static uint64_t
next_random(uint64_t *state)
{
  *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407U;
  return *state >> 33;
}

/* Runs of bytes and runs of chance, about half and half. */
static void
fill(uint8_t *bytes, size_t size, uint64_t seed)
{
  for (size_t i = 0; i < size;) {
    uint64_t run = 1 + next_random(&seed) % 40;
    bool is_chance = next_random(&seed) % 2 == 0;
    uint8_t byte = (uint8_t)next_random(&seed);
    for (; run > 0 && i < size; run--) {
      bytes[i++] = is_chance ? (uint8_t)next_random(&seed) : byte;
    }
  }
}

/* Encodes into exactly as much memory as there is said to be. */
static size_t
encode(gs_encoder *encoder, gs_slice bytes, uint8_t *out, size_t room)
{
  size_t size = 1;
  gs_error err;
  assert_int_equal(gs_encoder_run(encoder, bytes, out, room, &size, &err),
                   GS_OK);
  assert_true(size <= room);
  return size;
}

static gs_status
decode(gs_decoder *decoder, gs_codec codec, const uint8_t *bytes, size_t size,
       size_t wanted)
{
  uint8_t *out = malloc(wanted + 1);
  assert_non_null(out);
  gs_status status = gs_decoder_run(decoder, codec, gs_slice_of(bytes, size),
                                    out, wanted, NULL);
  free(out);
  return status;
}

static void
test_what_is_encoded_comes_back(void **state)
{
  (void)state;
  static uint8_t plain[ROOM];
  static uint8_t packed[2 * ROOM];
  static uint8_t again[ROOM];
  for (int c = 0; c < CODECS; c++) {
    gs_encoder encoder;
    gs_decoder decoder;
    gs_encoder_init(&encoder, &heap.base, codecs[c]);
    gs_decoder_init(&decoder);
    for (size_t size = 1; size <= ROOM; size += 1 + size / 3) {
      fill(plain, size, size);
      size_t made =
          encode(&encoder, gs_slice_of(plain, size), packed, sizeof packed);
      assert_true(made > 0);
      assert_true(size < 1000 || made < size);
      gs_error err;
      assert_int_equal(gs_decoder_run(&decoder, codecs[c],
                                      gs_slice_of(packed, made), again, size,
                                      &err),
                       GS_OK);
      assert_memory_equal(again, plain, size);
    }
    gs_encoder_deinit(&encoder);
    gs_decoder_deinit(&decoder);
  }
}

static void
test_the_room_is_never_exceeded(void **state)
{
  (void)state;
  static uint8_t plain[1000];
  fill(plain, sizeof plain, 5);
  for (int c = 0; c < CODECS; c++) {
    gs_encoder encoder;
    gs_encoder_init(&encoder, &heap.base, codecs[c]);
    size_t fits = 0;
    for (size_t room = 1; room <= 1000; room++) {
      uint8_t *out = malloc(room);
      assert_non_null(out);
      size_t made =
          encode(&encoder, gs_slice_of(plain, sizeof plain), out, room);
      free(out);
      fits += made > 0;
    }
    assert_in_range(fits, 100, 900);
    gs_encoder_deinit(&encoder);
  }
}

static void
test_streams_made_by_hand_are_decoded(void **state)
{
  (void)state;
  /* four literals, then a copy of sixteen bytes from four back, five literals */
  static const uint8_t lz4[] = {0x4c, 'a', 'b', 'c', 'd', 4,  0,
                                0x50, 'e', 'f', 'g', 'h', 'i'};
  /* a frame of one segment of 25 bytes that holds one block as it is */
  static const uint8_t zstd[] = {
      0x28, 0xb5, 0x2f, 0xfd, 0x20, 25,  25 << 3 | 1, 0,   0,   'a', 'b', 'c',
      'd',  'a',  'b',  'c',  'd',  'a', 'b',         'c', 'd', 'a', 'b', 'c',
      'd',  'a',  'b',  'c',  'd',  'e', 'f',         'g', 'h', 'i'};
  static const char wanted[] = "abcdabcdabcdabcdabcdefghi";
  gs_slice streams[] = {gs_slice_of(lz4, sizeof lz4),
                        gs_slice_of(zstd, sizeof zstd)};
  for (int c = 0; c < CODECS; c++) {
    uint8_t out[25];
    gs_decoder decoder;
    gs_error err;
    gs_decoder_init(&decoder);
    assert_int_equal(
        gs_decoder_run(&decoder, codecs[c], streams[c], out, sizeof out, &err),
        GS_OK);
    assert_memory_equal(out, wanted, sizeof out);
    gs_decoder_deinit(&decoder);
  }
}

static void
test_another_size_does_not_decode(void **state)
{
  (void)state;
  static uint8_t plain[3000];
  static uint8_t packed[4000];
  fill(plain, sizeof plain, 3);
  for (int c = 0; c < CODECS; c++) {
    gs_encoder encoder;
    gs_decoder decoder;
    gs_encoder_init(&encoder, &heap.base, codecs[c]);
    gs_decoder_init(&decoder);
    size_t made = encode(&encoder, gs_slice_of(plain, sizeof plain), packed,
                         sizeof packed);
    for (size_t wanted = 0; wanted <= 2 * sizeof plain; wanted += 40) {
      assert_int_equal(decode(&decoder, codecs[c], packed, made, wanted),
                       wanted == sizeof plain ? GS_OK : GS_CORRUPT);
    }
    for (size_t size = 0; size < made; size++) {
      assert_int_equal(decode(&decoder, codecs[c], packed, size, sizeof plain),
                       GS_CORRUPT);
    }
    /* More than one of the libraries can count. */
    assert_int_equal(gs_decoder_run(&decoder, codecs[c],
                                    gs_slice_of(packed, made), plain,
                                    (size_t)UINT32_MAX / 2 + 1, NULL),
                     GS_CORRUPT);
    gs_encoder_deinit(&encoder);
    gs_decoder_deinit(&decoder);
  }
}

static void
test_no_input_does_harm(void **state)
{
  (void)state;
  static uint8_t plain[600];
  static uint8_t packed[900];
  fill(plain, sizeof plain, 8);
  for (int c = 0; c < CODECS; c++) {
    gs_encoder encoder;
    gs_decoder decoder;
    gs_encoder_init(&encoder, &heap.base, codecs[c]);
    gs_decoder_init(&decoder);
    size_t made = encode(&encoder, gs_slice_of(plain, sizeof plain), packed,
                         sizeof packed);
    for (size_t bit = 0; bit < made * 8; bit++) {
      packed[bit / 8] ^= (uint8_t)(1U << bit % 8);
      (void)!decode(&decoder, codecs[c], packed, made, sizeof plain);
      packed[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    uint64_t seed = 17;
    for (int round = 0; round < 2000; round++) {
      size_t size = (size_t)(next_random(&seed) % sizeof packed);
      fill(packed, size, seed);
      (void)!decode(&decoder, codecs[c], packed, size, sizeof plain);
    }
    gs_encoder_deinit(&encoder);
    gs_decoder_deinit(&decoder);
  }
}

static void
test_memory_is_taken_once(void **state)
{
  (void)state;
  static uint8_t plain[4096];
  static uint8_t packed[4096];
  fill(plain, sizeof plain, 2);
  gs_encoder encoder;
  gs_encoder_init(&encoder, &heap.base, GS_CODEC_LZ4);
  assert_int_equal(heap.live_bytes, 0);
  encode(&encoder, gs_slice_of(plain, sizeof plain), packed, sizeof packed);
  size_t held = heap.live_bytes;
  assert_true(held > 0);
  heap.allocations_left = 0;
  encode(&encoder, gs_slice_of(plain, sizeof plain), packed, sizeof packed);
  assert_int_equal(heap.live_bytes, held);
  heap.allocations_left = UINT64_MAX;
  gs_encoder_deinit(&encoder);
}

static void
test_without_memory_nothing_is_encoded(void **state)
{
  (void)state;
  uint8_t plain[64] = {0};
  uint8_t packed[64];
  size_t size = 9;
  gs_encoder encoder;
  gs_error err;
  gs_encoder_init(&encoder, &heap.base, GS_CODEC_LZ4);
  heap.allocations_left = 0;
  assert_int_equal(gs_encoder_run(&encoder, gs_slice_of(plain, sizeof plain),
                                  packed, sizeof packed, &size, &err),
                   GS_NOMEM);
  assert_int_equal(size, 0);
  heap.allocations_left = UINT64_MAX;
  gs_encoder_deinit(&encoder);
}

static void
test_codecs_have_names(void **state)
{
  (void)state;
  assert_string_equal(gs_codec_name(GS_CODEC_NONE), "none");
  assert_string_equal(gs_codec_name(GS_CODEC_LZ4), "lz4");
  assert_string_equal(gs_codec_name(GS_CODEC_ZSTD), "zstd");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_is_encoded_comes_back),
      cmocka_unit_test(test_the_room_is_never_exceeded),
      cmocka_unit_test(test_streams_made_by_hand_are_decoded),
      cmocka_unit_test(test_another_size_does_not_decode),
      cmocka_unit_test(test_no_input_does_harm),
      cmocka_unit_test(test_memory_is_taken_once),
      cmocka_unit_test(test_without_memory_nothing_is_encoded),
      cmocka_unit_test(test_codecs_have_names),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
