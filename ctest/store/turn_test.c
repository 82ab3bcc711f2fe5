/*
 * Who gets the commit lock: on the real machine, since a simulated one has no
 * threads that sleep.
 */
#include "store_kit.h"

#include <sched.h>

#include "store/turn.h"
#include "support/temp_dir.h"

enum { ROUNDS = 100 };

static temp_dir dir;

static int
set_up(void **state)
{
  (void)state;
  temp_dir_make(&dir);
  return 0;
}

static int
tear_down(void **state)
{
  (void)state;
  temp_dir_remove(&dir);
  return 0;
}

static gs_store *
open_here(uint32_t threads)
{
  gs_options options = kit_options();
  options.env = gs_env_posix();
  options.threads = threads;
  gs_store *store = NULL;
  KIT_OK(gs_open(temp_dir_at(&dir, "db"), &options, &store, &kit_err));
  return store;
}

typedef struct turn {
  gs_store *store;
  unsigned taken; /* under commit */
} turn;

static void
take(void *context)
{
  turn *t = context;
  gs_turn_take(t->store);
  t->taken++;
  gs_mutex_unlock(t->store->commit);
}

static void
await_asked(gs_store *store)
{
  enum { LOOKS = 100 * 1000 * 1000 };
  bool is_asked = false;
  for (unsigned i = 0; i < LOOKS && !is_asked; i++) {
    sched_yield();
    is_asked = atomic_load(&store->turn_is_asked);
  }
  assert_true(is_asked);
}

static void
test_whoever_asks_has_the_lock_before_a_writer_that_comes_again(void **state)
{
  (void)state;
  turn t = {.store = open_here(0)};
  for (unsigned i = 1; i <= ROUNDS; i++) {
    gs_thread *thread = NULL;
    gs_commit_lock(t.store);
    KIT_OK(gs_thread_start(t.store->env, take, &t, &thread, &kit_err));
    await_asked(t.store);
    gs_mutex_unlock(t.store->commit);
    gs_commit_lock(t.store);
    assert_int_equal(t.taken, i);
    gs_mutex_unlock(t.store->commit);
    gs_thread_join(thread);
    assert_false(atomic_load(&t.store->turn_is_asked));
  }
  kit_close(t.store);
}

static void
test_several_that_ask_have_it_one_after_another(void **state)
{
  (void)state;
  enum { ASKING = 4 };
  turn t = {.store = open_here(0)};
  gs_thread *threads[ASKING];
  gs_commit_lock(t.store);
  for (size_t i = 0; i < ASKING; i++) {
    KIT_OK(gs_thread_start(t.store->env, take, &t, &threads[i], &kit_err));
  }
  gs_mutex_unlock(t.store->commit);
  for (size_t i = 0; i < ASKING; i++) {
    gs_thread_join(threads[i]);
  }
  assert_int_equal(t.taken, ASKING);
  assert_false(atomic_load(&t.store->turn_is_asked));
  kit_close(t.store);
}

/* The log thread sleeps beside commit, and hears of what came meanwhile. */
static void
test_a_store_whose_log_thread_sleeps_closes_at_once(void **state)
{
  (void)state;
  for (unsigned i = 0; i < ROUNDS; i++) {
    gs_store *store = open_here(1);
    kit_put(store, "a", "1");
    kit_close(store);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(
          test_whoever_asks_has_the_lock_before_a_writer_that_comes_again,
          set_up, tear_down),
      cmocka_unit_test_setup_teardown(
          test_several_that_ask_have_it_one_after_another, set_up, tear_down),
      cmocka_unit_test_setup_teardown(
          test_a_store_whose_log_thread_sleeps_closes_at_once, set_up,
          tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
