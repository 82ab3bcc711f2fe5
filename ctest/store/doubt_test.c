/*
 * A saved version is in doubt where something newer may have been lost, and
 * only there.
 */
#include "store/doubt.h"

#include "care_kit.h"
#include "store/report.h"

static gs_loss
loss_of(const char *from, const char *to, uint64_t last_seq)
{
  return (gs_loss){.cause = GS_LOST_BLOCK,
                   .name = "f",
                   .from = gs_slice_str(from),
                   .to = gs_slice_str(to),
                   .has_to = to[0] != '\0',
                   .last_seq = last_seq};
}

static bool
ask(gs_doubt *doubt, const char *key, uint64_t seq, uint32_t place)
{
  gs_entry entry = {.key = gs_slice_str(key), .seq = seq};
  return gs_doubt_ask(doubt, &entry, place);
}

static void
test_doubt_ends_with_range_place_and_sequence(void **state)
{
  (void)state;
  gs_repair_report report = {.kind = 0};
  gs_doubt doubt;
  gs_report_init(&report.found, sim_machine_env->alloc);
  gs_doubt_init(&doubt, &report);
  gs_loss listed = loss_of("c", "f", 50);
  gs_loss wide = loss_of("", "", 20);
  KIT_OK(gs_doubt_add(&doubt, &listed, 2, &kit_err));
  KIT_OK(gs_doubt_add(&doubt, &wide, GS_PLACE_UNKNOWN, &kit_err));
  KIT_OK(gs_doubt_begin(&doubt, &kit_err));
  assert_true(ask(&doubt, "a", 10, 1));  /* older than what all may lack */
  assert_false(ask(&doubt, "b", 30, 3)); /* no range holds it */
  assert_true(ask(&doubt, "c", 30, 3));
  assert_false(ask(&doubt, "d", 30, 2)); /* the same place, or a newer one */
  assert_false(ask(&doubt, "da", 30, 1));
  assert_false(ask(&doubt, "e", 60, 3)); /* newer than anything lost there */
  assert_false(ask(&doubt, "f", 30, 3)); /* behind it */
  assert_int_equal(report.losses[0].uncertain_keys, 1);
  assert_int_equal(report.losses[1].uncertain_keys, 1);
  gs_doubt_deinit(&doubt);
  gs_repair_report_deinit(&report);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_doubt_ends_with_range_place_and_sequence),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
