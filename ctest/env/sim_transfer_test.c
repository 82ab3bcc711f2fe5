/*
 * Reads and writes that go wrong without saying so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "env/env.h"
#include "env/sim.h"
#include "support/sim_machine.h"

static void
add_fault(gs_sim_fault fault)
{
  assert_int_equal(gs_sim_fail(sim_machine, &fault, NULL), GS_OK);
}

/* Reads the whole file through the machine's own operation. */
static const char *
read_once(gs_file *file)
{
  static char text[64];
  int64_t got = sim_machine_env->ops->read(file, 0, text, sizeof text - 1);
  assert_true(got >= 0);
  text[got] = '\0';
  return text;
}

static void
test_a_flipped_bit_is_in_one_read_only(void **state)
{
  (void)state;
  sim_machine_make("/f", "aaaa");
  gs_file *file = sim_machine_open("/f", GS_OPEN_READ);
  add_fault((gs_sim_fault){
      .op = GS_SIM_READ, .effect = GS_SIM_FLIP, .times = 1, .amount = 9});
  assert_string_equal(read_once(file), "acaa");
  assert_string_equal(read_once(file), "aaaa");
  sim_machine_close(file);
}

static void
test_a_stale_read_shows_what_was_synced(void **state)
{
  (void)state;
  sim_machine_make_durable("/f", "old");
  gs_file *file = sim_machine_open("/f", GS_OPEN_WRITE);
  sim_machine_write(file, 1, "NEW");
  add_fault(
      (gs_sim_fault){.op = GS_SIM_READ, .effect = GS_SIM_STALE, .times = 1});
  char bytes[4];
  assert_int_equal(sim_machine_env->ops->read(file, 0, bytes, 4), 4);
  assert_memory_equal(bytes, "old\0", 4);
  assert_string_equal(read_once(file), "oNEW");
  sim_machine_close(file);
}

static void
test_a_misdirected_write_hits_another_place(void **state)
{
  (void)state;
  sim_machine_make("/f", "abcdef");
  gs_file *file = sim_machine_open("/f", GS_OPEN_WRITE);
  add_fault((gs_sim_fault){
      .op = GS_SIM_WRITE, .effect = GS_SIM_MISDIRECT, .times = 1, .amount = 3});
  sim_machine_write(file, 0, "XY");
  assert_string_equal(read_once(file), "abcXYf");
  sim_machine_write(file, 0, "XY");
  assert_string_equal(read_once(file), "XYcXYf");
  sim_machine_close(file);
}

static void
test_chance_fires_about_as_often_as_asked(void **state)
{
  (void)state;
  size_t failed = 0;
  sim_machine_make("/f", "a");
  gs_file *file = sim_machine_open("/f", GS_OPEN_READ);
  add_fault((gs_sim_fault){.op = GS_SIM_READ, .one_in = 10, .os_errno = 5});
  for (int i = 0; i < 10000; i++) {
    char byte;
    failed += sim_machine_env->ops->read(file, 0, &byte, 1) < 0;
  }
  assert_in_range(failed, 850, 1150);
  sim_machine_close(file);
}

#define ONE_TEST(test)                                      \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_a_flipped_bit_is_in_one_read_only),
      ONE_TEST(test_a_stale_read_shows_what_was_synced),
      ONE_TEST(test_a_misdirected_write_hits_another_place),
      ONE_TEST(test_chance_fires_about_as_often_as_asked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
