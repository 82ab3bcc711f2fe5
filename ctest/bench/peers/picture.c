/*
 * picture: a report as one SVG picture.
 *
 *   head                      lines that name machine, versions, settings
 *   [] engine  [] engine      legend
 *   workload  ████████████ 5.20 M      a bar for each engine that has a value;
 *             ███████ 2.90 M           the longest is the best of the row
 *
 * Rates only: of costs less is better, and a long bar would mislead.
 */
#include "bench/peers/report.h"

enum {
  LINE = 16,    /* of text */
  BAR = 11,     /* height of one, with its gap */
  ROW_GAP = 8,  /* between two workloads */
  LABELS = 260, /* width of their names */
  BARS = 560,   /* of the longest bar */
  WIDTH = 940,
  LEGEND_STEP = 130,
};

/* Told apart by people who see red and green alike (Okabe and Ito, 2008). */
static const char *const colours[REPORT_ENGINES] = {
    "#D55E00", "#0072B2", "#56B4E9", "#009E73",
    "#E69F00", "#CC79A7", "#F0E442", "#000000"};

static void
print_escaped(FILE *out, const char *text, size_t size)
{
  for (size_t i = 0; i < size; i++) {
    switch (text[i]) {
    case '&':
      fputs("&amp;", out);
      break;
    case '<':
      fputs("&lt;", out);
      break;
    case '>':
      fputs("&gt;", out);
      break;
    default:
      fputc(text[i], out);
    }
  }
}

static void
print_text(FILE *out, int x, int y, const char *text, size_t size)
{
  fprintf(out, "<text x=\"%d\" y=\"%d\">", x, y);
  print_escaped(out, text, size);
  fprintf(out, "</text>\n");
}

static void
print_bar(FILE *out, int x, int y, double width, int engine)
{
  fprintf(out,
          "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" "
          "fill=\"%s\"/>\n",
          x, y, width, BAR - 1, colours[engine]);
}

static void
short_number(char text[32], double value)
{
  if (value >= 1e6) {
    snprintf(text, 32, "%.2f M", value / 1e6);
  } else if (value >= 1e3) {
    snprintf(text, 32, "%.1f k", value / 1e3);
  } else {
    snprintf(text, 32, "%.0f", value);
  }
}

/* Whether a row is drawn, and its best value. */
static bool
is_drawn(const report *r, int row, double *best)
{
  *best = 0;
  for (int e = 0; e < r->engine_count; e++) {
    work_result m = report_median(&r->cells[row][e]);
    *best = m.value > *best ? m.value : *best;
  }
  return report_is_rate(r, row) && *best > 0;
}

static int
row_height(const report *r, int row)
{
  int bars = 0;
  for (int e = 0; e < r->engine_count; e++) {
    bars += r->cells[row][e].count > 0;
  }
  int height = bars * BAR;
  return (height < LINE ? LINE : height) + ROW_GAP;
}

static int
print_row(const report *r, FILE *out, int row, double best, int y)
{
  print_text(out, 10, y + BAR, r->rows[row], strlen(r->rows[row]));
  int at = y;
  for (int e = 0; e < r->engine_count; e++) {
    if (r->cells[row][e].count == 0) {
      continue;
    }
    char text[32];
    double value = report_median(&r->cells[row][e]).value;
    double width = value / best * BARS;
    print_bar(out, LABELS, at, width, e);
    short_number(text, value);
    print_text(out, LABELS + (int)width + 5, at + BAR - 2, text, strlen(text));
    at += BAR;
  }
  return y + row_height(r, row);
}

static int
count_lines(const char *text)
{
  int lines = 0;
  for (; *text != '\0'; text++) {
    lines += *text == '\n';
  }
  return lines;
}

static int
print_head(const report *r, FILE *out, int y)
{
  for (const char *at = r->head; *at != '\0';) {
    size_t size = strcspn(at, "\n");
    y += LINE;
    print_text(out, 10, y, at, size);
    at += size + (at[size] == '\n');
  }
  y += LINE;
  for (int e = 0; e < r->engine_count; e++) {
    const char *name = r->engines[e]->name;
    print_bar(out, 10 + e * LEGEND_STEP, y, BAR, e);
    print_text(out, 26 + e * LEGEND_STEP, y + BAR - 1, name, strlen(name));
  }
  return y + 2 * LINE;
}

void
report_svg(const report *r, FILE *out)
{
  double best;
  int height = (count_lines(r->head) + 4) * LINE;
  for (int row = 0; row < r->row_count; row++) {
    height += is_drawn(r, row, &best) ? row_height(r, row) : 0;
  }
  fprintf(out,
          "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
          "height=\"%d\" font-family=\"sans-serif\" font-size=\"11\">\n"
          "<title>Operations a second</title>\n"
          "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
          WIDTH, height);
  int y = print_head(r, out, 0);
  for (int row = 0; row < r->row_count; row++) {
    if (is_drawn(r, row, &best)) {
      y = print_row(r, out, row, best, y);
    }
  }
  fprintf(out, "</svg>\n");
}
