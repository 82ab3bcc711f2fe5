/*
 * Of a damaged log every batch remains that stands in its place.
 */
#include "store/log_remains.h"

#include "data/batch.h"
#include "store_kit.h"
#include "wal/writer.h"

enum { FRAMES = 20, SALT = 99, NUMBER = 5, FILE_BYTES = 16384 };

static gs_log_identity identity = {.salt = SALT, .number = NUMBER};

/* Twenty batches of one put each, sequences 1 to 20; the note with the tenth. */
static void
write_frames(uint64_t ends[FRAMES], bool has_mark)
{
  gs_log_writer *writer = NULL;
  gs_batch batch;
  gs_log_header header = {.kind = GS_LOG_WAL, .number = NUMBER, .salt = SALT};
  KIT_OK(
      gs_log_prepare(sim_machine_env, "/log", FILE_BYTES, &writer, &kit_err));
  KIT_OK(gs_log_start(writer, &header, &kit_err));
  gs_batch_init(&batch, sim_machine_env->alloc);
  for (uint64_t i = 0; i < FRAMES; i++) {
    char key[8];
    snprintf(key, sizeof key, "k%03d", (int)(FRAMES - i));
    gs_batch_clear(&batch);
    gs_batch_set_now(&batch, 1000 + i);
    gs_batch_put(&batch, gs_slice_str(key), gs_slice_str("a value"), 0);
    if (i == 9) {
      gs_batch_meta(&batch, gs_slice_str("the note"));
    }
    KIT_OK(gs_log_append(writer, GS_FRAME_BATCH, i + 1, 1,
                         gs_buffer_slice(&batch.bytes), &kit_err));
    ends[i] = gs_log_written_bytes(writer);
  }
  KIT_OK(gs_log_sync(writer, &kit_err));
  if (has_mark) {
    gs_log_mark_durable(writer, ends[FRAMES - 1]);
    KIT_OK(gs_log_append(writer, GS_FRAME_MARK, 0, 0, gs_slice_of(NULL, 0),
                         &kit_err));
  }
  gs_batch_deinit(&batch);
  gs_log_close(writer);
}

static void
write_log(uint64_t ends[FRAMES])
{
  write_frames(ends, false);
}

static void
write_marked_log(uint64_t ends[FRAMES])
{
  write_frames(ends, true);
}

static void
spoil(uint64_t offset, size_t size)
{
  gs_buffer bytes;
  gs_buffer_init(&bytes, sim_machine_env->alloc);
  KIT_OK(gs_sim_read(sim_machine, "/log", &bytes, &kit_err));
  memset(bytes.data + offset, 0xA5, size);
  KIT_OK(
      gs_sim_replace(sim_machine, "/log", gs_buffer_slice(&bytes), &kit_err));
  gs_buffer_deinit(&bytes);
}

static void
read_log(gs_log_remains *s, bool is_salt_known, gs_log_outcome *outcome)
{
  gs_log_remains_init(s, sim_machine_env);
  KIT_OK(gs_log_remains_file(s, "/log", identity, is_salt_known, outcome,
                             &kit_err));
  gs_log_remains_finish(s, false);
}

static void
test_a_sound_log_remains_whole_and_in_order(void **state)
{
  (void)state;
  uint64_t ends[FRAMES];
  gs_log_remains s;
  gs_log_outcome outcome;
  write_log(ends);
  read_log(&s, true, &outcome);
  assert_int_equal(s.entry_count, FRAMES);
  assert_int_equal(s.span_count, FRAMES);
  assert_int_equal(outcome.end, ends[FRAMES - 1]);
  assert_false(outcome.lost_more);
  assert_int_equal(s.now_ms, 1000 + FRAMES - 1);
  assert_int_equal(s.max_seq, FRAMES);
  assert_int_equal(s.note.size, 8);
  assert_int_equal(s.note_seq, 10);
  const gs_entry *entries = gs_log_remains_entries(&s);
  assert_memory_equal(entries[0].key.data, "k001", 4);
  assert_int_equal(entries[0].seq, FRAMES);
  gs_log_remains_deinit(&s);
}

static void
test_frames_behind_damage_are_found_again(void **state)
{
  (void)state;
  uint64_t ends[FRAMES];
  gs_log_remains s;
  gs_log_outcome outcome;
  write_log(ends);
  for (size_t i = 0; i + 1 < FRAMES; i += 5) {
    spoil(ends[i] + 2, 40);
  }
  read_log(&s, true, &outcome);
  assert_int_equal(s.entry_count, FRAMES - 4);
  assert_false(outcome.lost_more);
  const gs_log_span *spans = gs_log_remains_spans(&s);
  assert_int_equal(spans[0].first, 1);
  assert_int_equal(spans[1].first, 3);
  gs_log_remains_deinit(&s);
}

static void
test_a_lost_page_still_tells_its_salt(void **state)
{
  (void)state;
  uint64_t ends[FRAMES];
  gs_log_remains s;
  gs_log_outcome outcome;
  write_log(ends);
  spoil(16, 30);
  read_log(&s, false, &outcome);
  assert_int_equal(s.entry_count, FRAMES);
  gs_log_remains_deinit(&s);
  spoil(0, 4096);
  read_log(&s, false, &outcome);
  assert_int_equal(s.entry_count, 0);
  gs_log_remains_deinit(&s);
  read_log(&s, true, &outcome);
  assert_int_equal(s.entry_count, FRAMES);
  gs_log_remains_deinit(&s);
}

static void
test_a_damaged_end_says_that_there_was_more(void **state)
{
  (void)state;
  uint64_t ends[FRAMES];
  gs_log_remains s;
  gs_log_outcome outcome;
  write_log(ends);
  spoil(ends[FRAMES - 2] + 60, 4);
  read_log(&s, true, &outcome);
  assert_int_equal(s.entry_count, FRAMES - 1);
  assert_true(outcome.lost_more);
  gs_log_remains_deinit(&s);
}

/* The damaged batch is the last, and a mark behind it is sound. */
static void
test_a_damaged_batch_before_a_mark_says_that_there_was_more(void **state)
{
  (void)state;
  uint64_t ends[FRAMES];
  gs_log_remains s;
  gs_log_outcome outcome;
  write_marked_log(ends);
  read_log(&s, true, &outcome);
  assert_int_equal(s.entry_count, FRAMES);
  assert_false(outcome.lost_more);
  gs_log_remains_deinit(&s);
  spoil(ends[FRAMES - 2] + 60, 4);
  read_log(&s, true, &outcome);
  assert_int_equal(s.entry_count, FRAMES - 1);
  assert_true(outcome.lost_more);
  gs_log_remains_deinit(&s);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_sound_log_remains_whole_and_in_order),
      KIT_TEST(test_frames_behind_damage_are_found_again),
      KIT_TEST(test_a_lost_page_still_tells_its_salt),
      KIT_TEST(test_a_damaged_end_says_that_there_was_more),
      KIT_TEST(test_a_damaged_batch_before_a_mark_says_that_there_was_more),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
