/*
 * Fuzz target of manifest edits. The input is applied, as it is and as a list
 * of bytes to change in a sound edit, to a state with a small tree in which
 * nearly every number is free to be used. Checked: no access outside the input
 * (by the sanitizers); a refused edit changes nothing; an accepted one leaves
 * runs in order, and a state whose base builds the same state again.
 */
#include "fuzz/target.h"
#include "support/test_alloc.h"
#include "tree/edit.h"

static void
add_table(gs_edit *edit, uint64_t run, uint64_t id, const char *min,
          const char *max)
{
  gs_table_meta meta = {.id = id,
                        .min_seq = 1,
                        .max_seq = 9,
                        .min_key = gs_slice_str(min),
                        .max_key = gs_slice_str(max)};
  gs_edit_add_table(edit, run, &meta);
}

static void
apply(gs_manifest_state *state, gs_edit *edit)
{
  REQUIRE(gs_manifest_state_apply(state, gs_edit_encoding(edit), NULL, 0,
                                  NULL) == GS_OK);
  gs_edit_free(edit);
}

/* Two runs, three tables, two segments, a note; every number is free. */
static void
build(gs_manifest_state *state, gs_alloc *alloc)
{
  REQUIRE(gs_manifest_state_init(state, alloc, NULL) == GS_OK);
  gs_edit *edit = gs_edit_new(alloc);
  REQUIRE(edit != NULL);
  gs_store_facts facts = {.store_kind = 1, .next_id = UINT64_MAX};
  gs_edit_set_facts(edit, &facts);
  gs_edit_add_run(edit, 1, 0, GS_PLACE_BOTTOM, 0);
  gs_edit_add_run(edit, 2, 1, GS_PLACE_BOTTOM, 0);
  add_table(edit, 1, 3, "a", "c");
  add_table(edit, 1, 4, "e", "g");
  add_table(edit, 2, 5, "", "z");
  gs_segment segment = {6, 4096, 60};
  gs_edit_add_segment(edit, &segment);
  segment.number = 7;
  gs_edit_add_segment(edit, &segment);
  gs_edit_set_note(edit, gs_slice_str("note"), 8);
  apply(state, edit);
}

/* The state as the bytes of its base. */
static gs_edit *
base_of(const gs_manifest_state *state, gs_alloc *alloc)
{
  gs_edit *edit = gs_edit_new(alloc);
  REQUIRE(edit != NULL);
  REQUIRE(gs_manifest_state_base(state, edit, NULL) == GS_OK);
  return edit;
}

static void
require_same_base(const gs_manifest_state *state, const gs_edit *base,
                  gs_alloc *alloc)
{
  gs_edit *now = base_of(state, alloc);
  REQUIRE(gs_slice_equal(gs_edit_encoding(now), gs_edit_encoding(base)));
  gs_edit_free(now);
}

static void
check_accepted(const gs_manifest_state *state, gs_alloc *alloc)
{
  gs_manifest_state again;
  for (size_t i = 0; i < state->version->run_count; i++) {
    REQUIRE(gs_run_verify(state->version->runs[i], NULL) == GS_OK);
  }
  gs_edit *base = base_of(state, alloc);
  REQUIRE(gs_manifest_state_init(&again, alloc, NULL) == GS_OK);
  REQUIRE(gs_manifest_state_apply(&again, gs_edit_encoding(base), NULL, 0,
                                  NULL) == GS_OK);
  require_same_base(&again, base, alloc);
  gs_manifest_state_deinit(&again);
  gs_edit_free(base);
}

static void
apply_to_tree(gs_slice encoding, gs_alloc *alloc)
{
  gs_manifest_state state;
  build(&state, alloc);
  gs_edit *before = base_of(&state, alloc);
  gs_status status = gs_manifest_state_apply(&state, encoding, NULL, 0, NULL);
  if (status == GS_OK) {
    check_accepted(&state, alloc);
  } else {
    REQUIRE(status == GS_CORRUPT || status == GS_VERSION);
    require_same_base(&state, before, alloc);
  }
  gs_edit_free(before);
  gs_manifest_state_deinit(&state);
}

static void
dump(gs_slice encoding, gs_alloc *alloc)
{
  gs_buffer out;
  gs_buffer_init(&out, alloc);
  gs_status status = gs_edit_dump(encoding, &out, NULL);
  REQUIRE(status == GS_OK || status == GS_CORRUPT || status == GS_VERSION);
  gs_buffer_deinit(&out);
}

/* One record of each kind; it fits the tree. */
static gs_edit *
sound_edit(gs_alloc *alloc)
{
  gs_edit *edit = gs_edit_new(alloc);
  REQUIRE(edit != NULL);
  gs_edit_remove_table(edit, 1, 3);
  gs_edit_add_run(edit, 10, 2, GS_PLACE_ABOVE, 2);
  gs_edit_set_level(edit, 2, 3);
  add_table(edit, 10, 3, "a", "c");
  add_table(edit, 1, 11, "h", "i");
  gs_edit_remove_segment(edit, 6);
  gs_segment segment = {12, 4096, 120};
  gs_edit_add_segment(edit, &segment);
  gs_edit_set_note(edit, gs_slice_str("more"), 13);
  return edit;
}

/* Each three bytes of the input are a place and what is put there. */
static void
apply_changed(const uint8_t *data, size_t size, gs_alloc *alloc)
{
  gs_buffer changed;
  gs_buffer_init(&changed, alloc);
  gs_edit *edit = sound_edit(alloc);
  gs_buffer_append_slice(&changed, gs_edit_encoding(edit));
  gs_edit_free(edit);
  for (size_t i = 0; i + 3 <= size; i += 3) {
    size_t at = (data[i] + 256u * data[i + 1]) % changed.size;
    changed.data[at] = data[i + 2];
  }
  apply_to_tree(gs_buffer_slice(&changed), alloc);
  gs_buffer_deinit(&changed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  test_alloc alloc;
  test_alloc_init(&alloc);
  dump(gs_slice_of(data, size), &alloc.base);
  apply_to_tree(gs_slice_of(data, size), &alloc.base);
  apply_changed(data, size, &alloc.base);
  REQUIRE(alloc.live_bytes == 0);
  return 0;
}
