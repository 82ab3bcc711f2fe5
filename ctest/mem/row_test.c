/*
 * Tests of rows: what goes in comes back, items can be walked, and any version
 * is found in few steps however many there are.
 */
#include <stdio.h>

#include "mem/mem_kit.h"

enum { VERSIONS = 3000 };

static gs_arena *
arena_of(void **state, gs_arena *arena)
{
  gs_env *env = gs_sim_env(*state);
  assert_int_equal(gs_arena_init(arena, env->alloc, NULL, KIT_CAPACITY, NULL),
                   GS_OK);
  return arena;
}

static gs_node *
add_first(gs_arena *arena, const gs_entry *entry)
{
  gs_node *node = gs_node_at(arena, gs_arena_top(arena));
  gs_arena_publish(arena, gs_row_add_first(arena, entry));
  return node;
}

static void
add_newer(gs_arena *arena, gs_node *node, const gs_entry *entry)
{
  gs_arena_publish(arena, gs_row_add_newer(arena, node, entry));
}

static void
test_every_form_of_version_comes_back_as_it_went_in(void **state)
{
  gs_arena arena;
  arena_of(state, &arena);
  const gs_entry forms[] = {
      kit_put("key", "first", 1),
      {.key = gs_slice_str("key"), .seq = 2, .kind = GS_KIND_DELETE},
      {.key = gs_slice_str("key"),
       .value = gs_slice_str("expires"),
       .seq = 3,
       .expires_at_ms = UINT64_MAX,
       .kind = GS_KIND_PUT},
      kit_put("key", "", GS_SEQ_MAX),
  };
  gs_node *node = add_first(&arena, &forms[0]);
  for (size_t i = 1; i < 4; i++) {
    add_newer(&arena, node, &forms[i]);
  }
  for (size_t i = 0; i < 4; i++) {
    gs_entry got;
    uint32_t row = gs_row_find(&arena, node, forms[i].seq);
    gs_row_read(&arena, node, row, &got);
    kit_expect_entry(&got, &forms[i]);
  }
  gs_arena_deinit(&arena);
}

static void
test_a_first_version_may_expire_too(void **state)
{
  gs_arena arena;
  arena_of(state, &arena);
  gs_entry entry = kit_put("", "value", 5);
  entry.expires_at_ms = 77;
  const gs_node *node = add_first(&arena, &entry);
  gs_entry got;
  assert_int_equal(gs_row_find(&arena, node, 4), 0);
  gs_row_read(&arena, node, gs_row_find(&arena, node, 5), &got);
  kit_expect_entry(&got, &entry);
  gs_arena_deinit(&arena);
}

static void
test_a_short_key_and_its_first_version_share_forty_bytes(void **state)
{
  gs_arena arena;
  arena_of(state, &arena);
  uint32_t start = gs_arena_top(&arena);
  gs_entry entry = kit_put("sixteen byte key", "", 1);
  gs_node *node = add_first(&arena, &entry);
  assert_int_equal(gs_arena_top(&arena) - start, 40 / GS_ARENA_UNIT_BYTES);
  entry.seq = 2;
  start = gs_arena_top(&arena);
  add_newer(&arena, node, &entry);
  assert_int_equal(gs_arena_top(&arena) - start, 24 / GS_ARENA_UNIT_BYTES);
  gs_arena_deinit(&arena);
}

static void
test_no_entry_takes_more_than_its_bound(void **state)
{
  gs_arena arena;
  arena_of(state, &arena);
  uint8_t bytes[64] = {0};
  for (size_t key_size = 0; key_size < 20; key_size++) {
    for (size_t value_size = 0; value_size < 20; value_size++) {
      gs_entry entry = {.key = gs_slice_of(bytes, key_size),
                        .value = gs_slice_of(bytes, value_size),
                        .seq = 1,
                        .expires_at_ms = 9,
                        .kind = GS_KIND_PUT};
      size_t bound = gs_row_bytes_max(key_size, value_size);
      size_t free_bytes = gs_arena_free_bytes(&arena);
      gs_node *node = add_first(&arena, &entry);
      size_t left = gs_arena_free_bytes(&arena);
      assert_int_equal(free_bytes - left, bound);
      entry.seq = 2;
      add_newer(&arena, node, &entry);
      assert_true(left - gs_arena_free_bytes(&arena) <= bound);
    }
  }
  gs_arena_deinit(&arena);
}

static void
test_items_can_be_walked_and_told_apart(void **state)
{
  gs_arena arena;
  arena_of(state, &arena);
  history *past = calloc(1, sizeof *past);
  past->random = 3;
  uint32_t starts[2 * KIT_ENTRIES];
  bool is_node[2 * KIT_ENTRIES];
  size_t count = 0;
  gs_node *node = NULL;
  for (size_t i = 0; i < 500; i++) {
    const gs_entry *entry = history_extend(past);
    uint32_t top = gs_arena_top(&arena);
    starts[count] = top;
    is_node[count++] = i % 3 == 0;
    if (i % 3 == 0) {
      node = add_first(&arena, entry);
      starts[count] = gs_node_newest(node);
      is_node[count++] = false;
    } else {
      add_newer(&arena, node, entry);
    }
  }
  uint32_t unit = GS_ARENA_FIRST;
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(unit, starts[i]);
    assert_int_equal(gs_item_is_node(&arena, unit), is_node[i]);
    unit += (uint32_t)gs_item_units(&arena, unit);
  }
  assert_int_equal(unit, gs_arena_used(&arena));
  free(past);
  gs_arena_deinit(&arena);
}

/* A key with VERSIONS rows, by depth; depth d has sequence number 10 + 2 d. */
typedef struct tower {
  gs_arena arena;
  gs_node *node;
  uint32_t units[VERSIONS];
  bool is_needed[VERSIONS];
} tower;

static tower *
tower_new(void **state)
{
  tower *made = calloc(1, sizeof *made);
  assert_non_null(made);
  gs_entry entry = kit_put("hot", "v", 10);
  made->node = add_first(arena_of(state, &made->arena), &entry);
  made->units[0] = gs_node_newest(made->node);
  for (uint64_t depth = 1; depth < VERSIONS; depth++) {
    entry.seq = 10 + 2 * depth;
    add_newer(&made->arena, made->node, &entry);
    made->units[depth] = gs_node_newest(made->node);
  }
  return made;
}

static void
tower_free(tower *made)
{
  gs_arena_deinit(&made->arena);
  free(made);
}

/* Marks the rows that a search by jumps looks at; how many steps it makes. */
static size_t
mark_needed(tower *on, size_t wanted)
{
  size_t steps = 0;
  size_t depth = VERSIONS - 1;
  memset(on->is_needed, 0, sizeof on->is_needed);
  on->is_needed[depth] = true;
  while (depth != wanted) {
    uint32_t jump = gs_row_skip(&on->arena, on->units[depth]).jump;
    size_t far = depth;
    while (on->units[far] != jump) {
      far--;
    }
    on->is_needed[far] = true;
    depth = far <= wanted ? depth - 1 : far;
    on->is_needed[depth] = true;
    steps++;
  }
  return steps;
}

/* Gives every row that is not needed a sequence number that would stop a
 * search at it, or gives them their own back. */
static void
spoil_others(const tower *on, bool is_spoiled)
{
  for (size_t depth = 0; depth < VERSIONS; depth++) {
    if (!on->is_needed[depth]) {
      uint64_t seq = is_spoiled ? 0 : 10 + 2 * (uint64_t)depth;
      gs_row *row = (gs_row *)gs_arena_at(&on->arena, on->units[depth]);
      row->stamp = (row->stamp & ~GS_SEQ_MAX) | seq;
    }
  }
}

static void
test_any_of_many_versions_is_found_in_few_steps(void **state)
{
  tower *on = tower_new(state);
  for (size_t wanted = 0; wanted < VERSIONS; wanted += 7) {
    uint64_t seq = 10 + 2 * (uint64_t)wanted;
    assert_true(mark_needed(on, wanted) <= 36);
    spoil_others(on, true);
    assert_int_equal(gs_row_find(&on->arena, on->node, seq), on->units[wanted]);
    spoil_others(on, false);
    assert_int_equal(gs_row_find(&on->arena, on->node, seq + 1),
                     on->units[wanted]);
  }
  assert_int_equal(gs_row_find(&on->arena, on->node, 9), 0);
  tower_free(on);
}

static void
test_jumps_are_those_of_the_drawing(void **state)
{
  gs_arena arena;
  arena_of(state, &arena);
  static const uint32_t drawn[] = {0, 0, 1, 0, 3, 4, 3, 0};
  uint32_t units[8];
  gs_entry entry = kit_put("k", "v", 1);
  gs_node *node = add_first(&arena, &entry);
  units[0] = gs_node_newest(node);
  assert_int_equal(gs_row_skip(&arena, units[0]).jump, 0);
  for (uint32_t depth = 1; depth < 8; depth++) {
    entry.seq = 1 + depth;
    add_newer(&arena, node, &entry);
    units[depth] = gs_node_newest(node);
    gs_skip skip = gs_row_skip(&arena, units[depth]);
    assert_int_equal(skip.depth, depth);
    assert_int_equal(skip.jump, units[drawn[depth]]);
  }
  gs_arena_deinit(&arena);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_every_form_of_version_comes_back_as_it_went_in),
      KIT_TEST(test_a_first_version_may_expire_too),
      KIT_TEST(test_a_short_key_and_its_first_version_share_forty_bytes),
      KIT_TEST(test_no_entry_takes_more_than_its_bound),
      KIT_TEST(test_items_can_be_walked_and_told_apart),
      KIT_TEST(test_any_of_many_versions_is_found_in_few_steps),
      KIT_TEST(test_jumps_are_those_of_the_drawing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
