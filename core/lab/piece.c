/*
 * piece: sums over classes and cohorts.
 */
#include "lab/piece.h"

#include <math.h>
#include <string.h>

/* Keys of the class with their newest version in each cohort, per key. */
static void
split_chances(const gs_cohort *cohorts, size_t count, double rate,
              double *chances)
{
  double missed = 1;
  for (size_t h = 0; h < count; h++) {
    double kept = exp(-rate * cohorts[h].writes);
    chances[h] = missed * (1 - kept);
    missed *= kept;
  }
}

/* Keys with their newest version in each cohort, of a key space's worth. */
static void
weigh(const gs_cohort *cohorts, size_t count, const gs_mix *mix,
      double *weights)
{
  double chances[GS_COHORTS_MAX];
  memset(weights, 0, count * sizeof *weights);
  for (size_t c = 0; c < mix->class_count; c++) {
    split_chances(cohorts, count, mix->classes[c].rate, chances);
    for (size_t h = 0; h < count; h++) {
      weights[h] += chances[h] * mix->classes[c].keys;
    }
  }
}

gs_count
gs_piece_count(const gs_piece *piece, const gs_mix *mix)
{
  double weights[GS_COHORTS_MAX];
  double width = gs_piece_width(piece);
  gs_count count = {0, 0};
  weigh(piece->cohorts, piece->count, mix, weights);
  for (size_t h = 0; h < piece->count; h++) {
    count.puts += width * weights[h] * piece->cohorts[h].put;
    count.gones += width * weights[h] * piece->cohorts[h].gone;
  }
  return count;
}

double
gs_piece_lasting(const gs_piece *piece, const gs_mix *mix)
{
  double weights[GS_COHORTS_MAX];
  double lasting = 0;
  weigh(piece->cohorts, piece->count, mix, weights);
  for (size_t h = 0; h < piece->count; h++) {
    lasting += gs_piece_width(piece) * weights[h] * piece->cohorts[h].lasting;
  }
  return lasting;
}

/* The share of the cohort that was written before. */
static double
share_before(const gs_cohort *cohort, double deadline_ms)
{
  if (deadline_ms >= cohort->to_ms) {
    return 1;
  }
  if (deadline_ms <= cohort->from_ms) {
    return 0;
  }
  return (deadline_ms - cohort->from_ms) / (cohort->to_ms - cohort->from_ms);
}

double
gs_piece_expired(const gs_piece *piece, const gs_mix *mix, double deadline_ms)
{
  double weights[GS_COHORTS_MAX];
  double expired = 0;
  weigh(piece->cohorts, piece->count, mix, weights);
  for (size_t h = 0; h < piece->count; h++) {
    const gs_cohort *cohort = &piece->cohorts[h];
    expired += gs_piece_width(piece) * weights[h] *
               (cohort->put - cohort->lasting) *
               share_before(cohort, deadline_ms);
  }
  return expired;
}

/* ---- stacks ----------------------------------------------------------------- */

static void
make_gone(gs_cohort *cohort)
{
  cohort->gone += cohort->put - cohort->lasting;
  cohort->put = cohort->lasting;
}

/* The part written before the deadline expires; where that is a part, it
 * becomes a cohort of its own, which is older. */
static size_t
expire(gs_cohort *stack, size_t count, double deadline_ms)
{
  for (size_t h = 0; h < count; h++) {
    double share = share_before(&stack[h], deadline_ms);
    if (share > 0 && share < 1 && !isinf(stack[h].writes)) {
      memmove(&stack[h + 1], &stack[h], (count - h) * sizeof *stack);
      count++;
      stack[h].writes *= 1 - share;
      stack[h].from_ms = deadline_ms;
      stack[h + 1].writes *= share;
      stack[h + 1].to_ms = deadline_ms;
      share = 0;
    }
    if (share >= 0.5) {
      make_gone(&stack[h]);
    }
  }
  return count;
}

/* Two neighbours of a stack as one; the shares are those of the keys. */
static void
unite(gs_cohort *newer, const gs_cohort *older, const gs_mix *mix)
{
  const gs_cohort both[2] = {*newer, *older};
  bool is_same = newer->put == older->put && newer->gone == older->gone &&
                 newer->lasting == older->lasting;
  double weights[2] = {0, 0};
  if (!is_same) {
    weigh(both, 2, mix, weights);
  }
  double all = weights[0] + weights[1];
  if (all > 0) {
    newer->put = (weights[0] * newer->put + weights[1] * older->put) / all;
    newer->gone = (weights[0] * newer->gone + weights[1] * older->gone) / all;
    newer->lasting =
        (weights[0] * newer->lasting + weights[1] * older->lasting) / all;
  }
  newer->writes += older->writes;
  newer->from_ms =
      older->from_ms < newer->from_ms ? older->from_ms : newer->from_ms;
  newer->to_ms = older->to_ms > newer->to_ms ? older->to_ms : newer->to_ms;
}

static void
unite_at(gs_cohort *stack, size_t *count, size_t at, const gs_mix *mix)
{
  unite(&stack[at], &stack[at + 1], mix);
  memmove(&stack[at + 1], &stack[at + 2], (*count - at - 2) * sizeof *stack);
  (*count)--;
}

static bool
may_expire(const gs_cohort *cohort)
{
  return cohort->put > cohort->lasting;
}

/* Where two cohorts that hold the same kinds lie nearest in time. */
static size_t
nearest(const gs_cohort *stack, size_t count)
{
  size_t best = 0;
  double least = INFINITY;
  for (size_t h = 0; h + 1 < count; h++) {
    bool differ = may_expire(&stack[h]) != may_expire(&stack[h + 1]);
    double span = stack[h].to_ms - stack[h + 1].from_ms;
    span = differ ? span * 1e6 + 1e18 : span;
    if (span < least) {
      least = span;
      best = h;
    }
  }
  return best;
}

/* Cohorts beneath one that has every key say nothing, and so do those at the
 * lower end of which nothing is left. */
static size_t
trim(const gs_cohort *stack, size_t count)
{
  for (size_t h = 0; h < count; h++) {
    if (isinf(stack[h].writes)) {
      count = h + 1;
    }
  }
  while (count > 0 && stack[count - 1].put <= 0 && stack[count - 1].gone <= 0) {
    count--;
  }
  return count;
}

void
gs_piece_stack(gs_piece *out, gs_cohort *stack, size_t count,
               const gs_stack_rules *rules)
{
  if (rules->expires) {
    count = expire(stack, count, rules->deadline_ms);
  }
  for (size_t h = 0; h < count; h++) {
    stack[h].gone *= 1 - rules->bottom;
  }
  count = trim(stack, count);
  size_t most = rules->expires ? GS_COHORTS_MAX : 1;
  while (count > most) {
    unite_at(stack, &count, rules->expires ? nearest(stack, count) : count - 2,
             rules->mix);
  }
  memcpy(out->cohorts, stack, count * sizeof *stack);
  out->count = count;
}

/* ---- neighbours ------------------------------------------------------------- */

static bool
is_near(double a, double b, double within)
{
  return fabs(a - b) <= within * (fabs(a) > fabs(b) ? fabs(a) : fabs(b));
}

static bool
is_same_stretch(const gs_piece *a, const gs_piece *b)
{
  const gs_cohort *x = &a->cohorts[0];
  const gs_cohort *y = &b->cohorts[0];
  return a->hi == b->lo && is_near(x->put, y->put, 1e-9) &&
         is_near(x->gone, y->gone, 1e-9) &&
         is_near(x->lasting, y->lasting, 1e-9) && x->to_ms <= y->from_ms + 1;
}

bool
gs_piece_is_like(const gs_piece *a, const gs_piece *b, const gs_mix *mix)
{
  if (a->count == 0 || b->count == 0) {
    return a->count == b->count;
  }
  if (gs_mix_is_ordered(mix)) {
    return is_same_stretch(a, b);
  }
  gs_count here = gs_piece_count(a, mix);
  gs_count there = gs_piece_count(b, mix);
  double scale = gs_piece_width(a) / gs_piece_width(b);
  double all = here.puts + here.gones;
  return is_near(all, (there.puts + there.gones) * scale, 0.01) &&
         fabs(here.gones - there.gones * scale) <= 0.01 * all;
}

/* The cohorts of both, each thinned to its share of the keys, in order of
 * time; those of the same time are one. */
static size_t
interleave(const gs_piece *a, const gs_piece *b, double share_a, double share_b,
           gs_cohort *stack)
{
  size_t count = 0;
  size_t i = 0;
  size_t j = 0;
  while (i < a->count || j < b->count) {
    bool takes_b = i == a->count ||
                   (j < b->count && b->cohorts[j].to_ms > a->cohorts[i].to_ms);
    gs_cohort next = takes_b ? b->cohorts[j++] : a->cohorts[i++];
    next.writes *= takes_b ? share_b : share_a;
    gs_cohort *last = count == 0 ? NULL : &stack[count - 1];
    if (last != NULL && last->from_ms == next.from_ms &&
        last->to_ms == next.to_ms) {
      double all = last->writes + next.writes;
      double part = all > 0 ? next.writes / all : 0;
      last->put += (next.put - last->put) * part;
      last->gone += (next.gone - last->gone) * part;
      last->lasting += (next.lasting - last->lasting) * part;
      last->writes = all;
    } else {
      stack[count++] = next;
    }
  }
  return count;
}

/* Keys in order: what is kept of either is spread over both. */
static void
join_ordered(gs_piece *a, const gs_piece *b, double share_a, double share_b)
{
  gs_cohort *x = &a->cohorts[0];
  gs_cohort y = {0};
  if (b->count > 0) {
    y = b->cohorts[0];
  }
  if (a->count == 0) {
    *x = y;
    x->put = 0;
    x->gone = 0;
    x->lasting = 0;
  } else if (b->count == 0) {
    y = *x;
    y.put = 0;
    y.gone = 0;
    y.lasting = 0;
  }
  a->count = a->count > b->count ? a->count : b->count;
  x->put = x->put * share_a + y.put * share_b;
  x->gone = x->gone * share_a + y.gone * share_b;
  x->lasting = x->lasting * share_a + y.lasting * share_b;
  x->from_ms = x->from_ms < y.from_ms ? x->from_ms : y.from_ms;
  x->to_ms = x->to_ms > y.to_ms ? x->to_ms : y.to_ms;
}

/* Averages hold a little more than what they are averages of: Newton's method
 * finds the number of writes that makes as many keys. */
static void
keep_keys(gs_piece *joined, double keys, const gs_mix *mix)
{
  double *writes = &joined->cohorts[0].writes;
  double width = gs_piece_width(joined);
  double step = *writes;
  for (int i = 0; i < 12 && fabs(step) > 1e-5 * *writes; i++) {
    double growth = width * gs_mix_growth(mix, *writes);
    double missing = keys - width * gs_mix_distinct(mix, *writes);
    if (fabs(missing) <= 1e-9 * keys || !(growth > 0)) {
      return;
    }
    step = fmax(-*writes / 2, fmin(missing / growth, *writes / 2));
    *writes += step;
  }
}

static double
keys_of(const gs_piece *piece, const gs_mix *mix)
{
  return piece->count == 0 ? 0
                           : gs_piece_width(piece) *
                                 gs_mix_distinct(mix, piece->cohorts[0].writes);
}

/* A gap between the two has none of its keys. */
void
gs_piece_join(gs_piece *a, const gs_piece *b, const gs_mix *mix)
{
  gs_cohort stack[2 * GS_COHORTS_MAX];
  double width = (double)(b->hi - a->lo);
  double share_a = (double)(a->hi - a->lo) / width;
  double share_b = (double)(b->hi - b->lo) / width;
  size_t most = a->count > b->count ? a->count : b->count;
  double keys = most == 1 ? keys_of(a, mix) + keys_of(b, mix) : 0;
  a->hi = b->hi;
  if (gs_mix_is_ordered(mix)) {
    join_ordered(a, b, share_a, share_b);
    return;
  }
  size_t count = interleave(a, b, share_a, share_b, stack);
  most = most <= 1 ? 1 : GS_COHORTS_MAX;
  while (count > most) {
    unite_at(stack, &count, nearest(stack, count), mix);
  }
  memcpy(a->cohorts, stack, count * sizeof *stack);
  a->count = count;
  if (most == 1) {
    keep_keys(a, keys, mix);
  }
}
