/*
 * report: results of many runs, and the tables made of them.
 *
 * Model: a sample belongs to an engine and a name; what is shown is the median
 * of its samples. Rows keep the order in which their names first came.
 */
#ifndef GS_BENCH_REPORT_H
#define GS_BENCH_REPORT_H

#include <stdio.h>

#include "bench/peers/work.h"

enum { REPORT_ENGINES = 8, REPORT_ROWS = 48, REPORT_REPEATS = 15 };

typedef struct report_cell {
  work_result samples[REPORT_REPEATS];
  int count;
} report_cell;

typedef struct report {
  const peer_engine *engines[REPORT_ENGINES];
  int engine_count;
  char rows[REPORT_ROWS][WORK_NAME_BYTES];
  int row_count;
  report_cell cells[REPORT_ROWS][REPORT_ENGINES];
} report;

void report_add(report *r, int engine, const work_result *result);

/* Markdown: medians with ratios of the first engine to the best of the others,
 * then latencies. */
void report_print(const report *r, FILE *out);

/* engine,workload,median,p50,p99,p999,p9999,longest */
void report_csv(const report *r, FILE *out);

#endif
