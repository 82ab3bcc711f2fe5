/*
 * check: the end of a process whose invariants no longer hold. It speaks and
 * stops without allocating, since nothing can be trusted any more.
 */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

void
gs_check_failed(const char *condition, const char *file, int line)
{
  fprintf(stderr, "grainstore: %s:%d: broken invariant: %s\n", file, line,
          condition);
  abort();
}
