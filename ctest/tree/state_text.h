/*
 * state_text: edits written as text, and what a state looks like afterwards.
 *
 *   edit := item (";" item)*
 *   item := "next" id | "run" id "L" level place | "level" run level |
 *           "add" run table | "remove" run table | "segment" number bytes |
 *           "unsegment" number | "note" seq text | "flushed" seq | "clean"
 *   place := "top" | "bottom" | "above" run
 *   table := id "[" min ".." max "]" ["#" min "-" max]
 *
 * A segment's salt is eleven times its number. The facts of a store of kind 1
 * with salt 77 go with "next", "flushed" and "clean". Text that does not parse fails the test.
 *
 * Requires: cmocka.h, included before.
 */
#ifndef GS_CTEST_TREE_STATE_TEXT_H
#define GS_CTEST_TREE_STATE_TEXT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test_alloc.h"
#include "tree/edit.h"
#include "tree/layout.h"

static inline gs_store_facts
state_text_facts(void)
{
  return (gs_store_facts){
      .store_id = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}},
      .store_kind = 1,
      .salt = 77,
      .incarnation = 1,
      .next_id = 1000,
  };
}

static inline uint64_t
state_text_number(const char **text)
{
  char *end;
  uint64_t number = strtoull(*text, &end, 10);
  assert_ptr_not_equal(end, *text);
  *text = end + strspn(end, " ");
  return number;
}

/* Whether the word stands there; then the text goes on behind it. */
static inline bool
state_text_word(const char **text, const char *word)
{
  size_t size = strlen(word);
  if (strncmp(*text, word, size) != 0) {
    return false;
  }
  *text += size + strspn(*text + size, " ");
  return true;
}

static inline void
state_text_run(gs_edit *edit, const char **text)
{
  uint64_t id = state_text_number(text);
  assert_true(state_text_word(text, "L"));
  uint32_t level = (uint32_t)state_text_number(text);
  if (state_text_word(text, "top")) {
    gs_edit_add_run(edit, id, level, GS_PLACE_TOP, 0);
  } else if (state_text_word(text, "bottom")) {
    gs_edit_add_run(edit, id, level, GS_PLACE_BOTTOM, 0);
  } else {
    assert_true(state_text_word(text, "above"));
    gs_edit_add_run(edit, id, level, GS_PLACE_ABOVE, state_text_number(text));
  }
}

static inline void
state_text_table(gs_edit *edit, const char **text)
{
  test_alloc alloc;
  test_alloc_init(&alloc);
  uint64_t run = state_text_number(text);
  gs_tree_table *table;
  *text = layout_table(&alloc.base, *text, &table);
  *text += strspn(*text, " ");
  gs_edit_add_table(edit, run, &table->meta);
  gs_tree_table_unref(table);
}

static inline void
state_text_note(gs_edit *edit, const char **text)
{
  uint64_t seq = state_text_number(text);
  size_t size = strcspn(*text, ";");
  gs_edit_set_note(edit, gs_slice_of(*text, size), seq);
  *text += size;
}

/* One item; false where it is about the facts. */
static inline bool
state_text_item(gs_edit *edit, const char **text, gs_store_facts *facts)
{
  if (state_text_word(text, "next")) {
    facts->next_id = state_text_number(text);
    return false;
  }
  if (state_text_word(text, "flushed")) {
    facts->flushed_seq = state_text_number(text);
    return false;
  }
  if (state_text_word(text, "clean")) {
    facts->is_clean = true;
    return false;
  }
  if (state_text_word(text, "run")) {
    state_text_run(edit, text);
  } else if (state_text_word(text, "level")) {
    uint64_t run = state_text_number(text);
    gs_edit_set_level(edit, run, (uint32_t)state_text_number(text));
  } else if (state_text_word(text, "add")) {
    state_text_table(edit, text);
  } else if (state_text_word(text, "remove")) {
    uint64_t run = state_text_number(text);
    gs_edit_remove_table(edit, run, state_text_number(text));
  } else if (state_text_word(text, "segment")) {
    gs_segment segment = {.number = state_text_number(text)};
    segment.allocated_bytes = state_text_number(text);
    segment.salt = segment.number * 11;
    gs_edit_add_segment(edit, &segment);
  } else if (state_text_word(text, "unsegment")) {
    gs_edit_remove_segment(edit, state_text_number(text));
  } else {
    assert_true(state_text_word(text, "note"));
    state_text_note(edit, text);
  }
  return true;
}

/* Free with gs_edit_free. */
static inline gs_edit *
state_text_edit(gs_alloc *alloc, const char *text)
{
  gs_edit *edit = gs_edit_new(alloc);
  assert_non_null(edit);
  gs_store_facts facts = state_text_facts();
  bool has_facts = false;
  while (*text != '\0') {
    has_facts = !state_text_item(edit, &text, &facts) || has_facts;
    text += strspn(text, "; ");
  }
  if (has_facts) {
    gs_edit_set_facts(edit, &facts);
  }
  assert_int_equal(gs_edit_status(edit, NULL), GS_OK);
  return edit;
}

static inline gs_status
state_text_apply(gs_manifest_state *state, const char *text, gs_error *err)
{
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_edit *edit = state_text_edit(&alloc.base, text);
  gs_status status =
      gs_manifest_state_apply(state, gs_edit_encoding(edit), NULL, 0, err);
  gs_edit_free(edit);
  assert_int_equal(alloc.live_bytes, 0);
  return status;
}

/* The whole state as text: its base, dumped. */
static inline void
state_text_dump(const gs_manifest_state *state, gs_buffer *out)
{
  gs_edit *edit = gs_edit_new(out->alloc);
  assert_non_null(edit);
  assert_int_equal(gs_manifest_state_base(state, edit, NULL), GS_OK);
  gs_buffer_clear(out);
  assert_int_equal(gs_edit_dump(gs_edit_encoding(edit), out, NULL), GS_OK);
  gs_buffer_append(out, "", 1);
  gs_edit_free(edit);
}

#endif
