#include "bench/peers/report.h"

#include "bench/peers/goals.h"

/* ---- samples ---------------------------------------------------------------*/

int
report_find(const report *r, const char *name)
{
  for (int i = 0; i < r->row_count; i++) {
    if (strcmp(r->rows[i], name) == 0) {
      return i;
    }
  }
  return -1;
}

static int
row_of(report *r, const work_result *result)
{
  int found = report_find(r, result->name);
  if (found >= 0) {
    return found;
  }
  if (r->row_count == REPORT_ROWS) {
    peer_die("bench", "report", "too many rows");
  }
  snprintf(r->rows[r->row_count], WORK_NAME_BYTES, "%s", result->name);
  r->growth_entries[r->row_count] = result->growth_entries;
  return r->row_count++;
}

void
report_add(report *r, int engine, const work_result *result)
{
  report_cell *cell = &r->cells[row_of(r, result)][engine];
  if (cell->count < REPORT_RUNS) {
    cell->samples[cell->count++] = *result;
  }
}

/* ---- medians ---------------------------------------------------------------*/

static int
compare(const void *a, const void *b)
{
  double x = *(const double *)a;
  double y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Sorts them. Of an even number the mean of the two in the middle. */
static double
middle(double *values, int count)
{
  if (count == 0) {
    return 0;
  }
  qsort(values, (size_t)count, sizeof *values, compare);
  return (values[count / 2] + values[(count - 1) / 2]) / 2;
}

static double
middle_of(const report_cell *cell, size_t offset)
{
  double values[REPORT_RUNS];
  for (int i = 0; i < cell->count; i++) {
    memcpy(&values[i], (const char *)&cell->samples[i] + offset,
           sizeof values[i]);
  }
  return middle(values, cell->count);
}

work_result
report_median(const report_cell *cell)
{
  return (work_result){
      .value = middle_of(cell, offsetof(work_result, value)),
      .p50_us = middle_of(cell, offsetof(work_result, p50_us)),
      .p99_us = middle_of(cell, offsetof(work_result, p99_us)),
      .p999_us = middle_of(cell, offsetof(work_result, p999_us)),
      .p9999_us = middle_of(cell, offsetof(work_result, p9999_us)),
      .longest_us = middle_of(cell, offsetof(work_result, longest_us)),
  };
}

bool
report_is_rate(const report *r, int row)
{
  if (goal_find(r->rows[row]) != NULL ||
      strncmp(r->rows[row], "readseq", 7) == 0) {
    return true;
  }
  for (int e = 0; e < r->engine_count; e++) {
    if (report_median(&r->cells[row][e]).longest_us > 0) {
      return true;
    }
  }
  return false;
}

/* ---- ratios ----------------------------------------------------------------*/

/* Median over the runs that both have. */
static double
ratio_of(const report_cell *a, const report_cell *b)
{
  double ratios[REPORT_RUNS];
  int count = 0;
  for (int i = 0; i < a->count && i < b->count; i++) {
    if (b->samples[i].value > 0) {
      ratios[count++] = a->samples[i].value / b->samples[i].value;
    }
  }
  return middle(ratios, count);
}

double
report_ratio(const report *r, int row, report_rivals rivals)
{
  double least = 0;
  for (int e = 1; e < r->engine_count; e++) {
    if (rivals == REPORT_LSM && !r->engines[e]->is_lsm) {
      continue;
    }
    double ratio = ratio_of(&r->cells[row][0], &r->cells[row][e]);
    if (ratio > 0 && (least == 0 || ratio < least)) {
      least = ratio;
    }
  }
  return least;
}

/* ---- growth ----------------------------------------------------------------*/

/* What stands before the size, and what stands after the count. */
static bool
is_same_workload(const char *a, const char *b)
{
  const char *a_size = strstr(a, ", ");
  const char *b_size = strstr(b, ", ");
  if (a_size == NULL || b_size == NULL || a_size - a != b_size - b ||
      memcmp(a, b, (size_t)(a_size - a)) != 0) {
    return false;
  }
  const char *a_rest = strstr(a_size, " entries");
  const char *b_rest = strstr(b_size, " entries");
  return a_rest != NULL && b_rest != NULL && strcmp(a_rest, b_rest) == 0;
}

int
report_smallest(const report *r, int row)
{
  int smallest = row;
  for (int i = 0; i < r->row_count; i++) {
    if (r->growth_entries[i] != 0 &&
        r->growth_entries[i] < r->growth_entries[smallest] &&
        is_same_workload(r->rows[i], r->rows[row])) {
      smallest = i;
    }
  }
  return smallest == row ? -1 : smallest;
}

double
report_growth(const report *r, int row, int smallest, int engine)
{
  return ratio_of(&r->cells[smallest][engine], &r->cells[row][engine]);
}
