/*
 * temp_dir: a directory of one test on the real file system, under $TMPDIR or
 * /tmp.
 *
 * Life: made empty, removed with all that is in it.
 */
#ifndef GS_CTEST_SUPPORT_TEMP_DIR_H
#define GS_CTEST_SUPPORT_TEMP_DIR_H

enum { TEMP_DIR_BYTES = 512 }; /* room for the path and a name within */

typedef struct temp_dir {
  char path[TEMP_DIR_BYTES];
  char within[TEMP_DIR_BYTES]; /* what temp_dir_at gave last */
} temp_dir;

/* Fails the running test when it cannot be made. */
void temp_dir_make(temp_dir *dir);
void temp_dir_remove(temp_dir *dir);

/* The path of a name in the directory; valid until the next call. */
const char *temp_dir_at(temp_dir *dir, const char *name);

#endif
