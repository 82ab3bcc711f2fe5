/*
 * Tests of where blocks lie: which sizes have cells, how many stand alone first,
 * and that nothing is left behind.
 */
#include "sst/cells.h"
#include "sst/sst_kit.h"
#include "support/sim_machine.h"

enum { HEADER = 80, EARLY = 64, MANY = 300 };

static const uint64_t one_slab = GS_SLAB_BYTES;
static gs_cells cells;

static int
make(void **state)
{
  sim_machine_set_up(state);
  assert_int_equal(gs_cells_init(&cells, sim_machine_env, HEADER, NULL), GS_OK);
  return 0;
}

static int
end(void **state)
{
  gs_cells_deinit(&cells);
  assert_int_equal(gs_sim_allocated_bytes(sim_machine), 0);
  return sim_machine_tear_down(state);
}

typedef struct taken {
  uint8_t *memory;
  gs_slab *slab;
  uint32_t bytes;
} taken;

static taken
take(uint32_t bytes)
{
  taken t = {.bytes = bytes};
  t.memory = gs_cells_take(&cells, bytes, &t.slab);
  assert_non_null(t.memory);
  memset(t.memory, (int)(bytes % 251), HEADER + bytes);
  return t;
}

/* Checks that nobody else wrote into the memory, and gives it back. */
static void
give(taken t)
{
  assert_int_equal(t.memory[0], t.bytes % 251);
  assert_int_equal(t.memory[HEADER + t.bytes - 1], t.bytes % 251);
  if (t.slab != NULL) {
    gs_slab_give(t.slab, t.memory);
  } else {
    gs_alloc_free(sim_machine_env->alloc, t.memory, HEADER + t.bytes);
  }
}

/* How many of MANY blocks of a size stand alone. */
static size_t
count_alone(uint32_t bytes)
{
  size_t alone = 0;
  for (size_t i = 0; i < MANY; i++) {
    taken t = take(bytes);
    alone += t.slab == NULL;
    give(t);
  }
  return alone;
}

static void
test_sizes_have_cells_as_there_is_room_for_slabs(void **state)
{
  (void)state;
  static const struct {
    uint64_t slabs;
    uint32_t bytes;
    size_t alone;
  } cases[] = {
      {7, 4096, MANY},   {8, 4096, EARLY},  {8, 4097, MANY},
      {8, 2049, 0},      {8, 2048, MANY},   {63, 5120, MANY},
      {64, 5120, EARLY}, {64, 5121, EARLY}, {64, 6401, EARLY},
      {64, 8000, 0},     {64, 8001, EARLY}, {64, 10001, MANY},
      {64, 4097, 0},     {7, 4096, MANY},   {1000, 2048, MANY},
  };
  assert_int_equal(count_alone(4096), MANY);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    gs_cells_allow(&cells, cases[i].slabs * one_slab);
    assert_int_equal(count_alone(cases[i].bytes), cases[i].alone);
  }
  gs_cells_allow(&cells, 8 * one_slab - 1);
  assert_int_equal(count_alone(4096), MANY);
}

static void
test_a_cell_is_hardly_larger_than_its_block(void **state)
{
  (void)state;
  gs_cells_allow(&cells, 64 * one_slab);
  for (uint32_t bytes = 4000; bytes <= 10000; bytes += 100) {
    (void)count_alone(bytes);
    taken t = take(bytes);
    assert_non_null(t.slab);
    size_t cell = gs_slab_cell_bytes(t.slab);
    assert_in_range(cell, HEADER + bytes, (HEADER + bytes) * 4 / 3);
    give(t);
  }
}

static void
test_blocks_of_all_sizes_lie_side_by_side(void **state)
{
  (void)state;
  static taken all[MANY];
  gs_cells_allow(&cells, 64 * one_slab);
  uint64_t random = 7;
  for (int round = 0; round < 20; round++) {
    for (size_t i = 0; i < MANY; i++) {
      if (all[i].memory == NULL) {
        all[i] = take(1 + (uint32_t)kit_below(&random, 12000));
      } else if (kit_below(&random, 3) > 0) {
        give(all[i]);
        all[i].memory = NULL;
      }
    }
  }
  for (size_t i = 0; i < MANY; i++) {
    if (all[i].memory != NULL) {
      give(all[i]);
      all[i].memory = NULL;
    }
  }
}

static void
test_blocks_outlive_the_cells(void **state)
{
  (void)state;
  gs_cells_allow(&cells, 64 * one_slab);
  (void)count_alone(4096);
  (void)count_alone(5000);
  taken usual = take(4096);
  taken large = take(5000);
  taken alone = take(100);
  gs_cells_deinit(&cells);
  give(usual);
  give(large);
  give(alone);
  assert_int_equal(gs_sim_allocated_bytes(sim_machine), 0);
}

static void
test_running_out_of_memory_leaves_nothing_behind(void **state)
{
  (void)state;
  gs_status status = GS_NOMEM;
  gs_cells_deinit(&cells);
  for (uint64_t nth = 1; status != GS_OK; nth++) {
    gs_sim_fail_alloc(sim_machine, nth, 1);
    status = gs_cells_init(&cells, sim_machine_env, HEADER, NULL);
    assert_true(status == GS_OK || status == GS_NOMEM);
    assert_true(nth > 1 || status == GS_NOMEM);
    gs_cells_deinit(&cells);
    assert_int_equal(gs_sim_allocated_bytes(sim_machine), 0);
  }
}

#define WITH_CELLS(test) cmocka_unit_test_setup_teardown(test, make, end)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      WITH_CELLS(test_sizes_have_cells_as_there_is_room_for_slabs),
      WITH_CELLS(test_a_cell_is_hardly_larger_than_its_block),
      WITH_CELLS(test_blocks_of_all_sizes_lie_side_by_side),
      WITH_CELLS(test_blocks_outlive_the_cells),
      WITH_CELLS(test_running_out_of_memory_leaves_nothing_behind),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
