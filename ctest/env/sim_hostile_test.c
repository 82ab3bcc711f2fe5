/*
 * The crash that keeps to nothing: each of its tricks happens, and in no other
 * model.
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

enum { CHOICES = 300 };

typedef struct tricks {
  size_t back;    /* a name whose removal was synced */
  size_t garbage; /* bytes that nobody wrote */
  size_t lost;    /* synced bytes */
} tricks;

/* /a is synced, /gone is removed for good, /hole has a size without data. */
static void
prepare(void)
{
  char bytes[1024];
  memset(bytes, 'x', sizeof bytes);
  assert_int_equal(
      gs_sim_replace(sim_machine, "/a", gs_slice_of(bytes, 1024), NULL), GS_OK);
  sim_machine_make_durable("/gone", "ghost");
  sim_machine_make_durable("/hole", "");
  assert_int_equal(gs_env_remove(sim_machine_env, "/gone", NULL), GS_OK);
  sim_machine_sync_dir("/");
  gs_file *file = sim_machine_open("/hole", GS_OPEN_WRITE);
  assert_int_equal(gs_file_allocate(file, 2048, NULL), GS_OK);
  sim_machine_close(file);
}

static size_t
count_other_than(const gs_sim *sim, const char *path, uint8_t byte)
{
  size_t count = 0;
  gs_buffer bytes;
  gs_buffer_init(&bytes, gs_sim_books_alloc());
  assert_int_equal(gs_sim_read(sim, path, &bytes, NULL), GS_OK);
  for (size_t i = 0; i < bytes.size; i++) {
    count += bytes.data[i] != byte;
  }
  gs_buffer_deinit(&bytes);
  return count;
}

static tricks
count_tricks(gs_crash_model model)
{
  tricks found = {0};
  for (uint64_t choice = 0; choice < CHOICES; choice++) {
    gs_sim *sim = gs_sim_crash(sim_machine, model, choice);
    const char *text = sim_machine_text(sim, "/gone");
    assert_true(strcmp(text, "ghost") == 0 || strcmp(text, "(none)") == 0 ||
                text[0] == '\0');
    found.back += strcmp(text, "ghost") == 0;
    found.lost += count_other_than(sim, "/a", 'x') > 0;
    found.garbage += count_other_than(sim, "/hole", 0) > 0;
    gs_sim_free(sim);
  }
  return found;
}

static void
test_a_hostile_machine_keeps_to_nothing(void **state)
{
  (void)state;
  prepare();
  tricks found = count_tricks(GS_CRASH_HOSTILE);
  assert_in_range(found.back, CHOICES / 10, CHOICES / 2);
  assert_in_range(found.lost, CHOICES / 10, CHOICES / 2);
  assert_in_range(found.garbage, CHOICES / 10, CHOICES / 2);
}

static void
test_no_other_machine_does(void **state)
{
  (void)state;
  prepare();
  for (int model = GS_CRASH_SYNCED; model < GS_CRASH_HOSTILE; model++) {
    tricks found = count_tricks((gs_crash_model)model);
    assert_int_equal(found.back + found.lost + found.garbage, 0);
  }
}

#define ONE_TEST(test)                                      \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_a_hostile_machine_keeps_to_nothing),
      ONE_TEST(test_no_other_machine_does),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
