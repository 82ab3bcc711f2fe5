/*
 * The power goes, or the process is killed, at every single operation of
 * scripted lives of a store: what is found afterwards is one of the states that
 * were committed, holds all that was promised to last, and stays what it is
 * however often recovery itself is cut short.
 */
#include "sweep_kit.h"

/* How one machine dies. */
typedef struct death {
  gs_crash_model model;
  uint64_t choice;
} death;

static const death deaths[] = {
    {GS_CRASH_SYNCED, 0}, {GS_CRASH_KILL, 0},   {GS_CRASH_PREFIX, 1},
    {GS_CRASH_PREFIX, 7}, {GS_CRASH_RANDOM, 1}, {GS_CRASH_RANDOM, 2},
    {GS_CRASH_TORN, 3},   {GS_CRASH_TORN, 4},
};

enum { DEATHS = sizeof deaths / sizeof deaths[0] };

typedef struct tally {
  size_t points; /* operations at which the power went */
  size_t states; /* machines opened afterwards */
  size_t nested; /* of them, cut short again inside recovery */
} tally;

/* Over all modes. */
static uint64_t all_states;

static gs_sim *
die(const gs_sim *sim, death how, uint64_t point)
{
  uint64_t choice =
      how.choice == 1 ? point * 31 : sweep_mix(how.choice, point) >> 20;
  gs_sim *copy = gs_sim_crash(sim, how.model, choice);
  assert_non_null(copy);
  return copy;
}

static void
end_machine(gs_sim *sim)
{
  assert_int_equal(gs_sim_allocated_bytes(sim), 0);
  gs_sim_free(sim);
}

static gs_store *
open_on(const sweep *s, gs_sim *sim, const char *where)
{
  gs_options options = s->options;
  gs_store *store = NULL;
  options.env = gs_sim_env(sim);
  gs_status status = gs_open("/db", &options, &store, &kit_err);
  if (status != GS_OK) {
    fail_msg("%s: cannot be opened: %s", where, kit_err.message);
  }
  return store;
}

/* Numbers that a reader may have seen are not given out again. */
static void
check_next_seq(const sweep *s, gs_store *store)
{
  assert_true(kit_put(store, "next", "1") > s->states[s->acked].last_seq);
}

/* Opens the machine and says in which state the store is. Without a further
 * write, no crash takes that state back. */
static size_t
look(const sweep *s, gs_sim *sim, size_t low, size_t high, const char *where)
{
  gs_store *store = open_on(s, sim, where);
  size_t at = sweep_match(s, store, low, high, where);
  KIT_OK(gs_verify(store, &kit_err));
  gs_sim *again = gs_sim_crash(sim, GS_CRASH_SYNCED, 0);
  KIT_OK(gs_close(store, &kit_err));
  end_machine(sim);
  store = open_on(s, again, where);
  assert_int_equal(sweep_match(s, store, 0, high, where), at);
  check_next_seq(s, store);
  KIT_OK(gs_close(store, &kit_err));
  end_machine(again);
  return at;
}

/* The power goes at operations of the recovery too: nothing but the same state
 * may come of it. */
static void
cut_recovery(const sweep *s, const gs_sim *dead, size_t at, uint64_t point,
             tally *t, const char *where)
{
  gs_options options = s->options;
  for (uint64_t ops = 1 + point % 3;; ops += 3) {
    gs_sim *sim = gs_sim_crash(dead, GS_CRASH_SYNCED, 0);
    gs_store *store = NULL;
    options.env = gs_sim_env(sim);
    gs_sim_stop_at(sim, gs_sim_ops(sim) + ops);
    gs_status status = gs_open("/db", &options, &store, &kit_err);
    gs_sim *copy = die(sim, deaths[(ops + point) % DEATHS], ops);
    GS_IGNORE(gs_close(store, NULL), "the machine is dead");
    end_machine(sim);
    char inner[160];
    snprintf(inner, sizeof inner, "%s, again at %llu", where,
             (unsigned long long)ops);
    assert_int_equal(look(s, copy, at, at, inner), at);
    t->nested++;
    if (status == GS_OK) {
      return;
    }
  }
}

static void
check_death(const sweep *s, size_t death_index, uint64_t point, tally *t)
{
  char where[128];
  death how = deaths[death_index];
  bool is_kill = how.model == GS_CRASH_KILL;
  bool is_kept = is_kill && s->options.durability != GS_DURABILITY_MEMORY;
  size_t low = is_kept ? s->acked : sweep_state_at(s, s->durable_seq);
  snprintf(where, sizeof where, "seed %llu, durability %d, operation %llu, %zu",
           (unsigned long long)s->seed, (int)s->options.durability,
           (unsigned long long)point, death_index);
  gs_sim *dead = die(sim_machine, how, point);
  gs_sim *kept = is_kill ? NULL : gs_sim_crash(dead, GS_CRASH_SYNCED, 0);
  size_t at = look(s, dead, low, s->issued, where);
  t->states++;
  if (!is_kill && (point + death_index) % 41 == 0) {
    cut_recovery(s, kept, at, point, t, where);
  }
  if (kept != NULL) {
    end_machine(kept);
  }
}

/* One life that ends after so many operations; false when it ended by
 * itself. */
static bool
die_at(uint64_t seed, gs_durability durability, uint64_t point, tally *t)
{
  static sweep s;
  sweep_begin(&s, seed, durability);
  gs_sim_stop_at(sim_machine, point);
  bool was_cut = sweep_run(&s) != GS_OK;
  for (size_t i = 0; i < DEATHS; i++) {
    check_death(&s, i, point, t);
  }
  GS_IGNORE(s.store == NULL ? GS_OK : sweep_close(&s), "the machine is dead");
  t->points++;
  return was_cut;
}

static void
sweep_lives(gs_durability durability)
{
  family_size size = family_size_of(8);
  tally t = {0};
  for (uint64_t seed = 1; seed <= size.count; seed++) {
    for (uint64_t point = 1; die_at(seed, durability, point, &t);
         point += size.stride) {
    }
  }
  all_states += t.states + t.nested;
  print_message("%zu crashes, %zu states found, %zu of them cut short again\n",
                t.points, t.states, t.nested);
}

static void
test_what_was_promised_in_sync_mode_survives_every_crash(void **state)
{
  (void)state;
  sweep_lives(GS_DURABILITY_SYNC);
}

static void
test_what_was_promised_in_batch_mode_survives_every_crash(void **state)
{
  (void)state;
  sweep_lives(GS_DURABILITY_BATCH);
}

static void
test_what_was_promised_in_os_mode_survives_every_crash(void **state)
{
  (void)state;
  sweep_lives(GS_DURABILITY_OS);
}

static void
test_without_a_log_every_crash_leaves_what_was_flushed(void **state)
{
  (void)state;
  sweep_lives(GS_DURABILITY_MEMORY);
}

#define T(name)                                             \
  cmocka_unit_test_setup_teardown(name, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      T(test_what_was_promised_in_sync_mode_survives_every_crash),
      T(test_what_was_promised_in_batch_mode_survives_every_crash),
      T(test_what_was_promised_in_os_mode_survives_every_crash),
      T(test_without_a_log_every_crash_leaves_what_was_flushed),
  };
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  sweep_compression = GS_COMPRESSION_ZSTD;
  failures += cmocka_run_group_tests(tests, NULL, NULL);
  return family_report(1, "crash", all_states, failures,
                       "machines opened after a crash");
}
