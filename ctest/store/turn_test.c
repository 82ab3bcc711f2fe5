/*
 * Who gets the commit lock: on the real machine, since a simulated one has no
 * threads that sleep.
 */
#include "store_kit.h"

#include <sched.h>
#include <unistd.h>

#include "store/turn.h"
#include "support/temp_test.h"

enum { ROUNDS = 100, ALARM_S = 60 };

static gs_store *
open_on(gs_env *machine, uint32_t threads)
{
  gs_options options = kit_options();
  options.env = machine;
  options.threads = threads;
  options.durability = GS_DURABILITY_OS; /* nothing is due in time */
  gs_store *store = NULL;
  KIT_OK(gs_open(temp_dir_at(&dir, "db"), &options, &store, &kit_err));
  return store;
}

static gs_store *
open_here(uint32_t threads)
{
  return open_on(gs_env_posix(), threads);
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

/* Until nothing but a call wakes the log thread any more. */
static void
await_sleep(gs_store *store)
{
  enum { LOOKS = 100 * 1000 * 1000 };
  bool sleeps = false;
  for (unsigned i = 0; i < LOOKS && !sleeps; i++) {
    sched_yield();
    gs_commit_lock(store);
    sleeps = store->wal.thread_until_us == UINT64_MAX;
    gs_mutex_unlock(store->commit);
  }
  assert_true(sleeps);
}

/* A thread that is not called sleeps for ever: the alarm ends the program. */
static void
test_a_sleeping_log_thread_hears_that_its_store_closes(void **state)
{
  (void)state;
  for (unsigned i = 0; i < ROUNDS; i++) {
    gs_store *store = open_here(1);
    kit_put(store, "a", "1");
    alarm(ALARM_S);
    await_sleep(store);
    kit_close(store);
    alarm(0);
  }
}

/* The real machine, but for one place: whoever comes there ends the log thread of
 * the store, once. */
static gs_env_ops hooked_ops;
static gs_env hooked;
static gs_store *_Atomic doomed;

static void
end_at_point(gs_env *machine, const char *name)
{
  (void)machine;
  gs_store *store = NULL;
  if (strcmp(name, "log.sleep") == 0) {
    store = atomic_exchange(&doomed, NULL);
  }
  if (store != NULL) {
    gs_mutex_lock(store->commit);
    gs_mutex_lock(store->state);
    store->is_closing = true;
    gs_wal_call_thread(store);
    gs_mutex_unlock(store->state);
    gs_mutex_unlock(store->commit);
  }
}

static void
test_a_call_between_look_and_sleep_is_heard(void **state)
{
  (void)state;
  hooked = *gs_env_posix();
  hooked_ops = *hooked.ops;
  hooked_ops.point = end_at_point;
  hooked.ops = &hooked_ops;
  gs_store *store = open_on(&hooked, 1);
  kit_put(store, "a", "1");
  alarm(ALARM_S);
  await_sleep(store);
  atomic_store(&doomed, store);
  gs_mutex_lock(store->commit);
  gs_wal_call_thread(store);
  gs_mutex_unlock(store->commit);
  gs_thread_join(store->log_thread);
  store->log_thread = NULL;
  gs_mutex_lock(store->commit);
  gs_mutex_lock(store->state);
  store->is_closing = false;
  gs_mutex_unlock(store->state);
  gs_mutex_unlock(store->commit);
  kit_close(store);
  alarm(0);
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
          test_a_sleeping_log_thread_hears_that_its_store_closes, set_up,
          tear_down),
      cmocka_unit_test_setup_teardown(
          test_a_call_between_look_and_sleep_is_heard, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
