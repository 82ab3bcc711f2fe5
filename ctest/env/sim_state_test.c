/*
 * Tests of one state of a node: entries, and units applied to it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "env/sim/state.h"

enum { NODES = 20 };

static void
test_entries_keep_the_order_in_which_they_came(void **state)
{
  (void)state;
  static const char *const names[] = {"c", "a", "b"};
  sim_node nodes[3];
  sim_state it = {0};
  for (size_t i = 0; i < 3; i++) {
    gs_sim_entries_set(&it.entries, names[i], &nodes[i]);
  }
  assert_int_equal(it.entries.count, 3);
  for (size_t i = 0; i < 3; i++) {
    assert_string_equal(it.entries.items[i].name, names[i]);
    assert_ptr_equal(gs_sim_entries_find(&it.entries, names[i]), &nodes[i]);
  }
  assert_null(gs_sim_entries_find(&it.entries, "d"));
  gs_sim_state_free(&it);
  assert_int_equal(it.entries.count, 0);
}

static void
test_a_name_is_there_once_and_can_go(void **state)
{
  (void)state;
  sim_node nodes[NODES];
  sim_state it = {0};
  for (size_t i = 0; i < NODES; i++) {
    gs_sim_entries_set(&it.entries, i % 2 == 0 ? "even" : "odd", &nodes[i]);
  }
  assert_int_equal(it.entries.count, 2);
  assert_ptr_equal(gs_sim_entries_find(&it.entries, "odd"), &nodes[NODES - 1]);
  gs_sim_entries_set(&it.entries, "even", NULL);
  gs_sim_entries_set(&it.entries, "never there", NULL);
  assert_int_equal(it.entries.count, 1);
  assert_null(gs_sim_entries_find(&it.entries, "even"));
  gs_sim_state_free(&it);
}

static void
test_each_kind_of_unit_does_its_work(void **state)
{
  (void)state;
  char text[6];
  char name[] = "name";
  uint8_t bytes[] = {'a', 'b', 'c', 'd'};
  sim_node node;
  sim_state it = {0};
  const sim_unit write = {
      .kind = SIM_UNIT_WRITE, .offset = 1, .size = 4, .bytes = bytes};
  const sim_unit cut = {.kind = SIM_UNIT_RESIZE, .size = 3};
  const sim_unit grow = {.kind = SIM_UNIT_RESIZE, .size = 6};
  const sim_unit enter = {.kind = SIM_UNIT_ENTRY, .name = name};
  gs_sim_state_apply(&it, &write, NULL);
  assert_int_equal(it.content.size, 5);
  gs_sim_state_apply(&it, &cut, NULL);
  gs_sim_state_apply(&it, &grow, NULL);
  assert_int_equal(it.content.size, 6);
  gs_sim_content_read(&it.content, 0, text, sizeof text);
  assert_memory_equal(text, "\0ab\0\0\0", sizeof text);
  gs_sim_state_apply(&it, &enter, &node);
  assert_ptr_equal(gs_sim_entries_find(&it.entries, "name"), &node);
  gs_sim_state_apply(&it, &enter, NULL);
  assert_null(gs_sim_entries_find(&it.entries, "name"));
  gs_sim_state_free(&it);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_entries_keep_the_order_in_which_they_came),
      cmocka_unit_test(test_a_name_is_there_once_and_can_go),
      cmocka_unit_test(test_each_kind_of_unit_does_its_work),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
