/*
 * plant: tables, then runs, then a version.
 */
#include "lab/plant.h"

#include <math.h>

#include "lab/state.h"

/* ---- where the writer goes on -------------------------------------------------- */

/* As if so many keys had been written in order; of a queue those before its
 * first were deleted as well. */
static double
writes_before(const gs_lab *lab, double keys)
{
  double length = lab->options.keys;
  if (lab->mix.kind != GS_LAB_QUEUE) {
    return keys;
  }
  return keys <= length ? keys : 2 * keys - length;
}

static void
go_on(gs_lab *lab, double writes)
{
  lab->writes = writes;
  lab->active_from = writes;
  lab->fed.from = writes;
  lab->fed.to = writes;
  lab->times.count = 0;
  gs_lab_note_time(lab);
}

/* ---- one table ------------------------------------------------------------------ */

static double
share(double part, double whole)
{
  return whole > 0 ? part / whole : 0;
}

/* Draws over all keys. */
static double
draws_of(const gs_lab *lab, const gs_lab_planted *p)
{
  double width = p->hi - p->lo;
  double keys = (double)p->meta.entry_count / width / p->kept;
  double most = (double)p->meta.max_seq;
  return gs_mix_writes(&lab->mix, keys, fmin(keys, most), fmax(keys, most));
}

/* Entries with a time to live are as old as their expiries say, others as the
 * table. */
static void
set_times(const gs_lab *lab, const gs_table_meta *meta, gs_cohort *cohort)
{
  double ttl = (double)lab->options.ttl_ms;
  bool expires = ttl > 0 && meta->expiring_count > 0;
  cohort->from_ms =
      (expires ? (double)meta->min_expiry_ms - ttl : (double)meta->created_ms);
  cohort->to_ms =
      (expires ? (double)meta->max_expiry_ms - ttl : (double)meta->created_ms);
  cohort->to_ms = fmax(cohort->to_ms, cohort->from_ms + 1);
}

/* Of its part of the keys a piece begins and ends at these shares. */
static void
add_piece(gs_content *content, const gs_piece *whole, double from, double to)
{
  double length = (double)(whole->hi - whole->lo);
  gs_piece piece = *whole;
  piece.lo = whole->lo + (uint64_t)(length * from);
  piece.hi = to >= 1 ? whole->hi : whole->lo + (uint64_t)(length * to);
  if (piece.lo < piece.hi) {
    gs_content_add(content, &piece);
  }
}

/* Random keys are everywhere in its part. */
static void
add_random(const gs_lab *lab, const gs_lab_planted *p, gs_piece *piece,
           gs_content *content)
{
  double entries = (double)p->meta.entry_count;
  double gones = (double)p->meta.tombstone_count;
  double lasting = entries - gones - (double)p->meta.expiring_count;
  piece->cohorts[0].writes = draws_of(lab, p);
  piece->cohorts[0].put = p->kept * share(entries - gones, entries);
  piece->cohorts[0].gone = p->kept * share(gones, entries);
  piece->cohorts[0].lasting = p->kept * share(lasting, entries);
  add_piece(content, piece, 0, 1);
}

/* Keys in order stand close together, or else they would hide what lies beneath
 * and between them: at the upper end the newest, and of a queue what was deleted
 * at the lower. */
static void
add_ordered(const gs_lab *lab, const gs_lab_planted *p, double keys,
            gs_piece *piece, gs_content *content)
{
  double entries = (double)p->meta.entry_count;
  double gones = (double)p->meta.tombstone_count;
  double puts = entries - gones;
  double most = fmax(keys, entries);
  gs_cohort *cohort = &piece->cohorts[0];
  cohort->writes = INFINITY;
  if (lab->mix.kind == GS_LAB_QUEUE) {
    cohort->gone = 1;
    add_piece(content, piece, 0, gones / most);
    *cohort = (gs_cohort){INFINITY, 1, 0, cohort->from_ms, cohort->to_ms, 0};
    cohort->lasting = 1 - share((double)p->meta.expiring_count, puts);
    add_piece(content, piece, 1 - puts / most, 1);
    return;
  }
  cohort->put = share(puts, entries);
  cohort->gone = share(gones, entries);
  cohort->lasting =
      cohort->put - share((double)p->meta.expiring_count, entries);
  add_piece(content, piece, 1 - entries / most, 1);
}

static gs_tree_table *
make_table(gs_lab *lab, const gs_lab_planted *p, double scale, uint64_t *last)
{
  gs_content content;
  uint8_t keys[2][8];
  gs_table_meta meta = p->meta;
  gs_piece piece = {
      .lo = (uint64_t)(p->lo * scale * (double)GS_SPACE),
      .hi = (uint64_t)(p->hi * scale * (double)GS_SPACE),
      .count = 1,
  };
  piece.lo = piece.lo < *last ? *last : piece.lo;
  piece.hi = piece.hi <= piece.lo ? piece.lo + 1 : piece.hi;
  *last = piece.hi;
  gs_position_put(keys[0], piece.lo);
  gs_position_put(keys[1], piece.hi - 1);
  meta.id = lab->next_id++;
  meta.min_key = gs_slice_of(keys[0], sizeof keys[0]);
  meta.max_key = gs_slice_of(keys[1], sizeof keys[1]);
  gs_content_init(&content, lab->alloc);
  set_times(lab, &meta, &piece.cohorts[0]);
  if (gs_mix_is_ordered(&lab->mix)) {
    add_ordered(lab, p, gs_piece_width(&piece) * lab->mix.keys, &piece,
                &content);
  } else {
    add_random(lab, p, &piece, &content);
  }
  return gs_table_of_content(lab->alloc, &meta, &content);
}

/* ---- runs ------------------------------------------------------------------------ */

typedef struct bed {
  gs_lab *lab;
  const gs_lab_planted *tables;
  size_t count;
  double scale; /* positions of planted keys among all */
  gs_run **runs;
  size_t run_count;
} bed;

static gs_status
make_run(bed *b, size_t from, size_t to, gs_error *err)
{
  gs_table_list list = {.alloc = b->lab->alloc};
  gs_status status = GS_OK;
  uint64_t last = 0;
  for (size_t i = from; i < to && status == GS_OK; i++) {
    gs_tree_table *table = make_table(b->lab, &b->tables[i], b->scale, &last);
    status = table == NULL ? GS_FAIL_NOMEM(err)
                           : gs_table_list_add(&list, table, err);
    if (status != GS_OK && table != NULL) {
      gs_tree_table_unref(table);
    }
  }
  if (status == GS_OK) {
    gs_run *run = gs_run_new(b->lab->alloc, b->lab->next_id++,
                             b->tables[from].level, list.tables, list.count);
    status = run == NULL ? GS_FAIL_NOMEM(err) : GS_OK;
    b->runs[b->run_count] = run;
    b->run_count += run != NULL;
  }
  gs_table_list_deinit(&list);
  return status;
}

static gs_status
make_runs(bed *b, gs_error *err)
{
  gs_status status = GS_OK;
  for (size_t from = 0; from < b->count && status == GS_OK;) {
    size_t to = from;
    while (to < b->count && b->tables[to].run == b->tables[from].run) {
      to++;
    }
    status = make_run(b, from, to, err);
    from = to;
  }
  return status;
}

static gs_status
install(bed *b, gs_error *err)
{
  gs_lab *lab = b->lab;
  gs_version *version = gs_version_new(lab->alloc, lab->version->number + 1,
                                       b->runs, b->run_count);
  if (version == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  gs_version_unref(lab->version);
  lab->version = version;
  return GS_OK;
}

/* ---- planting --------------------------------------------------------------------- */

static gs_status
check(const gs_lab *lab, const gs_lab_planted *tables, size_t count,
      gs_error *err)
{
  bool is_sound = lab->options.is_fed && lab->version->run_count == 0 &&
                  lab->fed.to == lab->fed.from;
  for (size_t i = 0; i < count && is_sound; i++) {
    const gs_lab_planted *t = &tables[i];
    is_sound = t->lo >= 0 && t->lo < t->hi && t->hi <= 1 && t->kept > 0 &&
               t->kept <= 1 && t->level < GS_LAB_LEVELS &&
               t->meta.entry_count > 0 &&
               t->meta.tombstone_count + t->meta.expiring_count <=
                   t->meta.entry_count &&
               (i == 0 || tables[i - 1].run <= t->run);
  }
  return is_sound ? GS_OK
                  : GS_FAIL(err, GS_MISUSE,
                            "a lab that is fed takes sound tables before its "
                            "first batch");
}

gs_status
gs_lab_plant(gs_lab *lab, const gs_lab_planted *tables, size_t count,
             double keys, gs_error *err)
{
  gs_status status = check(lab, tables, count, err);
  if (status != GS_OK || count == 0) {
    return status;
  }
  bed b = {.lab = lab, .tables = tables, .count = count, .scale = 1};
  if (gs_mix_is_ordered(&lab->mix)) {
    b.scale = fmin(1, keys / lab->mix.keys);
    go_on(lab, writes_before(lab, keys));
  }
  b.runs = gs_alloc_array(lab->alloc, count, sizeof(gs_run *));
  if (b.runs == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  status = make_runs(&b, err);
  if (status == GS_OK) {
    status = install(&b, err);
  }
  for (size_t r = 0; r < b.run_count; r++) {
    gs_run_unref(b.runs[r]);
  }
  gs_alloc_free(lab->alloc, b.runs, count * sizeof(gs_run *));
  return status;
}
