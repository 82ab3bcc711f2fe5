/*
 * Tests of the way from names to nodes.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "env/sim/state.h"
#include "support/sim_machine.h"

enum { LONG_NAME = SIM_NAME_BYTES + 1 };

static int
set_up(void **state)
{
  int result = sim_machine_set_up(state);
  assert_int_equal(gs_env_make_dir(sim_machine_env, "/d", NULL), GS_OK);
  sim_machine_make("/d/f", "");
  return result;
}

static int
find(const char *path)
{
  sim_node *node = NULL;
  return gs_sim_find(sim_machine, path, &node);
}

static uint64_t
inode_of(const char *path)
{
  sim_node *node = NULL;
  assert_int_equal(gs_sim_find(sim_machine, path, &node), 0);
  return node->inode;
}

static void
test_slashes_are_one_slash(void **state)
{
  (void)state;
  assert_int_equal(inode_of("//d///f"), inode_of("/d/f"));
  assert_int_equal(inode_of("d/f"), inode_of("/d/f"));
  assert_int_equal(inode_of("/d/"), inode_of("/d"));
  assert_int_equal(inode_of(""), inode_of("/"));
}

static void
test_a_dot_is_the_directory_itself(void **state)
{
  (void)state;
  assert_int_equal(inode_of("."), inode_of("/"));
  assert_int_equal(inode_of("./d/./f"), inode_of("/d/f"));
  assert_int_equal(inode_of("/d/."), inode_of("/d"));
  assert_int_equal(find("/d/f/."), ENOTDIR);
  assert_int_equal(find("/.d"), ENOENT);
}

static void
test_what_is_missing_or_no_directory_is_told_apart(void **state)
{
  (void)state;
  assert_int_equal(find("/x"), ENOENT);
  assert_int_equal(find("/x/y"), ENOENT);
  assert_int_equal(find("/d/f/y"), ENOTDIR);
  assert_int_equal(find("/d/f/y/z"), ENOTDIR);
}

static void
test_a_name_can_be_too_long_anywhere(void **state)
{
  (void)state;
  char path[LONG_NAME + 8] = "/";
  memset(path + 1, 'n', LONG_NAME);
  sim_place place;
  assert_int_equal(find(path), ENAMETOOLONG);
  assert_int_equal(gs_sim_find_place(sim_machine, path, &place), ENAMETOOLONG);
  strcat(path, "/f");
  assert_int_equal(find(path), ENAMETOOLONG);
  path[LONG_NAME] = '\0';
  assert_int_equal(find(path), ENOENT);
  assert_int_equal(gs_sim_find_place(sim_machine, path, &place), 0);
  assert_string_equal(place.name, path + 1);
}

static void
test_a_place_is_a_directory_and_a_name(void **state)
{
  (void)state;
  sim_place place;
  assert_int_equal(gs_sim_find_place(sim_machine, "/d//new/", &place), 0);
  assert_int_equal(place.dir->inode, inode_of("/d"));
  assert_string_equal(place.name, "new");
  assert_int_equal(gs_sim_find_place(sim_machine, "new", &place), 0);
  assert_int_equal(place.dir->inode, inode_of("/"));
  assert_int_equal(gs_sim_find_place(sim_machine, "/d/f/new", &place), ENOTDIR);
  assert_int_equal(gs_sim_find_place(sim_machine, "/x/new", &place), ENOENT);
  assert_int_equal(gs_sim_find_place(sim_machine, "/", &place), EEXIST);
}

static void
test_only_what_is_not_there_is_made(void **state)
{
  (void)state;
  sim_node *node = NULL;
  assert_int_equal(gs_sim_make(sim_machine, "/d", true, &node), EEXIST);
  assert_int_equal(gs_sim_make(sim_machine, "/d/f", false, &node), EEXIST);
  assert_int_equal(gs_sim_make(sim_machine, "/x/f", false, &node), ENOENT);
  assert_null(node);
  assert_int_equal(gs_sim_make(sim_machine, "/d/g", false, &node), 0);
  assert_int_equal(node->inode, inode_of("/d/g"));
}

#define ONE_TEST(test) \
  cmocka_unit_test_setup_teardown(test, set_up, sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_slashes_are_one_slash),
      ONE_TEST(test_a_dot_is_the_directory_itself),
      ONE_TEST(test_what_is_missing_or_no_directory_is_told_apart),
      ONE_TEST(test_a_name_can_be_too_long_anywhere),
      ONE_TEST(test_a_place_is_a_directory_and_a_name),
      ONE_TEST(test_only_what_is_not_there_is_made),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
