/*
 * reads: how many runs a get looks at.
 *
 * Model: gets ask for keys that are there, each as often as it is written. At
 * some places of the key space the runs are gone through from the oldest up: a
 * get comes to a run when no newer place had the key, and is of interest when
 * this run or an older one has it as a value.
 */
#include <math.h>

#include "lab/state.h"

enum { PLACES = 24, RUNS = GS_RUNS_MAX + 1 };

/* What one run holds at a place; of a key of the class. */
typedef struct layer {
  bool is_covered; /* within the bounds of a table */
  const gs_piece *piece;
} layer;

static const gs_piece *
piece_at(const gs_content *content, uint64_t position)
{
  for (size_t i = 0; i < content->count; i++) {
    const gs_piece *piece = &content->pieces[i];
    if (piece->lo <= position && position < piece->hi) {
      return piece;
    }
  }
  return NULL;
}

/* Chance that the piece has a version of a key, and that it is a value. */
static double
chances(const gs_piece *piece, double rate, double *put)
{
  double missed = 1;
  double has = 0;
  *put = 0;
  for (size_t h = 0; piece != NULL && h < piece->count; h++) {
    double kept = exp(-rate * piece->cohorts[h].writes);
    double here = missed * (1 - kept);
    *put += here * piece->cohorts[h].put;
    has += here * (piece->cohorts[h].put + piece->cohorts[h].gone);
    missed *= kept;
  }
  return has;
}

typedef struct tally {
  double looks;
  double present;
} tally;

static void
add_class(const layer *layers, size_t count, double rate, double weight,
          tally *sum)
{
  double has[RUNS];
  double put[RUNS];
  double alive = 0; /* chance of a value in this run or an older one */
  double values[RUNS];
  for (size_t r = count; r > 0; r--) {
    has[r - 1] = chances(layers[r - 1].piece, rate, &put[r - 1]);
    alive = put[r - 1] + (1 - has[r - 1]) * alive;
    values[r - 1] = alive;
  }
  double missed = 1;
  for (size_t r = 0; r < count; r++) {
    sum->looks += layers[r].is_covered ? weight * missed * values[r] : 0;
    missed *= 1 - has[r];
  }
  sum->present += weight * alive;
}

static void
add_place(const gs_lab *lab, uint64_t position, tally *sum)
{
  layer layers[RUNS];
  uint8_t key[8];
  size_t count =
      lab->version->run_count < RUNS ? lab->version->run_count : RUNS;
  gs_position_put(key, position);
  for (size_t r = 0; r < count; r++) {
    const gs_tree_table *table =
        gs_run_find(lab->version->runs[r], gs_slice_of(key, sizeof key));
    layers[r].is_covered = table != NULL;
    layers[r].piece =
        table == NULL ? NULL : piece_at(gs_table_content(table), position);
  }
  for (size_t c = 0; c < lab->mix.class_count; c++) {
    const gs_mix_class *class = &lab->mix.classes[c];
    add_class(layers, count, class->rate, class->rate * class->keys, sum);
  }
}

/* Places lie evenly over what there is: keys in order do not fill the key
 * space. */
double
gs_lab_read_amp(const gs_lab *lab)
{
  uint64_t lo = UINT64_MAX;
  uint64_t hi = 0;
  for (size_t r = 0; r < lab->version->run_count; r++) {
    const gs_run *run = lab->version->runs[r];
    uint64_t min = gs_position_of(run->tables[0]->meta.min_key);
    uint64_t max =
        gs_position_of(run->tables[run->table_count - 1]->meta.max_key);
    lo = min < lo ? min : lo;
    hi = max > hi ? max : hi;
  }
  tally sum = {0, 0};
  for (size_t i = 0; i < PLACES && lo < hi; i++) {
    double share = ((double)i + 0.5) / PLACES;
    add_place(lab, lo + (uint64_t)((double)(hi - lo) * share), &sum);
  }
  return sum.present > 0 ? sum.looks / sum.present : 0;
}
