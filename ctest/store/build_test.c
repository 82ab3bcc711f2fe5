/*
 * A build is a store when it is committed, and nothing before.
 */
#include "store/build.h"

#include "care_kit.h"

static gs_store_facts
facts_of(uint64_t seq)
{
  return (gs_store_facts){.store_id.bytes = {1},
                          .store_kind = GS_STORE_BYTES,
                          .salt = 77,
                          .incarnation = 3,
                          .flushed_seq = seq,
                          .last_seq = seq,
                          .next_id = 1,
                          .is_clean = true};
}

static void
add_some(gs_build *build)
{
  build->salt = 77;
  for (int i = 0; i < 30; i++) {
    char key[16];
    snprintf(key, sizeof key, "k%04d", i);
    gs_entry entry = {.key = gs_slice_str(key),
                      .value = gs_slice_str(key),
                      .seq = (uint64_t)i + 1,
                      .kind = GS_KIND_PUT};
    KIT_OK(gs_build_add(build, &entry, &kit_err));
  }
}

static void
test_what_was_added_is_there_after_a_commit(void **state)
{
  (void)state;
  gs_build build;
  gs_store_facts facts = facts_of(30);
  KIT_OK(gs_env_make_dir(sim_machine_env, "/db", &kit_err));
  KIT_OK(gs_build_begin(&build, sim_machine_env, "/new", "/db", &kit_err));
  add_some(&build);
  KIT_OK(gs_build_commit(&build, &facts, gs_slice_str("note"), 30, &kit_err));
  gs_build_end(&build);
  gs_options options = care_options();
  gs_store *store = NULL;
  KIT_OK(gs_open("/new", &options, &store, &kit_err));
  assert_true(kit_has(store, "k", 29));
  assert_int_equal(kit_put(store, "a", "b"), 31);
  kit_close(store);
}

static void
test_what_was_not_committed_leaves_no_trace(void **state)
{
  (void)state;
  gs_build build;
  gs_file_info info;
  KIT_OK(gs_env_make_dir(sim_machine_env, "/db", &kit_err));
  KIT_OK(gs_build_begin(&build, sim_machine_env, "/new", "/db", &kit_err));
  add_some(&build);
  gs_build_end(&build);
  assert_int_equal(gs_env_stat(sim_machine_env, "/new", &info, NULL),
                   GS_MISSING);
}

static void
test_nobody_opens_what_is_being_built(void **state)
{
  (void)state;
  gs_build build;
  gs_build other;
  gs_options options = care_options();
  gs_store *store = NULL;
  KIT_OK(gs_env_make_dir(sim_machine_env, "/db", &kit_err));
  KIT_OK(gs_build_begin(&build, sim_machine_env, "/new", "/db", &kit_err));
  assert_int_equal(gs_open("/new", &options, &store, &kit_err), GS_LOCKED);
  assert_int_equal(
      gs_build_begin(&other, sim_machine_env, "/new", "/db", &kit_err),
      GS_LOCKED);
  gs_build_end(&other);
  add_some(&build);
  gs_build_end(&build);
}

static void
test_a_directory_in_use_is_left_alone(void **state)
{
  (void)state;
  gs_build build;
  KIT_OK(gs_env_make_dir(sim_machine_env, "/db", &kit_err));
  sim_machine_make("/db/letter", "dear");
  assert_int_equal(
      gs_build_begin(&build, sim_machine_env, "/db", "/db", &kit_err),
      GS_EXISTS);
  gs_build_end(&build);
  assert_int_equal(
      gs_build_begin(&build, sim_machine_env, "/db/in", "/db", &kit_err),
      GS_EXISTS);
  gs_build_end(&build);
  assert_int_equal(care_list("/db").count, 1);
}

static void
test_a_table_is_linked_or_else_copied(void **state)
{
  (void)state;
  for (int i = 0; i < 2; i++) {
    gs_build build;
    const char *dir = i == 0 ? "/a" : "/b";
    char path[32];
    if (i == 0) {
      sim_machine_make_durable("/000009.sst", "the bytes of a table");
    } else {
      gs_sim_fault fault = {
          .op = GS_SIM_LINK, .nth = 1, .times = 0, .os_errno = 1};
      KIT_OK(gs_sim_fail(sim_machine, &fault, &kit_err));
    }
    KIT_OK(gs_env_make_dir(sim_machine_env, i == 0 ? "/x" : "/y", &kit_err));
    KIT_OK(gs_build_begin(&build, sim_machine_env, dir, i == 0 ? "/x" : "/y",
                          &kit_err));
    KIT_OK(gs_build_link(&build, "/000009.sst", 9, &kit_err));
    snprintf(path, sizeof path, "%s/000009.sst", dir);
    assert_string_equal(sim_machine_text(sim_machine, path),
                        "the bytes of a table");
    gs_build_end(&build);
  }
  assert_string_equal(sim_machine_text(sim_machine, "/000009.sst"),
                      "the bytes of a table");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_what_was_added_is_there_after_a_commit),
      KIT_TEST(test_what_was_not_committed_leaves_no_trace),
      KIT_TEST(test_nobody_opens_what_is_being_built),
      KIT_TEST(test_a_directory_in_use_is_left_alone),
      KIT_TEST(test_a_table_is_linked_or_else_copied),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
