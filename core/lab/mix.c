/*
 * mix: sums of powers are taken term by term for the first ranks, where the
 * terms differ much, and by the midpoint integral beyond.
 */
#include "lab/mix.h"

#include <math.h>

static const double first_ranks = 16;   /* classes of one key */
static const double rank_growth = 1.35; /* of the ranks in one class */

/* The sum of i^-skew over first <= i < end, for ranks beyond the first. */
static double
sum_of_powers(double first, double end, double skew)
{
  double from = first - 0.5;
  double to = end - 0.5;
  if (fabs(skew - 1) < 1e-9) {
    return log(to / from);
  }
  return (pow(to, 1 - skew) - pow(from, 1 - skew)) / (1 - skew);
}

/* The weight of the class until its sum is known. */
static double
add_class(gs_mix *mix, double first, double end, double skew)
{
  double sum =
      end - first <= 1 ? pow(first, -skew) : sum_of_powers(first, end, skew);
  mix->classes[mix->class_count++] =
      (gs_mix_class){.keys = end - first, .rate = sum / (end - first)};
  return sum;
}

static void
make_zipf(gs_mix *mix, double skew)
{
  double sum = 0;
  double first = 1;
  while (first <= mix->keys) {
    double end = first < first_ranks ? first + 1 : ceil(first * rank_growth);
    bool is_last = end > mix->keys || mix->class_count == GS_MIX_CLASSES - 1;
    end = is_last ? floor(mix->keys) + 1 : end;
    sum += add_class(mix, first, end, skew);
    first = end;
  }
  for (size_t c = 0; c < mix->class_count; c++) {
    mix->classes[c].rate /= sum;
  }
}

void
gs_mix_init(gs_mix *mix, gs_lab_kind kind, double keys, double skew)
{
  *mix = (gs_mix){.kind = kind, .keys = keys};
  if (kind == GS_LAB_RANDOM && skew > 0) {
    make_zipf(mix, skew);
    return;
  }
  mix->class_count = 1;
  mix->classes[0] = (gs_mix_class){
      .keys = keys, .rate = kind == GS_LAB_RANDOM ? 1 / keys : 1};
}

void
gs_mix_init_classes(gs_mix *mix, const gs_mix_class *classes, size_t count)
{
  double sum = 0;
  *mix = (gs_mix){.kind = GS_LAB_RANDOM, .class_count = count};
  for (size_t c = 0; c < count; c++) {
    sum += classes[c].keys * classes[c].rate;
    mix->keys += classes[c].keys;
  }
  for (size_t c = 0; c < count; c++) {
    mix->classes[c] = (gs_mix_class){classes[c].keys, classes[c].rate / sum};
  }
}

double
gs_mix_distinct(const gs_mix *mix, double writes)
{
  if (gs_mix_is_ordered(mix)) {
    return writes < mix->keys ? writes : mix->keys;
  }
  double distinct = 0;
  for (size_t c = 0; c < mix->class_count; c++) {
    distinct += mix->classes[c].keys * -expm1(-mix->classes[c].rate * writes);
  }
  return distinct;
}

double
gs_mix_growth(const gs_mix *mix, double writes)
{
  if (gs_mix_is_ordered(mix)) {
    return writes < mix->keys ? 1 : 0;
  }
  double growth = 0;
  for (size_t c = 0; c < mix->class_count; c++) {
    const gs_mix_class *class = &mix->classes[c];
    growth += class->keys * class->rate * exp(-class->rate * writes);
  }
  return growth;
}

/* Keys are missed independently but for the number of writes, which is fixed:
 * that takes away what would come of its own deviation. */
double
gs_mix_spread(const gs_mix *mix, double writes)
{
  double variance = 0;
  if (gs_mix_is_ordered(mix)) {
    return 0;
  }
  for (size_t c = 0; c < mix->class_count; c++) {
    double missed = exp(-mix->classes[c].rate * writes);
    variance += mix->classes[c].keys * missed * (1 - missed);
  }
  double growth = gs_mix_growth(mix, writes);
  variance -= writes * growth * growth;
  return variance > 0 ? sqrt(variance) : 0;
}

double
gs_mix_writes(const gs_mix *mix, double distinct, double least, double most)
{
  for (int i = 0; i < 50; i++) {
    double middle = least + (most - least) / 2;
    bool is_less = gs_mix_distinct(mix, middle) < distinct;
    least = is_less ? middle : least;
    most = is_less ? most : middle;
  }
  return least + (most - least) / 2;
}
