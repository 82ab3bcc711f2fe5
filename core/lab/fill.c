/*
 * fill: intervals of writes to entries, bytes and pieces.
 */
#include "lab/fill.h"

#include <math.h>

static double
inserted(const gs_fill *fill, double writes)
{
  double first = fill->options->keys;
  return writes <= first ? writes : first + (writes - first) / 2;
}

static double
deleted(const gs_fill *fill, double writes)
{
  return writes - inserted(fill, writes);
}

gs_count
gs_fill_entries(const gs_fill *fill, double from, double to)
{
  if (fill->mix->kind == GS_LAB_QUEUE) {
    return (gs_count){inserted(fill, to) - inserted(fill, from),
                      deleted(fill, to) - deleted(fill, from)};
  }
  double gone = fill->options->delete_share;
  return (gs_count){(to - from) * (1 - gone), (to - from) * gone};
}

gs_count
gs_fill_span_entries(const gs_fill *fill, const gs_fill_span *span)
{
  double writes = span->to - span->from;
  return fill->mix->kind == GS_LAB_QUEUE
             ? gs_fill_entries(fill, span->from, span->to)
             : (gs_count){writes * (1 - span->gone), writes * span->gone};
}

/* Of the keys of a queue, those that came and went within the interval. */
static double
passed_through(const gs_fill *fill, double from, double to)
{
  double both = deleted(fill, to) - inserted(fill, from);
  return both > 0 ? both : 0;
}

double
gs_fill_memory(const gs_fill *fill, double from, double to)
{
  gs_count entries = gs_fill_entries(fill, from, to);
  double keys = fill->mix->kind == GS_LAB_QUEUE
                    ? to - from - passed_through(fill, from, to)
                    : gs_mix_distinct(fill->mix, to - from);
  return gs_size_memory(fill->format, entries, keys);
}

double
gs_fill_end(const gs_fill *fill, double from, double capacity_bytes)
{
  double bound = capacity_bytes - gs_size_room(fill->format);
  double low = 1;
  double high = 2;
  while (gs_fill_memory(fill, from, from + high) <= bound) {
    low = high;
    high *= 2;
  }
  while (high - low > 0.5) {
    double middle = low + (high - low) / 2;
    bool fits = gs_fill_memory(fill, from, from + middle) <= bound;
    low = fits ? middle : low;
    high = fits ? high : middle;
  }
  return from + ceil(low);
}

/* ---- contents ---------------------------------------------------------------- */

static void
add(gs_content *out, double lo, double hi, const gs_cohort *cohort)
{
  lo = floor(lo * (double)GS_SPACE);
  hi = floor(hi * (double)GS_SPACE);
  gs_piece piece = {.lo = (uint64_t)lo,
                    .hi = hi >= (double)GS_SPACE ? GS_SPACE : (uint64_t)hi,
                    .count = 1,
                    .cohorts = {*cohort}};
  if (piece.lo < piece.hi) {
    gs_content_add(out, &piece);
  }
}

static void
add_sequence(const gs_fill *fill, const gs_fill_span *span, gs_content *out)
{
  double keys = fill->mix->keys;
  double count = span->to - span->from;
  gs_cohort cohort = {INFINITY,      1 - span->gone, span->gone,
                      span->from_ms, span->to_ms,    span->lasting};
  double lo = fmod(span->from, keys) / keys;
  double hi = lo + count / keys;
  if (count >= keys) {
    add(out, 0, 1, &cohort);
    return;
  }
  if (hi > 1) {
    add(out, 0, hi - 1, &cohort);
  }
  add(out, lo, hi < 1 ? hi : 1, &cohort);
}

static void
add_queue(const gs_fill *fill, const gs_fill_span *span, gs_content *out)
{
  double keys = fill->mix->keys;
  double first = inserted(fill, span->from);
  double gone_from = deleted(fill, span->from);
  double gone_to = deleted(fill, span->to);
  gs_cohort gone = {INFINITY, 0, 1, span->from_ms, span->to_ms, 0};
  gs_cohort put = {INFINITY, 1, 0, span->from_ms, span->to_ms, 0};
  add(out, gone_from / keys, gone_to / keys, &gone);
  add(out, (gone_to > first ? gone_to : first) / keys,
      inserted(fill, span->to) / keys, &put);
}

void
gs_fill_content(const gs_fill *fill, const gs_fill_span *span, gs_content *out)
{
  switch (fill->mix->kind) {
  case GS_LAB_RANDOM:
    add(out, 0, 1,
        &(gs_cohort){span->to - span->from, 1 - span->gone, span->gone,
                     span->from_ms, span->to_ms, span->lasting});
    break;
  case GS_LAB_SEQUENCE:
    add_sequence(fill, span, out);
    break;
  case GS_LAB_QUEUE:
    add_queue(fill, span, out);
    break;
  }
}

double
gs_fill_keys(const gs_lab_options *options)
{
  const gs_fill fill = {.options = options};
  return options->kind == GS_LAB_QUEUE ? inserted(&fill, options->writes) + 1
                                       : options->keys;
}

double
gs_fill_live(const gs_fill *fill, double writes, double expired)
{
  double stay = 1 - fill->options->delete_share;
  if (fill->mix->kind == GS_LAB_QUEUE) {
    double gone = deleted(fill, writes);
    double late = inserted(fill, expired);
    return inserted(fill, writes) - (gone > late ? gone : late);
  }
  return stay * gs_mix_distinct(fill->mix, writes - expired);
}
