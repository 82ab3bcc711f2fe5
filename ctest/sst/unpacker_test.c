/*
 * Tests of unpackers: stored blocks of either form are opened, what was opened
 * lasts until the next, and the pool keeps some unpackers and little memory.
 */
#include "sst/block_builder.h"
#include "sst/sst_kit.h"
#include "sst/unpacker.h"
#include "support/sim_machine.h"

enum { SEED = 7, MANY = 12 };

/* A block of one row that holds a letter many times. */
static gs_buffer
built(char letter, size_t count)
{
  gs_alloc *alloc = sim_machine_env->alloc;
  gs_block_builder builder;
  gs_buffer out;
  uint8_t *value = malloc(count);
  assert_non_null(value);
  memset(value, letter, count);
  gs_entry entry = {.key = gs_slice_str("key"),
                    .value = gs_slice_of(value, count),
                    .seq = 3,
                    .kind = GS_KIND_PUT};
  gs_buffer_init(&out, alloc);
  gs_block_builder_init(&builder, alloc);
  gs_block_builder_add(&builder, &entry, false);
  gs_block_builder_finish(&builder, SEED, &out);
  gs_block_builder_deinit(&builder);
  free(value);
  return out;
}

static gs_buffer
packed(char letter, size_t count, gs_codec codec)
{
  gs_alloc *alloc = sim_machine_env->alloc;
  gs_buffer out = built(letter, count);
  gs_encoder encoder;
  gs_buffer scratch;
  gs_error err;
  gs_encoder_init(&encoder, alloc, codec);
  gs_buffer_init(&scratch, alloc);
  KIT_OK(gs_packed_pack(&encoder, &scratch, &out, 0, SEED, &err), &err);
  assert_int_equal(gs_packed_codec(gs_buffer_slice(&out)), codec);
  gs_buffer_deinit(&scratch);
  gs_encoder_deinit(&encoder);
  return out;
}

static void
assert_letter(const gs_block *block, char letter, size_t count)
{
  gs_entry entry;
  assert_int_equal(block->row_count, 1);
  assert_true(gs_block_row(block, gs_block_row_at(block, 0), &entry) != 0);
  assert_int_equal(entry.value.size, count);
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(entry.value.data[i], letter);
  }
  assert_int_equal(gs_block_verify(block, false, NULL), GS_OK);
}

static void
test_either_form_is_opened(void **state)
{
  (void)state;
  gs_unpacker unpacker;
  gs_error err;
  gs_block block;
  gs_unpacker_init(&unpacker, sim_machine_env->alloc);
  for (size_t count = 100; count < 100000; count *= 3) {
    gs_buffer plain = built('p', count);
    KIT_OK(gs_unpacker_open(&unpacker, gs_buffer_slice(&plain), SEED,
                            GS_CODEC_LZ4, &block, &err),
           &err);
    assert_ptr_equal(block.data, plain.data);
    assert_letter(&block, 'p', count);
    for (int codec = 1; codec < GS_CODECS; codec++) {
      gs_buffer bytes = packed((char)('a' + codec), count, (gs_codec)codec);
      KIT_OK(gs_unpacker_open(&unpacker, gs_buffer_slice(&bytes), SEED,
                              (gs_codec)codec, &block, &err),
             &err);
      gs_buffer_deinit(&bytes);
      assert_letter(&block, (char)('a' + codec), count);
    }
    gs_buffer_deinit(&plain);
  }
  gs_unpacker_deinit(&unpacker);
}

static gs_status
try(gs_slice bytes, gs_codec codec)
{
  gs_unpacker unpacker;
  gs_block block;
  gs_unpacker_init(&unpacker, sim_machine_env->alloc);
  gs_status status =
      gs_unpacker_open(&unpacker, bytes, SEED, codec, &block, NULL);
  gs_unpacker_deinit(&unpacker);
  return status;
}

static void
test_a_codec_that_the_table_has_not_is_refused(void **state)
{
  (void)state;
  gs_buffer bytes = packed('x', 500, GS_CODEC_LZ4);
  gs_slice block = gs_buffer_slice(&bytes);
  assert_int_equal(try(block, GS_CODEC_LZ4), GS_OK);
  assert_int_equal(try(block, GS_CODEC_ZSTD), GS_CORRUPT);
  assert_int_equal(try(block, GS_CODEC_NONE), GS_VERSION);
  assert_int_equal(try(gs_slice_of(block.data, 10), GS_CODEC_LZ4), GS_CORRUPT);
  bytes.data[30] ^= 1;
  assert_int_equal(try(block, GS_CODEC_LZ4), GS_CORRUPT);
  gs_buffer_deinit(&bytes);
}

static void
test_without_memory_the_next_try_succeeds(void **state)
{
  (void)state;
  gs_buffer bytes = packed('x', 500, GS_CODEC_LZ4);
  gs_unpacker unpacker;
  gs_block block;
  gs_error err;
  gs_unpacker_init(&unpacker, sim_machine_env->alloc);
  gs_sim_fail_alloc(sim_machine, 1, 1);
  assert_int_equal(gs_unpacker_open(&unpacker, gs_buffer_slice(&bytes), SEED,
                                    GS_CODEC_LZ4, &block, NULL),
                   GS_NOMEM);
  KIT_OK(gs_unpacker_open(&unpacker, gs_buffer_slice(&bytes), SEED,
                          GS_CODEC_LZ4, &block, &err),
         &err);
  assert_letter(&block, 'x', 500);
  gs_unpacker_deinit(&unpacker);
  gs_buffer_deinit(&bytes);
}

static void
test_the_pool_lends_what_came_back(void **state)
{
  (void)state;
  gs_unpackers *pool;
  gs_unpacker *lent[MANY];
  gs_error err;
  KIT_OK(gs_unpackers_new(sim_machine_env, &pool, &err), &err);
  for (int i = 0; i < MANY; i++) {
    lent[i] = gs_unpackers_take(pool);
    assert_non_null(lent[i]);
    for (int j = 0; j < i; j++) {
      assert_ptr_not_equal(lent[i], lent[j]);
    }
  }
  uint64_t all = gs_sim_allocated_bytes(sim_machine);
  for (int i = 0; i < MANY; i++) {
    gs_unpackers_give(pool, lent[i]);
  }
  uint64_t kept = gs_sim_allocated_bytes(sim_machine);
  assert_true(kept < all);
  gs_unpacker *again = gs_unpackers_take(pool);
  assert_int_equal(gs_sim_allocated_bytes(sim_machine), kept);
  gs_unpackers_give(pool, again);
  gs_unpackers_free(pool);
}

static void
test_the_pool_keeps_no_giant_buffer(void **state)
{
  (void)state;
  gs_unpackers *pool;
  gs_error err;
  KIT_OK(gs_unpackers_new(sim_machine_env, &pool, &err), &err);
  gs_unpacker *unpacker = gs_unpackers_take(pool);
  uint64_t before = gs_sim_allocated_bytes(sim_machine);
  assert_true(gs_buffer_reserve(&unpacker->bytes, 5 << 20));
  gs_unpackers_give(pool, unpacker);
  assert_int_equal(gs_sim_allocated_bytes(sim_machine), before);
  gs_unpackers_free(pool);
}

static void
test_without_memory_nothing_is_lent(void **state)
{
  (void)state;
  gs_unpackers *pool;
  gs_error err;
  for (uint64_t nth = 1; nth <= 2; nth++) {
    gs_sim_fail_alloc(sim_machine, nth, 1);
    assert_int_equal(gs_unpackers_new(sim_machine_env, &pool, &err), GS_NOMEM);
    assert_null(pool);
  }
  KIT_OK(gs_unpackers_new(sim_machine_env, &pool, &err), &err);
  gs_sim_fail_alloc(sim_machine, 1, 1);
  assert_null(gs_unpackers_take(pool));
  gs_unpacker *unpacker = gs_unpackers_take(pool);
  assert_non_null(unpacker);
  gs_unpackers_give(pool, unpacker);
  gs_unpackers_free(pool);
  gs_unpackers_free(NULL);
}

#define WITH_MACHINE(test)                                  \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      WITH_MACHINE(test_either_form_is_opened),
      WITH_MACHINE(test_a_codec_that_the_table_has_not_is_refused),
      WITH_MACHINE(test_without_memory_the_next_try_succeeds),
      WITH_MACHINE(test_the_pool_lends_what_came_back),
      WITH_MACHINE(test_the_pool_keeps_no_giant_buffer),
      WITH_MACHINE(test_without_memory_nothing_is_lent),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
