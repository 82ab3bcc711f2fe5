/*
 * Tests of the replay of logs that are damaged and not lost: pages without
 * which frames are read, bits that are put right, and the good beginning that
 * can be asked for.
 */
#include "toy_log.h"

static void
test_a_lost_header_page_hides_no_frames(void **state)
{
  (void)state;
  static const char *const scripts[] = {"aaraara", "aaraarasm", "aaraaRa",
                                        "aara", "aarasa"};
  static const uint8_t fills[] = {0, 0x77};
  for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
    for (size_t f = 0; f < sizeof fills; f++) {
      toy t = toy_of(scripts[i]);
      for (size_t segment = 1; segment <= t.count; segment++) {
        overwrite(&t, segment, 0, fills[f], GS_LOG_HEADER_BYTES);
      }
      assert_whole(&t);
      toy_free(&t);
    }
  }
}

static void
test_a_lost_segment_is_judged_by_those_behind_it(void **state)
{
  (void)state;
  static const char *const scripts[] = {"aaraara", "aaraarasm", "aaraaRa"};
  for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
    toy t = toy_of(scripts[i]);
    size_t end = frame_at(&t, 1, 2);
    overwrite(&t, 2, 0, 0x77, GS_LOG_HEADER_BYTES + 100);
    if (i == 0) {
      assert_torn(&t, 3, 2, 0);
    } else {
      assert_corrupt(&t, 3, 2, 0);
    }
    /* A file of zeros moves no front. */
    overwrite(&t, 2, 0, 0, TOY_BYTES);
    if (i == 0) {
      assert_torn(&t, 3, 1, end);
    } else {
      assert_corrupt(&t, 3, 1, end);
    }
    toy_free(&t);
  }
}

static void
test_without_page_and_first_frame_a_later_one_tells_of_the_sync(void **state)
{
  (void)state;
  toy torn = toy_of("aaraa");
  overwrite(&torn, 2, 0, 0x77, GS_LOG_HEADER_BYTES + 20);
  assert_torn(&torn, 3, 2, 0);
  toy_free(&torn);
  toy synced = toy_of("aarasa");
  overwrite(&synced, 2, 0, 0x77, GS_LOG_HEADER_BYTES + 20);
  assert_corrupt(&synced, 3, 2, 0);
  toy_free(&synced);
}

static void
test_wrong_bits_are_put_right_one_for_each_frame(void **state)
{
  (void)state;
  toy t = toy_of("aaraa");
  gs_replay_result result;
  for (size_t segment = 1; segment <= 2; segment++) {
    for (int nth = 0; nth < 2; nth++) {
      KIT_OK(gs_sim_flip(t.sim, name_of(segment),
                         8 * (frame_at(&t, segment, nth) + 11) + 3, &t.err),
             &t.err);
    }
  }
  KIT_OK(replay_here(&t, &result), &t.err);
  assert_int_equal(result.last_seq, t.acked_seq);
  assert_int_equal(result.repaired_bits, 4);
  assert_false(result.is_torn);
  toy_free(&t);
}

static void
test_corruption_can_be_cut_on_demand_and_a_prefix_remains(void **state)
{
  (void)state;
  static const char *const scripts[] = {"aaaRaa", "aasasaa"};
  for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
    toy t = toy_of(scripts[i]);
    harvest h = {.next_seq = 1};
    gs_replay_request request = request_of(&t, &h);
    gs_replay_result result;
    overwrite(&t, 1, frame_at(&t, 1, 1), 0x77, 60);
    assert_int_equal(gs_wal_replay(t.env, &request, &result, &t.err),
                     GS_CORRUPT);
    h = (harvest){.next_seq = 1};
    request.takes_prefix = true;
    KIT_OK(gs_wal_replay(t.env, &request, &result, &t.err), &t.err);
    assert_true(result.is_salvaged);
    assert_int_equal(result.last_seq, 2);
    KIT_OK(gs_env_remove(t.env, name_of(1), &t.err), &t.err);
    h = (harvest){.next_seq = 1};
    KIT_OK(gs_wal_replay(t.env, &request, &result, &t.err), &t.err);
    assert_true(result.is_salvaged);
    assert_int_equal(result.last_seq, 0);
    toy_free(&t);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_lost_header_page_hides_no_frames),
      cmocka_unit_test(test_a_lost_segment_is_judged_by_those_behind_it),
      cmocka_unit_test(
          test_without_page_and_first_frame_a_later_one_tells_of_the_sync),
      cmocka_unit_test(test_wrong_bits_are_put_right_one_for_each_frame),
      cmocka_unit_test(
          test_corruption_can_be_cut_on_demand_and_a_prefix_remains),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
