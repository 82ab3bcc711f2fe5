/*
 * Tests of what edits make of a state: the order in which changes count, what
 * is shared, what is refused, and that a refused edit changes nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tree/state_text.h"

typedef struct fixture {
  test_alloc alloc;
  gs_manifest_state state;
} fixture;

static const char base[] =
    "next 100; run 7 L0 bottom; add 7 12[a..f]#10-20; add 7 13[g..k]#12-19; "
    "run 5 L1 bottom; add 5 9[a..z]#1-5; segment 3 4096; segment 4 8192; note "
    "9 hello";

static const char base_tree[] = "run 7 L0: 12[a..f]#10-20 13[g..k]#12-19\n"
                                "run 5 L1: 9[a..z]#1-5\n";

static void
begin(fixture *f)
{
  test_alloc_init(&f->alloc);
  assert_int_equal(
      gs_manifest_state_init(&f->state, &f->alloc.base, NULL), GS_OK);
  assert_int_equal(state_text_apply(&f->state, base, NULL), GS_OK);
}

static void
end(fixture *f)
{
  assert_int_equal(gs_version_verify(f->state.version, NULL), GS_OK);
  gs_manifest_state_deinit(&f->state);
  assert_int_equal(f->alloc.live_bytes, 0);
}

/* The base, then the edit, then this tree. */
static void
expect_tree(const char *edit, const char *tree)
{
  fixture f;
  begin(&f);
  gs_error err = {0};
  if (state_text_apply(&f.state, edit, &err) != GS_OK) {
    fail_msg("%s", err.message);
  }
  layout_expect(f.state.version, &f.alloc.base, tree);
  end(&f);
}

/* The base, then the edit, which is corrupt and changes nothing. */
static void
expect_refusal(const char *edit, const char *complaint)
{
  fixture f;
  begin(&f);
  gs_buffer before;
  gs_buffer after;
  gs_buffer_init(&before, &f.alloc.base);
  gs_buffer_init(&after, &f.alloc.base);
  state_text_dump(&f.state, &before);
  gs_version *version = f.state.version;
  gs_error err = {0};
  assert_int_equal(state_text_apply(&f.state, edit, &err), GS_CORRUPT);
  assert_string_equal(err.message, complaint);
  assert_ptr_equal(f.state.version, version);
  state_text_dump(&f.state, &after);
  assert_string_equal((const char *)after.data, (const char *)before.data);
  gs_buffer_deinit(&before);
  gs_buffer_deinit(&after);
  end(&f);
}

static void
test_a_base_builds_everything_from_nothing(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  layout_expect(f.state.version, &f.alloc.base, base_tree);
  assert_int_equal(f.state.facts.next_id, 100);
  assert_int_equal(f.state.facts.salt, 77);
  assert_int_equal(f.state.segment_count, 2);
  assert_int_equal(f.state.segments[1].number, 4);
  assert_int_equal(f.state.segments[1].allocated_bytes, 8192);
  assert_true(gs_slice_equal(gs_buffer_slice(&f.state.note),
                             gs_slice_str("hello")));
  assert_int_equal(f.state.note_seq, 9);
  end(&f);
}

static void
test_the_base_of_a_state_builds_the_same_state(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  gs_edit *edit = gs_edit_new(&f.alloc.base);
  assert_int_equal(gs_manifest_state_base(&f.state, edit, NULL), GS_OK);
  gs_manifest_state copy;
  assert_int_equal(gs_manifest_state_init(&copy, &f.alloc.base, NULL), GS_OK);
  assert_int_equal(gs_manifest_state_apply(&copy, gs_edit_encoding(edit), NULL,
                                           0, NULL),
                   GS_OK);
  gs_buffer a;
  gs_buffer z;
  gs_buffer_init(&a, &f.alloc.base);
  gs_buffer_init(&z, &f.alloc.base);
  state_text_dump(&f.state, &a);
  state_text_dump(&copy, &z);
  assert_string_equal((const char *)a.data, (const char *)z.data);
  layout_expect(copy.version, &f.alloc.base, base_tree);
  gs_buffer_deinit(&a);
  gs_buffer_deinit(&z);
  gs_edit_free(edit);
  gs_manifest_state_deinit(&copy);
  end(&f);
}

static void
test_new_runs_take_the_places_they_name(void **state)
{
  (void)state;
  expect_tree("run 20 L0 top; add 20 30[a..b]#30-31",
              "run 20 L0: 30[a..b]#30-31\n"
              "run 7 L0: 12[a..f]#10-20 13[g..k]#12-19\n"
              "run 5 L1: 9[a..z]#1-5\n");
  expect_tree("run 20 L2 bottom; add 20 30[0..1]#1-1",
              "run 7 L0: 12[a..f]#10-20 13[g..k]#12-19\n"
              "run 5 L1: 9[a..z]#1-5\n"
              "run 20 L2: 30[0..1]#1-1\n");
  expect_tree("run 20 L0 above 5; run 21 L0 above 5; add 20 30[0..1]#7-8; add "
              "21 31[0..0]#5-6",
              "run 7 L0: 12[a..f]#10-20 13[g..k]#12-19\n"
              "run 20 L0: 30[0..1]#7-8\n"
              "run 21 L0: 31[0..0]#5-6\n"
              "run 5 L1: 9[a..z]#1-5\n");
}

static void
test_a_run_may_be_placed_above_one_that_is_about_to_vanish(void **state)
{
  (void)state;
  expect_tree("add 20 30[a..z]#1-20; run 20 L1 above 5; remove 5 9; remove 7 "
              "12; remove 7 13",
              "run 20 L1: 30[a..z]#1-20\n");
}

static void
test_runs_without_tables_vanish(void **state)
{
  (void)state;
  expect_tree("run 20 L0 top", base_tree);
  expect_tree("remove 5 9", "run 7 L0: 12[a..f]#10-20 13[g..k]#12-19\n");
  expect_tree("remove 5 9; remove 7 12; remove 7 13", "");
}

static void
test_a_run_keeps_its_place_while_its_tables_are_replaced(void **state)
{
  (void)state;
  expect_tree("remove 7 12; remove 7 13; add 7 40[b..c]#10-20",
              "run 7 L0: 40[b..c]#10-20\nrun 5 L1: 9[a..z]#1-5\n");
  expect_tree("remove 7 12; add 7 40[l..m]#9-9; add 7 41[a..b]#8-9",
              "run 7 L0: 41[a..b]#8-9 13[g..k]#12-19 40[l..m]#9-9\n"
              "run 5 L1: 9[a..z]#1-5\n");
}

static void
test_a_level_is_changed_without_touching_tables(void **state)
{
  (void)state;
  expect_tree("level 5 3", "run 7 L0: 12[a..f]#10-20 13[g..k]#12-19\n"
                           "run 5 L3: 9[a..z]#1-5\n");
  expect_tree("run 20 L0 bottom; level 20 3; add 20 30[0..1]",
              "run 7 L0: 12[a..f]#10-20 13[g..k]#12-19\n"
              "run 5 L1: 9[a..z]#1-5\n"
              "run 20 L3: 30[0..1]#1-1\n");
}

static void
test_what_does_not_fit_the_tree_is_corrupt(void **state)
{
  (void)state;
  expect_refusal("remove 6 12",
                 "a manifest edit names run 6, which is not there");
  expect_refusal("remove 7 9", "a manifest edit removes table 9 from run 7, "
                               "where it is not");
  expect_refusal("remove 7 99", "a manifest edit removes table 99 from run 7, "
                                "where it is not");
  expect_refusal("remove 7 12; remove 7 12",
                 "a manifest edit removes table 12 from run 7, where it is "
                 "not");
  expect_refusal("run 7 L0 top",
                 "a manifest edit adds run 7 a second time");
  expect_refusal("run 20 L0 top; run 20 L0 top",
                 "a manifest edit adds run 20 a second time");
  expect_refusal("run 20 L0 above 6",
                 "a manifest edit names run 6, which is not there");
  expect_refusal("level 6 1",
                 "a manifest edit names run 6, which is not there");
  expect_refusal("add 6 30[a..b]",
                 "a manifest edit names run 6, which is not there");
  expect_refusal("add 7 9[x..y]", "a manifest edit adds table 9, which is in "
                                  "run 5 already");
  expect_refusal("add 7 30[l..m]; add 7 30[n..o]",
                 "a manifest edit adds table 30 twice");
  expect_refusal("run 20 L0 top; add 7 30[l..m]; add 7 31[n..n]; add 20 "
                 "30[n..o]",
                 "a manifest edit adds table 30 twice");
  expect_refusal("add 7 30[k..l]", "tables 13 and 30 of run 7 overlap");
}

static void
test_numbers_stay_below_the_next_one(void **state)
{
  (void)state;
  expect_refusal("add 7 100[l..m]", "a manifest edit uses number 100, and 100 "
                                    "is said to be the next");
  expect_refusal("run 100 L0 top", "a manifest edit uses number 100, and 100 "
                                   "is said to be the next");
  expect_tree("add 7 100[l..m]; next 101",
              "run 7 L0: 12[a..f]#10-20 13[g..k]#12-19 100[l..m]#1-1\n"
              "run 5 L1: 9[a..z]#1-5\n");
}

static void
test_a_table_that_changes_runs_stays_the_same_object(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  gs_tree_table *table = layout_find(f.state.version, 13);
  assert_int_equal(state_text_apply(&f.state,
                                    "remove 7 13; run 20 L0 above 5; add 20 "
                                    "13[g..k]#12-19",
                                    NULL),
                   GS_OK);
  layout_expect(f.state.version, &f.alloc.base,
                "run 7 L0: 12[a..f]#10-20\nrun 20 L0: 13[g..k]#12-19\n"
                "run 5 L1: 9[a..z]#1-5\n");
  assert_ptr_equal(layout_find(f.state.version, 13), table);
  end(&f);
  expect_refusal("remove 7 13; add 7 13[g..j]#12-19",
                 "a manifest edit changes the metadata of table 13");
}

static void
test_runs_that_do_not_change_are_shared(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  gs_version *before = f.state.version;
  gs_version_ref(before);
  assert_int_equal(state_text_apply(&f.state, "add 7 30[l..m]", NULL), GS_OK);
  assert_ptr_not_equal(f.state.version->runs[0], before->runs[0]);
  assert_ptr_equal(f.state.version->runs[1], before->runs[1]);
  assert_ptr_equal(layout_find(f.state.version, 12), layout_find(before, 12));
  assert_true(f.state.version->number > before->number);
  gs_version_unref(before);
  end(&f);
}

static void
test_an_edit_that_leaves_the_tree_alone_keeps_the_version(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  gs_version *before = f.state.version;
  assert_int_equal(state_text_apply(&f.state,
                                    "segment 5 10; unsegment 3; note 10 x; "
                                    "next 200; flushed 6; clean",
                                    NULL),
                   GS_OK);
  assert_ptr_equal(f.state.version, before);
  assert_int_equal(f.state.segment_count, 2);
  assert_int_equal(f.state.segments[0].number, 4);
  assert_int_equal(f.state.segments[1].number, 5);
  assert_int_equal(f.state.note.size, 1);
  assert_int_equal(f.state.facts.next_id, 200);
  assert_int_equal(f.state.facts.flushed_seq, 6);
  assert_true(f.state.facts.is_clean);
  end(&f);
}

static void
test_known_tables_are_used_as_they_are(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  gs_version *made =
      layout_version(&f.alloc.base, "run 1 L0: 41[n..o] 40[l..m]\n");
  gs_tree_table *known[] = {layout_find(made, 40), layout_find(made, 41)};
  gs_edit *edit = state_text_edit(&f.alloc.base,
                                  "add 7 41[n..o]; add 7 40[l..m]; add 7 "
                                  "42[q..r]");
  assert_int_equal(gs_manifest_state_apply(&f.state, gs_edit_encoding(edit),
                                           known, 2, NULL),
                   GS_OK);
  assert_ptr_equal(layout_find(f.state.version, 40), known[0]);
  assert_ptr_equal(layout_find(f.state.version, 41), known[1]);
  gs_edit_free(edit);
  gs_version *other = layout_version(&f.alloc.base, "run 1 L0: 43[s..t]\n");
  known[1] = layout_find(other, 43);
  edit = state_text_edit(&f.alloc.base, "add 7 43[s..u]");
  gs_error err;
  assert_int_equal(gs_manifest_state_apply(&f.state, gs_edit_encoding(edit),
                                           known, 2, &err),
                   GS_CORRUPT);
  assert_string_equal(err.message,
                      "a manifest edit changes the metadata of table 43");
  gs_version_unref(other);
  gs_edit_free(edit);
  gs_version_unref(made);
  end(&f);
}

static void
test_segments_are_listed_in_rising_order(void **state)
{
  (void)state;
  expect_refusal("segment 4 1", "a manifest edit adds segment 4 behind segment "
                                "4");
  expect_refusal("segment 6 1; segment 5 1",
                 "a manifest edit adds segment 5 behind segment 6");
  expect_refusal("unsegment 5",
                 "a manifest edit removes segment 5, which is not listed");
  expect_refusal("unsegment 3; unsegment 3",
                 "a manifest edit removes segment 3, which is not listed");
}

/* The base, then facts changed by the caller; NULL: they are fine. */
static void
expect_facts(const gs_store_facts *facts, const char *complaint)
{
  fixture f;
  begin(&f);
  gs_store_facts before = state_text_facts();
  before.incarnation = 5;
  before.flushed_seq = 6;
  before.last_seq = 7;
  before.next_id = 100;
  before.clock_floor_ms = 9;
  gs_edit *edit = gs_edit_new(&f.alloc.base);
  gs_edit_set_facts(edit, &before);
  assert_int_equal(gs_manifest_state_apply(&f.state, gs_edit_encoding(edit),
                                           NULL, 0, NULL),
                   GS_OK);
  gs_edit_free(edit);
  edit = gs_edit_new(&f.alloc.base);
  gs_edit_set_facts(edit, facts);
  gs_error err;
  gs_status status = gs_manifest_state_apply(
      &f.state, gs_edit_encoding(edit), NULL, 0, &err);
  assert_int_equal(status, complaint == NULL ? GS_OK : GS_CORRUPT);
  if (complaint != NULL) {
    assert_string_equal(err.message, complaint);
  }
  gs_edit_free(edit);
  end(&f);
}

static void
test_facts_never_go_back(void **state)
{
  (void)state;
  gs_store_facts facts = state_text_facts();
  facts.incarnation = 5;
  facts.flushed_seq = 6;
  facts.last_seq = 7;
  facts.next_id = 100;
  facts.clock_floor_ms = 9;
  expect_facts(&facts, NULL);
  facts.incarnation = 4;
  expect_facts(&facts,
               "a manifest edit takes the incarnation back from 5 to 4");
  facts.incarnation = 5;
  facts.flushed_seq = 5;
  expect_facts(&facts,
               "a manifest edit takes the flushed sequence back from 6 to 5");
  facts.flushed_seq = 6;
  facts.last_seq = 6;
  expect_facts(&facts,
               "a manifest edit takes the last sequence back from 7 to 6");
  facts.last_seq = 7;
  facts.next_id = 99;
  expect_facts(&facts, "a manifest edit takes the next id back from 100 to 99");
  facts.next_id = 100;
  facts.clock_floor_ms = 8;
  expect_facts(&facts,
               "a manifest edit takes the clock floor back from 9 to 8");
}

static void
test_a_store_stays_the_same_store(void **state)
{
  (void)state;
  static const char other[] = "a manifest edit is one of another store";
  gs_store_facts facts = state_text_facts();
  facts.incarnation = 5;
  facts.flushed_seq = 6;
  facts.last_seq = 7;
  facts.clock_floor_ms = 9;
  expect_facts(&facts, NULL);
  facts.store_kind = 2;
  expect_facts(&facts, other);
  facts.store_kind = 0;
  expect_facts(&facts, "a manifest edit names no kind of store");
  facts.store_kind = 1;
  facts.salt = 78;
  expect_facts(&facts, other);
  facts.salt = 77;
  facts.store_id.bytes[15] = 0;
  expect_facts(&facts, other);
}

static void
test_a_prepared_state_is_taken_over_or_let_go(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  gs_edit *edit = state_text_edit(&f.alloc.base, "remove 5 9");
  for (int i = 0; i < 2; i++) {
    gs_manifest_state next;
    assert_int_equal(gs_manifest_state_prepare(&f.state,
                                               gs_edit_encoding(edit), NULL, 0,
                                               &next, NULL),
                     GS_OK);
    layout_expect(f.state.version, &f.alloc.base, base_tree);
    if (i == 0) {
      gs_manifest_state_deinit(&next);
    } else {
      gs_manifest_state_adopt(&f.state, &next);
    }
  }
  layout_expect(f.state.version, &f.alloc.base,
                "run 7 L0: 12[a..f]#10-20 13[g..k]#12-19\n");
  gs_edit_free(edit);
  end(&f);
}

static void
test_an_edit_that_finds_no_memory_changes_nothing(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  gs_edit *edit = state_text_edit(
      &f.alloc.base, "run 20 L0 top; add 20 30[a..b]#30-31; remove 7 12; remove 7 "
                     "13; add 20 13[g..k]#12-19; level 5 2; segment 5 1; note "
                     "10 a longer note than before, so that it needs room");
  gs_buffer before;
  gs_buffer after;
  gs_buffer_init(&before, &f.alloc.base);
  gs_buffer_init(&after, &f.alloc.base);
  state_text_dump(&f.state, &before);
  state_text_dump(&f.state, &after);
  size_t live = f.alloc.live_bytes;
  uint64_t allowed = 0;
  for (;; allowed++) {
    f.alloc.allocations_left = allowed;
    gs_status status = gs_manifest_state_apply(
        &f.state, gs_edit_encoding(edit), NULL, 0, NULL);
    f.alloc.allocations_left = UINT64_MAX;
    if (status == GS_OK) {
      break;
    }
    assert_int_equal(status, GS_NOMEM);
    assert_int_equal(f.alloc.live_bytes, live);
    state_text_dump(&f.state, &after);
    assert_string_equal((const char *)after.data, (const char *)before.data);
  }
  assert_true(allowed > 15);
  layout_expect(f.state.version, &f.alloc.base,
                "run 20 L0: 30[a..b]#30-31 13[g..k]#12-19\n"
                "run 5 L2: 9[a..z]#1-5\n");
  gs_buffer_deinit(&before);
  gs_buffer_deinit(&after);
  gs_edit_free(edit);
  end(&f);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_base_builds_everything_from_nothing),
      cmocka_unit_test(test_the_base_of_a_state_builds_the_same_state),
      cmocka_unit_test(test_new_runs_take_the_places_they_name),
      cmocka_unit_test(
          test_a_run_may_be_placed_above_one_that_is_about_to_vanish),
      cmocka_unit_test(test_runs_without_tables_vanish),
      cmocka_unit_test(
          test_a_run_keeps_its_place_while_its_tables_are_replaced),
      cmocka_unit_test(test_a_level_is_changed_without_touching_tables),
      cmocka_unit_test(test_what_does_not_fit_the_tree_is_corrupt),
      cmocka_unit_test(test_numbers_stay_below_the_next_one),
      cmocka_unit_test(test_a_table_that_changes_runs_stays_the_same_object),
      cmocka_unit_test(test_runs_that_do_not_change_are_shared),
      cmocka_unit_test(
          test_an_edit_that_leaves_the_tree_alone_keeps_the_version),
      cmocka_unit_test(test_known_tables_are_used_as_they_are),
      cmocka_unit_test(test_segments_are_listed_in_rising_order),
      cmocka_unit_test(test_facts_never_go_back),
      cmocka_unit_test(test_a_store_stays_the_same_store),
      cmocka_unit_test(test_a_prepared_state_is_taken_over_or_let_go),
      cmocka_unit_test(test_an_edit_that_finds_no_memory_changes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
