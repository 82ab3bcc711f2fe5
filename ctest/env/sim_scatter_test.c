/*
 * Tests of the random models: over many choices, each state they should reach
 * is reached, and none that no honest disk would leave.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "env/env.h"
#include "env/sim.h"
#include "support/sim_machine.h"

#define SECTOR ((size_t)512)

enum { CHOICES = 600, TEXT_BYTES = 4 * SECTOR + 1 };

static gs_error err;
static gs_file *file;

/* Writes count times the letter. */
static void
write_letters(uint64_t offset, char letter, size_t count)
{
  char text[TEXT_BYTES] = "";
  memset(text, letter, count);
  sim_machine_write(file, offset, text);
}

static void
make_durable_letters(size_t count)
{
  char text[TEXT_BYTES] = "";
  memset(text, '-', count);
  sim_machine_make_durable("/f", text);
  file = sim_machine_open("/f", GS_OPEN_WRITE);
}

static gs_sim *
crash(gs_crash_model model, uint64_t choice)
{
  return gs_sim_crash(sim_machine, model, choice);
}

/* Length of the run of one letter that the text begins with. */
static size_t
run_length(const char *text)
{
  const char letter[2] = {text[0], '\0'};
  return strspn(text, letter);
}

static void
test_each_sector_holds_one_of_its_versions(void **state)
{
  (void)state;
  bool is_seen[3][3] = {{false}};
  static const char versions[] = "-ab";
  make_durable_letters(2 * SECTOR);
  write_letters(0, 'a', 2 * SECTOR);
  write_letters(0, 'b', 2 * SECTOR);
  sim_machine_close(file);
  for (uint64_t choice = 0; choice < CHOICES; choice++) {
    gs_sim *crashed = crash(GS_CRASH_RANDOM, choice);
    const char *text = sim_machine_text(crashed, "/f");
    assert_int_equal(strlen(text), 2 * SECTOR);
    assert_true(run_length(text) >= SECTOR);
    assert_true(run_length(text + SECTOR) == SECTOR);
    size_t first = (size_t)(strchr(versions, text[0]) - versions);
    size_t second = (size_t)(strchr(versions, text[SECTOR]) - versions);
    is_seen[first][second] = true;
    gs_sim_free(crashed);
  }
  for (size_t i = 0; i < 9; i++) {
    assert_true(is_seen[i / 3][i % 3]);
  }
}

static void
test_sectors_are_as_large_as_the_machine_says(void **state)
{
  (void)state;
  static const uint32_t sectors[] = {1024, 256, 8, 1};
  make_durable_letters(2 * 1024);
  write_letters(0, 'a', 2 * 1024);
  sim_machine_close(file);
  for (size_t i = 0; i < sizeof sectors / sizeof sectors[0]; i++) {
    uint32_t size = sectors[i];
    size_t mixed = 0;
    gs_sim_set_sector(sim_machine, size);
    for (uint64_t choice = 0; choice < 20; choice++) {
      gs_sim *crashed = crash(GS_CRASH_RANDOM, choice);
      const char *text = sim_machine_text(crashed, "/f");
      for (size_t at = 1; at < 2 * 1024; at++) {
        assert_true(at % size == 0 || text[at] == text[at - 1]);
        mixed += text[at] != text[at - 1];
      }
      gs_sim_free(crashed);
    }
    assert_true(mixed > 0);
  }
}

static void
test_a_sector_version_contains_all_earlier_writes_to_it(void **state)
{
  (void)state;
  bool is_seen[3] = {false};
  make_durable_letters(SECTOR);
  write_letters(0, 'a', 10);
  write_letters(5, 'b', 10);
  sim_machine_close(file);
  for (uint64_t choice = 0; choice < CHOICES; choice++) {
    gs_sim *crashed = crash(GS_CRASH_RANDOM, choice);
    const char *text = sim_machine_text(crashed, "/f");
    is_seen[0] |= strncmp(text, "---------------", 15) == 0;
    is_seen[1] |= strncmp(text, "aaaaaaaaaa-----", 15) == 0;
    is_seen[2] |= strncmp(text, "aaaaabbbbbbbbbb", 15) == 0;
    assert_true(strncmp(text, "-----b", 6) != 0);
    gs_sim_free(crashed);
  }
  assert_true(is_seen[0] && is_seen[1] && is_seen[2]);
}

static uint64_t
size_of(gs_sim *sim, const char *path)
{
  gs_file_info info;
  assert_int_equal(gs_env_stat(gs_sim_env(sim), path, &info, NULL), GS_OK);
  return info.size_bytes;
}

static void
test_a_size_is_old_or_new_or_between_and_exposes_zeros(void **state)
{
  (void)state;
  static const uint64_t sizes[] = {100, 600, 2000};
  bool is_seen[3] = {false};
  bool has_zeros = false;
  bool has_bytes = false;
  make_durable_letters(100);
  write_letters(100, 'a', 500);
  assert_int_equal(gs_file_allocate(file, 2000, &err), GS_OK);
  sim_machine_close(file);
  for (uint64_t choice = 0; choice < CHOICES; choice++) {
    gs_sim *crashed = crash(GS_CRASH_RANDOM, choice);
    uint64_t size = size_of(crashed, "/f");
    size_t which = size == sizes[0] ? 0 : size == sizes[1] ? 1 : 2;
    assert_int_equal(size, sizes[which]);
    is_seen[which] = true;
    const char *text = sim_machine_text(crashed, "/f");
    assert_int_equal(strspn(text, "-"), 100);
    if (size > SECTOR) {
      has_zeros |= text[100] == '\0';
      has_bytes |= text[100] == 'a';
      assert_true(text[SECTOR - 1] == text[100]); /* one sector, one fate */
      assert_true(size < 2000 || text[1999] == '\0');
    }
    gs_sim_free(crashed);
  }
  assert_true(is_seen[0] && is_seen[1] && is_seen[2]);
  assert_true(has_zeros && has_bytes);
}

static void
test_a_cut_file_may_be_long_again_but_not_with_what_came_later(void **state)
{
  (void)state;
  bool is_short = false;
  bool is_long = false;
  make_durable_letters(2 * SECTOR);
  assert_int_equal(sim_machine_env->ops->truncate(file, 10), 0);
  sim_machine_close(file);
  for (uint64_t choice = 0; choice < CHOICES; choice++) {
    gs_sim *crashed = crash(GS_CRASH_RANDOM, choice);
    uint64_t size = size_of(crashed, "/f");
    is_short |= size == 10;
    is_long |= size == 2 * SECTOR;
    assert_true(size == 10 || size == 2 * SECTOR);
    assert_true(strspn(sim_machine_text(crashed, "/f"), "-") >= 10);
    gs_sim_free(crashed);
  }
  assert_true(is_short && is_long);
}

static void
test_each_name_is_decided_by_itself(void **state)
{
  (void)state;
  bool is_seen[2][2] = {{false}};
  sim_machine_make_durable("/old", "old");
  assert_int_equal(gs_env_remove(sim_machine_env, "/old", &err), GS_OK);
  file = sim_machine_open("/new", GS_OPEN_CREATE);
  sim_machine_sync(file);
  sim_machine_close(file);
  for (uint64_t choice = 0; choice < CHOICES; choice++) {
    gs_sim *crashed = crash(GS_CRASH_RANDOM, choice);
    bool has_old = strcmp(sim_machine_text(crashed, "/old"), "old") == 0;
    bool has_new = strcmp(sim_machine_text(crashed, "/new"), "") == 0;
    is_seen[has_old][has_new] = true;
    gs_sim_free(crashed);
  }
  assert_true(is_seen[0][0] && is_seen[0][1] && is_seen[1][0] && is_seen[1][1]);
}

static void
test_a_name_means_what_it_meant_at_some_time(void **state)
{
  (void)state;
  static const char *const meanings[] = {"first", "(none)", "second"};
  bool is_seen[3] = {false};
  sim_machine_make_durable("/f", "first");
  assert_int_equal(gs_env_remove(sim_machine_env, "/f", &err), GS_OK);
  file = sim_machine_open("/f", GS_OPEN_CREATE);
  sim_machine_write(file, 0, "second");
  sim_machine_sync(file);
  sim_machine_close(file);
  for (uint64_t choice = 0; choice < CHOICES; choice++) {
    gs_sim *crashed = crash(GS_CRASH_RANDOM, choice);
    const char *text = sim_machine_text(crashed, "/f");
    size_t which = 0;
    while (which < 2 && strcmp(text, meanings[which]) != 0) {
      which++;
    }
    assert_string_equal(text, meanings[which]);
    is_seen[which] = true;
    gs_sim_free(crashed);
  }
  assert_true(is_seen[0] && is_seen[1] && is_seen[2]);
}

static void
test_a_file_that_came_and_went_may_be_back(void **state)
{
  (void)state;
  bool is_back = false;
  file = sim_machine_open("/f", GS_OPEN_CREATE);
  sim_machine_write(file, 0, "came");
  sim_machine_sync(file);
  sim_machine_close(file);
  assert_int_equal(gs_env_remove(sim_machine_env, "/f", &err), GS_OK);
  sim_machine_make("/g", ""); /* its close frees what nothing refers to */
  for (uint64_t choice = 0; choice < CHOICES; choice++) {
    gs_sim *crashed = crash(GS_CRASH_RANDOM, choice);
    is_back |= strcmp(sim_machine_text(crashed, "/f"), "came") == 0;
    gs_sim_free(crashed);
  }
  assert_true(is_back);
}

static void
test_what_was_synced_is_never_touched(void **state)
{
  (void)state;
  make_durable_letters(2 * SECTOR);
  write_letters(SECTOR, 'a', SECTOR);
  sim_machine_make_durable("/g", "synced");
  sim_machine_close(file);
  for (uint64_t choice = 0; choice < CHOICES; choice++) {
    gs_sim *crashed = crash(GS_CRASH_TORN, choice);
    assert_string_equal(sim_machine_text(crashed, "/g"), "synced");
    assert_true(strspn(sim_machine_text(crashed, "/f"), "-") >= SECTOR);
    gs_sim_free(crashed);
  }
}

/* In how many of the sectors more than one letter stands. */
static size_t
count_torn(const char *text, size_t sectors)
{
  size_t torn = 0;
  for (size_t i = 0; i < sectors; i++) {
    torn += run_length(text + i * SECTOR) < SECTOR;
  }
  return torn;
}

static void
test_exactly_one_sector_is_torn_from_either_end(void **state)
{
  (void)state;
  bool is_seen[4][2] = {{false}};
  make_durable_letters(4 * SECTOR);
  write_letters(0, 'a', 4 * SECTOR);
  sim_machine_close(file);
  for (uint64_t choice = 0; choice < CHOICES; choice++) {
    gs_sim *crashed = crash(GS_CRASH_TORN, choice);
    const char *text = sim_machine_text(crashed, "/f");
    assert_int_equal(strlen(text), 4 * SECTOR);
    assert_int_equal(count_torn(text, 4), 1);
    for (size_t i = 0; i < 4; i++) {
      const char *sector = text + i * SECTOR;
      if (run_length(sector) < SECTOR) {
        size_t front = run_length(sector);
        assert_true(front + run_length(sector + front) >= SECTOR);
        is_seen[i][sector[0] == 'a'] = true;
      }
    }
    gs_sim_free(crashed);
    crashed = crash(GS_CRASH_RANDOM, choice);
    assert_int_equal(count_torn(sim_machine_text(crashed, "/f"), 4), 0);
    gs_sim_free(crashed);
  }
  for (size_t i = 0; i < 8; i++) {
    assert_true(is_seen[i / 2][i % 2]);
  }
}

static void
test_a_machine_at_rest_has_nothing_to_tear(void **state)
{
  (void)state;
  sim_machine_make_durable("/f", "abc");
  sim_machine_crash(GS_CRASH_TORN, 7);
  assert_string_equal(sim_machine_text(sim_machine, "/f"), "abc");
}

static void
test_some_choices_keep_all_and_some_lose_all(void **state)
{
  (void)state;
  enum { FILES = 40 };
  size_t kept_all = 0;
  size_t lost_all = 0;
  make_durable_letters(4 * SECTOR);
  for (size_t i = 0; i < FILES; i++) {
    write_letters(i * 4 * SECTOR, 'a', 4 * SECTOR);
  }
  sim_machine_close(file);
  for (uint64_t choice = 0; choice < CHOICES; choice++) {
    gs_sim *crashed = crash(GS_CRASH_RANDOM, choice);
    const char *text = sim_machine_text(crashed, "/f");
    kept_all += strspn(text, "a") >= 60 * SECTOR;
    lost_all +=
        strspn(text, "-") == 4 * SECTOR && size_of(crashed, "/f") == 4 * SECTOR;
    gs_sim_free(crashed);
  }
  assert_true(kept_all > 0);
  assert_true(lost_all > 0);
}

static void
test_one_choice_is_one_state(void **state)
{
  (void)state;
  make_durable_letters(4 * SECTOR);
  write_letters(0, 'a', 4 * SECTOR);
  sim_machine_close(file);
  for (uint64_t choice = 0; choice < 20; choice++) {
    char first[TEXT_BYTES];
    gs_sim *crashed = crash(GS_CRASH_TORN, choice);
    memcpy(first, sim_machine_text(crashed, "/f"), sizeof first);
    gs_sim_free(crashed);
    crashed = crash(GS_CRASH_TORN, choice);
    assert_string_equal(sim_machine_text(crashed, "/f"), first);
    gs_sim_free(crashed);
  }
}

#define ONE_TEST(test)                                      \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ONE_TEST(test_each_sector_holds_one_of_its_versions),
      ONE_TEST(test_sectors_are_as_large_as_the_machine_says),
      ONE_TEST(test_a_sector_version_contains_all_earlier_writes_to_it),
      ONE_TEST(test_a_size_is_old_or_new_or_between_and_exposes_zeros),
      ONE_TEST(test_a_cut_file_may_be_long_again_but_not_with_what_came_later),
      ONE_TEST(test_each_name_is_decided_by_itself),
      ONE_TEST(test_a_name_means_what_it_meant_at_some_time),
      ONE_TEST(test_a_file_that_came_and_went_may_be_back),
      ONE_TEST(test_what_was_synced_is_never_touched),
      ONE_TEST(test_exactly_one_sector_is_torn_from_either_end),
      ONE_TEST(test_a_machine_at_rest_has_nothing_to_tear),
      ONE_TEST(test_some_choices_keep_all_and_some_lose_all),
      ONE_TEST(test_one_choice_is_one_state),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
