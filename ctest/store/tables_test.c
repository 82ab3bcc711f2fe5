/*
 * The files behind the tables of the tree: opened when read, closed with the last
 * reference.
 */
#include "store_kit.h"

#include <errno.h>

#include "store/store.h"

static gs_tree_table *
first_table(gs_store *store)
{
  return atomic_load(&store->view)->version->runs[0]->tables[0];
}

static void
test_a_table_is_opened_when_it_is_first_read_and_once(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 20);
  kit_close(store);
  store = kit_open(&options);
  gs_tree_table *table = first_table(store);
  assert_null(atomic_load(&table->payload));
  assert_string_equal(kit_get(store, "a"), "(absent)");
  assert_null(atomic_load(&table->payload));
  assert_true(kit_has(store, "k", 1));
  gs_table *open = NULL;
  KIT_OK(gs_store_table(store, table, &open, &kit_err));
  assert_ptr_equal(open, atomic_load(&table->payload));
  gs_table *again = NULL;
  KIT_OK(gs_store_table(store, table, &again, &kit_err));
  assert_ptr_equal(open, again);
  kit_close(store);
}

static void
test_a_table_that_cannot_be_opened_can_be_tried_again(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 20);
  kit_close(store);
  store = kit_open(&options);
  for (uint64_t nth = 1; nth <= 3; nth++) {
    sim_machine_fail(GS_SIM_ANY, nth, EMFILE);
    gs_status status =
        gs_contains(store, NULL, gs_slice_str("k0001"), NULL, &kit_err);
    assert_int_equal(status, GS_LIMIT);
  }
  assert_true(kit_has(store, "k", 1));
  kit_close(store);
}

static void
test_a_file_that_is_another_table_is_refused(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.has_policy = true;
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 20);
  KIT_OK(gs_flush(store, &kit_err));
  uint64_t first = first_table(store)->meta.id;
  kit_fill(store, "k", 1, 20);
  KIT_OK(gs_flush(store, &kit_err));
  uint64_t second = first_table(store)->meta.id;
  kit_close(store);
  char from[64];
  char to[64];
  snprintf(from, sizeof from, "/db/%06llu.sst", (unsigned long long)second);
  snprintf(to, sizeof to, "/db/%06llu.sst", (unsigned long long)first);
  gs_file *file = sim_machine_open(from, GS_OPEN_READ);
  gs_buffer bytes;
  gs_buffer_init(&bytes, sim_machine_env->alloc);
  KIT_OK(gs_file_read_all(file, &bytes, &kit_err));
  sim_machine_close(file);
  KIT_OK(gs_sim_replace(sim_machine, to, gs_buffer_slice(&bytes), &kit_err));
  gs_buffer_deinit(&bytes);
  store = kit_open(&options);
  assert_int_equal(gs_verify(store, &kit_err), GS_CORRUPT);
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_table_is_opened_when_it_is_first_read_and_once),
      KIT_TEST(test_a_table_that_cannot_be_opened_can_be_tried_again),
      KIT_TEST(test_a_file_that_is_another_table_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
