/*
 * Admission: what an open refuses, what it leaves alone, and that a refusal
 * changes nothing on the disk.
 */
#include "store_kit.h"

#include <errno.h>

#include "tree/manifest.h"

/* Everything in the directory but the lock: names, sizes, contents, folded. */
typedef struct picture {
  gs_sim *sim;
  uint64_t hash;
  size_t count;
} picture;

static void
add_file(void *context, const char *path, uint64_t size)
{
  picture *p = context;
  gs_buffer bytes;
  if (strstr(path, "LOCK") != NULL) {
    return;
  }
  gs_buffer_init(&bytes, sim_machine_env->alloc);
  KIT_OK(gs_sim_read(p->sim, path, &bytes, &kit_err));
  assert_int_equal(bytes.size, size);
  gs_buffer_append(&bytes, path, strlen(path));
  for (size_t i = 0; i < bytes.size; i++) {
    p->hash = (p->hash ^ bytes.data[i]) * UINT64_C(1099511628211);
  }
  p->count++;
  gs_buffer_deinit(&bytes);
}

static picture
look(void)
{
  picture p = {.sim = sim_machine, .hash = 7};
  gs_sim_files(sim_machine, add_file, &p);
  return p;
}

static void
expect_same(const picture *before)
{
  picture now = look();
  assert_int_equal(now.count, before->count);
  assert_true(now.hash == before->hash);
}

static void
expect_refusal(const gs_options *options, gs_status status, const char *text)
{
  picture before = look();
  gs_store *store = NULL;
  assert_int_equal(gs_open("/db", options, &store, &kit_err), status);
  assert_null(store);
  assert_non_null(strstr(kit_err.message, text));
  expect_same(&before);
}

/* Two tables, a00 to a59 and b00 to b59, and nothing else. */
static void
make_store(gs_options *options)
{
  *options = kit_options();
  options->has_policy = true;
  gs_store *store = kit_open(options);
  kit_fill(store, "a", 1, 60);
  KIT_OK(gs_flush(store, &kit_err));
  kit_fill(store, "b", 1, 60);
  KIT_OK(gs_flush(store, &kit_err));
  kit_close(store);
}

/* The path of the first table, by number. */
static const char *
first_table(void)
{
  static char path[64];
  gs_file_info info;
  for (int i = 1; i < 100; i++) {
    snprintf(path, sizeof path, "/db/%06d.sst", i);
    if (gs_env_stat(sim_machine_env, path, &info, NULL) == GS_OK) {
      return path;
    }
  }
  fail_msg("there is no table");
  return NULL;
}

static void
cut(const char *path, size_t size)
{
  gs_buffer bytes;
  gs_buffer_init(&bytes, sim_machine_env->alloc);
  KIT_OK(gs_sim_read(sim_machine, path, &bytes, &kit_err));
  gs_buffer_append_zeros(&bytes, 8);
  KIT_OK(gs_sim_replace(sim_machine, path,
                        gs_slice_of(bytes.data, bytes.size - 8 + size),
                        &kit_err));
  gs_buffer_deinit(&bytes);
}

static void
test_a_listed_table_that_is_missing_or_of_another_size_refuses(void **state)
{
  (void)state;
  gs_options options;
  make_store(&options);
  const char *path = first_table();
  cut(path, 1);
  expect_refusal(&options, GS_CORRUPT, path);
  options.readonly = true;
  expect_refusal(&options, GS_CORRUPT, path);
  options.readonly = false;
  KIT_OK(gs_sim_remove(sim_machine, path, &kit_err));
  expect_refusal(&options, GS_CORRUPT, "gone");
  assert_string_equal(kit_err.path, path);
  assert_true(kit_err.hint[0] != '\0');
}

static gs_status
get(gs_store *store, const char *key)
{
  gs_value value;
  gs_value_init(&value, store);
  gs_status status = gs_get(store, NULL, gs_slice_str(key), &value, &kit_err);
  gs_value_deinit(&value);
  return status;
}

static void
check_degraded(const gs_options *options)
{
  gs_store *store = kit_open(options);
  assert_int_equal(kit_stats(store).degraded_tables, 1);
  for (int i = 1; i <= 60; i++) {
    assert_true(kit_has(store, "b", i));
  }
  assert_int_equal(get(store, "a0001"), GS_CORRUPT);
  assert_int_equal(get(store, "c"), GS_ABSENT);
  kit_close(store);
}

static void
test_a_degraded_reader_sees_all_but_what_the_damaged_tables_held(void **state)
{
  (void)state;
  gs_options options;
  make_store(&options);
  options.table_bytes = 1 << 20;
  const char *path = first_table();
  gs_file_info info;
  KIT_OK(gs_env_stat(sim_machine_env, path, &info, &kit_err));
  options.readonly = true;
  options.degraded = true;
  gs_store *store = kit_open(&options);
  assert_int_equal(kit_stats(store).degraded_tables, 0);
  kit_close(store);
  /* its footer */
  KIT_OK(gs_sim_flip(sim_machine, path, info.size_bytes * 8 - 1, &kit_err));
  check_degraded(&options);
  cut(path, 1);
  check_degraded(&options);
  KIT_OK(gs_sim_remove(sim_machine, path, &kit_err));
  check_degraded(&options);
  options.readonly = false;
  gs_store *never = NULL;
  assert_int_equal(gs_open("/db", &options, &never, &kit_err), GS_MISUSE);
}

static void
test_a_store_of_a_later_library_is_refused(void **state)
{
  (void)state;
  gs_options options;
  make_store(&options);
  gs_manifest_state tree;
  gs_manifest_found found;
  gs_manifest *manifest = NULL;
  KIT_OK(gs_manifest_state_init(&tree, sim_machine_env->alloc, &kit_err));
  KIT_OK(gs_manifest_read(sim_machine_env, "/db", &tree, &found, &kit_err));
  tree.facts.feature_bits = UINT64_C(1) << 40;
  KIT_OK(gs_manifest_create(sim_machine_env, "/db", found.number + 1, &tree,
                            &manifest, &kit_err));
  gs_manifest_close(manifest);
  gs_manifest_state_deinit(&tree);
  expect_refusal(&options, GS_VERSION, "features");
}

static void
test_a_store_without_its_manifest_is_refused_and_never_made_anew(void **state)
{
  (void)state;
  gs_options options;
  make_store(&options);
  char path[64];
  gs_file_info info;
  for (int i = 1; i < 20; i++) {
    snprintf(path, sizeof path, "/db/MANIFEST-%06d", i);
    if (gs_env_stat(sim_machine_env, path, &info, NULL) == GS_OK) {
      KIT_OK(gs_sim_remove(sim_machine, path, &kit_err));
    }
  }
  expect_refusal(&options, GS_CORRUPT, "no manifest");
  assert_non_null(strstr(kit_err.hint, "repair"));
}

static void
test_files_that_are_not_ours_are_counted_and_stay(void **state)
{
  (void)state;
  static const char *const foreign[] = {"/db/notes.txt", "/db/7.sst",
                                        "/db/0000001.wal", "/db/ballast"};
  gs_options options;
  make_store(&options);
  for (size_t i = 0; i < 4; i++) {
    sim_machine_make_durable(foreign[i], "mine");
  }
  gs_store *store = kit_open(&options);
  assert_int_equal(kit_stats(store).foreign_files, 4);
  kit_fill(store, "c", 1, 100);
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_SYNCED, 0);
  kit_close(store);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  kit_close(kit_open(&options));
  for (size_t i = 0; i < 4; i++) {
    assert_string_equal(sim_machine_text(sim_machine, foreign[i]), "mine");
  }
}

/* ---- failures -------------------------------------------------------------- */

static gs_sim *
crashed_store(gs_options *options)
{
  sim_machine_become(gs_sim_new(1));
  make_store(options);
  options->durability = GS_DURABILITY_SYNC;
  gs_store *store = kit_open(options);
  kit_fill(store, "c", 1, 100);
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_SYNCED, 0);
  kit_close(store);
  return copy;
}

static void
check_whole(const gs_options *options)
{
  gs_store *store = kit_open(options);
  assert_true(kit_has(store, "a", 1));
  assert_true(kit_has(store, "b", 60));
  assert_true(kit_has(store, "c", 100));
  KIT_OK(gs_verify(store, &kit_err));
  kit_close(store);
}

/* Up to the new manifest nothing changes but what is taken back; from then on
 * the store is the same in new files. */
static void
test_an_open_that_fails_leaves_the_store_as_it_was(void **state)
{
  (void)state;
  static const int errnos[] = {EIO, EMFILE, ENOSPC};
  for (size_t e = 0; e < 3; e++) {
    bool was_met = true;
    size_t unchanged = 0;
    for (uint64_t nth = 1; was_met; nth++) {
      gs_options options;
      sim_machine_become(crashed_store(&options));
      options.env = sim_machine_env;
      picture before = look();
      gs_sim_fault fault = {
          .op = GS_SIM_ANY, .nth = nth, .times = 1, .os_errno = errnos[e]};
      KIT_OK(gs_sim_fail(sim_machine, &fault, &kit_err));
      gs_store *store = NULL;
      uint64_t ops = gs_sim_ops(sim_machine);
      gs_status status = gs_open("/db", &options, &store, &kit_err);
      was_met = gs_sim_ops(sim_machine) - ops >= nth;
      gs_sim_heal(sim_machine);
      if (status != GS_OK) {
        assert_true(status != GS_CORRUPT && status != GS_MISSING);
        unchanged += look().hash == before.hash;
      }
      GS_IGNORE(gs_close(store, NULL), "there may be none");
      check_whole(&options);
    }
    assert_true(unchanged >= 30);
  }
}

static void
test_an_open_without_memory_leaves_the_store_as_it_was(void **state)
{
  (void)state;
  bool was_met = true;
  for (uint64_t nth = 1; was_met; nth++) {
    gs_options options;
    sim_machine_become(crashed_store(&options));
    options.env = sim_machine_env;
    gs_store *store = NULL;
    uint64_t before = gs_sim_allocs(sim_machine);
    gs_sim_fail_alloc(sim_machine, nth, 1);
    gs_status status = gs_open("/db", &options, &store, &kit_err);
    was_met = gs_sim_allocs(sim_machine) - before >= nth;
    gs_sim_fail_alloc(sim_machine, 0, 1);
    assert_true(status == GS_OK || status == GS_NOMEM);
    GS_IGNORE(gs_close(store, NULL), "there may be none");
    check_whole(&options);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_listed_table_that_is_missing_or_of_another_size_refuses),
      KIT_TEST(
          test_a_degraded_reader_sees_all_but_what_the_damaged_tables_held),
      KIT_TEST(test_a_store_of_a_later_library_is_refused),
      KIT_TEST(
          test_a_store_without_its_manifest_is_refused_and_never_made_anew),
      KIT_TEST(test_files_that_are_not_ours_are_counted_and_stay),
      KIT_TEST(test_an_open_that_fails_leaves_the_store_as_it_was),
      KIT_TEST(test_an_open_without_memory_leaves_the_store_as_it_was),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
