/*
 * plant: a lab that begins with a tree: tables of a real store, whose content
 * is guessed from their counts.
 *
 * Model: a planted table keeps the metadata it comes with; only its bounds are
 * positions. What it holds: of random keys, as many draws as make its entries
 * over its part of the keys; of keys in order, so many keys in a row at the upper
 * end of its part, and of a queue tombstones at the lower. Values of it expire by
 * the times it tells.
 *
 * Threads: one.
 */
#ifndef GS_LAB_PLANT_H
#define GS_LAB_PLANT_H

#include "base/error.h"
#include "data/table_meta.h"

struct gs_lab;

typedef struct gs_lab_planted {
  size_t run; /* from 0, the newest; rising */
  uint32_t level;
  double lo;   /* from 0 to 1: its part of the keys; rising in a run */
  double hi;   /* above lo */
  double kept; /* of the keys written in that part, those that are left */
  gs_table_meta meta; /* numbers alone: its keys and its id are not looked at */
} gs_lab_planted;

/* Requires: a lab that is fed and was not yet; `keys`, of keys in order: how
 * many lie between 0 and 1; the writer goes on behind them. */
GS_MUST_CHECK gs_status gs_lab_plant(struct gs_lab *lab,
                                     const gs_lab_planted *tables, size_t count,
                                     double keys, gs_error *err);

#endif
