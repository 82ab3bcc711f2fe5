/*
 * fit: rows are the points, and one more for a single write; columns are the
 * classes, each scaled to length 1. The set of classes that have keys grows by
 * the one that helps most, and loses those whose best number is not positive
 * (Lawson and Hanson, "Solving Least Squares Problems", 1974).
 */
#include "lab/fit.h"

#include <math.h>
#include <string.h>

enum { CLASSES = 96, ROWS = GS_FIT_POINTS_MAX + 1, TURNS = 4 * CLASSES };

static const double rarest = 0.1; /* writes of a key in the longest span */
static const double first_weight = 100;
static const double ridge = 1e-11; /* of the squares: neighbours are alike */
static const double least_help = 1e-9; /* that another class has to be */

typedef struct matrix {
  size_t rows;
  double part[ROWS][CLASSES]; /* of a row's count, by one key */
  double weights[ROWS];
  double keys[CLASSES];
  double rates[CLASSES];
} matrix;

static double
longest(const gs_fit_point *points, size_t count)
{
  double most = 1;
  for (size_t i = 0; i < count; i++) {
    most = fmax(most, points[i].writes);
  }
  return most;
}

static void
set_up(matrix *m, const gs_fit_point *points, size_t count)
{
  double step = log(rarest / longest(points, count)) / (CLASSES - 1);
  m->rows = count + 1;
  for (size_t c = 0; c < CLASSES; c++) {
    m->rates[c] = exp(step * (double)c);
    m->keys[c] = 0;
    m->part[count][c] = m->rates[c];
    for (size_t r = 0; r < count; r++) {
      m->part[r][c] =
          -expm1(-m->rates[c] * points[r].writes) / points[r].distinct;
    }
  }
  m->weights[count] = first_weight;
  for (size_t r = 0; r < count; r++) {
    m->weights[r] = points[r].weight;
  }
}

/* What the classes make of a row; 1 is what was counted. */
static double
made(const matrix *m, size_t row)
{
  double sum = 0;
  for (size_t c = 0; c < CLASSES; c++) {
    sum += m->keys[c] * m->part[row][c];
  }
  return sum;
}

/* ---- least squares ------------------------------------------------------------ */

typedef struct least_squares {
  double product[CLASSES][CLASSES]; /* of columns */
  double target[CLASSES];           /* of columns with what was counted */
  double length[CLASSES];           /* by which a column was divided */
  double x[CLASSES];                /* keys times length */
  bool is_in[CLASSES];              /* x may be above 0 */
} least_squares;

static void
multiply(const matrix *m, least_squares *s)
{
  memset(s, 0, sizeof *s);
  for (size_t c = 0; c < CLASSES; c++) {
    for (size_t r = 0; r < m->rows; r++) {
      s->target[c] += m->weights[r] * m->part[r][c];
      s->product[c][c] += m->weights[r] * m->part[r][c] * m->part[r][c];
    }
    s->length[c] = sqrt(s->product[c][c]);
    s->target[c] /= s->length[c];
  }
  for (size_t c = 0; c < CLASSES; c++) {
    for (size_t d = 0; d < CLASSES; d++) {
      double sum = 0;
      for (size_t r = 0; r < m->rows; r++) {
        sum += m->weights[r] * m->part[r][c] * m->part[r][d];
      }
      s->product[c][d] = sum / (s->length[c] * s->length[d]);
    }
  }
}

/* How much nearer the sum comes with a little of a class. */
static double
help_of(const least_squares *s, size_t c)
{
  double sum = s->target[c];
  for (size_t d = 0; d < CLASSES; d++) {
    sum -= s->product[c][d] * s->x[d];
  }
  return sum;
}

static bool
let_in(least_squares *s)
{
  size_t best = CLASSES;
  double most = least_help * s->target[0];
  for (size_t c = 0; c < CLASSES; c++) {
    double help = s->is_in[c] ? 0 : help_of(s, c);
    if (help > most) {
      most = help;
      best = c;
    }
  }
  if (best < CLASSES) {
    s->is_in[best] = true;
  }
  return best < CLASSES;
}

typedef struct triangle {
  size_t count;
  size_t at[CLASSES]; /* the classes that are in */
  double root[CLASSES][CLASSES];
} triangle;

/* The product of those that are in as the square of a triangle (Cholesky). */
static void
make_triangle(const least_squares *s, triangle *t)
{
  t->count = 0;
  for (size_t c = 0; c < CLASSES; c++) {
    if (s->is_in[c]) {
      t->at[t->count++] = c;
    }
  }
  for (size_t i = 0; i < t->count; i++) {
    for (size_t j = 0; j <= i; j++) {
      double sum = s->product[t->at[i]][t->at[j]] + (i == j ? ridge : 0);
      for (size_t k = 0; k < j; k++) {
        sum -= t->root[i][k] * t->root[j][k];
      }
      t->root[i][j] = i == j ? sqrt(fmax(sum, ridge)) : sum / t->root[j][j];
    }
  }
}

/* What is best of those that are in, without asking for signs. */
static void
solve(const least_squares *s, const triangle *t, double *z)
{
  for (size_t i = 0; i < t->count; i++) {
    z[i] = s->target[t->at[i]];
    for (size_t k = 0; k < i; k++) {
      z[i] -= t->root[i][k] * z[k];
    }
    z[i] /= t->root[i][i];
  }
  for (size_t i = t->count; i > 0; i--) {
    for (size_t k = i; k < t->count; k++) {
      z[i - 1] -= t->root[k][i - 1] * z[k];
    }
    z[i - 1] /= t->root[i - 1][i - 1];
  }
}

/* Goes from x towards z as far as all stay positive; those that come to 0 are
 * out. True when z was reached. */
static bool
approach(least_squares *s, const triangle *t, const double *z)
{
  double part = 1;
  size_t out = t->count;
  for (size_t i = 0; i < t->count; i++) {
    double x = s->x[t->at[i]];
    if (z[i] <= 0 && x / (x - z[i] + 1e-300) < part) {
      part = x / (x - z[i] + 1e-300);
      out = i;
    }
  }
  for (size_t i = 0; i < t->count; i++) {
    double *x = &s->x[t->at[i]];
    *x += part * (z[i] - *x);
    if (i == out || *x <= 0) {
      *x = 0;
      s->is_in[t->at[i]] = false;
    }
  }
  return out == t->count;
}

typedef struct room {
  matrix m;
  least_squares s;
  triangle t;
} room;

static void
find_keys(room *in)
{
  matrix *m = &in->m;
  least_squares *s = &in->s;
  triangle *t = &in->t;
  double z[CLASSES];
  multiply(m, s);
  bool is_there = true;
  for (int i = 0; i < TURNS && (!is_there || let_in(s)); i++) {
    make_triangle(s, t);
    solve(s, t, z);
    is_there = approach(s, t, z);
  }
  for (size_t c = 0; c < CLASSES; c++) {
    m->keys[c] = s->x[c] / s->length[c];
  }
}

/* ---- the fit -------------------------------------------------------------------- */

static size_t
give(const matrix *m, gs_mix_class *classes)
{
  size_t count = 0;
  for (size_t c = 0; c < CLASSES; c++) {
    if (m->keys[c] > 0) {
      classes[count++] = (gs_mix_class){m->keys[c], m->rates[c]};
    }
  }
  return count;
}

static double
distance(const matrix *m, size_t count)
{
  double sum = 0;
  double weight = 0;
  for (size_t r = 0; r < count; r++) {
    double off = made(m, r) - 1;
    sum += m->weights[r] * off * off;
    weight += m->weights[r];
  }
  return sqrt(sum / weight);
}

size_t
gs_fit_room_bytes(void)
{
  return sizeof(room);
}

size_t
gs_fit(void *scratch, const gs_fit_point *points, size_t count,
       gs_mix_class *classes, double *off)
{
  room *in = scratch;
  set_up(&in->m, points, count);
  find_keys(in);
  *off = distance(&in->m, count);
  return give(&in->m, classes);
}
