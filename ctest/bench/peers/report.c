#include "bench/peers/report.h"

/* A factor over the best of all that the first engine is meant to reach; 0:
 * a measure for which less is better, or none. */
typedef struct goal {
  const char *name;
  double factor;
} goal;

static const goal goals[] = {
    {"fillseq", 3},
    {"fillbatch", 1.5},
    {"fillrandbatch", 3},
    {"fillrandom", 4},
    {"overwrite", 4},
    {"deleterandom", 3},
    {"fillsync, 1 thread", 1.1},
    {"fillsync, 8 threads", 1.5},
    {"readrandom, just loaded", 2},
    {"readrandom, settled", 2},
    {"readmissing", 1.2},
    {"readhot", 2},
    {"readseq", 1.2},
    {"readreverse", 1.2},
    {"seekrandom", 2},
    {"readwhilewriting reads", 2},
    {"readwhilewriting writes", 3},
    {"YCSB A", 3},
    {"YCSB B", 2},
    {"YCSB C", 1.5},
    {"YCSB D", 2},
    {"YCSB E", 1.2},
    {"YCSB F", 2},
    {"opens", 1},
    {"recovered entries", 2},
};

static double
goal_of(const char *name)
{
  for (size_t i = 0; i < sizeof goals / sizeof goals[0]; i++) {
    if (strcmp(goals[i].name, name) == 0) {
      return goals[i].factor;
    }
  }
  return 0;
}

static int
row_of(report *r, const char *name)
{
  for (int i = 0; i < r->row_count; i++) {
    if (strcmp(r->rows[i], name) == 0) {
      return i;
    }
  }
  if (r->row_count == REPORT_ROWS) {
    peer_die("bench", "report", "too many rows");
  }
  snprintf(r->rows[r->row_count], WORK_NAME_BYTES, "%s", name);
  return r->row_count++;
}

void
report_add(report *r, int engine, const work_result *result)
{
  report_cell *cell = &r->cells[row_of(r, result->name)][engine];
  if (cell->count < REPORT_REPEATS) {
    cell->samples[cell->count++] = *result;
  }
}

static int
by_value(const void *a, const void *b)
{
  double x = ((const work_result *)a)->value;
  double y = ((const work_result *)b)->value;
  return (x > y) - (x < y);
}

/* The sample in the middle; of zeros where there is none. */
static work_result
median(const report_cell *cell)
{
  work_result sorted[REPORT_REPEATS] = {0};
  memcpy(sorted, cell->samples, (size_t)cell->count * sizeof sorted[0]);
  qsort(sorted, (size_t)cell->count, sizeof sorted[0], by_value);
  return sorted[cell->count / 2];
}

static void
print_number(FILE *out, double value)
{
  if (value == 0) {
    fprintf(out, " – |");
  } else if (value >= 1e6) {
    fprintf(out, " %.2f M |", value / 1e6);
  } else if (value >= 1e4) {
    fprintf(out, " %.0f k |", value / 1e3);
  } else if (value >= 1e3) {
    fprintf(out, " %.2f k |", value / 1e3);
  } else {
    fprintf(out, value >= 100 ? " %.0f |" : " %.2f |", value);
  }
}

static bool
is_lsm(const peer_engine *engine)
{
  return engine == &peer_rocksdb || engine == &peer_leveldb;
}

/* Ratio of the first engine to the best of the others. */
static double
ratio(const report *r, int row, bool lsm_only)
{
  double best = 0;
  for (int e = 1; e < r->engine_count; e++) {
    double value = median(&r->cells[row][e]).value;
    if (value > best && (!lsm_only || is_lsm(r->engines[e]))) {
      best = value;
    }
  }
  return best == 0 ? 0 : median(&r->cells[row][0]).value / best;
}

static void
print_heads(const report *r, FILE *out, const char *more)
{
  fprintf(out, "\n| workload |");
  for (int e = 0; e < r->engine_count; e++) {
    fprintf(out, " %s |", r->engines[e]->name);
  }
  fprintf(out, "%s\n|---|", more);
  for (int e = 0; e < r->engine_count; e++) {
    fprintf(out, "---|");
  }
}

static void
print_rates(const report *r, FILE *out)
{
  print_heads(r, out, " to best LSM | to best of all | goal |");
  fprintf(out, "---|---|---|\n");
  for (int row = 0; row < r->row_count; row++) {
    double wanted = goal_of(r->rows[row]);
    if (wanted == 0) {
      continue;
    }
    fprintf(out, "| %s |", r->rows[row]);
    for (int e = 0; e < r->engine_count; e++) {
      print_number(out, median(&r->cells[row][e]).value);
    }
    double all = ratio(r, row, false);
    fprintf(out, " %.2f | %s%.2f%s | %.1f |\n", ratio(r, row, true),
            all >= wanted ? "**" : "", all, all >= wanted ? "**" : "", wanted);
  }
}

static void
print_others(const report *r, FILE *out)
{
  print_heads(r, out, "");
  fprintf(out, "\n");
  for (int row = 0; row < r->row_count; row++) {
    if (goal_of(r->rows[row]) != 0) {
      continue;
    }
    fprintf(out, "| %s |", r->rows[row]);
    for (int e = 0; e < r->engine_count; e++) {
      print_number(out, median(&r->cells[row][e]).value);
    }
    fprintf(out, "\n");
  }
}

static void
print_latencies(const report *r, FILE *out)
{
  print_heads(r, out, "");
  fprintf(out, "\n");
  for (int row = 0; row < r->row_count; row++) {
    if (median(&r->cells[row][0]).longest_us == 0) {
      continue;
    }
    fprintf(out, "| %s |", r->rows[row]);
    for (int e = 0; e < r->engine_count; e++) {
      work_result m = median(&r->cells[row][e]);
      if (m.longest_us == 0) {
        fprintf(out, " – |");
        continue;
      }
      fprintf(out, " %.2f / %.1f / %.0f / %.0f / %.1f |", m.p50_us, m.p99_us,
              m.p999_us, m.p9999_us, m.longest_us / 1000);
    }
    fprintf(out, "\n");
  }
}

void
report_print(const report *r, FILE *out)
{
  fprintf(out, "\nOperations a second (median); ratios of %s:\n",
          r->engines[0]->name);
  print_rates(r, out);
  fprintf(out, "\nOther measures:\n");
  print_others(r, out);
  fprintf(out,
          "\nLatency: p50 / p99 / p99.9 / p99.99 in us / longest in ms:\n");
  print_latencies(r, out);
  fflush(out);
}

void
report_csv(const report *r, FILE *out)
{
  fprintf(out, "engine,workload,runs,median,p50_us,p99_us,p999_us,p9999_us,"
               "longest_us\n");
  for (int row = 0; row < r->row_count; row++) {
    for (int e = 0; e < r->engine_count; e++) {
      work_result m = median(&r->cells[row][e]);
      fprintf(out, "%s,\"%s\",%d,%.3f,%.3f,%.3f,%.3f,%.3f,%.3f\n",
              r->engines[e]->name, r->rows[row], r->cells[row][e].count,
              m.value, m.p50_us, m.p99_us, m.p999_us, m.p9999_us, m.longest_us);
    }
  }
}
