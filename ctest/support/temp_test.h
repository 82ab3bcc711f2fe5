/*
 * temp_test: for tests each of which has a directory of its own.
 *
 * Model: `dir` is the running test's directory; give set_up and tear_down to
 * the runner. Included by a test program, once.
 */
#ifndef GS_CTEST_SUPPORT_TEMP_TEST_H
#define GS_CTEST_SUPPORT_TEMP_TEST_H

#include "support/temp_dir.h"

static temp_dir dir;

static inline int
set_up(void **state)
{
  (void)state;
  temp_dir_make(&dir);
  return 0;
}

static inline int
tear_down(void **state)
{
  (void)state;
  temp_dir_remove(&dir);
  return 0;
}

#endif
