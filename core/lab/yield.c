/*
 * yield: what comes out of a flush or a merge: sources, union, tables.
 *
 *   inputs of each run ─▶ one source per run, newest first
 *   sources ─▶ union by the dropping rules ─▶ stream of pieces
 *   stream ─▶ tables, cut by size, at cuts, and around tables that stay
 */
#include <math.h>

#include "lab/chance.h"
#include "lab/state.h"
#include "tree/sort.h"

/* ---- the bottom --------------------------------------------------------------- */

typedef struct beneath {
  const gs_version *version;
  size_t first_run; /* index of the newest run below the target */
  const uint64_t *inputs;
  size_t input_count;
} beneath;

static bool
is_input(const uint64_t *inputs, size_t count, uint64_t id)
{
  size_t at = gs_find_u64(inputs, count, id);
  return at < count && inputs[at] == id;
}

/* Share of lo..hi within the bounds of the run's tables that stay. */
static double
covered(const beneath *b, const gs_run *run, uint64_t lo, uint64_t hi)
{
  uint8_t keys[2][8];
  gs_position_put(keys[0], lo);
  gs_position_put(keys[1], hi - 1);
  size_t end;
  size_t at = gs_run_overlap(run, gs_slice_of(keys[0], 8),
                             gs_slice_of(keys[1], 8), &end);
  double length = 0;
  for (; at < end; at++) {
    const gs_table_meta *meta = &run->tables[at]->meta;
    if (is_input(b->inputs, b->input_count, meta->id)) {
      continue;
    }
    uint64_t min = gs_position_of(meta->min_key);
    uint64_t max = gs_position_of(meta->max_key) + 1;
    min = min < lo ? lo : min;
    max = max > hi ? hi : max;
    length += max > min ? (double)(max - min) : 0;
  }
  double share = length / (double)(hi - lo);
  return share > 1 ? 1 : share;
}

static double
bottom_share(const void *context, uint64_t lo, uint64_t hi)
{
  const beneath *b = context;
  double share = 1;
  for (size_t r = b->first_run; r < b->version->run_count && share > 1e-6;
       r++) {
    share *= 1 - covered(b, b->version->runs[r], lo, hi);
  }
  return share;
}

/* ---- sources ------------------------------------------------------------------ */

typedef struct sources {
  gs_content list[GS_RUNS_MAX + 1];
  size_t count;
} sources;

static void
end_sources(sources *from)
{
  for (size_t i = 0; i < from->count; i++) {
    gs_content_deinit(&from->list[i]);
  }
}

static void
add_table(gs_content *source, const gs_tree_table *table)
{
  const gs_content *content = gs_table_content(table);
  for (size_t i = 0; i < content->count; i++) {
    gs_content_add(source, &content->pieces[i]);
  }
}

/* From the first key of the inputs to the last. */
typedef struct hull {
  uint64_t min;
  uint64_t max;
} hull;

/* The tables of the run whose bounds meet the hull. */
static size_t
meet_hull(const gs_run *run, const hull *inputs, size_t *end)
{
  uint8_t keys[2][8];
  gs_position_put(keys[0], inputs->min);
  gs_position_put(keys[1], inputs->max);
  return gs_run_overlap(run, gs_slice_of(keys[0], sizeof keys[0]),
                        gs_slice_of(keys[1], sizeof keys[1]), end);
}

static gs_status
take_inputs(gs_lab *lab, gs_lab_job *job, const hull *inputs_hull,
            sources *from, gs_error *err)
{
  const gs_version *version = job->version;
  const uint64_t *inputs = job->plan.inputs;
  for (size_t r = 0; r < version->run_count; r++) {
    gs_content *source = &from->list[from->count];
    const gs_run *run = version->runs[r];
    size_t end;
    gs_content_init(source, lab->alloc);
    for (size_t t = meet_hull(run, inputs_hull, &end); t < end; t++) {
      const gs_tree_table *table = run->tables[t];
      if (is_input(inputs, job->plan.input_count, table->meta.id)) {
        add_table(source, table);
        job->read_bytes += (double)table->meta.file_bytes;
      }
    }
    from->count += source->count > 0 || source->failed;
    gs_status status = gs_content_status(source, err);
    if (status != GS_OK) {
      return status;
    }
  }
  return GS_OK;
}

/* ---- rules of the cut --------------------------------------------------------- */

/* What the metadata of the inputs says of the outputs. */
static void
take_facts(const gs_lab_job *job, gs_cut_rules *rules, hull *all)
{
  rules->min_seq = UINT64_MAX;
  *all = (hull){UINT64_MAX, 0};
  for (size_t i = 0; i < job->plan.input_count; i++) {
    size_t run;
    const gs_table_meta *meta =
        &gs_version_find_table(job->version, job->plan.inputs[i], &run)->meta;
    uint64_t min = gs_position_of(meta->min_key);
    uint64_t max = gs_position_of(meta->max_key);
    uint64_t at = meta->oldest_tombstone_ms;
    all->min = min < all->min ? min : all->min;
    all->max = max > all->max ? max : all->max;
    rules->min_seq =
        meta->min_seq < rules->min_seq ? meta->min_seq : rules->min_seq;
    rules->max_seq =
        meta->max_seq > rules->max_seq ? meta->max_seq : rules->max_seq;
    if (at != 0 &&
        (rules->oldest_tombstone_ms == 0 || at < rules->oldest_tombstone_ms)) {
      rules->oldest_tombstone_ms = at;
    }
  }
}

static bool
is_less_fence(const void *items, size_t a, size_t b)
{
  const gs_lab_fence *fences = items;
  return fences[a].begin < fences[b].begin;
}

static void
swap_fences(void *items, size_t a, size_t b)
{
  gs_lab_fence *fences = items;
  gs_lab_fence held = fences[a];
  fences[a] = fences[b];
  fences[b] = held;
}

/* Cuts of the plan and tables of the target run that stay within the hull. */
static gs_status
make_fences(gs_lab *lab, const gs_lab_job *job, const hull *all,
            gs_lab_fence **out, size_t *room, size_t *count, gs_error *err)
{
  const gs_run *run = NULL;
  size_t at = 0;
  size_t end = 0;
  if (job->plan.target == GS_TARGET_INTO) {
    run =
        job->version->runs[gs_version_find_run(job->version, job->plan.run_id)];
    at = meet_hull(run, all, &end);
  }
  *room = job->fence_count + (end > at ? end - at : 0) + 1;
  gs_lab_fence *fences = gs_alloc_array(lab->alloc, *room, sizeof *fences);
  if (fences == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  *count = 0;
  for (size_t i = 0; i < job->fence_count; i++) {
    fences[(*count)++] = (gs_lab_fence){job->fences[i], job->fences[i]};
  }
  for (; at < end; at++) {
    const gs_table_meta *meta = &run->tables[at]->meta;
    if (!is_input(job->plan.inputs, job->plan.input_count, meta->id)) {
      fences[(*count)++] = (gs_lab_fence){gs_position_of(meta->min_key),
                                          gs_position_of(meta->max_key) + 1};
    }
  }
  const gs_sortable sortable = {fences, is_less_fence, swap_fences};
  gs_sort(&sortable, *count);
  *out = fences;
  return GS_OK;
}

/* The level whose layout the outputs have: the plan's, the target's, or the
 * deepest of the inputs'. */
static uint32_t
output_level(const gs_lab_job *job)
{
  const gs_plan *plan = &job->plan;
  if (job->is_flush) {
    return 0;
  }
  if (plan->level >= 0) {
    return (uint32_t)plan->level;
  }
  size_t at = gs_version_find_run(job->version, plan->run_id);
  if (plan->target == GS_TARGET_INTO && at != SIZE_MAX) {
    return job->version->runs[at]->level;
  }
  uint32_t level = 0;
  for (size_t i = 0; i < plan->input_count; i++) {
    gs_version_find_table(job->version, plan->inputs[i], &at);
    uint32_t here = job->version->runs[at]->level;
    level = here > level ? here : level;
  }
  return level;
}

/* A table may be larger than the point index can address where the options say
 * so: no engine of today writes such a one, but a larger store may be tried. */
static double
table_bytes(const gs_lab *lab, const gs_lab_job *job,
            const gs_lab_layout *layout)
{
  double limit = gs_size_limit(&lab->format);
  double usual = layout->table_bytes > 0 ? (double)layout->table_bytes
                                         : (double)lab->options.table_bytes;
  double wanted = job->is_flush || job->plan.table_bytes == 0
                      ? usual
                      : (double)job->plan.table_bytes;
  return fmin(wanted, fmax(limit, usual));
}

/* ---- all of it ---------------------------------------------------------------- */

static gs_status
merge_sources(gs_lab *lab, gs_lab_job *job, sources *from,
              const gs_cut_rules *cut, const beneath *under, gs_error *err)
{
  const gs_union_rules rules = {
      .mix = &lab->mix,
      .expires = lab->options.ttl_ms != 0,
      .deadline_ms = gs_lab_now_ms(lab) - (double)lab->options.ttl_ms,
      .bottom = bottom_share,
      .context = under,
  };
  gs_content stream;
  gs_content_init(&stream, lab->alloc);
  gs_status status =
      gs_content_union(from->list, from->count, &rules, &stream, err);
  if (status == GS_OK) {
    status = gs_cut_tables(lab->alloc, &stream, cut, &job->outputs, err);
  }
  gs_content_deinit(&stream);
  for (size_t i = 0; i < job->outputs.count; i++) {
    job->written_bytes += (double)job->outputs.tables[i]->meta.file_bytes;
  }
  return status;
}

/* What does not shrink by an eighth is stored plain. */
static double
share_saved(const gs_lab *lab, const gs_lab_layout *layout)
{
  double saved = 1 - lab->options.ratio;
  return layout->is_packed && saved >= 1.0 / 8 ? saved : 0;
}

static gs_cut_rules
usual_rules(gs_lab *lab, gs_lab_job *job)
{
  const gs_lab_layout *layout =
      &lab->layouts[output_level(job) % GS_LAB_LEVELS];
  job->format = lab->format;
  if (layout->block_bytes != 0) {
    job->format.block_bytes = layout->block_bytes;
  }
  job->format.saved = share_saved(lab, layout);
  return (gs_cut_rules){
      .mix = &lab->mix,
      .format = &job->format,
      .table_bytes = table_bytes(lab, job, layout),
      .now_ms = (uint64_t)gs_lab_now_ms(lab),
      .ttl_ms = lab->options.ttl_ms,
      .next_id = &lab->next_id,
      .random = &lab->random,
  };
}

/* How many keys so many writes meet is a matter of chance, and with it whether
 * one run is larger than another: as many more or less writes stand for that.
 * Where it is known, nothing is left to chance. */
static void
vary(gs_lab *lab, const gs_fill_span *span, gs_content *flushed)
{
  if (gs_mix_is_ordered(&lab->mix) || flushed->count == 0) {
    return;
  }
  double *writes = &flushed->pieces[0].cohorts[0].writes;
  if (span->distinct > 0) {
    *writes =
        gs_mix_writes(&lab->mix, span->distinct, *writes / 4, *writes * 4);
    return;
  }
  double growth = gs_mix_growth(&lab->mix, *writes);
  double more = gs_mix_spread(&lab->mix, *writes) *
                gs_lab_deviation(&lab->random) / (growth > 0 ? growth : 1);
  *writes += fmax(-*writes / 2, fmin(more, *writes / 2));
}

static gs_status
yield_flush(gs_lab *lab, gs_lab_job *job, gs_error *err)
{
  gs_cut_rules cut = usual_rules(lab, job);
  const beneath under = {.version = job->version};
  sources from = {.count = 1};
  cut.min_seq = (uint64_t)job->span.from + 1;
  cut.max_seq = (uint64_t)job->span.to;
  cut.oldest_tombstone_ms = (uint64_t)job->span.from_ms;
  gs_content_init(&from.list[0], lab->alloc);
  gs_fill_content(&lab->fill, &job->span, &from.list[0]);
  vary(lab, &job->span, &from.list[0]);
  gs_status status = gs_content_status(&from.list[0], err);
  if (status == GS_OK) {
    status = merge_sources(lab, job, &from, &cut, &under, err);
  }
  end_sources(&from);
  return status;
}

static gs_status
yield_merge(gs_lab *lab, gs_lab_job *job, gs_error *err)
{
  gs_cut_rules cut = usual_rules(lab, job);
  const beneath under = {
      .version = job->version,
      .first_run = (gs_plan_position(job->version, &job->plan) + 1) / 2,
      .inputs = job->plan.inputs,
      .input_count = job->plan.input_count,
  };
  hull all;
  gs_lab_fence *fences = NULL;
  size_t room = 0;
  size_t fence_count = 0;
  sources from = {.count = 0};
  take_facts(job, &cut, &all);
  gs_status status =
      make_fences(lab, job, &all, &fences, &room, &fence_count, err);
  cut.fences = fences;
  cut.fence_count = fence_count;
  if (status == GS_OK) {
    status = take_inputs(lab, job, &all, &from, err);
  }
  if (status == GS_OK) {
    status = merge_sources(lab, job, &from, &cut, &under, err);
  }
  end_sources(&from);
  gs_alloc_free(lab->alloc, fences, room * sizeof *fences);
  return status;
}

/* A moved table is the same table; a dropped one is none. */
static gs_status
yield_edit(gs_lab_job *job, gs_error *err)
{
  gs_status status = GS_OK;
  if (job->plan.op == GS_PLAN_DROP) {
    return status;
  }
  for (size_t i = 0; i < job->plan.input_count && status == GS_OK; i++) {
    size_t run;
    gs_tree_table *table =
        gs_version_find_table(job->version, job->plan.inputs[i], &run);
    status = gs_table_list_add(&job->outputs, table, err);
    if (status == GS_OK) {
      gs_tree_table_ref(table);
    }
  }
  return status;
}

gs_status
gs_lab_yield(gs_lab *lab, gs_lab_job *job, gs_error *err)
{
  job->outputs.alloc = lab->alloc;
  if (job->is_flush) {
    return yield_flush(lab, job, err);
  }
  return job->plan.op == GS_PLAN_MERGE ? yield_merge(lab, job, err)
                                       : yield_edit(job, err);
}
