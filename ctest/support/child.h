/*
 * child: runs something in a forked process, to see how it ends.
 *
 * Model: the child's standard error stream is read by the parent. A child that
 * comes back from `run` ends with what it returned as exit status.
 */
#ifndef GS_CTEST_SUPPORT_CHILD_H
#define GS_CTEST_SUPPORT_CHILD_H

#include <stdbool.h>

enum { CHILD_TEXT_BYTES = 1024 };

typedef struct child_end {
  bool has_aborted;            /* by SIGABRT */
  int exit_status;             /* -1 when a signal ended it */
  char said[CHILD_TEXT_BYTES]; /* start of its standard error stream */
} child_end;

/* A child that runs. */
typedef struct child {
  int pid;
  int said; /* its standard error stream, to be read */
} child;

/* Where other threads of the process are busy the child is started first: it has
 * their locks as they were, those of a sanitizer's allocator among them. */
child child_start(int (*run)(void *arg), void *arg);
child_end child_finish(child running);

child_end child_run(int (*run)(void *arg), void *arg);

#endif
