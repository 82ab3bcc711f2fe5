/*
 * Tests of the real machine with a clock that is moved by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/status.h"
#include "env/clocked.h"
#include "env/env.h"
#include "support/temp_dir.h"

static int
make_clocked(void **state)
{
  gs_clocked *clocked = NULL;
  gs_error err;
  assert_int_equal(gs_clocked_new(1000, &clocked, &err), GS_OK);
  *state = clocked;
  return 0;
}

static int
free_clocked(void **state)
{
  gs_clocked_free(*state);
  return 0;
}

static void
test_the_time_of_day_stands_until_it_is_set(void **state)
{
  gs_clocked *clocked = *state;
  gs_env *env = gs_clocked_env(clocked);
  assert_int_equal(gs_env_wall_ms(env), 1000);
  assert_int_equal(gs_clocked_wall_ms(clocked), 1000);
  gs_clocked_set_wall_ms(clocked, 250);
  assert_int_equal(gs_env_wall_ms(env), 250);
  assert_int_equal(gs_clocked_wall_ms(clocked), 250);
}

static void
test_two_clocks_are_strangers(void **state)
{
  gs_clocked *clocked = *state;
  gs_clocked *other = NULL;
  gs_error err;
  assert_int_equal(gs_clocked_new(7, &other, &err), GS_OK);
  gs_clocked_set_wall_ms(clocked, 5000);
  assert_int_equal(gs_env_wall_ms(gs_clocked_env(other)), 7);
  gs_clocked_free(other);
}

static void
test_durations_are_real_ones(void **state)
{
  gs_clocked *clocked = *state;
  uint64_t before = gs_env_mono_us(gs_env_posix());
  gs_clocked_set_wall_ms(clocked, UINT64_C(1) << 50);
  uint64_t now = gs_env_mono_us(gs_clocked_env(clocked));
  uint64_t after = gs_env_mono_us(gs_env_posix());
  assert_in_range(now, before, after);
}

static void
test_files_locks_and_mutexes_are_those_of_the_real_machine(void **state)
{
  gs_env *env = gs_clocked_env(*state);
  gs_mutex *registry = NULL;
  gs_mutex *again = NULL;
  gs_file *file = NULL;
  gs_error err;
  temp_dir dir;
  char byte = 0;
  temp_dir_make(&dir);
  const char *path = temp_dir_at(&dir, "f");
  assert_int_equal(gs_env_registry(env, &registry, &err), GS_OK);
  assert_int_equal(gs_env_registry(env, &again, &err), GS_OK);
  assert_ptr_equal(registry, again);
  assert_int_equal(gs_file_open(env, path, GS_OPEN_CREATE, &file, &err), GS_OK);
  assert_int_equal(gs_file_write(file, 0, "x", 1, &err), GS_OK);
  assert_int_equal(gs_file_close(file, &err), GS_OK);
  assert_int_equal(
      gs_file_open(gs_env_posix(), path, GS_OPEN_READ, &file, &err), GS_OK);
  assert_int_equal(gs_file_read(file, 0, &byte, 1, &err), GS_OK);
  assert_int_equal(gs_file_close(file, &err), GS_OK);
  assert_int_equal(byte, 'x');
  assert_int_equal(gs_env_remove(env, path, &err), GS_OK);
  temp_dir_remove(&dir);
}

static void
test_freeing_none_is_nothing(void **state)
{
  (void)state;
  gs_clocked_free(NULL);
  assert_true(gs_env_wall_ms(gs_env_posix()) > 1000);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(
          test_the_time_of_day_stands_until_it_is_set, make_clocked,
          free_clocked),
      cmocka_unit_test_setup_teardown(test_two_clocks_are_strangers,
                                      make_clocked, free_clocked),
      cmocka_unit_test_setup_teardown(test_durations_are_real_ones,
                                      make_clocked, free_clocked),
      cmocka_unit_test_setup_teardown(
          test_files_locks_and_mutexes_are_those_of_the_real_machine,
          make_clocked, free_clocked),
      cmocka_unit_test(test_freeing_none_is_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
