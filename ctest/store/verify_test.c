/*
 * Verification reads every byte and says where the first wrong one is.
 */
#include "store_kit.h"

/* Path and size of the newest table. */
static uint64_t
newest_table(gs_store *store, char path[64])
{
  gs_shape *shape = NULL;
  KIT_OK(gs_shape_new(store, &shape, &kit_err));
  uint64_t bytes = kit_table(shape, 0, 0).bytes;
  snprintf(path, 64, "/db/%06llu.sst",
           (unsigned long long)kit_table(shape, 0, 0).id);
  gs_shape_free(shape);
  return bytes;
}

static void
test_a_sound_store_is_found_sound_in_memory_and_on_disk(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  KIT_OK(gs_verify(store, &kit_err));
  kit_fill(store, "k", 1, 500);
  KIT_OK(gs_verify(store, &kit_err));
  KIT_OK(gs_compact(store, NULL, &kit_err));
  KIT_OK(gs_verify(store, &kit_err));
  kit_close(store);
}

/* Opening refuses some damage; all else is found by looking at every byte. */
static void
test_no_byte_of_a_table_can_change_unnoticed(void **state)
{
  (void)state;
  char path[64];
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 12);
  KIT_OK(gs_flush(store, &kit_err));
  uint64_t bytes = newest_table(store, path);
  kit_close(store);
  for (uint64_t byte = 0; byte < bytes; byte++) {
    uint64_t bit = byte * 8 + byte % 8;
    KIT_OK(gs_sim_flip(sim_machine, path, bit, &kit_err));
    gs_status status = gs_open("/db", &options, &store, &kit_err);
    if (status == GS_OK) {
      status = gs_verify(store, &kit_err);
      kit_close(store);
    }
    if (status != GS_CORRUPT && status != GS_VERSION) {
      fail_msg("a flip in byte %llu of %llu: %s", (unsigned long long)byte,
               (unsigned long long)bytes, gs_status_code(status));
    }
    KIT_OK(gs_sim_flip(sim_machine, path, bit, &kit_err));
  }
}

static void
test_a_table_found_damaged_is_not_touched_by_plans(void **state)
{
  (void)state;
  char path[64];
  gs_options options = kit_options();
  options.has_policy = true;
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 12);
  KIT_OK(gs_flush(store, &kit_err));
  newest_table(store, path);
  kit_close(store);
  KIT_OK(gs_sim_flip(sim_machine, path, 3000, &kit_err));
  store = kit_open(&options);
  assert_int_equal(gs_verify(store, &kit_err), GS_CORRUPT);
  gs_shape *shape = NULL;
  KIT_OK(gs_shape_new(store, &shape, &kit_err));
  gs_plan plan = {
      .op = GS_PLAN_MERGE,
      .target = GS_TARGET_INTO,
      .run_id = shape->runs[0].id,
      .level = -1,
      .inputs = &(uint64_t){kit_table(shape, 0, 0).id},
      .input_count = 1,
  };
  gs_refusal refusal;
  assert_int_equal(gs_submit(store, &plan, true, NULL, &refusal, &kit_err),
                   GS_REFUSED);
  assert_int_equal(refusal.code, GS_REFUSAL_BUSY_TABLE);
  gs_shape_free(shape);
  kit_close(store);
}

static void
damage_manifest(void *context, const char *path, uint64_t size)
{
  (void)context;
  if (strstr(path, "MANIFEST") != NULL) {
    KIT_OK(gs_sim_flip(sim_machine, path, (size - 100) * 8, &kit_err));
  }
}

static void
test_a_manifest_that_rots_under_an_open_store_is_noticed(void **state)
{
  (void)state;
  gs_options options = kit_options();
  gs_store *store = kit_open(&options);
  kit_fill(store, "k", 1, 12);
  KIT_OK(gs_flush(store, &kit_err));
  KIT_OK(gs_verify(store, &kit_err));
  gs_sim_files(sim_machine, damage_manifest, NULL);
  assert_int_equal(gs_verify(store, &kit_err), GS_CORRUPT);
  gs_sim_files(sim_machine, damage_manifest, NULL);
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_sound_store_is_found_sound_in_memory_and_on_disk),
      KIT_TEST(test_no_byte_of_a_table_can_change_unnoticed),
      KIT_TEST(test_a_table_found_damaged_is_not_touched_by_plans),
      KIT_TEST(test_a_manifest_that_rots_under_an_open_store_is_noticed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
