/*
 * Whole blocks in wrong places, each sound in itself: what stands where another
 * block belongs is never read as that one.
 */
#include <stdio.h>

#include "sst/forge.h"

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

/* Keys and values of one size, so that all blocks but the last are alike. */
static kit_entries
even_entries(void)
{
  kit_entries entries = {.count = 0};
  for (int i = 0; i < 60; i++) {
    char key[16];
    (void)snprintf(key, sizeof key, "key%03d", i);
    kit_entries_put(&entries, key, 1 + (uint64_t)i, "twenty bytes of text");
  }
  return entries;
}

/* Two blocks of one size change places. */
static void
swap_bytes(uint8_t *one, uint8_t *two, uint32_t size)
{
  for (uint32_t i = 0; i < size; i++) {
    uint8_t held = one[i];
    one[i] = two[i];
    two[i] = held;
  }
}

static void
swap_blocks(forge *made, uint32_t a, uint32_t b)
{
  const gs_fence *one = &made->fences.list[a];
  const gs_fence *two = &made->fences.list[b];
  assert_int_equal(one->size, two->size);
  swap_bytes(made->bytes.data + one->offset, made->bytes.data + two->offset,
             one->size);
  forge_replace(made, "/t");
}

/* How many keys cannot be read; the others have their own entries. */
static size_t
count_unreadable(const kit_entries *entries)
{
  size_t count = 0;
  gs_error err;
  KIT_OK(gs_table_open(kit.cache, "/t", KIT_SALT, NULL, &kit.table, &err),
         &err);
  for (size_t i = 0; i < entries->count; i++) {
    gs_entry found;
    gs_status status =
        kit_get(&kit, entries->list[i].key, GS_SEQ_MAX, &found, &err);
    if (status == GS_OK) {
      kit_assert_same(&found, &entries->list[i]);
    } else {
      assert_int_equal(status, GS_CORRUPT);
      count++;
    }
  }
  gs_table_unref(kit.table);
  kit.table = NULL;
  return count;
}

static void
test_blocks_that_changed_places_are_never_read(void **state)
{
  (void)state;
  gs_error err;
  kit_entries entries = even_entries();
  forge made;
  forge_start(&made, "/t", &entries, true);
  uint32_t last = made.fences.count - 2; /* of those that are alike */
  assert_true(last > 2);
  for (uint32_t a = 0; a < last; a++) {
    swap_blocks(&made, a, last);
    assert_int_equal(open_and_verify(&err), GS_CORRUPT);
    assert_string_equal(err.path, "/t");
    assert_int_equal(err.offset, made.fences.list[a].offset);
    assert_true(count_unreadable(&entries) >= 2);
    swap_blocks(&made, a, last);
    KIT_OK(open_and_verify(&err), &err);
  }
  forge_end(&made);
  kit_entries_free(&entries);
}

/* The same keys in the same places of two tables of one store: salt, offset and
 * size of the blocks agree, and only the tables' numbers differ. */
static void
test_blocks_in_the_same_place_of_another_table_are_never_read(void **state)
{
  (void)state;
  gs_error err;
  kit_entries entries = even_entries();
  kit_entries others = even_entries();
  for (size_t i = 0; i < others.count; i++) {
    others.list[i].seq += 100;
  }
  forge made;
  gs_table_meta meta;
  gs_buffer keys;
  gs_buffer other;
  gs_table_writer_options options = kit_options("/u");
  options.id = KIT_ID + 1;
  gs_buffer_init(&keys, sim_machine_env->alloc);
  gs_buffer_init(&other, sim_machine_env->alloc);
  KIT_OK(kit_write(sim_machine_env, &options, &others, &meta, &keys, &err),
         &err);
  KIT_OK(gs_sim_read(sim_machine, "/u", &other, &err), &err);
  forge_start(&made, "/t", &entries, true);
  for (uint32_t b = 0; b < made.fences.count; b++) {
    const gs_fence *fence = &made.fences.list[b];
    swap_bytes(made.bytes.data + fence->offset, other.data + fence->offset,
               fence->size);
    forge_replace(&made, "/t");
    assert_int_equal(open_and_verify(&err), GS_CORRUPT);
    assert_string_equal(err.path, "/t");
    assert_int_equal(err.offset, fence->offset);
    assert_true(count_unreadable(&entries) >= 1);
    swap_bytes(made.bytes.data + fence->offset, other.data + fence->offset,
               fence->size);
  }
  forge_replace(&made, "/t");
  KIT_OK(open_and_verify(&err), &err);
  forge_end(&made);
  gs_buffer_deinit(&keys);
  gs_buffer_deinit(&other);
  kit_entries_free(&others);
  kit_entries_free(&entries);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(
          test_blocks_that_changed_places_are_never_read, make, end),
      cmocka_unit_test_setup_teardown(
          test_blocks_in_the_same_place_of_another_table_are_never_read, make,
          end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
