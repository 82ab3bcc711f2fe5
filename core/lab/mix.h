/*
 * mix: which keys a workload writes, and how often.
 *
 * Model: the keys of a workload fall into classes; all keys of a class are
 * written equally often. One write draws one key: `rate` is the chance that it
 * is a given key of the class. Keys of every class lie evenly over the key
 * space, as hashed keys do.
 *   random    uniform (one class), or zipf: rank i is drawn in proportion to
 *             i^-skew; the first ranks are classes of their own, then a class
 *             ends where its rank is a third larger than at its begin
 *             Any other mixture is given class by class.
 *   sequence  keys rise from write to write, and begin anew after the last:
 *             one class; a stretch of keys that was written was written whole
 *   queue     as sequence, and once `keys` keys are there every second write
 *             deletes the oldest
 *
 * Why classes: within one the chances differ by a third, and a sum over some
 * a few dozen of them stands for any number of keys.
 *
 * Threads: pure.
 */
#ifndef GS_LAB_MIX_H
#define GS_LAB_MIX_H

#include <stddef.h>

#include "base/error.h"

enum { GS_MIX_CLASSES = 128 };

typedef enum gs_lab_kind {
  GS_LAB_RANDOM = 0,
  GS_LAB_SEQUENCE = 1,
  GS_LAB_QUEUE = 2,
} gs_lab_kind;

typedef struct gs_mix_class {
  double keys;
  double rate; /* chance of one key at one write; 1 where keys are in order */
} gs_mix_class;

typedef struct gs_mix {
  gs_lab_kind kind;
  double keys;
  size_t class_count;
  gs_mix_class classes[GS_MIX_CLASSES];
} gs_mix;

/* Requires: keys >= 1, skew >= 0 (0: uniform). */
void gs_mix_init(gs_mix *mix, gs_lab_kind kind, double keys, double skew);

/* Random keys of these classes; their chances are scaled to 1 in all.
 * Requires: 1 to GS_MIX_CLASSES of them, of which one has keys and a rate. */
void gs_mix_init_classes(gs_mix *mix, const gs_mix_class *classes,
                         size_t count);

static inline bool
gs_mix_is_ordered(const gs_mix *mix)
{
  return mix->kind != GS_LAB_RANDOM;
}

/* Distinct keys among so many writes, expected. */
double gs_mix_distinct(const gs_mix *mix, double writes);

/* Their standard deviation; and how many more of them one write more brings. */
double gs_mix_spread(const gs_mix *mix, double writes);
double gs_mix_growth(const gs_mix *mix, double writes);

/* The number of writes that are expected to have so many distinct keys, looked
 * for between two bounds. */
double gs_mix_writes(const gs_mix *mix, double distinct, double least,
                     double most);

#endif
