/*
 * Tests of hands on the medium: rot, replaced files, and what a dump tells.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "env/env.h"
#include "env/sim.h"
#include "support/sim_machine.h"

static gs_error err;

static void
assert_text(const char *path, const char *text)
{
  assert_string_equal(sim_machine_text(sim_machine, path), text);
}

static void
test_rot_is_durable(void **state)
{
  (void)state;
  sim_machine_make_durable("/f", "abc");
  assert_int_equal(gs_sim_flip(sim_machine, "/f", 8 + 5, &err), GS_OK);
  assert_text("/f", "aBc");
  sim_machine_crash(GS_CRASH_SYNCED, 0);
  assert_text("/f", "aBc");
  assert_int_equal(gs_sim_flip(sim_machine, "/f", 24, &err), GS_MISUSE);
  assert_int_equal(gs_sim_flip(sim_machine, "/g", 0, &err), GS_MISSING);
  assert_int_equal(gs_sim_flip(sim_machine, "/", 0, &err), GS_MISSING);
}

static void
test_rot_of_pending_bytes_is_seen_and_not_durable(void **state)
{
  (void)state;
  sim_machine_make("/f", "abc");
  sim_machine_sync_dir("/");
  assert_int_equal(gs_sim_flip(sim_machine, "/f", 5, &err), GS_OK);
  assert_text("/f", "Abc");
  sim_machine_crash(GS_CRASH_SYNCED, 0);
  assert_text("/f", "");
}

static void
test_a_replaced_file_is_durable_whatever_was_pending(void **state)
{
  (void)state;
  sim_machine_make_durable("/f", "a longer text than before");
  gs_file *file = sim_machine_open("/f", GS_OPEN_WRITE);
  sim_machine_write(file, 0, "A");
  assert_int_equal(gs_env_remove(sim_machine_env, "/f", &err), GS_OK);
  sim_machine_make("/f", "");
  assert_int_equal(gs_sim_replace(sim_machine, "/f", gs_slice_str("abc"), &err),
                   GS_OK);
  sim_machine_close(file);
  assert_text("/f", "abc");
  for (uint64_t choice = 0; choice < 50; choice++) {
    gs_sim *crashed = gs_sim_crash(sim_machine, GS_CRASH_RANDOM, choice);
    assert_string_equal(sim_machine_text(crashed, "/f"), "abc");
    gs_sim_free(crashed);
  }
}

static void
test_a_replacement_can_be_a_new_file(void **state)
{
  (void)state;
  gs_slice empty = gs_slice_of(NULL, 0);
  assert_int_equal(gs_sim_replace(sim_machine, "/f", empty, &err), GS_OK);
  sim_machine_crash(GS_CRASH_SYNCED, 0);
  assert_text("/f", "");
  assert_int_equal(gs_sim_replace(sim_machine, "/no/f", empty, &err),
                   GS_MISSING);
  assert_int_equal(gs_sim_replace(sim_machine, "/", empty, &err), GS_MISSING);
}

static void
test_a_dump_tells_what_is_durable(void **state)
{
  (void)state;
  gs_buffer out;
  gs_buffer_init(&out, sim_machine_env->alloc);
  sim_machine_make_durable("/a", "abc");
  gs_file *file = sim_machine_open("/a", GS_OPEN_WRITE);
  sim_machine_write(file, 3, "d");
  sim_machine_make("/b", "");
  gs_sim_dump(sim_machine, &out);
  gs_buffer_append_zeros(&out, 1);
  assert_string_equal((char *)out.data,
                      "1 names a=2 b=3 durable a=2 pending 1\n"
                      "2 size 4 durable 3 pending 1\n"
                      "3 size 0 durable 0 pending 0\n");
  gs_buffer_deinit(&out);
  sim_machine_close(file);
}

static void
test_a_dump_tells_of_lies_and_ghosts(void **state)
{
  (void)state;
  gs_buffer out;
  gs_buffer_init(&out, sim_machine_env->alloc);
  sim_machine_make_durable("/a", "abc");
  sim_machine_make_durable("/gone", "");
  gs_sim_fault fault = {
      .op = GS_SIM_SYNC, .os_errno = 5, .sync_failure = GS_SYNC_LATE};
  assert_int_equal(gs_sim_fail(sim_machine, &fault, &err), GS_OK);
  gs_file *file = sim_machine_open("/a", GS_OPEN_WRITE);
  sim_machine_write(file, 0, "d");
  sim_machine_sync(file);
  assert_int_equal(gs_env_remove(sim_machine_env, "/gone", &err), GS_OK);
  sim_machine_sync_dir("/");
  gs_sim_dump(sim_machine, &out);
  gs_buffer_append_zeros(&out, 1);
  assert_string_equal((char *)out.data,
                      "1 names a=2 durable a=2 gone gone=3 pending 0\n"
                      "2 size 3 durable 3 pending 1 late 1\n"
                      "3 size 0 durable 0 pending 0\n");
  gs_buffer_deinit(&out);
  sim_machine_close(file);
}

static void
test_a_file_is_read_as_it_is_now(void **state)
{
  (void)state;
  gs_buffer out;
  gs_buffer_init(&out, sim_machine_env->alloc);
  sim_machine_make_durable("/a", "abc");
  gs_file *file = sim_machine_open("/a", GS_OPEN_WRITE);
  sim_machine_write(file, 1, "BCD");
  sim_machine_close(file);
  uint64_t ops = gs_sim_ops(sim_machine);
  assert_int_equal(gs_sim_read(sim_machine, "/a", &out, &err), GS_OK);
  assert_int_equal(gs_sim_read(sim_machine, "/a", &out, &err), GS_OK);
  assert_true(gs_slice_equal(gs_buffer_slice(&out), gs_slice_str("aBCDaBCD")));
  assert_int_equal(gs_sim_read(sim_machine, "/b", &out, &err), GS_MISSING);
  assert_int_equal(gs_sim_read(sim_machine, "/", &out, &err), GS_MISSING);
  assert_int_equal(gs_sim_ops(sim_machine), ops);
  gs_sim_fail_alloc(sim_machine, 1, 0);
  gs_buffer_deinit(&out);
  assert_int_equal(gs_sim_read(sim_machine, "/a", &out, &err), GS_NOMEM);
}

static void
test_a_removed_file_does_not_come_back(void **state)
{
  (void)state;
  sim_machine_make_durable("/a", "abc");
  sim_machine_make("/b", "abc");
  assert_int_equal(gs_sim_remove(sim_machine, "/a", &err), GS_OK);
  assert_int_equal(gs_sim_remove(sim_machine, "/b", &err), GS_OK);
  assert_int_equal(gs_sim_remove(sim_machine, "/b", &err), GS_MISSING);
  assert_text("/a", "(none)");
  assert_text("/b", "(none)");
  for (uint64_t choice = 0; choice < 20; choice++) {
    gs_sim *crashed = gs_sim_crash(sim_machine, GS_CRASH_RANDOM, choice);
    assert_string_equal(sim_machine_text(crashed, "/a"), "(none)");
    assert_string_equal(sim_machine_text(crashed, "/b"), "(none)");
    gs_sim_free(crashed);
  }
}

#define ONE_TEST(test)                                      \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_rot_is_durable),
      ONE_TEST(test_rot_of_pending_bytes_is_seen_and_not_durable),
      ONE_TEST(test_a_replaced_file_is_durable_whatever_was_pending),
      ONE_TEST(test_a_replacement_can_be_a_new_file),
      ONE_TEST(test_a_dump_tells_what_is_durable),
      ONE_TEST(test_a_dump_tells_of_lies_and_ghosts),
      ONE_TEST(test_a_file_is_read_as_it_is_now),
      ONE_TEST(test_a_removed_file_does_not_come_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
