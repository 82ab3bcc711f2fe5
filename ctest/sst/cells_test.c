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
      {7, 4096, MANY},   {8, 4096, EARLY},   {8, 4097, MANY},
      {8, 2049, EARLY},  {8, 2048, MANY},    {31, 5120, MANY},
      {32, 5120, EARLY}, {32, 4353, EARLY},  {32, 4352, EARLY},
      {32, 8448, EARLY}, {32, 10560, EARLY}, {32, 10561, MANY},
      {7, 4096, MANY},   {1000, 2048, MANY},
  };
  assert_int_equal(count_alone(4096), MANY);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    gs_cells_deinit(&cells);
    assert_int_equal(gs_cells_init(&cells, sim_machine_env, HEADER, NULL),
                     GS_OK);
    gs_cells_allow(&cells, cases[i].slabs * one_slab);
    assert_int_equal(count_alone(cases[i].bytes), cases[i].alone);
  }
  gs_cells_allow(&cells, 8 * one_slab);
  assert_int_equal(count_alone(4096), EARLY);
  assert_int_equal(count_alone(4096), 0);
  gs_cells_allow(&cells, 8 * one_slab - 1);
  assert_int_equal(count_alone(4096), MANY);
}

/* Of four sizes one block each stays: their slabs are idle but for that. */
static void
test_no_slab_is_begun_while_much_lies_idle(void **state)
{
  (void)state;
  static const uint32_t sizes[] = {4096, 4352, 5440, 6800, 8448};
  taken stay[4];
  gs_cells_allow(&cells, 32 * one_slab);
  for (size_t i = 0; i < 5; i++) {
    for (size_t k = 0; k < EARLY; k++) {
      give(take(sizes[i]));
    }
  }
  for (size_t i = 0; i < 4; i++) {
    assert_false(gs_cells_are_scattered(&cells));
    stay[i] = take(sizes[i]);
    assert_non_null(stay[i].slab);
  }
  taken fifth = take(sizes[4]); /* 7.98 MiB lie idle, 8 may */
  assert_non_null(fifth.slab);
  assert_true(gs_cells_are_scattered(&cells));
  give(fifth);
  gs_cells_allow(&cells, 31 * one_slab);
  gs_cells_allow(&cells, 32 * one_slab);
  assert_int_equal(gs_cells_idle_bytes(&cells) / one_slab, 3);
  taken usual = take(4096); /* has room in a slab that is there */
  assert_non_null(usual.slab);
  give(usual);
  for (size_t i = 0; i < 4; i++) {
    give(stay[i]);
  }
}

static void
test_a_cell_is_at_most_a_quarter_larger_than_its_block(void **state)
{
  (void)state;
  gs_cells_allow(&cells, 1000 * one_slab);
  for (uint32_t size = 4096; size <= 10560; size += 200) {
    (void)count_alone(size);
  }
  for (uint32_t bytes = 4000; bytes <= 10560; bytes += 7) {
    taken t = take(bytes);
    assert_non_null(t.slab);
    size_t cell = gs_slab_cell_bytes(t.slab);
    assert_true(cell >= HEADER + bytes);
    assert_true(cell <= (HEADER + bytes) * 5 / 4 + GS_CELL_ALIGN);
    give(t);
  }
  static const uint32_t common[] = {4096 + 60, 8192 + 60};
  for (size_t i = 0; i < 2; i++) {
    taken t = take(common[i]); /* a value, its key, and what a block adds */
    assert_non_null(t.slab);
    assert_true(gs_slab_cell_bytes(t.slab) <= (HEADER + common[i]) * 107 / 100);
    give(t);
  }
}

static void
test_idle_bytes_are_what_no_block_takes(void **state)
{
  (void)state;
  static taken all[MANY];
  gs_cells_allow(&cells, 32 * one_slab);
  (void)count_alone(4096);
  (void)count_alone(8000);
  assert_int_equal(gs_cells_idle_bytes(&cells), 2 * one_slab);
  uint64_t taken_bytes = 0;
  for (size_t i = 0; i < MANY; i++) {
    all[i] = take(i % 2 == 0 ? 4096 : 8000);
    taken_bytes += gs_slab_cell_bytes(all[i].slab);
  }
  uint64_t idle = gs_cells_idle_bytes(&cells);
  assert_int_equal((idle + taken_bytes) % one_slab, 0);
  assert_true(idle <= 2 * one_slab);
  for (size_t i = 0; i < MANY; i++) {
    give(all[i]);
  }
  assert_int_equal(gs_cells_idle_bytes(&cells), 2 * one_slab);
  gs_cells_allow(&cells, 8 * one_slab);
  assert_int_equal(gs_cells_idle_bytes(&cells), one_slab);
  gs_cells_allow(&cells, 0);
  assert_int_equal(gs_cells_idle_bytes(&cells), 0);
}

/* A slab takes two mebibytes, a block a few kilobytes. */
static void
test_a_block_for_which_no_slab_can_be_had_stands_alone(void **state)
{
  (void)state;
  gs_cells_allow(&cells, 32 * one_slab);
  while (cells.early[1] < EARLY) {
    give(take(4200));
  }
  gs_sim_fail_alloc(sim_machine, 1, 1);
  taken alone = take(4200);
  assert_null(alone.slab);
  give(alone);
  gs_slab *slab;
  gs_sim_fail_alloc(sim_machine, 1, 2);
  assert_null(gs_cells_take(&cells, 4200, &slab));
  gs_sim_fail_alloc(sim_machine, 0, 1);
  taken cell = take(4200);
  assert_non_null(cell.slab);
  give(cell);
}

static void
test_blocks_of_all_sizes_lie_side_by_side(void **state)
{
  (void)state;
  static taken all[MANY];
  gs_cells_allow(&cells, 32 * one_slab);
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
  gs_cells_allow(&cells, 32 * one_slab);
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
  uint64_t nth = 0;
  gs_cells_deinit(&cells);
  while (status != GS_OK) {
    nth++;
    gs_sim_fail_alloc(sim_machine, nth, 1);
    status = gs_cells_init(&cells, sim_machine_env, HEADER, NULL);
    assert_true(status == GS_OK || status == GS_NOMEM);
    gs_cells_deinit(&cells);
    assert_int_equal(gs_sim_allocated_bytes(sim_machine), 0);
  }
  assert_true(nth > GS_CELL_SIZES);
}

#define WITH_CELLS(test) cmocka_unit_test_setup_teardown(test, make, end)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      WITH_CELLS(test_sizes_have_cells_as_there_is_room_for_slabs),
      WITH_CELLS(test_no_slab_is_begun_while_much_lies_idle),
      WITH_CELLS(test_a_cell_is_at_most_a_quarter_larger_than_its_block),
      WITH_CELLS(test_idle_bytes_are_what_no_block_takes),
      WITH_CELLS(test_a_block_for_which_no_slab_can_be_had_stands_alone),
      WITH_CELLS(test_blocks_of_all_sizes_lie_side_by_side),
      WITH_CELLS(test_blocks_outlive_the_cells),
      WITH_CELLS(test_running_out_of_memory_leaves_nothing_behind),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
