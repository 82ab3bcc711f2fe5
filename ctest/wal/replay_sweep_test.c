/*
 * Tests of the replay at every place: each byte damaged, each operation the
 * last before a crash, each operation and allocation failing. Whatever happens,
 * a prefix of what was written comes back; after a crash, all that was synced.
 */
#include "toy_log.h"

#include <errno.h>

/* ---- sweeps: damage ------------------------------------------------------ */

/* Applies a change at each place of each segment and replays. Where all that
 * was written had been synced and the last frame says so, either all comes back
 * or the damage is named; where nothing was synced, a prefix comes back. */
static void
sweep_damage(const char *script, bool is_synced, size_t step, bool is_sector)
{
  toy t = toy_of(script);
  for (size_t segment = 1; segment <= t.count; segment++) {
    gs_buffer bytes = kit_read_file(t.env, name_of(segment));
    for (size_t at = 0; at < bytes.size; at += step) {
      uint8_t saved[SECTOR];
      gs_replay_result result;
      memcpy(saved, bytes.data + at, step);
      if (is_sector) {
        memset(bytes.data + at, 0, step);
      } else {
        bytes.data[at] ^= (uint8_t)(1 << at % 8);
      }
      kit_write_file(t.sim, name_of(segment), bytes.data, bytes.size);
      gs_status status = replay_here(&t, &result);
      assert_true(status == GS_OK || (status == GS_CORRUPT && is_synced));
      assert_true(!is_synced || status == GS_CORRUPT ||
                  result.last_seq == t.acked_seq);
      memcpy(bytes.data + at, saved, step);
    }
    kit_write_file(t.sim, name_of(segment), bytes.data, bytes.size);
    gs_buffer_deinit(&bytes);
  }
  assert_whole(&t);
  toy_free(&t);
}

static void
test_every_flipped_byte_of_synced_logs_is_found_or_harmless(void **state)
{
  (void)state;
  sweep_damage("aasaaRaasaRaasasm", true, 1, false);
  sweep_damage("aaaraaasm", true, 1, false);
}

static void
test_every_flipped_byte_of_unsynced_logs_leaves_a_prefix(void **state)
{
  (void)state;
  sweep_damage("aaaraaaraama", false, 1, false);
}

static void
test_every_zeroed_sector_of_synced_logs_is_found_or_harmless(void **state)
{
  (void)state;
  sweep_damage("aaaasaaRaaaasaRm", true, SECTOR, true);
}

static void
test_every_zeroed_sector_of_unsynced_logs_leaves_a_prefix(void **state)
{
  (void)state;
  sweep_damage("aaaaaaaaraaaaaaaraaaaaaa", false, SECTOR, true);
}

/* ---- sweeps: crashes ----------------------------------------------------- */

static void
check_crash(toy *t, gs_crash_model model, uint64_t choice)
{
  gs_replay_result result;
  gs_sim *after = gs_sim_crash(t->sim, model, choice);
  assert_non_null(after);
  gs_status status = replay_all(t, gs_sim_env(after), &result);
  if (status != GS_OK) {
    fail_msg("model %d choice %d: %s", (int)model, (int)choice, t->err.message);
  }
  uint64_t least = model == GS_CRASH_KILL ? t->acked_seq : t->synced_seq;
  assert_in_range(result.last_seq, least,
                  t->next_seq + kit_entries_of(t->next_seq) - 1);
  assert_int_equal(gs_sim_allocated_bytes(after), 0);
  gs_sim_free(after);
}

static void
check_all_crashes(toy *t, uint64_t choices)
{
  check_crash(t, GS_CRASH_SYNCED, 0);
  check_crash(t, GS_CRASH_KILL, 0);
  for (uint64_t choice = 0; choice < choices; choice++) {
    check_crash(t, GS_CRASH_PREFIX, choice);
    check_crash(t, GS_CRASH_RANDOM, choice);
    check_crash(t, GS_CRASH_TORN, choice);
  }
}

/* The power goes before each operation of the script in turn. */
static void
sweep_crashes(const char *script, uint64_t choices)
{
  toy empty = toy_new();
  uint64_t first = gs_sim_ops(empty.sim) + 1;
  toy_free(&empty);
  gs_status status = GS_IO;
  for (uint64_t stop = first; status == GS_IO; stop++) {
    toy t = toy_new();
    gs_sim_stop_at(t.sim, stop);
    status = toy_run(&t, script);
    check_all_crashes(&t, choices);
    toy_free(&t);
  }
  assert_int_equal(status, GS_OK);
}

static void
test_after_a_crash_at_any_operation_all_that_was_synced_is_there(void **state)
{
  (void)state;
  sweep_crashes("aasaaRaasaraasas", 24);
  sweep_crashes("asasasRasasras", 24);
}

static void
test_after_a_crash_at_any_operation_unsynced_logs_are_a_prefix(void **state)
{
  (void)state;
  sweep_crashes("aaaraaaraaaraa", 40);
  sweep_crashes("aamraemrrmaes", 40);
}

/* A frame of several sectors, so that it can be torn between and within. */
static void
test_a_frame_torn_at_any_sector_is_not_taken(void **state)
{
  (void)state;
  sweep_crashes("aaaasaaaaraaaaaaram", 60);
}

static void
test_after_a_failed_sync_and_a_crash_the_promises_made_before_hold(void **state)
{
  (void)state;
  static const gs_sync_failure failures[] = {GS_SYNC_CLEAN, GS_SYNC_REVERT,
                                             GS_SYNC_PENDING};
  for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
    gs_status status = GS_IO;
    for (uint64_t nth = 1; status == GS_IO; nth++) {
      toy t = toy_new();
      gs_sim_fault fault = {.op = GS_SIM_SYNC,
                            .nth = nth,
                            .times = 1,
                            .os_errno = EIO,
                            .sync_failure = failures[i]};
      KIT_OK(gs_sim_fail(t.sim, &fault, &t.err), &t.err);
      status = toy_run(&t, "aasaasaaRaasasras");
      if (failures[i] == GS_SYNC_REVERT && status != GS_OK) {
        t.acked_seq = t.synced_seq; /* the machine itself took them back */
      }
      check_all_crashes(&t, 8);
      toy_free(&t);
    }
    assert_int_equal(status, GS_OK);
  }
}

/* ---- sweeps: errors ------------------------------------------------------ */

static void
test_every_failed_operation_is_an_error_and_never_a_verdict(void **state)
{
  (void)state;
  static const char *const scripts[] = {"aaraara", "aaraaRa"};
  for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
    toy t = toy_of(scripts[i]);
    lose_tail(&t, 2, 1);
    gs_status status = GS_IO;
    int errors = -1;
    for (uint64_t nth = 1; status == GS_IO; nth++, errors++) {
      gs_replay_result result;
      gs_sim_fault fault = {
          .op = GS_SIM_ANY, .nth = nth, .times = 1, .os_errno = EIO};
      KIT_OK(gs_sim_fail(t.sim, &fault, &t.err), &t.err);
      status = replay_here(&t, &result);
      assert_true(status == GS_OK || !result.is_torn);
      gs_sim_heal(t.sim);
    }
    assert_int_equal(status, i == 0 ? GS_OK : GS_CORRUPT);
    assert_true(errors >= 9);
    toy_free(&t);
  }
}

static void
test_every_failed_allocation_is_an_error_and_never_a_verdict(void **state)
{
  (void)state;
  static const char *const scripts[] = {"aaraara", "aaraaRa"};
  for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
    toy t = toy_of(scripts[i]);
    overwrite(&t, 2, 0, 0x77, GS_LOG_HEADER_BYTES + 20);
    gs_status status = GS_NOMEM;
    int errors = -1;
    for (uint64_t nth = 1; status == GS_NOMEM; nth++, errors++) {
      gs_replay_result result;
      gs_sim_fail_alloc(t.sim, nth, 1);
      status = replay_here(&t, &result);
      assert_true(status == GS_OK || !result.is_torn);
      assert_int_equal(gs_sim_allocated_bytes(t.sim), 0);
    }
    gs_sim_fail_alloc(t.sim, 0, 1);
    assert_int_equal(status, i == 0 ? GS_OK : GS_CORRUPT);
    assert_true(errors >= 9);
    toy_free(&t);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(
          test_every_flipped_byte_of_synced_logs_is_found_or_harmless),
      cmocka_unit_test(
          test_every_flipped_byte_of_unsynced_logs_leaves_a_prefix),
      cmocka_unit_test(
          test_every_zeroed_sector_of_synced_logs_is_found_or_harmless),
      cmocka_unit_test(
          test_every_zeroed_sector_of_unsynced_logs_leaves_a_prefix),
      cmocka_unit_test(
          test_after_a_crash_at_any_operation_all_that_was_synced_is_there),
      cmocka_unit_test(
          test_after_a_crash_at_any_operation_unsynced_logs_are_a_prefix),
      cmocka_unit_test(test_a_frame_torn_at_any_sector_is_not_taken),
      cmocka_unit_test(
          test_after_a_failed_sync_and_a_crash_the_promises_made_before_hold),
      cmocka_unit_test(
          test_every_failed_operation_is_an_error_and_never_a_verdict),
      cmocka_unit_test(
          test_every_failed_allocation_is_an_error_and_never_a_verdict),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
