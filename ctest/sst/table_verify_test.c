/*
 * Tests of verification: sound tables pass, no byte of a table can change
 * unseen, broken rules under right checksums are told, and whatever a table
 * holds, no reader is led astray in memory.
 */
#include <errno.h>
#include <stdio.h>

#include "sst/forge.h"
#include "sst/point_index.h"

static kit_table kit;

static int
make(void **state)
{
  sim_machine_set_up(state);
  kit_table_start(&kit, sim_machine_env, KIT_CACHE_BYTES);
  return 0;
}

static int
end(void **state)
{
  kit_table_end(&kit);
  return sim_machine_tear_down(state);
}

static kit_entries
random_entries(uint64_t seed)
{
  kit_taste taste = {.seed = seed,
                     .key_count = 1 + (size_t)(seed % 30),
                     .max_versions = 1 + (uint32_t)(seed % 9),
                     .max_value = seed % 5 == 0 ? 600 : 40,
                     .max_seq_jump = seed % 4 == 0 ? UINT64_C(1) << 33 : 3};
  return kit_entries_random(&taste);
}

static void
remove_table(void)
{
  gs_error err;
  KIT_OK(gs_env_remove(sim_machine_env, "/t", &err), &err);
}

/* Opens and verifies what stands at /t. */
static gs_status
open_and_verify(gs_error *err)
{
  gs_table *table = NULL;
  gs_status status =
      gs_table_open(kit.cache, "/t", KIT_SALT, NULL, &table, err);
  if (status == GS_OK) {
    status = gs_table_verify(table, err);
  }
  gs_table_unref(table);
  return status;
}

static gs_status
sign_and_verify(forge *made)
{
  gs_error err;
  forge_sign(made);
  forge_replace(made, "/t");
  return open_and_verify(&err);
}

static void
test_every_table_a_writer_makes_is_sound(void **state)
{
  (void)state;
  for (uint64_t seed = 1; seed <= 60; seed++) {
    kit_entries entries = random_entries(seed);
    forge made;
    forge_start(&made, "/t", &entries, seed % 3 != 0);
    gs_error err;
    KIT_OK(open_and_verify(&err), &err);
    remove_table();
    forge_end(&made);
    kit_entries_free(&entries);
  }
}

static void
test_no_bit_of_a_table_can_flip_unseen(void **state)
{
  (void)state;
  kit_entries entries = random_entries(17);
  forge made;
  forge_start(&made, "/t", &entries, true);
  assert_true(made.fences.count > 3);
  gs_error err;
  for (uint64_t bit = 0; bit < made.bytes.size * 8; bit++) {
    KIT_OK(gs_sim_flip(sim_machine, "/t", bit, &err), &err);
    gs_status status = open_and_verify(&err);
    if (status != GS_CORRUPT) {
      fail_msg("bit %u of byte %u: %s", (unsigned)(bit % 8),
               (unsigned)(bit / 8), gs_status_code(status));
    }
    KIT_OK(gs_sim_flip(sim_machine, "/t", bit, &err), &err);
  }
  KIT_OK(open_and_verify(&err), &err);
  forge_end(&made);
  kit_entries_free(&entries);
}

/* Damage that comes while the table is open is seen on the medium, even where
 * memory still holds the right bytes. */
static void
test_rot_under_an_open_table_is_seen(void **state)
{
  (void)state;
  kit_entries entries = random_entries(17);
  forge made;
  forge_start(&made, "/t", &entries, true);
  kit.meta = made.meta;
  gs_error err;
  KIT_OK(kit_table_open(&kit, "/t", &err), &err);
  for (size_t i = 0; i < entries.count; i++) {
    gs_entry found;
    KIT_OK(kit_get(&kit, entries.list[i].key, GS_SEQ_MAX, &found, &err), &err);
  }
  for (uint64_t at = 0; at < made.bytes.size; at++) {
    KIT_OK(gs_sim_flip(sim_machine, "/t", at * 8 + at % 8, &err), &err);
    assert_int_equal(gs_table_verify(kit.table, &err), GS_CORRUPT);
    assert_string_equal(err.path, "/t");
    assert_true(err.has_offset);
    KIT_OK(gs_sim_flip(sim_machine, "/t", at * 8 + at % 8, &err), &err);
  }
  KIT_OK(gs_table_verify(kit.table, &err), &err);
  forge_end(&made);
  kit_entries_free(&entries);
}

/* ---- broken rules under right checksums ---------------------------------- */

/* Three blocks of one row each. */
static void
forge_three(forge *made, const char *const keys[3], const uint64_t seqs[3],
            bool has_point_index)
{
  kit_entries entries = {.count = 0};
  for (size_t i = 0; i < 3; i++) {
    static const uint8_t value[300] = {7};
    gs_entry entry = {.key = gs_slice_str(keys[i]),
                      .value = gs_slice_of(value, sizeof value),
                      .seq = seqs[i],
                      .kind = GS_KIND_PUT};
    kit_entries_add(&entries, &entry);
  }
  forge_start(made, "/t", &entries, has_point_index);
  assert_int_equal(made->fences.count, 3);
  kit_entries_free(&entries);
}

/* The only row of a block: 24 bytes of header and head, then the row. */
static uint8_t *
row_of(forge *made, uint32_t block)
{
  return made->bytes.data + made->fences.list[block].offset + 24;
}

enum { FLAGS = 0, KEY = 12 };

static void
set_key(forge *made, uint32_t block, char key)
{
  row_of(made, block)[KEY] = (uint8_t)key;
  row_of(made, block)[-1] = (uint8_t)key;
}

static void
test_blocks_out_of_order_or_off_their_fence_are_told(void **state)
{
  (void)state;
  static const char *const keys[] = {"b", "d", "f"};
  static const uint64_t seqs[] = {5, 6, 7};
  forge made;
  forge_three(&made, keys, seqs, false);
  assert_int_equal(sign_and_verify(&made), GS_OK);
  set_key(&made, 1, 'e');
  assert_int_equal(sign_and_verify(&made), GS_CORRUPT);
  set_key(&made, 1, 'd');
  row_of(&made, 1)[FLAGS] |= GS_ROW_OLDER;
  assert_int_equal(sign_and_verify(&made), GS_CORRUPT);
  row_of(&made, 1)[FLAGS] &= (uint8_t)~GS_ROW_OLDER;
  assert_int_equal(sign_and_verify(&made), GS_OK);
  forge_end(&made);
}

/* a1 and c1 in one block, d in the next; then e1 instead of c1. */
static void
test_a_block_that_reaches_beyond_the_next_is_told(void **state)
{
  (void)state;
  static const uint8_t value[300] = {7};
  kit_entries entries = {.count = 0};
  kit_entries_put(&entries, "a1", 1, "v");
  kit_entries_put(&entries, "c1", 2, "v");
  gs_entry last = {.key = gs_slice_str("d"),
                   .value = gs_slice_of(value, sizeof value),
                   .seq = 3,
                   .kind = GS_KIND_PUT};
  kit_entries_add(&entries, &last);
  forge made;
  forge_start(&made, "/t", &entries, false);
  assert_int_equal(made.fences.count, 2);
  assert_int_equal(sign_and_verify(&made), GS_OK);
  uint8_t *block = made.bytes.data + made.fences.list[0].offset;
  uint8_t *head = block + GS_BLOCK_HEADER_BYTES + 7;
  uint8_t *key = block + gs_block_rows_at(2, 0) + 12 + GS_ROW_FIXED_BYTES;
  assert_int_equal(*head, 'c');
  assert_int_equal(*key, 'c');
  *head = *key = 'e';
  assert_int_equal(sign_and_verify(&made), GS_CORRUPT);
  forge_end(&made);
  kit_entries_free(&entries);
}

static void
test_versions_in_the_wrong_order_over_a_seam_are_told(void **state)
{
  (void)state;
  static const char *const keys[] = {"b", "b", "f"};
  static const uint64_t seqs[] = {9, 6, 5};
  forge made;
  forge_three(&made, keys, seqs, true);
  assert_int_equal(sign_and_verify(&made), GS_OK);
  uint8_t *base_seq = row_of(&made, 1) - 16;
  assert_int_equal(gs_get_u64(base_seq), 6);
  gs_put_u64(base_seq, 9);
  assert_int_equal(sign_and_verify(&made), GS_CORRUPT);
  gs_put_u64(base_seq, 6);
  row_of(&made, 1)[FLAGS] &= (uint8_t)~GS_ROW_OLDER;
  assert_int_equal(sign_and_verify(&made), GS_CORRUPT);
  forge_end(&made);
}

/* Each number of the metadata that verification counts again. */
static void
test_properties_that_do_not_fit_the_rows_are_told(void **state)
{
  (void)state;
  static const char *const keys[] = {"b", "d", "f"};
  static const uint64_t seqs[] = {5, 6, 7};
  forge made;
  forge_three(&made, keys, seqs, true);
  static const struct {
    size_t tag;
    uint64_t value;
  } wrong[] = {{4, 4}, {5, 2},  {6, 1},  {7, 1}, {8, 1},
               {9, 4}, {10, 8}, {13, 1}, {14, 1}};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    uint8_t *field = made.bytes.data + made.footer.properties.offset +
                     (wrong[i].tag - 1) * 14 + 6;
    uint64_t kept = gs_get_u64(field);
    gs_put_u64(field, wrong[i].value);
    assert_int_equal(sign_and_verify(&made), GS_CORRUPT);
    gs_put_u64(field, kept);
  }
  uint8_t *max_key = forge_footer(&made) - 3;
  *max_key = 'g';
  assert_int_equal(sign_and_verify(&made), GS_CORRUPT);
  *max_key = 'f';
  uint8_t *min_key = max_key - 7;
  *min_key = 'a';
  assert_int_equal(sign_and_verify(&made), GS_CORRUPT);
  *min_key = 'b';
  assert_int_equal(sign_and_verify(&made), GS_OK);
  forge_end(&made);
}

static void
test_a_point_index_that_does_not_give_every_key_is_told(void **state)
{
  (void)state;
  static const char *const keys[] = {"b", "d", "f"};
  static const uint64_t seqs[] = {5, 6, 7};
  forge made;
  forge_three(&made, keys, seqs, true);
  uint8_t *bucket = made.bytes.data + made.footer.index.offset;
  static const size_t places[] = {0,
                                  3,
                                  GS_BUCKET_COUNT_AT,
                                  GS_BUCKET_LOCATORS_AT,
                                  GS_BUCKET_LOCATORS_AT + 9,
                                  GS_BUCKET_BYTES - 1};
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    bucket[places[i]] ^= 1;
    assert_int_equal(sign_and_verify(&made), GS_CORRUPT);
    bucket[places[i]] ^= 1;
  }
  assert_int_equal(sign_and_verify(&made), GS_OK);
  forge_end(&made);
}

static void
test_a_block_larger_than_the_target_is_told(void **state)
{
  (void)state;
  kit_entries entries = random_entries(17);
  forge made;
  forge_start(&made, "/t", &entries, false);
  assert_int_equal(made.footer.block_bytes, 256);
  gs_put_u32(forge_footer(&made) + 76, 4096);
  gs_put_u32(forge_footer(&made) + 80, gs_locator_shift(4096));
  assert_int_equal(sign_and_verify(&made), GS_OK);
  remove_table();
  forge_end(&made);
  /* The other way: written for 4096, said to be for 256. */
  gs_table_writer_options options = kit_options("/t");
  options.block_bytes = 4096;
  options.has_point_index = false;
  gs_error err;
  KIT_OK(kit_write(sim_machine_env, &options, &entries, &kit.meta, &kit.keys,
                   &err),
         &err);
  gs_buffer bytes;
  gs_buffer_init(&bytes, sim_machine_env->alloc);
  gs_file *file = sim_machine_open("/t", GS_OPEN_READ);
  KIT_OK(gs_file_read_all(file, &bytes, &err), &err);
  sim_machine_close(file);
  uint8_t *footer = bytes.data + bytes.size - GS_TABLE_FOOTER_BYTES;
  gs_put_u32(footer + 76, 256);
  gs_put_u32(footer + 80, gs_locator_shift(256));
  uint64_t seed = forge_seed(bytes.size - GS_TABLE_FOOTER_BYTES);
  gs_put_u64(footer + 104, gs_checksum(footer, 104, seed));
  KIT_OK(gs_sim_replace(sim_machine, "/t", gs_buffer_slice(&bytes), &err),
         &err);
  assert_int_equal(open_and_verify(&err), GS_CORRUPT);
  gs_buffer_deinit(&bytes);
  kit_entries_free(&entries);
}

/* ---- anything at all ----------------------------------------------------- */

static void
walk(gs_table *table, bool fills_cache, uint64_t *random)
{
  gs_cursor *cursor = NULL;
  gs_error err;
  KIT_OK(gs_table_cursor_new(table, fills_cache, &cursor, &err), &err);
  size_t moves = 0;
  for (gs_cursor_first(cursor); cursor->valid && moves < 2000;
       gs_cursor_next(cursor)) {
    while (gs_cursor_older(cursor)) {
      moves++;
    }
    moves++;
    if (!cursor->valid) {
      break;
    }
  }
  for (gs_cursor_last(cursor); cursor->valid && moves < 4000;
       gs_cursor_prev(cursor)) {
    moves++;
  }
  for (int i = 0; i < 10; i++) {
    uint8_t room[KIT_KEY_ROOM];
    gs_slice key = kit_random_key(random, room);
    gs_cursor_seek(cursor, key);
    if (cursor->valid) {
      gs_cursor_prev(cursor);
    }
    gs_cursor_seek_before(cursor, key);
    if (cursor->valid) {
      gs_cursor_next(cursor);
    }
  }
  gs_table_cursor_free(cursor);
}

/* Everything a reader can do; results do not matter. */
static void
use_up(const kit_entries *entries, uint64_t *random)
{
  gs_table *table = NULL;
  gs_error err;
  if (gs_table_open(kit.cache, "/t", KIT_SALT, NULL, &table, &err) != GS_OK) {
    return;
  }
  kit.table = table;
  for (size_t i = 0; i < entries->count; i++) {
    gs_entry found;
    gs_slice key = entries->list[i].key;
    GS_IGNORE(kit_get(&kit, key, GS_SEQ_MAX, &found, &err), "any will do");
    GS_IGNORE(kit_get(&kit, key, 0, &found, &err), "any will do");
  }
  walk(table, true, random);
  walk(table, false, random);
  GS_IGNORE(gs_table_verify(table, &err), "any will do");
  gs_table_unref(table);
  kit.table = NULL;
}

static void
test_no_content_makes_a_reader_leave_its_memory(void **state)
{
  (void)state;
  uint64_t random = 815;
  for (uint64_t round = 0; round < 1500; round++) {
    kit_entries entries = random_entries(1 + round % 40);
    forge made;
    forge_start(&made, "/t", &entries, round % 4 != 0);
    uint64_t changes = 1 + kit_below(&random, 6);
    size_t limit = made.bytes.size;
    /* Often in the parts behind the blocks, which would be hit too rarely. */
    size_t from = kit_below(&random, 2) == 0 ? GS_TABLE_HEADER_BYTES
                                             : (size_t)made.footer.index.offset;
    for (uint64_t i = 0; i < changes; i++) {
      size_t at = from + (size_t)kit_below(&random, limit - from);
      made.bytes.data[at] ^= (uint8_t)(1U << kit_below(&random, 8));
    }
    forge_sign(&made);
    forge_replace(&made, "/t");
    use_up(&entries, &random);
    remove_table();
    forge_end(&made);
    kit_entries_free(&entries);
  }
}

/* ---- sweeps -------------------------------------------------------------- */

static void
test_reads_and_allocations_that_fail_are_told(void **state)
{
  (void)state;
  kit_entries entries = random_entries(17);
  forge made;
  forge_start(&made, "/t", &entries, true);
  kit.meta = made.meta;
  gs_error err;
  KIT_OK(kit_table_open(&kit, "/t", &err), &err);
  uint64_t before = gs_sim_allocated_bytes(sim_machine);
  gs_status status = GS_IO;
  for (uint64_t nth = 1; status != GS_OK; nth++) {
    sim_machine_fail(GS_SIM_READ, nth, EIO);
    status = gs_table_verify(kit.table, NULL);
    gs_sim_heal(sim_machine);
    assert_true(status == GS_OK || status == GS_IO);
    assert_true(nth > 5 + made.fences.count || status == GS_IO);
  }
  status = GS_NOMEM;
  for (uint64_t nth = 1; status != GS_OK; nth++) {
    gs_sim_fail_alloc(sim_machine, nth, 1);
    status = gs_table_verify(kit.table, NULL);
    assert_true(status == GS_OK || status == GS_NOMEM);
    assert_true(nth > 1 || status == GS_NOMEM);
    assert_int_equal(gs_sim_allocated_bytes(sim_machine), before);
  }
  gs_sim_fail_alloc(sim_machine, 0, 1);
  forge_end(&made);
  kit_entries_free(&entries);
}

#define WITH_CACHE(test) cmocka_unit_test_setup_teardown(test, make, end)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      WITH_CACHE(test_blocks_out_of_order_or_off_their_fence_are_told),
      WITH_CACHE(test_a_block_that_reaches_beyond_the_next_is_told),
      WITH_CACHE(test_versions_in_the_wrong_order_over_a_seam_are_told),
      WITH_CACHE(test_properties_that_do_not_fit_the_rows_are_told),
      WITH_CACHE(test_a_point_index_that_does_not_give_every_key_is_told),
      WITH_CACHE(test_a_block_larger_than_the_target_is_told),
  };
  const struct CMUnitTest packed_too[] = {
      WITH_CACHE(test_no_content_makes_a_reader_leave_its_memory),
      WITH_CACHE(test_every_table_a_writer_makes_is_sound),
      WITH_CACHE(test_no_bit_of_a_table_can_flip_unseen),
      WITH_CACHE(test_rot_under_an_open_table_is_seen),
      WITH_CACHE(test_reads_and_allocations_that_fail_are_told),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  for (int codec = 0; codec < GS_CODECS; codec++) {
    kit_codec = (gs_codec)codec;
    failed += cmocka_run_group_tests(packed_too, NULL, NULL);
  }
  return failed;
}
