/*
 * Tests of writing manifests: what is on the disk after each call, and what a
 * failure leaves. The sweeps over all failures are in manifest_crash_test.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>

#include <cmocka.h>

#include "tree/manifest_kit.h"
#include "tree/manifest_name.h"

typedef struct fixture {
  gs_sim *sim;
  gs_env *env;
  test_alloc alloc;
  gs_manifest_state state;
  gs_manifest *manifest;
} fixture;

/* State 0 in MANIFEST-000001. */
static void
begin(fixture *f)
{
  kit_begin();
  f->sim = kit_machine(1);
  f->env = gs_sim_env(f->sim);
  test_alloc_init(&f->alloc);
  assert_int_equal(gs_manifest_state_init(&f->state, &f->alloc.base, NULL),
                   GS_OK);
  assert_int_equal(state_text_apply(&f->state, kit_script[0], NULL), GS_OK);
  assert_int_equal(
      gs_manifest_create(f->env, KIT_DIR, 1, &f->state, &f->manifest, NULL),
      GS_OK);
}

static void
end(fixture *f)
{
  gs_manifest_close(f->manifest);
  gs_manifest_state_deinit(&f->state);
  assert_int_equal(f->alloc.live_bytes, 0);
  kit_free(f->sim);
}

static gs_status
append(fixture *f, const char *text)
{
  gs_edit *edit = state_text_edit(&f->alloc.base, text);
  gs_status status = gs_manifest_append(f->manifest, edit, NULL);
  gs_edit_free(edit);
  return status;
}

static void
fail_once(fixture *f, gs_sim_op op, gs_sync_failure mode)
{
  gs_sim_fault fault = {
      .op = op, .nth = 1, .times = 1, .os_errno = EIO, .sync_failure = mode};
  assert_int_equal(gs_sim_fail(f->sim, &fault, NULL), GS_OK);
}

/* The manifests there, as "1 2". */
static void
expect_numbers(fixture *f, const char *wanted)
{
  gs_manifest_list list;
  char text[100] = "";
  assert_int_equal(gs_manifest_list_init(&list, f->env, KIT_DIR, NULL), GS_OK);
  for (size_t i = 0; i < gs_manifest_list_count(&list); i++) {
    size_t used = strlen(text);
    snprintf(text + used, sizeof text - used, "%s%lu", i == 0 ? "" : " ",
             gs_manifest_list_at(&list, i));
  }
  gs_manifest_list_deinit(&list);
  assert_string_equal(text, wanted);
}

/* What is found on this machine and after a power cut. */
static void
expect_state(fixture *f, int number)
{
  gs_manifest_found found;
  gs_status status;
  assert_int_equal(kit_read(f->sim, &found, &status), number);
  assert_int_equal(status, GS_OK);
  gs_sim *crashed = gs_sim_crash(f->sim, GS_CRASH_SYNCED, 0);
  assert_int_equal(kit_read(crashed, &found, &status), number);
  assert_int_equal(status, GS_OK);
  kit_free(crashed);
}

static void
test_a_created_manifest_is_durable(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  expect_numbers(&f, "1");
  expect_state(&f, 0);
  assert_int_equal(gs_manifest_number(f.manifest), 1);
  assert_false(gs_manifest_is_doubtful(f.manifest));
  assert_int_equal(gs_manifest_bytes(f.manifest),
                   gs_manifest_base_bytes(f.manifest) + 48);
  end(&f);
}

static void
test_an_appended_edit_is_durable(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  uint64_t before = gs_manifest_bytes(f.manifest);
  assert_int_equal(append(&f, kit_script[1]), GS_OK);
  assert_true(gs_manifest_bytes(f.manifest) > before + 300);
  expect_state(&f, 1);
  assert_int_equal(append(&f, kit_script[2]), GS_OK);
  expect_state(&f, 2);
  end(&f);
}

static void
test_an_edit_without_memory_is_not_appended(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  gs_edit *edit = gs_edit_new(&f.alloc.base);
  f.alloc.allocations_left = 0;
  gs_edit_remove_segment(edit, 3);
  f.alloc.allocations_left = UINT64_MAX;
  assert_int_equal(gs_manifest_append(f.manifest, edit, NULL), GS_NOMEM);
  assert_false(gs_manifest_is_doubtful(f.manifest));
  gs_edit_free(edit);
  expect_state(&f, 0);
  end(&f);
}

static void
test_a_rewrite_leaves_one_new_file(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  assert_int_equal(append(&f, kit_script[1]), GS_OK);
  assert_int_equal(state_text_apply(&f.state, kit_script[1], NULL), GS_OK);
  assert_int_equal(gs_manifest_rewrite(f.manifest, &f.state, NULL), GS_OK);
  expect_numbers(&f, "2");
  assert_int_equal(gs_manifest_number(f.manifest), 2);
  expect_state(&f, 1);
  assert_int_equal(append(&f, kit_script[2]), GS_OK);
  expect_state(&f, 2);
  end(&f);
}

static void
test_a_new_manifest_takes_the_place_of_all_others(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  gs_manifest_close(f.manifest);
  assert_int_equal(gs_sim_replace(f.sim, KIT_DIR "/MANIFEST-000004",
                                  gs_slice_of(NULL, 0), NULL),
                   GS_OK);
  gs_error err;
  assert_int_equal(
      gs_manifest_create(f.env, KIT_DIR, 4, &f.state, &f.manifest, &err),
      GS_EXISTS);
  assert_string_equal(err.message,
                      "manifest 4 is there already, 4 cannot be made");
  assert_int_equal(
      gs_manifest_create(f.env, KIT_DIR, 3, &f.state, &f.manifest, NULL),
      GS_EXISTS);
  expect_numbers(&f, "1 4");
  assert_int_equal(
      gs_manifest_create(f.env, KIT_DIR, 5, &f.state, &f.manifest, NULL),
      GS_OK);
  expect_numbers(&f, "5");
  expect_state(&f, 0);
  end(&f);
}

static void
test_after_a_failed_append_only_a_rewrite_helps(void **state)
{
  (void)state;
  static const gs_sim_op ops[] = {GS_SIM_WRITE, GS_SIM_SYNC};
  for (size_t i = 0; i < 2; i++) {
    fixture f;
    begin(&f);
    fail_once(&f, ops[i], GS_SYNC_CLEAN);
    assert_int_equal(append(&f, kit_script[1]), GS_IO);
    assert_true(gs_manifest_is_doubtful(f.manifest));
    assert_int_equal(append(&f, kit_script[1]), GS_READONLY);
    assert_int_equal(gs_manifest_rewrite(f.manifest, &f.state, NULL), GS_OK);
    assert_false(gs_manifest_is_doubtful(f.manifest));
    assert_int_equal(append(&f, kit_script[1]), GS_OK);
    expect_numbers(&f, "2");
    expect_state(&f, 1);
    end(&f);
  }
}

/* The bytes of the failed edit are all there, and a later sync of anything
 * could have put them on the device. */
static void
test_an_edit_given_up_never_comes_back_after_a_rewrite(void **state)
{
  (void)state;
  static const gs_sync_failure modes[] = {GS_SYNC_CLEAN, GS_SYNC_REVERT,
                                          GS_SYNC_PENDING};
  for (size_t i = 0; i < 3; i++) {
    fixture f;
    begin(&f);
    fail_once(&f, GS_SIM_SYNC, modes[i]);
    assert_int_equal(append(&f, "level 1 9"), GS_IO);
    assert_int_equal(gs_manifest_rewrite(f.manifest, &f.state, NULL), GS_OK);
    expect_state(&f, 0);
    for (uint64_t choice = 0; choice < 30; choice++) {
      gs_sim *crashed = gs_sim_crash(f.sim, GS_CRASH_TORN, choice);
      gs_manifest_found found;
      gs_status status;
      assert_int_equal(kit_read(crashed, &found, &status), 0);
      kit_free(crashed);
    }
    end(&f);
  }
}

static void
test_a_failed_rewrite_leaves_the_old_manifest_in_use(void **state)
{
  (void)state;
  static const gs_sim_op ops[] = {GS_SIM_OPEN, GS_SIM_WRITE, GS_SIM_SYNC,
                                  GS_SIM_SYNC_DIR};
  for (size_t i = 0; i < 4; i++) {
    fixture f;
    begin(&f);
    fail_once(&f, ops[i], GS_SYNC_CLEAN);
    assert_int_equal(gs_manifest_rewrite(f.manifest, &f.state, NULL), GS_IO);
    assert_false(gs_manifest_is_doubtful(f.manifest));
    expect_numbers(&f, "1");
    assert_int_equal(append(&f, kit_script[1]), GS_OK);
    expect_state(&f, 1);
    end(&f);
  }
}

/* The new file may be found later, so the old one must not go on. */
static void
test_a_rewrite_that_cannot_be_taken_back_makes_doubtful(void **state)
{
  (void)state;
  static const gs_sim_op second[] = {GS_SIM_REMOVE, GS_SIM_SYNC_DIR};
  for (size_t i = 0; i < 2; i++) {
    fixture f;
    begin(&f);
    fail_once(&f, GS_SIM_SYNC_DIR, GS_SYNC_CLEAN);
    gs_sim_fault fault = {.op = second[i],
                          .nth = second[i] == GS_SIM_REMOVE ? 1 : 2,
                          .times = 1,
                          .os_errno = EIO};
    assert_int_equal(gs_sim_fail(f.sim, &fault, NULL), GS_OK);
    assert_int_equal(gs_manifest_rewrite(f.manifest, &f.state, NULL), GS_IO);
    assert_true(gs_manifest_is_doubtful(f.manifest));
    assert_int_equal(append(&f, kit_script[1]), GS_READONLY);
    assert_int_equal(gs_manifest_rewrite(f.manifest, &f.state, NULL), GS_OK);
    expect_numbers(&f, "3");
    assert_int_equal(append(&f, kit_script[1]), GS_OK);
    expect_state(&f, 1);
    end(&f);
  }
}

static void
test_no_edit_is_appended_beside_an_older_manifest(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  gs_sim_fault fault = {
      .op = GS_SIM_REMOVE, .nth = 1, .times = 2, .os_errno = EIO};
  assert_int_equal(gs_sim_fail(f.sim, &fault, NULL), GS_OK);
  assert_int_equal(gs_manifest_rewrite(f.manifest, &f.state, NULL), GS_OK);
  expect_numbers(&f, "1 2");
  assert_int_equal(append(&f, kit_script[1]), GS_IO);
  assert_false(gs_manifest_is_doubtful(f.manifest));
  expect_state(&f, 0);
  assert_int_equal(append(&f, kit_script[1]), GS_OK);
  expect_numbers(&f, "2");
  expect_state(&f, 1);
  end(&f);
}

static void
test_an_edit_whose_mark_fails_is_kept_and_the_next_needs_a_rewrite(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  gs_sim_fault fault = {
      .op = GS_SIM_WRITE, .nth = 2, .times = 1, .os_errno = EIO};
  assert_int_equal(gs_sim_fail(f.sim, &fault, NULL), GS_OK);
  assert_int_equal(append(&f, kit_script[1]), GS_OK);
  assert_true(gs_manifest_is_doubtful(f.manifest));
  expect_state(&f, 1);
  end(&f);
}

static void
test_a_failed_creation_leaves_no_file(void **state)
{
  (void)state;
  static const gs_sim_op ops[] = {GS_SIM_LIST, GS_SIM_OPEN, GS_SIM_WRITE,
                                  GS_SIM_SYNC, GS_SIM_SYNC_DIR};
  for (size_t i = 0; i < 5; i++) {
    fixture f;
    begin(&f);
    gs_manifest_close(f.manifest);
    f.manifest = NULL;
    fail_once(&f, ops[i], GS_SYNC_CLEAN);
    assert_int_equal(
        gs_manifest_create(f.env, KIT_DIR, 2, &f.state, &f.manifest, NULL),
        GS_IO);
    assert_null(f.manifest);
    expect_numbers(&f, "1");
    end(&f);
  }
}

static gs_status
write_all(fixture *f)
{
  gs_manifest *manifest = NULL;
  gs_status status =
      gs_manifest_create(f->env, KIT_DIR, 2, &f->state, &manifest, NULL);
  gs_edit *edit = state_text_edit(&f->alloc.base, kit_script[1]);
  if (status == GS_OK) {
    status = gs_manifest_append(manifest, edit, NULL);
  }
  if (status == GS_OK) {
    status = gs_manifest_rewrite(manifest, &f->state, NULL);
  }
  gs_edit_free(edit);
  gs_manifest_close(manifest);
  return status;
}

/* Some failures are made up for; none leaves anything behind, or a manifest
 * that is neither the one before nor the one after. */
static void
test_writing_without_memory_fails_cleanly(void **state)
{
  (void)state;
  int failures = 0;
  for (uint64_t nth = 1; nth <= 60; nth++) {
    fixture f;
    begin(&f);
    gs_manifest_close(f.manifest);
    f.manifest = NULL;
    gs_sim_fail_alloc(f.sim, nth, 1);
    gs_status status = write_all(&f);
    gs_sim_fail_alloc(f.sim, 0, 1);
    assert_true(status == GS_OK || status == GS_NOMEM || status == GS_READONLY);
    failures += status != GS_OK;
    gs_manifest_found found;
    int number = kit_read(f.sim, &found, &status);
    assert_int_equal(status, GS_OK);
    assert_in_range(number, 0, 1);
    end(&f);
  }
  assert_in_range(failures, 15, 50);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_created_manifest_is_durable),
      cmocka_unit_test(test_an_appended_edit_is_durable),
      cmocka_unit_test(test_an_edit_without_memory_is_not_appended),
      cmocka_unit_test(test_a_rewrite_leaves_one_new_file),
      cmocka_unit_test(test_a_new_manifest_takes_the_place_of_all_others),
      cmocka_unit_test(test_after_a_failed_append_only_a_rewrite_helps),
      cmocka_unit_test(test_an_edit_given_up_never_comes_back_after_a_rewrite),
      cmocka_unit_test(test_a_failed_rewrite_leaves_the_old_manifest_in_use),
      cmocka_unit_test(test_a_rewrite_that_cannot_be_taken_back_makes_doubtful),
      cmocka_unit_test(test_no_edit_is_appended_beside_an_older_manifest),
      cmocka_unit_test(
          test_an_edit_whose_mark_fails_is_kept_and_the_next_needs_a_rewrite),
      cmocka_unit_test(test_a_failed_creation_leaves_no_file),
      cmocka_unit_test(test_writing_without_memory_fails_cleanly),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
