/*
 * A checkpoint is a store of its own that holds one moment of another.
 */
#include "care_kit.h"

static gs_store *
open_at(const char *path)
{
  gs_options options = care_options();
  gs_store *store = NULL;
  KIT_OK(gs_open(path, &options, &store, &kit_err));
  return store;
}

static void
verify_at(const char *path)
{
  gs_verify_report report;
  KIT_OK(gs_verify_path(sim_machine_env, path, NULL, &report, &kit_err));
  assert_int_equal(report.torn_count, 0);
  gs_verify_report_deinit(&report);
}

static void
test_everything_committed_before_is_in_it(void **state)
{
  (void)state;
  gs_store *store = open_at("/db");
  care_fill(store);
  uint64_t seq = 0;
  KIT_OK(gs_checkpoint(store, "/copy", &seq, &kit_err));
  assert_int_equal(seq, care_writes[care_count - 1].seq);
  kit_put(store, "key000", "later");
  verify_at("/copy");
  gs_store *copy = open_at("/copy");
  care_check_whole(copy);
  assert_int_equal(gs_last_seq(copy) >= seq, 1);
  kit_close(copy);
  kit_close(store);
}

/* Both go on, merge and delete files, and neither notices. */
static void
test_the_two_live_on_their_own(void **state)
{
  (void)state;
  gs_store *store = open_at("/db");
  care_fill(store);
  KIT_OK(gs_checkpoint(store, "/copy", NULL, &kit_err));
  gs_store *copy = open_at("/copy");
  kit_fill(store, "a", 1, 50);
  kit_fill(copy, "b", 1, 50);
  KIT_OK(gs_compact(store, NULL, &kit_err));
  care_check_whole(copy);
  KIT_OK(gs_compact(copy, NULL, &kit_err));
  kit_fill(store, "a", 51, 90);
  kit_close(store);
  care_check_whole(copy);
  kit_close(copy);
  verify_at("/db");
  verify_at("/copy");
  store = open_at("/db");
  care_check_whole(store);
  assert_true(kit_has(store, "a", 90));
  assert_false(kit_has(store, "b", 1));
  kit_close(store);
  KIT_OK(gs_destroy(sim_machine_env, "/db", &kit_err));
  copy = open_at("/copy");
  care_check_whole(copy);
  assert_true(kit_has(copy, "b", 50));
  kit_close(copy);
}

static void
test_the_note_comes_along(void **state)
{
  (void)state;
  gs_store *store = open_at("/db");
  gs_write_batch *batch = NULL;
  KIT_OK(gs_write_batch_new(store, &batch, &kit_err));
  gs_commit_options note = {.note = gs_slice_str("first"), .has_note = true};
  KIT_OK(gs_write_batch_put(batch, gs_slice_str("k"), gs_slice_str("v"), NULL,
                            &kit_err));
  KIT_OK(gs_write_batch_commit(batch, &note, NULL, NULL, &kit_err));
  KIT_OK(gs_flush(store, &kit_err)); /* what follows is in no memtable */
  note.note = gs_slice_str("second, without a write");
  KIT_OK(gs_write_batch_commit(batch, &note, NULL, NULL, &kit_err));
  gs_write_batch_free(batch);
  KIT_OK(gs_checkpoint(store, "/copy", NULL, &kit_err));
  kit_close(store);
  gs_store *copy = open_at("/copy");
  gs_value value;
  gs_value_init(&value, copy);
  KIT_OK(gs_get_note(copy, &value, &kit_err));
  assert_int_equal(value.bytes.size, strlen("second, without a write"));
  assert_memory_equal(value.bytes.data, "second", 6);
  gs_value_deinit(&value);
  kit_close(copy);
}

static void
test_an_empty_store_gives_an_empty_store(void **state)
{
  (void)state;
  gs_store *store = open_at("/db");
  KIT_OK(gs_checkpoint(store, "/copy", NULL, &kit_err));
  kit_close(store);
  verify_at("/copy");
  gs_options options = care_options();
  options.create = false;
  KIT_OK(gs_open("/copy", &options, &store, &kit_err));
  assert_false(kit_has(store, "a", 1));
  kit_close(store);
}

/* Another device, or no links at all. */
static void
test_tables_that_cannot_be_linked_are_copied(void **state)
{
  (void)state;
  gs_store *store = open_at("/db");
  care_fill(store);
  gs_sim_fault fault = {
      .op = GS_SIM_LINK, .nth = 1, .times = 0, .os_errno = 18 /* EXDEV */};
  KIT_OK(gs_sim_fail(sim_machine, &fault, &kit_err));
  KIT_OK(gs_checkpoint(store, "/copy", NULL, &kit_err));
  gs_sim_heal(sim_machine);
  kit_close(store);
  gs_sim *after = gs_sim_crash(sim_machine, GS_CRASH_SYNCED, 0);
  sim_machine_become(after);
  verify_at("/copy");
  gs_store *copy = open_at("/copy");
  care_check_whole(copy);
  kit_close(copy);
}

static void
test_a_place_that_is_taken_is_refused(void **state)
{
  (void)state;
  gs_store *store = open_at("/db");
  kit_fill(store, "a", 1, 5);
  assert_int_equal(gs_checkpoint(store, "/db", NULL, &kit_err), GS_EXISTS);
  assert_int_equal(gs_checkpoint(store, "/db/in", NULL, &kit_err), GS_EXISTS);
  KIT_OK(gs_env_make_dir(sim_machine_env, "/full", &kit_err));
  sim_machine_make("/full/letter", "dear");
  assert_int_equal(gs_checkpoint(store, "/full", NULL, &kit_err), GS_EXISTS);
  assert_int_equal(care_list("/full").count, 1);
  KIT_OK(gs_env_make_dir(sim_machine_env, "/empty", &kit_err));
  KIT_OK(gs_checkpoint(store, "/empty", NULL, &kit_err));
  kit_close(store);
  verify_at("/empty");
}

static void
test_a_view_for_reading_makes_none(void **state)
{
  (void)state;
  gs_store *store = open_at("/db");
  kit_fill(store, "a", 1, 5);
  kit_close(store);
  gs_options options = care_options();
  options.readonly = true;
  KIT_OK(gs_open("/db", &options, &store, &kit_err));
  assert_int_equal(gs_checkpoint(store, "/copy", NULL, &kit_err), GS_READONLY);
  assert_int_equal(care_list("/copy").count, 0);
  kit_close(store);
}

/* What a crash leaves of it: no store, or all of it. */
static void
look_after_crash(const gs_sim *sim, gs_crash_model model, uint64_t choice,
                 bool must_be_whole)
{
  gs_sim *copy = gs_sim_crash(sim, model, choice);
  gs_options options = care_options();
  options.env = gs_sim_env(copy);
  options.create = false;
  gs_store *store = NULL;
  gs_status status = gs_open("/copy", &options, &store, &kit_err);
  if (status == GS_OK) {
    care_check_whole(store);
    KIT_OK(gs_verify(store, &kit_err));
    kit_close(store);
  } else if (must_be_whole || (status != GS_MISSING && status != GS_CORRUPT)) {
    fail_msg("after a crash: %s", kit_err.message);
  }
  KIT_OK(gs_open("/db", &options, &store, &kit_err));
  care_check_whole(store);
  kit_close(store);
  gs_sim_free(copy);
}

static void
test_a_crash_or_failure_anywhere_leaves_no_half_store(void **state)
{
  (void)state;
  gs_options options = care_options();
  gs_status status = GS_IO;
  for (uint64_t ops = 1; status != GS_OK; ops++) {
    gs_sim *sim = gs_sim_new(ops);
    gs_store *store = NULL;
    options.env = gs_sim_env(sim);
    KIT_OK(gs_open("/db", &options, &store, &kit_err));
    care_fill(store);
    KIT_OK(gs_sync(store, &kit_err));
    gs_sim_stop_at(sim, gs_sim_ops(sim) + ops);
    status = gs_checkpoint(store, "/copy", NULL, NULL);
    for (uint64_t choice = 0; choice < 6; choice++) {
      look_after_crash(sim, GS_CRASH_RANDOM, choice, status == GS_OK);
    }
    look_after_crash(sim, GS_CRASH_SYNCED, 0, status == GS_OK);
    look_after_crash(sim, GS_CRASH_KILL, 0, status == GS_OK);
    gs_sim_stop_at(sim, 0);
    GS_IGNORE(gs_close(store, NULL), "it may have failed for good");
    assert_int_equal(gs_sim_allocated_bytes(sim), 0);
    gs_sim_free(sim);
  }
}

static void
test_memory_may_end_anywhere(void **state)
{
  (void)state;
  gs_store *store = open_at("/db");
  care_fill(store);
  KIT_OK(gs_flush(store, &kit_err));
  gs_status status = GS_NOMEM;
  for (uint64_t nth = 1; status != GS_OK; nth++) {
    gs_sim_fail_alloc(sim_machine, nth, 1);
    status = gs_checkpoint(store, "/copy", NULL, &kit_err);
    gs_sim_fail_alloc(sim_machine, 0, 0);
    if (status != GS_OK) {
      assert_int_equal(status, GS_NOMEM);
      assert_true(care_list("/copy").count <= 1);
    }
  }
  kit_close(store);
  verify_at("/copy");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_everything_committed_before_is_in_it),
      KIT_TEST(test_the_two_live_on_their_own),
      KIT_TEST(test_the_note_comes_along),
      KIT_TEST(test_an_empty_store_gives_an_empty_store),
      KIT_TEST(test_tables_that_cannot_be_linked_are_copied),
      KIT_TEST(test_a_place_that_is_taken_is_refused),
      KIT_TEST(test_a_view_for_reading_makes_none),
      KIT_TEST(test_a_crash_or_failure_anywhere_leaves_no_half_store),
      KIT_TEST(test_memory_may_end_anywhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
