/*
 * goals: what GrainStore is asked for, row by row.
 */
#ifndef GS_BENCH_GOALS_H
#define GS_BENCH_GOALS_H

#include <stddef.h>

typedef struct goal {
  const char *name;
  double best_of_all; /* a factor over the best peer that is aimed at */
  double best_lsm;    /* over the best LSM peer, at least */
} goal;

extern const goal goals[];
extern const size_t goal_count;

/* Rows on which the best of all peers has to be reached. */
enum { GOALS_EVEN_WITH_BEST = 20 };

/* The goal of a row, or NULL: a cost, where less is better, or a rate of which
 * nothing is asked. */
const goal *goal_find(const char *name);

/* How often the cost at 100 k entries may go into that at 10 M, by the name
 * without its size; 0 where nothing is asked. */
double goal_growth(const char *name, size_t size);

#endif
