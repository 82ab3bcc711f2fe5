/*
 * Tests of thread slots: who is alive has one alone, and who ended gives it
 * back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "env/posix/posix.h"
#include "support/child.h"

enum { THREADS = 8, GENERATIONS = 200 };

/* Threads that tell their slot and stay until all have told theirs. */
typedef struct crowd {
  gs_mutex *mutex;
  gs_cond *cond;
  uint32_t slots[THREADS];
  size_t told;
} crowd;

static gs_env *env;
static crowd people;

static int
set_up(void **state)
{
  (void)state;
  env = gs_env_posix();
  people.told = 0;
  return gs_mutex_new(env, &people.mutex, NULL) == GS_OK &&
                 gs_cond_new(env, &people.cond, NULL) == GS_OK
             ? 0
             : -1;
}

static int
tear_down(void **state)
{
  (void)state;
  gs_cond_free(people.cond);
  gs_mutex_free(people.mutex);
  return 0;
}

static uint32_t
own_slot(void)
{
  return env->ops->thread_slot(env);
}

static void
tell_and_stay(void *arg)
{
  crowd *all = arg;
  uint32_t slot = own_slot();
  gs_mutex_lock(all->mutex);
  all->slots[all->told++] = slot;
  gs_cond_broadcast(all->cond);
  while (all->told < THREADS) {
    gs_cond_wait(all->cond, all->mutex, 0);
  }
  gs_mutex_unlock(all->mutex);
}

static void
note_slot(void *arg)
{
  uint32_t *slot = arg;
  *slot = own_slot();
}

static uint32_t
slot_of_a_new_thread(void)
{
  uint32_t slot = UINT32_MAX;
  gs_thread *thread = NULL;
  assert_int_equal(gs_thread_start(env, note_slot, &slot, &thread, NULL),
                   GS_OK);
  gs_thread_join(thread);
  return slot;
}

static void
test_a_thread_keeps_its_slot(void **state)
{
  (void)state;
  uint32_t slot = own_slot();
  assert_int_equal(own_slot(), slot);
  assert_int_not_equal(slot_of_a_new_thread(), slot);
  assert_int_equal(own_slot(), slot);
}

static void
test_living_threads_share_no_slot(void **state)
{
  (void)state;
  gs_thread *threads[THREADS];
  uint32_t mine = own_slot();
  for (size_t i = 0; i < THREADS; i++) {
    assert_int_equal(
        gs_thread_start(env, tell_and_stay, &people, &threads[i], NULL), GS_OK);
  }
  for (size_t i = 0; i < THREADS; i++) {
    gs_thread_join(threads[i]);
  }
  assert_int_equal(gs_posix_slot_count(), 1);
  for (size_t i = 0; i < THREADS; i++) {
    assert_int_not_equal(people.slots[i], mine);
    assert_in_range(people.slots[i], 0, THREADS); /* the lowest there are */
    for (size_t j = 0; j < i; j++) {
      assert_int_not_equal(people.slots[i], people.slots[j]);
    }
  }
}

static void
test_a_thread_that_ended_gives_its_slot_back(void **state)
{
  (void)state;
  uint32_t first = slot_of_a_new_thread();
  for (size_t i = 0; i < GENERATIONS; i++) {
    assert_int_equal(slot_of_a_new_thread(), first);
  }
}

static int
look_at_slots(void *arg)
{
  const uint32_t *slot = arg;
  return own_slot() == *slot && gs_posix_slot_count() == 1 ? 0 : 1;
}

static void
test_the_first_thread_keeps_its_slot_in_a_forked_child(void **state)
{
  (void)state;
  uint32_t slot = own_slot();
  assert_int_equal(slot, 0);
  assert_int_equal(child_run(look_at_slots, &slot).exit_status, 0);
}

/* While others hold slots, a child is forked: there it is alone. */
static void
fork_among_others(void *arg)
{
  int *exit_status = arg;
  crowd *all = &people;
  uint32_t slot = own_slot();
  gs_mutex_lock(all->mutex);
  while (all->told < THREADS - 1) {
    gs_cond_wait(all->cond, all->mutex, 0);
  }
  gs_mutex_unlock(all->mutex);
  *exit_status = child_run(look_at_slots, &slot).exit_status;
  gs_mutex_lock(all->mutex);
  all->told++;
  gs_cond_broadcast(all->cond);
  gs_mutex_unlock(all->mutex);
}

static void
test_in_a_forked_child_only_the_forking_thread_has_a_slot(void **state)
{
  (void)state;
  gs_thread *threads[THREADS];
  int exit_status = -1;
  assert_int_equal(
      gs_thread_start(env, fork_among_others, &exit_status, &threads[0], NULL),
      GS_OK);
  for (size_t i = 1; i < THREADS; i++) {
    assert_int_equal(
        gs_thread_start(env, tell_and_stay, &people, &threads[i], NULL), GS_OK);
  }
  for (size_t i = 0; i < THREADS; i++) {
    gs_thread_join(threads[i]);
  }
  assert_int_equal(exit_status, 0);
}

#define ONE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_a_thread_keeps_its_slot),
      ONE_TEST(test_living_threads_share_no_slot),
      ONE_TEST(test_a_thread_that_ended_gives_its_slot_back),
      ONE_TEST(test_the_first_thread_keeps_its_slot_in_a_forked_child),
      ONE_TEST(test_in_a_forked_child_only_the_forking_thread_has_a_slot),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
