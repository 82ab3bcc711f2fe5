/*
 * Tests of tables whose writer has a codec: which blocks it packs, and that the
 * table says so.
 */
#include "sst/footer.h"
#include "sst/format.h"
#include "sst/sst_kit.h"
#include "support/sim_machine.h"

/* Writes the same entries with the codec of the kit, and reads the file. */
static void
write_sample(gs_buffer *bytes, gs_table_meta *meta, gs_buffer *keys)
{
  kit_taste taste = {.seed = 31,
                     .key_count = 300,
                     .max_versions = 2,
                     .max_value = 90,
                     .max_seq_jump = 3};
  kit_entries entries = kit_entries_random(&taste);
  gs_table_writer_options options = kit_options("/t");
  options.block_bytes = 1024;
  gs_error err;
  gs_buffer_init(bytes, sim_machine_env->alloc);
  gs_buffer_init(keys, sim_machine_env->alloc);
  KIT_OK(kit_write(sim_machine_env, &options, &entries, meta, keys, &err),
         &err);
  KIT_OK(gs_sim_read(sim_machine, "/t", bytes, &err), &err);
  KIT_OK(gs_env_remove(sim_machine_env, "/t", &err), &err);
  kit_entries_free(&entries);
}

static gs_table_footer
footer_of(const gs_buffer *bytes)
{
  gs_table_footer footer;
  gs_error err;
  uint64_t at = bytes->size - GS_TABLE_FOOTER_BYTES;
  KIT_OK(gs_table_footer_decode(bytes->data + at,
                                gs_checksum_seed(KIT_SALT, KIT_ID, at),
                                bytes->size, &footer, &err),
         &err);
  return footer;
}

static void
test_blocks_that_shrink_are_packed_and_the_file_is_smaller(void **state)
{
  (void)state;
  gs_buffer sizes[GS_CODECS];
  gs_table_meta metas[GS_CODECS];
  gs_buffer keys[GS_CODECS];
  for (int codec = GS_CODECS - 1; codec >= 0; codec--) {
    kit_codec = (gs_codec)codec;
    write_sample(&sizes[codec], &metas[codec], &keys[codec]);
    gs_table_footer footer = footer_of(&sizes[codec]);
    size_t packed = kit_count_packed(sizes[codec].data, footer.block_count);
    assert_int_equal(footer.features, 1 | gs_codec_feature(kit_codec));
    assert_int_equal(gs_get_u32(sizes[codec].data + 12), footer.features);
    assert_int_equal(metas[codec].file_bytes, sizes[codec].size);
    assert_true(codec == 0 ? packed == 0 : packed > footer.block_count / 2);
  }
  assert_true(sizes[GS_CODEC_LZ4].size < sizes[0].size);
  assert_true(sizes[GS_CODEC_ZSTD].size < sizes[0].size);
  for (int codec = 0; codec < GS_CODECS; codec++) {
    gs_buffer_deinit(&sizes[codec]);
    gs_buffer_deinit(&keys[codec]);
  }
}

/* Keys rise by chance and values have no pattern: nothing shrinks. */
static void
test_a_table_in_which_nothing_shrinks_has_the_blocks_of_a_plain_one(
    void **state)
{
  (void)state;
  uint8_t value[700];
  uint64_t chance = 3;
  for (size_t i = 0; i < sizeof value; i++) {
    value[i] = (uint8_t)kit_random(&chance);
  }
  kit_entries entries = {.count = 0};
  gs_entry entry = {.key = gs_slice_str("k"),
                    .value = gs_slice_of(value, sizeof value),
                    .seq = 1,
                    .kind = GS_KIND_PUT};
  kit_entries_add(&entries, &entry);
  gs_buffer files[2];
  for (int i = 0; i < 2; i++) {
    gs_table_writer_options options = kit_options("/t");
    options.codec = i == 0 ? GS_CODEC_NONE : GS_CODEC_ZSTD;
    gs_table_meta meta;
    gs_buffer keys;
    gs_error err;
    gs_buffer_init(&keys, sim_machine_env->alloc);
    gs_buffer_init(&files[i], sim_machine_env->alloc);
    KIT_OK(kit_write(sim_machine_env, &options, &entries, &meta, &keys, &err),
           &err);
    KIT_OK(gs_sim_read(sim_machine, "/t", &files[i], &err), &err);
    KIT_OK(gs_env_remove(sim_machine_env, "/t", &err), &err);
    gs_buffer_deinit(&keys);
  }
  assert_int_equal(files[0].size, files[1].size);
  size_t end = (size_t)footer_of(&files[0]).index.offset;
  assert_memory_equal(files[0].data + GS_TABLE_HEADER_BYTES,
                      files[1].data + GS_TABLE_HEADER_BYTES,
                      end - GS_TABLE_HEADER_BYTES);
  gs_buffer_deinit(&files[0]);
  gs_buffer_deinit(&files[1]);
  kit_entries_free(&entries);
}

#define ON_SIM(test)                                        \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ON_SIM(test_blocks_that_shrink_are_packed_and_the_file_is_smaller),
      ON_SIM(
          test_a_table_in_which_nothing_shrinks_has_the_blocks_of_a_plain_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
