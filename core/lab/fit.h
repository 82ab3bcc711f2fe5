/*
 * fit: classes of keys from what was counted: which mixture makes as many
 * distinct keys of so many writes as there were.
 *
 * Model: with N keys of chance q in a class, n writes are expected to have
 *   D(n) = sum over classes of N (1 - e^(-q n)),   where sum of N q = 1
 * distinct ones. Chances are fixed, from 1 down in equal steps of their
 * logarithm to one that so many writes would hardly meet; what is looked for
 * are the numbers of keys, none of them negative. They are those of the least
 * squares of relative distances, each with its weight. That one write is one
 * key is a point like the others, with a weight of its own.
 *
 * Why so: the sum is linear in the numbers of keys, so there is one best fit.
 * Beginning with no keys at all, few classes get some, and none that the points
 * do not ask for. Ways that change all classes a little at a time (expectation
 * maximisation, one class after the other) take thousands of rounds to tell one
 * class from many, and leave keys in the rarest, where points say least.
 *
 * Limits: beyond the largest n a mixture is a guess.
 * Threads: pure.
 */
#ifndef GS_LAB_FIT_H
#define GS_LAB_FIT_H

#include "lab/mix.h"

enum { GS_FIT_POINTS_MAX = 128 };

typedef struct gs_fit_point {
  double writes;
  double distinct;
  double weight; /* above 0 */
} gs_fit_point;

/* Fills at most GS_MIX_CLASSES classes; returns how many. *off receives the
 * distance of the points from the fit, as a share of what was counted: the root
 * of the mean square by weight. Requires: 1 to
 * GS_FIT_POINTS_MAX points, 0 < distinct <= writes. */
size_t gs_fit(void *scratch, const gs_fit_point *points, size_t count,
              gs_mix_class *classes, double *off);

/* Bytes that gs_fit needs of the caller's memory, aligned as for any type: too
 * many for the stack of a small thread. */
size_t gs_fit_room_bytes(void);

#endif
