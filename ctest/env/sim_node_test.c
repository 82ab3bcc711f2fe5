/*
 * Tests of nodes: what a sync makes durable, and who is freed when.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "env/sim/state.h"
#include "support/sim_machine.h"

static sim_node *
node_of(const char *path)
{
  sim_node *node = NULL;
  assert_int_equal(gs_sim_find(sim_machine, path, &node), 0);
  return node;
}

static void
test_units_keep_the_order_of_the_program(void **state)
{
  (void)state;
  sim_machine_make("/a", "1");
  sim_machine_make("/b", "2");
  const sim_node *root = node_of("/");
  assert_int_equal(root->unit_count, 2);
  uint64_t made_a = root->units[0].order;
  uint64_t wrote_a = node_of("/a")->units[0].order;
  uint64_t made_b = root->units[1].order;
  uint64_t wrote_b = node_of("/b")->units[0].order;
  assert_true(made_a < wrote_a && wrote_a < made_b && made_b < wrote_b);
}

static void
test_a_sync_moves_units_to_the_durable_state(void **state)
{
  (void)state;
  sim_machine_make("/a", "abc");
  sim_node *node = node_of("/a");
  assert_int_equal(node->durable.content.size, 0);
  gs_sim_node_resize(sim_machine, node, 10);
  gs_sim_node_sync(node);
  assert_int_equal(node->unit_count, 0);
  assert_int_equal(node->durable.content.size, 10);
  assert_int_equal(node->current.content.size, 10);
}

static void
test_a_node_goes_when_no_crash_could_bring_it_back(void **state)
{
  (void)state;
  static const char *const names[] = {"/a", "/b", "/c"};
  for (size_t i = 0; i <= SIM_GHOSTS; i++) {
    sim_machine_make_durable(names[i], "abc");
  }
  size_t count = sim_machine->node_count;
  for (size_t i = 0; i <= SIM_GHOSTS; i++) {
    assert_int_equal(gs_env_remove(sim_machine_env, names[i], NULL), GS_OK);
  }
  gs_sim_collect(sim_machine);
  assert_int_equal(sim_machine->node_count, count);
  sim_machine_sync_dir("/"); /* a directory remembers that many */
  assert_int_equal(sim_machine->node_count, count - 1);
}

static void
test_a_directory_takes_what_is_in_it_along(void **state)
{
  (void)state;
  assert_int_equal(gs_env_make_dir(sim_machine_env, "/d", NULL), GS_OK);
  sim_machine_make_durable("/d/f", "abc");
  assert_int_equal(gs_env_remove(sim_machine_env, "/d/f", NULL), GS_OK);
  assert_int_equal(gs_env_remove_dir(sim_machine_env, "/d", NULL), GS_OK);
  assert_int_equal(sim_machine->node_count, 3);
  sim_machine_sync_dir("/");
  assert_int_equal(sim_machine->node_count, 1);
}

static void
test_indexes_follow_when_nodes_go(void **state)
{
  (void)state;
  sim_machine_make("/a", "");
  sim_machine_make("/b", "");
  assert_int_equal(gs_env_remove(sim_machine_env, "/a", NULL), GS_OK);
  sim_machine_sync_dir("/");
  assert_int_equal(sim_machine->node_count, 2);
  for (size_t i = 0; i < sim_machine->node_count; i++) {
    assert_int_equal(sim_machine->nodes[i]->index, i);
  }
}

static void
test_used_bytes_are_those_of_files_that_can_be_reached(void **state)
{
  (void)state;
  sim_machine_make("/a", "12345");
  sim_machine_make("/b", "123");
  assert_int_equal(gs_sim_used_bytes(sim_machine), 8);
  gs_file *file = sim_machine_open("/a", GS_OPEN_READ);
  assert_int_equal(gs_env_remove(sim_machine_env, "/a", NULL), GS_OK);
  assert_int_equal(gs_env_remove(sim_machine_env, "/b", NULL), GS_OK);
  assert_int_equal(gs_sim_used_bytes(sim_machine), 5);
  sim_machine_close(file);
  assert_int_equal(gs_sim_used_bytes(sim_machine), 0);
}

static void
test_a_settled_name_forgets_its_pending_work_only(void **state)
{
  (void)state;
  sim_machine_make("/a", "");
  sim_machine_make("/b", "");
  assert_int_equal(gs_env_remove(sim_machine_env, "/a", NULL), GS_OK);
  sim_node *root = node_of("/");
  gs_sim_node_settle(root, "a", node_of("/b"));
  assert_int_equal(root->unit_count, 1);
  assert_string_equal(root->units[0].name, "b");
  assert_ptr_equal(gs_sim_entries_find(&root->durable.entries, "a"),
                   node_of("/b"));
  assert_ptr_equal(node_of("/a"), node_of("/b"));
}

#define ONE_TEST(test)                                      \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_units_keep_the_order_of_the_program),
      ONE_TEST(test_a_sync_moves_units_to_the_durable_state),
      ONE_TEST(test_a_node_goes_when_no_crash_could_bring_it_back),
      ONE_TEST(test_a_directory_takes_what_is_in_it_along),
      ONE_TEST(test_indexes_follow_when_nodes_go),
      ONE_TEST(test_used_bytes_are_those_of_files_that_can_be_reached),
      ONE_TEST(test_a_settled_name_forgets_its_pending_work_only),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
