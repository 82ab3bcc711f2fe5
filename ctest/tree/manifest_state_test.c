/*
 * Tests of what edits make of a state: the order in which changes count, what
 * is shared, what is refused, and that a refused edit changes nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tree/state_kit.h"

static void
test_a_base_builds_everything_from_nothing(void **state)
{
  (void)state;
  state_kit f;
  state_kit_begin(&f);
  layout_expect(f.state.version, &f.alloc.base, state_kit_tree);
  assert_int_equal(f.state.facts.next_id, 100);
  assert_int_equal(f.state.facts.salt, 77);
  assert_int_equal(f.state.segment_count, 2);
  assert_int_equal(f.state.segments[1].number, 4);
  assert_int_equal(f.state.segments[1].allocated_bytes, 8192);
  assert_true(
      gs_slice_equal(gs_buffer_slice(&f.state.note), gs_slice_str("hello")));
  assert_int_equal(f.state.note_seq, 9);
  state_kit_end(&f);
}

static void
test_the_base_of_a_state_builds_the_same_state(void **state)
{
  (void)state;
  state_kit f;
  state_kit_begin(&f);
  gs_edit *edit = gs_edit_new(&f.alloc.base);
  assert_int_equal(gs_manifest_state_base(&f.state, edit, NULL), GS_OK);
  gs_manifest_state copy;
  assert_int_equal(gs_manifest_state_init(&copy, &f.alloc.base, NULL), GS_OK);
  assert_int_equal(
      gs_manifest_state_apply(&copy, gs_edit_encoding(edit), NULL, 0, NULL),
      GS_OK);
  gs_buffer a;
  gs_buffer z;
  gs_buffer_init(&a, &f.alloc.base);
  gs_buffer_init(&z, &f.alloc.base);
  state_text_dump(&f.state, &a);
  state_text_dump(&copy, &z);
  assert_string_equal((const char *)a.data, (const char *)z.data);
  layout_expect(copy.version, &f.alloc.base, state_kit_tree);
  gs_buffer_deinit(&a);
  gs_buffer_deinit(&z);
  gs_edit_free(edit);
  gs_manifest_state_deinit(&copy);
  state_kit_end(&f);
}

static void
test_numbers_stay_below_the_next_one(void **state)
{
  (void)state;
  state_kit_expect_refusal("add 7 100[l..m]",
                           "a manifest edit uses number 100, and 100 "
                           "is said to be the next");
  state_kit_expect_refusal("run 100 L0 top",
                           "a manifest edit uses number 100, and 100 "
                           "is said to be the next");
  state_kit_expect_tree(
      "add 7 100[l..m]; next 101",
      "run 7 L0: 12[a..f]#10-20 13[g..k]#12-19 100[l..m]#1-1\n"
      "run 5 L1: 9[a..z]#1-5\n");
}

static void
test_an_edit_that_leaves_the_tree_alone_keeps_the_version(void **state)
{
  (void)state;
  state_kit f;
  state_kit_begin(&f);
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
  state_kit_end(&f);
}

static void
test_segments_are_listed_in_rising_order(void **state)
{
  (void)state;
  state_kit_expect_refusal("segment 4 1",
                           "a manifest edit adds segment 4 behind segment "
                           "4");
  state_kit_expect_refusal("segment 6 1; segment 5 1",
                           "a manifest edit adds segment 5 behind segment 6");
  state_kit_expect_refusal(
      "unsegment 5", "a manifest edit removes segment 5, which is not listed");
  state_kit_expect_refusal(
      "unsegment 3; unsegment 3",
      "a manifest edit removes segment 3, which is not listed");
}

/* The base, then facts changed by the caller; NULL: they are fine. */
static void
expect_facts(const gs_store_facts *facts, const char *complaint)
{
  state_kit f;
  state_kit_begin(&f);
  gs_store_facts before = state_text_facts();
  before.incarnation = 5;
  before.flushed_seq = 6;
  before.last_seq = 7;
  before.next_id = 100;
  before.clock_floor_ms = 9;
  gs_edit *edit = gs_edit_new(&f.alloc.base);
  gs_edit_set_facts(edit, &before);
  assert_int_equal(
      gs_manifest_state_apply(&f.state, gs_edit_encoding(edit), NULL, 0, NULL),
      GS_OK);
  gs_edit_free(edit);
  edit = gs_edit_new(&f.alloc.base);
  gs_edit_set_facts(edit, facts);
  gs_error err;
  gs_status status =
      gs_manifest_state_apply(&f.state, gs_edit_encoding(edit), NULL, 0, &err);
  assert_int_equal(status, complaint == NULL ? GS_OK : GS_CORRUPT);
  if (complaint != NULL) {
    assert_string_equal(err.message, complaint);
  }
  gs_edit_free(edit);
  state_kit_end(&f);
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
  state_kit f;
  state_kit_begin(&f);
  gs_edit *edit = state_text_edit(&f.alloc.base, "remove 5 9");
  for (int i = 0; i < 2; i++) {
    gs_manifest_state next;
    assert_int_equal(gs_manifest_state_prepare(&f.state, gs_edit_encoding(edit),
                                               NULL, 0, &next, NULL),
                     GS_OK);
    layout_expect(f.state.version, &f.alloc.base, state_kit_tree);
    if (i == 0) {
      gs_manifest_state_deinit(&next);
    } else {
      gs_manifest_state_adopt(&f.state, &next);
    }
  }
  layout_expect(f.state.version, &f.alloc.base,
                "run 7 L0: 12[a..f]#10-20 13[g..k]#12-19\n");
  gs_edit_free(edit);
  state_kit_end(&f);
}

static void
test_an_edit_that_finds_no_memory_changes_nothing(void **state)
{
  (void)state;
  state_kit f;
  state_kit_begin(&f);
  gs_edit *edit = state_text_edit(
      &f.alloc.base,
      "run 20 L0 top; add 20 30[a..b]#30-31; remove 7 12; remove 7 "
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
    gs_status status = gs_manifest_state_apply(&f.state, gs_edit_encoding(edit),
                                               NULL, 0, NULL);
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
  state_kit_end(&f);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_base_builds_everything_from_nothing),
      cmocka_unit_test(test_the_base_of_a_state_builds_the_same_state),
      cmocka_unit_test(test_numbers_stay_below_the_next_one),
      cmocka_unit_test(
          test_an_edit_that_leaves_the_tree_alone_keeps_the_version),
      cmocka_unit_test(test_segments_are_listed_in_rising_order),
      cmocka_unit_test(test_facts_never_go_back),
      cmocka_unit_test(test_a_store_stays_the_same_store),
      cmocka_unit_test(test_a_prepared_state_is_taken_over_or_let_go),
      cmocka_unit_test(test_an_edit_that_finds_no_memory_changes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
