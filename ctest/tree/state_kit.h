/*
 * state_kit: a state with two runs, two segments and a note, and what an edit
 * makes of it.
 *
 * Requires: cmocka.h, included before.
 */
#ifndef GS_CTEST_TREE_STATE_KIT_H
#define GS_CTEST_TREE_STATE_KIT_H

#include "tree/state_text.h"

typedef struct state_kit {
  test_alloc alloc;
  gs_manifest_state state;
} state_kit;

static const char state_kit_base[] =
    "next 100; run 7 L0 bottom; add 7 12[a..f]#10-20; add 7 13[g..k]#12-19; "
    "run 5 L1 bottom; add 5 9[a..z]#1-5; segment 3 4096; segment 4 8192; note "
    "9 hello";

static const char state_kit_tree[] = "run 7 L0: 12[a..f]#10-20 13[g..k]#12-19\n"
                                     "run 5 L1: 9[a..z]#1-5\n";

static inline void
state_kit_begin(state_kit *f)
{
  test_alloc_init(&f->alloc);
  assert_int_equal(gs_manifest_state_init(&f->state, &f->alloc.base, NULL),
                   GS_OK);
  assert_int_equal(state_text_apply(&f->state, state_kit_base, NULL), GS_OK);
}

static inline void
state_kit_end(state_kit *f)
{
  assert_int_equal(gs_version_verify(f->state.version, NULL), GS_OK);
  gs_manifest_state_deinit(&f->state);
  assert_int_equal(f->alloc.live_bytes, 0);
}

/* The base, then the edit, then this tree. */
static inline void
state_kit_expect_tree(const char *edit, const char *tree)
{
  state_kit f;
  state_kit_begin(&f);
  gs_error err = {0};
  if (state_text_apply(&f.state, edit, &err) != GS_OK) {
    fail_msg("%s", err.message);
  }
  layout_expect(f.state.version, &f.alloc.base, tree);
  state_kit_end(&f);
}

/* The base, then the edit, which is corrupt and changes nothing. */
static inline void
state_kit_expect_refusal(const char *edit, const char *complaint)
{
  state_kit f;
  state_kit_begin(&f);
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
  state_kit_end(&f);
}

#endif
