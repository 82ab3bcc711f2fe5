/*
 * tables: a report as text: Markdown, and comma-separated values.
 */
#include "bench/peers/goals.h"
#include "bench/peers/report.h"

/* ---- cells -----------------------------------------------------------------*/

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

/* A ratio, bold where it is enough. */
static void
print_ratio(FILE *out, double ratio, double wanted)
{
  if (ratio == 0) {
    fprintf(out, " – |");
  } else {
    const char *mark = wanted > 0 && ratio >= wanted ? "**" : "";
    fprintf(out, " %s%.2f%s |", mark, ratio, mark);
  }
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
  for (const char *at = more; (at = strchr(at, '|')) != NULL; at++) {
    fprintf(out, "---|");
  }
  fprintf(out, "\n");
}

static void
print_values(const report *r, FILE *out, int row)
{
  fprintf(out, "| %s |", r->rows[row]);
  for (int e = 0; e < r->engine_count; e++) {
    print_number(out, report_median(&r->cells[row][e]).value);
  }
}

/* ---- tables ----------------------------------------------------------------*/

static void
print_rates(const report *r, FILE *out)
{
  print_heads(r, out, " to best LSM | floor | to best of all | goal |");
  for (int row = 0; row < r->row_count; row++) {
    const goal *asked = goal_find(r->rows[row]);
    if (!report_is_rate(r, row)) {
      continue;
    }
    print_values(r, out, row);
    double lsm = asked == NULL ? 0 : asked->best_lsm;
    double all = asked == NULL ? 0 : asked->best_of_all;
    print_ratio(out, report_ratio(r, row, REPORT_LSM), lsm);
    print_number(out, lsm);
    print_ratio(out, report_ratio(r, row, REPORT_ALL), all);
    print_number(out, all);
    fprintf(out, "\n");
  }
}

static void
print_costs(const report *r, FILE *out)
{
  print_heads(r, out, "");
  for (int row = 0; row < r->row_count; row++) {
    if (!report_is_rate(r, row)) {
      print_values(r, out, row);
      fprintf(out, "\n");
    }
  }
}

static void
print_growth(const report *r, FILE *out)
{
  bool has_begun = false;
  for (int row = 0; row < r->row_count; row++) {
    int smallest = report_is_rate(r, row) ? report_smallest(r, row) : -1;
    if (smallest < 0) {
      continue;
    }
    if (!has_begun) {
      fprintf(out, "\nGrowth: the cost of an operation over that at the "
                   "smallest size:\n");
      print_heads(r, out, " at most |");
      has_begun = true;
    }
    const char *name = r->rows[row];
    fprintf(out, "| %s |", name);
    for (int e = 0; e < r->engine_count; e++) {
      print_number(out, report_growth(r, row, smallest, e));
    }
    print_number(out, goal_growth(name, (size_t)(strstr(name, ", ") - name)));
    fprintf(out, "\n");
  }
}

static void
print_latencies(const report *r, FILE *out)
{
  print_heads(r, out, "");
  for (int row = 0; row < r->row_count; row++) {
    bool has_any = false;
    for (int e = 0; e < r->engine_count; e++) {
      has_any |= report_median(&r->cells[row][e]).longest_us > 0;
    }
    if (!has_any) {
      continue;
    }
    fprintf(out, "| %s |", r->rows[row]);
    for (int e = 0; e < r->engine_count; e++) {
      work_result m = report_median(&r->cells[row][e]);
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

static void
print_verdict(const report *r, FILE *out)
{
  int seen = 0;
  int floors = 0;
  int even = 0;
  int reached = 0;
  for (size_t i = 0; i < goal_count; i++) {
    int row = report_find(r, goals[i].name);
    if (row < 0 || report_ratio(r, row, REPORT_ALL) == 0) {
      continue;
    }
    double lsm = report_ratio(r, row, REPORT_LSM);
    double all = report_ratio(r, row, REPORT_ALL);
    seen++;
    floors += lsm == 0 || lsm >= goals[i].best_lsm;
    even += all >= 1;
    reached += all >= goals[i].best_of_all;
  }
  fprintf(out,
          "\nOf %d rows with a goal (%zu in a whole run): %d at or above the "
          "floor, %d at least even with the best of all (%d are asked for), "
          "%d at or above the goal.\n",
          seen, goal_count, floors, even, GOALS_EVEN_WITH_BEST, reached);
}

void
report_print(const report *r, FILE *out)
{
  fprintf(out, "%s", r->head);
  fprintf(out,
          "\nOperations a second (median); ratios of %s are medians of the "
          "runs' ratios:\n",
          r->engines[0]->name);
  print_rates(r, out);
  print_verdict(r, out);
  fprintf(out, "\nCosts, less is better:\n");
  print_costs(r, out);
  print_growth(r, out);
  fprintf(out,
          "\nLatency: p50 / p99 / p99.9 / p99.99 in us / longest in ms:\n");
  print_latencies(r, out);
  fflush(out);
}

/* ---- comma-separated values ------------------------------------------------*/

static void
print_comments(const char *lines, FILE *out)
{
  bool is_start = true;
  for (const char *at = lines; *at != '\0'; at++) {
    fprintf(out, is_start ? "# %c" : "%c", *at);
    is_start = *at == '\n';
  }
}

void
report_csv(const report *r, FILE *out)
{
  print_comments(r->head, out);
  fprintf(out, "engine,workload,runs,median,p50_us,p99_us,p999_us,p9999_us,"
               "longest_us,samples\n");
  for (int row = 0; row < r->row_count; row++) {
    for (int e = 0; e < r->engine_count; e++) {
      const report_cell *cell = &r->cells[row][e];
      work_result m = report_median(cell);
      fprintf(out, "%s,\"%s\",%d,%.3f,%.3f,%.3f,%.3f,%.3f,%.3f,",
              r->engines[e]->name, r->rows[row], cell->count, m.value, m.p50_us,
              m.p99_us, m.p999_us, m.p9999_us, m.longest_us);
      for (int i = 0; i < cell->count; i++) {
        fprintf(out, i == 0 ? "%.3f" : " %.3f", cell->samples[i].value);
      }
      fprintf(out, "\n");
    }
  }
}
