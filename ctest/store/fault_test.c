/*
 * Every operation of scripted lives of a store fails, once or from then on:
 * nothing crashes, nothing acknowledged is lost, nothing refused turns up, what
 * works again when the machine is healed does, and all memory comes back.
 */
#include "sweep_kit.h"

#include <errno.h>

typedef struct trouble {
  int os_errno;
  uint64_t times; /* 0: for ever */
  gs_sync_failure sync_failure;
} trouble;

static const trouble troubles[] = {
    {EIO, 1, GS_SYNC_CLEAN},    {EIO, 0, GS_SYNC_CLEAN},
    {ENOSPC, 1, GS_SYNC_CLEAN}, {ENOSPC, 0, GS_SYNC_CLEAN},
    {EMFILE, 1, GS_SYNC_CLEAN}, {EMFILE, 0, GS_SYNC_CLEAN},
    {EIO, 1, GS_SYNC_PENDING},  {EIO, 1, GS_SYNC_REVERT},
};

enum { TROUBLES = sizeof troubles / sizeof troubles[0] };

typedef struct tally {
  size_t lives;
  size_t failed_steps;
  size_t failed_opens;
} tally;

/* Over all modes. */
static uint64_t all_lives;

static void
arm(const trouble *what, uint64_t nth)
{
  gs_sim_fault fault = {
      .op = GS_SIM_ANY,
      .nth = nth,
      .times = what->times,
      .os_errno = what->os_errno,
      .sync_failure = what->sync_failure,
  };
  KIT_OK(gs_sim_fail(sim_machine, &fault, &kit_err));
}

/* A failure says what failed, and is one that a caller can tell from a key that
 * is not there. */
static void
check_error(gs_status status)
{
  bool is_sensible = status == GS_IO || status == GS_FULL ||
                     status == GS_LIMIT || status == GS_READONLY ||
                     status == GS_BUSY;
  if (!is_sensible || kit_err.message[0] == '\0') {
    fail_msg("%s: %s", gs_status_code(status), kit_err.message);
  }
}

/* Where reverted pages took back what was not yet on the device, the store is
 * found in an older state. */
static size_t
lowest(const sweep *s, const trouble *what)
{
  return what->sync_failure == GS_SYNC_REVERT ? sweep_state_at(s, s->kept_seq)
                                              : s->acked;
}

/* After a reopening it is known which of the doubtful writes happened. */
static void
settle(sweep *s, const trouble *what, const char *where)
{
  size_t at = sweep_match(s, s->store, lowest(s, what), s->issued, where);
  s->states[s->acked] = s->states[at];
  s->states[s->acked].last_seq = gs_last_seq(s->store);
  s->issued = s->acked;
}

/* The script to its end, whatever fails. The first reopening that succeeds after
 * a failure ends the trouble. */
static bool
live(sweep *s, const trouble *what, tally *t, const char *where)
{
  bool has_failed = false;
  uint64_t openings = 1;
  for (size_t step = 0; step <= s->step_count; step++) {
    gs_status status = step == 0 ? sweep_open(s) : sweep_step(s, step);
    if (status != GS_OK) {
      check_error(status);
      has_failed = true;
      t->failed_steps++;
      t->failed_opens += s->store == NULL;
    }
    if (has_failed && s->opened > openings) {
      gs_sim_heal(sim_machine);
      settle(s, what, where);
    }
    openings = s->opened;
  }
  return has_failed;
}

/* What can be read while the store is open is the last acknowledged state,
 * however many writes failed. */
static void
check_open(const sweep *s, const char *where)
{
  if (s->store != NULL) {
    assert_int_equal(sweep_match(s, s->store, s->acked, s->acked, where),
                     s->acked);
  }
}

static void
check_healed(sweep *s, const trouble *what, const char *where)
{
  if (s->store != NULL) {
    GS_IGNORE(sweep_close(s), "what it could not flush is in the log");
  }
  KIT_OK(sweep_open(s));
  settle(s, what, where);
  KIT_OK(gs_verify(s->store, &kit_err));
  kit_put(s->store, "healed", "1");
  KIT_OK(sweep_close(s));
  KIT_OK(sweep_open(s));
  assert_string_equal(kit_get(s->store, "healed"), "1");
  KIT_OK(sweep_close(s));
  assert_int_equal(gs_sim_allocated_bytes(sim_machine), 0);
}

/* One life with one trouble; false when it came too late to be met. */
static bool
live_with(uint64_t seed, gs_durability durability, const trouble *what,
          uint64_t nth, tally *t)
{
  static sweep s;
  char where[128];
  snprintf(where, sizeof where,
           "seed %llu, durability %d, errno %d x %llu (%d), operation %llu",
           (unsigned long long)seed, (int)durability, what->os_errno,
           (unsigned long long)what->times, (int)what->sync_failure,
           (unsigned long long)nth);
  sweep_begin(&s, seed, durability);
  arm(what, nth);
  uint64_t before = gs_sim_ops(sim_machine);
  bool has_failed = live(&s, what, t, where);
  bool was_met = gs_sim_ops(sim_machine) - before >= nth;
  gs_sim_heal(sim_machine);
  if (has_failed && what->sync_failure != GS_SYNC_REVERT) {
    check_open(&s, where);
  }
  check_healed(&s, what, where);
  t->lives++;
  return was_met;
}

static void
sweep_troubles(gs_durability durability)
{
  family_size size = family_size_of(4);
  tally t = {0};
  for (uint64_t seed = 1; seed <= size.count; seed++) {
    for (size_t i = 0; i < TROUBLES; i++) {
      for (uint64_t nth = 1; live_with(seed, durability, &troubles[i], nth, &t);
           nth += size.stride) {
      }
    }
  }
  all_lives += t.lives;
  print_message("%zu lives, %zu steps failed, %zu openings\n", t.lives,
                t.failed_steps, t.failed_opens);
}

static void
test_no_failing_operation_loses_a_write_of_sync_mode(void **state)
{
  (void)state;
  sweep_troubles(GS_DURABILITY_SYNC);
}

static void
test_no_failing_operation_loses_a_write_of_batch_mode(void **state)
{
  (void)state;
  sweep_troubles(GS_DURABILITY_BATCH);
}

static void
test_no_failing_operation_loses_a_write_of_os_mode(void **state)
{
  (void)state;
  sweep_troubles(GS_DURABILITY_OS);
}

#define T(name)                                             \
  cmocka_unit_test_setup_teardown(name, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      T(test_no_failing_operation_loses_a_write_of_sync_mode),
      T(test_no_failing_operation_loses_a_write_of_batch_mode),
      T(test_no_failing_operation_loses_a_write_of_os_mode),
  };
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  sweep_compression = GS_COMPRESSION_ZSTD;
  failures += cmocka_run_group_tests(tests, NULL, NULL);
  return family_report(3, "fault", all_lives, failures,
                       "lives with a failing operation");
}
