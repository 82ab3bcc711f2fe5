/*
 * What is pending, in parts: their numbers, their bytes, and how many choices a
 * model has.
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

/* Two files, written in turns. */
static void
write_in_turns(void)
{
  char bytes[1500];
  memset(bytes, 'x', sizeof bytes);
  gs_file *a = sim_machine_open("/a", GS_OPEN_CREATE);
  gs_file *b = sim_machine_open("/b", GS_OPEN_CREATE);
  assert_int_equal(gs_file_write(a, 0, bytes, 1500, NULL), GS_OK);
  assert_int_equal(gs_file_write(b, 100, bytes, 5, NULL), GS_OK);
  assert_int_equal(gs_file_write(a, 510, bytes, 4, NULL), GS_OK);
  assert_int_equal(gs_file_allocate(b, 2000, NULL), GS_OK);
  sim_machine_close(a);
  sim_machine_close(b);
}

static void
test_parts_are_numbered_in_program_order(void **state)
{
  (void)state;
  static const uint64_t firsts[] = {0, 1, 2, 5, 6, 8};
  size_t count = 0;
  write_in_turns();
  sim_step *all = gs_sim_history(sim_machine, &count);
  assert_int_equal(count, 6);
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(all[i].first, firsts[i]);
    assert_true(i == 0 || all[i].unit->order > all[i - 1].unit->order);
    assert_ptr_equal(all[i].node, sim_machine->nodes[i < 2 ? 0 : 1 + i % 2]);
  }
  free(all);
  assert_int_equal(gs_sim_pending(sim_machine), 9);
}

static void
test_a_sector_decides_how_many_parts_a_write_has(void **state)
{
  (void)state;
  static const struct {
    uint32_t sector;
    uint64_t parts;
  } cases[] = {{512, 9}, {4096, 6}, {1, 1500 + 5 + 4 + 3}, {1024, 7}};
  write_in_turns();
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    gs_sim_set_sector(sim_machine, cases[i].sector);
    assert_int_equal(gs_sim_pending(sim_machine), cases[i].parts);
  }
}

static void
test_the_parts_of_a_write_lie_in_their_sectors(void **state)
{
  (void)state;
  static const struct {
    uint64_t from, to, offset, size;
  } cases[] = {{0, 1, 510, 2},
               {1, 2, 512, 512},
               {2, 3, 1024, 86},
               {0, 3, 510, 600},
               {1, 3, 512, 598}};
  uint8_t bytes[600];
  sim_unit unit = {.kind = SIM_UNIT_WRITE, .offset = 510, .size = 600};
  unit.bytes = bytes;
  assert_int_equal(gs_sim_unit_parts(sim_machine, &unit), 3);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    sim_unit part =
        gs_sim_unit_cut(sim_machine, &unit, cases[i].from, cases[i].to);
    assert_int_equal(part.offset, cases[i].offset);
    assert_int_equal(part.size, cases[i].size);
    assert_ptr_equal(part.bytes, bytes + (cases[i].offset - 510));
  }
}

static void
test_each_model_says_how_many_choices_it_has(void **state)
{
  (void)state;
  assert_int_equal(gs_sim_choices(sim_machine, GS_CRASH_PREFIX), 1);
  assert_int_equal(gs_sim_choices(sim_machine, GS_CRASH_ALONE), 0);
  assert_int_equal(gs_sim_choices(sim_machine, GS_CRASH_SUBSET), 1);
  write_in_turns();
  assert_int_equal(gs_sim_choices(sim_machine, GS_CRASH_SYNCED), 1);
  assert_int_equal(gs_sim_choices(sim_machine, GS_CRASH_KILL), 1);
  assert_int_equal(gs_sim_choices(sim_machine, GS_CRASH_PREFIX), 10);
  assert_int_equal(gs_sim_choices(sim_machine, GS_CRASH_MISSING), 9);
  assert_int_equal(gs_sim_choices(sim_machine, GS_CRASH_ALONE), 9);
  assert_int_equal(gs_sim_choices(sim_machine, GS_CRASH_SUBSET), 512);
  assert_true(gs_sim_choices(sim_machine, GS_CRASH_RANDOM) == UINT64_MAX);
  assert_true(gs_sim_choices(sim_machine, GS_CRASH_OBJECT) == UINT64_MAX);
  gs_sim_set_sector(sim_machine, 1);
  assert_int_equal(gs_sim_choices(sim_machine, GS_CRASH_SUBSET), 0);
}

#define ONE_TEST(test)                                      \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_parts_are_numbered_in_program_order),
      ONE_TEST(test_a_sector_decides_how_many_parts_a_write_has),
      ONE_TEST(test_the_parts_of_a_write_lie_in_their_sectors),
      ONE_TEST(test_each_model_says_how_many_choices_it_has),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
