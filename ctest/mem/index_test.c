/*
 * Tests of the index, with hashes chosen by hand where it matters: keys that
 * share a home, a tag, or the end of the array.
 */
#include "mem/mem_kit.h"

enum { KEYS = 5000, FIRST_SLOTS = 1024, EXPECTED_KEYS = 100000 };

typedef struct fixture {
  gs_arena arena;
  gs_index index;
} fixture;

static void
fixture_init(fixture *fix, void **state)
{
  gs_alloc *alloc = gs_sim_env(*state)->alloc;
  assert_int_equal(gs_arena_init(&fix->arena, alloc, NULL, KIT_CAPACITY, NULL),
                   GS_OK);
  assert_int_equal(gs_index_init(&fix->index, alloc, NULL), GS_OK);
}

static void
fixture_deinit(fixture *fix)
{
  gs_index_deinit(&fix->index);
  gs_arena_deinit(&fix->arena);
}

static uint32_t
insert(fixture *fix, gs_slice key, uint64_t hash)
{
  gs_entry entry = {.key = key, .seq = 1, .kind = GS_KIND_DELETE};
  uint32_t node = gs_arena_top(&fix->arena);
  gs_arena_publish(&fix->arena, gs_row_add_first(&fix->arena, &entry));
  gs_index_insert(&fix->index, hash, node);
  return node;
}

static gs_slice
number_key(const uint32_t *number)
{
  return gs_slice_of(number, sizeof *number);
}

static void
test_every_key_is_found_and_no_other_while_the_index_grows(void **state)
{
  fixture fix;
  fixture_init(&fix, state);
  uint32_t nodes[KEYS];
  for (uint32_t i = 0; i < KEYS; i++) {
    gs_slice key = number_key(&i);
    assert_int_equal(gs_index_reserve(&fix.index, i + 1, NULL), GS_OK);
    nodes[i] = insert(&fix, key, gs_hash_key(key));
  }
  for (uint32_t i = 0; i < 2 * KEYS; i++) {
    gs_slice key = number_key(&i);
    uint64_t hash = gs_hash_key(key);
    gs_index_prefetch(&fix.index, hash);
    gs_index_prefetch_node(&fix.index, &fix.arena, hash);
    assert_int_equal(gs_index_find(&fix.index, &fix.arena, key, hash),
                     i < KEYS ? nodes[i] : 0);
  }
  fixture_deinit(&fix);
}

static size_t
bytes_with_keys(uint64_t count, void **state)
{
  fixture fix;
  fixture_init(&fix, state);
  gs_index_expect(&fix.index, EXPECTED_KEYS);
  for (uint32_t i = 0; i < count; i++) {
    gs_slice key = number_key(&i);
    assert_int_equal(gs_index_reserve(&fix.index, i + 1, NULL), GS_OK);
    insert(&fix, key, gs_hash_key(key));
  }
  for (uint32_t i = 0; i < count; i++) {
    gs_slice key = number_key(&i);
    assert_int_not_equal(
        gs_index_find(&fix.index, &fix.arena, key, gs_hash_key(key)), 0);
  }
  size_t bytes = gs_index_bytes(&fix.index);
  fixture_deinit(&fix);
  return bytes;
}

/* Few keys are found in few cache lines, whatever is expected. */
static void
test_an_expected_size_is_taken_at_once_and_only_for_many_keys(void **state)
{
  const size_t slot = sizeof(uint64_t);
  assert_in_range(bytes_with_keys(0, state), 0, 2 * slot * FIRST_SLOTS);
  assert_in_range(bytes_with_keys(GS_INDEX_FEW_KEYS, state), 0,
                  4 * slot * GS_INDEX_FEW_KEYS + 1024);
  size_t many = bytes_with_keys(GS_INDEX_FEW_KEYS + 1, state);
  assert_in_range(many, 2 * slot * EXPECTED_KEYS, 5 * slot * EXPECTED_KEYS);
  assert_int_equal(bytes_with_keys(KEYS, state), many);
}

/* Refuses large blocks. */
static void *
resize_small(gs_alloc *self, void *block, size_t old_size, size_t new_size)
{
  (void)self;
  (void)old_size;
  if (new_size == 0) {
    free(block);
    return NULL;
  }
  return new_size <= 8 * sizeof(uint64_t) * KEYS ? realloc(block, new_size)
                                                 : NULL;
}

static void
test_an_expectation_without_memory_for_it_hinders_nobody(void **state)
{
  fixture fix;
  gs_alloc *alloc = gs_sim_env(*state)->alloc;
  gs_alloc small = {.resize = resize_small};
  assert_int_equal(gs_arena_init(&fix.arena, alloc, NULL, KIT_CAPACITY, NULL),
                   GS_OK);
  assert_int_equal(gs_index_init(&fix.index, &small, NULL), GS_OK);
  gs_index_expect(&fix.index, EXPECTED_KEYS);
  for (uint32_t i = 0; i < KEYS; i++) {
    gs_slice key = number_key(&i);
    assert_int_equal(gs_index_reserve(&fix.index, i + 1, NULL), GS_OK);
    insert(&fix, key, gs_hash_key(key));
  }
  fixture_deinit(&fix);
}

static void
test_an_expectation_below_what_is_needed_changes_nothing(void **state)
{
  fixture fix;
  fixture_init(&fix, state);
  assert_int_equal(gs_index_reserve(&fix.index, KEYS, NULL), GS_OK);
  size_t bytes = gs_index_bytes(&fix.index);
  gs_index_expect(&fix.index, 1);
  assert_int_equal(gs_index_reserve(&fix.index, 2 * KEYS, NULL), GS_OK);
  assert_in_range(gs_index_bytes(&fix.index), 2 * bytes, 4 * bytes);
  fixture_deinit(&fix);
}

static void
test_keys_with_one_hash_are_told_apart(void **state)
{
  fixture fix;
  fixture_init(&fix, state);
  uint32_t nodes[100];
  const uint64_t hash = UINT64_C(0x123456789abcdef0);
  for (uint32_t i = 0; i < 100; i++) {
    nodes[i] = insert(&fix, number_key(&i), hash);
  }
  for (uint32_t i = 0; i < 101; i++) {
    uint32_t found =
        gs_index_find(&fix.index, &fix.arena, number_key(&i), hash);
    assert_int_equal(found, i < 100 ? nodes[i] : 0);
  }
  fixture_deinit(&fix);
}

static void
test_probes_go_on_at_the_front_behind_the_last_slot(void **state)
{
  fixture fix;
  fixture_init(&fix, state);
  uint32_t nodes[20];
  for (uint32_t i = 0; i < 20; i++) {
    nodes[i] = insert(&fix, number_key(&i), UINT64_MAX - ((uint64_t)i << 33));
  }
  for (int grown = 0; grown < 2; grown++) {
    for (uint32_t i = 0; i < 20; i++) {
      uint64_t hash = UINT64_MAX - ((uint64_t)i << 33);
      assert_int_equal(
          gs_index_find(&fix.index, &fix.arena, number_key(&i), hash),
          nodes[i]);
    }
    assert_int_equal(gs_index_reserve(&fix.index, FIRST_SLOTS * 4, NULL),
                     GS_OK);
  }
  fixture_deinit(&fix);
}

static void
test_half_of_the_slots_are_never_taken(void **state)
{
  fixture fix;
  fixture_init(&fix, state);
  size_t small = gs_index_bytes(&fix.index);
  assert_int_equal(gs_index_reserve(&fix.index, FIRST_SLOTS / 2, NULL), GS_OK);
  assert_int_equal(gs_index_bytes(&fix.index), small);
  assert_int_equal(gs_index_reserve(&fix.index, FIRST_SLOTS / 2 + 1, NULL),
                   GS_OK);
  size_t grown = small + sizeof(gs_slots) + FIRST_SLOTS * 2 * 8;
  assert_int_equal(gs_index_bytes(&fix.index), grown);
  assert_int_equal(gs_index_reserve(&fix.index, FIRST_SLOTS * 2, NULL), GS_OK);
  grown += sizeof(gs_slots) + FIRST_SLOTS * 4 * 8;
  assert_int_equal(gs_index_bytes(&fix.index), grown);
  fixture_deinit(&fix);
}

static void
test_a_failed_growth_changes_nothing(void **state)
{
  fixture fix;
  fixture_init(&fix, state);
  uint32_t number = 9;
  uint64_t hash = gs_hash_key(number_key(&number));
  uint32_t node = insert(&fix, number_key(&number), hash);
  size_t bytes = gs_index_bytes(&fix.index);
  gs_sim_fail_alloc(*state, 1, 1);
  assert_int_equal(gs_index_reserve(&fix.index, FIRST_SLOTS, NULL), GS_NOMEM);
  assert_int_equal(gs_index_bytes(&fix.index), bytes);
  assert_int_equal(
      gs_index_find(&fix.index, &fix.arena, number_key(&number), hash), node);
  assert_int_equal(gs_index_reserve(&fix.index, FIRST_SLOTS, NULL), GS_OK);
  fixture_deinit(&fix);
}

static void
test_an_index_that_cannot_begin_says_so(void **state)
{
  gs_index index;
  gs_sim_fail_alloc(*state, 1, 1);
  assert_int_equal(gs_index_init(&index, gs_sim_env(*state)->alloc, NULL),
                   GS_NOMEM);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_every_key_is_found_and_no_other_while_the_index_grows),
      KIT_TEST(test_an_expected_size_is_taken_at_once_and_only_for_many_keys),
      KIT_TEST(test_an_expectation_without_memory_for_it_hinders_nobody),
      KIT_TEST(test_an_expectation_below_what_is_needed_changes_nothing),
      KIT_TEST(test_keys_with_one_hash_are_told_apart),
      KIT_TEST(test_probes_go_on_at_the_front_behind_the_last_slot),
      KIT_TEST(test_half_of_the_slots_are_never_taken),
      KIT_TEST(test_a_failed_growth_changes_nothing),
      KIT_TEST(test_an_index_that_cannot_begin_says_so),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
