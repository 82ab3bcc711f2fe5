/*
 * A view holds what it lists until its last reference goes.
 */
#include "store_kit.h"

#include "store/view.h"

static gs_memtable *
new_memtable(void)
{
  gs_memtable *table = NULL;
  KIT_OK(gs_memtable_new(sim_machine_env, NULL, 4096, 1, &table, &kit_err));
  return table;
}

static void
test_a_view_keeps_its_memtables_in_the_order_given(void **state)
{
  (void)state;
  gs_alloc *alloc = sim_machine_env->alloc;
  gs_memtable *tables[2] = {new_memtable(), new_memtable()};
  gs_version *version = gs_version_new_empty(alloc);
  gs_view *view = gs_view_new(alloc, tables, 2, version);
  assert_non_null(view);
  gs_version_unref(version);
  gs_memtable_unref(tables[0]);
  gs_memtable_unref(tables[1]);
  assert_int_equal(view->memtable_count, 2);
  assert_ptr_equal(view->memtables[0], tables[0]);
  assert_ptr_equal(view->memtables[1], tables[1]);
  gs_view_ref(view);
  gs_view_unref(view);
  gs_memtable_stats stats;
  gs_memtable_get_stats(view->memtables[1], &stats);
  assert_int_equal(stats.entry_count, 0);
  gs_view_unref(view);
  assert_int_equal(gs_sim_allocated_bytes(sim_machine), 0);
}

static void
test_a_view_without_memory_takes_no_references(void **state)
{
  (void)state;
  gs_alloc *alloc = sim_machine_env->alloc;
  gs_memtable *table = new_memtable();
  gs_version *version = gs_version_new_empty(alloc);
  gs_sim_fail_alloc(sim_machine, 1, 1);
  assert_null(gs_view_new(alloc, &table, 1, version));
  gs_version_unref(version);
  gs_memtable_unref(table);
  assert_int_equal(gs_sim_allocated_bytes(sim_machine), 0);
}

static void
test_a_retired_view_stays_while_somebody_holds_it(void **state)
{
  (void)state;
  gs_epoch *epoch = NULL;
  gs_alloc *alloc = sim_machine_env->alloc;
  KIT_OK(gs_epoch_new(sim_machine_env, &epoch, &kit_err));
  gs_memtable *table = new_memtable();
  gs_version *version = gs_version_new_empty(alloc);
  gs_view *view = gs_view_new(alloc, &table, 1, version);
  gs_version_unref(version);
  gs_memtable_unref(table);
  gs_view_ref(view);
  gs_view_retire(epoch, view);
  gs_epoch_collect(epoch);
  assert_int_equal(view->memtable_count, 1);
  gs_view_unref(view);
  gs_epoch_free(epoch);
  assert_int_equal(gs_sim_allocated_bytes(sim_machine), 0);
}

static void
test_a_scan_holds_its_view_over_flushes_and_merges(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 200);
  gs_scan *scan = NULL;
  KIT_OK(gs_scan_new(store, NULL, NULL, &scan, &kit_err));
  for (int i = 1; i <= 200; i++) {
    char key[16];
    snprintf(key, sizeof key, "k%04d", i);
    kit_delete(store, key);
  }
  KIT_OK(gs_compact(store, NULL, &kit_err));
  size_t count = 0;
  gs_status status = gs_scan_first(scan, &kit_err);
  for (; status == GS_OK; status = gs_scan_next(scan, &kit_err)) {
    count++;
  }
  assert_int_equal(status, GS_ABSENT);
  assert_int_equal(count, 200);
  gs_scan_free(scan);
  assert_string_equal(kit_get(store, "k0001"), "(absent)");
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_view_keeps_its_memtables_in_the_order_given),
      KIT_TEST(test_a_view_without_memory_takes_no_references),
      KIT_TEST(test_a_retired_view_stays_while_somebody_holds_it),
      KIT_TEST(test_a_scan_holds_its_view_over_flushes_and_merges),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
