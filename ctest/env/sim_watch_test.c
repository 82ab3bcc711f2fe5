/*
 * Tests of watching: copies are of the moment before an operation, there is one
 * for each change, and they live on without the machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "env/env.h"
#include "env/sim.h"
#include "support/sim_machine.h"

/* The text of a file in the next copy, which must be of that operation. */
static void
assert_next(uint64_t ops, const char *path, const char *text)
{
  gs_sim *copy = gs_sim_take_copy(sim_machine);
  assert_non_null(copy);
  assert_int_equal(gs_sim_ops(copy), ops);
  assert_string_equal(sim_machine_text(copy, path), text);
  gs_sim_free(copy);
}

static void
assert_no_more(void)
{
  assert_null(gs_sim_take_copy(sim_machine));
}

static void
test_a_copy_is_of_the_moment_before_an_operation(void **state)
{
  (void)state;
  gs_sim_watch(sim_machine, 0, UINT64_MAX);
  gs_file *file = sim_machine_open("/f", GS_OPEN_CREATE);
  sim_machine_write(file, 0, "one");
  sim_machine_write(file, 0, "two");
  sim_machine_close(file);
  assert_next(0, "/f", "(none)");
  assert_next(1, "/f", "");
  assert_next(2, "/f", "one");
  assert_no_more();
}

static void
test_a_disk_that_did_not_change_is_copied_once(void **state)
{
  (void)state;
  gs_file *file = sim_machine_open("/f", GS_OPEN_CREATE);
  gs_file_info info;
  gs_sim_watch(sim_machine, 0, UINT64_MAX);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(sim_machine_env->ops->stat(sim_machine_env, "/f", &info),
                     0);
  }
  assert_next(1, "/f", "");
  assert_no_more();
  sim_machine_close(file);
}

static void
test_what_became_durable_is_a_change(void **state)
{
  (void)state;
  gs_file *file = sim_machine_open("/f", GS_OPEN_CREATE);
  sim_machine_write(file, 0, "abc");
  gs_sim_watch(sim_machine, 0, UINT64_MAX);
  sim_machine_sync(file);
  sim_machine_write(file, 0, "xyz");
  gs_sim *before = gs_sim_take_copy(sim_machine);
  gs_sim *after = gs_sim_take_copy(sim_machine);
  assert_true(gs_sim_pending(after) < gs_sim_pending(before));
  gs_sim_free(before);
  gs_sim_free(after);
  assert_no_more();
  sim_machine_close(file);
}

static void
test_operations_outside_the_range_are_not_copied(void **state)
{
  (void)state;
  gs_sim_watch(sim_machine, 2, 3);
  gs_file *file = sim_machine_open("/f", GS_OPEN_CREATE);
  sim_machine_write(file, 0, "one");
  sim_machine_write(file, 0, "two");
  sim_machine_write(file, 0, "six");
  sim_machine_close(file);
  assert_next(2, "/f", "one");
  assert_no_more();
}

static void
test_watching_anew_forgets_the_copies(void **state)
{
  (void)state;
  gs_sim_watch(sim_machine, 0, UINT64_MAX);
  gs_file *file = sim_machine_open("/f", GS_OPEN_CREATE);
  gs_sim_watch(sim_machine, 0, 0);
  sim_machine_write(file, 0, "one");
  sim_machine_close(file);
  assert_no_more();
}

#define T(name)                                             \
  cmocka_unit_test_setup_teardown(name, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      T(test_a_copy_is_of_the_moment_before_an_operation),
      T(test_a_disk_that_did_not_change_is_copied_once),
      T(test_what_became_durable_is_a_change),
      T(test_operations_outside_the_range_are_not_copied),
      T(test_watching_anew_forgets_the_copies),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
