/*
 * Tests of crashes: what each model keeps, that a crash leaves its original
 * alone, and that names and bytes are durable apart from each other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "env/env.h"
#include "env/sim.h"
#include "support/sim_machine.h"

enum { TEXT_BYTES = 4096 };

static gs_error err;

static void
assert_text(const char *path, const char *text)
{
  assert_string_equal(sim_machine_text(sim_machine, path), text);
}

static void
test_what_was_synced_with_its_name_survives(void **state)
{
  (void)state;
  sim_machine_make_durable("/f", "abc");
  sim_machine_crash(GS_CRASH_SYNCED, 0);
  assert_text("/f", "abc");
}

static void
test_bytes_without_a_sync_are_lost(void **state)
{
  (void)state;
  sim_machine_make_durable("/f", "abc");
  gs_file *file = sim_machine_open("/f", GS_OPEN_WRITE);
  sim_machine_write(file, 0, "xyz and more");
  sim_machine_close(file);
  gs_sim *crashed = gs_sim_crash(sim_machine, GS_CRASH_SYNCED, 0);
  assert_string_equal(sim_machine_text(crashed, "/f"), "abc");
  gs_sim_free(crashed);
}

static void
test_a_synced_file_without_a_durable_name_is_lost(void **state)
{
  (void)state;
  gs_file *file = sim_machine_open("/f", GS_OPEN_CREATE);
  sim_machine_write(file, 0, "abc");
  sim_machine_sync(file);
  sim_machine_close(file);
  sim_machine_crash(GS_CRASH_SYNCED, 0);
  assert_text("/f", "(none)");
}

static void
test_a_durable_name_without_a_sync_of_the_file_is_empty(void **state)
{
  (void)state;
  sim_machine_make("/f", "abc");
  sim_machine_sync_dir("/");
  sim_machine_crash(GS_CRASH_SYNCED, 0);
  assert_text("/f", "");
}

static void
test_a_directory_is_durable_when_its_parent_was_synced(void **state)
{
  (void)state;
  assert_int_equal(gs_env_make_dir(sim_machine_env, "/d", &err), GS_OK);
  sim_machine_make_durable("/d/f", "abc");
  gs_sim *crashed = gs_sim_crash(sim_machine, GS_CRASH_SYNCED, 0);
  assert_string_equal(sim_machine_text(crashed, "/d/f"), "(none)");
  gs_sim_free(crashed);
  sim_machine_sync_dir("/");
  sim_machine_crash(GS_CRASH_SYNCED, 0);
  assert_text("/d/f", "abc");
}

static void
test_an_unsynced_removal_is_undone(void **state)
{
  (void)state;
  sim_machine_make_durable("/f", "abc");
  assert_int_equal(gs_env_remove(sim_machine_env, "/f", &err), GS_OK);
  gs_sim *crashed = gs_sim_crash(sim_machine, GS_CRASH_SYNCED, 0);
  assert_string_equal(sim_machine_text(crashed, "/f"), "abc");
  gs_sim_free(crashed);
  sim_machine_sync_dir("/");
  sim_machine_crash(GS_CRASH_SYNCED, 0);
  assert_text("/f", "(none)");
}

static void
test_two_names_of_a_file_stay_one_file(void **state)
{
  (void)state;
  sim_machine_make_durable("/f", "abc");
  assert_int_equal(gs_env_link(sim_machine_env, "/f", "/g", &err), GS_OK);
  sim_machine_sync_dir("/");
  sim_machine_crash(GS_CRASH_SYNCED, 0);
  gs_file *file = sim_machine_open("/g", GS_OPEN_WRITE);
  sim_machine_write(file, 0, "X");
  sim_machine_close(file);
  assert_text("/f", "Xbc");
}

static void
test_a_kill_keeps_all_but_makes_nothing_durable(void **state)
{
  (void)state;
  sim_machine_make_durable("/f", "abc");
  gs_file *file = sim_machine_open("/f", GS_OPEN_WRITE);
  sim_machine_write(file, 0, "X");
  sim_machine_close(file);
  sim_machine_make("/g", "new");
  uint64_t pending = gs_sim_pending(sim_machine);
  sim_machine_crash(GS_CRASH_KILL, 0);
  assert_text("/f", "Xbc");
  assert_text("/g", "new");
  assert_int_equal(gs_sim_pending(sim_machine), pending);
  sim_machine_crash(GS_CRASH_SYNCED, 0);
  assert_text("/f", "abc");
  assert_text("/g", "(none)");
}

static void
test_after_a_kill_a_sync_makes_durable_what_was_pending(void **state)
{
  (void)state;
  sim_machine_make("/f", "abc");
  sim_machine_crash(GS_CRASH_KILL, 0);
  gs_file *file = sim_machine_open("/f", GS_OPEN_READ);
  sim_machine_sync(file);
  sim_machine_close(file);
  sim_machine_sync_dir("/");
  sim_machine_crash(GS_CRASH_SYNCED, 0);
  assert_text("/f", "abc");
}

static void
test_after_power_loss_nothing_is_pending(void **state)
{
  (void)state;
  sim_machine_make("/f", "abc");
  sim_machine_crash(GS_CRASH_PREFIX, 2);
  assert_text("/f", "abc");
  assert_int_equal(gs_sim_pending(sim_machine), 0);
  sim_machine_crash(GS_CRASH_SYNCED, 0);
  assert_text("/f", "abc");
}

/* 700 times a, then b behind: three sectors in two writes. */
static void
write_across_sectors(void)
{
  char text[TEXT_BYTES] = "";
  memset(text, 'a', 700);
  gs_file *file = sim_machine_open("/f", GS_OPEN_CREATE);
  sim_machine_write(file, 0, text);
  memset(text, 'b', 100);
  text[100] = '\0';
  sim_machine_write(file, 700, text);
  sim_machine_close(file);
  assert_int_equal(gs_env_remove(sim_machine_env, "/gone", &err), GS_OK);
}

static void
test_prefixes_are_all_the_states_of_an_ordered_disk(void **state)
{
  (void)state;
  static const struct {
    int size; /* -1: no file */
    const char *gone;
  } expected[] = {
      {-1, "x"},  /* nothing */
      {0, "x"},   /* created */
      {512, "x"}, /* first sector */
      {700, "x"}, /* second sector, its front */
      {800, "x"}, /* the second write */
      {800, "(none)"},
  };
  const size_t states = sizeof expected / sizeof expected[0];
  sim_machine_make_durable("/gone", "x");
  write_across_sectors();
  assert_int_equal(gs_sim_pending(sim_machine), states - 1);
  for (size_t choice = 0; choice < 2 * states; choice++) {
    gs_sim *crashed = gs_sim_crash(sim_machine, GS_CRASH_PREFIX, choice);
    const char *text = sim_machine_text(crashed, "/f");
    if (expected[choice % states].size < 0) {
      assert_string_equal(text, "(none)");
    } else {
      assert_int_equal(strlen(text), expected[choice % states].size);
      assert_true(strspn(text, "a") <= 700);
    }
    assert_string_equal(sim_machine_text(crashed, "/gone"),
                        expected[choice % states].gone);
    gs_sim_free(crashed);
  }
}

static void
test_a_crash_leaves_its_original_as_it_was(void **state)
{
  (void)state;
  gs_buffer before;
  gs_buffer after;
  gs_buffer_init(&before, sim_machine_env->alloc);
  gs_buffer_init(&after, sim_machine_env->alloc);
  sim_machine_make_durable("/gone", "x");
  write_across_sectors();
  gs_sim_dump(sim_machine, &before);
  for (int model = GS_CRASH_SYNCED; model <= GS_CRASH_HOSTILE; model++) {
    gs_sim *crashed = gs_sim_crash(sim_machine, (gs_crash_model)model, 3);
    assert_int_equal(gs_sim_replace(crashed, "/f", gs_slice_str("zzz"), &err),
                     GS_OK);
    gs_sim_free(crashed);
  }
  gs_sim_dump(sim_machine, &after);
  assert_true(
      gs_slice_equal(gs_buffer_slice(&before), gs_buffer_slice(&after)));
  assert_int_equal(sim_machine_text(sim_machine, "/f")[0], 'a');
  gs_buffer_deinit(&before);
  gs_buffer_deinit(&after);
}

static void
test_writes_after_a_crash_do_not_reach_the_original(void **state)
{
  (void)state;
  sim_machine_make_durable("/f", "abc");
  gs_sim *crashed = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  gs_file *file = NULL;
  assert_int_equal(
      gs_file_open(gs_sim_env(crashed), "/f", GS_OPEN_WRITE, &file, &err),
      GS_OK);
  assert_int_equal(gs_file_write(file, 0, "X", 1, &err), GS_OK);
  assert_int_equal(gs_file_sync(file, &err), GS_OK);
  assert_int_equal(gs_file_close(file, &err), GS_OK);
  assert_string_equal(sim_machine_text(crashed, "/f"), "Xbc");
  assert_text("/f", "abc");
  gs_sim_free(crashed);
  sim_machine_crash(GS_CRASH_SYNCED, 0);
  assert_text("/f", "abc");
}

static void
test_a_crash_during_open_files_and_faults_begins_healed(void **state)
{
  (void)state;
  gs_file *file = sim_machine_open("/f", GS_OPEN_CREATE);
  sim_machine_sync_dir("/");
  sim_machine_fail(GS_SIM_ANY, 1, 5);
  gs_sim_stop_at(sim_machine, 1);
  gs_sim *crashed = gs_sim_crash(sim_machine, GS_CRASH_SYNCED, 0);
  assert_string_equal(sim_machine_text(crashed, "/f"), "");
  gs_sim_free(crashed);
  sim_machine_close(file);
}

static uint64_t
inode_of(const char *path)
{
  gs_file_info info;
  assert_int_equal(gs_env_stat(sim_machine_env, path, &info, &err), GS_OK);
  return info.inode;
}

static void
test_files_keep_their_identity_and_new_ones_get_another(void **state)
{
  (void)state;
  sim_machine_make("/lost", "");
  sim_machine_make_durable("/f", "abc");
  assert_int_equal(gs_env_remove(sim_machine_env, "/lost", &err), GS_OK);
  sim_machine_sync_dir("/");
  uint64_t inode = inode_of("/f");
  sim_machine_crash(GS_CRASH_SYNCED, 0);
  assert_int_equal(inode_of("/f"), inode);
  sim_machine_make("/g", "");
  assert_int_not_equal(inode_of("/g"), inode);
}

static void
test_a_name_that_was_lost_can_be_made_again(void **state)
{
  (void)state;
  sim_machine_make("/f", "abc");
  sim_machine_crash(GS_CRASH_SYNCED, 0);
  sim_machine_make_durable("/f", "def");
  sim_machine_crash(GS_CRASH_SYNCED, 0);
  assert_text("/f", "def");
}

#define ONE_TEST(test)                                      \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_what_was_synced_with_its_name_survives),
      ONE_TEST(test_bytes_without_a_sync_are_lost),
      ONE_TEST(test_a_synced_file_without_a_durable_name_is_lost),
      ONE_TEST(test_a_durable_name_without_a_sync_of_the_file_is_empty),
      ONE_TEST(test_a_directory_is_durable_when_its_parent_was_synced),
      ONE_TEST(test_an_unsynced_removal_is_undone),
      ONE_TEST(test_two_names_of_a_file_stay_one_file),
      ONE_TEST(test_a_kill_keeps_all_but_makes_nothing_durable),
      ONE_TEST(test_after_a_kill_a_sync_makes_durable_what_was_pending),
      ONE_TEST(test_after_power_loss_nothing_is_pending),
      ONE_TEST(test_prefixes_are_all_the_states_of_an_ordered_disk),
      ONE_TEST(test_a_crash_leaves_its_original_as_it_was),
      ONE_TEST(test_writes_after_a_crash_do_not_reach_the_original),
      ONE_TEST(test_a_crash_during_open_files_and_faults_begins_healed),
      ONE_TEST(test_files_keep_their_identity_and_new_ones_get_another),
      ONE_TEST(test_a_name_that_was_lost_can_be_made_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
