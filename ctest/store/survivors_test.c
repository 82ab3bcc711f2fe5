/*
 * Survivors: memtables into runs of their order, in one edit or not at all.
 */
#include "store_kit.h"

#include <errno.h>

#include "store/survivors.h"

static gs_memtable *
make_memtable(const char *key, uint64_t first_seq, int count)
{
  gs_memtable *memtable = NULL;
  KIT_OK(gs_memtable_new(sim_machine_env, NULL, 16384, 1, &memtable, &kit_err));
  for (int i = 0; i < count; i++) {
    gs_entry entry = {
        .key = gs_slice_str(key),
        .value = gs_slice_str(first_seq == 1 ? "old" : "new"),
        .seq = first_seq + (uint64_t)i,
        .kind = GS_KIND_PUT,
    };
    KIT_OK(gs_memtable_reserve(memtable, 1, &kit_err));
    KIT_OK(gs_memtable_add(memtable, &entry, &kit_err));
  }
  return memtable;
}

static gs_status
save(gs_store *store, gs_memtable *const *memtables, size_t count,
     gs_error *err)
{
  gs_survivors s;
  gs_status status = gs_survivors_init(&s, store, count, err);
  if (status != GS_OK) {
    return status;
  }
  for (size_t i = 0; status == GS_OK && i < count; i++) {
    status = gs_survivors_add(&s, memtables[i], err);
  }
  if (status == GS_OK) {
    gs_install change = {.flushed_seq = 9, .reason = "resume"};
    status = gs_survivors_install(&s, &change, err);
  }
  gs_survivors_deinit(&s);
  return status;
}

/* The store's own sequences go on behind those of the memtables. */
static void
show(gs_store *store)
{
  store->next_seq = 10;
  atomic_store(&store->visible_seq, 9);
}

static void
test_each_memtable_becomes_a_run_above_those_before_it(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_memtable *memtables[] = {make_memtable("a", 1, 3),
                              make_memtable("a", 4, 0),
                              make_memtable("a", 5, 2)};
  KIT_OK(save(store, memtables, 3, &kit_err));
  show(store);
  assert_int_equal(kit_stats(store).run_count, 2);
  assert_int_equal(kit_stats(store).entry_count, 2); /* covered ones are gone */
  assert_string_equal(kit_get(store, "a"), "new");
  for (size_t i = 0; i < 3; i++) {
    gs_memtable_unref(memtables[i]);
  }
  kit_close(store);
  store = kit_open(&options);
  assert_string_equal(kit_get(store, "a"), "new");
  kit_close(store);
}

static void
test_what_is_void_does_not_survive(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_memtable *memtables[] = {make_memtable("a", 1, 1),
                              make_memtable("b", 2, 3)};
  gs_memtable_void_above(memtables[1], 1);
  KIT_OK(save(store, memtables, 2, &kit_err));
  show(store);
  assert_string_equal(kit_get(store, "a"), "old");
  assert_string_equal(kit_get(store, "b"), "(absent)");
  gs_memtable_unref(memtables[0]);
  gs_memtable_unref(memtables[1]);
  kit_close(store);
}

static void
count_table(void *context, const char *name)
{
  *(int *)context += strstr(name, ".sst") != NULL;
}

static void
test_what_fails_leaves_neither_runs_nor_files(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  gs_memtable *memtable = make_memtable("a", 1, 3);
  for (uint64_t nth = 1; nth <= 3; nth++) {
    int tables = 0;
    gs_sim_fault fault = {.op = GS_SIM_ANY,
                          .path = "*.sst",
                          .nth = nth,
                          .times = 1,
                          .os_errno = EIO};
    KIT_OK(gs_sim_fail(sim_machine, &fault, &kit_err));
    assert_int_equal(save(store, &memtable, 1, &kit_err), GS_IO);
    gs_sim_heal(sim_machine);
    assert_int_equal(kit_stats(store).run_count, 0);
    KIT_OK(gs_env_list(sim_machine_env, "/db", count_table, &tables, &kit_err));
    assert_int_equal(tables, 0);
  }
  gs_memtable_unref(memtable);
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_each_memtable_becomes_a_run_above_those_before_it),
      KIT_TEST(test_what_is_void_does_not_survive),
      KIT_TEST(test_what_fails_leaves_neither_runs_nor_files),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
