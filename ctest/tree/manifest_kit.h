/*
 * manifest_kit: a script of changes to a store's manifest, run on simulated
 * machines that fail, and the question which of its states is found after.
 *
 * Model: state 0 is the base; edit k makes state k of state k-1. A run counts
 * what it was told: `acked` is the last state that a call said was durable,
 * `issued` the last state it asked for. What a later open may find lies between
 * the two.
 * Threads: one.
 */
#ifndef GS_CTEST_TREE_MANIFEST_KIT_H
#define GS_CTEST_TREE_MANIFEST_KIT_H

#include "env/env.h"
#include "env/sim.h"
#include "tree/manifest.h"
#include "tree/state_text.h"

#define KIT_DIR "/db"

/* Larger than a sector. */
static const char kit_last_edit[] =
    "run 5 L0 top; flushed 23; add 5 20[a..b]#20-21; add 5 21[c..d]#20-22; "
    "add 5 22[e..f]#20-23";

/* "" is a rewrite. */
static const char *const kit_script[] = {
    "next 1000; run 1 L0 bottom; add 1 12[a..f]#1-9; segment 3 4096",
    "run 2 L0 top; add 2 13[b..c]#10-12; flushed 12",
    "remove 1 12; add 1 14[a..e]#1-9; note 12 hello",
    "",
    "level 1 3; segment 4 4096; unsegment 3",
    "",
    kit_last_edit,
};

enum {
  KIT_STEPS = sizeof kit_script / sizeof kit_script[0],
  KIT_TEXT_BYTES = 2048,
  KIT_NOTHING = -1, /* the state before the base */
};

/* The text of each state, and how many there are. */
static char kit_states[KIT_STEPS][KIT_TEXT_BYTES];
static int kit_state_count;

typedef struct kit_run {
  int acked;
  int issued;
} kit_run;

static inline void
kit_text_of(const gs_manifest_state *state, char *text)
{
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_buffer out;
  gs_buffer_init(&out, &alloc.base);
  state_text_dump(state, &out);
  assert_true(out.size <= KIT_TEXT_BYTES);
  memcpy(text, out.data, out.size);
  gs_buffer_deinit(&out);
}

/* Works out the states; once per program. */
static inline void
kit_begin(void)
{
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_manifest_state state;
  assert_int_equal(gs_manifest_state_init(&state, &alloc.base, NULL), GS_OK);
  kit_state_count = 0;
  for (int i = 0; i < KIT_STEPS; i++) {
    if (kit_script[i][0] != '\0') {
      assert_int_equal(state_text_apply(&state, kit_script[i], NULL), GS_OK);
      kit_text_of(&state, kit_states[kit_state_count++]);
    }
  }
  gs_manifest_state_deinit(&state);
  assert_int_equal(alloc.live_bytes, 0);
}

/* A machine with the store's directory, durable. */
static inline gs_sim *
kit_machine(uint64_t seed)
{
  gs_sim *sim = gs_sim_new(seed);
  gs_env *env = gs_sim_env(sim);
  assert_int_equal(gs_env_make_dir(env, KIT_DIR, NULL), GS_OK);
  assert_int_equal(gs_env_sync_dir(env, "/", NULL), GS_OK);
  return sim;
}

/* Everything a run opened is closed and given back. */
static inline void
kit_free(gs_sim *sim)
{
  assert_int_equal(gs_sim_allocated_bytes(sim), 0);
  gs_sim_free(sim);
}

/* Makes the edit durable, as a store does: a doubtful manifest is rewritten
 * first. `tries` more attempts follow a failure. */
static inline gs_status
kit_append(gs_manifest *manifest, const gs_manifest_state *state,
           const gs_edit *edit, int tries)
{
  gs_status status = GS_OK;
  for (int i = 0; i <= tries; i++) {
    status = GS_OK;
    if (gs_manifest_is_doubtful(manifest)) {
      status = gs_manifest_rewrite(manifest, state, NULL);
    }
    if (status == GS_OK) {
      status = gs_manifest_append(manifest, edit, NULL);
    }
    if (status == GS_OK) {
      break;
    }
  }
  return status;
}

static inline gs_status
kit_rewrite(gs_manifest *manifest, const gs_manifest_state *state, int tries)
{
  gs_status status = gs_manifest_rewrite(manifest, state, NULL);
  while (status != GS_OK && tries-- > 0) {
    status = gs_manifest_rewrite(manifest, state, NULL);
  }
  return status;
}

/* One step on a machine that may fail; memory for state and edit is the
 * test's own. */
static inline gs_status
kit_step(gs_env *env, gs_manifest **manifest, gs_manifest_state *state,
         int step, int tries, kit_run *run)
{
  const char *text = kit_script[step];
  if (text[0] == '\0') {
    return kit_rewrite(*manifest, state, tries);
  }
  gs_edit *edit = state_text_edit(state->alloc, text);
  gs_status status = GS_OK;
  run->issued++;
  if (step > 0) {
    status = kit_append(*manifest, state, edit, tries);
  }
  if (status == GS_OK) {
    assert_int_equal(
        gs_manifest_state_apply(state, gs_edit_encoding(edit), NULL, 0, NULL),
        GS_OK);
  }
  for (int i = 0; step == 0 && i <= tries; i++) {
    status = gs_manifest_create(env, KIT_DIR, 1, state, manifest, NULL);
    if (status == GS_OK) {
      break;
    }
    GS_IGNORE(gs_env_remove(env, KIT_DIR "/MANIFEST-000001", NULL),
              "it is gone as a rule");
  }
  run->acked += status == GS_OK;
  gs_edit_free(edit);
  return status;
}

/* Runs the script until a step fails for good. */
static inline kit_run
kit_run_script(gs_sim *sim, int tries)
{
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_manifest_state state;
  assert_int_equal(gs_manifest_state_init(&state, &alloc.base, NULL), GS_OK);
  gs_manifest *manifest = NULL;
  kit_run run = {KIT_NOTHING, KIT_NOTHING};
  gs_status status = GS_OK;
  for (int step = 0; step < KIT_STEPS && status == GS_OK; step++) {
    status = kit_step(gs_sim_env(sim), &manifest, &state, step, tries, &run);
  }
  gs_manifest_close(manifest);
  gs_manifest_state_deinit(&state);
  assert_int_equal(alloc.live_bytes, 0);
  return run;
}

/* The number of the state that is read, KIT_NOTHING for GS_MISSING; *status
 * for anything else. */
static inline int
kit_read(gs_sim *sim, gs_manifest_found *found, gs_status *status)
{
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_manifest_state state;
  assert_int_equal(gs_manifest_state_init(&state, &alloc.base, NULL), GS_OK);
  gs_error err = {0};
  *status = gs_manifest_read(gs_sim_env(sim), KIT_DIR, &state, found, &err);
  int number = KIT_NOTHING;
  if (*status == GS_OK) {
    char text[KIT_TEXT_BYTES];
    kit_text_of(&state, text);
    for (number = 0; number < kit_state_count; number++) {
      if (strcmp(text, kit_states[number]) == 0) {
        break;
      }
    }
    assert_true(number < kit_state_count);
    assert_int_equal(gs_version_verify(state.version, NULL), GS_OK);
  }
  gs_manifest_state_deinit(&state);
  assert_int_equal(alloc.live_bytes, 0);
  return number;
}

/* Reads, and fails the test unless what is found is what may be. */
static inline int
kit_expect(gs_sim *sim, const kit_run *run, gs_manifest_found *found)
{
  gs_status status;
  int number = kit_read(sim, found, &status);
  if (status == GS_MISSING) {
    assert_int_equal(run->acked, KIT_NOTHING);
  } else {
    assert_int_equal(status, GS_OK);
    assert_in_range(number + 1, run->acked + 1, run->issued + 1);
  }
  return number;
}

#endif
