/*
 * The clock: reads go by it at once, and what they cannot undo waits until it
 * can be believed.
 */
#include "store_kit.h"

#include "store/clock.h"

static const uint64_t century_ms = 100 * UINT64_C(365) * GS_CLOCK_DAY_MS;

static void
put_for(gs_store *store, const char *key, uint64_t ttl_ms)
{
  gs_write_options ttl = {.ttl_ms = ttl_ms, .has_ttl = true};
  KIT_OK(gs_put(store, gs_slice_str(key), gs_slice_str("1"), &ttl, NULL,
                &kit_err));
}

static void
jump(uint64_t ms)
{
  gs_sim_set_wall_ms(sim_machine, gs_sim_wall_ms(sim_machine) + ms);
}

/* How many expired entries a merge of everything did away with. */
static uint64_t
compact(gs_store *store)
{
  uint64_t before = kit_stats(store).dropped_expired;
  KIT_OK(gs_compact(store, NULL, &kit_err));
  return kit_stats(store).dropped_expired - before;
}

static void
test_time_that_passes_is_believed(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  for (int i = 0; i < 40; i++) {
    put_for(store, "a", GS_CLOCK_DAY_MS);
    kit_put(store, "b", "1");
    gs_sim_advance_ms(sim_machine, 2 * GS_CLOCK_DAY_MS);
    assert_int_equal(compact(store), 1);
  }
  assert_int_equal(kit_stats(store).clock_warnings, 0);
  kit_close(store);
}

static void
test_a_clock_a_century_ahead_and_back_drops_nothing(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  put_for(store, "a", 60000);
  put_for(store, "b", 60000);
  uint64_t now_ms = gs_sim_wall_ms(sim_machine);
  gs_sim_set_wall_ms(sim_machine, now_ms + century_ms);
  assert_string_equal(kit_get(store, "a"), "(absent)");
  assert_int_equal(compact(store), 0);
  gs_sim_set_wall_ms(sim_machine, now_ms);
  assert_int_equal(compact(store), 0);
  assert_int_equal(kit_stats(store).entry_count, 2);
  assert_int_equal(kit_stats(store).tombstone_count, 0);
  assert_int_equal(kit_stats(store).clock_warnings, 1);
  /* What has been seen as expired does not come back. */
  assert_string_equal(kit_get(store, "a"), "(absent)");
  /* Time that really passes counts from then on too. */
  gs_sim_advance_ms(sim_machine, 60001);
  assert_int_equal(compact(store), 2);
  kit_close(store);
}

static void
test_a_held_clock_stays_held_over_close_crash_and_open(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  put_for(store, "a", 60000);
  jump(century_ms);
  assert_int_equal(compact(store), 0);
  kit_close(store);
  store = kit_open(&options);
  assert_int_equal(compact(store), 0);
  assert_string_equal(kit_get(store, "a"), "(absent)");
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_SYNCED, 0);
  kit_close(store);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  store = kit_open(&options);
  assert_int_equal(compact(store), 0);
  assert_int_equal(kit_stats(store).entry_count, 1);
  kit_close(store);
}

static void
test_a_jump_is_believed_when_the_user_says_so(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  put_for(store, "a", 60000);
  jump(century_ms);
  assert_int_equal(compact(store), 0);
  KIT_OK(gs_trust_clock(store, &kit_err));
  assert_int_equal(compact(store), 1);
  kit_close(store);
}

static void
test_a_jump_is_believed_when_it_has_lasted(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  put_for(store, "a", 5 * GS_CLOCK_DAY_MS);
  jump(century_ms);
  assert_int_equal(compact(store), 0);
  gs_sim_advance_ms(sim_machine, GS_CLOCK_CONFIRM_MS - 1);
  assert_int_equal(compact(store), 0);
  gs_sim_advance_ms(sim_machine, 1);
  assert_int_equal(compact(store), 1);
  kit_close(store);
}

static void
test_the_bounds_of_a_jump_are_a_week_when_open_and_a_year_when_closed(
    void **state)
{
  (void)state;
  for (int over = 0; over <= 1; over++) {
    sim_machine_become(gs_sim_new(1));
    gs_options options = kit_options();
    gs_store *store = kit_open(&options);
    put_for(store, "a", 60000);
    put_for(store, "b", GS_CLOCK_ABSENCE_MS);
    jump(GS_CLOCK_JUMP_MS + (uint64_t)over);
    assert_int_equal(compact(store), 1 - over);
    kit_close(store);
    if (over == 0) {
      jump(GS_CLOCK_ABSENCE_MS);
      store = kit_open(&options);
      assert_int_equal(compact(store), 1);
      kit_close(store);
    }
  }
}

static void
test_a_clock_behind_the_floor_is_warned_of(void **state)
{
  (void)state;
  gs_options options = kit_options();
  jump(1000000);
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  uint64_t now_ms = gs_now_ms(store);
  assert_int_equal(kit_stats(store).clock_warnings, 0);
  kit_close(store);
  gs_sim_set_wall_ms(sim_machine, now_ms - 1);
  store = kit_open(&options);
  assert_int_equal(gs_now_ms(store), now_ms);
  assert_int_equal(kit_stats(store).clock_warnings, 1);
  kit_close(store);
}

/* Reads write nothing, so a killed process takes with it what only they knew of
 * the time; the next write would have kept it. */
static void
test_what_reads_saw_expire_is_kept_by_the_next_write(void **state)
{
  (void)state;
  for (int writes = 0; writes <= 1; writes++) {
    gs_options options = kit_options();
    gs_store *store = kit_open(&options);
    uint64_t before_ms = gs_now_ms(store);
    put_for(store, "a", 500);
    gs_sim_advance_ms(sim_machine, 1000);
    assert_string_equal(kit_get(store, "a"), "(absent)");
    if (writes == 1) {
      kit_put(store, "b", "1");
    }
    gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
    kit_close(store);
    sim_machine_become(copy);
    gs_sim_set_wall_ms(sim_machine, before_ms);
    options.env = sim_machine_env;
    store = kit_open(&options);
    bool is_back = strcmp(kit_get(store, "a"), "(absent)") != 0;
    assert_int_equal(is_back, writes == 0);
    kit_close(store);
  }
}

static void
test_a_time_that_a_batch_carries_is_believed_within_the_bounds_only(
    void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  put_for(store, "a", 60000);
  for (int is_far = 1; is_far >= 0; is_far--) {
    uint64_t now_ms = gs_sim_wall_ms(sim_machine);
    gs_commit_options at = {
        .now_ms = now_ms + (is_far ? century_ms : 120000),
        .note = gs_slice_str("n"),
        .has_note = true,
    };
    gs_write_batch *batch = NULL;
    KIT_OK(gs_write_batch_new(store, &batch, &kit_err));
    KIT_OK(gs_write_batch_commit(batch, &at, NULL, NULL, &kit_err));
    gs_write_batch_free(batch);
    assert_string_equal(kit_get(store, "a"), "(absent)");
    assert_int_equal(compact(store), 0);
  }
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_time_that_passes_is_believed),
      KIT_TEST(test_a_clock_a_century_ahead_and_back_drops_nothing),
      KIT_TEST(test_a_held_clock_stays_held_over_close_crash_and_open),
      KIT_TEST(test_a_jump_is_believed_when_the_user_says_so),
      KIT_TEST(test_a_jump_is_believed_when_it_has_lasted),
      KIT_TEST(
          test_the_bounds_of_a_jump_are_a_week_when_open_and_a_year_when_closed),
      KIT_TEST(test_a_clock_behind_the_floor_is_warned_of),
      KIT_TEST(test_what_reads_saw_expire_is_kept_by_the_next_write),
      KIT_TEST(
          test_a_time_that_a_batch_carries_is_believed_within_the_bounds_only),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
