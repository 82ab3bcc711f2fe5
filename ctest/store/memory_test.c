/*
 * Every allocation of scripted lives of a store fails once: the call that met it
 * says so, nothing acknowledged is lost, the store goes on or can be opened
 * again, and all memory comes back.
 */
#include "sweep_kit.h"

typedef struct tally {
  size_t lives;
  size_t failed_steps;
  size_t stopped; /* lives in which the store took no more writes */
} tally;

static uint64_t all_lives;

static void
check_error(gs_status status)
{
  if (status != GS_NOMEM || kit_err.message[0] == '\0') {
    fail_msg("%s: %s", gs_status_code(status), kit_err.message);
  }
}

/* After a reopening it is known which of the doubtful writes happened. */
static void
settle(sweep *s, const char *where)
{
  size_t at = sweep_match(s, s->store, s->acked, s->issued, where);
  s->states[s->acked] = s->states[at];
  s->issued = s->acked;
}

static size_t
live(sweep *s, const char *where)
{
  size_t failed = 0;
  for (size_t step = 0; step <= s->step_count; step++) {
    uint64_t openings = s->opened;
    gs_status status = step == 0 ? sweep_open(s) : sweep_step(s, step);
    if (status != GS_OK) {
      check_error(status);
      failed++;
    }
    if (s->opened > openings && failed > 0) {
      settle(s, where);
    }
  }
  return failed;
}

/* Scans, counts and lists meet the failure too; what they say is right or
 * nothing. */
static void
look_around(sweep *s, uint64_t nth)
{
  uint64_t count = 0;
  gs_stats stats;
  gs_shape *shape = NULL;
  gs_sim_fail_alloc(sim_machine, nth % 7, 1);
  gs_status status = gs_count(s->store, NULL, NULL, &count, &kit_err);
  if (status == GS_OK) {
    assert_int_equal(count, sweep_live_count(&s->states[s->acked]));
  } else {
    check_error(status);
  }
  if (gs_shape_new(s->store, &shape, &kit_err) == GS_OK) {
    gs_shape_free(shape);
  }
  gs_get_stats(s->store, &stats);
  gs_sim_fail_alloc(sim_machine, 0, 1);
}

static bool
live_without(uint64_t seed, uint64_t nth, tally *t)
{
  static sweep s;
  char where[64];
  snprintf(where, sizeof where, "seed %llu, allocation %llu",
           (unsigned long long)seed, (unsigned long long)nth);
  sweep_begin(&s, seed, seed % 2 == 0 ? GS_DURABILITY_SYNC : GS_DURABILITY_OS);
  gs_sim_fail_alloc(sim_machine, nth, 1);
  size_t failed = live(&s, where);
  gs_sim_fail_alloc(sim_machine, 0, 1);
  if (s.store == NULL) {
    KIT_OK(sweep_open(&s));
  }
  settle(&s, where);
  look_around(&s, nth);
  t->stopped += sweep_put(&s, s.step_count + 1, false) != GS_OK;
  GS_IGNORE(sweep_close(&s), "where it failed, the log holds what it had");
  KIT_OK(sweep_open(&s));
  settle(&s, where);
  KIT_OK(gs_verify(s.store, &kit_err));
  KIT_OK(sweep_close(&s));
  assert_int_equal(gs_sim_allocated_bytes(sim_machine), 0);
  t->lives++;
  t->failed_steps += failed;
  return failed > 0;
}

/* A failure that no call reports was one that something lived with: what ends
 * the sweep is a long row of those. */
static void
test_no_failing_allocation_loses_a_write_or_leaks(void **state)
{
  (void)state;
  family_size size = family_size_of(20);
  for (uint64_t seed = 1; seed <= size.count; seed++) {
    tally t = {0};
    size_t quiet = 0;
    for (uint64_t nth = 1; quiet < 200; nth += size.stride) {
      quiet = live_without(seed, nth, &t) ? 0 : quiet + size.stride;
    }
    all_lives += t.lives;
    print_message("%zu lives, %zu steps failed, %zu stores stopped\n", t.lives,
                  t.failed_steps, t.stopped);
  }
}

#define T(name)                                             \
  cmocka_unit_test_setup_teardown(name, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      T(test_no_failing_allocation_loses_a_write_or_leaks),
  };
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  sweep_compression = GS_COMPRESSION_LZ4;
  failures += cmocka_run_group_tests(tests, NULL, NULL);
  return family_report(6, "memory", all_lives, failures,
                       "lives with a failing allocation");
}
