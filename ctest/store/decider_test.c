/*
 * A thread that decides: it is asked when the tree wants it, once at a time, and
 * it ends before its store.
 */
#include "store_kit.h"

#include <stdatomic.h>

#include "store/decider.h"

typedef struct mind {
  gs_store *store;
  atomic_uint decisions;
  atomic_uint releases;
  atomic_uint inside;
  atomic_uint wrong;
  bool is_blind; /* takes no shape */
} mind;

static void
decide(void *context)
{
  mind *m = context;
  if (atomic_fetch_add(&m->inside, 1) != 0 || atomic_load(&m->releases) != 0) {
    atomic_fetch_add(&m->wrong, 1);
  }
  atomic_fetch_add(&m->decisions, 1);
  gs_shape *shape = NULL;
  if (!m->is_blind) {
    if (gs_shape_new(m->store, &shape, NULL) != GS_OK) {
      atomic_fetch_add(&m->wrong, 1);
    }
    gs_shape_free(shape);
  }
  atomic_fetch_sub(&m->inside, 1);
}

static void
release(void *context)
{
  mind *m = context;
  atomic_fetch_add(&m->releases, 1);
}

static void
start(gs_store *store, mind *m)
{
  gs_decider decider = {decide, release, m, "mind"};
  uint64_t charge;
  m->store = store;
  KIT_OK(gs_start_decider(store, &decider, &charge, &kit_err));
  assert_true(gs_is_in_charge(store, charge));
}

static gs_store *
open_tasks(void)
{
  gs_sim_allow_tasks(sim_machine);
  gs_options options = kit_options();
  options.has_policy = true;
  return kit_open(&options);
}

static void
test_a_thread_decides_when_the_tree_has_changed(void **state)
{
  (void)state;
  gs_store *store = open_tasks();
  mind m = {0};
  start(store, &m);
  gs_policy_state policy;
  gs_policy_get(store, &policy);
  assert_string_equal(policy.name, "mind");
  assert_true(policy.is_threaded);
  gs_sim_drain(sim_machine);
  assert_int_equal(m.decisions, 1);
  kit_put(store, "a", "1");
  gs_sim_drain(sim_machine);
  assert_int_equal(m.decisions, 1);
  KIT_OK(gs_flush(store, &kit_err));
  gs_sim_drain(sim_machine);
  assert_true(m.decisions > 1);
  unsigned before = m.decisions;
  gs_decide(store); /* is its thread's affair */
  gs_sim_drain(sim_machine);
  assert_int_equal(m.decisions, before);
  kit_close(store);
  assert_int_equal(m.releases, 1);
  assert_int_equal(m.wrong, 0);
}

static void
test_one_that_does_not_look_is_not_asked_again_for_the_same(void **state)
{
  (void)state;
  gs_store *store = open_tasks();
  mind m = {.is_blind = true};
  start(store, &m);
  gs_sim_drain(sim_machine);
  assert_int_equal(m.decisions, 1);
  kit_close(store);
}

static void
test_the_next_one_ends_the_one_before(void **state)
{
  (void)state;
  gs_store *store = open_tasks();
  mind first = {0};
  mind second = {0};
  start(store, &first);
  gs_sim_drain(sim_machine);
  start(store, &second);
  assert_int_equal(first.releases, 1);
  gs_sim_drain(sim_machine);
  unsigned before = first.decisions;
  assert_true(second.decisions > 0);
  KIT_OK(gs_set_wake(store, 1, &kit_err));
  gs_sim_advance_ms(sim_machine, 1);
  gs_sim_drain(sim_machine);
  assert_int_equal(first.decisions, before);
  assert_true(second.decisions > 1);
  gs_stop_decider(store);
  gs_stop_decider(store);
  assert_int_equal(second.releases, 1);
  uint64_t charge;
  start(store, &second);
  KIT_OK(gs_take_charge(store, &charge, &kit_err));
  assert_int_equal(second.releases, 2);
  kit_close(store);
  assert_int_equal(first.wrong, 0);
}

static void
test_ending_waits_for_a_decision_that_is_being_made(void **state)
{
  (void)state;
  gs_store *store = open_tasks();
  mind m = {0};
  gs_sim_hold(sim_machine, "decider.decide");
  start(store, &m);
  gs_sim_drain(sim_machine);
  assert_int_equal(m.decisions, 0);
  gs_sim_release(sim_machine, "decider.decide");
  kit_close(store);
  assert_int_equal(m.decisions, 1);
  assert_int_equal(m.releases, 1);
  assert_int_equal(m.wrong, 0);
}

static void
test_without_threads_decisions_are_made_inside_calls(void **state)
{
  (void)state;
  gs_options options = kit_options();
  options.has_policy = true;
  gs_store *store = kit_open(&options);
  mind m = {0};
  start(store, &m);
  assert_int_equal(m.decisions, 0);
  gs_decide(store);
  gs_decide(store);
  assert_int_equal(m.decisions, 1);
  kit_put(store, "a", "1");
  KIT_OK(gs_flush(store, &kit_err));
  assert_int_equal(m.decisions, 1);
  kit_work(store);
  assert_int_equal(m.decisions, 2);
  kit_close(store);
  assert_int_equal(m.releases, 1);
  assert_int_equal(m.wrong, 0);
}

static void
test_no_memory_and_no_thread_leave_the_one_before(void **state)
{
  (void)state;
  gs_store *store = open_tasks();
  mind first = {0};
  mind second = {.store = store};
  start(store, &first);
  gs_decider decider = {decide, release, &second, "second"};
  uint64_t charge;
  for (uint64_t nth = 1; second.decisions == 0 && nth < 20; nth++) {
    gs_sim_fail_alloc(sim_machine, nth, 1);
    gs_status status = gs_start_decider(store, &decider, &charge, &kit_err);
    gs_sim_fail_alloc(sim_machine, 0, 0);
    assert_int_equal(first.releases, status == GS_OK);
    assert_int_equal(second.releases, 0);
    gs_sim_drain(sim_machine);
  }
  assert_int_equal(first.releases, 1);
  kit_close(store);
  assert_int_equal(second.releases, 1);
}

/* Many, one after the other, while others write. */

static void
replace_often(void *context)
{
  gs_store *store = context;
  for (int i = 0; i < 50; i++) {
    gs_decider decider = {decide, release, NULL, "one of many"};
    static mind m;
    m.store = store;
    decider.context = &m;
    uint64_t charge;
    atomic_store(&m.releases, 0);
    GS_IGNORE(gs_start_decider(store, &decider, &charge, NULL),
              "counted by its end");
  }
}

static void
test_writers_and_changes_of_mind_at_once(void **state)
{
  (void)state;
  gs_store *store = open_tasks();
  uint32_t id;
  KIT_OK(gs_sim_spawn(sim_machine, "changer", replace_often, store, &id,
                      &kit_err));
  for (int i = 0; i < 200; i++) {
    kit_fill(store, "k", i, i + 5);
    gs_sim_step(sim_machine, id, 3);
  }
  gs_sim_drain(sim_machine);
  assert_true(kit_has(store, "k", 204));
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_thread_decides_when_the_tree_has_changed),
      KIT_TEST(test_one_that_does_not_look_is_not_asked_again_for_the_same),
      KIT_TEST(test_the_next_one_ends_the_one_before),
      KIT_TEST(test_ending_waits_for_a_decision_that_is_being_made),
      KIT_TEST(test_without_threads_decisions_are_made_inside_calls),
      KIT_TEST(test_no_memory_and_no_thread_leave_the_one_before),
      KIT_TEST(test_writers_and_changes_of_mind_at_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
