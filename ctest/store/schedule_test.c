/*
 * Two writers, a reader, a flush, two merges, one who comes and goes, one or two
 * workers and the log's thread, under schedules that random choosers make up and under
 * all that differ in two places from the plain one: no look at the store is
 * wrong, no acknowledged write is lost, whether the store is closed or the power
 * goes in the middle, and nobody waits for ever.
 */
#include "schedule_kit.h"

#include "support/family.h"

enum {
  ROUNDS = 8,
  TASKS_MAX = 16,
  PATIENCE_MS = 20000,
  SCHEDULES = 50000, /* random ones of each durability, in full */
  SLOW_TURNS = 3,    /* places where priorities change */
  TURNS = 400,       /* of a schedule, about */
};

/* Over all tests. */
static uint64_t schedules;

static uint64_t
mix(uint64_t a, uint64_t b)
{
  uint64_t x = a * UINT64_C(0x9E3779B97F4A7C15) + b;
  x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
  return x ^ (x >> 31);
}

static uint64_t
draw(uint64_t *state)
{
  *state += 1;
  return mix(*state, 77);
}

/* ---- choosers ------------------------------------------------------------------ */

typedef struct chance {
  life *life;
  uint64_t random;
  uint64_t turn;
  uint64_t priorities[TASKS_MAX];
  uint64_t changes[SLOW_TURNS];
  uint64_t crash_at; /* turn at which the power goes on a copy */
  gs_sim *crashed;
  uint64_t acked; /* at that moment */
} chance;

static void
begin_chance(chance *c, life *l)
{
  *c = (chance){.life = l, .random = mix(l->seed, 5)};
  for (size_t i = 0; i < TASKS_MAX; i++) {
    c->priorities[i] = SLOW_TURNS + draw(&c->random) % UINT32_MAX;
  }
  for (size_t i = 0; i < SLOW_TURNS; i++) {
    c->changes[i] = draw(&c->random) % TURNS;
  }
  c->crash_at = 1 + draw(&c->random) % TURNS;
}

static void
take_turn(chance *c)
{
  static const gs_crash_model models[] = {
      GS_CRASH_SYNCED, GS_CRASH_PREFIX, GS_CRASH_RANDOM,
      GS_CRASH_TORN,   GS_CRASH_OBJECT,
  };
  if (++c->turn == c->crash_at) {
    gs_crash_model model = models[c->life->seed % 5];
    c->crashed = gs_sim_crash(c->life->sim, model, draw(&c->random));
    c->acked = c->life->acked;
  }
}

static size_t
choose_evenly(void *context, const uint32_t *ready, size_t count,
              size_t running)
{
  chance *c = context;
  (void)ready;
  (void)running;
  take_turn(c);
  return draw(&c->random) % count;
}

static size_t
choose_rarely(void *context, const uint32_t *ready, size_t count,
              size_t running)
{
  chance *c = context;
  (void)ready;
  take_turn(c);
  return running < count && draw(&c->random) % 8 != 0
             ? running
             : draw(&c->random) % count;
}

/* The task with the highest priority, until it loses it. [S. Burckhardt et al.,
 * "A randomized scheduler with probabilistic guarantees of finding bugs"] */
static size_t
choose_by_priority(void *context, const uint32_t *ready, size_t count,
                   size_t running)
{
  chance *c = context;
  take_turn(c);
  for (size_t i = 0; i < SLOW_TURNS; i++) {
    if (c->changes[i] == c->turn && running < count) {
      c->priorities[ready[running] % TASKS_MAX] = i;
    }
  }
  size_t best = 0;
  for (size_t i = 1; i < count; i++) {
    if (c->priorities[ready[i] % TASKS_MAX] >
        c->priorities[ready[best] % TASKS_MAX]) {
      best = i;
    }
  }
  return best;
}

/* ---- lives ---------------------------------------------------------------------- */

static void
begin_life(life *l, uint64_t seed, uint32_t rounds, gs_durability durability)
{
  *l = (life){.seed = seed, .rounds = rounds, .writing = LIFE_WRITERS};
  l->sim = gs_sim_new(seed);
  gs_sim_allow_tasks(l->sim);
  l->options = kit_options();
  l->options.env = gs_sim_env(l->sim);
  l->options.durability = durability;
  l->options.threads = 1 + (uint32_t)(seed / 3 % 2);
  l->options.memtable_bytes = 4096;
  l->options.max_wal_bytes = 65536;
  l->options.wal_batch_ms = 1;
  KIT_OK(gs_open("/db", &l->options, &l->store, &kit_err));
}

static void
spawn(life *l, const char *name, void (*run)(void *))
{
  uint32_t id;
  KIT_OK(gs_sim_spawn(l->sim, name, run, l, &id, &kit_err));
}

static bool
has_ended(const gs_sim *sim)
{
  gs_sim_task tasks[TASKS_MAX];
  size_t count = gs_sim_tasks(sim, tasks, TASKS_MAX);
  for (size_t i = 1; i < count; i++) {
    if (tasks[i].state != GS_TASK_ENDED &&
        strcmp(tasks[i].name, "thread") != 0) {
      return false;
    }
  }
  return true;
}

/* Tasks that wait for ever cannot be ended, so the process is. */
static void
give_up(const life *l)
{
  gs_sim_task tasks[TASKS_MAX];
  size_t count = gs_sim_tasks(l->sim, tasks, TASKS_MAX);
  for (size_t i = 0; i < count; i++) {
    print_error("task %u %s is %d at %s\n", tasks[i].id, tasks[i].name,
                (int)tasks[i].state, tasks[i].place);
  }
  print_error("seed %llu: a task waits for ever\n",
              (unsigned long long)l->seed);
  abort();
}

/* Lets the tasks run to their ends, and the store too. */
static void
live(life *l)
{
  gs_sim_drain(l->sim);
  for (int ms = 0; !has_ended(l->sim); ms++) {
    if (ms == PATIENCE_MS) {
      give_up(l);
    }
    gs_sim_advance_ms(l->sim, 1);
    gs_sim_drain(l->sim);
  }
  gs_sim_heal(l->sim);
  while (life_again(l, gs_sync(l->store, NULL))) {
  }
  KIT_OK(gs_verify(l->store, &kit_err));
  l->resumes = kit_stats(l->store).resumes;
  LIFE_EXPECT(l, gs_close(l->store, NULL) == GS_OK);
  gs_sim_set_chooser(l->sim, NULL, NULL);
}

static void
end_life(life *l, const char *schedule)
{
  LIFE_EXPECT(l, l->op_count == (size_t)l->rounds * LIFE_WRITERS);
  life_judge_looks(l);
  life_judge_machine(l, gs_sim_crash(l->sim, GS_CRASH_KILL, 0), l->acked);
  if (l->options.durability == GS_DURABILITY_SYNC) {
    life_judge_machine(l, gs_sim_crash(l->sim, GS_CRASH_SYNCED, 0), l->acked);
  }
  assert_int_equal(gs_sim_allocated_bytes(l->sim), 0);
  gs_sim_free(l->sim);
  if (l->wrong > 0) {
    fail_msg("schedule %s of seed %llu: %u things are wrong, the first in line "
             "%d",
             schedule, (unsigned long long)l->seed, l->wrong, l->line);
  }
}

/* ---- random schedules ------------------------------------------------------------ */

static const struct {
  const char *name;
  gs_sim_chooser choose;
} choosers[] = {{"even", choose_evenly},
                {"rare", choose_rarely},
                {"by priority", choose_by_priority}};

static void
live_by_chance(uint64_t seed, gs_durability durability)
{
  life l;
  chance c;
  begin_life(&l, seed, ROUNDS, durability);
  begin_chance(&c, &l);
  spawn(&l, "writer", life_write);
  spawn(&l, "writer", life_write);
  spawn(&l, "reader", life_read_on);
  spawn(&l, "flush", life_flush);
  spawn(&l, "merge", life_merge);
  spawn(&l, "merge", life_merge);
  spawn(&l, "guest", life_come_and_go);
  gs_sim_set_chooser(l.sim, choosers[seed % 3].choose, &c);
  live(&l);
  qsort(l.ops, l.op_count, sizeof l.ops[0], life_compare_ops);
  if (c.crashed != NULL) {
    life_judge_machine(&l, c.crashed,
                       durability == GS_DURABILITY_SYNC ? c.acked : 0);
  }
  end_life(&l, choosers[seed % 3].name);
}

static void
run_random(gs_durability durability)
{
  size_t count = family_count(SCHEDULES);
  for (uint64_t seed = 1; seed <= count; seed++) {
    live_by_chance(seed, durability);
    schedules++;
  }
}

static void
test_random_schedules_of_synced_writes_keep_every_promise(void **state)
{
  (void)state;
  run_random(GS_DURABILITY_SYNC);
}

static void
test_random_schedules_of_batched_writes_keep_every_promise(void **state)
{
  (void)state;
  run_random(GS_DURABILITY_BATCH);
}

/* ---- a log that fails ------------------------------------------------------------- */

/* A sync of the log fails once or twice in the middle, and the store is resumed
 * by whoever meets it while the others write, read and flush. What was on its
 * way may be found by a crash before the resume, so none is tried there. */
static uint64_t
live_with_failures(uint64_t seed, gs_durability durability)
{
  life l;
  chance c;
  begin_life(&l, seed, ROUNDS, durability);
  begin_chance(&c, &l);
  c.crash_at = 0;
  l.may_fail = true;
  for (uint64_t i = 0; i <= seed % 2; i++) {
    gs_sim_fault fault = {
        .op = GS_SIM_SYNC,
        .path = "*.wal",
        .nth = 1 + draw(&c.random) % 6,
        .times = 1,
        .os_errno = 5,
    };
    KIT_OK(gs_sim_fail(l.sim, &fault, &kit_err));
  }
  spawn(&l, "writer", life_write);
  spawn(&l, "writer", life_write);
  spawn(&l, "reader", life_read_on);
  spawn(&l, "flush", life_flush);
  gs_sim_set_chooser(l.sim, choosers[seed % 3].choose, &c);
  live(&l);
  end_life(&l, choosers[seed % 3].name);
  return l.resumes;
}

static void
test_a_log_that_fails_is_resumed_under_every_schedule(void **state)
{
  (void)state;
  size_t count = family_count(SCHEDULES);
  uint64_t resumes = 0;
  for (uint64_t seed = 1; seed <= count; seed++) {
    resumes += live_with_failures(seed, seed % 4 < 2 ? GS_DURABILITY_SYNC
                                                     : GS_DURABILITY_BATCH);
    schedules++;
  }
  assert_true(resumes > count / 2);
}

/* ---- all schedules with two changes ------------------------------------------------ */

enum { CHANGES = 2, PAIRS = 50000 };

/* The running task is changed for another at so many turns. */
typedef struct change {
  uint64_t turn;  /* counted from 1; 0: never */
  uint64_t other; /* which of the others */
} change;

typedef struct plan {
  change changes[CHANGES];
  uint64_t turn;
  uint64_t widths[4096]; /* others that could have run at each turn */
} plan;

static size_t
choose_by_plan(void *context, const uint32_t *ready, size_t count,
               size_t running)
{
  plan *p = context;
  (void)ready;
  if (running == count) {
    return 0;
  }
  p->turn++;
  if (p->turn < 4096) {
    p->widths[p->turn] = count - 1;
  }
  for (size_t i = 0; i < CHANGES; i++) {
    if (p->changes[i].turn == p->turn) {
      size_t other = (size_t)(p->changes[i].other % (count - 1));
      return other < running ? other : other + 1;
    }
  }
  return running;
}

static void
live_by_plan(plan *p)
{
  life l;
  p->turn = 0;
  begin_life(&l, 1, 2, GS_DURABILITY_SYNC);
  spawn(&l, "writer", life_write);
  spawn(&l, "writer", life_write);
  spawn(&l, "flush", life_flush);
  gs_sim_set_chooser(l.sim, choose_by_plan, p);
  live(&l);
  end_life(&l, "by plan");
}

static void
test_schedules_that_differ_in_two_places_keep_every_promise(void **state)
{
  (void)state;
  static plan plain;
  static plan once;
  static plan twice;
  uint64_t singles = 0;
  uint64_t pairs = 0;
  uint64_t most = family_count(PAIRS);
  live_by_plan(&plain);
  for (uint64_t t = 1; t <= plain.turn; t++) {
    for (uint64_t o = 0; o < plain.widths[t]; o++, singles++) {
      once = (plan){.changes = {{t, o}}};
      live_by_plan(&once);
    }
  }
  uint64_t all = singles * singles / 2;
  uint64_t stride = all > most ? all / most : 1;
  uint64_t at = 0;
  for (uint64_t t = 1; t <= plain.turn; t++) {
    for (uint64_t o = 0; o < plain.widths[t]; o++) {
      once = (plan){.changes = {{t, o}}};
      live_by_plan(&once);
      for (uint64_t u = t + 1; u <= once.turn; u++) {
        if (at++ % stride == 0) {
          twice = (plan){.changes = {{t, o}, {u, at / stride}}};
          live_by_plan(&twice);
          pairs++;
        }
      }
    }
  }
  assert_true(singles > 50);
  schedules += 2 * singles + pairs;
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(
          test_random_schedules_of_synced_writes_keep_every_promise),
      cmocka_unit_test(
          test_random_schedules_of_batched_writes_keep_every_promise),
      cmocka_unit_test(test_a_log_that_fails_is_resumed_under_every_schedule),
      cmocka_unit_test(
          test_schedules_that_differ_in_two_places_keep_every_promise),
  };
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return family_report(18, "schedules", schedules, failures,
                       "schedules of a store with seven tasks and its threads");
}
