/*
 * Recovery: what an unclean directory becomes, and what refuses.
 */
#include "store_kit.h"

/* The machine as a killed process leaves it, after what fill does. */
static void
kill_after(gs_options *options, void (*fill)(gs_store *))
{
  gs_store *store = kit_open(options);
  fill(store);
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  kit_close(store);
  sim_machine_become(copy);
  options->env = sim_machine_env;
}

static void
fill_log(gs_store *store)
{
  kit_fill(store, "k", 1, 60);
}

static void
test_what_was_replayed_is_in_tables_before_it_is_served(void **state)
{
  (void)state;
  gs_options options = kit_options();
  kill_after(&options, fill_log);
  gs_store *store = kit_open(&options);
  assert_int_equal(kit_stats(store).entry_count, 60);
  assert_int_equal(gs_durable_seq(store), gs_last_seq(store));
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_SYNCED, 0);
  kit_close(store);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  store = kit_open(&options);
  assert_true(kit_has(store, "k", 60));
  kit_close(store);
}

static void
test_a_log_larger_than_the_memory_given_now_is_replayed(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.memory_bytes = 16 << 20;
  options.memtable_bytes = 2 << 20;
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 9000);
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  kit_close(store);
  sim_machine_become(copy);
  options = kit_options();
  options.memtable_bytes = 4096;
  store = kit_open(&options);
  assert_true(kit_has(store, "k", 1));
  assert_true(kit_has(store, "k", 9000));
  kit_close(store);
}

static void
test_a_missing_segment_or_table_refuses_and_deletes_nothing(void **state)
{
  (void)state;
  gs_options options = kit_options();
  kill_after(&options, fill_log);
  KIT_OK(gs_env_remove(sim_machine_env, "/db/000001.wal", &kit_err));
  gs_store *store = NULL;
  assert_int_equal(gs_open("/db", &options, &store, &kit_err), GS_CORRUPT);
  assert_non_null(strstr(kit_err.message, "000001.wal"));
  assert_null(store);
  gs_info info;
  KIT_OK(gs_inspect(sim_machine_env, "/db", &info, &kit_err));
}

static void
test_the_clock_does_not_go_back_over_an_open(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_sim_set_wall_ms(sim_machine, 1000000);
  gs_store *store = kit_open(&options);
  gs_write_options ttl = {.ttl_ms = 500, .has_ttl = true};
  KIT_OK(gs_put(store, gs_slice_str("a"), gs_slice_str("1"), &ttl, NULL,
                &kit_err));
  gs_sim_advance_ms(sim_machine, 1000);
  assert_string_equal(kit_get(store, "a"), "(absent)");
  kit_close(store);
  gs_sim_set_wall_ms(sim_machine, 5000);
  store = kit_open(&options);
  assert_true(gs_now_ms(store) >= 1001000);
  assert_string_equal(kit_get(store, "a"), "(absent)");
  kit_close(store);
}

static void
test_a_clean_store_reads_no_log_and_writes_nothing_until_the_first_write(
    void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 60);
  kit_close(store);
  gs_buffer before;
  gs_buffer after;
  gs_buffer_init(&before, sim_machine_env->alloc);
  gs_buffer_init(&after, sim_machine_env->alloc);
  kit_close(kit_open(&options));
  gs_sim_dump(sim_machine, &before);
  kit_close(kit_open(&options));
  gs_sim_dump(sim_machine, &after);
  /* The lock file names its holder anew. */
  char *lock = strstr((char *)before.data, "LOCK");
  assert_non_null(lock);
  assert_int_equal(before.size, after.size);
  gs_buffer_deinit(&before);
  gs_buffer_deinit(&after);
}

static void
test_a_crash_loop_ends_with_all_that_was_written(void **state)
{
  (void)state;
  gs_options options = kit_options();
  for (int i = 1; i <= 50; i++) {
    gs_store *store = kit_open(&options);
    for (int k = 1; k < i; k++) {
      assert_true(kit_has(store, "k", k));
    }
    kit_fill(store, "k", i, i);
    gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
    kit_close(store);
    sim_machine_become(copy);
    options.env = sim_machine_env;
  }
  gs_store *store = kit_open(&options);
  KIT_OK(gs_verify(store, &kit_err));
  assert_true(kit_stats(store).run_count <= 34);
  kit_close(store);
}

/* ---- damage of the log ----------------------------------------------------- */

static void
sync_each(gs_store *store)
{
  for (int i = 1; i <= 20; i++) {
    kit_fill(store, "k", i, i);
    KIT_OK(gs_sync(store, &kit_err));
  }
}

/* Offset of the first place of the segment that holds this text. */
static uint64_t
find_text(const char *text)
{
  gs_buffer bytes;
  gs_buffer_init(&bytes, sim_machine_env->alloc);
  KIT_OK(gs_sim_read(sim_machine, "/db/000001.wal", &bytes, &kit_err));
  size_t size = strlen(text);
  size_t at = 0;
  while (at + size <= bytes.size && memcmp(bytes.data + at, text, size) != 0) {
    at++;
  }
  assert_true(at + size <= bytes.size);
  gs_buffer_deinit(&bytes);
  return at;
}

static const char *
find_manifest(void)
{
  static char path[64];
  gs_file_info info;
  for (int i = 1; i < 9; i++) {
    snprintf(path, sizeof path, "/db/MANIFEST-%06d", i);
    if (gs_env_stat(sim_machine_env, path, &info, NULL) == GS_OK) {
      return path;
    }
  }
  fail_msg("there is no manifest");
  return NULL;
}

static void
test_wrong_bits_of_log_and_manifest_are_put_right_and_told(void **state)
{
  (void)state;
  gs_options options = kit_options();
  kill_after(&options, sync_each);
  const char *manifest = find_manifest();
  KIT_OK(gs_sim_flip(sim_machine, manifest, 8 * 4200, &kit_err));
  KIT_OK(gs_sim_flip(sim_machine, "/db/000001.wal", 8 * find_text("k0003") + 5,
                     &kit_err));
  KIT_OK(gs_sim_flip(sim_machine, "/db/000001.wal", 8 * 60, &kit_err));
  gs_store *store = kit_open(&options);
  assert_int_equal(kit_stats(store).recovered_bits, 3);
  assert_int_equal(kit_stats(store).recovered_batches, 20);
  kit_close(store);
  store = kit_open(&options);
  assert_int_equal(kit_stats(store).recovered_bits, 0);
  assert_true(kit_has(store, "k", 3));
  kit_close(store);
}

static void
test_a_clean_store_with_a_wrong_bit_in_its_manifest_gets_a_new_one(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_close(store);
  KIT_OK(gs_sim_flip(sim_machine, "/db/MANIFEST-000001", 8 * 100, &kit_err));
  options.readonly = true;
  for (int i = 0; i < 2; i++) {
    store = kit_open(&options);
    assert_int_equal(kit_stats(store).recovered_bits, 1);
    kit_close(store);
  }
  options.readonly = false;
  kit_close(kit_open(&options));
  store = kit_open(&options);
  assert_int_equal(kit_stats(store).recovered_bits, 0);
  kit_close(store);
}

static void
damage_log(const char *text)
{
  for (uint64_t i = 0; i < 4; i++) {
    KIT_OK(gs_sim_flip(sim_machine, "/db/000001.wal",
                       8 * find_text(text) + 9 * i + 200, &kit_err));
  }
}

static void
test_a_damaged_log_opens_with_its_good_beginning_on_demand_only(void **state)
{
  (void)state;
  gs_options options = kit_options();
  kill_after(&options, sync_each);
  damage_log("k0011");
  gs_store *store = NULL;
  for (int readonly = 0; readonly <= 1; readonly++) {
    options.readonly = readonly != 0;
    assert_int_equal(gs_open("/db", &options, &store, &kit_err), GS_CORRUPT);
    assert_non_null(strstr(kit_err.path, "000001.wal"));
  }
  options.salvage = GS_SALVAGE_PREFIX;
  for (int readonly = 1; readonly >= 0; readonly--) {
    options.readonly = readonly != 0;
    store = kit_open(&options);
    assert_true(kit_stats(store).is_salvaged);
    assert_true(kit_has(store, "k", 10));
    assert_string_equal(kit_get(store, "k0011"), "(absent)");
    assert_string_equal(kit_get(store, "k0020"), "(absent)");
    kit_close(store);
  }
  options.salvage = GS_SALVAGE_NONE;
  store = kit_open(&options);
  assert_false(kit_stats(store).is_salvaged);
  assert_true(kit_has(store, "k", 10));
  KIT_OK(gs_verify(store, &kit_err));
  kit_close(store);
}

static void
list_last_segment(void *context, const char *name)
{
  char *last = context;
  size_t size = strlen(name);
  if (size > 4 && strcmp(name + size - 4, ".wal") == 0 &&
      strcmp(name, last) > 0) {
    snprintf(last, 32, "%s", name);
  }
}

static void
test_a_log_without_its_last_segment_opens_with_those_before_it(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.memory_bytes = 16 << 20;
  options.memtable_bytes = 2 << 20;
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 9000);
  KIT_OK(gs_sync(store, &kit_err));
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  kit_close(store);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  char last[32] = "";
  char path[40];
  KIT_OK(
      gs_env_list(sim_machine_env, "/db", list_last_segment, last, &kit_err));
  snprintf(path, sizeof path, "/db/%s", last);
  KIT_OK(gs_env_remove(sim_machine_env, path, &kit_err));
  for (int readonly = 1; readonly >= 0; readonly--) {
    options.readonly = readonly != 0;
    options.salvage = GS_SALVAGE_NONE;
    assert_int_equal(gs_open("/db", &options, &store, &kit_err), GS_CORRUPT);
    options.salvage = GS_SALVAGE_PREFIX;
    store = kit_open(&options);
    assert_true(kit_stats(store).is_salvaged);
    assert_true(kit_has(store, "k", 1));
    kit_close(store);
  }
}

/* ---- a kill, then a power loss --------------------------------------------- */

/* Every state that a power loss may leave of what is pending, as far as single
 * parts go. */
static void
expect_all_after_power_loss(const gs_sim *sim, gs_options options)
{
  static const gs_crash_model models[] = {GS_CRASH_SYNCED, GS_CRASH_ALONE,
                                          GS_CRASH_MISSING};
  for (size_t m = 0; m < 3; m++) {
    uint64_t choices = gs_sim_choices(sim, models[m]);
    for (uint64_t choice = 0; choice < choices; choice++) {
      gs_sim *lost = gs_sim_crash(sim, models[m], choice);
      gs_store *store = NULL;
      options.env = gs_sim_env(lost);
      KIT_OK(gs_open("/db", &options, &store, &kit_err));
      assert_true(kit_has(store, "k", 1));
      assert_true(kit_has(store, "k", 60));
      kit_close(store);
      gs_sim_free(lost);
    }
  }
}

/* What a killed process had written, and not synced, the next one reads; the
 * power that fails then may still take it back. */
static void
follow_killed_process(const gs_sim *sim, gs_options options)
{
  gs_sim *killed = gs_sim_crash(sim, GS_CRASH_KILL, 0);
  gs_store *store = NULL;
  gs_sim *at;
  options.env = gs_sim_env(killed);
  gs_sim_watch(killed, gs_sim_ops(killed), UINT64_MAX);
  KIT_OK(gs_open("/db", &options, &store, &kit_err));
  kit_close(store);
  while ((at = gs_sim_take_copy(killed)) != NULL) {
    expect_all_after_power_loss(at, options);
    gs_sim_free(at);
  }
  gs_sim_free(killed);
}

static void
compact(gs_options *options)
{
  gs_store *store = kit_open(options);
  gs_sim_watch(sim_machine, gs_sim_ops(sim_machine), UINT64_MAX);
  KIT_OK(gs_compact(store, NULL, &kit_err));
  kit_close(store);
}

static void
reopen(gs_options *options)
{
  gs_sim_watch(sim_machine, gs_sim_ops(sim_machine), UINT64_MAX);
  kit_close(kit_open(options));
}

static void
fill_in_parts(gs_store *store)
{
  for (int i = 1; i <= 60; i += 20) {
    kit_fill(store, "k", i, i + 19);
    KIT_OK(gs_flush(store, &kit_err));
  }
  kit_fill(store, "k", 61, 80);
  KIT_OK(gs_sync(store, &kit_err));
}

static void
test_a_power_loss_while_a_killed_process_is_followed_loses_nothing(void **state)
{
  (void)state;
  void (*const lives[])(gs_options *) = {compact, reopen};
  for (size_t i = 0; i < sizeof lives / sizeof lives[0]; i++) {
    sim_machine_become(gs_sim_new(1));
    gs_options options = kit_options();
    kill_after(&options, fill_in_parts);
    lives[i](&options);
    gs_sim *copy;
    while ((copy = gs_sim_take_copy(sim_machine)) != NULL) {
      follow_killed_process(copy, options);
      gs_sim_free(copy);
    }
  }
}

static void
test_a_directory_that_was_made_by_another_lasts_like_the_store_in_it(
    void **state)
{
  (void)state;
  gs_options options = kit_options();
  KIT_OK(gs_env_make_dir(sim_machine_env, "/db", &kit_err));
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 60);
  KIT_OK(gs_sync(store, &kit_err));
  expect_all_after_power_loss(sim_machine, options);
  kit_close(store);
}

/* ---- crash after crash ----------------------------------------------------- */

/* The directory after crash upon crash inside recovery, a little further each
 * time, holds no more than what one recovery writes beside the log. */
static void
crash_recovery_often(gs_options *options)
{
  uint64_t most = 0;
  uint64_t first = gs_sim_used_bytes(sim_machine);
  gs_status status = GS_IO;
  for (uint64_t round = 0; round < 120 || status != GS_OK; round++) {
    gs_store *store = NULL;
    gs_sim_stop_at(sim_machine, gs_sim_ops(sim_machine) + 1 + round);
    status = gs_open("/db", options, &store, &kit_err);
    gs_sim *copy = gs_sim_crash(
        sim_machine, round % 2 == 0 ? GS_CRASH_KILL : GS_CRASH_RANDOM, round);
    GS_IGNORE(gs_close(store, NULL), "the machine is dead");
    sim_machine_become(copy);
    options->env = sim_machine_env;
    uint64_t used = gs_sim_used_bytes(sim_machine);
    most = used > most ? used : most;
  }
  assert_true(most <= first + 3 * 20000);
}

static void
fill_synced(gs_store *store)
{
  kit_fill(store, "k", 1, 60);
  KIT_OK(gs_sync(store, &kit_err));
}

/* As a power loss leaves it that took back the deletion of a log. */
static void
test_a_file_that_should_have_gone_goes_with_the_next_opening(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 60);
  kit_close(store);
  gs_buffer bytes;
  gs_buffer_init(&bytes, gs_sim_env(sim_machine)->alloc);
  KIT_OK(gs_sim_replace(sim_machine, "/db/000001.wal", gs_slice_str("old"),
                        &kit_err));
  store = kit_open(&options);
  assert_int_equal(gs_sim_read(sim_machine, "/db/000001.wal", &bytes, NULL),
                   GS_MISSING);
  assert_true(kit_has(store, "k", 60));
  kit_close(store);
  gs_buffer_deinit(&bytes);
}

static void
test_crashes_of_recovery_upon_recovery_do_not_fill_the_directory(void **state)
{
  (void)state;
  for (int is_torn = 0; is_torn <= 1; is_torn++) {
    sim_machine_become(gs_sim_new(1));
    gs_options options = kit_options();
    kill_after(&options, fill_synced);
    if (is_torn) {
      gs_buffer bytes;
      gs_buffer_init(&bytes, sim_machine_env->alloc);
      const char *manifest = find_manifest();
      KIT_OK(gs_sim_read(sim_machine, manifest, &bytes, &kit_err));
      gs_buffer_append_slice(&bytes, gs_slice_str("half an edit"));
      KIT_OK(gs_sim_replace(sim_machine, manifest, gs_buffer_slice(&bytes),
                            &kit_err));
      gs_buffer_deinit(&bytes);
    }
    crash_recovery_often(&options);
    gs_store *store = kit_open(&options);
    assert_true(kit_has(store, "k", 60));
    KIT_OK(gs_verify(store, &kit_err));
    kit_close(store);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_what_was_replayed_is_in_tables_before_it_is_served),
      KIT_TEST(test_a_log_larger_than_the_memory_given_now_is_replayed),
      KIT_TEST(test_a_missing_segment_or_table_refuses_and_deletes_nothing),
      KIT_TEST(test_the_clock_does_not_go_back_over_an_open),
      KIT_TEST(
          test_a_clean_store_reads_no_log_and_writes_nothing_until_the_first_write),
      KIT_TEST(test_a_crash_loop_ends_with_all_that_was_written),
      KIT_TEST(test_a_file_that_should_have_gone_goes_with_the_next_opening),
      KIT_TEST(test_wrong_bits_of_log_and_manifest_are_put_right_and_told),
      KIT_TEST(
          test_a_clean_store_with_a_wrong_bit_in_its_manifest_gets_a_new_one),
      KIT_TEST(test_a_damaged_log_opens_with_its_good_beginning_on_demand_only),
      KIT_TEST(test_a_log_without_its_last_segment_opens_with_those_before_it),
      KIT_TEST(
          test_a_power_loss_while_a_killed_process_is_followed_loses_nothing),
      KIT_TEST(
          test_a_directory_that_was_made_by_another_lasts_like_the_store_in_it),
      KIT_TEST(
          test_crashes_of_recovery_upon_recovery_do_not_fill_the_directory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
