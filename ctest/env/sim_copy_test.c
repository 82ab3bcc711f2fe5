/*
 * Copies of machines: they begin as the original is and go their own way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "env/sim/state.h"
#include "support/sim_machine.h"

static void
assert_same_dump(const gs_sim *a, const gs_sim *b)
{
  gs_buffer left;
  gs_buffer right;
  gs_buffer_init(&left, gs_sim_books_alloc());
  gs_buffer_init(&right, gs_sim_books_alloc());
  gs_sim_dump(a, &left);
  gs_sim_dump(b, &right);
  assert_true(left.size > 0);
  assert_true(gs_slice_equal(gs_buffer_slice(&left), gs_buffer_slice(&right)));
  gs_buffer_deinit(&left);
  gs_buffer_deinit(&right);
}

static void
test_a_copy_has_all_that_is_pending(void **state)
{
  (void)state;
  sim_machine_make_durable("/a", "old");
  sim_machine_make("/b", "new");
  gs_sim *copy = gs_sim_copy(sim_machine);
  assert_same_dump(sim_machine, copy);
  assert_int_equal(gs_sim_pending(copy), gs_sim_pending(sim_machine));
  for (uint64_t choice = 0; choice <= gs_sim_pending(copy); choice++) {
    gs_sim *one = gs_sim_crash(sim_machine, GS_CRASH_PREFIX, choice);
    gs_sim *other = gs_sim_crash(copy, GS_CRASH_PREFIX, choice);
    assert_same_dump(one, other);
    gs_sim_free(one);
    gs_sim_free(other);
  }
  gs_sim_free(copy);
}

static void
test_a_copy_and_its_original_do_not_meet(void **state)
{
  (void)state;
  sim_machine_make_durable("/a", "old");
  gs_file *file = sim_machine_open("/a", GS_OPEN_WRITE);
  sim_machine_write(file, 0, "O");
  gs_sim *copy = gs_sim_copy(sim_machine);
  sim_machine_write(file, 1, "LD");
  assert_string_equal(sim_machine_text(copy, "/a"), "Old");
  assert_int_equal(gs_sim_replace(copy, "/a", gs_slice_str("copied"), NULL),
                   GS_OK);
  assert_string_equal(sim_machine_text(sim_machine, "/a"), "OLD");
  sim_machine_close(file);
  gs_sim_free(copy);
}

static void
test_a_copy_draws_the_same_and_has_no_faults(void **state)
{
  (void)state;
  sim_machine_make("/a", "x");
  sim_machine_fail(GS_SIM_ANY, 1, 5);
  gs_sim_stop_at(sim_machine, 1);
  gs_sim_set_wall_ms(sim_machine, 77);
  gs_sim_set_capacity(sim_machine, 100);
  gs_sim_set_sector(sim_machine, 4096);
  (void)gs_env_random64(sim_machine_env);
  gs_sim *copy = gs_sim_copy(sim_machine);
  assert_string_equal(sim_machine_text(copy, "/a"), "x");
  assert_int_equal(gs_sim_wall_ms(copy), 77);
  assert_int_equal(gs_sim_used_bytes(copy), 1);
  assert_int_equal(copy->sector, 4096);
  assert_int_equal(copy->capacity, 100);
  assert_int_equal(gs_sim_ops(copy),
                   gs_sim_ops(sim_machine) + 3); /* open, read, end */
  gs_env *env = gs_sim_env(copy);
  assert_true(gs_env_random64(env) == gs_env_random64(sim_machine_env));
  assert_true(gs_env_mono_us(env) == gs_env_mono_us(sim_machine_env));
  gs_sim_heal(sim_machine);
  gs_sim_free(copy);
}

/* Copies share pages, names and bytes: the last one to go frees them. */
static void
test_copies_of_copies_outlive_their_originals(void **state)
{
  (void)state;
  sim_machine_make_durable("/a", "abc");
  sim_machine_make("/b", "def");
  for (int i = 0; i < 20; i++) {
    sim_machine_become(i % 2 == 0
                           ? gs_sim_copy(sim_machine)
                           : gs_sim_crash(sim_machine, GS_CRASH_KILL, 0));
    assert_string_equal(sim_machine_text(sim_machine, "/a"), "abc");
    assert_string_equal(sim_machine_text(sim_machine, "/b"), "def");
  }
  sim_machine_crash(GS_CRASH_SYNCED, 0);
  assert_string_equal(sim_machine_text(sim_machine, "/b"), "(none)");
}

#define ONE_TEST(test)                                      \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_a_copy_has_all_that_is_pending),
      ONE_TEST(test_a_copy_and_its_original_do_not_meet),
      ONE_TEST(test_a_copy_draws_the_same_and_has_no_faults),
      ONE_TEST(test_copies_of_copies_outlive_their_originals),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
