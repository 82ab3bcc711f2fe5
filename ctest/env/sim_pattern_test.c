/*
 * Patterns over paths against a plain recursive reading of the same rules.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "env/sim/state.h"

static bool
matches_plainly(const char *pattern, const char *text)
{
  if (*pattern == '\0') {
    return *text == '\0';
  }
  if (*pattern == '*') {
    return matches_plainly(pattern + 1, text) ||
           (*text != '\0' && matches_plainly(pattern, text + 1));
  }
  return *text != '\0' && (*pattern == '?' || *pattern == *text) &&
         matches_plainly(pattern + 1, text + 1);
}

static void
test_a_star_stands_for_any_text_with_slashes(void **state)
{
  (void)state;
  assert_true(gs_sim_pattern_matches("*.wal", "/db/000001.wal"));
  assert_true(gs_sim_pattern_matches("/db/*", "/db/deep/er"));
  assert_true(gs_sim_pattern_matches("*", ""));
  assert_true(gs_sim_pattern_matches("/db", "/db"));
  assert_false(gs_sim_pattern_matches("*.wal", "/db/000001.walx"));
  assert_false(gs_sim_pattern_matches("/db", "/db/x"));
  assert_false(gs_sim_pattern_matches("", "x"));
}

static void
draw_text(uint64_t *random, const char *letters, size_t count, char text[9])
{
  size_t size = (size_t)(gs_sim_draw(random) % 9);
  for (size_t i = 0; i < size; i++) {
    text[i] = letters[gs_sim_draw(random) % count];
  }
  text[size] = '\0';
}

static void
test_random_patterns_match_as_the_plain_reading_says(void **state)
{
  (void)state;
  uint64_t random = 1;
  size_t matched = 0;
  for (int i = 0; i < 200000; i++) {
    char pattern[9];
    char text[9];
    draw_text(&random, "ab*?", 4, pattern);
    draw_text(&random, "ab", 2, text);
    bool expected = matches_plainly(pattern, text);
    matched += expected;
    if (gs_sim_pattern_matches(pattern, text) != expected) {
      fail_msg("%s against %s", pattern, text);
    }
  }
  assert_true(matched > 1000);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_star_stands_for_any_text_with_slashes),
      cmocka_unit_test(test_random_patterns_match_as_the_plain_reading_says),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
