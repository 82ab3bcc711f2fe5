/*
 * Tests of the memory for blocks: cells never overlap, slabs go back when they
 * are empty, and cells outlive whoever asked for them.
 */
#include "sst/slab.h"
#include "sst/sst_kit.h"
#include "support/sim_machine.h"

enum { CELL = 4176, CELL_ROOM = 4224, MANY = 1200 };

typedef struct held {
  uint8_t *cell;
  gs_slab *slab;
} held;

static gs_slabs *slabs;

static int
make(void **state)
{
  sim_machine_set_up(state);
  assert_int_equal(gs_slabs_new(sim_machine_env, CELL, &slabs, NULL), GS_OK);
  return 0;
}

static int
end(void **state)
{
  gs_slabs_drop(slabs);
  return sim_machine_tear_down(state);
}

static held
take(uint8_t mark)
{
  held taken = {.cell = NULL};
  taken.cell = gs_slabs_take(slabs, false, &taken.slab);
  assert_non_null(taken.cell);
  assert_int_equal((uintptr_t)taken.cell % GS_CELL_ALIGN, 0);
  memset(taken.cell, mark, CELL);
  return taken;
}

/* Checks that nobody else wrote into the cell, and gives it back. */
static void
give(held *taken, uint8_t mark)
{
  for (size_t i = 0; i < CELL; i += 16) {
    assert_int_equal(taken->cell[i], mark);
  }
  gs_slab_give(taken->slab, taken->cell);
  taken->cell = NULL;
}

static uint64_t
slabs_held(void)
{
  return gs_sim_allocated_bytes(sim_machine) / GS_SLAB_BYTES;
}

static void
test_cells_do_not_overlap_in_any_order_of_use(void **state)
{
  (void)state;
  static held cells[MANY];
  memset(cells, 0, sizeof cells);
  uint64_t random = 5;
  for (int i = 0; i < 6 * MANY; i++) {
    size_t number = kit_below(&random, MANY);
    if (cells[number].cell == NULL) {
      cells[number] = take((uint8_t)number);
    } else {
      give(&cells[number], (uint8_t)number);
    }
  }
  for (size_t i = 0; i < MANY; i++) {
    if (cells[i].cell != NULL) {
      give(&cells[i], (uint8_t)i);
    }
  }
  assert_int_equal(slabs_held(), 1);
}

static void
test_a_slab_is_filled_before_another_is_begun(void **state)
{
  (void)state;
  enum { FULL = GS_SLAB_BYTES / CELL_ROOM };
  static held cells[FULL + 2];
  size_t count = 0;
  while (slabs_held() <= 1) {
    assert_true(count < FULL + 2);
    cells[count] = take(1);
    count++;
  }
  assert_in_range(count, FULL - 1, FULL + 1);
  while (count > 0) {
    give(&cells[--count], 1);
  }
}

static void
test_one_empty_slab_is_kept_and_no_more(void **state)
{
  (void)state;
  static held cells[MANY];
  for (size_t i = 0; i < MANY; i++) {
    cells[i] = take(1);
  }
  assert_int_equal(slabs_held(), 3);
  for (size_t i = 0; i < MANY; i++) {
    give(&cells[i], 1);
  }
  assert_int_equal(slabs_held(), 1);
  held again = take(2);
  assert_int_equal(slabs_held(), 1);
  give(&again, 2);
}

static void
test_no_slab_is_begun_where_none_must_be(void **state)
{
  (void)state;
  gs_slab *slab;
  assert_null(gs_slabs_take(slabs, true, &slab));
  held first = take(1);
  held second = {.cell = gs_slabs_take(slabs, true, &second.slab)};
  assert_non_null(second.cell);
  memset(second.cell, 2, CELL);
  give(&first, 1);
  give(&second, 2);
}

static void
test_an_empty_slab_goes_where_none_is_kept(void **state)
{
  (void)state;
  held cell = take(1);
  gs_slabs_keep_empty(slabs, false);
  assert_int_equal(slabs_held(), 1);
  give(&cell, 1);
  assert_int_equal(slabs_held(), 0);
  assert_int_equal(gs_slabs_idle_bytes(slabs), 0);
  gs_slabs_keep_empty(slabs, true);
  cell = take(2);
  give(&cell, 2);
  assert_int_equal(gs_slabs_idle_bytes(slabs), GS_SLAB_BYTES);
  gs_slabs_keep_empty(slabs, false);
  assert_int_equal(slabs_held(), 0);
}

static void
test_cells_outlive_the_drop(void **state)
{
  (void)state;
  held first = take(1);
  held last = take(2);
  gs_slabs_drop(slabs);
  slabs = NULL;
  give(&last, 2);
  assert_int_equal(slabs_held(), 1);
  give(&first, 1);
  assert_int_equal(gs_sim_allocated_bytes(sim_machine), 0);
}

static void
test_running_out_of_memory_is_told(void **state)
{
  (void)state;
  gs_slab *slab;
  gs_sim_fail_alloc(sim_machine, 1, 1);
  assert_null(gs_slabs_take(slabs, false, &slab));
  held taken = take(1);
  give(&taken, 1);
  gs_status status = GS_NOMEM;
  for (uint64_t nth = 1; status != GS_OK; nth++) {
    gs_slabs *other = NULL;
    gs_sim_fail_alloc(sim_machine, nth, 1);
    status = gs_slabs_new(sim_machine_env, CELL, &other, NULL);
    assert_true(status == GS_OK || (status == GS_NOMEM && other == NULL));
    assert_true(nth > 1 || status == GS_NOMEM);
    gs_slabs_drop(other);
  }
  gs_sim_fail_alloc(sim_machine, 0, 1);
}

#define WITH_SLABS(test) cmocka_unit_test_setup_teardown(test, make, end)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      WITH_SLABS(test_cells_do_not_overlap_in_any_order_of_use),
      WITH_SLABS(test_a_slab_is_filled_before_another_is_begun),
      WITH_SLABS(test_one_empty_slab_is_kept_and_no_more),
      WITH_SLABS(test_no_slab_is_begun_where_none_must_be),
      WITH_SLABS(test_an_empty_slab_goes_where_none_is_kept),
      WITH_SLABS(test_cells_outlive_the_drop),
      WITH_SLABS(test_running_out_of_memory_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
