/*
 * Tests of the file written from front to back.
 */
#include <errno.h>

#include "sst/sink.h"
#include "sst/sst_kit.h"
#include "support/sim_machine.h"

static gs_sink sink;

static void
start(void)
{
  gs_error err;
  KIT_OK(gs_sink_open(&sink, sim_machine_env, "/f", &err), &err);
}

static bool
exists(void)
{
  gs_file_info info;
  return gs_env_stat(sim_machine_env, "/f", &info, NULL) == GS_OK;
}

static void
append(const char *text)
{
  gs_buffer_append(&sink.bytes, text, strlen(text));
}

static void
test_what_was_appended_is_the_file(void **state)
{
  (void)state;
  start();
  append("one ");
  assert_int_equal(gs_sink_end(&sink), 4);
  assert_int_equal(gs_sink_flush(&sink, false, NULL), GS_OK);
  assert_int_equal(sink.bytes.size, 0);
  append("two");
  assert_int_equal(gs_sink_end(&sink), 7);
  assert_int_equal(gs_sink_finish(&sink, NULL), GS_OK);
  assert_string_equal(sim_machine_text(sim_machine, "/f"), "one two");
}

static void
test_a_finished_file_survives_a_power_cut(void **state)
{
  (void)state;
  start();
  append("kept");
  assert_int_equal(gs_sink_finish(&sink, NULL), GS_OK);
  sim_machine_sync_dir("/");
  sim_machine_crash(GS_CRASH_SYNCED, 0);
  assert_string_equal(sim_machine_text(sim_machine, "/f"), "kept");
}

static void
test_small_pieces_wait_and_large_ones_do_not(void **state)
{
  (void)state;
  start();
  gs_buffer_append_zeros(&sink.bytes, GS_SINK_PIECE_BYTES - 1);
  assert_int_equal(gs_sink_flush(&sink, true, NULL), GS_OK);
  assert_int_equal(sink.written, 0);
  gs_buffer_append_zeros(&sink.bytes, 1);
  assert_int_equal(gs_sink_flush(&sink, true, NULL), GS_OK);
  assert_int_equal(sink.written, GS_SINK_PIECE_BYTES);
  gs_sink_abandon(&sink);
}

static void
test_abandoning_removes_the_file(void **state)
{
  (void)state;
  start();
  append("gone");
  assert_int_equal(gs_sink_flush(&sink, false, NULL), GS_OK);
  assert_true(exists());
  gs_sink_abandon(&sink);
  assert_false(exists());
}

static void
test_growth_that_failed_is_told_by_the_flush(void **state)
{
  (void)state;
  start();
  gs_sim_fail_alloc(sim_machine, 1, 1);
  append("lost");
  assert_int_equal(gs_sink_flush(&sink, true, NULL), GS_NOMEM);
  gs_sink_abandon(&sink);
}

static void
test_a_sink_that_does_not_open_leaves_nothing(void **state)
{
  (void)state;
  gs_sim_fail_alloc(sim_machine, 1, 1);
  assert_int_equal(gs_sink_open(&sink, sim_machine_env, "/f", NULL), GS_NOMEM);
  sim_machine_fail(GS_SIM_OPEN, 1, EIO);
  assert_int_equal(gs_sink_open(&sink, sim_machine_env, "/f", NULL), GS_IO);
  assert_int_equal(gs_sim_allocated_bytes(sim_machine), 0);
}

static void
test_failed_writes_and_syncs_are_told(void **state)
{
  (void)state;
  static const gs_sim_op ops[] = {GS_SIM_WRITE, GS_SIM_SYNC};
  for (size_t i = 0; i < 2; i++) {
    start();
    append("doubtful");
    sim_machine_fail(ops[i], 1, EIO);
    assert_int_equal(gs_sink_finish(&sink, NULL), GS_IO);
    gs_sim_heal(sim_machine);
    gs_sink_abandon(&sink);
    assert_false(exists());
  }
}

#define ON_SIM(test)                                        \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ON_SIM(test_what_was_appended_is_the_file),
      ON_SIM(test_a_finished_file_survives_a_power_cut),
      ON_SIM(test_small_pieces_wait_and_large_ones_do_not),
      ON_SIM(test_abandoning_removes_the_file),
      ON_SIM(test_growth_that_failed_is_told_by_the_flush),
      ON_SIM(test_a_sink_that_does_not_open_leaves_nothing),
      ON_SIM(test_failed_writes_and_syncs_are_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
