/*
 * Tests of reading manifests beside a writer: what was listed may be gone when
 * it is opened, and the new one was not listed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tree/manifest_kit.h"

/* A listing that is late: it has a manifest that went, so many times. */
static const gs_env_ops *plain_ops;
static int late_listings;

static int
list_late(gs_env *env, const char *dir, gs_name_visitor visit, void *context)
{
  if (late_listings > 0) {
    late_listings--;
    visit(context, "MANIFEST-000009");
  }
  return plain_ops->list(env, dir, visit, context);
}

/* Reads a store of one complete manifest through listings that are late. */
static gs_status
read_behind(int listings, gs_manifest_found *found)
{
  kit_begin();
  gs_sim *sim = kit_machine(1);
  gs_env *env = gs_sim_env(sim);
  gs_manifest *manifest = NULL;
  gs_manifest_state state;
  kit_run run = {KIT_NOTHING, KIT_NOTHING};
  assert_int_equal(gs_manifest_state_init(&state, env->alloc, NULL), GS_OK);
  assert_int_equal(kit_step(env, &manifest, &state, 0, 0, &run), GS_OK);
  gs_manifest_close(manifest);
  gs_env_ops ops = *env->ops;
  plain_ops = env->ops;
  ops.list = list_late;
  env->ops = &ops;
  late_listings = listings;
  gs_status status = gs_manifest_read(env, KIT_DIR, &state, found, NULL);
  env->ops = plain_ops;
  gs_manifest_state_deinit(&state);
  kit_free(sim);
  return status;
}

static void
test_a_manifest_that_went_is_looked_for_anew(void **state)
{
  (void)state;
  gs_manifest_found found;
  assert_int_equal(read_behind(3, &found), GS_OK);
  assert_int_equal(found.number, 1);
  assert_int_equal(late_listings, 0);
}

/* Nothing says that the store was not made to its end. */
static void
test_one_that_is_never_there_is_missing_and_no_more(void **state)
{
  (void)state;
  gs_manifest_found found;
  assert_int_equal(read_behind(100000, &found), GS_MISSING);
  assert_false(found.is_unmade);
  assert_true(late_listings > 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_manifest_that_went_is_looked_for_anew),
      cmocka_unit_test(test_one_that_is_never_there_is_missing_and_no_more),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
