/*
 * What an open makes, finds and refuses, and what a store keeps over closes and
 * crashes.
 */
#include "store/store.h"
#include "store_kit.h"

static void
test_a_store_keeps_what_it_was_given_over_a_close(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  assert_int_equal(kit_put(store, "a", "1"), 1);
  assert_int_equal(kit_put(store, "b", "2"), 2);
  kit_delete(store, "a");
  assert_string_equal(kit_get(store, "a"), "(absent)");
  kit_close(store);
  store = kit_open(&options);
  assert_string_equal(kit_get(store, "a"), "(absent)");
  assert_string_equal(kit_get(store, "b"), "2");
  assert_int_equal(gs_last_seq(store), 3);
  kit_close(store);
}

static void
test_a_clean_open_without_writes_changes_nothing(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  kit_close(store);
  gs_info before;
  KIT_OK(gs_inspect(sim_machine_env, "/db", &before, &kit_err));
  assert_true(before.is_clean);
  store = kit_open(&options);
  assert_string_equal(kit_get(store, "a"), "1");
  kit_close(store);
  gs_info after;
  KIT_OK(gs_inspect(sim_machine_env, "/db", &after, &kit_err));
  assert_memory_equal(&before, &after, sizeof before);
}

static void
test_acknowledged_writes_survive_a_killed_process(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  char key[16];
  for (int i = 0; i < 500; i++) {
    snprintf(key, sizeof key, "k%04d", i);
    kit_put(store, key, key);
  }
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  assert_non_null(copy);
  kit_close(store);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  store = kit_open(&options);
  for (int i = 0; i < 500; i++) {
    snprintf(key, sizeof key, "k%04d", i);
    assert_string_equal(kit_get(store, key), key);
  }
  KIT_OK(gs_verify(store, &kit_err));
  kit_close(store);
}

static void
test_synced_writes_survive_the_loss_of_power(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_SYNC;
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  kit_put(store, "b", "2");
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_SYNCED, 0);
  assert_non_null(copy);
  kit_close(store);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  store = kit_open(&options);
  assert_string_equal(kit_get(store, "a"), "1");
  assert_string_equal(kit_get(store, "b"), "2");
  kit_close(store);
}

static void
test_sequences_are_not_given_out_twice_after_a_crash(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.durability = GS_DURABILITY_OS;
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  KIT_OK(gs_sync(store, &kit_err));
  uint64_t lost = kit_put(store, "b", "2");
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_SYNCED, 0);
  kit_close(store);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  store = kit_open(&options);
  assert_string_equal(kit_get(store, "a"), "1");
  assert_string_equal(kit_get(store, "b"), "(absent)");
  assert_true(kit_put(store, "c", "3") > lost);
  kit_close(store);
}

static void
expect_refusal(const char *path, const gs_options *options, gs_status expected)
{
  gs_store *store = NULL;
  assert_int_equal(gs_open(path, options, &store, &kit_err), expected);
  assert_null(store);
  assert_non_null(strstr(kit_err.message, path));
}

static void
test_what_cannot_be_opened_is_refused_and_nothing_is_created(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.create = false;
  expect_refusal("/none", &options, GS_MISSING);
  gs_file_info info;
  assert_int_equal(gs_env_stat(sim_machine_env, "/none", &info, NULL),
                   GS_MISSING);
  options.create = true;
  KIT_OK(gs_env_make_dir(sim_machine_env, "/other", &kit_err));
  sim_machine_make_durable("/other/notes.txt", "mine");
  expect_refusal("/other", &options, GS_MISSING);
  expect_refusal("/other/notes.txt", &options, GS_MISSING);
  assert_string_equal(sim_machine_text(sim_machine, "/other/notes.txt"),
                      "mine");
  assert_int_equal(gs_env_stat(sim_machine_env, "/other/LOCK", &info, NULL),
                   GS_MISSING);
  KIT_OK(gs_env_make_dir(sim_machine_env, "/orphan", &kit_err));
  sim_machine_make_durable("/orphan/000007.sst", "x");
  expect_refusal("/orphan", &options, GS_CORRUPT);
}

static void
test_a_manifest_that_is_none_leaves_no_lock_behind(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_file_info info;
  options.create = false;
  KIT_OK(gs_env_make_dir(sim_machine_env, "/half", &kit_err));
  sim_machine_make_durable("/half/MANIFEST-000001", "garbage");
  expect_refusal("/half", &options, GS_MISSING);
  assert_int_equal(gs_env_stat(sim_machine_env, "/half/LOCK", &info, NULL),
                   GS_MISSING);
  assert_string_equal(sim_machine_text(sim_machine, "/half/MANIFEST-000001"),
                      "garbage");
}

/* What says "missing" may be made anew, and that would be the end of the data. */
static void
test_a_cut_manifest_beside_data_is_damage(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_info info;
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  KIT_OK(gs_flush(store, &kit_err));
  kit_close(store);
  KIT_OK(gs_sim_replace(sim_machine, "/db/MANIFEST-000001", gs_slice_str("cut"),
                        &kit_err));
  for (int create = 0; create < 2; create++) {
    options.create = create != 0;
    expect_refusal("/db", &options, GS_CORRUPT);
    assert_non_null(strstr(kit_err.hint, "repair"));
  }
  options.readonly = true;
  expect_refusal("/db", &options, GS_CORRUPT);
  assert_int_equal(gs_inspect(sim_machine_env, "/db", &info, &kit_err),
                   GS_CORRUPT);
  assert_non_null(strstr(kit_err.hint, "repair"));
}

static void
test_a_store_of_the_other_kind_is_refused(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.kind = GS_STORE_U32;
  kit_close(kit_open(&options));
  options.kind = GS_STORE_BYTES;
  expect_refusal("/db", &options, GS_KIND);
  options.kind = GS_STORE_ANY;
  gs_store *store = kit_open(&options);
  assert_int_equal(gs_get_kind(store), GS_STORE_U32);
  options.kind = GS_STORE_BYTES;
  expect_refusal("/db", &options, GS_KIND);
  kit_close(store);
}

static void
test_a_second_open_in_the_process_is_the_same_store(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *first = kit_open(&options);
  gs_store *second = kit_open(&options);
  assert_ptr_equal(first, second);
  kit_put(first, "a", "1");
  kit_close(first);
  assert_string_equal(kit_get(second, "a"), "1");
  options.durability = GS_DURABILITY_SYNC;
  expect_refusal("/db", &options, GS_MISMATCH);
  options = kit_options();
  options.may_lose = true;
  expect_refusal("/db", &options, GS_MISMATCH);
  kit_close(second);
}

static void
test_destroying_takes_the_files_and_spares_what_is_not_ours(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  assert_int_equal(gs_destroy(sim_machine_env, "/db", &kit_err), GS_LOCKED);
  assert_string_equal(kit_get(store, "a"), "1");
  kit_close(store);
  sim_machine_make_durable("/db/mine.txt", "kept");
  KIT_OK(gs_destroy(sim_machine_env, "/db", &kit_err));
  assert_string_equal(sim_machine_text(sim_machine, "/db/mine.txt"), "kept");
  assert_int_equal(gs_destroy(sim_machine_env, "/db", &kit_err), GS_MISSING);
}

static void
test_a_reader_beside_the_writer_sees_what_was_written_and_writes_nothing(
    void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  KIT_OK(gs_flush(store, &kit_err));
  kit_put(store, "b", "2");
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  kit_close(store);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  options.readonly = true;
  uint64_t ops = gs_sim_ops(sim_machine);
  store = kit_open(&options);
  assert_string_equal(kit_get(store, "a"), "1");
  assert_string_equal(kit_get(store, "b"), "2");
  assert_int_equal(
      gs_put(store, gs_slice_str("c"), gs_slice_str("3"), NULL, NULL, &kit_err),
      GS_READONLY);
  kit_close(store);
  gs_info info;
  KIT_OK(gs_inspect(sim_machine_env, "/db", &info, &kit_err));
  assert_false(info.is_clean);
  assert_true(gs_sim_ops(sim_machine) > ops);
}

/* A writer on a machine of its own, whose files are the reader's. Each time the
 * reader has read a manifest and comes to a table, other tables are there. */
static const gs_env_ops *calm_ops;
static gs_sim *writers_sim;
static gs_store *writer;
static int disturbances;

typedef struct name_list {
  char names[64][64];
  size_t count;
} name_list;

static void
add_path(void *context, const char *path, uint64_t size)
{
  name_list *list = context;
  (void)size;
  assert_true(list->count < 64);
  snprintf(list->names[list->count++], 64, "%s", path);
}

/* Makes the reader's files those of the writer. */
static void
mirror(void)
{
  name_list here = {.count = 0};
  name_list there = {.count = 0};
  gs_sim_files(sim_machine, add_path, &here);
  gs_sim_files(writers_sim, add_path, &there);
  for (size_t i = 0; i < here.count; i++) {
    KIT_OK(gs_sim_remove(sim_machine, here.names[i], &kit_err));
  }
  for (size_t i = 0; i < there.count; i++) {
    gs_buffer bytes;
    gs_buffer_init(&bytes, gs_env_posix()->alloc);
    KIT_OK(gs_sim_read(writers_sim, there.names[i], &bytes, &kit_err));
    KIT_OK(gs_sim_replace(sim_machine, there.names[i], gs_buffer_slice(&bytes),
                          &kit_err));
    gs_buffer_deinit(&bytes);
  }
}

static int
stat_too_late(gs_env *env, const char *path, gs_file_info *out)
{
  if (disturbances > 0 && strstr(path, ".sst") != NULL) {
    disturbances--;
    kit_put(writer, "a", "2");
    KIT_OK(gs_compact(writer, NULL, &kit_err));
    gs_epoch_collect(writer->epoch); /* lets the old tables go */
    mirror();
  }
  return calm_ops->stat(env, path, out);
}

static gs_status
open_disturbed(int times)
{
  gs_options options = kit_options();
  gs_env_ops ops = *sim_machine_env->ops;
  gs_store *reader = NULL;
  options.readonly = true;
  calm_ops = sim_machine_env->ops;
  ops.stat = stat_too_late;
  sim_machine_env->ops = &ops;
  disturbances = times;
  gs_status status = gs_open("/db", &options, &reader, &kit_err);
  sim_machine_env->ops = calm_ops;
  if (status == GS_OK) {
    assert_string_equal(kit_get(reader, "a"), "2");
    kit_close(reader);
  }
  return status;
}

static void
test_a_reader_beside_a_writer_that_never_rests_opens_in_the_end(void **state)
{
  (void)state;
  gs_options options = kit_options();
  kit_close(kit_open(&options));
  writers_sim = gs_sim_copy(sim_machine);
  options.env = gs_sim_env(writers_sim);
  writer = kit_open(&options);
  kit_put(writer, "a", "1");
  KIT_OK(gs_compact(writer, NULL, &kit_err));
  mirror();
  KIT_OK(open_disturbed(100));
  assert_int_equal(disturbances, 0);
  /* A table that is gone for good is told. */
  name_list here = {.count = 0};
  gs_sim_files(sim_machine, add_path, &here);
  for (size_t i = 0; i < here.count; i++) {
    if (strstr(here.names[i], ".sst") != NULL) {
      KIT_OK(gs_sim_remove(sim_machine, here.names[i], &kit_err));
    }
  }
  assert_int_equal(open_disturbed(0), GS_CORRUPT);
  kit_close(writer);
  assert_int_equal(gs_sim_allocated_bytes(writers_sim), 0);
  gs_sim_free(writers_sim);
}

static size_t names_seen;

static void
count_name(void *context, const char *name)
{
  (void)context;
  (void)name;
  names_seen++;
}

/* One creation whose nth operation fails; true when it did not succeed. */
static bool
fail_creation(uint64_t nth, bool has_directory)
{
  gs_store *store = NULL;
  gs_file_info info;
  sim_machine_become(gs_sim_new(nth));
  gs_options options = kit_options();
  if (has_directory) {
    KIT_OK(gs_env_make_dir(sim_machine_env, "/db", &kit_err));
  }
  sim_machine_fail(GS_SIM_ANY, nth, 5);
  gs_status status = gs_open("/db", &options, &store, &kit_err);
  gs_sim_heal(sim_machine);
  if (status == GS_OK) {
    kit_close(store);
    return false;
  }
  assert_int_equal(status, GS_IO);
  names_seen = 0;
  status = gs_env_stat(sim_machine_env, "/db", &info, NULL);
  assert_int_equal(status, has_directory ? GS_OK : GS_MISSING);
  if (has_directory) {
    KIT_OK(gs_env_list(sim_machine_env, "/db", count_name, NULL, &kit_err));
  }
  assert_int_equal(names_seen, 0);
  kit_close(kit_open(&options));
  assert_int_equal(gs_sim_allocated_bytes(sim_machine), 0);
  return true;
}

static void
test_a_creation_that_fails_anywhere_leaves_nothing_behind(void **state)
{
  (void)state;
  size_t failed = 0;
  for (uint64_t nth = 1; nth <= 40; nth++) {
    failed += fail_creation(nth, false);
    failed += fail_creation(nth, true);
  }
  assert_true(failed >= 20);
}

/* The machine's lock, before which another process makes its store here. */
static const gs_env_ops *plain_ops;
static char others_names[8][64];
static size_t others_count;

static void
keep_name(void *context, const char *name)
{
  (void)context;
  if (strcmp(name, "LOCK") != 0) {
    snprintf(others_names[others_count++], sizeof others_names[0], "%s", name);
  }
}

static int
lock_too_late(gs_env *env, const char *path, gs_lock **out, char *owner,
              size_t owner_size)
{
  for (size_t i = 0; i < others_count; i++) {
    char from[96];
    char to[96];
    snprintf(from, sizeof from, "/other/%s", others_names[i]);
    snprintf(to, sizeof to, "/db/%s", others_names[i]);
    KIT_OK(gs_env_link(env, from, to, &kit_err));
  }
  others_count = 0;
  return plain_ops->lock(env, path, out, owner, owner_size);
}

static void
test_a_store_that_another_process_made_first_is_opened_and_not_harmed(
    void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = NULL;
  KIT_OK(gs_open("/other", &options, &store, &kit_err));
  kit_put(store, "theirs", "1");
  kit_close(store);
  others_count = 0;
  KIT_OK(gs_env_list(sim_machine_env, "/other", keep_name, NULL, &kit_err));
  gs_env_ops ops = *sim_machine_env->ops;
  plain_ops = sim_machine_env->ops;
  ops.lock = lock_too_late;
  sim_machine_env->ops = &ops;
  gs_status status = gs_open("/db", &options, &store, &kit_err);
  sim_machine_env->ops = plain_ops;
  KIT_OK(status);
  assert_string_equal(kit_get(store, "theirs"), "1");
  kit_close(store);
  kit_close(kit_open(&options));
}

static void
test_a_creation_that_was_cut_short_is_made_to_its_end(void **state)
{
  (void)state;
  gs_options options = kit_options();
  KIT_OK(gs_env_make_dir(sim_machine_env, "/db", &kit_err));
  sim_machine_make("/db/LOCK", "");
  sim_machine_make("/db/MANIFEST-000001", "");
  options.create = false;
  expect_refusal("/db", &options, GS_MISSING);
  options.create = true;
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  kit_close(store);
  store = kit_open(&options);
  assert_string_equal(kit_get(store, "a"), "1");
  kit_close(store);
}

/* The machine's memory, which notes the largest block that was asked for. */
static gs_alloc *plain_alloc;
static size_t largest_block;

static void *
resize_and_note(gs_alloc *self, void *block, size_t old_size, size_t new_size)
{
  (void)self;
  largest_block = new_size > largest_block ? new_size : largest_block;
  return plain_alloc->resize(plain_alloc, block, old_size, new_size);
}

static void
test_closing_takes_no_memory_for_entries_that_never_come(void **state)
{
  (void)state;
  gs_alloc noting = {.resize = resize_and_note};
  gs_options options = kit_options();
  plain_alloc = sim_machine_env->alloc;
  sim_machine_env->alloc = &noting;
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  KIT_OK(gs_set_option(store, "memtable_bytes", UINT64_C(1) << 33, &kit_err));
  largest_block = 0;
  kit_close(store);
  assert_true(largest_block > 0 && largest_block < 1 << 20);
  store = kit_open(&options);
  assert_string_equal(kit_get(store, "a"), "1");
  kit_close(store);
  sim_machine_env->alloc = plain_alloc;
}

#define T(name)                                             \
  cmocka_unit_test_setup_teardown(name, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      T(test_a_store_keeps_what_it_was_given_over_a_close),
      T(test_a_clean_open_without_writes_changes_nothing),
      T(test_acknowledged_writes_survive_a_killed_process),
      T(test_synced_writes_survive_the_loss_of_power),
      T(test_sequences_are_not_given_out_twice_after_a_crash),
      T(test_what_cannot_be_opened_is_refused_and_nothing_is_created),
      T(test_a_manifest_that_is_none_leaves_no_lock_behind),
      T(test_a_cut_manifest_beside_data_is_damage),
      T(test_a_store_of_the_other_kind_is_refused),
      T(test_a_second_open_in_the_process_is_the_same_store),
      T(test_destroying_takes_the_files_and_spares_what_is_not_ours),
      T(test_a_creation_that_fails_anywhere_leaves_nothing_behind),
      T(test_a_store_that_another_process_made_first_is_opened_and_not_harmed),
      T(test_a_creation_that_was_cut_short_is_made_to_its_end),
      T(test_a_reader_beside_the_writer_sees_what_was_written_and_writes_nothing),
      T(test_a_reader_beside_a_writer_that_never_rests_opens_in_the_end),
      T(test_closing_takes_no_memory_for_entries_that_never_come),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
