/*
 * Tests of the clocks of the real machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "env/env.h"

enum { LOOKS = 10000, MS_PER_S = 1000 };

static void
test_the_monotonic_clock_never_goes_back(void **state)
{
  (void)state;
  gs_env *env = gs_env_posix();
  uint64_t before = gs_env_mono_us(env);
  for (int i = 0; i < LOOKS; i++) {
    uint64_t now = gs_env_mono_us(env);
    assert_true(now >= before);
    before = now;
  }
}

static void
test_the_wall_clock_is_that_of_the_system(void **state)
{
  (void)state;
  uint64_t before = (uint64_t)time(NULL) * MS_PER_S;
  uint64_t now = gs_env_wall_ms(gs_env_posix());
  uint64_t after = ((uint64_t)time(NULL) + 1) * MS_PER_S;
  /* The coarse clock behind time() lags by a tick. */
  assert_in_range(now, before, after + MS_PER_S);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_monotonic_clock_never_goes_back),
      cmocka_unit_test(test_the_wall_clock_is_that_of_the_system),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
