/*
 * Tests of epochs: nothing is released under a reader, everything is released
 * in the end. Most play several threads from one, by telling the machine which
 * slot the caller has; the last one uses real threads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "env/epoch.h"

enum { PLENTY = 100, OVERFLOW = 1000 };

typedef struct item {
  gs_retired retired; /* first, so that a release finds the item */
  gs_epoch *epoch;    /* where the release retires `next` */
  struct item *next;
  bool is_released;
} item;

static gs_env_ops test_ops;
static gs_env test_env;
static uint32_t playing; /* the slot of the thread being played */

static uint32_t
played_slot(gs_env *env)
{
  (void)env;
  return playing;
}

static void
release_item(gs_retired *retired)
{
  item *released = (item *)(void *)retired;
  assert_false(released->is_released);
  released->is_released = true;
  if (released->next != NULL) {
    gs_epoch_retire(released->epoch, &released->next->retired, release_item);
  }
}

static int
make_epoch(void **state)
{
  gs_env *real = gs_env_posix();
  test_ops = *real->ops;
  test_ops.thread_slot = played_slot;
  test_env = *real;
  test_env.ops = &test_ops;
  playing = 0;
  gs_epoch *epoch = NULL;
  assert_int_equal(gs_epoch_new(&test_env, &epoch, NULL), GS_OK);
  *state = epoch;
  return 0;
}

static int
free_epoch(void **state)
{
  gs_epoch_free(*state);
  return 0;
}

static uint32_t
enter_as(gs_epoch *epoch, uint32_t slot)
{
  playing = slot;
  return gs_epoch_enter(epoch);
}

static void
test_an_item_waits_for_the_readers_that_came_before(void **state)
{
  gs_epoch *epoch = *state;
  item thing = {.is_released = false};
  uint32_t first = enter_as(epoch, 0);
  uint32_t last = enter_as(epoch, 255);
  gs_epoch_retire(epoch, &thing.retired, release_item);
  gs_epoch_collect(epoch);
  assert_false(thing.is_released);
  gs_epoch_leave(epoch, first);
  gs_epoch_collect(epoch);
  assert_false(thing.is_released);
  gs_epoch_leave(epoch, last);
  gs_epoch_collect(epoch);
  assert_true(thing.is_released);
}

static void
test_an_item_does_not_wait_for_readers_that_came_after(void **state)
{
  gs_epoch *epoch = *state;
  item thing = {.is_released = false};
  gs_epoch_retire(epoch, &thing.retired, release_item);
  uint32_t slot = enter_as(epoch, 3);
  gs_epoch_collect(epoch);
  assert_true(thing.is_released);
  gs_epoch_leave(epoch, slot);
}

static void
test_a_reader_holds_back_only_what_was_retired_after_it_entered(void **state)
{
  gs_epoch *epoch = *state;
  item before = {.is_released = false};
  item after = {.is_released = false};
  gs_epoch_retire(epoch, &before.retired, release_item);
  uint32_t slot = enter_as(epoch, 1);
  gs_epoch_retire(epoch, &after.retired, release_item);
  gs_epoch_collect(epoch);
  assert_true(before.is_released);
  assert_false(after.is_released);
  gs_epoch_leave(epoch, slot);
  gs_epoch_collect(epoch);
  assert_true(after.is_released);
}

static void
test_retiring_alone_releases_in_the_long_run(void **state)
{
  gs_epoch *epoch = *state;
  item things[PLENTY];
  memset(things, 0, sizeof things);
  for (size_t i = 0; i < PLENTY; i++) {
    gs_epoch_retire(epoch, &things[i].retired, release_item);
  }
  assert_true(things[0].is_released);
  assert_true(things[PLENTY / 2].is_released);
  gs_epoch_collect(epoch);
  for (size_t i = 0; i < PLENTY; i++) {
    assert_true(things[i].is_released);
  }
}

static void
test_a_release_may_retire_more(void **state)
{
  gs_epoch *epoch = *state;
  item second = {.is_released = false};
  item first = {.epoch = epoch, .next = &second};
  gs_epoch_retire(epoch, &first.retired, release_item);
  gs_epoch_collect(epoch);
  assert_true(first.is_released);
  assert_false(second.is_released);
  gs_epoch_collect(epoch);
  assert_true(second.is_released);
}

static void
test_free_releases_what_is_left(void **state)
{
  gs_epoch *epoch = *state;
  item second = {.is_released = false};
  item first = {.epoch = epoch, .next = &second};
  gs_epoch_retire(epoch, &first.retired, release_item);
  gs_epoch_free(epoch);
  *state = NULL;
  assert_true(first.is_released);
  assert_true(second.is_released);
}

static void
test_threads_without_a_slot_of_their_own_are_waited_for(void **state)
{
  gs_epoch *epoch = *state;
  item thing = {.is_released = false};
  uint32_t one = enter_as(epoch, OVERFLOW);
  uint32_t two = enter_as(epoch, UINT32_MAX);
  gs_epoch_retire(epoch, &thing.retired, release_item);
  gs_epoch_leave(epoch, two);
  gs_epoch_collect(epoch);
  assert_false(thing.is_released);
  gs_epoch_leave(epoch, one);
  gs_epoch_collect(epoch);
  assert_true(thing.is_released);
}

static void
test_a_stream_of_such_threads_holds_nothing_back_for_ever(void **state)
{
  gs_epoch *epoch = *state;
  item things[PLENTY];
  memset(things, 0, sizeof things);
  uint32_t inside = enter_as(epoch, OVERFLOW);
  for (size_t i = 0; i < PLENTY; i++) {
    gs_epoch_retire(epoch, &things[i].retired, release_item);
    uint32_t next = enter_as(epoch, OVERFLOW + (uint32_t)i);
    gs_epoch_leave(epoch, inside);
    inside = next;
    gs_epoch_collect(epoch);
    assert_true(i < 2 || things[i - 2].is_released);
  }
  gs_epoch_leave(epoch, inside);
}

/* ---- memory that runs out ---------------------------------------------- */

static size_t allocations_left;

static void *
failing_resize(gs_alloc *self, void *block, size_t old_size, size_t new_size)
{
  (void)self;
  if (new_size > 0 && allocations_left-- == 0) {
    return NULL;
  }
  gs_alloc *real = gs_env_posix()->alloc;
  return real->resize(real, block, old_size, new_size);
}

static void
test_running_out_of_memory_at_birth_leaves_nothing_behind(void **state)
{
  (void)state;
  gs_alloc alloc = {.resize = failing_resize};
  gs_env env = test_env;
  env.alloc = &alloc;
  gs_epoch *epoch = NULL;
  allocations_left = 0;
  assert_int_equal(gs_epoch_new(&env, &epoch, NULL), GS_NOMEM);
  assert_null(epoch);
  allocations_left = PLENTY;
  assert_int_equal(gs_epoch_new(&env, &epoch, NULL), GS_OK);
  gs_epoch_free(epoch);
}

/* ---- real threads ------------------------------------------------------ */

enum { READERS = 3, SWAPS = 20000 };

typedef struct cell {
  gs_retired retired;
  uint64_t a, b; /* equal while the cell is alive */
} cell;

typedef struct arena {
  gs_epoch *epoch;
  _Atomic(cell *) shared;
  atomic_bool is_over;
  atomic_uint torn; /* cells seen with a != b */
} arena;

static void
release_cell(gs_retired *retired)
{
  cell *old = (cell *)(void *)retired;
  old->b = ~old->a;
  free(old);
}

static void
read_cells(void *context)
{
  arena *place = context;
  while (!atomic_load(&place->is_over)) {
    uint32_t slot = gs_epoch_enter(place->epoch);
    cell *seen = atomic_load_explicit(&place->shared, memory_order_acquire);
    if (seen->a != seen->b) {
      atomic_fetch_add(&place->torn, 1);
    }
    gs_epoch_leave(place->epoch, slot);
  }
}

static cell *
make_cell(uint64_t number)
{
  cell *made = calloc(1, sizeof *made);
  assert_non_null(made);
  made->a = made->b = number;
  return made;
}

static void
swap_cells_under_readers(gs_env *env)
{
  arena place = {.epoch = NULL};
  assert_int_equal(gs_epoch_new(env, &place.epoch, NULL), GS_OK);
  atomic_store(&place.shared, make_cell(0));
  gs_thread *readers[READERS];
  for (size_t i = 0; i < READERS; i++) {
    assert_int_equal(
        gs_thread_start(env, read_cells, &place, &readers[i], NULL), GS_OK);
  }
  for (uint64_t i = 1; i <= SWAPS; i++) {
    cell *old = atomic_exchange_explicit(&place.shared, make_cell(i),
                                         memory_order_acq_rel);
    gs_epoch_retire(place.epoch, &old->retired, release_cell);
  }
  atomic_store(&place.is_over, true);
  for (size_t i = 0; i < READERS; i++) {
    gs_thread_join(readers[i]);
  }
  assert_int_equal(atomic_load(&place.torn), 0);
  gs_epoch_free(place.epoch);
  free(atomic_load(&place.shared));
}

static void
test_real_readers_never_see_a_released_cell(void **state)
{
  (void)state;
  swap_cells_under_readers(gs_env_posix());
}

static void
test_real_readers_in_shared_slots_never_see_a_released_cell(void **state)
{
  (void)state;
  playing = OVERFLOW;
  swap_cells_under_readers(&test_env);
}

#define WITH_EPOCH(test) \
  cmocka_unit_test_setup_teardown(test, make_epoch, free_epoch)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      WITH_EPOCH(test_an_item_waits_for_the_readers_that_came_before),
      WITH_EPOCH(test_an_item_does_not_wait_for_readers_that_came_after),
      WITH_EPOCH(
          test_a_reader_holds_back_only_what_was_retired_after_it_entered),
      WITH_EPOCH(test_retiring_alone_releases_in_the_long_run),
      WITH_EPOCH(test_a_release_may_retire_more),
      WITH_EPOCH(test_free_releases_what_is_left),
      WITH_EPOCH(test_threads_without_a_slot_of_their_own_are_waited_for),
      WITH_EPOCH(test_a_stream_of_such_threads_holds_nothing_back_for_ever),
      WITH_EPOCH(test_running_out_of_memory_at_birth_leaves_nothing_behind),
      WITH_EPOCH(test_real_readers_never_see_a_released_cell),
      WITH_EPOCH(test_real_readers_in_shared_slots_never_see_a_released_cell),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
