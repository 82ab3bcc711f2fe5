/*
 * chance: the lab's random numbers.
 *
 * Threads: pure but for the state.
 */
#ifndef GS_LAB_CHANCE_H
#define GS_LAB_CHANCE_H

#include <stdint.h>

/* A number of mean 0 and deviation 1, about normal: the sum of twelve uniform
 * ones. Moves the state on. */
double gs_lab_deviation(uint64_t *state);

#endif
