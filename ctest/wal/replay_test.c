/*
 * Tests of the replay: what it hands out, and how each kind of hole is judged.
 * What happens at every place of a log is in replay_sweep_test.c.
 */
#include "toy_log.h"

/* ---- whole logs ---------------------------------------------------------- */

static void
test_all_batches_of_all_segments_come_in_order(void **state)
{
  (void)state;
  static const char *const scripts[] = {
      "",         "a",           "aaa",       "aasa",        "aaraaraa",
      "aaRaasRa", "amramRmarmz", "aasrsrsa",  "aaaazr",      "rrr",
      "maa",      "aearaeRea",   "aaRaaRaas", "aammrmmaRmsm"};
  for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
    toy t = toy_of(scripts[i]);
    assert_whole(&t);
    toy_free(&t);
  }
}

static void
test_no_segments_hold_nothing(void **state)
{
  (void)state;
  toy t = toy_new();
  assert_whole(&t);
  toy_free(&t);
}

static void
test_prepared_segments_that_were_not_started_hold_nothing(void **state)
{
  (void)state;
  static const uint8_t zeros[TOY_BYTES];
  toy t = toy_of("aasa");
  for (; t.count < SEGMENTS; t.count++) {
    t.list[t.count] = (gs_segment){t.count + 1, TOY_BYTES, KIT_SALT};
    kit_write_file(t.sim, name_of(t.count + 1), zeros, sizeof zeros);
  }
  assert_whole(&t);
  toy_free(&t);
}

static void
test_batches_that_are_flushed_are_passed_over(void **state)
{
  (void)state;
  toy t = toy_of("aaaRaaarea");
  for (uint64_t flushed = 0; flushed <= t.acked_seq + 2; flushed++) {
    harvest h = {0};
    gs_replay_request request = request_of(&t, &h);
    gs_replay_result result;
    request.flushed_seq = flushed;
    KIT_OK(gs_wal_replay(t.env, &request, &result, &t.err), &t.err);
    if (flushed >= t.acked_seq) {
      assert_int_equal(h.batches, 0);
      assert_int_equal(result.last_seq, flushed);
    } else {
      assert_true(h.batches > 0);
      assert_int_equal(result.last_seq, t.acked_seq);
    }
    assert_false(result.is_torn);
  }
  toy_free(&t);
}

static void
test_a_batch_of_which_a_part_is_flushed_comes_whole(void **state)
{
  (void)state;
  toy t = toy_of("aa"); /* sequences 1 to 2 and 3 */
  harvest h = {0};
  gs_replay_request request = request_of(&t, &h);
  gs_replay_result result;
  request.flushed_seq = 1;
  KIT_OK(gs_wal_replay(t.env, &request, &result, &t.err), &t.err);
  assert_int_equal(h.batches, 2);
  assert_int_equal(result.last_seq, 3);
  toy_free(&t);
}

static void
test_a_batch_without_entries_comes_unless_a_flushed_one_follows_its_place(
    void **state)
{
  (void)state;
  static const int expected[] = {2, 2, 2, 1, 0};
  toy t = toy_of("aeae"); /* 1..2, a note before 3, 3, a note before 4 */
  for (uint64_t flushed = 0; flushed <= 4; flushed++) {
    harvest h = {0};
    gs_replay_request request = request_of(&t, &h);
    gs_replay_result result;
    request.flushed_seq = flushed;
    KIT_OK(gs_wal_replay(t.env, &request, &result, &t.err), &t.err);
    assert_int_equal(h.empty_batches, expected[flushed]);
  }
  toy_free(&t);
}

static void
test_the_callers_error_ends_the_replay(void **state)
{
  (void)state;
  toy t = toy_of("aaraa");
  harvest h = {.refusal = GS_CONFLICT};
  gs_replay_request request = request_of(&t, &h);
  gs_replay_result result;
  assert_int_equal(gs_wal_replay(t.env, &request, &result, &t.err),
                   GS_CONFLICT);
  assert_int_equal(result.batch_count, 0);
  assert_int_equal(result.last_seq, 0);
  toy_free(&t);
}

/* A writer beside the reader that lets the second segment go. */
static gs_status
remove_second(void *context, const gs_frame_info *info, gs_slice payload,
              gs_error *err)
{
  toy *t = context;
  (void)info;
  (void)payload;
  gs_status status = gs_sim_remove(t->sim, name_of(2), err);
  return status == GS_MISSING ? GS_OK : status;
}

static void
test_segments_that_are_held_may_go_meanwhile(void **state)
{
  (void)state;
  for (int holds = 0; holds <= 1; holds++) {
    toy t = toy_of("aaraaRa");
    gs_replay_request request = request_of(&t, NULL);
    gs_replay_result result;
    request.batch = remove_second;
    request.context = &t;
    request.holds_all = holds == 1;
    assert_int_equal(gs_wal_replay(t.env, &request, &result, &t.err),
                     holds == 1 ? GS_OK : GS_CORRUPT);
    assert_int_equal(result.batch_count, holds == 1 ? 5 : 2);
    toy_free(&t);
    t = toy_of("aaaRaa");
    size_t at = frame_at(&t, 1, 2);
    lose_tail(&t, 1, 2);
    harvest h = {.next_seq = 1};
    request = request_of(&t, &h);
    request.holds_all = holds == 1;
    assert_int_equal(gs_wal_replay(t.env, &request, &result, &t.err),
                     GS_CORRUPT);
    assert_int_equal(t.err.offset, at);
    toy_free(&t);
  }
}

static void
test_a_segments_path_has_six_digits_or_more(void **state)
{
  (void)state;
  toy t = toy_new();
  gs_buffer path;
  gs_buffer_init(&path, t.env->alloc);
  gs_segment_path(&path, "/db", 42);
  assert_string_equal((char *)path.data, "/db/000042.wal");
  gs_buffer_clear(&path);
  gs_segment_path(&path, "x/y", 1234567);
  assert_string_equal((char *)path.data, "x/y/1234567.wal");
  gs_buffer_deinit(&path);
  toy_free(&t);
}

/* ---- holes --------------------------------------------------------------- */

static void
test_a_lost_tail_of_the_last_segment_is_torn(void **state)
{
  (void)state;
  toy t = toy_of("aaa");
  size_t at = frame_at(&t, 1, 2);
  overwrite(&t, 1, at + 3, 0x77, 1);
  assert_torn(&t, 3, 1, at);
  toy_free(&t);
}

static void
test_the_bytes_given_up_are_counted(void **state)
{
  (void)state;
  toy t = toy_of("aaa");
  size_t at = frame_at(&t, 1, 2);
  gs_replay_result result;
  overwrite(&t, 1, at, 0, TOY_BYTES - at);
  overwrite(&t, 1, at + 99, 0x77, 1);
  KIT_OK(replay_here(&t, &result), &t.err);
  assert_true(result.is_torn);
  assert_int_equal(result.torn_bytes, 100);
  toy_free(&t);
}

static void
test_a_hole_between_two_unsynced_segments_is_torn(void **state)
{
  (void)state;
  toy t = toy_of("aaaraa");
  size_t at = frame_at(&t, 1, 2);
  lose_tail(&t, 1, 2);
  assert_torn(&t, 3, 1, at);
  toy_free(&t);
}

static void
test_a_hole_is_damage_where_the_next_header_says_synced(void **state)
{
  (void)state;
  toy t = toy_of("aaaRaa");
  size_t at = frame_at(&t, 1, 2);
  lose_tail(&t, 1, 2);
  assert_corrupt(&t, 3, 1, at);
  toy_free(&t);
}

static void
test_a_hole_is_damage_where_the_next_segment_was_synced(void **state)
{
  (void)state;
  toy t = toy_of("aaarasm");
  size_t at = frame_at(&t, 1, 2);
  lose_tail(&t, 1, 2);
  assert_corrupt(&t, 3, 1, at);
  toy_free(&t);
}

static void
test_a_hole_is_damage_where_the_next_header_page_was_synced(void **state)
{
  (void)state;
  toy t = toy_of("aaarsa");
  size_t at = frame_at(&t, 1, 2);
  lose_tail(&t, 1, 2);
  assert_corrupt(&t, 3, 1, at);
  toy_free(&t);
}

static void
test_a_hole_stays_where_it_is_whatever_stands_in_later_files(void **state)
{
  (void)state;
  toy t = toy_of("aaaraa");
  size_t at = frame_at(&t, 1, 2);
  overwrite(&t, 1, at, 0x77, 8);
  overwrite(&t, 2, 0, 0x77, TOY_BYTES);
  assert_torn(&t, 3, 1, at);
  toy_free(&t);
}

static void
test_nothing_behind_a_gap_counts_even_if_it_would_continue(void **state)
{
  (void)state;
  toy t = toy_new();
  KIT_OK(toy_run(&t, "aaar"), &t.err);
  t.next_seq = 100;
  KIT_OK(toy_run(&t, "ar"), &t.err);
  t.next_seq = 4;
  KIT_OK(toy_run(&t, "a"), &t.err);
  toy_close_logs(&t);
  size_t at = frame_at(&t, 1, 2);
  lose_tail(&t, 1, 2);
  assert_torn(&t, 3, 1, at);
  toy_free(&t);
}

static void
test_a_header_page_that_tells_of_another_end_shows_a_lost_tail(void **state)
{
  (void)state;
  for (int field = 0; field <= 3; field++) {
    toy t = toy_new();
    KIT_OK(toy_run(&t, "aa"), &t.err);
    size_t end = (size_t)gs_log_written_bytes(t.writers[0]);
    gs_log_header header = toy_header(&t, 2, false);
    header.prev_number += field == 1;
    header.prev_bytes += field == 2 ? 64 : 0;
    header.prev_link ^= field == 3;
    KIT_OK(toy_start(&t, &header), &t.err);
    toy_close_logs(&t);
    if (field == 0) {
      assert_whole(&t);
    } else {
      assert_torn(&t, 3, 1, end);
    }
    toy_free(&t);
  }
}

static void
test_a_hole_in_the_middle_of_three_is_judged_by_the_third(void **state)
{
  (void)state;
  static const char *const scripts[] = {"aaraaraa", "aaraaraasm", "aaraaRaa"};
  for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
    toy t = toy_of(scripts[i]);
    size_t at = frame_at(&t, 2, 1);
    lose_tail(&t, 2, 1);
    if (i == 0) {
      assert_torn(&t, 5, 2, at);
    } else {
      assert_corrupt(&t, 5, 2, at);
    }
    toy_free(&t);
  }
}

static void
test_a_hole_in_the_first_is_judged_by_the_third(void **state)
{
  (void)state;
  static const char *const scripts[] = {"aaraara", "aararasm", "aaraRa"};
  for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
    toy t = toy_of(scripts[i]);
    size_t at = frame_at(&t, 1, 1);
    lose_tail(&t, 1, 1);
    if (i == 0) {
      assert_torn(&t, 2, 1, at);
    } else {
      assert_corrupt(&t, 2, 1, at);
    }
    toy_free(&t);
  }
}

static void
test_a_lost_frame_without_sequence_loses_nothing(void **state)
{
  (void)state;
  toy t = toy_of("aamraRmaz");
  lose_tail(&t, 1, 2);
  assert_whole(&t);
  lose_tail(&t, 3, 2);
  assert_whole(&t);
  toy_free(&t);
}

static void
test_a_synced_batch_without_entries_is_missed_though_the_sequence_goes_on(
    void **state)
{
  (void)state;
  toy t = toy_of("aaeRaa");
  size_t at = frame_at(&t, 1, 2);
  assert_whole(&t);
  lose_tail(&t, 1, 2);
  assert_corrupt(&t, 3, 1, at);
  toy_free(&t);
  t = toy_of("aaeraa"); /* never synced: it may be lost */
  lose_tail(&t, 1, 2);
  assert_whole(&t);
  toy_free(&t);
}

static void
test_what_a_failed_write_left_does_not_hide_the_next_segment(void **state)
{
  (void)state;
  toy t = toy_of("aaraaRa");
  overwrite(&t, 1, frame_at(&t, 1, 2), 0x77, 100);
  overwrite(&t, 2, frame_at(&t, 2, 2), 0x77, 100);
  assert_whole(&t);
  toy_free(&t);
}

/* ---- what is damage in every case ---------------------------------------- */

static void
test_a_listed_segment_that_is_missing_is_damage(void **state)
{
  (void)state;
  for (size_t segment = 1; segment <= 3; segment++) {
    toy t = toy_of("araraa");
    gs_replay_result result;
    KIT_OK(gs_env_remove(t.env, name_of(segment), &t.err), &t.err);
    assert_int_equal(replay_here(&t, &result), GS_CORRUPT);
    assert_string_equal(t.err.path, name_of(segment));
    toy_free(&t);
  }
}

static void
test_a_segment_cut_at_any_length_is_damage(void **state)
{
  (void)state;
  toy t = toy_of("aaraara");
  for (size_t segment = 1; segment <= 3; segment++) {
    gs_buffer bytes = kit_read_file(t.env, name_of(segment));
    for (size_t size = 0; size < bytes.size; size += size < 4090 ? 89 : 1) {
      gs_replay_result result;
      kit_write_file(t.sim, name_of(segment), bytes.data, size);
      assert_int_equal(replay_here(&t, &result), GS_CORRUPT);
      assert_string_equal(t.err.path, name_of(segment));
      assert_int_equal(t.err.offset, size);
    }
    kit_write_file(t.sim, name_of(segment), bytes.data, bytes.size);
    gs_buffer_deinit(&bytes);
  }
  assert_whole(&t);
  toy_free(&t);
}

static void
test_another_file_in_a_segments_place_is_damage(void **state)
{
  (void)state;
  toy t = toy_of("aara");
  gs_buffer first = kit_read_file(t.env, name_of(1));
  gs_buffer second = kit_read_file(t.env, name_of(2));
  kit_write_file(t.sim, name_of(2), first.data, first.size);
  assert_corrupt(&t, 3, 2, 0);
  kit_write_file(t.sim, name_of(1), second.data, second.size);
  assert_corrupt(&t, 0, 1, 0);
  gs_buffer_deinit(&first);
  gs_buffer_deinit(&second);
  toy_free(&t);
}

static void
test_a_log_of_the_other_kind_in_a_segments_place_is_damage(void **state)
{
  (void)state;
  toy t = toy_of("aara");
  KIT_OK(gs_env_remove(t.env, name_of(2), &t.err), &t.err);
  gs_log_close(kit_start(t.env, name_of(2), GS_LOG_MANIFEST, 2, TOY_BYTES));
  assert_corrupt(&t, 3, 2, 0);
  toy_free(&t);
}

static void
test_another_stores_segment_is_told_apart(void **state)
{
  (void)state;
  toy t = toy_of("aara");
  harvest h = {.next_seq = 1};
  gs_replay_request request = request_of(&t, &h);
  gs_replay_result result;
  request.store_id.bytes[0] ^= 1;
  assert_int_equal(gs_wal_replay(t.env, &request, &result, NULL), GS_MISMATCH);
  toy_free(&t);
}

static void
test_sequences_that_jump_or_go_back_between_neighbours_are_damage(void **state)
{
  (void)state;
  static const uint64_t wrong[] = {1, 3, 5, 6, 100};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    for (int is_next_segment = 0; is_next_segment <= 1; is_next_segment++) {
      toy t = toy_new();
      KIT_OK(toy_run(&t, is_next_segment ? "aar" : "aa"), &t.err);
      uint64_t at = gs_log_written_bytes(t.writers[t.count - 1]);
      t.next_seq = wrong[i];
      KIT_OK(toy_run(&t, "a"), &t.err);
      toy_close_logs(&t);
      assert_corrupt(&t, 3, is_next_segment ? 2 : 1, at);
      toy_free(&t);
    }
  }
}

static void
test_sequences_that_go_back_are_damage_behind_a_hole_too(void **state)
{
  (void)state;
  toy t = toy_new();
  KIT_OK(toy_run(&t, "aaar"), &t.err);
  t.next_seq = 1;
  KIT_OK(toy_run(&t, "a"), &t.err);
  toy_close_logs(&t);
  lose_tail(&t, 1, 2);
  assert_corrupt(&t, 3, 2, GS_LOG_HEADER_BYTES);
  toy_free(&t);
}

static void
test_a_list_that_begins_too_late_is_damage(void **state)
{
  (void)state;
  toy t = toy_of("aaraa");
  harvest h = {0};
  gs_replay_request request = request_of(&t, &h);
  gs_replay_result result;
  request.segments++;
  request.segment_count--;
  assert_int_equal(gs_wal_replay(t.env, &request, &result, NULL), GS_CORRUPT);
  request.flushed_seq = 3;
  KIT_OK(gs_wal_replay(t.env, &request, &result, &t.err), &t.err);
  assert_int_equal(result.last_seq, t.acked_seq);
  toy_free(&t);
}

static void
test_a_sequence_known_elsewhere_must_be_reached(void **state)
{
  (void)state;
  toy t = toy_of("aaa");
  lose_tail(&t, 1, 2);
  for (uint64_t known = 0; known <= 5; known++) {
    harvest h = {.next_seq = 1};
    gs_replay_request request = request_of(&t, &h);
    gs_replay_result result;
    request.known_seq = known;
    assert_int_equal(gs_wal_replay(t.env, &request, &result, &t.err),
                     known <= 3 ? GS_OK : GS_CORRUPT);
    assert_int_equal(result.last_seq, 3);
  }
  toy_free(&t);
  toy empty = toy_new();
  harvest h = {.next_seq = 1};
  gs_replay_request request = request_of(&empty, &h);
  gs_replay_result result;
  request.known_seq = 1;
  request.segments = NULL;
  assert_int_equal(gs_wal_replay(empty.env, &request, &result, NULL),
                   GS_CORRUPT);
  toy_free(&empty);
}

static void
test_after_a_clean_close_every_torn_end_is_damage(void **state)
{
  (void)state;
  toy t = toy_of("aaz");
  harvest h = {.next_seq = 1};
  gs_replay_request request = request_of(&t, &h);
  gs_replay_result result;
  request.was_clean = true;
  KIT_OK(gs_wal_replay(t.env, &request, &result, &t.err), &t.err);
  assert_false(result.is_torn);
  overwrite(&t, 1, frame_at(&t, 1, 2) + 5, 0x77, 1);
  h = (harvest){.next_seq = 1};
  assert_int_equal(gs_wal_replay(t.env, &request, &result, &t.err), GS_CORRUPT);
  request.was_clean = false;
  h = (harvest){.next_seq = 1};
  KIT_OK(gs_wal_replay(t.env, &request, &result, &t.err), &t.err);
  assert_true(result.is_torn);
  toy_free(&t);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_all_batches_of_all_segments_come_in_order),
      cmocka_unit_test(test_no_segments_hold_nothing),
      cmocka_unit_test(
          test_prepared_segments_that_were_not_started_hold_nothing),
      cmocka_unit_test(test_batches_that_are_flushed_are_passed_over),
      cmocka_unit_test(test_a_batch_of_which_a_part_is_flushed_comes_whole),
      cmocka_unit_test(
          test_a_batch_without_entries_comes_unless_a_flushed_one_follows_its_place),
      cmocka_unit_test(test_the_callers_error_ends_the_replay),
      cmocka_unit_test(test_segments_that_are_held_may_go_meanwhile),
      cmocka_unit_test(test_a_segments_path_has_six_digits_or_more),
      cmocka_unit_test(test_a_lost_tail_of_the_last_segment_is_torn),
      cmocka_unit_test(test_the_bytes_given_up_are_counted),
      cmocka_unit_test(test_a_hole_between_two_unsynced_segments_is_torn),
      cmocka_unit_test(test_a_hole_is_damage_where_the_next_header_says_synced),
      cmocka_unit_test(test_a_hole_is_damage_where_the_next_segment_was_synced),
      cmocka_unit_test(
          test_a_hole_is_damage_where_the_next_header_page_was_synced),
      cmocka_unit_test(
          test_a_hole_stays_where_it_is_whatever_stands_in_later_files),
      cmocka_unit_test(
          test_nothing_behind_a_gap_counts_even_if_it_would_continue),
      cmocka_unit_test(
          test_a_header_page_that_tells_of_another_end_shows_a_lost_tail),
      cmocka_unit_test(
          test_a_hole_in_the_middle_of_three_is_judged_by_the_third),
      cmocka_unit_test(test_a_hole_in_the_first_is_judged_by_the_third),
      cmocka_unit_test(test_a_lost_frame_without_sequence_loses_nothing),
      cmocka_unit_test(
          test_a_synced_batch_without_entries_is_missed_though_the_sequence_goes_on),
      cmocka_unit_test(
          test_what_a_failed_write_left_does_not_hide_the_next_segment),
      cmocka_unit_test(test_a_listed_segment_that_is_missing_is_damage),
      cmocka_unit_test(test_a_segment_cut_at_any_length_is_damage),
      cmocka_unit_test(test_another_file_in_a_segments_place_is_damage),
      cmocka_unit_test(
          test_a_log_of_the_other_kind_in_a_segments_place_is_damage),
      cmocka_unit_test(test_another_stores_segment_is_told_apart),
      cmocka_unit_test(
          test_sequences_that_jump_or_go_back_between_neighbours_are_damage),
      cmocka_unit_test(
          test_sequences_that_go_back_are_damage_behind_a_hole_too),
      cmocka_unit_test(test_a_list_that_begins_too_late_is_damage),
      cmocka_unit_test(test_a_sequence_known_elsewhere_must_be_reached),
      cmocka_unit_test(test_after_a_clean_close_every_torn_end_is_damage),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
