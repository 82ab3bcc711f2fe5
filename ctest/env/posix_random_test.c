/*
 * Tests of the chance of the real machine, in threads and in forked children.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "env/env.h"
#include "support/child.h"

enum { DRAWS = 10000, THREADS = 4 };

static void
test_random_numbers_do_not_repeat_and_use_all_bits(void **state)
{
  (void)state;
  static uint64_t drawn[DRAWS];
  gs_env *env = gs_env_posix();
  uint64_t any = 0;
  uint64_t all = UINT64_MAX;
  for (size_t i = 0; i < DRAWS; i++) {
    drawn[i] = gs_env_random64(env);
    any |= drawn[i];
    all &= drawn[i];
  }
  assert_true(any == UINT64_MAX);
  assert_true(all == 0);
  for (size_t i = 1; i < DRAWS; i++) {
    assert_true(drawn[i] != drawn[i - 1]);
    assert_true(drawn[i] != drawn[0]);
  }
}

static int
tell_number(void *arg)
{
  (void)arg;
  fprintf(stderr, "%llx", (unsigned long long)gs_env_random64(gs_env_posix()));
  return 0;
}

static void
test_a_forked_child_draws_numbers_of_its_own(void **state)
{
  (void)state;
  char own[CHILD_TEXT_BYTES];
  child_end first = child_run(tell_number, NULL);
  child_end second = child_run(tell_number, NULL);
  snprintf(own, sizeof own, "%llx",
           (unsigned long long)gs_env_random64(gs_env_posix()));
  assert_string_not_equal(first.said, second.said);
  assert_string_not_equal(first.said, own);
  assert_string_not_equal(second.said, own);
}

static void
draw_many(void *arg)
{
  uint64_t *drawn = arg;
  for (size_t i = 0; i < DRAWS; i++) {
    drawn[i] = gs_env_random64(gs_env_posix());
  }
}

static int
compare_numbers(const void *a, const void *b)
{
  uint64_t left = *(const uint64_t *)a;
  uint64_t right = *(const uint64_t *)b;
  return (left > right) - (left < right);
}

static void
test_threads_never_draw_the_same_number(void **state)
{
  (void)state;
  static uint64_t drawn[THREADS * DRAWS];
  gs_thread *threads[THREADS];
  for (size_t i = 0; i < THREADS; i++) {
    assert_int_equal(gs_thread_start(gs_env_posix(), draw_many,
                                     &drawn[i * DRAWS], &threads[i], NULL),
                     GS_OK);
  }
  for (size_t i = 0; i < THREADS; i++) {
    gs_thread_join(threads[i]);
  }
  qsort(drawn, THREADS * DRAWS, sizeof drawn[0], compare_numbers);
  for (size_t i = 1; i < THREADS * DRAWS; i++) {
    assert_true(drawn[i] != drawn[i - 1]);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_random_numbers_do_not_repeat_and_use_all_bits),
      cmocka_unit_test(test_a_forked_child_draws_numbers_of_its_own),
      cmocka_unit_test(test_threads_never_draw_the_same_number),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
