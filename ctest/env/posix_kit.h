/*
 * posix_kit: for tests of the real machine's files, each in a directory of its
 * own (see temp_test.h).
 */
#ifndef GS_CTEST_ENV_POSIX_KIT_H
#define GS_CTEST_ENV_POSIX_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "env/env.h"
#include "support/temp_test.h"

static gs_error err;

/* Fails the running test when it cannot be opened. */
static inline gs_file *
open_file(const char *name, gs_open_mode mode)
{
  gs_file *file = NULL;
  assert_int_equal(
      gs_file_open(gs_env_posix(), temp_dir_at(&dir, name), mode, &file, &err),
      GS_OK);
  return file;
}

static inline void
close_file(gs_file *file)
{
  assert_int_equal(gs_file_close(file, &err), GS_OK);
}

#endif
