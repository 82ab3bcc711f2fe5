/*
 * plan_inputs: finding is a binary search by id in each run; the rest is order.
 */
#include "tree/plan_inputs.h"

#include <inttypes.h>

#include "tree/refusal.h"
#include "tree/sort.h"

static uint64_t
place_of(size_t run, size_t index)
{
  return (uint64_t)run << 32 | index;
}

const gs_tree_table *
gs_plan_inputs_at(const gs_plan_inputs *inputs, size_t at)
{
  uint64_t place = inputs->places[at];
  const gs_run *run = inputs->version->runs[gs_place_run(place)];
  return run->tables[gs_place_index(place)];
}

static bool
refuse_table(gs_refusal *refusal, gs_refusal_code code, uint64_t id,
             const char *what)
{
  GS_REFUSE(refusal, code, "table %" PRIu64 " %s", id, what);
  gs_refusal_add_table(refusal, id);
  return false;
}

static bool
find_all(gs_plan_inputs *inputs, const gs_plan *plan, gs_refusal *refusal)
{
  for (size_t i = 0; i < plan->input_count; i++) {
    size_t run;
    uint64_t id = plan->inputs[i];
    const gs_tree_table *table =
        gs_version_find_table(inputs->version, id, &run);
    if (table == NULL) {
      return refuse_table(refusal, GS_REFUSAL_UNKNOWN_TABLE, id,
                          "is not in the tree (any more); plan again from the "
                          "present shape");
    }
    if (atomic_load_explicit(&table->is_quarantined, memory_order_relaxed)) {
      return refuse_table(refusal, GS_REFUSAL_BUSY_TABLE, id,
                          "was found damaged and is kept apart: no job may "
                          "touch it");
    }
    size_t index =
        gs_run_lower_bound(inputs->version->runs[run], table->meta.min_key);
    inputs->places[i] = place_of(run, index);
    inputs->file_bytes += table->meta.file_bytes;
  }
  return true;
}

static bool
check_distinct(const gs_plan_inputs *inputs, gs_refusal *refusal)
{
  for (size_t i = 1; i < inputs->count; i++) {
    if (inputs->places[i - 1] == inputs->places[i]) {
      return refuse_table(refusal, GS_REFUSAL_BAD_PLAN,
                          gs_plan_inputs_at(inputs, i)->meta.id,
                          "is named twice among the inputs");
    }
  }
  return true;
}

static void
widen_hull(gs_plan_inputs *inputs)
{
  inputs->min_key = gs_plan_inputs_at(inputs, 0)->meta.min_key;
  inputs->max_key = gs_plan_inputs_at(inputs, 0)->meta.max_key;
  for (size_t i = 1; i < inputs->count; i++) {
    const gs_table_meta *meta = &gs_plan_inputs_at(inputs, i)->meta;
    if (gs_slice_compare(meta->min_key, inputs->min_key) < 0) {
      inputs->min_key = meta->min_key;
    }
    if (gs_slice_compare(meta->max_key, inputs->max_key) > 0) {
      inputs->max_key = meta->max_key;
    }
  }
}

bool
gs_plan_inputs_init(gs_plan_inputs *inputs, const gs_version *version,
                    const gs_plan *plan, gs_refusal *refusal)
{
  inputs->version = version;
  inputs->count = plan->input_count;
  inputs->file_bytes = 0;
  if (!find_all(inputs, plan, refusal)) {
    return false;
  }
  gs_sort_u64(inputs->places, inputs->count);
  if (!check_distinct(inputs, refusal)) {
    return false;
  }
  inputs->top = gs_place_run(inputs->places[0]);
  inputs->low = gs_place_run(inputs->places[inputs->count - 1]);
  widen_hull(inputs);
  return true;
}

size_t
gs_plan_inputs_count(const gs_plan_inputs *inputs, size_t run, size_t begin,
                     size_t end)
{
  size_t from =
      gs_find_u64(inputs->places, inputs->count, place_of(run, begin));
  size_t to = gs_find_u64(inputs->places, inputs->count, place_of(run, end));
  return to - from;
}

bool
gs_plan_inputs_take_run(const gs_plan_inputs *inputs, size_t run)
{
  size_t tables = inputs->version->runs[run]->table_count;
  return gs_plan_inputs_count(inputs, run, 0, tables) == tables;
}

/* The first table of [begin, end) in the run that is no input; end if none. */
static size_t
find_gap(const gs_plan_inputs *inputs, size_t run, size_t begin, size_t end)
{
  if (gs_plan_inputs_count(inputs, run, begin, end) == end - begin) {
    return end;
  }
  while (begin < end &&
         gs_plan_inputs_count(inputs, run, begin, begin + 1) == 1) {
    begin++;
  }
  return begin;
}

/* The first table of the run that overlaps the table and stays, or NULL. */
static const gs_tree_table *
find_stay(const gs_plan_inputs *inputs, const gs_tree_table *table, size_t run)
{
  const gs_run *below = inputs->version->runs[run];
  size_t end;
  size_t begin =
      gs_run_overlap(below, table->meta.min_key, table->meta.max_key, &end);
  size_t at = find_gap(inputs, run, begin, end);
  return at < end ? below->tables[at] : NULL;
}

const gs_tree_table *
gs_plan_inputs_find_stay(const gs_plan_inputs *inputs, size_t run, size_t *at)
{
  if (gs_plan_inputs_take_run(inputs, run)) {
    return NULL;
  }
  for (size_t i = 0; i < inputs->count && gs_place_run(inputs->places[i]) < run;
       i++) {
    const gs_tree_table *stay =
        find_stay(inputs, gs_plan_inputs_at(inputs, i), run);
    if (stay != NULL) {
      *at = i;
      return stay;
    }
  }
  return NULL;
}

void
gs_plan_inputs_name_stays(const gs_plan_inputs *inputs,
                          const gs_tree_table *table, size_t run,
                          gs_refusal *refusal)
{
  const gs_run *below = inputs->version->runs[run];
  size_t end;
  size_t at =
      gs_run_overlap(below, table->meta.min_key, table->meta.max_key, &end);
  gs_refusal_add_table(refusal, table->meta.id);
  while (refusal->table_count < GS_REFUSAL_TABLES &&
         (at = find_gap(inputs, run, at, end)) < end) {
    gs_refusal_add_table(refusal, below->tables[at]->meta.id);
    at++;
  }
}
