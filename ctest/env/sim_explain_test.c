/*
 * Crashes in words: they name what the crash does.
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

/* Valid until the next call. */
static const char *
words(gs_crash_model model, uint64_t choice)
{
  static char text[4096];
  gs_buffer out;
  gs_buffer_init(&out, sim_machine_env->alloc);
  gs_sim_explain(sim_machine, model, choice, &out);
  assert_true(out.size < sizeof text);
  if (out.size > 0) {
    memcpy(text, out.data, out.size);
  }
  text[out.size] = '\0';
  gs_buffer_deinit(&out);
  return text;
}

static void
work(void)
{
  char bytes[600];
  memset(bytes, 'x', sizeof bytes);
  assert_int_equal(gs_env_make_dir(sim_machine_env, "/d", NULL), GS_OK);
  sim_machine_sync_dir("/");
  sim_machine_make_durable("/d/f", "");
  sim_machine_make_durable("/old", "");
  gs_file *file = sim_machine_open("/d/f", GS_OPEN_WRITE);
  assert_int_equal(gs_file_write(file, 100, bytes, 600, NULL), GS_OK);
  assert_int_equal(gs_file_allocate(file, 800, NULL), GS_OK);
  sim_machine_close(file);
  sim_machine_make("/d/new", "");
  assert_int_equal(gs_env_remove(sim_machine_env, "/old", NULL), GS_OK);
}

static void
test_parts_are_told_in_program_order(void **state)
{
  (void)state;
  work();
  assert_string_equal(words(GS_CRASH_SUBSET, 9), "kept /d/f 100+412\n"
                                                 "lost /d/f 512+188\n"
                                                 "lost /d/f size 800\n"
                                                 "kept /d/ new\n"
                                                 "lost / -old\n");
  assert_string_equal(words(GS_CRASH_KILL, 0), "kept /d/f 100+412\n"
                                               "kept /d/f 512+188\n"
                                               "kept /d/f size 800\n"
                                               "kept /d/ new\n"
                                               "kept / -old\n");
}

static bool
is_there(gs_sim *sim, const char *path)
{
  return strcmp(sim_machine_text(sim, path), "(none)") != 0;
}

/* What is said of the names and the size is so. */
static void
test_scattered_parts_are_told_as_they_fall(void **state)
{
  (void)state;
  size_t kept = 0;
  work();
  for (uint64_t choice = 0; choice < 200; choice++) {
    gs_sim *sim = gs_sim_crash(sim_machine, GS_CRASH_RANDOM, choice);
    const char *said = words(GS_CRASH_RANDOM, choice);
    bool has_new = strstr(said, "kept /d/ new\n") != NULL;
    bool has_old = strstr(said, "lost / -old\n") != NULL;
    bool has_size = strstr(said, "kept /d/f size 800\n") != NULL;
    gs_file_info info;
    assert_int_equal(gs_env_stat(gs_sim_env(sim), "/d/f", &info, NULL), GS_OK);
    assert_int_equal(has_size, info.size_bytes == 800);
    assert_int_equal(has_new, is_there(sim, "/d/new"));
    assert_int_equal(has_old, is_there(sim, "/old"));
    kept += has_new;
    gs_sim_free(sim);
  }
  assert_in_range(kept, 20, 180);
}

static void
test_a_torn_sector_is_named(void **state)
{
  (void)state;
  work();
  for (uint64_t choice = 0; choice < 50; choice++) {
    const char *said = words(GS_CRASH_TORN, choice);
    const char *torn = strstr(said, "torn /d/f ");
    assert_non_null(torn);
    assert_null(strstr(torn + 1, "torn"));
  }
  assert_null(strstr(words(GS_CRASH_RANDOM, 1), "torn"));
}

#define ONE_TEST(test)                                      \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_parts_are_told_in_program_order),
      ONE_TEST(test_scattered_parts_are_told_as_they_fall),
      ONE_TEST(test_a_torn_sector_is_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
