/*
 * Tests of sizes beside files and memtables that really are written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab_kit.h"

#include "mem/memtable.h"
#include "sst/writer.h"
#include "support/sim_machine.h"

enum { SPACING = 1000, ROOM = 4096 };

/* Keys lie evenly at random over the key space, as the lab supposes. */
static gs_slice
key_at(uint8_t *bytes, size_t index, size_t count, const gs_lab_format *format,
       uint64_t *seed)
{
  double step = (double)GS_SPACE / (double)count;
  double at =
      ((double)index + (double)(kit_random(seed) % SPACING) / SPACING) * step;
  memset(bytes, '.', format->key_bytes);
  gs_position_put(bytes, (uint64_t)at);
  return gs_slice_of(bytes, format->key_bytes);
}

/* The file of so many keys, of which one in `every` is a tombstone. */
static uint64_t
write_table(const gs_lab_format *format, size_t count, size_t every,
            gs_count *entries)
{
  static uint8_t bytes[ROOM];
  static uint8_t value[ROOM];
  uint64_t seed = 99;
  gs_table_writer *writer = NULL;
  const gs_table_writer_options options = {.path = "/table",
                                           .id = 1,
                                           .block_bytes = format->block_bytes,
                                           .has_point_index = true};
  assert_int_equal(
      gs_table_writer_new(sim_machine_env, &options, &writer, NULL), GS_OK);
  *entries = (gs_count){0, 0};
  for (size_t i = 0; i < count; i++) {
    bool is_gone = every > 0 && kit_random(&seed) % every == 0;
    gs_entry entry = {
        .key = key_at(bytes, i, count, format, &seed),
        .value = gs_slice_of(value, is_gone ? 0 : format->value_bytes),
        .seq = 1 + kit_random(&seed) % count,
        .expires_at_ms = format->expires && !is_gone ? 5 : 0,
        .kind = is_gone ? GS_KIND_DELETE : GS_KIND_PUT,
    };
    entries->puts += !is_gone;
    entries->gones += is_gone;
    assert_int_equal(gs_table_writer_add(writer, &entry, NULL), GS_OK);
  }
  gs_table_meta meta;
  gs_buffer keys;
  gs_buffer_init(&keys, sim_machine_env->alloc);
  assert_int_equal(gs_table_writer_finish(writer, &meta, &keys, NULL), GS_OK);
  gs_buffer_deinit(&keys);
  assert_int_equal(gs_env_remove(sim_machine_env, "/table", NULL), GS_OK);
  return meta.file_bytes;
}

static void
compare(const gs_lab_format *format, size_t count, size_t every, double share)
{
  gs_count entries;
  uint64_t bytes = write_table(format, count, every, &entries);
  const gs_lab_extent extent = {entries, 1, (double)count};
  ASSERT_NEAR(gs_size_table(format, &extent), (double)bytes, share);
}

static void
test_files_are_as_large_as_foretold(void **state)
{
  (void)state;
  const uint32_t keys[] = {8, 16, 40};
  const uint32_t values[] = {0, 4, 100, 254, 255, 1000, 2500};
  for (size_t k = 0; k < 3; k++) {
    for (size_t v = 0; v < 7; v++) {
      gs_lab_format format = {keys[k], values[v], 4096, v % 2 == 1, 0};
      compare(&format, 4000, 0, 0.004);
    }
  }
  compare(&(gs_lab_format){16, 100, 65536, false, 0}, 20000, 0, 0.004);
  compare(&(gs_lab_format){16, 100, 1024, true, 0}, 5000, 0, 0.004);
}

static void
test_files_with_tombstones_are_as_large_as_foretold(void **state)
{
  (void)state;
  compare(&(gs_lab_format){16, 100, 4096, false, 0}, 6000, 2, 0.01);
  compare(&(gs_lab_format){16, 1000, 4096, false, 0}, 6000, 2, 0.01);
  compare(&(gs_lab_format){16, 1000, 4096, true, 0}, 6000, 5, 0.015);
  compare(&(gs_lab_format){16, 3000, 4096, false, 0}, 6000, 2, 0.05);
  compare(&(gs_lab_format){16, 100, 4096, false, 0}, 3000, 1, 0.01);
}

static void
test_a_file_grows_by_what_an_entry_takes(void **state)
{
  (void)state;
  const gs_lab_format format = {16, 100, 4096, false, 0};
  const gs_lab_extent some = {{10000, 0}, 0.5, 1};
  const gs_lab_extent more = {{20000, 0}, 1, 1};
  double grown = gs_size_table(&format, &more) - gs_size_table(&format, &some);
  ASSERT_NEAR(gs_size_entry(&format, &some) * 10000, grown, 0.003);
  ASSERT_NEAR(gs_size_empty(&format) + gs_size_entry(&format, &some) * 10000,
              gs_size_table(&format, &some), 0.003);
}

/* Blocks alone are packed: the rest of a file stays as it was. */
static void
test_packed_blocks_take_what_packing_leaves(void **state)
{
  (void)state;
  const gs_lab_format plain = {16, 100, 4096, false, 0};
  const gs_lab_format packed = {16, 100, 4096, false, 0.5};
  const gs_lab_format gone = {16, 100, 4096, false, 1};
  const gs_lab_extent extent = {{10000, 0}, 1, 1};
  double whole = gs_size_table(&plain, &extent);
  double rest = gs_size_table(&gone, &extent);
  assert_true(rest > 0 && rest < whole / 10);
  ASSERT_NEAR(gs_size_table(&packed, &extent) - rest, (whole - rest) / 2,
              0.001);
  ASSERT_NEAR(gs_size_entry(&packed, &extent) * 10000,
              gs_size_table(&packed, &extent) - gs_size_empty(&packed), 0.01);
}

static void
test_rows_grow_where_sequence_numbers_lie_far_apart(void **state)
{
  (void)state;
  const gs_lab_format format = {16, 100, 4096, false, 0};
  const gs_lab_extent near = {{10000, 0}, 1, 1e9};
  const gs_lab_extent far = {{10000, 0}, 1, 1e12};
  double grown = gs_size_table(&format, &far) - gs_size_table(&format, &near);
  assert_true(grown > 3 * 10000 && grown < 6 * 10000);
}

static void
test_memtables_take_what_is_foretold(void **state)
{
  (void)state;
  static uint8_t value[ROOM];
  const gs_lab_format formats[] = {{16, 100, 4096, false, 0},
                                   {9, 13, 4096, true, 0}};
  for (size_t f = 0; f < 2; f++) {
    const gs_lab_format *format = &formats[f];
    gs_memtable *table = NULL;
    gs_memtable_stats stats;
    uint8_t bytes[64];
    uint64_t seed = 5;
    assert_int_equal(
        gs_memtable_new(sim_machine_env, NULL, 1 << 20, 0, &table, NULL),
        GS_OK);
    for (uint64_t i = 1; i <= 3000; i++) {
      bool is_gone = i % 3 == 0;
      memset(bytes, '.', sizeof bytes);
      gs_position_put(bytes, kit_random(&seed) % 1000);
      gs_entry entry = {
          .key = gs_slice_of(bytes, format->key_bytes),
          .value = gs_slice_of(value, is_gone ? 0 : format->value_bytes),
          .seq = i,
          .expires_at_ms = format->expires && !is_gone ? 9 : 0,
          .kind = is_gone ? GS_KIND_DELETE : GS_KIND_PUT,
      };
      assert_int_equal(gs_memtable_add(table, &entry, NULL), GS_OK);
    }
    gs_memtable_get_stats(table, &stats);
    gs_count entries = {(double)(stats.entry_count - stats.tombstone_count),
                        (double)stats.tombstone_count};
    ASSERT_NEAR(gs_size_memory(format, entries, (double)stats.key_count),
                (double)stats.used_bytes, 1e-12);
    ASSERT_NEAR(gs_size_data(format, entries), (double)stats.data_bytes, 0);
    gs_memtable_unref(table);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_files_are_as_large_as_foretold,
                                      sim_machine_set_up,
                                      sim_machine_tear_down),
      cmocka_unit_test_setup_teardown(
          test_files_with_tombstones_are_as_large_as_foretold,
          sim_machine_set_up, sim_machine_tear_down),
      cmocka_unit_test(test_a_file_grows_by_what_an_entry_takes),
      cmocka_unit_test(test_packed_blocks_take_what_packing_leaves),
      cmocka_unit_test(test_rows_grow_where_sequence_numbers_lie_far_apart),
      cmocka_unit_test_setup_teardown(test_memtables_take_what_is_foretold,
                                      sim_machine_set_up,
                                      sim_machine_tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
