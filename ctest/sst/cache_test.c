/*
 * Tests of the cache: its ceiling, which frames it gives up, that pins and
 * epochs keep what is used, and threads that load and evict at once.
 */
#include <stdatomic.h>

#include "sst/sst_kit.h"
#include "support/sim_machine.h"

enum { BLOCK = 1000, FRAME = BLOCK + sizeof(gs_frame), HOMES = 100 };

static gs_epoch *epoch;
static gs_cache *cache;
static _Atomic(gs_frame *) homes[HOMES];

/* A cache with room for ten frames on the simulated machine. */
static int
make(void **state)
{
  sim_machine_set_up(state);
  assert_int_equal(gs_epoch_new(sim_machine_env, &epoch, NULL), GS_OK);
  assert_int_equal(
      gs_cache_new(sim_machine_env, epoch, 10 * FRAME, &cache, NULL), GS_OK);
  return 0;
}

static int
end(void **state)
{
  gs_cache_forget(cache, homes, HOMES);
  gs_cache_free(cache);
  gs_epoch_free(epoch);
  return sim_machine_tear_down(state);
}

/* Keys of places of their own in the ghost list. */
static uint64_t
ghost_key(uint64_t block)
{
  return block | (block + 1) << 33;
}

static gs_frame *
insert_in(gs_cache *into, uint64_t block)
{
  gs_frame *frame = NULL;
  assert_int_equal(gs_cache_frame_new(into, BLOCK, &frame, NULL), GS_OK);
  memset(frame->data, (int)block, BLOCK);
  return gs_cache_insert(into, frame, &homes[block], ghost_key(block));
}

/* Loads a block as a reader would. */
static void
load(uint64_t block)
{
  uint32_t slot = gs_epoch_enter(epoch);
  insert_in(cache, block);
  gs_epoch_leave(epoch, slot);
}

static void
hit(uint64_t block)
{
  gs_frame_touch(atomic_load(&homes[block]));
}

static bool
is_there(uint64_t block)
{
  return atomic_load(&homes[block]) != NULL;
}

static gs_cache_stats
stats(void)
{
  gs_cache_stats now;
  gs_cache_get_stats(cache, &now);
  return now;
}

static void
test_what_was_inserted_is_at_home(void **state)
{
  (void)state;
  load(3);
  gs_frame *frame = atomic_load(&homes[3]);
  assert_non_null(frame);
  assert_int_equal(frame->size, BLOCK);
  assert_int_equal(frame->data[BLOCK - 1], 3);
  assert_int_equal(stats().used_bytes, FRAME);
  assert_int_equal(stats().loads, 1);
}

static void
test_the_second_to_load_a_block_gets_the_frame_of_the_first(void **state)
{
  (void)state;
  uint32_t slot = gs_epoch_enter(epoch);
  gs_frame *first = insert_in(cache, 3);
  gs_frame *second = insert_in(cache, 3);
  assert_ptr_equal(first, second);
  assert_int_equal(stats().used_bytes, FRAME);
  assert_int_equal(stats().loads, 2);
  gs_epoch_leave(epoch, slot);
}

static void
test_the_ceiling_holds_after_every_insert(void **state)
{
  (void)state;
  for (uint64_t i = 0; i < HOMES; i++) {
    load(i);
    assert_true(stats().used_bytes <= 10 * FRAME);
  }
  assert_int_equal(stats().evictions, HOMES - 10);
  gs_cache_set_capacity(cache, 4 * FRAME);
  assert_int_equal(stats().used_bytes, 4 * FRAME);
  assert_int_equal(stats().capacity_bytes, 4 * FRAME);
  gs_cache_set_capacity(cache, 0);
  assert_int_equal(stats().used_bytes, 0);
}

static void
test_a_cache_is_full_from_an_eviction_until_it_has_room(void **state)
{
  (void)state;
  for (uint64_t i = 0; i < 10; i++) {
    load(i);
    assert_false(gs_cache_is_full(cache));
  }
  load(10);
  assert_true(gs_cache_is_full(cache));
  gs_cache_forget(cache, &homes[10], 1);
  assert_false(gs_cache_is_full(cache));
  gs_cache_hold(cache, 2 * FRAME);
  assert_true(gs_cache_is_full(cache));
  gs_cache_let_go(cache, FRAME);
  assert_false(gs_cache_is_full(cache));
  gs_cache_set_capacity(cache, 2 * FRAME);
  assert_true(gs_cache_is_full(cache));
  gs_cache_set_capacity(cache, 10 * FRAME);
  assert_false(gs_cache_is_full(cache));
  gs_cache_set_capacity(cache, 0);
  assert_true(gs_cache_is_full(cache));
}

static void
ask_for_others(uint64_t from, uint64_t count)
{
  for (uint64_t i = from; i < from + count; i++) {
    GS_IGNORE(gs_cache_recalls(cache, (i << 33) + i), "others come between");
  }
}

static void
test_a_cache_that_one_block_has_emptied_is_not_full(void **state)
{
  (void)state;
  for (uint64_t i = 0; i < 10; i++) {
    load(i);
  }
  gs_frame *giant = NULL;
  uint32_t slot = gs_epoch_enter(epoch);
  assert_int_equal(gs_cache_frame_new(cache, 11 * FRAME, &giant, NULL), GS_OK);
  gs_cache_insert(cache, giant, &homes[10], ghost_key(10));
  gs_epoch_leave(epoch, slot);
  assert_int_equal(stats().used_bytes, 0);
  assert_false(gs_cache_is_full(cache));
}

static void
test_room_is_what_the_ceiling_leaves(void **state)
{
  (void)state;
  assert_int_equal(gs_cache_room(cache), 10 * FRAME);
  load(1);
  assert_int_equal(gs_cache_room(cache), 9 * FRAME);
  gs_cache_hold(cache, 2 * FRAME);
  assert_int_equal(gs_cache_room(cache), 7 * FRAME);
  gs_cache_let_go(cache, 2 * FRAME);
  for (uint64_t i = 2; i < 15; i++) {
    load(i);
  }
  assert_int_equal(gs_cache_room(cache), 0);
}

static void
test_a_cache_recalls_what_a_walk_passed_some_while_ago(void **state)
{
  (void)state;
  uint64_t key = UINT64_C(0x123456789abcdeff);
  gs_cache_set_capacity(cache, 1 << 20); /* for lists of 256 names */
  assert_false(gs_cache_recalls(cache, key));
  assert_false(gs_cache_recalls(cache, key));
  ask_for_others(1, 100);
  assert_true(gs_cache_recalls(cache, key));
  ask_for_others(101, 300);
  assert_false(gs_cache_recalls(cache, key));
}

/* Walks make nobody forget what was pushed out. */
static void
test_a_block_that_comes_back_after_a_walk_is_kept_longer(void **state)
{
  (void)state;
  for (uint64_t i = 0; i < 20; i++) {
    load(i);
  }
  assert_false(is_there(0));
  ask_for_others(1, 1000);
  load(0);
  for (uint64_t i = 20; i < 40; i++) {
    load(i);
  }
  bool stays = is_there(0);
  assert_true(stays);
}

static void
test_what_tables_hold_comes_off_the_ceiling_but_for_a_quarter(void **state)
{
  (void)state;
  gs_cache_set_capacity(cache, 12 * FRAME);
  for (uint64_t i = 0; i < 20; i++) {
    load(i);
  }
  assert_int_equal(stats().used_bytes, 12 * FRAME);
  gs_cache_hold(cache, 5 * FRAME);
  assert_int_equal(stats().used_bytes, 7 * FRAME);
  assert_int_equal(stats().held_bytes, 5 * FRAME);
  assert_int_equal(stats().capacity_bytes, 12 * FRAME);
  gs_cache_hold(cache, 100 * FRAME);
  assert_int_equal(stats().used_bytes, 3 * FRAME);
  load(30);
  assert_int_equal(stats().used_bytes, 3 * FRAME);
  gs_cache_let_go(cache, 105 * FRAME);
  for (uint64_t i = 40; i < 60; i++) {
    load(i);
  }
  assert_int_equal(stats().used_bytes, 12 * FRAME);
}

static void
test_blocks_that_are_used_again_outlive_a_scan(void **state)
{
  (void)state;
  for (uint64_t i = 0; i < 5; i++) {
    load(i);
    hit(i);
  }
  for (uint64_t i = 10; i < HOMES; i++) {
    load(i);
  }
  for (uint64_t i = 0; i < 5; i++) {
    assert_true(is_there(i));
  }
}

static void
test_a_block_that_comes_back_is_kept_longer(void **state)
{
  (void)state;
  for (uint64_t i = 0; i < 20; i++) {
    load(i);
  }
  assert_false(is_there(0));
  load(0);
  for (uint64_t i = 20; i < 40; i++) {
    load(i);
  }
  assert_true(is_there(0));
}

static void
test_main_blocks_that_are_not_used_any_more_go(void **state)
{
  (void)state;
  for (uint64_t i = 0; i < 10; i++) {
    load(i);
    hit(i);
  }
  for (uint64_t i = 10; i < 40; i++) {
    load(i);
    hit(i);
  }
  assert_false(is_there(0));
  assert_int_equal(stats().used_bytes, 10 * FRAME);
}

static void
test_pinned_frames_are_passed_over(void **state)
{
  (void)state;
  load(0);
  gs_frame *frame = atomic_load(&homes[0]);
  gs_frame_pin(frame);
  for (uint64_t i = 1; i < HOMES; i++) {
    load(i);
  }
  assert_true(is_there(0));
  gs_cache_set_capacity(cache, 0);
  assert_int_equal(stats().used_bytes, FRAME);
  gs_frame_unpin(frame);
  gs_cache_set_capacity(cache, 0);
  assert_int_equal(stats().used_bytes, 0);
}

static void
test_a_frame_pinned_as_it_is_given_up_lives_until_the_unpin(void **state)
{
  (void)state;
  gs_cache_set_capacity(cache, 0);
  uint32_t slot = gs_epoch_enter(epoch);
  gs_frame *frame = insert_in(cache, 5);
  assert_false(is_there(5));
  gs_frame_pin(frame);
  gs_epoch_leave(epoch, slot);
  gs_epoch_collect(epoch);
  for (size_t i = 0; i < BLOCK; i++) {
    assert_int_equal(frame->data[i], 5);
  }
  uint64_t before = gs_sim_allocated_bytes(sim_machine);
  gs_frame_unpin(frame);
  assert_int_equal(before - gs_sim_allocated_bytes(sim_machine), FRAME);
  gs_frame_unpin(NULL);
}

static void
test_a_frame_without_pins_is_freed_with_its_epoch(void **state)
{
  (void)state;
  gs_cache_set_capacity(cache, 0);
  uint32_t slot = gs_epoch_enter(epoch);
  insert_in(cache, 4); /* the first to go has its name written down */
  gs_epoch_leave(epoch, slot);
  gs_epoch_collect(epoch);
  uint64_t before = gs_sim_allocated_bytes(sim_machine);
  slot = gs_epoch_enter(epoch);
  gs_frame *frame = insert_in(cache, 5);
  gs_epoch_collect(epoch);
  assert_int_equal(frame->data[0], 5);
  gs_epoch_leave(epoch, slot);
  gs_epoch_collect(epoch);
  assert_int_equal(gs_sim_allocated_bytes(sim_machine), before);
}

static void
test_forgetting_takes_only_the_pointers_named(void **state)
{
  (void)state;
  for (uint64_t i = 0; i < 6; i++) {
    load(i);
  }
  gs_cache_forget(cache, homes + 2, 3);
  for (uint64_t i = 0; i < 6; i++) {
    assert_int_equal(is_there(i), i < 2 || i > 4);
  }
  assert_int_equal(stats().used_bytes, 3 * FRAME);
}

static void
test_frames_may_outlive_the_cache_in_the_epoch(void **state)
{
  (void)state;
  gs_cache *other = NULL;
  assert_int_equal(gs_cache_new(sim_machine_env, epoch, 0, &other, NULL),
                   GS_OK);
  uint32_t slot = gs_epoch_enter(epoch);
  gs_frame *frame = insert_in(other, 5);
  gs_cache_free(other);
  assert_int_equal(frame->data[0], 5);
  gs_epoch_leave(epoch, slot);
  gs_epoch_collect(epoch);
}

static void
test_the_first_frames_of_a_cache_stand_alone(void **state)
{
  (void)state;
  size_t alone = 0;
  gs_cache_set_capacity(cache, (uint64_t)GS_SLAB_BYTES * 8);
  for (size_t i = 0; i < 100; i++) {
    gs_frame *frame = NULL;
    assert_int_equal(gs_cache_frame_new(cache, 4096, &frame, NULL), GS_OK);
    assert_int_equal(frame->slab == NULL, i < 64);
    alone += frame->slab == NULL;
    gs_cache_frame_free(frame);
  }
  assert_int_equal(alone, 64);
}

static void
pass_the_first_frames(void)
{
  for (size_t i = 0; i < 64; i++) {
    gs_frame *frame = NULL;
    assert_int_equal(gs_cache_frame_new(cache, 4096, &frame, NULL), GS_OK);
    gs_cache_frame_free(frame);
  }
}

/* Frames of a large cache are cells of slabs, in the usual size. */
static void
test_a_large_cache_takes_its_frames_from_slabs(void **state)
{
  (void)state;
  static const uint32_t sizes[] = {4096, 2049, 2048, 4097};
  gs_cache_set_capacity(cache, (uint64_t)GS_SLAB_BYTES * 8);
  pass_the_first_frames();
  for (uint32_t i = 0; i < 4; i++) {
    gs_frame *frame = NULL;
    assert_int_equal(gs_cache_frame_new(cache, sizes[i], &frame, NULL), GS_OK);
    assert_int_equal(frame->slab != NULL, i < 2);
    memset(frame->data, (int)i, sizes[i]);
    uint64_t before = stats().used_bytes;
    uint32_t slot = gs_epoch_enter(epoch);
    gs_cache_insert(cache, frame, &homes[i], ghost_key(i));
    gs_epoch_leave(epoch, slot);
    uint64_t bytes = stats().used_bytes - before;
    size_t cell = (sizeof *frame + 4096 + GS_CELL_ALIGN - 1) / GS_CELL_ALIGN *
                  GS_CELL_ALIGN;
    assert_int_equal(bytes, i < 2 ? cell : sizeof *frame + sizes[i]);
  }
  gs_cache_set_capacity(cache, (uint64_t)GS_SLAB_BYTES * 8 - 1);
  gs_frame *frame = NULL;
  assert_int_equal(gs_cache_frame_new(cache, 4096, &frame, NULL), GS_OK);
  assert_null(frame->slab);
  gs_cache_frame_free(frame);
}

/* One in so many frames is hit all the time: it stays, and its slab with it. */
enum { CHANGING_FRAMES = 70000, HOT_EVERY = 450 };
static _Atomic(gs_frame *) changing_homes[CHANGING_FRAMES];

static void
insert_sized(size_t at, uint32_t size)
{
  gs_frame *frame = NULL;
  assert_int_equal(gs_cache_frame_new(cache, size, &frame, NULL), GS_OK);
  uint32_t slot = gs_epoch_enter(epoch);
  gs_cache_insert(cache, frame, &changing_homes[at], ghost_key((uint32_t)at));
  for (size_t hot = 0; at % 64 == 0 && hot < at; hot += HOT_EVERY) {
    gs_frame *there = atomic_load(&changing_homes[hot]);
    if (there != NULL) {
      gs_frame_touch(there);
    }
  }
  gs_epoch_leave(epoch, slot);
}

static void
forget_changing(void)
{
  gs_cache_forget(cache, changing_homes, CHANGING_FRAMES);
  gs_epoch_collect(epoch);
}

static void
test_memory_is_bounded_while_sizes_of_blocks_change(void **state)
{
  (void)state;
  static const uint32_t sizes[] = {4096, 4300, 6500, 10000};
  const uint64_t capacity = (uint64_t)GS_SLAB_BYTES * 32;
  gs_cache_set_capacity(cache, capacity);
  uint64_t before = gs_sim_allocated_bytes(sim_machine);
  size_t at = 0;
  for (size_t i = 0; i < 4; i++) {
    for (size_t k = 0; k < capacity / 4 * 5 / sizes[i]; k++) {
      assert_true(at < CHANGING_FRAMES);
      insert_sized(at++, sizes[i]);
      uint64_t now = gs_sim_allocated_bytes(sim_machine) - before;
      assert_true(now <= 2 * capacity + capacity / 16 + 3 * GS_SLAB_BYTES);
    }
    assert_true(stats().used_bytes > capacity / 10 * 9);
  }
  gs_cache_set_capacity(cache, (uint64_t)GS_SLAB_BYTES * 8);
  gs_epoch_collect(epoch);
  assert_true(gs_sim_allocated_bytes(sim_machine) - before <=
              (uint64_t)GS_SLAB_BYTES * 11);
  forget_changing();
}

static void
test_running_out_of_memory_leaves_nothing_behind(void **state)
{
  (void)state;
  uint64_t before = gs_sim_allocated_bytes(sim_machine);
  gs_cache *other = NULL;
  gs_status status = GS_NOMEM;
  for (uint64_t nth = 1; status != GS_OK; nth++) {
    gs_sim_fail_alloc(sim_machine, nth, 1);
    status = gs_cache_new(sim_machine_env, epoch, BLOCK, &other, NULL);
    assert_true(status == GS_OK || (status == GS_NOMEM && other == NULL));
    assert_true(nth > 1 || status == GS_NOMEM);
  }
  gs_sim_fail_alloc(sim_machine, 1, 1);
  gs_frame *frame = NULL;
  assert_int_equal(gs_cache_frame_new(other, BLOCK, &frame, NULL), GS_NOMEM);
  assert_null(frame);
  gs_cache_free(other);
  assert_int_equal(gs_sim_allocated_bytes(sim_machine), before);
}

/* ---- threads ------------------------------------------------------------- */

enum { THREADS = 3, ROUNDS = 20000, SHARED = 40 };

typedef struct worker {
  uint64_t random;
  uint64_t wrong; /* frames with bytes of another block */
} worker;

static gs_frame *
reach(uint64_t block)
{
  gs_frame *frame = atomic_load_explicit(&homes[block], memory_order_acquire);
  if (frame == NULL) {
    return insert_in(cache, block);
  }
  gs_frame_touch(frame);
  return frame;
}

static void
read_blocks(void *context)
{
  worker *self = context;
  gs_frame *pinned = NULL;
  for (int i = 0; i < ROUNDS; i++) {
    uint64_t block = kit_below(&self->random, SHARED);
    uint32_t slot = gs_epoch_enter(epoch);
    gs_frame *frame = reach(block);
    self->wrong += frame->data[0] != block || frame->data[BLOCK - 1] != block;
    if (i % 3 == 0) {
      gs_frame_unpin(pinned);
      gs_frame_pin(frame);
      pinned = frame;
    }
    gs_epoch_leave(epoch, slot);
    self->wrong += pinned == NULL || pinned->data[0] != pinned->data[BLOCK - 1];
  }
  gs_frame_unpin(pinned);
}

static void
test_threads_read_right_blocks_while_others_evict_them(void **state)
{
  (void)state;
  gs_env *env = gs_env_posix();
  assert_int_equal(gs_epoch_new(env, &epoch, NULL), GS_OK);
  assert_int_equal(gs_cache_new(env, epoch, 8 * FRAME, &cache, NULL), GS_OK);
  worker workers[THREADS] = {{1, 0}, {2, 0}, {3, 0}};
  gs_thread *threads[THREADS];
  for (size_t i = 0; i < THREADS; i++) {
    assert_int_equal(
        gs_thread_start(env, read_blocks, &workers[i], &threads[i], NULL),
        GS_OK);
  }
  for (size_t i = 0; i < THREADS; i++) {
    gs_thread_join(threads[i]);
    assert_int_equal(workers[i].wrong, 0);
  }
  assert_true(stats().evictions > 0);
  gs_cache_forget(cache, homes, HOMES);
  gs_cache_free(cache);
  gs_epoch_free(epoch);
}

#define WITH_CACHE(test) cmocka_unit_test_setup_teardown(test, make, end)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      WITH_CACHE(test_what_was_inserted_is_at_home),
      WITH_CACHE(test_the_second_to_load_a_block_gets_the_frame_of_the_first),
      WITH_CACHE(test_the_ceiling_holds_after_every_insert),
      WITH_CACHE(test_a_cache_is_full_from_an_eviction_until_it_has_room),
      WITH_CACHE(test_a_cache_that_one_block_has_emptied_is_not_full),
      WITH_CACHE(test_room_is_what_the_ceiling_leaves),
      WITH_CACHE(test_a_cache_recalls_what_a_walk_passed_some_while_ago),
      WITH_CACHE(test_a_block_that_comes_back_after_a_walk_is_kept_longer),
      WITH_CACHE(test_what_tables_hold_comes_off_the_ceiling_but_for_a_quarter),
      WITH_CACHE(test_blocks_that_are_used_again_outlive_a_scan),
      WITH_CACHE(test_a_block_that_comes_back_is_kept_longer),
      WITH_CACHE(test_main_blocks_that_are_not_used_any_more_go),
      WITH_CACHE(test_pinned_frames_are_passed_over),
      WITH_CACHE(test_a_frame_pinned_as_it_is_given_up_lives_until_the_unpin),
      WITH_CACHE(test_a_frame_without_pins_is_freed_with_its_epoch),
      WITH_CACHE(test_forgetting_takes_only_the_pointers_named),
      WITH_CACHE(test_frames_may_outlive_the_cache_in_the_epoch),
      WITH_CACHE(test_the_first_frames_of_a_cache_stand_alone),
      WITH_CACHE(test_a_large_cache_takes_its_frames_from_slabs),
      WITH_CACHE(test_memory_is_bounded_while_sizes_of_blocks_change),
      WITH_CACHE(test_running_out_of_memory_leaves_nothing_behind),
      cmocka_unit_test(test_threads_read_right_blocks_while_others_evict_them),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
