/*
 * The workloads on a toy: they give every row that something is asked of, and
 * end where an engine does not give back what was written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench/peers/goals.h"
#include "bench/peers/toy.h"
#include "bench/peers/work.h"

enum { ENTRIES = 2000, NAMES = 64 };

typedef struct names {
  char names[NAMES][WORK_NAME_BYTES];
  int count;
} names;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void
collect(void *context, const work_result *result)
{
  names *all = context;
  pthread_mutex_lock(&lock);
  assert_true(all->count < NAMES);
  memcpy(all->names[all->count++], result->name, WORK_NAME_BYTES);
  pthread_mutex_unlock(&lock);
}

static void
ignore(void *context, const work_result *result)
{
  (void)context;
  (void)result;
}

static work_setup
setup(void)
{
  return (work_setup){
      .peer = {.dir = ".",
               .value_bytes = TOY_VALUE_BYTES,
               .entry_count = ENTRIES},
      .entries = ENTRIES,
      .sync_entries = 100,
      .seed = 1,
      .limit_s = 1,
      .stall_s = 0.02,
  };
}

static bool
has(const names *all, const char *name)
{
  for (int i = 0; i < all->count; i++) {
    if (strcmp(all->names[i], name) == 0) {
      return true;
    }
  }
  return false;
}

static void
test_a_run_gives_every_row_that_has_a_goal(void **state)
{
  (void)state;
  names all = {.count = 0};
  work_setup chosen = setup();
  for (size_t g = 0; g < work_group_count; g++) {
    toy_reset(TOY_GOOD);
    work_groups[g].run(&toy_engine, &chosen, collect, &all);
  }
  for (size_t i = 0; i < goal_count; i++) {
    if (!has(&all, goals[i].name)) {
      fail_msg("no group gives '%s'", goals[i].name);
    }
  }
  assert_true(has(&all, "bytes on disk / user bytes"));
  assert_true(has(&all, "bytes on disk / user bytes, closed"));
  assert_true(has(&all, "bytes written / user bytes"));
  assert_true(has(&all, "peak memory, MiB"));
  assert_true(has(&all, "put at 95 %, alone"));
  assert_true(has(&all, "put at 95 %: longest gap, ms"));
  assert_true(has(&all, "readrandom, 2 k entries"));
}

static const work_group *
group_named(const char *name)
{
  for (size_t g = 0; g < work_group_count; g++) {
    if (strcmp(work_groups[g].name, name) == 0) {
      return &work_groups[g];
    }
  }
  fail_msg("there is no group '%s'", name);
  return NULL;
}

/* A process of its own, as the comparison has it: what is wrong ends it. */
static int
status_of(const char *group, toy_fault fault)
{
  work_setup chosen = setup();
  const work_group *wanted = group_named(group);
  toy_reset(fault);
  pid_t child = fork();
  if (child == 0) {
    if (freopen("/dev/null", "w", stderr) == NULL) {
      _exit(3);
    }
    wanted->run(&toy_engine, &chosen, ignore, NULL);
    _exit(0);
  }
  int status = 0;
  assert_int_equal(child, waitpid(child, &status, 0));
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
test_what_an_engine_does_wrong_ends_the_run(void **state)
{
  (void)state;
  static const char *const filling[] = {"fillseq", "fillbatch",
                                        "fillrandbatch"};
  for (size_t i = 0; i < sizeof filling / sizeof filling[0]; i++) {
    assert_int_equal(0, status_of(filling[i], TOY_GOOD));
    assert_int_equal(1, status_of(filling[i], TOY_LOSES));
    assert_int_equal(1, status_of(filling[i], TOY_CHANGES));
    assert_int_equal(1, status_of(filling[i], TOY_SWAPS));
  }
  for (toy_fault fault = TOY_LOSES; fault <= TOY_INVENTS; fault++) {
    assert_int_equal(1, status_of("main", fault));
  }
  assert_int_equal(1, status_of("growth", TOY_STALE));
  assert_int_equal(1, status_of("recovery", TOY_LOSES));
  assert_int_equal(1, status_of("stall", TOY_LOSES));
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_run_gives_every_row_that_has_a_goal),
      cmocka_unit_test(test_what_an_engine_does_wrong_ends_the_run),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
