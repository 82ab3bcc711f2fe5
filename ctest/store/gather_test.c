/*
 * Everything comes once for each place it stands in, in internal order.
 */
#include "store/gather.h"

#include "remains_kit.h"

static void
test_tables_and_log_come_in_one_order(void **state)
{
  (void)state;
  static const int bounds[][2] = {{1, 40}, {20, 60}, {70, 90}, {30, 75}};
  gs_remains made[4];
  gs_remains *tables[4];
  gs_buffer keys;
  gs_buffer_init(&keys, sim_machine_env->alloc);
  size_t total = 0;
  for (size_t i = 0; i < 4; i++) {
    remains_write(i + 1, bounds[i][0], bounds[i][1], i * 1000, &keys);
    remains_read(&made[i], i + 1, NULL);
    made[i].place = (uint32_t)(4 - i);
    tables[i] = &made[i];
    total += made[i].entries;
  }
  gs_entry log[3] = {
      {.key = gs_slice_str("a"), .seq = 9000, .kind = GS_KIND_DELETE},
      {.key = gs_slice_str("k030"), .seq = 9001, .kind = GS_KIND_PUT},
      {.key = gs_slice_str("z"), .seq = 9002, .kind = GS_KIND_PUT},
  };
  gs_gather g;
  gs_gather_init(&g, sim_machine_env, tables, 4, log, 3);
  char last[8] = "";
  uint64_t last_seq = 0;
  size_t count = 0;
  gs_entry entry;
  uint32_t place;
  gs_status status;
  while ((status = gs_gather_next(&g, &entry, &place, &kit_err)) == GS_OK) {
    char key[8];
    snprintf(key, sizeof key, "%.*s", (int)entry.key.size,
             (const char *)entry.key.data);
    int order = strcmp(last, key);
    assert_true(order < 0 || (order == 0 && entry.seq < last_seq));
    assert_int_equal(place, entry.seq >= 9000 ? 0 : 4 - entry.seq / 1000);
    memcpy(last, key, sizeof last);
    last_seq = entry.seq;
    count++;
  }
  assert_int_equal(status, GS_ABSENT);
  assert_int_equal(count, total + 3);
  gs_gather_deinit(&g);
  for (size_t i = 0; i < 4; i++) {
    gs_remains_deinit(&made[i]);
  }
  gs_buffer_deinit(&keys);
}

static void
test_a_file_that_changes_meanwhile_is_noticed(void **state)
{
  (void)state;
  gs_remains made;
  gs_remains *table = &made;
  gs_buffer keys;
  gs_entry entry;
  uint32_t place;
  gs_gather g;
  gs_buffer_init(&keys, sim_machine_env->alloc);
  remains_write(1, 1, 40, 0, &keys);
  remains_read(&made, 1, NULL);
  remains_spoil(100, 8);
  gs_gather_init(&g, sim_machine_env, &table, 1, NULL, 0);
  assert_int_equal(gs_gather_next(&g, &entry, &place, &kit_err), GS_CORRUPT);
  gs_gather_deinit(&g);
  gs_remains_deinit(&made);
  gs_buffer_deinit(&keys);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_tables_and_log_come_in_one_order),
      KIT_TEST(test_a_file_that_changes_meanwhile_is_noticed),
  };
  int failed = 0;
  for (int codec = 0; codec < GS_CODECS; codec++) {
    remains_codec = (gs_codec)codec;
    failed += cmocka_run_group_tests(tests, NULL, NULL);
  }
  return failed;
}
