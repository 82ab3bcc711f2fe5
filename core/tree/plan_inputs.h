/*
 * plan_inputs: the inputs of a plan, found in a version and put in order.
 *
 * Model: an input's place is (run index, table index), packed into one number;
 * places rise, so the inputs come run by run from the newest, by key within a
 * run. Whether some tables of a run are all inputs is then a matter of counting
 * places between two numbers, in the logarithm of the number of inputs.
 *
 * Life: a value that views the version. 32 KiB: it lives on the stack of the
 * check and nowhere else.
 * Threads: pure.
 */
#ifndef GS_TREE_PLAN_INPUTS_H
#define GS_TREE_PLAN_INPUTS_H

#include "tree/plan.h"

typedef struct gs_plan_inputs {
  const gs_version *version;
  size_t count;
  size_t top; /* index of the newest run with an input */
  size_t low; /* index of the oldest run with an input */
  gs_slice min_key;
  gs_slice max_key;
  uint64_t file_bytes;
  uint64_t places[GS_PLAN_MAX_INPUTS];
} gs_plan_inputs;

static inline size_t
gs_place_run(uint64_t place)
{
  return (size_t)(place >> 32);
}

static inline size_t
gs_place_index(uint64_t place)
{
  return (size_t)(place & UINT32_MAX);
}

/* The input behind places[at]. */
const gs_tree_table *gs_plan_inputs_at(const gs_plan_inputs *inputs, size_t at);

/* The half of C1 and C2 that looks at the inputs alone. False fills *refusal.
 * Requires: 1 to GS_PLAN_MAX_INPUTS inputs. */
bool gs_plan_inputs_init(gs_plan_inputs *inputs, const gs_version *version,
                         const gs_plan *plan, gs_refusal *refusal);

/* Number of inputs in the run with begin <= table index < end. */
size_t gs_plan_inputs_count(const gs_plan_inputs *inputs, size_t run,
                            size_t begin, size_t end);

/* Whether no table of the run stays. */
bool gs_plan_inputs_take_run(const gs_plan_inputs *inputs, size_t run);

/* A table of the run that stays and overlaps an input of a newer run, *at of
 * the places; NULL if there is none. */
const gs_tree_table *gs_plan_inputs_find_stay(const gs_plan_inputs *inputs,
                                              size_t run, size_t *at);

/* Names the table and then all of the run that overlap it and stay. */
void gs_plan_inputs_name_stays(const gs_plan_inputs *inputs,
                               const gs_tree_table *table, size_t run,
                               gs_refusal *refusal);

#endif
