/*
 * The files of a machine and the paths of its nodes.
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

static void
note_file(void *context, const char *path, uint64_t size)
{
  gs_buffer_printf(context, "%s %llu\n", path, (unsigned long long)size);
}

static void
test_files_come_in_the_order_of_their_paths(void **state)
{
  (void)state;
  gs_buffer text;
  gs_buffer_init(&text, sim_machine_env->alloc);
  sim_machine_make("/z", "12");
  assert_int_equal(gs_env_make_dir(sim_machine_env, "/d", NULL), GS_OK);
  sim_machine_make("/d/b", "1");
  sim_machine_make("/a", "");
  assert_int_equal(gs_env_link(sim_machine_env, "/z", "/d/a", NULL), GS_OK);
  gs_sim_files(sim_machine, note_file, &text);
  gs_buffer_append(&text, "", 1);
  assert_string_equal(text.data, "/a 0\n/d/a 2\n/d/b 1\n/z 2\n");
  gs_buffer_deinit(&text);
}

static void
assert_path(const sim_node *node, const char *expected)
{
  gs_buffer text;
  gs_buffer_init(&text, sim_machine_env->alloc);
  gs_sim_path_of(sim_machine, node, &text);
  gs_buffer_append(&text, "", 1);
  assert_string_equal(text.data, expected);
  gs_buffer_deinit(&text);
}

static void
test_a_node_has_the_path_of_its_name_or_of_its_last(void **state)
{
  (void)state;
  assert_int_equal(gs_env_make_dir(sim_machine_env, "/d", NULL), GS_OK);
  sim_machine_sync_dir("/");
  sim_machine_make_durable("/d/f", "1");
  sim_machine_make("/d/g", "1");
  gs_file *file = sim_machine_open("/d/g", GS_OPEN_READ);
  sim_node *f;
  sim_node *g;
  assert_int_equal(gs_sim_find(sim_machine, "/d/f", &f), 0);
  assert_int_equal(gs_sim_find(sim_machine, "/d/g", &g), 0);
  assert_path(sim_machine->nodes[0], "/");
  assert_path(f, "/d/f");
  assert_int_equal(gs_env_remove(sim_machine_env, "/d/f", NULL), GS_OK);
  assert_int_equal(gs_env_remove(sim_machine_env, "/d/g", NULL), GS_OK);
  assert_path(f, "/d/f");
  assert_path(g, "(inode 4)");
  sim_machine_close(file);
}

#define ONE_TEST(test)                                      \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_files_come_in_the_order_of_their_paths),
      ONE_TEST(test_a_node_has_the_path_of_its_name_or_of_its_last),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
