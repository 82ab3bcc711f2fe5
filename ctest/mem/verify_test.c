/*
 * Tests of verify and dump: every kind of damage is named, nothing sound is
 * called damaged, and the dump is what it was.
 */
#include "mem/mem_kit.h"

enum { HISTORY = 600, FLIPS = 3000 };

/* A table with key "kite" at 1, 2, 4 and "bird" at 3 (deleted at 5). */
typedef struct victim {
  gs_memtable *table;
  uint32_t kite; /* node */
  uint32_t bird;
} victim;

static uint32_t
node_of(gs_memtable *table, const char *key)
{
  gs_slice slice = gs_slice_str(key);
  return gs_index_find(&table->index, &table->arena, slice, gs_hash_key(slice));
}

static void
victim_init(victim *v, void **state)
{
  v->table = kit_table(gs_sim_env(*state), KIT_CAPACITY);
  const gs_entry entries[] = {
      kit_put("kite", "one", 1),
      kit_put("kite", "two", 2),
      kit_put("bird", "sings", 3),
      kit_put("kite", "four", 4),
      {.key = gs_slice_str("bird"), .seq = 5, .kind = GS_KIND_DELETE},
      kit_put("kite", "six", 6),
  };
  for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
    kit_add(v->table, &entries[i]);
  }
  v->kite = node_of(v->table, "kite");
  v->bird = node_of(v->table, "bird");
  kit_expect_sound(v->table);
  kit_expect_unused_order(v->table);
}

static void
victim_deinit(victim *v)
{
  gs_memtable_unref(v->table);
}

static gs_row *
row_of(const victim *v, uint32_t node, uint64_t seq)
{
  const gs_arena *arena = &v->table->arena;
  uint32_t unit = gs_row_find(arena, gs_node_at(arena, node), seq);
  return (gs_row *)gs_arena_at(arena, unit);
}

static gs_skip *
skip_of(gs_row *row)
{
  return (gs_skip *)(row + 1);
}

static void
expect_damage(const victim *v, const char *what)
{
  gs_error err = {0};
  assert_int_equal(gs_memtable_verify(v->table, &err), GS_CORRUPT);
  if (strstr(err.message, what) == NULL) {
    fail_msg("'%s' does not say '%s'", err.message, what);
  }
}

static void
test_a_changed_key_is_found(void **state)
{
  victim v;
  victim_init(&v, state);
  gs_node *node = gs_node_at(&v.table->arena, v.kite);
  node->key[0] ^= 1;
  expect_damage(&v, "the index does not find a key");
  memcpy(node->key, "bird", 4);
  expect_damage(&v, "the index does not find a key");
  victim_deinit(&v);
}

static void
test_a_key_size_beyond_the_table_is_found(void **state)
{
  victim v;
  victim_init(&v, state);
  gs_node_at(&v.table->arena, v.kite)->key_size = UINT16_MAX;
  expect_damage(&v, "beyond the used part");
  victim_deinit(&v);
}

static void
test_a_sequence_number_out_of_order_is_found(void **state)
{
  victim v;
  victim_init(&v, state);
  row_of(&v, v.kite, 2)->stamp += 2;
  expect_damage(&v, "no smaller sequence number");
  victim_deinit(&v);
}

static void
test_an_unknown_kind_is_found(void **state)
{
  victim v;
  victim_init(&v, state);
  row_of(&v, v.kite, 4)->stamp |= UINT64_C(5) << GS_ROW_KIND_SHIFT;
  expect_damage(&v, "unknown kind");
  victim_deinit(&v);
}

static void
test_a_tombstone_with_a_value_is_found(void **state)
{
  victim v;
  victim_init(&v, state);
  row_of(&v, v.bird, 5)->value_size = 1;
  expect_damage(&v, "a tombstone has a value");
  victim_deinit(&v);
}

static void
test_a_version_cut_out_of_its_chain_is_found(void **state)
{
  victim v;
  victim_init(&v, state);
  gs_row *cut = row_of(&v, v.kite, 4);
  gs_row *newest = row_of(&v, v.kite, 6);
  newest->older = cut->older;
  skip_of(newest)->depth--;
  skip_of(newest)->jump = cut->older;
  expect_damage(&v, "rows and links before do not match");
  victim_deinit(&v);
}

static void
test_a_chain_that_leads_to_another_key_is_found(void **state)
{
  victim v;
  victim_init(&v, state);
  gs_node *bird = gs_node_at(&v.table->arena, v.bird);
  atomic_store(&bird->newest,
               gs_node_newest(gs_node_at(&v.table->arena, v.kite)));
  expect_damage(&v, "a node lacks its first row");
  victim_deinit(&v);
}

static void
test_a_chain_that_leads_nowhere_is_found(void **state)
{
  victim v;
  victim_init(&v, state);
  gs_node *bird = gs_node_at(&v.table->arena, v.bird);
  atomic_store(&bird->newest, UINT32_MAX);
  expect_damage(&v, "newest row is no row");
  atomic_store(&bird->newest, v.kite);
  expect_damage(&v, "newest row is no row");
  victim_deinit(&v);
}

static void
test_a_row_that_points_forward_is_found(void **state)
{
  victim v;
  victim_init(&v, state);
  row_of(&v, v.kite, 2)->older =
      gs_node_newest(gs_node_at(&v.table->arena, v.kite));
  expect_damage(&v, "points at no older row");
  victim_deinit(&v);
}

static void
test_a_wrong_jump_or_depth_is_found(void **state)
{
  victim v;
  victim_init(&v, state);
  gs_skip *skip = skip_of(row_of(&v, v.kite, 6));
  gs_skip sound = *skip;
  skip->jump = gs_node_newest(gs_node_at(&v.table->arena, v.bird));
  expect_damage(&v, "jump or depth is wrong");
  *skip = sound;
  skip->depth++;
  expect_damage(&v, "jump or depth is wrong");
  *skip = sound;
  skip_of(row_of(&v, v.kite, 4))->jump = UINT32_MAX;
  expect_damage(&v, "an older row's jump leads nowhere");
  victim_deinit(&v);
}

static void
test_a_key_missing_from_the_order_is_found(void **state)
{
  victim v;
  victim_init(&v, state);
  gs_order *order = v.table->ordering.current;
  gs_chunk *chunk = order->fences[0].chunk;
  uint32_t nodes[2];
  memcpy(nodes, gs_chunk_nodes(chunk), sizeof nodes);
  chunk->count = 1;
  order->key_count = 1;
  memcpy(chunk->heads + 1, nodes, sizeof nodes[0]);
  expect_damage(&v, "keys before and the order do not match");
  chunk->count = 2;
  memcpy(chunk->heads + 2, nodes, sizeof nodes);
  victim_deinit(&v);
}

/* A writer links first and shows later; verify may come in between. */
static void
test_entries_linked_but_not_yet_shown_are_no_damage(void **state)
{
  victim v;
  victim_init(&v, state);
  gs_arena *arena = &v.table->arena;
  gs_entry newer = kit_put("kite", "seven", 7);
  gs_row_add_newer(arena, gs_node_at(arena, v.kite), &newer);
  kit_expect_sound(v.table);
  victim_deinit(&v);

  victim_init(&v, state);
  arena = &v.table->arena;
  gs_entry fresh = kit_put("swan", "seven", 7);
  gs_row_add_first(arena, &fresh);
  gs_index_insert(&v.table->index, gs_hash_key(fresh.key), gs_arena_top(arena));
  kit_expect_sound(v.table);
  victim_deinit(&v);
}

/* Whatever bit of the used part flips, verify ends with an answer. What it
 * cannot see are bits of values, of padding and of expiry times. */
static void
test_verify_survives_any_single_flipped_bit(void **state)
{
  history *past = calloc(1, sizeof *past);
  past->random = 77;
  gs_memtable *table = kit_table(gs_sim_env(*state), KIT_CAPACITY);
  while (past->count < HISTORY) {
    kit_add(table, history_extend(past));
  }
  kit_expect_sound(table);
  uint8_t *bytes = (uint8_t *)gs_arena_at(&table->arena, GS_ARENA_FIRST);
  size_t size = (gs_arena_used(&table->arena) - GS_ARENA_FIRST) * 8;
  size_t found = 0;
  for (int i = 0; i < FLIPS; i++) {
    size_t at = battery_random_below(&past->random, size);
    uint8_t bit = (uint8_t)(1 << battery_random_below(&past->random, 8));
    bytes[at] ^= bit;
    gs_status status = gs_memtable_verify(table, NULL);
    assert_true(status == GS_OK || status == GS_CORRUPT);
    found += status == GS_CORRUPT;
    bytes[at] ^= bit;
  }
  assert_true(found > FLIPS / 3);
  kit_expect_sound(table);
  gs_memtable_unref(table);
  free(past);
}

static void
test_the_dump_lists_versions_in_internal_order(void **state)
{
  victim v;
  victim_init(&v, state);
  gs_entry odd = kit_put("\x01@\\ \xff", "", 7);
  gs_entry empty = kit_put("", "", 8);
  kit_add(v.table, &odd);
  kit_add(v.table, &empty);
  gs_buffer out;
  gs_buffer_init(&out, gs_sim_env(*state)->alloc);
  assert_int_equal(gs_memtable_dump(v.table, &out, NULL), GS_OK);
  static const char golden[] = "@8:put\n"
                               "\\01\\40\\5c\\20\\ff@7:put\n"
                               "bird@5:del\n"
                               "bird@3:put\n"
                               "kite@6:put\n"
                               "kite@4:put\n"
                               "kite@2:put\n"
                               "kite@1:put\n";
  assert_int_equal(out.size, strlen(golden));
  assert_memory_equal(out.data, golden, out.size);
  kit_expect_unused_order(v.table);
  gs_buffer_deinit(&out);
  victim_deinit(&v);
}

static void
test_an_empty_table_is_sound_and_dumps_nothing(void **state)
{
  gs_memtable *table = kit_table(gs_sim_env(*state), 0);
  kit_expect_sound(table);
  gs_buffer out;
  gs_buffer_init(&out, gs_sim_env(*state)->alloc);
  assert_int_equal(gs_memtable_dump(table, &out, NULL), GS_OK);
  assert_int_equal(out.size, 0);
  gs_memtable_unref(table);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_changed_key_is_found),
      KIT_TEST(test_a_key_size_beyond_the_table_is_found),
      KIT_TEST(test_a_sequence_number_out_of_order_is_found),
      KIT_TEST(test_an_unknown_kind_is_found),
      KIT_TEST(test_a_tombstone_with_a_value_is_found),
      KIT_TEST(test_a_version_cut_out_of_its_chain_is_found),
      KIT_TEST(test_a_chain_that_leads_to_another_key_is_found),
      KIT_TEST(test_a_chain_that_leads_nowhere_is_found),
      KIT_TEST(test_a_row_that_points_forward_is_found),
      KIT_TEST(test_a_wrong_jump_or_depth_is_found),
      KIT_TEST(test_a_key_missing_from_the_order_is_found),
      KIT_TEST(test_entries_linked_but_not_yet_shown_are_no_damage),
      KIT_TEST(test_verify_survives_any_single_flipped_bit),
      KIT_TEST(test_the_dump_lists_versions_in_internal_order),
      KIT_TEST(test_an_empty_table_is_sound_and_dumps_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
