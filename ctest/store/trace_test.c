/*
 * Same seed, same trace: what a store asks of its machine follows from the
 * machine's seed, the calls and the schedule alone, byte for byte.
 */
#include "store_kit.h"

#include <stdlib.h>

enum { TASKS = 4 };

static uint64_t
mix(uint64_t a, uint64_t b)
{
  uint64_t x = a * UINT64_C(0x9E3779B97F4A7C15) + b;
  x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  return x ^ (x >> 27);
}

/* One life and the trace it left. */
typedef struct life {
  gs_sim *sim;
  gs_store *store;
  uint64_t chosen; /* choices so far */
  uint64_t seed;
  unsigned wrong;
} life;

static size_t
choose(void *context, const uint32_t *ready, size_t count, size_t running)
{
  life *l = context;
  (void)ready;
  (void)running;
  return mix(l->seed, l->chosen++) % count;
}

static void
write_some(life *l, uint64_t seed)
{
  for (uint64_t i = 0; i < 40; i++) {
    char key[16];
    char value[300];
    uint64_t drawn = mix(seed, i);
    int size = snprintf(key, sizeof key, "k%02u", (unsigned)(drawn % 60));
    gs_slice name = gs_slice_of(key, (size_t)size);
    memset(value, 'v', sizeof value);
    gs_status status =
        drawn % 5 == 0
            ? gs_delete(l->store, name, NULL, NULL, NULL)
            : gs_put(l->store, name, gs_slice_of(value, drawn % sizeof value),
                     NULL, NULL, NULL);
    l->wrong += status != GS_OK;
  }
}

static void
write_one(void *context)
{
  write_some(context, 1);
}

static void
write_other(void *context)
{
  write_some(context, 2);
}

static void
flush(void *context)
{
  life *l = context;
  l->wrong += gs_flush(l->store, NULL) != GS_OK;
}

static void
compact(void *context)
{
  life *l = context;
  l->wrong += gs_compact(l->store, NULL, NULL) != GS_OK;
}

static void
run_tasks(life *l)
{
  static void (*const runs[TASKS])(void *) = {write_one, write_other, flush,
                                              compact};
  uint32_t ids[TASKS];
  for (size_t i = 0; i < TASKS; i++) {
    KIT_OK(gs_sim_spawn(l->sim, "task", runs[i], l, &ids[i], &kit_err));
  }
  gs_sim_set_chooser(l->sim, choose, l);
  for (int i = 0; i < 100; i++) {
    gs_sim_drain(l->sim);
    gs_sim_advance_ms(l->sim, 1);
  }
}

static void
run_alone(life *l)
{
  write_one(l);
  flush(l);
  write_other(l);
  compact(l);
}

/* The trace of one life, opened twice. Gives: deinit the buffer. */
static gs_buffer
trace_of(uint64_t seed, bool has_tasks)
{
  life l = {.seed = seed};
  gs_buffer trace;
  gs_options options = kit_options();
  l.sim = gs_sim_new(seed);
  if (has_tasks) {
    gs_sim_allow_tasks(l.sim);
  }
  gs_sim_set_tracing(l.sim, true);
  options.env = gs_sim_env(l.sim);
  options.threads = has_tasks ? 1 : 0;
  options.memtable_bytes = 4096;
  options.durability = GS_DURABILITY_BATCH;
  options.wal_batch_ms = 1;
  KIT_OK(gs_open("/db", &options, &l.store, &kit_err));
  if (has_tasks) {
    run_tasks(&l);
  } else {
    run_alone(&l);
  }
  KIT_OK(gs_close(l.store, &kit_err));
  KIT_OK(gs_open("/db", &options, &l.store, &kit_err));
  KIT_OK(gs_close(l.store, &kit_err));
  assert_int_equal(l.wrong, 0);
  gs_buffer_init(&trace, sim_machine_env->alloc);
  gs_buffer_append_slice(&trace, gs_sim_trace(l.sim));
  gs_sim_free(l.sim);
  return trace;
}

/* Names the line where two traces part. */
static void
assert_equal_traces(const gs_buffer *a, const gs_buffer *b)
{
  size_t line = 1;
  size_t least = a->size < b->size ? a->size : b->size;
  for (size_t i = 0; i < least; i++) {
    if (a->data[i] != b->data[i]) {
      fail_msg("the traces part in line %zu", line);
    }
    line += a->data[i] == '\n';
  }
  assert_int_equal(a->size, b->size);
}

static void
compare_lives(bool has_tasks)
{
  for (uint64_t seed = 1; seed <= 10; seed++) {
    gs_buffer first = trace_of(seed, has_tasks);
    gs_buffer second = trace_of(seed, has_tasks);
    gs_buffer other = trace_of(seed + 100, has_tasks);
    assert_true(first.size > 1000);
    assert_equal_traces(&first, &second);
    assert_true(!has_tasks || !gs_slice_equal(gs_buffer_slice(&first),
                                              gs_buffer_slice(&other)));
    gs_buffer_deinit(&first);
    gs_buffer_deinit(&second);
    gs_buffer_deinit(&other);
  }
}

static void
test_same_seed_and_calls_same_trace(void **state)
{
  (void)state;
  compare_lives(false);
}

static void
test_same_seed_and_schedule_same_trace(void **state)
{
  (void)state;
  compare_lives(true);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_same_seed_and_calls_same_trace),
      KIT_TEST(test_same_seed_and_schedule_same_trace),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
