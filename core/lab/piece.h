/*
 * piece: a stretch of keys and what a table holds of them, in numbers.
 *
 * Model: a table holds, of its keys, the newest of the writes that went into
 * it. So its content is told by *which writes* those were: cohorts of writes,
 * newest first, each `writes` draws over all keys of the workload. Draws are
 * independent, so a key with chance q at each is missed by a cohort with
 * e^(-q * writes), and has its newest version in cohort h with
 *   (1 - e^(-q * writes_h)) * product over newer cohorts of e^(-q * writes)
 * Laying cohorts on top of each other is therefore what a merge does (E2).
 * Of the keys with their newest version in a cohort, the share `put` is kept as
 * a value and `gone` as a tombstone; the rest was dropped (E3). Of the values
 * the share `lasting` of all keys never expires. A cohort of
 * infinitely many writes holds every key of the piece: keys in order.
 *   1. lo < hi; cohorts are newest first; count <= GS_COHORTS_MAX
 *   2. where nothing expires there is one cohort at most
 *
 * Positions: 0 .. GS_SPACE stands for the key space from end to end.
 * Threads: pure.
 */
#ifndef GS_LAB_PIECE_H
#define GS_LAB_PIECE_H

#include <stdint.h>

#include "lab/mix.h"

#define GS_SPACE (UINT64_C(1) << 63)

enum { GS_COHORTS_MAX = 8 };

typedef struct gs_cohort {
  double writes;
  double put;
  double gone;
  double from_ms; /* written from … to */
  double to_ms;
  double lasting; /* of put, what never expires */
} gs_cohort;

typedef struct gs_piece {
  uint64_t lo; /* keys at lo <= position < hi */
  uint64_t hi;
  size_t count;
  gs_cohort cohorts[GS_COHORTS_MAX];
} gs_piece;

typedef struct gs_count {
  double puts;
  double gones;
} gs_count;

/* Share of the key space. */
static inline double
gs_piece_width(const gs_piece *piece)
{
  return (double)(piece->hi - piece->lo) / (double)GS_SPACE;
}

/* Expected entries. */
gs_count gs_piece_count(const gs_piece *piece, const gs_mix *mix);

/* Of the puts, those that never expire. */
double gs_piece_lasting(const gs_piece *piece, const gs_mix *mix);

/* Of the puts that expire, how many were written before. */
double gs_piece_expired(const gs_piece *piece, const gs_mix *mix,
                        double deadline_ms);

/* What is to be done to a stack of cohorts. */
typedef struct gs_stack_rules {
  const gs_mix *mix;
  bool expires;
  double deadline_ms; /* what was written before has expired */
  double bottom;      /* share of the keys with nothing older beneath */
} gs_stack_rules;

/*
 * Fills out's cohorts from a stack, newest first, by the dropping rules: E6
 * turns what has expired into tombstones, E3 drops tombstones at the bottom,
 * and what makes no difference any more is left out or taken together. The
 * stack is changed; it has room for twice as many.
 */
void gs_piece_stack(gs_piece *out, gs_cohort *stack, size_t count,
                    const gs_stack_rules *rules);

/* Whether the two, neighbours or not, hold nearly the same per key. */
bool gs_piece_is_like(const gs_piece *a, const gs_piece *b, const gs_mix *mix);

/* Makes a and its upper neighbour b one piece with what both hold. */
void gs_piece_join(gs_piece *a, const gs_piece *b, const gs_mix *mix);

#endif
