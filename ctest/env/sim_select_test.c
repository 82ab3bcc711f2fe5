/*
 * The models that keep or lose whole parts, each choice against a plain model
 * of a small machine: six parts in three places.
 *
 *   0  /f, first sector      3  /g, first sector
 *   1  /f, second sector     4  /h appears
 *   2  /f, third sector      5  /gone goes
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

enum { PARTS = 6, STATES = 1 << PARTS, SECTOR = 512 };

static void
write_parts(void)
{
  char bytes[3 * SECTOR];
  memset(bytes, 'x', sizeof bytes);
  sim_machine_make_durable("/f", "");
  sim_machine_make_durable("/g", "");
  sim_machine_make_durable("/gone", "");
  gs_file *f = sim_machine_open("/f", GS_OPEN_WRITE);
  gs_file *g = sim_machine_open("/g", GS_OPEN_WRITE);
  assert_int_equal(gs_file_write(f, 0, bytes, 3 * SECTOR, NULL), GS_OK);
  assert_int_equal(gs_file_write(g, 0, bytes, SECTOR, NULL), GS_OK);
  sim_machine_make("/h", "");
  assert_int_equal(gs_env_remove(sim_machine_env, "/gone", NULL), GS_OK);
  sim_machine_close(f);
  sim_machine_close(g);
  assert_int_equal(gs_sim_pending(sim_machine), PARTS);
}

/* Whether the file holds the sector's bytes, and not zeros or nothing. */
static bool
holds(const gs_sim *sim, const char *path, size_t sector)
{
  gs_buffer bytes;
  gs_buffer_init(&bytes, gs_sim_books_alloc());
  assert_int_equal(gs_sim_read(sim, path, &bytes, NULL), GS_OK);
  bool is_there = false;
  for (size_t i = 0; i < SECTOR && sector * SECTOR < bytes.size; i++) {
    bool is_set = bytes.data[sector * SECTOR + i] == 'x';
    assert_true(i == 0 || is_set == is_there);
    is_there = is_set;
  }
  gs_buffer_deinit(&bytes);
  return is_there;
}

static bool
exists(const gs_sim *sim, const char *path)
{
  sim_node *node;
  return gs_sim_find(sim, path, &node) == 0;
}

/* A bit for each part that survived. Takes the machine. */
static unsigned
survivors(gs_sim *sim)
{
  unsigned found = 0;
  for (size_t i = 0; i < 3; i++) {
    found |= (unsigned)holds(sim, "/f", i) << i;
  }
  found |= (unsigned)holds(sim, "/g", 0) << 3;
  found |= (unsigned)exists(sim, "/h") << 4;
  found |= (unsigned)!exists(sim, "/gone") << 5;
  assert_int_equal(gs_sim_pending(sim), 0);
  gs_sim_free(sim);
  return found;
}

static unsigned
after(gs_crash_model model, uint64_t choice)
{
  return survivors(gs_sim_crash(sim_machine, model, choice));
}

static void
test_subsets_are_all_there(void **state)
{
  (void)state;
  write_parts();
  assert_int_equal(gs_sim_choices(sim_machine, GS_CRASH_SUBSET), STATES);
  for (unsigned choice = 0; choice < 2 * STATES; choice++) {
    assert_int_equal(after(GS_CRASH_SUBSET, choice), choice % STATES);
  }
}

static void
test_one_part_is_missing_or_alone(void **state)
{
  (void)state;
  write_parts();
  for (unsigned choice = 0; choice < 2 * PARTS; choice++) {
    unsigned part = 1U << choice % PARTS;
    assert_int_equal(after(GS_CRASH_MISSING, choice), (STATES - 1) ^ part);
    assert_int_equal(after(GS_CRASH_ALONE, choice), part);
  }
}

static void
test_prefixes_and_the_ends(void **state)
{
  (void)state;
  write_parts();
  for (unsigned choice = 0; choice <= PARTS; choice++) {
    assert_int_equal(after(GS_CRASH_PREFIX, choice), (1U << choice) - 1);
  }
  assert_int_equal(after(GS_CRASH_SYNCED, 9), 0);
}

/* Of /f a prefix of three, of /g one of one, of the root one of two. */
static bool
is_of_prefixes(unsigned found)
{
  unsigned f = found & 7;
  unsigned root = found >> 4;
  return (f & (f + 1)) == 0 && (root & (root + 1)) == 0;
}

static void
test_objects_have_prefixes_of_their_own(void **state)
{
  (void)state;
  bool has_been[STATES] = {false};
  size_t count = 0;
  write_parts();
  for (uint64_t choice = 0; choice < 2000; choice++) {
    unsigned found = after(GS_CRASH_OBJECT, choice);
    assert_true(is_of_prefixes(found));
    assert_int_equal(after(GS_CRASH_OBJECT, choice), found);
    count += !has_been[found];
    has_been[found] = true;
  }
  assert_int_equal(count, 4 * 2 * 3);
}

static void
test_a_machine_with_nothing_pending_has_one_state(void **state)
{
  (void)state;
  sim_machine_make_durable("/f", "abc");
  for (int model = GS_CRASH_SYNCED; model < GS_CRASH_HOSTILE; model++) {
    gs_sim *sim = gs_sim_crash(sim_machine, (gs_crash_model)model, 7);
    assert_string_equal(sim_machine_text(sim, "/f"), "abc");
    gs_sim_free(sim);
  }
}

#define ONE_TEST(test)                                      \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_subsets_are_all_there),
      ONE_TEST(test_one_part_is_missing_or_alone),
      ONE_TEST(test_prefixes_and_the_ends),
      ONE_TEST(test_objects_have_prefixes_of_their_own),
      ONE_TEST(test_a_machine_with_nothing_pending_has_one_state),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
