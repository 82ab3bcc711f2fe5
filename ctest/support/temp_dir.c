/*
 * temp_dir: made by mkdtemp, removed depth first.
 */
#include "support/temp_dir.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { WALK_FDS = 16 };

void
temp_dir_make(temp_dir *dir)
{
  const char *parent = getenv("TMPDIR");
  snprintf(dir->path, sizeof dir->path, "%s/grainstore-XXXXXX",
           parent != NULL ? parent : "/tmp");
  assert_non_null(mkdtemp(dir->path));
}

static int
remove_one(const char *path, const struct stat *info, int kind,
           struct FTW *place)
{
  (void)info;
  (void)kind;
  (void)place;
  return remove(path);
}

void
temp_dir_remove(temp_dir *dir)
{
  nftw(dir->path, remove_one, WALK_FDS, FTW_DEPTH | FTW_PHYS);
}

const char *
temp_dir_at(temp_dir *dir, const char *name)
{
  int length =
      snprintf(dir->within, sizeof dir->within, "%s/%s", dir->path, name);
  assert_in_range(length, 1, sizeof dir->within - 1);
  return dir->within;
}
