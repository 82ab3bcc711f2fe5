/*
 * A log is sound, torn or damaged, and the first wrong place is named.
 */
#include "store/log_check.h"

#include "care_kit.h"
#include "data/batch.h"
#include "store/report.h"
#include "wal/writer.h"

enum { FILE_BYTES = 8192 };

static const gs_log_identity identity = {.salt = 99, .number = 5};

/* Two batches, the second of which says that the first was synced. */
static void
write_log(uint64_t ends[2], bool says_more)
{
  gs_log_writer *writer = NULL;
  gs_batch batch;
  gs_log_header header = {
      .kind = GS_LOG_WAL, .number = identity.number, .salt = identity.salt};
  KIT_OK(gs_log_prepare(sim_machine_env, "/000005.wal", FILE_BYTES, &writer,
                        &kit_err));
  KIT_OK(gs_log_start(writer, &header, &kit_err));
  gs_batch_init(&batch, sim_machine_env->alloc);
  gs_batch_set_now(&batch, 1);
  gs_batch_put(&batch, gs_slice_str("key"), gs_slice_str("value"), 0);
  for (uint64_t i = 0; i < 2; i++) {
    uint32_t count = says_more && i == 1 ? 7 : 1;
    KIT_OK(gs_log_append(writer, GS_FRAME_BATCH, i + 1, count,
                         gs_buffer_slice(&batch.bytes), &kit_err));
    ends[i] = gs_log_written_bytes(writer);
    KIT_OK(gs_log_sync(writer, &kit_err));
    gs_log_mark_durable(writer, ends[i]);
  }
  gs_batch_deinit(&batch);
  gs_log_close(writer);
}

static gs_file_report
check(gs_verify_report *report)
{
  gs_file_report *file;
  gs_log_check look = {
      .env = sim_machine_env, .path = "/000005.wal", .listed = &identity};
  gs_report_init(report, sim_machine_env->alloc);
  KIT_OK(gs_report_file(report, "000005.wal", GS_FILE_SEGMENT, FILE_BYTES,
                        &file, &kit_err));
  KIT_OK(gs_log_check_file(&look, report, file, &kit_err));
  return *file;
}

static void
spoil(uint64_t offset, size_t size)
{
  gs_buffer bytes;
  gs_buffer_init(&bytes, sim_machine_env->alloc);
  KIT_OK(gs_sim_read(sim_machine, "/000005.wal", &bytes, &kit_err));
  memset(bytes.data + offset, 0xA5, size);
  KIT_OK(gs_sim_replace(sim_machine, "/000005.wal", gs_buffer_slice(&bytes),
                        &kit_err));
  gs_buffer_deinit(&bytes);
}

static void
expect(gs_file_state wanted, uint64_t offset)
{
  gs_verify_report report;
  gs_file_report file = check(&report);
  assert_int_equal(file.state, wanted);
  if (wanted != GS_STATE_SOUND) {
    assert_true(file.has_offset);
    assert_int_equal(file.offset, offset);
  }
  gs_verify_report_deinit(&report);
}

static void
test_entries_of_a_sound_log_are_counted(void **state)
{
  (void)state;
  uint64_t ends[2];
  gs_verify_report report;
  write_log(ends, false);
  gs_file_report file = check(&report);
  assert_int_equal(file.state, GS_STATE_SOUND);
  assert_int_equal(file.entries, 2);
  gs_verify_report_deinit(&report);
}

static void
test_one_wrong_bit_is_damage_though_reading_mends_it(void **state)
{
  (void)state;
  uint64_t ends[2];
  write_log(ends, false);
  KIT_OK(gs_sim_flip(sim_machine, "/000005.wal", (ends[0] + 50) * 8, &kit_err));
  expect(GS_STATE_DAMAGED, ends[0]);
  KIT_OK(gs_sim_flip(sim_machine, "/000005.wal", (ends[0] + 50) * 8, &kit_err));
  KIT_OK(gs_sim_flip(sim_machine, "/000005.wal", 70 * 8, &kit_err));
  expect(GS_STATE_DAMAGED, 0);
}

static void
test_what_was_durable_is_damaged_and_the_rest_is_torn(void **state)
{
  (void)state;
  uint64_t ends[2];
  write_log(ends, false);
  spoil(ends[0] + 60, 4);
  expect(GS_STATE_TORN, ends[0]);
  spoil(4096 + 60, 4);
  expect(GS_STATE_DAMAGED, 4096);
}

static void
test_a_batch_must_hold_what_its_frame_says(void **state)
{
  (void)state;
  uint64_t ends[2];
  write_log(ends, true);
  expect(GS_STATE_DAMAGED, ends[0]);
}

static void
test_a_log_that_is_gone_is_missing(void **state)
{
  (void)state;
  gs_verify_report report;
  assert_int_equal(check(&report).state, GS_STATE_MISSING);
  gs_verify_report_deinit(&report);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_entries_of_a_sound_log_are_counted),
      KIT_TEST(test_one_wrong_bit_is_damage_though_reading_mends_it),
      KIT_TEST(test_what_was_durable_is_damaged_and_the_rest_is_torn),
      KIT_TEST(test_a_batch_must_hold_what_its_frame_says),
      KIT_TEST(test_a_log_that_is_gone_is_missing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
