/*
 * Tests of opening a table: nothing but the very file that was written, or
 * that the manifest lists, opens.
 */
#include <errno.h>

#include "sst/forge.h"
#include "sst/table_impl.h"

static kit_entries entries;
static forge made;
static kit_table kit;

/* A table at /t and a cache to open it with. */
static int
make(void **state)
{
  sim_machine_set_up(state);
  kit_taste taste = {.seed = 8,
                     .key_count = 20,
                     .max_versions = 2,
                     .max_value = 60,
                     .max_seq_jump = 3};
  entries = kit_entries_random(&taste);
  forge_start(&made, "/t", &entries, true);
  kit_table_start(&kit, sim_machine_env, KIT_CACHE_BYTES);
  return 0;
}

static int
end(void **state)
{
  kit_table_end(&kit);
  forge_end(&made);
  kit_entries_free(&entries);
  return sim_machine_tear_down(state);
}

static gs_status
open_as(uint64_t salt, const gs_table_meta *expected)
{
  gs_status status =
      gs_table_open(kit.cache, "/t", salt, expected, &kit.table, NULL);
  assert_int_equal(kit.table != NULL, status == GS_OK);
  return status;
}

/* Opens and closes again. */
static gs_status
try_as(uint64_t salt, const gs_table_meta *expected)
{
  gs_status status = open_as(salt, expected);
  gs_table_unref(kit.table);
  kit.table = NULL;
  return status;
}

static uint64_t
held_bytes(void)
{
  gs_cache_stats stats;
  gs_cache_get_stats(kit.cache, &stats);
  return stats.held_bytes;
}

static void
test_the_cache_knows_of_the_memory_that_open_tables_take(void **state)
{
  (void)state;
  assert_int_equal(open_as(KIT_SALT, NULL), GS_OK);
  assert_int_equal(held_bytes(), gs_table_memory_bytes(kit.table));
  assert_int_equal(gs_table_need_index(kit.table, NULL), GS_OK);
  assert_int_equal(held_bytes(), gs_table_memory_bytes(kit.table));
  gs_table_unref(kit.table);
  kit.table = NULL;
  assert_int_equal(held_bytes(), 0);
  assert_int_not_equal(try_as(KIT_SALT + 1, NULL), GS_OK);
  assert_int_equal(held_bytes(), 0);
}

static void
test_a_table_opens_with_the_metadata_of_its_writer(void **state)
{
  (void)state;
  assert_int_equal(open_as(KIT_SALT, &made.meta), GS_OK);
  assert_true(gs_table_meta_equal(gs_table_get_meta(kit.table), &made.meta));
  assert_true(gs_table_memory_bytes(kit.table) > made.footer.index.size);
}

static void
test_without_a_manifest_the_file_tells_everything(void **state)
{
  (void)state;
  assert_int_equal(open_as(0, NULL), GS_OK);
  assert_true(gs_table_meta_equal(gs_table_get_meta(kit.table), &made.meta));
}

static void
test_a_table_of_another_store_does_not_open(void **state)
{
  (void)state;
  assert_int_equal(try_as(KIT_SALT + 1, NULL), GS_CORRUPT);
  assert_int_equal(try_as(KIT_SALT + 1, &made.meta), GS_CORRUPT);
  assert_int_equal(try_as(0, &made.meta), GS_CORRUPT);
  assert_int_equal(try_as(KIT_SALT, NULL), GS_OK);
}

static void
test_any_difference_from_the_manifest_is_corrupt(void **state)
{
  (void)state;
  enum { NUMBERS = 15 };
  for (size_t i = 0; i < NUMBERS; i++) {
    gs_table_meta expected = made.meta;
    ((uint64_t *)(void *)&expected)[i] ^= 1;
    assert_int_equal(try_as(KIT_SALT, &expected), GS_CORRUPT);
  }
  gs_table_meta expected = made.meta;
  expected.min_key.size++;
  assert_int_equal(try_as(KIT_SALT, &expected), GS_CORRUPT);
  expected = made.meta;
  expected.max_key.size--;
  assert_int_equal(try_as(KIT_SALT, &expected), GS_CORRUPT);
}

static void
test_a_table_of_another_number_is_named(void **state)
{
  (void)state;
  gs_table_meta expected = made.meta;
  expected.id = KIT_ID + 1;
  gs_error err;
  assert_int_equal(
      gs_table_open(kit.cache, "/t", KIT_SALT, &expected, &kit.table, &err),
      GS_CORRUPT);
  assert_non_null(strstr(err.message, "table 7"));
}

static void
test_a_file_that_is_not_there_is_missing(void **state)
{
  (void)state;
  gs_error err;
  KIT_OK(gs_env_remove(sim_machine_env, "/t", &err), &err);
  assert_int_equal(try_as(KIT_SALT, &made.meta), GS_MISSING);
}

static void
test_a_file_cut_or_grown_to_any_length_is_corrupt(void **state)
{
  (void)state;
  size_t whole = made.bytes.size;
  for (size_t size = 0; size < whole; size++) {
    made.bytes.size = size;
    forge_replace(&made, "/t");
    assert_int_equal(try_as(KIT_SALT, NULL), GS_CORRUPT);
    assert_int_equal(try_as(KIT_SALT, &made.meta), GS_CORRUPT);
  }
  made.bytes.size = whole;
  for (int i = 0; i < 200; i++) {
    gs_buffer_append_zeros(&made.bytes, 1);
    forge_replace(&made, "/t");
    assert_int_equal(try_as(KIT_SALT, NULL), GS_CORRUPT);
  }
}

static void
test_damage_names_the_file_and_the_place(void **state)
{
  (void)state;
  const gs_table_part *parts[] = {&made.footer.fences, &made.footer.properties};
  for (size_t i = 0; i < 2; i++) {
    made.bytes.data[parts[i]->offset + 3] ^= 4;
    forge_replace(&made, "/t");
    made.bytes.data[parts[i]->offset + 3] ^= 4;
    gs_error err;
    assert_int_equal(
        gs_table_open(kit.cache, "/t", KIT_SALT, NULL, &kit.table, &err),
        GS_CORRUPT);
    assert_string_equal(err.path, "/t");
    assert_true(err.has_offset);
    assert_int_equal(err.offset, parts[i]->offset);
  }
}

/* ---- damage under right checksums ---------------------------------------- */

/* Sets eight bytes of the properties' field, signs, and opens. */
static gs_status
open_with_property(size_t tag, uint64_t value)
{
  uint8_t *properties = made.bytes.data + made.footer.properties.offset;
  uint8_t *field = properties + (tag - 1) * 14 + 6;
  uint64_t kept = gs_get_u64(field);
  gs_put_u64(field, value);
  forge_sign(&made);
  forge_replace(&made, "/t");
  gs_put_u64(field, kept);
  return try_as(KIT_SALT, NULL);
}

static void
test_properties_that_contradict_the_file_are_corrupt(void **state)
{
  (void)state;
  assert_int_equal(open_with_property(1, KIT_ID), GS_OK);
  assert_int_equal(open_with_property(1, KIT_ID + 1), GS_CORRUPT);
  assert_int_equal(open_with_property(2, made.bytes.size + 1), GS_CORRUPT);
  assert_int_equal(open_with_property(3, 1), GS_CORRUPT);
  assert_int_equal(open_with_property(4, 0), GS_CORRUPT);
  assert_int_equal(open_with_property(5, 0), GS_CORRUPT);
  assert_int_equal(open_with_property(10, GS_SEQ_MAX + 1), GS_CORRUPT);
  assert_int_equal(open_with_property(15, 1), GS_VERSION);
}

static void
test_bytes_behind_the_properties_are_corrupt(void **state)
{
  (void)state;
  /* The maximal key's last byte becomes a second end mark's first half. */
  uint8_t *end_mark = forge_footer(&made) - 2;
  size_t key_size = made.meta.max_key.size;
  assert_true(key_size >= 2);
  gs_put_u32(end_mark - key_size - 4, (uint32_t)key_size - 2);
  gs_put_u16(end_mark - 2, 0);
  forge_sign(&made);
  forge_replace(&made, "/t");
  assert_int_equal(try_as(KIT_SALT, NULL), GS_CORRUPT);
}

static void
test_a_point_index_of_the_wrong_size_is_corrupt(void **state)
{
  (void)state;
  assert_true(made.footer.index.size > GS_BUCKET_BYTES);
  /* One bucket less for the index, as many bytes more for the last block. */
  gs_fence *last = &made.fences.list[made.fences.count - 1];
  uint8_t *fences = made.bytes.data + made.footer.fences.offset;
  gs_put_u32(fences + last->key_at - GS_FENCE_FIXED_BYTES,
             last->size + GS_BUCKET_BYTES);
  made.footer.index.offset += GS_BUCKET_BYTES;
  made.footer.index.size -= GS_BUCKET_BYTES;
  gs_put_u64(forge_footer(&made), made.footer.index.offset);
  gs_put_u64(forge_footer(&made) + 8, made.footer.index.size);
  forge_sign(&made);
  forge_replace(&made, "/t");
  gs_error err;
  assert_int_equal(
      gs_table_open(kit.cache, "/t", KIT_SALT, NULL, &kit.table, &err),
      GS_CORRUPT);
  assert_int_equal(err.offset, made.footer.index.offset);
}

static void
test_header_and_footer_must_agree_on_features(void **state)
{
  (void)state;
  gs_table_header header = {.features = 0, .id = KIT_ID, .salt = KIT_SALT};
  gs_table_header_encode(&header, made.bytes.data);
  forge_replace(&made, "/t");
  assert_int_equal(try_as(KIT_SALT, NULL), GS_CORRUPT);
}

/* ---- sweeps -------------------------------------------------------------- */

static void
test_every_allocation_that_fails_is_told_and_leaves_nothing(void **state)
{
  (void)state;
  uint64_t before = gs_sim_allocated_bytes(sim_machine);
  gs_status status = GS_NOMEM;
  for (uint64_t nth = 1; status != GS_OK; nth++) {
    gs_sim_fail_alloc(sim_machine, nth, 1);
    status = try_as(KIT_SALT, &made.meta);
    assert_true(status == GS_OK || status == GS_NOMEM);
    assert_true(nth > 5 || status == GS_NOMEM);
    assert_int_equal(gs_sim_allocated_bytes(sim_machine), before);
  }
  gs_sim_fail_alloc(sim_machine, 0, 1);
}

static void
test_every_read_that_fails_is_told_and_leaves_nothing(void **state)
{
  (void)state;
  gs_status status = GS_IO;
  for (uint64_t nth = 1; status != GS_OK; nth++) {
    sim_machine_fail(GS_SIM_READ, nth, EIO);
    status = try_as(KIT_SALT, &made.meta);
    gs_sim_heal(sim_machine);
    assert_true(status == GS_OK || status == GS_IO);
    assert_true(nth > 4 || status == GS_IO);
  }
}

static void
test_the_last_reference_closes_the_table(void **state)
{
  (void)state;
  uint64_t before = gs_sim_allocated_bytes(sim_machine);
  assert_int_equal(open_as(KIT_SALT, &made.meta), GS_OK);
  gs_table_ref(kit.table);
  gs_table_unref(kit.table);
  assert_int_equal(gs_table_get_meta(kit.table)->id, KIT_ID);
  gs_table_unref(kit.table);
  kit.table = NULL;
  assert_int_equal(gs_sim_allocated_bytes(sim_machine), before);
  gs_table_unref(NULL);
}

#define WITH_TABLE(test) cmocka_unit_test_setup_teardown(test, make, end)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      WITH_TABLE(test_a_table_opens_with_the_metadata_of_its_writer),
      WITH_TABLE(test_the_cache_knows_of_the_memory_that_open_tables_take),
      WITH_TABLE(test_without_a_manifest_the_file_tells_everything),
      WITH_TABLE(test_a_table_of_another_store_does_not_open),
      WITH_TABLE(test_any_difference_from_the_manifest_is_corrupt),
      WITH_TABLE(test_a_table_of_another_number_is_named),
      WITH_TABLE(test_a_file_that_is_not_there_is_missing),
      WITH_TABLE(test_a_file_cut_or_grown_to_any_length_is_corrupt),
      WITH_TABLE(test_damage_names_the_file_and_the_place),
      WITH_TABLE(test_properties_that_contradict_the_file_are_corrupt),
      WITH_TABLE(test_bytes_behind_the_properties_are_corrupt),
      WITH_TABLE(test_a_point_index_of_the_wrong_size_is_corrupt),
      WITH_TABLE(test_header_and_footer_must_agree_on_features),
      WITH_TABLE(test_every_allocation_that_fails_is_told_and_leaves_nothing),
      WITH_TABLE(test_every_read_that_fails_is_told_and_leaves_nothing),
      WITH_TABLE(test_the_last_reference_closes_the_table),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
