/*
 * report: results of many runs.
 *
 * Model: a sample belongs to an engine, a name and a run; samples of one run
 * were taken one after the other. What is shown of a cell is the median of each
 * of its figures. A ratio of two engines is the median of the ratios of their
 * runs, so that a moment in which the machine was slow hits both sides. Rows
 * keep the order in which their names first came. The first engine is the one
 * that is judged.
 */
#ifndef GS_BENCH_REPORT_H
#define GS_BENCH_REPORT_H

#include <stdio.h>

#include "bench/peers/work.h"

enum { REPORT_ENGINES = 8, REPORT_ROWS = 96, REPORT_RUNS = 15 };

typedef struct report_cell {
  work_result samples[REPORT_RUNS];
  int count;
} report_cell;

typedef struct report {
  const peer_engine *engines[REPORT_ENGINES];
  int engine_count;
  const char *head; /* lines that name machine, versions and settings */
  char rows[REPORT_ROWS][WORK_NAME_BYTES];
  uint64_t growth_entries[REPORT_ROWS]; /* 0: a row of one size */
  int row_count;
  report_cell cells[REPORT_ROWS][REPORT_ENGINES];
} report;

void report_add(report *r, int engine, const work_result *result);

/* The number of the row, or -1. */
int report_find(const report *r, const char *name);

/* Whether more is better: what has a goal or latencies, and whole scans. What
 * is left are costs. */
bool report_is_rate(const report *r, int row);

/* Zeros where there is no sample. */
work_result report_median(const report_cell *cell);

/* Which peers the first engine is compared with. */
typedef enum report_rivals { REPORT_LSM, REPORT_ALL } report_rivals;

/* Ratio of the first engine to the best of those peers, the least of its ratios
 * to each; 0 where there is nothing to compare. */
double report_ratio(const report *r, int row, report_rivals rivals);

/* The row of the same workload at the least number of entries, or -1 where this
 * row is that one or of one size. Values of both have the same size. */
int report_smallest(const report *r, int row);

/* How often the cost of an operation at the least size goes into that of this
 * row; 0 where one of both is missing. */
double report_growth(const report *r, int row, int smallest, int engine);

/* ---- saying ----------------------------------------------------------------*/

/* Markdown: the head, rates with ratios, goals and floors, costs, growth,
 * latencies, and how many rows reach what is asked. */
void report_print(const report *r, FILE *out);

/* The head as lines that begin with #, then a line for each cell: medians, then
 * the samples in the order of the runs. */
void report_csv(const report *r, FILE *out);

/* One picture, without anything outside it: bars of all engines for each rate,
 * relative to the best. */
void report_svg(const report *r, FILE *out);

#endif
