/*
 * Tests of the log writer: the bytes it leaves, what it refuses, and that a
 * failure is for ever.
 */
#include "log_kit.h"

#include <errno.h>
#include <stdio.h>

#include "wal/frame.h"

static const char path[] = "/1.wal";

typedef struct bench {
  gs_sim *sim;
  gs_env *env;
  gs_error err;
} bench;

static bench
set_up(void)
{
  bench b = {.sim = gs_sim_new(1)};
  assert_non_null(b.sim);
  b.env = gs_sim_env(b.sim);
  return b;
}

/* Takes the writer. */
static void
tear_down(bench *b, gs_log_writer *writer)
{
  gs_log_close(writer);
  assert_int_equal(gs_sim_allocated_bytes(b->sim), 0);
  gs_sim_free(b->sim);
}

static gs_log_writer *
start_segment(bench *b)
{
  return kit_start(b->env, path, GS_LOG_WAL, 1, KIT_SEGMENT_BYTES);
}

static void
inject(bench *b, gs_sim_op op, int os_errno)
{
  gs_sim_effect effect = os_errno == 0 ? GS_SIM_SHORT : GS_SIM_ERROR;
  gs_sim_fault fault = {op, effect, "*.wal", 1, 1, 0, os_errno, 0, 0};
  KIT_OK(gs_sim_fail(b->sim, &fault, &b->err), &b->err);
}

static gs_status
append(gs_log_writer *writer, gs_frame_type type, uint64_t seq, size_t size)
{
  static const uint8_t zeros[KIT_SEGMENT_BYTES];
  return gs_log_append(writer, type, seq, seq != 0, gs_slice_of(zeros, size),
                       NULL);
}

/* Refuses all work, whatever it is. */
static void
assert_refuses(bench *b, gs_log_writer *writer)
{
  uint64_t ops = gs_sim_ops(b->sim);
  uint64_t written = gs_log_written_bytes(writer);
  gs_log_header header = kit_header(GS_LOG_WAL, 1);
  assert_int_equal(append(writer, GS_FRAME_BATCH, 1, 8), GS_READONLY);
  assert_int_equal(append(writer, GS_FRAME_SEAL, 0, 0), GS_READONLY);
  assert_int_equal(gs_log_sync(writer, &b->err), GS_READONLY);
  assert_string_equal(b->err.path, path);
  assert_int_equal(gs_log_start(writer, &header, NULL), GS_READONLY);
  assert_int_equal(gs_log_written_bytes(writer), written);
  assert_int_equal(gs_sim_ops(b->sim), ops);
}

/* ---- bytes --------------------------------------------------------------- */

static void
test_a_log_holds_its_page_its_frames_and_zeros(void **state)
{
  (void)state;
  bench b = set_up();
  uint8_t expected[KIT_SEGMENT_BYTES] = {0};
  gs_log_identity identity = {.salt = KIT_SALT + 1, .number = 1};
  gs_log_header header = kit_header(GS_LOG_WAL, 1);
  gs_frame_info first = {.type = GS_FRAME_BATCH,
                         .entry_count = 1,
                         .first_seq = 1,
                         .offset = GS_LOG_HEADER_BYTES};
  header.allocated_bytes = KIT_SEGMENT_BYTES;
  uint32_t link = gs_log_header_encode(&header, expected);
  gs_frame_encode(identity, link, gs_slice_str("one"), &first,
                  expected + first.offset);
  gs_frame_info second = {.type = GS_FRAME_SEAL,
                          .durable_to = first.end_offset,
                          .offset = first.end_offset};
  gs_frame_encode(identity, first.link, gs_slice_of(NULL, 0), &second,
                  expected + second.offset);

  gs_log_writer *writer = start_segment(&b);
  assert_int_equal(gs_log_link(writer), link);
  assert_int_equal(gs_log_written_bytes(writer), GS_LOG_HEADER_BYTES);
  KIT_OK(
      gs_log_append(writer, GS_FRAME_BATCH, 1, 1, gs_slice_str("one"), &b.err),
      &b.err);
  KIT_OK(kit_sync(writer, &b.err), &b.err);
  assert_int_equal(gs_log_durable_bytes(writer), first.end_offset);
  kit_append_bare(writer, GS_FRAME_SEAL);
  assert_int_equal(gs_log_written_bytes(writer), second.end_offset);
  assert_int_equal(gs_log_link(writer), second.link);

  gs_buffer found = kit_read_file(b.env, path);
  assert_int_equal(found.size, sizeof expected);
  assert_memory_equal(found.data, expected, sizeof expected);
  gs_buffer_deinit(&found);
  tear_down(&b, writer);
}

typedef gs_status (*preparation)(gs_env *env, const char *path,
                                 uint64_t allocated_bytes, gs_log_writer **out,
                                 gs_error *err);

static void
find_zeros_after_a_crash(preparation prepare)
{
  static const uint8_t zeros[KIT_SEGMENT_BYTES];
  bench b = set_up();
  gs_log_writer *writer = NULL;
  KIT_OK(prepare(b.env, path, KIT_SEGMENT_BYTES, &writer, &b.err), &b.err);
  KIT_OK(gs_env_sync_dir(b.env, "/", &b.err), &b.err);
  gs_sim *after = gs_sim_crash(b.sim, GS_CRASH_SYNCED, 0);
  gs_buffer found = kit_read_file(gs_sim_env(after), path);
  assert_int_equal(found.size, sizeof zeros);
  assert_memory_equal(found.data, zeros, sizeof zeros);
  gs_buffer_deinit(&found);
  gs_sim_free(after);
  tear_down(&b, writer);
}

static void
test_a_prepared_segment_is_zeros_of_full_size_on_the_device(void **state)
{
  (void)state;
  find_zeros_after_a_crash(gs_log_prepare);
}

static void
test_so_is_a_segment_whose_space_is_reserved(void **state)
{
  (void)state;
  find_zeros_after_a_crash(gs_log_reserve);
}

static void
test_a_growing_log_is_as_long_as_its_frames(void **state)
{
  (void)state;
  bench b = set_up();
  gs_log_writer *writer = kit_start(b.env, path, GS_LOG_MANIFEST, 1, 0);
  assert_int_equal(append(writer, GS_FRAME_EDIT, 0, 5000), GS_OK);
  assert_int_equal(append(writer, GS_FRAME_EDIT, 0, 1), GS_OK);
  gs_buffer found = kit_read_file(b.env, path);
  assert_int_equal(found.size, gs_log_written_bytes(writer));
  gs_buffer_deinit(&found);
  tear_down(&b, writer);
}

static void
test_short_writes_are_gone_on_with(void **state)
{
  (void)state;
  bench b = set_up();
  gs_log_writer *writer = start_segment(&b);
  gs_sim_fault fault = {
      .op = GS_SIM_WRITE, .effect = GS_SIM_SHORT, .nth = 1, .amount = 1};
  KIT_OK(gs_sim_fail(b.sim, &fault, &b.err), &b.err);
  uint64_t seq = 1;
  kit_append_many(writer, &seq, 3);
  gs_log_reader *reader = kit_open(b.env, path);
  uint64_t found = 1;
  assert_int_equal(kit_walk(reader, &found), 3);
  assert_int_equal(found, seq);
  gs_log_reader_close(reader);
  tear_down(&b, writer);
}

static void
test_frames_carry_what_was_marked_durable(void **state)
{
  (void)state;
  bench b = set_up();
  gs_log_writer *writer = start_segment(&b);
  uint64_t seq = 1;
  kit_append_many(writer, &seq, 2);
  uint64_t end = gs_log_written_bytes(writer);
  gs_log_mark_durable(writer, end);
  gs_log_mark_durable(writer, GS_LOG_HEADER_BYTES);
  assert_int_equal(gs_log_durable_bytes(writer), end);
  kit_append_bare(writer, GS_FRAME_MARK);
  gs_log_reader *reader = kit_open(b.env, path);
  gs_frame_info info;
  gs_slice payload;
  assert_true(gs_log_next(reader, &info, &payload));
  assert_int_equal(info.durable_to, 0);
  assert_true(gs_log_next(reader, &info, &payload));
  assert_true(gs_log_next(reader, &info, &payload));
  assert_int_equal(info.type, GS_FRAME_MARK);
  assert_int_equal(info.durable_to, end);
  gs_log_reader_close(reader);
  tear_down(&b, writer);
}

/* ---- room ---------------------------------------------------------------- */

static void
test_room_is_accounted_to_the_byte(void **state)
{
  (void)state;
  bench b = set_up();
  enum { ROOM = 200 };
  for (size_t spare = 0; spare < GS_FRAME_ALIGN; spare++) {
    uint64_t size = GS_LOG_HEADER_BYTES + GS_FRAME_HEADER_BYTES + ROOM + spare;
    gs_log_writer *writer = NULL;
    KIT_OK(gs_log_prepare(b.env, path, size, &writer, &b.err), &b.err);
    assert_true(gs_log_has_room(writer, ROOM));
    assert_false(gs_log_has_room(writer, ROOM + 1));
    gs_log_header header = kit_header(GS_LOG_WAL, 1);
    KIT_OK(gs_log_start(writer, &header, &b.err), &b.err);
    assert_true(gs_log_has_room(writer, ROOM));
    assert_false(gs_log_has_room(writer, ROOM + 1));
    assert_int_equal(append(writer, GS_FRAME_BATCH, 1, ROOM + 1), GS_LIMIT);
    assert_int_equal(append(writer, GS_FRAME_BATCH, 1, ROOM), GS_OK);
    assert_false(gs_log_has_room(writer, 0));
    assert_int_equal(append(writer, GS_FRAME_MARK, 0, 0), GS_LIMIT);
    KIT_OK(gs_log_sync(writer, &b.err), &b.err);
    gs_log_close(writer);
    KIT_OK(gs_env_remove(b.env, path, &b.err), &b.err);
  }
  tear_down(&b, NULL);
}

static void
test_a_growing_log_has_room_for_every_frame_there_is(void **state)
{
  (void)state;
  bench b = set_up();
  gs_log_writer *writer = kit_start(b.env, path, GS_LOG_MANIFEST, 1, 0);
  assert_true(gs_log_has_room(writer, 0));
  assert_true(gs_log_has_room(writer, UINT32_MAX));
  assert_false(gs_log_has_room(writer, (uint64_t)UINT32_MAX + 1));
  assert_false(gs_log_has_room(writer, UINT64_MAX));
  tear_down(&b, writer);
}

static void
test_a_payload_beyond_what_a_header_can_say_is_too_large(void **state)
{
  (void)state;
  bench b = set_up();
  gs_log_writer *writer = kit_start(b.env, path, GS_LOG_MANIFEST, 1, 0);
  gs_slice huge = gs_slice_of(path, (size_t)UINT32_MAX + 1);
  assert_int_equal(gs_log_append(writer, GS_FRAME_EDIT, 0, 0, huge, NULL),
                   GS_TOOLARGE);
  assert_int_equal(append(writer, GS_FRAME_EDIT, 0, 1), GS_OK);
  tear_down(&b, writer);
}

/* ---- misuse -------------------------------------------------------------- */

static void
test_a_log_is_started_once_and_before_its_first_frame(void **state)
{
  (void)state;
  bench b = set_up();
  gs_log_writer *writer = NULL;
  gs_log_header header = kit_header(GS_LOG_WAL, 1);
  KIT_OK(gs_log_prepare(b.env, path, KIT_SEGMENT_BYTES, &writer, &b.err),
         &b.err);
  assert_int_equal(append(writer, GS_FRAME_BATCH, 1, 8), GS_MISUSE);
  assert_int_equal(append(writer, GS_FRAME_EDIT, 0, 8), GS_MISUSE);
  KIT_OK(gs_log_start(writer, &header, &b.err), &b.err);
  assert_int_equal(gs_log_start(writer, &header, NULL), GS_MISUSE);
  assert_int_equal(append(writer, GS_FRAME_BATCH, 1, 8), GS_OK);
  tear_down(&b, writer);
}

static void
test_nothing_is_appended_behind_a_seal_but_it_can_be_synced(void **state)
{
  (void)state;
  bench b = set_up();
  gs_log_writer *writer = start_segment(&b);
  assert_int_equal(append(writer, GS_FRAME_SEAL, 0, 0), GS_OK);
  assert_int_equal(append(writer, GS_FRAME_BATCH, 1, 8), GS_MISUSE);
  assert_int_equal(append(writer, GS_FRAME_MARK, 0, 0), GS_MISUSE);
  KIT_OK(gs_log_sync(writer, &b.err), &b.err);
  tear_down(&b, writer);
}

static void
test_frames_of_the_wrong_shape_or_log_are_refused_and_harm_nothing(void **state)
{
  (void)state;
  bench b = set_up();
  gs_log_writer *writer = start_segment(&b);
  assert_int_equal(append(writer, GS_FRAME_EDIT, 0, 8), GS_MISUSE);
  assert_int_equal(append(writer, GS_FRAME_BATCH, 0, 8), GS_MISUSE);
  assert_int_equal(append(writer, GS_FRAME_MARK, 0, 8), GS_MISUSE);
  assert_int_equal(append(writer, GS_FRAME_SEAL, 1, 0), GS_MISUSE);
  assert_int_equal(append(writer, (gs_frame_type)9, 0, 0), GS_MISUSE);
  assert_int_equal(append(writer, GS_FRAME_BATCH, 1, 8), GS_OK);
  tear_down(&b, writer);
}

static void
test_a_segment_too_small_for_a_frame_is_refused(void **state)
{
  (void)state;
  bench b = set_up();
  gs_log_writer *writer = NULL;
  uint64_t least = GS_LOG_HEADER_BYTES + GS_FRAME_HEADER_BYTES;
  assert_int_equal(gs_log_prepare(b.env, path, least - 1, &writer, NULL),
                   GS_MISUSE);
  assert_null(writer);
  KIT_OK(gs_log_prepare(b.env, path, least, &writer, &b.err), &b.err);
  tear_down(&b, writer);
}

/* ---- failures ------------------------------------------------------------ */

static void
test_a_failed_write_ends_the_log_for_good(void **state)
{
  (void)state;
  static const int errors[] = {EIO, ENOSPC, EDQUOT, EROFS, 0};
  for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
    bench b = set_up();
    gs_log_writer *writer = start_segment(&b);
    uint64_t seq = 1;
    kit_append_many(writer, &seq, 2);
    uint32_t link = gs_log_link(writer);
    uint64_t written = gs_log_written_bytes(writer);
    inject(&b, GS_SIM_WRITE, errors[i]);
    gs_status status = kit_append(writer, &seq, &b.err);
    assert_true(status == GS_IO || status == GS_FULL || status == GS_READONLY);
    assert_int_equal(gs_log_written_bytes(writer), written);
    assert_int_equal(gs_log_link(writer), link);
    gs_sim_heal(b.sim);
    assert_refuses(&b, writer);
    tear_down(&b, writer);
  }
}

static void
test_a_failed_header_page_ends_the_log_for_good(void **state)
{
  (void)state;
  bench b = set_up();
  gs_log_writer *writer = NULL;
  gs_log_header header = kit_header(GS_LOG_WAL, 1);
  KIT_OK(gs_log_prepare(b.env, path, KIT_SEGMENT_BYTES, &writer, &b.err),
         &b.err);
  inject(&b, GS_SIM_WRITE, EIO);
  assert_int_equal(gs_log_start(writer, &header, NULL), GS_IO);
  assert_refuses(&b, writer);
  tear_down(&b, writer);
}

static void
test_a_failed_sync_is_never_repeated(void **state)
{
  (void)state;
  bench b = set_up();
  gs_log_writer *writer = start_segment(&b);
  uint64_t seq = 1;
  kit_append_many(writer, &seq, 2);
  inject(&b, GS_SIM_SYNC, EIO);
  assert_int_equal(kit_sync(writer, NULL), GS_IO);
  assert_int_equal(gs_log_durable_bytes(writer), 0);
  assert_refuses(&b, writer);
  tear_down(&b, writer);
}

static void
test_a_poisoned_log_refuses_as_after_a_failure(void **state)
{
  (void)state;
  bench b = set_up();
  gs_log_writer *writer = start_segment(&b);
  gs_log_poison(writer);
  assert_refuses(&b, writer);
  tear_down(&b, writer);
}

static void
test_a_segment_that_cannot_be_prepared_leaves_no_file(void **state)
{
  (void)state;
  static const gs_sim_op steps[] = {GS_SIM_OPEN, GS_SIM_ALLOCATE, GS_SIM_SYNC};
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
    bench b = set_up();
    gs_log_writer *writer = NULL;
    gs_file_info info;
    inject(&b, steps[i], ENOSPC);
    assert_int_equal(
        gs_log_prepare(b.env, path, KIT_SEGMENT_BYTES, &writer, NULL), GS_FULL);
    assert_null(writer);
    assert_int_equal(gs_env_stat(b.env, path, &info, NULL), GS_MISSING);
    tear_down(&b, NULL);
  }
}

static void
test_a_file_that_is_there_already_is_left_alone(void **state)
{
  (void)state;
  bench b = set_up();
  gs_log_writer *writer = NULL;
  kit_write_file(b.sim, path, "mine", 4);
  assert_int_equal(
      gs_log_prepare(b.env, path, KIT_SEGMENT_BYTES, &writer, NULL), GS_EXISTS);
  gs_buffer found = kit_read_file(b.env, path);
  assert_true(gs_slice_equal(gs_buffer_slice(&found), gs_slice_str("mine")));
  gs_buffer_deinit(&found);
  tear_down(&b, NULL);
}

/* ---- memory -------------------------------------------------------------- */

/* One whole life; the first failure ends it. */
static gs_status
live_once(bench *b)
{
  gs_log_writer *writer = NULL;
  gs_log_header header = kit_header(GS_LOG_WAL, 1);
  uint64_t seq = 1;
  gs_status status =
      gs_log_prepare(b->env, path, KIT_SEGMENT_BYTES, &writer, NULL);
  if (status != GS_OK) {
    return status;
  }
  status = gs_log_start(writer, &header, NULL);
  for (int i = 0; i < 4 && status == GS_OK; i++) {
    status = kit_append(writer, &seq, NULL);
  }
  if (status == GS_OK) {
    status = append(writer, GS_FRAME_BATCH, seq, 3000);
  }
  gs_log_close(writer);
  return status;
}

static void
test_every_failed_allocation_is_reported_and_leaks_nothing(void **state)
{
  (void)state;
  gs_status status = GS_NOMEM;
  int failures = -1;
  for (uint64_t nth = 1; status != GS_OK; nth++, failures++) {
    bench b = set_up();
    gs_sim_fail_alloc(b.sim, nth, 1);
    status = live_once(&b);
    assert_true(status == GS_OK || status == GS_NOMEM);
    tear_down(&b, NULL);
  }
  assert_true(failures >= 4);
}

static void
test_an_append_without_memory_writes_nothing_and_can_be_repeated(void **state)
{
  (void)state;
  bench b = set_up();
  gs_log_writer *writer = kit_start(b.env, path, GS_LOG_MANIFEST, 1, 0);
  uint64_t written = gs_log_written_bytes(writer);
  gs_sim_fail_alloc(b.sim, 1, 1);
  assert_int_equal(append(writer, GS_FRAME_EDIT, 0, 5000), GS_NOMEM);
  assert_int_equal(gs_log_written_bytes(writer), written);
  assert_int_equal(append(writer, GS_FRAME_EDIT, 0, 5000), GS_OK);
  tear_down(&b, writer);
}

static void
test_memory_for_a_large_frame_is_given_back(void **state)
{
  (void)state;
  enum { LARGE = 4 << 20 };
  bench b = set_up();
  uint8_t *large = calloc(1, LARGE);
  assert_non_null(large);
  gs_log_writer *writer = kit_start(b.env, path, GS_LOG_MANIFEST, 1, 0);
  KIT_OK(gs_log_append(writer, GS_FRAME_EDIT, 0, 0, gs_slice_of(large, LARGE),
                       &b.err),
         &b.err);
  assert_true(gs_sim_allocated_bytes(b.sim) < LARGE / 4);
  assert_int_equal(append(writer, GS_FRAME_EDIT, 0, 8), GS_OK);
  free(large);
  tear_down(&b, writer);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_log_holds_its_page_its_frames_and_zeros),
      cmocka_unit_test(
          test_a_prepared_segment_is_zeros_of_full_size_on_the_device),
      cmocka_unit_test(test_so_is_a_segment_whose_space_is_reserved),
      cmocka_unit_test(test_a_growing_log_is_as_long_as_its_frames),
      cmocka_unit_test(test_short_writes_are_gone_on_with),
      cmocka_unit_test(test_frames_carry_what_was_marked_durable),
      cmocka_unit_test(test_room_is_accounted_to_the_byte),
      cmocka_unit_test(test_a_growing_log_has_room_for_every_frame_there_is),
      cmocka_unit_test(
          test_a_payload_beyond_what_a_header_can_say_is_too_large),
      cmocka_unit_test(test_a_log_is_started_once_and_before_its_first_frame),
      cmocka_unit_test(
          test_nothing_is_appended_behind_a_seal_but_it_can_be_synced),
      cmocka_unit_test(
          test_frames_of_the_wrong_shape_or_log_are_refused_and_harm_nothing),
      cmocka_unit_test(test_a_segment_too_small_for_a_frame_is_refused),
      cmocka_unit_test(test_a_failed_write_ends_the_log_for_good),
      cmocka_unit_test(test_a_failed_header_page_ends_the_log_for_good),
      cmocka_unit_test(test_a_failed_sync_is_never_repeated),
      cmocka_unit_test(test_a_poisoned_log_refuses_as_after_a_failure),
      cmocka_unit_test(test_a_segment_that_cannot_be_prepared_leaves_no_file),
      cmocka_unit_test(test_a_file_that_is_there_already_is_left_alone),
      cmocka_unit_test(
          test_every_failed_allocation_is_reported_and_leaks_nothing),
      cmocka_unit_test(
          test_an_append_without_memory_writes_nothing_and_can_be_repeated),
      cmocka_unit_test(test_memory_for_a_large_frame_is_given_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
