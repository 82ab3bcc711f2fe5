/*
 * family: how much a sweep over many states is to try, and the line that tells
 * what it tried. The same for specs: spec/support/family.lua.
 *
 * Model: a sweep has a full figure. GS_SCALE = 1 asks for that, 10 for ten times
 * as much, 0.1 for a tenth; without it a sweep runs at the everyday scale, in a
 * few seconds. GS_STRIDE divides the scale for builds that are slow and look
 * for something else.
 *
 * Threads: one.
 */
#ifndef GS_CTEST_SUPPORT_FAMILY_H
#define GS_CTEST_SUPPORT_FAMILY_H

#include <stddef.h>
#include <stdint.h>

/* A sweep of `count` lives that tries every `stride`th point of each. */
typedef struct family_size {
  size_t count;
  size_t stride;
} family_size;

/* Of a sweep whose full figure is so many lives with every point of each. Both
 * numbers are at least 1. */
family_size family_size_of(size_t full_count);

/* How many of so many things that are drawn at random; at least 1. */
size_t family_count(size_t full_count);

/* For the end of main: prints
 *   family <number> <name> <states> <failures> <seconds> <what was counted>
 * and gives back `failures`. The name is one word. */
int family_report(int number, const char *name, uint64_t states, int failures,
                  const char *what);

#endif
