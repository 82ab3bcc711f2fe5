/*
 * content: a union walks all sources side by side, from one end of a piece to
 * the next.
 */
#include "lab/content.h"

#include <math.h>
#include <string.h>

#include "tree/floor.h"

enum { FIRST_PIECES = 4, STACK_MAX = 2 * (GS_RUNS_MAX + 1) * GS_COHORTS_MAX };

void
gs_content_init(gs_content *content, gs_alloc *alloc)
{
  *content = (gs_content){.alloc = alloc};
}

void
gs_content_deinit(gs_content *content)
{
  gs_alloc_free(content->alloc, content->pieces,
                content->capacity * sizeof *content->pieces);
  gs_content_init(content, content->alloc);
}

static bool
reserve(gs_content *content)
{
  if (content->count < content->capacity) {
    return true;
  }
  size_t capacity =
      content->capacity == 0 ? FIRST_PIECES : content->capacity * 2;
  gs_piece *pieces = content->alloc->resize(content->alloc, content->pieces,
                                            content->capacity * sizeof *pieces,
                                            capacity * sizeof *pieces);
  if (pieces == NULL) {
    content->failed = true;
    return false;
  }
  content->pieces = pieces;
  content->capacity = capacity;
  return true;
}

void
gs_content_add(gs_content *content, const gs_piece *piece)
{
  if (!content->failed && reserve(content)) {
    content->pieces[content->count++] = *piece;
  }
}

gs_status
gs_content_status(const gs_content *content, gs_error *err)
{
  return content->failed ? GS_FAIL_NOMEM(err) : GS_OK;
}

gs_count
gs_content_count(const gs_content *content, const gs_mix *mix)
{
  gs_count sum = {0, 0};
  for (size_t i = 0; i < content->count; i++) {
    gs_count count = gs_piece_count(&content->pieces[i], mix);
    sum.puts += count.puts;
    sum.gones += count.gones;
  }
  return sum;
}

/* ---- expiry of keys in order ------------------------------------------------ */

/* Where keys are in order so is time: the lower part is what has expired. */
static bool
divide(const gs_piece *piece, double deadline_ms, gs_piece parts[2])
{
  const gs_cohort *cohort = &piece->cohorts[0];
  if (piece->count == 0 || !isinf(cohort->writes) ||
      deadline_ms <= cohort->from_ms || deadline_ms >= cohort->to_ms) {
    return false;
  }
  double share =
      (deadline_ms - cohort->from_ms) / (cohort->to_ms - cohort->from_ms);
  uint64_t lower = (uint64_t)((double)(piece->hi - piece->lo) * share);
  if (lower == 0 || lower >= piece->hi - piece->lo) {
    return false;
  }
  parts[0] = *piece;
  parts[1] = *piece;
  parts[0].hi = piece->lo + lower;
  parts[1].lo = piece->lo + lower;
  parts[0].cohorts[0].to_ms = deadline_ms;
  parts[1].cohorts[0].from_ms = deadline_ms;
  return true;
}

static void
divide_all(gs_content *content, double deadline_ms)
{
  gs_piece parts[2];
  size_t before = content->count;
  size_t divided = 0;
  for (size_t i = 0; i < before; i++) {
    divided += divide(&content->pieces[i], deadline_ms, parts);
  }
  for (size_t i = 0; i < divided; i++) {
    gs_content_add(content, &parts[0]); /* room, filled below */
  }
  if (content->failed || divided == 0) {
    return;
  }
  size_t to = content->count;
  for (size_t i = before; i > 0; i--) {
    if (divide(&content->pieces[i - 1], deadline_ms, parts)) {
      content->pieces[--to] = parts[1];
      content->pieces[--to] = parts[0];
    } else {
      content->pieces[--to] = content->pieces[i - 1];
    }
  }
}

/* ---- unions ------------------------------------------------------------------ */

/* Index of the first piece that ends behind the position. */
static size_t
skip(const gs_content *source, size_t at, uint64_t position)
{
  while (at < source->count && source->pieces[at].hi <= position) {
    at++;
  }
  return at;
}

typedef struct walk {
  gs_content *sources;
  size_t count;
  size_t *at; /* per source */
  uint64_t position;
} walk;

/* Puts the cohorts at the position on the stack, newest first; *end receives
 * where the next piece begins or ends. False when all sources have ended. */
static bool
look(walk *w, gs_cohort *stack, size_t *depth, uint64_t *end)
{
  *depth = 0;
  *end = UINT64_MAX;
  for (size_t s = 0; s < w->count; s++) {
    const gs_content *source = &w->sources[s];
    w->at[s] = skip(source, w->at[s], w->position);
    if (w->at[s] == source->count) {
      continue;
    }
    const gs_piece *piece = &source->pieces[w->at[s]];
    bool is_here = piece->lo <= w->position;
    uint64_t next = is_here ? piece->hi : piece->lo;
    *end = next < *end ? next : *end;
    if (is_here) {
      memcpy(&stack[*depth], piece->cohorts,
             piece->count * sizeof *piece->cohorts);
      *depth += piece->count;
    }
  }
  return *end != UINT64_MAX;
}

static bool
has_gone(const gs_cohort *stack, size_t depth, const gs_union_rules *rules)
{
  for (size_t h = 0; h < depth; h++) {
    if (stack[h].gone > 0 ||
        (rules->expires && stack[h].from_ms < rules->deadline_ms)) {
      return true;
    }
  }
  return false;
}

static void
put_on(gs_content *out, const walk *w, uint64_t end, gs_cohort *stack,
       size_t depth, const gs_union_rules *rules)
{
  gs_piece piece = {.lo = w->position, .hi = end};
  gs_stack_rules how = {.mix = rules->mix,
                        .expires = rules->expires,
                        .deadline_ms = rules->deadline_ms};
  if (rules->bottom != NULL && has_gone(stack, depth, rules)) {
    how.bottom = rules->bottom(rules->context, piece.lo, piece.hi);
  }
  gs_piece_stack(&piece, stack, depth, &how);
  gs_piece *last = out->count == 0 ? NULL : &out->pieces[out->count - 1];
  if (piece.count == 0) {
    return;
  }
  if (last != NULL && last->hi == piece.lo && gs_mix_is_ordered(rules->mix) &&
      gs_piece_is_like(last, &piece, rules->mix)) {
    gs_piece_join(last, &piece, rules->mix);
    return;
  }
  gs_content_add(out, &piece);
}

gs_status
gs_content_union(gs_content *sources, size_t count, const gs_union_rules *rules,
                 gs_content *out, gs_error *err)
{
  gs_cohort stack[STACK_MAX];
  size_t at[GS_RUNS_MAX + 1] = {0};
  walk w = {.sources = sources, .count = count, .at = at};
  for (size_t s = 0; s < count && rules->expires; s++) {
    divide_all(&sources[s], rules->deadline_ms);
    if (sources[s].failed) {
      return GS_FAIL_NOMEM(err);
    }
  }
  size_t depth;
  uint64_t end;
  while (look(&w, stack, &depth, &end)) {
    if (depth > 0) {
      put_on(out, &w, end, stack, depth, rules);
    }
    w.position = end;
  }
  return gs_content_status(out, err);
}

/* ---- simplifying ------------------------------------------------------------- */

static void
join_at(gs_content *content, size_t at, const gs_mix *mix)
{
  gs_piece_join(&content->pieces[at], &content->pieces[at + 1], mix);
  memmove(&content->pieces[at + 1], &content->pieces[at + 2],
          (content->count - at - 2) * sizeof *content->pieces);
  content->count--;
}

/* How unlike two neighbours are, per key of both. */
static double
distance(const gs_piece *a, const gs_piece *b, const gs_mix *mix)
{
  gs_count here = gs_piece_count(a, mix);
  gs_count there = gs_piece_count(b, mix);
  double wide = gs_piece_width(a);
  double next = gs_piece_width(b);
  double gap = (double)(b->lo - a->hi) / (double)GS_SPACE;
  double narrow = wide < next ? wide : next;
  return narrow * (fabs(here.puts / wide - there.puts / next) +
                   fabs(here.gones / wide - there.gones / next)) +
         gap * mix->keys;
}

static size_t
most_alike(const gs_content *content, const gs_mix *mix)
{
  size_t best = 0;
  double least = INFINITY;
  for (size_t i = 0; i + 1 < content->count; i++) {
    double d = distance(&content->pieces[i], &content->pieces[i + 1], mix);
    if (d < least) {
      least = d;
      best = i;
    }
  }
  return best;
}

void
gs_content_simplify(gs_content *content, const gs_mix *mix, size_t most)
{
  size_t at = 0;
  while (at + 1 < content->count) {
    const gs_piece *here = &content->pieces[at];
    if (here->hi == here[1].lo && gs_piece_is_like(here, here + 1, mix)) {
      join_at(content, at, mix);
    } else {
      at++;
    }
  }
  while (content->count > most) {
    join_at(content, most_alike(content, mix), mix);
  }
}
