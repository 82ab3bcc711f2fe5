/*
 * Which units change which sectors, and how.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "env/sim/crash.h"
#include "support/sim_machine.h"

static sim_node *
file_node(void)
{
  sim_node *node = NULL;
  assert_int_equal(gs_sim_find(sim_machine, "/f", &node), 0);
  return node;
}

static void
test_touches_come_by_sector_and_then_by_time(void **state)
{
  (void)state;
  static const sim_touch expected[] = {{0, 0}, {0, 3}, {1, 0}, {1, 1},
                                       {1, 2}, {2, 2}, {2, 4}};
  sim_machine_make("/f", "");
  sim_node *node = file_node();
  gs_sim_node_write(sim_machine, node, 6, "abcd", 4);  /* 0: sectors 0, 1 */
  gs_sim_node_write(sim_machine, node, 10, "abcd", 4); /* 1: sector 1 */
  gs_sim_node_write(sim_machine, node, 15, "ab", 2);   /* 2: sectors 1, 2 */
  gs_sim_node_write(sim_machine, node, 0, "a", 1);     /* 3: sector 0 */
  gs_sim_node_resize(sim_machine, node, 16);           /* 4: cuts into 2 */
  gs_sim_node_resize(sim_machine, node, 99);           /* 5: touches none */
  sim_touches all = gs_sim_touches_of(node, 8);
  assert_int_equal(all.count, sizeof expected / sizeof expected[0]);
  for (size_t i = 0; i < all.count; i++) {
    assert_int_equal(all.items[i].sector, expected[i].sector);
    assert_int_equal(all.items[i].unit, expected[i].unit);
  }
  free(all.items);
}

static void
test_a_unit_changes_its_own_part_of_a_sector(void **state)
{
  (void)state;
  static const uint8_t bytes[] = "0123456789";
  sim_unit written = {.kind = SIM_UNIT_WRITE, .offset = 12, .size = 10};
  sim_unit cut = {.kind = SIM_UNIT_RESIZE, .size = 19};
  uint8_t sector[9] = "........";
  written.bytes = bytes;
  gs_sim_touch(&written, sector, 8, 8);
  assert_string_equal(sector, "....0123");
  gs_sim_touch(&written, sector, 16, 8);
  assert_string_equal(sector, "45678923");
  gs_sim_touch(&cut, sector, 16, 8);
  assert_memory_equal(sector, "456\0\0\0\0\0", 8);
  gs_sim_touch(&cut, sector, 24, 8);
  assert_memory_equal(sector, "\0\0\0\0\0\0\0\0", 8);
}

static void
test_writes_grow_a_file_and_cuts_set_its_size(void **state)
{
  (void)state;
  sim_unit written = {.kind = SIM_UNIT_WRITE, .offset = 12, .size = 10};
  sim_unit cut = {.kind = SIM_UNIT_RESIZE, .size = 19};
  assert_int_equal(gs_sim_size_after(&written, 5), 22);
  assert_int_equal(gs_sim_size_after(&written, 50), 50);
  assert_int_equal(gs_sim_size_after(&cut, 5), 19);
  assert_int_equal(gs_sim_size_after(&cut, 50), 19);
}

#define ONE_TEST(test)                                      \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_touches_come_by_sector_and_then_by_time),
      ONE_TEST(test_a_unit_changes_its_own_part_of_a_sector),
      ONE_TEST(test_writes_grow_a_file_and_cuts_set_its_size),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
