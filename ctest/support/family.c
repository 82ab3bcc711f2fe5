/*
 * family: a scale below one life of a sweep becomes a stride over its points.
 */
#include "support/family.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const double everyday = 0.02;

static double
setting(const char *name, double otherwise)
{
  const char *text = getenv(name);
  double value = text == NULL ? otherwise : strtod(text, NULL);
  return value > 0 ? value : otherwise;
}

static double
scale(void)
{
  double stride = setting("GS_STRIDE", 1);
  return setting("GS_SCALE", everyday) / (stride < 1 ? 1 : stride);
}

family_size
family_size_of(size_t full_count)
{
  double lives = (double)full_count * scale();
  if (lives >= 1) {
    return (family_size){.count = (size_t)(lives + 0.5), .stride = 1};
  }
  return (family_size){.count = 1, .stride = (size_t)(1 / lives + 0.5)};
}

size_t
family_count(size_t full_count)
{
  double count = (double)full_count * scale();
  return count < 1 ? 1 : (size_t)(count + 0.5);
}

int
family_report(int number, const char *name, uint64_t states, int failures,
              const char *what)
{
  double seconds = (double)clock() / CLOCKS_PER_SEC;
  printf("\nfamily %d %s %llu %d %.1f %s\n", number, name,
         (unsigned long long)states, failures, seconds, what);
  fflush(stdout);
  return failures;
}
